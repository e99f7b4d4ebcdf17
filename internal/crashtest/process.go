package crashtest

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"slices"
	"sync"
	"syscall"
	"time"
)

const (
	// soon is about how long an answer takes over loopback to be read: the process dies a little before or after.
	soon     = 3 * time.Millisecond
	stopTime = 45 * time.Second // more than the bridge takes at most
)

// Kill is one end of a process.
type Kill struct {
	At     time.Time
	Over   time.Time     // when the last of what it had sent to the platforms had taken effect; zero: not known
	Point  Point         // zero: at a random time
	Nth    int           // occurrence of the point
	Lived  time.Duration // of the process
	Missed bool          // it was aimed at a point that did not come
}

// String is the kill in words.
func (k Kill) String() string {
	if k.Point == (Point{}) {
		return fmt.Sprintf("at a random time, %v old", k.Lived.Round(time.Millisecond))
	}
	return fmt.Sprintf("%v #%d, %v old", k.Point, k.Nth, k.Lived.Round(time.Millisecond))
}

// process is a bridge that runs.
type process struct {
	cmd   *exec.Cmd
	began time.Time
	dead  chan struct{} // closed when it has ended
	err   error         // how; read after dead is closed
}

// errEnded says that a bridge ended although nobody killed it.
var errEnded = errors.New("the bridge ended by itself")

// killer runs the process and ends it.
type killer struct {
	command func() *exec.Cmd
	log     *os.File // gets what the processes write to stderr
	r       *rand.Rand
	doors   *doors // of the platforms

	soon sync.WaitGroup

	mu     sync.Mutex
	p      *process // nil: none runs
	plan   plan
	armed  bool
	count  int // occurrences of the plan's point
	killed bool
	aimed  bool // the shot is on its way
	kills  []Kill
	starts []time.Time
}

// start starts a process that is to end as planned. With armed false it is not to end.
func (k *killer) start(pl plan, armed bool) error {
	cmd := k.command()
	cmd.Stderr = k.log
	k.mu.Lock()
	defer k.mu.Unlock()
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("start the bridge: %w", err)
	}
	p := &process{cmd: cmd, began: time.Now(), dead: make(chan struct{})}
	k.starts = append(k.starts, p.began)
	k.soon.Go(func() {
		p.err = cmd.Wait()
		close(p.dead)
	})
	k.p, k.plan, k.armed, k.count, k.killed, k.aimed = p, pl, armed, 0, false, false
	return nil
}

// aims counts an occurrence of a point and returns the process if it is to die at this one: then the caller fires. Else nil.
func (k *killer) aims(at Point) *process {
	k.mu.Lock()
	defer k.mu.Unlock()
	if !k.armed || k.killed || k.aimed || k.plan.point != at {
		return nil
	}
	if k.count++; k.count != k.plan.nth {
		return nil
	}
	k.aimed = true
	return k.p
}

// at kills the process if it is to die at this occurrence of a point. It returns when the process is dead.
func (k *killer) at(at Point) bool {
	p := k.aims(at)
	if p == nil {
		return false
	}
	k.fire(p, at)
	return true
}

// fireSoon kills in a moment, without holding up the caller.
func (k *killer) fireSoon(p *process, at Point) {
	k.mu.Lock()
	d := time.Duration(k.r.Int64N(int64(soon)))
	k.mu.Unlock()
	k.soon.Go(func() {
		t := time.NewTimer(d)
		defer t.Stop()
		<-t.C
		k.fire(p, at)
	})
}

// fire kills a process, unless it is dead already, and returns when it is.
func (k *killer) fire(p *process, at Point) {
	k.mu.Lock()
	if p == nil || p != k.p || k.killed {
		k.mu.Unlock()
		return
	}
	k.killed = true
	now := time.Now()
	_ = p.cmd.Process.Kill() // it may have ended by itself, which run finds out
	kill := Kill{At: now, Point: at, Lived: now.Sub(p.began)}
	if at != (Point{}) {
		kill.Nth = k.plan.nth
	} else {
		kill.Missed = k.plan.point != at
	}
	k.kills = append(k.kills, kill)
	k.mu.Unlock()
	<-p.dead
}

// runOnce runs one process to its planned end.
func (k *killer) runOnce(ctx context.Context, pl plan) error {
	if err := k.start(pl, true); err != nil {
		return err
	}
	t := time.NewTimer(pl.after)
	defer t.Stop()
	p := k.p
	select {
	case <-p.dead:
	case <-t.C:
		k.fire(p, Point{})
	case <-ctx.Done():
		k.fire(p, Point{})
		return context.Cause(ctx)
	}
	<-p.dead
	if err := k.ended(p); err != nil {
		return err
	}
	if err := k.doors.empty(ctx); err != nil {
		return err
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.kills[len(k.kills)-1].Over = time.Now()
	return nil
}

// ended tells whether the process ended because it was killed.
func (k *killer) ended(p *process) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.p = nil
	if !k.killed {
		return fmt.Errorf("%w: %w", errEnded, p.err)
	}
	return nil
}

// stop ends the process of a round that is over, in the proper way, and wants it to succeed.
func (k *killer) stop() error {
	k.mu.Lock()
	p := k.p
	k.p = nil
	k.mu.Unlock()
	if p == nil {
		return nil
	}
	if err := p.cmd.Process.Signal(os.Interrupt); err != nil {
		return fmt.Errorf("stop the bridge: %w", err)
	}
	t := time.NewTimer(stopTime)
	defer t.Stop()
	select {
	case <-p.dead:
	case <-t.C:
		_ = p.cmd.Process.Signal(syscall.SIGQUIT) // its log tells then where it stands
		last := time.AfterFunc(10*time.Second, func() { _ = p.cmd.Process.Kill() })
		<-p.dead
		last.Stop()
		return errors.New("the bridge did not stop when told to")
	}
	if p.err != nil {
		return fmt.Errorf("stop the bridge: %w", p.err)
	}
	return nil
}

// end leaves no process behind.
func (k *killer) end() {
	k.fire(k.p, Point{})
	k.soon.Wait()
}

// history are the kills so far, and when processes were started.
func (k *killer) history() ([]Kill, []time.Time) {
	k.mu.Lock()
	defer k.mu.Unlock()
	return slices.Clone(k.kills), slices.Clone(k.starts)
}
