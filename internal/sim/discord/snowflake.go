package discord

import (
	"strconv"
	"time"
)

// epoch is the first millisecond of Discord's ids.
// Source: https://docs.discord.com/developers/reference#snowflakes
const epoch = 1420070400000

// snowflakes makes ids that rise with time and never repeat, even when the clock stands still or jumps back.
type snowflakes struct{ last uint64 }

// next is a new id. The caller holds the server's lock.
func (f *snowflakes) next(now time.Time) string {
	id := uint64(max(now.UnixMilli()-epoch, 0)) << 22
	if id <= f.last {
		id = f.last + 1
	}
	f.last = id
	return strconv.FormatUint(id, 10)
}

// isSnowflake tells whether s has the form of an id.
func isSnowflake(s string) bool {
	if len(s) < 15 || len(s) > 20 {
		return false
	}
	_, err := strconv.ParseUint(s, 10, 64)
	return err == nil
}

// before compares two ids by age.
func before(a, b string) bool {
	x, _ := strconv.ParseUint(a, 10, 64)
	y, _ := strconv.ParseUint(b, 10, 64)
	return x < y
}
