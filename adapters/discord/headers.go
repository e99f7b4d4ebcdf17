package discord

import (
	"encoding/json"
	"math"
	"net/http"
	"strconv"
	"time"
)

// told is what an answer's headers tell of its route's bucket.
// Source: https://docs.discord.com/developers/topics/rate-limits#header-format
type told struct {
	bucket    string        // "" if not told
	limit     int           // 0 if not told
	remaining int           //
	after     time.Duration // until the window ends
}

// maxHash is the longest name of a bucket, in bytes, that is taken.
const maxHash = 100

// readHeaders reads them; false if they do not tell what is left. Values that are out of their range are passed over.
func readHeaders(h http.Header) (told, bool) {
	after, ok := seconds(h.Get("X-RateLimit-Reset-After"))
	remaining, err := strconv.Atoi(h.Get("X-RateLimit-Remaining"))
	if !ok || err != nil || remaining < 0 {
		return told{}, false
	}
	t := told{remaining: remaining, after: after}
	if n, err := strconv.Atoi(h.Get("X-RateLimit-Limit")); err == nil && n > 0 && n <= maxLimit {
		t.limit = n
		t.remaining = min(remaining, n)
	}
	if hash := h.Get("X-RateLimit-Bucket"); hash != "" && len(hash) <= maxHash {
		t.bucket = "=" + hash // no route has such a name
	}
	return t, true
}

// rateLimited reads how long a 429 asks to wait, and whether it concerns every request of the bot. A body that is not
// Discord's own comes from the protection in front of it, which judges by address: that concerns every request.
func rateLimited(ex *exchange) (after time.Duration, global bool) {
	var body struct {
		Message    *string `json:"message"`
		RetryAfter float64 `json:"retry_after"`
		Global     bool    `json:"global"`
	}
	own := json.Unmarshal(ex.body, &body) == nil && body.Message != nil
	after, ok := secondsOf(body.RetryAfter), own && body.RetryAfter > 0
	if !ok {
		after, ok = seconds(ex.header.Get("Retry-After"))
	}
	if !ok {
		after = 5 * time.Second
	}
	return after, !own || body.Global || ex.header.Get("X-RateLimit-Global") == "true"
}

// errorCode is Discord's own code in an error's body; 0 if there is none.
func errorCode(ex *exchange) int {
	var body struct {
		Code int `json:"code"`
	}
	if json.Unmarshal(ex.body, &body) != nil {
		return 0
	}
	return body.Code
}

func seconds(s string) (time.Duration, bool) {
	f, err := strconv.ParseFloat(s, 64)
	if err != nil || math.IsNaN(f) || f < 0 {
		return 0, false
	}
	return secondsOf(f), true
}

// secondsOf is bounded by a day: no limit of Discord is longer, and a sum with the time must not overflow.
func secondsOf(f float64) time.Duration {
	if math.IsNaN(f) || f < 0 {
		return 0
	}
	return time.Duration(min(f, 24*3600) * float64(time.Second))
}
