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

// codeWeights are those of code, where a tab becomes blanks.
var codeWeights = markdown.NewWeights(1, 1, 1, 2, map[byte]uint8{'\t': tabWidth})

// tableWidth is what a phone shows of a line in <pre> without wrapping it, in small type.
const tableWidth = 44

func options(size int) markdown.Options {
	return markdown.Options{Chunk: size * 11 / 20, Weights: weights, Linkable: markdown.WebURL}
}

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
		if s.Mono() {
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

// format is how answers are written into messages of at most size units.
func format(size int) *markdown.Format[core.Part] {
	return &markdown.Format[core.Part]{
		Options: options(size), Limits: layout(size), Literal: markdown.Literal{Chars: "@\t", Write: plain},
		NewWriter: func() markdown.Writer[core.Part] { return &writer{size: size} },
		Source: func(source string) core.Part {
			source = cut(source, size/2)
			return core.Part{Text: Escape(source), Plain: Plain(source)}
		},
	}
}

var whole = format(MaxText)

// Render writes the source as messages: in the end at least one if it is not blank. It is pure and safe for concurrent
// use. With final false the source may stop anywhere; all parts but the last then stay as they are when it grows, and there
// is none while nothing can be shown yet.
func Render(source string, final bool) []core.Part { return whole.Render(source, final) }

// NewRenderer returns a renderer of one answer. Its results are those of [Render]; that the answer grows makes it fast.
func NewRenderer() *markdown.Renderer[core.Part] { return whole.NewRenderer() }

// writer writes one message.
type writer struct {
	size    int
	noLinks bool

	buf    []byte
	units  int  // UTF-16 units of the text so far
	quoted bool // a quote is open

	unit  *markdown.Unit
	plain bool // no bold: the whole is bold already

	saved struct {
		length, units int
		quoted        bool
	}
}

// Begin implements [markdown.Writer].
func (w *writer) Begin() { w.buf, w.units, w.quoted = w.buf[:0], 0, false }

// Save implements [markdown.Writer].
func (w *writer) Save() {
	w.saved.length, w.saved.units, w.saved.quoted = len(w.buf), w.units, w.quoted
}

// Restore implements [markdown.Writer].
func (w *writer) Restore() {
	w.buf, w.units, w.quoted = w.buf[:w.saved.length], w.saved.units, w.saved.quoted
}

// Block implements [markdown.Writer].
func (w *writer) Block(u, before *markdown.Unit) {
	inline := before != nil && u.Cont && (u.Kind == markdown.Paragraph || u.Kind == markdown.Heading)
	if before != nil {
		if w.quoted && u.Quote == 0 {
			w.buf = append(w.buf, "</blockquote>"...)
			w.quoted = false
		}
		w.separate(u, inline)
	}
	if u.Quote > 0 && !w.quoted {
		w.buf = append(w.buf, "<blockquote>"...)
		w.quoted = true
	}
	w.block(u, inline)
}

// End implements [markdown.Writer].
func (w *writer) End(units []*markdown.Unit, plain []byte) (core.Part, bool) {
	if w.units > w.size && !w.noLinks {
		short := &writer{size: w.size, noLinks: true}
		var before *markdown.Unit
		for _, u := range units {
			short.Block(u, before)
			before = u
		}
		return short.End(units, plain)
	}
	p := core.Part{Plain: cut(string(plain), w.size)}
	if w.units > w.size {
		p.Text = Escape(p.Plain)
		return p, true
	}
	if w.units == 0 || strings.TrimSpace(p.Plain) == "" { // a quote of nothing has a mark in plain text
		return p, false
	}
	if w.quoted {
		w.buf = append(w.buf, "</blockquote>"...)
	}
	p.Text = string(w.buf)
	return p, true
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
	if u.Item.Depth > 0 && !u.QuoteInItem() {
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
		mono := spans[0].Mono()
		for n < len(spans) && spans[n].Mono() == mono {
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
	case u.Item.Ordered:
		w.raw(strconv.Itoa(u.Item.Number))
		w.raw(". ")
	case u.Item.Task != markdown.NoTask:
	case u.Item.Depth == 1:
		w.raw("• ")
	case u.Item.Depth == 2:
		w.raw("◦ ")
	default:
		w.raw("▪ ")
	}
	w.raw(u.Item.Task.Box())
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
		line = spread(line)
		w.buf = appendEscaped(w.buf, line, false)
		w.units += utf16Len(line)
	}
	if lang != "" {
		w.buf = append(w.buf, "</code>"...)
	}
	w.buf = append(w.buf, "</pre>"...)
}
