package telegram_test

import (
	"encoding/json"
	"slices"
	"sync"
	"testing"

	"github.com/clickai/bridge/internal/sim"
	"github.com/clickai/bridge/internal/sim/telegram"
)

func TestObserver(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	var seen []string
	s := start(t, telegram.Options{RateScale: 0.001, Observe: func(x sim.Seen) {
		mu.Lock()
		defer mu.Unlock()
		line := string(x.Kind) + " " + x.Text
		if x.Kind != sim.Limited && (x.Ref.Room != telegram.Minh || x.Ref.ID == "" || x.At.IsZero()) {
			line += " at no place or time"
		}
		seen = append(seen, line)
	}})
	r := newRaw(t, s)
	say(t, s, sim.Say{Room: telegram.Minh, User: telegram.Minh, Text: "people are not observed"})
	chat := json.Number(telegram.Minh)
	r.ok(r.call("sendMessageDraft", obj{"chat_id": chat, "draft_id": 1, "text": "<b>dra</b>", "parse_mode": "HTML"}), nil)
	var m struct {
		ID int `json:"message_id"`
	}
	r.ok(r.call("sendMessage", obj{"chat_id": chat, "text": "<b>one</b>", "parse_mode": "HTML"}), &m)
	r.ok(r.call("editMessageText", obj{"chat_id": chat, "message_id": m.ID, "text": "two"}), nil)
	r.ok(r.call("deleteMessage", obj{"chat_id": chat, "message_id": m.ID}), nil)
	r.ok(r.call("sendMessage", obj{"chat_id": chat, "text": "three"}), nil)
	if got := r.call("sendMessage", obj{"chat_id": chat, "text": "four"}); got.Status != 429 {
		t.Errorf("the fourth call is answered %d, want 429", got.Status)
	}
	mu.Lock()
	defer mu.Unlock()
	want := []string{"drafted dra", "posted one", "edited two", "deleted ", "posted three", "limited "}
	if !slices.Equal(seen, want) {
		t.Errorf("observed %q, want %q", seen, want)
	}
}
