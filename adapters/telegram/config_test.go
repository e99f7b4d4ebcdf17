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
		{name: "token in the open", change: func(c *telegram.Config) { c.APIURL = "http://api.telegram.org" }, want: []string{"api_url would send the token in the open"}},
		{name: "query", change: func(c *telegram.Config) { c.APIURL = "https://x.example/?a=hunter2" }, want: []string{"api_url has a query"}},
		{name: "webhook", change: hooked("https://x.example:8443/webhooks/acme?a=b", aSecret)},
		{name: "webhook for an own server", change: func(c *telegram.Config) {
			hooked("http://10.0.0.7:8080/webhooks/acme", aSecret)(c)
			c.APIURL = "http://127.0.0.1:8081"
		}},
		{name: "secret without a webhook", change: hooked("", "x")},
		{name: "longest secret", change: hooked("https://x.example/", strings.Repeat("s", 256))},
		{name: "webhook without a secret", change: hooked("https://x.example/", ""), want: []string{"webhook_secret is missing"}},
		{name: "short secret", change: hooked("https://x.example/", "hunter2"), want: []string{"webhook_secret has 7 characters"}},
		{name: "long secret", change: hooked("https://x.example/", strings.Repeat("s", 257)), want: []string{"webhook_secret has 257 characters"}},
		{name: "odd secret", change: hooked("https://x.example/", "hunter2!hunter2!"), want: []string{"webhook_secret has characters"}},
		{name: "webhook over http", change: hooked("http://x.example/", aSecret), want: []string{"webhook_url is not an https URL"}},
		{name: "webhook of no host", change: hooked("https:///x", aSecret), want: []string{"webhook_url is not an https URL"}},
		{name: "webhook on another port", change: hooked("https://x.example:8080/", aSecret), want: []string{"webhook_url has a port"}},
		{name: "webhook with a password", change: hooked("https://u:hunter2@x.example/", aSecret), want: []string{"webhook_url contains a user name"}},
		{name: "webhook with a fragment", change: hooked("https://x.example/#hunter2", aSecret), want: []string{"webhook_url has a fragment"}},
		{name: "webhook that is no URL", change: hooked("https://x.example/%zz", aSecret), want: []string{"webhook_url is not a URL"}},
		{name: "all at once", change: func(c *telegram.Config) { *c = telegram.Config{APIURL: "x", WebhookURL: "y"} }, want: []string{"token", "api_url", "webhook_url", "webhook_secret"}},
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

const aSecret = "0123456789abcdef_-XYZ"

func hooked(url, secret string) func(*telegram.Config) {
	return func(c *telegram.Config) { c.WebhookURL, c.WebhookSecret = url, core.Secret(secret) }
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
