package telegram

import (
	"context"
	"errors"
	"fmt"
	"mime"
	"net/http"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/clickai/bridge/internal/sim"
	"github.com/clickai/bridge/internal/sim/telegram/markup"
)

// What people can do wrong.
var (
	ErrNoChat    = errors.New("no such chat")
	ErrNoUser    = errors.New("no such user")
	ErrNoTopic   = errors.New("no such open topic")
	ErrNoMessage = errors.New("no such message")
	ErrNotYours  = errors.New("the message is someone else's")
	ErrNotMember = errors.New("the user is no member of the chat, or has blocked the bot")
	ErrEmoji     = errors.New("the chat has no such reaction")
	ErrTooLong   = errors.New("the text is longer than a client sends in one message")
	ErrNoButton  = errors.New("the message has no such button")
)

// room finds a chat by its name in a [sim.Ref]. Called with mu held.
func (s *Server) room(room string) (*chat, error) {
	id, err := strconv.ParseInt(room, 10, 64)
	if err != nil || s.chats[id] == nil || s.chats[id].migratedTo != 0 {
		return nil, fmt.Errorf("chat %q: %w", room, ErrNoChat)
	}
	return s.chats[id], nil
}

// person finds someone by id or "@username". Called with mu held.
func (s *Server) person(name string) (*markup.User, error) {
	u := s.byUsername(name)
	if id, err := strconv.ParseInt(name, 10, 64); err == nil {
		u = s.users[id]
	}
	if u == nil || u.IsBot {
		return nil, fmt.Errorf("user %q: %w", name, ErrNoUser)
	}
	return u, nil
}

// at finds a message and the person who acts on it. Called with mu held.
func (s *Server) at(ref sim.Ref, user string) (*message, *markup.User, error) {
	c, err := s.room(ref.Room)
	if err != nil {
		return nil, nil, err
	}
	u, err := s.person(user)
	if err != nil {
		return nil, nil, err
	}
	if c.status(u.ID) == left {
		return nil, nil, ErrNotMember
	}
	id, _ := strconv.Atoi(ref.ID)
	m := c.find(id)
	if m == nil {
		return nil, nil, fmt.Errorf("message %s in %s: %w", ref.ID, ref.Room, ErrNoMessage)
	}
	return m, u, nil
}

// attachment is a file of a person, read before the lock is taken.
type attachment struct {
	sim.File
	kind   string
	dims   [2]int
	thumbs []thumb
}

func attach(f sim.File) attachment {
	a := attachment{File: f, kind: "document"}
	if a.MIME == "" {
		if a.MIME = mime.TypeByExtension(path.Ext(f.Name)); a.MIME == "" {
			a.MIME = http.DetectContentType(f.Data)
		}
		a.MIME, _, _ = strings.Cut(a.MIME, ";")
	}
	sound := soundKind(a.Name, a.MIME, a.Data)
	dims, thumbs, picture := decodePicture(a.Data)
	switch {
	case picture && sound == "gif":
		a.kind, a.dims = "animation", dims
	case picture && len(a.Data) <= maxPhoto:
		a.kind, a.dims, a.thumbs = "photo", dims, thumbs
	case sound == "ogg":
		a.kind = "voice"
	case sound == "audio", sound == "video":
		a.kind = sound
	}
	return a
}

// Say makes a person write. Of an album the first message is returned. In groups the bot gets an update only if it is
// to see the message: see https://core.telegram.org/bots/features#privacy-mode.
func (s *Server) Say(_ context.Context, say sim.Say) (sim.Message, error) {
	files := make([]attachment, 0, len(say.Files))
	for _, f := range say.Files {
		files = append(files, attach(f))
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	base, err := s.compose(say)
	if err != nil {
		return sim.Message{}, fmt.Errorf("telegram: saying: %w", err)
	}
	if len(files) == 0 {
		files = append(files, attachment{})
	}
	base.group = say.Group
	if len(files) > 1 && base.group == "" {
		base.group = s.newAlbum()
	}
	seen := s.sees(&base)
	var first *message
	for i, f := range files {
		m := base
		if f.kind != "" {
			m.media, m.isCaption = s.storeMedia(f.kind, f.Name, f.MIME, f.Data, f.thumbs, f.dims), true
		}
		if i > 0 {
			m.body = markup.Text{}
		}
		s.store(&m)
		if first == nil {
			first = &m
		}
		if seen {
			s.push("message", m.chat.id, s.wire(&m, true))
		}
	}
	s.changed.Notify()
	return s.view(first), nil
}

// compose makes the message of a person without its files. Called with mu held.
func (s *Server) compose(say sim.Say) (message, error) {
	var m message
	c, err := s.room(say.Room)
	if err != nil {
		return m, err
	}
	if m.from, err = s.person(say.User); err != nil {
		return m, err
	}
	if c.status(m.from.ID) == left || c.kind == private && c.bot == kicked {
		return m, fmt.Errorf("%s in %s: %w", say.User, say.Room, ErrNotMember)
	}
	m.chat = c
	if say.Thread != "" {
		id, _ := strconv.Atoi(say.Thread)
		t := c.topic(id)
		if t == nil || t.closed && c.status(m.from.ID) != creator {
			return m, fmt.Errorf("topic %q of %s: %w", say.Thread, say.Room, ErrNoTopic)
		}
		m.topic = t.id
	}
	if say.ReplyTo != "" {
		id, _ := strconv.Atoi(say.ReplyTo)
		if c.find(id) == nil {
			return m, fmt.Errorf("replying to %s: %w", say.ReplyTo, ErrNoMessage)
		}
		m.replyTo = id
	}
	text := say.Text
	if say.Mention && c.isGroup() {
		text = "@" + s.me.Username + " " + text
	}
	limit := maxText
	if len(say.Files) > 0 {
		limit = maxCaption
	}
	m.body, err = personText(text, len(say.Files) > 0, limit)
	return m, err
}

func personText(text string, mayBeEmpty bool, limit int) (markup.Text, error) {
	t, err := markup.Normalize(markup.Text{Text: text}, markup.Options{AllowEmpty: mayBeEmpty, Detect: true})
	if err != nil {
		return t, err
	}
	if markup.Len(t.Text) > limit {
		return t, ErrTooLong
	}
	return t, nil
}

// sees tells whether the bot gets a person's message. Called with mu held.
func (s *Server) sees(m *message) bool {
	c := m.chat
	switch {
	case c.bot == kicked || c.bot == left:
		return false
	case !c.isGroup() || c.admin() || s.opts.PrivacyOff:
		return true
	}
	if target := c.find(m.replyTo); target != nil && target.from == s.me {
		return true
	}
	for _, e := range m.body.Entities {
		text := markup.Slice(m.body.Text, e)
		switch e.Type {
		case markup.Mention:
			if strings.EqualFold(text, "@"+s.me.Username) {
				return true
			}
		case markup.BotCommand:
			_, to, named := strings.Cut(text, "@")
			if e.Offset == 0 && (!named || strings.EqualFold(to, s.me.Username)) {
				return true
			}
		}
	}
	return false
}

// Edit changes a person's message. The bot gets the update even if the text stays the same, as for changes that it
// cannot see.
func (s *Server) Edit(_ context.Context, at sim.Ref, user, text string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	m, u, err := s.at(at, user)
	if err != nil {
		return fmt.Errorf("telegram: editing: %w", err)
	}
	if m.from != u || m.service != nil {
		return fmt.Errorf("telegram: editing: %w", ErrNotYours)
	}
	limit := maxText
	if m.isCaption {
		limit = maxCaption
	}
	body, err := personText(text, m.isCaption, limit)
	if err != nil {
		return fmt.Errorf("telegram: editing: %w", err)
	}
	m.body, m.edited = body, time.Now()
	s.newVersion(m, m.edited)
	if s.sees(m) {
		s.push("edited_message", m.chat.id, s.wire(m, true))
	}
	s.changed.Notify()
	return nil
}

// Delete removes a person's own message; in groups the creator may remove any. Telegram tells bots nothing of it.
func (s *Server) Delete(_ context.Context, at sim.Ref, user string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	m, u, err := s.at(at, user)
	if err != nil {
		return fmt.Errorf("telegram: deleting: %w", err)
	}
	if m.from != u && m.chat.status(u.ID) != creator && m.chat.kind != private {
		return fmt.Errorf("telegram: deleting: %w", ErrNotYours)
	}
	m.chat.remove(m.id)
	s.changed.Notify()
	return nil
}

// React puts a person's reaction on a message. Without Telegram Premium it takes the place of the one before.
func (s *Server) React(_ context.Context, at sim.Ref, user, emoji string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	m, u, err := s.at(at, user)
	if err != nil {
		return fmt.Errorf("telegram: reacting: %w", err)
	}
	emoji = plainEmoji(emoji)
	if !m.chat.reactable(emoji) {
		return fmt.Errorf("telegram: reacting with %s: %w", emoji, ErrEmoji)
	}
	next := []string{emoji}
	if old := m.reactions[u.ID]; slices.Contains(old, emoji) {
		return nil
	} else if s.premium[u.ID] {
		next = append(slices.Clone(old), emoji)
		next = next[max(0, len(next)-3):]
	}
	s.changeReactions(m, u, next)
	return nil
}

// Unreact takes a person's reaction back; it is fine if there is none.
func (s *Server) Unreact(_ context.Context, at sim.Ref, user, emoji string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	m, u, err := s.at(at, user)
	if err != nil {
		return fmt.Errorf("telegram: taking a reaction back: %w", err)
	}
	old := m.reactions[u.ID]
	emoji = plainEmoji(emoji)
	if !slices.Contains(old, emoji) {
		return nil
	}
	s.changeReactions(m, u, slices.DeleteFunc(slices.Clone(old), func(e string) bool { return e == emoji }))
	return nil
}

// Places are the private chats in the order of the users, then groups with their topics.
func (s *Server) Places() []sim.Place {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []sim.Place
	for _, id := range s.order {
		c := s.chats[id]
		if c.migratedTo != 0 {
			continue
		}
		p := sim.Place{Room: formatID(id), Name: c.title, Kind: "group"}
		switch {
		case c.kind == private:
			p.Name, p.Kind = s.users[id].FirstName, "direct"
		case c.forum:
			p.Kind = "forum"
		}
		out = append(out, p)
		for _, t := range c.topics {
			if !t.deleted {
				out = append(out, sim.Place{Room: p.Room, Thread: threadName(t.id), Name: t.name, Kind: "topic"})
			}
		}
	}
	return out
}

// Messages are the messages of a chat, or of one topic; for a forum thread "" is General. Service messages are left out.
func (s *Server) Messages(room, thread string) []sim.Message {
	s.mu.Lock()
	defer s.mu.Unlock()
	id, _ := strconv.ParseInt(room, 10, 64)
	c := s.chats[id]
	if c == nil {
		return nil
	}
	topic, _ := strconv.Atoi(thread)
	var out []sim.Message
	for _, m := range c.messages {
		if m.topic == topic && m.service == nil {
			out = append(out, s.view(m))
		}
	}
	return out
}

// Find is one message; the thread of at does not matter, ids are unique in a chat.
func (s *Server) Find(at sim.Ref) (sim.Message, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	chatID, _ := strconv.ParseInt(at.Room, 10, 64)
	id, _ := strconv.Atoi(at.ID)
	if c := s.chats[chatID]; c != nil {
		if m := c.find(id); m != nil {
			return s.view(m), true
		}
	}
	return sim.Message{}, false
}
