package telegram

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"unicode/utf16"
)

// text is what a message says, as plain text: the bot's own mention is cut out, mentions of people without a user name
// become @Name, links with another text get their address behind it, code keeps its marks. mentioned tells whether the bot
// is named. A bare /start, with which every direct chat begins, says nothing.
func (m *message) text(me user, direct bool) (out string, mentioned bool) {
	raw, entities := m.Text, m.Entities
	if raw == "" {
		raw, entities = m.Caption, m.CapEnts
	}
	body, mentioned := plain(raw, entities, me)
	body = strings.TrimSpace(body)
	if word, _, _ := strings.Cut(body, " "); direct && word == "/start" {
		body = "" // its parameter, of a deep link, is for programs
	}
	lines := []string{}
	if m.Forward != nil {
		lines = append(lines, "Forwarded from "+m.Forward.name()+":")
	}
	if body != "" {
		lines = append(lines, body)
	}
	lines = append(lines, m.extras()...)
	if len(lines) == 1 && m.Forward != nil && len(m.attachments()) == 0 {
		return "", mentioned
	}
	return strings.Join(lines, "\n"), mentioned
}

// extras are the parts of a message that are neither text nor files, in words.
func (m *message) extras() []string {
	var lines []string
	if v := m.Venue; v != nil {
		lines = append(lines, fmt.Sprintf("Place: %s, %s", v.Title, v.Address))
	}
	if l := m.Location; l != nil {
		lines = append(lines, fmt.Sprintf("Location: %.6f, %.6f", l.Lat, l.Long))
	}
	if c := m.Contact; c != nil {
		lines = append(lines, fmt.Sprintf("Contact: %s, %s", strings.TrimSpace(c.FirstName+" "+c.LastName), c.Phone))
	}
	if q := m.Poll; q != nil {
		lines = append(lines, "Poll: "+q.Question)
		for _, o := range q.Options {
			lines = append(lines, "- "+o.Text)
		}
	}
	if d := m.Dice; d != nil {
		lines = append(lines, fmt.Sprintf("%s %d", d.Emoji, d.Value))
	}
	if s := m.Sticker; s != nil && (s.Animated || s.Video) && s.Emoji != "" {
		lines = append(lines, s.Emoji)
	}
	return lines
}

func (o *origin) name() string {
	switch {
	case o.User != nil:
		return o.User.name()
	case o.UserName != "":
		return o.UserName
	case o.SenderChat != nil:
		return o.SenderChat.name()
	case o.Chat != nil:
		return o.Chat.name()
	}
	return "somebody"
}

// plain applies the entities that mean something in plain text. Offsets are in UTF-16 units
// (https://core.telegram.org/bots/api#messageentity); those that do not fit the text are passed over.
func plain(text string, entities []entity, me user) (out string, mentioned bool) {
	if len(entities) == 0 {
		return text, false
	}
	units := utf16.Encode([]rune(text))
	sorted := slices.Clone(entities)
	slices.SortStableFunc(sorted, func(a, b entity) int {
		return cmp.Or(cmp.Compare(a.Offset, b.Offset), cmp.Compare(b.Length, a.Length))
	})
	var b strings.Builder
	at := 0
	upTo := func(n int) {
		if n > at {
			b.WriteString(string(utf16.Decode(units[at:n])))
			at = n
		}
	}
	for _, e := range sorted {
		if e.Offset < at || e.Length <= 0 || e.Offset > len(units) || e.Length > len(units)-e.Offset {
			continue // inside one that was dealt with, or broken
		}
		piece := string(utf16.Decode(units[e.Offset : e.Offset+e.Length]))
		own := strings.EqualFold(piece, "@"+me.Username) && me.Username != ""
		switch e.Type {
		case "mention":
			if !own {
				continue
			}
			mentioned = true
			piece = ""
		case "text_mention":
			if e.User == nil {
				continue
			}
			if e.User.ID == me.ID {
				mentioned, piece = true, ""
			} else {
				piece = "@" + strings.TrimPrefix(piece, "@")
			}
		case "bot_command":
			name, to, addressed := strings.Cut(piece, "@")
			if !addressed {
				continue
			}
			if !strings.EqualFold(to, me.Username) {
				continue
			}
			mentioned, piece = true, name
		case "text_link":
			if e.URL == "" || e.URL == piece {
				continue
			}
			piece += " (" + e.URL + ")"
		case "code":
			piece = "`" + piece + "`"
		case "pre":
			piece = "```" + e.Language + "\n" + strings.TrimRight(piece, "\n") + "\n```"
		default:
			continue
		}
		upTo(e.Offset)
		b.WriteString(piece)
		at = e.Offset + e.Length
		if piece == "" {
			for at < len(units) && (units[at] == ' ' || units[at] == ',' || units[at] == ':') && (b.Len() == 0 || strings.HasSuffix(b.String(), " ")) {
				at++ // what separated the mention from the rest goes with it
			}
		}
	}
	upTo(len(units))
	return b.String(), mentioned
}
