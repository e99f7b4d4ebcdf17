package discord

import (
	"context"
	"encoding/json"
	"math"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// limiter keeps Discord's limits before a request is sent: one request at a time in each route bucket, none in a bucket
// that is used up, and the global rate. Unlike discordgo's it obeys contexts, frees what is no longer used and treats a
// global 429 as one. golang.org/x/time/rate does the global part; buckets are refilled by the server's headers, which it
// cannot express.
// Source: https://docs.discord.com/developers/topics/rate-limits
type limiter struct {
	global *rate.Limiter

	mu      sync.Mutex
	blocked time.Time // no request at all before this
	buckets map[string]*bucket
	shared  map[string]string // route with channel → the bucket that the server says it is in
}

// bucket is the state of one route with its channel or guild.
type bucket struct {
	slot  chan struct{} // capacity 1: held by the request under way
	users int           // who hold or wait for it; guarded by limiter.mu

	// Guarded by slot, but for the clean-up, which takes buckets without users only.
	known     bool // headers have been seen
	remaining int
	reset     time.Time
}

func newLimiter() *limiter {
	return &limiter{
		global: rate.NewLimiter(callsPerSecond, callsPerSecond), buckets: map[string]*bucket{}, shared: map[string]string{},
	}
}

// SetCallsPerSecond replaces the ceiling over all calls, which is Discord's global limit.
func (p *Platform) SetCallsPerSecond(n float64) {
	p.api.limits.global.SetLimit(rate.Limit(n))
	p.api.limits.global.SetBurst(max(1, int(n)))
}

// tooSoonError says that a request would have to wait longer than it may.
type tooSoonError struct{ wait time.Duration }

func (e *tooSoonError) Error() string { return "rate limit used up for " + e.wait.String() }

// acquire waits until a request may be sent in a bucket: at most maxWait, and not at all when ctx would end first. The
// error is ctx's or *tooSoonError. The caller calls done with what the request brought back.
func (l *limiter) acquire(ctx context.Context, key string, maxWait time.Duration) (done func(*exchange), err error) {
	b := l.enter(key)
	until := time.Now().Add(maxWait)
	if err := b.lock(ctx, maxWait); err != nil {
		l.leave(b)
		return nil, err
	}
	release := func() {
		<-b.slot
		l.leave(b)
	}
	if wait := l.wait(b); wait > 0 {
		if err := sleepUntil(ctx, wait, until); err != nil {
			release()
			return nil, err
		}
	}
	r := l.global.Reserve()
	if err := sleepUntil(ctx, r.Delay(), until); err != nil {
		r.Cancel()
		release()
		return nil, err
	}
	return func(ex *exchange) {
		l.learn(b, ex)
		l.share(key, b, ex)
		release()
	}, nil
}

// share notes in which of the server's buckets a route is. Several routes may be in one, each channel has its own.
func (l *limiter) share(key string, b *bucket, ex *exchange) {
	hash := ex.header.Get("X-RateLimit-Bucket")
	if hash == "" || len(hash) > 100 {
		return
	}
	if i := strings.LastIndexByte(key, ' '); i >= 0 && isID(key[i+1:]) {
		hash += key[i:]
	}
	hash = "= " + hash // no route begins like this
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.shared[key] == hash {
		return
	}
	if len(l.shared) >= maxBuckets {
		clear(l.shared) // learnt again with the next answers
	}
	l.shared[key] = hash
	if l.buckets[hash] == nil {
		l.buckets[hash] = b // with what was just learnt
	}
}

func (l *limiter) enter(key string) *bucket {
	l.mu.Lock()
	defer l.mu.Unlock()
	if hash, ok := l.shared[key]; ok {
		key = hash
	}
	b := l.buckets[key]
	if b == nil {
		if len(l.buckets) >= maxBuckets {
			l.sweepLocked()
		}
		b = &bucket{slot: make(chan struct{}, 1)}
		l.buckets[key] = b
	}
	b.users++
	return b
}

func (l *limiter) leave(b *bucket) {
	l.mu.Lock()
	defer l.mu.Unlock()
	b.users--
}

// sweepLocked frees the buckets that hold nothing worth knowing.
func (l *limiter) sweepLocked() {
	now := time.Now()
	for k, b := range l.buckets {
		if b.users == 0 && !b.reset.After(now) {
			delete(l.buckets, k)
		}
	}
}

func (b *bucket) lock(ctx context.Context, maxWait time.Duration) error {
	select {
	case b.slot <- struct{}{}:
		return nil
	default:
	}
	if maxWait <= 0 {
		return &tooSoonError{wait: time.Second}
	}
	t := time.NewTimer(maxWait)
	defer t.Stop()
	select {
	case b.slot <- struct{}{}:
		return nil
	case <-t.C:
		return &tooSoonError{wait: time.Second}
	case <-ctx.Done():
		return ctx.Err() //nolint:wrapcheck // the caller adds the operation
	}
}

// wait is how long the bucket, held by the caller, and the global block ask for.
func (l *limiter) wait(b *bucket) time.Duration {
	l.mu.Lock()
	wait := time.Until(l.blocked)
	l.mu.Unlock()
	if b.known && b.remaining <= 0 {
		wait = max(wait, time.Until(b.reset))
	}
	return wait
}

// sleepUntil sleeps for wait, unless that would go past until or ctx's deadline: then it does not sleep at all.
func sleepUntil(ctx context.Context, wait time.Duration, until time.Time) error {
	if err := ctx.Err(); err != nil {
		return err //nolint:wrapcheck // the caller adds the operation
	}
	if wait <= 0 {
		return nil
	}
	end := time.Now().Add(wait)
	if deadline, ok := ctx.Deadline(); end.After(until) || ok && end.After(deadline) {
		return &tooSoonError{wait: wait}
	}
	return sleep(ctx, wait)
}

// sleep waits for d or for ctx, whose error it returns.
func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err() //nolint:wrapcheck // the caller adds the operation
	}
}

// learn takes in an answer's headers, and a 429's body. Malformed values are passed over.
func (l *limiter) learn(b *bucket, ex *exchange) {
	now := time.Now()
	if after, ok := seconds(ex.header.Get("X-RateLimit-Reset-After")); ok {
		b.reset = now.Add(after)
		if n, err := strconv.Atoi(ex.header.Get("X-RateLimit-Remaining")); err == nil {
			b.known, b.remaining = true, n
		}
	} else if b.known && b.remaining > 0 {
		b.remaining--
	}
	if ex.status != http.StatusTooManyRequests {
		return
	}
	after, global := rateLimited(ex)
	if global {
		l.mu.Lock()
		if until := now.Add(after); until.After(l.blocked) {
			l.blocked = until
		}
		l.mu.Unlock()
		return
	}
	b.known, b.remaining, b.reset = true, 0, now.Add(after)
}

// rateLimited reads how long a 429 asks to wait, and whether it concerns every request of the bot. A body that is not
// Discord's own comes from the protection in front of it, which judges by address: that concerns every request.
func rateLimited(ex *exchange) (after time.Duration, global bool) {
	var body struct {
		Message    *string `json:"message"`
		RetryAfter float64 `json:"retry_after"`
		Global     bool    `json:"global"`
	}
	own := json.Unmarshal(ex.body, &body) == nil && body.Message != nil
	after, ok := secondsOf(body.RetryAfter), own && body.RetryAfter > 0
	if !ok {
		after, ok = seconds(ex.header.Get("Retry-After"))
	}
	if !ok {
		after = 5 * time.Second
	}
	return after, !own || body.Global || ex.header.Get("X-RateLimit-Global") == "true"
}

func seconds(s string) (time.Duration, bool) {
	f, err := strconv.ParseFloat(s, 64)
	if err != nil || math.IsNaN(f) || f < 0 {
		return 0, false
	}
	return secondsOf(f), true
}

// secondsOf is bounded by a day: no limit of Discord is longer, and a sum with the time must not overflow.
func secondsOf(f float64) time.Duration {
	if math.IsNaN(f) || f < 0 {
		return 0
	}
	return time.Duration(min(f, 24*3600) * float64(time.Second))
}
