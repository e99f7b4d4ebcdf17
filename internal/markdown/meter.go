package markdown

// meter bounds the size of a table that grows by rows.
type meter struct {
	g      *Grid
	w      *Weights
	prefix int
	max    []int // widest cell of each column
	cols   []int // the columns' widths after squeezing
	rows   []int
	lines  int // of the rows, wrapped
	extra  int // by how much cells weigh more than they are wide
}

func newMeter(g *Grid, w *Weights, prefix int) *meter {
	m := &meter{g: g, w: w, prefix: prefix, max: append([]int(nil), g.widths[0]...)}
	m.cols = append([]int(nil), m.max...)
	g.squeeze(m.cols)
	m.take(0)
	return m
}

func (m *meter) take(r int) {
	m.rows = append(m.rows, r)
	m.lines += m.height(r)
	for i, c := range m.g.rows[r] {
		m.extra += max(0, m.w.Of(c)-m.g.widths[r][i])
	}
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

func (m *meter) add(row int) {
	r := row + 1
	grown := false
	for i, n := range m.g.widths[r] {
		if n > m.max[i] {
			m.max[i], grown = n, true
		}
	}
	if grown {
		copy(m.cols, m.max)
		m.g.squeeze(m.cols)
		m.lines = 0
		for _, r := range m.rows {
			m.lines += m.height(r)
		}
	}
	m.take(r)
}

func (m *meter) size() int {
	width := 3*(len(m.cols)-1) + m.prefix + 1
	for _, n := range m.cols {
		width += n
	}
	return (m.lines+1)*width + m.extra
}
