package markdown

import (
	"bytes"

	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/extension"
	"github.com/yuin/goldmark/parser"
	"github.com/yuin/goldmark/text"
)

// optionsKey is where Parse leaves its Options for the parsers.
var optionsKey = parser.NewContextKey()

// tableParser is goldmark's table parser but for tables whose head was text until the line under it came. The head may
// have been shown by then. It is a head if it begins with a pipe, in which case it was held back, or if it is the whole
// paragraph and not a long one; else it stays text.
type tableParser struct{ inner parser.ParagraphTransformer }

func newTableParser() tableParser {
	return tableParser{inner: extension.NewTableParagraphTransformer()}
}

func (p tableParser) Transform(node *ast.Paragraph, reader text.Reader, pc parser.Context) {
	lines := node.Lines()
	for i := 1; i < lines.Len(); i++ {
		under := lines.At(i)
		if !isDelimiterRow(under.Value(reader.Source())) {
			continue
		}
		seg := lines.At(i - 1)
		head := bytes.TrimLeft(seg.Value(reader.Source()), " \t")
		if len(head) > 0 && head[0] == '|' || i == 1 && !isLong(head, pc) {
			p.inner.Transform(node, reader, pc)
		}
		return
	}
}

// isLong reports whether a paragraph of this text is read in pieces.
func isLong(s []byte, pc parser.Context) bool {
	opt, ok := pc.Get(optionsKey).(*Options)
	return ok && opt.Chunk > 0 && opt.Weights.Of(string(s)) > opt.Chunk
}

// isDelimiterRow reports whether a line is what stands under the head of a table.
func isDelimiterRow(line []byte) bool {
	line = bytes.TrimSpace(line)
	if !bytes.ContainsAny(line, "|:") {
		return false
	}
	line = bytes.TrimPrefix(line, []byte("|"))
	line = bytes.TrimSuffix(line, []byte("|"))
	for cell := range bytes.SplitSeq(line, []byte("|")) {
		cell = bytes.TrimSpace(cell)
		cell = bytes.TrimPrefix(cell, []byte(":"))
		cell = bytes.TrimSuffix(cell, []byte(":"))
		if len(cell) == 0 || len(bytes.Trim(cell, "-")) > 0 {
			return false
		}
	}
	return true
}
