package pace

import (
	"math/rand/v2"
	"testing"
	"time"
)

// The clock is not part of the API, and an error of a nanosecond in it would not be seen from outside.
func TestClock(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 200 {
		now := instant(r.Int64N(int64(time.Hour)))
		c := clock{since: now, ticks: now, speed: 1}
		for range 1 + r.IntN(3) { // slowed while it recovers from being slowed
			c.slow(now, now.plus(time.Duration(r.Int64N(int64(time.Minute)))), max(lowest, c.speedAt(now)*lowerBy))
			now = now.plus(time.Duration(r.Int64N(int64(2 * time.Minute))))
		}
		ends := c.since.plus(recoverTime)
		for range 500 {
			at := now.plus(time.Duration(r.Int64N(int64(ends-now) + int64(time.Minute))))
			read := c.read(at)
			step := time.Duration(r.Int64N(int64(time.Duration(1) << r.IntN(36))))
			if gain := read.until(c.read(at.plus(step))); gain < 0 || gain > step {
				t.Fatalf("%+v: gains %d in %d from %d on", c, gain, step, at)
			}
			ticks := read.plus(step)
			when := c.when(ticks)
			if c.read(when) < ticks || c.read(when-1) >= ticks {
				t.Fatalf("%+v: when(%d) = %d, but reads %d then and %d before", c, ticks, when, c.read(when), c.read(when-1))
			}
			tidy := c
			if tidy.tidy(at); tidy.read(at.plus(step)) != c.read(at.plus(step)) {
				t.Fatalf("%+v: tidying changed it to %+v", c, tidy)
			}
		}
		if got := c.speedAt(ends); got != 1 {
			t.Fatalf("%+v: speed %v in the end", c, got)
		}
	}
}

func TestClockSpeed(t *testing.T) {
	c := clock{speed: 1}
	c.slow(0, instant(10*time.Second), 0.4)
	for _, tt := range []struct{ at, want time.Duration }{
		{0, 0},
		{10 * time.Second, 10 * time.Second},
		{160 * time.Second, 107500 * time.Millisecond}, // 150 s at 0.4 to 0.9
		{190 * time.Second, 136 * time.Second},         // 30 s at 0.9 to 1
		{290 * time.Second, 236 * time.Second},
	} {
		if got := time.Duration(c.read(instant(tt.at))); got > tt.want || got < tt.want-1 { // rounded down
			t.Errorf("after %v it reads %v, want %v", tt.at, got, tt.want)
		}
	}
}
