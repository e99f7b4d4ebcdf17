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

// layout is what fits into a message. Size leaves room for what is closed at the end of running text.
func layout(size int) markdown.Limits {
	return markdown.Limits{Size: size - 20, Weights: codeWeights, Fence: 16, TableWidth: 64}
}

// Render writes the source as messages: in the end at least one if it is not blank. It is pure and safe for concurrent
// use. With final false the source may stop anywhere; all parts but the last then stay as they are when it grows, and there
// is none while nothing can be shown yet.
func Render(source string, final bool) []core.Part {
	return render(source, final, MaxContent)
}

func render(source string, final bool, size int) []core.Part {
	if markdown.Blank(source) {
		return nil
	}
	units := markdown.Parse(source, markdown.Options{Final: final, Chunk: size * 11 / 20, Weights: weights})
	messages := markdown.Layout(units, layout(size))
	parts := make([]core.Part, 0, len(messages)+1)
	w := writer{buf: make([]byte, 0, min(2*len(source)+64, 3*size))}
	for _, m := range messages {
		text := w.message(m)
		if utf16Len(text) > size {
			w.noLinks = true
			text = w.message(m)
			w.noLinks = false
		}
		plain := cut(markdown.Plain(m, defuse), size)
		if utf16Len(text) > size {
			text = cut(Escape(plain), size)
		}
		if strings.TrimSpace(text) != "" {
			parts = append(parts, core.Part{Text: text, Plain: plain})
		}
	}
	if len(parts) == 0 && final {
		text := cut(markdown.Placeholder(source), size/3)
		parts = append(parts, core.Part{Text: Escape(text), Plain: defuse(text)})
	}
	return parts
}

// writer writes one message.
type writer struct {
	buf     []byte
	noLinks bool

	unit   *markdown.Unit
	start  bool // nothing of the current line's text is written yet
	plain  bool // no bold: the whole is bold already
	closed int  // where the last closing mark ends
}

func (w *writer) message(units []*markdown.Unit) string {
	w.buf, w.closed = w.buf[:0], 0
	for i, u := range units {
		if i > 0 {
			w.separate(units[i-1], u)
		}
		w.block(u, i == 0 || !u.Cont || u.Kind != markdown.Paragraph && u.Kind != markdown.Heading)
	}
	return string(w.buf)
}

// separate writes what stands between two blocks.
func (w *writer) separate(before, u *markdown.Unit) {
	if u.Cont && (u.Kind == markdown.Paragraph || u.Kind == markdown.Heading) {
		if u.Glue == "\n" {
			w.unit = u
			w.newline()
		} else {
			w.buf = append(w.buf, u.Glue...)
		}
		return
	}
	w.buf = append(w.buf, '\n')
	if u.Gap || before.Quote > 0 && u.Quote == 0 {
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
	if u.Item.Depth == 0 {
		return
	}
	n := u.Item.Indent + 2
	if u.Item.Ordered {
		n += len(strconv.Itoa(u.Item.Number))
	}
	for range n {
		w.buf = append(w.buf, ' ')
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
	for range u.Item.Indent {
		w.buf = append(w.buf, ' ')
	}
	if u.Item.Ordered {
		w.buf = strconv.AppendInt(w.buf, int64(u.Item.Number), 10)
		w.buf = append(w.buf, ". "...)
	} else {
		w.buf = append(w.buf, "- "...)
	}
	switch u.Item.Task {
	case markdown.Undone:
		w.buf = append(w.buf, "☐ "...)
	case markdown.Done:
		w.buf = append(w.buf, "☑ "...)
	case markdown.NoTask:
	}
}

func (w *writer) heading(u *markdown.Unit) {
	if u.Level <= 3 && u.Item.Depth == 0 {
		w.buf = append(w.buf, "###"[:u.Level]...)
		w.buf = append(w.buf, ' ')
		w.spans(u.Spans)
		return
	}
	w.buf = append(w.buf, "**"...)
	w.plain, w.start = true, false
	w.spans(u.Spans)
	w.plain = false
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
