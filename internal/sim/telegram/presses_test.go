package telegram_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/clickai/bridge/internal/sim"
	"github.com/clickai/bridge/internal/sim/telegram"
)

// offer sends a message with the buttons "go" and a link.
func offer(r raw, room string) sim.Ref {
	r.t.Helper()
	var m message
	r.ok(r.call("sendMessage", obj{"chat_id": room, "text": "pick", "reply_markup": keyboard(
		[]obj{{"text": "Go", "callback_data": "go"}, {"text": "Docs", "url": "https://example.com"}})}), &m)
	return sim.Ref{Room: room, ID: itoa(m.ID)}
}

type query struct {
	ID   string `json:"id"`
	From struct {
		ID int64 `json:"id"`
	} `json:"from"`
	Message struct {
		ID   int   `json:"message_id"`
		Date int64 `json:"date"`
		From *struct {
			ID int64 `json:"id"`
		} `json:"from"`
		Chat struct {
			ID int64 `json:"id"`
		} `json:"chat"`
		Markup json.RawMessage `json:"reply_markup"`
	} `json:"message"`
	Instance string `json:"chat_instance"`
	Data     string `json:"data"`
}

// queries are the presses that were made for the bot.
func queries(t *testing.T, s *telegram.Server) []query {
	t.Helper()
	var all []query
	for _, u := range s.Updates() {
		var in struct {
			Query *query `json:"callback_query"`
		}
		if err := json.Unmarshal(u.Raw, &in); err != nil {
			t.Fatal(err)
		}
		if in.Query != nil {
			all = append(all, *in.Query)
		}
	}
	return all
}

// TestPresses: a press is an update with the message and its buttons, or with the chat and the id alone where the bot cannot
// see it (https://core.telegram.org/bots/api#callbackquery).
func TestPresses(t *testing.T) {
	t.Parallel()
	s := start(t, telegram.Options{})
	r := newRaw(t, s)
	at := offer(r, telegram.Group)
	first, err := s.Press(at, "@tom_reed", "go")
	if err != nil {
		t.Fatal(err)
	}
	if err := s.OutOfView(at); err != nil {
		t.Fatal(err)
	}
	second, err := s.Press(at, telegram.Anna, "go")
	if err != nil {
		t.Fatal(err)
	}
	got := queries(t, s)
	if len(got) != 2 || got[0].ID != first || got[1].ID != second || first == second {
		t.Fatalf("presses %q and %q: %+v", first, second, got)
	}
	if q := got[0]; q.Data != "go" || q.From.ID != 5000000003 || q.Instance == "" || q.Message.Date == 0 || q.Message.From == nil ||
		itoa(q.Message.ID) != at.ID || !strings.Contains(string(q.Message.Markup), `"Go"`) {
		t.Errorf("press: %+v", q)
	}
	if q := got[1]; q.Data != "go" || q.Message.Date != 0 || q.Message.From != nil || q.Message.Markup != nil || itoa(q.Message.ID) != at.ID ||
		fmt.Sprint(q.Message.Chat.ID) != telegram.Group {
		t.Errorf("out of view: %+v", q)
	}
	for name, tt := range map[string]struct {
		at         sim.Ref
		user, data string
		want       error
	}{
		"no such button": {at, telegram.Tom, "stop", telegram.ErrNoButton},
		"a link":         {at, telegram.Tom, "", telegram.ErrNoButton},
		"no message":     {sim.Ref{Room: telegram.Group, ID: "99"}, telegram.Tom, "go", telegram.ErrNoMessage},
		"nobody":         {at, "@nobody", "go", telegram.ErrNoUser},
		"no member":      {offer(r, telegram.Minh), telegram.Tom, "go", telegram.ErrNotMember},
	} {
		if _, err := s.Press(tt.at, tt.user, tt.data); !errors.Is(err, tt.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	noViolations(t, s)
}

// TestAnswersToPresses: the person sees the first answer, in a line or a window, for as long as Telegram takes one.
func TestAnswersToPresses(t *testing.T) {
	t.Parallel()
	s := start(t, telegram.Options{})
	r := newRaw(t, s)
	at := offer(r, telegram.Minh)
	press := func() string {
		t.Helper()
		id, err := s.Press(at, telegram.Minh, "go")
		if err != nil {
			t.Fatal(err)
		}
		return id
	}
	answer := func(id, text string, alert bool) reply {
		t.Helper()
		return r.call("answerCallbackQuery", obj{"callback_query_id": id, "text": text, "show_alert": alert})
	}
	const late = "Bad Request: query is too old and response timeout expired or query ID is invalid"
	changed := s.Changed()
	line, window, blank := press(), press(), press()
	select {
	case <-changed:
	default:
		t.Error("a press tells nobody who watches")
	}
	if _, ok := s.Answered(line); ok {
		t.Error("answered by nobody")
	}
	r.ok(answer(line, "Stopped", false), nil)
	r.ok(answer(line, "more", true), nil)
	r.ok(answer(window, "Sure?", true), nil)
	r.ok(answer(blank, "", false), nil)
	r.want(answer("7", "", false), http.StatusBadRequest, late)
	noViolations(t, s)
	r.want(answer(press(), strings.Repeat("x", 201), false), http.StatusBadRequest, "Bad Request: MESSAGE_TOO_LONG")
	r.ok(answer(press(), strings.Repeat("x", 200), false), nil)
	old := press()
	s.ExpirePresses()
	r.want(answer(old, "", false), http.StatusBadRequest, late)
	r.ok(answer(press(), "", false), nil)
	all := s.Presses()
	for i, want := range []telegram.Press{
		{ID: line, Answered: true, Text: "Stopped"}, {ID: window, Answered: true, Text: "Sure?", Alert: true}, {ID: blank, Answered: true},
	} {
		got := all[i]
		want.At, want.User, want.Data, want.When = at, telegram.Minh, "go", got.When
		if got != want || time.Since(got.When) > time.Minute {
			t.Errorf("press %d: %+v, want %+v", i, got, want)
		}
	}
	if text, ok := s.Answered(window); !ok || text != "Sure?" {
		t.Errorf("answered: %q, %t", text, ok)
	}
	for range 1500 {
		press()
	}
	if n := len(s.Presses()); n != 1000 {
		t.Errorf("%d presses are remembered", n)
	}
}
