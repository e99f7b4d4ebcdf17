package telegram_test

import (
	"errors"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/clickai/bridge/internal/sim/telegram"
)

// TestFlood: a chat that Telegram refuses for a time lists a violation for all who try again, and other chats go on.
func TestFlood(t *testing.T) {
	t.Parallel()
	s := start(t, telegram.Options{})
	r := newRaw(t, s)
	if err := s.Flood("1", time.Minute); !errors.Is(err, telegram.ErrNoChat) {
		t.Errorf("a chat that is not there: %v", err)
	}
	if err := s.Flood(telegram.Minh, time.Minute); err != nil {
		t.Fatal(err)
	}
	send := func(chat string) int {
		t.Helper()
		return r.call("sendMessage", obj{"chat_id": chat, "text": "x"}).Status
	}
	if code := send(telegram.Minh); code != http.StatusTooManyRequests {
		t.Errorf("first: %d", code)
	}
	if v := s.Violations(); len(v) != 0 {
		t.Errorf("the first one is no violation: %q", v)
	}
	if code := send(telegram.Anna); code != http.StatusOK {
		t.Errorf("another chat: %d", code)
	}
	if code := send(telegram.Minh); code != http.StatusTooManyRequests {
		t.Errorf("second: %d", code)
	}
	if v := s.Violations(); len(v) != 1 || !strings.Contains(v[0], "before retry_after") {
		t.Errorf("violations = %q", v)
	}
}

// TestListener serves where it is told to.
func TestListener(t *testing.T) {
	t.Parallel()
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := start(t, telegram.Options{Listener: l})
	if want := "http://" + l.Addr().String(); s.APIURL() != want {
		t.Errorf("serves at %s, want %s", s.APIURL(), want)
	}
	if got := newRaw(t, s).call("getMe", obj{}); got.Status != http.StatusOK {
		t.Errorf("getMe: %+v", got)
	}
}
