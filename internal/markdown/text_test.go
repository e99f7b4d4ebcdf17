package markdown

import (
	"strings"

	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/extension"
	"github.com/yuin/goldmark/text"
)

// stockText is the text of the source as goldmark reads it without our parsers.
func stockText(src string) string {
	md := goldmark.New(goldmark.WithExtensions(extension.GFM))
	b := []byte(src)
	var out strings.Builder
	_ = ast.Walk(md.Parser().Parse(text.NewReader(b)), func(n ast.Node, entering bool) (ast.WalkStatus, error) {
		if !entering {
			return ast.WalkContinue, nil
		}
		switch n := n.(type) {
		case *ast.Text:
			t := string(n.Segment.Value(b))
			if !n.IsRaw() {
				t = unescape(t)
			}
			out.WriteString(t)
		case *ast.AutoLink:
			out.Write(n.Label(b))
		case *ast.RawHTML:
			raw := string(n.Segments.Value(b))
			if t, _, _ := scanTag(raw); t.meaning.action == tagText && !strings.HasPrefix(raw, "<!") && !strings.HasPrefix(raw, "<?") {
				out.WriteString(raw)
			}
		case *ast.CodeBlock, *ast.FencedCodeBlock:
			out.Write(n.Lines().Value(b))
		}
		return ast.WalkContinue, nil
	})
	return out.String()
}

// shown is the text of the units.
func shown(units []Unit) string {
	var out strings.Builder
	for i := range units {
		u := &units[i]
		out.WriteString(PlainSpans(u.Spans))
		for _, line := range u.Lines {
			out.WriteString(line)
		}
		if u.Table != nil {
			for _, row := range append([][][]Span{u.Table.Head}, u.Table.Rows...) {
				for _, cell := range row {
					out.WriteString(PlainSpans(cell))
				}
			}
		}
	}
	return out.String()
}
