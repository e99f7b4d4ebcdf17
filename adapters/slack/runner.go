package slack

import (
	"context"
	"errors"
	"hash/maphash"
	"log/slog"
	"runtime/debug"
	"sync"
	"time"

	"github.com/cenkalti/backoff/v5"

	"github.com/clickai/bridge/core"
)

// sockets is how many sockets are open at once. Slack sends each event to any one of them, and takes up to ten. With two,
// nothing is missed while one is renewed: slack-go closes a socket before it opens the next.
// Source: https://docs.slack.dev/apis/events-api/using-socket-mode#multiple-connections
const sockets = 2

// runner is one Run of a bot.
type runner struct {
	p         *Platform
	host      core.Host
	log       *slog.Logger
	decoder   *decoder
	positions *positions
	catchup   *catchup
	held      *held
	marks     *marks

	seed  maphash.Seed
	lanes [lanes]chan delivery // events of one room go the same way, in the order in which the sockets brought them
	rooms [64]sync.Mutex       // events of one room go one after the other, also those from history

	mu    sync.Mutex
	up    [sockets]time.Time // since when each is connected; zero: it is not
	state bool               // what the host was told last
	told  error
}

func newRunner(p *Platform, host core.Host) *runner {
	r := &runner{p: p, host: host, log: p.log, positions: newPositions(host), marks: newMarks(host), held: newHeld(), seed: maphash.MakeSeed()}
	r.catchup = newCatchup(r)
	for i := range r.lanes {
		r.lanes[i] = make(chan delivery, laneSize)
	}
	return r
}

// run connects until ctx ends or Slack refuses for good.
func (r *runner) run(ctx context.Context) error {
	// First of all: turns of an earlier process are taken up meanwhile, and identify may take as long as Slack is away.
	if err := r.p.notes.attach(r.host); err != nil {
		return &core.Error{Op: "slack.Run", Class: core.Transient, Err: err}
	}
	me, err := r.identify(ctx)
	switch {
	case ctx.Err() != nil:
		return nil
	case err != nil:
		return err
	}
	r.decoder = &decoder{p: r.p, me: me}
	r.log.Info("bot known", slog.String("team", me.team), slog.String("user", me.user))
	fresh, err := r.positions.load()
	if err := errors.Join(err, r.marks.load()); err != nil {
		return &core.Error{Op: "slack.Run", Class: core.Transient, Err: err}
	}
	if fresh {
		r.flush(ctx)
	} else {
		r.fallBehind()
	}

	inner, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	r.p.inbox.open(inner, r)
	var wg sync.WaitGroup
	if r.p.appToken != "" {
		for n := range sockets {
			wg.Go(func() {
				if fatal := r.connections(inner, n); fatal != nil {
					cancel(fatal)
				}
			})
		}
	} else {
		r.connected(0)
		wg.Go(func() { r.watchQuiet(inner) })
	}
	wg.Go(func() {
		if fatal := r.watchToken(inner); fatal != nil {
			cancel(fatal)
		}
	})
	for _, lane := range r.lanes {
		wg.Go(func() { r.work(inner, lane) })
	}
	wg.Go(func() { r.catchup.run(inner) })
	wg.Go(func() { r.catchup.hurry(inner) })
	wg.Go(func() { r.flushes(inner) })
	wg.Wait()
	r.p.inbox.close()

	last, stop := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer stop()
	r.flush(last)
	if fatal, ok := errors.AsType[*core.Error](context.Cause(inner)); ok && ctx.Err() == nil {
		r.host.State(false, fatal)
		return fatal
	}
	return nil
}

// identify asks who the bot is, until Slack answers. Its own messages could not be told apart otherwise.
func (r *runner) identify(ctx context.Context) (identity, error) {
	b := backoff.NewExponentialBackOff()
	b.InitialInterval, b.MaxInterval = r.p.times.backoff, r.p.times.maxBackoff
	for {
		me, scopes, err := r.p.authTest(ctx, method("auth.test"))
		if err == nil {
			checkScopes(scopes, me.bot != "", func(what string, ok bool, mend string) {
				if !ok {
					r.log.Error("something that the bot needs is not granted", slog.String("what", what), slog.String("mend", mend))
				}
			})
		}
		if err == nil || ctx.Err() != nil || core.ClassOf(err) == core.Auth || core.ClassOf(err) == core.Denied {
			return me, err
		}
		r.host.State(false, err)
		pause := max(b.NextBackOff(), core.RetryAfterOf(err))
		r.log.Info("Slack does not answer, trying again", slog.Int64("retry_after_ms", pause.Milliseconds()), logErr(err))
		if sleep(ctx, pause) != nil {
			return identity{}, err
		}
	}
}

// watchToken looks, when an answer of Slack's says that the token is not valid, whether that is so for all methods: then
// nothing that the bot does can succeed until someone acts.
func (r *runner) watchToken(ctx context.Context) *core.Error {
	for {
		select {
		case <-r.p.doubt:
		case <-ctx.Done():
			return nil
		}
		_, _, err := r.p.authTest(ctx, method("auth.test").patient())
		if fatal, ok := errors.AsType[*core.Error](err); ok && fatal.Class == core.Auth {
			return fatal
		}
		if sleep(ctx, r.p.times.maxBackoff) != nil {
			return nil
		}
	}
}

// connected notes that a socket is up, and starts catching up when it is the only one.
func (r *runner) connected(n int) {
	r.mu.Lock()
	first := !r.anyLocked()
	r.up[n] = time.Now()
	r.tellLocked(true, nil)
	if first {
		r.positions.connected()
	}
	r.mu.Unlock()
	if first {
		r.catchup.start()
		r.held.poke()
	}
}

// disconnected notes that a socket is down, and why, if that is known.
func (r *runner) disconnected(n int, err error) {
	r.mu.Lock()
	was := r.anyLocked()
	r.up[n] = time.Time{}
	left := r.anyLocked()
	if !left {
		r.tellLocked(false, err)
	}
	if was && !left {
		r.positions.disconnected(time.Now())
		r.fallBehind()
	}
	r.mu.Unlock()
}

// fallBehind lets what Slack tells wait, room by room, until it is known what was said there before.
func (r *runner) fallBehind() {
	if r.lookback() > 0 {
		r.held.begin()
	}
}

// behind is what is to be read of the histories; ok is false if nothing is, or not yet.
func (r *runner) behind() (g gap, ok bool) {
	r.mu.Lock()
	from, number := r.positions.behind()
	g = gap{number: number, cut: r.held.cuts(), since: from}
	r.mu.Unlock()
	g.from = later(from.Add(-r.p.times.overlap), time.Now().Add(-r.lookback()))
	return g, number != 0
}

func (r *runner) anyLocked() bool {
	for _, since := range r.up {
		if !since.IsZero() {
			return true
		}
	}
	return false
}

// tellLocked tells the host how the connection is, when that is news.
func (r *runner) tellLocked(up bool, err error) {
	if up == r.state && (up || err == nil || r.told != nil && r.told.Error() == err.Error()) {
		return
	}
	r.state, r.told = up, err
	r.host.State(up, err)
}

// younger tells whether a socket was opened after the other one, and so soon after it that Slack would end both together.
func (r *runner) younger(n int, life time.Duration) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	mine, other := r.up[n], r.up[1-n]
	if mine.IsZero() || other.IsZero() {
		return false
	}
	by := mine.Sub(other)
	return (by > 0 || by == 0 && n == 1) && by < life/4
}

// accept hands an event to the host, which makes it durable.
func (r *runner) accept(ctx context.Context, ev core.Event) (err error) {
	defer r.passOver(&err)
	mu := &r.rooms[maphash.String(r.seed, ev.Room.ID)%uint64(len(r.rooms))]
	mu.Lock()
	defer mu.Unlock()
	if err := r.host.Accept(ctx, ev); err != nil {
		if ctx.Err() == nil {
			r.log.Error("event not stored", slog.String("event_key", ev.Key), logErr(err))
		}
		return err //nolint:wrapcheck // the caller logs nothing more
	}
	r.positions.active(&ev)
	r.marks.note(&ev)
	return nil
}

// passOver is deferred where an event is handled. A panic would end the process, and end it again at each retry: the event
// is passed over instead.
func (r *runner) passOver(err *error) {
	if v := recover(); v != nil {
		r.log.Error("event passed over after a panic", slog.Any("panic", v), slog.String("stack", string(debug.Stack())))
		*err = nil
	}
}

// flushes writes positions now and then until ctx ends.
func (r *runner) flushes(ctx context.Context) {
	t := time.NewTicker(r.p.times.flush)
	defer t.Stop()
	for {
		select {
		case <-t.C:
			r.flush(ctx)
		case <-ctx.Done():
			return
		}
	}
}

func (r *runner) flush(ctx context.Context) {
	if err := errors.Join(r.positions.flush(ctx), r.marks.flush(ctx)); err != nil && ctx.Err() == nil {
		r.log.Error("positions not stored", logErr(err))
	}
}

// lookback is how far back history is read; 0: not at all.
func (r *runner) lookback() time.Duration {
	if h, ok := r.host.(core.LookBack); ok {
		return h.CatchUp()
	}
	return r.p.times.lookback
}
