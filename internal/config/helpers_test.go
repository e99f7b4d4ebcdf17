package config_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/clickai/bridge/core"
	"github.com/clickai/bridge/internal/config"
)

// The settings below have the keys of the real platforms. The test with the real ones is where they are put together.

type slackSettings struct {
	BotToken      core.Secret `yaml:"bot_token"`
	AppToken      core.Secret `yaml:"app_token"`
	SigningSecret core.Secret `yaml:"signing_secret"`
	APIURL        string      `yaml:"api_url"`
	Workers       *int        `yaml:"workers"`
	Ratio         float32     `yaml:"ratio"`
	Small         uint8       `yaml:"small"`
	Labels        map[string]string
	Nested        struct {
		Deep []int `yaml:"deep"`
	} `yaml:"nested"`
}

func (s *slackSettings) Validate() (found []core.Problem) {
	if s.BotToken == "" {
		found = append(found, core.Problem{Key: "bot_token", What: "is missing", Mend: "copy it from OAuth & Permissions"})
	}
	if s.AppToken == "" && s.SigningSecret == "" {
		found = append(found, core.Problem{What: "neither app_token nor signing_secret is set", Mend: "set one of them"})
	}
	if !strings.HasPrefix(s.APIURL, "http") {
		found = append(found, core.Problem{Key: "api_url", What: s.APIURL + " is not an address", Mend: "not " + s.APIURL})
	}
	return found
}

type discordSettings struct {
	Token  core.Secret `yaml:"token"`
	APIURL string      `yaml:"api_url"`
}

func (s *discordSettings) Validate() []core.Problem {
	if s.Token == "" {
		return []core.Problem{{Key: "token", What: "is missing"}}
	}
	return nil
}

type telegramSettings struct {
	Token         core.Secret `yaml:"token"`
	APIURL        string      `yaml:"api_url"`
	WebhookURL    string      `yaml:"webhook_url"`
	WebhookSecret core.Secret `yaml:"webhook_secret"`
}

func (*telegramSettings) Validate() []core.Problem { return nil }

func kinds() []core.PlatformKind {
	return []core.PlatformKind{
		{Name: "slack", NewSettings: func() core.Settings { return &slackSettings{APIURL: "https://slack.com/api"} }},
		{Name: "discord", NewSettings: func() core.Settings { return &discordSettings{APIURL: "https://discord.com/api/v9"} }},
		{Name: "telegram", NewSettings: func() core.Settings { return &telegramSettings{APIURL: "https://api.telegram.org"} }},
	}
}

func env(m map[string]string) func(string) (string, bool) {
	return func(name string) (string, bool) {
		v, ok := m[name]
		return v, ok
	}
}

// write puts files into a directory and returns the path of config.yaml there.
func write(tb testing.TB, files map[string]string) string {
	tb.Helper()
	dir := tb.TempDir()
	for name, content := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			tb.Fatal(err)
		}
	}
	return filepath.Join(dir, "config.yaml")
}

// load reads a configuration from text.
func load(tb testing.TB, text string, vars map[string]string) (*config.Config, error) {
	tb.Helper()
	return config.Load(write(tb, map[string]string{"config.yaml": text}), kinds(), env(vars))
}

func mustLoad(tb testing.TB, text string, vars map[string]string) *config.Config {
	tb.Helper()
	c, err := load(tb, text, vars)
	if err != nil {
		tb.Fatal(err)
	}
	return c
}

// complaints are the problems of a configuration, one line each, without the directory.
func complaints(tb testing.TB, path string, err error) []string {
	tb.Helper()
	if err == nil {
		return nil
	}
	if _, ok := errors.AsType[*config.Error](err); !ok {
		tb.Fatalf("not a configuration error: %v", err)
	}
	return strings.Split(strings.ReplaceAll(err.Error(), filepath.Dir(path)+string(filepath.Separator), ""), "\n")
}

// minimal is a right configuration, to which tests add.
const minimal = `apps:
  support:
    api_key: app-key
bots:
  - name: acme
    platform: discord
    token: discord-token
    app: support
`
