package telegram_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/clickai/bridge/core"
)

// TestTokenIsInNoError: the token is part of every address. Whatever a server answers, or does not, no error repeats it;
// newBot looks after the log.
func TestTokenIsInNoError(t *testing.T) {
	t.Parallel()
	answers := func(status int, body string) func(*testing.T) string {
		return func(t *testing.T) string {
			t.Helper()
			all := map[string]http.HandlerFunc{}
			for _, method := range []string{
				"getMe", "getUpdates", "getWebhookInfo", "deleteWebhook", "getFile", "sendMessage", "editMessageText", "deleteMessage",
				"sendChatAction", "sendDocument",
			} {
				all[method] = func(w http.ResponseWriter, r *http.Request) {
					_, _ = io.Copy(io.Discard, r.Body)
					w.WriteHeader(status)
					_, _ = io.WriteString(w, body)
				}
			}
			return fake(t, all)
		}
	}
	refusal := func(code int) string {
		return fmt.Sprintf(`{"ok":false,"error_code":%d,"description":"no: /bot%s/method"}`, code, token)
	}
	tests := []struct {
		name string
		api  func(t *testing.T) string
		ends bool // Run ends by itself
	}{
		{name: "nobody there", api: func(*testing.T) string { return "http://127.0.0.1:1" }},
		{name: "page that repeats the address", api: answers(http.StatusBadGateway, "<html>/bot"+token+"/method</html>")},
		{name: "refusal that repeats the address", api: answers(http.StatusBadRequest, refusal(400))},
		{name: "token refused", api: answers(http.StatusUnauthorized, refusal(401)), ends: true},
		{name: "no such bot", api: answers(http.StatusNotFound, refusal(404)), ends: true},
		{name: "conflict", api: answers(http.StatusConflict, refusal(409))},
		{name: "conflict without a webhook", api: func(t *testing.T) string {
			t.Helper()
			return fake(t, map[string]http.HandlerFunc{
				"getUpdates":     func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, refusal(409)) },
				"getWebhookInfo": func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, `{"ok":true,"result":{}}`) },
			})
		}},
		{name: "odd result", api: answers(http.StatusOK, `{"ok":true,"result":"/bot`+token+`/method"}`)},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			p := newBot(t, tt.api(t), token)
			ref := core.MessageRef{Place: private, ID: "7"}
			calls := map[string]func(ctx context.Context) error{
				"Post": func(ctx context.Context) error {
					_, err := p.Post(ctx, core.Post{Place: private, Part: part("x")})
					return err
				},
				"Edit":   func(ctx context.Context) error { return p.Edit(ctx, ref, part("x")) },
				"Delete": func(ctx context.Context) error { return p.Delete(ctx, ref) },
				"Typing": func(ctx context.Context) error { return p.Typing(ctx, private) },
				"Upload": func(ctx context.Context) error {
					_, err := p.Upload(ctx, core.Place{Room: "-5"}, "", fileOf("a.txt", "text/plain", []byte("a")))
					return err
				},
				"OpenAttachment": func(ctx context.Context) error {
					body, err := p.OpenAttachment(ctx, core.Attachment{Ref: "x", Size: 1})
					if err == nil {
						err = body.Close()
					}
					return err
				},
				"Check": func(ctx context.Context) error {
					found, err := p.Check(ctx)
					if strings.Contains(fmt.Sprint(found), token) {
						t.Errorf("Check tells the token: %v", found)
					}
					return err
				},
			}
			for name, call := range calls {
				if err := call(t.Context()); err != nil && strings.Contains(err.Error(), token) {
					t.Errorf("%s: %v", name, err)
				}
			}
			h := &host{}
			if tt.ends {
				if err := p.Run(t.Context(), h); core.ClassOf(err) != core.Auth || strings.Contains(err.Error(), token) {
					t.Errorf("Run = %v", err)
				}
			} else {
				stop := start(t, p, h)
				_ = h.told(t, "")
				if err := stop(); err != nil {
					t.Errorf("Run = %v", err)
				}
			}
			if len(h.errs) == 0 {
				t.Error("nothing was told")
			}
			for _, err := range h.errs {
				if strings.Contains(fmt.Sprint(err), token) {
					t.Errorf("state = %v", err)
				}
			}
		})
	}
}
