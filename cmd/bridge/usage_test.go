package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	sdk "github.com/clickai/bridge/clickai"
	"github.com/clickai/bridge/internal/sim/clickai"
	"github.com/clickai/bridge/internal/standins"
)

// TestWrongConfiguration wants every problem at once, each with its place and the nearest valid name.
func TestWrongConfiguration(t *testing.T) {
	path := filepath.Join(t.TempDir(), "config.yaml")
	text := `clickai:
  base_ulr: https://api.clickai.io
apps:
  support:
    mode: chat
    api_key: ${NOT_SET_ANYWHERE}
bots:
  - name: one
    platform: telegram
    token: 1:abcdefghijklmnopqrstuvwxyzabcdefghi
    app: supportt
    thread_context: many
  - name: one
    platform: discrod
    token: x
    app: support
    routes:
      - rooms: [a]
        app: sales
`
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{{"run", "--config", path}, {"check", "--offline", "--config", path}} {
		code, _, errs := command(t, nil, args...)
		if code != 1 {
			t.Errorf("%v: exit code %d, want 1", args, code)
		}
		for _, want := range []string{
			`config\.yaml:2:3: .*base_ulr.*base_url`, `config\.yaml:6:14: .*NOT_SET_ANYWHERE`, `config\.yaml:11:10: .*supportt.*support`,
			`config\.yaml:12:21: .*thread_context.*many`, `config\.yaml:13:11: .*name`, `config\.yaml:14:15: .*discrod.*discord`, `config\.yaml:19:14: .*sales`,
		} {
			if !regexp.MustCompile(want).MatchString(errs) {
				t.Errorf("%v does not say %s:\n%s", args, want, errs)
			}
		}
	}
}

// TestExample reads the example with the real platforms.
func TestExample(t *testing.T) {
	env := map[string]string{
		"CLICKAI_SUPPORT_KEY": "app-x", "CLICKAI_SALES_KEY": "app-y", "SLACK_BOT_TOKEN": "xoxb-1-2-3", "SLACK_APP_TOKEN": "xapp-1-A-2-3",
		"DISCORD_TOKEN": "MTEwMDAwMDAwMDAwMDAwMDkwMA.Gabcde.abcdefghijklmnopqrstuvwxyz0123456789AB", "TELEGRAM_TOKEN": "7000000001:AAabcdefghijklmnopqrstuvwxyz0123456",
	}
	code, out, errs := command(t, env, "check", "--offline", "--config", "../../config.example.yaml")
	if code != 0 || !strings.Contains(out, "3 bots") {
		t.Errorf("exit %d\n%s%s", code, out, errs)
	}
}

func TestUsage(t *testing.T) {
	tests := []struct {
		name string
		args []string
		code int
		out  string // in stdout or stderr
	}{
		{"nothing", nil, 2, "Available Commands"},
		{"help", []string{"--help"}, 0, "Available Commands"},
		{"unknown command", []string{"rnu"}, 2, "run"},
		{"unknown flag", []string{"run", "--nope"}, 2, "--nope"},
		{"too many arguments", []string{"version", "x"}, 2, "does not take"},
		{"no such file", []string{"run", "--config", "nowhere.yaml"}, 1, "config.example.yaml"},
		{"version", []string{"version"}, 0, "bridge "},
		{"config without a word", []string{"config"}, 2, "schema"},
		{"wrong mode", []string{"assistants", "--mode", "chatt"}, 2, "agent-chat"},
		{"no access token", []string{"assistants"}, 1, "CLICKAI_ACCESS_TOKEN"},
		{"completion", []string{"completion", "bash"}, 0, "bridge"},
		{"completion without a shell", []string{"completion"}, 2, "zsh"},
		{"completion of no shell", []string{"completion", "dos"}, 2, "dos"},
		{"help", []string{"help", "config", "schema"}, 0, "JSON Schema"},
		{"help with nothing", []string{"help", "rnu"}, 2, "rnu"},
		{"help with half of it", []string{"help", "config", "shema"}, 2, "shema"},
		{"a directory for a file", []string{"check", "--config", "."}, 1, "name the file in it"},
		{"manifest's flag without it", []string{"init", "--url", "https://bridge.example.org"}, 2, "--slack-manifest"},
		{"manifest without TLS", []string{"init", "--slack-manifest", "--url", "http://bridge.example.org"}, 2, "https"},
		{"manifest of no bot", []string{"init", "--slack-manifest", "--name", "a b", "--url", "https://bridge.example.org"}, 2, "letters"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			code, out, errs := command(t, nil, tt.args...)
			if strings.Contains(out, "Usage:") && strings.Contains(errs, "See ") {
				t.Errorf("whoever sees the help is sent to it: %q", errs)
			}
			if code != tt.code || !strings.Contains(out+errs, tt.out) {
				t.Errorf("exit %d, want %d; output %q does not hold %q", code, tt.code, out+errs, tt.out)
			}
		})
	}
	for _, name := range []string{"run", "check", "init", "explain", "demo", "assistants", "bench", "config", "config schema", "version", "completion"} {
		code, out, _ := command(t, nil, append(strings.Fields(name), "--help")...)
		if code != 0 || !strings.Contains(out, "Usage:") {
			t.Errorf("%s --help: exit %d, %q", name, code, out)
		}
	}
	for _, name := range []string{"run", "check", "init", "explain", "assistants"} {
		if _, out, _ := command(t, nil, name, "--help"); !strings.Contains(out, "--config") {
			t.Errorf("%s has no --config", name)
		}
	}
}

func TestSchema(t *testing.T) {
	code, out, _ := command(t, nil, "config", "schema")
	var schema map[string]any
	if err := json.Unmarshal([]byte(out), &schema); code != 0 || err != nil {
		t.Fatalf("exit %d, %v", code, err)
	}
	for _, key := range []string{"bot_token", "app_token", "signing_secret", "webhook_url", "api_url", "thread_context"} {
		if !strings.Contains(out, `"`+key+`"`) {
			t.Errorf("schema lacks %s", key)
		}
	}
}

// TestAssistantsTable has names that a terminal would act on.
func TestAssistantsTable(t *testing.T) {
	t.Parallel()
	var out strings.Builder
	if err := printAssistants(&out, []sdk.Assistant{{ID: "1", Name: "evil \x1b[31m\u202ename", Description: "two\nlines"}}, 1, false); err != nil {
		t.Fatal(err)
	}
	if strings.ContainsAny(out.String(), "\x1b\u202e") || strings.Count(out.String(), "\n") != 2 {
		t.Errorf("the table is %q", out.String())
	}
}

func TestAssistants(t *testing.T) {
	t.Parallel()
	s := startSet(t, standins.Options{})
	dir := t.TempDir()
	path := filepath.Join(dir, "config.yaml")
	text := fmt.Sprintf("clickai: {base_url: %q, console_url: %q}\napps: {a: {mode: chat, api_key: k}}\nbots:\n  - {name: b, platform: telegram, token: '7000000001:AAabcdefghijklmnopqrstuvwxyz0123456', app: a}\n", s.ClickAI.URL(), s.ClickAI.URL())
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	env := map[string]string{"CLICKAI_ACCESS_TOKEN": clickai.DefaultAccessToken}
	apps := clickai.DefaultApps()
	code, out, errs := command(t, env, "assistants", "--config", path, "--page-size", "2")
	if code != 0 || len(lines(out, "")) < 3 || !strings.Contains(out, fmt.Sprintf("2 of %d", len(apps))) {
		t.Errorf("exit %d\n%s%s", code, out, errs)
	}
	code, out, errs = command(t, env, "assistants", "--config", path, "--page-size", "2", "--all", "--json")
	var list struct {
		Total int
		Data  []struct{ Name, Mode string }
	}
	if err := json.Unmarshal([]byte(out), &list); code != 0 || err != nil || len(list.Data) != len(apps) {
		t.Errorf("exit %d, %v, %d apps, want %d\n%s", code, err, len(list.Data), len(apps), errs)
	}
	code, _, errs = command(t, map[string]string{"CLICKAI_ACCESS_TOKEN": "wrong"}, "assistants", "--config", path)
	if code != 1 || !strings.Contains(errs, "access token is refused") {
		t.Errorf("exit %d, %q", code, errs)
	}
}
