package telegram

import (
	"encoding/json"
	"slices"
	"strconv"
	"time"

	"github.com/clickai/bridge/internal/sim"
	"github.com/clickai/bridge/internal/sim/telegram/markup"
)

// All of this file is guarded by Server.mu; methods on chat and message are called with it held.

// The statuses of https://core.telegram.org/bots/api#chatmember.
const (
	creator       = "creator"
	administrator = "administrator"
	member        = "member"
	kicked        = "kicked"
	left          = "left"
)

// The chat types of https://core.telegram.org/bots/api#chat.
const (
	private    = "private"
	group      = "group"
	supergroup = "supergroup"
)

type chat struct {
	id         int64
	kind       string
	title      string
	username   string
	forum      bool
	topics     []*topic
	members    []int64 // the first is the creator
	bot        string  // the bot's status; kicked in a private chat means blocked
	manage     bool    // the bot may manage topics
	reactions  []string
	migratedTo int64

	messages []*message // by id
	lastID   int        // supergroups count their own messages
	limit    *chatLimit
	activity map[int]*activity // by topic
}

type topic struct {
	id      int
	name    string
	creator int64
	closed  bool
	deleted bool
}

type message struct {
	id        int
	chat      *chat
	topic     int
	from      *markup.User
	at        time.Time
	edited    time.Time
	replyTo   int
	group     string
	body      markup.Text
	isCaption bool
	media     *media
	preview   json.RawMessage
	keyboard  json.RawMessage
	rich      json.RawMessage
	service   func(*wireMessage) // fills what a service message says
	reactions map[int64][]string
	versions  []sim.Version
	pinged    map[int64]bool
	outOfView bool // the bot cannot see it any more
}

func (c *chat) isGroup() bool { return c.kind != private }

func (c *chat) admin() bool { return c.bot == administrator || c.bot == creator }

// mayManage tells whether the bot may open topics and write in closed ones.
func (c *chat) mayManage() bool { return c.admin() && c.manage }

func (c *chat) topic(id int) *topic {
	i := slices.IndexFunc(c.topics, func(t *topic) bool { return t.id == id && !t.deleted })
	if i < 0 {
		return nil
	}
	return c.topics[i]
}

func (c *chat) find(id int) *message {
	i, ok := slices.BinarySearchFunc(c.messages, id, func(m *message, id int) int { return m.id - id })
	if !ok {
		return nil
	}
	return c.messages[i]
}

func (c *chat) remove(id int) {
	c.messages = slices.DeleteFunc(c.messages, func(m *message) bool { return m.id == id })
}

func (c *chat) status(user int64) string {
	switch i := slices.Index(c.members, user); {
	case i < 0:
		return left
	case i == 0 && c.isGroup():
		return creator
	}
	return member
}

func (s *Server) wireChat(c *chat) wireChat {
	w := wireChat{ID: c.id, Type: c.kind, Title: c.title, Username: c.username, IsForum: c.forum && c.kind == supergroup}
	if c.kind == private {
		if u := s.users[c.id]; u != nil {
			w.Username, w.FirstName, w.LastName = u.Username, u.FirstName, u.LastName
		}
	}
	return w
}

// wire is the message as the Bot API shows it now, with the message it replies to, one level deep.
func (s *Server) wire(m *message, withReply bool) *wireMessage {
	w := &wireMessage{
		MessageID: m.id, From: m.from, Chat: s.wireChat(m.chat), Date: m.at.Unix(), MediaGroupID: m.group,
		LinkPreview: m.preview, ReplyMarkup: m.keyboard, RichMessage: m.rich,
	}
	if !m.edited.IsZero() {
		w.EditDate = m.edited.Unix()
	}
	if m.topic != 0 {
		w.MessageThreadID, w.IsTopicMessage = m.topic, true
	}
	if m.rich == nil {
		if m.isCaption {
			w.Caption, w.CaptionEntities = m.body.Text, m.body.Entities
		} else {
			w.Text, w.Entities = m.body.Text, m.body.Entities
		}
	}
	if m.media != nil {
		m.media.fill(w)
	}
	if m.service != nil {
		m.service(w)
	}
	if !withReply {
		return w
	}
	switch target := m.chat.find(m.replyTo); {
	case target != nil:
		w.ReplyToMessage = s.wire(target, false)
		if m.chat.kind == supergroup && !m.chat.forum { // replies of a supergroup carry the id of their thread's root
			w.MessageThreadID = m.chat.root(target)
		}
	case m.topic != 0 && m.replyTo == 0:
		// What stands in a topic without replying to anything replies, on the wire, to the message that opened it.
		if opening := m.chat.find(m.topic); opening != nil && opening != m {
			w.ReplyToMessage = s.wire(opening, false)
		}
	}
	return w
}

// root follows replies to the first message of a thread.
func (c *chat) root(m *message) int {
	for range len(c.messages) {
		next := c.find(m.replyTo)
		if next == nil {
			break
		}
		m = next
	}
	return m.id
}

// newID takes the next message id. Supergroups count their own; private chats and groups share one counter.
func (s *Server) newID(c *chat) int {
	if c.kind == supergroup {
		c.lastID++
		return c.lastID
	}
	s.lastID++
	return s.lastID
}

// store adds a message to its chat, whose order is that of the ids.
func (s *Server) store(m *message) {
	m.id = s.newID(m.chat)
	if m.at.IsZero() {
		m.at = time.Now()
	}
	m.chat.messages = append(m.chat.messages, m)
	if over := len(m.chat.messages) - s.opts.MaxMessages; over > 0 {
		m.chat.messages = slices.Delete(m.chat.messages, 0, over)
	}
	s.newVersion(m, m.at)
}

// newVersion notes the state that a message has now, and whom it mentions.
func (s *Server) newVersion(m *message, at time.Time) {
	m.versions = append(m.versions, sim.Version{At: at, Text: formatted(m.body), Shown: m.body.Text})
	if over := len(m.versions) - s.opts.MaxVersions; over > 0 { // the first one stays
		m.versions = slices.Delete(m.versions, 1, 1+over)
	}
	s.notePings(m)
}

// formatted is a text with its formatting as HTML; the text itself when it has none.
func formatted(t markup.Text) string {
	if markup.Styled(t.Entities) {
		return markup.HTML(t)
	}
	return t.Text
}

func (s *Server) view(m *message) sim.Message {
	out := sim.Message{
		Ref: m.ref(), Author: strconv.FormatInt(m.from.ID, 10), Bot: m.from.IsBot,
		Text: formatted(m.body), Shown: m.body.Text, Versions: slices.Clone(m.versions), At: m.at,
		Reactions: map[string][]string{},
	}
	if m.replyTo != 0 {
		out.ReplyTo = strconv.Itoa(m.replyTo)
	}
	if m.media != nil {
		out.Files = []sim.File{m.media.file.view()}
	}
	for user, list := range m.reactions {
		for _, emoji := range list {
			out.Reactions[emoji] = append(out.Reactions[emoji], strconv.FormatInt(user, 10))
		}
	}
	for _, users := range out.Reactions {
		slices.Sort(users)
	}
	out.Raw, _ = json.Marshal(s.wire(m, true)) // plain data, cannot fail
	return out
}

func (m *message) ref() sim.Ref {
	return sim.Ref{Room: strconv.FormatInt(m.chat.id, 10), Thread: threadName(m.topic), ID: strconv.Itoa(m.id)}
}

// tell tells the observer what a message of the bot says now.
func (s *Server) tell(kind sim.SeenKind, m *message) {
	if s.opts.Observe == nil || m.from != s.me {
		return
	}
	text := ""
	if kind != sim.Deleted {
		text = m.body.Text
	}
	s.opts.Observe.Tell(kind, m.ref(), time.Now(), text)
}

func threadName(topic int) string {
	if topic == 0 {
		return ""
	}
	return strconv.Itoa(topic)
}
