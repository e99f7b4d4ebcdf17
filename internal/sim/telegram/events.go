package telegram

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/clickai/bridge/internal/sim"
	"github.com/clickai/bridge/internal/sim/telegram/markup"
)

// What else people do in chats. None of it is part of [sim.Platform].

// maxPresses bounds the button presses that are remembered.
const maxPresses = 1000

type wireCallback struct {
	ID           string       `json:"id"`
	From         *markup.User `json:"from"`
	Message      *wireMessage `json:"message"`
	ChatInstance string       `json:"chat_instance"`
	Data         string       `json:"data"`
}

// Press makes a person press an inline button, named by its callback_data. It returns the id of the callback query.
func (s *Server) Press(at sim.Ref, user, data string) (string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	m, u, err := s.at(at, user)
	if err != nil {
		return "", fmt.Errorf("telegram: pressing a button: %w", err)
	}
	var keyboard struct {
		Rows [][]button `json:"inline_keyboard"`
	}
	if len(m.keyboard) > 0 {
		if err := json.Unmarshal(m.keyboard, &keyboard); err != nil {
			return "", fmt.Errorf("telegram: pressing a button: %w", err)
		}
	}
	there := slices.ContainsFunc(keyboard.Rows, func(row []button) bool {
		return slices.ContainsFunc(row, func(b button) bool { return b.Callback != nil && *b.Callback == data })
	})
	if !there {
		return "", fmt.Errorf("telegram: pressing %q: %w", data, ErrNoButton)
	}
	s.pressed++
	id := strconv.FormatInt(u.ID<<16+s.pressed, 10)
	s.buttons[id] = &press{at: time.Now()}
	s.buttonOrder = append(s.buttonOrder, id)
	if over := len(s.buttonOrder) - maxPresses; over > 0 {
		for _, old := range s.buttonOrder[:over] {
			delete(s.buttons, old)
		}
		s.buttonOrder = slices.Delete(s.buttonOrder, 0, over)
	}
	s.push("callback_query", m.chat.id, wireCallback{
		ID: id, From: u, Message: s.wire(m, true), ChatInstance: formatID(-m.chat.id), Data: data,
	})
	return id, nil
}

// Answered tells whether the bot has answered a callback query, and with which text.
func (s *Server) Answered(queryID string) (text string, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if q := s.buttons[queryID]; q != nil {
		return q.text, q.answered
	}
	return "", false
}

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

// Commands are what setMyCommands has stored for the default scope and no language, as "name: description".
func (s *Server) Commands() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []string
	for _, c := range s.commands["default||0|"] {
		out = append(out, c.Command+": "+c.Description)
	}
	return out
}
