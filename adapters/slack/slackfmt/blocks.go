package slackfmt

import (
	"strconv"
	"strings"

	"github.com/clickai/bridge/internal/markdown"
)

// blocks writes the blocks of a message as the inside of a JSON list. Text goes into one rich_text block as long as no
// header, divider or table comes between; within it, neighbours of one kind join one element.
type blocks struct {
	buf  []byte
	rich bool    // a rich_text block is open
	kind element // of the open element in it
	list listKey // of an open list
	item bool    // an item of the list is open
	any  bool    // the section that is open has an element

	count int // of blocks
}

// element is a kind of element of a rich_text block.
type element uint8

const (
	noElement element = iota
	section
	quote
	list
)

// listKey tells lists apart that cannot be one element.
type listKey struct {
	ordered bool
	indent  int
	border  bool
	list    int
	next    int // the number that the next item must have
}

// maxIndent is how deep Slack nests lists.
const maxIndent = 8

// nativeTable reports whether a table becomes a table block.
func nativeTable(u *markdown.Unit) bool {
	return u.Kind == markdown.Table && u.Quote == 0 && u.Item.Depth == 0 && len(u.Table.Align) <= maxColumns
}

func (b *blocks) unit(u, before *markdown.Unit) {
	top := u.Quote == 0 && u.Item.Depth == 0
	switch u.Kind {
	case markdown.Heading:
		if text := markdown.PlainSpans(u.Spans); top && u.Level <= 2 && chars(text) <= maxHeader && !u.Cont {
			b.header(text)
			return
		}
		b.paragraph(u, before)
	case markdown.Paragraph:
		b.paragraph(u, before)
	case markdown.Code:
		b.preformatted(u, u.Lang, u.Lines)
	case markdown.Math:
		b.preformatted(u, "latex", u.Lines)
	case markdown.Table:
		if nativeTable(u) {
			b.table(u.Table)
			return
		}
		b.preformatted(u, "", u.Table.Lines())
	case markdown.Rule:
		if top {
			b.block(`{"type":"divider"}`)
			return
		}
		b.paragraph(&markdown.Unit{Quote: u.Quote, Item: u.Item, Spans: []markdown.Span{{Text: dashes}}}, before)
	}
}

func (b *blocks) raw(s string) { b.buf = append(b.buf, s...) }

// comma separates what follows from what stands before it in a list.
func (b *blocks) comma() {
	if n := len(b.buf); n > 0 && b.buf[n-1] != '[' {
		b.buf = append(b.buf, ',')
	}
}

// block begins a block that is not rich_text.
func (b *blocks) block(s string) {
	b.closeRich()
	b.comma()
	b.raw(s)
	b.count++
}

func (b *blocks) header(text string) {
	text = strings.TrimSpace(strings.ReplaceAll(text, "\n", " "))
	b.block(`{"type":"header","text":{"type":"plain_text","emoji":false,"text":`)
	b.buf = appendString(b.buf, headerEscaper.Replace(text))
	b.raw("}}")
}

// headerEscaper keeps what looks like one of Slack's references literal. Plain text objects, unlike rich text, have them
// resolved; & < > that stand for themselves show as they are.
var headerEscaper = strings.NewReplacer("&amp;", "&amp;amp;", "&lt;", "&amp;lt;", "&gt;", "&amp;gt;")

func (b *blocks) openRich() {
	if !b.rich {
		b.comma()
		b.raw(`{"type":"rich_text","elements":[`)
		b.rich = true
		b.count++
	}
}

func (b *blocks) closeRich() {
	b.closeElement()
	if b.rich {
		b.raw("]}")
		b.rich = false
	}
}

func (b *blocks) closeElement() {
	switch b.kind {
	case section, quote:
		b.raw("]}")
	case list:
		b.closeItem()
		b.raw("]}")
	case noElement:
	}
	b.kind = noElement
}

func (b *blocks) closeItem() {
	if b.item {
		b.raw("]}")
		b.item = false
	}
}

// open begins an element of the rich_text block.
func (b *blocks) open(kind element, head string) {
	b.openRich()
	b.closeElement()
	b.comma()
	b.raw(head)
	b.kind, b.any = kind, false
}

func (b *blocks) paragraph(u, before *markdown.Unit) {
	if u.Item.First {
		b.listItem(u)
		b.spans(u)
		return
	}
	goesOn := before != nil && before.Quote == u.Quote
	switch {
	case b.kind == list && b.item && u.Item.Depth > 0 && goesOn && before.Item.List == u.Item.List:
		b.join(u)
	case b.kind == quote && u.Quote > 0 && u.Item.Depth == 0:
		b.join(u)
	case b.kind == section && u.Quote == 0:
		b.join(u)
	case u.Quote > 0:
		b.open(quote, `{"type":"rich_text_quote","elements":[`)
	default:
		gap := b.rich && u.Gap
		b.open(section, `{"type":"rich_text_section","elements":[`)
		if gap {
			b.text("\n", 0)
		}
	}
	b.spans(u)
}

// join goes on in the element that is open.
func (b *blocks) join(u *markdown.Unit) {
	switch {
	case u.Cont && u.Glue != "\n":
		if u.Glue != "" {
			b.text(u.Glue, 0)
		}
	case u.Gap && !u.Cont:
		b.text("\n\n", 0)
	default:
		b.text("\n", 0)
	}
}

// listItem begins an item, and a list if the item does not go on with the one that is open.
func (b *blocks) listItem(u *markdown.Unit) {
	it := &u.Item
	key := listKey{ordered: it.Ordered, indent: min(int(it.Depth)-1, maxIndent), border: u.Quote > 0, list: it.List}
	if key.ordered {
		key.next = it.Number
	}
	if b.kind == list && b.list == key {
		b.closeItem()
		b.comma()
	} else {
		style := "bullet"
		if key.ordered {
			style = "ordered"
		}
		b.open(list, `{"type":"rich_text_list","style":"`+style+`","indent":`+strconv.Itoa(key.indent))
		if key.border {
			b.raw(`,"border":1`)
		}
		if key.ordered && it.Number > 1 {
			b.raw(`,"offset":` + strconv.Itoa(it.Number-1))
		}
		b.raw(`,"elements":[`)
	}
	b.raw(`{"type":"rich_text_section","elements":[`)
	b.item, b.any = true, false
	b.list = key
	if key.ordered {
		b.list.next++
	}
	b.text(it.Task.Box(), 0)
}

// preformatted writes literal lines.
func (b *blocks) preformatted(u *markdown.Unit, lang string, lines []string) {
	if u.Item.First {
		b.listItem(u)
		b.text(" ", 0)
	}
	b.open(section, `{"type":"rich_text_preformatted"`)
	if u.Quote > 0 {
		b.raw(`,"border":1`)
	}
	if lang = language(lang); lang != "" {
		b.raw(`,"language":"` + lang + `"`)
	}
	b.raw(`,"elements":[{"type":"text","text":"`)
	for i, line := range lines {
		if i > 0 {
			b.raw(`\n`)
		}
		b.buf = appendChars(b.buf, line)
	}
	b.raw(`"}]}`)
	b.kind = noElement
}

// language is a fence's language in the form of Slack's names; "" if it cannot be one.
func language(lang string) string {
	if len(lang) > 30 {
		return ""
	}
	for i := range len(lang) {
		switch c := lang[i]; {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', strings.IndexByte("+-#_.", c) >= 0:
		default:
			return ""
		}
	}
	return strings.ToLower(lang)
}

// spans writes the text of a paragraph or a heading.
func (b *blocks) spans(u *markdown.Unit) {
	for i := int8(1); i < u.Quote && !u.Cont; i++ {
		b.text("› ", 0)
	}
	var bold markdown.Style
	if u.Kind == markdown.Heading {
		bold = markdown.Bold
	}
	for i := range u.Spans {
		b.span(&u.Spans[i], bold)
	}
	if !b.any {
		b.text(" ", 0) // Slack wants an element
	}
}

func (b *blocks) span(s *markdown.Span, more markdown.Style) {
	st := s.Style | more
	if s.Image {
		b.text("🖼 ", st)
	}
	if s.URL == "" {
		b.text(s.Text, st)
		return
	}
	b.comma()
	b.raw(`{"type":"link","url":`)
	b.buf = appendString(b.buf, s.URL)
	b.raw(`,"text":`)
	b.buf = appendString(b.buf, s.Text)
	b.styles(st)
	b.raw("}")
	b.any = true
}

func (b *blocks) text(s string, st markdown.Style) {
	if s == "" {
		return
	}
	b.comma()
	b.raw(`{"type":"text","text":`)
	b.buf = appendString(b.buf, s)
	b.styles(st)
	b.raw("}")
	b.any = true
}

func (b *blocks) styles(st markdown.Style) {
	if st == 0 {
		return
	}
	b.raw(`,"style":{`)
	first := true
	for _, s := range [...]struct {
		st   markdown.Style
		name string
	}{
		{markdown.Bold, `"bold":true`},
		{markdown.Italic, `"italic":true`},
		{markdown.Strike, `"strike":true`},
		{markdown.Mono, `"code":true`},
	} {
		if st&s.st == 0 {
			continue
		}
		if !first {
			b.raw(",")
		}
		first = false
		b.raw(s.name)
	}
	b.raw("}")
}
