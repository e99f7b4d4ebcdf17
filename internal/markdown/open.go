package markdown

import (
	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/parser"
	"github.com/yuin/goldmark/text"
)

var kindOpenParagraph = ast.NewNodeKind("OpenParagraph")

// openParagraph is the paragraph at the end of running text. goldmark leaves its text alone, since it is read later,
// with what is open at its end closed.
type openParagraph struct{ ast.BaseBlock }

func (n *openParagraph) Kind() ast.NodeKind         { return kindOpenParagraph }
func (n *openParagraph) IsRaw() bool                { return true }
func (n *openParagraph) Dump(src []byte, level int) { ast.DumpHelper(n, src, level, nil, nil) }

// openParagraphs puts an openParagraph in place of a paragraph that the source ends in.
type openParagraphs struct{}

func (openParagraphs) Transform(node *ast.Paragraph, reader text.Reader, pc parser.Context) {
	opt, ok := pc.Get(optionsKey).(*Options)
	if line, _ := reader.PeekLine(); !ok || opt.Final || line != nil {
		return
	}
	lines := node.Lines()
	n := lines.Len()
	if n == 0 {
		return
	}
	for i := range n {
		seg := lines.At(i)
		lines.Set(i, seg.TrimLeftSpace(reader.Source()))
	}
	last := lines.At(n - 1)
	lines.Set(n-1, last.TrimRightSpace(reader.Source()))
	open := &openParagraph{}
	open.SetLines(lines)
	open.SetPos(node.Pos())
	open.SetBlankPreviousLines(node.HasBlankPreviousLines())
	node.Parent().ReplaceChild(node.Parent(), node, open)
}
