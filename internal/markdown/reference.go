package markdown

import "strconv"

// ref is a link in a table whose text cannot hold it: it stands under the table, behind its number.
type ref struct {
	span   Span // its words
	number int  // in the table, from 1
	weight int  // of its line
}

// mark is what stands behind the link's words in the table.
func (r *ref) mark() string { return "[" + strconv.Itoa(r.number) + "]" }

// refsOf returns the links of a row of which so many of the table's stand before it. Addresses that are there to read are
// left out.
func (f *flattener) refsOf(row [][]Span, before int) []ref {
	var out []ref
	for _, spans := range row {
		for i := 0; i < len(spans); {
			s := spans[i]
			n := linkLength(spans[i:])
			text := PlainSpans(spans[i : i+n])
			i += n
			if s.URL == "" || s.Auto || s.URL == text {
				continue
			}
			s.Text, s.Style = text, 0
			r := ref{span: s, number: before + len(out) + 1}
			r.weight = f.opt.Weights.Of(r.mark() + " [](<>)" + text + s.URL)
			out = append(out, r)
		}
	}
	return out
}

// linkLength is how many spans stand in the link, or the text, that the first begins.
func linkLength(spans []Span) int {
	n := 1
	for spans[0].Link != 0 && n < len(spans) && spans[n].Link == spans[0].Link && !spans[n].Image && !spans[0].Image {
		n++
	}
	return n
}

// refs adds to a table what is listed under it.
func (f *flattener) refs(t *TableData) {
	count := 0
	all := make([][]ref, 0, len(t.Rows)+1)
	add := func(row [][]Span) {
		refs := f.refsOf(row, count)
		count += len(refs)
		all = append(all, refs)
	}
	add(t.Head)
	for _, row := range t.Rows {
		add(row)
	}
	if count > 0 {
		t.refs = all
	}
}

// row returns the links of a row; 0 is the head.
func (t *TableData) row(r int) []ref {
	if t.refs == nil {
		return nil
	}
	return t.refs[r]
}

// listed is what the list of a row's links takes; 0 is the head.
func (l *layouter) listed(u *Unit, row int) need {
	var n need
	for _, r := range u.Table.row(row) {
		line := referenceLine(u, r)
		n.size += line.weight
		n.cost += l.cost(line)
	}
	return n
}

// referenceLine is a line of the list under a table.
func referenceLine(u *Unit, r ref) *Unit {
	line := &Unit{Kind: Paragraph, Quote: u.Quote, Item: u.Item, prefix: u.prefix, weight: r.weight + 2 + 3*u.prefix}
	line.Item.First = false
	line.Spans = []Span{{Text: r.mark() + " "}, r.span}
	return line
}

// references is the list under the head and the rows from lo to hi of a table.
func (l *layouter) references(u *Unit, lo, hi int) []*Unit {
	if u.Table.refs == nil {
		return nil
	}
	var out []*Unit
	for r := range hi + 1 {
		if r > 0 && r <= lo {
			continue
		}
		for _, ref := range u.Table.refs[r] {
			out = append(out, referenceLine(u, ref))
		}
	}
	return out
}
