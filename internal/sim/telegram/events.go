package telegram

import (
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/clickai/bridge/internal/sim/telegram/markup"
)

// What else people do in chats. None of it is part of [sim.Platform].

// memberUpdate is https://core.telegram.org/bots/api#chatmemberupdated.
type memberUpdate struct {
	Chat wireChat     `json:"chat"`
	From *markup.User `json:"from"`
	Date int64        `json:"date"`
	Old  wireMember   `json:"old_chat_member"`
	New  wireMember   `json:"new_chat_member"`
}

// setBot changes the bot's status in a chat and tells it. Called with mu held.
func (s *Server) setBot(c *chat, by int64, status string) {
	if c.bot == status {
		return
	}
	u := memberUpdate{Chat: s.wireChat(c), From: s.users[by], Date: time.Now().Unix(), Old: s.memberOf(c, s.me.ID)}
	c.bot = status
	u.New = s.memberOf(c, s.me.ID)
	s.push("my_chat_member", c.id, u)
	s.changed.Notify()
}

// Block makes a person block the bot, or take that back.
func (s *Server) Block(user string, on bool) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	u, err := s.person(user)
	if err != nil {
		return fmt.Errorf("telegram: blocking: %w", err)
	}
	status := member
	if on {
		status = kicked
	}
	s.setBot(s.chats[u.ID], u.ID, status)
	return nil
}

// SetBot gives the bot another status in a group: "administrator", "member", "left" or "kicked".
func (s *Server) SetBot(room, status string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	c, err := s.room(room)
	if err != nil {
		return fmt.Errorf("telegram: changing the bot's status: %w", err)
	}
	if !c.isGroup() || !slices.Contains([]string{administrator, member, left, kicked}, status) {
		return fmt.Errorf("telegram: changing the bot's status to %q: %w", status, ErrNoChat)
	}
	s.setBot(c, c.members[0], status)
	return nil
}

// Upgrade makes a supergroup of a group and returns its id: https://core.telegram.org/bots/api#responseparameters. Both
// chats get a service message; the old one refuses everything from then on.
func (s *Server) Upgrade(room string) (string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	old, err := s.room(room)
	if err != nil {
		return "", fmt.Errorf("telegram: upgrading: %w", err)
	}
	if old.kind != group {
		return "", fmt.Errorf("telegram: upgrading %s: it is no basic group: %w", room, ErrNoChat)
	}
	c := &chat{
		id: -1_000_000_000_000 + old.id, kind: supergroup, title: old.title, members: slices.Clone(old.members),
		bot: old.bot, reactions: old.reactions,
	}
	if s.chats[c.id] != nil {
		return "", fmt.Errorf("telegram: upgrading %s: %d is taken: %w", room, c.id, ErrNoChat)
	}
	s.addChat(c)
	by := s.users[old.members[0]]
	gone := &message{chat: old, from: by, service: func(w *wireMessage) { w.MigrateToChatID = c.id }}
	s.store(gone)
	s.push("message", old.id, s.wire(gone, true))
	come := &message{chat: c, from: by, service: func(w *wireMessage) { w.MigrateFromChatID = old.id }}
	s.store(come)
	s.push("message", c.id, s.wire(come, true))
	old.migratedTo = c.id
	s.changed.Notify()
	return formatID(c.id), nil
}

// CreateTopic makes a person open a topic, and returns its id.
func (s *Server) CreateTopic(room, name, user string) (string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c, err := s.room(room)
	if err != nil {
		return "", fmt.Errorf("telegram: opening a topic: %w", err)
	}
	u, err := s.person(user)
	if err != nil {
		return "", fmt.Errorf("telegram: opening a topic: %w", err)
	}
	if !c.forum || len(c.topics) >= maxTopics || c.status(u.ID) == left {
		return "", fmt.Errorf("telegram: opening a topic in %s: %w", room, ErrNoTopic)
	}
	t := s.openTopic(c, name, u.ID)
	s.push("message", c.id, s.wire(c.find(t.id), true))
	s.changed.Notify()
	return threadName(t.id), nil
}

// CloseTopic makes the chat's creator close a topic, or open it again.
func (s *Server) CloseTopic(room, thread string, closed bool) error {
	return s.onTopic(room, thread, func(c *chat, t *topic) error {
		if t.closed == closed {
			return nil
		}
		return s.setTopicClosed(c, t, closed, c.members[0])
	})
}

// DeleteTopic makes the chat's creator delete a topic with its messages. Telegram tells bots nothing of it.
func (s *Server) DeleteTopic(room, thread string) error {
	return s.onTopic(room, thread, func(c *chat, t *topic) error { s.dropTopic(c, t); return nil })
}

func (s *Server) onTopic(room, thread string, do func(*chat, *topic) error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	c, err := s.room(room)
	if err != nil {
		return fmt.Errorf("telegram: changing a topic: %w", err)
	}
	id, _ := strconv.Atoi(thread)
	t := c.topic(id)
	if t == nil {
		return fmt.Errorf("telegram: topic %q: %w", thread, ErrNoTopic)
	}
	if err := do(c, t); err != nil {
		return fmt.Errorf("telegram: topic %q: %w", thread, err)
	}
	s.changed.Notify()
	return nil
}
