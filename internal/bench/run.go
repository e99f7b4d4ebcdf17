package bench

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"time"

	"github.com/clickai/bridge/internal/sim/clickai"
)

const (
	connectTime = 60 * time.Second        // for a bridge that this program starts
	warmTime    = 3 * time.Minute         // for the answers of the warm-up
	restTime    = 3 * time.Second         // after the warm-up, in which the platforms' budgets fill again
	quietTime   = 1500 * time.Millisecond // without any change, after which nothing more is expected
	sampleEvery = time.Second
	tellEvery   = 5 // samples
)

// Starter starts a bridge with the configuration at a path. ctx lives as long as the load.
type Starter func(ctx context.Context, config string) (*Bridge, error)

// Run plays a load and measures. It returns an error when it could not be played to its end; what the bridge did wrong is
// in the result. Progress and errors are in plain words for people.
func Run(ctx context.Context, cfg Config) (_ *Result, err error) {
	if err := cfg.Check(); err != nil {
		return nil, err
	}
	if err := checkFiles(cfg.Conversations, cfg.Shared); err != nil {
		return nil, err
	}
	if cfg.Ramp == 0 {
		cfg.Ramp = min(time.Duration(cfg.Conversations)*10*time.Millisecond, cfg.Duration/4)
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	l, err := newLoad(cfg)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, l.set.Close()) }()
	if err := l.set.WriteConfigFile(cfg.ConfigFile, l.set.Agent(clickai.ModeChat), cfg.Store, cfg.extra); err != nil {
		return nil, err
	}
	b, err := cfg.Start(ctx, cfg.ConfigFile)
	if err != nil {
		return nil, fmt.Errorf("start the bridge: %w", err)
	}
	defer func() {
		if stopErr := b.Stop(); stopErr != nil {
			err = errors.Join(err, fmt.Errorf("the bridge: %w", stopErr))
		}
	}()
	turning, stopWheels := context.WithCancel(ctx)
	var wheels sync.WaitGroup
	stop := func() { stopWheels(); wheels.Wait() }
	defer stop()
	for _, w := range l.wheels {
		wheels.Go(func() { w.run(turning) })
	}
	if err := l.prepare(ctx, b); err != nil {
		return nil, err
	}
	m, err := l.play(ctx, b)
	if err != nil {
		return nil, err
	}
	stop() // what the wheels have counted can be read now
	return l.result(m), nil
}

func (l *load) tell(format string, args ...any) {
	if l.cfg.Progress != nil {
		l.cfg.Progress(fmt.Sprintf(format, args...))
	}
}

// prepare waits for the bridge and plays the warm-up.
func (l *load) prepare(ctx context.Context, b *Bridge) error {
	wait := ctx
	if b.Ended != nil { // else a person has yet to start it
		var cancel context.CancelFunc
		wait, cancel = context.WithTimeout(ctx, connectTime)
		defer cancel()
	}
	if err := l.connected(wait, b); err != nil {
		return err
	}
	l.tell("the bridge is connected")
	if !l.cfg.WarmUp {
		return nil
	}
	var all []*conversation
	for i := range l.crowds {
		for j := range l.crowds[i].warmups {
			c := &l.crowds[i].warmups[j]
			c.group = l.groups[i]
			all = append(all, c)
		}
	}
	l.cold.Store(int64(len(all)))
	for _, c := range all {
		if err := l.ask(ctx, c, true); err != nil {
			return err
		}
	}
	ctx, cancel := context.WithTimeoutCause(ctx, warmTime, fmt.Errorf("the warm-up was not answered in %v", warmTime))
	defer cancel()
	select {
	case <-l.warm:
	case <-b.Ended:
		return errors.New("the bridge ended in the warm-up")
	case <-ctx.Done():
		return fmt.Errorf("warm-up, %d of %d questions open: %w", l.cold.Load(), len(all), context.Cause(ctx))
	}
	l.tell("warmed up with %d questions", len(all))
	rest := time.NewTimer(restTime)
	defer rest.Stop()
	select {
	case <-rest.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// measured is what was read of the processes while the load was played.
type measured struct {
	bridge, own       *watcher
	began, ended      time.Duration // of the load; of the last answer
	streamed          time.Duration // the last stream ended
	bridgeCPU, ownCPU time.Duration // up to then
}

// streamsEnded notes what was used up to the end of the last stream.
func (m *measured) streamsEnded(now time.Duration) {
	m.bridge.take(now-m.began, 0)
	m.own.take(now-m.began, 0)
	m.streamed, m.bridgeCPU, m.ownCPU = now, m.bridge.end.cpu, m.own.end.cpu
}

// play asks until the time is over and waits until all answers stand.
func (l *load) play(ctx context.Context, b *Bridge) (m *measured, err error) {
	began := l.clock()
	m = &measured{began: began, bridge: newWatcher(b.PID), own: newWatcher(os.Getpid()), streamed: never}
	l.mu.Lock()
	l.end = began + l.cfg.Duration
	l.mu.Unlock()
	askCtx, stopAsking := context.WithCancel(ctx)
	defer stopAsking()
	asked := make(chan error, 1)
	go func() { asked <- l.askAll(askCtx, began) }()
	asking := true
	defer func() {
		if stopAsking(); asking {
			err = errors.Join(err, <-asked)
		}
	}()
	patience := l.cfg.patience(l.crowds)
	every := time.NewTicker(sampleEvery / 10)
	defer every.Stop()
	next, n, streaming := m.began+sampleEvery, 0, false
	for {
		select {
		case err := <-asked:
			if asking = false; err != nil {
				return nil, err
			}
			asked = nil
		case <-b.Ended:
			return nil, errors.New("the bridge ended under load")
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		case <-every.C:
		}
		now := l.clock()
		running := int(l.running.Load())
		streaming = streaming || running > 0 // a question that came late may begin a stream after all others have ended
		if !asking && running == 0 && streaming {
			streaming = false
			if m.streamed == never {
				l.tell("all streams have ended; %d answers are not shown whole yet, waiting up to %v", l.open.Load(), patience.Round(time.Second))
			}
			m.streamsEnded(now)
		}
		if now >= next {
			next += sampleEvery
			m.bridge.take(now-m.began, running)
			m.own.take(now-m.began, running)
			if n++; n%tellEvery == 0 {
				l.tell("%v: %d answers run, %d are open, %d pieces sent", (now - m.began).Round(time.Second), running, l.open.Load(), l.pieces.Load())
			}
		}
		quiet := now - max(time.Duration(l.stated.Load()), m.streamed)
		// A stream that the bridge never opens ends with patience too.
		if !asking && l.open.Load() == 0 && quiet >= quietTime || now > l.end+patience {
			break
		}
	}
	now := l.clock()
	m.bridge.take(now-m.began, 0)
	m.own.take(now-m.began, 0)
	if m.streamed == never {
		m.streamsEnded(now)
	}
	m.ended = max(time.Duration(l.stated.Load()), m.streamed)
	return m, nil
}

// askAll asks the first questions, spread over the ramp, and then the next one wherever an answer stands, until the time is
// over.
func (l *load) askAll(ctx context.Context, began time.Duration) error {
	t := time.NewTimer(0)
	defer t.Stop()
	<-t.C
	for i, c := range l.convs {
		if rest := began + l.cfg.Ramp*time.Duration(i)/time.Duration(len(l.convs)) - l.clock(); rest > 0 {
			t.Reset(rest)
			select {
			case <-t.C:
			case <-ctx.Done():
				return nil
			}
		}
		if err := l.ask(ctx, c, false); err != nil {
			return err
		}
	}
	// An answer that could not last a second is not begun any more.
	t.Reset(max(l.end-time.Second-l.clock(), 0))
	for {
		select {
		case c := <-l.again:
			if l.clock() >= l.end-time.Second {
				return nil
			}
			if err := l.ask(ctx, c, false); err != nil {
				return err
			}
		case <-t.C:
			return nil
		case <-ctx.Done():
			return nil
		}
	}
}

// patience is how long the last texts may take: every answer needs an edit at least, perhaps two and a message, and the
// platforms let only so many pass.
func (c *Config) patience(crowds []crowd) time.Duration {
	if c.Wait > 0 {
		return c.Wait
	}
	most := time.Duration(0)
	for i, name := range c.Platforms {
		n := time.Duration(len(crowds[i].convs))
		each := time.Second / 10
		switch name {
		case "slack": // 50 edits a minute
			each = 1500 * time.Millisecond
		case "telegram": // 20 a minute in a group
			if groups := time.Duration(crowds[i].people.Rooms); groups > 0 {
				each = max(each, 4*time.Second/groups)
			}
		}
		if c.Mode == "final" { // a long answer is many messages
			each *= time.Duration(1 + c.ChunksPerSecond*c.answerTime().Seconds()*float64(c.ChunkBytes)/2000)
		}
		most = max(most, n*each*2)
	}
	return most + time.Minute
}
