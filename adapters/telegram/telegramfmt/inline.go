package telegramfmt

import (
	"strings"

	"github.com/clickai/bridge/internal/markdown"
)

// Open implements [markdown.Writer].
func (w *writer) Open(st markdown.Style, s *markdown.Span) {
	if st == 0 {
		if linked(s) && !w.noLinks {
			w.href(s.URL)
		}
		return
	}
	w.tag(st, "<")
}

// Close implements [markdown.Writer].
func (w *writer) Close(st markdown.Style, s *markdown.Span) {
	switch {
	case st != 0:
		w.tag(st, "</")
	case linked(s) && !w.noLinks:
		w.buf = append(w.buf, "</a>"...)
	}
}

// linked reports whether the link of s is written as one: addresses that stand in the text as they are Telegram finds by
// itself, but not all of those that GFM finds.
func linked(s *markdown.Span) bool { return !s.Auto || s.URL != s.Text }

func (w *writer) href(url string) {
	w.buf = append(w.buf, `<a href="`...)
	w.buf = appendEscaped(w.buf, url, true)
	w.buf = append(w.buf, `">`...)
}

func (w *writer) tag(st markdown.Style, open string) {
	name := ""
	switch st {
	case markdown.Bold:
		if w.plain {
			return
		}
		name = "b>"
	case markdown.Italic:
		name = "i>"
	case markdown.Strike:
		name = "s>"
	case markdown.Mono: // Text writes it
		return
	}
	w.buf = append(w.buf, open...)
	w.buf = append(w.buf, name...)
}

// Text implements [markdown.Writer].
func (w *writer) Text(s *markdown.Span) {
	switch {
	case s.Image:
		w.raw("🖼 ")
		if s.URL == "" || w.noLinks {
			w.literal(s.Text)
			return
		}
		w.href(s.URL)
		w.literal(s.Text)
		w.buf = append(w.buf, "</a>"...)
	case s.Mono():
		w.buf = append(w.buf, "<code>"...)
		w.buf = appendEscaped(w.buf, s.Text, false)
		w.units += utf16Len(s.Text)
		w.buf = append(w.buf, "</code>"...)
	case s.Auto:
		w.buf = appendEscaped(w.buf, s.Text, false)
		w.units += utf16Len(s.Text)
	default:
		w.literal(s.Text)
	}
}

// literal writes text of the current block.
func (w *writer) literal(s string) {
	for {
		line, rest, found := strings.Cut(s, "\n")
		line = Plain(line)
		if strings.HasSuffix(line, "@") {
			line += joiner // a name may follow in another style
		}
		w.buf = appendEscaped(w.buf, line, false)
		w.units += utf16Len(line)
		if !found {
			return
		}
		if w.unit.Kind == markdown.Heading {
			w.raw(" ")
		} else {
			w.newline()
		}
		s = rest
	}
}
