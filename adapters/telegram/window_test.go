package telegram_test

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
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

// windows measures, for each message, the time from when the server took it to when the journal that names it was on disk.
// A process that dies in between posts the message again, since nothing tells it that it stands.
type windows struct {
	core.Store
	changed sim.Notifier

	mu    sync.Mutex
	taken map[string]time.Time
	took  []time.Duration
}

func (w *windows) observe(s sim.Seen) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if s.Kind == sim.Posted {
		w.taken[s.Ref.Room+"/"+s.Ref.ID] = s.At
	}
}

func (w *windows) PutTurn(ctx context.Context, t core.Turn, c *core.Conversation, link *core.Link) error {
	err := w.Store.PutTurn(ctx, t, c, link)
	if err != nil {
		return err
	}
	now := time.Now()
	w.mu.Lock()
	defer w.mu.Unlock()
	defer w.changed.Notify()
	for _, ref := range t.Reply {
		if at, ok := w.taken[ref.Room+"/"+ref.ID]; ok {
			delete(w.taken, ref.Room+"/"+ref.ID)
			w.took = append(w.took, now.Sub(at))
		}
	}
	return nil
}

func (w *windows) count() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.took)
}

// BenchmarkUnrecordedPost reports how long a message stands before it is on record, with a synced store, over loopback. In
// the field the way of the answer comes on top, about half the time of a call. It also reports the share that one commit
// of the store has.
func BenchmarkUnrecordedPost(b *testing.B) {
	w := &windows{Store: storetest.Open(b, store.Options{}), taken: map[string]time.Time{}}
	s := newSim(b, simtelegram.Options{Observe: w.observe, RateScale: 1e6})
	p, err := telegram.New("acme", telegram.Config{Token: core.Secret(s.Token()), APIURL: s.APIURL()}, slog.New(slog.DiscardHandler))
	if err != nil {
		b.Fatal(err)
	}
	telegram.Unlimited(telegram.Hurry(p))
	set := core.DefaultBotSettings()
	set.Name, set.Platform, set.App, set.Limits.TurnsPerUser = "acme", "telegram", "clerk", core.PerTime{}
	bridge, err := core.New(core.Config{
		Store: w, Apps: map[string]core.App{"clerk": newClerk()}, Log: slog.New(slog.DiscardHandler),
		Bots: []core.BotConfig{{Settings: set, Platform: p}},
	})
	if err != nil {
		b.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(b.Context()))
	done := make(chan error, 1)
	go func() { done <- bridge.Run(ctx) }()
	defer func() {
		cancel()
		if err := <-done; err != nil {
			b.Error(err)
		}
		telegram.CloseIdle(p)
	}()
	await(b, "the connection", s.Changed, s.Connected)
	var commits []time.Duration
	n := 0
	for b.Loop() {
		n++
		ask(b, s, fmt.Sprint("question ", n))
		await(b, "the record", w.changed.Changed, func() bool { return w.count() >= n })
		began := time.Now()
		if err := w.SetCursor(b.Context(), "bench", "n", fmt.Sprint(n)); err != nil {
			b.Fatal(err)
		}
		commits = append(commits, time.Since(began))
	}
	slices.Sort(w.took)
	slices.Sort(commits)
	at := func(list []time.Duration, share float64) float64 {
		return list[min(len(list)-1, int(share*float64(len(list))))].Seconds() * 1000
	}
	b.ReportMetric(at(w.took, 0.5), "p50_ms")
	b.ReportMetric(at(w.took, 0.99), "p99_ms")
	b.ReportMetric(at(w.took, 1), "max_ms")
	b.ReportMetric(at(commits, 0.5), "commit_p50_ms")
}
