package markdown

import (
	"unicode"
	"unicode/utf8"

	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/extension"
	extast "github.com/yuin/goldmark/extension/ast"
	"github.com/yuin/goldmark/parser"
	"github.com/yuin/goldmark/text"
	"github.com/yuin/goldmark/util"
)

// blockParser reads whole documents, inlineParser the text of one paragraph. Both are set up once: goldmark builds its
// tables at the first use behind a sync.Once and keeps all that belongs to one document in a parser.Context.
var (
	blockParser  = newParser(true)
	inlineParser = newParser(false)
)

func newParser(blocks bool) parser.Parser {
	inline := []util.PrioritizedValue{
		util.Prioritized(parser.NewCodeSpanParser(), 100),
		util.Prioritized(mathParser{}, 110),
		util.Prioritized(boxParser{}, 180),
		util.Prioritized(footnoteMarkParser{}, 190),
		util.Prioritized(parser.NewLinkParser(), 200),
		util.Prioritized(parser.NewAutoLinkParser(), 300),
		util.Prioritized(parser.NewRawHTMLParser(), 400),
		util.Prioritized(emphasisParser{}, 500),
		util.Prioritized(bareLinkParser{}, 999),
	}
	if !blocks {
		return parser.NewParser(
			parser.WithBlockParsers(util.Prioritized(wholeParser{}, 100)),
			parser.WithInlineParsers(inline...),
		)
	}
	return parser.NewParser(
		parser.WithBlockParsers(
			util.Prioritized(parser.NewSetextHeadingParser(), 100),
			util.Prioritized(parser.NewThematicBreakParser(), 200),
			util.Prioritized(shallow{parser.NewListParser()}, 300),
			util.Prioritized(parser.NewListItemParser(), 400),
			util.Prioritized(parser.NewCodeBlockParser(), 500),
			util.Prioritized(parser.NewATXHeadingParser(), 600),
			util.Prioritized(parser.NewFencedCodeBlockParser(), 700),
			util.Prioritized(mathBlockParser{}, 710),
			util.Prioritized(shallow{parser.NewBlockquoteParser()}, 800),
			util.Prioritized(parser.NewHTMLBlockParser(), 900),
			util.Prioritized(alertParser{}, 980),
			util.Prioritized(footnoteParser{}, 990),
			util.Prioritized(parser.NewParagraphParser(), 1000),
		),
		parser.WithInlineParsers(inline...),
		parser.WithParagraphTransformers(
			util.Prioritized(parser.LinkReferenceParagraphTransformer, 100),
			util.Prioritized(newTableParser(), 200),
			util.Prioritized(openParagraphs{}, 300),
		),
		parser.WithASTTransformers(util.Prioritized(extension.NewTableASTTransformer(), 0)),
	)
}

// maxOpen bounds how many blocks may be open in each other. The cost of a line is that number, so a line of nothing but
// quote marks would cost its square.
const maxOpen = 64

// shallow is a parser of containers that begins none where maxOpen blocks are open: the marks are text there.
type shallow struct{ parser.BlockParser }

func (s shallow) Open(parent ast.Node, reader text.Reader, pc parser.Context) (ast.Node, parser.State) {
	if len(pc.OpenedBlocks()) >= maxOpen {
		return nil, parser.NoChildren
	}
	return s.BlockParser.Open(parent, reader, pc)
}

// wholeParser takes everything as one paragraph.
type wholeParser struct{}

func (wholeParser) Trigger() []byte { return nil }

func (wholeParser) Open(_ ast.Node, reader text.Reader, _ parser.Context) (ast.Node, parser.State) {
	_, segment := reader.PeekLine()
	node := ast.NewTextBlock()
	node.Lines().Append(segment)
	reader.AdvanceToEOL()
	return node, parser.NoChildren
}

func (wholeParser) Continue(node ast.Node, reader text.Reader, _ parser.Context) parser.State {
	_, segment := reader.PeekLine()
	node.Lines().Append(segment)
	reader.AdvanceToEOL()
	return parser.Continue | parser.NoChildren
}

func (wholeParser) Close(ast.Node, text.Reader, parser.Context) {}
func (wholeParser) CanInterruptParagraph() bool                 { return false }
func (wholeParser) CanAcceptIndentedLine() bool                 { return true }

// emphasisParser reads *, _ and ~ runs. It is goldmark's emphasis and strikethrough with one difference, in flanking.
type emphasisParser struct{}

func (emphasisParser) Trigger() []byte { return []byte{'*', '_', '~'} }

func (emphasisParser) Parse(_ ast.Node, block text.Reader, pc parser.Context) ast.Node {
	before := block.PrecendingCharacter()
	line, segment := block.PeekLine()
	c := line[0]
	n := 1
	for n < len(line) && line[n] == c {
		n++
	}
	if c == '~' && (n > 2 || before == '~') {
		return nil
	}
	after := ' '
	if n < len(line) {
		after, _ = utf8.DecodeRune(line[n:])
	}
	canOpen, canClose := flanking(c, n, before, after)
	var p parser.DelimiterProcessor = emphasisDelimiters{}
	if c == '~' {
		p = strikeDelimiters{}
	}
	node := parser.NewDelimiter(canOpen, canClose, n, c, p)
	node.Segment = segment.WithStop(segment.Start + n)
	block.Advance(n)
	pc.PushDelimiter(node)
	return node
}

// flanking says whether a run of n delimiters c can open and close. It is CommonMark's rule
// (https://spec.commonmark.org/0.31.2/#delimiter-run), but a Chinese, Japanese or Korean character beside the run counts
// as a space does: these scripts have no spaces for the rule to go by.
//
// A single ~ strikes only what stands between spaces or punctuation and is no number: in answers it mostly means "about"
// or "to" (~5, 20~30).
func flanking(c byte, n int, before, after rune) (canOpen, canClose bool) {
	beforeSpace, afterSpace := util.IsSpaceRune(before), util.IsSpaceRune(after)
	beforePunct, afterPunct := util.IsPunctRune(before), util.IsPunctRune(after)
	left := !afterSpace && (!afterPunct || beforeSpace || beforePunct || isCJK(before))
	right := !beforeSpace && (!beforePunct || afterSpace || afterPunct || isCJK(after))
	if c == '~' && n == 1 {
		digit := after >= '0' && after <= '9'
		return left && !digit && (!right || beforePunct), right && (!left || afterPunct)
	}
	if c == '_' {
		return left && (!right || beforePunct), right && (!left || afterPunct)
	}
	return left, right
}

func isCJK(r rune) bool {
	return r >= 0x1100 && (unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Hangul) ||
		r >= 0x3000 && r <= 0x303f || r >= 0xff00 && r <= 0xffef)
}

type emphasisDelimiters struct{}

func (emphasisDelimiters) IsDelimiter(b byte) bool { return b == '*' || b == '_' }
func (emphasisDelimiters) OnMatch(n int) ast.Node  { return ast.NewEmphasis(n) }
func (emphasisDelimiters) CanOpenCloser(opener, closer *parser.Delimiter) bool {
	return opener.Char == closer.Char
}

type strikeDelimiters struct{}

func (strikeDelimiters) IsDelimiter(b byte) bool { return b == '~' }
func (strikeDelimiters) OnMatch(int) ast.Node    { return extast.NewStrikethrough() }
func (strikeDelimiters) CanOpenCloser(opener, closer *parser.Delimiter) bool {
	return opener.Char == closer.Char && opener.Length == closer.Length
}
