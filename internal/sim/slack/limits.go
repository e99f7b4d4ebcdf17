package slack

import (
	"math"
	"time"
)

// Rate is a token bucket: PerMinute tokens come back evenly over a minute, and Burst fit in.
type Rate struct {
	PerMinute float64
	Burst     float64
}

// Limits are the rate limits, each for one method, app and workspace.
// Source: https://docs.slack.dev/apis/web-api/rate-limits (figures); the bursts are this package's choice.
type Limits struct {
	Tier1, Tier2, Tier3, Tier4 Rate
	// Post is chat.postMessage in one channel ("one message per second per channel", short bursts allowed),
	// PostAll the same over the workspace ("several hundred messages per minute").
	Post, PostAll Rate
	// Status is assistant.threads.setStatus, setTitle and setSuggestedPrompts, whose limit is "special" and has no
	// published figure.
	Status Rate
	// Special is for the other methods without a figure: auth.test and chat.getPermalink.
	Special Rate
}

// DefaultLimits are the documented rates with small bursts.
func DefaultLimits() Limits {
	return Limits{
		Tier1:   Rate{1, 2},
		Tier2:   Rate{20, 10},
		Tier3:   Rate{50, 20},
		Tier4:   Rate{100, 50},
		Post:    Rate{60, 4},
		PostAll: Rate{600, 120},
		Status:  Rate{600, 60},
		Special: Rate{600, 60},
	}
}

func (l Limits) withDefaults() Limits {
	d := DefaultLimits()
	def(&l.Tier1, d.Tier1)
	def(&l.Tier2, d.Tier2)
	def(&l.Tier3, d.Tier3)
	def(&l.Tier4, d.Tier4)
	def(&l.Post, d.Post)
	def(&l.PostAll, d.PostAll)
	def(&l.Status, d.Status)
	def(&l.Special, d.Special)
	return l
}

// Limits are the rate limits in force, scaled by Options.LimitScale.
func (s *Server) Limits() Limits {
	l := s.opt.Limits
	for _, r := range []*Rate{&l.Tier1, &l.Tier2, &l.Tier3, &l.Tier4, &l.Post, &l.PostAll, &l.Status, &l.Special} {
		r.PerMinute *= s.opt.LimitScale
		r.Burst = max(r.Burst*s.opt.LimitScale, 1)
	}
	return l
}

// tier names a Rate of Limits.
type tier int

const (
	tier1 tier = iota + 1
	tier2
	tier3
	tier4
	tierPost
	tierPostAll
	tierStatus
	tierSpecial
)

func (l Limits) rate(t tier) Rate {
	switch t {
	case tier1:
		return l.Tier1
	case tier2:
		return l.Tier2
	case tier3:
		return l.Tier3
	case tier4:
		return l.Tier4
	case tierPost:
		return l.Post
	case tierPostAll:
		return l.PostAll
	case tierStatus:
		return l.Status
	default:
		return l.Special
	}
}

// bucketKey is what one bucket counts for. There are as many as methods and channels, so their number is bounded.
type bucketKey struct{ method, channel string }

type bucket struct {
	tokens float64
	last   time.Time
}

// demand is one token of one bucket.
type demand struct {
	key  bucketKey
	tier tier
}

// takeLocked takes one token from each bucket, or none and says how long until all have one.
func (s *Server) takeLocked(now time.Time, want ...demand) (time.Duration, bool) {
	var wait time.Duration
	for _, d := range want {
		r := s.opt.Limits.rate(d.tier)
		perSecond := r.PerMinute * s.opt.LimitScale / 60
		size := max(r.Burst*s.opt.LimitScale, 1)
		b := s.buckets[d.key]
		if b == nil {
			b = &bucket{tokens: size, last: now}
			s.buckets[d.key] = b
		}
		b.tokens = min(size, b.tokens+now.Sub(b.last).Seconds()*perSecond)
		b.last = now
		if b.tokens < 1 {
			wait = max(wait, time.Duration((1-b.tokens)/perSecond*float64(time.Second)))
		}
	}
	if wait > 0 {
		return wait, false
	}
	for _, d := range want {
		s.buckets[d.key].tokens--
	}
	return 0, true
}

// retryAfter is the header's value: whole seconds, at least one.
func retryAfter(wait time.Duration) int { return max(1, int(math.Ceil(wait.Seconds()))) }
