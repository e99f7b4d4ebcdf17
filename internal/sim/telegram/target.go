package telegram

import (
	"cmp"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/clickai/bridge/internal/sim"
)

func formatID(id int64) string { return strconv.FormatInt(id, 10) }

// chatOf finds the chat of a call and whether the bot may act in it. Called with mu held.
func (s *Server) chatOf(p *params) (*chat, error) {
	name := strings.TrimSpace(p.str("chat_id"))
	if name == "" {
		return nil, wrong("chat_id is empty")
	}
	var c *chat
	if id, err := strconv.ParseInt(name, 10, 64); err == nil {
		c = s.chats[id]
	} else if strings.HasPrefix(name, "@") {
		for _, other := range s.chats {
			if other.username != "" && strings.EqualFold(other.username, name[1:]) {
				c = other
			}
		}
	}
	switch {
	case c == nil:
		return nil, bad("chat not found")
	case c.migratedTo != 0:
		e := bad("group chat was upgraded to a supergroup chat")
		e.migrateTo = c.migratedTo
		return nil, e
	case c.bot == kicked && c.kind == private:
		return nil, forbidden("bot was blocked by the user")
	case c.bot == kicked:
		return nil, forbidden("bot was kicked from the " + c.kind + " chat")
	case c.bot == left:
		return nil, forbidden("bot is not a member of the " + c.kind + " chat")
	}
	return c, nil
}

// place finds the chat and the topic of a call. Called with mu held.
func (s *Server) place(p *params) (*chat, int, error) {
	c, err := s.chatOf(p)
	if err != nil {
		return nil, 0, err
	}
	thread := int(p.int("message_thread_id"))
	switch {
	case thread == 0:
		return c, 0, nil
	case !c.forum:
		// In a supergroup without topics a thread is named by the message that began it.
		if c.kind == supergroup && c.find(thread) != nil {
			return c, 0, nil
		}
		return nil, 0, bad("message thread not found")
	}
	t := c.topic(thread)
	if t == nil {
		return nil, 0, bad("message thread not found")
	}
	return c, t.id, nil
}

// destination is where a new message goes.
type destination struct {
	chat     *chat
	topic    int
	replyTo  int
	keyboard json.RawMessage
	preview  json.RawMessage
}

// destinationOf reads what all send methods have in common. Called with mu held.
func (s *Server) destinationOf(p *params) (destination, error) {
	var d destination
	var err error
	if d.chat, d.topic, err = s.place(p); err != nil {
		return d, err
	}
	var reply struct {
		MessageID int             `json:"message_id"`
		ChatID    json.RawMessage `json:"chat_id"`
		Allow     bool            `json:"allow_sending_without_reply"`
	}
	if _, err := p.object("reply_parameters", &reply); err != nil {
		return d, err
	}
	reply.MessageID = cmp.Or(reply.MessageID, int(p.int("reply_to_message_id")))
	reply.Allow = reply.Allow || p.bool("allow_sending_without_reply")
	if reply.MessageID != 0 {
		target := d.chat.find(reply.MessageID)
		switch {
		case target != nil:
			d.replyTo = target.id
			if !p.has("message_thread_id") { // an answer stands where its question stands
				d.topic = target.topic
			}
		case !reply.Allow:
			return d, bad("message to be replied not found")
		}
	}
	if d.topic != 0 {
		if t := d.chat.topic(d.topic); t == nil {
			return d, bad("message thread not found")
		} else if t.closed && !d.chat.mayManage() {
			return d, bad("TOPIC_CLOSED")
		}
	}
	if d.keyboard, err = keyboardOf(p); err != nil {
		return d, err
	}
	if _, err := p.object("link_preview_options", &d.preview); err != nil {
		return d, err
	}
	return d, nil
}

// spend counts n messages against the limits. Called with mu held.
func (s *Server) spend(c *chat, n int) error {
	now := time.Now()
	retry, why := take(now, s.all, c.limit, n)
	if retry == 0 {
		return nil
	}
	s.opts.Observe.Tell(sim.Limited, sim.Ref{}, time.Now(), "")
	e := &floodError{apiError: flood(retry), chat: c.id, why: why}
	if now.Before(c.limit.excused) {
		c.limit.excused, e.against = time.Time{}, false
	}
	return e
}

// floodError is a 429 that says in the violations which limit was hit where.
type floodError struct {
	*apiError
	chat int64
	why  string
}

func (e *floodError) Unwrap() error { return e.apiError }

func (e *floodError) Error() string {
	return fmt.Sprintf("%s (chat %d: %s)", e.description(), e.chat, e.why)
}
