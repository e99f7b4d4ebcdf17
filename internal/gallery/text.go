package gallery

import (
	"strings"

	"github.com/rivo/uniseg"

	"github.com/clickai/bridge/internal/sim"
)

// Marks show styles in plain text. None of them is a mark of Markdown, so that an asterisk in a picture is one that a
// reader sees.
var marks = []struct {
	style       sim.Style
	open, close string
	name        string
}{
	{sim.Bold, "«", "»", "bold"},
	{sim.Italic, "╱", "╱", "italic"},
	{sim.Strike, "╌", "╌", "struck out"},
	{sim.Underline, "▁", "▁", "underlined"},
	{sim.Spoiler, "▒", "▒", "spoiler"},
	{sim.Ping, "⚑", "⚑", "a mention that reaches people"},
	{sim.Active, "☛", "☚", "does something when touched: a command, a hashtag, a channel"},
	{sim.Mono, "▕", "▏", "code"},
}

// arrow stands between what a link shows and where it leads.
const arrow = "↗"

// invisible are characters that take no room and show nothing: zero-width space and word joiner.
var invisible = strings.NewReplacer("\u200b", "", "\u2060", "")

// marked is text with marks for its styles.
func marked(spans []sim.Span) string {
	var b strings.Builder
	var open []int // indexes of marks, outermost first
	closeTo := func(n int) {
		for len(open) > n {
			b.WriteString(marks[open[len(open)-1]].close)
			open = open[:len(open)-1]
		}
	}
	for i, s := range spans {
		keep, want := 0, wanted(s.Style)
		for keep < len(open) && keep < len(want) && open[keep] == want[keep] {
			keep++
		}
		closeTo(keep)
		for _, m := range want[keep:] {
			b.WriteString(marks[m].open)
			open = append(open, m)
		}
		b.WriteString(invisible.Replace(s.Text))
		if s.URL != "" && (i+1 == len(spans) || spans[i+1].URL != s.URL) {
			closeTo(0)
			b.WriteString(leads(spans[:i+1]))
		}
	}
	closeTo(0)
	return b.String()
}

// wanted are the marks of a style.
func wanted(st sim.Style) []int {
	var want []int
	for i, m := range marks {
		if st&m.style != 0 {
			want = append(want, i)
		}
	}
	return want
}

// leads says where the link leads that ends spans: its address, unless that is what the link shows.
func leads(spans []sim.Span) string {
	url := spans[len(spans)-1].URL
	first := len(spans)
	for first > 0 && spans[first-1].URL == url {
		first--
	}
	label := sim.Text(spans[first:])
	for _, prefix := range []string{"", "https://", "http://", "mailto:", "tel:"} {
		if strings.TrimSuffix(url, "/") == strings.TrimSuffix(prefix+label, "/") {
			return " " + arrow
		}
	}
	return " " + arrow + " " + url
}

// width is how many columns text takes in a terminal.
func width(s string) int { return uniseg.StringWidth(s) }

// wrap divides text into lines of at most n columns: where Unicode allows a line to end, else between characters.
// Source: https://www.unicode.org/reports/tr14/
func wrap(s string, n int) []string {
	var lines []string
	line, used := "", 0
	for rest := s; rest != ""; {
		var segment string
		segment, rest = segmentOf(rest)
		if w := width(strings.TrimRight(segment, " ")); used > 0 && used+w > n {
			lines = append(lines, strings.TrimRight(line, " "))
			line, used = "", 0
		}
		if width(strings.TrimRight(segment, " ")) > n {
			pieces := chop(segment, n)
			lines = append(lines, pieces[:len(pieces)-1]...)
			segment = pieces[len(pieces)-1]
		}
		line += segment
		used += width(segment)
	}
	return append(lines, strings.TrimRight(line, " "))
}

// segmentOf is the text up to the first place where a line may end. It goes by whole characters, since the library's own
// function for segments divides emoji that are joined of several.
func segmentOf(s string) (segment, rest string) {
	rest, state := s, -1
	for rest != "" {
		var boundaries int
		_, rest, boundaries, state = uniseg.StepString(rest, state)
		if boundaries&uniseg.MaskLine != uniseg.LineDontBreak {
			break
		}
	}
	return s[:len(s)-len(rest)], rest
}

// chop divides text into pieces of at most n columns, between characters.
func chop(s string, n int) []string {
	var pieces []string
	from, at, used := 0, 0, 0
	for rest, state := s, -1; rest != ""; {
		var cluster string
		var w int
		cluster, rest, w, state = uniseg.FirstGraphemeClusterInString(rest, state)
		if used > 0 && used+w > n {
			pieces = append(pieces, s[from:at])
			from, used = at, 0
		}
		at += len(cluster)
		used += w
	}
	return append(pieces, s[from:])
}

// pad fills text up to n columns.
func pad(s, align string, n int) string {
	free := max(n-width(s), 0)
	left := 0
	switch align {
	case "right":
		left = free
	case "center":
		left = free / 2
	}
	return strings.Repeat(" ", left) + s + strings.Repeat(" ", free-left)
}
