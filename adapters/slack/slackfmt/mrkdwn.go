package slackfmt

import (
	"strconv"
	"strings"

	"github.com/clickai/bridge/internal/markdown"
)

// mrkdwn writes the text of a message. Its markup has no escapes but those of & < >, so a character that would begin a
// style gets a word joiner behind it, which keeps Slack from reading it as one.
type mrkdwn struct {
	buf     []byte
	noLinks bool
	unit    *markdown.Unit
	plain   bool // no bold: the whole is bold already
}

// joiner is a word joiner (U+2060): it shows nothing and takes no room.
const joiner = "\u2060"

// unitText writes the next block; before is the one before it, nil for the first.
func (w *mrkdwn) unitText(u, before *markdown.Unit) {
	w.unit = u
	inline := before != nil && u.Cont && (u.Kind == markdown.Paragraph || u.Kind == markdown.Heading)
	switch {
	case before == nil:
	case inline && u.Glue == "\n":
		w.newline()
	case inline:
		w.buf = append(w.buf, u.Glue...)
	case u.Gap:
		w.buf = append(w.buf, "\n\n"...)
	default:
		w.buf = append(w.buf, '\n')
	}
	w.block(u, inline)
}

func (w *mrkdwn) quote() {
	for range w.unit.Quote {
		w.buf = append(w.buf, "> "...)
	}
}

func (w *mrkdwn) newline() {
	w.buf = append(w.buf, '\n')
	w.quote()
	w.indent(w.unit)
}

// indent writes what stands before the lines of an item after its first.
func (w *mrkdwn) indent(u *markdown.Unit) {
	if u.Item.Depth > 0 && !u.QuoteInItem() {
		w.spaces(u.Item.Indent + 2)
	}
}

func (w *mrkdwn) spaces(n int) {
	for range n {
		w.buf = append(w.buf, ' ')
	}
}

func (w *mrkdwn) block(u *markdown.Unit, inline bool) {
	if inline {
		w.spans(u)
		return
	}
	fenced := u.Kind == markdown.Code || u.Kind == markdown.Math || u.Kind == markdown.Table
	w.quote()
	switch {
	case u.Item.First:
		w.spaces(u.Item.Indent)
		w.buf = append(w.buf, mark(u)...)
		if fenced {
			w.buf = append(w.buf, '\n')
			w.quote()
		}
	case !fenced:
		w.indent(u)
	}
	switch u.Kind {
	case markdown.Code, markdown.Math:
		w.fence(u.Lines)
	case markdown.Table:
		w.fence(u.Table.Lines())
	case markdown.Rule:
		w.buf = append(w.buf, dashes...)
	case markdown.Paragraph, markdown.Heading:
		w.spans(u)
	}
}

// dashes is a rule where no divider can be.
const dashes = "──────────"

// mark is a list mark as text.
func mark(u *markdown.Unit) string {
	switch {
	case u.Item.Ordered:
		return strconv.Itoa(u.Item.Number) + ". " + u.Item.Task.Box()
	case u.Item.Task != markdown.NoTask:
		return u.Item.Task.Box()
	}
	return "• "
}

func (w *mrkdwn) spans(u *markdown.Unit) {
	if u.Kind != markdown.Heading {
		markdown.Write(w, u.Spans, false)
		return
	}
	w.plain = true
	w.buf = append(w.buf, '*')
	markdown.Write(w, u.Spans, false)
	w.buf = append(w.buf, '*')
	w.plain = false
}

func (w *mrkdwn) fence(lines []string) {
	w.buf = append(w.buf, "```"...)
	for _, line := range lines {
		w.buf = append(w.buf, '\n')
		w.quote()
		w.code(line)
	}
	w.buf = append(w.buf, '\n')
	w.quote()
	w.buf = append(w.buf, "```"...)
}

// code writes literal text that cannot end a fence.
func (w *mrkdwn) code(s string) {
	for {
		i := strings.Index(s, "``")
		if i < 0 {
			w.buf = appendEscaped(w.buf, s)
			return
		}
		w.buf = appendEscaped(w.buf, s[:i+1])
		w.buf = append(w.buf, joiner...)
		s = s[i+1:]
	}
}

// Open implements [markdown.Writer].
func (w *mrkdwn) Open(st markdown.Style, s *markdown.Span) {
	if st != 0 {
		w.style(st)
	} else if !w.noLinks {
		w.buf = append(w.buf, '<')
		w.url(s.URL)
		w.buf = append(w.buf, '|')
	}
}

// Close implements [markdown.Writer].
func (w *mrkdwn) Close(st markdown.Style, _ *markdown.Span) {
	if st != 0 {
		w.style(st)
	} else if !w.noLinks {
		w.buf = append(w.buf, '>')
	}
}

func (w *mrkdwn) style(st markdown.Style) {
	switch st {
	case markdown.Bold:
		if !w.plain {
			w.buf = append(w.buf, '*')
		}
	case markdown.Italic:
		w.buf = append(w.buf, '_')
	case markdown.Strike:
		w.buf = append(w.buf, '~')
	case markdown.Mono: // Text writes it
	}
}

// url writes the address of a link: a | or > would end it.
func (w *mrkdwn) url(url string) {
	from := 0
	for i := range len(url) {
		ref := ""
		switch url[i] {
		case '|':
			ref = "%7C"
		case '<':
			ref = "%3C"
		case '>':
			ref = "%3E"
		case '&':
			ref = "&amp;"
		default:
			continue
		}
		w.buf = append(w.buf, url[from:i]...)
		w.buf = append(w.buf, ref...)
		from = i + 1
	}
	w.buf = append(w.buf, url[from:]...)
}

// Text implements [markdown.Writer].
func (w *mrkdwn) Text(s *markdown.Span) {
	switch {
	case s.Image:
		w.buf = append(w.buf, "🖼 "...)
		if s.URL == "" || w.noLinks {
			w.literal(s.Text)
			return
		}
		w.Open(0, s)
		w.literal(s.Text)
		w.buf = append(w.buf, '>')
	case s.Style&markdown.Mono != 0 && strings.TrimSpace(s.Text) != "":
		w.buf = append(w.buf, '`')
		w.buf = appendEscaped(w.buf, strings.ReplaceAll(s.Text, "`", "'"))
		w.buf = append(w.buf, '`')
	default:
		w.literal(s.Text)
	}
}

// literal writes text of the current block.
func (w *mrkdwn) literal(s string) {
	from := 0
	for i := 0; i < len(s); i++ {
		switch c := s[i]; c {
		case '\n':
			w.buf = appendEscaped(w.buf, s[from:i])
			from = i + 1
			if w.unit.Kind == markdown.Heading {
				w.buf = append(w.buf, ' ')
			} else {
				w.newline()
			}
		case '*', '_', '~', '`':
			w.buf = appendEscaped(w.buf, s[from:i+1])
			from = i + 1
			if i == 0 || !isWord(s[i-1]) {
				w.buf = append(w.buf, joiner...)
			}
		}
	}
	w.buf = appendEscaped(w.buf, s[from:])
}

func isWord(c byte) bool {
	return c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c == '_' || c >= 0x80
}
