package markdowntest

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/clickai/bridge/core"
	"github.com/clickai/bridge/internal/markdown"
)

// Shown returns what people see of a part, as the platform's own parser reads it, or why the platform refuses it.
type Shown func(core.Part) (string, error)

// Moves are the documents of the corpus in which text that was shown comes to stand elsewhere while they grow, and why.
var Moves = map[string]string{
	"links-reference":     "the definition of a link comes after it",
	"table-no-pipes":      "the head of the table looks like a paragraph",
	"unclosed-everything": "marks that never find their end show in the end",
	"stray-marks":         "marks that never find their end show in the end",
	"special-characters":  "marks that never find their end show in the end",
}

// Steady renders the source cut at each of the given bytes and fails where text that was shown does not stay where it
// is: what shows of a source must begin with all that showed of a shorter one. White space aside; and of a source with
// tables the letters count only, up to the table that grows: its columns are drawn anew with each row.
func Steady(tb testing.TB, render Render, shown Shown, source string, cuts []int) {
	tb.Helper()
	shown = once(shown)
	before := ""
	for _, cut := range append(cuts, len(source)) {
		src := source[:min(cut, len(source))]
		now, settled := Solid(All(tb, render(src, false), shown)), before
		if strings.Contains(source, "|") || strings.Contains(source, "<t") {
			now = Letters(now)
			settled = before[:max(0, len(before)-openTable(src))]
		}
		if !strings.HasPrefix(now, settled) {
			tb.Fatalf("after %q what showed has moved:\n was %q\n now %q", clip(src), around(before, now), around(now, before))
		}
		before = now
	}
}

// Settled renders the source cut at each of the given bytes, whatever it is. It fails where text moves that stands before
// the block that is being written.
func Settled(tb testing.TB, render Render, shown Shown, opt markdown.Options, source string, cuts []int) {
	tb.Helper()
	shown = once(shown)
	before, open := "", 0
	for _, cut := range append(cuts, len(source)) {
		src := source[:min(cut, len(source))]
		now := Letters(All(tb, render(src, false), shown))
		if settled := before[:max(0, len(before)-open)]; !strings.HasPrefix(now, settled) {
			tb.Fatalf("after %q what showed has moved:\n was %q\n now %q", clip(src), around(settled, now), around(now, settled))
		}
		before, open = now, 0
		if units := markdown.Parse(src, opt); len(units) > 0 && units[len(units)-1].Open {
			last := units[len(units)-1]
			open = len(Letters(unitText(&last, true))) + 2*len("1000000000")
			if last.Kind == markdown.Table {
				open = 2*tableText(&last) + 2*len("1000000000") // the head is repeated
			}
		}
	}
}

// openTable returns how many letters of a table are shown that may still grow.
func openTable(src string) int {
	units := markdown.Parse(src, markdown.Options{})
	if n := len(units); n > 0 && units[n-1].Kind == markdown.Table {
		return tableText(&units[n-1])
	}
	return 0
}

// tableText is how many letters of a table are shown at most, with the list of its links.
func tableText(u *markdown.Unit) int {
	n := len(Letters(unitText(u, true)))
	for _, row := range append([][][]markdown.Span{u.Table.Head}, u.Table.Rows...) {
		for _, cell := range row {
			for _, s := range cell {
				if s.URL != "" {
					n += len(Letters(s.Text)) + 2*len("1000")
				}
			}
		}
	}
	return n
}

// once remembers the last of what was shown, since most parts are the same as at the step before.
func once(shown Shown) Shown {
	seen := map[core.Part]string{}
	return func(p core.Part) (string, error) {
		if s, ok := seen[p]; ok {
			return s, nil
		}
		if len(seen) > 50 {
			clear(seen)
		}
		s, err := shown(p)
		if err == nil {
			seen[p] = s
		}
		return s, err
	}
}

// All is what people see of the parts. A part that is refused is a failure.
func All(tb testing.TB, parts []core.Part, shown Shown) string {
	tb.Helper()
	var b strings.Builder
	for i, p := range parts {
		s, err := shown(p)
		if err != nil {
			tb.Fatalf("part %d: %v\n%s", i, err, p.Text)
		}
		b.WriteString(s)
		b.WriteByte('\n')
	}
	return b.String()
}

// SameText fails if what people see of the parts is not the text of the blocks that were laid out for them, in the same
// order and with nothing lost or doubled. Letters and digits count. cells reports the tables that are not drawn as text.
func SameText(tb testing.TB, parts []core.Part, shown Shown, messages [][]*markdown.Unit, cells func(*markdown.Unit) bool) {
	tb.Helper()
	var b strings.Builder
	for _, m := range messages {
		for _, u := range m {
			b.WriteString(unitText(u, cells(u)))
		}
	}
	if b.Len() == 0 {
		return // a source that shows nothing shows itself
	}
	want, got := Letters(b.String()), Letters(All(tb, parts, shown))
	if got != want {
		tb.Errorf("people see %q\nnot the text %q\n%s", around(got, want), around(want, got), cmp.Diff(want, got))
	}
}

// unitText is the text of a block with its number, without addresses.
func unitText(u *markdown.Unit, cells bool) string {
	c := *u
	c.Spans = nil
	for _, s := range u.Spans {
		s.URL = ""
		c.Spans = append(c.Spans, s)
	}
	if cells && u.Kind == markdown.Table {
		c.Kind, c.Table, c.Lines = markdown.Code, nil, nil
		for _, row := range append([][][]markdown.Span{u.Table.Head}, u.Table.Rows...) {
			for _, cell := range row {
				c.Lines = append(c.Lines, markdown.PlainSpans(cell))
			}
		}
	}
	return markdown.Plain([]*markdown.Unit{&c}, markdown.Literal{}) + "\n"
}

// around is the part of s where it first differs from other.
func around(s, other string) string {
	i := 0
	for i < len(s) && i < len(other) && s[i] == other[i] {
		i++
	}
	return s[max(0, i-40):min(len(s), i+60)]
}
