package markdown

import (
	"bytes"
	"strings"

	"github.com/rivo/uniseg"
)

// Width is how many columns s takes in a font of fixed width: East Asian characters and emoji take two.
func Width(s string) int {
	for i := range len(s) {
		if s[i] >= 0x80 {
			return uniseg.StringWidth(s)
		}
	}
	return len(s)
}

// Grid writes a table as lines of text in columns, for fonts of fixed width.
type Grid struct {
	align  []Align
	bare   bool       // it has no head
	rows   [][]string // rows[0] is the head
	widths [][]int
	target int
}

// NewGrid prepares a table. target is the width in columns that it should keep to; cells are wrapped for it.
func NewGrid(t *TableData, target int) *Grid {
	g := &Grid{align: t.Align, bare: t.Head == nil, target: target}
	n := len(t.Align)
	all := make([]string, n*(len(t.Rows)+1))
	widths := make([]int, len(all))
	g.rows = make([][]string, 0, len(t.Rows)+1)
	g.widths = make([][]int, 0, len(t.Rows)+1)
	add := func(row [][]Span, refs []ref) {
		cells, w := all[:n:n], widths[:n:n]
		all, widths = all[n:], widths[n:]
		for i, spans := range row {
			cells[i] = cellText(spans, refs)
			w[i] = Width(cells[i])
		}
		g.rows = append(g.rows, cells)
		g.widths = append(g.widths, w)
	}
	add(t.Head, t.row(0))
	for r, row := range t.Rows {
		add(row, t.row(r+1))
	}
	return g
}

// cellText is the text of a cell on one line, with the numbers of its links that are among refs.
func cellText(spans []Span, refs []ref) string {
	s := PlainSpans(spans)
	if len(refs) > 0 {
		var b strings.Builder
		for i := 0; i < len(spans); {
			n := linkLength(spans[i:])
			b.WriteString(PlainSpans(spans[i : i+n]))
			for k := range refs {
				if refs[k].span.Link == spans[i].Link {
					b.WriteString(refs[k].mark())
				}
			}
			i += n
		}
		s = b.String()
	}
	if strings.IndexByte(s, '\n') >= 0 {
		s = strings.ReplaceAll(s, "\n", " ")
	}
	return strings.ReplaceAll(s, "\t", " ")
}

// PlainSpans is the text of spans without styles.
func PlainSpans(spans []Span) string {
	if len(spans) == 1 {
		return spans[0].Text
	}
	var b strings.Builder
	for _, s := range spans {
		b.WriteString(s.Text)
	}
	return b.String()
}

// columns returns the widths of the columns for the head and the rows from lo to hi.
func (g *Grid) columns(lo, hi int) []int {
	w := append([]int(nil), g.widths[0]...)
	for _, row := range g.widths[1+lo : 1+hi] {
		widen(w, row)
	}
	if g.fits(w) {
		return w
	}
	least := g.least(0)
	for r := lo; r < hi; r++ {
		widen(least, g.least(r+1))
	}
	g.squeeze(w, least)
	return w
}

// widen raises the widths to those of a row where they are more.
func widen(w, row []int) {
	for i, n := range row {
		w[i] = max(w[i], n)
	}
}

// least returns how narrow the cells of a row may become; 0 is the head.
func (g *Grid) least(r int) []int {
	out := make([]int, len(g.align))
	for i, c := range g.rows[r] {
		out[i] = leastWidth(c)
	}
	return out
}

// fits reports whether columns of these widths keep to the target. It makes all of them at least one column wide.
func (g *Grid) fits(w []int) bool {
	total := 3 * (len(w) - 1)
	for i := range w {
		w[i] = max(w[i], 1)
		total += w[i]
	}
	return total <= g.target
}

// squeeze narrows the columns, the widest first, until the whole fits the target or each is as narrow as it may be.
func (g *Grid) squeeze(w, least []int) {
	left := g.target - 3*(len(w)-1)
	narrowed := func(i, most int) int { return max(min(w[i], most), least[i]) }
	lo, hi := 0, 0 // the width that no column that can be narrower has more than
	for _, n := range w {
		hi = max(hi, n)
	}
	for lo < hi {
		most, total := (lo+hi+1)/2, 0
		for i := range w {
			total += narrowed(i, most)
		}
		if total <= left {
			lo = most
		} else {
			hi = most - 1
		}
	}
	rest := left
	for i := range w {
		rest -= narrowed(i, lo)
	}
	for i := range w {
		n := narrowed(i, lo)
		if rest > 0 && n < w[i] { // all of these have lo columns
			n++
			rest--
		}
		w[i] = n
	}
}

// Lines writes the head, a rule and the rows from lo to hi.
func (g *Grid) Lines(lo, hi int) []string {
	w := g.columns(lo, hi)
	out := make([]string, 0, hi-lo+2)
	if !g.bare {
		out = g.row(out, 0, w)
		out = append(out, rule(w))
	}
	for r := lo; r < hi; r++ {
		out = g.row(out, r+1, w)
	}
	return out
}

// rule is the line under the head.
func rule(w []int) string {
	total := 3 * (len(w) - 1)
	for _, n := range w {
		total += n
	}
	b := bytes.Repeat([]byte{'-'}, total)
	at := 0
	for _, n := range w[:len(w)-1] {
		at += n + 1
		b[at] = '+'
		at += 2
	}
	return string(b)
}

func (g *Grid) row(out []string, r int, w []int) []string {
	cells := g.rows[r]
	wrapped := false
	for i := range cells {
		wrapped = wrapped || g.widths[r][i] > w[i]
	}
	var b strings.Builder
	total := 3 * (len(w) - 1)
	for i, n := range w {
		total += n + max(0, len(cells[i])-g.widths[r][i])
	}
	b.Grow(total)
	if !wrapped {
		g.line(&b, cells, g.widths[r], w, r == 0)
		return append(out, strings.TrimRight(b.String(), " "))
	}
	parts := make([][]string, len(cells))
	height := 1
	for i, c := range cells {
		parts[i] = wrap(c, w[i])
		height = max(height, len(parts[i]))
	}
	line, widths := make([]string, len(cells)), make([]int, len(cells))
	for k := range height {
		for i := range parts {
			line[i] = ""
			if k < len(parts[i]) {
				line[i] = parts[i][k]
			}
			widths[i] = Width(line[i])
		}
		b.Reset()
		g.line(&b, line, widths, w, r == 0)
		out = append(out, strings.TrimRight(b.String(), " "))
	}
	return out
}

func (g *Grid) line(b *strings.Builder, cells []string, widths, w []int, head bool) {
	for i, c := range cells {
		if i > 0 {
			b.WriteString(" | ")
		}
		pad := max(w[i]-widths[i], 0)
		left := 0
		switch {
		case g.align[i] == AlignRight && !head:
			left = pad
		case g.align[i] == AlignCenter:
			left = pad / 2
		}
		writeSpaces(b, left)
		b.WriteString(c)
		if i < len(cells)-1 {
			writeSpaces(b, pad-left)
		}
	}
}

func writeSpaces(b *strings.Builder, n int) {
	for range n {
		b.WriteByte(' ')
	}
}
