package telegramfmt

import (
	"strconv"
	"strings"

	"github.com/clickai/bridge/core"
	"github.com/clickai/bridge/internal/markdown"
)

// MaxText is the longest text of a message after its HTML is parsed, in UTF-16 units.
const MaxText = 4096

// maxEntities is how many entities of a message are shown.
const maxEntities = 100

// weights bound what each character of the source becomes: a unit, two beyond the basic plane, and one more behind an @.
var weights = markdown.NewWeights(1, 1, 1, 2, map[byte]uint8{'@': 2})

var codeWeights = markdown.NewWeights(1, 1, 1, 2, nil)

// tableWidth is what a phone shows of a line in <pre> without wrapping it, in small type.
const tableWidth = 44

func layout(size int) markdown.Limits {
	return markdown.Limits{
		Size: size - 16, Weights: codeWeights, Fence: 4, TableWidth: tableWidth,
		Cost: entities, Budget: maxEntities, Most: 2 * maxEntities,
	}
}

// entities is how many entities a block needs.
func entities(u *markdown.Unit) int {
	n := 0
	for i := range u.Spans {
		s := &u.Spans[i]
		if s.Style&markdown.Mono != 0 {
			n++
			continue
		}
		for _, st := range [...]markdown.Style{markdown.Bold, markdown.Italic, markdown.Strike} {
			if s.Style&st != 0 {
				n++
			}
		}
		if s.URL != "" {
			n++
		}
	}
	switch u.Kind {
	case markdown.Code, markdown.Math, markdown.Table, markdown.Heading:
		n++
	case markdown.Paragraph, markdown.Rule:
	}
	if u.Quote > 0 {
		n++
	}
	return n
}

// Render writes the source as messages: in the end at least one if it is not blank. It is pure and safe for concurrent
// use. With final false the source may stop anywhere; all parts but the last then stay as they are when it grows, and there
// is none while nothing can be shown yet.
func Render(source string, final bool) []core.Part {
	return render(source, final, MaxText)
}

func render(source string, final bool, size int) []core.Part {
	if markdown.Blank(source) {
		return nil
	}
	units := markdown.Parse(source, markdown.Options{Final: final, Chunk: size * 11 / 20, Weights: weights})
	messages := markdown.Layout(units, layout(size))
	parts := make([]core.Part, 0, len(messages)+1)
	w := writer{buf: make([]byte, 0, len(source)+len(source)/2+64)}
	for _, m := range messages {
		text := w.message(m)
		if w.units > size {
			w.noLinks = true
			text = w.message(m)
			w.noLinks = false
		}
		plain := cut(markdown.Plain(m, Plain), size)
		if w.units > size {
			text = Escape(plain)
		}
		if w.units > 0 && strings.TrimSpace(plain) != "" { // a quote of nothing has a mark in plain text
			parts = append(parts, core.Part{Text: text, Plain: plain})
		}
	}
	if len(parts) == 0 && final {
		text := cut(markdown.Placeholder(source), size/2)
		parts = append(parts, core.Part{Text: Escape(text), Plain: Plain(text)})
	}
	return parts
}

// writer writes one message.
type writer struct {
	buf     []byte
	units   int // UTF-16 units of the text so far
	noLinks bool

	unit  *markdown.Unit
	plain bool // no bold: the whole is bold already
}

func (w *writer) message(units []*markdown.Unit) string {
	w.buf, w.units = w.buf[:0], 0
	quoted := false
	for i, u := range units {
		inline := i > 0 && u.Cont && (u.Kind == markdown.Paragraph || u.Kind == markdown.Heading)
		if i > 0 {
			if quoted && u.Quote == 0 {
				w.buf = append(w.buf, "</blockquote>"...)
				quoted = false
			}
			w.separate(u, inline)
		}
		if u.Quote > 0 && !quoted {
			w.buf = append(w.buf, "<blockquote>"...)
			quoted = true
		}
		w.block(u, inline)
	}
	if quoted {
		w.buf = append(w.buf, "</blockquote>"...)
	}
	return string(w.buf)
}

func (w *writer) raw(s string) {
	w.buf = append(w.buf, s...)
	w.units += utf16Len(s)
}

func (w *writer) separate(u *markdown.Unit, inline bool) {
	switch {
	case inline && u.Glue == "\n":
		w.unit = u
		w.newline()
	case inline:
		w.raw(u.Glue)
	case u.Gap:
		w.raw("\n\n")
	default:
		w.raw("\n")
	}
}

func (w *writer) nesting(u *markdown.Unit) {
	for i := int8(1); i < u.Quote; i++ {
		w.raw("› ")
	}
}

func (w *writer) newline() {
	w.raw("\n")
	w.nesting(w.unit)
	w.spaces(w.unit)
}

// spaces writes what stands before the lines of an item after its first.
func (w *writer) spaces(u *markdown.Unit) {
	if u.Item.Depth > 0 {
		w.enSpaces(u.Item.Indent + 2)
	}
}

func (w *writer) enSpaces(n int) {
	for range n {
		w.raw("\u2002")
	}
}

func (w *writer) block(u *markdown.Unit, inline bool) {
	w.unit = u
	if inline {
		w.inline(u)
		return
	}
	fenced := u.Kind == markdown.Code || u.Kind == markdown.Math || u.Kind == markdown.Table
	w.nesting(u)
	switch {
	case u.Item.First:
		w.mark(u)
		if fenced {
			w.raw("\n")
		}
	case !fenced:
		w.spaces(u)
	}
	switch u.Kind {
	case markdown.Heading, markdown.Paragraph:
		w.inline(u)
	case markdown.Code:
		w.pre(u.Lang, u.Lines)
	case markdown.Math:
		w.pre("latex", u.Lines)
	case markdown.Table:
		w.pre("", u.Table.Lines())
	case markdown.Rule:
		w.raw("──────────")
	}
}

func (w *writer) inline(u *markdown.Unit) {
	if u.Kind == markdown.Heading {
		w.plain = true
		w.heading(u.Spans)
		w.plain = false
		return
	}
	markdown.Write(w, u.Spans, true)
}

// heading writes a line in bold, code in it aside.
func (w *writer) heading(spans []markdown.Span) {
	for len(spans) > 0 {
		n := 0
		mono := spans[0].Style&markdown.Mono != 0
		for n < len(spans) && (spans[n].Style&markdown.Mono != 0) == mono {
			n++
		}
		if !mono {
			w.buf = append(w.buf, "<b>"...)
		}
		markdown.Write(w, spans[:n], true)
		if !mono {
			w.buf = append(w.buf, "</b>"...)
		}
		spans = spans[n:]
	}
}

func (w *writer) mark(u *markdown.Unit) {
	w.enSpaces(u.Item.Indent)
	switch {
	case u.Item.Task == markdown.Undone:
		w.raw("☐ ")
	case u.Item.Task == markdown.Done:
		w.raw("☑ ")
	case u.Item.Ordered:
		w.raw(strconv.Itoa(u.Item.Number))
		w.raw(". ")
	case u.Item.Depth == 1:
		w.raw("• ")
	case u.Item.Depth == 2:
		w.raw("◦ ")
	default:
		w.raw("▪ ")
	}
}

// pre writes literal lines.
func (w *writer) pre(lang string, lines []string) {
	w.buf = append(w.buf, "<pre>"...)
	if lang != "" {
		w.buf = append(w.buf, `<code class="language-`...)
		w.buf = appendEscaped(w.buf, lang, true)
		w.buf = append(w.buf, `">`...)
	}
	for i, line := range lines {
		if i > 0 {
			w.raw("\n")
		}
		w.buf = appendEscaped(w.buf, line, false)
		w.units += utf16Len(line)
	}
	if lang != "" {
		w.buf = append(w.buf, "</code>"...)
	}
	w.buf = append(w.buf, "</pre>"...)
}
