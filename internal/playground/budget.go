package playground

import (
	"slices"
	"time"

	"github.com/clickai/bridge/internal/sim"
)

// allowance is what a platform allows of the calls that show an answer.
type allowance struct {
	calls  int           // in a window
	window time.Duration // which begins with its first call
	burst  int           // > 0: a bucket of so many calls that fills at that rate, in place of windows
	edits  bool          // edits alone count
	whole  bool          // all rooms share it; else each place has its own
}

// budget is how much of an allowance was left when it was scarcest.
type budget struct {
	Left int `json:"left"`
	Of   int `json:"of"`
}

// times are when the calls of the bot that count were made, in the places that share the allowance with one.
func (a allowance) times(messages []sim.Message, room, thread string) []time.Time {
	var out []time.Time
	for _, m := range messages {
		if !m.Bot || !a.whole && (m.Room != room || m.Thread != thread) {
			continue
		}
		for i, v := range m.Versions {
			if i > 0 || !a.edits {
				out = append(out, v.At)
			}
		}
	}
	slices.SortFunc(out, time.Time.Compare)
	return out
}

// scarcest plays the calls and tells how much was left at the least between two times.
func (a allowance) scarcest(calls []time.Time, from, to time.Time) budget {
	if a.burst > 0 {
		return a.bucket(calls, from, to)
	}
	out := budget{Left: a.calls, Of: a.calls}
	used, began := 0, time.Time{}
	for _, at := range calls {
		if at.Sub(began) >= a.window {
			used, began = 0, at
		}
		used++
		if !at.Before(from) && !at.After(to) {
			out.Left = min(out.Left, max(0, a.calls-used))
		}
	}
	return out
}

func (a allowance) bucket(calls []time.Time, from, to time.Time) budget {
	out := budget{Left: a.burst, Of: a.burst}
	level, last := float64(a.burst), time.Time{}
	for _, at := range calls {
		if !last.IsZero() {
			level = min(float64(a.burst), level+at.Sub(last).Seconds()*float64(a.calls)/a.window.Seconds())
		}
		level, last = max(0, level-1), at
		if !at.Before(from) && !at.After(to) {
			out.Left = min(out.Left, int(level))
		}
	}
	return out
}
