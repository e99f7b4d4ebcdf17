package main

import (
	"net/http"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/clickai/bridge/internal/sim/clickai"
	"github.com/clickai/bridge/internal/sim/slack"
	"github.com/clickai/bridge/internal/standins"
)

// TestBrokenBot has one wrong token: the others go on, and /readyz, the log and check name it with its mend.
func TestBrokenBot(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		spoil  func(s *standins.Set, config string) string
		bot    string
		mend   string // regular expression
		others []int
	}{
		{"Slack's token", replace("${SLACK_BOT_TOKEN}", "xoxb-1-2-wrong"), "demo-slack", `(?i)token`, []int{1, 2}},
		{"Discord's token", replace("${DISCORD_TOKEN}", "MTEwMDAwMDAwMDAwMDAwMDkwMA.wrong.token-of-the-bot"), "demo-discord", `(?i)token`, []int{0, 2}},
		{"Telegram's token", replace("${TELEGRAM_TOKEN}", "7000000001:wrong-token-of-the-demo-bot"), "demo-telegram", `(?i)token`, []int{0, 1}},
		{"Discord's intent", func(s *standins.Set, c string) string { s.Discord.SetMessageContent(false); return c }, "demo-discord", `(?i)message content`, []int{0, 2}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := startSet(t, standins.Options{})
			path := writeConfig(t, s, clickai.ModeChat, "")
			data, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, []byte(tt.spoil(s, string(data))), 0o600); err != nil {
				t.Fatal(err)
			}
			code, out, errs := command(t, nil, "check", "--config", path)
			bad := lines(out, "✗ "+tt.bot)
			if code != 1 || len(bad) == 0 || !regexp.MustCompile(tt.mend).MatchString(bad[0]) {
				t.Errorf("check: exit %d\n%s%s\nwant a line with ✗ for %s and its mend", code, out, errs, tt.bot)
			}
			for _, line := range lines(out, "✗") {
				if !strings.HasPrefix(line, "✗ "+tt.bot) {
					t.Errorf("check complains of something that is right: %s", line)
				}
			}
			p := runBridge(t, path)
			for _, i := range tt.others {
				st := s.Stages()[i]
				until(t, st.Title+" connects", st.Platform.Connected, st.Platform.Changed)
				ask(t, s, st, "are you there on "+st.Title+"?")
			}
			until(t, tt.bot+" is stopped", func() bool { return p.byBot("bot stopped: this needs someone to act")[tt.bot] > 0 }, p.changed)
			status, body := p.get("/readyz")
			if status != http.StatusServiceUnavailable || !regexp.MustCompile(`"name":"`+tt.bot+`","platform":"\w+","state":"stopped","error":"[^"]+`).MatchString(body) {
				t.Errorf("/readyz = %d %s, want %s named as stopped, with the reason", status, body, tt.bot)
			}
			p.stop()
			if !regexp.MustCompile(tt.mend).MatchString(p.text()) {
				t.Errorf("the log does not say what to do:\n%s", p.text())
			}
			secrets(t, p.text()+out+errs, s)
		})
	}
}

// TestMissingScope wants check and the log of run to say which scope is missing and what to do.
func TestMissingScope(t *testing.T) {
	t.Parallel()
	scopes := slices.DeleteFunc(slack.DefaultScopes(), func(s string) bool { return s == "files:read" })
	s := startSet(t, standins.Options{SlackScopes: scopes})
	path := writeConfig(t, s, clickai.ModeChat, "")
	want := regexp.MustCompile(`files:read.*OAuth (&|\\u0026) Permissions`)
	code, out, _ := command(t, nil, "check", "--config", path)
	bad := lines(out, "✗")
	if code != 1 || len(bad) != 1 || !strings.HasPrefix(bad[0], "✗ demo-slack") || !want.MatchString(bad[0]) {
		t.Errorf("check: exit %d\n%s", code, out)
	}
	p := runBridge(t, path)
	connected(t, s)
	ask(t, s, s.Stages()[0], "are you there all the same?")
	p.stop()
	if !want.MatchString(p.text()) {
		t.Errorf("the log does not say which scope is missing:\n%s", p.text())
	}
}

func replace(old, with string) func(*standins.Set, string) string {
	return func(_ *standins.Set, config string) string { return strings.ReplaceAll(config, old, with) }
}

func lines(text, prefix string) []string {
	var out []string
	for line := range strings.SplitSeq(text, "\n") {
		if strings.HasPrefix(line, prefix) {
			out = append(out, line)
		}
	}
	return out
}

func TestCheckWhenAllIsWell(t *testing.T) {
	t.Parallel()
	s := startSet(t, standins.Options{})
	path := writeConfig(t, s, clickai.ModeChat, "")
	code, out, errs := command(t, nil, "check", "--config", path)
	if code != 0 || strings.Contains(out, "✗") || len(lines(out, "✓")) < 5 {
		t.Errorf("exit %d\n%s%s", code, out, errs)
	}
	secrets(t, out+errs, s)
	for _, v := range s.Violations() {
		t.Errorf("against the rules: %s", v)
	}
}
