package main

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/clickai/bridge/core"
)

// web is the bridge's own HTTP server: health, readiness, webhooks and what else is served.
type web struct {
	httpServer
	hooks atomic.Pointer[map[string]http.Handler] // by the bot's name
}

// route is something else that is served.
type route struct {
	pattern string // of http.ServeMux
	handler http.Handler
}

// webhookPath is where the events of a bot are taken.
const webhookPath = "/webhooks/{bot}"

// startWeb listens; with an empty address it does nothing, which is an error when a bot takes events by HTTP.
func startWeb(ctx context.Context, listen string, b *core.Bridge, bots []core.BotConfig, log *slog.Logger, more ...route) (*web, error) {
	w := &web{}
	w.serve(bots)
	if listen == "" {
		return w, w.canServe(bots)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(rw http.ResponseWriter, _ *http.Request) { health(rw, b) })
	mux.HandleFunc("GET /readyz", func(rw http.ResponseWriter, _ *http.Request) { readiness(rw, b) })
	for _, r := range more {
		mux.Handle(r.pattern, r.handler)
	}
	mux.HandleFunc(webhookPath, func(rw http.ResponseWriter, r *http.Request) {
		h := (*w.hooks.Load())[r.PathValue("bot")]
		if h == nil {
			http.NotFound(rw, r)
			return
		}
		h.ServeHTTP(rw, r)
	})
	if err := w.start(ctx, "http server", listen, mux, serveTimeout, log); err != nil {
		return nil, fmt.Errorf("http.listen %s: %w; choose another address, or \"\" for none", listen, err)
	}
	return w, nil
}

// serve takes the events of these bots from now on, and of no others.
func (w *web) serve(bots []core.BotConfig) {
	hooks := webhooks(bots)
	w.hooks.Store(&hooks)
}

// canServe returns an error if there is no server and one of the bots needs it.
func (w *web) canServe(bots []core.BotConfig) error {
	if w.addr() != "" {
		return nil
	}
	for name := range webhooks(bots) {
		return fmt.Errorf("http.listen is empty, but bot %s takes its events by HTTP at /webhooks/%s: set an address and start again", name, name)
	}
	return nil
}

// webhooks are the handlers of the bots that take events by HTTP, by the bot's name.
func webhooks(bots []core.BotConfig) map[string]http.Handler {
	found := map[string]http.Handler{}
	for _, b := range bots {
		if r, ok := b.Platform.(core.Receiver); ok {
			if h := r.Webhook(); h != nil {
				found[b.Settings.Name] = h
			}
		}
	}
	return found
}

// health says whether the process can do its work: whether what it is told can be stored.
func health(rw http.ResponseWriter, b *core.Bridge) {
	if err := b.Healthy(); err != nil {
		answer(rw, http.StatusServiceUnavailable, map[string]any{"status": "failing", "store": err.Error()})
		return
	}
	answer(rw, http.StatusOK, map[string]any{"status": "ok"})
}

// botState is one bot in /readyz.
type botState struct {
	Name     string    `json:"name"`
	Platform string    `json:"platform"`
	State    string    `json:"state"` // connected, connecting, stopped
	Error    string    `json:"error,omitempty"`
	Since    time.Time `json:"since,omitzero"`
}

// readiness names every bot, and is 200 only when all are connected.
func readiness(rw http.ResponseWriter, b *core.Bridge) {
	status, bots := http.StatusOK, []botState{}
	for _, s := range b.Status() {
		one := botState{Name: s.Name, Platform: s.Platform, State: "connected", Since: s.Since}
		switch {
		case s.Stopped:
			one.State = "stopped"
		case !s.Connected:
			one.State = "connecting"
		}
		if s.Err != nil {
			one.Error = s.Err.Error()
		}
		if one.State != "connected" {
			status = http.StatusServiceUnavailable
		}
		bots = append(bots, one)
	}
	running, waiting := b.Load()
	word := "ready"
	if b.Healthy() != nil {
		status = http.StatusServiceUnavailable
	}
	if status != http.StatusOK {
		word = "not ready"
	}
	answer(rw, status, map[string]any{"status": word, "bots": bots, "turns": running, "waiting": waiting})
}

func answer(rw http.ResponseWriter, status int, body any) {
	rw.Header().Set("Content-Type", "application/json")
	rw.Header().Set("Cache-Control", "no-store")
	rw.WriteHeader(status)
	_ = json.NewEncoder(rw).Encode(body)
}
