package markdown

import (
	"slices"
	"strings"

	"github.com/yuin/goldmark/ast"
	extast "github.com/yuin/goldmark/extension/ast"
)

// state is what the reading of a source needs to know of the text before it: a source that is read up to a state, and
// from there on with that state, has the same units as the whole.
//
// CommonMark's blocks are found line by line (https://spec.commonmark.org/0.31.2/#phase-1-block-structure). Once a line
// begins a block that stands in no other, all blocks before it are closed, and no later line opens them again. The same
// holds for a list whose next item begins, but for its number. What reaches back are definitions of links only; a source
// that has one is read as a whole.
type state struct {
	pos   int  // in the source
	shown bool // there are units before
	gap   bool // the line before is blank
	item  Item // of a list that goes on, the next item; with List 0: none
	units int  // units before, of those that were collected in the same reading
	lists int
	links int
	notes []string // see spanner
}

// settled notes that a block, or an item of a list, begins that stands in no other, if the lines before it are settled
// then. They are when the line is whole, or when it comes after a blank line and has begun so that it can belong to
// nothing before it.
func (f *flattener) settled(n ast.Node, item *Item) {
	at := begin(n)
	if at <= 0 || at > len(f.src) {
		return
	}
	line := strings.LastIndexByte(f.src[:at], '\n') + 1
	if line <= f.last.pos {
		return
	}
	gap := blankLine(f.src, line-1)
	whole := strings.IndexByte(f.src[line:], '\n') >= 0
	switch n.(type) {
	case *extast.Table:
		whole = gap // it may be the end of a paragraph, which is one block with it
	case *ast.ListItem:
		if strings.IndexByte(f.src[line:at], '\t') >= 0 || at-line > 3 {
			return
		}
	}
	if !whole && (!gap || at != line || item != nil) {
		return
	}
	f.last = state{
		pos: line, shown: f.from.shown || len(f.units) > 0, gap: blankBefore(f.src, line, f.from.gap),
		units: len(f.units), lists: f.lists, links: f.sp.links, notes: slices.Clip(f.sp.notes),
	}
	if item != nil {
		f.last.item = *item
	}
}

// blankLine reports whether the line that ends at end has nothing but white space.
func blankLine(src string, end int) bool {
	return strings.TrimLeft(src[strings.LastIndexByte(src[:end], '\n')+1:end], " \t") == ""
}

// begin is where a block's first line has its first character; -1 if that is not known.
func begin(n ast.Node) int {
	switch n := n.(type) {
	case *ast.Paragraph, *openParagraph, *ast.Heading, *ast.CodeBlock:
		if n.Lines().Len() > 0 {
			return n.Lines().At(0).Start
		}
	case *extast.Table:
		if head := n.FirstChild(); head != nil && head.FirstChild() != nil && head.FirstChild().Lines().Len() > 0 {
			return head.FirstChild().Lines().At(0).Start
		}
		return -1
	}
	return n.Pos()
}
