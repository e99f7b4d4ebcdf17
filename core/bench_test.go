package core_test

import (
	"context"
	"fmt"
	"iter"
	"log/slog"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/clickai/bridge/core"
	"github.com/clickai/bridge/store"
	"github.com/clickai/bridge/store/storetest"
)

// cpu is the processor time of this process so far.
func cpu(b *testing.B) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// quick is a platform that takes everything at once and keeps nothing.
type quick struct {
	chat
	posts, edits atomic.Int64
}

func (q *quick) Post(_ context.Context, p core.Post) (core.MessageRef, error) {
	return core.MessageRef{Place: p.Place, ID: strconv.FormatInt(q.posts.Add(1), 10)}, nil
}

func (q *quick) Edit(context.Context, core.MessageRef, core.Part) error { q.edits.Add(1); return nil }

// newBenchBridge runs a bridge over a quick platform and an app; stop ends it.
func newBenchBridge(b *testing.B, app core.App) (q *quick, stop func()) {
	b.Helper()
	s := storetest.Open(b, store.Options{})
	q = &quick{}
	q.chat = *newChat()
	q.limits.EditGap = 20 * time.Millisecond // the time that is measured is the processor's
	set := core.DefaultBotSettings()
	set.Name, set.Platform, set.App = "acme", "test", "support"
	set.Limits.TurnsPerUser = core.PerTime{}
	bridge, err := core.New(core.Config{
		Store: s, Apps: map[string]core.App{"support": app}, Bots: []core.BotConfig{{Settings: set, Platform: q}},
		Log: slog.New(slog.DiscardHandler), ShutdownTimeout: time.Second,
	})
	if err != nil {
		b.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	wg.Go(func() {
		if err := bridge.Run(ctx); err != nil {
			b.Error(err)
		}
	})
	<-q.started
	return q, func() { cancel(); wg.Wait() }
}

// BenchmarkTurn300Chunks is one whole turn, from the accepted message to the end in the store, of an answer of 300 chunks
// that come at once; 100 turns run side by side. cpu-µs/turn is what counts: the time is that of the pace of edits.
func BenchmarkTurn300Chunks(b *testing.B) {
	var turns sync.WaitGroup
	a := newApp()
	a.answer = func(context.Context, core.Question) iter.Seq2[core.Delta, error] {
		return func(yield func(core.Delta, error) bool) {
			defer turns.Done()
			if !yield(core.Delta{Kind: core.DeltaIDs, Conversation: "c", MessageID: "m", TaskID: "t"}, nil) {
				return
			}
			for i := range 300 {
				if !yield(core.Delta{Kind: core.DeltaText, Text: "word" + strconv.Itoa(i) + " "}, nil) {
					return
				}
			}
			yield(core.Delta{Kind: core.DeltaEnd}, nil)
		}
	}
	q, stop := newBenchBridge(b, a)
	b.ReportAllocs()
	began := cpu(b)
	b.ResetTimer()
	for n := 0; n < b.N; n += 100 {
		for i := range min(100, b.N-n) {
			turns.Add(1)
			ev := core.Event{
				Key: fmt.Sprint("m:", n+i), Kind: core.KindMessage, Reach: core.ReachDirect, Room: core.Room{ID: fmt.Sprint("D", i), Direct: true},
				MessageID: fmt.Sprint(n + i), Sender: core.User{ID: "U1", Key: "test:U1"}, Text: "hi", SentAt: time.Now(),
			}
			if err := q.host.Accept(b.Context(), ev); err != nil {
				b.Fatal(err)
			}
		}
		turns.Wait()
	}
	stop() // waits for the last edits
	b.StopTimer()
	b.ReportMetric(float64((cpu(b)-began).Microseconds())/float64(b.N), "cpu-µs/turn")
	b.ReportMetric(float64(q.posts.Load()+q.edits.Load())/float64(b.N), "calls/turn")
}
