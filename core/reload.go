package core

import (
	"context"
	"fmt"
	"log/slog"
	"reflect"
	"time"
)

// Heir is a [Platform] that can go on with what another one has counted against the limits of their account. Otherwise a bot
// that replaces another would begin as if nothing had been sent, while turns of the one before still send.
type Heir interface {
	// Inherit is called once, before the platform is used, where calls_per_second is the same for both. It takes nothing from
	// a platform of another account.
	Inherit(before Platform)
}

// roster is what one configuration names. It never changes: another configuration has another roster.
type roster struct {
	apps      map[string]App
	bots      map[string]*bot
	order     []string // of the bots
	retention time.Duration
	grace     time.Duration
}

// bot is the bot of that name that serves now.
func (b *Bridge) bot(name string) (*bot, bool) {
	t, ok := b.roster.Load().bots[name]
	return t, ok
}

// app is the app that new turns ask under that name.
func (b *Bridge) app(name string) (App, bool) {
	a, ok := b.roster.Load().apps[name]
	return a, ok
}

// newRoster makes the bots of c that old does not have already. On an error it has made none. It does no I/O.
func (b *Bridge) newRoster(c Config, old *roster) (next *roster, fresh []*bot, err error) {
	defer func() {
		if err != nil {
			dismiss(fresh)
		}
	}()
	next = &roster{apps: c.Apps, bots: map[string]*bot{}, retention: c.Retention, grace: c.ShutdownTimeout}
	for _, bc := range c.Bots {
		name := bc.Settings.Name
		if _, ok := next.bots[name]; ok {
			return nil, fresh, fmt.Errorf("core: two bots are named %q", name)
		}
		if _, ok := c.Apps[bc.Settings.App]; !ok {
			return nil, fresh, fmt.Errorf("core: bot %q names an app %q that is not there", name, bc.Settings.App)
		}
		t := old.bots[name]
		switch {
		case t == nil || !samePlatform(unobserved(t.platform), bc.Platform):
			t = newBot(b, bc.Settings, bc.Platform)
			fresh = append(fresh, t)
		case !reflect.DeepEqual(t.settings, bc.Settings):
			return nil, fresh, fmt.Errorf("core: bot %q has other settings and the platform that runs: it needs one of its own", name)
		}
		next.bots[name] = t
		next.order = append(next.order, name)
	}
	return next, fresh, nil
}

func samePlatform(a, b Platform) bool {
	return reflect.TypeOf(a) == reflect.TypeOf(b) && reflect.TypeOf(a).Comparable() && a == b
}

// dismiss gives up bots that were never started.
func dismiss(bots []*bot) {
	for _, t := range bots {
		t.cutOff(context.Canceled)
	}
}

// Apply replaces apps, bots, retention and shutdown timeout of a running bridge by those of c; its other fields are not
// looked at. On an error nothing has changed. It waits for the store, and for Run to have begun, but for no platform.
//
//   - A bot that has the very Platform that it had before does not notice: its connection and its turns go on.
//   - A bot with another Platform replaces the one of its name. That one takes nothing new from now on, and the new one
//     connects as soon as it has disconnected. Turns that run end with the settings that they began with; what waits is
//     answered by the new ones.
//   - A bot that c does not name takes nothing new, and its turns may go on for the shutdown timeout. What is unfinished
//     then stays in the store, for when the bot comes back.
//   - Turns that begin from now on ask c's apps.
func (b *Bridge) Apply(ctx context.Context, c Config) error {
	select {
	case <-b.up:
	case <-b.work.Done():
		return ErrShutdown
	case <-ctx.Done():
		return fmt.Errorf("wait for the bridge to run: %w", context.Cause(ctx))
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.stopping.Load() {
		return ErrShutdown
	}
	old := b.roster.Load()
	next, fresh, err := b.newRoster(c, old)
	if err != nil {
		return err
	}
	now := time.Now()
	for _, t := range fresh {
		t.started, t.present = now, now
		if before := old.bots[t.settings.Name]; before != nil {
			t.present = before.present // what comes between the two was not missed
			if h, ok := unobserved(t.platform).(Heir); ok && before.settings.Limits.CallsPerSecond == t.settings.Limits.CallsPerSecond {
				h.Inherit(unobserved(before.platform))
			}
		}
		if t.firstRun, err = b.store.FirstStart(ctx, t.settings.Name, now); err != nil {
			dismiss(fresh)
			return fmt.Errorf("read the first start of bot %s: %w", t.settings.Name, err)
		}
	}
	b.roster.Store(next)
	for _, name := range old.order {
		t := old.bots[name]
		successor, stays := next.bots[name]
		if successor == t {
			continue
		}
		b.retireLocked(t)
		if !stays {
			b.removeLocked(name, next.grace)
		}
	}
	for _, t := range fresh {
		b.startLocked(t, true)
	}
	b.rater.renew()
	return nil
}

// startLocked connects a bot once the one of its name before it has disconnected. With resume it takes up what waits.
func (b *Bridge) startLocked(t *bot, resume bool) {
	name := t.settings.Name
	before := b.ended[name]
	b.ended[name] = t.ended
	ctx, leave := context.WithCancel(b.intake)
	t.leave = leave
	b.platforms.Go(func() {
		defer close(t.ended)
		defer leave()
		if before != nil {
			<-before
		}
		if resume {
			b.takeUp(ctx, t)
		}
		t.run(ctx)
	})
}

// takeUp wakes the conversations of a bot that have something to do.
func (b *Bridge) takeUp(ctx context.Context, t *bot) {
	wait := newBackoff(time.Second, time.Minute)
	for ctx.Err() == nil {
		unfinished, err := b.store.Unfinished(ctx)
		if err == nil {
			for _, conv := range unfinished {
				if conv.Bot() == t.settings.Name {
					b.dispatch.wake(conv)
				}
			}
			return
		}
		if ctx.Err() == nil {
			t.log.Error("read unfinished conversations", slog.Any("err", err))
		}
		sleep(ctx, wait.next())
	}
}

// retireLocked lets a bot take nothing new. What it does still is waited for apart, as the bridge goes on.
func (b *Bridge) retireLocked(t *bot) {
	t.mu.Lock()
	t.stopped, t.retired = true, true
	t.mu.Unlock()
	t.leave()
	b.leaving[t] = nil
	b.retiring.Go(func() {
		<-t.ended
		t.serving.Wait()
		t.noticesWG.Wait()
		t.cutOff(ErrShutdown)
		b.mu.Lock()
		defer b.mu.Unlock()
		if cut := b.leaving[t]; cut != nil {
			cut.Stop()
		}
		delete(b.leaving, t)
		if name := t.settings.Name; b.ended[name] == t.ended {
			delete(b.ended, name)
		}
	})
}

// removeLocked bounds the time that all retired bots of a name have for their turns.
func (b *Bridge) removeLocked(name string, grace time.Duration) {
	for t, cut := range b.leaving {
		if t.settings.Name == name && cut == nil {
			b.leaving[t] = time.AfterFunc(grace, func() { t.cutOff(ErrShutdown) })
		}
	}
}

// serve answers all that waits in a conversation. It is the dispatcher's work. Where the bot is replaced meanwhile, the new
// one goes on.
func (b *Bridge) serve(_ context.Context, conv ConvKey) {
	for {
		t, ok := b.bot(conv.Bot())
		if !ok {
			return
		}
		if t.beginServing() {
			b.converseAs(t, conv)
		}
		if now, ok := b.bot(conv.Bot()); !ok || now == t {
			return
		}
	}
}

func (b *Bridge) converseAs(t *bot, conv ConvKey) {
	defer t.serving.Done()
	b.converse(t.work, t, conv)
}

// beginServing counts a worker that works for the bot; false if it has been retired.
func (t *bot) beginServing() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.retired {
		return false
	}
	t.serving.Add(1)
	return true
}
