package docs_test

import (
	"fmt"
	"strings"
	"testing"
	"unicode"

	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/extension"
	east "github.com/yuin/goldmark/extension/ast"
	"github.com/yuin/goldmark/text"
)

// document is what the tests need of a Markdown file.
type document struct {
	path     string
	text     string
	headings []heading
	links    []string // destinations, images too
	blocks   []block
	spans    []string // code in lines
	tables   []table
}

type heading struct {
	level  int
	text   string
	anchor string
}

// block is fenced code.
type block struct{ language, code string }

type table struct{ rows [][]cell } // the first row is the head

type cell struct {
	text  string
	spans []string
}

func open(t *testing.T, path string) *document {
	t.Helper()
	return parse(path, read(t, path))
}

func parse(path, source string) *document {
	d := &document{path: path, text: source}
	src := []byte(source)
	md := goldmark.New(goldmark.WithExtensions(extension.GFM))
	anchors := map[string]int{}
	_ = ast.Walk(md.Parser().Parse(text.NewReader(src)), func(n ast.Node, entering bool) (ast.WalkStatus, error) {
		if !entering {
			return ast.WalkContinue, nil
		}
		switch n := n.(type) {
		case *ast.Heading:
			h := heading{level: n.Level, text: plain(n, src)}
			h.anchor = slug(h.text)
			if seen := anchors[h.anchor]; seen > 0 {
				anchors[h.anchor]++
				h.anchor = fmt.Sprintf("%s-%d", h.anchor, seen)
			} else {
				anchors[h.anchor]++
			}
			d.headings = append(d.headings, h)
		case *ast.Link:
			d.links = append(d.links, string(n.Destination))
		case *ast.Image:
			d.links = append(d.links, string(n.Destination))
		case *ast.FencedCodeBlock:
			var b strings.Builder
			for i := range n.Lines().Len() {
				line := n.Lines().At(i)
				b.Write(line.Value(src))
			}
			d.blocks = append(d.blocks, block{string(n.Language(src)), b.String()})
		case *ast.CodeSpan:
			d.spans = append(d.spans, plain(n, src))
		case *east.Table:
			var t table
			for row := n.FirstChild(); row != nil; row = row.NextSibling() {
				var cells []cell
				for c := row.FirstChild(); c != nil; c = c.NextSibling() {
					cells = append(cells, cell{plain(c, src), codes(c, src)})
				}
				t.rows = append(t.rows, cells)
			}
			d.tables = append(d.tables, t)
		}
		return ast.WalkContinue, nil
	})
	return d
}

// plain is a node's text without its marks.
func plain(n ast.Node, src []byte) string {
	var b strings.Builder
	_ = ast.Walk(n, func(n ast.Node, entering bool) (ast.WalkStatus, error) {
		if !entering {
			return ast.WalkContinue, nil
		}
		switch n := n.(type) {
		case *ast.Text:
			b.Write(n.Segment.Value(src))
			if n.SoftLineBreak() {
				b.WriteByte(' ')
			}
		case *ast.String:
			b.Write(n.Value)
		case *ast.AutoLink:
			b.Write(n.Label(src))
		}
		return ast.WalkContinue, nil
	})
	return strings.ReplaceAll(b.String(), `\|`, "|") // in tables a bar is escaped in code too
}

// codes are the code spans in a node.
func codes(n ast.Node, src []byte) []string {
	var all []string
	_ = ast.Walk(n, func(n ast.Node, entering bool) (ast.WalkStatus, error) {
		if span, ok := n.(*ast.CodeSpan); ok && entering {
			all = append(all, plain(span, src))
		}
		return ast.WalkContinue, nil
	})
	return all
}

// slug is the anchor that GitHub gives a heading.
// Source: https://docs.github.com/en/get-started/writing-on-github (section links)
func slug(heading string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == ' ':
			return '-'
		case r == '-' || r == '_' || unicode.IsLetter(r) || unicode.IsNumber(r) || unicode.IsMark(r):
			return unicode.ToLower(r)
		}
		return -1
	}, strings.TrimSpace(heading))
}

func TestSlug(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ heading, want string }{
		{"Set up in ten minutes", "set-up-in-ten-minutes"},
		{"`store`, `http`, `log`", "store-http-log"},
		{"Trouble, by symptom", "trouble-by-symptom"},
		{"Cài đặt trong mười phút", "cài-đặt-trong-mười-phút"},
	} {
		d := parse("x.md", "# "+tt.heading+"\n\n# "+tt.heading+"\n")
		if d.headings[0].anchor != tt.want || d.headings[1].anchor != tt.want+"-1" {
			t.Errorf("anchors of %q are %q and %q, want %q and %q", tt.heading, d.headings[0].anchor, d.headings[1].anchor, tt.want, tt.want+"-1")
		}
	}
}
