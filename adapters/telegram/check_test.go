package telegram_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/clickai/bridge/adapters/telegram"
	"github.com/clickai/bridge/core"
	"github.com/clickai/bridge/internal/sim"
	simtelegram "github.com/clickai/bridge/internal/sim/telegram"
)

func TestCheck(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		opt  simtelegram.Options
		hook string
		want []string // what, ok, and a part of the mend
	}{
		{name: "as every new bot", want: []string{"token true @acme_support_bot", "messages in groups true /setprivacy"}},
		{name: "privacy mode off", opt: simtelegram.Options{PrivacyOff: true}, want: []string{"token true @acme_support_bot", "messages in groups true all are seen"}},
		{
			name: "webhook", hook: "https://127.0.0.1:8443/hook?secret=hunter2",
			want: []string{"token true @acme_support_bot", "messages in groups true /setprivacy", "webhook true 127.0.0.1:8443"},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s, p := silent(t, tt.opt)
			if tt.hook != "" {
				if err := telegram.Call(t.Context(), p, "setWebhook", map[string]string{"url": tt.hook}, nil); err != nil {
					t.Fatal(err)
				}
			}
			found, err := p.Check(t.Context())
			if err != nil || len(found) != len(tt.want) {
				t.Fatalf("checks = %+v, %v", found, err)
			}
			for i, c := range found {
				line := c.What + map[bool]string{true: " true ", false: " false "}[c.OK] + c.Mend
				what, mend, _ := strings.Cut(tt.want[i], " true ")
				if !strings.HasPrefix(line, what+" true ") || !strings.Contains(line, mend) || strings.Contains(line, "hunter2") {
					t.Errorf("line %q, want %q", line, tt.want[i])
				}
			}
			if n := s.Calls("getUpdates"); n != 0 {
				t.Error("it polled: a running bridge would be thrown out")
			}
		})
	}
}

// TestCheckOfUpdates: a webhook of an earlier version may lack a kind of updates. The next run asks for it.
func TestCheckOfUpdates(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name    string
		allowed []string
		want    string // "": nothing is missing
	}{
		{name: "without buttons", allowed: []string{"message", "edited_message", "message_reaction", "my_chat_member"}, want: "callback_query"},
		{name: "as by default", want: "message_reaction"},
		{name: "all", allowed: []string{"message", "edited_message", "callback_query", "message_reaction", "my_chat_member", "poll"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := withHook(t, simtelegram.Options{})
			params := map[string]any{"url": w.url, "secret_token": aSecret, "allowed_updates": append([]string{}, tt.allowed...)}
			if err := telegram.Call(t.Context(), w.bot, "setWebhook", params, nil); err != nil {
				t.Fatal(err)
			}
			found, err := w.bot.Check(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			hook := found[len(found)-1]
			_, missing, said := strings.Cut(hook.Mend, "which do not come now: ")
			if hook.What != "webhook" || !hook.OK || said != (tt.want != "") || missing != tt.want {
				t.Errorf("check = %+v", hook)
			}
		})
	}
}

func TestCheckFails(t *testing.T) {
	t.Parallel()
	s := newSim(t, simtelegram.Options{})
	const wrong = "7000000001:another-token-of-the-bot"
	found, err := newBot(t, s.APIURL(), wrong).Check(t.Context())
	if err != nil || len(found) != 1 || found[0].OK || !strings.Contains(found[0].Mend, "@BotFather") {
		t.Errorf("wrong token: %+v, %v", found, err)
	}
	s.Faults().Add(sim.Fault{Status: http.StatusBadGateway, Body: "<html>"})
	if _, err := newBot(t, s.APIURL(), s.Token()).Check(t.Context()); core.ClassOf(err) != core.Transient {
		t.Errorf("no server: %v", err)
	}
}
