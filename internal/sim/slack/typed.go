package slack

import (
	"encoding/json"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/clickai/bridge/internal/sim"
)

// typedURL is what Slack's clients make a link of.
var typedURL = sim.Regexp(`^https?://[^\s<>|]*[^\s<>|.,;:!?)\]}'"*_~` + "`" + `]`)

// typist turns what a person types into what Slack stores: text in Slack's markup, and rich text blocks.
// Source: https://docs.slack.dev/messaging/formatting-message-text
type typist struct {
	s     *Server
	text  strings.Builder
	parts []object
	plain strings.Builder // not yet in parts
}

// typedLocked is a message as a person's client sends it. With mention, the bot's mention stands before it.
func (s *Server) typedLocked(text string, mention bool) (string, json.RawMessage) {
	t := &typist{s: s}
	if mention {
		t.put("<@"+s.opt.BotUserID+">", object{"type": "user", "user_id": s.opt.BotUserID})
		if text != "" {
			t.literal(" ", nil)
		}
	}
	t.read(text)
	t.flush(nil)
	if len(t.parts) == 0 {
		return "", nil
	}
	return t.text.String(), plainJSON([]object{{
		"type": "rich_text", "block_id": "typed",
		"elements": []object{{"type": "rich_text_section", "elements": t.parts}},
	}})
}

// put adds one element with its form in the text.
func (t *typist) put(markup string, element object) {
	t.flush(nil)
	t.text.WriteString(markup)
	t.parts = append(t.parts, element)
}

// literal adds text that means itself.
func (t *typist) literal(text string, style object) {
	if style == nil {
		t.plain.WriteString(text)
		return
	}
	t.flush(nil)
	t.plain.WriteString(text)
	t.flush(style)
}

func (t *typist) flush(style object) {
	text := t.plain.String()
	if text == "" {
		return
	}
	t.plain.Reset()
	e := object{"type": "text", "text": text}
	if style == nil {
		t.text.WriteString(escapes.Replace(text))
	} else {
		e["style"] = style
	}
	t.parts = append(t.parts, e)
}

func (t *typist) read(text string) {
	last := ' '
	for text != "" {
		size := t.token(text, last)
		if size == 0 {
			_, size = utf8.DecodeRuneInString(text)
			t.literal(text[:size], nil)
		}
		last, _ = utf8.DecodeLastRuneInString(text[:size])
		text = text[size:]
	}
}

// token reads what is more than a character at the start of text, and returns its length, or 0. last is the character
// before it.
func (t *typist) token(text string, last rune) int {
	word := unicode.IsLetter(last) || unicode.IsDigit(last)
	switch c := text[0]; {
	case c == '`':
		return t.code(text)
	case c == '@' && !word:
		return t.at(text)
	case c == '#' && !word:
		return t.hash(text)
	case c == 'h' && !word:
		if link := typedURL().FindString(text); link != "" {
			t.put("<"+escapes.Replace(link)+">", object{"type": "link", "url": link})
			return len(link)
		}
	case c >= utf8.RuneSelf:
		if name, size := emojiAt(text); size > 0 {
			t.put(":"+name+":", object{"type": "emoji", "name": name})
			return size
		}
	}
	return 0
}

func (t *typist) code(text string) int {
	code, size, _ := codeAt(text)
	if size == 0 {
		return 0
	}
	t.flush(nil)
	t.text.WriteString(escapes.Replace(text[:size]))
	t.literal(code, object{"code": true})
	return size
}

// at reads "@name" of a person, of the bot, or of everyone.
func (t *typist) at(text string) int {
	type choice struct {
		name, markup string
		element      object
	}
	var all []choice
	add := func(name, id string) {
		all = append(all, choice{name, "<@" + id + ">", object{"type": "user", "user_id": id}})
	}
	for _, r := range []string{"here", "channel", "everyone"} {
		all = append(all, choice{r, "<!" + r + ">", object{"type": "broadcast", "range": r}})
	}
	add(t.s.opt.BotName, t.s.opt.BotUserID)
	for _, u := range t.s.users {
		add(u.Display, u.ID)
		add(u.Name, u.ID)
		add(u.Real, u.ID)
	}
	slices.SortStableFunc(all, func(a, b choice) int { return len(b.name) - len(a.name) })
	for _, c := range all {
		if startsWord(text[1:], c.name) {
			t.put(c.markup, c.element)
			return 1 + len(c.name)
		}
	}
	return 0
}

// hash reads "#name" of a channel.
func (t *typist) hash(text string) int {
	var best *channel
	for _, ch := range t.s.channels {
		if ch.kind != "im" && ch.kind != "mpim" && startsWord(text[1:], ch.name) && (best == nil || len(ch.name) > len(best.name)) {
			best = ch
		}
	}
	if best == nil {
		return 0
	}
	t.put("<#"+best.id+"|"+best.name+">", object{"type": "channel", "channel_id": best.id})
	return 1 + len(best.name)
}

// startsWord tells whether text begins with a name, in any case, and the name ends there.
func startsWord(text, name string) bool {
	if name == "" || len(text) < len(name) || !strings.EqualFold(text[:len(name)], name) {
		return false
	}
	next, size := utf8.DecodeRuneInString(text[len(name):])
	more := unicode.IsLetter(next) || unicode.IsDigit(next) || next == '_' || next == '-'
	return size == 0 || !more
}

// mentions tells whether a text mentions a user.
func mentions(text, id string) bool {
	return strings.Contains(text, "<@"+id+">") || strings.Contains(text, "<@"+id+"|")
}
