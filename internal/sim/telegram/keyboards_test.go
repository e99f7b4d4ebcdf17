package telegram_test

import (
	"errors"
	"net/http"
	"reflect"
	"strings"
	"testing"

	tgbot "github.com/go-telegram/bot"
	"github.com/go-telegram/bot/models"

	"github.com/clickai/bridge/internal/sim"
	"github.com/clickai/bridge/internal/sim/telegram"
)

func keyboard(rows ...[]obj) obj { return obj{"inline_keyboard": rows} }

// TestKeyboards: what the documentation forbids is refused, with the message (https://core.telegram.org/bots/api#inlinekeyboardbutton).
func TestKeyboards(t *testing.T) {
	t.Parallel()
	s := start(t, telegram.Options{})
	r := newRaw(t, s)
	long := strings.Repeat("é", 32) // 64 bytes
	many := make([]obj, 101)
	for i := range many {
		many[i] = obj{"text": "x", "callback_data": "x"}
	}
	tests := []struct {
		name   string
		markup any
		want   string // "" is fine
	}{
		{"one", keyboard([]obj{{"text": "Go", "callback_data": "go"}}), ""},
		{"as long as may be", keyboard([]obj{{"text": "Go", "callback_data": long}}), ""},
		{"link", keyboard([]obj{{"text": "Docs", "url": "https://example.com"}}), ""},
		{"a row without buttons", keyboard([]obj{}, []obj{{"text": "Go", "callback_data": "go"}}), ""},
		{"no rows", keyboard([]obj{}), ""},
		{"another kind of keyboard", obj{"force_reply": true}, ""},
		{"a byte too long", keyboard([]obj{{"text": "Go", "callback_data": long + "x"}}), "Bad Request: BUTTON_DATA_INVALID"},
		{"no data", keyboard([]obj{{"text": "Go", "callback_data": ""}}), "Bad Request: BUTTON_DATA_INVALID"},
		{"no text", keyboard([]obj{{"text": " ", "callback_data": "go"}}), "Bad Request: inline keyboard button text must be non-empty"},
		{"neither data nor link", keyboard([]obj{{"text": "Go"}}), "Bad Request: can't parse inline keyboard button: Text buttons are unallowed in the inline keyboard"},
		{"no link", keyboard([]obj{{"text": "Go", "url": "nowhere at all"}}), "Bad Request: inline keyboard button URL 'nowhere at all' is invalid: Wrong HTTP URL"},
		{"no object", keyboard([]obj{{"text": 5}}), "Bad Request: can't parse inline keyboard button: InlineKeyboardButton must be an Object"},
		{"too many", keyboard(many), "Bad Request: reply markup is too long"},
		{"text", "x", "Bad Request: object expected as reply markup"},
	}
	for _, tt := range tests {
		got := r.call("sendMessage", obj{"chat_id": telegram.Minh, "text": "x", "reply_markup": tt.markup})
		if tt.want == "" {
			r.ok(got, nil)
			continue
		}
		r.want(got, http.StatusBadRequest, tt.want)
	}
	if n := len(s.Violations()); n != 8 {
		t.Errorf("violations: %q", s.Violations())
	}
}

// TestLibraryButtons: buttons are shown, changed and taken away by sends and by each kind of edit.
func TestLibraryButtons(t *testing.T) {
	t.Parallel()
	s := start(t, telegram.Options{})
	b := library(t, s)
	markup := func(data string) models.ReplyMarkup {
		return &models.InlineKeyboardMarkup{InlineKeyboard: [][]models.InlineKeyboardButton{{{Text: "A", CallbackData: data}, {Text: "B", URL: "https://example.com/"}}}}
	}
	sent, err := b.SendMessage(t.Context(), &tgbot.SendMessageParams{ChatID: telegram.Group, Text: "pick", ReplyMarkup: markup("1")})
	if err != nil {
		t.Fatal(err)
	}
	at := sim.Ref{Room: telegram.Group, ID: itoa(sent.ID)}
	shows := func(step, data string) {
		t.Helper()
		var want [][]telegram.Button
		if data != "" {
			want = [][]telegram.Button{{{Text: "A", Data: data}, {Text: "B", URL: "https://example.com/"}}}
		}
		if got := s.Buttons(at); !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %+v, want %+v", step, got, want)
		}
	}
	shows("sent", "1")
	if _, err := b.EditMessageReplyMarkup(t.Context(), &tgbot.EditMessageReplyMarkupParams{ChatID: telegram.Group, MessageID: sent.ID, ReplyMarkup: markup("2")}); err != nil {
		t.Fatal(err)
	}
	shows("buttons alone", "2")
	_, err = b.EditMessageReplyMarkup(t.Context(), &tgbot.EditMessageReplyMarkupParams{ChatID: telegram.Group, MessageID: sent.ID, ReplyMarkup: markup("2")})
	if err == nil || !strings.Contains(err.Error(), "message is not modified") {
		t.Errorf("the same again: %v", err)
	}
	if _, err := b.EditMessageText(t.Context(), &tgbot.EditMessageTextParams{ChatID: telegram.Group, MessageID: sent.ID, Text: "pick one", ReplyMarkup: markup("2")}); err != nil {
		t.Fatal(err)
	}
	shows("text with buttons", "2")
	if _, err := b.EditMessageText(t.Context(), &tgbot.EditMessageTextParams{ChatID: telegram.Group, MessageID: sent.ID, Text: "picked"}); err != nil {
		t.Fatal(err)
	}
	shows("text alone", "")
	if _, err := b.EditMessageReplyMarkup(t.Context(), &tgbot.EditMessageReplyMarkupParams{ChatID: telegram.Group, MessageID: sent.ID, ReplyMarkup: markup("3")}); err != nil {
		t.Fatal(err)
	}
	if _, err := b.EditMessageReplyMarkup(t.Context(), &tgbot.EditMessageReplyMarkupParams{ChatID: telegram.Group, MessageID: sent.ID}); err != nil {
		t.Fatal(err)
	}
	shows("taken away", "")
	if m, _ := s.Find(at); len(m.Versions) != 3 || m.Shown != "picked" {
		t.Errorf("message = %+v", m)
	}
	if s.Buttons(sim.Ref{Room: "-1", ID: "1"}) != nil || s.Buttons(sim.Ref{Room: telegram.Group, ID: "999"}) != nil {
		t.Error("buttons of no message")
	}
	noViolations(t, s)
}

func TestOutOfView(t *testing.T) {
	t.Parallel()
	s := start(t, telegram.Options{})
	theirs := say(t, s, sim.Say{Room: telegram.Group, User: telegram.Anna, Text: "@acme_support_bot hi"})
	for name, tt := range map[string]struct {
		at   sim.Ref
		want error
	}{
		"a person's":   {theirs.Ref, telegram.ErrNotBots},
		"no message":   {sim.Ref{Room: telegram.Group, ID: "99"}, telegram.ErrNoMessage},
		"no such room": {sim.Ref{Room: "5", ID: "1"}, telegram.ErrNoChat},
	} {
		if err := s.OutOfView(tt.at); !errors.Is(err, tt.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
