package markdown

import (
	"bytes"

	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/parser"
	"github.com/yuin/goldmark/text"
	"github.com/yuin/goldmark/util"
)

var (
	kindMath      = ast.NewNodeKind("Math")
	kindMathBlock = ast.NewNodeKind("MathBlock")
)

// mathNode is TeX in a line of text.
type mathNode struct {
	ast.BaseInline
	tex text.Segment
}

func (n *mathNode) Kind() ast.NodeKind         { return kindMath }
func (n *mathNode) Dump(src []byte, level int) { ast.DumpHelper(n, src, level, nil, nil) }

// mathBlockNode is TeX of its own; its lines are the content without the delimiters.
type mathBlockNode struct {
	ast.BaseBlock
	closer string
	closed bool
}

func (n *mathBlockNode) Kind() ast.NodeKind         { return kindMathBlock }
func (n *mathBlockNode) IsRaw() bool                { return true }
func (n *mathBlockNode) Dump(src []byte, level int) { ast.DumpHelper(n, src, level, nil, nil) }

// maxMath bounds inline math, in bytes: what is longer is a stray dollar sign.
const maxMath = 400

// inlineMath returns the lengths of the opening delimiter and of the whole formula at the start of line; 0, 0 if there is
// none. A formula in single dollars follows pandoc's rule: no space inside the dollars, no digit after the closing one,
// so that prices stay prices (https://pandoc.org/MANUAL.html#math). Brackets with backslashes are more often escaped than
// TeX, so what stands in them must look like a formula.
func inlineMath(line []byte) (open, whole int) {
	if len(line) < 3 {
		return 0, 0
	}
	limit := min(len(line), maxMath)
	switch {
	case line[0] == '\\' && (line[1] == '(' || line[1] == '['):
		closer := []byte{'\\', line[1] + 1}
		if line[1] == '[' {
			closer[1] = ']'
		}
		if i := bytes.Index(line[2:limit], closer); i > 0 && (line[1] == '(' || looksLikeTeX(line[2:2+i])) {
			return 2, i + 4
		}
	case line[0] == '$' && line[1] == '$':
		if i := bytes.Index(line[2:limit], []byte("$$")); i > 0 {
			return 2, i + 4
		}
	case line[0] == '$' && !util.IsSpace(line[1]):
		for i := 1; i < limit; i++ {
			switch line[i] {
			case '\\':
				i++
			case '\n':
				return 0, 0
			case '$':
				if i == 1 || util.IsSpace(line[i-1]) || i+1 < len(line) && (isDigit(line[i+1]) || line[i+1] == '$') {
					return 0, 0
				}
				return 1, i + 1
			}
		}
	}
	return 0, 0
}

// maxSign is how much of what may be a formula is looked at for what only a formula has, in bytes.
const maxSign = 80

// looksLikeTeX reports whether the beginning of s has what formulas have and words in brackets do not: a command, an
// exponent, an index or an equals sign. It does not change to false when s grows.
func looksLikeTeX[T string | []byte](s T) bool {
	s = s[:min(len(s), maxSign)]
	for i := range len(s) {
		switch s[i] {
		case '^', '=':
			return true
		case '\\':
			if i+1 < len(s) && isLetter(s[i+1]) {
				return true
			}
		case '_': // behind a single letter: snake_case is none
			if i+1 < len(s) && i > 0 && (isLetter(s[i-1]) || s[i-1] == '}') && (i == 1 || !isWord(rune(s[i-2]))) {
				return true
			}
		}
	}
	return false
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

func isLetter(c byte) bool { return c|0x20 >= 'a' && c|0x20 <= 'z' }

type mathParser struct{}

func (mathParser) Trigger() []byte { return []byte{'$', '\\'} }

func (mathParser) Parse(_ ast.Node, block text.Reader, pc parser.Context) ast.Node {
	line, segment := block.PeekLine()
	if len(line) > 1 && line[0] == '\\' && line[1] == '[' && pc.IsInLinkLabel() {
		return nil // escaped, as brackets in a label must be
	}
	open, whole := inlineMath(line)
	if whole == 0 {
		return nil
	}
	if line[0] == '$' && block.PrecendingCharacter() == '$' {
		return nil
	}
	block.Advance(whole)
	return &mathNode{tex: text.NewSegment(segment.Start+open, segment.Start+whole-open)}
}

// mathBlockParser reads blocks of TeX: $$ … $$ and \[ … \], the opening delimiter at the start of a line, \[ alone on it or
// before what looks like a formula. A block that is not closed ends with a blank line, so that a stray $$ does not swallow
// an answer.
type mathBlockParser struct{}

func (mathBlockParser) Trigger() []byte { return []byte{'$', '\\'} }

func (mathBlockParser) Open(_ ast.Node, reader text.Reader, pc parser.Context) (ast.Node, parser.State) {
	line, segment := reader.PeekLine()
	pos := pc.BlockOffset()
	if pos < 0 || pos+2 > len(line) {
		return nil, parser.NoChildren
	}
	node := &mathBlockNode{}
	switch rest := line[pos:]; {
	case bytes.HasPrefix(rest, []byte("$$")) && (len(rest) == 2 || rest[2] != '$'):
		node.closer = "$$"
	case bytes.HasPrefix(rest, []byte(`\[`)):
		node.closer = `\]`
	default:
		return nil, parser.NoChildren
	}
	rest := bytes.TrimRight(line[pos+2:], " \t\r\n")
	start := segment.Start - segment.Padding + pos + 2
	if i := bytes.Index(rest, []byte(node.closer)); i >= 0 {
		if i+2 != len(rest) {
			return nil, parser.NoChildren // text follows: inline math
		}
		node.closed = true
		rest = rest[:i]
	}
	if node.closer == `\]` && len(rest) > 0 && !looksLikeTeX(rest) {
		return nil, parser.NoChildren // escaped brackets
	}
	if len(bytes.TrimSpace(rest)) > 0 {
		node.Lines().Append(text.NewSegment(start, start+len(rest)))
	}
	reader.AdvanceToEOL()
	return node, parser.NoChildren
}

func (mathBlockParser) Continue(n ast.Node, reader text.Reader, _ parser.Context) parser.State {
	node := n.(*mathBlockNode)
	line, segment := reader.PeekLine()
	if node.closed || util.IsBlank(line) {
		return parser.Close
	}
	content := bytes.TrimRight(line, " \t\r\n")
	if i := bytes.Index(content, []byte(node.closer)); i >= 0 {
		content = content[:i]
		node.closed = true
	}
	if len(bytes.TrimSpace(content)) > 0 {
		seg := text.NewSegmentPadding(segment.Start, segment.Start+len(content)-segment.Padding, segment.Padding)
		node.Lines().Append(seg)
	}
	reader.AdvanceToEOL()
	return parser.Continue | parser.NoChildren
}

func (mathBlockParser) Close(ast.Node, text.Reader, parser.Context) {}
func (mathBlockParser) CanInterruptParagraph() bool                 { return true }
func (mathBlockParser) CanAcceptIndentedLine() bool                 { return false }
