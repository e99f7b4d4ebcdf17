package pace

import (
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

// budget is one thing that the platform limits. It belongs to its Pacer's mutex.
type budget struct {
	name string
	id   uint64 // never used again for another budget
	rule Rule
	kept bool // its rule was set by hand: it is never dropped

	clock  clock
	full   instant   // bucket: when it will hold Burst slots again, on clock
	log    []instant // window: when the last Count slots were taken, on clock, a ring once it is full
	oldest int       // index in log
	spread instant   // window: when refreshes may take Spread slots together again, on clock
	ramp   instant   // window: when the last hold ended, on clock
	ramped int       // slots taken since then

	held      instant // nothing before this
	calm      instant // a refusal from here on is a new one
	left      int     // slots until leftUntil, as the platform told
	leftUntil instant
	leftTaken int // slots taken since it told
	returning int // slots taken that can be given back

	lanes heap[*lane] // who queues here
	refs  int         // lanes that name it, wherever they queue
	where place
	index int     // in the heap that where names
	look  instant // in alarms: when to look at lanes
}

// place is which heap of the schedule a budget is in.
type place uint8

const (
	nowhere place = iota // it has no lanes
	inAlarms
	inDue
)

func newBudget(name string, id uint64, r Rule, now instant) *budget {
	return &budget{
		name: name, id: id, rule: r.bounded(), clock: clock{since: now, ticks: now, speed: 1}, ramp: -far,
		lanes: heap[*lane]{before: (*lane).before, place: func(l *lane, i int) { l.index = i }},
	}
}

// ready is when the k-th slot from now (1 is the next) can be taken with priority p if nobody takes any other way. It is
// not before now, and never sooner for a refresh than for an urgent call.
func (b *budget) ready(p Priority, k int, now instant) instant {
	at := max(now, b.held)
	if b.rule.limited() {
		read := b.clock.read(now)
		if ticks := b.ruleReady(p, k, read); ticks > read {
			at = max(at, b.clock.when(ticks))
		}
	}
	if now < b.leftUntil {
		left := b.left
		if p == Refresh {
			left -= b.rule.reserve()
		}
		if k > left {
			at = max(at, b.leftUntil)
		}
	}
	return at
}

// ruleReady is ready as far as the rule goes, on the budget's clock.
func (b *budget) ruleReady(p Priority, k int, now instant) instant {
	n, gap := b.rule.share(p), b.rule.gap()
	if b.rule.bucket() {
		return later(b.full, now, k-n, gap)
	}
	at := now
	rounds := (k - 1) / n
	if newest := n - (k-1)%n; newest <= len(b.log) {
		at = max(at, b.taken(newest).plus(b.rule.Per))
	}
	at = at.plus(times(b.rule.Per, rounds))
	// As though slots had been taken evenly in the Per before the hold ended, but for one.
	if since := b.ramped + k + b.rule.Count - n; since <= b.rule.Count {
		at = max(at, b.ramp.plus(min(times(gap, since-1), b.rule.Per)))
	}
	if p == Refresh && b.rule.Spread > 0 {
		together, gap := b.rule.spread()
		at = max(at, later(b.spread, now, k-together, gap))
	}
	return at
}

// later is gap times n after from, or after now if that is later.
func later(from, now instant, n int, gap time.Duration) instant {
	return max(from, now).plus(times(gap, n))
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
	b.returning++
	if now < b.leftUntil {
		b.left--
		b.leftTaken++
	}
	if !b.rule.limited() {
		return
	}
	b.clock.tidy(now)
	read := b.clock.read(now)
	if b.rule.bucket() {
		b.full = max(b.full, read).plus(b.rule.gap())
		return
	}
	b.note(read)
	b.ramped = min(b.ramped, b.rule.Count) + 1
	if p == Refresh && b.rule.Spread > 0 {
		_, gap := b.rule.spread()
		b.spread = max(b.spread, read).plus(gap)
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

// giveBack undoes the newest take as far as that is known.
func (b *budget) giveBack(p Priority, now instant) {
	if b.returning == 0 {
		return
	}
	b.returning--
	if now < b.leftUntil && b.leftTaken > 0 {
		b.left++
		b.leftTaken--
	}
	switch {
	case !b.rule.limited():
	case b.rule.bucket():
		b.full = b.full.plus(-b.rule.gap())
	case len(b.log) > 0:
		b.unnote()
		b.ramped = max(b.ramped-1, 0)
		if p == Refresh && b.rule.Spread > 0 {
			_, gap := b.rule.spread()
			b.spread = b.spread.plus(-gap)
		}
	}
}

// unnote takes the newest out of the window. What it pushed out of a full ring had expired, so anything old may come back
// for that.
func (b *budget) unnote() {
	if len(b.log) < b.rule.Count {
		b.log = b.log[:len(b.log)-1]
		return
	}
	if b.oldest--; b.oldest < 0 {
		b.oldest = len(b.log) - 1
	}
	b.log[b.oldest] = -far
}

// hold stops the budget for d after a refusal and lowers its rate.
func (b *budget) hold(d time.Duration, now instant) {
	speed := b.clock.speedAt(now)
	if now >= b.calm {
		speed = max(lowest, speed*lowerBy)
	}
	if d <= 0 {
		d = sameRefusals
		if b.rule.limited() {
			d = max(d, stretch(b.rule.gap(), speed))
		}
	}
	b.held = max(b.held, now.plus(min(d, longest)))
	b.calm = max(b.held, now.plus(sameRefusals))
	b.clock.slow(now, b.held, speed)
	b.returning = 0
	b.ramp, b.ramped = b.clock.ticks, 0
	b.spend()
}

// spend takes from a bucket what it would gather until the end of its hold, but for one slot. A window has ramp for that.
func (b *budget) spend() {
	if b.rule.limited() && b.rule.bucket() {
		b.full = max(b.full, b.ramp.plus(times(b.rule.gap(), b.rule.Burst-1)))
	}
}

// learn has the platform's own count hold until after.
func (b *budget) learn(left int, after time.Duration, now instant) {
	b.left, b.leftUntil, b.leftTaken = max(left, 0), now.plus(min(max(after, 0), longest)), 0
}

// set gives the budget another rule. What was taken under the old one counts under the new one too.
func (b *budget) set(r Rule, now instant) {
	was := *b
	b.rule = r.bounded()
	if b.rule == was.rule {
		return
	}
	read := b.clock.read(now)
	b.full, b.log, b.oldest, b.spread, b.returning = read, nil, 0, read, 0
	switch {
	case !b.rule.limited() || !was.rule.limited():
	case b.rule.bucket():
		if owed := was.owed(read) * float64(b.rule.gap()); owed < far {
			b.full = read.plus(time.Duration(math.Ceil(owed)))
		} else {
			b.full = far
		}
	case was.rule.bucket():
		for range int(math.Ceil(min(was.owed(read), float64(b.rule.Count)))) {
			b.note(read)
		}
	default:
		for i := min(len(was.log), b.rule.Count); i >= 1; i-- {
			b.note(was.taken(i))
		}
		b.spread = was.spread
	}
	if now < b.held {
		b.spend()
	}
}

// owed is how many slots are missing to all that the budget can hold.
func (b *budget) owed(read instant) float64 {
	if b.rule.bucket() {
		return max(0, float64(b.full-read)/float64(b.rule.gap()))
	}
	taken := 0
	for taken < len(b.log) && b.taken(taken+1).plus(b.rule.Per) > read {
		taken++
	}
	return float64(taken)
}

// idle tells that dropping the budget would forget nothing.
func (b *budget) idle(now instant) bool {
	if b.refs > 0 || b.kept || now < b.leftUntil || b.clock.speedAt(now) < 1 { // the speed recovers long after held and calm
		return false
	}
	if !b.rule.limited() {
		return true
	}
	read := b.clock.read(now)
	return b.full <= read && b.spread <= read && b.ramp.plus(b.rule.Per) <= read &&
		(len(b.log) == 0 || b.taken(1).plus(b.rule.Per) <= read)
}
