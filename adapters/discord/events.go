package discord

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/bwmarrin/discordgo"

	"github.com/clickai/bridge/core"
)

// decodeMessage reads a message object. Where a field is not what it should be, the others are still taken.
func decodeMessage(data []byte) (wireMessage, error) {
	var m wireMessage
	err := json.Unmarshal(data, &m)
	if err == nil {
		return m, nil
	}
	var fields map[string]json.RawMessage
	if json.Unmarshal(data, &fields) != nil {
		return m, fmt.Errorf("decode message: %w", err)
	}
	m = wireMessage{}
	for name, raw := range fields {
		one, _ := json.Marshal(map[string]json.RawMessage{name: raw}) // valid JSON by construction
		next := m
		if json.Unmarshal(one, &next) == nil {
			m = next
		}
	}
	return m, nil
}

// fromPerson tells whether a message was written by a person: not by the bot, another bot, a webhook or Discord itself.
// The copy of its first message that a thread begins with is none either: the message itself was told in its channel.
func (p *Platform) fromPerson(m *wireMessage) bool {
	if m.Author == nil || m.Author.Bot || m.Author.System || m.WebhookID != "" || m.Author.ID == p.dir.me() {
		return false
	}
	return m.Type == discordgo.MessageTypeDefault || m.Type == discordgo.MessageTypeReply
}

// messageEvent is a new message as an event; ok is false for what is nobody's message.
func (p *Platform) messageEvent(m *wireMessage, ch *channel) (ev core.Event, ok bool) {
	if !isID(m.ID) || !p.fromPerson(m) {
		return core.Event{}, false
	}
	ev = p.event(core.KindMessage, "m:"+m.ID, m.ID, ch)
	ev.Reach = p.reach(m, ch)
	ev.Sender = person(m.Author, m.Member)
	ev.Text = p.text(m, ch)
	ev.Attachments = p.attachments(m)
	if r := m.Reference; r != nil && r.Type != referenceForward && (r.ChannelID == "" || r.ChannelID == m.ChannelID) {
		ev.ReplyTo = r.MessageID
	}
	switch {
	case ch.guild == "":
		ev.Room.Name = ev.Sender.Name
	case ch.isThread():
		if m.ID == ch.id { // a forum post's first message
			ev.Roots = ch.id
		}
	case p.dir.canOpenThread(ch):
		ev.Roots = m.ID // a thread has the id of the message that it was opened from
	}
	return ev, true
}

// editEvent is a changed text; ok is false for an update that changes none, such as a link preview. An update may lack the
// author. One that comes after the edit with the same time of edit has the same key, and is known.
func (p *Platform) editEvent(m *wireMessage, ch *channel) (ev core.Event, ok bool) {
	if !isID(m.ID) || m.EditedTimestamp == nil || m.Content == nil || m.WebhookID != "" || m.Author != nil && !p.fromPerson(m) {
		return core.Event{}, false
	}
	ev = p.event(core.KindEdit, fmt.Sprintf("e:%s:%d", m.ID, m.EditedTimestamp.UnixMicro()), m.ID, ch)
	ev.Reach = p.reach(m, ch)
	if m.Author != nil {
		ev.Sender = person(m.Author, m.Member)
	}
	ev.Text = p.text(m, ch)
	ev.SentAt = m.EditedTimestamp.UTC()
	return ev, true
}

func (p *Platform) deleteEvent(id string, ch *channel) (ev core.Event, ok bool) {
	if !isID(id) {
		return core.Event{}, false
	}
	ev = p.event(core.KindDelete, "d:"+id, id, ch)
	ev.SentAt = time.Now().UTC()
	return ev, true
}

// reactionEvent is a reaction put or taken back; ok is false for those of bots, and of messages that are known to be
// somebody else's. Discord gives reactions no id: the session and the sequence number name this occurrence, and are the
// same when a resumed session brings it again.
func (p *Platform) reactionEvent(r *wireReaction, ch *channel, added bool, session string, seq int64) (ev core.Event, ok bool) {
	me := p.dir.me()
	emoji := emojiOf(&r.Emoji)
	switch {
	case !isID(r.MessageID) || !isID(r.UserID) || r.UserID == me || r.Emoji.Name == "" || emoji == "":
		return core.Event{}, false
	case r.AuthorID != "" && r.AuthorID != me:
		return core.Event{}, false
	case r.Member != nil && r.Member.User != nil && r.Member.User.Bot:
		return core.Event{}, false
	}
	ev = p.event(core.KindReaction, fmt.Sprintf("r:%s:%d", clip(session, 100), seq), r.MessageID, ch)
	ev.Sender = core.User{ID: r.UserID, Key: userKey(r.UserID)}
	if r.Member != nil {
		u := &wireUser{ID: r.UserID}
		if r.Member.User != nil && r.Member.User.ID == r.UserID {
			u = r.Member.User
		}
		ev.Sender = person(u, r.Member)
	}
	ev.Reaction = &core.Reaction{Emoji: emoji, Added: added}
	ev.SentAt = time.Now().UTC()
	return ev, true
}

// event fills in what all events have.
func (p *Platform) event(kind core.Kind, key, messageID string, ch *channel) core.Event {
	ev := core.Event{Key: key, Bot: p.name, Platform: "discord", Kind: kind, MessageID: messageID, SentAt: idOf(messageID).time()}
	ev.Room = core.Room{ID: ch.id, Name: ch.name, Space: ch.guild, Direct: ch.guild == ""}
	if ch.isThread() && isID(ch.parent) {
		ev.Thread, ev.ThreadName = ch.id, ch.name
		parent, _ := p.dir.channel(ch.parent)
		ev.Room.ID, ev.Room.Name = ch.parent, parent.name
	}
	return ev
}

func (p *Platform) reach(m *wireMessage, ch *channel) core.Reach {
	me := p.dir.me()
	switch text := m.text(); {
	case ch.guild == "":
		return core.ReachDirect
	case strings.Contains(text, "<@"+me+">"), strings.Contains(text, "<@!"+me+">"):
		return core.ReachMention
	}
	for _, id := range m.MentionRoles {
		if p.dir.ownRole(ch.guild, id) {
			return core.ReachMention
		}
	}
	// A reply puts the author of what is replied to among the mentions, so it is looked at first.
	if r := m.Referenced; r != nil && r.Author != nil && r.Author.ID == me && (m.Reference == nil || m.Reference.Type != referenceForward) {
		return core.ReachReply
	}
	for _, u := range m.Mentions {
		if u.ID == me {
			return core.ReachMention
		}
	}
	return core.ReachAmbient
}

// text is the whole of what a message says, as plain text.
func (p *Platform) text(m *wireMessage, ch *channel) string {
	lines := []string{p.names(m, ch).plain(m.text())}
	for i := range m.Snapshots { // a forward: its own content is empty
		s := &m.Snapshots[i].Message
		n := p.names(s, ch)
		n.self = "" // that somebody else spoke to the bot belongs to what is quoted
		n.ownRole = func(string) bool { return false }
		lines = append(lines, n.plain(s.text()))
		lines = append(lines, extras(s)...)
	}
	lines = append(lines, extras(m)...)
	kept := lines[:0]
	for _, l := range lines {
		if l != "" {
			kept = append(kept, l)
		}
	}
	return strings.Join(kept, "\n")
}

// extras are the parts of a message that are neither text nor file.
func extras(m *wireMessage) []string {
	var lines []string
	for _, s := range m.Stickers {
		lines = append(lines, "[sticker: "+s.Name+"]")
	}
	if m.Poll != nil {
		lines = append(lines, "[poll: "+m.Poll.Question.Text+"]")
		for _, a := range m.Poll.Answers {
			lines = append(lines, "- "+a.Media.Text)
		}
	}
	return lines
}

func (p *Platform) names(m *wireMessage, ch *channel) *names {
	return &names{
		self: p.dir.me(),
		user: func(id string) string {
			for i := range m.Mentions {
				if u := &m.Mentions[i]; u.ID == id {
					return displayName(u, u.Member)
				}
			}
			return ""
		},
		role:    func(id string) string { return p.dir.roleName(ch.guild, id) },
		ownRole: func(id string) bool { return p.dir.ownRole(ch.guild, id) },
		channel: func(id string) string {
			if c, ok := p.dir.channel(id); ok {
				return c.name
			}
			for _, c := range m.MentionChannels {
				if c.ID == id {
					return c.Name
				}
			}
			return ""
		},
	}
}

func person(u *wireUser, m *wireMember) core.User {
	return core.User{ID: u.ID, Name: displayName(u, m), Handle: u.Username, Key: userKey(u.ID)}
}

func userKey(id string) string { return "discord:" + id }

func displayName(u *wireUser, m *wireMember) string {
	switch {
	case m != nil && m.Nick != "":
		return m.Nick
	case u.GlobalName != "":
		return u.GlobalName
	}
	return u.Username
}

func clip(s string, limit int) string { return s[:min(len(s), limit)] }
