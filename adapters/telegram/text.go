package telegram

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"unicode/utf16"
)

// said is what a message says.
type said struct {
	text      string
	mentioned bool // it names the bot
	empty     bool // it has no text of any kind: not even a mention, or a /start
}

// said is what a message says, as plain text: see plain for its formatting. Forwarded text is told as such. A bare /start,
// with which every private chat begins, says nothing; neither does its parameter, which is for programs.
func (m *message) said(me *user) said {
	raw, entities := m.Text, m.Entities
	if raw == "" {
		raw, entities = m.Caption, m.CapEnts
	}
	body, mentioned := plain(raw, entities, me)
	body = strings.TrimSpace(body)
	if word, _, _ := strings.Cut(body, " "); word == "/start" && (m.Chat.Type == "private" || mentioned) {
		body = ""
	}
	extras := m.extras()
	var lines []string
	if m.Forward != nil && (body != "" || len(extras) > 0) {
		lines = append(lines, "Forwarded from "+m.Forward.name()+":")
	}
	if body != "" {
		lines = append(lines, body)
	}
	return said{text: strings.Join(append(lines, extras...), "\n"), mentioned: mentioned, empty: raw == "" && len(extras) == 0}
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
	if c := m.Checklist; c != nil {
		lines = append(lines, "Checklist: "+c.Title)
		for _, t := range c.Tasks {
			mark := "[ ] "
			if t.Done != 0 {
				mark = "[x] "
			}
			lines = append(lines, "- "+mark+t.Text)
		}
	}
	if d := m.Dice; d != nil {
		lines = append(lines, fmt.Sprintf("%s %d", d.Emoji, d.Value))
	}
	if s := m.Sticker; s != nil && (s.Animated || s.Video) && s.Emoji != "" {
		lines = append(lines, s.Emoji) // no picture that an app could read
	}
	return lines
}

func (o *origin) name() string {
	name := ""
	switch {
	case o.User != nil:
		name = o.User.name()
	case o.UserName != "":
		name = o.UserName
	case o.SenderChat != nil:
		name = o.SenderChat.name()
	case o.Chat != nil:
		name = o.Chat.name()
	}
	if name == "" {
		return "somebody"
	}
	return name
}

// plain applies the formatting that means something to a reader of plain text: the bot's own mention is cut out, and so is
// its name behind a command; people without a user name become @Name; a link with another text gets its address behind
// it; code keeps its marks. All other styles are left out.
//
// Offsets are in UTF-16 units (https://core.telegram.org/bots/api#messageentity), not in bytes as the library's command
// matcher takes them. Those that do not fit the text are passed over.
func plain(text string, entities []entity, me *user) (out string, mentioned bool) {
	if len(entities) == 0 {
		return text, false
	}
	units := utf16.Encode([]rune(text))
	sorted := slices.Clone(entities)
	slices.SortStableFunc(sorted, func(a, b entity) int {
		return cmp.Or(cmp.Compare(a.Offset, b.Offset), cmp.Compare(b.Length, a.Length))
	})
	var b strings.Builder
	at := 0 // units before it are written
	for _, e := range sorted {
		if e.Offset < at || e.Length <= 0 || e.Offset > len(units) || e.Length > len(units)-e.Offset {
			continue // inside one that was dealt with, or broken
		}
		piece, own, ok := e.plain(string(utf16.Decode(units[e.Offset:e.Offset+e.Length])), me)
		mentioned = mentioned || own
		if !ok {
			continue
		}
		b.WriteString(string(utf16.Decode(units[at:e.Offset])))
		b.WriteString(piece)
		at = e.Offset + e.Length
		if piece == "" && (b.Len() == 0 || strings.HasSuffix(b.String(), " ") || strings.HasSuffix(b.String(), "\n")) {
			for at < len(units) && strings.ContainsRune(" ,:", rune(units[at])) {
				at++ // what separated the mention from the rest goes with it
			}
		}
	}
	b.WriteString(string(utf16.Decode(units[at:])))
	return b.String(), mentioned
}

// plain is what stands in the place of piece; ok is false if that stays as it is. own tells that it names the bot.
func (e *entity) plain(piece string, me *user) (text string, own, ok bool) {
	switch e.Type {
	case "mention":
		if me.Username != "" && strings.EqualFold(piece, "@"+me.Username) {
			return "", true, true
		}
	case "text_mention":
		switch {
		case e.User == nil:
		case e.User.ID == me.ID:
			return "", true, true
		default:
			return "@" + strings.TrimPrefix(piece, "@"), false, true
		}
	case "bot_command":
		name, to, addressed := strings.Cut(piece, "@")
		if addressed && me.Username != "" && strings.EqualFold(to, me.Username) {
			return name, true, true
		}
	case "text_link":
		if e.URL != "" && e.URL != piece && strings.TrimSuffix(e.URL, "/") != piece {
			return piece + " (" + e.URL + ")", false, true
		}
	case "code":
		mark := fence(piece, 1)
		return mark + piece + mark, false, true
	case "pre":
		mark := fence(piece, 3)
		return mark + e.Language + "\n" + strings.TrimRight(piece, "\n") + "\n" + mark, false, true
	}
	return "", false, false
}

// fence is a run of backticks that does not occur in code, of at least so many.
func fence(code string, least int) string {
	mark := strings.Repeat("`", least)
	for strings.Contains(code, mark) {
		mark += "`"
	}
	return mark
}
