package telegram_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/clickai/bridge/adapters/telegram"
	"github.com/clickai/bridge/adapters/telegram/telegramfmt"
	"github.com/clickai/bridge/core"
	"github.com/clickai/bridge/internal/memnet"
	"github.com/clickai/bridge/internal/sim"
	simtelegram "github.com/clickai/bridge/internal/sim/telegram"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// patience is how long a test waits for something that must happen.
const patience = time.Minute

var _ core.Host = (*host)(nil)

// host records what a platform tells.
type host struct {
	changed sim.Notifier

	mu     sync.Mutex
	events []core.Event
	refuse func(core.Event) error // nil: takes everything
	up     bool
	ups    int
	errs   []error

	cursors map[string]string
	noStore error // of SetCursor
}

func (h *host) Accept(_ context.Context, ev core.Event) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	defer h.changed.Notify()
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
	defer h.changed.Notify()
	if h.noStore != nil {
		return h.noStore
	}
	if h.cursors == nil {
		h.cursors = map[string]string{}
	}
	h.cursors[name] = value
	return nil
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

func (h *host) wait(t testing.TB, what string, ok func() bool) {
	t.Helper()
	await(t, what, h.changed.Changed, ok)
}

func (h *host) waitUp(t testing.TB, times int) {
	t.Helper()
	h.wait(t, "the connection", func() bool {
		h.mu.Lock()
		defer h.mu.Unlock()
		return h.up && h.ups >= times
	})
}

// told waits for a failure whose text has this part.
func (h *host) told(t testing.TB, part string) error {
	t.Helper()
	var found error
	h.wait(t, "a state that says "+part, func() bool {
		h.mu.Lock()
		defer h.mu.Unlock()
		for _, err := range h.errs {
			if err != nil && strings.Contains(err.Error(), part) {
				found = err
			}
		}
		return found != nil
	})
	return found
}

// event waits for the n-th event of a kind, from 1.
func (h *host) event(t testing.TB, kind core.Kind, n int) core.Event {
	t.Helper()
	h.wait(t, "an event of kind "+string(kind), func() bool { return len(h.all(kind)) >= n })
	return h.all(kind)[n-1]
}

// logged is a log that may be read while it is written.
type logged struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *logged) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *logged) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

func newSim(t testing.TB, o simtelegram.Options) *simtelegram.Server {
	t.Helper()
	s, err := simtelegram.New(o)
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
func clean(t testing.TB, s *simtelegram.Server) {
	t.Helper()
	t.Cleanup(func() {
		for _, v := range s.Violations() {
			t.Errorf("violation: %s", v)
		}
	})
}

// newBot makes a bot whose log and errors must never hold its token.
func newBot(t testing.TB, apiURL, token string) *telegram.Platform {
	t.Helper()
	log := &logged{}
	p, err := telegram.New("acme", telegram.Config{Token: core.Secret(token), APIURL: apiURL},
		slog.New(slog.NewTextHandler(io.MultiWriter(log, t.Output()), &slog.HandlerOptions{Level: slog.LevelDebug})))
	if err != nil {
		t.Fatalf("make the bot: %v", err)
	}
	t.Cleanup(func() {
		telegram.CloseIdle(p)
		if strings.Contains(log.String(), token) {
			t.Error("the token stands in the log")
		}
	})
	return telegram.Hurry(p)
}

// start runs the bot until the returned function, or the test's end, stops it.
func start(t testing.TB, p *telegram.Platform, h *host) (stop func() error) {
	t.Helper()
	return startHost(t, p, h)
}

// startHost does what start does, with any host.
func startHost(t testing.TB, p *telegram.Platform, h core.Host) (stop func() error) {
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
			t.Errorf("Run: %v", err)
		}
	})
	return stop
}

// running is a bot that is connected to a stand-in.
func running(t testing.TB, o simtelegram.Options) (*simtelegram.Server, *telegram.Platform, *host) {
	t.Helper()
	s := newSim(t, o)
	p := newBot(t, s.APIURL(), s.Token())
	h := &host{}
	start(t, p, h)
	h.waitUp(t, 1)
	return s, p, h
}

// inMemory runs a test under virtual time, with a bot that sends to a stand-in over connections in memory and does not poll it.
func inMemory(t *testing.T, test func(t *testing.T, s *simtelegram.Server, p *telegram.Platform)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		l := memnet.Listen()
		s := newSim(t, simtelegram.Options{Listener: l})
		p := newBot(t, s.APIURL(), s.Token())
		telegram.Dial(p, l.DialContext)
		test(t, s, p)
	})
}

// silent is a bot that sends to a stand-in and does not poll it.
func silent(t testing.TB, o simtelegram.Options) (*simtelegram.Server, *telegram.Platform) {
	t.Helper()
	s := newSim(t, o)
	return s, newBot(t, s.APIURL(), s.Token())
}

func say(t testing.TB, s *simtelegram.Server, m sim.Say) sim.Message {
	t.Helper()
	sent, err := s.Say(t.Context(), m)
	if err != nil {
		t.Fatalf("say %q: %v", m.Text, err)
	}
	return sent
}

// ask writes to the bot in a private chat.
func ask(t testing.TB, s *simtelegram.Server, text string) sim.Message {
	t.Helper()
	return say(t, s, sim.Say{Room: simtelegram.Minh, User: simtelegram.Minh, Text: text})
}

var private = core.Place{Room: simtelegram.Minh}

func part(markdown string) core.Part { return telegramfmt.Render(markdown, true)[0] }

// turn waits until p may send or edit in a place, as core does before each.
func turn(t testing.TB, p *telegram.Platform, at core.Place) {
	t.Helper()
	if err := p.Pace(t.Context(), core.Show{Kind: core.ShowPost, Place: at, Urgent: true}); err != nil {
		t.Fatal(err)
	}
}

// edit edits when it is the edit's turn.
func edit(t testing.TB, p *telegram.Platform, ref core.MessageRef, to core.Part) error {
	t.Helper()
	turn(t, p, ref.Place)
	return p.Edit(t.Context(), ref, to)
}

func post(t testing.TB, p *telegram.Platform, at core.Place, markdown string) core.MessageRef {
	t.Helper()
	turn(t, p, at)
	ref, err := p.Post(t.Context(), core.Post{Place: at, Part: part(markdown)})
	if err != nil {
		t.Fatalf("post %q: %v", markdown, err)
	}
	return ref
}

func find(t testing.TB, s *simtelegram.Server, m core.MessageRef) sim.Message {
	t.Helper()
	found, ok := s.Find(sim.Ref{Room: m.Room, ID: m.ID})
	if !ok {
		t.Fatalf("message %+v is not there", m)
	}
	return found
}

// fake is a server that answers each method as the test says; without an entry it answers true.
func fake(t testing.TB, methods map[string]http.HandlerFunc) string {
	t.Helper()
	s := httptest.NewServer(answering(methods))
	t.Cleanup(s.Close)
	return s.URL
}

// fakeOn is a fake that is served on connections in memory.
func fakeOn(t testing.TB, l net.Listener, methods map[string]http.HandlerFunc) string {
	t.Helper()
	s := &httptest.Server{Listener: l, Config: &http.Server{Handler: answering(methods)}} //nolint:gosec // nobody else reaches it
	s.Start()
	t.Cleanup(s.Close)
	return s.URL
}

func answering(methods map[string]http.HandlerFunc) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		name := r.URL.Path[strings.LastIndexByte(r.URL.Path, '/')+1:]
		switch f, ok := methods[name]; {
		case ok:
			f(w, r)
		case name == "getMe":
			_, _ = io.WriteString(w, `{"ok":true,"result":{"id":7000000001,"is_bot":true,"first_name":"A","username":"acme_support_bot"}}`)
		default:
			_, _ = io.WriteString(w, `{"ok":true,"result":true}`)
		}
	})
}

const token = simtelegram.DefaultToken
