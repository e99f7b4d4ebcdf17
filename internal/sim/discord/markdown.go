package discord

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/clickai/bridge/internal/sim"
)

// Discord's Markdown is its own dialect; no Go library parses it. What is rendered here follows
// https://support.discord.com/hc/en-us/articles/210298617 and https://docs.discord.com/developers/reference#message-formatting.

// maxDepth bounds nesting; deeper markup stays literal.
const maxDepth = 16

// Plain is a text as a reader sees it: emphasis, headings, quotes, spoilers and code without their marks, list items
// with "•" or their number, masked links as their label, mentions by name. name resolves a mention of kind "user",
// "role" or "channel"; nil or "" shows it as unknown.
func Plain(text string, name func(kind, id string) string) string {
	r := &reader{name: name}
	r.blocks(text, false)
	return strings.TrimSuffix(r.out.String(), "\n")
}

// reader renders to plain text and collects what it could not make sense of.
type reader struct {
	out      strings.Builder
	name     func(kind, id string) string
	problems []string
	depth    int
}

func (r *reader) problem(p string) {
	if !slices.Contains(r.problems, p) {
		r.problems = append(r.problems, p)
	}
}

var (
	heading  = sim.Regexp(`^(#{1,3})[ \t]+(\S.*)$`)
	subtext  = sim.Regexp(`^-#[ \t]+(\S.*)$`)
	listItem = sim.Regexp(`^( *)([-*]|\d{1,9}\.)[ \t]+(\S.*)$`)
	quote    = sim.Regexp(`^>(?: (.*))?$`)
	fence    = sim.Regexp("^```(?:([A-Za-z0-9_+\\-.#]+)\n)?\n*((?s:.+?))\n*```")
)

func line(s string) (first, rest string, more bool) { return strings.Cut(s, "\n") }

// startsBlock tells whether a line ends the paragraph before it.
func startsBlock(l string, quoted bool) bool {
	return heading().MatchString(l) || subtext().MatchString(l) || listItem().MatchString(l) ||
		(!quoted && (quote().MatchString(l) || strings.HasPrefix(l, ">>> ")))
}

// blocks renders text that starts at the begin of a line. Quotes do not nest.
func (r *reader) blocks(s string, quoted bool) {
	for s != "" {
		l, rest, _ := line(s)
		switch {
		case !quoted && strings.HasPrefix(s, ">>> "):
			r.blocks(s[4:], true)
			return
		case !quoted && quote().MatchString(l):
			s = r.quotes(s)
		case heading().MatchString(l):
			r.inline(heading().FindStringSubmatch(l)[2])
			r.out.WriteByte('\n')
			s = rest
		case subtext().MatchString(l):
			r.inline(subtext().FindStringSubmatch(l)[1])
			r.out.WriteByte('\n')
			s = rest
		case listItem().MatchString(l):
			m := listItem().FindStringSubmatch(l)
			mark := m[2]
			if mark == "-" || mark == "*" {
				mark = "•"
			}
			r.out.WriteString(m[1] + mark + " ")
			r.inline(m[3])
			r.out.WriteByte('\n')
			s = rest
		default:
			s = r.paragraph(s, quoted)
		}
	}
}

// quotes renders the lines that begin with "> " as one block.
func (r *reader) quotes(s string) string {
	var body []string
	for s != "" {
		l, rest, _ := line(s)
		m := quote().FindStringSubmatch(l)
		if m == nil {
			break
		}
		body = append(body, m[1])
		s = rest
	}
	r.blocks(strings.Join(body, "\n")+"\n", true)
	return s
}

// paragraph renders text up to the next block or through the next code fence, and returns the rest.
func (r *reader) paragraph(s string, quoted bool) string {
	i := 0
	for i < len(s) {
		switch {
		case s[i] == '\\' && !strings.HasPrefix(s[i+1:], "\n"):
			i += 2
		case s[i] == '`':
			if m := findFence(s[i:]); m != nil {
				r.inline(s[:i])
				r.fenced(s[i+m[4] : i+m[5]])
				return strings.TrimPrefix(s[i+m[1]:], "\n")
			}
			if n := codeSpan(s[i:]); n > 0 {
				i += n
			} else {
				i += run(s[i:], '`')
			}
		case s[i] == '\n':
			i++
			l, _, _ := line(s[i:])
			if startsBlock(l, quoted) {
				r.inline(s[:i])
				return s[i:]
			}
		default:
			i++
		}
	}
	r.inline(s)
	return ""
}

func (r *reader) fenced(code string) {
	if n := r.out.Len(); n > 0 && !strings.HasSuffix(r.out.String(), "\n") {
		r.out.WriteByte('\n')
	}
	r.out.WriteString(code)
	r.out.WriteByte('\n')
}

// findFence locates the fence that s begins with: the regexp is tried only where it can match.
func findFence(s string) []int {
	if !strings.HasPrefix(s, "```") || !strings.Contains(s[3:], "```") {
		return nil
	}
	return fence().FindStringSubmatchIndex(s)
}

// run is the length of a run of b.
func run(s string, b byte) int {
	n := 0
	for n < len(s) && s[n] == b {
		n++
	}
	return n
}

// codeSpan is the length of the inline code that s begins with, 0 for none.
func codeSpan(s string) int {
	n := run(s, '`')
	for i := n; i < len(s); {
		k := run(s[i:], '`')
		if k == n && i > n {
			return i + n
		}
		i += max(k, 1)
	}
	return 0
}

// inline renders the markup inside a block.
func (r *reader) inline(s string) {
	r.depth++
	defer func() { r.depth-- }()
	for i := 0; i < len(s); {
		if n := r.span(s, i); n > 0 {
			i += n
			continue
		}
		_, n := utf8.DecodeRuneInString(s[i:])
		r.out.WriteString(s[i : i+n])
		i += n
	}
}

const shrug = `¯\_(ツ)_/¯`

// span renders the piece of markup at s[i:], and returns its length; 0 when there is none.
func (r *reader) span(s string, i int) int {
	rest := s[i:]
	switch rest[0] {
	case '\\':
		return r.escape(rest)
	case '`':
		return r.codeOrMark(rest)
	case '<':
		return r.angle(rest)
	case '[':
		return r.link(s, i)
	case 'h':
		return r.bareURL(rest)
	case '*':
		return r.emphasis(s, i, "**", "bold", starEmphasis)
	case '_':
		return r.emphasis(s, i, "__", "underline", underscoreEmphasis)
	case '~':
		return r.emphasis(s, i, "~~", "strikethrough", nil)
	case '|':
		return r.emphasis(s, i, "||", "spoiler", nil)
	case shrug[0]:
		if strings.HasPrefix(rest, shrug) {
			r.out.WriteString(shrug)
			return len(shrug)
		}
	}
	return 0
}

func (r *reader) escape(rest string) int {
	if len(rest) < 2 {
		return 0
	}
	c, n := utf8.DecodeRuneInString(rest[1:])
	if c < utf8.RuneSelf && (unicode.IsLetter(c) || unicode.IsDigit(c)) || unicode.IsSpace(c) {
		return 0
	}
	r.out.WriteString(rest[1 : 1+n])
	return 1 + n
}

func (r *reader) codeOrMark(rest string) int {
	if m := findFence(rest); m != nil {
		r.fenced(rest[m[4]:m[5]])
		return m[1]
	}
	if n := codeSpan(rest); n > 0 {
		ticks := run(rest, '`')
		text := rest[ticks : n-ticks]
		if strings.HasPrefix(strings.TrimLeft(text, " "), "`") {
			text = strings.TrimPrefix(text, " ")
		}
		if strings.HasSuffix(strings.TrimRight(text, " "), "`") {
			text = strings.TrimSuffix(text, " ")
		}
		r.out.WriteString(text)
		return n
	}
	n := run(rest, '`')
	if n >= 3 {
		r.problem("code fence is not closed")
	} else {
		r.problem("code is not closed")
	}
	r.out.WriteString(rest[:n])
	return n
}

// starEmphasis finds the end of *text*: no space after the first star, none before the last.
func starEmphasis(s string) int {
	if len(s) < 3 || isSpace(s[1]) {
		return 0
	}
	for j := 1; j < len(s); {
		switch {
		case s[j] == '\\':
			j += 2
		case s[j] == '*' && j+1 < len(s) && s[j+1] == '*':
			j += 2
		case s[j] == '*':
			if j == 1 || isSpace(s[j-1]) {
				return 0
			}
			return j + 1
		default:
			j++
		}
	}
	return 0
}

// underscoreEmphasis finds the end of _text_, which no word character may follow.
func underscoreEmphasis(s string) int {
	for j := 1; j < len(s); {
		switch {
		case s[j] == '\\':
			j += 2
		case s[j] == '_' && j+1 < len(s) && s[j+1] == '_':
			j += 2
		case s[j] == '_':
			if j > 1 && (j+1 == len(s) || !isWord(s[j+1])) {
				return j + 1
			}
			j++
		default:
			j++
		}
	}
	return 0
}

func isSpace(b byte) bool { return b == ' ' || b == '\t' || b == '\n' }

func isWord(b byte) bool {
	return b == '_' || b >= '0' && b <= '9' || b >= 'a' && b <= 'z' || b >= 'A' && b <= 'Z'
}

// pair finds the end of text between two double marks.
func pair(s, mark string) int {
	for j := 2; j+2 <= len(s); {
		switch {
		case s[j] == '\\' && mark != "||":
			j += 2
		case s[j:j+2] == mark && j > 2 && (mark == "||" || mark == "~~" || j+2 == len(s) || s[j+2] != mark[0]):
			return j + 2
		default:
			j++
		}
	}
	return 0
}

// emphasis renders double marks and, where the dialect has them, single ones.
func (r *reader) emphasis(s string, i int, double, what string, single func(string) int) int {
	rest := s[i:]
	if r.depth > maxDepth {
		return 0
	}
	if strings.HasPrefix(rest, double) {
		if n := pair(rest, double); n > 0 {
			r.inline(rest[2 : n-2])
			return n
		}
	}
	if single != nil {
		if n := single(rest); n > 0 {
			r.inline(rest[1 : n-1])
			return n
		}
	}
	if !strings.HasPrefix(rest, double) {
		return 0
	}
	n := run(rest, double[0])
	spaced := (i == 0 || isSpace(s[i-1])) && (n == len(rest) || isSpace(rest[n]))
	alone := spaced && strings.TrimSpace(lineAround(s, i)) != rest[:n]
	if !alone {
		r.problem(what + " is not closed")
	}
	r.out.WriteString(rest[:n])
	return n
}

// lineAround is the line that position i stands in.
func lineAround(s string, i int) string {
	from := strings.LastIndexByte(s[:i], '\n') + 1
	l, _, _ := line(s[from:])
	return l
}
