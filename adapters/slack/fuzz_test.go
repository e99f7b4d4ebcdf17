package slack_test

import (
	"net/http"
	"testing"

	"github.com/clickai/bridge/adapters/slack"
	"github.com/clickai/bridge/core"
)

// FuzzAnswer: whatever answers in Slack's place, a call ends in success or in a bounded error; success is what says so.
func FuzzAnswer(f *testing.F) {
	for _, s := range []string{
		`{"ok":true}`, `{"ok":false,"error":"channel_not_found"}`, `{"ok":false,"error":""}`, `{"ok":"yes"}`, `{"ok":false,"error":"missing_scope","needed":"a,b","provided":"c","response_metadata":{"messages":["[ERROR] x"]}}`,
		`<html>`, "", "[]", "null", `{"ok":false,"error":["x"],"response_metadata":7}`,
	} {
		f.Add(200, "30", []byte(s))
		f.Add(429, "-1", []byte(s))
		f.Add(503, "1e400", []byte(s))
	}
	f.Fuzz(func(t *testing.T, status int, retryAfter string, body []byte) {
		if status == 0 {
			return // no answer at all
		}
		err := slack.Judge(status, http.Header{"Retry-After": {retryAfter}}, body)
		if err == nil {
			if status == http.StatusTooManyRequests {
				t.Error("a refusal is taken for success")
			}
			return
		}
		if wait := core.RetryAfterOf(err); wait < 0 || wait.Hours() > 1 {
			t.Errorf("wait %s", wait)
		}
		if len(err.Error()) > 8<<10 {
			t.Errorf("an error of %d bytes", len(err.Error()))
		}
	})
}
