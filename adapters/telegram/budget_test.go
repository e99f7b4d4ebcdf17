package telegram_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/clickai/bridge/adapters/telegram"
)

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

// edit is one answer that is edited until ctx ends: what is given back is tried again when it was said.
func edit(ctx context.Context, b telegram.Budgets, chat, slot string, gap time.Duration, done func()) {
	for ctx.Err() == nil {
		wait, err := b.Edit(ctx, chat, slot)
		if err != nil {
			return
		}
		if wait == 0 {
			done()
			wait = gap
		}
		timer := time.NewTimer(wait)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
		}
	}
}

// TestManyAnswersInOneGroup: whatever they want, the group gets no more than it may and hardly less; all get their turn,
// and new messages go first.
func TestManyAnswersInOneGroup(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const answers, minutes = 50, 10
		b := telegram.NewBudgets()
		ctx, cancel := context.WithTimeout(t.Context(), minutes*time.Minute)
		defer cancel()
		var all calls
		turns := make([]int, answers)
		var slowest time.Duration
		var wg sync.WaitGroup
		for i := range answers {
			wg.Go(func() {
				edit(ctx, b, "-100", fmt.Sprint(i), 3500*time.Millisecond, func() { all.add(); turns[i]++ })
			})
		}
		wg.Go(func() {
			for i := range minutes {
				if sleepFor(ctx, 50*time.Second) != nil {
					return
				}
				began := time.Now()
				if err := b.Post(ctx, "-100", fmt.Sprint("new", i), time.Minute); err != nil {
					t.Errorf("post: %v", err)
					return
				}
				all.add()
				slowest = max(slowest, time.Since(began))
			}
		})
		wg.Wait()
		if n := all.most(time.Minute); n > 20 {
			t.Errorf("%d calls within a minute", n)
		}
		if n := all.most(time.Second); n > 3 {
			t.Errorf("%d calls within a second", n)
		}
		if n := len(all.at); n < 19*minutes {
			t.Errorf("%d calls in %d minutes: the budget is not used", n, minutes)
		}
		if lo, hi := slices.Min(turns), slices.Max(turns); hi-lo > 1 {
			t.Errorf("turns between %d and %d of an answer: %v", lo, hi, turns)
		}
		if slowest > 7*time.Second {
			t.Errorf("a new message waited %v", slowest)
		}
		_ = sleepFor(t.Context(), time.Minute)
		if _, tickets, slots := b.Size(); tickets != 0 || slots != 0 {
			t.Errorf("%d places and %d names are kept for nobody", tickets, slots)
		}
	})
}

// TestManyPrivateChats: the ceiling over all chats is kept and used, in turns, and a full group holds up none of them.
func TestManyPrivateChats(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const chats, seconds = 100, 60
		b := telegram.NewBudgets()
		ctx, cancel := context.WithTimeout(t.Context(), seconds*time.Second)
		defer cancel()
		var all calls
		turns := make([]int, chats)
		var wg sync.WaitGroup
		for i := range chats {
			wg.Go(func() {
				edit(ctx, b, fmt.Sprint(i+1), "m", 1500*time.Millisecond, func() { all.add(); turns[i]++ })
			})
		}
		for i := range 200 {
			wg.Go(func() { edit(ctx, b, "-100", fmt.Sprint(i), 3500*time.Millisecond, all.add) })
		}
		wg.Wait()
		if n := all.most(time.Second); n > 29+15 {
			t.Errorf("%d calls within a second", n)
		}
		if n := len(all.at); n > 30*seconds || n < 28*seconds {
			t.Errorf("%d calls in %d seconds", n, seconds)
		}
		if lo, hi := slices.Min(turns), slices.Max(turns); hi-lo > 2 || lo < 15 {
			t.Errorf("turns between %d and %d of a chat: %v", lo, hi, turns)
		}
	})
}

func TestHold(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := telegram.NewBudgets()
		b.Hold("1", 30*time.Second)
		if wait, err := b.Edit(t.Context(), "1", "m"); err != nil || wait != 30*time.Second {
			t.Errorf("edit: %v, %v", wait, err)
		}
		if wait, err := b.Edit(t.Context(), "2", "m"); err != nil || wait != 0 {
			t.Errorf("edit elsewhere: %v, %v", wait, err)
		}
		began := time.Now()
		if err := b.Post(t.Context(), "1", "", time.Minute); err != nil || time.Since(began) != 30*time.Second {
			t.Errorf("post: %v after %v", err, time.Since(began))
		}
	})
}

// TestPlaceIsKept: who was sent away comes before who asked later, and one who does not come again holds up nobody for long.
func TestPlaceIsKept(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := telegram.NewBudgets()
		ask := func(slot string) time.Duration {
			t.Helper()
			wait, err := b.Edit(t.Context(), "1", slot)
			if err != nil {
				t.Fatal(err)
			}
			return wait
		}
		ask("x")
		ask("x") // that was the burst
		first, second := ask("first"), ask("second")
		if first != time.Second || second != 2*time.Second {
			t.Fatalf("sent away for %v and %v", first, second)
		}
		_ = sleepFor(t.Context(), first)
		if wait := ask("third"); wait != 2*time.Second {
			t.Errorf("who came last was sent away for %v", wait)
		}
		if wait := ask("first"); wait != 0 {
			t.Errorf("who came first was sent away again for %v", wait)
		}
		for i := range 4 {
			ask(fmt.Sprint("gone", i)) // places up to 6 s ahead, for nobody
		}
		_ = sleepFor(t.Context(), 2*time.Second)
		waited := ask("fourth")
		_ = sleepFor(t.Context(), 10*time.Second)
		if wait := ask("fourth"); waited == 0 || wait != 0 {
			t.Errorf("sent away for %v, then for %v though nobody is there", waited, wait)
		}
	})
}

func TestPostWaits(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := telegram.NewBudgets()
		for range 2 {
			if err := b.Post(t.Context(), "1", "", 0); err != nil {
				t.Fatal(err)
			}
		}
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(300*time.Millisecond, cancel)
		if err := b.Post(ctx, "1", "a", time.Minute); !errors.Is(err, context.Canceled) {
			t.Errorf("post = %v", err)
		}
		if _, tickets, _ := b.Size(); tickets != 0 {
			t.Error("who has left still stands in the queue")
		}
		began := time.Now()
		if err := b.Post(t.Context(), "1", "b", time.Minute); err != nil || time.Since(began) > 700*time.Millisecond {
			t.Errorf("post: %v after %v", err, time.Since(began))
		}
	})
}

func TestBudgetsAreBounded(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := telegram.NewBudgets()
		for i := range telegram.MaxChats + 500 {
			if _, err := b.Edit(t.Context(), fmt.Sprint(i+1), ""); err != nil {
				t.Fatal(err)
			}
			if i%20 == 0 {
				_ = sleepFor(t.Context(), time.Second)
			}
		}
		if chats, _, _ := b.Size(); chats > telegram.MaxChats {
			t.Errorf("%d chats are remembered", chats)
		}
		b.Hold("1", time.Minute) // nothing in it is let through
		for i := range 3000 {
			if wait, err := b.Edit(t.Context(), "1", fmt.Sprint(i)); err != nil || wait == 0 {
				t.Fatal(wait, err)
			}
		}
		if _, tickets, slots := b.Size(); tickets != slots || tickets > telegram.MaxTickets {
			t.Errorf("%d places, %d names", tickets, slots)
		}
	})
}

func sleepFor(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func BenchmarkBudget(b *testing.B) {
	for _, waiting := range []int{0, 1000} {
		b.Run(fmt.Sprint(waiting, " waiting"), func(b *testing.B) {
			q := telegram.NewBudgets()
			q.Hold("-1", time.Hour)
			for i := range waiting {
				_, _ = q.Edit(b.Context(), "-1", fmt.Sprint(i))
			}
			b.ReportAllocs()
			for b.Loop() {
				_, _ = q.Edit(b.Context(), "-1", "x")
			}
		})
	}
}
