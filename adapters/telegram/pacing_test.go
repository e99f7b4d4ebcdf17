package telegram_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/clickai/bridge/adapters/telegram"
	"github.com/clickai/bridge/core"
	simtelegram "github.com/clickai/bridge/internal/sim/telegram"
)

// newPaced is a bot of which the pacing alone is used.
func newPaced(t testing.TB) *telegram.Platform {
	t.Helper()
	p, err := telegram.New("acme", telegram.Config{Token: token, APIURL: telegram.DefaultAPIURL}, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// calls records when calls were let through.
type calls struct {
	mu sync.Mutex
	at []time.Time
}

func (c *calls) add() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = append(c.at, time.Now())
}

// most is the largest number of calls within any stretch of time.
func (c *calls) most(within time.Duration) int {
	most := 0
	for i := range c.at {
		n := 0
		for _, other := range c.at[i:] {
			if other.Sub(c.at[i]) >= within {
				break
			}
			n++
		}
		most = max(most, n)
	}
	return most
}

// refresh is an answer that is refreshed whenever it may, until ctx ends.
func refresh(ctx context.Context, p *telegram.Platform, room string, done func()) {
	gap := p.Limits(corePlace(room)).EditGap
	since := time.Now()
	for p.Pace(ctx, core.Show{Kind: core.ShowEdit, Place: corePlace(room), Since: since}) == nil {
		done()
		since = time.Now()
		select {
		case <-time.After(gap):
		case <-ctx.Done():
		}
	}
}

// TestGroupBudget: whatever 50 answers want, the group gets no more than it may and hardly less; all get their turn, and
// first texts wait for a moment only.
func TestGroupBudget(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const answers, minutes = 50, 10
		p := newPaced(t)
		ctx, cancel := context.WithTimeout(t.Context(), minutes*time.Minute)
		defer cancel()
		var all calls
		turns := make([]int, answers)
		var slowest time.Duration
		var wg sync.WaitGroup
		for i := range answers {
			wg.Go(func() { refresh(ctx, p, "-100", func() { all.add(); turns[i]++ }) })
		}
		wg.Go(func() {
			for i := range 2 * (minutes - 1) {
				if i%2 == 0 {
					<-time.After(50 * time.Second)
				}
				began := time.Now()
				if err := p.Pace(ctx, core.Show{Kind: core.ShowPost, Place: corePlace("-100"), Urgent: true}); err != nil {
					t.Errorf("post: %v", err)
					return
				}
				all.add()
				slowest = max(slowest, time.Since(began))
			}
		})
		wg.Wait()
		if n := all.most(time.Minute); n > simtelegram.GroupPerMinute {
			t.Errorf("%d calls within a minute", n)
		}
		if n := all.most(time.Second); n > 2 {
			t.Errorf("%d calls within a second", n)
		}
		if n := len(all.at); n < 18*minutes {
			t.Errorf("%d calls in %d minutes: the budget is not used", n, minutes)
		}
		if lo, hi := slices.Min(turns), slices.Max(turns); hi-lo > 1 {
			t.Errorf("turns between %d and %d of an answer: %v", lo, hi, turns)
		}
		if slowest > 3500*time.Millisecond {
			t.Errorf("a first text waited %v", slowest)
		}
	})
}

// TestOverallBudget: the ceiling over all chats is kept and used, in turns, and a full group holds up none of them.
func TestOverallBudget(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name    string
		ceiling float64 // 0: the documented one
		second  int     // the most in any second
		rate    float64
	}{
		{name: "documented", second: simtelegram.OverallPerSecond, rate: 27},
		{name: "lower", ceiling: 5, second: 6, rate: 5},
		{name: "less than one", ceiling: 0.5, second: 1, rate: 0.5},
		{name: "paid", ceiling: 60, second: 64, rate: 60},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				const chats, seconds = 100, 60
				p := newPaced(t)
				if tt.ceiling != 0 {
					p.SetCallsPerSecond(tt.ceiling)
				}
				ctx, cancel := context.WithTimeout(t.Context(), seconds*time.Second)
				defer cancel()
				var all calls
				turns := make([]int, chats)
				var wg sync.WaitGroup
				for i := range chats {
					wg.Go(func() { refresh(ctx, p, fmt.Sprint(i+1), func() { all.add(); turns[i]++ }) })
				}
				for range 100 {
					wg.Go(func() { refresh(ctx, p, "-100", all.add) })
				}
				wg.Wait()
				if n := all.most(time.Second); n > tt.second {
					t.Errorf("%d calls within a second", n)
				}
				want := tt.rate * seconds
				if n := float64(len(all.at)); n > want+10 || n < 0.95*want {
					t.Errorf("%v calls in %d seconds, want %v", n, seconds, want)
				}
				if lo, hi := slices.Min(turns), slices.Max(turns); hi-lo > 2 {
					t.Errorf("turns between %d and %d of a chat: %v", lo, hi, turns)
				}
			})
		})
	}
}

// TestPace: how a wait for a turn ends.
func TestPace(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := newPaced(t)
		urgent := core.Show{Kind: core.ShowPost, Place: corePlace("1"), Urgent: true}
		edit := core.Show{Kind: core.ShowEdit, Place: corePlace("1")}
		timed := func(s core.Show) time.Duration {
			t.Helper()
			began := time.Now()
			if err := p.Pace(t.Context(), s); err != nil {
				t.Fatal(err)
			}
			return time.Since(began)
		}
		if d := timed(edit) + timed(urgent); d > time.Second/20 {
			t.Errorf("a last edit right behind a refresh waits %v", d)
		}
		p.Unpace(urgent)
		if d := timed(urgent); d > time.Second/20 {
			t.Errorf("what was given back is not to be had: %v", d)
		}
		wake := make(chan struct{}, 1)
		time.AfterFunc(100*time.Millisecond, func() { wake <- struct{}{} })
		edit.Wake = wake
		if err := p.Pace(t.Context(), edit); !errors.Is(err, core.ErrWoken) {
			t.Errorf("woken: %v", err)
		}
		ctx, cancel := context.WithCancelCause(t.Context())
		time.AfterFunc(100*time.Millisecond, func() { cancel(core.ErrShutdown) })
		if err := p.Pace(ctx, edit); !errors.Is(err, core.ErrShutdown) {
			t.Errorf("ended: %v", err)
		}
		if s := telegram.PacerStats(p); s.Waiting != 0 {
			t.Errorf("%d wait", s.Waiting)
		}
	})
}

// TestBudgetsAreForgotten: what is remembered follows the chats in use, and not those ever seen.
func TestBudgetsAreForgotten(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := newPaced(t)
		p.SetCallsPerSecond(1000)
		for i := range 5000 {
			if err := p.Pace(t.Context(), core.Show{Kind: core.ShowPost, Place: corePlace(fmt.Sprint(i + 1)), Urgent: true}); err != nil {
				t.Fatal(err)
			}
			if i%10 == 0 {
				<-time.After(100 * time.Millisecond)
			}
		}
		if s := telegram.PacerStats(p); s.Budgets > 1000 {
			t.Errorf("%d budgets are remembered", s.Budgets)
		}
	})
}

// TestSignsOfTyping: answers in one place share them, a message ends them, and one that was refused does not count.
func TestSignsOfTyping(t *testing.T) {
	t.Parallel()
	s, p := silent(t, simtelegram.Options{})
	clean(t, s)
	types := func(at core.Place, want int) {
		t.Helper()
		if err := p.Typing(t.Context(), at); err != nil {
			t.Error(err)
		}
		if n := s.Calls("sendChatAction"); n != want {
			t.Errorf("%d signs, want %d", n, want)
		}
	}
	group := corePlace(simtelegram.Group)
	types(group, 1)
	types(group, 1)
	types(private, 2)
	topic := core.Place{Room: simtelegram.Forum, Thread: simtelegram.TopicBilling}
	types(topic, 3)
	post(t, p, group, "x")
	types(group, 4)
	types(topic, 4)
	if _, err := p.Upload(t.Context(), topic, "", fileOf("a.txt", "text/plain", []byte("a"))); err != nil {
		t.Fatal(err)
	}
	types(topic, 5)
	anna := corePlace(simtelegram.Anna)
	s.Faults().Add(simtelegram.ErrorFault("sendChatAction", 500, "Internal Server Error", 1))
	if err := p.Typing(t.Context(), anna); err == nil {
		t.Error("no error")
	}
	types(anna, 6)
	for i := range telegram.MaxTyping + 10 {
		telegram.Types(p, corePlace(fmt.Sprint(i+1)))
	}
	if _, n := telegram.Remembered(p); n > telegram.MaxTyping {
		t.Errorf("%d places are remembered", n)
	}
}

func BenchmarkPace(b *testing.B) {
	p := newPaced(b)
	p.SetCallsPerSecond(1e9)
	places := make([]core.Place, 1000)
	for i := range places {
		places[i] = corePlace(fmt.Sprint(i + 1))
	}
	b.ReportAllocs()
	i := 0
	for b.Loop() {
		s := core.Show{Kind: core.ShowEdit, Place: places[i%len(places)], Urgent: true}
		if err := p.Pace(b.Context(), s); err != nil {
			b.Fatal(err)
		}
		p.Unpace(s)
		i++
	}
}
