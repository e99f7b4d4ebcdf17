package telegram_test

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/clickai/bridge/core"
)

// TestToldOnceItWorksAgain: a bot to which nobody writes is known to be connected again right after a failure, and not when
// the next held poll ends.
func TestToldOnceItWorksAgain(t *testing.T) {
	t.Parallel()
	var polls atomic.Int32
	api := fake(t, map[string]http.HandlerFunc{"getUpdates": func(w http.ResponseWriter, r *http.Request) {
		var p struct{ Timeout int }
		if err := json.NewDecoder(r.Body).Decode(&p); err != nil {
			t.Error(err)
		}
		switch n := polls.Add(1); {
		case n == 2:
			w.WriteHeader(http.StatusBadGateway)
		case p.Timeout > 0:
			<-r.Context().Done()
		default:
			_, _ = io.WriteString(w, `{"ok":true,"result":[]}`)
		}
	}})
	p, h := newBot(t, api, token), &host{}
	stop := start(t, p, h)
	_ = h.told(t, "502")
	h.waitUp(t, 2)
	if err := stop(); err != nil {
		t.Error(err)
	}
}

// TestHugeBatch: a batch that is larger than an answer may be is asked for in smaller ones.
func TestHugeBatch(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	var limits []int
	api := fake(t, map[string]http.HandlerFunc{"getUpdates": func(w http.ResponseWriter, r *http.Request) {
		var p struct{ Offset, Limit int }
		if err := json.NewDecoder(r.Body).Decode(&p); err != nil {
			t.Error(err)
		}
		mu.Lock()
		limits = append(limits, p.Limit)
		mu.Unlock()
		switch {
		case p.Offset == 0 && p.Limit > 50: // that many would be larger than an answer may be
			filler := bytes.Repeat([]byte(" "), 1<<20)
			for range 33 {
				_, _ = w.Write(filler)
			}
		case p.Offset == 0:
			_, _ = io.WriteString(w, `{"ok":true,"result":[{"update_id":1,"message":{"message_id":1,"date":1,"chat":{"id":5,"type":"private"},"from":{"id":5,"first_name":"M"},"text":"large"}}]}`)
		default:
			_, _ = io.WriteString(w, `{"ok":true,"result":[]}`)
		}
	}})
	p, h := newBot(t, api, token), &host{}
	stop := start(t, p, h)
	_ = h.told(t, "is larger than")
	if ev := h.event(t, core.KindMessage, 1); ev.Text != "large" {
		t.Errorf("text = %q", ev.Text)
	}
	await(t, "another poll", tick(t), func() bool {
		mu.Lock()
		defer mu.Unlock()
		return len(limits) >= 3
	})
	if err := stop(); err != nil {
		t.Error(err)
	}
	mu.Lock()
	defer mu.Unlock()
	if !slices.Equal(limits[:3], []int{100, 25, 100}) {
		t.Errorf("asked for %v", limits)
	}
}
