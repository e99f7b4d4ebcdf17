package slack_test

import (
	"slices"
	"time"

	simslack "github.com/clickai/bridge/internal/sim/slack"
)

// fill is a bucket of the stand-in's.
type fill struct {
	rate   simslack.Rate
	tokens float64
	at     time.Duration
}

func newFill(r simslack.Rate) *fill { return &fill{rate: r, tokens: r.Burst} }

// ready is when the next call can be made, from now on.
func (b *fill) ready(now time.Duration) time.Duration {
	b.tokens = min(b.rate.Burst, b.tokens+(now-b.at).Minutes()*b.rate.PerMinute)
	b.at = now
	if b.tokens >= 1 {
		return now
	}
	return now + time.Duration((1-b.tokens)/b.rate.PerMinute*float64(time.Minute)) + 1
}

func (b *fill) take(now time.Duration) {
	b.ready(now)
	b.tokens--
}

// firstTexts is when the first text of each answer can be shown: a message a second in each room, and the workspace's limit
// over all of them.
func (w *workshop) firstTexts() map[int]time.Duration {
	limits := w.sim.Limits()
	order := slices.Collect(func(yield func(int) bool) {
		for i := range w.answers {
			if !yield(i) {
				return
			}
		}
	})
	slices.SortStableFunc(order, func(a, b int) int { return int(w.sentAt(a, 0) - w.sentAt(b, 0)) })
	all, rooms, at := newFill(limits.PostAll), map[int]*fill{}, map[int]time.Duration{}
	for _, a := range order {
		room := rooms[a%w.rooms]
		if room == nil {
			room = newFill(limits.Post)
			rooms[a%w.rooms] = room
		}
		at[a] = room.ready(max(w.sentAt(a, 0), room.at))
		all.take(at[a]) // never full in these scenes: what the rooms let through is less
		room.take(at[a])
	}
	return at
}

// possible is the greatest age that unseen text reaches at best. A call shows all that there is of one answer. First texts
// are posted as early as they can be; edits are one budget for the workspace, by the stand-in's figures: last edits go first,
// then the refresh of the longest unseen text. Two ways to spend the burst are looked at, since either can be the better one:
// at once, and not at all. In the long run N answers that share R edits a second are each edited every N/R seconds, and
// this is their unseen text's age.
func (w *workshop) possible() time.Duration {
	rate := w.sim.Limits().Tier3
	even := rate
	even.Burst = 1
	return min(w.spend(rate), w.spend(even))
}

func (w *workshop) spend(rate simslack.Rate) (most time.Duration) {
	edits, shown := newFill(rate), map[int]int{}
	posted := w.firstTexts()
	for a, at := range posted {
		most = max(most, at-w.sentAt(a, 0))
		shown[a] = w.sentBy(a, at)
	}
	var now time.Duration
	for {
		now = edits.ready(now)
		best, since, urgent := -1, time.Duration(0), false
		next := time.Duration(-1)
		for a := range w.answers {
			if shown[a] == w.words {
				continue
			}
			unseen := max(w.sentAt(a, shown[a]), posted[a])
			ended := w.sentAt(a, w.words-1) <= now
			switch {
			case unseen > now:
				if next < 0 || unseen < next {
					next = unseen
				}
			case best < 0 || ended && !urgent || ended == urgent && w.sentAt(a, shown[a]) < since:
				best, since, urgent = a, w.sentAt(a, shown[a]), ended
			}
		}
		switch {
		case best < 0 && next < 0:
			return most
		case best < 0:
			now = next
			continue
		}
		most = max(most, now-since)
		shown[best] = w.sentBy(best, now)
		edits.take(now)
	}
}

// sentBy is how many words of an answer were there at a time.
func (w *workshop) sentBy(answer int, at time.Duration) int {
	w.mu.Lock()
	defer w.mu.Unlock()
	n, _ := slices.BinarySearchFunc(w.sent[answer], w.began.Add(at), func(t, at time.Time) int {
		if t.After(at) {
			return 1
		}
		return -1
	})
	return n
}
