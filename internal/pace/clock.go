package pace

import (
	"math"
	"time"
)

// instant is a time in nanoseconds since the Pacer was made, on the monotonic clock; or what a budget's clock reads.
type instant int64

// Bounds that keep sums of instants from overflowing. What lies beyond them is decades away.
const (
	far     = 1 << 61 // nanoseconds
	longest = 1 << 60 // nanoseconds, of a duration that a caller gives
)

func (t instant) plus(d time.Duration) instant {
	return min(max(t+instant(d), -far), far)
}

func (t instant) until(u instant) time.Duration { return time.Duration(u - t) }

// times is d*n within ±far. d is not negative.
func times(d time.Duration, n int) time.Duration {
	switch {
	case d <= 0 || n == 0:
		return 0
	case n > 0 && time.Duration(n) > far/d:
		return far
	case n < 0 && time.Duration(n) < -far/d:
		return -far
	}
	return d * time.Duration(n)
}

// part is d/n rounded up, so that n parts are never less than d. Both are positive.
func part(d time.Duration, n int) time.Duration { return (d-1)/time.Duration(n) + 1 }

// stretch is d/speed rounded up, within far.
func stretch(d time.Duration, speed float64) time.Duration {
	if f := math.Ceil(float64(d) / speed); f < far {
		return time.Duration(f)
	}
	return far
}

// clock is a budget's own time, which a refusal slows down. A rule that holds on this clock holds on the real one too,
// since it never runs faster, and nothing that is reckoned on it has to be reckoned anew while the speed changes.
//
// Up to the end of a hold it runs like the real one. From then on it runs at the lowered speed, which rises evenly.
type clock struct {
	since instant // real time
	ticks instant // what it reads then
	speed float64 // from then on
}

// recovery is how long it takes from since until the clock runs at full speed, and how far it gets in that time.
func (c *clock) recovery() (whole, gain time.Duration) {
	d := (1 - c.speed) * float64(recoverTime)
	return time.Duration(math.Ceil(d)), time.Duration(d * (1 + c.speed) / 2)
}

func (c *clock) read(now instant) instant {
	x := c.since.until(now)
	if x <= 0 || c.speed >= 1 {
		return c.ticks.plus(x)
	}
	slow, gain := c.recovery()
	if x >= slow {
		return c.ticks.plus(gain + x - slow)
	}
	return c.ticks.plus(min(gain, c.gain(x)))
}

// gain is what the clock gains in the first x of its recovery.
func (c *clock) gain(x time.Duration) time.Duration {
	f := float64(x)
	return time.Duration(f * (c.speed + f/(2*float64(recoverTime))))
}

// when is the first real time at which the clock reads ticks or more.
func (c *clock) when(ticks instant) instant {
	y := c.ticks.until(ticks)
	if y <= 0 || c.speed >= 1 {
		return c.since.plus(y)
	}
	slow, gain := c.recovery()
	if y > gain {
		return c.since.plus(slow + y - gain)
	}
	// Solve gain(x) = y, then mend the last digit.
	f := 2 * float64(y) / (c.speed + math.Sqrt(c.speed*c.speed+2*float64(y)/float64(recoverTime)))
	x := min(time.Duration(f), slow)
	for x > 0 && c.gain(x-1) >= y {
		x--
	}
	for x < slow && c.gain(x) < y {
		x++
	}
	return c.since.plus(x)
}

// speedAt is how fast the clock runs.
func (c *clock) speedAt(now instant) float64 {
	if c.speed >= 1 || now <= c.since {
		return c.speed
	}
	return min(1, c.speed+float64(now-c.since)/float64(recoverTime))
}

// tidy forgets a recovery that is over, to make reading cheap again.
func (c *clock) tidy(now instant) {
	if c.speed < 1 && c.speedAt(now) == 1 {
		*c = clock{since: now, ticks: c.read(now), speed: 1}
	}
}

// slow makes the clock run at speed from the time from on, and like the real one until then.
func (c *clock) slow(now, from instant, speed float64) {
	*c = clock{since: from, ticks: c.read(now).plus(now.until(from)), speed: speed}
}
