package discord_test

import (
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/clickai/bridge/adapters/discord"
)

// FuzzHeaders: whatever an answer says, the next request gets its turn, within the day that is the most that is believed.
func FuzzHeaders(f *testing.F) {
	f.Add(200, "hash", "5", "4", "5.000", `{"id":"1"}`)
	f.Add(200, "hash", "0", "-1", "1e300", "")
	f.Add(200, "", "99999999999999999999", "0", "NaN", "null")
	f.Add(429, "hash", "1", "0", "0.25", `{"message":"slow","retry_after":1e308,"global":true}`)
	f.Add(429, "hash", "1", "0", "Inf", `{"message":"slow","retry_after":-1,"code":30046}`)
	f.Add(429, "\x00", "1000", "1000", "86400", "<html>")
	f.Fuzz(func(t *testing.T, status int, bucket, limit, remaining, after, body string) {
		synctest.Test(t, func(t *testing.T) {
			l := discord.NewLimiter()
			h := http.Header{
				"X-Ratelimit-Bucket": {bucket}, "X-Ratelimit-Limit": {limit}, "X-Ratelimit-Remaining": {remaining},
				"X-Ratelimit-Reset-After": {after}, "Retry-After": {after},
			}
			for _, at := range []string{"POST messages 1", "PATCH message 1", "POST messages 1"} {
				began := time.Now()
				done, err := l.Take(t.Context(), at, 1000*time.Hour)
				if err != nil {
					t.Fatal(err)
				}
				if waited := time.Since(began); waited > 25*time.Hour {
					t.Errorf("waited %v", waited)
				}
				done(status, h, body)
			}
		})
	})
}
