package markdown

import (
	"strconv"
	"strings"

	"github.com/yuin/goldmark/ast"
)

// tableTags are the tags that a block of HTML begins with that is a table, or that goes on with one behind a blank line.
var tableTags = [...]string{"table", "thead", "tbody", "tfoot", "tr", "td", "th"}

// maxSpan bounds how many columns a cell takes.
const maxSpan = 20

// isTable reports whether a block of HTML is read as a table. Its first tag decides, which need not be whole.
func isTable(raw string) bool {
	raw, found := strings.CutPrefix(strings.TrimLeft(raw, " "), "<")
	for _, name := range tableTags {
		if found && hasFold(raw, name) && (len(raw) == len(name) || strings.IndexByte(" \t\n/>", raw[len(name)]) >= 0) {
			return true
		}
	}
	return false
}

// htmlTable reads the table at the start of raw and returns what stands behind it. Of running text the last row is held
// back until its end has come.
func (f *flattener) htmlTable(n *ast.HTMLBlock, raw string) (rest string) {
	s := tableScanner{raw: raw, cell: -1}
	s.scan()
	open := n == f.tail && !s.ended
	switch {
	case open:
		s.row, s.lead = htmlRow{}, ""
	case len(s.rows) == 0 && len(s.row.cells) == 0:
		s.caption, s.lead = s.lead, ""
	}
	s.endRow()
	f.sp.open = false
	if spans := f.htmlSpans(s.caption); len(spans) > 0 && (!open || len(s.rows) > 0) {
		f.emit(Unit{Kind: Paragraph, Spans: spans, weight: f.opt.Weights.Of(s.caption)}, n.Pos())
	}
	rest = strings.TrimSpace(s.lead + " " + raw[s.end:])
	if len(s.rows) == 0 {
		return rest
	}
	t, blank := &TableData{Align: make([]Align, len(s.rows[0].cells))}, true
	for i, r := range s.rows {
		row := make([][]Span, len(t.Align))
		if last := len(row) - 1; len(r.cells) > len(row) { // the rows before have no more columns
			r.cells = append(r.cells[:last:last], strings.Join(r.cells[last:], " · "))
		}
		for k, cell := range r.cells {
			row[k] = f.htmlSpans(cell)
			blank = blank && len(row[k]) == 0
		}
		if i == 0 && r.heads == len(row) {
			t.Head = row
			continue
		}
		t.Rows = append(t.Rows, row)
	}
	if !blank {
		f.refs(t)
		f.emit(Unit{Kind: Table, Table: t, Open: open}, n.Pos())
	}
	return rest
}

// htmlSpans is the text of a piece of HTML, whose line ends are blanks.
func (f *flattener) htmlSpans(src string) []Span {
	f.sp.begin()
	f.sp.html(strings.Join(strings.Fields(src), " "))
	return f.sp.end()
}

// htmlRow is a row whose cells are not read yet.
type htmlRow struct {
	cells []string
	heads int // of the cells, those that are th
}

// tableScanner divides a table into rows by its tags. It takes what people write; what stands in no cell, where a browser
// would put it before the table, belongs to the next one.
type tableScanner struct {
	raw     string
	rows    []htmlRow // those that are whole
	row     htmlRow   // the one that is not
	cell    int       // the cell of it that is open; -1: none
	caption string    // what stands before the first cell
	lead    string    // what stands before the next cell
	from    int       // up to here raw is in one of these
	ended   bool      // the table has ended
	end     int       // where; the end of raw if it has not
}

func (s *tableScanner) scan() {
	begun := false
	for i := 0; i < len(s.raw) && !s.ended; {
		next := strings.IndexByte(s.raw[i:], '<')
		if next < 0 {
			break
		}
		i += next
		t, n, _ := scanTag(s.raw[i:])
		if n == 0 {
			i++
			continue
		}
		switch t.name {
		case "table":
			s.take(i, n)
			if s.ended = t.closing || begun; s.ended { // a table in a table begins another
				s.endRow()
				if s.end = i; t.closing {
					s.end += n
				}
			}
			begun = true
		case "tr", "thead", "tbody", "tfoot":
			s.take(i, n)
			s.endRow()
		case "td", "th":
			s.take(i, n)
			if !t.closing {
				s.begin(t)
			}
		}
		i += n
	}
	if !s.ended {
		s.take(len(s.raw), 0)
		s.end = len(s.raw)
	}
}

// take adds the text up to i, where a tag of n bytes stands, to what it belongs to.
func (s *tableScanner) take(i, n int) {
	text := s.raw[s.from:i]
	if s.cell >= 0 {
		s.row.cells[s.cell] += text
	} else {
		s.lead += text
	}
	s.from = i + n
}

// begin begins a cell.
func (s *tableScanner) begin(t tag) {
	if len(s.rows) == 0 && len(s.row.cells) == 0 {
		s.caption, s.lead = s.lead, ""
	}
	s.cell = len(s.row.cells)
	s.row.cells = append(s.row.cells, s.lead)
	s.lead = ""
	columns, err := strconv.Atoi(t.attr("colspan"))
	if err != nil {
		columns = 1
	}
	for range min(columns, maxSpan) - 1 {
		s.row.cells = append(s.row.cells, "")
	}
	if t.name == "th" {
		s.row.cells[s.cell] = "<b>" + s.row.cells[s.cell]
		s.row.heads += len(s.row.cells) - s.cell
	}
}

func (s *tableScanner) endRow() {
	if len(s.row.cells) > 0 {
		s.rows = append(s.rows, s.row)
	}
	s.row, s.cell = htmlRow{}, -1
}
