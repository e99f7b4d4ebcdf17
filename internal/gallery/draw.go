package gallery

import (
	"fmt"
	"strings"

	"github.com/clickai/bridge/internal/sim"
)

const (
	columns = 84 // of a picture
	// head and tail are how many lines stay at the two ends of a message, or a source, that is abridged.
	head, tail = 14, 9
)

// frame draws the messages of an answer, one under another.
func frame(bot string, messages [][]sim.Block, abridged bool) string {
	var b strings.Builder
	for i, m := range messages {
		name := "╭─ " + bot
		if len(messages) > 1 {
			name += fmt.Sprintf(" · message %d of %d", i+1, len(messages))
		}
		b.WriteString(name + " " + strings.Repeat("─", max(columns-width(name)-1, 0)) + "\n")
		lines := draw(m, columns-2)
		if abridged {
			lines = abridge(lines)
		}
		for _, line := range lines {
			b.WriteString(strings.TrimRight("│ "+line, " ") + "\n")
		}
		b.WriteString("╰" + strings.Repeat("─", columns-1) + "\n")
	}
	if len(messages) == 0 {
		b.WriteString("(nothing yet)\n")
	}
	return b.String()
}

// abridge leaves out the middle of a long text.
func abridge(lines []string) []string {
	if len(lines) < head+tail+3 { // the mark takes three lines itself
		return lines
	}
	from, to := head, len(lines)-tail
	for lines[from-1] == "" {
		from--
	}
	for lines[to] == "" {
		to++
	}
	out := append([]string{}, lines[:from]...)
	out = append(out, "", fmt.Sprintf("┄┄┄┄┄┄┄┄ %d lines are left out here ┄┄┄┄┄┄┄┄", to-from), "")
	return append(out, lines[to:]...)
}

// draw draws blocks as lines of at most n columns; code may be longer by its mark.
func draw(blocks []sim.Block, n int) []string {
	var lines []string
	for _, b := range blocks {
		bars := strings.Repeat("▎ ", b.Quote)
		for _, line := range drawBlock(b, n-width(bars)) {
			lines = append(lines, bars+line)
		}
	}
	return lines
}

func drawBlock(b sim.Block, n int) []string {
	switch b.Kind {
	case sim.HeadingBlock:
		lines, longest := wrap(marked(b.Spans), n), 0
		for _, line := range lines {
			longest = max(longest, width(line))
		}
		return append(lines, strings.Repeat(underline(b.Level), longest))
	case sim.QuietBlock:
		lines := wrap(marked(b.Spans), n-2)
		for i := range lines {
			lines[i] = "▫ " + lines[i]
		}
		return lines
	case sim.CodeBlock:
		return drawCode(b, n)
	case sim.TableBlock:
		return drawTable(b.Rows, n)
	case sim.RuleBlock:
		return []string{strings.Repeat("─", n)}
	case sim.LineBlock:
	}
	first := strings.Repeat("   ", b.Indent)
	if b.Mark != "" {
		first += b.Mark + " "
	}
	rest := strings.Repeat(" ", width(first))
	lines := wrap(marked(b.Spans), n-width(first))
	for i := range lines {
		if i == 0 {
			lines[i] = first + lines[i]
		} else {
			lines[i] = rest + lines[i]
		}
	}
	return lines
}

// underline shows how large a heading is.
func underline(level int) string {
	switch level {
	case 1:
		return "═"
	case 2:
		return "─"
	}
	return "┄"
}

// drawCode draws a box; a line that is too long goes on in the next one.
func drawCode(b sim.Block, n int) []string {
	top := "┌─"
	if b.Lang != "" {
		top += " " + b.Lang + " "
	}
	lines := []string{top + strings.Repeat("─", max(n-width(top), 0))}
	for line := range strings.SplitSeq(sim.Text(b.Spans), "\n") {
		line = strings.ReplaceAll(invisible.Replace(line), "\t", "    ")
		pieces := chop(line, n-4)
		for i, piece := range pieces {
			if i < len(pieces)-1 {
				piece += " ↩"
			}
			lines = append(lines, "│ "+piece)
		}
	}
	return append(lines, "└"+strings.Repeat("─", n-1))
}
