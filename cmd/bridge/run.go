package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"runtime/debug"

	"github.com/spf13/cobra"

	"github.com/clickai/bridge/core"
	"github.com/clickai/bridge/internal/config"
	"github.com/clickai/bridge/store"
)

func (p *program) runCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "run",
		Short: "Run the bridge",
		Long: "Run the bridge: connect every bot and answer until SIGINT or SIGTERM. Then it takes nothing new, lets running answers\n" +
			"end for up to shutdown_timeout, and leaves what is unfinished for the next start.",
		Args: exactly(0),
	}
	path := p.configFlag(cmd)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		c, err := p.load(*path)
		if err != nil {
			return err
		}
		if os.Getenv("GOGC") == "" {
			debug.SetGCPercent(gcPercent)
		}
		return p.run(cmd.Context(), c, newLogger(c.Log, p.err))
	}
	return cmd
}

// gcPercent lets the heap grow by less than the default of 100 before it is collected: a quarter less memory under load for
// a twentieth more processor time, see docs/performance.md.
const gcPercent = 30

// run is the bridge from a checked configuration until ctx ends.
func (p *program) run(ctx context.Context, c *config.Config, log *slog.Logger) (err error) {
	s, err := build(c, log)
	if err != nil {
		return err
	}
	defer s.close()
	db, err := store.Open(c.Store.Path, store.Options{})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()

	apps := make(map[string]core.App, len(s.apps))
	for name, a := range s.apps {
		apps[name] = a
	}
	bridge, err := core.New(core.Config{
		Store: db, Apps: apps, Bots: s.bots, Log: log, Retention: c.Store.Retention, ShutdownTimeout: c.ShutdownTimeout,
	})
	if err != nil {
		return err
	}
	web, err := startWeb(ctx, c.HTTP.Listen, bridge, s.bots, log)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, web.close()) }()
	log.Info("started", slog.String("version", versionText()), slog.Int("bots", len(s.bots)), slog.Int("apps", len(s.apps)), slog.String("http", web.addr()))
	if p.ready != nil {
		p.ready(web.addr())
	}
	if p.stopSignal != nil {
		stop := context.AfterFunc(ctx, p.stopSignal)
		defer stop()
	}
	if err := bridge.Run(ctx); err != nil {
		return fmt.Errorf("run: %w", err)
	}
	log.Info("stopped")
	return nil
}
