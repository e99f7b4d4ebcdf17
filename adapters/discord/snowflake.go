package discord

import (
	"strconv"
	"time"
)

// snowflake is one of Discord's ids: milliseconds since 2015 in its upper bits, so larger is later.
// Source: https://docs.discord.com/developers/reference#snowflakes
type snowflake uint64

const discordEpoch = 1420070400000 // Unix milliseconds

// parseID reads an id; ok is false for anything that is not one. Ids become parts of request paths, so nothing else may.
func parseID(s string) (id snowflake, ok bool) {
	if len(s) == 0 || len(s) > 20 {
		return 0, false
	}
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return 0, false
		}
	}
	n, err := strconv.ParseUint(s, 10, 64)
	return snowflake(n), err == nil && n != 0
}

func isID(s string) bool {
	_, ok := parseID(s)
	return ok
}

// idOf is parseID, with 0 for what is no id.
func idOf(s string) snowflake {
	id, ok := parseID(s)
	if !ok {
		return 0
	}
	return id
}

func (id snowflake) String() string { return strconv.FormatUint(uint64(id), 10) }

func (id snowflake) time() time.Time {
	return time.UnixMilli(int64(id>>22) + discordEpoch).UTC()
}

// idAt is the least id of its millisecond; 0 for times before Discord's epoch.
func idAt(t time.Time) snowflake {
	ms := t.UnixMilli() - discordEpoch
	if ms <= 0 {
		return 0
	}
	return snowflake(ms) << 22
}
