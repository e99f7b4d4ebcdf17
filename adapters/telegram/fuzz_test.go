package telegram_test

import (
	"encoding/json"
	"log/slog"
	"net/http"
	"strings"
	"testing"

	"github.com/clickai/bridge/adapters/telegram"
	"github.com/clickai/bridge/core"
)

// FuzzAnswer: whatever answers in Telegram's place, a call ends in JSON or in a bounded error, which never shows the token.
func FuzzAnswer(f *testing.F) {
	const token = "7000000001:AAplanted0815planted0815"
	p, err := telegram.New("acme", telegram.Config{Token: token, APIURL: telegram.DefaultAPIURL}, slog.New(slog.DiscardHandler))
	if err != nil {
		f.Fatal(err)
	}
	for _, s := range []string{
		`{"ok":true,"result":{"message_id":1,"chat":{"id":-5}}}`, `{"ok":true,"result":[]}`, `{"ok":true}`, `{"ok":false,"error_code":429,"description":"x","parameters":{"retry_after":1e300}}`,
		`{"ok":false,"error_code":400,"description":"group chat was upgraded","parameters":{"migrate_to_chat_id":-1001}}`, `{"ok":null}`, `<html>`, "", "{", `{"ok":false,"description":"` + token + `"}`,
	} {
		f.Add(200, "30", []byte(s))
		f.Add(502, "x", []byte(s))
	}
	f.Fuzz(func(t *testing.T, status int, retryAfter string, body []byte) {
		result, err := telegram.Answer(p, status, http.Header{"Retry-After": {retryAfter}}, body)
		if err == nil {
			if len(result) > 0 && !json.Valid(result) {
				t.Errorf("result %q", result)
			}
			return
		}
		if wait := core.RetryAfterOf(err); wait < 0 || wait.Hours() > 24 {
			t.Errorf("wait %s", wait)
		}
		if said := err.Error(); len(said) > 8<<10 || strings.Contains(said, token) {
			t.Errorf("error of %d bytes: %.200s", len(said), said)
		}
	})
}
