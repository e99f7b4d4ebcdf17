package pace_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/clickai/bridge/internal/pace"
)

func name(kind string, i int) string { return kind + strconv.Itoa(i) }

func TestWoken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := pace.New(fixed(map[string]pace.Rule{"a": {Count: 1, Per: 10 * s}}))
		wake := make(chan struct{}, 2)
		c := urgent("a")
		c.Wake = wake
		wake <- struct{}{}
		if err := p.Wait(t.Context(), c); err != nil {
			t.Errorf("with room: %v", err)
		}
		if len(wake) != 1 {
			t.Error("Wake was looked at though there was room")
		}
		if err := p.Wait(t.Context(), c); !errors.Is(err, pace.ErrWoken) {
			t.Errorf("woken at once: %v", err)
		}
		begin := time.Now()
		time.AfterFunc(3*s, func() { wake <- struct{}{} })
		if err := p.Wait(t.Context(), c); !errors.Is(err, pace.ErrWoken) || time.Since(begin) != 3*s {
			t.Errorf("woken after %v: %v", time.Since(begin), err)
		}
		// No slot was taken by those.
		if err := p.Wait(t.Context(), c); err != nil || time.Since(begin) != 10*s {
			t.Errorf("let go after %v: %v", time.Since(begin), err)
		}
		if got := p.Stats().Waiting; got != 0 {
			t.Errorf("%d wait", got)
		}
	})
}

// Slots come at the moment of the wake-up or of the end of ctx: either is right, but none may be lost.
func TestLeavingAtTheMomentOfTheSlot(t *testing.T) {
	for range 200 {
		synctest.Test(t, func(t *testing.T) {
			p := pace.New(fixed(map[string]pace.Rule{"a": {Count: 1, Per: s, Burst: 1}}))
			start(t, p, urgent("a"))()
			ctx, cancel := context.WithTimeout(t.Context(), s)
			defer cancel()
			wake := make(chan struct{}, 1)
			time.AfterFunc(s, func() { wake <- struct{}{} })
			c := urgent("a")
			c.Wake = wake
			err := p.Wait(ctx, c)
			next := s
			if err != nil {
				next = 0
			}
			wantTimes(t, start(t, p, urgent("a"))(), next)
		})
	}
}

func TestContextEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := pace.New(fixed(map[string]pace.Rule{"a": {Count: 1, Per: 10 * s}}))
		why := errors.New("why")
		ctx, cancel := context.WithCancelCause(t.Context())
		start(t, p, urgent("a"))()
		time.AfterFunc(s, func() { cancel(why) })
		if err := p.Wait(ctx, urgent("a")); !errors.Is(err, why) {
			t.Errorf("ended: %v", err)
		}
		pause(time.Minute)
		for _, c := range []pace.Call{urgent("a"), urgent()} {
			if err := p.Wait(ctx, c); !errors.Is(err, why) {
				t.Errorf("ended before: %v", err)
			}
		}
		wantTimes(t, start(t, p, urgent("a"))(), 0)
		ctx, stop := context.WithTimeout(t.Context(), s)
		defer stop()
		if err := p.Wait(ctx, urgent("a")); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("timed out: %v", err)
		}
		if got := p.Stats().Waiting; got != 0 {
			t.Errorf("%d wait", got)
		}
	})
}

// Whoever leaves, the next one goes in time: the first and the last of a queue, of one set of budgets and of several.
func TestNextIsWokenWhenOneLeaves(t *testing.T) {
	for leaver := range 4 {
		synctest.Test(t, func(t *testing.T) {
			p := pace.New(fixed(map[string]pace.Rule{"all": {Count: 1, Per: s, Burst: 1}}))
			start(t, p, urgent("all"))()
			begin := time.Now()
			var wg sync.WaitGroup
			var at [4]time.Duration
			for i := range at {
				ctx := t.Context()
				if i == leaver {
					short, cancel := context.WithTimeout(ctx, s/2)
					defer cancel()
					ctx = short
				}
				wg.Go(func() {
					if p.Wait(ctx, urgent("all", name("room", i/2))) == nil {
						at[i] = time.Since(begin)
					}
				})
				synctest.Wait()
			}
			wg.Wait()
			turn := time.Duration(0)
			for i := range at {
				want := time.Duration(0)
				if i != leaver {
					turn += s
					want = turn
				}
				if at[i] != want {
					t.Errorf("%d left: call %d at %v, want %v", leaver, i, at[i], want)
				}
			}
		})
	}
}

// Everything at once, for the race detector. Every call has to come back, and the rules hold whatever happens.
func TestConcurrentUse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rule := pace.Rule{Count: 20, Per: s, Reserve: 2, Spread: 4}
		p := pace.New(func(n string) pace.Rule {
			if n == "all" {
				return rule
			}
			return pace.Rule{Count: 5, Per: s, Burst: 2}
		})
		var mu sync.Mutex
		var log []time.Duration
		begin := time.Now()
		var waits, granted atomic.Int64
		var wg sync.WaitGroup
		for g := range 40 {
			wg.Go(func() {
				r := rand.New(rand.NewPCG(uint64(g), 1))
				for range 100 {
					c := pace.Call{Budgets: []string{name("room", r.IntN(8)), "all"}, Priority: pace.Priority(r.IntN(2))}
					ctx, cancel := context.WithTimeout(t.Context(), time.Duration(r.IntN(60))*s)
					waits.Add(1)
					err := p.Wait(ctx, c)
					cancel()
					if err == nil {
						granted.Add(1)
						mu.Lock()
						log = append(log, time.Since(begin))
						mu.Unlock()
					}
					switch r.IntN(40) {
					case 0:
						p.Hold(c.Budgets[0], time.Duration(r.IntN(3000))*ms)
					case 1:
						p.Learn(c.Budgets[0], r.IntN(3), time.Duration(r.IntN(3000))*ms)
					case 2:
						p.Set("all", rule)
					case 3:
						p.Delay(c)
						p.Stats()
					}
				}
			})
		}
		wg.Wait()
		for i := rule.Count; i < len(log); i++ {
			if d := log[i] - log[i-rule.Count]; d < rule.Per {
				t.Fatalf("%d slots of all in %v", rule.Count+1, d)
			}
		}
		if granted.Load() < waits.Load()/2 {
			t.Errorf("%d of %d calls were let go", granted.Load(), waits.Load())
		}
		if got := p.Stats().Waiting; got != 0 {
			t.Errorf("%d wait", got)
		}
	})
}
