package markdown

import (
	"bytes"
	"strings"

	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/parser"
	"github.com/yuin/goldmark/text"
	"github.com/yuin/goldmark/util"
)

// goldmark's own footnotes gather at the end and only show when they are referred to. Running text can have neither: the
// end is not known, and what is shown must not depend on what comes later. So a mark is a mark whether or not its text is
// there, and the text stays where it is. Labels become numbers in the order in which they come, as goldmark's do.

var (
	kindFootnote     = ast.NewNodeKind("Footnote")
	kindFootnoteMark = ast.NewNodeKind("FootnoteMark")
)

// footnoteNode is the text of a footnote: a container of blocks.
type footnoteNode struct {
	ast.BaseBlock
	label text.Segment
}

func (n *footnoteNode) Kind() ast.NodeKind         { return kindFootnote }
func (n *footnoteNode) Dump(src []byte, level int) { ast.DumpHelper(n, src, level, nil, nil) }

// footnoteMarkNode is a mark [^label] in the text.
type footnoteMarkNode struct {
	ast.BaseInline
	label text.Segment
}

func (n *footnoteMarkNode) Kind() ast.NodeKind         { return kindFootnoteMark }
func (n *footnoteMarkNode) Dump(src []byte, level int) { ast.DumpHelper(n, src, level, nil, nil) }

// footnoteLabel returns the length of a mark "[^label]" at the start of line, 0 if there is none. A class of characters in
// a regular expression is none.
func footnoteLabel(line []byte) int {
	const most = 64
	if len(line) < 4 || line[0] != '[' || line[1] != '^' {
		return 0
	}
	for i := 2; i < min(len(line), most); i++ {
		switch c := line[i]; {
		case c == ']':
			if i == 2 || isClass(string(line[2:i])) {
				return 0
			}
			return i + 1
		case c == '[' || c == '\\' || util.IsSpace(c):
			return 0
		}
	}
	return 0
}

// isClass reports whether a label has what classes of characters have and labels do not.
func isClass(label string) bool {
	return strings.Contains(label, "a-z") || strings.Contains(label, "A-Z") || strings.Contains(label, "0-9") ||
		strings.Trim(label, "!\"#$%&'()*+,-./:;<=>?@^_`{|}~") == ""
}

type footnoteMarkParser struct{}

func (footnoteMarkParser) Trigger() []byte { return []byte{'['} }

func (footnoteMarkParser) Parse(_ ast.Node, block text.Reader, _ parser.Context) ast.Node {
	line, segment := block.PeekLine()
	n := footnoteLabel(line)
	if n == 0 || n < len(line) && line[n] == '(' {
		return nil
	}
	block.Advance(n)
	return &footnoteMarkNode{label: text.NewSegment(segment.Start+2, segment.Start+n-1)}
}

type footnoteParser struct{}

func (footnoteParser) Trigger() []byte { return []byte{'['} }

func (footnoteParser) Open(_ ast.Node, reader text.Reader, pc parser.Context) (ast.Node, parser.State) {
	line, segment := reader.PeekLine()
	pos := pc.BlockOffset()
	if pos < 0 || pos >= len(line) {
		return nil, parser.NoChildren
	}
	n := footnoteLabel(line[pos:])
	if n == 0 || pos+n >= len(line) || line[pos+n] != ':' {
		return nil, parser.NoChildren
	}
	start := segment.Start - segment.Padding + pos
	node := &footnoteNode{label: text.NewSegment(start+2, start+n-1)}
	rest := pos + n + 1
	if len(bytes.TrimSpace(line[rest:])) == 0 {
		reader.AdvanceToEOL()
		return node, parser.NoChildren
	}
	reader.AdvanceAndSetPadding(rest, segment.Padding)
	return node, parser.HasChildren
}

func (footnoteParser) Continue(_ ast.Node, reader text.Reader, _ parser.Context) parser.State {
	line, _ := reader.PeekLine()
	if util.IsBlank(line) {
		return parser.Continue | parser.HasChildren
	}
	pos, padding := util.IndentPosition(line, reader.LineOffset(), 4)
	if pos < 0 {
		return parser.Close
	}
	reader.AdvanceAndSetPadding(pos, padding)
	return parser.Continue | parser.HasChildren
}

func (footnoteParser) Close(ast.Node, text.Reader, parser.Context) {}
func (footnoteParser) CanInterruptParagraph() bool                 { return true }
func (footnoteParser) CanAcceptIndentedLine() bool                 { return false }
