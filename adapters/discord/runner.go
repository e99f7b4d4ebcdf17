package discord

import (
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"log/slog"
	"runtime/debug"
	"sync"
	"time"

	"github.com/cenkalti/backoff/v5"

	"github.com/clickai/bridge/core"
)

// runner is one Run of a bot.
type runner struct {
	p         *Platform
	host      core.Host
	log       *slog.Logger
	gateway   *gateway
	positions *positions
	catchup   *catchup
	marks     *marks
	acks      *acks
	stored    session // as it was stored last; used by the writer of positions, and after it has ended

	seed  maphash.Seed
	rooms [64]sync.Mutex // events of one room go one after the other, from the gateway and from history
}

func newRunner(p *Platform, host core.Host) *runner {
	r := &runner{p: p, host: host, log: p.log, positions: newPositions(host), marks: newMarks(host), seed: maphash.MakeSeed()}
	r.gateway = &gateway{p: p, handle: r.handle, state: host.State}
	r.catchup = newCatchup(r)
	r.acks = newAcks(p)
	return r
}

// run connects until ctx ends.
func (r *runner) run(ctx context.Context) error {
	if err := r.positions.load(); err != nil {
		return &core.Error{Op: "discord.Run", Class: core.Transient, Err: err}
	}
	if err := r.marks.load(); err != nil {
		return &core.Error{Op: "discord.Run", Class: core.Transient, Err: err}
	}
	s, err := r.p.loadSession(r.host)
	if err != nil {
		return &core.Error{Op: "discord.Run", Class: core.Transient, Err: err}
	}
	r.gateway.set(s)
	r.p.dir.identify(s.Bot, s.App)

	inner, cancel := context.WithCancel(ctx)
	var wg sync.WaitGroup
	for range catchUpWorkers {
		wg.Go(func() { r.catchup.work(inner) })
	}
	wg.Go(func() { r.flushes(inner) })
	wg.Go(func() { r.acks.work(inner) })
	connected, refuse := context.WithCancelCause(ctx)
	wg.Go(func() { r.doubts(inner, refuse) })
	fatal := r.connections(connected)
	if refused, ok := errors.AsType[*core.Error](context.Cause(connected)); ok && fatal == nil && ctx.Err() == nil {
		fatal = refused
		r.host.State(false, fatal)
	}
	refuse(nil)
	cancel()
	wg.Wait()

	last, stop := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer stop()
	r.stored = session{} // so that the time is stored too
	r.flush(last)
	if fatal != nil {
		return fatal
	}
	return nil
}

// connections makes one connection after the other. It returns nil when ctx ends.
func (r *runner) connections(ctx context.Context) *core.Error {
	b := backoff.NewExponentialBackOff()
	b.InitialInterval, b.MaxInterval = r.p.times.backoff, r.p.times.maxBackoff
	quick := true // the next connection may follow at once
	for {
		resumes := r.gateway.current().ID != ""
		up, err := r.gateway.serve(ctx)
		if ctx.Err() != nil {
			return nil
		}
		pause, fatal := r.gateway.after(err)
		if fatal != nil {
			r.host.State(false, fatal)
			return fatal
		}
		r.host.State(false, err)
		if !up.IsZero() && time.Since(up) >= r.p.times.stable {
			b.Reset()
			quick = true
		}
		refused, _ := errors.AsType[*sessionError](err)
		switch {
		case !up.IsZero() && quick && pause == 0:
			// Discord ends connections as a matter of course. After a good one there is no reason to wait.
			quick = false
		case refused != nil && !refused.resumable && resumes && up.IsZero():
			// The session was too old. That the next one is refused too is not to be expected.
		default:
			pause = max(pause, b.NextBackOff())
		}
		r.log.Info("gateway connection ended", slog.Int64("retry_after_ms", pause.Milliseconds()), slog.Any("err", err))
		if sleep(ctx, pause) != nil {
			return nil
		}
	}
}

// flushes writes positions now and then until ctx ends.
func (r *runner) flushes(ctx context.Context) {
	t := time.NewTicker(r.p.times.flush)
	defer t.Stop()
	for {
		select {
		case <-t.C:
		case <-r.positions.urgent:
		case <-ctx.Done():
			return
		}
		r.flush(ctx)
	}
}

func (r *runner) flush(ctx context.Context) {
	// The session is looked at first: one older than the positions only brings known events again. While a channel is being
	// caught up, events that wait there count as received in the session, so a new process must not resume it.
	s := r.gateway.current()
	if r.catchup.any() {
		s = session{Bot: s.Bot, App: s.App}
	}
	// Where the bot has written is stored ahead of the positions, which hide it once they are past it.
	err := r.marks.flush(ctx)
	if err == nil {
		err = r.positions.flush(ctx, r.catchup.pending)
	}
	if s.Bot != "" && s != r.stored {
		serr := r.p.storeSession(ctx, r.host, s)
		if serr == nil {
			r.stored = s
		}
		err = errors.Join(err, serr)
	}
	if err != nil && ctx.Err() == nil {
		r.log.Error("positions not stored", slog.Any("err", err))
	}
}

// lookback is how far back history is read; 0: not at all.
func (r *runner) lookback() time.Duration {
	if h, ok := r.host.(core.LookBack); ok {
		return h.CatchUp()
	}
	return r.p.times.lookback
}

// oldest is the id before which nothing is read from the history.
func (r *runner) oldest() snowflake { return idAt(time.Now().Add(-r.lookback())) }

// accept hands an event to the host, which makes it durable. A refusal is a full or failing disk: it is tried for a while.
// The error is errNotStored or ctx's.
func (r *runner) accept(ctx context.Context, ev core.Event) error {
	mu := &r.rooms[maphash.String(r.seed, ev.Room.ID)%uint64(len(r.rooms))]
	mu.Lock()
	defer mu.Unlock()
	return r.retry(ctx, func() error {
		if err := r.host.Accept(ctx, ev); err != nil {
			return err //nolint:wrapcheck // retry does
		}
		return r.marks.note(ctx, &ev)
	})
}

// retry tries f until it succeeds, ctx ends, or it has been tried long enough for the connection to be given up.
func (r *runner) retry(ctx context.Context, f func() error) error {
	_, err := backoff.Retry(ctx, func() (struct{}, error) {
		err := f()
		if err != nil && ctx.Err() == nil {
			r.log.Error("event not stored, trying again", slog.Any("err", err))
		}
		return struct{}{}, err
	}, backoff.WithBackOff(&backoff.ExponentialBackOff{
		InitialInterval: r.p.times.retryStore / 100, RandomizationFactor: 0.5, Multiplier: 2, MaxInterval: r.p.times.retryStore / 5,
	}), backoff.WithMaxElapsedTime(r.p.times.retryStore))
	if err != nil {
		return fmt.Errorf("%w: %w", errNotStored, err)
	}
	return nil
}

// handle takes one dispatch. An error means that it is not safe and must come again. A panic would end the process, and
// would end it again after each resume: the event is passed over instead.
func (r *runner) handle(ctx context.Context, f frame, s session) (err error) {
	defer func() {
		if v := recover(); v != nil {
			r.log.Error("event passed over after a panic", slog.String("type", clip(f.Type, 60)), slog.Any("panic", v),
				slog.String("stack", string(debug.Stack())))
		}
	}()
	return r.dispatch(ctx, f, s)
}
