package discord

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
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

// Command makes a person use a slash command, which must be registered. Options are by name: string, bool, int or
// float64. It returns the interaction's id.
func (s *Server) Command(ctx context.Context, room, thread, who, name string, options map[string]any) (string, error) {
	if err := ctx.Err(); err != nil {
		return "", fmt.Errorf("command: %w", err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	c, err := s.place(room, thread)
	if err != nil {
		return "", fmt.Errorf("command: %w", err)
	}
	u := s.person(who)
	if u == nil {
		return "", fmt.Errorf("command: no person %q", who)
	}
	cmd := s.registered(name)
	if cmd == nil {
		return "", fmt.Errorf("command: /%s is not registered", name)
	}
	list, err := commandOptions(options)
	if err != nil {
		return "", fmt.Errorf("command: /%s: %w", name, err)
	}
	i := s.newInteraction(interactionCommand, u, c)
	i.name = name
	data := map[string]any{"id": cmd["id"], "name": name, "type": 1, "options": list}
	if cmd["guild_id"] != nil {
		data["guild_id"] = cmd["guild_id"]
	}
	s.dispatchInteraction(i, data)
	return i.id, nil
}

// registered finds a command, the guild's before the global one.
func (s *Server) registered(name string) map[string]any {
	for _, scope := range []string{s.guild.ID, ""} {
		for _, cmd := range s.commands[scope] {
			if cmd["name"] == name {
				return cmd
			}
		}
	}
	return nil
}

// Option types. Source: https://docs.discord.com/developers/interactions/application-commands#application-command-object-application-command-option-type
func commandOptions(options map[string]any) ([]any, error) {
	names := make([]string, 0, len(options))
	for n := range options {
		names = append(names, n)
	}
	slices.Sort(names)
	out := []any{}
	for _, n := range names {
		typ := 0
		switch options[n].(type) {
		case string:
			typ = 3
		case int:
			typ = 4
		case bool:
			typ = 5
		case float64:
			typ = 10
		default:
			return nil, fmt.Errorf("option %s has a value of type %T", n, options[n])
		}
		out = append(out, map[string]any{"name": n, "type": typ, "value": options[n]})
	}
	return out, nil
}

// dispatchInteraction sends it: interactions need no intent, and the view of the channel is the person's, not the bot's.
func (s *Server) dispatchInteraction(i *interaction, data map[string]any) {
	o := mustJSON(i.object(s, data))
	s.emit(func() {
		for _, x := range s.gw.sessions {
			if x.wants(0, i.channel.guild) {
				s.deliver(x, "INTERACTION_CREATE", o)
			}
		}
	})
	s.notify.Notify()
}

// Press makes a person press the button with a custom id under a message. It returns the interaction's id.
func (s *Server) Press(ctx context.Context, at sim.Ref, who, customID string) (string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	m, u, err := s.own(at, who)
	if err == nil {
		err = ctx.Err()
	}
	if err != nil {
		return "", fmt.Errorf("press: %w", err)
	}
	var list []component
	if len(m.components) > 0 {
		if err := json.Unmarshal(m.components, &list); err != nil {
			return "", fmt.Errorf("press: components of message %s: %w", m.id, err)
		}
	}
	var button *component
	walkComponents(list, func(c *component) {
		if c.Type == componentButton && c.CustomID == customID {
			button = c
		}
	})
	switch {
	case button == nil:
		return "", fmt.Errorf("press: message %s has no button %q", m.id, customID)
	case button.Disabled:
		return "", errors.New("press: the button is disabled")
	}
	i := s.newInteraction(interactionComponent, u, m.channel)
	i.source = m
	s.dispatchInteraction(i, map[string]any{"custom_id": customID, "component_type": componentButton, "id": 1})
	return i.id, nil
}

// Interaction is what came of a command or a pressed button; false for an unknown id.
func (s *Server) Interaction(id string) (Interaction, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	i := s.inter.byID[id]
	if i == nil {
		return Interaction{}, false
	}
	out := Interaction{ID: i.id, Token: i.token, Answered: i.answered, Deferred: i.deferred, Ephemeral: i.ephemeral}
	for _, m := range i.replies {
		if m.flags&flagLoading == 0 {
			out.Replies = append(out.Replies, s.show(m))
		}
	}
	return out, true
}
