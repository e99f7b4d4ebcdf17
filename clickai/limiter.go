package clickai

import (
	"context"
	"crypto/sha256"
	"fmt"
	"sync"
	"time"
)

// Plan is how many requests ClickAI takes for one key. 0 or less means no limit.
type Plan struct {
	PerMinute int
	PerDay    int
}

// PlanByName returns the plan of that name, with the figures of ClickAI's API
// guide: sandbox (100 requests a minute, 10,000 a day), professional (500;
// 100,000), team (1,000; 500,000). An enterprise plan's figures are agreed on one
// by one: it is returned without limits, to be filled in. It reports false for
// other names.
func PlanByName(name string) (Plan, bool) {
	switch name {
	case "sandbox":
		return Plan{PerMinute: 100, PerDay: 10_000}, true
	case "professional":
		return Plan{PerMinute: 500, PerDay: 100_000}, true
	case "team":
		return Plan{PerMinute: 1_000, PerDay: 500_000}, true
	case "enterprise":
		return Plan{}, true
	default:
		return Plan{}, false
	}
}

// QuotaError says that the requests of a day are used up. Waiting for minutes
// doesn't help.
type QuotaError struct {
	PerDay int       // the plan's figure
	Until  time.Time // when the next request may start
}

// Error returns one line.
func (e *QuotaError) Error() string {
	return fmt.Sprintf("the plan's %d requests a day are used up until %s", e.PerDay, e.Until.UTC().Format(time.RFC3339))
}

const (
	minuteWindow = time.Minute
	dayWindow    = 24 * time.Hour
	// windowMargin lengthens the minute: ClickAI counts a request when it
	// arrives, and a request that dials first arrives later than one that doesn't.
	windowMargin = time.Second
	// dayBuckets is how finely the day is counted: one bucket a minute, one more
	// for the minute under way, and one as the margin.
	dayBuckets = int(dayWindow/time.Minute) + 2
)

// Limiter lets requests of one key start so that no minute and no 24 hours, from
// whichever moment they are counted, see more of them than the plan has. A burst
// is not slowed down as long as the plan has room for it; then each request
// waits for its slot, first come, first served.
//
// It remembers the start of each request of the last minute, and counts the day by
// minutes. A token bucket (golang.org/x/time/rate) is smaller, but it either lets
// a full bucket and a minute's refill through within one minute, twice the
// plan, or must be kept so small that the plan is never used up.
//
// Counts are kept in memory: after a restart of the process the server's own 429
// is what holds the day's limit.
//
// A nil *Limiter limits nothing.
type Limiter struct {
	turn chan struct{} // held by the one request that waits for the next slot

	mu       sync.Mutex
	plan     Plan
	queue    int         // requests in wait that have no slot yet
	starts   []time.Time // ring of the last starts, at most plan.PerMinute
	oldest   int         // where the oldest stands, once the ring is full
	days     [dayBuckets]int
	dayTotal int
	minute   int64 // of the newest bucket, in minutes since epoch
	epoch    time.Time
}

// NewLimiter returns a Limiter for one key.
func NewLimiter(plan Plan) *Limiter {
	return &Limiter{turn: make(chan struct{}, 1), plan: plan, epoch: time.Now()}
}

// slotWaitKey is the key of WithSlotWait's function.
type slotWaitKey struct{}

// WithSlotWait returns a context for which f is called when a call has to wait for a slot of its Limiter, before it waits,
// with about how long: so that a person can be told. f is called on the goroutine that made the call, and should return
// soon; it may end the wait by ending the context.
func WithSlotWait(ctx context.Context, f func(wait time.Duration)) context.Context {
	return context.WithValue(ctx, slotWaitKey{}, f)
}

// Wait takes one request's slot, and waits for it if the current minute is used
// up. It returns a *QuotaError at once if the day is, and the context's error if
// ctx ends first; one that wraps context.DeadlineExceeded at once if ctx's deadline
// lies before the slot. The methods of Client call it themselves.
func (l *Limiter) Wait(ctx context.Context) error { return l.wait(ctx) }

func (l *Limiter) wait(ctx context.Context) error {
	if l == nil {
		return nil
	}
	away, err := l.join() // who asks in vain doesn't queue
	if err != nil {
		return err
	}
	defer l.leave()
	if err := beforeDeadline(ctx, away); err != nil {
		return err
	}
	if f, ok := ctx.Value(slotWaitKey{}).(func(time.Duration)); ok && away > 0 {
		f(away)
	}
	select {
	case l.turn <- struct{}{}:
	case <-ctx.Done():
		return fmt.Errorf("wait for a request slot: %w", ctx.Err())
	}
	defer func() { <-l.turn }()
	for {
		delay, err := l.take()
		if err != nil || delay == 0 {
			return err
		}
		if err := beforeDeadline(ctx, delay); err != nil {
			return err
		}
		timer := time.NewTimer(delay)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return fmt.Errorf("wait for a request slot: %w", ctx.Err())
		}
	}
}

// beforeDeadline returns an error if ctx ends before so much time is over.
func beforeDeadline(ctx context.Context, wait time.Duration) error {
	if deadline, ok := ctx.Deadline(); ok && wait > 0 && time.Until(deadline) < wait {
		return fmt.Errorf("wait %s for a request slot: %w", wait.Round(time.Second), context.DeadlineExceeded)
	}
	return nil
}

// join counts a request as waiting and returns how long its slot is away: 0 if
// there is one for it and for all who wait before it.
func (l *Limiter) join() (time.Duration, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := time.Now()
	if err := l.dayLeftLocked(now); err != nil {
		return 0, err
	}
	before := l.queue
	l.queue++
	n := l.plan.PerMinute
	if n <= 0 || before < n-len(l.starts) {
		return 0, nil
	}
	// Each slot is free again a window after its last start; those who wait take
	// them in that order, round and round.
	before -= n - len(l.starts)
	slot := l.starts[(l.oldest+before%n)%len(l.starts)]
	round := time.Duration(1 + before/n)
	return max(slot.Add(round*(minuteWindow+windowMargin)).Sub(now), 0), nil
}

// leave counts a request as waiting no more.
func (l *Limiter) leave() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.queue--
}

// SetPlan changes the plan. What has been counted stays counted; a request that
// waits already sees a larger plan only with its next slot.
func (l *Limiter) SetPlan(plan Plan) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if plan.PerMinute != l.plan.PerMinute {
		ordered := append(append([]time.Time(nil), l.starts[l.oldest:]...), l.starts[:l.oldest]...)
		l.starts, l.oldest = ordered[max(len(ordered)-max(plan.PerMinute, 0), 0):], 0
	}
	l.plan = plan
}

// Room is how many requests may start at once within the minute, and within the
// day; -1 where the plan has no limit.
func (l *Limiter) Room() (minute, day int) {
	if l == nil {
		return -1, -1
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	now := time.Now()
	l.advanceLocked(now)
	minute, day = -1, -1
	if n := l.plan.PerMinute; n > 0 {
		minute = n
		for _, at := range l.starts {
			if now.Sub(at) < minuteWindow+windowMargin {
				minute--
			}
		}
	}
	if l.plan.PerDay > 0 {
		day = max(l.plan.PerDay-l.dayTotal, 0)
	}
	return minute, day
}

// Plan is the plan that the limiter keeps to.
func (l *Limiter) Plan() Plan {
	if l == nil {
		return Plan{}
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.plan
}

// dayLeftLocked returns a *QuotaError if the day is used up.
func (l *Limiter) dayLeftLocked(now time.Time) error {
	l.advanceLocked(now)
	if l.plan.PerDay <= 0 || l.dayTotal < l.plan.PerDay {
		return nil
	}
	// Room comes when so many of the oldest buckets have left that fewer than
	// the plan's figure remain.
	left := l.dayTotal
	for m := l.minute - int64(dayBuckets) + 1; m <= l.minute; m++ {
		if m < 0 {
			continue
		}
		if left -= l.days[m%int64(dayBuckets)]; left < l.plan.PerDay {
			until := l.epoch.Add(time.Duration(m+int64(dayBuckets)) * time.Minute)
			return &QuotaError{PerDay: l.plan.PerDay, Until: until}
		}
	}
	return &QuotaError{PerDay: l.plan.PerDay, Until: now.Add(dayWindow)}
}

// take counts a request if it may start now, else it returns how long until the
// next try.
func (l *Limiter) take() (time.Duration, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := time.Now()
	if err := l.dayLeftLocked(now); err != nil {
		return 0, err
	}
	if n := l.plan.PerMinute; n > 0 {
		if len(l.starts) < n {
			l.starts = append(l.starts, now)
		} else {
			if delay := l.starts[l.oldest].Add(minuteWindow + windowMargin).Sub(now); delay > 0 {
				return delay, nil
			}
			l.starts[l.oldest] = now
			l.oldest = (l.oldest + 1) % n
		}
	}
	l.days[l.minute%int64(dayBuckets)]++
	l.dayTotal++
	return 0, nil
}

// advanceLocked empties the buckets that have left the day.
func (l *Limiter) advanceLocked(now time.Time) {
	minute := int64(now.Sub(l.epoch) / time.Minute)
	for steps := 0; l.minute < minute; steps++ {
		if steps == dayBuckets {
			l.minute = minute
			break
		}
		l.minute++
		bucket := &l.days[l.minute%int64(dayBuckets)]
		l.dayTotal -= *bucket
		*bucket = 0
	}
}

// Limits holds one Limiter for each key, so that all clients of a key share it.
// It keeps a hash of each key, not the key. It grows by one entry per key.
type Limits struct {
	mu   sync.Mutex
	plan Plan
	m    map[[sha256.Size]byte]*Limiter
}

// NewLimits returns an empty registry whose limiters keep to plan.
func NewLimits(plan Plan) *Limits {
	return &Limits{plan: plan, m: map[[sha256.Size]byte]*Limiter{}}
}

// For returns the key's Limiter, always the same one.
func (l *Limits) For(apiKey string) *Limiter {
	h := sha256.Sum256([]byte(apiKey))
	l.mu.Lock()
	defer l.mu.Unlock()
	lim, ok := l.m[h]
	if !ok {
		lim = NewLimiter(l.plan)
		l.m[h] = lim
	}
	return lim
}

// SetPlan changes the plan of all limiters, those to come included.
func (l *Limits) SetPlan(plan Plan) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.plan = plan
	for _, lim := range l.m {
		lim.SetPlan(plan)
	}
}
