package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"

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
			"end for up to shutdown_timeout, and leaves what is unfinished for the next start.\n\n" +
			"SIGHUP reads the configuration again. One with a problem is refused whole and the one before goes on; the log says why.\n" +
			"Bots that changed connect anew, others do not notice. store.path, http.listen and log.format need a restart.",
		Args: noArgs,
	}
	path := p.configFlag(cmd)
	cmd.Flags().StringVar(&p.pprof, "pprof", "", "serve Go's profiles at this `address`, like 127.0.0.1:6060; whoever reaches it can read them")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		c, err := p.load(*path)
		if err != nil {
			return err
		}
		if os.Getenv("GOGC") == "" {
			debug.SetGCPercent(gcPercent)
		}
		ask := make(chan os.Signal, 1)
		signal.Notify(ask, syscall.SIGHUP)
		defer signal.Stop(ask)
		level := new(slog.LevelVar)
		level.Set(logLevel(c.Log))
		p.reloads = &reloads{path: *path, level: level, ask: ask}
		return p.run(cmd.Context(), c, newLogger(c.Log, level, p.err))
	}
	return cmd
}

// gcPercent lets the heap grow by less than the default of 100 before it is collected: a quarter less memory under load for
// a twentieth more processor time, see docs/performance.md.
const gcPercent = 30

// run is the bridge from a checked configuration until ctx ends.
func (p *program) run(ctx context.Context, c *config.Config, log *slog.Logger) (err error) {
	w, err := p.newWatch(ctx, log)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, w.close()) }()
	s, err := rebuild(c, log, w, nil, nil)
	if err != nil {
		return err
	}
	w.use(s)
	defer s.close()
	db, err := store.Open(c.Store.Path, store.Options{OnCommit: w.metrics.Committed})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()

	cc := s.core(c)
	cc.Store, cc.Log, cc.Observer = db, log, w.observer()
	bridge, err := core.New(cc)
	if err != nil {
		return err
	}
	w.live(bridge, db)
	prof, err := startProfiler(ctx, p.pprof, log)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, prof.close()) }()
	web, err := startWeb(ctx, c.HTTP.Listen, bridge, s.bots, log, route{"GET /metrics", w.metrics.Handler()})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, web.close()) }()
	ctl, err := startControl(ctx, db, c, s.limits, log)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, ctl.close()) }()
	log.Info("started", slog.String("version", versionText()), slog.Int("bots", len(s.bots)), slog.Int("apps", len(s.apps)), slog.String("http", web.addr()))
	if p.ready != nil {
		p.ready(web.addr())
	}
	if p.stopSignal != nil {
		stop := context.AfterFunc(ctx, p.stopSignal)
		defer stop()
	}
	if p.reloads != nil {
		r := &reloader{reloads: *p.reloads, env: p.env, bridge: bridge, web: web, control: ctl, log: log, parts: s, first: c}
		stop := r.watch(ctx)
		defer func() {
			stop()
			r.parts.close()
		}()
	}
	if err := bridge.Run(ctx); err != nil {
		return fmt.Errorf("run: %w", err)
	}
	log.Info("stopped")
	return nil
}
