package pace_test

import (
	"math"
	"testing"
	"testing/synctest"
	"time"

	"github.com/clickai/bridge/internal/pace"
)

func TestHoldStopsOneBudgetOnly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := pace.New(fixed(map[string]pace.Rule{
			"room1": {Count: 1, Per: s, Burst: 1}, "room2": {Count: 1, Per: s, Burst: 1}, "all": {Count: 30, Per: s, Burst: 30},
		}))
		p.Hold("room1", 30*s)
		held := start(t, p, urgent("room1", "all"), refresh("room1", "all"))
		other := start(t, p, times(5, refresh("room2", "all"))...)
		wantTimes(t, other(), 0, s, 2*s, 3*s, 4*s)
		got := held()
		if got[0] != 30*s || got[1] < 31400*ms || got[1] > 31430*ms { // 1 s / 0.7, a little less as the rate rises
			t.Errorf("held calls were let go at %v", got)
		}
	})
}

// A waiter whose timer is set already must not go when a hold came in between, and a hold is never cut short.
func TestHoldWhileWaiting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := pace.New(fixed(map[string]pace.Rule{"a": {Count: 1, Per: 5 * s, Burst: 1}}))
		wait := start(t, p, times(2, urgent("a"))...)
		p.Hold("a", 10*s)
		pause(s)
		p.Hold("a", 2*s)
		wantTimes(t, wait(), 0, 10*s)
	})
}

// gaps measures the time between n slots taken one after another.
func gaps(t *testing.T, p *pace.Pacer, n int) []time.Duration {
	t.Helper()
	got := make([]time.Duration, n)
	last := time.Now()
	for i := range got {
		if err := p.Wait(t.Context(), urgent("a")); err != nil {
			t.Fatal(err)
		}
		got[i] = time.Since(last)
		last = time.Now()
	}
	return got
}

func wantNear(t *testing.T, what string, got, want time.Duration) {
	t.Helper()
	if d := got - want; d.Abs() > want/100 {
		t.Errorf("%s: %v, want about %v", what, got, want)
	}
}

func TestRateFallsAndRecovers(t *testing.T) {
	for _, tt := range []struct {
		name string
		rule pace.Rule
	}{
		{"bucket", pace.Rule{Count: 10, Per: s, Burst: 5}},
		{"bucket of one", pace.Rule{Count: 10, Per: s, Burst: 1}},
		{"window", pace.Rule{Count: 10, Per: s}},
		{"one-slot window", pace.Rule{Count: 1, Per: s / 10}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := pace.New(fixed(map[string]pace.Rule{"a": tt.rule}))
				p.Hold("a", 20*s)
				p.Hold("a", 20*s) // belongs to the first
				pause(19 * s)
				p.Hold("a", s/2) // so does this
				got := gaps(t, p, 4)
				wantNear(t, "end of the hold", got[0], s)
				for _, g := range got[1:] {
					wantNear(t, "gap at 0.7", g, 142857*time.Microsecond)
				}

				// The mean over ten slots, for a window may have taken them unevenly by now.
				mean := func() time.Duration {
					var sum time.Duration
					for _, g := range gaps(t, p, 10) {
						sum += g
					}
					return sum / 10
				}
				until := time.Now().Add(time.Minute)
				for time.Now().Before(until) {
					mean()
				}
				wantNear(t, "gap a minute later", mean(), 110500*time.Microsecond)
				until = time.Now().Add(31 * s)
				for time.Now().Before(until) {
					mean()
				}
				wantNear(t, "gap after recovery", mean(), 100*ms)

				p.Hold("a", 2*s)
				pause(2 * s)
				p.Hold("a", 2*s)
				got = gaps(t, p, 3)
				wantNear(t, "end of the second hold", got[0], 2*s)
				wantNear(t, "gap at 0.49", got[2], 204082*time.Microsecond)

				for range 30 {
					p.Hold("a", s)
					pause(s)
				}
				got = gaps(t, p, 3)
				wantNear(t, "lowest rate", got[1], 984*ms) // rising meanwhile
			})
		})
	}
}

func TestUnsaidHold(t *testing.T) {
	for _, tt := range []struct {
		name string
		rule pace.Rule
		want time.Duration
	}{
		{"no rule", pace.Rule{}, s},
		{"fast", pace.Rule{Count: 10, Per: s}, s},
		{"slow", pace.Rule{Count: 1, Per: 7 * s, Burst: 1}, 10 * s},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := pace.New(fixed(map[string]pace.Rule{"a": tt.rule}))
				p.Hold("a", 0)
				wantTimes(t, start(t, p, urgent("a"))(), tt.want)
			})
		})
	}
}

// A window holds after a hold too: what was taken right before still counts when a short hold ends.
func TestWindowAfterHold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := pace.New(fixed(map[string]pace.Rule{"a": {Count: 4, Per: 40 * s}}))
		start(t, p, times(4, urgent("a"))...)()
		p.Hold("a", 10*s)
		got := start(t, p, times(2, urgent("a"))...)()
		// 30 s of the window are left when the hold ends: they pass at 0.7 and rising.
		wantNear(t, "first", got[0]-10*s, 39199*ms)
		wantNear(t, "second", got[1], got[0])
	})
}

func TestReserveAfterHold(t *testing.T) {
	for _, tt := range []struct {
		name string
		rule pace.Rule
	}{
		{"bucket", pace.Rule{Count: 1, Per: s, Burst: 4, Reserve: 2}},
		{"window", pace.Rule{Count: 4, Per: 4 * s, Reserve: 2}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := pace.New(fixed(map[string]pace.Rule{"a": tt.rule}))
				p.Hold("a", 10*s)
				pause(10 * s)
				got := start(t, p, refresh("a"))()
				wantNear(t, "first refresh", got[0], 2846*ms) // two gaps for what is reserved, at 0.7 and rising
			})
		})
	}
}

func TestLearn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := pace.New(fixed(map[string]pace.Rule{"a": {Reserve: 1}, "b": {Count: 1, Per: s, Burst: 2, Reserve: 9}}))
		p.Learn("a", 2, 10*s)
		wantTimes(t, start(t, p, refresh("a"), refresh("a"), urgent("a"), urgent("a"))(), 0, 10*s, 0, 10*s)
		p.Learn("a", 0, -s)
		wantTimes(t, start(t, p, urgent("a"))(), 0)

		p.Learn("a", 0, 10*s)
		wait := start(t, p, times(3, urgent("a"))...)
		pause(s)
		p.Learn("a", 1, 3*s) // lets one go, and the others sooner
		wantTimes(t, wait(), s, 4*s, 4*s)

		p.Learn("b", 2, 10*s) // Reserve leaves one of two to refreshes, both by the rule and of what was learnt
		wantTimes(t, start(t, p, times(2, refresh("b"))...)(), 0, 10*s)
	})
}

func TestSet(t *testing.T) {
	window := func(n int, per time.Duration) pace.Rule { return pace.Rule{Count: n, Per: per} }
	bucket := func(n int, per time.Duration, burst int) pace.Rule {
		return pace.Rule{Count: n, Per: per, Burst: burst}
	}
	for _, tt := range []struct {
		name     string
		from, to pace.Rule
		taken    int           // under from, at once
		after    time.Duration // when to is set
		want     []time.Duration
	}{
		{"wider window", window(2, 10*s), window(3, 10*s), 2, s, []time.Duration{0, 9 * s, 9 * s}},
		{"narrower window", window(3, 10*s), window(1, 10*s), 3, s, []time.Duration{9 * s, 19 * s}},
		{"shorter window", window(2, 10*s), window(2, 5*s), 2, s, []time.Duration{4 * s, 4 * s, 9 * s}},
		{
			"wider spread window",
			pace.Rule{Count: 2, Per: 10 * s, Spread: 1},
			pace.Rule{Count: 5, Per: 10 * s, Spread: 1},
			1, s,
			[]time.Duration{4 * s, 6 * s},
		},
		{"the same window", window(2, 10*s), window(2, 10*s), 2, s, []time.Duration{9 * s}},
		{"larger bucket", bucket(1, s, 2), bucket(1, s, 4), 2, 0, []time.Duration{0, 0, s}},
		{"slower bucket", bucket(1, s, 4), bucket(1, 10*s, 4), 4, 0, []time.Duration{10 * s, 20 * s}},
		{"the same bucket", bucket(1, s, 2), bucket(1, s, 2), 2, s / 2, []time.Duration{s / 2}},
		{"window to bucket", window(3, 10*s), bucket(1, s, 3), 2, s, []time.Duration{0, s}},
		{"window long ago to bucket", window(3, 10*s), bucket(1, s, 3), 3, 10 * s, []time.Duration{0, 0, 0, s}},
		{"bucket to window", bucket(1, s, 3), window(3, 10*s), 3, s, []time.Duration{0, 10 * s}},
		{"from no limit", pace.Rule{}, window(1, s), 5, 0, []time.Duration{0, s}},
		{"to no limit", window(1, s), pace.Rule{}, 1, 0, []time.Duration{0, 0}},
		{"huge", bucket(1, math.MaxInt64, math.MaxInt), bucket(1, s, 1), 1, 0, []time.Duration{s}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := pace.New(fixed(map[string]pace.Rule{"a": tt.from}))
				start(t, p, times(tt.taken, refresh("a"))...)()
				pause(tt.after)
				p.Set("a", tt.to)
				wantTimes(t, start(t, p, times(len(tt.want), refresh("a"))...)(), tt.want...)
			})
		})
		t.Run(tt.name+", while calls wait", func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := pace.New(fixed(map[string]pace.Rule{"a": tt.from}))
				start(t, p, times(tt.taken, refresh("a"))...)()
				pause(tt.after)
				p.Learn("a", 0, time.Hour)
				wait := start(t, p, times(len(tt.want), refresh("a"))...)
				p.Learn("a", 0, 0)
				p.Set("a", tt.to)
				got := wait()
				for i, want := range tt.want {
					if got[i] > want {
						t.Errorf("call %d: let go at %v, want %v", i, got[i], want)
					}
				}
			})
		})
	}
}

// A rule that is set while a budget is held does not bring its slots back.
func TestSetWhileHeld(t *testing.T) {
	for _, rule := range []pace.Rule{{Count: 2, Per: 2 * s}, {Count: 1, Per: s, Burst: 2}} {
		synctest.Test(t, func(t *testing.T) {
			p := pace.New(nil)
			p.Hold("a", 5*s)
			p.Set("a", rule)
			got := start(t, p, times(2, urgent("a"))...)()
			if got[0] != 5*s || got[1] < 6400*ms {
				t.Errorf("%+v: let go at %v", rule, got)
			}
		})
	}
}

func TestReturn(t *testing.T) {
	for _, tt := range []struct {
		name string
		rule pace.Rule
		call pace.Call
		n    int // taken, the last of which is given back
	}{
		{"window", pace.Rule{Count: 3, Per: 10 * s}, urgent("a", "a", "b"), 3},
		{"window of one", pace.Rule{Count: 1, Per: 10 * s}, urgent("a"), 1},
		{"spread window", pace.Rule{Count: 3, Per: 10 * s, Spread: 1}, refresh("a"), 1},
		{"bucket", pace.Rule{Count: 1, Per: s, Burst: 3}, urgent("a"), 3},
		{"reserved bucket", pace.Rule{Count: 1, Per: s, Burst: 3, Reserve: 1}, refresh("a"), 2},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := pace.New(fixed(map[string]pace.Rule{"a": tt.rule}))
				start(t, p, times(tt.n, tt.call)...)()
				before := p.Delay(tt.call)
				wait := start(t, p, times(2, tt.call)...)
				p.Return(tt.call) // which lets go who waits
				got := wait()
				if before <= 0 || got[0] != 0 || got[1] != before {
					t.Errorf("next in %v; after a return %v", before, got)
				}
			})
		})
	}

	t.Run("of a full ring", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			p := pace.New(fixed(map[string]pace.Rule{"a": {Count: 3, Per: 10 * s}}))
			for range 5 { // at 0, 4, 8, 12, 16 s
				start(t, p, urgent("a"))()
				pause(4 * s)
			}
			// At 20 s: 8 has expired, 12 and 16 stand.
			start(t, p, urgent("a"))()
			p.Return(urgent("a"))
			wantTimes(t, start(t, p, times(3, urgent("a"))...)(), 0, 2*s, 6*s)
		})
	})
	t.Run("of a learnt slot", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			p := pace.New(nil)
			p.Learn("a", 1, 10*s)
			start(t, p, urgent("a"))()
			p.Return(urgent("a"))
			p.Return(urgent("a")) // was not taken
			wantTimes(t, start(t, p, times(2, urgent("a"))...)(), 0, 10*s)
			p.Learn("a", 1, 10*s) // counted by the platform already
			p.Return(urgent("a"))
			wantTimes(t, start(t, p, times(2, urgent("a"))...)(), 0, 10*s)
		})
	})
	t.Run("after a hold", func(t *testing.T) {
		for _, rule := range []pace.Rule{{Count: 3, Per: 3 * s}, {Count: 1, Per: s, Burst: 3}} {
			synctest.Test(t, func(t *testing.T) {
				p := pace.New(fixed(map[string]pace.Rule{"a": rule}))
				start(t, p, urgent("a"))()
				p.Hold("a", 10*s)
				p.Return(urgent("a")) // too late
				pause(10 * s)
				start(t, p, urgent("a"))()
				p.Return(urgent("a"))
				got := start(t, p, times(2, urgent("a"))...)()
				if got[0] != 0 || got[1] < 1400*ms {
					t.Errorf("%+v: let go at %v", rule, got)
				}
			})
		}
	})
	t.Run("of nothing", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			p := pace.New(fixed(map[string]pace.Rule{"a": {Count: 1, Per: s}, "b": {Count: 1, Per: s, Burst: 1}}))
			p.Return(urgent("a", "b", "unknown"))
			if got := p.Stats().Budgets; got != 0 {
				t.Errorf("%d budgets", got)
			}
			start(t, p, urgent("a", "b"))()
			for range 3 {
				p.Return(urgent("a", "b"))
			}
			wantTimes(t, start(t, p, times(2, urgent("a", "b"))...)(), 0, s)
		})
	})
}
