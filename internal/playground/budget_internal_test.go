package playground

import (
	"testing"
	"time"

	"github.com/clickai/bridge/internal/sim"
)

func TestBudget(t *testing.T) {
	t.Parallel()
	start := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	at := func(seconds ...float64) []time.Time {
		var out []time.Time
		for _, s := range seconds {
			out = append(out, start.Add(time.Duration(s*float64(time.Second))))
		}
		return out
	}
	end := start.Add(time.Hour)
	windows, bucket := allowance{calls: 5, window: 5 * time.Second}, allowance{calls: 60, window: time.Minute, burst: 3}
	for _, x := range []struct {
		name     string
		a        allowance
		calls    []time.Time
		from     time.Time
		left, of int
	}{
		{"nothing used", windows, nil, start, 5, 5},
		{"three in a window", windows, at(0, 1, 2), start, 2, 5},
		{"a new window", windows, at(0, 1, 2, 5, 6), start, 2, 5},
		{"all of it", windows, at(0, 1, 2, 3, 4), start, 0, 5},
		{"what was before counts, and is not told", windows, at(0, 1, 2, 3), start.Add(3 * time.Second), 1, 5},
		{"a bucket fills again", bucket, at(0, 1, 2, 3, 4), start, 2, 3},
		{"a bucket is drained", bucket, at(0, 0.1, 0.2), start, 0, 3},
	} {
		t.Run(x.name, func(t *testing.T) {
			if got := x.a.scarcest(x.calls, x.from, end); got != (budget{x.left, x.of}) {
				t.Errorf("%+v, want %d of %d", got, x.left, x.of)
			}
		})
	}
	message := func(bot bool, room string, n int) sim.Message {
		m := sim.Message{Bot: bot, Ref: sim.Ref{Room: room}}
		for i := range n {
			m.Versions = append(m.Versions, sim.Version{At: start.Add(time.Duration(i) * time.Second)})
		}
		return m
	}
	all := []sim.Message{message(true, "a", 3), message(true, "b", 2), message(false, "a", 5)}
	if n := len(windows.times(all, "a", "")); n != 3 {
		t.Errorf("%d calls in the place", n)
	}
	if n := len(allowance{edits: true, whole: true}.times(all, "a", "")); n != 3 {
		t.Errorf("%d edits in all", n)
	}
}
