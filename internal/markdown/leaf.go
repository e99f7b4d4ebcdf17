package markdown

import (
	"strings"

	"github.com/yuin/goldmark/ast"
	extast "github.com/yuin/goldmark/extension/ast"
)

func (f *flattener) code(n ast.Node, kind Kind, lang string) {
	segs := n.Lines()
	lines := make([]string, 0, segs.Len())
	for i := range segs.Len() {
		seg := segs.At(i)
		line := strings.TrimRight(f.src[seg.Start:seg.Stop], "\n")
		if seg.Padding > 0 {
			line = strings.Repeat(" ", seg.Padding) + line
		}
		lines = append(lines, line)
	}
	if m, ok := n.(*mathBlockNode); ok && n == f.tail && !m.closed && len(lines) > 0 {
		last := &lines[len(lines)-1]
		*last = strings.TrimSuffix(*last, m.closer[:1])
	}
	for len(lines) > 0 && strings.TrimSpace(lines[len(lines)-1]) == "" {
		lines = lines[:len(lines)-1]
	}
	for len(lines) > 0 && strings.TrimSpace(lines[0]) == "" {
		lines = lines[1:]
	}
	if len(lines) == 0 {
		return
	}
	pos := n.Pos()
	if _, ok := n.(*ast.CodeBlock); ok && segs.Len() > 0 {
		pos = segs.At(0).Start
	}
	f.emit(Unit{Kind: kind, Lines: lines, Lang: lang, Open: n == f.tail}, pos)
}

func (f *flattener) html(n *ast.HTMLBlock) {
	var b strings.Builder
	for i := range n.Lines().Len() {
		seg := n.Lines().At(i)
		b.WriteString(f.src[seg.Start:seg.Stop])
	}
	if n.HasClosure() {
		b.WriteString(f.src[n.ClosureLine.Start:n.ClosureLine.Stop])
	}
	raw := strings.TrimRight(b.String(), "\n")
	if n.HTMLBlockType == ast.HTMLBlockType1 {
		f.emit(Unit{Kind: Code, Lines: strings.Split(raw, "\n"), Lang: "html", Open: n == f.tail}, n.Pos())
		return
	}
	if n.HTMLBlockType != ast.HTMLBlockType6 && n.HTMLBlockType != ast.HTMLBlockType7 {
		return // comments, declarations, processing instructions
	}
	for isTable(raw) {
		raw = f.htmlTable(n, raw)
	}
	for n2 := 0; raw != ""; n2++ {
		cut, next := nextPiece(raw, f.opt.Chunk, f.opt.Weights)
		weight := f.opt.Weights.Of(raw[:cut]) + f.prefix()*(1+strings.Count(raw[:cut], "\n"))
		u := Unit{Kind: Paragraph, Open: n == f.tail && next == len(raw), Cont: n2 > 0, weight: weight}
		if n2 > 0 {
			u.Glue = "\n"
		}
		f.sp.open = u.Open
		f.sp.begin()
		f.sp.html(raw[:cut])
		if u.Spans = f.sp.end(); len(u.Spans) > 0 {
			f.emit(u, n.Pos())
		}
		raw = raw[next:]
	}
}

func (f *flattener) table(n *extast.Table) {
	t := &TableData{Align: make([]Align, len(n.Alignments))}
	for i, a := range n.Alignments {
		switch a {
		case extast.AlignLeft:
			t.Align[i] = AlignLeft
		case extast.AlignCenter:
			t.Align[i] = AlignCenter
		case extast.AlignRight:
			t.Align[i] = AlignRight
		case extast.AlignNone:
		}
	}
	pos := n.Pos()
	f.sp.open = false
	for c := n.FirstChild(); c != nil; c = c.NextSibling() {
		if n == f.tail && c == n.LastChild() && !strings.HasSuffix(f.src, "\n") && c != n.FirstChild() {
			break // a row that is not whole
		}
		row := make([][]Span, len(t.Align))
		i := 0
		for cell := c.FirstChild(); cell != nil && i < len(row); cell = cell.NextSibling() {
			f.sp.begin()
			f.sp.children(cell, 0)
			row[i] = f.sp.end()
			i++
		}
		if c == n.FirstChild() {
			t.Head = row
			if cell := c.FirstChild(); cell != nil && cell.Lines().Len() > 0 {
				pos = cell.Lines().At(0).Start
			}
			continue
		}
		t.Rows = append(t.Rows, row)
	}
	f.refs(t)
	u := Unit{Kind: Table, Table: t, Open: n == f.tail}
	if head := f.src[pos:]; head != "" {
		head, _, _ = strings.Cut(head, "\n")
		u.weight = f.opt.Weights.Of(head) // it was a paragraph before the line under it came
	}
	f.emit(u, pos)
}
