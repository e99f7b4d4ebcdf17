package main

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/http/pprof"
	"sync/atomic"
	"time"

	"github.com/clickai/bridge/clickai"
	"github.com/clickai/bridge/core"
	"github.com/clickai/bridge/internal/metrics"
	"github.com/clickai/bridge/internal/trace"
	"github.com/clickai/bridge/store"
)

// watch is what looks at a bridge at work: metrics always, traces where they are asked for.
type watch struct {
	metrics *metrics.Metrics
	traces  *trace.Tracer // nil: none
	parts   atomic.Pointer[parts]
}

// newWatch begins to trace if the environment names a collector.
func (p *program) newWatch(ctx context.Context, log *slog.Logger) (*watch, error) {
	w := &watch{metrics: metrics.New(versionText())}
	var err error
	w.traces, err = trace.New(ctx, trace.Config{Env: p.env, Version: versionText(), Log: log})
	if err != nil {
		return nil, err
	}
	return w, nil
}

// close sends the spans that are left.
func (w *watch) close() error {
	if err := w.traces.Close(); err != nil {
		return fmt.Errorf("send the last traces: %w", err)
	}
	return nil
}

// observer is what core tells.
func (w *watch) observer() core.Observer {
	if w.traces == nil {
		return w.metrics
	}
	return trace.Beside(w.metrics, w.traces)
}

// use says what the metrics are to read from now on: the apps and bots of the configuration that holds. It is called before
// the bridge has them.
func (w *watch) use(s *parts) {
	for _, b := range s.bots {
		w.metrics.Expect(b.Settings.Name, appsOf(b.Settings))
	}
	w.parts.Store(s)
}

// appsOf are the apps that a bot may ask.
func appsOf(s core.BotSettings) []string {
	apps := []string{s.App}
	for _, r := range s.Routes {
		apps = append(apps, r.App)
	}
	return apps
}

// live has the metrics read what is a matter of the moment.
func (w *watch) live(b *core.Bridge, db *store.Store) {
	w.metrics.Watch(metrics.Live{
		Bots: b.Status, Load: b.Load, Healthy: b.Healthy, StorePath: db.Path(), Plans: w.plans,
		Depth: func(ctx context.Context) (int, time.Time, error) {
			d, err := db.Depth(ctx)
			return d.Questions, d.Oldest, err
		},
	})
}

// plans is what is left of each app's requests.
func (w *watch) plans() map[string]metrics.Plan {
	s := w.parts.Load()
	if s == nil {
		return nil
	}
	plans := make(map[string]metrics.Plan, len(s.config.Apps))
	for app, c := range s.config.Apps {
		l := s.limits.For(c.APIKey.Reveal())
		p := l.Plan()
		left := metrics.Plan{PerMinute: p.PerMinute, PerDay: p.PerDay}
		left.LeftMinute, left.LeftDay = l.Room()
		plans[app] = left
	}
	return plans
}

// requests is what is told of the requests of an app; nil where nobody is.
func (w *watch) requests(app string) func(context.Context, clickai.RequestInfo) {
	if w == nil {
		return nil
	}
	return w.metrics.ClickAI(app)
}

// profileTimeout bounds a profile that is taken over a time.
const profileTimeout = 5 * time.Minute

// startProfiler serves Go's profiles, at an address of its own: they tell more than others should know, and cost time. "" is
// for not at all. It warns when others than this machine can reach it.
func startProfiler(ctx context.Context, listen string, log *slog.Logger) (*httpServer, error) {
	s := &httpServer{}
	if listen == "" {
		return s, nil
	}
	mux := http.NewServeMux()
	mux.HandleFunc("/debug/pprof/", pprof.Index)
	mux.HandleFunc("/debug/pprof/cmdline", pprof.Cmdline)
	mux.HandleFunc("/debug/pprof/profile", pprof.Profile)
	mux.HandleFunc("/debug/pprof/symbol", pprof.Symbol)
	mux.HandleFunc("/debug/pprof/trace", pprof.Trace)
	if err := s.start(ctx, "pprof server", listen, mux, profileTimeout, log); err != nil {
		return nil, fmt.Errorf("--pprof %s: %w; choose another address, like 127.0.0.1:6060", listen, err)
	}
	if a, ok := s.listener.Addr().(*net.TCPAddr); !ok || !a.IP.IsLoopback() {
		log.Warn("profiles can be read by whoever reaches this address: prefer 127.0.0.1", slog.String("pprof", s.addr()))
	}
	log.Info("profiles are served", slog.String("pprof", s.addr()))
	return s, nil
}
