package core

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"runtime/debug"
	"strconv"
	"sync"
	"time"
	"unicode/utf8"
)

// sleep waits; false if ctx ended first.
func sleep(ctx context.Context, d time.Duration) bool {
	if d <= 0 {
		return ctx.Err() == nil
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// backoff doubles from first to most, with full jitter over the upper half so that waits are spread and never near zero.
type backoff struct{ first, most, cur time.Duration }

func newBackoff(first, most time.Duration) *backoff { return &backoff{first: first, most: most} }

func (b *backoff) next() time.Duration {
	if b.cur == 0 {
		b.cur = b.first
	} else {
		b.cur = min(b.cur*2, b.most)
	}
	half := b.cur / 2
	return half + rand.N(half+1)
}

func (b *backoff) reset() { b.cur = 0 }

// rateByKey allows so many things in a sliding time for each key. It holds at most maxKeys keys; when there are more, all
// that have expired are dropped, and if none has, new keys are let through uncounted: a limit on abuse is no reason to
// turn people away.
type rateByKey struct {
	limit PerTime
	mu    sync.Mutex
	seen  map[string][]time.Time
}

const maxRateKeys = 10_000

func newRateByKey(limit PerTime) *rateByKey {
	return &rateByKey{limit: limit, seen: map[string][]time.Time{}}
}

func (r *rateByKey) allow(key string, now time.Time) bool {
	if r.limit.Count == 0 {
		return true
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	times := r.fresh(r.seen[key], now)
	if len(times) >= r.limit.Count {
		r.seen[key] = times
		return false
	}
	if len(r.seen) >= maxRateKeys {
		for k, ts := range r.seen {
			if len(r.fresh(ts, now)) == 0 {
				delete(r.seen, k)
			}
		}
		if len(r.seen) >= maxRateKeys {
			return true
		}
	}
	r.seen[key] = append(times, now)
	return true
}

// giveBack undoes the last allow of key.
func (r *rateByKey) giveBack(key string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if times := r.seen[key]; len(times) > 1 {
		r.seen[key] = times[:len(times)-1]
	} else {
		delete(r.seen, key)
	}
}

func (r *rateByKey) fresh(times []time.Time, now time.Time) []time.Time {
	for len(times) > 0 && now.Sub(times[0]) >= r.limit.Per {
		times = times[1:]
	}
	return times
}

// clip cuts s to at most n bytes at a character.
func clip(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n]
}

// turnID is a short reference made from the key of the first event that a turn answers, so that it is the same when the
// turn is taken up after a restart.
func turnID(eventKey string) string {
	sum := sha256.Sum256([]byte(eventKey))
	return hex.EncodeToString(sum[:4])
}

// nonce is the idempotency key of the n-th message of a reply; at most 25 characters, as Discord wants it.
func nonce(eventKey string, n int) string {
	sum := sha256.Sum256([]byte(eventKey))
	return hex.EncodeToString(sum[:9]) + "x" + strconv.Itoa(n%100000)
}

// lastWrite is a context for a write that has to be made although work may have ended: the store closes last.
func lastWrite(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
}

// safely runs f and returns its panic as an error, which it logs: one bad answer must not end the process, which would
// meet it again after its restart.
func safely(log *slog.Logger, f func()) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = panicError(r)
			log.Error("panicked", slog.Any("err", err))
		}
	}()
	f()
	return nil
}

func panicError(r any) error {
	return fmt.Errorf("panic: %v\n%s", r, debug.Stack())
}
