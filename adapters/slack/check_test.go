package slack_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/clickai/bridge/adapters/slack"
	"github.com/clickai/bridge/core"
	simslack "github.com/clickai/bridge/internal/sim/slack"
)

func TestCheck(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		opt    simslack.Options
		change func(*slack.Config)
		bad    []string // what of the lines that are not OK
		text   string   // in their mends
	}{
		{name: "good"},
		{
			name: "scopes", bad: []string{"scope files:read", "scope reactions:read"}, text: "OAuth & Permissions",
			opt: simslack.Options{Scopes: slices.DeleteFunc(simslack.DefaultScopes(), func(s string) bool { return s == "files:read" || s == "reactions:read" })},
		},
		{name: "bot token", change: func(c *slack.Config) { c.BotToken = "xoxb-no" }, bad: []string{"bot_token"}, text: "invalid_auth"},
		{name: "app token", change: func(c *slack.Config) { c.AppToken = "xapp-no" }, bad: []string{"app_token"}, text: "connections:write"},
		{name: "app token's scope", opt: simslack.Options{AppScopes: []string{"authorizations:read"}}, bad: []string{"app_token"}, text: "connections:write"},
		{name: "no app token", change: func(c *slack.Config) { c.AppToken = "" }, bad: []string{"app_token"}, text: "connections:write"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := newSim(t, tt.opt)
			c := config(s)
			if tt.change != nil {
				tt.change(&c)
			}
			found, err := newBot(t, c).Check(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			var bad []string
			for _, line := range found {
				if !line.OK {
					bad = append(bad, line.What)
					if !strings.Contains(line.Mend, tt.text) {
						t.Errorf("mend of %s: %q, want %q in it", line.What, line.Mend, tt.text)
					}
				}
				for _, secret := range []core.Secret{c.BotToken, c.AppToken} {
					if secret != "" && strings.Contains(line.Mend, secret.Reveal()) {
						t.Errorf("a token in %q", line.Mend)
					}
				}
			}
			if !slices.Equal(bad, tt.bad) {
				t.Errorf("not OK: %q, want %q; all: %+v", bad, tt.bad, found)
			}
			if tt.bad == nil && !slices.ContainsFunc(found, func(l core.Check) bool { return strings.Contains(l.Mend, "bridge in ") }) {
				t.Errorf("the bot's name is missing: %+v", found)
			}
		})
	}
}

func TestCheckNoServer(t *testing.T) {
	t.Parallel()
	s, p := idle(t, simslack.Options{})
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := p.Check(t.Context()); core.ClassOf(err) != core.Transient {
		t.Errorf("Check = %v, want class transient", err)
	}
}
