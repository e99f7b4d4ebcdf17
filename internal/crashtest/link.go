package crashtest

import (
	"context"
	"fmt"
	"net"
	"sync"
	"sync/atomic"
	"time"
)

// link is the network in front of one stand-in: a listener that can refuse, and whose connections can be slow, silent or cut.
type link struct {
	addr string
	done chan struct{}
	slow atomic.Int64 // nanoseconds that each read and write takes longer

	mu     sync.Mutex
	closed bool
	ln     net.Listener  // nil while connections are refused
	opened chan struct{} // closed when they are taken again
	conns  map[*wire]bool
}

// newLink listens on a free port of loopback.
func newLink(ctx context.Context) (*link, error) {
	ln, err := listen(ctx, "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	return &link{addr: ln.Addr().String(), done: make(chan struct{}), ln: ln, conns: map[*wire]bool{}}, nil
}

func listen(ctx context.Context, addr string) (net.Listener, error) {
	ln, err := new(net.ListenConfig).Listen(ctx, "tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("listen: %w", err)
	}
	return ln, nil
}

// Accept implements [net.Listener]. It waits while connections are refused.
func (l *link) Accept() (net.Conn, error) {
	for {
		l.mu.Lock()
		ln, opened := l.ln, l.opened
		l.mu.Unlock()
		if ln == nil {
			select {
			case <-opened:
				continue
			case <-l.done:
				return nil, net.ErrClosed
			}
		}
		c, err := ln.Accept()
		if err == nil {
			w := &wire{Conn: c, l: l, gone: make(chan struct{})}
			l.mu.Lock()
			l.conns[w] = true
			l.mu.Unlock()
			return w, nil
		}
		l.mu.Lock()
		same := l.ln == ln
		l.mu.Unlock()
		if same {
			return nil, err //nolint:wrapcheck // net/http looks into it
		}
	}
}

// Addr implements [net.Listener].
func (l *link) Addr() net.Addr {
	a, err := net.ResolveTCPAddr("tcp", l.addr)
	if err != nil {
		panic(err) // it came from a listener
	}
	return a
}

// Close implements [net.Listener]. Connections live on.
func (l *link) Close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return nil
	}
	l.closed = true
	close(l.done)
	if l.ln == nil {
		return nil
	}
	return l.ln.Close() //nolint:wrapcheck // of the listener itself
}

// refuse takes no more connections; those that there are stay.
func (l *link) refuse() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.ln == nil || l.closed {
		return
	}
	ln := l.ln
	l.ln, l.opened = nil, make(chan struct{})
	_ = ln.Close() // Accept gives what it says
}

// reopenTries is how often the port is asked for: another process may have it for a moment as the near end of a connection.
const reopenTries = 100

// open takes connections again, at the same address.
func (l *link) open(ctx context.Context) error {
	for try := 1; ; try++ {
		err := l.tryOpen(ctx)
		if err == nil || try == reopenTries || !pause(ctx, 100*time.Millisecond) {
			return err
		}
	}
}

func (l *link) tryOpen(ctx context.Context) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.ln != nil || l.closed {
		return nil
	}
	ln, err := listen(ctx, l.addr)
	if err != nil {
		return err
	}
	l.ln = ln
	close(l.opened)
	return nil
}

// each does something with every connection.
func (l *link) each(do func(*wire)) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for w := range l.conns {
		do(w)
	}
}

// cut ends every connection without a word.
func (l *link) cut() { l.each((*wire).cut) }

// stall makes every connection half-open: what either side sends from now on is gone, and nobody is told.
func (l *link) stall() { l.each(func(w *wire) { w.stalled.Store(true) }) }

// delay slows every connection down, also new ones; 0 ends it.
func (l *link) delay(d time.Duration) { l.slow.Store(int64(d)) }

// wire is one connection, as the stand-in has it.
type wire struct {
	net.Conn
	l       *link
	stalled atomic.Bool
	once    sync.Once
	gone    chan struct{}
}

// Read implements [net.Conn].
func (w *wire) Read(p []byte) (int, error) {
	for {
		n, err := w.Conn.Read(p)
		if err != nil || !w.stalled.Load() {
			if n > 0 {
				w.wait()
			}
			return n, err //nolint:wrapcheck // it has to be the connection's own
		}
	}
}

// Write implements [net.Conn].
func (w *wire) Write(p []byte) (int, error) {
	w.wait()
	if w.stalled.Load() {
		return len(p), nil
	}
	return w.Conn.Write(p) //nolint:wrapcheck // it has to be the connection's own
}

func (w *wire) wait() {
	d := time.Duration(w.l.slow.Load())
	if d == 0 {
		return
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-w.gone:
	}
}

// Close implements [net.Conn].
func (w *wire) Close() error {
	w.once.Do(func() {
		close(w.gone)
		w.l.mu.Lock()
		defer w.l.mu.Unlock()
		delete(w.l.conns, w)
	})
	return w.Conn.Close() //nolint:wrapcheck // it has to be the connection's own
}

// cut resets the connection. The stand-in finds out and closes it.
func (w *wire) cut() {
	if c, ok := w.Conn.(*net.TCPConn); ok {
		_ = c.SetLinger(0) // it may be closed already
	}
	_ = w.Conn.Close() // the same
}
