package markdown

import "slices"

// meter bounds the size of a table that grows by rows.
type meter struct {
	g      *Grid
	w      *Weights
	prefix int
	max    []int // widest cell of each column
	least  []int // the widest of what the cells may be squeezed to; nil while nothing is squeezed
	cols   []int // the columns' widths after squeezing
	rows   []int
	lines  int // of the rows, wrapped
	extra  int // by how much cells weigh more than they are wide
}

func newMeter(g *Grid, w *Weights, prefix int) *meter {
	m := &meter{g: g, w: w, prefix: prefix, max: make([]int, len(g.align))}
	m.take(0)
	return m
}

// add adds a row; 0 is the first behind the head.
func (m *meter) add(row int) { m.take(row + 1) }

func (m *meter) take(r int) {
	m.rows = append(m.rows, r)
	widen(m.max, m.g.widths[r])
	for i, c := range m.g.rows[r] {
		m.extra += max(0, m.w.Of(c)-m.g.widths[r][i])
	}
	if before := m.cols; !slices.Equal(before, m.fit(r)) {
		m.lines = 0
		for _, r := range m.rows {
			m.lines += m.height(r)
		}
		return
	}
	m.lines += m.height(r)
}

// fit computes the columns' widths with row r, the last, and returns them.
func (m *meter) fit(r int) []int {
	m.cols = slices.Clone(m.max)
	if m.g.fits(m.cols) {
		return m.cols
	}
	if m.least == nil {
		m.least = make([]int, len(m.max))
		for _, r := range m.rows {
			widen(m.least, m.g.least(r))
		}
	} else {
		widen(m.least, m.g.least(r))
	}
	m.g.squeeze(m.cols, m.least)
	return m.cols
}

// height is how many lines a row takes.
func (m *meter) height(r int) int {
	h := 1
	for i, n := range m.g.widths[r] {
		if n > m.cols[i] {
			h = max(h, len(wrap(m.g.rows[r][i], m.cols[i])))
		}
	}
	return h
}

func (m *meter) size() int {
	width := 3*(len(m.cols)-1) + m.prefix + 1
	for _, n := range m.cols {
		width += n
	}
	return (m.lines+1)*width + m.extra
}
