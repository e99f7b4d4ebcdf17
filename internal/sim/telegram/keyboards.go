package telegram

import (
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/clickai/bridge/internal/sim"
	"github.com/clickai/bridge/internal/sim/telegram/markup"
)

// Limits of https://core.telegram.org/bots/api#inlinekeyboardbutton; that of all buttons is the server's own.
const (
	maxButtonData = 64 // bytes
	maxButtons    = 100
)

type button struct {
	Text     string  `json:"text"`
	URL      *string `json:"url"`
	Callback *string `json:"callback_data"`
}

// keyboardOf reads reply_markup; only inline keyboards stay on a message.
func keyboardOf(p *params) (json.RawMessage, error) {
	var markupJSON struct {
		Inline json.RawMessage `json:"inline_keyboard"`
	}
	given, err := p.object("reply_markup", &markupJSON)
	if err != nil {
		return nil, wrong("object expected as reply markup")
	}
	if !given || len(markupJSON.Inline) == 0 {
		return nil, nil
	}
	if string(markupJSON.Inline) == "null" {
		p.nulls = append(p.nulls, "inline_keyboard")
		return nil, nil
	}
	var rows [][]json.RawMessage
	if err := json.Unmarshal(markupJSON.Inline, &rows); err != nil {
		return nil, wrong("can't parse reply keyboard markup JSON object")
	}
	n := 0
	kept := [][]json.RawMessage{}
	for _, row := range rows {
		for _, raw := range row {
			n++
			var b button
			if err := json.Unmarshal(raw, &b); err != nil {
				return nil, wrong("can't parse inline keyboard button: InlineKeyboardButton must be an Object")
			}
			if err := b.check(raw); err != nil {
				return nil, err
			}
		}
		if len(row) > 0 {
			kept = append(kept, row)
		}
	}
	if n == 0 {
		return nil, nil
	}
	if n > maxButtons {
		return nil, wrong("reply markup is too long")
	}
	return json.Marshal(map[string]any{"inline_keyboard": kept})
}

func (b button) check(raw json.RawMessage) error {
	if strings.TrimSpace(b.Text) == "" {
		return wrong("inline keyboard button text must be non-empty")
	}
	switch {
	case b.Callback != nil:
		if n := len(*b.Callback); n < 1 || n > maxButtonData {
			return wrong("BUTTON_DATA_INVALID")
		}
	case b.URL != nil:
		if _, ok := markup.CheckLink(*b.URL); !ok {
			return wrong("inline keyboard button URL '%s' is invalid: Wrong HTTP URL", *b.URL)
		}
	default:
		var kinds map[string]json.RawMessage
		_ = json.Unmarshal(raw, &kinds)
		for _, k := range []string{"web_app", "login_url", "switch_inline_query", "switch_inline_query_current_chat", "copy_text", "pay"} {
			if _, ok := kinds[k]; ok {
				return nil
			}
		}
		return wrong("can't parse inline keyboard button: Text buttons are unallowed in the inline keyboard")
	}
	return nil
}

// Button is a button under a message.
type Button struct {
	Text string
	Data string // what a press of it says to the bot; "" for links and other kinds
	URL  string // of a link
}

// Buttons are the rows of buttons under a message; none if there are none or no such message.
func (s *Server) Buttons(at sim.Ref) [][]Button {
	s.mu.Lock()
	defer s.mu.Unlock()
	c, err := s.room(at.Room)
	if err != nil {
		return nil
	}
	id, _ := strconv.Atoi(at.ID) // what is no number is no message's id
	m := c.find(id)
	if m == nil {
		return nil
	}
	return m.buttons()
}

// buttons reads the keyboard, which was checked when it came.
func (m *message) buttons() [][]Button {
	var keyboard struct {
		Rows [][]button `json:"inline_keyboard"`
	}
	if len(m.keyboard) == 0 || json.Unmarshal(m.keyboard, &keyboard) != nil {
		return nil
	}
	var rows [][]Button
	for _, row := range keyboard.Rows {
		var out []Button
		for _, b := range row {
			one := Button{Text: b.Text}
			if b.Callback != nil {
				one.Data = *b.Callback
			}
			if b.URL != nil {
				one.URL = *b.URL
			}
			out = append(out, one)
		}
		rows = append(rows, out)
	}
	return rows
}

// ErrNotBots says that a message is not the bot's.
var ErrNotBots = errors.New("the message is not the bot's")

// OutOfView has the bot see a message of its own no more, as happens to old ones: a press of its buttons then tells the chat
// and the id alone (https://core.telegram.org/bots/api#inaccessiblemessage).
func (s *Server) OutOfView(at sim.Ref) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	c, err := s.room(at.Room)
	if err != nil {
		return fmt.Errorf("telegram: hiding a message: %w", err)
	}
	id, _ := strconv.Atoi(at.ID)
	m := c.find(id)
	switch {
	case m == nil:
		return fmt.Errorf("telegram: hiding message %s: %w", at.ID, ErrNoMessage)
	case m.from != s.me:
		return fmt.Errorf("telegram: hiding message %s: %w", at.ID, ErrNotBots)
	}
	m.outOfView = true
	return nil
}
