package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/clickai/bridge/internal/config"
	"github.com/clickai/bridge/internal/standins"
)

// initWith pipes answers, one a line, into bridge init for a set of stand-ins.
func initWith(t *testing.T, s *standins.Set, path string, answers ...string) (code int, stdout, stderr string) {
	t.Helper()
	return initIn(t, noEnv, s, path, answers...)
}

// initIn is initWith in an environment.
func initIn(t *testing.T, env func(string) (string, bool), s *standins.Set, path string, answers ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, errs bytes.Buffer
	p := program{in: strings.NewReader(strings.Join(answers, "\n") + "\n"), out: &out, err: &errs, env: env}
	args := []string{"init", "--config", path}
	for _, pf := range s.Platforms() {
		args = append(args, "--api-url", pf.Name()+"="+pf.APIURL())
	}
	code = p.execute(t.Context(), args)
	return code, out.String(), errs.String()
}

// TestInit writes a configuration for all platforms, which check and run take as it is.
func TestInit(t *testing.T) {
	t.Parallel()
	s := startSet(t, standins.Options{})
	dir := t.TempDir()
	path := filepath.Join(dir, "config.yaml")
	code, out, errs := initWith(t, s, path, "telegram, slack discord",
		s.ClickAI.URL(), "app-demo-support", "",
		s.Slack.BotToken(), s.Slack.AppToken(), s.Discord.Token(), s.Telegram.Token())
	if code != 0 || strings.Contains(out, "✗") {
		t.Fatalf("exit %d\n%s%s", code, out, errs)
	}
	secrets(t, out+errs, s)
	for _, want := range []string{`\[chat\]`, `manifest`, `BotFather`, `https://discord\.com/oauth2/authorize\?client_id=\d+&`, `bridge check --config `} {
		if !regexp.MustCompile(want).MatchString(out) {
			t.Errorf("the output lacks %s:\n%s", want, out)
		}
	}
	for name, mode := range map[string]fs.FileMode{".env": 0o600, "config.yaml": 0o600} {
		info, err := os.Stat(filepath.Join(dir, name))
		if err != nil || info.Mode().Perm() != mode {
			t.Errorf("%s: %v, %v", name, info, err)
		}
	}
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != 2 {
		t.Errorf("the folder holds %v, %v", entries, err)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	secrets(t, string(text), s)
	if env, err := os.ReadFile(filepath.Join(dir, ".env")); err != nil || regexp.MustCompile(`=['"]`).Match(env) {
		t.Errorf("kubectl would take the quotes of the .env for part of the secrets: %s%v", env, err)
	}
	if strings.Count(string(text), "#") < 10 {
		t.Errorf("the configuration has few comments:\n%s", text)
	}
	c, err := config.Load(path, platforms(), noEnv)
	if err != nil {
		t.Fatal(err)
	}
	if len(c.Bots) != 3 || c.Apps["assistant"].Mode != "chat" || c.Apps["assistant"].APIKey.Reveal() != "app-demo-support" {
		t.Errorf("read as %+v", c)
	}
	code, out, errs = command(t, nil, "check", "--config", path)
	if code != 0 || strings.Contains(out, "✗") {
		t.Errorf("check: exit %d\n%s%s", code, out, errs)
	}
	// Only what the test must choose is changed: where the store and the web server are.
	local := strings.NewReplacer("path: bridge.db", "path: "+filepath.Join(dir, "bridge.db"), "127.0.0.1:8080", "127.0.0.1:0").Replace(string(text))
	if err := os.WriteFile(path, []byte(local), 0o600); err != nil {
		t.Fatal(err)
	}
	p := runBridge(t, path)
	connected(t, s)
	for _, st := range s.Stages() {
		ask(t, s, st, "does the first configuration work on "+st.Title+"?")
	}
	p.stop()
	for _, v := range s.Violations() {
		t.Errorf("against the rules: %s", v)
	}
}

// TestInitEnvironment tells of variables that will win over what is written.
func TestInitEnvironment(t *testing.T) {
	t.Parallel()
	s := startSet(t, standins.Options{Only: []string{"telegram"}})
	env := func(name string) (string, bool) {
		return "other", name == "CLICKAI_API_KEY" || name == "TELEGRAM_TOKEN" || name == "SLACK_BOT_TOKEN"
	}
	path := filepath.Join(t.TempDir(), "config.yaml")
	code, out, errs := initIn(t, env, s, path, "telegram", s.ClickAI.URL(), "app-demo-support", "", s.Telegram.Token())
	if code != 0 || strings.Count(out, "which wins over .env") != 2 ||
		!strings.Contains(out, "CLICKAI_API_KEY is set") || !strings.Contains(out, "TELEGRAM_TOKEN is set") {
		t.Errorf("exit %d\n%s%s", code, out, errs)
	}
}

// TestInitCorrects answers wrongly first: what is wrong is said, and asked again or kept.
func TestInitCorrects(t *testing.T) {
	t.Parallel()
	s := startSet(t, standins.Options{})
	wrong := "7000000001:wrong-token-of-the-demo-bot"
	tests := []struct {
		name    string
		answers []string
		out     []string // regular expressions
		check   int      // exit code of check afterwards
	}{
		{
			"asked again",
			[]string{
				"slak", "", "telegram", s.ClickAI.URL(), "app-wrong", "chat", "n", s.ClickAI.URL(), "app-demo-support", "agent-chat", "no",
				"", "app-demo-support", "chatt", "chat", "token", wrong, "", s.Telegram.Token(),
			},
			[]string{`no platform "slak"`, `at least one`, `API key is refused`, `set mode: chat`, `no mode "chatt"`, `has no colon`, `✗ .*token`, `✓ .*`},
			0,
		},
		{
			"kept",
			[]string{"telegram", s.ClickAI.URL(), "app-demo-support", "", wrong, "maybe", "y"},
			[]string{`✗ .*token`, `Answer y or n`},
			1,
		},
		{
			"a workflow",
			[]string{"telegram", s.ClickAI.URL(), "app-demo-pipeline", "", "", s.Telegram.Token()},
			[]string{`\[workflow\]`, `\[input_text\]`},
			0,
		},
		{
			"ClickAI out of reach",
			[]string{"telegram", "http://127.0.0.1:1", "app-demo-support", "", "y", s.Telegram.Token()},
			[]string{`cannot be reached`},
			1,
		},
		{
			"no address",
			[]string{"telegram", "127.0.0.1", "app-demo-support", s.ClickAI.URL(), "", s.ClickAI.URL(), "app-demo-support", "", s.Telegram.Token()},
			[]string{`✗ .*http`, `key is needed`},
			0,
		},
		{
			"Slack over HTTP",
			[]string{"slack", s.ClickAI.URL(), "app-demo-support", "", "xapp-1", s.Slack.BotToken(), "", "0123456789abcdef0123456789abcdef"},
			[]string{`is an app-level token, not a bot token`, `/webhooks/`},
			0,
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), "bridge.yaml")
			code, out, errs := initWith(t, s, path, tt.answers...)
			if code != 0 {
				t.Fatalf("exit %d\n%s%s", code, out, errs)
			}
			for _, want := range tt.out {
				if !regexp.MustCompile(want).MatchString(out) {
					t.Errorf("the output lacks %s:\n%s", want, out)
				}
			}
			secrets(t, out+errs, s)
			if strings.Contains(out+errs, wrong) {
				t.Error("a wrong secret is shown")
			}
			if code, out, errs := command(t, nil, "check", "--config", path); code != tt.check || strings.Contains(errs, "yaml") {
				t.Errorf("check: exit %d\n%s%s", code, out, errs)
			}
		})
	}
}

// TestInitWritesNothing wants an untouched folder where something is in the way, or the answers end.
func TestInitWritesNothing(t *testing.T) {
	t.Parallel()
	s := startSet(t, standins.Options{})
	good := []string{"telegram", s.ClickAI.URL(), "app-demo-support", "", s.Telegram.Token()}
	tests := []struct {
		name    string
		there   string // a file of the folder
		answers []string
		errs    string
	}{
		{"a configuration is there", "config.yaml", good, "never overwritten|not overwritten.*--config"},
		{"secrets are there", ".env", good, "not overwritten.*--config"},
		{"no answers", "", nil, "input ended"},
		{"answers end", "", good[:4], "input ended"},
		{"a token that .env cannot hold", "", append([]string{"telegram", s.ClickAI.URL(), "app-de'mo", "", "y"}, good[4]), "quote"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			dir := t.TempDir()
			if tt.there != "" {
				if err := os.WriteFile(filepath.Join(dir, tt.there), []byte("mine"), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			code, out, errs := initWith(t, s, filepath.Join(dir, "config.yaml"), tt.answers...)
			if code != 1 || !regexp.MustCompile(tt.errs).MatchString(errs) {
				t.Errorf("exit %d, %s", code, errs)
			}
			if tt.there != "" && out != "" {
				t.Errorf("something is asked before: %s", out)
			}
			entries, err := os.ReadDir(dir)
			if err != nil {
				t.Fatal(err)
			}
			for _, e := range entries {
				if data, err := os.ReadFile(filepath.Join(dir, e.Name())); e.Name() != tt.there || err != nil || string(data) != "mine" {
					t.Errorf("%s holds %q, %v", e.Name(), data, err)
				}
			}
		})
	}
	code, _, errs := initWith(t, s, filepath.Join(t.TempDir(), "nowhere", "config.yaml"), good...)
	if code != 1 || !strings.Contains(errs, "nowhere") {
		t.Errorf("without a folder: exit %d, %s", code, errs)
	}
}

// TestInitInterrupted ends the program while it waits for an answer.
func TestInitInterrupted(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	in, typed := io.Pipe()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var errs bytes.Buffer
	asked := writerFunc(func(b []byte) (int, error) {
		if strings.Contains(string(b), "Address of the API") {
			cancel()
		}
		return len(b), nil
	})
	p := program{in: in, out: asked, err: &errs, env: noEnv}
	done := make(chan int, 1)
	go func() { done <- p.execute(ctx, []string{"init", "--config", filepath.Join(dir, "config.yaml")}) }()
	if _, err := io.WriteString(typed, "slack\n"); err != nil {
		t.Fatal(err)
	}
	if code := <-done; code != 1 || !strings.Contains(errs.String(), "nothing was written") {
		t.Errorf("exit %d, %s", code, errs.String())
	}
	_ = typed.Close()
	if entries, err := os.ReadDir(dir); err != nil || len(entries) != 0 {
		t.Errorf("the folder holds %v, %v", entries, err)
	}
}

type writerFunc func([]byte) (int, error)

func (f writerFunc) Write(b []byte) (int, error) { return f(b) }

func TestInitManifest(t *testing.T) {
	code, out, errs := command(t, nil, "init", "--slack-manifest")
	var m struct {
		Display struct{ Name string } `json:"display_information"`
	}
	if err := json.Unmarshal([]byte(out), &m); code != 0 || err != nil || m.Display.Name != "clickai-slack" || !strings.Contains(out, `"socket_mode_enabled": true`) {
		t.Errorf("exit %d, %v\n%s%s", code, err, out, errs)
	}
	code, out, _ = command(t, nil, "init", "--slack-manifest", "--name", "acme", "--url", "https://bridge.example.org")
	if code != 0 || !strings.Contains(out, "https://bridge.example.org/webhooks/acme") {
		t.Errorf("over HTTP: exit %d\n%s", code, out)
	}
	if code, _, errs := command(t, nil, "init", "--api-url", "slak=https://example.org"); code != 2 || !strings.Contains(errs, "slack") {
		t.Errorf("a platform that is not there: exit %d, %s", code, errs)
	}
}

// TestSetupsAsk wants what a platform asks for to be keys that it has.
func TestSetupsAsk(t *testing.T) {
	var all []error
	for _, k := range setupKinds() {
		if k.Setup.Title == "" || len(k.Setup.Steps) == 0 || len(k.Setup.Questions) == 0 {
			t.Errorf("%s says nothing of itself: %+v", k.Name, k.Setup)
		}
		for _, q := range k.Setup.Questions {
			all = append(all, config.SetText(k.NewSettings(), q.Key, "x"))
			if q.Unless != "" {
				all = append(all, config.SetText(k.NewSettings(), q.Unless, "x"))
			}
			if q.Ask == "" || q.Env == "" {
				t.Errorf("%s: %+v", k.Name, q)
			}
		}
	}
	if err := errors.Join(all...); err != nil {
		t.Error(err)
	}
}
