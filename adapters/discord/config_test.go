package discord_test

import (
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/clickai/bridge/adapters/discord"
	"github.com/clickai/bridge/core"
)

func TestConfig(t *testing.T) {
	t.Parallel()
	const ok = discord.DefaultAPIURL
	for _, tt := range []struct {
		name, token, url string
		keys             string // of the problems
	}{
		{"good", "abc.def", ok, ""},
		{"with Bot", "Bot abc.def", ok, ""},
		{"loopback", "abc", "http://127.0.0.1:8080/api/v9/", ""},
		{"nothing", "", "", "token api_url"},
		{"Bot alone", "Bot ", ok, "token"},
		{"blank", "abc def", ok, "token"},
		{"newline", "abc\ndef", ok, "token"},
		{"scheme", "abc", "ftp://discord.com", "api_url"},
		{"no host", "abc", "https:///api", "api_url"},
		{"user", "abc", "https://user:secret@discord.com/api", "api_url"},
		{"token in the open", "abc", "http://discord.com/api/v9", "api_url"},
		{"query", "abc", "https://discord.com/api?x=1", "api_url"},
		{"no URL", "abc", "https://user:secret@%zz", "api_url"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			c := discord.Config{Token: core.Secret(tt.token), APIURL: tt.url}
			var keys []string
			for _, p := range c.Validate() {
				keys = append(keys, p.Key)
				if p.What == "" || p.Mend == "" || strings.Contains(p.What+p.Mend, "secret") {
					t.Errorf("problem = %+v", p)
				}
			}
			if got := strings.Join(keys, " "); got != tt.keys {
				t.Errorf("problems with %q, want %q", got, tt.keys)
			}
		})
	}
}

func TestKind(t *testing.T) {
	t.Parallel()
	k := discord.Kind()
	s, ok := k.NewSettings().(*discord.Config)
	if k.Name != "discord" || !ok || s.APIURL != discord.DefaultAPIURL {
		t.Fatalf("kind %q, settings %+v", k.Name, s)
	}
	s.Token = "very.secret"
	log := slog.New(slog.DiscardHandler)
	p, err := k.New("acme", s, log)
	if err != nil || p.Name() != "acme" {
		t.Errorf("New = %v, %v", p, err)
	}
	if strings.Contains(fmt.Sprintf("%v %+v %#v", s, s, s), "secret") {
		t.Error("the settings print the token")
	}
	if _, err := k.New("acme", nil, log); core.ClassOf(err) != core.Invalid {
		t.Errorf("New with foreign settings = %v", err)
	}
	s.APIURL = "nonsense"
	if _, err := k.New("acme", s, log); core.ClassOf(err) != core.Invalid {
		t.Errorf("New with a wrong URL = %v", err)
	}
}
