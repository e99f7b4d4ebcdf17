package pace

import (
	"container/heap"
	"math"
	"time"
)

// How a budget adapts to refusals. Halving, as congestion control does, would be more than needed: the rules are the
// platforms' own figures, and a refusal mostly means that they are a little optimistic.
const (
	lowerBy      = 0.7             // what a refusal leaves of the rate
	lowest       = 0.1             // of the rule's rate
	recoverTime  = 5 * time.Minute // from nothing to the whole rate
	sameRefusals = time.Second     // refusals that come this soon after another belong to it
)

// instant is a time in nanoseconds since the Pacer was made, on the monotonic clock.
type instant int64

const never instant = math.MaxInt64

func (t instant) add(d time.Duration) instant {
	if d > 0 && t > never-instant(d) {
		return never
	}
	return t + instant(d)
}

func (t instant) until(u instant) time.Duration { return time.Duration(u - t) }

// budget is one thing that the platform limits. It belongs to its Pacer's mutex.
type budget struct {
	name string
	rule Rule
	kept bool // its rule was set by hand: it is never dropped
	slot int  // its place in Pacer.all

	full   instant   // bucket: when it will hold Burst slots again
	log    []instant // window: when the last Count slots were taken, a ring once it is full
	oldest int       // index in log
	spread instant   // window: when refreshes may take Spread slots together again

	held      instant // nothing before this
	left      int     // slots until leftUntil, as the platform told
	leftUntil instant
	rate      float64 // of the rule's rate at rateAt; it recovers from then on
	rateAt    instant
	calm      instant // a refusal from here on is a new one

	queue queue   // who waits here
	armed *waiter // whose timer is set for this budget; nil or the head of queue
	refs  int     // waiting calls that name it, wherever they wait
}

func newBudget(name string, rule Rule) *budget {
	return &budget{name: name, rule: rule, rate: 1}
}

// speed is the part of the rule's rate that the budget gives now.
func (b *budget) speed(now instant) float64 {
	if b.rate >= 1 || now <= b.rateAt {
		return b.rate
	}
	return min(1, b.rate+float64(now-b.rateAt)/float64(recoverTime))
}

// per is Rule.Per, longer after refusals.
func (b *budget) per(now instant) time.Duration {
	s := b.speed(now)
	if s == 1 {
		return b.rule.Per
	}
	return time.Duration(math.Ceil(float64(b.rule.Per) / s))
}

// gap is the time between two slots at the budget's rate. Rounded up, so that Count gaps are never less than per.
func (b *budget) gap(now instant) time.Duration {
	if !b.rule.limited() {
		return 0
	}
	return part(b.per(now), b.rule.Count)
}

func part(d time.Duration, n int) time.Duration { return (d + time.Duration(n) - 1) / time.Duration(n) }

// ready is when the k-th slot from now (1 is the next) can be taken with priority p if nobody takes any other way. It is
// not before now.
func (b *budget) ready(p Priority, k int, now instant) instant {
	at := max(now, b.held)
	if b.rule.limited() {
		n := b.rule.share(p)
		if b.rule.bucket() {
			at = max(at, later(b.full, now, k-n, b.gap(now)))
		} else {
			per := b.per(now)
			at = max(at, b.windowReady(n, k, per, now))
			if p == Refresh && b.rule.Spread > 0 {
				together, parts := b.rule.spread()
				at = max(at, later(b.spread, now, k-together, part(per, parts)))
			}
		}
	}
	if now < b.leftUntil {
		if p == Refresh {
			k += max(b.rule.Reserve, 0)
		}
		if k > b.left {
			at = max(at, b.leftUntil)
		}
	}
	return at
}

// later is gap times n after from, or after now if that is later.
func later(from, now instant, n int, gap time.Duration) instant {
	return max(from, now) + instant(n)*instant(gap)
}

func (b *budget) windowReady(n, k int, per time.Duration, now instant) instant {
	rounds, at := (k-1)/n, now
	if newest := n - (k-1)%n; newest <= len(b.log) {
		at = max(at, b.taken(newest).add(per))
	}
	return at + instant(rounds)*instant(per)
}

// taken is when the i-th newest slot of the window was taken; 1 is the newest.
func (b *budget) taken(i int) instant {
	at := b.oldest - i
	if at < 0 {
		at += len(b.log)
	}
	return b.log[at]
}

// take takes a slot, whether there is room or not.
func (b *budget) take(p Priority, now instant) {
	if now < b.leftUntil {
		b.left--
	}
	switch {
	case !b.rule.limited():
	case b.rule.bucket():
		b.full = max(b.full, now) + instant(b.gap(now))
	default:
		b.note(now)
		if p == Refresh && b.rule.Spread > 0 {
			_, parts := b.rule.spread()
			b.spread = max(b.spread, now) + instant(part(b.per(now), parts))
		}
	}
}

func (b *budget) note(at instant) {
	if len(b.log) < b.rule.Count {
		b.log = append(b.log, at)
		return
	}
	b.log[b.oldest] = at
	if b.oldest++; b.oldest == len(b.log) {
		b.oldest = 0
	}
}

// hold stops the budget for d after a refusal and lowers its rate.
func (b *budget) hold(d time.Duration, now instant) {
	fresh := now >= b.calm
	if fresh {
		b.rate = max(lowest, b.speed(now)*lowerBy)
	} else {
		b.rate = b.speed(now)
	}
	gap := b.gapAt(b.rate)
	if d <= 0 {
		d = max(gap, sameRefusals)
	}
	until := now.add(d)
	b.held = max(b.held, until)
	b.rateAt = b.held
	b.calm = max(b.held, now.add(sameRefusals))
	if !b.rule.limited() {
		return
	}
	// Spend what the budget would have gathered by then but for one slot.
	if b.rule.bucket() {
		b.full = max(b.full, b.held+instant(b.rule.Burst-1)*instant(gap))
		return
	}
	n, per := b.rule.Count, time.Duration(float64(b.rule.Per)/b.rate)
	log := make([]instant, n)
	for i := range n { // oldest first
		log[i] = b.held - instant(per) + instant(i)*instant(gap)
		if newest := n - i; newest <= len(b.log) {
			log[i] = max(log[i], b.taken(newest))
		}
	}
	b.log, b.oldest = log, 0
	b.spread = max(b.spread, b.held)
}

func (b *budget) gapAt(rate float64) time.Duration {
	if !b.rule.limited() {
		return 0
	}
	return part(time.Duration(math.Ceil(float64(b.rule.Per)/rate)), b.rule.Count)
}

// set gives the budget another rule. What was taken under the old one counts under the new one too.
func (b *budget) set(r Rule, now instant) {
	was := *b
	b.rule = r
	b.full, b.log, b.oldest, b.spread = now, nil, 0, now
	switch {
	case !r.limited() || !was.rule.limited():
	case r.bucket() && was.rule.bucket():
		owed := float64(was.full-now) / float64(was.gap(now))
		b.full = now + instant(max(0, owed)*float64(b.gap(now)))
	case r.bucket():
		taken := 0
		for i := 1; i <= len(was.log) && was.taken(i).add(was.per(now)) > now; i++ {
			taken++
		}
		b.full = now + instant(taken)*instant(b.gap(now))
	case was.rule.bucket():
		owed := int(math.Ceil(float64(was.full-now) / float64(was.gap(now))))
		for range min(max(owed, 0), r.Count) {
			b.note(now)
		}
	default:
		for i := min(len(was.log), r.Count); i >= 1; i-- {
			b.note(was.taken(i))
		}
		b.spread = was.spread
	}
}

// idle tells that dropping the budget would forget nothing.
func (b *budget) idle(now instant) bool {
	return b.refs == 0 && !b.kept && now >= b.held && now >= b.calm && now >= b.leftUntil && b.full <= now && b.spread <= now &&
		(len(b.log) == 0 || b.taken(1).add(b.per(now)) <= now) && b.speed(now) == 1
}

// arm sets the timer of the head of the queue.
func (b *budget) arm(at, now instant) {
	if b.armed != nil && b.armed != b.queue[0] {
		b.armed.timer.Stop()
	}
	b.armed = b.queue[0]
	b.armed.timer.Reset(now.until(at))
}

// enqueue makes w wait here.
func (b *budget) enqueue(w *waiter, now instant) {
	w.at = b
	heap.Push(&b.queue, w)
	if b.queue[0] == w {
		b.arm(b.ready(w.priority, 1, now), now)
	}
}

// dequeue undoes enqueue. The caller sees to it that the new head's timer is set.
func (b *budget) dequeue(w *waiter) {
	heap.Remove(&b.queue, w.index)
	w.at = nil
	if b.armed == w {
		b.armed = nil
		w.timer.Stop()
	}
}
