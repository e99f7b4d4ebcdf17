package memnet

import (
	"errors"
	"io"
	"net"
	"os"
	"sync"
	"syscall"
	"time"
)

// BufferSize is how many bytes may be on their way in one direction. Write waits for room.
const BufferSize = 64 << 10

// conn is one end of a connection.
type conn struct {
	in, out       *stream
	local, remote net.Addr
}

func pair(a, b net.Addr) (*conn, *conn) {
	there, back := newStream(), newStream()
	return &conn{in: back, out: there, local: a, remote: b}, &conn{in: there, out: back, local: b, remote: a}
}

func (c *conn) Read(b []byte) (int, error) {
	n, err := c.in.read(b)
	if err != nil && !errors.Is(err, io.EOF) {
		err = c.fault("read", err)
	}
	return n, err
}

func (c *conn) Write(b []byte) (int, error) {
	n, err := c.out.write(b)
	if err != nil {
		err = c.fault("write", err)
	}
	return n, err
}

func (c *conn) fault(op string, err error) error {
	return &net.OpError{Op: op, Net: "tcp", Source: c.local, Addr: c.remote, Err: err}
}

// Close ends both directions. It returns nil, also when called again.
func (c *conn) Close() error {
	c.out.closeWrite(net.ErrClosed)
	c.in.closeRead()
	return nil
}

// CloseWrite tells the other end that nothing more comes; reading goes on.
func (c *conn) CloseWrite() error {
	c.out.closeWrite(syscall.EPIPE)
	return nil
}

func (c *conn) LocalAddr() net.Addr  { return c.local }
func (c *conn) RemoteAddr() net.Addr { return c.remote }

func (c *conn) SetDeadline(t time.Time) error {
	c.in.reader.set(t)
	c.out.writer.set(t)
	return nil
}

func (c *conn) SetReadDeadline(t time.Time) error {
	c.in.reader.set(t)
	return nil
}

func (c *conn) SetWriteDeadline(t time.Time) error {
	c.out.writer.set(t)
	return nil
}

// stream is one direction of a connection.
type stream struct {
	mu     sync.Mutex
	change *sync.Cond
	buf    []byte // what is on its way, from start on
	start  int
	busy   bool  // a Write is under way; others wait, so that their bytes do not mix
	eof    bool  // nothing more is written
	closed bool  // the reading end is closed
	refuse error // why Write fails, once eof

	reader, writer deadline
}

func newStream() *stream {
	s := &stream{}
	s.change = sync.NewCond(&s.mu)
	s.reader.stream, s.writer.stream = s, s
	return s
}

func (s *stream) read(b []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for {
		switch {
		case s.closed:
			return 0, net.ErrClosed
		case s.reader.passed:
			return 0, os.ErrDeadlineExceeded
		case len(b) == 0:
			return 0, nil
		case s.start < len(s.buf):
			n := copy(b, s.buf[s.start:])
			if s.start += n; s.start == len(s.buf) {
				s.buf, s.start = s.buf[:0], 0
			}
			s.change.Broadcast()
			return n, nil
		case s.eof:
			return 0, io.EOF
		}
		s.change.Wait()
	}
}

func (s *stream) write(b []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for s.busy && !s.eof && !s.closed && !s.writer.passed {
		s.change.Wait()
	}
	if !s.busy {
		s.busy = true
		defer func() {
			s.busy = false
			s.change.Broadcast()
		}()
	}
	done := 0
	for {
		switch {
		case s.eof:
			return done, s.refuse
		case s.closed:
			return done, syscall.EPIPE
		case s.writer.passed:
			return done, os.ErrDeadlineExceeded
		case done == len(b):
			return done, nil
		}
		if room := BufferSize - (len(s.buf) - s.start); room > 0 {
			if s.start > 0 {
				s.buf, s.start = s.buf[:copy(s.buf, s.buf[s.start:])], 0
			}
			n := min(room, len(b)-done)
			s.buf = append(s.buf, b[done:done+n]...)
			done += n
			s.change.Broadcast()
			continue
		}
		s.change.Wait()
	}
}

func (s *stream) closeWrite(refuse error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.eof, s.refuse = true, refuse
	s.writer.stop()
	s.change.Broadcast()
}

func (s *stream) closeRead() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed, s.buf, s.start = true, nil, 0
	s.reader.stop()
	s.change.Broadcast()
}

// deadline belongs to its stream's mutex.
type deadline struct {
	stream *stream
	timer  *time.Timer
	round  int // which set the timer belongs to
	passed bool
}

func (d *deadline) stop() {
	if d.timer != nil {
		d.timer.Stop()
		d.timer = nil
	}
	d.round++
}

func (d *deadline) set(t time.Time) {
	s := d.stream
	s.mu.Lock()
	defer s.mu.Unlock()
	d.stop()
	d.passed = false
	if t.IsZero() || s.closed || s.eof && d == &s.writer {
		return
	}
	left := time.Until(t)
	if left <= 0 {
		d.passed = true
		s.change.Broadcast()
		return
	}
	round := d.round
	d.timer = time.AfterFunc(left, func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		if d.round == round {
			d.passed = true
			s.change.Broadcast()
		}
	})
}
