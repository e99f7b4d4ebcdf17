package discord_test

import (
	"context"
	"errors"
	"log/slog"
	"maps"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/clickai/bridge/adapters/discord"
	"github.com/clickai/bridge/core"
	sim "github.com/clickai/bridge/internal/sim"
	simdiscord "github.com/clickai/bridge/internal/sim/discord"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// patience is how long a test waits for something that must happen.
const patience = time.Minute

var _ core.Host = (*host)(nil)

// host records what a platform tells.
type host struct {
	changed sim.Notifier

	mu      sync.Mutex
	events  []core.Event
	seen    map[string]int
	cursors map[string]string
	refuse  func(core.Event) error // nil: takes everything
	up      bool
	ups     int
	errs    []error
}

func newHost() *host { return &host{seen: map[string]int{}, cursors: map[string]string{}} }

func (h *host) Accept(_ context.Context, ev core.Event) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	defer h.changed.Notify()
	h.seen[ev.Key]++
	if h.refuse != nil {
		if err := h.refuse(ev); err != nil {
			return err
		}
	}
	h.events = append(h.events, ev)
	return nil
}

func (h *host) State(connected bool, err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.up = connected
	if connected {
		h.ups++
	} else {
		h.errs = append(h.errs, err)
	}
	h.changed.Notify()
}

func (h *host) Cursor(name string) (string, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.cursors[name], nil
}

func (h *host) SetCursor(_ context.Context, name, value string) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.cursors[name] = value
	h.changed.Notify()
	return nil
}

// next is a host for the next process: it has what was stored, and nothing else.
func (h *host) next() *host {
	h.mu.Lock()
	defer h.mu.Unlock()
	n := newHost()
	n.cursors = maps.Clone(h.cursors)
	return n
}

func (h *host) setRefuse(f func(core.Event) error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.refuse = f
}

// all are the events of one kind so far; "" is any.
func (h *host) all(kind core.Kind) []core.Event {
	h.mu.Lock()
	defer h.mu.Unlock()
	var found []core.Event
	for _, e := range h.events {
		if kind == "" || e.Kind == kind {
			found = append(found, e)
		}
	}
	return found
}

func (h *host) texts() []string {
	var found []string
	for _, e := range h.all(core.KindMessage) {
		found = append(found, e.Text)
	}
	return found
}

// wait waits until ok holds.
func (h *host) wait(t testing.TB, what string, ok func() bool) {
	t.Helper()
	await(t, what, h.changed.Changed, ok)
}

func await(t testing.TB, what string, changed func() <-chan struct{}, ok func() bool) {
	t.Helper()
	timeout := time.NewTimer(patience)
	defer timeout.Stop()
	for {
		c := changed()
		if ok() {
			return
		}
		select {
		case <-c:
		case <-timeout.C:
			t.Fatalf("waited %s for: %s", patience, what)
		}
	}
}

func (h *host) waitUp(t testing.TB, times int) {
	t.Helper()
	h.wait(t, "the connection", func() bool {
		h.mu.Lock()
		defer h.mu.Unlock()
		return h.up && h.ups >= times
	})
}

// event waits for the n-th event of a kind, from 1.
func (h *host) event(t testing.TB, kind core.Kind, n int) core.Event {
	t.Helper()
	h.wait(t, "an event of kind "+string(kind), func() bool { return len(h.all(kind)) >= n })
	return h.all(kind)[n-1]
}

func newSim(t testing.TB, o simdiscord.Options) *simdiscord.Server {
	t.Helper()
	s, err := simdiscord.New(o)
	if err != nil {
		t.Fatalf("start the stand-in: %v", err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("close the stand-in: %v", err)
		}
	})
	return s
}

// clean fails the test if the bot did anything against the documentation.
func clean(t testing.TB, s *simdiscord.Server) {
	t.Helper()
	t.Cleanup(func() {
		for _, v := range s.Violations() {
			t.Errorf("violation: %s", v)
		}
	})
}

func newBot(t testing.TB, apiURL, token string) *discord.Platform {
	t.Helper()
	log := slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelDebug}))
	p, err := discord.New("acme", discord.Config{Token: core.Secret(token), APIURL: apiURL}, log)
	if err != nil {
		t.Fatalf("make the bot: %v", err)
	}
	return discord.Hurry(p)
}

// start runs the bot until the returned function, or the test's end, stops it.
func start(t testing.TB, p *discord.Platform, h *host) (stop func() error) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	done := make(chan error, 1)
	go func() { done <- p.Run(ctx, h) }()
	stop = sync.OnceValue(func() error {
		cancel()
		select {
		case err := <-done:
			return err
		case <-time.After(patience):
			t.Error("Run did not end with its context")
			return errors.New("still running")
		}
	})
	t.Cleanup(func() {
		if err := stop(); err != nil {
			t.Logf("Run: %v", err)
		}
	})
	return stop
}

// running is a bot that is connected to a stand-in.
func running(t testing.TB, o simdiscord.Options) (*simdiscord.Server, *discord.Platform, *host) {
	t.Helper()
	s := newSim(t, o)
	p := newBot(t, s.APIURL(), simdiscord.DefaultToken)
	h := newHost()
	start(t, p, h)
	h.waitUp(t, 1)
	return s, p, h
}

func say(t testing.TB, s *simdiscord.Server, m sim.Say) sim.Message {
	t.Helper()
	sent, err := s.Say(t.Context(), m)
	if err != nil {
		t.Fatalf("say %q: %v", m.Text, err)
	}
	return sent
}
