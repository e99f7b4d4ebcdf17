package discord

import (
	"context"
	"errors"
	"fmt"
	"math"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/bwmarrin/discordgo"

	"github.com/clickai/bridge/internal/pace"
)

// limiter keeps Discord's limits: the global one and those of the route buckets. A bucket's size, its window and what is
// left of it come from the headers of answers; which routes are in one bucket too. Until a route has been answered for the
// first time it is taken to allow what [firstCount] and [firstPer] say.
//
// Requests may be under way at once. The figure in an answer does not count those that Discord has not seen yet, and answers
// come in any order, so a bucket remembers the lowest figure of its window and takes off all that is not answered.
// Source: https://docs.discord.com/developers/topics/rate-limits
type limiter struct {
	pacer *pace.Pacer

	mu      sync.Mutex
	usual   map[string]string // name of a route → the bucket that it is in
	other   map[route]string  // the same, for channels where it is another one
	sizes   map[string]size   // bucket → its size
	buckets map[bucketKey]*bucket
	queued  map[*bucket]struct{} // those that somebody waits in
	held    time.Time            // no request at all before this
	old     map[string]time.Time // channel → no edit of a message older than an hour before this
}

// allCalls is the budget of the global limit.
const allCalls = "all"

// route is an endpoint with its method, such as "POST messages", and the channel or server in its path, which has limits of
// its own.
type route struct {
	name, major string
	apart       bool // answers to interactions: the global limit does not count them
}

// budgets are what a request of the route counts against.
func (r route) budgets(b *bucket) []string {
	if r.apart {
		return []string{b.budget}
	}
	return []string{allCalls, b.budget}
}

func (r route) String() string { return r.name + " " + r.major }

func newLimiter() *limiter {
	return &limiter{
		pacer: pace.New(ruleOf), usual: map[string]string{}, other: map[route]string{}, sizes: map[string]size{},
		buckets: map[bucketKey]*bucket{}, queued: map[*bucket]struct{}{}, old: map[string]time.Time{},
	}
}

// setRate replaces the ceiling over all requests.
func (l *limiter) setRate(n float64) {
	if n > 0 && !math.IsInf(n, 0) {
		l.pacer.Set(allCalls, globalRule(n))
		l.pacer.Set(leaving, leavingRule(n))
	}
}

// leaving is the budget of requests that leave now. Turns are given out evenly, but on a busy machine a request may leave
// late after its turn, and many of them together: then the last ones wait here once more, for a moment.
const leaving = "leaving"

func leavingRule(n float64) pace.Rule {
	return pace.Rule{Count: max(1, int(n*44/callsPerSecond)), Per: time.Second}
}

// leave waits until a request that has had its turn may leave. The error is ctx's.
func (l *limiter) leave(ctx context.Context) error {
	return l.pacer.Wait(ctx, pace.Call{Budgets: []string{leaving}}) //nolint:wrapcheck // the caller adds the operation
}

// globalRule lets n requests a second go, evenly: the limit holds for any second, however its beginning is chosen and a
// little jitter on the way is allowed for.
func globalRule(n float64) pace.Rule {
	return pace.Rule{
		Count: 1, Per: time.Duration(float64(time.Second) / max(n, 1e-6)), Burst: max(1, int(n/10)), Reserve: 1,
	}
}

// ruleOf is the rule of a budget. Edits are spread evenly over a bucket's window. That costs them nothing, and something
// urgent gets its turn about as soon as with slots kept for it, since it goes ahead of all of them.
func ruleOf(budget string) pace.Rule {
	if budget == allCalls {
		return globalRule(callsPerSecond)
	}
	if budget == leaving {
		return leavingRule(callsPerSecond)
	}
	figures, _, _ := strings.Cut(budget, " ")
	var n [3]int
	for i, f := range strings.SplitN(figures, "/", len(n)) {
		n[i], _ = strconv.Atoi(f) // rename wrote it
	}
	return pace.Rule{Count: n[0], Per: time.Duration(n[1]) * time.Millisecond, Spread: n[2]}
}

// tooSoonError says that a request would have to wait longer than it may.
type tooSoonError struct{ wait time.Duration }

func (e *tooSoonError) Error() string { return "rate limit used up for " + e.wait.String() }

var (
	errMoved = errors.New("the bucket has another size or name now")
	errLate  = errors.New("the wait is longer than it may be")
)

// waiter is a call that waits for its turn. Its context is cancelled when its bucket's budget changes.
type waiter struct {
	cancel context.CancelCauseFunc
}

// turn waits for the turn of a call of r; c says its priority, since when it has been wanted and what wakes it. granted notes
// the call in the bucket that it was counted in, with the limiter locked. The error wraps ctx's cause, or is pace.ErrWoken.
func (l *limiter) turn(ctx context.Context, r route, c pace.Call, granted func(*bucket)) error {
	if c.Since.IsZero() {
		c.Since = time.Now() // it keeps its place when it has to ask again
	}
	for {
		l.mu.Lock()
		b := l.bucket(r)
		c.Budgets = r.budgets(b)
		wctx, cancel := context.WithCancelCause(ctx)
		w := &waiter{cancel: cancel}
		b.waiting[w] = struct{}{}
		l.queued[b] = struct{}{}
		l.mu.Unlock()

		err := l.pacer.Wait(wctx, c)
		moved := errors.Is(context.Cause(wctx), errMoved)
		l.mu.Lock()
		delete(b.waiting, w)
		if len(b.waiting) == 0 {
			delete(l.queued, b)
		}
		moved = moved || !slices.Contains(c.Budgets, b.budget)
		if err == nil && !moved {
			granted(b)
		}
		l.mu.Unlock()
		cancel(nil)
		switch {
		case err == nil && moved:
			l.pacer.Return(c)
		case err == nil, errors.Is(err, pace.ErrWoken):
			return err //nolint:wrapcheck // it is what it says
		case ctx.Err() != nil:
			return fmt.Errorf("wait for %s: %w", r, context.Cause(ctx))
		case !moved:
			return fmt.Errorf("wait for %s: %w", r, err)
		}
	}
}

// pace gives a turn for a call that its caller begins later.
func (l *limiter) pace(ctx context.Context, r route, c pace.Call) error {
	return l.turn(ctx, r, c, func(b *bucket) { b.granted = append(b.fresh(time.Now()), time.Now()) })
}

// unpace gives back the last such turn.
func (l *limiter) unpace(r route, p pace.Priority) {
	l.mu.Lock()
	defer l.mu.Unlock()
	b := l.bucket(r)
	if n := len(b.granted); n > 0 {
		b.granted = b.granted[:n-1]
		l.pacer.Return(pace.Call{Budgets: r.budgets(b), Priority: p})
	}
}

// flight is a request under way.
type flight struct {
	l     *limiter
	b     *bucket
	route route
	seq   int
	alone bool // no other was under way when it began
}

// begin begins a request whose turn has come. While Discord has forbidden it, it returns a *tooSoonError.
func (l *limiter) begin(r route) (*flight, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	b := l.bucket(r)
	b.use()
	if wait := time.Until(later(l.held, b.held)); wait > 0 {
		return nil, &tooSoonError{wait: wait}
	}
	return l.fly(b, r), nil
}

// use takes off a turn that pace gave.
func (b *bucket) use() {
	if len(b.granted) > 0 {
		b.granted = slices.Delete(b.granted, 0, 1)
	}
}

// fresh are the turns that pace gave and that may still be used. A caller that has lost one keeps nobody waiting for long.
func (b *bucket) fresh(now time.Time) []time.Time {
	b.granted = slices.DeleteFunc(b.granted, func(at time.Time) bool { return now.Sub(at) > grantedFor })
	return b.granted
}

func (l *limiter) fly(b *bucket, r route) *flight {
	f := &flight{l: l, b: b, route: r, alone: b.flying == 0}
	b.flying++
	b.seq++
	f.seq = b.seq
	return f
}

// take waits for a turn and begins the request: at most maxWait, and not at all when that would not be enough or ctx would
// end first. The error is ctx's or *tooSoonError.
func (l *limiter) take(ctx context.Context, r route, p pace.Priority, maxWait time.Duration) (f *flight, err error) {
	if err := ctx.Err(); err != nil {
		return nil, err //nolint:wrapcheck // the caller adds the operation
	}
	c := pace.Call{Priority: p}
	wait := l.delay(r, c)
	if deadline, ok := ctx.Deadline(); wait > maxWait || ok && wait > time.Until(deadline) {
		return nil, &tooSoonError{wait: wait}
	}
	bounded := ctx
	if maxWait > 0 {
		var cancel context.CancelFunc
		bounded, cancel = context.WithTimeoutCause(ctx, maxWait, errLate)
		defer cancel()
	} else {
		now := make(chan struct{})
		close(now)
		c.Wake = now
	}
	err = l.turn(bounded, r, c, func(b *bucket) { f = l.fly(b, r) })
	switch {
	case err == nil:
		return f, nil
	case ctx.Err() != nil:
		return nil, ctx.Err() //nolint:wrapcheck // the caller adds the operation
	}
	return nil, &tooSoonError{wait: max(l.delay(r, c), time.Second)}
}

func (l *limiter) delay(r route, c pace.Call) time.Duration {
	l.mu.Lock()
	c.Budgets = r.budgets(l.bucket(r))
	l.mu.Unlock()
	return l.pacer.Delay(c)
}

// done takes in what the request brought back.
func (f *flight) done(ex *exchange) {
	l := f.l
	l.mu.Lock()
	defer l.mu.Unlock()
	b := f.b
	for b.into != nil {
		b = b.into
	}
	l.rename(b)
	b.flying--
	now := time.Now()
	if ex.status == http.StatusTooManyRequests {
		// Its headers can be those of another limit than the bucket's, which is not told.
		after, all := rateLimited(ex)
		l.hold(b, errorCode(ex), after, all, now)
		return
	}
	t, ok := readHeaders(ex.header)
	if !ok {
		return
	}
	if t.bucket != "" {
		b = l.found(f.route, b, t.bucket)
	}
	l.measure(b, t)
	l.count(b, t, f.alone && f.seq == b.seq, now)
}

// hold keeps back what a refusal concerns.
func (l *limiter) hold(b *bucket, code int, after time.Duration, all bool, now time.Time) {
	switch {
	case all:
		l.held = later(l.held, now.Add(after))
		l.pacer.Hold(allCalls, after)
	case code == discordgo.ErrCodeMaximumNumberOfEditsToMessagesOlderThanOneHourReached:
		if len(l.old) >= maxBuckets {
			clear(l.old) // another refusal tells it again
		}
		l.old[b.key.major] = later(l.old[b.key.major], now.Add(after))
	default:
		b.held = later(b.held, now.Add(after))
		l.pacer.Hold(b.budget, after)
	}
}

// refused is for a refusal of a route that came with another status than 429.
func (l *limiter) refused(r route, code int, after time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.hold(l.bucket(r), code, after, false, time.Now())
}

// oldEdits is how long messages older than an hour must not be edited in a channel.
func (l *limiter) oldEdits(channel string) time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	wait := time.Until(l.old[channel])
	if wait <= 0 {
		delete(l.old, channel)
	}
	return wait
}
