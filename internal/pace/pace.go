package pace

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"sync"
	"time"
)

// Priority says which calls go first.
type Priority uint8

const (
	// Urgent is for what people wait for: the first text of an answer, its last edit, files. Urgent calls are served in
	// the order of Call.Since.
	Urgent Priority = iota
	// Refresh is for edits that a later one will overtake. Refreshes are served after all urgent calls and leave
	// Rule.Reserve slots for them.
	Refresh
)

// Call is one request to the platform.
type Call struct {
	// Budgets are the names of all that the request counts against. A name given twice counts once. None: no limit.
	Budgets []string
	// Priority is Urgent unless set.
	Priority Priority
	// Since orders calls of one priority, the earliest first. For a refresh, the time of the reply's last refresh gives
	// fair turns, and the time since when text is unseen keeps the greatest age of such text least. For an urgent call that
	// asks again after [ErrWoken], the time when it first asked keeps its place. Zero: now.
	Since time.Time
	// Wake ends the wait with ErrWoken once something can be received from it (one value is received). nil: never.
	// It is not looked at when there is room at once.
	Wake <-chan struct{}
}

// ErrWoken says that a wait ended because of Call.Wake. No slot was taken.
var ErrWoken = errors.New("pace: woken before there was room")

// minSweep is how many budgets are kept without looking whether they are needed.
const minSweep = 64

// Pacer shares budgets between calls. It is safe for concurrent use. Make one with [New].
type Pacer struct {
	rule func(name string) Rule
	base time.Time

	mu      sync.Mutex
	budgets map[string]*budget
	all     []*budget // the same, for looking through them in turn
	hand    int       // whose turn it is in all
	seq     uint64
	waiting int
}

// New makes a Pacer. rule gives the rule of a budget when its name is used for the first time, or again after the budget
// was dropped for want of use. It is called with the Pacer locked: it must be quick and must not call the Pacer. nil: no
// limits but those of Set, Hold and Learn.
func New(rule func(name string) Rule) *Pacer {
	if rule == nil {
		rule = func(string) Rule { return Rule{} }
	}
	return &Pacer{rule: rule, base: time.Now(), budgets: map[string]*budget{}}
}

// Wait returns nil once c may be made, having taken a slot of each of its budgets. Slots are not given back: make the call
// then, or it is lost. The other returns are ErrWoken and, when ctx has ended, an error that wraps its cause; both leave
// all budgets as they were. Wait does not look at ctx's deadline ahead of time.
func (p *Pacer) Wait(ctx context.Context, c Call) error {
	if ctx.Err() != nil {
		return ended(ctx)
	}
	if len(c.Budgets) == 0 {
		return nil
	}
	w := p.ask(c)
	if w == nil {
		return nil
	}
	for {
		var err error
		select {
		case <-w.granted:
			return nil
		case <-w.timer.C:
		case <-c.Wake:
			err = ErrWoken
		case <-ctx.Done():
			err = ended(ctx)
		}
		if p.turn(w, err != nil) {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

func ended(ctx context.Context) error {
	return fmt.Errorf("wait for a slot: %w", context.Cause(ctx))
}

// Delay estimates how long Wait would take if it were called now, for logs and tests. It counts who waits ahead in each of
// the budgets but not those who wait elsewhere or are yet to come, so the true wait can be longer. It takes time in
// proportion to the calls that wait there.
func (p *Pacer) Delay(c Call) time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := p.now()
	w := &waiter{priority: c.Priority, since: p.since(c, now), seq: math.MaxUint64}
	at := now
	for _, name := range c.Budgets {
		b := p.budgets[name]
		if b == nil {
			continue // it would begin full
		}
		ahead := 0
		for _, v := range b.queue {
			if v.before(w) {
				ahead++
			}
		}
		at = max(at, b.ready(c.Priority, ahead+1, now))
	}
	return now.until(at)
}

// Hold says that the platform refused a call because of the budget name and wants retryAfter to pass (0 or less: it did
// not say; then one second, or the time between two slots if that is longer). Until then the budget gives nothing to anyone;
// the package comment says how its rate adapts. A later end of the hold is never brought forward.
func (p *Pacer) Hold(name string, retryAfter time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := p.now()
	p.budget(name, now).hold(retryAfter, now)
	// Timers that are set already are too early now: they find that out.
}

// Learn says what the platform's own count is: it allows remaining more calls in the next resetAfter. That holds beside
// the budget's rule, until resetAfter has passed or the next Learn. Calls that were sent after the one that told this are
// not in its figure: with several on their way at once, take those off. Discord tells these two in X-RateLimit-Remaining
// and X-RateLimit-Reset-After (https://docs.discord.com/developers/topics/rate-limits).
func (p *Pacer) Learn(name string, remaining int, resetAfter time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := p.now()
	b := p.budget(name, now)
	b.left, b.leftUntil = max(remaining, 0), now.add(max(resetAfter, 0))
	p.pump(b, now)
}

// Set gives a budget another rule from now on. What was taken before counts on as far as the new rule can tell. The budget
// is then kept for ever, so Set is for a few names; let the function given to New know about rules for many.
func (p *Pacer) Set(name string, r Rule) {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := p.now()
	b := p.budget(name, now)
	b.kept = true
	b.set(r, now)
	p.pump(b, now)
}

// Stats are sizes for metrics.
type Stats struct {
	Budgets int // held in memory
	Waiting int // calls in Wait without a slot
}

// Stats returns the sizes at this moment.
func (p *Pacer) Stats() Stats {
	p.mu.Lock()
	defer p.mu.Unlock()
	return Stats{Budgets: len(p.all), Waiting: p.waiting}
}

func (p *Pacer) now() instant { return instant(time.Since(p.base)) }

func (p *Pacer) since(c Call, now instant) instant {
	if c.Since.IsZero() {
		return now
	}
	return instant(c.Since.Sub(p.base))
}

// ask takes the slots for c, or returns the waiter that will.
func (p *Pacer) ask(c Call) *waiter {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := p.now()
	var few [8]*budget
	me := waiter{priority: c.Priority, since: p.since(c, now), seq: p.seq, budgets: few[:0]}
	p.seq++
	for _, name := range c.Budgets {
		if b := p.budget(name, now); !slices.Contains(me.budgets, b) {
			me.budgets = append(me.budgets, b)
			b.refs++ // so that finding the next one does not drop it
		}
	}
	by, _ := me.blocked(now)
	if by == nil {
		// There is room, but somebody who goes before may be about to notice that.
		for _, b := range me.budgets {
			if len(b.queue) > 0 && b.queue[0].before(&me) {
				by = b
			}
		}
	}
	if by == nil {
		me.take(now)
		return nil
	}
	w := newWaiter(&me)
	p.waiting++
	by.enqueue(w, now)
	p.pump(by, now)
	return w
}

// newWaiter copies a call to the heap, for those that cannot go at once only.
func newWaiter(from *waiter) *waiter {
	w := &waiter{
		priority: from.priority, since: from.since, seq: from.seq,
		budgets: slices.Clone(from.budgets),
		granted: make(chan struct{}),
		timer:   time.NewTimer(time.Duration(math.MaxInt64)),
	}
	w.timer.Stop() // whoever makes it the head of a queue sets it
	return w
}

// take takes w's slots and ends its hold on the budgets' memory.
func (w *waiter) take(now instant) {
	for _, b := range w.budgets {
		b.take(w.priority, now)
		b.refs--
	}
}

// turn does what is due when w woke up, and takes it out if it leaves. true: w has its slots.
func (p *Pacer) turn(w *waiter, leaves bool) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	b := w.at
	if b == nil {
		return true
	}
	now := p.now()
	if leaves {
		b.dequeue(w)
		for _, b := range w.budgets {
			b.refs--
		}
		p.waiting--
	}
	p.pump(b, now)
	return w.at == nil && !leaves
}

// pump lets go everyone in b's queue who may go, and sets the timer for the next. Someone whom another budget stops as well
// goes to wait there, so that each queue's head needs that queue's budget only.
func (p *Pacer) pump(b *budget, now instant) {
	// Those who go to wait elsewhere will want b's slots in a moment. To send the whole queue after them, only to have it
	// come back, would make a release cost O(n): no more are sent than b has slots, unless they have to wait there for
	// longer than b takes for its next slot and would keep others from those slots.
	away, look := 0, never
	for len(b.queue) > 0 {
		w := b.queue[0]
		if at := b.ready(w.priority, away+1, now); at > now {
			b.arm(min(at, look), now)
			return
		}
		b.dequeue(w)
		by, until := w.blocked(now)
		if by != nil {
			by.enqueue(w, now)
			if now.until(until) <= b.gap(now) {
				away, look = away+1, min(look, until)
			}
			continue
		}
		w.take(now)
		p.waiting--
		close(w.granted)
	}
}

// budget finds or makes a budget, and looks whether another one can be dropped.
func (p *Pacer) budget(name string, now instant) *budget {
	b := p.budgets[name]
	if b == nil {
		p.sweep(now)
		p.sweep(now)
		b = newBudget(name, p.rule(name))
		b.slot = len(p.all)
		p.all = append(p.all, b)
		p.budgets[name] = b
	}
	return b
}

// sweep looks at the next budget and drops it if it is idle. Two of these for each new budget keep the map within twice
// what is in use, without ever looking through all of it.
func (p *Pacer) sweep(now instant) {
	if len(p.all) <= minSweep {
		return
	}
	if p.hand >= len(p.all) {
		p.hand = 0
	}
	b := p.all[p.hand]
	if !b.idle(now) {
		p.hand++
		return
	}
	last := len(p.all) - 1
	p.all[p.hand] = p.all[last]
	p.all[p.hand].slot = p.hand
	p.all[last] = nil
	p.all = p.all[:last]
	delete(p.budgets, b.name)
}
