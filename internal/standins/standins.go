// Package standins starts the stand-ins of ClickAI, Slack, Discord and Telegram together and writes the configuration with
// which a bridge connects to them. `bridge demo` and the end-to-end tests use it; the bridge itself does not know it.
package standins

import (
	"cmp"
	"errors"
	"fmt"
	"log/slog"
	"slices"
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
	// Only are the names of the chat platforms to start; nil: all three.
	Only []string
	// ClickAI, Slack, Discord and Telegram are what each starts from; ChunkInterval, SlackScopes and Log go over it.
	ClickAI  clickai.Options
	Slack    slack.Options
	Discord  discord.Options
	Telegram telegram.Options
	Log      *slog.Logger
}

func (o *Options) starts(name string) bool { return o.Only == nil || slices.Contains(o.Only, name) }

// Set is a running set of stand-ins.
type Set struct {
	ClickAI  *clickai.Server // nil with Options.NoClickAI; the others are nil if Options.Only leaves them out
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
	opt.ClickAI.ChunkInterval, opt.ClickAI.Log = cmp.Or(opt.ChunkInterval, opt.ClickAI.ChunkInterval), opt.Log
	opt.Slack.Log, opt.Discord.Log, opt.Telegram.Log = opt.Log, opt.Log, opt.Log
	if opt.SlackScopes != nil {
		opt.Slack.Scopes = opt.SlackScopes
	}
	if !opt.NoClickAI {
		if s.ClickAI, err = clickai.New(opt.ClickAI); err != nil {
			return nil, fmt.Errorf("start ClickAI's stand-in: %w", err)
		}
	}
	if opt.starts("slack") {
		if s.Slack, err = slack.New(opt.Slack); err != nil {
			return nil, fmt.Errorf("start Slack's stand-in: %w", err)
		}
	}
	if opt.starts("discord") {
		if s.Discord, err = discord.New(opt.Discord); err != nil {
			return nil, fmt.Errorf("start Discord's stand-in: %w", err)
		}
	}
	if opt.starts("telegram") {
		if s.Telegram, err = telegram.New(opt.Telegram); err != nil {
			return nil, fmt.Errorf("start Telegram's stand-in: %w", err)
		}
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

// Platforms are the chat stand-ins that run, in the order Slack, Discord, Telegram.
func (s *Set) Platforms() []sim.Platform {
	var all []sim.Platform
	if s.Slack != nil {
		all = append(all, s.Slack)
	}
	if s.Discord != nil {
		all = append(all, s.Discord)
	}
	if s.Telegram != nil {
		all = append(all, s.Telegram)
	}
	return all
}

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
