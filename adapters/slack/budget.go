package slack

import (
	"context"
	"fmt"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// budgets keep Slack's rate limits for all that this bot does at once: each method has a bucket, posts have one for each
// room besides. A request waits for its place; one that would wait too long is sent back with the time when its turn is.
//
// This is the place for fair shares between answers and for adapting to what the server shows of its limits.
type budgets struct {
	mu      sync.Mutex
	all     *rate.Limiter // over all methods; nil: only what Slack documents
	buckets map[string]*bucket
	slots   map[string]time.Time // reserved places of messages whose next edit was sent back
}

// bucket is one limit. After a 429 nothing passes before until, and then at the plain rate, without a burst.
type bucket struct {
	limit *rate.Limiter
	until time.Time
	used  time.Time
}

// budget is what one request takes from.
type budget struct {
	from []share
	wait time.Duration // how long it may wait; less than 0: as long as its context
	// slot names a message whose newest text matters alone: when an edit is sent back, its place is kept, and the next edit
	// of the same message uses it. So messages take turns, and none is sent what is out of date.
	slot string
}

// share is one token of one bucket.
type share struct {
	key       string
	perMinute float64
	burst     int
}

func tier2(method string) budget {
	return budget{from: []share{{method, perMinute2, burst2}}, wait: waitRead}
}

func tier3(method string) budget {
	return budget{from: []share{{method, perMinute3, burst3}}, wait: waitRead}
}

func tier4(method string) budget {
	return budget{from: []share{{method, perMinute4, burst4}}, wait: waitRead}
}

func special(method string) budget {
	return budget{from: []share{{method, perMinuteSpecial, burstSpecial}}, wait: waitRead}
}

// posting is chat.postMessage in a room.
func posting(room string) budget {
	const method = "chat.postMessage"
	return budget{
		from: []share{{method + " " + room, perMinutePost, burstPost}, {method, perMinutePostAll, burstPostAll}}, wait: waitPost,
	}
}

// editing is chat.update of a message.
func editing(room, ts string) budget {
	b := tier3("chat.update")
	b.wait, b.slot = waitEdit, room+" "+ts
	return b
}

func newBudgets() *budgets {
	return &budgets{buckets: map[string]*bucket{}, slots: map[string]time.Time{}}
}

// SetCallsPerSecond puts a ceiling over all calls, for servers that take fewer than Slack's own.
func (p *Platform) SetCallsPerSecond(n float64) {
	p.budgets.mu.Lock()
	defer p.budgets.mu.Unlock()
	p.budgets.all = rate.NewLimiter(rate.Limit(n), max(1, int(n)))
}

// wait waits for the request's place. The error is *tooSoonError or that of ctx.
func (b *budgets) wait(ctx context.Context, use budget) error {
	delay, err := b.take(time.Now(), use)
	if err != nil {
		return err
	}
	return sleep(ctx, delay)
}

// take reserves a place, or says when there is one.
func (b *budgets) take(now time.Time, use budget) (time.Duration, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if use.slot != "" {
		if at, ok := b.slots[use.slot]; ok && now.Before(at.Add(slotLife)) {
			// A pause that Slack has asked for since then holds for reserved places too.
			at = later(at, b.heldLocked(use, now))
			delay := max(0, at.Sub(now))
			if delay > use.wait {
				b.slots[use.slot] = at
				return 0, &tooSoonError{wait: delay}
			}
			delete(b.slots, use.slot)
			return delay, nil
		}
		delete(b.slots, use.slot)
	}
	var taken []*rate.Reservation
	var delay time.Duration
	for _, s := range use.from {
		k := b.bucketLocked(s, now)
		r := k.limit.ReserveN(later(now, k.until), 1)
		delay = max(delay, r.DelayFrom(now))
		taken = append(taken, r)
	}
	if b.all != nil {
		r := b.all.ReserveN(now, 1)
		delay = max(delay, r.DelayFrom(now))
		taken = append(taken, r)
	}
	if use.wait < 0 || delay <= use.wait {
		return delay, nil
	}
	if len(b.slots) >= maxBuckets {
		b.expireLocked(now)
	}
	if use.slot != "" && len(b.slots) < maxBuckets {
		b.slots[use.slot] = now.Add(delay)
		return 0, &tooSoonError{wait: delay}
	}
	for _, r := range taken {
		r.CancelAt(now)
	}
	return 0, &tooSoonError{wait: delay}
}

// hold stops what a 429 names until Slack takes it again: the method, and for posts the room alone, since that is the limit
// that a bot runs into. Source: https://docs.slack.dev/apis/web-api/rate-limits
func (b *budgets) hold(use budget, wait time.Duration) {
	b.mu.Lock()
	defer b.mu.Unlock()
	now := time.Now()
	until := now.Add(max(wait, time.Second))
	for _, s := range use.from[:1] {
		k := b.bucketLocked(s, now)
		if until.Before(k.until) {
			return
		}
		k.until = until
		k.limit = rate.NewLimiter(rate.Limit(s.perMinute/60), s.burst)
		k.limit.AllowN(until, s.burst-1)
	}
}

// forget removes pauses, for a request that a person waits for.
func (b *budgets) forget() {
	b.mu.Lock()
	defer b.mu.Unlock()
	clear(b.buckets)
	clear(b.slots)
}

func (b *budgets) heldLocked(use budget, now time.Time) time.Time {
	var until time.Time
	for _, s := range use.from {
		until = later(until, b.bucketLocked(s, now).until)
	}
	return until
}

func (b *budgets) bucketLocked(s share, now time.Time) *bucket {
	k := b.buckets[s.key]
	if k == nil {
		if len(b.buckets) >= maxBuckets {
			b.sweepLocked(now)
		}
		k = &bucket{limit: rate.NewLimiter(rate.Limit(s.perMinute/60), s.burst)}
		b.buckets[s.key] = k
	}
	k.used = now
	return k
}

// expireLocked drops places that nobody came back for.
func (b *budgets) expireLocked(now time.Time) {
	for key, at := range b.slots {
		if now.After(at.Add(slotLife)) {
			delete(b.slots, key)
		}
	}
}

// sweepLocked drops buckets that are full again. Should nearly all be in use, some go nevertheless: a bucket
// that is made anew lets a burst pass at the worst.
func (b *budgets) sweepLocked(now time.Time) {
	for age := time.Minute; len(b.buckets) > maxBuckets/2 && age >= time.Second; age /= 2 {
		for key, k := range b.buckets {
			if now.Sub(k.used) > age && now.After(k.until) {
				delete(b.buckets, key)
			}
		}
	}
	for key := range b.buckets {
		if len(b.buckets) <= maxBuckets*3/4 {
			return
		}
		delete(b.buckets, key)
	}
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// sleep waits unless ctx ends first.
func sleep(ctx context.Context, d time.Duration) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("wait: %w", err)
	}
	if d <= 0 {
		return nil
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("wait: %w", ctx.Err())
	}
}
