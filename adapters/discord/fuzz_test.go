package discord_test

import (
	"net/http"
	"testing"

	"github.com/clickai/bridge/adapters/discord"
	"github.com/clickai/bridge/core"
)

// FuzzFailure: whatever refuses a request in Discord's place becomes a bounded error.
func FuzzFailure(f *testing.F) {
	for _, s := range []string{
		`{"code":50013,"message":"Missing Permissions"}`, `{"code":50035,"message":"Invalid Form Body","errors":{"content":{"_errors":[{"code":"BASE_TYPE_MAX_LENGTH","message":"x"}]}}}`,
		`{"retry_after":1e300,"global":true}`, `{"retry_after":-5}`, `{"errors":[[[]]]}`, `{"code":"x","message":{}}`, `<html>`, "", "{", "null",
	} {
		f.Add(403, "30", s, false)
		f.Add(429, "NaN", s, true)
		f.Add(502, "1e400", s, true)
	}
	f.Fuzz(func(t *testing.T, status int, retryAfter, body string, inThread bool) {
		if status < 300 || status > 999 {
			return // not a failure
		}
		err := discord.Failure(status, http.Header{"Retry-After": {retryAfter}}, body, inThread)
		if err == nil {
			t.Fatalf("%d is taken for success", status)
		}
		if wait := core.RetryAfterOf(err); wait < 0 {
			t.Errorf("wait %s", wait)
		}
		if len(err.Error()) > 8<<10 {
			t.Errorf("an error of %d bytes", len(err.Error()))
		}
	})
}
