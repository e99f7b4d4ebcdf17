package slack

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/clickai/bridge/internal/sim"
)

// names turns ids into what a reader sees.
type names struct {
	user    func(id string) string
	channel func(id string) string
}

func (s *Server) namesLocked() names {
	return names{
		user: s.displayLocked,
		channel: func(id string) string {
			if ch := s.byID[id]; ch != nil {
				return ch.name
			}
			return id
		},
	}
}

var (
	// control is everything that stands in angle brackets.
	control = sim.Regexp(`<([^<>\n]+)>`)
	scheme  = sim.Regexp(`^[a-zA-Z][a-zA-Z0-9+.-]*:\S`)
	// mention has the form of the sequences that notify; see mentionsIn.
	mention = sim.Regexp(`<(?:![a-z]+(?:\^[^<>|\n]*)?|@[A-Z0-9]+)(?:\|[^<>\n]*)?>`)

	entities = strings.NewReplacer("&lt;", "<", "&gt;", ">", "&amp;", "&")
	escapes  = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;")
)

// Literal characters are kept from being read as markup by moving them to a private plane until the end.
const hidden = 0xF0000

func hide(s string) string {
	return strings.Map(func(r rune) rune {
		if r < 0x80 && !unicode.IsLetter(r) && !unicode.IsSpace(r) {
			return r + hidden
		}
		return r
	}, s)
}

func unhide(s string) string {
	return strings.Map(func(r rune) rune {
		if r >= hidden && r < hidden+0x80 {
			return r - hidden
		}
		return r
	}, s)
}

// sequence reads what stands in angle brackets; false if Slack shows it as it is.
// Source: https://docs.slack.dev/messaging/formatting-message-text
func (n names) sequence(inner string) (string, bool) {
	body, label, labelled := strings.Cut(inner, "|")
	switch {
	case strings.HasPrefix(inner, "@"):
		return "@" + n.user(body[1:]), true
	case strings.HasPrefix(inner, "#"):
		return "#" + n.channel(body[1:]), true
	case strings.HasPrefix(inner, "!"):
		if labelled {
			return label, true
		}
		kind, rest, _ := strings.Cut(body[1:], "^")
		if kind == "subteam" {
			return "@" + rest, true
		}
		return "@" + kind, true
	case scheme().MatchString(body):
		if labelled && label != "" {
			return label, true
		}
		return strings.TrimPrefix(body, "mailto:"), true
	}
	return "", false
}

// resolve puts readable text in place of all control sequences; what it puts there is hidden from later passes.
func (n names) resolve(text string) string {
	return control().ReplaceAllStringFunc(text, func(m string) string {
		if shown, ok := n.sequence(m[1 : len(m)-1]); ok {
			return hide(entities.Replace(shown))
		}
		return m
	})
}

// mrkdwn is a mrkdwn text as a reader sees it: names for ids, no markers, literal characters for entities. A quote
// keeps its "> ".
func (n names) mrkdwn(text string) string {
	var b strings.Builder
	for text != "" {
		i := strings.IndexByte(text, '`')
		if i < 0 {
			b.WriteString(n.styled(text))
			break
		}
		code, size, fence := codeAt(text[i:])
		if size == 0 {
			b.WriteString(n.styled(text[:i+1]))
			text = text[i+1:]
			continue
		}
		before := n.styled(text[:i])
		b.WriteString(before)
		code = hide(entities.Replace(n.resolve(code)))
		if fence {
			code = strings.Trim(code, "\n")
			if s := b.String(); s != "" && !strings.HasSuffix(s, "\n") {
				b.WriteByte('\n')
			}
		}
		b.WriteString(code)
		text = text[i+size:]
		if fence && text != "" && text[0] != '\n' {
			b.WriteByte('\n')
		}
	}
	return unhide(b.String())
}

// codeAt reads the code that s begins with: ``` to ```, or ` to ` on one line.
func codeAt(s string) (code string, size int, fence bool) {
	if rest, ok := strings.CutPrefix(s, "```"); ok {
		if end := strings.Index(rest, "```"); end > 0 { // with nothing between, the marks stand for themselves
			return rest[:end], end + 6, true
		}
		return "", 0, false
	}
	end := strings.IndexAny(s[1:], "`\n")
	if end < 1 || s[1+end] == '\n' {
		return "", 0, false
	}
	return s[1 : 1+end], end + 2, false
}

// styled resolves everything but code.
func (n names) styled(text string) string {
	text = n.resolve(text)
	for _, marker := range []rune{'*', '_', '~'} {
		text = unmark(text, marker)
	}
	return entities.Replace(showEmoji(text))
}

// unmark removes the pairs of a marker that Slack reads as such: at word boundaries, on one line, not around blanks.
func unmark(text string, marker rune) string {
	if strings.Count(text, string(marker)) < 2 {
		return text
	}
	in := []rune(text)
	drop := make([]bool, len(in))
	word := func(i int) bool {
		return i >= 0 && i < len(in) && (unicode.IsLetter(in[i]) || unicode.IsDigit(in[i]) || in[i] == marker)
	}
	blank := func(i int) bool { return i < 0 || i >= len(in) || unicode.IsSpace(in[i]) }
	for i := 0; i < len(in); i++ {
		if in[i] != marker || word(i-1) || blank(i+1) || in[i+1] == marker {
			continue
		}
		for j := i + 2; j < len(in) && in[j] != '\n'; j++ {
			if in[j] == marker && !blank(j-1) && !word(j+1) {
				drop[i], drop[j] = true, true
				i = j
				break
			}
		}
	}
	out := make([]rune, 0, len(in))
	for i, r := range in {
		if !drop[i] {
			out = append(out, r)
		}
	}
	return string(out)
}

// runes counts characters as Slack's limits do.
func runes(s string) int { return utf8.RuneCountInString(s) }
