package pace

import (
	"math"
	"time"
)

// Rule says what a budget gives. The zero Rule gives everything; a budget with it still obeys [Pacer.Hold] and
// [Pacer.Learn].
type Rule struct {
	// Count slots in Per. If one of them is not positive there is no limit. A window remembers up to Count times, 8 bytes
	// each. Beyond 2^31-1 it is taken as that, and Per beyond 36 years as 36 years.
	Count int
	Per   time.Duration

	// Burst chooses the law. 0: a sliding window, no more than Count slots in any time of length Per. Otherwise a bucket
	// that holds at most Burst slots and gains Count of them in Per, evenly; fewer if it would take 36 years to fill.
	Burst int

	// Reserve is how many slots of the burst (bucket) or of the window refreshes leave for urgent calls; at most one less
	// than there are. In a bucket it costs refreshes nothing but a later start; in a window it costs them Reserve slots of
	// every Per. It applies to what was told with [Pacer.Learn] too: refreshes leave the last Reserve of those alone.
	Reserve int

	// Spread keeps refreshes in a window evenly apart, rather than all at once and then none until Per has passed: at most
	// Spread of them together, and (Count-Reserve-Spread+1) in Per over time, which is the most that never has to pause.
	// 1 is evenest. 0: not spread. A bucket spreads by itself and ignores it.
	Spread int
}

// bounded is the rule with sizes that can be reckoned with.
func (r Rule) bounded() Rule {
	r.Count, r.Burst = min(r.Count, math.MaxInt32), min(r.Burst, math.MaxInt32)
	r.Per = min(r.Per, longest)
	if r.limited() && r.bucket() {
		r.Burst = min(r.Burst, int(longest/r.gap()))
	}
	return r
}

func (r Rule) limited() bool { return r.Count > 0 && r.Per > 0 }

func (r Rule) bucket() bool { return r.Burst > 0 }

// gap is the time between two slots at the rule's rate.
func (r Rule) gap() time.Duration { return part(r.Per, r.Count) }

// size is the most that can be taken at once.
func (r Rule) size() int {
	if r.bucket() {
		return r.Burst
	}
	return r.Count
}

// share is how much of size calls of priority p can use.
func (r Rule) share(p Priority) int {
	if p == Refresh {
		return r.size() - r.reserve()
	}
	return r.size()
}

// reserve is Reserve within its bounds.
func (r Rule) reserve() int {
	if !r.limited() {
		return max(r.Reserve, 0)
	}
	return min(max(r.Reserve, 0), r.size()-1)
}

// spread is Spread within its bounds, and the time between refreshes.
func (r Rule) spread() (together int, gap time.Duration) {
	n := r.share(Refresh)
	together = min(r.Spread, n)
	return together, part(r.Per, n-together+1)
}
