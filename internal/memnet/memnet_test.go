package memnet_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gorilla/websocket"

	"github.com/clickai/bridge/internal/memnet"
)

// connect returns both ends of a connection; they are closed when the test ends.
func connect(t *testing.T) (client, server net.Conn) {
	t.Helper()
	l := memnet.Listen()
	client, err := l.Dial(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	server, err = l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		for _, c := range []io.Closer{client, server, l, l} {
			if err := c.Close(); err != nil {
				t.Errorf("close: %v", err)
			}
		}
	})
	return client, server
}

func TestWritesDoNotWaitForReads(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := connect(t)
		for _, c := range []net.Conn{a, b} {
			if n, err := c.Write(make([]byte, memnet.BufferSize)); n != memnet.BufferSize || err != nil {
				t.Fatalf("Write = %d, %v", n, err)
			}
		}
	})
}

func TestBytesArriveWholeAndInOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := connect(t)
		want := make([]byte, 5*memnet.BufferSize+17)
		for i := range want {
			want[i] = byte(i * i >> 3)
		}
		var wg sync.WaitGroup
		wg.Go(func() {
			for rest := want; len(rest) > 0; {
				n := min(len(rest), 3001)
				if _, err := a.Write(rest[:n]); err != nil {
					t.Error(err)
					return
				}
				rest = rest[n:]
			}
			_ = a.Close()
		})
		got, err := io.ReadAll(b)
		if err != nil || !bytes.Equal(got, want) {
			t.Errorf("read %d bytes, %v; want the %d written", len(got), err, len(want))
		}
		wg.Wait()
	})
}

func TestConcurrentWritesDoNotMix(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := connect(t)
		const size = 2 * memnet.BufferSize
		var wg sync.WaitGroup
		for _, letter := range []byte("xy") {
			wg.Go(func() {
				if _, err := a.Write(bytes.Repeat([]byte{letter}, size)); err != nil {
					t.Error(err)
				}
			})
		}
		synctest.Wait()
		got := make([]byte, 2*size)
		if _, err := io.ReadFull(b, got); err != nil {
			t.Fatal(err)
		}
		wg.Wait()
		if n := bytes.Count(got[:size], got[:1]); n != size {
			t.Errorf("the first %d bytes hold %d of one writer", size, n)
		}
	})
}

func TestDeadlines(t *testing.T) {
	tests := []struct {
		name string
		set  func(c net.Conn, d time.Time) error
		call func(c net.Conn) error
	}{
		{"read", net.Conn.SetReadDeadline, read},
		{"write", net.Conn.SetWriteDeadline, fill},
		{"both, reading", net.Conn.SetDeadline, read},
		{"both, writing", net.Conn.SetDeadline, fill},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c, _ := connect(t)
				began := time.Now()
				_ = tt.set(c, began.Add(time.Minute))
				_ = tt.set(c, began.Add(3*time.Second)) // replaces the one before
				err := tt.call(c)
				if !errors.Is(err, os.ErrDeadlineExceeded) {
					t.Errorf("error = %v", err)
				}
				if ne, ok := errors.AsType[net.Error](err); !ok || !ne.Timeout() {
					t.Errorf("error %v is no timeout", err)
				}
				if d := time.Since(began); d != 3*time.Second {
					t.Errorf("took %v", d)
				}

				var wg sync.WaitGroup
				_ = tt.set(c, time.Time{})
				wg.Go(func() { err = tt.call(c) })
				<-time.After(time.Hour)
				synctest.Wait()
				_ = tt.set(c, time.Unix(1, 0)) // in the past: ends the call that waits
				wg.Wait()
				if !errors.Is(err, os.ErrDeadlineExceeded) {
					t.Errorf("error = %v after a deadline in the past", err)
				}
			})
		})
	}
}

func read(c net.Conn) error {
	_, err := c.Read(make([]byte, 1))
	return err
}

func fill(c net.Conn) error {
	_, err := c.Write(make([]byte, memnet.BufferSize+1))
	return err
}

func TestClose(t *testing.T) {
	tests := []struct {
		name  string
		close func(c net.Conn) error
		// What the calls at the closing end and at the other end return then.
		read, write, otherRead, otherWrite error
	}{
		{
			name: "both directions", close: net.Conn.Close,
			read: net.ErrClosed, write: net.ErrClosed, otherRead: io.EOF, otherWrite: syscall.EPIPE,
		},
		{
			name: "writing only", close: func(c net.Conn) error { return c.(interface{ CloseWrite() error }).CloseWrite() },
			write: syscall.EPIPE, otherRead: io.EOF,
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				a, b := connect(t)
				if _, err := a.Write([]byte("last")); err != nil {
					t.Error(err)
				}
				if err := tt.close(a); err != nil {
					t.Error(err)
				}
				got := make([]byte, 4)
				if _, err := io.ReadFull(b, got); err != nil || string(got) != "last" {
					t.Errorf("the other end read %q, %v", got, err)
				}
				if err := read(b); err != tt.otherRead { //nolint:errorlint // io.EOF must not be wrapped
					t.Errorf("other end's Read: %v, want %v", err, tt.otherRead)
				}
				if _, err := b.Write([]byte("x")); !errors.Is(err, tt.otherWrite) {
					t.Errorf("other end's Write: %v, want %v", err, tt.otherWrite)
				}
				if _, err := a.Write([]byte("x")); !errors.Is(err, tt.write) {
					t.Errorf("Write: %v, want %v", err, tt.write)
				}
				if err := read(a); !errors.Is(err, tt.read) {
					t.Errorf("Read: %v, want %v", err, tt.read)
				}
			})
		})
	}
}

func TestCloseEndsCallsThatWait(t *testing.T) {
	tests := []struct {
		name string
		call func(c net.Conn) error
		here bool // this end is closed, not the other
		want error
	}{
		{"read, closed here", read, true, net.ErrClosed},
		{"read, closed there", read, false, io.EOF},
		{"write, closed here", fill, true, net.ErrClosed},
		{"write, closed there", fill, false, syscall.EPIPE},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				a, b := connect(t)
				var err error
				var wg sync.WaitGroup
				wg.Go(func() { err = tt.call(a) })
				synctest.Wait()
				if tt.here {
					_ = a.Close()
				} else {
					_ = b.Close()
				}
				wg.Wait()
				if !errors.Is(err, tt.want) {
					t.Errorf("error = %v, want %v", err, tt.want)
				}
			})
		})
	}
}

func TestListenerClose(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := memnet.Listen()
		waiting, err := l.Dial(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		_ = l.Close()
		if err := read(waiting); !errors.Is(err, io.EOF) {
			t.Errorf("Read of a connection that nobody accepted: %v", err)
		}
		if _, err := l.Accept(); !errors.Is(err, net.ErrClosed) {
			t.Errorf("Accept: %v", err)
		}
		if _, err := l.Dial(t.Context()); !errors.Is(err, syscall.ECONNREFUSED) {
			t.Errorf("Dial: %v", err)
		}
	})
}

func TestDialWaitsForRoomOnlyAsLongAsAsked(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := memnet.Listen()
		defer func() { _ = l.Close() }()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		for range 10_000 {
			c, err := l.Dial(ctx)
			if err != nil {
				if !errors.Is(err, context.DeadlineExceeded) {
					t.Errorf("Dial: %v", err)
				}
				return
			}
			defer func() { _ = c.Close() }()
		}
		t.Error("the backlog has no bound")
	})
}

// TestHTTPAndWebSocketInABubble is what the package is for: real servers and clients, and time stands only while they work.
func TestHTTPAndWebSocketInABubble(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := memnet.Listen()
		mux := http.NewServeMux()
		mux.HandleFunc("/echo", func(w http.ResponseWriter, r *http.Request) {
			b, err := io.ReadAll(r.Body)
			if err != nil {
				t.Error(err)
			}
			<-time.After(10 * time.Second)
			_, _ = w.Write(b)
		})
		mux.HandleFunc("/socket", func(w http.ResponseWriter, r *http.Request) {
			ws, err := (&websocket.Upgrader{}).Upgrade(w, r, nil)
			if err != nil {
				t.Error(err)
				return
			}
			defer func() { _ = ws.Close() }()
			for {
				kind, b, err := ws.ReadMessage()
				if err != nil {
					return
				}
				_ = ws.WriteMessage(kind, b)
			}
		})
		srv := &http.Server{Handler: mux, ReadHeaderTimeout: time.Minute}
		var wg sync.WaitGroup
		wg.Go(func() { _ = srv.Serve(l) })
		transport := &http.Transport{DialContext: l.DialContext}
		client := &http.Client{Transport: transport, Timeout: time.Minute}

		began := time.Now()
		body := bytes.Repeat([]byte("0123456789"), memnet.BufferSize/5)
		resp, err := client.Post("http://"+l.Addr().String()+"/echo", "text/plain", bytes.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		got, err := io.ReadAll(resp.Body)
		_ = resp.Body.Close()
		if err != nil || !bytes.Equal(got, body) {
			t.Errorf("echo returned %d bytes, %v", len(got), err)
		}
		if d := time.Since(began); d != 10*time.Second {
			t.Errorf("the call took %v of virtual time", d)
		}

		ws, resp, err := (&websocket.Dialer{NetDialContext: l.DialContext}).DialContext(t.Context(), "ws://"+l.Addr().String()+"/socket", nil)
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		_ = ws.WriteMessage(websocket.TextMessage, []byte("hello"))
		if _, b, err := ws.ReadMessage(); err != nil || string(b) != "hello" {
			t.Errorf("read %q, %v", b, err)
		}
		_ = ws.Close()
		transport.CloseIdleConnections()
		if err := srv.Shutdown(t.Context()); err != nil {
			t.Error(err)
		}
		wg.Wait()
	})
}
