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
	src = clean(src, opt.Final)
	if !opt.Final {
		src = holdBack(src)
	}
	f := newFlattener(src, opt)
	f.flatten()
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
func openLeaf(root ast.Node, src string, gap bool) ast.Node {
	n, quoted := root, false
	for n.LastChild() != nil && n.LastChild().Type() == ast.TypeBlock {
		n = n.LastChild()
		quoted = quoted || n.Kind() == ast.KindBlockquote
	}
	if i := strings.LastIndexByte(src, '\n'); i >= 0 && strings.Trim(src[i:], "\n >\t") == "" && blankBefore(src, i+1, gap) {
		// To HTML outside of quotes, a line with a quote's mark is not blank.
		if n.Kind() != ast.KindHTMLBlock || quoted || strings.TrimSpace(src[i:]) == "" && blankLine(src, i) {
			return nil
		}
	}
	switch n := n.(type) {
	case *extast.TableCell:
		return n.Parent().Parent()
	case *ast.Heading, *ast.ThematicBreak, *alertNode:
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
	from  state    // of the source before src
	last  state    // see settled
	known *pieces  // nil if none are kept

	quote int
	item  Item
	first bool
	lists int
	note  string // the mark of a footnote whose text begins
}

func newFlattener(src string, opt Options) *flattener {
	if opt.Weights == nil {
		opt.Weights = byteWeights
	}
	f := &flattener{opt: opt, src: src, pc: parser.NewContext()}
	f.sp.src, f.sp.linkable = src, opt.Linkable
	return f
}

// flatten parses the source and collects its units.
func (f *flattener) flatten() {
	f.pc.Set(optionsKey, &f.opt)
	root := blockParser.Parse(text.NewReader([]byte(f.src)), parser.WithContext(f.pc))
	if !f.opt.Final {
		f.tail = openLeaf(root, f.src, f.from.gap)
	}
	f.units = make([]Unit, 0, 4+strings.Count(f.src, "\n")/2)
	f.sp.spans = make([]Span, 0, 8+len(f.src)/32)
	f.lists, f.sp.links, f.sp.notes = f.from.lists, f.from.links, f.from.notes
	for c := root.FirstChild(); c != nil; c = c.NextSibling() {
		f.settled(c, nil)
		f.block(c, 0)
	}
}

func (f *flattener) blocks(n ast.Node, level int) {
	for c := n.FirstChild(); c != nil; c = c.NextSibling() {
		f.block(c, level)
	}
}

func (f *flattener) block(n ast.Node, level int) {
	switch n := n.(type) {
	case *ast.Paragraph, *ast.TextBlock, *openParagraph:
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
	case *alertNode:
		f.emit(Unit{
			Kind: Paragraph, Spans: []Span{{Text: n.title, Style: Bold}}, weight: f.opt.Weights.Of("**" + n.title + "**"), intro: true,
		}, n.Pos())
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
		f.note = f.sp.mark(f.src[n.label.Start:n.label.Stop]) + " "
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
	it := f.from.item
	if it.List == 0 || level > 0 || n.PreviousSibling() != nil {
		f.lists++
		it = Item{
			Depth:   min(outer.Depth+1, MaxDepth),
			Ordered: n.IsOrdered(),
			List:    f.lists,
			Number:  n.Start,
			Indent:  outer.Indent,
			Quote:   int8(min(f.quote, MaxDepth)),
		}
	}
	switch {
	case it.Quote > outer.Quote:
		it.Indent = 0 // it begins in a quote that stands at the edge
	case outer.Depth > 0 && outer.Depth < MaxDepth:
		it.Indent += markWidth(outer)
	}
	for c := n.FirstChild(); c != nil; c = c.NextSibling() {
		it.Task = NoTask
		if level == 0 && c != n.FirstChild() {
			f.item, f.first = outer, false
			f.settled(c, &it)
		}
		f.item, f.first = it, true
		if box := taskBox(c, f.src); box != NoTask {
			f.item.Task = box
		}
		task := f.item.Task
		f.blocks(c, level+1)
		if f.first && (f.tail == nil || f.tail != c && f.tail.Parent() != c) { // an item without content, and none can come
			f.item = it
			f.item.Task = task
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
	case *ast.Paragraph, *ast.TextBlock, *openParagraph:
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
		u.Gap = (len(f.units) > 0 || f.from.shown) && blankBefore(f.src, pos, f.from.gap)
	}
	u.intro = u.intro || u.Kind == Paragraph && !u.Cont && introduces(u.Spans)
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

// introduces reports whether a text ends as one does that says that something follows.
func introduces(spans []Span) bool {
	if len(spans) == 0 {
		return false
	}
	text := spans[len(spans)-1].Text
	return strings.HasSuffix(text, ":") || strings.HasSuffix(text, "：")
}

// prefix is the most columns that stand before each line.
func (f *flattener) prefix() int {
	n := 2 * min(f.quote, MaxDepth)
	if f.item.Depth > 0 {
		n += f.item.Indent + markWidth(f.item)
	}
	return n
}

// blankBefore reports whether the line before the one at pos has nothing but quote marks; first is the answer for the
// first line.
func blankBefore(src string, pos int, first bool) bool {
	i := strings.LastIndexByte(src[:min(max(pos, 0), len(src))], '\n')
	if i < 0 {
		return first
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
	if _, raw := n.(*openParagraph); raw || u.Open || long {
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
	box := 0 // what the box weighs in the source
	if f.first && f.item.Task != NoTask {
		text := strings.TrimLeft(src[min(3, len(src)):], " \t")
		box = f.opt.Weights.Of(src[:len(src)-len(text)])
		src = text
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
		p.weight = f.opt.Weights.Of(piece) + f.prefix()*(1+strings.Count(piece, "\n")) + len(f.note) + box
		box = 0
		// A piece with the mark of a footnote is read again, for its number.
		switch whole := next < len(src) && f.note == "" && !strings.Contains(piece, "[^"); {
		case whole && f.known.find(piece) != nil:
			p.Spans = f.known.find(piece)
		case next < len(src):
			p.Spans = f.inline(closeTail(piece), false)
			if whole {
				f.known.add(piece, p.Spans)
			}
		case open:
			if end := lines.At(lines.Len() - 1).Stop; strings.IndexByte(f.src[max(end-1, 0):], '\n') >= 0 {
				piece += "\n" // what stands at the end of a line is decided
			}
			p.Spans = f.inline(closeTail(piece), true)
		default:
			p.Spans = f.inline(piece, false)
		}
		// An item all of whose text is held back shows nothing: its mark alone may read as something else.
		if len(p.Spans) > 0 || f.first && next == len(src) && !p.Open {
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
	root := inlineParser.Parse(text.NewReader([]byte(src)), parser.WithContext(f.pc))
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
