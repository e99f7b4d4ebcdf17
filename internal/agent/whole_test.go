package agent_test

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/clickai/bridge/clickai"
	"github.com/clickai/bridge/core"
	"github.com/clickai/bridge/internal/agent"
	"github.com/clickai/bridge/internal/memnet"
	faults "github.com/clickai/bridge/internal/sim"
	sim "github.com/clickai/bridge/internal/sim/clickai"
	"github.com/clickai/bridge/store"
	"github.com/clickai/bridge/store/storetest"
)

// logbook keeps what is logged, and tells who waits for it.
type logbook struct {
	out     io.Writer
	changed faults.Notifier

	mu  sync.Mutex
	buf bytes.Buffer
}

func (l *logbook) Write(p []byte) (int, error) {
	l.mu.Lock()
	l.buf.Write(p)
	l.mu.Unlock()
	l.changed.Notify()
	return l.out.Write(p)
}

func (l *logbook) lines() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Split(strings.TrimSpace(l.buf.String()), "\n")
}

// wait waits for a line that holds what is said, the n-th from 1.
func (l *logbook) wait(t *testing.T, said string, n int) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Hour)
	defer cancel()
	for {
		changed := l.changed.Changed()
		found := 0
		for _, line := range l.lines() {
			if strings.Contains(line, said) {
				found++
			}
		}
		if found >= n {
			return
		}
		select {
		case <-changed:
		case <-ctx.Done():
			t.Fatalf("nothing logged with %q", said)
		}
	}
}

// room is a platform of one direct chat, in memory.
type room struct {
	most    int64 // bytes of a file; 0: no bound
	content map[string]string

	mu    sync.Mutex
	host  core.Host
	up    chan struct{}
	shown [][]string // of each message all that it has said
	files []string   // name and content of those that were posted
}

func (r *room) Name() string { return "acme" }

func (r *room) Run(ctx context.Context, host core.Host) error {
	r.host = host
	host.State(true, nil)
	close(r.up)
	<-ctx.Done()
	return nil
}

func (r *room) Limits(core.Place) core.Limits { return core.Limits{EditGap: time.Second} }

func (r *room) Render(markdown string, _ bool) []core.Part { return []core.Part{{Text: markdown}} }

func (r *room) Post(_ context.Context, p core.Post) (core.MessageRef, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.shown = append(r.shown, []string{p.Part.Text})
	return core.MessageRef{Place: p.Place, ID: "b" + strconv.Itoa(len(r.shown))}, nil
}

func (r *room) Edit(_ context.Context, m core.MessageRef, p core.Part) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	i, _ := strconv.Atoi(strings.TrimPrefix(m.ID, "b"))
	r.shown[i-1] = append(r.shown[i-1], p.Text)
	return nil
}

func (r *room) OpenAttachment(_ context.Context, a core.Attachment) (io.ReadCloser, error) {
	return io.NopCloser(strings.NewReader(r.content[a.Ref])), nil
}

func (r *room) Upload(ctx context.Context, p core.Place, _ string, f core.File) (core.MessageRef, error) {
	body, err := f.Open(ctx)
	if err != nil {
		return core.MessageRef{}, err
	}
	defer func() { _ = body.Close() }()
	data, err := io.ReadAll(body)
	switch {
	case err != nil:
		return core.MessageRef{}, err
	case r.most > 0 && int64(len(data)) > r.most:
		return core.MessageRef{}, &core.Error{Op: "room.Upload", Class: core.TooLarge}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.files = append(r.files, f.Name)
	r.shown = append(r.shown, []string{f.Name})
	return core.MessageRef{Place: p, ID: "b" + strconv.Itoa(len(r.shown))}, nil
}

var reference = regexp.MustCompile(`\(ref ([0-9a-f]+)\)`)

// versions is all that a message has said, with references left out and escapes undone.
func (r *room) versions(i int) []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	if i >= len(r.shown) {
		return nil
	}
	var out []string
	for _, s := range r.shown[i] {
		out = append(out, strings.ReplaceAll(reference.ReplaceAllString(s, "(ref …)"), `\`, ""))
	}
	return out
}

// last is what each message from the i-th on says in the end.
func (r *room) last(i int) []string {
	var out []string
	for ; i < r.count(); i++ {
		v := r.versions(i)
		out = append(out, v[len(v)-1])
	}
	return out
}

func (r *room) count() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.shown)
}

// whole is a bridge of one bot and one app: the stand-in over HTTP, core, and a store on disk. Only the platform is in memory.
type whole struct {
	t       *testing.T
	server  *sim.Server
	client  *clickai.Client
	http    *http.Client
	app     *agent.App
	store   *storetest.Store
	room    *room
	log     *logbook
	secret  string
	said    int
	reacted int
	stop    func()
}

// newWhole starts one for a row. Unless the row is of real sockets, it is called in a bubble.
func newWhole(t *testing.T, f *failure) *whole {
	t.Helper()
	w := &whole{t: t, room: &room{up: make(chan struct{}), most: f.most, content: map[string]string{}}, log: &logbook{out: t.Output()}}
	opt := sim.Options{}
	var transport http.RoundTripper
	if !f.real {
		net := memnet.Listen()
		opt.Listener = net
		dial := net.DialContext
		if f.dial != nil {
			dial = f.dial(net)
		}
		transport = &http.Transport{DialContext: dial, MaxIdleConnsPerHost: 8, ExpectContinueTimeout: time.Second, ResponseHeaderTimeout: 0}
	}
	if f.options != nil {
		f.options(&opt)
	}
	s, err := sim.New(opt)
	if err != nil {
		t.Fatal(err)
	}
	w.server = s
	mode := f.mode
	if mode == "" {
		mode = agent.ModeChat
	}
	cc := clickai.Config{BaseURL: s.URL()}
	if transport != nil {
		w.http = &http.Client{Transport: transport}
		cc.HTTPClient = w.http
	}
	ac := agent.Config{Name: "support", Mode: mode, Log: slog.New(slog.NewTextHandler(w.log, &slog.HandlerOptions{Level: slog.LevelDebug}))}
	for _, a := range sim.DefaultApps() {
		if string(a.Mode) == string(mode) {
			cc.APIKey = a.Key
			if mode == agent.ModeCompletion || mode == agent.ModeWorkflow {
				ac.QueryInput = a.Inputs[0].Variable
			}
		}
	}
	if mode == agent.ModeChat {
		ac.Inputs = map[string]any{"language": "en"}
	}
	if f.client != nil {
		f.client(&cc)
	}
	w.secret = cc.APIKey
	if w.client, err = clickai.New(cc); err != nil {
		t.Fatal(err)
	}
	ac.Client, ac.BaseURL = w.client, cc.BaseURL
	if f.config != nil {
		f.config(&ac)
	}
	if w.app, err = agent.New(ac); err != nil {
		t.Fatal(err)
	}
	w.store = storetest.Open(t, store.Options{})
	set := core.DefaultBotSettings()
	set.Name, set.Platform, set.App = "acme", "test", "support"
	b, err := core.New(core.Config{
		Store: w.store, Apps: map[string]core.App{"support": w.app}, Bots: []core.BotConfig{{Settings: set, Platform: w.room}},
		Log: ac.Log, ShutdownTimeout: time.Second,
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	done := make(chan error, 1)
	go func() { done <- b.Run(ctx) }()
	<-w.room.up
	w.stop = sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("Run: %v", err)
		}
		w.app.Close()
		if err := s.Close(); err != nil {
			t.Errorf("close the stand-in: %v", err)
		}
	})
	t.Cleanup(w.stop)
	return w
}

// say has the person write, and waits until the turn has ended.
func (w *whole) say(text string, files ...string) {
	w.t.Helper()
	w.said++
	id := "q" + strconv.Itoa(w.said)
	ev := core.Event{
		Key: "m:" + id, Kind: core.KindMessage, Reach: core.ReachDirect, Room: core.Room{ID: "D1", Direct: true},
		MessageID: id, Sender: core.User{ID: "U1", Name: "Minh", Key: "test:U1"}, Text: text, SentAt: time.Now(),
	}
	for _, name := range files {
		w.room.content[name] = "content of " + name
		ev.Attachments = append(ev.Attachments, core.Attachment{Ref: name, Name: name, Size: int64(len(w.room.content[name]))})
	}
	if err := w.room.host.Accept(w.t.Context(), ev); err != nil {
		w.t.Fatalf("Accept: %v", err)
	}
	w.log.wait(w.t, `msg="turn finished"`, w.said)
}

// react has the person put an emoji under the bot's first message, or take it back.
func (w *whole) react(emoji string, added bool) {
	w.t.Helper()
	w.reacted++
	err := w.room.host.Accept(w.t.Context(), core.Event{
		Key: "r:" + strconv.Itoa(w.reacted), Kind: core.KindReaction, Room: core.Room{ID: "D1", Direct: true}, MessageID: "b1",
		Sender: core.User{ID: "U1", Name: "Minh", Key: "test:U1"}, Reaction: &core.Reaction{Emoji: emoji, Added: added}, SentAt: time.Now(),
	})
	if err != nil {
		w.t.Fatalf("Accept: %v", err)
	}
}

// conversation is the id that is stored for the chat.
func (w *whole) conversation() string {
	w.t.Helper()
	c, _, err := w.store.Conversation(context.WithoutCancel(w.t.Context()), core.NewConvKey("acme", "support", core.Place{Room: "D1"}, ""))
	if err != nil {
		w.t.Fatal(err)
	}
	return c.ID
}

// requests counts those whose "METHOD /path" holds a text.
func (w *whole) requests(match string) int {
	n := 0
	for _, r := range w.server.Requests() {
		if strings.Contains(r.Method+" "+r.Path, match) {
			n++
		}
	}
	return n
}

// generations counts the questions that the stand-in was asked.
func (w *whole) generations() int {
	return len(slices.DeleteFunc(w.server.Requests(), func(r sim.Request) bool {
		return r.Method != http.MethodPost || r.Path != "/v1/chat-messages" && r.Path != "/v1/completion-messages" && r.Path != "/v1/workflows/run"
	}))
}
