package pace_test

import (
	"context"
	"math"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/clickai/bridge/internal/pace"
)

// pause lets d of the bubble's time pass. A timer that is due already would be run by the goroutine that asks, and many of
// these at once crash the race detector (https://github.com/golang/go/issues/78156).
func pause(d time.Duration) {
	if d > 0 {
		<-time.After(d)
	}
}

// fixed gives the rules of a map, and no limit to other names.
func fixed(rules map[string]pace.Rule) func(string) pace.Rule {
	return func(name string) pace.Rule { return rules[name] }
}

func urgent(names ...string) pace.Call { return pace.Call{Budgets: names} }

func refresh(names ...string) pace.Call {
	return pace.Call{Budgets: names, Priority: pace.Refresh}
}

// start makes the calls one after another at this moment. The function it returns waits for all of them and tells when each
// was let go, from the moment of start.
func start(t *testing.T, p *pace.Pacer, calls ...pace.Call) func() []time.Duration {
	t.Helper()
	begin := time.Now()
	at := make([]time.Duration, len(calls))
	done := make(chan struct{})
	for i, c := range calls {
		go func() {
			if err := p.Wait(t.Context(), c); err != nil {
				t.Errorf("call %d: %v", i, err)
			}
			at[i] = time.Since(begin)
			done <- struct{}{}
		}()
		synctest.Wait()
	}
	return func() []time.Duration {
		for range calls {
			<-done
		}
		return at
	}
}

func wantTimes(t *testing.T, got []time.Duration, want ...time.Duration) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("let go at %v, want %v", got, want)
	}
}

func times(n int, c pace.Call) []pace.Call { return slices.Repeat([]pace.Call{c}, n) }

const (
	ms = time.Millisecond
	s  = time.Second
)

// The table also shows that Delay foretells what happens when nobody else comes.
func TestRules(t *testing.T) {
	huge := math.MaxInt
	for _, tt := range []struct {
		name string
		rule pace.Rule
		p    pace.Priority
		want []time.Duration
	}{
		{"no rule", pace.Rule{}, pace.Urgent, []time.Duration{0, 0, 0}},
		{"no count", pace.Rule{Count: -1, Per: s}, pace.Urgent, []time.Duration{0, 0, 0}},
		{"no time", pace.Rule{Count: 1, Burst: 1}, pace.Refresh, []time.Duration{0, 0, 0}},
		{"window", pace.Rule{Count: 3, Per: 10 * s}, pace.Urgent, []time.Duration{0, 0, 0, 10 * s, 10 * s, 10 * s, 20 * s}},
		{"window of one", pace.Rule{Count: 1, Per: s, Reserve: 1}, pace.Refresh, []time.Duration{0, s, 2 * s}},
		{"window with reserve", pace.Rule{Count: 3, Per: 10 * s, Reserve: 1}, pace.Refresh, []time.Duration{0, 0, 10 * s, 10 * s, 20 * s}},
		{"window with reserve, urgent", pace.Rule{Count: 3, Per: 10 * s, Reserve: 1}, pace.Urgent, []time.Duration{0, 0, 0, 10 * s}},
		{"window all reserved", pace.Rule{Count: 3, Per: 10 * s, Reserve: huge}, pace.Refresh, []time.Duration{0, 10 * s, 20 * s}},
		{"negative burst and reserve", pace.Rule{Count: 2, Per: s, Burst: -1, Reserve: -5}, pace.Refresh, []time.Duration{0, 0, s}},
		{"spread 1", pace.Rule{Count: 5, Per: 10 * s, Spread: 1}, pace.Refresh, []time.Duration{0, 2 * s, 4 * s, 6 * s, 8 * s, 10 * s, 12 * s}},
		{"spread 1, urgent", pace.Rule{Count: 2, Per: 10 * s, Spread: 1}, pace.Urgent, []time.Duration{0, 0, 10 * s}},
		{
			"spread 2 with reserve",
			pace.Rule{Count: 5, Per: 9 * s, Spread: 2, Reserve: 1},
			pace.Refresh,
			[]time.Duration{0, 0, 3 * s, 6 * s, 9 * s, 12 * s},
		},
		{"spread beyond count", pace.Rule{Count: 2, Per: s, Spread: huge}, pace.Refresh, []time.Duration{0, 0, s, 2 * s, 3 * s}},
		{"bucket", pace.Rule{Count: 1, Per: s, Burst: 2}, pace.Urgent, []time.Duration{0, 0, s, 2 * s, 3 * s}},
		{"bucket larger than count", pace.Rule{Count: 2, Per: s, Burst: 3}, pace.Urgent, []time.Duration{0, 0, 0, s / 2, s}},
		{"bucket with reserve", pace.Rule{Count: 1, Per: s, Burst: 3, Reserve: 1}, pace.Refresh, []time.Duration{0, 0, s, 2 * s}},
		{"bucket all reserved", pace.Rule{Count: 1, Per: s, Burst: 2, Reserve: huge, Spread: 1}, pace.Refresh, []time.Duration{0, s, 2 * s}},
		{
			"rounded up",
			pace.Rule{Count: 3, Per: 10 * s, Burst: 1},
			pace.Urgent,
			[]time.Duration{0, 3333333334, 6666666668, 10000000002},
		},
		{"less than a nanosecond apart", pace.Rule{Count: huge, Per: s, Burst: 1}, pace.Urgent, []time.Duration{0, 1, 2}},
		{"huge window", pace.Rule{Count: huge, Per: math.MaxInt64, Reserve: huge, Spread: huge}, pace.Urgent, []time.Duration{0, 0, 0}},
		{"huge bucket", pace.Rule{Count: 1, Per: time.Hour, Burst: huge}, pace.Urgent, []time.Duration{0, 0, 0}},
		{"huge count", pace.Rule{Count: huge, Per: math.MaxInt64, Burst: huge, Reserve: 1}, pace.Refresh, []time.Duration{0, 0, 0}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				pause(5 * s) // so that a time of 0 is not the start
				p := pace.New(func(string) pace.Rule { return tt.rule })
				pause(7 * s)
				c := pace.Call{Budgets: []string{"a"}, Priority: tt.p}
				var all []func() []time.Duration
				for i, want := range tt.want {
					if got := p.Delay(c); got != want {
						t.Errorf("Delay %d = %v, want %v", i, got, want)
					}
					all = append(all, start(t, p, c))
				}
				for i, wait := range all {
					if got := wait()[0]; got != tt.want[i] {
						t.Errorf("call %d was let go after %v, want %v", i, got, tt.want[i])
					}
				}
				if got := p.Stats().Waiting; got != 0 {
					t.Errorf("%d calls wait", got)
				}
			})
		})
	}
}

func TestNilRule(t *testing.T) {
	p := pace.New(nil)
	for range 100 {
		if err := p.Wait(t.Context(), refresh("a", "b")); err != nil {
			t.Fatal(err)
		}
	}
}

// A wait of decades must neither overflow nor spin.
func TestHugeWaits(t *testing.T) {
	const forever = time.Duration(math.MaxInt64)
	for _, tt := range []struct {
		name string
		rule pace.Rule
		stop func(p *pace.Pacer)
	}{
		{"window", pace.Rule{Count: 1, Per: forever}, func(p *pace.Pacer) { _ = p.Wait(t.Context(), urgent("a")) }},
		{"bucket", pace.Rule{Count: 1, Per: forever, Burst: 1}, func(p *pace.Pacer) { _ = p.Wait(t.Context(), urgent("a")) }},
		{"bucket that cannot fill", pace.Rule{Count: 1, Per: forever, Burst: 3}, func(p *pace.Pacer) { _ = p.Wait(t.Context(), urgent("a")) }},
		{"bucket that fills slowly", pace.Rule{Count: 1, Per: 10000 * time.Hour, Burst: math.MaxInt, Reserve: math.MaxInt}, func(p *pace.Pacer) {
			p.Hold("a", s)
			pause(s)
		}},
		{"window that was held", pace.Rule{Count: math.MaxInt, Per: forever, Reserve: math.MaxInt}, func(p *pace.Pacer) {
			p.Hold("a", s)
			pause(s)
			_ = p.Wait(t.Context(), urgent("a"))
		}},
		{"hold", pace.Rule{Count: 1, Per: s}, func(p *pace.Pacer) { p.Hold("a", forever); p.Hold("a", forever) }},
		{"hold of a huge rule", pace.Rule{Count: math.MaxInt, Per: forever, Burst: math.MaxInt}, func(p *pace.Pacer) { p.Hold("a", forever) }},
		{"unsaid hold of a huge rule", pace.Rule{Count: 1, Per: forever}, func(p *pace.Pacer) { p.Hold("a", 0) }},
		{"hold of a huge window", pace.Rule{Count: math.MaxInt, Per: forever}, func(p *pace.Pacer) { p.Hold("a", forever) }},
		{"learnt", pace.Rule{}, func(p *pace.Pacer) { p.Learn("a", math.MinInt, forever) }},
		{"reserved of learnt", pace.Rule{Reserve: math.MaxInt}, func(p *pace.Pacer) { p.Learn("a", math.MaxInt, forever) }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := pace.New(func(string) pace.Rule { return tt.rule })
				tt.stop(p)
				ctx, cancel := context.WithTimeout(t.Context(), 5*365*24*time.Hour)
				defer cancel()
				var wg sync.WaitGroup
				for range 20 {
					if d := p.Delay(refresh("a")); d < 20*365*24*time.Hour {
						t.Errorf("Delay = %v, want decades", d)
					}
					wg.Go(func() {
						if p.Wait(ctx, refresh("a")) == nil {
							t.Error("let go")
						}
					})
					synctest.Wait()
				}
				wg.Wait()
			})
		})
	}
}

func TestSeveralBudgets(t *testing.T) {
	rules := fixed(map[string]pace.Rule{
		"room1": {Count: 1, Per: s, Burst: 1}, "room2": {Count: 1, Per: s, Burst: 1},
		"group": {Count: 2, Per: 10 * s}, "all": {Count: 10, Per: s, Burst: 1},
	})
	for _, tt := range []struct {
		name  string
		calls []pace.Call
		want  []time.Duration
	}{
		{"none", []pace.Call{urgent(), urgent()}, []time.Duration{0, 0}},
		{"the slowest counts", times(4, urgent("room1", "group", "all")), []time.Duration{0, s, 10 * s, 11 * s}},
		{"a name twice counts once", times(3, urgent("group", "room1", "group")), []time.Duration{0, s, 10 * s}},
		{
			"who waits for a room holds nothing of all",
			[]pace.Call{urgent("room1", "all"), urgent("room1", "all"), urgent("room2", "all"), urgent("all"), urgent("all")},
			[]time.Duration{0, s, 100 * ms, 200 * ms, 300 * ms},
		},
		{
			"the order of names means nothing",
			[]pace.Call{urgent("room1", "all"), urgent("all", "room1"), urgent("room1", "all"), urgent("all", "room1")},
			[]time.Duration{0, s, 2 * s, 3 * s},
		},
		{
			"more names than most have",
			times(3, urgent("a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "room1")),
			[]time.Duration{0, s, 2 * s},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				wantTimes(t, start(t, pace.New(rules), tt.calls...)(), tt.want...)
			})
		})
	}
}

func TestOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := pace.New(fixed(map[string]pace.Rule{"all": {Count: 1, Per: s, Burst: 1}}))
		now := time.Now()
		old := func(c pace.Call, age time.Duration) pace.Call {
			c.Since = now.Add(-age)
			return c
		}
		got := start(t, p,
			urgent("all"),
			old(refresh("all", "a"), 5*s),
			old(refresh("all", "b"), 9*s),
			refresh("all", "a"),
			refresh("all", "c"),
			urgent("all", "a"),
			urgent("all", "d"),
			old(urgent("all", "c"), s),
		)()
		wantTimes(t, got, 0, 5*s, 4*s, 6*s, 7*s, 2*s, 3*s, s)
	})
}

// An urgent call overtakes refreshes that wait for its very budgets because of what is reserved.
func TestUrgentUsesReserve(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := pace.New(fixed(map[string]pace.Rule{"a": {Count: 3, Per: 9 * s, Reserve: 1}}))
		wantTimes(t, start(t, p, append(times(4, refresh("a")), urgent("a"))...)(), 0, 0, 9*s, 9*s, 0)
	})
}

// Two budgets become free at the same moment: the urgent call has to win the slot that both calls need, whichever timer is
// seen first.
func TestUrgentFirstAtOneMoment(t *testing.T) {
	for _, room := range []string{"a", "z"} {
		synctest.Test(t, func(t *testing.T) {
			p := pace.New(fixed(map[string]pace.Rule{"all": {Count: 1, Per: s, Burst: 1}}))
			other := "m"
			p.Hold(other, 5*s)
			p.Hold(room, 5*s)
			got := start(t, p, refresh(other, "all"), urgent(room, "all"))()
			wantTimes(t, got, 6*s, 5*s)
		})
	}
}

func TestFairTurns(t *testing.T) {
	for _, tt := range []struct {
		name string
		rule pace.Rule
	}{
		{"bucket", pace.Rule{Count: 3, Per: s, Burst: 2}},
		{"spread window", pace.Rule{Count: 20, Per: 61 * s, Reserve: 3, Spread: 1}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := pace.New(fixed(map[string]pace.Rule{"all": tt.rule}))
				ctx, cancel := context.WithTimeout(t.Context(), 20*time.Minute)
				defer cancel()
				counts := make([]int, 7)
				done := make(chan struct{})
				for i := range counts {
					go func() {
						defer func() { done <- struct{}{} }()
						c := refresh("all")
						for p.Wait(ctx, c) == nil {
							counts[i]++
							c.Since = time.Now()
							pause(time.Duration(i+1) * 10 * ms) // the call itself takes differently long
						}
					}()
				}
				for range counts {
					<-done
				}
				if least := slices.Min(counts); least < 20 || slices.Max(counts)-least > 1 {
					t.Errorf("turns: %v", counts)
				}
			})
		})
	}
}

func TestIdleBudgetsAreDropped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := pace.New(func(string) pace.Rule { return pace.Rule{Count: 2, Per: 10 * s, Spread: 1} })
		wait := func(c pace.Call) {
			if err := p.Wait(t.Context(), c); err != nil {
				t.Error(err)
			}
		}
		const rooms = 3000
		for i := range rooms {
			wait(refresh(name("old", i)))
		}
		if got := p.Stats().Budgets; got != rooms {
			t.Errorf("%d budgets in use, want %d", got, rooms)
		}
		pause(time.Hour)
		for i := range rooms {
			wait(refresh(name("new", i)))
			wait(refresh(name("new", i), "all")) // after 5 s
		}
		if got := p.Stats().Budgets; got > 66 {
			t.Errorf("%d budgets are left", got)
		}
	})
}

// What is still known of a budget keeps it from being dropped.
func TestBudgetsInUseAreKept(t *testing.T) {
	for _, tt := range []struct {
		name string
		rule pace.Rule
		use  func(t *testing.T, p *pace.Pacer)
		want time.Duration // until the next slot, after churn of a second
	}{
		{"taken from a window", pace.Rule{Count: 1, Per: 10 * s}, func(t *testing.T, p *pace.Pacer) { start(t, p, urgent("x"))() }, 9 * s},
		{"taken from a bucket", pace.Rule{Count: 1, Per: 10 * s, Burst: 1}, func(t *testing.T, p *pace.Pacer) { start(t, p, urgent("x"))() }, 9 * s},
		{"held", pace.Rule{}, func(_ *testing.T, p *pace.Pacer) { p.Hold("x", 10*s) }, 9 * s},
		{"learnt", pace.Rule{}, func(_ *testing.T, p *pace.Pacer) { p.Learn("x", 0, 10*s) }, 9 * s},
		{"set", pace.Rule{}, func(t *testing.T, p *pace.Pacer) {
			p.Set("x", pace.Rule{Count: 1, Per: 10 * s})
			pause(time.Hour)
			churn(t, p)
			start(t, p, urgent("x"))()
		}, 9 * s},
		{"waited for elsewhere", pace.Rule{Count: 1, Per: 10 * s}, func(t *testing.T, p *pace.Pacer) {
			p.Set("other", pace.Rule{})
			p.Hold("other", s/2)
			wait := start(t, p, urgent("x", "other"))
			churn(t, p)
			wait()
			pause(s / 2)
		}, 8*s + s/2},
		{"lowered rate", pace.Rule{Count: 1, Per: s, Burst: 1}, func(t *testing.T, p *pace.Pacer) {
			p.Hold("x", s)
			pause(45 * s)
			churn(t, p)
			start(t, p, times(21, urgent("x"))...)() // takes 20 gaps of more than a second
			if got := p.Delay(urgent("x")); got < 1040*ms || got > 1100*ms {
				t.Errorf("gap = %v, want about 1.07 s", got)
			}
			pause(s)
		}, 0},
		{"forgotten", pace.Rule{Count: 1, Per: s}, func(t *testing.T, p *pace.Pacer) { start(t, p, urgent("x"))() }, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := pace.New(func(n string) pace.Rule {
					if n == "x" {
						return tt.rule
					}
					return pace.Rule{}
				})
				tt.use(t, p)
				churn(t, p)
				pause(s)
				churn(t, p)
				if got := p.Delay(urgent("x")); got != tt.want {
					t.Errorf("next slot in %v, want %v", got, tt.want)
				}
			})
		})
	}
}

// churn uses so many other budgets that every idle one is dropped.
func churn(t *testing.T, p *pace.Pacer) {
	for i := range 500 {
		if err := p.Wait(t.Context(), urgent(name("churn", i))); err != nil {
			t.Error(err)
		}
	}
}

func TestWaitWithRoomAllocatesNothing(t *testing.T) {
	p := pace.New(func(string) pace.Rule { return pace.Rule{Count: 1000, Per: 1000, Burst: 1000} })
	c := pace.Call{Budgets: []string{"room", "group", "all"}, Priority: pace.Refresh, Since: time.Now()}
	ctx := t.Context()
	if n := testing.AllocsPerRun(1000, func() {
		if err := p.Wait(ctx, c); err != nil {
			t.Error(err)
		}
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
