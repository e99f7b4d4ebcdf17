package slackfmt

import (
	"html"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/extension"
	extast "github.com/yuin/goldmark/extension/ast"
	"github.com/yuin/goldmark/text"

	"github.com/clickai/bridge/core"
	"github.com/clickai/bridge/internal/markdown"
)

// How much of the end of running text is held back at most, in bytes.
const (
	maxLabel     = 200 // a link's words
	maxTarget    = 600 // a link's address
	maxReference = 34  // a character reference
)

// StreamText is what may be streamed of an answer as markdown_text: the answer's own Markdown, which Slack reads as
// CommonMark does (https://docs.slack.dev/reference/block-kit/blocks/markdown-block). As the answer grows, the result grows
// at its end. What Slack could read as a mention, a channel or a command (<!channel>, <@U1>, <#C1>) is kept from that by a
// word joiner after its <, wherever it stands: what Slack makes of escapes before it looks for mentions is not documented.
// Control characters are dropped, and bytes that are not UTF-8 replaced.
//
// With final false the end is held back where it is not sure how it reads: blanks, markers, a link or a reference that is
// not whole, half a character. It is pure.
func StreamText(source string, final bool) string {
	var b strings.Builder
	b.Grow(len(source) + 8)
	sure := 0 // bytes of b that can no longer read otherwise
	for i := 0; i < len(source); {
		n, hold := writeStreamed(&b, source[i:], final)
		if hold {
			break
		}
		if !blank(source[i:]) && (final || strings.IndexByte("*_~`#[]!|>\\", source[i]) < 0) {
			sure = b.Len()
		}
		i += n
	}
	return b.String()[:sure]
}

// writeStreamed writes what s begins with and returns its length in s; hold: it is not sure yet how that reads.
func writeStreamed(b *strings.Builder, s string, final bool) (n int, hold bool) {
	switch c := s[0]; {
	case c == '<':
		if len(s) == 1 && !final {
			return 0, true
		}
		b.WriteByte('<')
		if len(s) > 1 && !safeAfterAngle(s[1]) {
			b.WriteString(joiner)
		}
		return 1, false
	case c == '&':
		end := 1
		for end < len(s) && end < maxReference && (s[end] == '#' || isWord(s[end]) && s[end] < 0x80) {
			end++
		}
		if end == len(s) && end < maxReference && !final {
			return 0, true
		}
		if end < min(len(s), maxReference) && s[end] == ';' && strings.Contains(html.UnescapeString(s[:end+1]), "<") {
			b.WriteString(s[:end+1])
			b.WriteString(joiner)
			return end + 1, false
		}
		b.WriteByte('&')
		return 1, false
	case c == '[' && !final && openLink(s):
		return 0, true
	case c < ' ' && c != '\n' && c != '\t' || c == 0x7f:
		return 1, false
	case c < utf8.RuneSelf:
		b.WriteByte(c)
		return 1, false
	}
	r, n := utf8.DecodeRuneInString(s)
	if r == utf8.RuneError && n <= 1 && !final && !utf8.FullRuneInString(s) {
		return 0, true
	}
	b.WriteRune(r)
	return n, false
}

// blank tells whether s begins with what shows nothing by itself.
func blank(s string) bool {
	r, _ := utf8.DecodeRuneInString(s)
	return unicode.IsSpace(r) || unicode.IsControl(r)
}

// safeAfterAngle tells whether what begins with < and c can be none of Slack's sequences, also when Markdown's own
// characters between the two are taken away. Source: https://docs.slack.dev/messaging/formatting-message-text
func safeAfterAngle(c byte) bool {
	return isWord(c) && c != '_' || c == ' ' || c == '\n' || c == '\t' || c == '/' || c == '=' || c == '-'
}

// openLink tells whether s, which begins with a bracket, may still become a link.
func openLink(s string) bool {
	label := s[:min(len(s), maxLabel)]
	end := strings.IndexAny(label[1:], "]\n")
	if end < 0 {
		return len(s) < maxLabel
	}
	rest := s[1+end:]
	if rest[0] == '\n' {
		return false
	}
	if rest = rest[1:]; rest == "" {
		return true
	}
	if rest[0] != '(' {
		return false
	}
	return len(rest) < maxTarget && !strings.ContainsAny(rest, ")\n")
}

// StreamShows tells whether a stream of the text sent shows what the part whole shows, and as well: then the message need not
// be edited when the stream ends. When in doubt it says no. Slack shows paragraphs, emphasis, links, headings, lists, quotes and
// code of a stream well; it documents nothing of footnotes and math, little of HTML, shows pictures as links and, in some
// versions, no tables, tasks and rules (https://docs.slack.dev/reference/block-kit/blocks/markdown-block).
func StreamShows(sent string, whole core.Part) bool {
	if strings.Contains(sent, joiner) || !plainMarkdown(sent) {
		return false
	}
	parts := Render(sent, true)
	return len(parts) == 1 && parts[0] == whole
}

// gfm reads as Slack does, as far as that is known.
var gfm = goldmark.New(goldmark.WithExtensions(extension.GFM)).Parser()

// plainMarkdown tells whether the source has only what Slack is known to show well, and no text that this package reads
// otherwise than standard Markdown: math, footnotes, emphasis without spaces around it.
func plainMarkdown(source string) bool {
	if strings.Contains(source, "]:") { // a link's definition
		return false
	}
	src := []byte(source)
	w := &standard{src: src}
	if !w.blocks(gfm.Parse(text.NewReader(src)), 0) {
		return false
	}
	units := markdown.Parse(source, markdown.Options{Final: true, Weights: weights})
	var own strings.Builder
	for i := range units {
		u := &units[i]
		own.WriteString(markdown.PlainSpans(u.Spans))
		for _, line := range u.Lines {
			own.WriteString(line)
		}
		if !clearStyles(u.Spans) {
			return false
		}
	}
	return squeeze(own.String()) == squeeze(w.text.String())
}

// standard walks a tree of standard Markdown and takes down its text.
type standard struct {
	src  []byte
	text strings.Builder
}

// The places where a block can stand.
const (
	inItem = 1 << iota
	inQuote
)

// blocks is false if there is something among the blocks under parent that Slack may not show well.
func (w *standard) blocks(parent ast.Node, in int) bool {
	for c := parent.FirstChild(); c != nil; c = c.NextSibling() {
		var ok bool
		switch c := c.(type) {
		case *ast.Paragraph, *ast.TextBlock:
			ok = w.inlines(c)
		case *ast.Heading:
			ok = in == 0 && w.inlines(c)
		case *ast.FencedCodeBlock:
			ok = in == 0
			w.text.Write(c.Lines().Value(w.src))
		case *ast.Blockquote:
			ok = in == 0 && w.blocks(c, inQuote)
		case *ast.List:
			ok = in&inQuote == 0 && (!c.IsOrdered() || c.Start == 1) && w.blocks(c, inItem)
		case *ast.ListItem:
			ok = w.blocks(c, in)
		default:
			ok = false
		}
		if !ok {
			return false
		}
	}
	return true
}

// inlines is the same for what stands in a line.
func (w *standard) inlines(parent ast.Node) bool {
	for c := parent.FirstChild(); c != nil; c = c.NextSibling() {
		ok := true
		switch c := c.(type) {
		case *ast.Text:
			ok = w.words(c)
		case *ast.CodeSpan:
			for t := c.FirstChild(); t != nil; t = t.NextSibling() {
				if t, isText := t.(*ast.Text); isText {
					w.text.Write(t.Segment.Value(w.src))
				}
			}
		case *ast.Emphasis:
			ok = w.inlines(c)
		case *extast.Strikethrough:
			ok = w.inlines(c) && !singleTilde(w.src)
		case *ast.Link:
			ok = markdown.SafeURL(string(c.Destination)) != "" && c.HasChildren() && w.inlines(c)
		case *ast.AutoLink:
			label := c.Label(w.src)
			ok = strings.HasPrefix(string(label), "http")
			w.text.Write(label)
		default:
			ok = false
		}
		if !ok {
			return false
		}
	}
	return true
}

// words takes down literal text. References, what looks like a tag or an emoji's name are better left to blocks.
func (w *standard) words(t *ast.Text) bool {
	raw := t.Segment.Value(w.src)
	for i := 0; i < len(raw); i++ {
		switch c := raw[i]; {
		case c == '<', c == '&' && strings.IndexByte(string(raw[i:min(len(raw), i+maxReference)]), ';') > 0:
			return false
		case c == ':' && isShortcode(string(raw[i:])):
			return false
		case c == '\\' && i+1 < len(raw) && raw[i+1] < utf8.RuneSelf && unicode.In(rune(raw[i+1]), unicode.Punct, unicode.Symbol):
			i++
		}
		w.text.WriteByte(raw[i])
	}
	return true
}

// isShortcode tells whether s begins with what Slack may show as an emoji.
func isShortcode(s string) bool {
	end := strings.IndexByte(s[1:], ':')
	if end < 1 {
		return false
	}
	return strings.Trim(s[1:1+end], "abcdefghijklmnopqrstuvwxyz0123456789_+-'") == "" && strings.ContainsAny(s[1:1+end], "abcdefghijklmnopqrstuvwxyz+-")
}

// singleTilde tells whether a tilde stands alone: Slack strikes out between two.
func singleTilde(src []byte) bool {
	return strings.Contains(strings.ReplaceAll(string(src), "~~", ""), "~")
}

// clearStyles tells whether every style begins and ends where Slack is sure to see it. In scripts without spaces between
// words it may take the markers for text.
func clearStyles(spans []markdown.Span) bool {
	for i := 1; i < len(spans); i++ {
		a, b := &spans[i-1], &spans[i]
		if a.Style&^markdown.Mono == b.Style&^markdown.Mono {
			continue
		}
		before, _ := utf8.DecodeLastRuneInString(a.Text)
		after, _ := utf8.DecodeRuneInString(b.Text)
		if !unicode.IsSpace(before) && !unicode.IsSpace(after) && (unspaced(before) || unspaced(after)) {
			return false
		}
	}
	return true
}

// unspaced tells whether a character is of a script that puts no spaces between words.
func unspaced(r rune) bool {
	return r >= 0x2e80 && r < 0xfb00 || r >= 0xff00 || unicode.In(r, unicode.Thai, unicode.Lao, unicode.Myanmar, unicode.Khmer)
}

// squeeze drops what blocks and lines are divided by.
func squeeze(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) {
			return -1
		}
		return r
	}, s)
}
