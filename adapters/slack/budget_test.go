package slack_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/clickai/bridge/adapters/slack"
)

func TestPostBudget(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b, began := slack.NewBudgets(), time.Now()
		for range 8 {
			if err := b.Post(t.Context(), "C1"); err != nil {
				t.Fatal(err)
			}
		}
		// A burst of 3, then one a second.
		if took := time.Since(began); took < 5*time.Second || took > 6*time.Second {
			t.Errorf("8 posts to one room took %s, want about 5 s", took)
		}
		began = time.Now()
		if err := b.Post(t.Context(), "C2"); err != nil || time.Since(began) > 0 {
			t.Errorf("a post to another room: %v after %s, want at once", err, time.Since(began))
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
		defer cancel()
		if err := b.Post(ctx, "C1"); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("a post whose context ends = %v, want its error", err)
		}
	})
}

// TestEditTurns holds that edits of many messages take turns, each with its newest text, and that no place is used twice.
func TestEditTurns(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const messages, rounds = 20, 3
		b, began := slack.NewBudgets(), time.Now()
		finished := make(chan time.Duration, messages)
		for i := range messages {
			go func() {
				for range rounds {
					for {
						err := b.Edit(t.Context(), "C1", fmt.Sprint(i))
						if err == nil {
							break
						}
						wait := slack.RetryAfter(err)
						if wait <= 0 {
							t.Errorf("edit = %v, want a time to wait", err)
							return
						}
						<-time.After(wait)
					}
					<-time.After(1300 * time.Millisecond) // as the writers of answers do
				}
				finished <- time.Since(began)
			}()
		}
		var first, last time.Duration
		for range messages {
			d := <-finished
			if first == 0 {
				first = d
			}
			last = d
		}
		// 60 edits less a burst of 10, at 48 a minute.
		if want := 50 * 1250 * time.Millisecond; last < want-2*time.Second || last > want+4*time.Second {
			t.Errorf("the last of 60 edits was made after %s, want about %s", last, want)
		}
		if spread := last - first; spread > 27*time.Second {
			t.Errorf("one message was done %s before another: they did not take turns", spread)
		}
	})
}

func TestHold(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b, began := slack.NewBudgets(), time.Now()
		b.Limited("C1", 5*time.Second)
		if err := b.Post(t.Context(), "C2"); err != nil || time.Since(began) > 0 {
			t.Errorf("a post to another room: %v after %s, want at once", err, time.Since(began))
		}
		for n, want := range []time.Duration{5 * time.Second, 6 * time.Second, 7 * time.Second} {
			if err := b.Post(t.Context(), "C1"); err != nil {
				t.Fatal(err)
			}
			if took := time.Since(began); took < want || took > want+500*time.Millisecond {
				t.Errorf("post %d after a 429 of 5 s was made after %s, want about %s", n, took, want)
			}
		}
		b.Limited("C1", time.Minute)
		if err := b.Post(t.Context(), "C1"); slack.RetryAfter(err) < 59*time.Second {
			t.Errorf("a post that would wait a minute = %v, want to be sent back", err)
		}
	})
}

func TestBudgetsBounded(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := slack.NewBudgets()
		for i := range 20_000 {
			ctx, cancel := context.WithCancel(t.Context())
			cancel()
			_ = b.Post(ctx, fmt.Sprint(i))
		}
		if n := b.Size(); n > 4096 {
			t.Errorf("%d buckets are remembered, want at most 4096", n)
		}
	})
}
