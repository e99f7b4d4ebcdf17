package core_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/clickai/bridge/core"
	"github.com/clickai/bridge/store"
	"github.com/clickai/bridge/store/storetest"
)

// crew is a running bridge whose configuration changes.
type crew struct {
	t      *testing.T
	store  *storetest.Store
	bridge *core.Bridge
	apps   map[string]core.App
	bots   []core.BotConfig
	grace  time.Duration
	stop   func()
	now    int
}

func newCrew(t *testing.T, bots ...*chat) *crew {
	c := &crew{t: t, store: storetest.Open(t, store.Options{}), apps: map[string]core.App{}, grace: 10 * time.Second}
	c.apps["support"] = newApp()
	for _, b := range bots {
		c.bots = append(c.bots, bot(b))
	}
	return c
}

// named is a platform of that name.
func named(name string) *chat {
	c := newChat()
	c.name = name
	return c
}

func bot(c *chat, change ...func(*core.BotSettings)) core.BotConfig {
	s := core.DefaultBotSettings()
	s.Name, s.Platform, s.App = c.name, "test", "support"
	for _, f := range change {
		f(&s)
	}
	return core.BotConfig{Settings: s, Platform: c}
}

func (c *crew) config() core.Config {
	return core.Config{
		Store: c.store, Apps: c.apps, Bots: c.bots, ShutdownTimeout: c.grace,
		Log: slog.New(slog.NewTextHandler(c.t.Output(), &slog.HandlerOptions{Level: slog.LevelDebug})),
	}
}

func (c *crew) start() {
	c.t.Helper()
	var err error
	if c.bridge, err = core.New(c.config()); err != nil {
		c.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- c.bridge.Run(ctx) }()
	c.stop = sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			c.t.Errorf("Run: %v", err)
		}
	})
	c.t.Cleanup(func() { c.stop() })
	for _, b := range c.bots {
		<-b.Platform.(*chat).started
	}
}

// apply goes over to other bots and waits until the new ones run.
func (c *crew) apply(bots ...core.BotConfig) {
	c.t.Helper()
	c.bots = bots
	if err := c.bridge.Apply(c.t.Context(), c.config()); err != nil {
		c.t.Fatalf("Apply: %v", err)
	}
	for _, b := range bots {
		<-b.Platform.(*chat).started
	}
}

func (c *crew) message(text string) core.Event {
	c.now++
	id := fmt.Sprint("q", c.now)
	return core.Event{
		Key: "m:" + id, Kind: core.KindMessage, Reach: core.ReachDirect, Room: core.Room{ID: "D1", Direct: true},
		MessageID: id, Sender: minh, Text: text, SentAt: time.Now(),
	}
}

func (c *crew) tell(to *chat, text string) {
	c.t.Helper()
	to.mu.Lock()
	host := to.host
	to.mu.Unlock()
	if err := host.Accept(c.t.Context(), c.message(text)); err != nil {
		c.t.Fatal(err)
	}
}

// answers is what the app says from now on.
func (c *crew) answers(f func(context.Context, core.Question) iter.Seq2[core.Delta, error]) {
	a := c.app()
	a.mu.Lock()
	defer a.mu.Unlock()
	a.answer = f
}

func (c *crew) app() *app { return c.apps["support"].(*app) }

// wordwise answers with so many words, one a hundred milliseconds.
func wordwise(words int, word string) func(context.Context, core.Question) iter.Seq2[core.Delta, error] {
	return says("c1", "m%d", slices.Repeat([]string{word + " "}, words)...)
}

func inBubble(t *testing.T, f func(t *testing.T)) { synctest.Test(t, f) }

func TestApplyUntouchedBotGoesOn(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		one, two := named("one"), named("two")
		c := newCrew(t, one, two)
		c.answers(wordwise(100, "word"))
		c.start()
		c.tell(one, "long")
		settle(3 * time.Second)
		// The other bot is replaced, and a third one comes.
		c.apply(c.bots[0], bot(named("two")), bot(named("three")))
		settle(20 * time.Second)
		if got := one.texts(); len(got) != 1 || strings.Count(got[0], "word") != 100 {
			t.Errorf("the untouched bot shows %q", got)
		}
		if n := len(c.app().asked()); n != 1 {
			t.Errorf("asked %d times", n)
		}
		one.mu.Lock()
		defer one.mu.Unlock()
		if one.runs != 1 {
			t.Errorf("the untouched bot was started %d times", one.runs)
		}
	})
}

func TestApplyChangedBot(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		old, next := named("one"), named("one")
		old.stopping = 5 * time.Second
		c := newCrew(t, old)
		c.answers(wordwise(100, "word"))
		c.start()
		c.tell(old, "first")
		settle(2 * time.Second)
		c.tell(old, "second")
		began := time.Now()
		c.apply(bot(next, func(s *core.BotSettings) { s.Language = "vi" }))
		if gap := time.Since(began); gap < old.stopping {
			t.Errorf("the new bot connected %s after the old one was told to leave, which took it %s", gap, old.stopping)
		}
		c.answers(wordwise(1, "again"))
		settle(time.Minute)
		if got := old.texts(); len(got) != 1 || strings.Count(got[0], "word") != 100 {
			t.Errorf("the running answer became %q", got)
		}
		if got := next.texts(); !slices.Equal(got, []string{"again "}) && !slices.Equal(got, []string{"again"}) {
			t.Errorf("what waited was answered with %q", got)
		}
		if q := c.app().asked(); len(q) != 2 || q[1].Retried {
			t.Errorf("questions %+v: what only waited is asked for the first time", q)
		}
		// A line of the bridge's own comes in the new language.
		c.answers(func(context.Context, core.Question) iter.Seq2[core.Delta, error] {
			return func(yield func(core.Delta, error) bool) {
				yield(core.Delta{}, &core.AppError{Notice: core.Notice{Kind: core.NoticeSetup}, Class: core.Auth, Err: errNet})
			}
		})
		c.tell(next, "third")
		settle(time.Minute)
		if got := next.texts(); len(got) != 2 || strings.Contains(got[1], "not set up") {
			t.Errorf("the new language does not show: %q", got)
		}
		if s := c.bridge.Status(); len(s) != 1 || !s[0].Connected {
			t.Errorf("status %+v", s)
		}
	})
}

// TestApplyGap wants what was written between the two bots to be answered, even where nothing is caught up after downtime.
func TestApplyGap(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		old, next := named("one"), named("one")
		old.stopping = 30 * time.Second
		nothing := func(s *core.BotSettings) { s.CatchUp = 0 }
		c := newCrew(t)
		c.bots = []core.BotConfig{bot(old, nothing)}
		c.start()
		settle(time.Minute)
		written := make(chan core.Event, 1)
		go func() {
			<-time.After(10 * time.Second)
			written <- c.message("in the gap")
		}()
		c.apply(bot(next, nothing))
		next.mu.Lock()
		host := next.host
		next.mu.Unlock()
		if err := host.Accept(t.Context(), <-written); err != nil {
			t.Fatal(err)
		}
		settle(time.Minute)
		if got := next.texts(); len(got) != 1 {
			t.Errorf("texts %q", got)
		}
		// A bot that was gone for a while was down: what was written meanwhile is not caught up.
		c.apply()
		ev := c.message("while it was gone")
		settle(time.Minute)
		back := named("one")
		c.apply(bot(back, nothing))
		if err := back.host.Accept(t.Context(), ev); err != nil {
			t.Fatal(err)
		}
		settle(time.Minute)
		if got := back.texts(); len(got) != 0 {
			t.Errorf("texts %q", got)
		}
	})
}

func TestApplyRemovedBot(t *testing.T) {
	tests := []struct {
		name  string
		words int // of the running answer, ten a second
		whole bool
	}{
		{"a running answer ends", 60, true},
		{"one that takes too long is left", 300, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			inBubble(t, func(t *testing.T) {
				one, other := named("one"), named("other")
				c := newCrew(t, one, other)
				c.answers(wordwise(tt.words, "word"))
				c.start()
				c.tell(one, "first")
				settle(2 * time.Second)
				c.tell(one, "second")
				c.apply(c.bots[1])
				settle(time.Minute)
				shown := strings.Join(one.texts(), "")
				if got := strings.Count(shown, "word"); (got == tt.words) != tt.whole || got == 0 {
					t.Errorf("%d of %d words are shown", got, tt.words)
				}
				if q := c.app().asked(); len(q) != 1 {
					t.Fatalf("%d questions, want the second one to wait", len(q))
				}
				unfinished, err := c.store.Unfinished(t.Context())
				if err != nil || len(unfinished) != 1 {
					t.Errorf("unfinished %v, %v", unfinished, err)
				}
				if s := c.bridge.Status(); len(s) != 1 || s[0].Name != "other" {
					t.Errorf("status %+v", s)
				}
				// The bot comes back, and with it what waits.
				c.answers(wordwise(1, "late"))
				back := named("one")
				c.apply(c.bots[0], bot(back))
				settle(time.Minute)
				if got := back.texts(); !slices.ContainsFunc(got, func(s string) bool { return strings.Contains(s, "late") }) {
					t.Errorf("after it came back: %q", got)
				}
				if unfinished, err := c.store.Unfinished(t.Context()); err != nil || len(unfinished) != 0 {
					t.Errorf("unfinished %v, %v", unfinished, err)
				}
			})
		})
	}
}

func TestApplyOtherApp(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		one := named("one")
		c := newCrew(t, one)
		c.answers(wordwise(50, "old"))
		c.start()
		c.tell(one, "first")
		settle(2 * time.Second)
		before, after := c.app(), newApp()
		after.answer = wordwise(1, "new")
		c.apps = map[string]core.App{"support": after}
		c.apply(c.bots...)
		c.tell(one, "second")
		settle(time.Minute)
		got := one.texts()
		if len(got) != 2 || strings.Count(got[0], "old") != 50 || !strings.Contains(got[1], "new") {
			t.Errorf("texts %q", got)
		}
		if len(before.asked()) != 1 || len(after.asked()) != 1 {
			t.Errorf("the old app was asked %d times, the new one %d", len(before.asked()), len(after.asked()))
		}
	})
}

func TestApplyRefused(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		one := named("one")
		c := newCrew(t, one)
		c.start()
		good := c.config()
		tests := []struct {
			name string
			bots []core.BotConfig
		}{
			{"an app that is not there", []core.BotConfig{bot(named("one"), func(s *core.BotSettings) { s.App = "sales" })}},
			{"two of a name", []core.BotConfig{good.Bots[0], bot(named("one"))}},
			{"other settings for a platform that runs", []core.BotConfig{bot(one, func(s *core.BotSettings) { s.Language = "vi" })}},
		}
		for _, tt := range tests {
			bad := good
			bad.Bots = append([]core.BotConfig{bot(named("new"))}, tt.bots...)
			if err := c.bridge.Apply(t.Context(), bad); err == nil {
				t.Errorf("%s: no error", tt.name)
			}
		}
		c.tell(one, "still there?")
		settle(time.Minute)
		if s := c.bridge.Status(); len(s) != 1 || !s[0].Connected || len(one.texts()) != 1 {
			t.Errorf("status %+v, texts %q", s, one.texts())
		}
		c.stop()
		if err := c.bridge.Apply(t.Context(), good); !errors.Is(err, core.ErrShutdown) {
			t.Errorf("after the end: %v", err)
		}
	})
}

// TestApplyBeforeRun waits for Run, and no longer than its context.
func TestApplyBeforeRun(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		c := newCrew(t, named("one"))
		b, err := core.New(c.config())
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		if err := b.Apply(ctx, c.config()); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("error %v", err)
		}
	})
}

// TestApplyAgainAndAgain sends messages to two bots while the configuration changes: one bot stays, the other is another one
// each time. Each message is answered once.
func TestApplyAgainAndAgain(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		const rounds, each = 20, 10
		stays, now := named("stays"), named("changes")
		c := newCrew(t, stays, now)
		free := func(s *core.BotSettings) {
			s.Limits.TurnsPerUser = core.PerTime{}
			s.Limits.QueuePerConversation = 1000
		}
		c.bots = []core.BotConfig{bot(stays, free), bot(now, free)}
		c.answers(says("c1", "m%d", "ok"))
		c.start()
		all := []*chat{stays, now}
		n := 0
		for range rounds {
			for range each {
				n++
				for _, to := range []*chat{stays, now} {
					ev := c.message(fmt.Sprint(n))
					ev.Room.ID = fmt.Sprint("D", n%7)
					if err := to.host.Accept(t.Context(), ev); err != nil {
						t.Fatal(err)
					}
				}
				settle(30 * time.Millisecond)
			}
			now = named("changes")
			all = append(all, now)
			c.apply(c.bots[0], bot(now, free))
		}
		settle(5 * time.Minute)
		asked := map[string]int{}
		for _, q := range c.app().asked() {
			for text := range strings.Lines(q.Query) {
				asked[strings.TrimSpace(text)]++
			}
		}
		for i := range n {
			if got := asked[fmt.Sprint(i+1)]; got != 2 {
				t.Errorf("message %d was asked %d times, want once on each bot", i+1, got)
			}
		}
		shown := 0
		for _, p := range all {
			shown += len(p.texts())
		}
		if questions := len(c.app().asked()); shown != questions {
			t.Errorf("%d answers for %d questions", shown, questions)
		}
		if stays.overlaps > 0 {
			t.Error("two calls for one message at once")
		}
	})
}

// heir is a platform that notes what it takes over.
type heir struct {
	*chat
	from []core.Platform
}

func (h *heir) Inherit(before core.Platform) { h.from = append(h.from, before) }

func TestApplyInherits(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		one, two := named("one"), named("two")
		c := newCrew(t, one, two)
		c.start()
		settings := func(name string, change ...func(*core.BotSettings)) core.BotSettings {
			return bot(named(name), change...).Settings
		}
		next, faster, third := &heir{chat: named("one")}, &heir{chat: named("two")}, &heir{chat: named("three")}
		cfg := c.config()
		cfg.Bots = []core.BotConfig{
			{Settings: settings("one"), Platform: next},
			{Settings: settings("two", func(s *core.BotSettings) { s.Limits.CallsPerSecond = 5 }), Platform: faster},
			{Settings: settings("three"), Platform: third},
		}
		if err := c.bridge.Apply(t.Context(), cfg); err != nil {
			t.Fatal(err)
		}
		settle(time.Minute)
		if len(next.from) != 1 || next.from[0] != core.Platform(one) || len(faster.from) != 0 || len(third.from) != 0 {
			t.Errorf("inherited: %v, %v, %v", next.from, faster.from, third.from)
		}
	})
}
