package crashtest

import (
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"syscall"
	"testing"
	"time"
)

// serve answers "fine" behind a link, and "" to /hang when the test ends.
func serve(t *testing.T) (l *link, get func(path string) (string, error)) {
	t.Helper()
	l, err := newLink(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	s := &http.Server{ReadHeaderTimeout: time.Minute, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/hang" {
			_ = http.NewResponseController(w).Flush()
			<-r.Context().Done()
			return
		}
		_, _ = io.WriteString(w, "fine")
	})}
	ended := make(chan error, 1)
	go func() { ended <- s.Serve(l) }()
	pool := &http.Transport{}
	t.Cleanup(func() {
		pool.CloseIdleConnections()
		_ = s.Close()
		if err := <-ended; !errors.Is(err, http.ErrServerClosed) {
			t.Error(err)
		}
	})
	return l, func(path string) (string, error) {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://"+l.addr+path, http.NoBody)
		if err != nil {
			return "", err
		}
		resp, err := pool.RoundTrip(req)
		if err != nil {
			return "", err
		}
		defer func() { _ = resp.Body.Close() }()
		body, err := io.ReadAll(resp.Body)
		return string(body), err
	}
}

func TestLinkRefuses(t *testing.T) {
	l, get := serve(t)
	for range 3 {
		l.refuse()
		l.cut()
		if _, err := new(net.Dialer).DialContext(t.Context(), "tcp", l.addr); !errors.Is(err, syscall.ECONNREFUSED) {
			t.Errorf("refusing: err = %v", err)
		}
		if err := l.open(t.Context()); err != nil {
			t.Fatal(err)
		}
		if got, err := get("/"); got != "fine" || err != nil {
			t.Errorf("open again: %q, %v", got, err)
		}
	}
}

func TestLinkCuts(t *testing.T) {
	l, get := serve(t)
	began := make(chan struct{})
	go func() {
		defer close(began)
		for {
			l.mu.Lock()
			n := len(l.conns)
			l.mu.Unlock()
			if n > 0 || !pause(t.Context(), time.Millisecond) {
				break
			}
		}
		l.cut()
	}()
	if _, err := get("/hang"); err == nil {
		t.Error("a cut connection went on")
	}
	<-began
	if got, err := get("/"); got != "fine" || err != nil {
		t.Errorf("after a cut: %q, %v", got, err)
	}
}

// TestLinkStalls wants nothing to arrive over a connection that is half-open, and a new one to work.
func TestLinkStalls(t *testing.T) {
	l, _ := serve(t)
	const request = "POST / HTTP/1.1\r\nHost: here\r\n\r\n"
	dial := func() net.Conn {
		c, err := new(net.Dialer).DialContext(t.Context(), "tcp", l.addr)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = c.Close() })
		return c
	}
	ask := func(c net.Conn) error {
		if _, err := io.WriteString(c, request); err != nil {
			return err
		}
		_, err := c.Read(make([]byte, 1024))
		return err
	}
	old := dial()
	if err := ask(old); err != nil {
		t.Fatal(err)
	}
	l.stall()
	if err := ask(dial()); err != nil {
		t.Errorf("a new connection: %v", err)
	}
	_ = old.SetReadDeadline(time.Now().Add(50 * time.Millisecond))
	if err := ask(old); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("a half-open connection: err = %v", err)
	}
	l.cut()
	_ = old.SetReadDeadline(time.Time{})
	if _, err := old.Read(make([]byte, 1)); err == nil || errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("after the cut: err = %v", err)
	}
}

func TestLinkSlow(t *testing.T) {
	l, get := serve(t)
	const d = 50 * time.Millisecond
	l.delay(d)
	began := time.Now()
	if got, err := get("/"); got != "fine" || err != nil {
		t.Fatalf("%q, %v", got, err)
	}
	if took := time.Since(began); took < 2*d { // once for the request and once for the answer
		t.Errorf("took %v", took)
	}
}
