package discord

import (
	"cmp"
	"fmt"
	"net/http"
	"strings"
	"time"
)

// bucketKey names a bucket: Discord's hash, or the route's name while that is not known, and the channel or server.
type bucketKey struct {
	id, major string
}

// size is how many requests a bucket takes in a window of time. A window begins with the first request in it.
type size struct {
	count int
	per   time.Duration
}

// bucket is one route bucket with one channel or server. It belongs to limiter.mu.
type bucket struct {
	key    bucketKey
	spread int // of refreshes: pace.Rule.Spread
	size   size
	budget string  // its name at the pacer; another one when its key or size changes
	into   *bucket // it was found to be the same as this one

	waiting map[*waiter]struct{} // for a turn of budget
	granted []time.Time          // turns that Pace gave for calls that have not begun
	flying  int                  // requests without an answer
	seq     int                  // counts the requests

	used  int // of the window that ends at reset, as far as answers have told
	reset time.Time
	held  time.Time // no request before this
}

// bucket finds the bucket that r is in, as far as is known.
func (l *limiter) bucket(r route) *bucket {
	k := bucketKey{id: l.idOf(r), major: r.major}
	b := l.buckets[k]
	if b == nil {
		if len(l.buckets) >= maxBuckets {
			l.sweep(time.Now())
		}
		b = &bucket{key: k, waiting: map[*waiter]struct{}{}}
		if !strings.HasPrefix(r.name, http.MethodGet) {
			b.spread = 1 // what people see comes evenly
		}
		l.buckets[k] = b
	}
	l.rename(b)
	return b
}

func (l *limiter) idOf(r route) string {
	if id, ok := l.other[r]; ok {
		return id
	}
	return cmp.Or(l.usual[r.name], r.name)
}

func (l *limiter) sizeOf(id string) size {
	if s, ok := l.sizes[id]; ok {
		return s
	}
	return size{count: firstCount, per: firstPer}
}

// sweep frees the buckets that hold nothing worth knowing.
func (l *limiter) sweep(now time.Time) {
	for k, b := range l.buckets {
		if len(b.waiting) == 0 && b.flying == 0 && len(b.fresh(now)) == 0 && !later(b.reset, b.held).After(now) {
			delete(l.buckets, k)
		}
	}
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// found notes in which of Discord's buckets a route is, and returns that.
func (l *limiter) found(r route, b *bucket, id string) *bucket {
	known, ok := l.usual[r.name]
	switch {
	case !ok:
		l.usual[r.name] = id
		for k, o := range l.buckets {
			if k.id == r.name && o != b {
				l.move(o, id)
			}
		}
	case known == id:
		delete(l.other, r)
	case l.other[r] != id:
		if len(l.other) >= maxBuckets {
			clear(l.other) // learnt again with the next answers
			clear(l.usual)
		}
		l.other[r] = id
	}
	if b.key.id == id {
		return b
	}
	return l.move(b, id)
}

// move gives a bucket another id. If that one exists, they become one.
func (l *limiter) move(b *bucket, id string) *bucket {
	delete(l.buckets, b.key)
	k := bucketKey{id: id, major: b.key.major}
	to := l.buckets[k]
	if to == nil {
		b.key, b.budget = k, ""
		l.buckets[k] = b
		l.rename(b)
		return b
	}
	b.into, b.budget = to, ""
	to.flying += b.flying
	to.granted = append(to.granted, b.granted...)
	b.wake()
	if wait := time.Until(b.held); wait > 0 {
		l.hold(to, 0, wait, false, time.Now())
	}
	return to
}

// wake makes all who wait for a turn of the bucket ask again.
func (b *bucket) wake() {
	for w := range b.waiting {
		w.cancel(errMoved)
	}
}

// rename gives a bucket the budget that fits its key and size, if it has another one. Its name holds all that ruleOf needs, since
// that must not lock the limiter. What is known of the bucket goes along.
func (l *limiter) rename(b *bucket) {
	now, s := time.Now(), l.sizeOf(b.key.id)
	if b.budget != "" && b.size == s {
		return
	}
	b.size, b.budget = s, fmt.Sprintf("%d/%d/%d %s %s", s.count, s.per.Milliseconds(), b.spread, b.key.id, b.key.major)
	b.wake()
	if wait := b.held.Sub(now); wait > 0 {
		l.pacer.Hold(b.budget, wait)
	}
	l.tell(b, now)
}

// measure learns a bucket's size. How long its window is, is told by the first answer in it.
func (l *limiter) measure(b *bucket, t told) {
	s, known := l.sizes[b.key.id]
	switch {
	case t.limit <= 0 || t.after <= 0 || t.after > maxWindow:
		return
	case !known || s.count != t.limit, t.after > s.per:
	case t.remaining == t.limit-1 && t.after < s.per*4/5: // it has become shorter; a little less is the way on the network
	default:
		return
	}
	if len(l.sizes) >= maxBuckets {
		clear(l.sizes)
	}
	const step = 100 * time.Millisecond // so that jitter does not make it a new size each time
	l.sizes[b.key.id] = size{count: t.limit, per: (t.after + step - 1).Truncate(step)}
	l.rename(b)
	for o := range l.queued { // the others when they are used next
		if o.key.id == b.key.id {
			l.rename(o)
		}
	}
}

// rounding is what X-RateLimit-Reset-After may be too short by: it is told in thousandths of a second.
const rounding = time.Millisecond

// count learns what is left of a bucket's window. exact says that no other request overlapped the one that told it.
func (l *limiter) count(b *bucket, t told, exact bool, now time.Time) {
	s := l.sizeOf(b.key.id)
	used, reset := s.count-t.remaining, now.Add(t.after+rounding)
	if t.limit > 0 {
		used = t.limit - t.remaining
	}
	switch another := s.per / 2; {
	case exact, reset.After(b.reset.Add(another)):
		b.used, b.reset = used, reset
	case reset.Before(b.reset.Add(-another)): // an answer that was long on its way
	default:
		b.used, b.reset = max(b.used, used), later(b.reset, reset)
	}
	l.tell(b, now)
}

// tell tells the pacer what is left.
func (l *limiter) tell(b *bucket, now time.Time) {
	if b.reset.After(now) {
		left := l.sizeOf(b.key.id).count - b.used - b.flying - len(b.fresh(now))
		l.pacer.Learn(b.budget, left, b.reset.Sub(now))
	}
}
