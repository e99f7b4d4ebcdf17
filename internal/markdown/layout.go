package markdown

import (
	"slices"
	"strings"
)

// Limits say what fits into a message.
type Limits struct {
	// Size is what a message holds, in the unit of Weights.
	Size int
	// Weights bound what the characters of code and tables take.
	Weights *Weights
	// Fence is the most that stands around code or a table, its language aside.
	Fence int
	// TableWidth is the width in columns that tables keep to; see [NewGrid].
	TableWidth int

	// Cost, if not nil, returns what else a block takes that a message has only so much of, the lines of code and the
	// rows of tables aside. Blocks that can no longer change must keep to Budget; with one that can, a message may go up
	// to Most, which is higher by more than what a block may cost less when it is whole.
	Cost   func(u *Unit) int
	Budget int
	Most   int
	// Lines says that the lines of code count for Cost too, by their weight.
	Lines bool
	// Row, if not nil, returns what a row of a table adds to Cost.
	Row func(row [][]Span) int
	// MaxRows is the most rows of a table in a message, its head aside; 0: any number.
	MaxRows int

	// Solo, if not nil, reports a kind of block of which a message holds only one.
	Solo func(u *Unit) bool
	// Drawn, if not nil, reports a table that the platform draws. In the text of other tables the links are numbered, and
	// listed under the table.
	Drawn func(u *Unit) bool
}

// maxLine is the longest line of code, as a part of a message, that is kept whole.
const maxLine = 0.9

// Blank reports whether the source has nothing to show.
func Blank(src string) bool { return strings.TrimSpace(src) == "" }

// Layout divides blocks into messages. Blocks are kept whole where they fit a message; code goes on at a line, tables at a
// row with the head repeated, paragraphs at a piece. A heading stays with what follows it, and so does a short paragraph
// that ends in a colon.
//
// A message is sealed when the next block does not fit. What a block needs never gets less as it grows, so a sealed
// message stays sealed where it is. The units are the caller's no longer: what Layout returns is made of them.
func Layout(units []Unit, lim Limits) [][]*Unit {
	l := layouter{lim: &lim, cur: make([]*Unit, 0, len(units)), needs: make([]need, 0, len(units))}
	for i := range units {
		l.place(&units[i])
	}
	return l.messages()
}

// need is what a block takes of a message.
type need struct {
	size int // in weight
	cost int // see Limits.Cost
}

type layouter struct {
	lim   *Limits
	parts [][]*Unit
	cur   []*Unit
	used  need
	needs []need // of the units in cur
}

// place puts the next block where it belongs.
func (l *layouter) place(u *Unit) {
	switch u.Kind {
	case Code, Math:
		l.code(u)
	case Table:
		l.table(u)
	case Paragraph, Heading, Rule:
		l.whole(u)
	}
}

// messages are the sealed messages and the last one.
func (l *layouter) messages() [][]*Unit {
	if len(l.cur) == 0 {
		return l.parts
	}
	return append(l.parts, l.cur)
}

// fork is a layouter that goes on from where l is and leaves l as it is.
func (l *layouter) fork() layouter {
	c := *l
	c.parts = nil
	c.cur, c.needs = slices.Clip(l.cur), slices.Clip(l.needs)
	return c
}

func (l *layouter) add(u *Unit, n need) {
	l.cur = append(l.cur, u)
	l.needs = append(l.needs, n)
	l.used.size += n.size
	l.used.cost += n.cost
}

// next seals the message. Headings and introductions at its end go along to the new one, if something else is left.
func (l *layouter) next() {
	n := len(l.cur)
	if n == 0 {
		return
	}
	keep := n
	var along need
	for ; keep > 0; keep-- {
		if u := l.cur[keep-1]; u.Kind == Heading {
			continue
		} else if !u.intro {
			break
		}
		// What follows must fit behind it, however large it is or gets.
		along.size += l.needs[keep-1].size
		along.cost += l.needs[keep-1].cost
		if along.size > l.lim.Size/8 || l.lim.Cost != nil && along.cost > l.lim.Budget/8 {
			break
		}
	}
	if keep == 0 {
		keep = n
	}
	l.parts = append(l.parts, l.cur[:keep:keep])
	l.cur, l.needs = l.cur[keep:], l.needs[keep:] // one array holds all messages
	l.used = need{}
	for _, n := range l.needs {
		l.used.size += n.size
		l.used.cost += n.cost
	}
}

// room reports whether this much fits in what is left of the message.
func (l *layouter) room(n need, budget int) bool {
	if l.lim.Cost != nil && len(l.cur) > 0 && l.used.cost+n.cost > budget {
		return false
	}
	return l.used.size+n.size <= l.lim.Size
}

// early reports whether so little stands in the message that a block that must be divided anyway begins in it.
func (l *layouter) early() bool {
	return l.used.size <= l.lim.Size/4 && l.used.cost <= l.lim.Budget/4
}

func (l *layouter) cost(u *Unit) int {
	if l.lim.Cost == nil {
		return 0
	}
	return l.lim.Cost(u)
}

// whole places a block that is not divided.
func (l *layouter) whole(u *Unit) {
	n := need{size: u.weight, cost: l.cost(u)}
	budget := l.lim.Budget
	if u.Open {
		budget = l.lim.Most
	}
	if !l.room(n, budget) {
		l.next()
		if len(l.cur) > 0 && !l.room(n, budget) {
			l.next()
		}
	}
	l.add(u, n)
}

// overhead is what code or a table takes beside its lines.
func (l *layouter) overhead(u *Unit) need {
	return need{size: l.lim.Fence + len(u.Lang) + 3*u.prefix, cost: l.cost(u)}
}

// lineSize is what a line of code takes.
func (l *layouter) lineSize(u *Unit, line string) int {
	return l.lim.Weights.Of(line) + u.prefix + 1
}

// grow is n and a line of code.
func (l *layouter) grow(n need, line int) need {
	n.size += line
	if l.lim.Lines {
		n.cost += line
	}
	return n
}

func (l *layouter) code(u *Unit) {
	lines := l.fold(u)
	u.Lines = lines
	n := l.overhead(u)
	for _, line := range lines {
		n = l.grow(n, l.lineSize(u, line))
	}
	if l.room(n, l.lim.Budget) {
		l.add(u, n)
		return
	}
	if !l.early() {
		l.next()
		if l.room(n, l.lim.Budget) {
			l.add(u, n)
			return
		}
	}
	for from := 0; from < len(lines); {
		to, n := l.lines(u, lines, from)
		if to == from {
			if len(l.cur) > 0 {
				l.next()
				continue
			}
			n = l.grow(l.overhead(u), l.lineSize(u, lines[to]))
			to++ // fold made every line fit an empty message
		}
		piece := *u
		piece.Lines = lines[from:to]
		piece.Cont = u.Cont || from > 0
		piece.Open = u.Open && to == len(lines)
		l.add(&piece, n)
		if from = to; from < len(lines) {
			l.next()
		}
	}
}

// lines returns up to which line, from the given one on, code fits in what is left of the message, and what that takes.
func (l *layouter) lines(u *Unit, lines []string, from int) (int, need) {
	n := l.overhead(u)
	for to := from; to < len(lines); to++ {
		more := l.grow(n, l.lineSize(u, lines[to]))
		if !l.room(more, l.lim.Budget) {
			return to, n
		}
		n = more
	}
	return len(lines), n
}

// fold breaks lines that no message can hold.
func (l *layouter) fold(u *Unit) []string {
	most := int(float64(l.lim.Size)*maxLine) - l.overhead(u).size
	for i, line := range u.Lines {
		if l.lineSize(u, line) <= most {
			continue
		}
		out := append([]string(nil), u.Lines[:i]...)
		for _, line := range u.Lines[i:] {
			out = append(out, foldLine(line, max(most-u.prefix-1, 16), l.lim.Weights)...)
		}
		return out
	}
	return u.Lines
}

func foldLine(line string, most int, w *Weights) []string {
	var out []string
	weight := 0
	for i := 0; i < len(line); i++ {
		if weight += int(w[line[i]]); weight > most {
			cut := graphemeCut(line, i)
			out = append(out, line[:cut])
			line = line[cut:]
			i, weight = -1, 0
		}
	}
	return append(out, line)
}

func (l *layouter) table(u *Unit) {
	if l.lim.Solo != nil && l.lim.Solo(u) && slices.ContainsFunc(l.cur, l.lim.Solo) {
		l.next()
	}
	if l.lim.Drawn != nil && l.lim.Drawn(u) {
		u.Table.refs = nil
	}
	g := NewGrid(u.Table, l.lim.TableWidth)
	u.Table.grid = g
	total := len(u.Table.Rows)
	if to, n := l.rows(u, g, 0); to == total && l.room(n, l.lim.Budget) {
		l.add(u, n)
		for _, r := range l.references(u, 0, total) {
			l.add(r, need{})
		}
		return
	}
	if !l.early() {
		l.next()
	}
	for from := 0; ; {
		to, n := l.rows(u, g, from)
		switch {
		case to > from || total == 0 && l.room(n, l.lim.Budget):
			piece := *u
			t := *u.Table
			t.Rows, t.first = u.Table.Rows[from:to], from
			piece.Table = &t
			piece.Cont = from > 0
			piece.Open = u.Open && to == total
			l.add(&piece, n)
			for _, r := range l.references(u, from, to) {
				l.add(r, need{}) // it is in what the table needs
			}
		case len(l.cur) > 0:
			l.next()
			continue
		default:
			// One row is more than a message holds: its lines go on as text in a fence.
			c := *u
			to = min(from+1, total)
			c.Kind, c.Table, c.Lines = Code, nil, g.Lines(from, to)
			c.Cont, c.Open = from > 0, false
			l.code(&c)
			for _, r := range l.references(u, from, to) {
				l.whole(r)
			}
		}
		if from = to; from >= total {
			return
		}
		l.next()
	}
}

// rows returns up to which row, from the given one on, a table fits in what is left of the message, and what that takes.
func (l *layouter) rows(u *Unit, g *Grid, from int) (int, need) {
	m := newMeter(g, l.lim.Weights, u.prefix)
	n := l.overhead(u)
	listed := l.listed(u, 0)
	n.cost += listed.cost
	head := n.size + listed.size
	n.size = head + m.size()
	if from == 0 {
		n.size = max(n.size, u.weight)
	}
	if l.lim.Row != nil {
		n.cost += l.lim.Row(u.Table.Head)
	}
	to := from
	for to < len(u.Table.Rows) && (l.lim.MaxRows == 0 || to-from < l.lim.MaxRows) {
		more := n
		if l.lim.Row != nil {
			more.cost += l.lim.Row(u.Table.Rows[to])
		}
		m.add(to)
		listed := l.listed(u, to+1)
		more.cost += listed.cost
		more.size = max(n.size+listed.size, head+listed.size+m.size())
		if !l.room(more, l.lim.Budget) || l.lim.Cost != nil && more.cost > l.lim.Budget && to > from {
			break
		}
		n = more
		head += listed.size
		to++
	}
	return to, n
}
