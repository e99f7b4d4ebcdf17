package telegram

import (
	"errors"
	"slices"
	"strings"

	"github.com/clickai/bridge/internal/sim/telegram/markup"
)

// Length limits of https://core.telegram.org/bots/api, in UTF-16 code units after entities parsing.
const (
	maxText    = 4096
	maxCaption = 1024
	maxRich    = 32768
)

// textRules say what a text parameter must keep to.
type textRules struct {
	limit int
	empty bool   // may be empty
	long  string // the description when it is too long
}

var (
	messageRules = textRules{limit: maxText, long: "message is too long"}
	captionRules = textRules{limit: maxCaption, empty: true, long: "message caption is too long"}
)

// textOf reads a text with its parse_mode or entities, as sendMessage and its kin have them.
func (s *Server) textOf(p *params, name, entitiesName string, rules textRules) (markup.Text, error) {
	var entities []markup.Entity
	if _, err := p.list(entitiesName, &entities); err != nil {
		return markup.Text{}, err
	}
	return s.parseText(p.str(name), p.str("parse_mode"), entities, rules)
}

func (s *Server) parseText(text, mode string, entities []markup.Entity, rules textRules) (markup.Text, error) {
	if text == "" {
		if rules.empty {
			return markup.Text{}, nil
		}
		return markup.Text{}, wrong("message text is empty")
	}
	t := markup.Text{Text: text, Entities: entities}
	if mode != "" { // a parse mode wins over entities
		var err error
		if t, err = markup.Parse(mode, text); err != nil {
			if errors.Is(err, markup.ErrMode) {
				return markup.Text{}, wrong("%s", err)
			}
			return markup.Text{}, wrong("can't parse entities: %s", err)
		}
	} else {
		for _, e := range entities {
			if !markup.Known(e.Type) {
				return markup.Text{}, wrong("can't parse entities: Unsupported type specified")
			}
		}
	}
	s.mu.Lock()
	t.Entities = s.usable(t.Entities, mode != "")
	s.mu.Unlock()
	t, err := markup.Normalize(t, markup.Options{AllowEmpty: rules.empty, Detect: true})
	if err != nil {
		return markup.Text{}, wrong("%s", lowerFirst(err.Error()))
	}
	if markup.Len(t.Text) > rules.limit {
		return markup.Text{}, wrong("%s", rules.long)
	}
	return t, nil
}

// usable drops entities that a bot cannot make: mentions of people that the server does not know, custom emoji (for
// bots with a bought user name only), and kinds that the server finds by itself.
func (s *Server) usable(es []markup.Entity, parsed bool) []markup.Entity {
	out := make([]markup.Entity, 0, len(es))
	for _, e := range es {
		switch e.Type {
		case markup.TextMention:
			if e.User == nil || s.users[e.User.ID] == nil {
				continue
			}
			e.User = s.users[e.User.ID]
		case markup.TextLink:
			if !parsed {
				u, ok := markup.CheckLink(e.URL)
				if !ok {
					continue
				}
				e.URL = u
			}
		case markup.CustomEmoji, markup.Mention, markup.Hashtag, markup.Cashtag, markup.BotCommand, markup.URL,
			markup.Email, markup.PhoneNumber:
			continue
		}
		out = append(out, e)
	}
	return out
}

// Ping is a message of the bot that mentioned people in a way that reaches them.
type Ping struct {
	Room, Thread, ID string
	Users            []string // user ids
}

// maxPings bounds the list.
const maxPings = 1000

// notePings looks for people whom a message of the bot mentions: by link, or by "@username", which the server finds in
// any text that is not code or a link.
func (s *Server) notePings(m *message) {
	if m.from.ID != s.me.ID {
		return
	}
	var users []string
	for _, e := range m.body.Entities {
		var u *markup.User
		switch e.Type {
		case markup.TextMention:
			u = e.User
		case markup.Mention:
			u = s.byUsername(markup.Slice(m.body.Text, e))
		}
		if u == nil || u.IsBot || m.pinged[u.ID] {
			continue
		}
		if m.pinged == nil {
			m.pinged = map[int64]bool{}
		}
		m.pinged[u.ID] = true
		users = append(users, formatID(u.ID))
	}
	if len(users) > 0 && len(s.pings) < maxPings {
		r := m.ref()
		s.pings = append(s.pings, Ping{Room: r.Room, Thread: r.Thread, ID: r.ID, Users: users})
	}
}

// Pings are the mentions of people in messages and edits of the bot, each person once for a message; at most 1,000. The
// text of an answer is to reach nobody, so a bot that escapes well leaves it empty.
func (s *Server) Pings() []Ping {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.pings)
}

// byUsername finds a person or the bot by "@name"; called with mu held.
func (s *Server) byUsername(name string) *markup.User {
	name = strings.TrimPrefix(name, "@")
	for _, u := range s.users {
		if u.Username != "" && strings.EqualFold(u.Username, name) {
			return u
		}
	}
	return nil
}
