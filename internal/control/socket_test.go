package control_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/clickai/bridge/internal/control"
)

func TestSocket(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	s, err := control.Serve(t.Context(), f.store.Path(), f.local, "v1.2.3", slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	dir, err := filepath.EvalSymlinks(filepath.Dir(f.store.Path()))
	if err != nil {
		t.Fatal(err)
	}
	if want := filepath.Join(dir, "bridge.db.sock"); s.Path() != want {
		t.Errorf("the socket is at %s, want %s", s.Path(), want)
	}
	info, err := os.Lstat(s.Path())
	if err != nil || info.Mode().Perm() != 0o600 || info.Mode()&fs.ModeSocket == 0 {
		t.Errorf("mode %v, %v, want a socket with 600", info.Mode(), err)
	}
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != 2 {
		t.Errorf("beside the store: %v, %v", entries, err)
	}
	if hello := dial(t, f.store.Path()).Hello(); hello.Version != "v1.2.3" || hello.PID != os.Getpid() {
		t.Errorf("%+v", hello)
	}
	if _, err := control.Serve(t.Context(), f.store.Path(), f.local, "", slog.New(slog.DiscardHandler)); err == nil || !strings.Contains(err.Error(), "another process listens") {
		t.Errorf("a second one: %v", err)
	}
	dial(t, f.store.Path()) // the second one has done the first no harm
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	if _, err := os.Lstat(s.Path()); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("after Close: %v", err)
	}
	if _, err := control.Dial(t.Context(), f.store.Path()); !errors.Is(err, control.ErrNobody) {
		t.Errorf("after Close: %v", err)
	}
}

// TestDeadSocket takes the place of a socket whose process is gone, and of nothing else.
func TestDeadSocket(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	path, err := control.SocketPath(f.store.Path())
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	l.SetUnlinkOnClose(false)
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := control.Dial(t.Context(), f.store.Path()); !errors.Is(err, control.ErrNobody) {
		t.Errorf("dead socket: %v", err)
	}
	s, err := control.Serve(t.Context(), f.store.Path(), f.local, "", slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	dial(t, f.store.Path())
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	if err := os.WriteFile(path, []byte("precious"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := control.Serve(t.Context(), f.store.Path(), f.local, "", slog.New(slog.DiscardHandler)); err == nil || !strings.Contains(err.Error(), "something else is there") {
		t.Errorf("a file in its place: %v", err)
	}
	if data, err := os.ReadFile(path); err != nil || string(data) != "precious" {
		t.Errorf("the file is gone: %q, %v", data, err)
	}
}

// TestLongPath has a store whose path is too long for a socket beside it.
func TestLongPath(t *testing.T) { // not parallel: it sets TMPDIR
	tmp := t.TempDir()
	f := newFixture(t)
	t.Setenv("TMPDIR", tmp)
	dir := filepath.Join(t.TempDir(), strings.Repeat("d", 110))
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "bridge.db")
	serve(t, path, f.local)
	at, err := control.SocketPath(path)
	if err != nil || !strings.HasPrefix(at, tmp) {
		t.Fatalf("the socket is at %s, %v", at, err)
	}
	if info, err := os.Stat(filepath.Dir(at)); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("its directory: %v, %v", info, err)
	}
	if info, err := os.Lstat(at); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the socket: %v, %v", info, err)
	}
	link := filepath.Join(tmp, "link") // the same store by a shorter way
	if err := os.Symlink(dir, link); err != nil {
		t.Fatal(err)
	}
	dial(t, filepath.Join(link, "bridge.db"))
	dial(t, path)
	if err := os.Chmod(filepath.Dir(at), 0o755); err != nil {
		t.Fatal(err)
	}
	other := filepath.Join(dir, "other.db")
	if _, err := control.Serve(t.Context(), other, f.local, "", slog.New(slog.DiscardHandler)); err == nil || !strings.Contains(err.Error(), "TMPDIR") {
		t.Errorf("a directory that others may enter: %v", err)
	}
	_, err = control.Dial(t.Context(), path)
	wantKind(t, "asking who listens in a directory that others may enter", err, control.KindNoAnswer)
	if err == nil || !strings.Contains(err.Error(), "TMPDIR") {
		t.Errorf("it does not say what to do: %v", err)
	}
}

// TestDialNobody is for stores without a bridge.
func TestDialNobody(t *testing.T) {
	t.Parallel()
	for _, path := range []string{filepath.Join(t.TempDir(), "bridge.db"), filepath.Join(t.TempDir(), "missing", "bridge.db")} {
		if _, err := control.Dial(t.Context(), path); !errors.Is(err, control.ErrNobody) {
			t.Errorf("%s: %v", path, err)
		}
	}
}

// TestCloseEndsABackup stops the bridge while somebody takes a copy.
func TestCloseEndsABackup(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	ops := blocked{Operations: f.local, begun: make(chan struct{})}
	s, err := control.Serve(t.Context(), f.store.Path(), ops, "", slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	c := dial(t, f.store.Path())
	done := make(chan error, 1)
	go func() {
		done <- c.Backup(context.WithoutCancel(t.Context()), func(int64) (io.Writer, error) { return io.Discard, nil })
	}()
	<-ops.begun
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	if err := <-done; err == nil || !strings.Contains(err.Error(), "early") {
		t.Errorf("half a copy: %v", err)
	}
}

// TestRawRequests sends what the client would not.
func TestRawRequests(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	s := serve(t, f.store.Path(), f.local)
	hc := &http.Client{Transport: &http.Transport{DisableKeepAlives: true, DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "unix", s.Path())
	}}}
	for _, tt := range []struct {
		name, method, path string
		body               []byte
		status             int
	}{
		{"unknown path", "GET", "/v2/hello", nil, 400},
		{"wrong method", "GET", "/v1/delete?name=x", nil, 400},
		{"no body", "POST", "/v1/reset", nil, 400},
		{"no JSON", "POST", "/v1/delete", []byte("name=x"), 400},
		{"too large", "POST", "/v1/delete", append([]byte(`{"name":"`), bytes.Repeat([]byte("x"), 1<<20)...), 400},
		{"unknown conversation", "POST", "/v1/delete", []byte(`{"name":"x"}`), 404},
		{"odd numbers", "GET", "/v1/conversations?limit=-5", nil, 200},
		{"no number", "GET", "/v1/ratings?limit=many", nil, 200},
	} {
		t.Run(tt.name, func(t *testing.T) {
			req, err := http.NewRequestWithContext(t.Context(), tt.method, "http://bridge"+tt.path, bytes.NewReader(tt.body))
			if err != nil {
				t.Fatal(err)
			}
			res, err := hc.Do(req)
			if err != nil {
				t.Fatal(err)
			}
			body, err := io.ReadAll(res.Body)
			if cerr := res.Body.Close(); err != nil || cerr != nil {
				t.Fatal(err, cerr)
			}
			if res.StatusCode != tt.status || !strings.HasPrefix(string(body), "{") {
				t.Errorf("status %d, want %d: %s", res.StatusCode, tt.status, body)
			}
		})
	}
}

// TestAnotherVersion meets a bridge that speaks in another way.
func TestAnotherVersion(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, answer string
		kind         control.Kind
	}{
		{"later", `{"protocol":99,"version":"v9"}`, control.KindVersion},
		{"another program", `<html>`, control.KindNoAnswer},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			store := filepath.Join(t.TempDir(), "bridge.db")
			path, err := control.SocketPath(store)
			if err != nil {
				t.Fatal(err)
			}
			l, err := new(net.ListenConfig).Listen(t.Context(), "unix", path)
			if err != nil {
				t.Fatal(err)
			}
			srv := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, tt.answer) })}
			done := make(chan error, 1)
			go func() { done <- srv.Serve(l) }()
			t.Cleanup(func() {
				if err := srv.Close(); err != nil {
					t.Error(err)
				}
				if err := <-done; !errors.Is(err, http.ErrServerClosed) {
					t.Error(err)
				}
			})
			_, err = control.Dial(t.Context(), store)
			wantKind(t, tt.name, err, tt.kind)
		})
	}
}
