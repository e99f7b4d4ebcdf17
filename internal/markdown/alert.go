package markdown

import (
	"bytes"
	"strings"

	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/parser"
	"github.com/yuin/goldmark/text"
)

// alerts are the kinds of quotes that GitHub shows in a color of their own, by the mark that their first line is
// (https://docs.github.com/en/get-started/writing-on-github/getting-started-with-writing-and-formatting-on-github/basic-writing-and-formatting-syntax#alerts).
var alerts = [...]struct{ mark, title string }{
	{"[!NOTE]", "ℹ️ Note"},
	{"[!TIP]", "💡 Tip"},
	{"[!IMPORTANT]", "❗ Important"},
	{"[!WARNING]", "⚠️ Warning"},
	{"[!CAUTION]", "🛑 Caution"},
}

var kindAlert = ast.NewNodeKind("Alert")

// alertNode is the first line of an alert: its title.
type alertNode struct {
	ast.BaseBlock
	title string
}

func (n *alertNode) Kind() ast.NodeKind         { return kindAlert }
func (n *alertNode) IsRaw() bool                { return true }
func (n *alertNode) Dump(src []byte, level int) { ast.DumpHelper(n, src, level, nil, nil) }

// alertParser reads the mark of an alert where it is the first line of a quote.
type alertParser struct{}

func (alertParser) Trigger() []byte { return []byte{'['} }

func (alertParser) Open(parent ast.Node, reader text.Reader, pc parser.Context) (ast.Node, parser.State) {
	if _, ok := parent.(*ast.Blockquote); !ok || parent.HasChildren() {
		return nil, parser.NoChildren
	}
	line, _ := reader.PeekLine()
	pos := pc.BlockOffset()
	if pos < 0 || pos >= len(line) {
		return nil, parser.NoChildren
	}
	mark := bytes.TrimSpace(line[pos:])
	for _, a := range alerts {
		if strings.EqualFold(string(mark), a.mark) {
			reader.AdvanceToEOL()
			return &alertNode{title: a.title}, parser.NoChildren
		}
	}
	return nil, parser.NoChildren
}

func (alertParser) Continue(ast.Node, text.Reader, parser.Context) parser.State { return parser.Close }
func (alertParser) Close(ast.Node, text.Reader, parser.Context)                 {}
func (alertParser) CanInterruptParagraph() bool                                 { return false }
func (alertParser) CanAcceptIndentedLine() bool                                 { return false }

// mayBeAlert reports whether a line that begins with s and has no end yet may become the mark of an alert.
func mayBeAlert(s string) bool {
	for _, a := range alerts {
		n := min(len(s), len(a.mark))
		if strings.EqualFold(s[:n], a.mark[:n]) && strings.TrimSpace(s[n:]) == "" {
			return n > 1
		}
	}
	return false
}
