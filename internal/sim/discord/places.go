package discord

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/clickai/bridge/internal/sim"
)

// Places lists the guild's channels and the direct channels in the order they were made, then the threads and posts.
func (s *Server) Places() []sim.Place {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := make([]sim.Place, 0, len(s.rooms)+len(s.threads))
	for _, id := range s.rooms {
		c := s.channels[id]
		p := sim.Place{Room: id, Name: c.name, Kind: "channel"}
		switch c.typ {
		case typeDM:
			p.Kind = "direct"
		case typeForum:
			p.Kind = "forum"
		}
		out = append(out, p)
	}
	for _, id := range s.threads {
		if c := s.channels[id]; c != nil {
			out = append(out, sim.Place{Room: c.parent, Thread: id, Name: c.name, Kind: "thread"})
		}
	}
	return out
}

// People lists the persons of the guild.
func (s *Server) People() []Person {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := make([]Person, 0, len(s.people))
	for _, id := range s.people {
		u := s.users[id]
		out = append(out, Person{ID: u.ID, Name: u.Name, Username: u.Username, DM: u.dm})
	}
	return out
}

// BotUser is the bot's account.
func (s *Server) BotUser() Person {
	return Person{ID: s.bot.ID, Name: s.bot.Name, Username: s.bot.Username}
}

// Messages are what people and bots wrote in a channel or thread, oldest first. The message that a thread was started
// from stands in its room alone.
func (s *Server) Messages(room, thread string) []sim.Message {
	s.mu.Lock()
	defer s.mu.Unlock()
	c, err := s.place(room, thread)
	if err != nil {
		return nil
	}
	out := make([]sim.Message, 0, len(c.messages))
	for _, m := range c.messages {
		if m.human() {
			out = append(out, s.show(m))
		}
	}
	return out
}

// Find is one message; false when there is none any more.
func (s *Server) Find(at sim.Ref) (sim.Message, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	m, err := s.lookup(at)
	if err != nil {
		return sim.Message{}, false
	}
	return s.show(m), true
}

// show is a message as people see it. Rendering is done when somebody looks, and once.
func (s *Server) show(m *message) sim.Message {
	out := sim.Message{
		Ref: refOf(m.channel, m.id), Author: m.author, Bot: m.author == s.bot.ID, Files: m.filesOf(),
		Raw: bytes.Clone(m.raw), At: m.at,
	}
	if m.ref != nil && m.typ == messageReply {
		out.ReplyTo = m.ref.message
	}
	for _, v := range m.versions {
		if !v.done {
			v.shown, v.done = s.plain(v.text), true
		}
		out.Versions = append(out.Versions, sim.Version{At: v.at, Text: v.text, Shown: v.shown})
	}
	if n := len(out.Versions); n > 0 {
		out.Text, out.Shown = out.Versions[n-1].Text, out.Versions[n-1].Shown
	}
	if len(m.reactions) > 0 {
		out.Reactions = map[string][]string{}
		for _, r := range m.reactions {
			out.Reactions[r.emoji] = slices.Clone(r.users)
		}
	}
	return out
}

// plain is a text as a reader of this guild sees it.
func (s *Server) plain(text string) string {
	return Plain(text, func(kind, id string) string {
		switch kind {
		case "user":
			if u := s.users[id]; u != nil {
				return "@" + u.Name
			}
		case "channel":
			if c := s.channels[id]; c != nil {
				return "#" + c.name
			}
		case "role":
			if id == s.botRoleID() {
				return "@" + s.bot.Name
			}
		}
		return ""
	})
}

// StartThread makes a person open a thread from a message.
func (s *Server) StartThread(ctx context.Context, at sim.Ref, who, name string) (sim.Place, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	m, u, err := s.own(at, who)
	switch {
	case ctx.Err() != nil:
		return sim.Place{}, fmt.Errorf("start thread: %w", ctx.Err())
	case err != nil:
		return sim.Place{}, fmt.Errorf("start thread: %w", err)
	case m.channel.typ != typeText && m.channel.typ != typeAnnouncement:
		return sim.Place{}, fmt.Errorf("start thread: channel %s takes none", m.channel.id)
	case m.flags&flagHasThread != 0:
		return sim.Place{}, fmt.Errorf("start thread: message %s has one already", m.id)
	case !goodName(name):
		return sim.Place{}, fmt.Errorf("start thread: name %q must have 1 to %d characters", name, maxThreadName)
	}
	t, aerr := s.openThread(m, u, &threadStart{Name: name})
	if aerr != nil {
		return sim.Place{}, fmt.Errorf("start thread: %w", aerr)
	}
	s.notify.Notify()
	return sim.Place{Room: t.parent, Thread: t.id, Name: t.name, Kind: "thread"}, nil
}

// ForumPost makes a person open a post in a forum, with its first message; mention puts the bot's mention before the
// text.
func (s *Server) ForumPost(ctx context.Context, forum, who, name, text string, mention bool) (sim.Message, error) {
	if err := ctx.Err(); err != nil {
		return sim.Message{}, fmt.Errorf("forum post: %w", err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.channels[forum]
	if c == nil || c.typ != typeForum {
		return sim.Message{}, fmt.Errorf("forum post: no forum %s", forum)
	}
	u := s.person(who)
	if u == nil {
		return sim.Message{}, fmt.Errorf("forum post: no person %q", who)
	}
	return s.post(c, u, name, sim.Say{Text: text, Mention: mention}, Extra{})
}

// post opens a forum post; its first message has the post's id.
func (s *Server) post(c *channel, u *user, name string, say sim.Say, x Extra) (sim.Message, error) {
	if !goodName(name) {
		return sim.Message{}, fmt.Errorf("forum post: name %q must have 1 to %d characters", name, maxThreadName)
	}
	t, aerr := s.newThread(s.ids.next(time.Now()), c, typePublicThread, u, &threadStart{Name: name})
	if aerr != nil {
		return sim.Message{}, fmt.Errorf("forum post: %w", aerr)
	}
	m, err := s.draft(t, u, say, x)
	if err != nil {
		s.deleteChannel(t)
		return sim.Message{}, fmt.Errorf("forum post: %w", err)
	}
	m.id = t.id
	s.publish(m, u)
	return s.show(m), nil
}
