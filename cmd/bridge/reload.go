package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"os"
	"slices"
	"sync"

	"github.com/clickai/bridge/core"
	"github.com/clickai/bridge/internal/agent"
	"github.com/clickai/bridge/internal/config"
)

// reloads says where a running bridge finds its configuration again, and when to look.
type reloads struct {
	path  string
	level *slog.LevelVar
	ask   <-chan os.Signal // each one asks for a reload
}

// reloader replaces the configuration of a running bridge.
type reloader struct {
	reloads
	env     func(string) (string, bool)
	bridge  *core.Bridge
	web     *web
	control *controlSocket
	log     *slog.Logger
	parts   *parts         // that run
	first   *config.Config // what cannot be changed was taken from
}

// watch reloads when it is asked to, until stop is called, which waits.
func (r *reloader) watch(ctx context.Context) (stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			select {
			case <-ctx.Done():
				return
			case <-r.ask:
				r.reload(ctx)
			}
		}
	})
	return func() {
		cancel()
		wg.Wait()
	}
}

// reload reads the configuration and goes over to it. One with a problem is refused whole.
func (r *reloader) reload(ctx context.Context) {
	r.log.Info("reloading the configuration", slog.String("path", r.path))
	c, err := config.Load(r.path, platforms(), r.env)
	if err == nil {
		err = r.apply(ctx, c)
	}
	if err == nil || ctx.Err() != nil {
		return
	}
	for _, p := range problemsOf(err) {
		r.log.Error("configuration refused, the one before goes on", p...)
	}
}

// problemsOf are the attributes of one line of the log for each thing that is wrong.
func problemsOf(err error) [][]any {
	found, ok := errors.AsType[*config.Error](err)
	if !ok {
		return [][]any{{slog.Any("err", err)}}
	}
	var all [][]any
	for _, p := range found.Problems {
		all = append(all, []any{slog.String("problem", p.String())})
	}
	return all
}

// apply goes over to c, or changes nothing.
func (r *reloader) apply(ctx context.Context, c *config.Config) error {
	next, err := rebuild(c, r.log, r.parts.watch, r.parts, stoppedBots(r.bridge.Status()))
	if err != nil {
		return err
	}
	if err := r.web.canServe(next.bots); err != nil {
		next.closeBut(r.parts)
		return err
	}
	if err := r.bridge.Apply(ctx, next.core(c)); err != nil {
		next.closeBut(r.parts)
		return fmt.Errorf("go over to the new configuration: %w", err)
	}
	r.web.serve(next.bots)
	next.watch.use(next)
	next.limits.SetPlan(next.plan)
	if err := r.control.reload(c, next.limits); err != nil {
		r.log.Error("control socket keeps the apps from before", slog.Any("err", err))
	}
	before := r.parts
	r.parts = next
	before.closeBut(next)
	r.level.Set(logLevel(c.Log))
	for _, key := range fixed(r.first, c) {
		r.log.Warn("changed in the configuration, but needs a restart", slog.String("key", key))
	}
	r.log.Info("configuration reloaded", differences(before, next)...)
	return nil
}

// stoppedBots are those that are not tried again. Who asks for a reload may have mended them on the platform's side.
func stoppedBots(all []core.BotStatus) map[string]bool {
	stopped := map[string]bool{}
	for _, s := range all {
		stopped[s.Name] = s.Stopped
	}
	return stopped
}

// fixed are the keys that differ and are read at the start alone.
func fixed(a, b *config.Config) []string {
	var keys []string
	for _, k := range []struct {
		name string
		same bool
	}{
		{"store.path", a.Store.Path == b.Store.Path},
		{"http.listen", a.HTTP.Listen == b.HTTP.Listen},
		{"log.format", a.Log.Format == b.Log.Format},
	} {
		if !k.same {
			keys = append(keys, k.name)
		}
	}
	return keys
}

// differences names what is new, another, gone or as before.
func differences(before, next *parts) []any {
	var lists struct{ added, changed, removed, untouched []string }
	was := map[string]core.Platform{}
	for _, b := range before.bots {
		was[b.Settings.Name] = b.Platform
	}
	for _, b := range next.bots {
		switch old, known := was[b.Settings.Name]; {
		case !known:
			lists.added = append(lists.added, b.Settings.Name)
		case old != b.Platform:
			lists.changed = append(lists.changed, b.Settings.Name)
		default:
			lists.untouched = append(lists.untouched, b.Settings.Name)
		}
		delete(was, b.Settings.Name)
	}
	lists.removed = slices.Sorted(maps.Keys(was))
	var apps []string
	for name, a := range next.apps {
		if before.apps[name] != a {
			apps = append(apps, name)
		}
	}
	slices.Sort(apps)
	return []any{
		slog.Any("added", lists.added), slog.Any("changed", lists.changed), slog.Any("removed", lists.removed),
		slog.Any("untouched", lists.untouched), slog.Any("apps_changed", apps),
	}
}

// core is what core needs of the parts.
func (s *parts) core(c *config.Config) core.Config {
	apps := make(map[string]core.App, len(s.apps))
	for name, a := range s.apps {
		apps[name] = a
	}
	return core.Config{Apps: apps, Bots: s.bots, Retention: c.Store.Retention, ShutdownTimeout: c.ShutdownTimeout}
}

// keptApp is the app of that name, if it is the same in c. s may be nil.
func (s *parts) keptApp(c *config.Config, name string) (*agent.App, bool) {
	if s == nil || s.config.ClickAI.BaseURL != c.ClickAI.BaseURL {
		return nil, false
	}
	before, ok := s.config.Apps[name]
	return s.apps[name], ok && config.Same(before, c.Apps[name])
}

// keptBot is the bot of that name, if it is the same in b. s may be nil.
func (s *parts) keptBot(b config.Bot) (core.BotConfig, bool) {
	if s == nil {
		return core.BotConfig{}, false
	}
	i := slices.IndexFunc(s.config.Bots, func(o config.Bot) bool { return config.Same(o, b) })
	j := slices.IndexFunc(s.bots, func(o core.BotConfig) bool { return o.Settings.Name == b.Name })
	if i < 0 || j < 0 {
		return core.BotConfig{}, false
	}
	return s.bots[j], true
}

// closeBut gives up the kept connections of apps that other has not.
func (s *parts) closeBut(other *parts) {
	for name, a := range s.apps {
		if other.apps[name] != a {
			a.Close()
		}
	}
}
