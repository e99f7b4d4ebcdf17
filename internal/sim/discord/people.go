package discord

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/clickai/bridge/internal/sim"
)

// Extra is what a message can have beyond what [sim.Say] knows.
type Extra struct {
	// Components is a list as JSON, of any types, also ones that clients do not know.
	Components json.RawMessage
	// Embeds is a list as JSON.
	Embeds json.RawMessage
	// Flags and Type of the message; Type 0 is default or reply.
	Flags, Type int
	// Webhook makes it come from a webhook with the person's name.
	Webhook bool
	// Bot makes the author another bot.
	Bot bool
	// NoPing makes a reply not mention the author of the message it answers.
	NoPing bool
	// Fields are put into the message object as they are: sticker_items, poll, message_snapshots …
	Fields map[string]json.RawMessage
}

// person finds somebody by id, name or username; nil if there is none. The caller holds the lock.
func (s *Server) person(who string) *user {
	if u := s.users[who]; u != nil && u != s.bot {
		return u
	}
	for _, id := range s.people {
		if u := s.users[id]; strings.EqualFold(u.Name, who) || u.Username == who {
			return u
		}
	}
	return nil
}

// place is the channel that room and thread name.
func (s *Server) place(room, thread string) (*channel, error) {
	id := room
	if thread != "" {
		id = thread
	}
	c := s.channels[id]
	switch {
	case c == nil:
		return nil, fmt.Errorf("no channel %s", id)
	case thread != "" && (!c.isThread() || (room != "" && c.parent != room)):
		return nil, fmt.Errorf("channel %s is no thread of %s", thread, room)
	}
	return c, nil
}

// lookup finds a message.
func (s *Server) lookup(at sim.Ref) (*message, error) {
	c, err := s.place(at.Room, at.Thread)
	if err != nil {
		return nil, err
	}
	m := c.message(at.ID)
	if m == nil {
		return nil, fmt.Errorf("no message %s in channel %s", at.ID, c.id)
	}
	return m, nil
}

// Say makes a person write. In the forum itself it opens a post that is named after the text.
func (s *Server) Say(ctx context.Context, say sim.Say) (sim.Message, error) {
	return s.SayWith(ctx, say, Extra{})
}

// SayWith is Say with more than plain text and files.
func (s *Server) SayWith(ctx context.Context, say sim.Say, x Extra) (sim.Message, error) {
	if err := ctx.Err(); err != nil {
		return sim.Message{}, fmt.Errorf("say: %w", err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	c, err := s.place(say.Room, say.Thread)
	if err != nil {
		return sim.Message{}, fmt.Errorf("say: %w", err)
	}
	u := s.person(say.User)
	if u == nil {
		return sim.Message{}, fmt.Errorf("say: no person %q", say.User)
	}
	if c.guild == "" && c.recipient != u.ID {
		return sim.Message{}, fmt.Errorf("say: %s is not in the direct channel %s", u.Name, c.id)
	}
	if c.typ == typeForum {
		name := strings.TrimSpace(say.Text)
		if r := []rune(name); len(r) > maxThreadName/2 {
			name = string(r[:maxThreadName/2])
		}
		return s.post(c, u, name, say, x)
	}
	m, err := s.speak(c, u, say, x)
	if err != nil {
		return sim.Message{}, fmt.Errorf("say: %w", err)
	}
	return s.show(m), nil
}

// speak stores a person's message and tells it.
func (s *Server) speak(c *channel, u *user, say sim.Say, x Extra) (*message, error) {
	m, err := s.draft(c, u, say, x)
	if err != nil {
		return nil, err
	}
	if c.locked {
		return nil, fmt.Errorf("thread %s is locked", c.id)
	}
	s.unarchive(c)
	s.publish(m, u)
	return m, nil
}

// publish puts a person's draft into its channel.
func (s *Server) publish(m *message, u *user) {
	m.raw = mustJSON(s.messageObject(m, view{}))
	s.add(m.channel, m)
	if m.channel.isThread() {
		s.joinThread(m.channel, u)
	}
}

// draft makes a person's message; it is not in its channel yet.
func (s *Server) draft(c *channel, u *user, say sim.Say, x Extra) (*message, error) {
	now := time.Now()
	m := &message{
		channel: c, author: u.ID, at: now, typ: x.Type, flags: x.Flags, webhook: x.Webhook,
		embeds: x.Embeds, components: x.Components, extra: x.Fields, content: s.typed(say.Text, say.Mention),
	}
	if x.Bot {
		m.author = s.otherBot(u)
	}
	if m.content == "" && len(say.Files) == 0 && len(x.Fields) == 0 && len(x.Components) == 0 && len(x.Embeds) == 0 {
		return nil, errors.New("an empty message")
	}
	if n := length(m.content); n > maxContent {
		return nil, fmt.Errorf("text of %d characters, Discord takes %d", n, maxContent)
	}
	if len(say.Files) > maxFiles {
		return nil, fmt.Errorf("%d files, Discord takes %d", len(say.Files), maxFiles)
	}
	for _, f := range say.Files {
		if int64(len(f.Data)) > s.opt.MaxFile {
			return nil, fmt.Errorf("file %s of %d bytes, Discord takes %d", f.Name, len(f.Data), s.opt.MaxFile)
		}
	}
	replied := ""
	if say.ReplyTo != "" {
		target := c.message(say.ReplyTo)
		if target == nil {
			return nil, fmt.Errorf("no message %s to reply to", say.ReplyTo)
		}
		m.typ = messageReply
		m.ref = &reference{message: target.id, channel: c.id, guild: c.guild}
		if !x.NoPing && target.author != u.ID {
			replied = target.author
		}
	}
	for _, f := range say.Files {
		a := &attachment{filename: f.Name, contentType: f.MIME, data: bytes.Clone(f.Data)}
		s.keepFile(c, a)
		m.attachments = append(m.attachments, a)
	}
	s.address(m, s.mentionsOf(m.content, nil, true), replied)
	m.id = s.ids.next(now)
	return m, nil
}

// otherBot is the account of another bot that bears a person's name; one for each person.
func (s *Server) otherBot(u *user) string {
	n, _ := strconv.ParseUint(u.ID, 10, 64)
	id := strconv.FormatUint(n+1_000_000, 10)
	if s.users[id] == nil {
		s.users[id] = &user{ID: id, Name: u.Name, Username: u.Username + "_bot", Bot: true, joined: u.joined}
	}
	return id
}

var (
	typedName    = sim.Regexp(`@[\p{L}\p{N}_]`)
	typedChannel = sim.Regexp(`#[\p{L}\p{N}_-]+`)
)

// typed turns what a person types into Discord's own form, as its client does: @Anna and #support become mentions.
func (s *Server) typed(text string, mention bool) string {
	text = strings.TrimSpace(text)
	if typedName().MatchString(text) {
		users := []*user{s.bot}
		for _, id := range s.people {
			users = append(users, s.users[id])
		}
		slices.SortStableFunc(users, func(a, b *user) int { return len(b.Name) - len(a.Name) })
		for _, u := range users {
			name := regexp.MustCompile(`@` + regexp.QuoteMeta(u.Name) + `\b`)
			text = name.ReplaceAllString(text, "<@"+u.ID+">")
		}
	}
	text = typedChannel().ReplaceAllStringFunc(text, func(name string) string {
		for _, id := range s.rooms {
			if c := s.channels[id]; c != nil && c.guild != "" && c.name == name[1:] {
				return "<#" + id + ">"
			}
		}
		return name
	})
	if mention {
		text = strings.TrimSpace("<@" + s.bot.ID + "> " + text)
	}
	return text
}

// own finds a person's own message.
func (s *Server) own(at sim.Ref, who string) (*message, *user, error) {
	m, err := s.lookup(at)
	if err != nil {
		return nil, nil, err
	}
	u := s.person(who)
	if u == nil {
		return nil, nil, fmt.Errorf("no person %q", who)
	}
	return m, u, nil
}

// Edit changes the text of a person's message; mentions in it are read anew.
func (s *Server) Edit(ctx context.Context, at sim.Ref, who, text string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	m, u, err := s.own(at, who)
	switch {
	case ctx.Err() != nil:
		return fmt.Errorf("edit: %w", ctx.Err())
	case err != nil:
		return fmt.Errorf("edit: %w", err)
	case m.author != u.ID:
		return fmt.Errorf("edit: message %s is not %s's", at.ID, u.Name)
	case m.channel.archived:
		return fmt.Errorf("edit: thread %s is archived", m.channel.id)
	}
	replied := ""
	if m.ref != nil {
		if t := m.channel.message(m.ref.message); t != nil && slices.Contains(m.mentions, t.author) {
			replied = t.author
		}
	}
	m.content = s.typed(text, strings.HasPrefix(m.content, "<@"+s.bot.ID+"> ") && !strings.Contains(text, "<@"+s.bot.ID+">"))
	m.edited = time.Now()
	s.address(m, s.mentionsOf(m.content, nil, true), replied)
	m.keep(m.edited, s.opt.MaxVersions)
	m.raw = mustJSON(s.messageObject(m, view{}))
	s.dispatchMessage("MESSAGE_UPDATE", m)
	s.notify.Notify()
	return nil
}

// Delete removes a person's own message; any person may also remove the bot's, as a moderator.
func (s *Server) Delete(ctx context.Context, at sim.Ref, who string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	m, u, err := s.own(at, who)
	switch {
	case ctx.Err() != nil:
		return fmt.Errorf("delete: %w", ctx.Err())
	case err != nil:
		return fmt.Errorf("delete: %w", err)
	case m.author != u.ID && m.author != s.bot.ID:
		return fmt.Errorf("delete: message %s is not %s's", at.ID, u.Name)
	}
	s.remove(m)
	return nil
}

// DeleteBulk removes several messages of one channel at once, as a moderator's tool does.
func (s *Server) DeleteBulk(refs ...sim.Ref) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	var c *channel
	ids := []string{}
	for _, at := range refs {
		m, err := s.lookup(at)
		if err != nil {
			return fmt.Errorf("delete bulk: %w", err)
		}
		c = m.channel
		s.drop(m)
		ids = append(ids, m.id)
	}
	if c == nil {
		return nil
	}
	s.dispatchChannel("MESSAGE_DELETE_BULK", c, messageIntents, map[string]any{"ids": ids, "channel_id": c.id, "guild_id": c.guild})
	s.notify.Notify()
	return nil
}

// React adds a person's reaction.
func (s *Server) React(ctx context.Context, at sim.Ref, who, emoji string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	m, u, err := s.own(at, who)
	if err != nil {
		return fmt.Errorf("react: %w", err)
	}
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("react: %w", err)
	}
	if !unicodeEmoji(emoji) {
		return fmt.Errorf("react: %q is no emoji", emoji)
	}
	if m.channel.archived {
		return fmt.Errorf("react: thread %s is archived", m.channel.id)
	}
	if err := s.react(m, u, emoji); err != nil {
		return fmt.Errorf("react: %w", err)
	}
	return nil
}

// Unreact takes a person's reaction back; it is an error when there is none.
func (s *Server) Unreact(ctx context.Context, at sim.Ref, who, emoji string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	m, u, err := s.own(at, who)
	if err != nil {
		return fmt.Errorf("unreact: %w", err)
	}
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("unreact: %w", err)
	}
	if !s.unreact(m, u, emoji) {
		return fmt.Errorf("unreact: %s has no %s on message %s", u.Name, emoji, at.ID)
	}
	return nil
}

// ClearReactions removes all reactions of a message, or all with one emoji, as a moderator.
func (s *Server) ClearReactions(at sim.Ref, emoji string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	m, err := s.lookup(at)
	if err != nil {
		return fmt.Errorf("clear reactions: %w", err)
	}
	if emoji == "" {
		s.clearReactions(m)
	} else {
		s.clearEmoji(m, emoji)
	}
	return nil
}

// Unfurl adds a link's preview to a message some time after it was written, as Discord does: a MESSAGE_UPDATE without an
// edit.
func (s *Server) Unfurl(at sim.Ref, embeds json.RawMessage) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	m, err := s.lookup(at)
	if err != nil {
		return fmt.Errorf("unfurl: %w", err)
	}
	m.embeds = embeds
	s.dispatchMessage("MESSAGE_UPDATE", m)
	s.notify.Notify()
	return nil
}

// PersonTyping shows a person as typing.
func (s *Server) PersonTyping(room, thread, who string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	c, err := s.place(room, thread)
	if err != nil {
		return fmt.Errorf("typing: %w", err)
	}
	u := s.person(who)
	if u == nil {
		return fmt.Errorf("typing: no person %q", who)
	}
	s.dispatchTyping(c, u)
	return nil
}
