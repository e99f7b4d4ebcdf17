package telegram_test

import (
	"context"
	"fmt"
	"io"
	"iter"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/clickai/bridge/adapters/telegram"
	"github.com/clickai/bridge/core"
	"github.com/clickai/bridge/internal/sim"
	simtelegram "github.com/clickai/bridge/internal/sim/telegram"
	"github.com/clickai/bridge/store"
	"github.com/clickai/bridge/store/storetest"
)

// office is a bridge with a real store, the adapter and the stand-in, over loopback.
type office struct {
	sim   *simtelegram.Server
	bot   *telegram.Platform
	app   *clerk
	store *storetest.Store
	log   *logged
	at    *core.Bridge
	stop  func() // ends the bridge and waits for it
}

// openOffice starts a bridge. set may change its settings.
func openOffice(t testing.TB, o simtelegram.Options, set func(*core.BotSettings)) *office {
	t.Helper()
	w := &office{sim: newSim(t, o), app: newClerk(), store: storetest.Open(t, store.Options{}), log: &logged{}}
	w.run(t, set)
	return w
}

// run starts a bridge on the store and the stand-in that are there; the one before has been stopped.
func (w *office) run(t testing.TB, set func(*core.BotSettings)) {
	t.Helper()
	log := slog.New(slog.NewTextHandler(io.MultiWriter(w.log, t.Output()), &slog.HandlerOptions{Level: slog.LevelDebug}))
	p, err := telegram.New("acme", telegram.Config{Token: core.Secret(w.sim.Token()), APIURL: w.sim.APIURL()}, log)
	if err != nil {
		t.Fatal(err)
	}
	w.bot = telegram.Unlimited(telegram.Hurry(p))
	s := core.DefaultBotSettings()
	s.Name, s.Platform, s.App, s.Limits.TurnsPerUser = "acme", "telegram", "clerk", core.PerTime{}
	if set != nil {
		set(&s)
	}
	w.at, err = core.New(core.Config{
		Store: w.store, Apps: map[string]core.App{"clerk": w.app},
		Bots: []core.BotConfig{{Settings: s, Platform: p}}, Log: log, ShutdownTimeout: 100 * time.Millisecond,
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	done := make(chan error, 1)
	go func() { done <- w.at.Run(ctx) }()
	w.stop = sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("Run: %v", err)
		}
		telegram.CloseIdle(p)
	})
	t.Cleanup(w.stop)
	await(t, "the connection", w.sim.Changed, w.sim.Connected)
}

// shown waits until the bot shows a message with this text in a room, and returns it.
func (w *office) shown(t testing.TB, room, text string) sim.Message {
	t.Helper()
	var found sim.Message
	await(t, fmt.Sprintf("%q in %s", text, room), w.sim.Changed, func() bool {
		for _, m := range w.sim.Messages(room, "") {
			if m.Bot && m.Shown == text {
				found = m
				return true
			}
		}
		return false
	})
	return found
}

// idle waits until nothing is being answered or waits.
func (w *office) idle(t testing.TB) {
	t.Helper()
	await(t, "the end of all turns", tick(t), func() bool {
		left, err := w.store.Unfinished(t.Context())
		return err == nil && len(left) == 0
	})
}

// clerk is an app that answers "re: <question>", in a conversation that it numbers.
type clerk struct {
	changed sim.Notifier

	mu        sync.Mutex
	questions []core.Question
	ratings   []core.RatingOut
	begun     int
	hold      map[string]chan struct{}            // question → what ends a pause in the middle of its answer
	answer    func(q core.Question) (text string) // nil: as above
}

func newClerk() *clerk { return &clerk{hold: map[string]chan struct{}{}} }

func (a *clerk) Name() string         { return "clerk" }
func (a *clerk) Conversational() bool { return true }

// pause has the answer to a question stop in its middle until the returned function is called.
func (a *clerk) pause(question string) (goOn func()) {
	a.mu.Lock()
	defer a.mu.Unlock()
	c := make(chan struct{})
	a.hold[question] = c
	return sync.OnceFunc(func() { close(c) })
}

func (a *clerk) Ask(ctx context.Context, q core.Question) iter.Seq2[core.Delta, error] {
	return func(yield func(core.Delta, error) bool) {
		a.mu.Lock()
		a.questions = append(a.questions, q)
		conv, message := q.Conversation, fmt.Sprint("m", len(a.questions))
		if conv == "" {
			a.begun++
			conv = fmt.Sprint("conv-", a.begun)
		}
		text, hold := "re: "+q.Query, a.hold[q.Query]
		if a.answer != nil {
			text = a.answer(q)
		}
		a.mu.Unlock()
		a.changed.Notify()
		if !yield(core.Delta{Kind: core.DeltaIDs, Conversation: conv, MessageID: message, TaskID: "t" + message}, nil) {
			return
		}
		if hold != nil {
			if !yield(core.Delta{Kind: core.DeltaText, Text: text[:3]}, nil) {
				return
			}
			text = text[3:]
			select {
			case <-hold:
			case <-ctx.Done():
				yield(core.Delta{}, ctx.Err())
				return
			}
		}
		if yield(core.Delta{Kind: core.DeltaText, Text: text}, nil) {
			yield(core.Delta{Kind: core.DeltaEnd}, nil)
		}
	}
}

// asked are the questions so far.
func (a *clerk) asked() []core.Question {
	a.mu.Lock()
	defer a.mu.Unlock()
	return append([]core.Question(nil), a.questions...)
}

func (a *clerk) Stop(context.Context, string, string) error { return nil }

func (a *clerk) Recall(context.Context, core.Question) (core.PastAnswer, bool, error) {
	return core.PastAnswer{}, false, nil
}

func (a *clerk) Upload(context.Context, string, core.File) (core.FileRef, error) {
	return core.FileRef{}, nil
}

func (a *clerk) Rate(_ context.Context, r core.RatingOut) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.ratings = append(a.ratings, r)
	a.changed.Notify()
	return nil
}

func (a *clerk) FileRules(context.Context) core.FileRules { return core.FileRules{} }

// rated waits for the n-th rating, from 1.
func (a *clerk) rated(t testing.TB, n int) core.RatingOut {
	t.Helper()
	var found core.RatingOut
	await(t, fmt.Sprint("rating ", n), a.changed.Changed, func() bool {
		a.mu.Lock()
		defer a.mu.Unlock()
		if len(a.ratings) < n {
			return false
		}
		found = a.ratings[n-1]
		return true
	})
	return found
}
