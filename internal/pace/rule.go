package pace

import "time"

// Rule says what a budget gives. The zero Rule gives everything; a budget with it still obeys [Pacer.Hold] and
// [Pacer.Learn].
type Rule struct {
	// Count slots in Per. If one of them is not positive there is no limit. A window remembers up to Count times, 8 bytes
	// each.
	Count int
	Per   time.Duration

	// Burst chooses the law. 0: a sliding window, no more than Count slots in any time of length Per. Otherwise a bucket
	// that holds at most Burst slots and gains Count of them in Per, evenly.
	Burst int

	// Reserve is how many slots of the burst (bucket) or of the window refreshes leave for urgent calls; at most one less
	// than there are. In a bucket it costs refreshes nothing but a later start; in a window it costs them Reserve slots of
	// every Per.
	Reserve int

	// Spread keeps refreshes in a window evenly apart, rather than all at once and then none until Per has passed: at most
	// Spread of them together, and (Count-Reserve-Spread+1) in Per over time, which is the most that never has to pause.
	// 1 is evenest. 0: not spread. A bucket spreads by itself and ignores it.
	Spread int
}

func (r Rule) limited() bool { return r.Count > 0 && r.Per > 0 }

func (r Rule) bucket() bool { return r.Burst > 0 }

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
		return r.size() - min(max(r.Reserve, 0), r.size()-1)
	}
	return r.size()
}

// spread is Spread within its bounds, and into how many parts Per falls between refreshes.
func (r Rule) spread() (together, parts int) {
	n := r.share(Refresh)
	together = min(r.Spread, n)
	return together, n - together + 1
}
