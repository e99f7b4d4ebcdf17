package crashtest

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"time"

	"github.com/clickai/bridge/internal/sim"
	"github.com/clickai/bridge/internal/standins"
)

// overTime bounds how long a dead process's connections may take to end.
const overTime = 20 * time.Second

// doors are the listeners of the platforms' stand-ins. They know how many connections are open: once a process is dead and none
// is left, nothing that it sent takes effect any more.
type doors struct {
	changed sim.Notifier

	mu   sync.Mutex
	open int
}

// into has the stand-ins of these platforms listen at the doors.
func (d *doors) into(ctx context.Context, opt *standins.Options, platforms []string) error {
	for _, name := range platforms {
		l, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
		if err != nil {
			return fmt.Errorf("listen for %s: %w", name, err)
		}
		listenAt(opt, name, &door{l, d})
	}
	return nil
}

// empty waits until no connection is open.
func (d *doors) empty(ctx context.Context) error {
	ctx, cancel := context.WithTimeoutCause(ctx, overTime, errors.New("connections of a dead process do not end"))
	defer cancel()
	for {
		changed := d.changed.Changed()
		d.mu.Lock()
		n := d.open
		d.mu.Unlock()
		if n == 0 {
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

func (d *doors) count(n int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.open += n
	d.changed.Notify()
}

type door struct {
	net.Listener
	all *doors
}

// Accept implements net.Listener.
func (d *door) Accept() (net.Conn, error) {
	c, err := d.Listener.Accept()
	if err != nil {
		return nil, err
	}
	d.all.count(1)
	return &visit{Conn: c, left: sync.OnceFunc(func() { d.all.count(-1) })}, nil
}

// visit is a connection that came through a door.
type visit struct {
	net.Conn
	left func()
}

// Close implements net.Conn.
func (v *visit) Close() error {
	defer v.left()
	return v.Conn.Close()
}
