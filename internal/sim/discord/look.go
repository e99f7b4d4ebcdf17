package discord

import (
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/clickai/bridge/internal/sim"
)

var (
	_ sim.Looker = (*Server)(nil)

	errNoMessage = errors.New("there is no such message")
)

// Look is a message as a client draws it: its content, then the texts of its embeds and components.
func (s *Server) Look(at sim.Ref) ([]sim.Block, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	id := at.Room
	if at.Thread != "" {
		id = at.Thread
	}
	c := s.channels[id]
	if c == nil {
		return nil, fmt.Errorf("look at message %s in %s: %w", at.ID, id, errNoMessage)
	}
	m := c.message(at.ID)
	if m == nil {
		return nil, fmt.Errorf("look at message %s in %s: %w", at.ID, id, errNoMessage)
	}
	return Look(m.flat(), s.shownName), nil
}

// shownName is what a mention shows; called with mu held.
func (s *Server) shownName(kind, id string) string {
	return s.plain(map[string]string{"user": "<@", "role": "<@&", "channel": "<#"}[kind] + id + ">")
}

// Look is a text as a client draws it. name is as for [Plain], and what the result says is what Plain says.
func Look(text string, name func(kind, id string) string) []sim.Block {
	l := &looker{name: name}
	l.blocks(text, 0)
	return l.out
}

// looker reads the dialect as [reader] does, with the same tests of what is markup, and keeps the form.
type looker struct {
	out   []sim.Block
	name  func(kind, id string) string
	depth int
}

// blocks reads text that begins at the start of a line. Quotes do not nest.
func (l *looker) blocks(s string, quote int) {
	for s != "" {
		first, rest, _ := line(s)
		switch {
		case quote == 0 && strings.HasPrefix(s, ">>> "):
			l.blocks(s[4:], 1)
			return
		case quote == 0 && quoteLine(first):
			s = l.quotes(s)
		case heading().MatchString(first):
			m := heading().FindStringSubmatch(first)
			l.add(sim.Block{Kind: sim.HeadingBlock, Level: len(m[1]), Quote: quote, Spans: l.inline(m[2], sim.Span{})})
			s = rest
		case subtext().MatchString(first):
			m := subtext().FindStringSubmatch(first)
			l.add(sim.Block{Kind: sim.QuietBlock, Quote: quote, Spans: l.inline(m[1], sim.Span{})})
			s = rest
		case listItem().MatchString(first):
			l.item(listItem().FindStringSubmatch(first), quote)
			s = rest
		default:
			s = l.paragraph(s, quote)
		}
	}
}

func quoteLine(l string) bool { return quote().MatchString(l) }

func (l *looker) add(b sim.Block) { l.out = append(l.out, b) }

// item draws an item with the client's own bullet: a disc in an outer list, a circle in inner ones.
func (l *looker) item(m []string, quote int) {
	indent, mark := len(m[1])/2, m[2]
	if mark == "-" || mark == "*" {
		mark = "•"
		if indent > 0 {
			mark = "◦"
		}
	}
	l.add(sim.Block{Kind: sim.LineBlock, Quote: quote, Indent: indent, Mark: mark, Spans: l.inline(m[3], sim.Span{})})
}

func (l *looker) quotes(s string) string {
	var body []string
	for s != "" {
		first, rest, _ := line(s)
		m := quote().FindStringSubmatch(first)
		if m == nil {
			break
		}
		body = append(body, m[1])
		s = rest
	}
	l.blocks(strings.Join(body, "\n")+"\n", 1)
	return s
}

// paragraph reads text up to the next block or through the next code fence, and returns the rest.
func (l *looker) paragraph(s string, quote int) string {
	i := 0
	for i < len(s) {
		switch {
		case s[i] == '\\' && !strings.HasPrefix(s[i+1:], "\n"):
			i += 2
		case s[i] == '`':
			if m := findFence(s[i:]); m != nil {
				l.text(s[:i], quote)
				l.fenced(s[i:], m, quote)
				return strings.TrimPrefix(s[i+m[1]:], "\n")
			}
			if n := codeSpan(s[i:]); n > 0 {
				i += n
			} else {
				i += run(s[i:], '`')
			}
		case s[i] == '\n':
			i++
			first, _, _ := line(s[i:])
			if startsBlock(first, quote > 0) {
				l.text(s[:i], quote)
				return s[i:]
			}
		default:
			i++
		}
	}
	l.text(s, quote)
	return ""
}

// text draws lines of which the last one ends, too.
func (l *looker) text(s string, quote int) {
	if s == "\n" {
		l.add(sim.Block{Kind: sim.LineBlock, Quote: quote})
		return
	}
	l.lines(strings.TrimSuffix(s, "\n"), quote)
}

// lines draws text whose styles may go over the ends of lines.
func (l *looker) lines(s string, quote int) {
	if s == "" {
		return
	}
	var now []sim.Span
	flush := func() {
		l.add(sim.Block{Kind: sim.LineBlock, Quote: quote, Spans: now})
		now = nil
	}
	for _, span := range l.inline(s, sim.Span{}) {
		for i, part := range strings.Split(span.Text, "\n") {
			if i > 0 {
				flush()
			}
			span.Text = part
			now = sim.AppendSpan(now, span)
		}
	}
	flush()
}

func (l *looker) fenced(s string, m []int, quote int) {
	b := sim.Block{Kind: sim.CodeBlock, Quote: quote, Spans: []sim.Span{{Text: s[m[4]:m[5]]}}}
	if m[2] >= 0 {
		b.Lang = s[m[2]:m[3]]
	}
	l.add(b)
}

// inline reads the markup inside a block; as is the form around it.
func (l *looker) inline(s string, as sim.Span) []sim.Span {
	l.depth++
	defer func() { l.depth-- }()
	var out []sim.Span
	plain := 0 // where the text begins that is not in out yet
	literal := func(to int) {
		as.Text = s[plain:to]
		out = sim.AppendSpan(out, as)
	}
	for i := 0; i < len(s); {
		if spans, n := l.span(s, i, as); n > 0 {
			literal(i)
			for _, x := range spans {
				out = sim.AppendSpan(out, x)
			}
			i += n
			plain = i
			continue
		}
		_, n := utf8.DecodeRuneInString(s[i:])
		i += n
	}
	literal(len(s))
	return out
}

// span reads the piece of markup at s[i:], and returns what it draws and its length; 0 when there is none.
func (l *looker) span(s string, i int, as sim.Span) ([]sim.Span, int) {
	rest := s[i:]
	say := func(text string, n int) ([]sim.Span, int) {
		as.Text = text
		return []sim.Span{as}, n
	}
	switch rest[0] {
	case '\\':
		return say(l.reread(rest, (*reader).escape))
	case '`':
		return l.code(rest, as)
	case '<':
		return l.angle(rest, as)
	case '[':
		return l.link(rest, as)
	case 'h':
		u := bareURL().FindString(rest)
		as.URL = u
		return say(u, len(u))
	case '*':
		return l.emphasis(rest, as, "**", sim.Bold, starEmphasis)
	case '_':
		return l.emphasis(rest, as, "__", sim.Underline, underscoreEmphasis)
	case '~':
		return l.emphasis(rest, as, "~~", sim.Strike, nil)
	case '|':
		return l.emphasis(rest, as, "||", sim.Spoiler, nil)
	case shrug[0]:
		if strings.HasPrefix(rest, shrug) {
			return say(shrug, len(shrug))
		}
	}
	return nil, 0
}

// reread reads one piece with the reader of plain text.
func (l *looker) reread(rest string, read func(*reader, string) int) (string, int) {
	r := &reader{name: l.name}
	n := read(r, rest)
	return r.out.String(), n
}

func (l *looker) code(rest string, as sim.Span) ([]sim.Span, int) {
	text, n := l.reread(rest, (*reader).codeOrMark)
	if codeSpan(rest) > 0 {
		as.Style |= sim.Mono
	}
	as.Text = text
	return []sim.Span{as}, n
}

func (l *looker) angle(rest string, as sim.Span) ([]sim.Span, int) {
	text, n := l.reread(rest, (*reader).angle)
	if n == 0 {
		return nil, 0
	}
	switch {
	case angleMention().MatchString(rest) && strings.HasPrefix(rest, "<#"), angleCommand().MatchString(rest):
		as.Style |= sim.Active
	case angleMention().MatchString(rest):
		as.Style |= sim.Ping
	case angleURL().MatchString(rest):
		as.URL = text
	}
	as.Text = text
	return []sim.Span{as}, n
}

func (l *looker) link(rest string, as sim.Span) ([]sim.Span, int) {
	n := label(rest)
	if n == 0 || n == len(rest) || rest[n] != '(' {
		return nil, 0
	}
	text := rest[1 : n-1]
	m := linkTarget().FindStringSubmatch(rest[n:])
	if m == nil || strings.TrimSpace(text) == "" || strings.Contains(text, "http://") || strings.Contains(text, "https://") || l.depth > maxDepth {
		return nil, 0
	}
	as.URL = m[1]
	return l.inline(text, as), n + len(m[0])
}

// emphasis reads double marks and, where the dialect has them, single ones, which are italic.
func (l *looker) emphasis(rest string, as sim.Span, double string, style sim.Style, single func(string) int) ([]sim.Span, int) {
	if l.depth <= maxDepth {
		if strings.HasPrefix(rest, double) {
			if n := pair(rest, double); n > 0 {
				as.Style |= style
				return l.inline(rest[2:n-2], as), n
			}
		}
		if single != nil {
			if n := single(rest); n > 0 {
				as.Style |= sim.Italic
				return l.inline(rest[1:n-1], as), n
			}
		}
	}
	if !strings.HasPrefix(rest, double) {
		return nil, 0
	}
	as.Text = rest[:run(rest, double[0])]
	return []sim.Span{as}, len(as.Text)
}
