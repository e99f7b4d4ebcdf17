package playground

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"sync"
	"syscall"
	"time"

	"github.com/clickai/bridge/internal/sim"
)

// stopTime is how long the bridge may take to stop in order, before it is killed.
const stopTime = 40 * time.Second

// Process runs the bridge as a process of its own, so that it can be killed as by `kill -9` and started again.
type Process struct {
	command  func() *exec.Cmd
	notifier sim.Notifier

	mu     sync.Mutex
	now    *child
	starts int
	closed bool
	wg     sync.WaitGroup
}

// child is one life of the process.
type child struct {
	cmd    *exec.Cmd
	ended  chan struct{}
	err    error // why it ended; read after ended is closed
	wanted bool  // the end was asked for; guarded by Process.mu
	began  time.Time
}

// NewProcess makes a process that is not started. command makes what is run; it must not be bound to a context.
func NewProcess(command func() *exec.Cmd) *Process { return &Process{command: command} }

// ErrRunning says that the bridge runs already.
var ErrRunning = errors.New("the bridge is running")

// Start starts the bridge. It returns at once; the platforms tell when it is connected.
func (p *Process) Start() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed || p.runningLocked() {
		return ErrRunning
	}
	c := &child{cmd: p.command(), ended: make(chan struct{}), began: time.Now()}
	if err := c.cmd.Start(); err != nil {
		return fmt.Errorf("start the bridge: %w", err)
	}
	p.wg.Go(func() {
		c.err = c.cmd.Wait()
		close(c.ended)
		p.notifier.Notify()
	})
	p.now = c
	p.starts++
	p.notifier.Notify()
	return nil
}

func (p *Process) runningLocked() bool {
	if p.now == nil {
		return false
	}
	select {
	case <-p.now.ended:
		return false
	default:
		return true
	}
}

// Kill ends the bridge at once, in the middle of whatever it does, and waits until it is gone.
func (p *Process) Kill(ctx context.Context) error { return p.end(ctx, syscall.SIGKILL) }

// Stop ends the bridge in order, as `bridge run` does at SIGTERM, and kills it when that takes too long.
func (p *Process) Stop(ctx context.Context) error { return p.end(ctx, syscall.SIGTERM) }

func (p *Process) end(ctx context.Context, sig syscall.Signal) error {
	p.mu.Lock()
	c := p.now
	if c == nil || !p.runningLocked() {
		p.mu.Unlock()
		return nil
	}
	c.wanted = true
	p.mu.Unlock()
	p.notifier.Notify()
	// It may have ended by itself meanwhile, which is fine.
	if err := c.cmd.Process.Signal(sig); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("end the bridge: %w", err)
	}
	ctx, cancel := context.WithTimeout(ctx, stopTime)
	defer cancel()
	select {
	case <-c.ended:
	case <-ctx.Done():
		_ = c.cmd.Process.Kill() // fails only for one that has ended
		<-c.ended
	}
	return nil
}

// Ended is closed when the process that runs now has ended, with the error that it ended with; nil when none was started.
func (p *Process) Ended() (<-chan struct{}, func() error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.now == nil {
		return nil, nil
	}
	c := p.now
	return c.ended, func() error { return c.err }
}

// Close stops the bridge for good.
func (p *Process) Close() error {
	p.mu.Lock()
	p.closed = true
	p.mu.Unlock()
	err := p.Stop(context.Background())
	p.wg.Wait()
	return err
}

// bridgeItem is how the bridge stands.
type bridgeItem struct {
	State  string `json:"state"` // "running", "stopping", "stopped", "failed"
	PID    int    `json:"pid,omitempty"`
	Starts int    `json:"starts"`
	Since  int64  `json:"since,omitempty"`
}

func (p *Process) item() bridgeItem {
	p.mu.Lock()
	defer p.mu.Unlock()
	it := bridgeItem{State: "stopped", Starts: p.starts}
	switch {
	case p.now == nil:
	case p.runningLocked():
		it.State, it.PID, it.Since = "running", p.now.cmd.Process.Pid, p.now.began.UnixMilli()
		if p.now.wanted {
			it.State = "stopping"
		}
	case !p.now.wanted:
		it.State = "failed"
	}
	return it
}
