package slack

import (
	"context"
	"fmt"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gorilla/websocket"
)

// watched is the connection of one socket. When it is closed after nothing has come over it for a while, it tells since
// when: a network that drops packets lets a socket look open long after Slack's events stopped arriving, while the other
// one may be well. slack-go does not tell how a socket ended. What Slack ends itself ends with a frame, which has just come.
type watched struct {
	net.Conn

	last   atomic.Int64 // when something came last, in nanoseconds since 1970
	most   time.Duration
	silent func(since time.Time)
	closed sync.Once
}

// Read notes the sign of life.
func (w *watched) Read(b []byte) (int, error) {
	n, err := w.Conn.Read(b)
	if n > 0 {
		w.last.Store(time.Now().UnixNano())
	}
	return n, err //nolint:wrapcheck // a net.Conn hands on what the one below says
}

// Close tells of the silence.
func (w *watched) Close() error {
	w.closed.Do(func() {
		if since := time.Unix(0, w.last.Load()); time.Since(since) > w.most {
			w.silent(since)
		}
	})
	return w.Conn.Close() //nolint:wrapcheck // as in Read
}

// watch is a dialer whose connections tell silent if they are closed after a longer silence than most. silent is called
// while the connection is being closed and may not wait.
func watch(d *websocket.Dialer, most time.Duration, silent func(since time.Time)) *websocket.Dialer {
	dial := d.NetDialContext
	if dial == nil {
		dial = new(net.Dialer).DialContext
	}
	own := *d
	own.NetDialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := dial(ctx, network, address)
		if err != nil {
			return nil, fmt.Errorf("dial %s: %w", address, err)
		}
		w := &watched{Conn: conn, most: most, silent: silent}
		w.last.Store(time.Now().UnixNano())
		return w, nil
	}
	return &own
}

// silent notes that a socket which seemed open brought nothing from some time on. What was said since then may have gone
// into it, and so may have what Slack sent again.
func (r *runner) silent(n int, since time.Time) {
	r.mu.Lock()
	up := !r.up[n].IsZero()
	if up {
		r.positions.missed(since)
		r.fallBehind()
	}
	r.mu.Unlock()
	if up {
		r.catchup.start()
	}
}
