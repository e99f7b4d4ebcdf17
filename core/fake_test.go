package core_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"log/slog"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/clickai/bridge/core"
	"github.com/clickai/bridge/store"
	"github.com/clickai/bridge/store/storetest"
)

// chat is a platform in memory, for tests under a fake clock. What it does over real wires is tested with the adapters.
type chat struct {
	name   string
	limits core.Limits
	most   int           // characters of a message
	takes  time.Duration // of every call

	mu       sync.Mutex
	host     core.Host
	messages []*chatMessage
	calls    []chatCall
	fail     func(op string, n int) error // n counts the calls of op from 1
	counts   map[string]int
	busy     map[string]bool // messages with a call under way
	overlaps int
	typing   int
	opened   []string
	started  chan struct{}
	ceiling  float64
	dedupe   bool              // a nonce that is known gives the message back, as Discord does
	late     func(n int) error // of Post, after it took effect
	stopping time.Duration
	runs     int
	flaky    map[string]int // how often an attachment cannot be opened yet
}

type chatMessage struct {
	ref      core.MessageRef
	replyTo  string
	nonce    string
	versions []string
	buttons  core.Buttons
	deleted  bool
	file     []byte
}

type chatCall struct {
	op   string
	at   time.Time
	text string
}

func newChat() *chat {
	return &chat{name: "acme", most: 1000, limits: core.Limits{EditGap: time.Second, TypingEvery: 5 * time.Second}, counts: map[string]int{}, busy: map[string]bool{}, started: make(chan struct{})}
}

func (c *chat) Name() string { return c.name }

func (c *chat) SetCallsPerSecond(n float64) { c.ceiling = n }

func (c *chat) Run(ctx context.Context, host core.Host) error {
	c.mu.Lock()
	c.host = host
	c.runs++
	c.mu.Unlock()
	host.State(true, nil)
	close(c.started)
	<-ctx.Done()
	if c.stopping > 0 {
		<-time.After(c.stopping)
	}
	return nil
}

func (c *chat) Limits(core.Place) core.Limits { return c.limits }

func (c *chat) Render(markdown string, _ bool) []core.Part {
	if strings.Contains(markdown, "poison") {
		panic("poison")
	}
	var parts []core.Part
	for len(markdown) > c.most {
		parts = append(parts, core.Part{Text: markdown[:c.most]})
		markdown = markdown[c.most:]
	}
	return append(parts, core.Part{Text: markdown})
}

func (c *chat) call(ctx context.Context, op, id, text string) error {
	c.mu.Lock()
	c.counts[op]++
	n := c.counts[op]
	c.calls = append(c.calls, chatCall{op: op, at: time.Now(), text: text})
	if c.busy[id] {
		c.overlaps++
	}
	c.busy[id] = true
	fail := c.fail
	c.mu.Unlock()
	if c.takes > 0 {
		select {
		case <-time.After(c.takes):
		case <-ctx.Done():
		}
	}
	c.mu.Lock()
	c.busy[id] = false
	c.mu.Unlock()
	if fail != nil {
		if err := fail(op, n); err != nil {
			return err
		}
	}
	return ctx.Err()
}

func (c *chat) Post(ctx context.Context, p core.Post) (core.MessageRef, error) {
	if err := c.call(ctx, "post", p.Nonce, p.Part.Text); err != nil {
		return core.MessageRef{}, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.dedupe {
		for _, m := range c.messages {
			if m.nonce == p.Nonce {
				return m.ref, nil
			}
		}
	}
	m := &chatMessage{ref: core.MessageRef{Place: p.Place, ID: "b" + strconv.Itoa(len(c.messages)+1)}, replyTo: p.ReplyTo, nonce: p.Nonce, versions: []string{p.Part.Text}, buttons: p.Part.Buttons}
	c.messages = append(c.messages, m)
	if c.late != nil {
		if err := c.late(c.counts["post"]); err != nil {
			return core.MessageRef{}, err
		}
	}
	return m.ref, nil
}

func (c *chat) find(ref core.MessageRef) *chatMessage {
	for _, m := range c.messages {
		if m.ref == ref {
			return m
		}
	}
	return nil
}

func (c *chat) Edit(ctx context.Context, ref core.MessageRef, p core.Part) error {
	if err := c.call(ctx, "edit", ref.ID, p.Text); err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	m := c.find(ref)
	if m == nil || m.deleted {
		return &core.Error{Op: "chat.Edit", Class: core.MessageGone}
	}
	m.versions = append(m.versions, p.Text)
	m.buttons = p.Buttons
	return nil
}

func (c *chat) Delete(ctx context.Context, ref core.MessageRef) error {
	if err := c.call(ctx, "delete", ref.ID, ""); err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if m := c.find(ref); m != nil {
		m.deleted = true
	}
	return nil
}

func (c *chat) Typing(context.Context, core.Place) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.typing++
	return nil
}

func (c *chat) OpenThread(ctx context.Context, q core.MessageRef, name string) (core.Place, error) {
	if c.takes > 0 {
		select {
		case <-time.After(c.takes):
		case <-ctx.Done():
			return core.Place{}, ctx.Err()
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.opened = append(c.opened, name)
	return core.Place{Room: q.Room, Thread: q.ID}, nil
}

func (c *chat) OpenAttachment(_ context.Context, a core.Attachment) (io.ReadCloser, error) {
	if a.Ref == "lost" {
		return nil, &core.Error{Op: "chat.OpenAttachment", Class: core.NotFound}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.flaky[a.Ref] > 0 {
		c.flaky[a.Ref]--
		return nil, &core.Error{Op: "chat.OpenAttachment", Class: core.Transient}
	}
	return io.NopCloser(strings.NewReader(a.Ref)), nil
}

func (c *chat) Upload(ctx context.Context, p core.Place, replyTo string, f core.File) (core.MessageRef, error) {
	r, err := f.Open(ctx)
	if err != nil {
		return core.MessageRef{}, err
	}
	defer func() { _ = r.Close() }()
	data, err := io.ReadAll(r)
	if err != nil {
		return core.MessageRef{}, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	m := &chatMessage{ref: core.MessageRef{Place: p, ID: "b" + strconv.Itoa(len(c.messages)+1)}, replyTo: replyTo, versions: []string{f.Name}, file: data}
	c.messages = append(c.messages, m)
	return m.ref, nil
}

func (c *chat) ThreadBefore(context.Context, core.MessageRef, int) ([]core.PastMessage, error) {
	return []core.PastMessage{{ID: "1", From: core.User{Name: "Tom"}, Text: "the printer smokes"}, {ID: "2", From: core.User{Name: "Anna"}, Text: "again?"}}, nil
}

// texts is what stands, oldest first.
func (c *chat) texts() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	var out []string
	for _, m := range c.messages {
		if !m.deleted {
			out = append(out, m.versions[len(m.versions)-1])
		}
	}
	return out
}

func (c *chat) all() []chatMessage {
	c.mu.Lock()
	defer c.mu.Unlock()
	var out []chatMessage
	for _, m := range c.messages {
		copied := *m
		copied.versions = slices.Clone(m.versions)
		out = append(out, copied)
	}
	return out
}

func (c *chat) callLog() []chatCall {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.calls)
}

// failing makes calls fail.
func (c *chat) failing(f func(op string, n int) error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.fail = f
}

// app is an App in memory.
type app struct {
	name   string
	memory bool
	answer func(ctx context.Context, q core.Question) iter.Seq2[core.Delta, error]
	rules  core.FileRules
	rate   func(n int) error
	upload func(ctx context.Context, name string) error // before a file is taken

	mu        sync.Mutex
	questions []core.Question
	ratings   []core.RatingOut
	rateCalls int
	uploads   map[string]string // name → content
	users     []string          // of uploads
	stopped   []string
	running   int
	most      int
}

func newApp() *app {
	return &app{name: "support", memory: true, uploads: map[string]string{}, answer: says("c1", "m%d", "Hello")}
}

// says answers with the pieces, one a hundred milliseconds; %d in message is the number of the question.
func says(conversation, message string, pieces ...string) func(context.Context, core.Question) iter.Seq2[core.Delta, error] {
	var mu sync.Mutex
	n := 0
	return func(ctx context.Context, _ core.Question) iter.Seq2[core.Delta, error] {
		mu.Lock()
		n++
		id := strings.ReplaceAll(message, "%d", strconv.Itoa(n))
		mu.Unlock()
		return func(yield func(core.Delta, error) bool) {
			ids := core.Delta{Kind: core.DeltaIDs, Conversation: conversation, MessageID: id, TaskID: "task-" + id}
			if !yield(ids, nil) {
				return
			}
			for _, p := range pieces {
				select {
				case <-time.After(100 * time.Millisecond):
				case <-ctx.Done():
					yield(core.Delta{}, ctx.Err())
					return
				}
				if !yield(core.Delta{Kind: core.DeltaText, Text: p}, nil) {
					return
				}
			}
			yield(core.Delta{Kind: core.DeltaEnd}, nil)
		}
	}
}

func (a *app) Name() string         { return a.name }
func (a *app) Conversational() bool { return a.memory }

func (a *app) Ask(ctx context.Context, q core.Question) iter.Seq2[core.Delta, error] {
	return func(yield func(core.Delta, error) bool) {
		a.mu.Lock()
		a.questions = append(a.questions, q)
		a.running++
		a.most = max(a.most, a.running)
		answer := a.answer
		a.mu.Unlock()
		defer func() {
			a.mu.Lock()
			a.running--
			a.mu.Unlock()
		}()
		answer(ctx, q)(yield)
	}
}

func (a *app) Stop(_ context.Context, _, task string) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.stopped = append(a.stopped, task)
	return nil
}

func (a *app) Recall(context.Context, core.Question) (core.PastAnswer, bool, error) {
	return core.PastAnswer{}, false, nil
}

func (a *app) Upload(ctx context.Context, user string, f core.File) (core.FileRef, error) {
	if a.upload != nil {
		if err := a.upload(ctx, f.Name); err != nil {
			return core.FileRef{}, err
		}
	}
	r, err := f.Open(ctx)
	if err != nil {
		return core.FileRef{}, err
	}
	defer func() { _ = r.Close() }()
	data, err := io.ReadAll(r)
	if err != nil {
		return core.FileRef{}, fmt.Errorf("read: %w", err)
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.uploads[f.Name] = string(data)
	a.users = append(a.users, user)
	return core.FileRef{ID: "f-" + f.Name, Type: core.FileType(f.Name, f.MIME), Name: f.Name}, nil
}

func (a *app) Rate(_ context.Context, r core.RatingOut) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.rateCalls++
	if a.rate != nil {
		if err := a.rate(a.rateCalls); err != nil {
			return err
		}
	}
	a.ratings = append(a.ratings, r)
	return nil
}

func (a *app) FileRules(context.Context) core.FileRules { return a.rules }

func (a *app) asked() []core.Question {
	a.mu.Lock()
	defer a.mu.Unlock()
	return slices.Clone(a.questions)
}

func (a *app) rated() []core.RatingOut {
	a.mu.Lock()
	defer a.mu.Unlock()
	return slices.Clone(a.ratings)
}

// rig is a bridge with one bot, one app and a real store.
type rig struct {
	t     *testing.T
	store *storetest.Store
	chat  *chat
	app   *app
	// platform is what the bridge gets instead of chat alone, if anything.
	platform core.Platform
	set      core.BotSettings
	grace    time.Duration
	stop     func()
	now      int
	// asApp is what the bridge gets instead of app alone, if anything.
	asApp core.App
	// observer is told what happens; nil: nobody is
	observer core.Observer
}

func newRig(t *testing.T) *rig {
	r := &rig{t: t, store: storetest.Open(t, store.Options{}), chat: newChat(), app: newApp(), set: core.DefaultBotSettings(), grace: time.Second}
	r.set.Name, r.set.Platform, r.set.App = "acme", "test", "support"
	return r
}

// start runs the bridge until stop or the end of the test.
func (r *rig) start() {
	r.t.Helper()
	platform := r.platform
	if platform == nil {
		platform = r.chat
	}
	var one core.App = r.app
	if r.asApp != nil {
		one = r.asApp
	}
	b, err := core.New(core.Config{
		Store: r.store, Apps: map[string]core.App{"support": one}, Bots: []core.BotConfig{{Settings: r.set, Platform: platform}},
		Log: slog.New(slog.NewTextHandler(r.t.Output(), &slog.HandlerOptions{Level: slog.LevelDebug})), ShutdownTimeout: r.grace, Observer: r.observer,
	})
	if err != nil {
		r.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- b.Run(ctx) }()
	<-r.chat.started
	r.stop = sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			r.t.Errorf("Run: %v", err)
		}
	})
	r.t.Cleanup(func() { r.stop() })
}

// restart starts the bridge again on the same store and the same platform.
func (r *rig) restart() {
	r.t.Helper()
	r.stop()
	r.chat.started = make(chan struct{})
	r.start()
}

func (r *rig) accept(ev core.Event) {
	r.t.Helper()
	if err := r.chat.host.Accept(r.t.Context(), ev); err != nil {
		r.t.Fatalf("Accept: %v", err)
	}
}

var (
	minh = core.User{ID: "U1", Name: "Minh", Handle: "minh", Key: "test:U1"}
	anna = core.User{ID: "U2", Name: "Anna", Handle: "anna", Key: "test:U2"}
)

// message is a message in a direct chat; change it as needed.
func (r *rig) message(text string) core.Event {
	r.now++
	id := "q" + strconv.Itoa(r.now)
	return core.Event{
		Key: "m:" + id, Kind: core.KindMessage, Reach: core.ReachDirect, Room: core.Room{ID: "D1", Direct: true},
		MessageID: id, Sender: minh, Text: text, SentAt: time.Now(),
	}
}

var errNet = errors.New("connection reset")
