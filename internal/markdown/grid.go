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

// minColumn is the least width that a column is squeezed to.
const minColumn = 8

// Grid writes a table as lines of text in columns, for fonts of fixed width.
type Grid struct {
	align  []Align
	rows   [][]string // rows[0] is the head
	widths [][]int
	target int
}

// NewGrid prepares a table. target is the width in columns that it should keep to; cells are wrapped for it.
func NewGrid(t *TableData, target int) *Grid {
	g := &Grid{align: t.Align, target: target}
	n := len(t.Align)
	all := make([]string, n*(len(t.Rows)+1))
	widths := make([]int, len(all))
	g.rows = make([][]string, 0, len(t.Rows)+1)
	g.widths = make([][]int, 0, len(t.Rows)+1)
	add := func(row [][]Span) {
		cells, w := all[:n:n], widths[:n:n]
		all, widths = all[n:], widths[n:]
		for i, spans := range row {
			cells[i] = cellText(spans)
			w[i] = Width(cells[i])
		}
		g.rows = append(g.rows, cells)
		g.widths = append(g.widths, w)
	}
	add(t.Head)
	for _, row := range t.Rows {
		add(row)
	}
	return g
}

// cellText is the text of a cell on one line.
func cellText(spans []Span) string {
	s := PlainSpans(spans)
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
		for i := range w {
			w[i] = max(w[i], row[i])
		}
	}
	g.squeeze(w)
	return w
}

// squeeze narrows the widest columns to one width, so that the whole fits the target if no column need be narrower than
// minColumn for it.
func (g *Grid) squeeze(w []int) {
	left := g.target - 3*(len(w)-1)
	total := 0
	for i := range w {
		w[i] = max(w[i], 1)
		total += w[i]
	}
	if total <= left {
		return
	}
	// share is what each column may have that wants more; those that want less leave theirs to the others.
	share, wide := left/len(w), len(w)
	for {
		rest, n := left, 0
		for _, v := range w {
			if v <= share {
				rest -= v
			} else {
				n++
			}
		}
		if n == 0 || n == wide {
			break
		}
		share, wide = max(rest/n, share), n
	}
	share = max(share, minColumn)
	for i := range w {
		w[i] = min(w[i], share)
	}
}

// Lines writes the head, a rule and the rows from lo to hi.
func (g *Grid) Lines(lo, hi int) []string {
	w := g.columns(lo, hi)
	out := make([]string, 0, hi-lo+2)
	out = g.row(out, 0, w)
	out = append(out, rule(w))
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

// wrap breaks s into lines of at most width columns, at spaces where there are any.
func wrap(s string, width int) []string {
	var out []string
	for s != "" {
		if Width(s) <= width {
			return append(out, s)
		}
		end, space, cols := 0, -1, 0
		state := -1
		for rest := s; rest != ""; {
			cluster, tail, w, next := uniseg.FirstGraphemeClusterInString(rest, state)
			if cols+w > width && end > 0 {
				break
			}
			if cluster == " " {
				space = end
			}
			cols += w
			end += len(cluster)
			rest, state = tail, next
		}
		if end < len(s) && s[end] == ' ' {
			space = end
		}
		cut := end
		if space > 0 && end < len(s) {
			cut = space
		}
		out = append(out, s[:cut])
		s = strings.TrimLeft(s[cut:], " ")
	}
	if len(out) == 0 {
		out = append(out, "")
	}
	return out
}
