package pace

import (
	"context"
	"errors"
	"fmt"
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
	// It is not looked at when there is room at once. If it and the slots come at the same moment, the value may be received
	// and Wait return nil all the same.
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

	mu       sync.Mutex
	budgets  map[string]*budget
	all      []*budget // the same, for looking through them in turn
	hand     int       // whose turn it is in all
	id, seq  uint64
	schedule schedule
	waiting  int
	timer    *time.Timer // every call that waits listens to it; made for the first one
	alarm    instant     // what timer is set for
}

// New makes a Pacer. rule gives the rule of a budget when its name is used for the first time, or again after the budget
// was dropped for want of use. It is called with the Pacer locked: it must be quick and must not call the Pacer. nil: no
// limits but those of Set, Hold and Learn.
func New(rule func(name string) Rule) *Pacer {
	if rule == nil {
		rule = func(string) Rule { return Rule{} }
	}
	return &Pacer{rule: rule, base: time.Now(), budgets: map[string]*budget{}, schedule: newSchedule(), alarm: never}
}

// Wait returns nil once c may be made, having taken a slot of each of its budgets: make the call then, or hand the slots
// back with [Pacer.Return]. The other returns are ErrWoken and, when ctx has ended, an error that wraps its cause; both leave
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
		case <-p.timer.C: // only one of those who wait gets it, and looks for all
			p.rang()
			continue
		case <-c.Wake:
			err = ErrWoken
		case <-ctx.Done():
			err = ended(ctx)
		}
		if p.leave(w) {
			return err
		}
		return nil // it was granted at the same moment
	}
}

func ended(ctx context.Context) error {
	return fmt.Errorf("wait for a slot: %w", context.Cause(ctx))
}

// Return gives back the newest slot of each budget of c, for a caller that finds after its turn came that it has nothing to
// send. c has to be the Call that Wait was called with. It is best effort: nothing is given back to a budget that was held,
// set or dropped since. Return right away or not at all: where others have taken slots meanwhile, the newest is theirs, and
// the rule then holds as though they had made their calls at the time of this one.
func (p *Pacer) Return(c Call) {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := p.now()
	for i, name := range c.Budgets {
		b := p.budgets[name]
		if b == nil || slices.Contains(c.Budgets[:i], name) {
			continue
		}
		b.giveBack(c.Priority, now)
		p.schedule.changed(b, now)
	}
	p.dispatch(now)
}

// Delay estimates how long Wait would take if it were called now, for logs and tests. It counts who waits ahead in each of
// the budgets but not those who wait elsewhere or are yet to come, so the true wait can be longer. It takes time in
// proportion to the calls that wait there.
func (p *Pacer) Delay(c Call) time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := p.now()
	w := &waiter{priority: c.Priority, since: p.since(c, now), seq: p.seq}
	at := now
	for _, name := range c.Budgets {
		b := p.budgets[name]
		if b == nil {
			continue // it would begin full
		}
		ahead := 0
		for _, l := range b.lanes.items {
			for _, v := range l.waiters.items {
				if v.before(w) {
					ahead++
				}
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
	// A timer that is set already may be too early now: whoever gets it finds that out.
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
	b.learn(remaining, resetAfter, now)
	p.schedule.changed(b, now)
	p.dispatch(now)
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
	p.schedule.changed(b, now)
	p.dispatch(now)
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

// ask takes the slots for c, or returns the waiter that will have them.
func (p *Pacer) ask(c Call) *waiter {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := p.now()
	var few [8]*budget
	budgets := few[:0]
	for _, name := range c.Budgets {
		if b := p.budget(name, now); !slices.Contains(budgets, b) {
			budgets = append(budgets, b)
			b.refs++ // so that making the next one does not drop it
		}
	}
	for _, b := range budgets {
		b.refs--
	}
	// While nobody is due, all who wait are stopped by budgets, and those who go before this call by none of its own: else it
	// would be stopped as well.
	if by, _ := blocked(budgets, c.Priority, now); by == nil && p.schedule.next() > now {
		for _, b := range budgets {
			b.take(c.Priority, now)
		}
		return nil
	}
	w := &waiter{priority: c.Priority, since: p.since(c, now), seq: p.seq, granted: make(chan struct{})}
	p.seq++
	p.waiting++
	if p.timer == nil {
		p.timer = time.NewTimer(longest)
		p.timer.Stop()
	}
	p.schedule.join(w, budgets, now)
	p.dispatch(now)
	return w
}

// leave takes w out. false: it has its slots.
func (p *Pacer) leave(w *waiter) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if w.lane == nil {
		return false
	}
	p.schedule.leave(w)
	p.waiting--
	p.setTimer()
	return true
}

// rang does what is due when the timer rang.
func (p *Pacer) rang() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.alarm = never // whatever dispatch finds, the timer has to be set anew
	p.dispatch(p.now())
}

// dispatch gives slots to all who can have them now, and sets the timer for the next.
func (p *Pacer) dispatch(now instant) {
	p.schedule.dispatch(now, p.grant)
	p.setTimer()
}

func (p *Pacer) grant(w *waiter) {
	p.waiting--
	close(w.granted)
}

func (p *Pacer) setTimer() {
	next := p.schedule.next()
	if next == p.alarm {
		return
	}
	p.alarm = next
	if next == never {
		p.timer.Stop()
		return
	}
	p.timer.Reset(p.now().until(next))
}

// budget finds or makes a budget, and looks whether another one can be dropped.
func (p *Pacer) budget(name string, now instant) *budget {
	b := p.budgets[name]
	if b == nil {
		p.sweep(now)
		p.sweep(now)
		b = newBudget(name, p.id, p.rule(name), now)
		p.id++
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
	b, at := p.all[p.hand], p.hand
	p.hand++
	if !b.idle(now) {
		return
	}
	// The last one takes its place. That is mostly a new one, so it is not looked at before the next time round.
	last := len(p.all) - 1
	p.all[at] = p.all[last]
	p.all[last] = nil
	p.all = p.all[:last]
	delete(p.budgets, b.name)
}
