package discordfmt

import (
	"slices"
	"strings"

	"github.com/clickai/bridge/internal/markdown"
)

func (w *writer) spans(spans []markdown.Span) { markdown.Write(w, honest(spans), false) }

// honest returns the spans with links whose words hold an address as what Discord takes: it shows such a link as its
// source, since the words could hide where it leads. Words that are the address become a bare link; of others the address
// stands behind them.
func honest(spans []markdown.Span) []markdown.Span {
	for i := 0; i < len(spans); {
		n := linkLength(spans[i:])
		label := markdown.PlainSpans(spans[i : i+n])
		if spans[i].URL == "" || spans[i].Auto || !strings.Contains(label, "://") {
			i += n
			continue
		}
		out := slices.Clone(spans[:i])
		url := markdown.Span{Text: spans[i].URL, URL: spans[i].URL, Link: spans[i].Link, Auto: true}
		if label != url.URL {
			for _, s := range spans[i : i+n] {
				s.URL, s.Link, s.Image = "", 0, false
				out = append(out, s)
			}
			out = append(out, markdown.Span{Text: " ("}, url, markdown.Span{Text: ")"})
		} else {
			url.Style = spans[i].Style &^ markdown.Mono
			out = append(out, url)
		}
		return append(out, honest(spans[i+n:])...)
	}
	return spans
}

// unbold returns the spans without bold, and neighbours that are alike now as one, so that what a mention is made of is
// seen as a whole.
func unbold(spans []markdown.Span) []markdown.Span {
	out := make([]markdown.Span, 0, len(spans))
	for _, s := range spans {
		s.Style &^= markdown.Bold
		if n := len(out); n > 0 && s.Style == out[n-1].Style && s.Link == out[n-1].Link && !s.Image && !out[n-1].Image {
			out[n-1].Text += s.Text
			continue
		}
		out = append(out, s)
	}
	return out
}

// linkLength is how many spans the link that the first is of has.
func linkLength(spans []markdown.Span) int {
	n := 1
	for spans[0].Link != 0 && n < len(spans) && spans[n].Link == spans[0].Link {
		n++
	}
	return n
}

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
	if masked(s) && !w.noLinks {
		w.target(s.URL)
	}
}

// masked reports whether the link of s shows as its label and not as its address.
func masked(s *markdown.Span) bool { return !s.Auto }

func (w *writer) target(url string) {
	w.buf = append(w.buf, "](<"...)
	w.url(url, strings.Count(url, "(") == strings.Count(url, ")"))
	w.buf = append(w.buf, ">)"...)
}

// url writes an address so that it cannot end the brackets around it. Parentheses stay as they are where parens is true.
func (w *writer) url(url string, parens bool) {
	for i := range len(url) {
		switch c := url[i]; {
		case c == '<':
			w.buf = append(w.buf, "%3C"...)
		case c == '>':
			w.buf = append(w.buf, "%3E"...)
		case c == '\\':
			w.buf = append(w.buf, "%5C"...)
		case c == '@' && mentions(url[i:]):
			w.buf = append(w.buf, "%40"...)
		case c == '(' && !parens:
			w.buf = append(w.buf, "%28"...)
		case c == ')' && !parens:
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
	case s.Style&markdown.Mono != 0 && s.Link != 0 && strings.ContainsAny(s.Text, "[]"):
		w.escaped(s.Text) // a bracket would end the label, and in code it cannot be escaped
	case s.Style&markdown.Mono != 0:
		w.mono(s.Text)
	case s.Auto && markdown.WebURL(s.Text) && !w.noLinks:
		w.buf = append(w.buf, '<')
		w.url(s.Text, true)
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
	s = strings.ReplaceAll(s, "\n", " ")
	w.buf = append(w.buf, "``"...)
	if strings.HasPrefix(s, "`") {
		w.buf = append(w.buf, ' ')
	}
	w.code(s)
	if strings.HasSuffix(s, "`") {
		w.buf = append(w.buf, ' ')
	}
	w.buf = append(w.buf, "``"...)
}
