package telegram

import (
	"context"
	"slices"
	"strings"

	"github.com/clickai/bridge/internal/sim/telegram/markup"
)

const topicColor = 7322096 // one of the six that https://core.telegram.org/bots/api#createforumtopic allows

func (s *Server) getChat(_ context.Context, p *params) (any, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c, err := s.chatOf(p)
	if err != nil {
		return nil, err
	}
	full := struct {
		wireChat
		AccentColorID    int             `json:"accent_color_id"`
		MaxReactionCount int             `json:"max_reaction_count"`
		Usernames        []string        `json:"active_usernames,omitempty"`
		Reactions        []wireReaction  `json:"available_reactions,omitempty"`
		Permissions      map[string]bool `json:"permissions,omitempty"`
		Gifts            map[string]bool `json:"accepted_gift_types"`
	}{wireChat: s.wireChat(c), MaxReactionCount: 11, Gifts: map[string]bool{}}
	if full.Username != "" {
		full.Usernames = []string{full.Username}
	}
	for _, emoji := range c.reactions {
		full.Reactions = append(full.Reactions, wireReaction{Type: "emoji", Emoji: emoji})
	}
	if c.isGroup() {
		full.Permissions = map[string]bool{"can_send_messages": true, "can_send_documents": true, "can_send_photos": true}
	}
	return full, nil
}

// memberOf is what the Bot API says about one member. Called with mu held.
func (s *Server) memberOf(c *chat, id int64) wireMember {
	m := wireMember{User: s.users[id], Status: c.status(id)}
	if id == s.me.ID {
		m.Status = c.bot
	}
	switch m.Status {
	case creator:
		m.adminRights = &adminRights{CanManageChat: true, CanDeleteMessages: true, CanPromoteMembers: true, CanChangeInfo: true, CanInviteUsers: true, CanRestrict: true}
	case administrator:
		m.adminRights = &adminRights{CanManageChat: true, CanDeleteMessages: true, CanInviteUsers: true}
		if c.kind == supergroup {
			m.CanManageTopics = &c.manage
		}
	case kicked:
		m.UntilDate = new(int64)
	}
	return m
}

func (s *Server) getChatMember(_ context.Context, p *params) (any, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c, err := s.chatOf(p)
	if err != nil {
		return nil, err
	}
	id := p.int("user_id")
	if s.users[id] == nil {
		return nil, bad("PARTICIPANT_ID_INVALID")
	}
	return s.memberOf(c, id), nil
}

func (s *Server) getChatAdministrators(_ context.Context, p *params) (any, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c, err := s.chatOf(p)
	if err != nil {
		return nil, err
	}
	if !c.isGroup() {
		return nil, bad("there are no administrators in the private chat")
	}
	out := []wireMember{s.memberOf(c, c.members[0])}
	if c.admin() {
		out = append(out, s.memberOf(c, s.me.ID))
	}
	return out, nil
}

func (s *Server) getChatMemberCount(_ context.Context, p *params) (any, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c, err := s.chatOf(p)
	if err != nil {
		return nil, err
	}
	return len(c.members) + 1, nil
}

func (s *Server) leaveChat(_ context.Context, p *params) (any, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c, err := s.chatOf(p)
	if err != nil {
		return nil, err
	}
	if !c.isGroup() {
		return nil, bad("chat member status can't be changed in private chats")
	}
	c.bot = left
	s.changed.Notify()
	return true, nil
}

// openTopic makes a topic and the service message that carries its id. Called with mu held, or before the server runs.
func (s *Server) openTopic(c *chat, name string, by int64) *topic {
	m := &message{chat: c, from: s.users[by], service: func(w *wireMessage) {
		w.ForumTopicCreated = &wireTopic{Name: name, IconColor: topicColor}
	}}
	s.store(m)
	m.topic = m.id
	t := &topic{id: m.id, name: name, creator: by}
	c.topics = append(c.topics, t)
	return t
}

// manageTopics finds the forum of a topic method and checks the bot's rights. Called with mu held.
func (s *Server) manageTopics(p *params) (*chat, error) {
	c, err := s.chatOf(p)
	if err != nil {
		return nil, err
	}
	if !c.forum {
		return nil, bad("the chat is not a forum")
	}
	if c.isGroup() && !c.mayManage() {
		return nil, bad("not enough rights to manage topics")
	}
	return c, nil
}

func (s *Server) createForumTopic(_ context.Context, p *params) (any, error) {
	name := strings.TrimSpace(p.str("name"))
	if n := markup.Len(name); n < 1 || n > 128 {
		return nil, wrong("TOPIC_TITLE_EMPTY")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	c, err := s.manageTopics(p)
	if err != nil {
		return nil, err
	}
	if len(c.topics) >= maxTopics {
		return nil, bad("too many topics")
	}
	t := s.openTopic(c, name, s.me.ID)
	s.changed.Notify()
	return map[string]any{"message_thread_id": t.id, "name": t.name, "icon_color": topicColor}, nil
}

// maxTopics bounds the topics of one forum.
const maxTopics = 10_000

// topicMethod runs a change on the topic that a call names.
func (s *Server) topicMethod(p *params, change func(*chat, *topic) error) (any, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c, err := s.manageTopics(p)
	if err != nil {
		return nil, err
	}
	t := c.topic(int(p.int("message_thread_id")))
	if t == nil {
		return nil, bad("message thread not found")
	}
	if err := change(c, t); err != nil {
		return nil, err
	}
	s.changed.Notify()
	return true, nil
}

func (s *Server) editForumTopic(_ context.Context, p *params) (any, error) {
	return s.topicMethod(p, func(_ *chat, t *topic) error {
		if name := strings.TrimSpace(p.str("name")); name != "" {
			t.name = name
		}
		return nil
	})
}

func (s *Server) closeForumTopic(_ context.Context, p *params) (any, error) {
	return s.topicMethod(p, func(c *chat, t *topic) error { return s.setTopicClosed(c, t, true, s.me.ID) })
}

func (s *Server) reopenForumTopic(_ context.Context, p *params) (any, error) {
	return s.topicMethod(p, func(c *chat, t *topic) error { return s.setTopicClosed(c, t, false, s.me.ID) })
}

// setTopicClosed changes a topic and leaves a service message in it. Called with mu held.
func (s *Server) setTopicClosed(c *chat, t *topic, closed bool, by int64) error {
	if t.closed == closed {
		return bad("TOPIC_NOT_MODIFIED")
	}
	t.closed = closed
	m := &message{chat: c, topic: t.id, from: s.users[by], service: func(w *wireMessage) {
		if closed {
			w.ForumTopicClosed = &struct{}{}
		} else {
			w.ForumTopicReopened = &struct{}{}
		}
	}}
	s.store(m)
	if by != s.me.ID {
		s.push("message", c.id, s.wire(m, true))
	}
	return nil
}

func (s *Server) deleteForumTopic(_ context.Context, p *params) (any, error) {
	return s.topicMethod(p, func(c *chat, t *topic) error { s.dropTopic(c, t); return nil })
}

// dropTopic deletes a topic with its messages. Called with mu held.
func (s *Server) dropTopic(c *chat, t *topic) {
	t.deleted = true
	c.messages = slices.DeleteFunc(c.messages, func(m *message) bool { return m.topic == t.id })
	delete(c.activity, t.id)
}
