package markdown

import (
	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/parser"
	"github.com/yuin/goldmark/text"
)

var kindBox = ast.NewNodeKind("TaskBox")

// boxNode is the box of a task list's item in the item's text, where it shows nothing: the box is the item's mark.
type boxNode struct {
	ast.BaseInline
}

func (n *boxNode) Kind() ast.NodeKind         { return kindBox }
func (n *boxNode) Dump(src []byte, level int) { ast.DumpHelper(n, src, level, nil, nil) }

type boxParser struct{}

func (boxParser) Trigger() []byte { return []byte{'['} }

func (boxParser) Parse(parent ast.Node, block text.Reader, _ parser.Context) ast.Node {
	if parent.HasChildren() || parent.Parent() == nil || parent.Parent().FirstChild() != parent {
		return nil
	}
	if _, ok := parent.Parent().(*ast.ListItem); !ok {
		return nil
	}
	line, _ := block.PeekLine()
	if boxAt(string(line[:min(len(line), 4)])) == NoTask {
		return nil
	}
	n := 4
	for n < len(line) && (line[n] == ' ' || line[n] == '\t') {
		n++
	}
	block.Advance(n)
	return &boxNode{}
}
