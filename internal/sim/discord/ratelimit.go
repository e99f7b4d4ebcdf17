package discord

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"hash/fnv"
	"math"
	"net/http"
	"strconv"
	"time"

	"github.com/clickai/bridge/internal/sim"
)

// limit is one bucket's size.
type limit struct {
	name string
	n    int
	per  time.Duration
}

// The buckets. Discord publishes only the global one (50 a second:
// https://docs.discord.com/developers/topics/rate-limits#global-rate-limit) and tells the rest in headers; these are
// the figures that its headers are commonly seen to carry.
var (
	limitGlobal    = limit{"global", 50, time.Second}
	limitPost      = limit{"post message", 5, 5 * time.Second}
	limitEdit      = limit{"edit message", 5, 5 * time.Second}
	limitDelete    = limit{"delete message", 5, time.Second}
	limitBulk      = limit{"bulk delete", 1, time.Second}
	limitHistory   = limit{"get messages", 10, 5 * time.Second}
	limitMessage   = limit{"get message", 5, time.Second}
	limitReactions = limit{"reactions", 1, 250 * time.Millisecond}
	limitTyping    = limit{"typing", 5, 5 * time.Second}
	limitThreads   = limit{"start thread", 50, 5 * time.Minute}
	limitChannel   = limit{"modify channel", 5, 15 * time.Second}
	limitDM        = limit{"create dm", 10, 10 * time.Second}
	limitWebhook   = limit{"webhook", 5, 2 * time.Second}
	limitCommands  = limit{"commands", 5, 20 * time.Second}
	limitRead      = limit{"read", 50, 5 * time.Second}
	// A channel or thread can be renamed twice in ten minutes; the headers do not tell.
	limitRename = limit{"rename channel", 2, 10 * time.Minute}
)

// Edits of messages that are older than an hour have a limit of their own (30046). Its size is not published.
const (
	oldMessage     = time.Hour
	oldEditsAllow  = 5
	oldEditsWindow = time.Hour
)

// Allowance is how many calls fit into a window, which begins with the first one in it.
type Allowance struct {
	Calls  int
	Window time.Duration
}

// Limits are the limits of what an answer needs most, scaled by Options.RateScale. Post and Edit hold for each channel.
type Limits struct{ Global, Post, Edit Allowance }

// Limits are the limits in force.
func (s *Server) Limits() Limits {
	of := func(l limit) Allowance { return Allowance{Calls: l.n, Window: s.limits.window(l.per)} }
	return Limits{Global: of(limitGlobal), Post: of(limitPost), Edit: of(limitEdit)}
}

const maxBuckets = 20000

type limiter struct {
	scale   float64
	buckets map[string]*bucket
}

type bucket struct {
	start time.Time
	used  int
}

func newLimiter(scale float64) *limiter {
	return &limiter{scale: scale, buckets: map[string]*bucket{}}
}

func (l *limiter) window(d time.Duration) time.Duration {
	return max(time.Duration(float64(d)*l.scale), 1)
}

// usage is a bucket's state after a request.
type usage struct {
	limit     limit
	ok        bool
	remaining int
	after     time.Duration // until the bucket is full again
	reset     time.Time
}

// take uses one request of a bucket. The window begins with the first request in it.
func (l *limiter) take(lim limit, major string, now time.Time) usage {
	key := lim.name + "|" + major
	b := l.buckets[key]
	per := l.window(lim.per)
	if b == nil {
		if len(l.buckets) >= maxBuckets {
			l.sweep(now)
		}
		b = &bucket{}
		l.buckets[key] = b
	}
	if b.start.IsZero() || now.Sub(b.start) >= per {
		b.start, b.used = now, 0
	}
	u := usage{limit: lim, reset: b.start.Add(per)}
	u.after = u.reset.Sub(now)
	if b.used < lim.n {
		b.used++
		u.ok = true
	}
	u.remaining = lim.n - b.used
	return u
}

// sweep forgets the buckets that are full again, at most the longest window old.
func (l *limiter) sweep(now time.Time) {
	longest := l.window(limitRename.per)
	for k, b := range l.buckets {
		if now.Sub(b.start) > longest {
			delete(l.buckets, k)
		}
	}
	if len(l.buckets) >= maxBuckets {
		clear(l.buckets)
	}
}

func seconds(d time.Duration) float64 { return math.Ceil(d.Seconds()*1000) / 1000 }

func decimals(f float64) string { return strconv.FormatFloat(f, 'f', 3, 64) }

// headers: https://docs.discord.com/developers/topics/rate-limits#header-format
func (u usage) headers(h http.Header) {
	sum := fnv.New64a()
	_, _ = sum.Write([]byte(u.limit.name))
	h.Set("X-RateLimit-Limit", strconv.Itoa(u.limit.n))
	h.Set("X-RateLimit-Remaining", strconv.Itoa(u.remaining))
	h.Set("X-RateLimit-Reset", decimals(float64(u.reset.UnixMilli())/1000))
	h.Set("X-RateLimit-Reset-After", decimals(seconds(u.after)))
	h.Set("X-RateLimit-Bucket", hex.EncodeToString(sum.Sum(nil)))
}

// limited is a 429: https://docs.discord.com/developers/topics/rate-limits#exceeding-a-rate-limit
func limited(h http.Header, after time.Duration, scope string, code int) []byte {
	h.Set("Content-Type", "application/json")
	h.Set("Retry-After", strconv.Itoa(int(math.Ceil(after.Seconds()))))
	h.Set("X-RateLimit-Scope", scope)
	message := "You are being rate limited."
	switch scope {
	case "global":
		h.Set("X-RateLimit-Global", "true")
	case "shared":
		message = "The resource is being rate limited."
	}
	body := map[string]any{"message": message, "retry_after": seconds(after), "global": scope == "global"}
	if code != 0 {
		body["code"] = code
		body["message"] = "Maximum number of edits to messages older than 1 hour reached. Try again later."
	}
	b, err := json.Marshal(body)
	if err != nil {
		panic(err)
	}
	return b
}

// RateLimited is a fault: the next requests that match get a 429 in Discord's own form, as when other clients used
// up the bucket. Scope is "user", "shared" or "global". It is no violation.
func RateLimited(match string, after time.Duration, times int, scope string) sim.Fault {
	h := http.Header{}
	body := limited(h, after, scope, 0)
	if scope != "global" {
		u := usage{limit: limit{match, 5, after}, after: after, reset: time.Now().Add(after)}
		u.headers(h)
	}
	return sim.Fault{Match: match, Times: times, Status: http.StatusTooManyRequests, Header: h, Body: string(body)}
}

// tryLimits takes from the global bucket and the route's own. It writes the 429 itself and reports false.
func (s *Server) tryLimits(w http.ResponseWriter, r *http.Request, rt *route, major string) bool {
	now := time.Now()
	s.mu.Lock()
	defer s.mu.Unlock()
	if !rt.interaction { // interaction endpoints are not bound to the global limit
		if u := s.limits.take(limitGlobal, "", now); !u.ok {
			s.refuse429(w, r, u, "global", 0)
			return false
		}
	}
	if rt.limit.n == 0 {
		return true
	}
	u := s.limits.take(rt.limit, major, now)
	u.headers(w.Header())
	if !u.ok {
		s.refuse429(w, r, u, "user", 0)
		return false
	}
	return true
}

// refuse429 answers and records it. The caller holds the lock.
func (s *Server) refuse429(w http.ResponseWriter, r *http.Request, u usage, scope string, code int) {
	body := limited(w.Header(), u.after, scope, code)
	w.WriteHeader(http.StatusTooManyRequests)
	_, _ = w.Write(body)
	s.opt.Observe.Tell(sim.Limited, sim.Ref{}, time.Now(), "")
	s.violate("429 %s %s: more than %d of %q in %s", r.Method, r.URL.Path, u.limit.n, u.limit.name, s.limits.window(u.limit.per))
}

// rateLimitError carries a 429 out of a handler.
type rateLimitError struct {
	u     usage
	scope string
	code  int
}

func (e *rateLimitError) Error() string { return fmt.Sprintf("rate limited for %s", e.u.after) }
