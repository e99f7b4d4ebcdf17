package main

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/clickai/bridge/core"
	"github.com/clickai/bridge/internal/sim/clickai"
	"github.com/clickai/bridge/internal/standins"
)

// receiver is a platform of which only the webhook is looked at.
type receiver struct {
	core.Platform
	hook http.Handler
}

func (r receiver) Webhook() http.Handler { return r.hook }

func hookBots() []core.BotConfig {
	echo := func(name string) http.Handler {
		return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
			body, err := io.ReadAll(r.Body)
			if err != nil {
				rw.WriteHeader(http.StatusInternalServerError)
				return
			}
			rw.WriteHeader(http.StatusAccepted)
			_, _ = io.WriteString(rw, name+" "+r.Method+" "+string(body))
		})
	}
	bot := func(name string, p core.Platform) core.BotConfig {
		return core.BotConfig{Settings: core.BotSettings{Name: name}, Platform: p}
	}
	return []core.BotConfig{
		bot("one", receiver{hook: echo("first")}),
		bot("two words", receiver{hook: echo("second")}),
		bot("polling", receiver{}),
		bot("other", struct{ core.Platform }{}),
	}
}

func TestWebhooksAreServed(t *testing.T) {
	t.Parallel()
	w, err := startWeb(t.Context(), "127.0.0.1:0", nil, hookBots(), slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := w.close(); err != nil {
			t.Error(err)
		}
	}()
	tests := []struct {
		name, method, path string
		code               int
		body               string
	}{
		{"a bot's", http.MethodPost, "/webhooks/one", http.StatusAccepted, "first POST hello"},
		{"name that is escaped", http.MethodPost, "/webhooks/two%20words", http.StatusAccepted, "second POST hello"},
		{"method is the bot's matter", http.MethodPut, "/webhooks/one", http.StatusAccepted, "first PUT hello"},
		{"bot without one", http.MethodPost, "/webhooks/polling", http.StatusNotFound, ""},
		{"platform without", http.MethodPost, "/webhooks/other", http.StatusNotFound, ""},
		{"no bot of that name", http.MethodPost, "/webhooks/three", http.StatusNotFound, ""},
		{"more of a path", http.MethodPost, "/webhooks/one/more", http.StatusNotFound, ""},
		{"no name", http.MethodPost, "/webhooks/", http.StatusNotFound, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
			defer cancel()
			req, err := http.NewRequestWithContext(ctx, tt.method, "http://"+w.addr()+tt.path, strings.NewReader("hello"))
			if err != nil {
				t.Fatal(err)
			}
			res, err := http.DefaultClient.Do(req)
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = res.Body.Close() }()
			body, err := io.ReadAll(res.Body)
			if err != nil {
				t.Fatal(err)
			}
			if res.StatusCode != tt.code || tt.body != "" && string(body) != tt.body {
				t.Errorf("%d %q, want %d %q", res.StatusCode, body, tt.code, tt.body)
			}
		})
	}
}

// TestSlackOverHTTP runs the bridge with a Slack bot that has no sockets.
func TestSlackOverHTTP(t *testing.T) {
	t.Parallel()
	s := startSet(t, standins.Options{})
	path := writeConfig(t, s, clickai.ModeChat, "")
	config, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	secret := s.Slack.SigningSecret()
	config = regexp.MustCompile(`app_token: .*`).ReplaceAll(config, []byte("signing_secret: "+secret))
	if err := os.WriteFile(path, config, 0o600); err != nil {
		t.Fatal(err)
	}
	if code, out, errs := command(t, nil, "check", "--config", path); code != 0 || !strings.Contains(out, "/webhooks/demo-slack") {
		t.Errorf("check: exit %d\n%s%s\nwant to hear of the address", code, out, errs)
	}
	p := runBridge(t, path)
	if err := s.Slack.SetRequestURL(t.Context(), "http://"+p.addr+"/webhooks/demo-slack"); err != nil {
		t.Fatal(err)
	}
	connected(t, s)
	ask(t, s, s.Stages()[0], "are you there without sockets?")
	if n := s.Slack.Sockets(); n != 0 {
		t.Errorf("%d sockets are open", n)
	}
	until(t, "Slack's events are acknowledged", func() bool { return s.Slack.Unacked() == 0 }, s.Slack.Changed)
	until(t, "all bots are known to be connected", func() bool { return len(p.byBot("connected")) == 3 }, p.changed)
	if code, body := p.get("/readyz"); code != http.StatusOK {
		t.Errorf("/readyz = %d %s", code, body)
	}
	p.stop()
	for _, v := range s.Slack.Violations() {
		t.Errorf("against the rules: %s", v)
	}
	secrets(t, p.text(), s)
	if strings.Contains(p.text(), secret) {
		t.Error("the signing secret stands in the log")
	}
}

func TestWebhooksNeedAServer(t *testing.T) {
	t.Parallel()
	if _, err := startWeb(t.Context(), "", nil, hookBots(), slog.New(slog.DiscardHandler)); err == nil || !strings.Contains(err.Error(), "http.listen") {
		t.Errorf("err = %v, want to hear that http.listen is missing", err)
	}
	w, err := startWeb(t.Context(), "", nil, hookBots()[2:], slog.New(slog.DiscardHandler))
	if err != nil || w.addr() != "" {
		t.Errorf("err = %v at %q, want no server and no error", err, w.addr())
	}
}
