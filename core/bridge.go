package core

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"
)

// Bounds of the whole bridge.
const (
	// DefaultMaxTurns is how many turns run at once; further conversations wait, and the person is told.
	DefaultMaxTurns = 10_000
	// DefaultMaxWaiting is how many conversations wait for a place; a question in another one is refused with a line.
	DefaultMaxWaiting = 100_000

	// maxGrowing is how many replies have a Render of their own, which is several times quicker and holds several times
	// the answer's text. With more answers at once each is edited less often anyway.
	maxGrowing = 64
	// seenFor is how long event keys are remembered. Slack delivers again for up to about 5 minutes and Telegram for 24
	// hours (https://core.telegram.org/bots/api#getting-updates); what is caught up is bounded by catch_up.
	seenFor = 7 * 24 * time.Hour
)

// Config is what a Bridge is made of.
type Config struct {
	Store Store
	Apps  map[string]App // by name
	Bots  []BotConfig
	Log   *slog.Logger
	// Retention is how long links and votes are kept; 0: for ever.
	Retention time.Duration
	// ShutdownTimeout is how long running turns may go on after Run's context has ended.
	ShutdownTimeout time.Duration
	// MaxTurns bounds the turns that run at once; 0: DefaultMaxTurns.
	MaxTurns int
	// MaxWaiting bounds the conversations that wait for a place; 0: DefaultMaxWaiting.
	MaxWaiting int
}

// BotConfig is one bot with its platform.
type BotConfig struct {
	Settings BotSettings
	Platform Platform
}

// Bridge connects platforms with apps. Make one with New and call Run once.
type Bridge struct {
	store     Store
	apps      map[string]App
	bots      map[string]*bot
	order     []string
	log       *slog.Logger
	retention time.Duration
	grace     time.Duration
	dispatch  *dispatcher
	rater     *rater
	renders   chan struct{} // capacity maxGrowing: a token for each reply with a Render of its own
	stopping  atomic.Bool   // no further turn begins

	// work is the context of all that may go on while the bridge shuts down. It is set once, in New, so that adapters may
	// use their Host at any time, and ends when Run returns.
	work     context.Context
	stopWork context.CancelCauseFunc
}

// New checks that all parts fit together. It does no I/O.
func New(c Config) (*Bridge, error) {
	if c.Store == nil || c.Log == nil {
		return nil, errors.New("core: Config needs a Store and a Log")
	}
	b := &Bridge{
		store: c.Store, apps: c.Apps, bots: map[string]*bot{}, log: c.Log,
		retention: c.Retention, grace: c.ShutdownTimeout,
	}
	if c.MaxTurns == 0 {
		c.MaxTurns = DefaultMaxTurns
	}
	if c.MaxWaiting == 0 {
		c.MaxWaiting = DefaultMaxWaiting
	}
	b.work, b.stopWork = context.WithCancelCause(context.Background())
	b.dispatch = newDispatcher(c.MaxTurns, c.MaxWaiting, b.converse)
	b.rater = newRater(b)
	b.renders = make(chan struct{}, maxGrowing)
	for _, bc := range c.Bots {
		name := bc.Settings.Name
		if _, ok := b.bots[name]; ok {
			return nil, fmt.Errorf("core: two bots are named %q", name)
		}
		if _, ok := b.apps[bc.Settings.App]; !ok {
			return nil, fmt.Errorf("core: bot %q names an app %q that is not there", name, bc.Settings.App)
		}
		b.bots[name] = newBot(b, bc.Settings, bc.Platform)
		b.order = append(b.order, name)
	}
	return b, nil
}

// Run connects all bots and works until ctx ends. Then it takes nothing new, lets running turns end for up to
// ShutdownTimeout, and leaves what is unfinished in the store. Nothing that it started outlives it.
func (b *Bridge) Run(ctx context.Context) error {
	defer b.stopWork(ErrShutdown)
	now := time.Now()
	for _, name := range b.order {
		t := b.bots[name]
		t.started = now
		var err error
		if t.firstRun, err = b.store.FirstStart(ctx, name, now); err != nil {
			return fmt.Errorf("read the first start of bot %s: %w", name, err)
		}
	}
	unfinished, err := b.store.Unfinished(ctx)
	if err != nil {
		return fmt.Errorf("read unfinished conversations: %w", err)
	}
	for _, conv := range unfinished {
		if _, ok := b.bots[conv.Bot()]; ok {
			b.dispatch.wake(conv)
		}
	}
	if len(unfinished) > 0 {
		b.log.Info("taking up what was left", slog.Int("conversations", len(unfinished)))
	}
	b.dispatch.start(b.work)

	var platforms, chores sync.WaitGroup
	for _, name := range b.order {
		platforms.Go(func() { b.bots[name].run(ctx) })
	}
	chores.Go(func() { b.rater.run(b.work) })
	chores.Go(func() { b.sweep(b.work) })

	<-ctx.Done()
	b.log.Info("stopping", slog.Duration("at_most", b.grace))
	b.stopping.Store(true)
	cut := time.AfterFunc(b.grace, func() { b.stopWork(ErrShutdown) })
	platforms.Wait()
	b.dispatch.stop()
	for _, name := range b.order {
		b.bots[name].noticesWG.Wait()
	}
	cut.Stop()
	b.stopWork(ErrShutdown)
	chores.Wait()
	return nil
}

// Status tells how each bot is doing, in the order of the configuration.
func (b *Bridge) Status() []BotStatus {
	all := make([]BotStatus, 0, len(b.order))
	for _, name := range b.order {
		all = append(all, b.bots[name].status())
	}
	return all
}

// Load is how many turns run and how many conversations wait for a place.
func (b *Bridge) Load() (running, waiting int) { return b.dispatch.counts() }

// Healthy is nil as long as the store can be written.
func (b *Bridge) Healthy() error { return b.store.Healthy() }

// sweep forgets what need not be remembered, soon after the start and then every hour.
func (b *Bridge) sweep(ctx context.Context) {
	for wait := time.Minute; sleep(ctx, wait); wait = time.Hour {
		now := time.Now()
		links := time.Time{}
		if b.retention > 0 {
			links = now.Add(-b.retention)
		}
		if err := b.store.Sweep(ctx, now.Add(-seenFor), links); err != nil && ctx.Err() == nil {
			b.log.Warn("sweep", slog.Any("err", err))
		}
	}
}
