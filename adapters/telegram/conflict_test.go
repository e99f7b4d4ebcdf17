package telegram_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/clickai/bridge/adapters/telegram"
	"github.com/clickai/bridge/core"
	"github.com/clickai/bridge/internal/memnet"
	simtelegram "github.com/clickai/bridge/internal/sim/telegram"
)

const conflict = `{"ok":false,"error_code":409,"description":"Conflict: terminated by other getUpdates request; make sure that only one bot instance is running"}`

// TestConflictUnclear: where it cannot be found out why polls are refused, that is told, and polling goes on.
func TestConflictUnclear(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, match, says string }{
		{name: "no answer whether a webhook is set", match: "getWebhookInfo", says: "getWebhookInfo"},
		{name: "webhook cannot be taken away", match: "deleteWebhook", says: "deleteWebhook"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s, p := silent(t, simtelegram.Options{})
			if err := telegram.Call(t.Context(), p, "setWebhook", map[string]string{"url": "https://127.0.0.1:8443/hook"}, nil); err != nil {
				t.Fatal(err)
			}
			s.Faults().Add(simtelegram.ErrorFault(tt.match, http.StatusInternalServerError, "Internal Server Error", 2))
			h := &host{}
			start(t, p, h)
			if err := h.told(t, tt.says); core.ClassOf(err) != core.Transient {
				t.Errorf("state = %v", err)
			}
			h.waitUp(t, 1)
			ask(t, s, "hello")
			if ev := h.event(t, core.KindMessage, 1); ev.Text != "hello" {
				t.Errorf("text = %q", ev.Text)
			}
		})
	}
}

// TestConflictEnds: once the other poller is gone, the host is told so.
func TestConflictEnds(t *testing.T) {
	t.Parallel()
	s := newSim(t, simtelegram.Options{})
	s.Faults().Add(simtelegram.ErrorFault("getUpdates", http.StatusConflict, "Conflict: terminated by other getUpdates request", 3))
	h := &host{}
	start(t, newBot(t, s.APIURL(), s.Token()), h)
	_ = h.told(t, "another program polls with this token")
	h.waitUp(t, 1)
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(h.errs) != 3 {
		t.Errorf("%d failures were told of 3: %v", len(h.errs), h.errs)
	}
}

// TestStopInConflict: that the bot is stopped while it asks why is no failure of the connection.
func TestStopInConflict(t *testing.T) {
	t.Parallel()
	for _, hangs := range []string{"getWebhookInfo", "deleteWebhook"} {
		t.Run(hangs, func(t *testing.T) {
			t.Parallel()
			asked := make(chan struct{})
			var once sync.Once
			methods := map[string]http.HandlerFunc{
				"getUpdates": func(w http.ResponseWriter, _ *http.Request) {
					w.WriteHeader(http.StatusConflict)
					_, _ = io.WriteString(w, conflict)
				},
				"getWebhookInfo": func(w http.ResponseWriter, _ *http.Request) {
					_, _ = io.WriteString(w, `{"ok":true,"result":{"url":"https://elsewhere.example/"}}`)
				},
			}
			methods[hangs] = func(_ http.ResponseWriter, r *http.Request) {
				_, _ = io.Copy(io.Discard, r.Body) // only then does the server notice that the caller is gone
				once.Do(func() { close(asked) })
				<-r.Context().Done()
			}
			p, h := newBot(t, fake(t, methods), token), &host{}
			stop := start(t, p, h)
			<-asked
			if err := stop(); err != nil {
				t.Errorf("Run = %v", err)
			}
			if len(h.errs) != 0 {
				t.Errorf("told %s", fmt.Sprint(h.errs))
			}
		})
	}
}

// TestConflictIsNotToldToBeOver: a poll that throws the other poller out for a moment does not mean that all is well. Once
// the other one is gone, that is told before the next full poll ends.
func TestConflictIsNotToldToBeOver(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		net := memnet.Listen()
		s := newSim(t, simtelegram.Options{Listener: net})
		newOne := func() *telegram.Platform {
			p, err := telegram.New("acme", telegram.Config{Token: token, APIURL: s.APIURL()}, quiet(t))
			if err != nil {
				t.Fatal(err)
			}
			telegram.Dial(p, net.DialContext)
			t.Cleanup(func() { telegram.CloseIdle(p) })
			return p
		}
		p, other, h := newOne(), newOne(), &host{}
		start(t, p, h)
		pass(time.Second)
		ctx, cancel := context.WithCancel(t.Context())
		var wg sync.WaitGroup
		wg.Go(func() {
			for ctx.Err() == nil {
				_ = telegram.Call(ctx, other, "getUpdates", map[string]int{"timeout": 50}, nil)
				_ = sleepFor(ctx, 5*time.Second)
			}
		})
		ups := func() int {
			h.mu.Lock()
			defer h.mu.Unlock()
			return h.ups
		}
		_ = h.told(t, "another program polls with this token")
		was := ups()
		pass(10 * time.Minute)
		if n := ups() - was; n != 0 {
			t.Errorf("told %d times to work meanwhile", n)
		}
		cancel()
		wg.Wait()
		pass(25 * time.Second)
		if ups() == was {
			t.Error("not told to work again")
		}
	})
}

func sleepFor(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
