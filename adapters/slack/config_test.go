package slack_test

import (
	"strings"
	"testing"

	"github.com/clickai/bridge/adapters/slack"
	"github.com/clickai/bridge/core"
)

func TestValidate(t *testing.T) {
	t.Parallel()
	good := slack.Config{BotToken: "xoxb-1", AppToken: "xapp-1", APIURL: slack.DefaultAPIURL}
	tests := []struct {
		name   string
		change func(*slack.Config)
		want   []string // key: part of what
	}{
		{"good", func(*slack.Config) {}, nil},
		{"rotated token", func(c *slack.Config) { c.BotToken = "xoxe.xoxb-1-abc" }, nil},
		{"with signing secret", func(c *slack.Config) { c.SigningSecret = "abc" }, nil},
		{"gov", func(c *slack.Config) { c.APIURL = "https://slack-gov.com/api" }, nil},
		{"loopback", func(c *slack.Config) { c.APIURL = "http://127.0.0.1:9/proxy/api/" }, nil},
		{"nothing", func(c *slack.Config) { *c = slack.Config{} }, []string{"bot_token: missing", "app_token: missing", "api_url: http"}},
		{"swapped", func(c *slack.Config) { c.BotToken, c.AppToken = c.AppToken, c.BotToken }, []string{"bot_token: an app-level token", "app_token: a bot token"}},
		{"user token", func(c *slack.Config) { c.BotToken = "xoxp-1" }, []string{"bot_token: a user token"}},
		{"quoted", func(c *slack.Config) { c.BotToken = "xoxb-1 2" }, []string{"bot_token: blanks"}},
		{"http only", func(c *slack.Config) { c.AppToken, c.SigningSecret = "", "5a1d0f6c" }, nil},
		{"token for a secret", func(c *slack.Config) { c.SigningSecret = "xapp-1" }, []string{"signing_secret: none"}},
		{"secret with blanks", func(c *slack.Config) { c.AppToken, c.SigningSecret = "", "5a 1d" }, []string{"signing_secret: none"}},
		{"plain http to slack", func(c *slack.Config) { c.APIURL = "http://slack.com/api" }, []string{"api_url: https only"}},
		{"url with password", func(c *slack.Config) { c.APIURL = "https://a:b@slack.com/api" }, []string{"api_url: user name"}},
		{"url with query", func(c *slack.Config) { c.APIURL = "https://slack.com/api?x=1" }, []string{"api_url: query"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			c := good
			tt.change(&c)
			found := c.Validate()
			if len(found) != len(tt.want) {
				t.Fatalf("Validate() = %+v, want %d problems", found, len(tt.want))
			}
			for i, p := range found {
				key, what, _ := strings.Cut(tt.want[i], ": ")
				if p.Key != key || !strings.Contains(p.What, what) || p.Mend == "" {
					t.Errorf("problem %d = %+v, want %s with %q and a mend", i, p, key, what)
				}
			}
		})
	}
}

func TestKind(t *testing.T) {
	t.Parallel()
	k := slack.Kind()
	c, ok := k.NewSettings().(*slack.Config)
	if !ok || c.APIURL != slack.DefaultAPIURL || k.Name != "slack" {
		t.Fatalf("Kind() = %+v with settings %+v", k, c)
	}
	c.BotToken, c.AppToken = "xoxb-1", "xapp-1"
	p, err := k.New("acme", c, logTo(t.Output()))
	if err != nil || p.Name() != "acme" {
		t.Fatalf("New = %v, %v", p, err)
	}
	var other struct{ core.Settings }
	if _, err := k.New("acme", other, logTo(t.Output())); core.ClassOf(err) != core.Invalid {
		t.Errorf("New with other settings = %v, want class invalid", err)
	}
}
