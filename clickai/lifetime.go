package clickai

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http/httptrace"
	"net/textproto"
	"sync"
	"sync/atomic"
	"time"
)

// lifetime is the context of one request, from sending to the end of its body,
// with a watchdog for phases in which something must happen.
type lifetime struct {
	outer  context.Context // the caller's
	ctx    context.Context
	cancel context.CancelCauseFunc
	total  *time.Timer // nil without a bound for the whole

	mu    sync.Mutex
	timer *time.Timer // watchdog; made at first use
	due   time.Time   // before it, a firing timer is one that came too late to be stopped
	cause error       // what the watchdog ends the request with; nil while off
}

// newLifetime returns a lifetime within ctx, and its context.
func newLifetime(outer context.Context, timeout time.Duration) (context.Context, *lifetime) {
	ctx, cancel := context.WithCancelCause(outer)
	l := &lifetime{outer: outer, ctx: ctx, cancel: cancel}
	if timeout > 0 {
		l.total = time.AfterFunc(timeout, func() { l.cancel(ErrCallTimeout) })
	}
	return ctx, l
}

// watch starts the watchdog: unless stopped or touched within d, the request
// ends with cause. d of 0 watches nothing. The returned function stops it.
func (l *lifetime) watch(d time.Duration, cause error) (stop func()) {
	if d > 0 {
		l.arm(d, cause)
	}
	return l.disarm
}

func (l *lifetime) arm(d time.Duration, cause error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.cause, l.due = cause, time.Now().Add(d)
	if l.timer == nil {
		l.timer = time.AfterFunc(d, l.bark)
		return
	}
	l.timer.Reset(d)
}

func (l *lifetime) disarm() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.cause = nil
	if l.timer != nil {
		l.timer.Stop()
	}
}

// touch gives a running watchdog another d.
func (l *lifetime) touch(d time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.cause != nil && l.timer != nil {
		l.due = time.Now().Add(d)
		l.timer.Reset(d)
	}
}

func (l *lifetime) bark() {
	l.mu.Lock()
	cause, early := l.cause, time.Now().Before(l.due)
	l.mu.Unlock()
	if cause != nil && !early { // else it was disarmed or armed anew while the timer fired
		l.cancel(cause)
	}
}

// deadline is like watch, without an end: it stays until the request's end.
func (l *lifetime) deadline(d time.Duration, cause error) { l.arm(d, cause) }

// end ends the request with cause and stops all timers. Later causes don't count.
func (l *lifetime) end(cause error) {
	l.disarm()
	if l.total != nil {
		l.total.Stop()
	}
	l.cancel(cause)
}

// transportError builds the *Error for a failure of the connection or of its
// context.
func (l *lifetime) transportError(method, path string, unsent bool, err error) *Error {
	e := &Error{Kind: KindBroken, Method: method, Path: path, Err: stripURL(err)}
	if cause := context.Cause(l.ctx); cause != nil {
		switch {
		case l.outer.Err() != nil:
			e.Err = l.outer.Err()
			if c := context.Cause(l.outer); c != nil && !errors.Is(c, e.Err) {
				e.Err = fmt.Errorf("%w: %w", e.Err, c)
			}
		default: // one of our own timeouts
			e.Kind, e.Err = KindTimeout, cause
		}
	}
	if unsent {
		e.Kind = KindUnsent
	}
	return e
}

// watchedBody is a response's body whose every Read must bring a byte within
// idle. Closing it ends the request.
type watchedBody struct {
	body io.ReadCloser
	life *lifetime
	idle time.Duration
}

func (b *watchedBody) Read(p []byte) (int, error) {
	stop := b.life.watch(b.idle, ErrIdleTimeout)
	n, err := b.body.Read(p)
	stop()
	return n, err
}

func (b *watchedBody) Close() error {
	b.life.end(nil)
	return b.body.Close()
}

// connTrace learns from net/http whether a request got a connection.
type connTrace struct {
	asked, got atomic.Bool
	upload     *upload // told of the response's first byte; nil if none
}

func (t *connTrace) withContext(ctx context.Context) context.Context {
	ct := &httptrace.ClientTrace{
		GetConn: func(string) { t.asked.Store(true) },
		GotConn: func(httptrace.GotConnInfo) { t.got.Store(true) },
	}
	if t.upload != nil {
		body := t.upload.body
		ct.GotFirstResponseByte = func() { body.hold(true) }
		ct.Got1xxResponse = func(int, textproto.MIMEHeader) error {
			body.hold(false)
			return nil
		}
	}
	return httptrace.WithClientTrace(ctx, ct)
}

// surelyUnsent reports whether the request cannot have reached the server: no
// connection was handed out for it. A RoundTripper that doesn't report to the
// trace is judged by its error alone.
func (t *connTrace) surelyUnsent(err error) bool {
	if t.got.Load() {
		return false
	}
	if t.asked.Load() {
		return true
	}
	if op, ok := errors.AsType[*net.OpError](err); ok && op.Op == "dial" {
		return true
	}
	if _, ok := errors.AsType[*net.DNSError](err); ok {
		return true
	}
	if _, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		return true
	}
	if _, ok := errors.AsType[x509.UnknownAuthorityError](err); ok {
		return true
	}
	if _, ok := errors.AsType[tls.RecordHeaderError](err); ok {
		return true
	}
	return false
}
