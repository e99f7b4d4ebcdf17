// Package standins starts the stand-ins of ClickAI, Slack, Discord and Telegram together and writes the configuration with
// which a bridge connects to them. `bridge demo` and the end-to-end tests use it; the bridge itself does not know it.
package standins

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"text/template"
	"time"

	"github.com/clickai/bridge/internal/sim"
	"github.com/clickai/bridge/internal/sim/clickai"
	"github.com/clickai/bridge/internal/sim/discord"
	"github.com/clickai/bridge/internal/sim/slack"
	"github.com/clickai/bridge/internal/sim/telegram"
)

// Options shape the set. The zero value answers as fast as possible and enforces the platforms' own limits.
type Options struct {
	// ChunkInterval is the time between two pieces of a built-in answer.
	ChunkInterval time.Duration
	// SlackScopes are the scopes of Slack's bot token; nil: all that the stand-in grants.
	SlackScopes []string
	// NoClickAI leaves ClickAI's stand-in out: the real one is asked.
	NoClickAI bool
	Log       *slog.Logger
}

// Set is a running set of stand-ins.
type Set struct {
	ClickAI  *clickai.Server // nil with Options.NoClickAI
	Slack    *slack.Server
	Discord  *discord.Server
	Telegram *telegram.Server
}

// Start starts the set on free ports of loopback. Close it when done.
func Start(opt Options) (_ *Set, err error) {
	s := &Set{}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.Close())
		}
	}()
	if !opt.NoClickAI {
		if s.ClickAI, err = clickai.New(clickai.Options{ChunkInterval: opt.ChunkInterval, Log: opt.Log}); err != nil {
			return nil, fmt.Errorf("start ClickAI's stand-in: %w", err)
		}
	}
	if s.Slack, err = slack.New(slack.Options{Log: opt.Log, Scopes: opt.SlackScopes}); err != nil {
		return nil, fmt.Errorf("start Slack's stand-in: %w", err)
	}
	if s.Discord, err = discord.New(discord.Options{Log: opt.Log}); err != nil {
		return nil, fmt.Errorf("start Discord's stand-in: %w", err)
	}
	if s.Telegram, err = telegram.New(telegram.Options{Log: opt.Log}); err != nil {
		return nil, fmt.Errorf("start Telegram's stand-in: %w", err)
	}
	return s, nil
}

// Close stops all of the set.
func (s *Set) Close() error {
	var errs []error
	if s.Slack != nil {
		errs = append(errs, s.Slack.Close())
	}
	if s.Discord != nil {
		errs = append(errs, s.Discord.Close())
	}
	if s.Telegram != nil {
		errs = append(errs, s.Telegram.Close())
	}
	if s.ClickAI != nil {
		errs = append(errs, s.ClickAI.Close())
	}
	return errors.Join(errs...)
}

// Platforms are the three chat stand-ins.
func (s *Set) Platforms() []sim.Platform { return []sim.Platform{s.Slack, s.Discord, s.Telegram} }

// Violations are what the bridge did against any of the services' documentation.
func (s *Set) Violations() []string {
	var all []string
	for _, p := range s.Platforms() {
		for _, v := range p.Violations() {
			all = append(all, p.Name()+": "+v)
		}
	}
	if s.ClickAI != nil {
		for _, v := range s.ClickAI.Violations() {
			all = append(all, "clickai: "+v)
		}
	}
	return all
}

// AgentConfig is the app that the bots of a configuration talk to.
type AgentConfig struct {
	BaseURL, ConsoleURL, Key, Mode string
}

// Agent is the stand-in's app of a mode.
func (s *Set) Agent(mode clickai.Mode) AgentConfig {
	for _, a := range clickai.DefaultApps() {
		if a.Mode == mode {
			return AgentConfig{BaseURL: s.ClickAI.URL(), ConsoleURL: s.ClickAI.URL(), Key: a.Key, Mode: string(a.Mode)}
		}
	}
	panic("no app of mode " + mode) // a wrong constant in the caller
}

// WriteConfig writes config.yaml and .env into dir: three bots, one on each stand-in, and one app. extra is YAML that goes
// into every bot. It returns the path of config.yaml.
func (s *Set) WriteConfig(dir string, a AgentConfig, extra string) (string, error) {
	env := strings.Join([]string{
		"CLICKAI_KEY=" + a.Key,
		"SLACK_BOT_TOKEN=" + s.Slack.BotToken(),
		"SLACK_APP_TOKEN=" + s.Slack.AppToken(),
		"DISCORD_TOKEN=" + s.Discord.Token(),
		"TELEGRAM_TOKEN=" + s.Telegram.Token(),
		"",
	}, "\n")
	if err := os.WriteFile(filepath.Join(dir, ".env"), []byte(env), 0o600); err != nil {
		return "", fmt.Errorf("write .env: %w", err)
	}
	var b strings.Builder
	data := map[string]any{
		"Agent": a, "Slack": s.Slack.APIURL(), "Discord": s.Discord.APIURL(), "Telegram": s.Telegram.APIURL(),
		"Store": filepath.Join(dir, "bridge.db"), "Extra": indent(extra),
	}
	if err := configTemplate.Execute(&b, data); err != nil {
		return "", fmt.Errorf("write config.yaml: %w", err)
	}
	path := filepath.Join(dir, "config.yaml")
	if err := os.WriteFile(path, []byte(b.String()), 0o600); err != nil {
		return "", fmt.Errorf("write config.yaml: %w", err)
	}
	return path, nil
}

func indent(yaml string) string {
	if strings.TrimSpace(yaml) == "" {
		return ""
	}
	lines := strings.Split(strings.TrimRight(yaml, "\n"), "\n")
	return "    " + strings.Join(lines, "\n    ") + "\n"
}

var configTemplate = template.Must(template.New("config").Parse(`clickai:
  base_url: {{printf "%q" .Agent.BaseURL}}
  console_url: {{printf "%q" .Agent.ConsoleURL}}
  plan: enterprise
apps:
  demo:
    mode: {{.Agent.Mode}}
    api_key: ${CLICKAI_KEY}
    inputs: {language: en, platform: "{{"{{.Platform}}"}}"}
bots:
  - name: demo-slack
    platform: slack
    bot_token: ${SLACK_BOT_TOKEN}
    app_token: ${SLACK_APP_TOKEN}
    api_url: {{printf "%q" .Slack}}
    app: demo
{{.Extra}}  - name: demo-discord
    platform: discord
    token: ${DISCORD_TOKEN}
    api_url: {{printf "%q" .Discord}}
    app: demo
{{.Extra}}  - name: demo-telegram
    platform: telegram
    token: ${TELEGRAM_TOKEN}
    api_url: {{printf "%q" .Telegram}}
    app: demo
{{.Extra}}store:
  path: {{printf "%q" .Store}}
http:
  listen: 127.0.0.1:0
`))
