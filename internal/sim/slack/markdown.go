package slack

import (
	"bytes"
	"fmt"
	"strings"
	"sync"

	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/extension"
	east "github.com/yuin/goldmark/extension/ast"
	"github.com/yuin/goldmark/text"
	"github.com/yuin/goldmark/util"
)

// gfm reads what a markdown block may hold. It is made at first use, as the expressions of [sim.Regexp] are.
// Source: https://docs.slack.dev/reference/block-kit/blocks/markdown-block
var gfm = sync.OnceValue(func() goldmark.Markdown {
	return goldmark.New(goldmark.WithExtensions(extension.GFM))
})

// markdown is a markdown block's text as a reader sees it. Blocks stand one empty line apart, list items carry a
// bullet or their number, a quote its "> ", a table its cells with " | " between them.
func (n names) markdown(source string) string {
	src := []byte(source)
	doc := gfm().Parser().Parse(text.NewReader(src))
	return unhide(mdReader{names: n, src: src}.blocks(doc, "\n\n"))
}

type mdReader struct {
	names
	src []byte
}

func (r mdReader) blocks(parent ast.Node, gap string) string {
	var parts []string
	for c := parent.FirstChild(); c != nil; c = c.NextSibling() {
		if part := r.block(c); part != "" {
			parts = append(parts, part)
		}
	}
	return strings.Join(parts, gap)
}

func (r mdReader) block(node ast.Node) string {
	switch node := node.(type) {
	case *ast.Paragraph, *ast.Heading, *ast.TextBlock:
		return r.inlines(node)
	case *ast.ThematicBreak:
		return "───"
	case *ast.FencedCodeBlock:
		return strings.TrimSuffix(hide(r.lines(node)), "\n")
	case *ast.CodeBlock:
		return strings.TrimSuffix(hide(r.lines(node)), "\n")
	case *ast.HTMLBlock:
		raw := r.lines(node)
		if node.HasClosure() {
			raw += string(node.ClosureLine.Value(r.src))
		}
		return strings.TrimSuffix(r.resolve(raw), "\n")
	case *ast.Blockquote:
		return "> " + strings.ReplaceAll(r.blocks(node, "\n\n"), "\n", "\n> ")
	case *ast.List:
		return r.list(node)
	case *east.Table:
		return r.blocks(node, "\n")
	case *east.TableHeader, *east.TableRow:
		var cells []string
		for c := node.FirstChild(); c != nil; c = c.NextSibling() {
			cells = append(cells, r.inlines(c))
		}
		return strings.Join(cells, " | ")
	default:
		return r.blocks(node, "\n")
	}
}

func (r mdReader) list(list *ast.List) string {
	gap := "\n"
	if !list.IsTight {
		gap = "\n\n"
	}
	number := list.Start
	var items []string
	for item := list.FirstChild(); item != nil; item = item.NextSibling() {
		bullet := "• "
		if list.IsOrdered() {
			bullet = fmt.Sprintf("%d. ", number)
			number++
		}
		body := strings.ReplaceAll(r.blocks(item, gap), "\n", "\n    ")
		items = append(items, bullet+body)
	}
	return strings.Join(items, gap)
}

func (r mdReader) lines(node ast.Node) string {
	var b strings.Builder
	for i := range node.Lines().Len() {
		line := node.Lines().At(i)
		b.Write(line.Value(r.src))
	}
	return b.String()
}

// inlines joins the text of a block, then reads Slack's own sequences in it, which Markdown knows nothing of.
func (r mdReader) inlines(node ast.Node) string {
	var b strings.Builder
	r.inline(&b, node)
	return showEmoji(r.resolve(strings.TrimRight(b.String(), "\n")))
}

func (r mdReader) inline(b *strings.Builder, parent ast.Node) {
	for c := parent.FirstChild(); c != nil; c = c.NextSibling() {
		switch c := c.(type) {
		case *ast.Text:
			value := c.Segment.Value(r.src)
			if c.IsRaw() {
				b.Write(value)
			} else {
				b.WriteString(literal(value))
			}
			if c.SoftLineBreak() || c.HardLineBreak() {
				b.WriteByte('\n')
			}
		case *ast.String:
			b.Write(c.Value)
		case *ast.CodeSpan:
			var code strings.Builder
			r.inline(&code, c)
			b.WriteString(hide(strings.ReplaceAll(code.String(), "\n", " ")))
		case *ast.AutoLink:
			b.WriteString(hide(string(c.Label(r.src))))
		case *ast.RawHTML:
			for i := range c.Segments.Len() {
				seg := c.Segments.At(i)
				b.Write(seg.Value(r.src))
			}
		case *east.TaskCheckBox:
			box := "☐ "
			if c.IsChecked {
				box = "☑ "
			}
			b.WriteString(box)
		default:
			r.inline(b, c)
		}
	}
}

// literal resolves backslashes and entities, and hides what they stood for from Slack's own sequences.
func literal(raw []byte) string {
	var b strings.Builder
	for i := 0; i < len(raw); {
		switch {
		case raw[i] == '\\' && i+1 < len(raw) && util.IsPunct(raw[i+1]):
			b.WriteString(hide(string(raw[i+1])))
			i += 2
		case raw[i] == '&':
			end := bytes.IndexByte(raw[i:], ';')
			if end < 0 {
				b.WriteByte('&')
				i++
				continue
			}
			whole := raw[i : i+end+1]
			got := util.ResolveEntityNames(util.ResolveNumericReferences(whole))
			if bytes.Equal(got, whole) {
				b.WriteByte('&')
				i++
				continue
			}
			b.WriteString(hide(string(got)))
			i += end + 1
		default:
			b.WriteByte(raw[i])
			i++
		}
	}
	return b.String()
}

// markdownMentions are the notifying sequences of a Markdown text; those in code, and escaped ones, are literal.
func markdownMentions(source string) []string {
	if !strings.Contains(source, "<!") && !strings.Contains(source, "<@") {
		return nil
	}
	src := []byte(source)
	doc := gfm().Parser().Parse(text.NewReader(src))
	same := names{user: func(id string) string { return id }, channel: func(id string) string { return id }}
	r := mdReader{names: same, src: src}
	var found []string
	scan := func(s string) { found = append(found, mentionsIn(s)...) }
	var walk func(ast.Node)
	walk = func(node ast.Node) {
		switch node := node.(type) {
		case *ast.FencedCodeBlock, *ast.CodeBlock:
		case *ast.HTMLBlock:
			scan(r.lines(node))
			if node.HasClosure() {
				scan(string(node.ClosureLine.Value(src)))
			}
		case *ast.Paragraph, *ast.Heading, *ast.TextBlock, *east.TableCell:
			var b strings.Builder
			r.inline(&b, node)
			scan(b.String())
		default:
			for c := node.FirstChild(); c != nil; c = c.NextSibling() {
				walk(c)
			}
		}
	}
	walk(doc)
	return found
}
