package pace_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/clickai/bridge/internal/pace"
)

func BenchmarkWaitWithRoom(b *testing.B) {
	for _, tt := range []struct {
		name string
		rule pace.Rule
	}{
		{"bucket", pace.Rule{Count: 1000, Per: 1000, Burst: 1 << 20}},
		{"window", pace.Rule{Count: 1000, Per: 1000}},
		{"spread_window", pace.Rule{Count: 1000, Per: 1000, Reserve: 10, Spread: 100}},
	} {
		for _, budgets := range []int{1, 3} {
			b.Run(fmt.Sprintf("%s/budgets=%d", tt.name, budgets), func(b *testing.B) {
				p := pace.New(func(string) pace.Rule { return tt.rule })
				c := pace.Call{Budgets: []string{"room", "group", "all"}[:budgets], Priority: pace.Refresh}
				ctx := b.Context()
				b.ReportAllocs()
				for b.Loop() {
					if err := p.Wait(ctx, c); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}

// crowd keeps waiters calls waiting. Each one that is let go reports it and asks again.
func crowd(b *testing.B, p *pace.Pacer, waiters int, call func(i int) pace.Call) (released <-chan struct{}) {
	ctx, cancel := context.WithCancel(b.Context())
	done := make(chan struct{})
	var wg sync.WaitGroup
	for i := range waiters {
		wg.Go(func() {
			c := call(i)
			for {
				c.Since = time.Now()
				if p.Wait(ctx, c) != nil {
					return
				}
				select {
				case done <- struct{}{}:
				case <-ctx.Done():
					return
				}
			}
		})
	}
	b.Cleanup(func() {
		cancel()
		wg.Wait()
		if s := p.Stats(); s.Waiting != 0 {
			b.Errorf("%d calls wait", s.Waiting)
		}
	})
	for p.Stats().Waiting < waiters {
		<-time.After(time.Millisecond)
	}
	return done
}

// One operation is: a slot comes, the first of the crowd is let go, and asks again.
func BenchmarkRelease(b *testing.B) {
	const shut = time.Hour
	for _, n := range []int{1, 1000, 10_000} {
		b.Run(fmt.Sprintf("one_budget/waiters=%d", n), func(b *testing.B) {
			p := pace.New(nil)
			p.Learn("room", 0, shut)
			released := crowd(b, p, n, func(int) pace.Call { return refresh("room") })
			b.ReportAllocs()
			for b.Loop() {
				p.Learn("room", 1, shut)
				<-released
			}
		})
	}
	for _, rooms := range []int{1000, 10_000} {
		b.Run(fmt.Sprintf("shared_budget/rooms=%d", rooms), func(b *testing.B) {
			p := pace.New(func(name string) pace.Rule {
				if name == "all" {
					return pace.Rule{}
				}
				return pace.Rule{Count: 1, Per: time.Microsecond}
			})
			p.Learn("all", 0, shut)
			released := crowd(b, p, rooms, func(i int) pace.Call { return refresh(name("room", i), "all") })
			b.ReportAllocs()
			for b.Loop() {
				p.Learn("all", 1, shut)
				<-released
			}
		})
	}
	// Rooms that are slower than what they share: each release makes a room wait for itself first.
	b.Run("shared_budget/slow_rooms=10000", func(b *testing.B) {
		p := pace.New(func(name string) pace.Rule {
			if name == "all" {
				return pace.Rule{}
			}
			return pace.Rule{Count: 1, Per: 20 * time.Millisecond, Burst: 1}
		})
		p.Learn("all", 0, shut)
		released := crowd(b, p, 10_000, func(i int) pace.Call { return refresh(name("room", i), "all") })
		b.ReportAllocs()
		for b.Loop() {
			p.Learn("all", 1, shut)
			<-released
		}
	})
}
