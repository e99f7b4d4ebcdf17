package discordfmt

import (
	"strconv"
	"strings"

	"github.com/clickai/bridge/core"
	"github.com/clickai/bridge/internal/markdown"
)

// MaxContent is the longest content of a message. Discord says 2,000 characters and not which; UTF-16 units are never
// fewer than what it may count.
const MaxContent = 2000

// weights bound what each character of the source becomes: an escaped one takes two units, and a < of a mention three.
var weights = markdown.NewWeights(1, 1, 1, 2, map[byte]uint8{
	'\\': 2, '*': 2, '_': 2, '~': 2, '`': 3, '|': 2, '<': 3, '>': 3, '#': 2, '-': 2, '+': 2, '[': 2, ']': 2, '.': 2,
	'(': 3, ')': 3, ':': 2, '@': 2, '!': 2, '$': 2, '&': 2,
})

// codeWeights are those of code, where only backticks change.
var codeWeights = markdown.NewWeights(1, 1, 1, 2, map[byte]uint8{'`': 2})

func options(size int) markdown.Options {
	return markdown.Options{Chunk: size * 11 / 20, Weights: weights, Linkable: markdown.WebURL}
}

// layout is what fits into a message. Size leaves room for what is closed at the end of running text.
func layout(size int) markdown.Limits {
	return markdown.Limits{Size: size - 20, Weights: codeWeights, Fence: 16, TableWidth: 64}
}

// format is how answers are written into messages of at most size units.
func format(size int) *markdown.Format[core.Part] {
	return &markdown.Format[core.Part]{
		Options: options(size), Limits: layout(size), Literal: markdown.Literal{Chars: "@<", Write: defuse},
		NewWriter: func() markdown.Writer[core.Part] { return &writer{size: size} },
		Source: func(source string) core.Part {
			source = cut(source, size/3)
			return core.Part{Text: Escape(source), Plain: defuse(source)}
		},
	}
}

var whole = format(MaxContent)

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
	closed int // where the last closing mark ends

	unit  *markdown.Unit
	start bool // nothing of the current line's text is written yet

	saved struct{ length, closed int }
}

// Begin implements [markdown.Writer].
func (w *writer) Begin() { w.buf, w.closed = w.buf[:0], 0 }

// Save implements [markdown.Writer].
func (w *writer) Save() { w.saved.length, w.saved.closed = len(w.buf), w.closed }

// Restore implements [markdown.Writer].
func (w *writer) Restore() { w.buf, w.closed = w.buf[:w.saved.length], w.saved.closed }

// Block implements [markdown.Writer].
func (w *writer) Block(u, before *markdown.Unit) {
	if before != nil {
		w.separate(before, u)
	}
	w.block(u, before == nil || !u.Cont || u.Kind != markdown.Paragraph && u.Kind != markdown.Heading)
}

// End implements [markdown.Writer].
func (w *writer) End(units []*markdown.Unit, plain []byte) (core.Part, bool) {
	n := utf16Len(w.buf)
	if n > w.size && !w.noLinks {
		short := &writer{size: w.size, noLinks: true}
		var before *markdown.Unit
		for _, u := range units {
			short.Block(u, before)
			before = u
		}
		return short.End(units, plain)
	}
	p := core.Part{Text: string(w.buf), Plain: cut(string(plain), w.size)}
	if n > w.size {
		p.Text = cut(Escape(p.Plain), w.size)
	}
	return p, strings.TrimSpace(p.Text) != ""
}

// separate writes what stands between two blocks.
func (w *writer) separate(before, u *markdown.Unit) {
	if u.Cont && (u.Kind == markdown.Paragraph || u.Kind == markdown.Heading) {
		switch {
		case u.Glue == "\n":
			w.unit = u
			w.newline()
		case u.Glue == "" && markdown.CutsMention(w.buf):
			w.buf = append(w.buf, zeroWidth...)
		default:
			w.buf = append(w.buf, u.Glue...)
		}
		return
	}
	w.buf = append(w.buf, '\n')
	if u.Gap || before.Quote > 0 && u.Quote == 0 && !before.QuoteInItem() {
		if u.Quote > 0 && before.Quote > 0 {
			w.buf = append(w.buf, '>', ' ')
		}
		w.buf = append(w.buf, '\n')
	}
}

func (w *writer) quote(u *markdown.Unit) {
	if u.Quote == 0 {
		return
	}
	w.buf = append(w.buf, '>', ' ')
	for range u.Quote - 1 {
		w.buf = append(w.buf, "› "...)
	}
}

// indent writes what stands before the lines of an item after its first.
func (w *writer) indent(u *markdown.Unit) {
	if u.Item.Depth == 0 || u.QuoteInItem() {
		return
	}
	n := u.Item.Indent + 2
	if boxed(u) {
		w.enSpaces(n)
		return
	}
	if u.Item.Ordered {
		n += len(strconv.Itoa(u.Item.Number))
	}
	for range n {
		w.buf = append(w.buf, ' ')
	}
}

// boxed reports whether a block stands in an item that has a box for its mark, and so is a line of text for Discord.
func boxed(u *markdown.Unit) bool { return u.Item.Task != markdown.NoTask && !u.Item.Ordered }

func (w *writer) enSpaces(n int) {
	for range n {
		w.buf = append(w.buf, "\u2002"...)
	}
}

func (w *writer) newline() {
	w.buf = append(w.buf, '\n')
	w.quote(w.unit)
	w.indent(w.unit)
	w.start = true
}

func (w *writer) block(u *markdown.Unit, fresh bool) {
	w.unit = u
	if !fresh {
		w.spans(u.Spans)
		return
	}
	w.quote(u)
	fenced := u.Kind == markdown.Code || u.Kind == markdown.Math || u.Kind == markdown.Table
	switch {
	case u.Item.First:
		w.mark(u)
		if fenced {
			w.buf = append(w.buf, '\n')
			w.quote(u)
		}
	case !fenced:
		w.indent(u)
	}
	w.start = true
	switch u.Kind {
	case markdown.Heading:
		w.heading(u)
	case markdown.Code:
		w.fence(u, language(u.Lang), u.Lines)
	case markdown.Math:
		w.fence(u, "latex", u.Lines)
	case markdown.Table:
		w.fence(u, "", u.Table.Lines())
	case markdown.Rule:
		w.buf = append(w.buf, "──────────"...)
	case markdown.Paragraph:
		w.spans(u.Spans)
	}
}

func (w *writer) mark(u *markdown.Unit) {
	if boxed(u) {
		w.enSpaces(u.Item.Indent)
		w.buf = append(w.buf, u.Item.Task.Box()...)
		return
	}
	for range u.Item.Indent {
		w.buf = append(w.buf, ' ')
	}
	if u.Item.Ordered {
		w.buf = strconv.AppendInt(w.buf, int64(u.Item.Number), 10)
		w.buf = append(w.buf, ". "...)
	} else {
		w.buf = append(w.buf, "- "...)
	}
	w.buf = append(w.buf, u.Item.Task.Box()...)
}

func (w *writer) heading(u *markdown.Unit) {
	if u.Level <= 3 && u.Item.Depth == 0 {
		w.buf = append(w.buf, "###"[:u.Level]...)
		w.buf = append(w.buf, ' ')
		w.spans(u.Spans)
		return
	}
	w.buf = append(w.buf, "**"...)
	w.start = false
	w.spans(unbold(u.Spans))
	w.buf = append(w.buf, "**"...)
}

func (w *writer) fence(u *markdown.Unit, lang string, lines []string) {
	w.buf = append(w.buf, "```"...)
	w.buf = append(w.buf, lang...)
	for _, line := range lines {
		w.buf = append(w.buf, '\n')
		w.quote(u)
		w.code(line)
	}
	w.buf = append(w.buf, '\n')
	w.quote(u)
	w.buf = append(w.buf, "```"...)
}

// code writes literal text that cannot end a fence.
func (w *writer) code(s string) {
	for {
		i := strings.Index(s, "``")
		if i < 0 {
			w.buf = append(w.buf, s...)
			return
		}
		w.buf = append(w.buf, s[:i+1]...)
		w.buf = append(w.buf, zeroWidth...)
		s = s[i+1:]
	}
}

// language is a fence's language if Discord takes it as one.
func language(lang string) string {
	if len(lang) > 20 {
		return ""
	}
	for i := range len(lang) {
		switch c := lang[i]; {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', strings.IndexByte("+-#_.", c) >= 0:
		default:
			return ""
		}
	}
	return lang
}
