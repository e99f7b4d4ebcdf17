package telegram_test

import (
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/clickai/bridge/adapters/telegram"
	"github.com/clickai/bridge/core"
)

func TestValidate(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		change func(*telegram.Config)
		want   []string // key and a part of what is said
	}{
		{name: "fine", change: func(*telegram.Config) {}},
		{name: "own server", change: func(c *telegram.Config) { c.APIURL = "http://127.0.0.1:8081/prefix/" }},
		{name: "blanks around the token", change: func(c *telegram.Config) { c.Token = " " + c.Token + "\n" }},
		{name: "no token", change: func(c *telegram.Config) { c.Token = "" }, want: []string{"token is missing"}},
		{name: "with bot before it", change: func(c *telegram.Config) { c.Token = "bot" + c.Token }, want: []string{`token begins with "bot"`}},
		{name: "address", change: func(c *telegram.Config) { c.Token = "https://api.telegram.org/bot" + c.Token }, want: []string{"token is an address"}},
		{name: "secret alone", change: func(c *telegram.Config) { c.Token = "AAF3abcdefghijklmnopqrstuvwxyz" }, want: []string{"token has no colon"}},
		{name: "cut", change: func(c *telegram.Config) { c.Token = "7000000001:AAF3" }, want: []string{"token does not look like"}},
		{name: "no address", change: func(c *telegram.Config) { c.APIURL = "" }, want: []string{"api_url is not an http"}},
		{name: "no scheme", change: func(c *telegram.Config) { c.APIURL = "api.telegram.org" }, want: []string{"api_url is not an http"}},
		{name: "password in the address", change: func(c *telegram.Config) { c.APIURL = "https://u:hunter2@x.example" }, want: []string{"api_url contains a user name"}},
		{name: "query", change: func(c *telegram.Config) { c.APIURL = "https://x.example/?a=hunter2" }, want: []string{"api_url has a query"}},
		{name: "webhook", change: func(c *telegram.Config) { c.WebhookURL = "https://x.example/hook" }, want: []string{"webhook_url is not supported in this version"}},
		{name: "all at once", change: func(c *telegram.Config) { *c = telegram.Config{APIURL: "x", WebhookURL: "y"} }, want: []string{"token", "api_url", "webhook_url"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			settings := telegram.Kind().NewSettings()
			c := settings.(*telegram.Config)
			c.Token = token
			tt.change(c)
			found := settings.Validate()
			if len(found) != len(tt.want) {
				t.Fatalf("problems = %+v, want %q", found, tt.want)
			}
			for i, p := range found {
				if line := p.Key + " " + p.What; !strings.HasPrefix(line, tt.want[i]) || p.Mend == "" || strings.Contains(line+p.Mend, "hunter2") {
					t.Errorf("problem = %q, mend %q, want %q", line, p.Mend, tt.want[i])
				}
			}
		})
	}
}

type others struct{ core.Settings }

func TestNew(t *testing.T) {
	t.Parallel()
	log := slog.New(slog.DiscardHandler)
	kind := telegram.Kind()
	if kind.Name != "telegram" {
		t.Errorf("name = %q", kind.Name)
	}
	p, err := kind.New("acme", &telegram.Config{Token: token, APIURL: "http://127.0.0.1:1"}, log) // nobody is there
	if err != nil || p.Name() != "acme" {
		t.Errorf("New = %v, %v", p, err)
	}
	for _, s := range []core.Settings{others{}, &telegram.Config{APIURL: "http://x"}, &telegram.Config{Token: token, APIURL: "x"}} {
		if _, err := kind.New("acme", s, log); core.ClassOf(err) != core.Invalid {
			t.Errorf("New(%T) = %v", s, err)
		}
	}
	if s := fmt.Sprintf("%+v %#v", telegram.Config{Token: token, WebhookSecret: "hunter2"}, telegram.Config{Token: token}); strings.Contains(s, token) || strings.Contains(s, "hunter2") {
		t.Errorf("the settings print their secrets: %s", s)
	}
}
