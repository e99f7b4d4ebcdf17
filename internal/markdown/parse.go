package markdown

import (
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/yuin/goldmark/ast"
	extast "github.com/yuin/goldmark/extension/ast"
	"github.com/yuin/goldmark/parser"
	"github.com/yuin/goldmark/text"
)

// Parse reads the source into blocks. It is safe for concurrent use.
func Parse(src string, opt Options) []Unit {
	if opt.Weights == nil {
		opt.Weights = byteWeights
	}
	src = clean(src, opt.Final)
	if !opt.Final {
		src = holdBack(src)
	}
	f := flattener{opt: opt, src: src, pc: parser.NewContext()}
	f.sp.src = src
	f.pc.Set(optionsKey, &f.opt)
	root := blockParser.Parse(text.NewReader([]byte(src)), parser.WithContext(f.pc))
	if !opt.Final {
		f.tail = openLeaf(root, src)
	}
	f.units = make([]Unit, 0, 8+strings.Count(src, "\n")/2)
	f.sp.spans = make([]Span, 0, 16+len(src)/32)
	f.blocks(root, 0)
	return f.units
}

var byteWeights = NewWeights(1, 2, 3, 4, nil)

// clean makes the source valid UTF-8 with \n as the only line end and no control characters. Of running text it cuts a
// character, or a \r, that has only begun.
func clean(src string, final bool) string {
	if !final {
		src = strings.TrimSuffix(trimPartialRune(src), "\r")
	}
	ok := true
	for i := range len(src) {
		if c := src[i]; c < ' ' && c != '\n' && c != '\t' || c == 0x7f {
			ok = false
			break
		}
	}
	if ok && utf8.ValidString(src) {
		return src
	}
	src = strings.ToValidUTF8(src, "\uFFFD")
	src = strings.ReplaceAll(src, "\r\n", "\n")
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\r':
			return '\n'
		case r < ' ' && r != '\n' && r != '\t', r == 0x7f:
			return -1
		}
		return r
	}, src)
}

func trimPartialRune(s string) string {
	for i := len(s) - 1; i >= 0 && i >= len(s)-utf8.UTFMax; i-- {
		if utf8.RuneStart(s[i]) {
			if !utf8.FullRuneInString(s[i:]) {
				return s[:i]
			}
			break
		}
	}
	return s
}

// openLeaf returns the block that text added to the source would go on in; nil if a new one would begin.
func openLeaf(root ast.Node, src string) ast.Node {
	if strings.HasSuffix(src, "\n\n") {
		return nil
	}
	n := root
	for n.LastChild() != nil && n.LastChild().Type() == ast.TypeBlock {
		n = n.LastChild()
	}
	switch n := n.(type) {
	case *extast.TableCell:
		return n.Parent().Parent()
	case *ast.Heading, *ast.ThematicBreak:
		if strings.HasSuffix(src, "\n") {
			return nil
		}
	}
	return n
}

// flattener walks a tree and collects units.
type flattener struct {
	opt   Options
	src   string
	pc    parser.Context
	units []Unit
	sp    spanner
	tail  ast.Node // see openLeaf

	quote int
	item  Item
	first bool
	lists int
	note  string // the mark of a footnote whose text begins
}

func (f *flattener) blocks(n ast.Node, level int) {
	for c := n.FirstChild(); c != nil; c = c.NextSibling() {
		f.block(c, level)
	}
}

func (f *flattener) block(n ast.Node, level int) {
	switch n := n.(type) {
	case *ast.Paragraph, *ast.TextBlock:
		f.paragraph(n, Paragraph, 0)
	case *ast.Heading:
		f.paragraph(n, Heading, n.Level)
	case *ast.FencedCodeBlock:
		lang := ""
		if n.Info != nil {
			lang, _, _ = strings.Cut(unescape(f.src[n.Info.Segment.Start:n.Info.Segment.Stop]), " ")
		}
		f.code(n, Code, lang)
	case *ast.CodeBlock:
		f.code(n, Code, "")
	case *mathBlockNode:
		f.code(n, Math, "")
	case *ast.HTMLBlock:
		f.html(n)
	case *ast.ThematicBreak:
		f.emit(Unit{Kind: Rule, weight: 40}, n.Pos())
	case *extast.Table:
		f.table(n)
	case *ast.List:
		f.list(n, level)
	case *ast.Blockquote:
		f.quote++
		f.blocks(n, level+1)
		f.quote--
	case *footnoteNode:
		f.note = "[" + f.src[n.label.Start:n.label.Stop] + "] "
		if !n.HasChildren() {
			f.emit(Unit{Kind: Paragraph, weight: len(f.note), Spans: []Span{{Text: strings.TrimSuffix(f.note, " ")}}}, n.Pos())
		}
		f.blocks(n, level+1)
		f.note = ""
	default:
		f.blocks(n, level+1)
	}
}

func (f *flattener) list(n *ast.List, level int) {
	outer := f.item
	f.lists++
	it := Item{
		Depth:   min(outer.Depth+1, MaxDepth),
		Ordered: n.IsOrdered(),
		List:    f.lists,
		Number:  n.Start,
		Indent:  outer.Indent,
	}
	if outer.Depth > 0 && outer.Depth < MaxDepth {
		it.Indent += markWidth(outer)
	}
	for c := n.FirstChild(); c != nil; c = c.NextSibling() {
		it.Task = NoTask
		f.item, f.first = it, true
		if box := taskBox(c, f.src); box != NoTask {
			f.item.Task = box
		}
		f.blocks(c, level+1)
		if f.first { // an item without content
			f.item = it
			f.emit(Unit{Kind: Paragraph}, c.Pos())
		}
		it.Number++
	}
	f.item, f.first = outer, false
}

// markWidth is the columns that an item's mark takes, with the space after it.
func markWidth(it Item) int {
	if it.Ordered {
		return len(strconv.Itoa(it.Number)) + 2
	}
	return 2
}

// taskBox reads the box of a task list's item.
func taskBox(item ast.Node, src string) Task {
	c := item.FirstChild()
	if c == nil || c.Type() != ast.TypeBlock || c.Lines() == nil || c.Lines().Len() == 0 {
		return NoTask
	}
	switch c.(type) {
	case *ast.Paragraph, *ast.TextBlock:
	default:
		return NoTask
	}
	return boxAt(src[c.Lines().At(0).Start:])
}

func boxAt(s string) Task {
	if len(s) < 4 || s[0] != '[' || s[2] != ']' || s[3] != ' ' && s[3] != '\t' {
		return NoTask
	}
	switch s[1] {
	case ' ':
		return Undone
	case 'x', 'X':
		return Done
	}
	return NoTask
}

// emit adds u where the walk stands. pos is where its first line is in the source.
func (f *flattener) emit(u Unit, pos int) {
	u.Quote = int8(min(f.quote, MaxDepth))
	if !u.Cont {
		u.Gap = len(f.units) > 0 && blankBefore(f.src, pos)
	}
	u.Item = f.item
	u.Item.First = f.first && f.item.Depth > 0
	f.first = false
	u.prefix = f.prefix()
	u.weight += 2 + 3*u.prefix
	if u.Item.First {
		u.weight += markWidth(u.Item) + 8
	}
	f.units = append(f.units, u)
}

// prefix is the most columns that stand before each line.
func (f *flattener) prefix() int {
	n := 2 * min(f.quote, MaxDepth)
	if f.item.Depth > 0 {
		n += f.item.Indent + markWidth(f.item)
	}
	return n
}

// blankBefore reports whether the line before the one at pos has nothing but quote marks.
func blankBefore(src string, pos int) bool {
	i := strings.LastIndexByte(src[:min(max(pos, 0), len(src))], '\n')
	if i < 0 {
		return false
	}
	for i--; i >= 0; i-- {
		switch src[i] {
		case ' ', '\t', '>':
		case '\n':
			return true
		default:
			return false
		}
	}
	return true
}

func (f *flattener) paragraph(n ast.Node, kind Kind, level int) {
	lines := n.Lines()
	if lines.Len() == 0 {
		return
	}
	pos := lines.At(0).Start
	weight := 0
	for i := range lines.Len() {
		seg := lines.At(i)
		weight += f.opt.Weights.Of(f.src[seg.Start:seg.Stop]) + f.prefix()
	}
	long := f.opt.Chunk > 0 && weight > f.opt.Chunk
	if long {
		// The line under a heading comes when parts of a text this long may have been sent already.
		kind, level = Paragraph, 0
	}
	u := Unit{Kind: kind, Level: int8(level), Open: n == f.tail, weight: weight + len(f.note)}
	if u.Open || long {
		f.pieces(u, lines, pos)
		return
	}
	f.sp.open = false
	f.sp.begin()
	f.sp.text(f.takeNote())
	f.sp.children(n, 0)
	u.Spans = f.sp.end()
	if len(u.Spans) > 0 || f.first {
		f.emit(u, pos)
	}
}

func (f *flattener) takeNote() string {
	note := f.note
	f.note = ""
	return note
}

// pieces reads a paragraph that is long or that goes on, piece by piece.
func (f *flattener) pieces(u Unit, lines *text.Segments, pos int) {
	src := joinLines(lines, f.src)
	if f.first && f.item.Task != NoTask {
		src = strings.TrimLeft(src[min(3, len(src)):], " \t")
	}
	open := u.Open
	for n := 0; src != ""; n++ {
		cut, next := nextPiece(src, f.opt.Chunk, f.opt.Weights)
		piece := src[:cut]
		p := u
		p.Open = open && next == len(src)
		p.Cont = n > 0
		if n > 0 {
			p.Glue = u.Glue
		}
		p.weight = f.opt.Weights.Of(piece) + f.prefix()*(1+strings.Count(piece, "\n")) + len(f.note)
		if p.Open || next < len(src) {
			piece = closeTail(piece)
		}
		p.Spans = f.inline(piece, p.Open)
		if len(p.Spans) > 0 || f.first && next == len(src) {
			f.emit(p, pos)
		}
		u.Glue = src[cut:next]
		if u.Glue != "" && u.Glue != "\n" {
			u.Glue = " "
		}
		src = src[next:]
	}
}

// inline reads src as the text of one paragraph.
func (f *flattener) inline(src string, open bool) []Span {
	pc := parser.NewContext()
	for _, ref := range f.pc.References() {
		pc.AddReference(ref)
	}
	root := inlineParser.Parse(text.NewReader([]byte(src)), parser.WithContext(pc))
	sp := &f.sp
	old := sp.src
	sp.src, sp.open = src, open
	sp.begin()
	sp.text(f.takeNote())
	for c := root.FirstChild(); c != nil; c = c.NextSibling() {
		sp.children(c, 0)
	}
	out := sp.end()
	sp.src = old
	return out
}

func joinLines(lines *text.Segments, src string) string {
	if lines.Len() == 1 {
		seg := lines.At(0)
		return strings.TrimRight(src[seg.Start:seg.Stop], "\n")
	}
	var b strings.Builder
	for i := range lines.Len() {
		seg := lines.At(i)
		b.WriteString(src[seg.Start:seg.Stop])
	}
	return strings.TrimRight(b.String(), "\n")
}

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
	weight := f.opt.Weights.Of(raw) + f.prefix()*(1+strings.Count(raw, "\n"))
	for n2 := 0; raw != ""; n2++ {
		cut, next := nextPiece(raw, f.opt.Chunk, f.opt.Weights)
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
	u := Unit{Kind: Table, Table: t, Open: n == f.tail}
	if head := f.src[pos:]; head != "" {
		head, _, _ = strings.Cut(head, "\n")
		u.weight = f.opt.Weights.Of(head) // it was a paragraph before the line under it came
	}
	f.emit(u, pos)
}
