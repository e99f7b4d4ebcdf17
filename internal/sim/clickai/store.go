package clickai

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"time"
)

// owner is who a conversation and a file belong to: the pair of app and user.
type owner struct{ app, user string }

// conversation and message are guarded by Server.mu.
type conversation struct {
	id        string
	owner     owner
	name      string
	autoName  bool
	inputs    map[string]any
	opening   string
	completed bool
	running   int
	messages  []*message
	created   time.Time
	updated   time.Time
	touched   int64 // orders conversations updated within one clock tick
}

type message struct {
	id       string
	owner    owner
	conv     *conversation // nil for a completion
	parent   string
	query    string
	inputs   map[string]any
	answer   string
	status   string // "normal", "error"
	err      string
	running  bool
	files    []messageFile
	sources  []Source
	thoughts []thought
	usage    map[string]any
	rating   string
	content  string
	created  time.Time
}

// messageFile is a file of a message: the person's own, or one that the answer brought.
type messageFile struct {
	file      *file // nil for a remote URL
	id        string
	kind      FileType
	transfer  string // local_file, remote_url, tool_file
	url       string // remote_url only
	name      string
	assistant bool
}

// file is an upload or, with tool set, a generated file.
type file struct {
	Upload
	tool bool
}

func (c *conversation) snapshot() Conversation {
	out := Conversation{
		ID: c.id, App: c.owner.app, User: c.owner.user, Name: c.name, Inputs: maps.Clone(c.inputs),
		Completed: c.completed, CreatedAt: c.created, UpdatedAt: c.updated,
	}
	for _, m := range c.messages {
		out.Messages = append(out.Messages, Message{
			ID: m.id, Query: m.query, Answer: m.answer, Status: m.status, Running: m.running, Rating: m.rating,
		})
	}
	return out
}

// addConversationLocked adds a conversation and drops the oldest over the bound. The caller holds mu.
func (s *Server) addConversationLocked(c *conversation) {
	s.convs[c.id] = c
	s.convOrder.add(c, 0)
	s.touchLocked(c)
}

func (s *Server) touchLocked(c *conversation) {
	s.clock++
	c.touched = s.clock
	c.updated = time.Now()
}

func (s *Server) removeConversationLocked(c *conversation) {
	if s.convs[c.id] != c {
		return
	}
	delete(s.convs, c.id)
	for _, m := range c.messages {
		delete(s.messages, m.id)
	}
}

func (s *Server) addMessageLocked(m *message) {
	c := m.conv
	if c == nil {
		s.messages[m.id] = m
		s.loose.add(m, 0)
		return
	}
	if s.convs[c.id] != c {
		return // deleted since the request was checked
	}
	s.messages[m.id] = m
	if n := len(c.messages); n > 0 {
		m.parent = c.messages[n-1].id
	}
	c.messages = append(c.messages, m)
	if n := len(c.messages) - max(s.opt.Keep.Messages, 1); n > 0 {
		for _, old := range c.messages[:n] {
			delete(s.messages, old.id)
		}
		c.messages = slices.Delete(c.messages, 0, n)
	}
	s.touchLocked(c)
}

// addFileLocked keeps a file; contents over the byte budget are dropped from the oldest files on. The caller holds mu.
func (s *Server) addFileLocked(f *file) {
	s.fileByID[f.ID] = f
	s.files.add(f, 0)
	s.contents.add(f, int64(len(f.Data)))
}

// conversationOf is the owner's conversation of that id; nil if it isn't there for this owner.
func (s *Server) conversationOf(o owner, id string) (c *conversation, foreign bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c, ok := s.convs[id]
	if !ok {
		return nil, false
	}
	if c.owner != o {
		return nil, true
	}
	return c, false
}

// Forget removes a conversation as if it had been deleted in ClickAI Studio: the next turn with its id is 404. It
// reports whether the conversation existed.
func (s *Server) Forget(conversationID string) bool {
	defer s.notifier.Notify()
	s.mu.Lock()
	defer s.mu.Unlock()
	c, ok := s.convs[conversationID]
	if ok {
		s.removeConversationLocked(c)
	}
	return ok
}

// Complete closes a conversation: the next turn with its id is 400 conversation_completed. It reports whether the
// conversation existed.
func (s *Server) Complete(conversationID string) bool {
	defer s.notifier.Notify()
	s.mu.Lock()
	defer s.mu.Unlock()
	c, ok := s.convs[conversationID]
	if ok {
		c.completed = true
	}
	return ok
}

// title makes a conversation's name from its first question.
func title(question string) string {
	words := strings.Fields(question)
	t := strings.Join(words[:min(len(words), 6)], " ")
	if r := []rune(t); len(r) > 60 {
		t = string(r[:60])
	}
	return cmp.Or(t, "New conversation")
}

// inputText is the first text among inputs, by variable name, for apps without a query.
func inputText(inputs map[string]any) string {
	for _, k := range []string{"query", "text", "input_text"} {
		if t, ok := inputs[k].(string); ok && t != "" {
			return t
		}
	}
	for _, k := range slices.Sorted(maps.Keys(inputs)) {
		if t, ok := inputs[k].(string); ok && t != "" {
			return t
		}
	}
	return ""
}

// withoutNUL removes NUL characters from all text in a JSON value, as the API does.
func withoutNUL(v any) any {
	switch v := v.(type) {
	case string:
		return strings.ReplaceAll(v, "\x00", "")
	case map[string]any:
		for k := range v {
			v[k] = withoutNUL(v[k])
		}
	case []any:
		for i := range v {
			v[i] = withoutNUL(v[i])
		}
	}
	return v
}
