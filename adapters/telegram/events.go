package telegram

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/clickai/bridge/core"
)

// decode turns an update into what a person did: nothing, one event, or one for each reaction that has changed. id is 0 if
// there is no telling which update it is.
func (p *Platform) decode(raw json.RawMessage) (id int64, events []core.Event, err error) {
	var u update
	if err := json.Unmarshal(raw, &u); err != nil {
		var only struct {
			ID int64 `json:"update_id"`
		}
		_ = json.Unmarshal(raw, &only)
		return only.ID, nil, fmt.Errorf("decode update: %w", err)
	}
	switch {
	case u.Message != nil:
		if m := u.Message; m.MigrateTo != 0 {
			p.migrated(m.Chat.key(), strconv.FormatInt(m.MigrateTo, 10))
		} else if ev, ok := p.messageEvent(m); ok {
			events = append(events, ev)
		}
	case u.Edited != nil:
		if ev, ok := p.messageEvent(u.Edited); ok {
			ev.Kind = core.KindEdit
			ev.Key = fmt.Sprintf("e:%d:%d:%d", u.Edited.Chat.ID, u.Edited.ID, u.Edited.EditDate)
			events = append(events, ev)
		}
	case u.Reaction != nil:
		events = p.reactionEvents(u.ID, u.Reaction)
	case u.Member != nil:
		p.log.Info("membership changed", slog.String("room", u.Member.Chat.key()), slog.String("status", u.Member.New.Status))
	}
	return u.ID, events, nil
}

// anonymousAdmin is the account in whose name administrators write anonymously.
// Source: https://core.telegram.org/bots/api#message (sender_chat)
const anonymousAdmin = "GroupAnonymousBot"

// messageEvent is a message as the bridge sees it; ok is false for what is not a person's words.
func (p *Platform) messageEvent(m *message) (ev core.Event, ok bool) {
	sender, ok := p.sender(m)
	if !ok {
		return ev, false
	}
	me := p.self()
	direct := m.Chat.Type == "private"
	body, mentioned := m.text(me, direct)
	ev = core.Event{
		Key: fmt.Sprintf("m:%d:%d", m.Chat.ID, m.ID), Kind: core.KindMessage, Reach: core.ReachAmbient,
		Room: core.Room{ID: m.Chat.key(), Name: m.Chat.name(), Direct: direct}, MessageID: strconv.FormatInt(m.ID, 10),
		Sender: sender, Text: body, Attachments: m.attachments(), Group: m.Group, SentAt: time.Unix(m.Date, 0).UTC(),
	}
	if m.InTopic && m.Topic != 0 {
		ev.Thread = strconv.FormatInt(m.Topic, 10) // outside topics the field is there on replies too, and means another thing
	}
	if ev.Text == "" && len(ev.Attachments) == 0 && !mentioned && (!direct || m.Text == "") {
		return ev, false // a service message: somebody joined, a title changed
	}
	if r := m.ReplyTo; r != nil && r.TopicCreated == nil {
		// In a topic every message is a reply to the one that opened it.
		ev.ReplyTo = strconv.FormatInt(r.ID, 10)
		if r.From != nil && r.From.ID == me.ID {
			ev.Reach = core.ReachReply
		} else if quoted := r.quoted(m, me); quoted != "" && (direct || mentioned) {
			ev.Text = "> " + strings.ReplaceAll(quoted, "\n", "\n> ") + "\n\n" + ev.Text
		}
	}
	if mentioned {
		ev.Reach = core.ReachMention
	}
	if direct {
		ev.Reach = core.ReachDirect
	}
	return ev, true
}

// quoted is what a question refers to: the part that was marked, else the beginning of the message replied to.
func (m *message) quoted(by *message, me user) string {
	const most = 1000
	text := ""
	if by.Quote != nil {
		text = by.Quote.Text
	} else {
		text, _ = m.text(me, true)
	}
	if r := []rune(text); len(r) > most {
		text = string(r[:most]) + "…"
	}
	return strings.TrimSpace(text)
}

// sender is who wrote a message; ok is false for bots and for channel posts without an author.
func (p *Platform) sender(m *message) (core.User, bool) {
	switch {
	case m.SenderChat != nil && (m.From == nil || m.From.Username == anonymousAdmin):
		id := m.SenderChat.key()
		return core.User{ID: id, Name: m.SenderChat.name(), Handle: m.SenderChat.Username, Key: "telegram:" + id}, true
	case m.From == nil || m.From.IsBot:
		return core.User{}, false
	}
	return m.From.person(), true
}

func (u user) person() core.User {
	id := strconv.FormatInt(u.ID, 10)
	return core.User{ID: id, Name: u.name(), Handle: u.Username, Key: "telegram:" + id}
}

// reactionEvents is what changed between the old and the new list of one person's reactions.
func (p *Platform) reactionEvents(id int64, r *reaction) []core.Event {
	if r.User == nil || r.User.IsBot {
		return nil
	}
	var events []core.Event
	diff := func(from, to []emoji, added bool, sign string) {
		for _, e := range to {
			if slices.Contains(from, e) || e.Type == "paid" {
				continue
			}
			name := core.BaseEmoji(e.Emoji)
			if e.Type == "custom_emoji" {
				name = ":" + e.Custom + ":"
			}
			events = append(events, core.Event{
				Key: fmt.Sprintf("r:%d:%s:%s", id, name, sign), Kind: core.KindReaction,
				Room:      core.Room{ID: r.Chat.key(), Name: r.Chat.name(), Direct: r.Chat.Type == "private"},
				MessageID: strconv.FormatInt(r.Message, 10), Sender: r.User.person(), SentAt: time.Unix(r.Date, 0).UTC(),
				Reaction: &core.Reaction{Emoji: name, Added: added},
			})
		}
	}
	diff(r.New, r.Old, false, "-")
	diff(r.Old, r.New, true, "+")
	return events
}

// attachments are the files of a message.
func (m *message) attachments() []core.Attachment {
	var out []core.Attachment
	add := func(f *file, name, mime string) {
		if f == nil || f.ID == "" {
			return
		}
		a := core.Attachment{Ref: f.ID, Name: f.Name, MIME: f.MIME, Size: f.Size}
		if a.Name == "" {
			a.Name = name
		}
		if a.MIME == "" {
			a.MIME = mime
		}
		if a.Size == 0 {
			a.Size = -1
		}
		out = append(out, a)
	}
	if n := len(m.Photo); n > 0 {
		largest := m.Photo[0]
		for _, size := range m.Photo {
			if size.Width >= largest.Width {
				largest = size
			}
		}
		add(&largest, "photo.jpg", "image/jpeg")
	}
	if m.Animation == nil {
		add(m.Document, "document", "")
	}
	add(m.Animation, "animation.mp4", "video/mp4") // its document is the same file again
	add(m.Audio, "audio.mp3", "audio/mpeg")
	add(m.Voice, "voice.ogg", "audio/ogg")
	add(m.Video, "video.mp4", "video/mp4")
	add(m.VideoNote, "video.mp4", "video/mp4")
	if s := m.Sticker; s != nil && !s.Animated && !s.Video {
		add(&s.file, "sticker.webp", "image/webp")
	}
	return out
}

// migrated notes that a group has become a supergroup, whose id is another.
func (p *Platform) migrated(from, to string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.moved) >= maxMoved {
		clear(p.moved)
	}
	if p.moved[from] != to {
		p.moved[from] = to
		p.log.Info("group has become a supergroup", slog.String("room", from), slog.String("new_room", to))
	}
}

// chatNow is the id under which a chat is to be reached.
func (p *Platform) chatNow(room string) string {
	p.mu.Lock()
	defer p.mu.Unlock()
	if to, ok := p.moved[room]; ok {
		return to
	}
	return room
}
