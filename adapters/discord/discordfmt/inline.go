package discordfmt

import (
	"strings"

	"github.com/clickai/bridge/internal/markdown"
)

func (w *writer) spans(spans []markdown.Span) { markdown.Write(w, spans, false) }

// Open implements [markdown.Writer].
func (w *writer) Open(st markdown.Style, s *markdown.Span) {
	if st == 0 {
		if masked(s) && !w.noLinks {
			w.buf = append(w.buf, '[')
			w.start = false
		}
		return
	}
	w.style(st, false)
}

// Close implements [markdown.Writer].
func (w *writer) Close(st markdown.Style, s *markdown.Span) {
	if st != 0 {
		w.style(st, true)
		return
	}
	switch {
	case w.noLinks || s.Auto:
	case masked(s):
		w.target(s.URL)
	default:
		_, address, _ := strings.Cut(s.URL, ":")
		w.buf = append(w.buf, " ("...)
		w.escaped(address)
		w.buf = append(w.buf, ')')
	}
}

// masked reports whether Discord shows the link of s as its label. It does so for http and https only, and not for a
// label that is an address itself, which would hide where the link leads.
func masked(s *markdown.Span) bool {
	return !s.Auto && strings.HasPrefix(strings.ToLower(s.URL), "http")
}

func (w *writer) target(url string) {
	w.buf = append(w.buf, "](<"...)
	w.url(url)
	w.buf = append(w.buf, ">)"...)
}

// url writes an address so that it cannot end the brackets around it.
func (w *writer) url(url string) {
	balanced := strings.Count(url, "(") == strings.Count(url, ")")
	for i := range len(url) {
		switch c := url[i]; {
		case c == '<':
			w.buf = append(w.buf, "%3C"...)
		case c == '>':
			w.buf = append(w.buf, "%3E"...)
		case c == '\\':
			w.buf = append(w.buf, "%5C"...)
		case c == '(' && !balanced:
			w.buf = append(w.buf, "%28"...)
		case c == ')' && !balanced:
			w.buf = append(w.buf, "%29"...)
		default:
			w.buf = append(w.buf, c)
		}
	}
}

func (w *writer) style(st markdown.Style, closing bool) {
	mark := ""
	switch st {
	case markdown.Bold:
		if w.plain {
			return
		}
		mark = "**"
	case markdown.Italic:
		mark = "*"
	case markdown.Strike:
		mark = "~~"
	case markdown.Mono: // Text writes it
		return
	}
	// A mark that begins right behind one of the same character that ends would read as one longer mark.
	if !closing && w.closed == len(w.buf) && w.closed > 0 && w.buf[w.closed-1] == mark[0] {
		w.buf = append(w.buf, zeroWidth...)
	}
	w.buf = append(w.buf, mark...)
	if closing {
		w.closed = len(w.buf)
	}
	w.start = false
}

// Text implements [markdown.Writer].
func (w *writer) Text(s *markdown.Span) {
	switch {
	case s.Image:
		w.buf = append(w.buf, "🖼 "...)
		w.start = false
		if s.URL == "" || w.noLinks {
			w.escaped(s.Text)
			return
		}
		w.buf = append(w.buf, '[')
		w.escaped(s.Text)
		w.target(s.URL)
	case s.Style&markdown.Mono != 0:
		w.mono(s.Text)
	case s.Auto && strings.HasPrefix(strings.ToLower(s.Text), "http") && !w.noLinks:
		w.buf = append(w.buf, '<')
		w.url(s.Text)
		w.buf = append(w.buf, '>')
		w.start = false
	default:
		w.escaped(s.Text)
	}
}

// mono writes inline code.
func (w *writer) mono(s string) {
	w.start = false
	if strings.TrimSpace(s) == "" {
		w.buf = append(w.buf, s...)
		return
	}
	if strings.IndexByte(s, '`') < 0 {
		w.buf = append(w.buf, '`')
		w.buf = append(w.buf, strings.ReplaceAll(s, "\n", " ")...)
		w.buf = append(w.buf, '`')
		return
	}
	w.buf = append(w.buf, "`` "...)
	w.code(strings.ReplaceAll(s, "\n", " "))
	w.buf = append(w.buf, " ``"...)
}
