package telegram

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/clickai/bridge/core"
)

// events turns an update into what people did: nothing, one event, or one for each reaction that has changed.
func (p *Platform) events(u *update) []core.Event {
	switch {
	case u.Message != nil:
		ev, ok := p.messageEvent(u.Message)
		if !ok {
			return nil
		}
		return []core.Event{ev}
	case u.Edited != nil:
		ev, ok := p.messageEvent(u.Edited)
		if !ok || ev.Kind != core.KindMessage { // a command was given when it was sent
			return nil
		}
		// Also for changes that the bot cannot see. What the text was before is not told; core revises waiting questions.
		ev.Kind = core.KindEdit
		ev.Key = fmt.Sprintf("e:%d:%d:%d", u.Edited.Chat.ID, u.Edited.ID, u.Edited.EditDate)
		if u.Edited.EditDate == 0 {
			ev.Key = fmt.Sprintf("e:%d:%d:u%d", u.Edited.Chat.ID, u.Edited.ID, u.ID)
		}
		return []core.Event{ev}
	case u.Query != nil:
		if ev, ok := p.press(u.Query); ok {
			return []core.Event{ev}
		}
	case u.Reaction != nil:
		return p.reactions(u.ID, u.Reaction)
	}
	return nil
}

// moves is what a message tells of a group that has become a supergroup: both chats get one. "" if it tells nothing.
// Source: https://core.telegram.org/bots/api#message
func (m *message) moves() (from, to string) {
	switch {
	case m == nil || m.Chat.ID == 0:
		return "", ""
	case m.MigrateTo != 0:
		return m.Chat.key(), strconv.FormatInt(m.MigrateTo, 10)
	case m.MigrateFrom != 0:
		return strconv.FormatInt(m.MigrateFrom, 10), m.Chat.key()
	}
	return "", ""
}

// messageEvent is a message as the bridge sees it; ok is false for what is not a person's words.
func (p *Platform) messageEvent(m *message) (ev core.Event, ok bool) {
	if m.Chat.ID == 0 || m.ID == 0 {
		return ev, false
	}
	sender, ok := m.sender()
	if !ok {
		return ev, false
	}
	me := p.self()
	said := m.said(&me)
	ev = core.Event{
		Key: fmt.Sprintf("m:%d:%d", m.Chat.ID, m.ID), Kind: core.KindMessage, Reach: core.ReachAmbient,
		Room: m.Chat.room(), MessageID: strconv.FormatInt(m.ID, 10),
		Sender: sender, Text: said.text, Attachments: m.attachments(), Group: m.Group, SentAt: time.Unix(m.Date, 0).UTC(),
	}
	if said.empty && len(ev.Attachments) == 0 {
		return ev, false // a service message: somebody joined, a title was changed
	}
	ev.Thread = m.thread()
	toBot := m.refer(&ev, &me)
	switch {
	case ev.Room.Direct:
		ev.Reach = core.ReachDirect
	case said.mentioned:
		ev.Reach = core.ReachMention
	case toBot:
		ev.Reach = core.ReachReply
	}
	return ev, p.commanded(&ev, m, &me)
}

// thread is the topic that a message stands in. Outside topics the field is there on replies too, and means the thread of
// replies. General has none.
func (m *message) thread() string {
	if !m.InTopic || m.Topic <= 0 {
		return ""
	}
	return strconv.FormatInt(m.Topic, 10)
}

// refer notes what a message answers. A message of somebody else is put before the question as a quote: the bot is asked
// about it and has not seen it. Of the bot's own only a part that the person marked is, for the rest is known.
func (m *message) refer(ev *core.Event, me *user) (toBot bool) {
	r := m.ReplyTo
	if r != nil && r.TopicCreated != nil {
		r = nil // in a topic every message is a reply to the one that opened it
	}
	text := ""
	if r != nil && r.ID > 0 {
		ev.ReplyTo = strconv.FormatInt(r.ID, 10)
		if toBot = r.From != nil && r.From.ID == me.ID; !toBot {
			text = r.said(&user{}).text // that somebody else spoke to the bot belongs to what is quoted
		}
	}
	if m.Quote != nil { // of a message here, or in another chat
		text = m.Quote.Text
	}
	if text = strings.TrimSpace(text); text == "" {
		return toBot
	}
	if r := []rune(text); len(r) > maxQuote {
		text = string(r[:maxQuote]) + "…"
	}
	ev.Text = strings.TrimSpace("> " + strings.ReplaceAll(text, "\n", "\n> ") + "\n\n" + ev.Text)
	return toBot
}

// room describes a chat. A private one has no title: the person's name is free to choose, and rooms are let in by name.
func (c *chat) room() core.Room {
	return core.Room{ID: c.key(), Name: c.Title, Direct: c.Type == "private"}
}

// sender is who wrote a message; ok is false for bots. Whoever writes in the name of a chat (an anonymous administrator, a
// channel) is that chat, whatever bot account stands in From for the sake of old clients.
// Source: https://core.telegram.org/bots/api#message
func (m *message) sender() (core.User, bool) {
	switch {
	case m.SenderChat != nil && m.SenderChat.ID != 0:
		id := m.SenderChat.key()
		return core.User{ID: id, Name: m.SenderChat.name(), Handle: m.SenderChat.Username, Key: "telegram:" + id}, true
	case m.From == nil || m.From.IsBot || m.From.ID == 0:
		return core.User{}, false
	}
	return m.From.person(), true
}

func (u *user) person() core.User {
	return core.User{ID: u.key(), Name: u.name(), Handle: u.Username, Key: "telegram:" + u.key()}
}

// reactions is what has changed between the old and the new list of one person's reactions. The topic is not told. The
// update's id is part of the keys: Telegram gives the change no other, and delivers it again with the same one.
func (p *Platform) reactions(update int64, r *reaction) []core.Event {
	if r.User == nil || r.User.IsBot || r.User.ID == 0 || r.Chat.ID == 0 || r.Message == 0 {
		return nil
	}
	var events []core.Event
	was, is := names(r.Old), names(r.New)
	diff := func(from, to []string, added bool, sign string) {
		for _, name := range without(to, from) {
			if len(events) == maxEvents {
				return
			}
			events = append(events, core.Event{
				Key: fmt.Sprintf("r:%d:%s:%s", update, name, sign), Kind: core.KindReaction, Room: r.Chat.room(),
				MessageID: strconv.FormatInt(r.Message, 10), Sender: r.User.person(), SentAt: time.Unix(r.Date, 0).UTC(),
				Reaction: &core.Reaction{Emoji: name, Added: added},
			})
		}
	}
	diff(is, was, false, "-")
	diff(was, is, true, "+")
	return events
}

// names are the reactions that have one: the emoji, or ":id:" for a custom one. Paid ones say nothing.
func names(list []emoji) []string {
	var out []string
	for _, e := range list {
		name := core.BaseEmoji(e.Emoji)
		if e.Type == "custom_emoji" && e.Custom != "" {
			name = ":" + e.Custom + ":"
		}
		if name != "" && len(name) <= 64 {
			out = append(out, name)
		}
	}
	return out
}

// without is list without what stands in other, each once.
func without(list, other []string) []string {
	skip := map[string]bool{}
	for _, s := range other {
		skip[s] = true
	}
	var out []string
	for _, s := range list {
		if !skip[s] {
			skip[s] = true
			out = append(out, s)
		}
	}
	return out
}

// attachments are the files of a message. Names and types are the message's: getFile tells neither.
func (m *message) attachments() []core.Attachment {
	var out []core.Attachment
	add := func(f *file, name, mime string) {
		if f == nil || f.ID == "" {
			return
		}
		a := core.Attachment{Ref: f.ID, Name: f.Name, MIME: f.MIME, Size: f.Size}
		if a.MIME == "" {
			a.MIME = mime
		}
		if a.Name == "" {
			a.Name = fileName(name, a.MIME)
		}
		if a.Size <= 0 {
			a.Size = -1
		}
		out = append(out, a)
	}
	if n := len(m.Photo); n > 0 {
		add(&m.Photo[n-1], "photo.jpg", "image/jpeg") // sizes of one picture, the largest last
	}
	if m.Animation == nil {
		add(m.Document, "", "") // an animation's is the animation again
	}
	add(m.Animation, "animation.mp4", "video/mp4")
	add(m.Audio, "audio.mp3", "audio/mpeg")
	add(m.Voice, "voice.ogg", "audio/ogg") // OGG with Opus
	add(m.Video, "video.mp4", "video/mp4")
	add(m.VideoNote, "video.mp4", "video/mp4")
	if s := m.Sticker; s != nil && !s.Animated && !s.Video {
		add(&s.file, "sticker.webp", "image/webp")
	}
	return out
}
