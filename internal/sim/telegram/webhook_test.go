package telegram_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/clickai/bridge/internal/sim"
	"github.com/clickai/bridge/internal/sim/telegram"
)

func TestWebhook(t *testing.T) {
	t.Parallel()
	type delivery struct {
		text, secret string
		id           int64
	}
	seen := make(chan delivery, 20)
	answers := make(chan int, 20)
	hook := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		var u update
		if err := json.Unmarshal(b, &u); err != nil || u.Message == nil {
			t.Errorf("delivered %s: %v", b, err)
			return
		}
		seen <- delivery{u.Message.Text, r.Header.Get("X-Telegram-Bot-Api-Secret-Token"), u.ID}
		w.WriteHeader(<-answers)
	}))
	defer hook.Close()
	s := start(t, telegram.Options{WebhookRetry: time.Millisecond, FirstUpdateID: 1})
	r := newRaw(t, s)

	say(t, s, sim.Say{Room: telegram.Minh, User: telegram.Minh, Text: "old"})
	r.ok(r.call("setWebhook", obj{"url": hook.URL, "secret_token": "s3cret_-", "drop_pending_updates": true}), nil)
	if !s.Connected() {
		t.Error("not connected with a webhook")
	}
	say(t, s, sim.Say{Room: telegram.Minh, User: telegram.Minh, Text: "one"})
	say(t, s, sim.Say{Room: telegram.Minh, User: telegram.Minh, Text: "two"})
	for _, step := range []struct {
		text   string
		answer int
	}{{"one", 500}, {"one", 301}, {"one", 204}, {"two", 503}, {"two", 200}} {
		got := <-seen
		if got.text != step.text || got.secret != "s3cret_-" {
			t.Errorf("delivered %+v, want %q", got, step.text)
		}
		if step.text == "one" {
			if n := s.Pending(); n != 2 {
				t.Errorf("%d pending before the 2xx", n)
			}
		}
		answers <- step.answer
	}
	eventually(t, s, "all confirmed", func() bool { return s.Pending() == 0 })
	var info struct {
		URL       string `json:"url"`
		Pending   int    `json:"pending_update_count"`
		LastError string `json:"last_error_message"`
	}
	r.ok(r.call("getWebhookInfo", obj{}), &info)
	if info.URL != hook.URL || info.Pending != 0 || info.LastError != "Wrong response from the webhook: 503 Service Unavailable" {
		t.Errorf("info: %+v", info)
	}
	if err := s.Duplicate(2); err != nil {
		t.Fatal(err)
	}
	answers <- 200
	if got := <-seen; got.id != 2 {
		t.Errorf("duplicate: %+v", got)
	}
	// Another chat's updates do not wait for one that fails.
	say(t, s, sim.Say{Room: telegram.Minh, User: telegram.Minh, Text: "slow"})
	if got := <-seen; got.text != "slow" {
		t.Errorf("delivered %+v", got)
	}
	say(t, s, sim.Say{Room: telegram.Anna, User: telegram.Anna, Text: "other"})
	if got := <-seen; got.text != "other" {
		t.Errorf("delivered %+v", got)
	}
	answers <- 200
	answers <- 200
	r.ok(r.call("deleteWebhook", obj{}), nil)
	noViolations(t, s)
}

func TestWebhookRules(t *testing.T) {
	t.Parallel()
	s := start(t, telegram.Options{})
	r := newRaw(t, s)
	for _, tt := range []struct {
		name   string
		params obj
		want   string
	}{
		{"plain http", obj{"url": "http://example.com/x"}, "Bad Request: bad webhook: An HTTPS URL must be provided for webhook"},
		{"port", obj{"url": "https://example.com:8080/x"}, "Bad Request: bad webhook: Webhook can be set up only on ports 80, 88, 443 or 8443"},
		{"secret", obj{"url": "https://example.com/x", "secret_token": "a b"}, "Bad Request: secret token contains unallowed characters"},
	} {
		r.want(r.call("setWebhook", tt.params), http.StatusBadRequest, tt.want)
	}
}
