package telegram

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/clickai/bridge/internal/sim"
	"github.com/clickai/bridge/internal/sim/telegram/markup"
)

const (
	// maxPresses bounds the presses that are remembered.
	maxPresses = 1000
	// callbackLife is how long a press can be answered; the documentation names no time, the server's queue keeps it 150 s.
	callbackLife = 150 * time.Second
	// maxNotice is the length of an answer: https://core.telegram.org/bots/api#answercallbackquery.
	maxNotice = 200
)

// press is one press of an inline button. Guarded by Server.mu.
type press struct {
	Press
	tooOld bool
}

// Press is a button that a person has pressed, and what the bot answered.
type Press struct {
	ID       string // of the callback query
	At       sim.Ref
	User     string // id
	Data     string
	When     time.Time
	Answered bool   // before that the button shows that it is at work
	Text     string // of the answer; "" shows nothing
	Alert    bool   // it shows in a window rather than in a line that goes by itself
}

// wireInaccessible is https://core.telegram.org/bots/api#inaccessiblemessage.
type wireInaccessible struct {
	Chat      wireChat `json:"chat"`
	MessageID int      `json:"message_id"`
	Date      int64    `json:"date"` // always 0
}

type wireCallback struct {
	ID           string       `json:"id"`
	From         *markup.User `json:"from"`
	Message      any          `json:"message"`
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
	there := slices.ContainsFunc(m.buttons(), func(row []Button) bool {
		return slices.ContainsFunc(row, func(b Button) bool { return b.Data == data && data != "" })
	})
	if !there {
		return "", fmt.Errorf("telegram: pressing %q: %w", data, ErrNoButton)
	}
	s.pressed++
	id := strconv.FormatInt(u.ID<<16+s.pressed, 10)
	s.presses = append(s.presses, &press{Press: Press{ID: id, At: m.ref(), User: formatID(u.ID), Data: data, When: time.Now()}})
	if over := len(s.presses) - maxPresses; over > 0 {
		s.presses = slices.Delete(s.presses, 0, over)
	}
	var shown any = s.wire(m, true)
	if m.outOfView {
		shown = wireInaccessible{Chat: s.wireChat(m.chat), MessageID: m.id}
	}
	s.push("callback_query", m.chat.id, wireCallback{
		ID: id, From: u, Message: shown, ChatInstance: formatID(-m.chat.id), Data: data,
	})
	s.changed.Notify()
	return id, nil
}

// pressOf finds a press. Called with mu held.
func (s *Server) pressOf(id string) *press {
	i := slices.IndexFunc(s.presses, func(p *press) bool { return p.ID == id })
	if i < 0 {
		return nil
	}
	return s.presses[i]
}

// Presses are the latest presses, oldest first; at most 1,000.
func (s *Server) Presses() []Press {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := make([]Press, 0, len(s.presses))
	for _, p := range s.presses {
		out = append(out, p.Press)
	}
	return out
}

// Answered tells whether the bot has answered a callback query, and with which text.
func (s *Server) Answered(queryID string) (text string, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if p := s.pressOf(queryID); p != nil {
		return p.Text, p.Answered
	}
	return "", false
}

// ExpirePresses makes all presses so far too old to be answered.
func (s *Server) ExpirePresses() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, p := range s.presses {
		p.tooOld = true
	}
}

// answerCallbackQuery is https://core.telegram.org/bots/api#answercallbackquery. The first answer is what the person's client
// shows; a later one is taken and shows nothing.
func (s *Server) answerCallbackQuery(_ context.Context, p *params) (any, error) {
	if len([]rune(p.str("text"))) > maxNotice {
		return nil, wrong("MESSAGE_TOO_LONG")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	q := s.pressOf(p.str("callback_query_id"))
	if q == nil || q.tooOld || time.Since(q.When) > callbackLife {
		return nil, bad("query is too old and response timeout expired or query ID is invalid")
	}
	if !q.Answered {
		q.Answered, q.Text, q.Alert = true, p.str("text"), p.bool("show_alert")
		s.changed.Notify()
	}
	return true, nil
}
