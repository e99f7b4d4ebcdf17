package markup

import (
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"
)

// ErrMode is returned for a parse mode that Telegram does not know.
var ErrMode = errors.New("unsupported parse_mode")

// ParseError is a text that Telegram refuses. Its message is what follows "can't parse entities: " on the wire.
type ParseError struct{ Reason string }

func (e *ParseError) Error() string { return e.Reason }

func refuse(format string, args ...any) error {
	return &ParseError{Reason: fmt.Sprintf(format, args...)}
}

// Parse reads s in a parse mode ("", "HTML", "MarkdownV2" or "Markdown"; case does not matter). The result is not yet
// in stored form: see [Normalize]. Errors are [ErrMode] or a [*ParseError].
func Parse(mode, s string) (Text, error) {
	if !utf8.ValidString(s) {
		return Text{}, refuse("Strings must be encoded in UTF-8")
	}
	var parse func(string) (Text, error)
	switch strings.ToLower(mode) {
	case "", "none":
		return Text{Text: s}, nil
	case "html":
		parse = parseHTML
	case "markdownv2":
		parse = parseMarkdownV2
	case "markdown":
		parse = parseMarkdown
	default:
		return Text{}, ErrMode
	}
	t, err := parse(s)
	if err != nil {
		return Text{}, err
	}
	return t, nil
}

// output collects plain text and knows how many UTF-16 units it holds.
type output struct {
	text     strings.Builder
	units    int
	entities []Entity
}

func (o *output) rune(r rune) {
	o.text.WriteRune(r)
	o.units++
	if r > 0xffff {
		o.units++
	}
}

// add closes an entity that began at unit start; empty ones are left out.
func (o *output) add(e Entity, start int) {
	if o.units == start {
		return
	}
	e.Offset, e.Length = start, o.units-start
	o.entities = append(o.entities, e)
}

func (o *output) result() Text {
	sortEntities(o.entities)
	return Text{Text: o.text.String(), Entities: o.entities}
}

// source reads a text byte by byte; past its end it reads zeros, which are white space as the server sees it.
type source struct {
	s   string
	pos int
}

func (s *source) at(ahead int) byte {
	if i := s.pos + ahead; i >= 0 && i < len(s.s) {
		return s.s[i]
	}
	return 0
}

func (s *source) done() bool { return s.pos >= len(s.s) }

func (s *source) has(prefix string) bool {
	return strings.HasPrefix(s.s[min(s.pos, len(s.s)):], prefix)
}

// next takes one character.
func (s *source) next() rune {
	r, n := utf8.DecodeRuneInString(s.s[s.pos:])
	s.pos += n
	return r
}

// take moves on while ok holds and returns what was passed.
func (s *source) take(ok func(byte) bool) string {
	start := s.pos
	for s.pos < len(s.s) && ok(s.s[s.pos]) {
		s.pos++
	}
	return s.s[start:s.pos]
}

func (s *source) skipSpace() { s.take(isSpace) }

func isSpace(c byte) bool {
	switch c {
	case ' ', '\t', '\n', '\r', '\v', 0:
		return true
	}
	return false
}

func isAlpha(c byte) bool { return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' }

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

// link makes the entity of a link: a mention for tg://user?id=, a text_link for a good address, none otherwise.
func link(target string) (Entity, bool) {
	if id, ok := userLink(target); ok {
		return Entity{Type: TextMention, User: &User{ID: id}}, true
	}
	if u, ok := CheckLink(target); ok {
		return Entity{Type: TextLink, URL: u}, true
	}
	return Entity{}, false
}
