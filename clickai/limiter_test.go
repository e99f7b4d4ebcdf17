package clickai_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/clickai/bridge/clickai"
)

func TestPlanByName(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]clickai.Plan{
		"sandbox": {PerMinute: 100, PerDay: 10_000}, "professional": {PerMinute: 500, PerDay: 100_000},
		"team": {PerMinute: 1000, PerDay: 500_000}, "enterprise": {},
	} {
		if got, ok := clickai.PlanByName(name); !ok || got != want {
			t.Errorf("%s: %+v, %v", name, got, ok)
		}
	}
	if _, ok := clickai.PlanByName("gold"); ok {
		t.Error("unknown plan found")
	}
}

// wait takes a slot and records when it came.
func waitSlot(t *testing.T, l *clickai.Limiter) time.Time {
	t.Helper()
	if err := l.Wait(t.Context()); err != nil {
		t.Fatalf("Wait: %v", err)
	}
	return time.Now()
}

// maxInWindow is the most starts that any window of that length holds.
func maxInWindow(starts []time.Time, window time.Duration) int {
	most := 0
	for i := range starts {
		n := 0
		for _, s := range starts[i:] {
			if s.Sub(starts[i]) < window {
				n++
			}
		}
		most = max(most, n)
	}
	return most
}

func TestLimiterMinute(t *testing.T) {
	t.Parallel()
	for _, gap := range []time.Duration{0, time.Second, 7 * time.Second, 61 * time.Second} {
		synctest.Test(t, func(t *testing.T) {
			l := clickai.NewLimiter(clickai.Plan{PerMinute: 10})
			begin := time.Now()
			var starts []time.Time
			for i := range 45 {
				if i%6 == 5 {
					<-time.After(gap)
				}
				starts = append(starts, waitSlot(t, l))
			}
			if most := maxInWindow(starts, time.Minute); most > 10 {
				t.Errorf("gap %v: %d in one minute", gap, most)
			}
			if gap == 0 {
				// The plan is used up: ten at once, ten more as soon as the minute is over.
				if got := starts[9].Sub(begin); got != 0 {
					t.Errorf("burst took %v", got)
				}
				if got := starts[44].Sub(begin); got != 4*61*time.Second {
					t.Errorf("45 took %v", got)
				}
			}
		})
	}
}

func TestLimiterSharedByMany(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		limits := clickai.NewLimits(clickai.Plan{PerMinute: 5})
		if first := limits.For("a"); limits.For("a") != first || limits.For("b") == first {
			t.Error("limiters don't go by key")
		}
		var mu sync.Mutex
		var starts []time.Time
		var wg sync.WaitGroup
		for range 23 {
			wg.Go(func() {
				at := waitSlot(t, limits.For("a"))
				mu.Lock()
				starts = append(starts, at)
				mu.Unlock()
			})
		}
		begin := time.Now()
		waitSlot(t, limits.For("b")) // another key doesn't wait
		if d := time.Since(begin); d != 0 {
			t.Errorf("other key waited %v", d)
		}
		wg.Wait()
		if most := maxInWindow(starts, time.Minute); most > 5 || len(starts) != 23 {
			t.Errorf("%d in one minute, %d in all", most, len(starts))
		}
	})
}

func TestLimiterOrder(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := clickai.NewLimiter(clickai.Plan{PerMinute: 1})
		waitSlot(t, l)
		var mu sync.Mutex
		var order []int
		var wg sync.WaitGroup
		for i := range 5 {
			wg.Go(func() {
				waitSlot(t, l)
				mu.Lock()
				order = append(order, i)
				mu.Unlock()
			})
			synctest.Wait()
		}
		wg.Wait()
		for i, n := range order {
			if i != n {
				t.Fatalf("order %v", order)
			}
		}
	})
}

func TestLimiterContext(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := clickai.NewLimiter(clickai.Plan{PerMinute: 1})
		waitSlot(t, l)

		// A deadline before the slot isn't waited for.
		begin := time.Now()
		ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
		defer cancel()
		if err := l.Wait(ctx); !errors.Is(err, context.DeadlineExceeded) || time.Since(begin) != 0 {
			t.Errorf("%v after %v", err, time.Since(begin))
		}
		// Two that give up, at the head of the queue and behind it, leave their slots
		// to the next.
		for range 2 {
			ctx, cancel := context.WithCancel(t.Context())
			go func() {
				if err := l.Wait(ctx); !errors.Is(err, context.Canceled) {
					t.Errorf("cancelled: %v", err)
				}
			}()
			synctest.Wait()
			time.AfterFunc(10*time.Second, cancel)
		}
		if at := waitSlot(t, l); at.Sub(begin) != 61*time.Second {
			t.Errorf("next slot after %v", at.Sub(begin))
		}
	})
}

func TestLimiterDay(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := clickai.NewLimiter(clickai.Plan{PerDay: 100})
		var starts []time.Time
		begin := time.Now()
		for range 60 {
			starts = append(starts, waitSlot(t, l))
		}
		<-time.After(10*time.Hour + 30*time.Second)
		for range 40 {
			starts = append(starts, waitSlot(t, l))
		}
		err := l.Wait(t.Context())
		quota, ok := errors.AsType[*clickai.QuotaError](err)
		if !ok || quota.PerDay != 100 {
			t.Fatalf("got %v", err)
		}
		if after := quota.Until.Sub(begin); after < 24*time.Hour || after > 24*time.Hour+2*time.Minute {
			t.Errorf("until %v after the first", after)
		}
		<-time.After(time.Until(quota.Until) - time.Millisecond)
		if err := l.Wait(t.Context()); err == nil {
			t.Error("slot before its time")
		}
		<-time.After(time.Millisecond)
		for range 60 {
			starts = append(starts, waitSlot(t, l))
		}
		if err := l.Wait(t.Context()); err == nil {
			t.Error("61st slot")
		}
		if most := maxInWindow(starts, 24*time.Hour); most > 100 {
			t.Errorf("%d in a day", most)
		}
		<-time.After(30 * 24 * time.Hour) // much longer than it remembers
		for range 100 {
			waitSlot(t, l)
		}
		if err := l.Wait(t.Context()); err == nil {
			t.Error("101st slot")
		}
	})
}

// One who waits for the minute learns that the day has been used up meanwhile.
func TestLimiterDayEndsWhileWaiting(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := clickai.NewLimiter(clickai.Plan{PerMinute: 1, PerDay: 2})
		waitSlot(t, l)
		errs := make(chan error, 2)
		for range 2 {
			go func() { errs <- l.Wait(t.Context()) }()
		}
		if err := <-errs; err != nil {
			t.Errorf("second: %v", err)
		}
		if _, ok := errors.AsType[*clickai.QuotaError](<-errs); !ok {
			t.Error("third got a slot")
		}
	})
}

func TestLimiterSetPlan(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		limits := clickai.NewLimits(clickai.Plan{PerMinute: 4})
		l := limits.For("a")
		var starts []time.Time
		take := func(n int) {
			for range n {
				starts = append(starts, waitSlot(t, l))
			}
		}
		take(6) // the ring has turned
		begin := time.Now()
		limits.SetPlan(clickai.Plan{PerMinute: 8})
		take(4)
		if d := time.Since(begin); d != 0 {
			t.Errorf("larger plan waited %v", d)
		}
		limits.SetPlan(clickai.Plan{PerMinute: 3})
		starts = starts[len(starts)-3:]
		take(5)
		if most := maxInWindow(starts, time.Minute); most > 3 {
			t.Errorf("smaller plan: %d in one minute", most)
		}
		limits.SetPlan(clickai.Plan{})
		begin = time.Now()
		take(1000)
		if d := time.Since(begin); d != 0 {
			t.Errorf("no plan waited %v", d)
		}
		if other := limits.For("new"); other.Wait(t.Context()) != nil {
			t.Error("new limiter has the old plan")
		}
	})
}

// All clients of one key wait for the same limiter, whatever they call.
func TestClientsShareLimiter(t *testing.T) {
	t.Parallel()
	var requests atomic.Int32
	srv := newServer(t, func(w http.ResponseWriter, _ *http.Request) {
		requests.Add(1)
		_, _ = io.WriteString(w, `{}`)
	})
	limits := clickai.NewLimits(clickai.Plan{PerMinute: 2, PerDay: 100})
	use := func(c *clickai.Config) { c.Limiter = limits.For(testKey) }
	a, b := newClient(t, srv.URL, use), newClient(t, srv.URL, use)
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	_, err := a.Info(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if err := b.StopChat(ctx, "t1", "u1"); err != nil {
		t.Fatal(err)
	}
	_, err = a.ChatStream(ctx, ask)
	if e := wantError(t, err, clickai.KindLimited); !errors.Is(err, context.DeadlineExceeded) || e.MayHaveArrived() {
		t.Errorf("third request: %v", err)
	}
	limits.SetPlan(clickai.Plan{PerDay: 2})
	_, err = b.Chat(ctx, ask)
	wantKind(t, err, clickai.KindLimited)
	if _, ok := errors.AsType[*clickai.QuotaError](err); !ok {
		t.Errorf("day used up: %v", err)
	}
	if n := requests.Load(); n != 2 {
		t.Errorf("%d requests", n)
	}
}

func BenchmarkLimiter(b *testing.B) {
	l := clickai.NewLimiter(clickai.Plan{PerMinute: 1 << 30, PerDay: 1 << 30})
	b.ReportAllocs()
	for b.Loop() {
		if err := l.Wait(b.Context()); err != nil {
			b.Fatal(err)
		}
	}
}
