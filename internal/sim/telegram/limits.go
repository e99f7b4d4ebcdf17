package telegram

import (
	"math"
	"time"
)

// The documented limits, and the bursts that this server allows: see the package documentation.
const (
	ChatPerSecond    = 1
	ChatBurst        = 3
	GroupPerMinute   = 20
	OverallPerSecond = 30
)

// groupSlack is taken off the minute of a group, so that the way of a request on the network does not decide.
const groupSlack = 500 * time.Millisecond

// bucket is a token bucket.
type bucket struct {
	rate, burst float64 // a second; tokens
	tokens      float64
	at          time.Time
}

func newBucket(rate, burst float64) bucket { return bucket{rate: rate, burst: burst, tokens: burst} }

// wait is how long until n tokens are there.
func (b *bucket) wait(now time.Time, n int) time.Duration {
	if !b.at.IsZero() {
		b.tokens = min(b.burst, b.tokens+now.Sub(b.at).Seconds()*b.rate)
	}
	b.at = now
	if missing := min(float64(n), b.burst) - b.tokens; missing > 1e-9 {
		return time.Duration(missing / b.rate * float64(time.Second))
	}
	return 0
}

// chatLimit is what one chat has used. The zero value is not ready: see newChatLimit.
type chatLimit struct {
	bucket  bucket
	group   bool
	window  time.Duration // the minute of a group, scaled
	recent  []time.Time   // in a group: what was taken within window
	blocked time.Time     // refused until then
	excused time.Time     // until then the next refusal is no fault of the bot
}

func newChatLimit(scale float64, group bool) *chatLimit {
	return &chatLimit{
		bucket: newBucket(ChatPerSecond*scale, ChatBurst), group: group,
		window: time.Duration(float64(time.Minute-groupSlack) / scale),
	}
}

// overallLimit is what the bot has used in all chats.
type overallLimit struct {
	bucket  bucket
	blocked time.Time
}

func newOverallLimit(scale float64) *overallLimit {
	return &overallLimit{bucket: newBucket(OverallPerSecond*scale, OverallPerSecond)}
}

// take counts n messages, or returns in how many whole seconds to try again, and why.
func take(now time.Time, all *overallLimit, c *chatLimit, n int) (retryAfter int, why string) {
	if wait := max(c.blocked.Sub(now), all.blocked.Sub(now)); wait > 0 {
		return ceilSeconds(wait), "sent again before retry_after was over"
	}
	if wait := all.bucket.wait(now, n); wait > 0 {
		retryAfter = ceilSeconds(wait)
		all.blocked = now.Add(time.Duration(retryAfter) * time.Second)
		return retryAfter, "over 30 messages a second in all chats"
	}
	wait, why := c.bucket.wait(now, n), "over one message a second in a chat"
	if c.group {
		fresh := 0
		for fresh < len(c.recent) && now.Sub(c.recent[fresh]) >= c.window {
			fresh++
		}
		c.recent = c.recent[fresh:]
		if over := len(c.recent) + n - GroupPerMinute; over > 0 {
			over = min(over, len(c.recent))
			if w := c.recent[over-1].Add(c.window).Sub(now); w > wait {
				wait, why = w, "over 20 messages a minute in a group"
			}
		}
	}
	if wait > 0 {
		retryAfter = ceilSeconds(wait)
		c.blocked = now.Add(time.Duration(retryAfter) * time.Second)
		return retryAfter, why
	}
	all.bucket.tokens -= float64(n)
	c.bucket.tokens -= float64(n)
	if c.group {
		for range n {
			c.recent = append(c.recent, now)
		}
	}
	return 0, ""
}

// Flood refuses, for so long from now, all that counts against the limits of a chat, as Telegram does now and then for
// reasons of its own. The first call that meets it has done nothing wrong; those that follow before the time is over are
// violations.
func (s *Server) Flood(room string, d time.Duration) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	c, err := s.room(room)
	if err != nil {
		return err
	}
	c.limit.blocked = time.Now().Add(d)
	c.limit.excused = c.limit.blocked
	return nil
}

func ceilSeconds(d time.Duration) int { return max(1, int(math.Ceil(d.Seconds()))) }
