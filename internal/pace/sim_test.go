package pace_test

import (
	"context"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/clickai/bridge/internal/pace"
)

// evenRule makes a rule whose parts are whole nanoseconds, so that a model needs no rounding.
func evenRule(r *rand.Rand) pace.Rule {
	rule := pace.Rule{Count: 1 + r.IntN(6), Per: time.Duration(1+r.IntN(100)) * 60 * time.Millisecond}
	if r.IntN(2) == 0 {
		rule.Burst = 1 + r.IntN(6)
	} else {
		rule.Spread = r.IntN(4)
	}
	rule.Reserve = max(0, r.IntN(5)-2)
	return rule
}

// simulation is hundreds of calls in one bubble.
type simulation struct {
	r       *rand.Rand
	p       *pace.Pacer
	rules   map[string]pace.Rule
	names   []string
	begin   time.Time
	records []*record
}

func newSimulation(seed uint64) *simulation {
	sim := &simulation{r: rand.New(rand.NewPCG(seed, 7)), rules: map[string]pace.Rule{}, begin: time.Now()}
	for i := range 1 + sim.r.IntN(12) {
		sim.names = append(sim.names, name("b", i))
		sim.rules[sim.names[i]] = evenRule(sim.r)
	}
	sim.p = pace.New(fixed(sim.rules))
	return sim
}

// budgets picks what a call counts against: nested (room, group, all) or any.
func (sim *simulation) budgets(nested bool) []string {
	n := len(sim.names)
	if nested {
		room := sim.r.IntN(n)
		return slices.Compact([]string{sim.names[room], sim.names[room/4], sim.names[0]})
	}
	var picked []string
	for range 1 + sim.r.IntN(3) {
		picked = append(picked, sim.names[sim.r.IntN(n)])
	}
	return picked
}

// run makes the calls. Some give up or hand their slots back.
func (sim *simulation) run(t *testing.T, calls int) {
	nested := sim.r.IntN(2) == 0
	span := time.Duration(1+sim.r.IntN(100)) * time.Second
	var wg sync.WaitGroup
	for i := range calls {
		rec := &record{call: pace.Call{Budgets: sim.budgets(nested), Priority: pace.Priority(sim.r.IntN(2))}}
		rec.asked = time.Duration(sim.r.Int64N(int64(span)))
		if sim.r.IntN(2) == 0 {
			rec.asked = rec.asked.Truncate(span / 5) // many at one moment
		}
		rec.since = rec.asked - time.Duration(sim.r.Int64N(int64(20*time.Second)))
		rec.call.Since = sim.begin.Add(rec.since)
		sim.records = append(sim.records, rec)
		patience, leaves := time.Duration(sim.r.Int64N(int64(span))), sim.r.IntN(10)
		wg.Go(func() {
			pause(rec.asked)
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			call := rec.call
			switch leaves {
			case 0:
				time.AfterFunc(patience, cancel)
			case 1:
				wake := make(chan struct{})
				time.AfterFunc(patience, func() { close(wake) })
				call.Wake = wake
			}
			err := sim.p.Wait(ctx, call)
			rec.end, rec.granted = time.Since(sim.begin), err == nil
			if err == nil && leaves == 2 {
				rec.returned = true
				sim.p.Return(call)
			}
			if err != nil && leaves > 1 {
				t.Errorf("call %d: %v", i, err)
			}
		})
	}
	wg.Wait()
	if got := sim.p.Stats().Waiting; got != 0 {
		t.Errorf("%d calls wait in the end", got)
	}
}

func (sim *simulation) model(t *testing.T) *model {
	m := &model{budgets: map[string]*naive{}}
	failures := 0
	m.fail = func(format string, args ...any) {
		if failures++; failures < 5 {
			t.Errorf(format, args...)
		}
	}
	for name, rule := range sim.rules {
		m.budgets[name] = &naive{rule: rule}
	}
	return m
}

// What the rules allow happens, at once and in order, and nothing else.
func TestSimulation(t *testing.T) {
	for seed := range uint64(60) {
		synctest.Test(t, func(t *testing.T) {
			sim := newSimulation(seed)
			sim.run(t, 250)
			m := sim.model(t)
			m.exact = true
			m.replay(sim.records)
			if t.Failed() {
				t.Fatalf("seed %d", seed)
			}
		})
	}
}

// Refusals and the platform's own counts come in between. The rules hold as before, nobody goes during a hold or beyond what
// was told, and everybody goes in the end.
func TestSimulationWithRefusals(t *testing.T) {
	for seed := range uint64(60) {
		synctest.Test(t, func(t *testing.T) {
			sim := newSimulation(1000 + seed)
			type stop struct {
				name     string
				from, to time.Duration
				left     int
				learnt   bool
			}
			var stops []stop
			done := make(chan struct{})
			r := rand.New(rand.NewPCG(seed, 8))
			go func() {
				defer close(done)
				for range r.IntN(20) {
					pause(time.Duration(r.Int64N(int64(10 * time.Second))))
					s := stop{name: sim.names[r.IntN(len(sim.names))], from: time.Since(sim.begin)}
					d := time.Duration(r.Int64N(int64(15 * time.Second)))
					s.to = s.from + d
					if r.IntN(2) == 0 {
						sim.p.Hold(s.name, d)
					} else {
						s.left, s.learnt = r.IntN(4), true
						sim.p.Learn(s.name, s.left, d)
						for i := range stops { // the newest figure counts
							if old := &stops[i]; old.name == s.name && old.learnt {
								old.to = min(old.to, s.from)
							}
						}
					}
					stops = append(stops, s)
				}
			}()
			sim.run(t, 250)
			<-done
			sim.model(t).replay(sim.records)
			for _, s := range stops {
				n := 0
				for _, rec := range sim.records {
					if rec.uses() && rec.end > s.from && rec.end < s.to && slices.Contains(rec.call.Budgets, s.name) {
						n++
					}
				}
				if n > s.left {
					t.Errorf("%d calls for %s between %v and %v, %d were allowed", n, s.name, s.from, s.to, s.left)
				}
			}
			if t.Failed() {
				t.Fatalf("seed %d", seed)
			}
		})
	}
}
