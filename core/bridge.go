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
	// the text of the last message. With more answers at once each is edited less often anyway.
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
	// Observer is told what happens; nil: nobody is.
	Observer Observer
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
	store    Store
	roster   atomic.Pointer[roster]
	log      *slog.Logger
	observer Observer
	dispatch *dispatcher
	rater    *rater
	renders  chan struct{} // capacity maxGrowing: a token for each reply with a Render of its own
	running  running       // replies that are being written
	stopping atomic.Bool   // no further turn begins

	up        chan struct{} // closed once Run has started the bots
	platforms sync.WaitGroup
	retiring  sync.WaitGroup // one for each bot that has been replaced or removed and still does something

	mu      sync.Mutex               // held by Apply; guards what follows
	intake  context.Context          // of the platforms; Run's
	ended   map[string]chan struct{} // by the bot's name: closed once the last one started has disconnected
	leaving map[*bot]*time.Timer     // retired bots; the timer is set once their time is bounded

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
		store: c.Store, log: c.Log,
		up: make(chan struct{}), ended: map[string]chan struct{}{}, leaving: map[*bot]*time.Timer{},
	}
	if c.MaxTurns == 0 {
		c.MaxTurns = DefaultMaxTurns
	}
	if c.MaxWaiting == 0 {
		c.MaxWaiting = DefaultMaxWaiting
	}
	if b.observer = c.Observer; b.observer == nil {
		b.observer = NopObserver{}
	}
	b.work, b.stopWork = context.WithCancelCause(context.Background())
	b.dispatch = newDispatcher(c.MaxTurns, c.MaxWaiting, b.serve)
	b.rater = newRater(b)
	b.renders = make(chan struct{}, maxGrowing)
	b.running.all = map[ConvKey]*reply{}
	first, _, err := b.newRoster(c, &roster{})
	if err != nil {
		return nil, err
	}
	b.roster.Store(first)
	return b, nil
}

// Run connects all bots and works until ctx ends. Then it takes nothing new, lets running turns end for up to
// ShutdownTimeout, and leaves what is unfinished in the store. Nothing that it started outlives it.
func (b *Bridge) Run(ctx context.Context) error {
	defer b.stopWork(ErrShutdown)
	now, first := time.Now(), b.roster.Load()
	for _, name := range first.order {
		t := first.bots[name]
		t.started, t.present = now, now
		var err error
		if t.firstRun, err = b.store.FirstStart(ctx, name, now); ctx.Err() != nil {
			return nil // told to stop before it had begun
		} else if err != nil {
			return fmt.Errorf("read the first start of bot %s: %w", name, err)
		}
	}
	unfinished, err := b.store.Unfinished(ctx)
	switch {
	case ctx.Err() != nil:
		return nil
	case err != nil:
		return fmt.Errorf("read unfinished conversations: %w", err)
	}
	for _, conv := range unfinished {
		if _, ok := first.bots[conv.Bot()]; ok {
			b.dispatch.wake(conv)
		}
	}
	if len(unfinished) > 0 {
		b.log.Info("taking up what was left", slog.Int("conversations", len(unfinished)))
	}
	b.dispatch.start(b.work)

	b.mu.Lock()
	b.intake = ctx
	for _, name := range first.order {
		b.startLocked(first.bots[name], false)
	}
	b.mu.Unlock()
	close(b.up)
	var chores sync.WaitGroup
	chores.Go(func() { b.rater.run(b.work) })
	chores.Go(func() { b.sweep(b.work) })

	<-ctx.Done()
	b.mu.Lock()
	b.stopping.Store(true) // and no further bot starts
	last := b.roster.Load()
	b.mu.Unlock()
	b.log.Info("stopping", slog.Duration("at_most", last.grace))
	cut := time.AfterFunc(last.grace, func() { b.stopWork(ErrShutdown) })
	b.platforms.Wait()
	b.dispatch.stop()
	b.retiring.Wait()
	for _, name := range last.order {
		last.bots[name].noticesWG.Wait()
	}
	cut.Stop()
	b.stopWork(ErrShutdown)
	chores.Wait()
	return nil
}

// Status tells how each bot is doing, in the order of the configuration.
func (b *Bridge) Status() []BotStatus {
	r := b.roster.Load()
	all := make([]BotStatus, 0, len(r.order))
	for _, name := range r.order {
		all = append(all, r.bots[name].status())
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
		if keep := b.roster.Load().retention; keep > 0 {
			links = now.Add(-keep)
		}
		if err := b.store.Sweep(ctx, now.Add(-seenFor), links); err != nil && ctx.Err() == nil {
			b.log.Warn("sweep", slog.Any("err", err))
		}
	}
}
