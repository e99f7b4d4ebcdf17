package memnet

import (
	"context"
	"fmt"
	"net"
	"sync"
	"sync/atomic"
	"syscall"
)

// backlog is how many connections may wait for Accept. Dial waits while there are more.
const backlog = 128

// ports gives each end an address of its own, for logs.
var ports atomic.Uint32

func newAddr() net.Addr {
	const first, count = 1024, 64512
	return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: first + int((ports.Add(1)-1)%count)}
}

// Listener accepts the connections that Dial makes. Use [Listen] to make one.
type Listener struct {
	addr  net.Addr
	queue chan *conn
	done  chan struct{}
	once  sync.Once
}

// Listen returns a listener that is ready for Dial. For use under testing/synctest call it in the bubble.
func Listen() *Listener {
	return &Listener{addr: newAddr(), queue: make(chan *conn, backlog), done: make(chan struct{})}
}

// Accept waits for the next connection. After Close its error wraps net.ErrClosed.
func (l *Listener) Accept() (net.Conn, error) {
	select {
	case <-l.done:
	default:
		select {
		case c := <-l.queue:
			return c, nil
		case <-l.done:
		}
	}
	return nil, &net.OpError{Op: "accept", Net: "tcp", Addr: l.addr, Err: net.ErrClosed}
}

// Close ends Accept and Dial, and closes connections that nobody accepted. Others live on.
func (l *Listener) Close() error {
	l.once.Do(func() { close(l.done) })
	l.refuse()
	return nil
}

// refuse closes what waits in the queue.
func (l *Listener) refuse() {
	for {
		select {
		case c := <-l.queue:
			c.Close() //nolint:errcheck // it returns nil
		default:
			return
		}
	}
}

// Addr is an address that no other listener of this process has now. Nothing but Dial can reach it.
func (l *Listener) Addr() net.Addr { return l.addr }

// Dial connects. It waits only while the backlog is full. After Close its error wraps syscall.ECONNREFUSED.
func (l *Listener) Dial(ctx context.Context) (net.Conn, error) {
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("dial %s: %w", l.addr, context.Cause(ctx))
	}
	refused := &net.OpError{Op: "dial", Net: "tcp", Addr: l.addr, Err: syscall.ECONNREFUSED}
	select {
	case <-l.done:
		return nil, refused
	default:
	}
	here, there := pair(newAddr(), l.addr)
	select {
	case l.queue <- there:
	case <-l.done:
		return nil, refused
	case <-ctx.Done():
		return nil, fmt.Errorf("dial %s: %w", l.addr, context.Cause(ctx))
	}
	select {
	case <-l.done:
		// Close may have looked through the queue before this connection was in it.
		l.refuse()
	default:
	}
	return here, nil
}

// DialContext is Dial in the form that http.Transport and WebSocket dialers want. The address is not looked at.
func (l *Listener) DialContext(ctx context.Context, _, _ string) (net.Conn, error) {
	return l.Dial(ctx)
}
