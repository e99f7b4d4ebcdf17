package playground

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os/exec"
	"strings"
	"time"

	"github.com/clickai/bridge/internal/sim/clickai"
	"github.com/clickai/bridge/internal/sim/discord"
	"github.com/clickai/bridge/internal/sim/slack"
	"github.com/clickai/bridge/internal/standins"
)

// WorldOptions are what a world is made of.
type WorldOptions struct {
	// Dir is a folder for the bridge's configuration and store.
	Dir string
	// Command makes the process that runs the bridge with a configuration file. It must not be bound to a context.
	Command func(config string) *exec.Cmd
	// Agent is the real app; nil: ClickAI's stand-in answers.
	Agent *standins.AgentConfig
	// Standins are what the stand-ins start from.
	Standins standins.Options
	Listen   string
	Fallback bool
	// Tour plays the tour on the set; nil for none.
	Tour func(ctx context.Context, set *standins.Set, agent standins.AgentConfig, report func(Step)) error
	Log  *slog.Logger
}

// World is everything behind the page: stand-ins, relay, bridge and server.
type World struct {
	Set    *standins.Set
	Relay  *Relay
	Bridge *Process
	Server *Server
	// Agent is the app that the bridge talks to, by way of the relay.
	Agent standins.AgentConfig
}

// Open starts all of it but the bridge, which [Process.Start] starts. Close it when done.
func Open(opt WorldOptions) (_ *World, err error) {
	if opt.Log == nil {
		opt.Log = slog.New(slog.DiscardHandler)
	}
	w := &World{}
	defer func() {
		if err != nil {
			err = errors.Join(err, w.Close())
		}
	}()
	in := opt.Standins
	if in.Slack.Channels == nil && in.Discord.Channels == nil && in.Telegram.Chats == nil {
		in = standins.TryoutOptions(in)
	}
	in.NoClickAI = opt.Agent != nil
	if w.Set, err = standins.Start(in); err != nil {
		return nil, err
	}
	if opt.Agent != nil {
		w.Agent = *opt.Agent
	} else {
		w.Agent = w.Set.Agent(clickai.ModeChat)
	}
	if w.Relay, err = NewRelay(w.Agent.BaseURL, opt.Log); err != nil {
		return nil, err
	}
	w.Agent.BaseURL = w.Relay.URL()
	tryout, rooms := w.tryout(opt.Agent == nil)
	path, err := w.Set.WriteTryout(opt.Dir, w.Agent, tryout)
	if err != nil {
		return nil, err
	}
	w.Bridge = NewProcess(func() *exec.Cmd { return opt.Command(path) })
	page := Options{
		Listen: opt.Listen, Fallback: opt.Fallback, Set: w.Set, Relay: w.Relay, Bridge: w.Bridge, Rooms: rooms,
		Samples: opt.Agent == nil, Log: opt.Log,
	}
	if opt.Tour != nil {
		page.Tour = func(ctx context.Context, report func(Step)) error { return opt.Tour(ctx, w.Set, w.Agent, report) }
	}
	w.Server, err = New(page)
	return w, err
}

// tryout is the configuration of the bridge, and where which answers can be tried.
func (w *World) tryout(builtIn bool) (standins.Tryout, map[string]map[string]Room) {
	chat := string(clickai.ModeChat)
	rooms := map[string]map[string]Room{
		"slack":    {chat: {Room: slack.General, Mention: true}},
		"discord":  {chat: {Room: discord.General, Mention: true}},
		"telegram": {chat: {Direct: true}},
	}
	t := standins.Tryout{Where: true}
	names := map[string]string{}
	if builtIn {
		for _, x := range []struct {
			mode       clickai.Mode
			name, into string
		}{{clickai.ModeAgentChat, "agent", ""}, {clickai.ModeWorkflow, "workflow", "input_text"}} {
			a := w.Set.Agent(x.mode)
			t.Apps = append(t.Apps, standins.NamedApp{Name: x.name, AgentConfig: a, QueryInput: x.into})
			names[string(x.mode)] = x.name
		}
	}
	routes := map[string]string{}
	for _, r := range standins.ModeRooms() {
		if name := names[string(r.Mode)]; name != "" {
			routes[r.Platform] += fmt.Sprintf("  - rooms: [%q]\n    app: %s\n", r.Room, name)
			rooms[r.Platform][string(r.Mode)] = Room{Room: r.Room, Mention: true}
		}
	}
	t.Extra = func(platform string) string {
		var b strings.Builder
		b.WriteString(standins.RatingButtons)
		if routes[platform] != "" {
			b.WriteString("routes:\n" + routes[platform])
		}
		return b.String()
	}
	return t, rooms
}

// WaitConnected waits until every stand-in sees its bot. The error says which does not, or that the bridge has ended.
func (w *World) WaitConnected(ctx context.Context, within time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	ended, _ := w.Bridge.Ended()
	for _, p := range w.Set.Platforms() {
		for {
			changed := p.Changed()
			if p.Connected() {
				break
			}
			select {
			case <-changed:
			case <-ended:
				return errors.New("the bridge ended before it was connected")
			case <-ctx.Done():
				return fmt.Errorf("the bot on %s did not connect: %w", p.Name(), context.Cause(ctx))
			}
		}
	}
	return nil
}

// Close ends all of it: the page first, then the bridge, then what it was connected to.
func (w *World) Close() error {
	var errs []error
	if w.Server != nil {
		errs = append(errs, w.Server.Close())
	}
	if w.Bridge != nil {
		errs = append(errs, w.Bridge.Close())
	}
	if w.Relay != nil {
		errs = append(errs, w.Relay.Close())
	}
	if w.Set != nil {
		errs = append(errs, w.Set.Close())
	}
	return errors.Join(errs...)
}
