package store_test

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	bolt "go.etcd.io/bbolt"

	"github.com/clickai/bridge/core"
	"github.com/clickai/bridge/store"
	"github.com/clickai/bridge/store/storetest"
)

func TestOpenRefuses(t *testing.T) {
	t.Parallel()
	other := func(t *testing.T, path string) {
		t.Helper()
		db, err := bolt.Open(path, 0o600, nil)
		if err != nil {
			t.Fatal(err)
		}
		if err := db.Update(func(tx *bolt.Tx) error {
			_, err := tx.CreateBucket([]byte("somebody else's"))
			return err
		}); err != nil {
			t.Fatal(err)
		}
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}
	}
	for _, tt := range []struct {
		name    string
		prepare func(t *testing.T, path string)
		path    string // under the temporary directory
		is      error
		says    string
	}{
		{name: "no directory", path: "missing/bridge.db", says: "does not exist: create it"},
		{name: "directory is a file", path: "bridge.db/bridge.db", says: "is not a directory", prepare: func(t *testing.T, path string) {
			if err := os.WriteFile(filepath.Dir(path), nil, 0o600); err != nil {
				t.Fatal(err)
			}
		}},
		{name: "garbage", path: "bridge.db", is: store.ErrNotStore, says: "restore a backup", prepare: func(t *testing.T, path string) {
			if err := os.WriteFile(path, bytes.Repeat([]byte("no database "), 2000), 0o600); err != nil {
				t.Fatal(err)
			}
		}},
		{name: "another program's", path: "bridge.db", is: store.ErrNotStore, says: "store.path", prepare: other},
		{name: "held", path: "bridge.db", is: store.ErrInUse, says: "stop the other bridge", prepare: func(t *testing.T, path string) {
			s, err := store.Open(path, store.Options{})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { closeStore(t, s) })
		}},
		{name: "newer", path: "bridge.db", is: store.ErrNewerSchema, says: "run the newer bridge", prepare: func(t *testing.T, path string) {
			if err := store.OpenWith(filepath.Dir(path), store.SchemaVersion+1); err != nil {
				t.Fatal(err)
			}
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), tt.path)
			if tt.prepare != nil {
				tt.prepare(t, path)
			}
			s, err := store.Open(path, store.Options{LockTimeout: 20 * time.Millisecond})
			if err == nil {
				closeStore(t, s)
				t.Fatal("opened")
			}
			if tt.is != nil && !errors.Is(err, tt.is) {
				t.Errorf("error %v is not %v", err, tt.is)
			}
			if !strings.Contains(err.Error(), tt.says) || !strings.Contains(err.Error(), path) {
				t.Errorf("error %q does not say %q and %q", err, tt.says, path)
			}
		})
	}
	if _, err := store.Open("", store.Options{}); err == nil || !strings.Contains(err.Error(), "store.path") {
		t.Errorf("Open of an empty path: %v", err)
	}
}

func TestMode(t *testing.T) {
	t.Parallel()
	s := storetest.Open(t, store.Options{})
	for _, widen := range []fs.FileMode{0, 0o644} {
		if widen != 0 {
			if err := os.Chmod(s.Path(), widen); err != nil {
				t.Fatal(err)
			}
			s.Reopen()
		}
		info, err := os.Stat(s.Path())
		if err != nil {
			t.Fatal(err)
		}
		if got := info.Mode().Perm(); got != 0o600 {
			t.Errorf("mode %o, want 600", got)
		}
	}
}

func TestMigration(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s, err := store.Open(filepath.Join(dir, "bridge.db"), store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.SetCursor(t.Context(), "b", "n", "old"); err != nil {
		t.Fatal(err)
	}
	closeStore(t, s)

	var ran []string
	step := func(name string, err error) func(*bolt.Tx) error {
		return func(tx *bolt.Tx) error {
			ran = append(ran, name)
			if b := tx.Bucket([]byte("cursors")); b.Get(store.JoinKey("b", "n")) == nil {
				t.Error("the migration does not see the data")
			}
			return err
		}
	}
	broken := errors.New("broken")
	if err := store.OpenWith(dir, 3, step("1-2", nil), step("2-3", broken)); !errors.Is(err, broken) {
		t.Fatalf("failing migration: %v", err)
	}
	// The first step is done and stays done; only the second runs again.
	if err := store.OpenWith(dir, 3, step("1-2", nil), step("2-3", nil)); err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(ran, " "); got != "1-2 2-3 2-3" {
		t.Errorf("steps ran: %s", got)
	}
	if _, err := store.Open(filepath.Join(dir, "bridge.db"), store.Options{}); !errors.Is(err, store.ErrNewerSchema) {
		t.Errorf("old code opens a migrated file: %v", err)
	}
	if err := store.OpenWith(dir, 5, step("", nil), step("", nil)); err == nil || !strings.Contains(err.Error(), "no migration") {
		t.Errorf("missing migration: %v", err)
	}
}

func TestClosed(t *testing.T) {
	t.Parallel()
	s := storetest.Open(t, store.Options{})
	for range 2 {
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := s.See(t.Context(), "b", "k"); !errors.Is(err, store.ErrClosed) {
		t.Errorf("See: %v", err)
	}
	if _, err := s.Waiting(t.Context(), "c", 1); !errors.Is(err, store.ErrClosed) {
		t.Errorf("Waiting: %v", err)
	}
	if _, err := s.WriteTo(t.Context(), &bytes.Buffer{}); !errors.Is(err, store.ErrClosed) {
		t.Errorf("WriteTo: %v", err)
	}
}

func TestWriteTo(t *testing.T) {
	t.Parallel()
	s := storetest.Open(t, store.Options{})
	put(t, s, question("k1", "c", "m1"))

	path := filepath.Join(t.TempDir(), "copy.db")
	f, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	// A write comes in the middle of the copy and is not in it.
	n, err := s.WriteTo(t.Context(), writerFunc(func(p []byte) (int, error) {
		if _, err := s.See(t.Context(), "b", "meanwhile"); err != nil {
			return 0, err
		}
		return f.Write(p)
	}))
	if err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(path); err != nil || info.Size() != n {
		t.Errorf("wrote %d bytes, file has %v, %v", n, info.Size(), err)
	}
	c, err := store.Open(path, store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer closeStore(t, c)
	if err := c.Check(t.Context()); err != nil {
		t.Error(err)
	}
	if q, err := c.Waiting(t.Context(), "c", 0); err != nil || len(q) != 1 {
		t.Errorf("the copy holds %v, %v", q, err)
	}
	if isFresh, err := c.See(t.Context(), "b", "meanwhile"); err != nil || !isFresh {
		t.Errorf("the copy knows what came later: %v", err)
	}

	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := s.WriteTo(ctx, &bytes.Buffer{}); !errors.Is(err, context.Canceled) {
		t.Errorf("ended context: %v", err)
	}
	ctx, cancel = context.WithCancel(t.Context())
	if _, err := s.WriteTo(ctx, writerFunc(func(p []byte) (int, error) { cancel(); return len(p), nil })); err == nil {
		t.Error("a context that ends midway does not stop the copy")
	}
}

type writerFunc func([]byte) (int, error)

func (f writerFunc) Write(p []byte) (int, error) { return f(p) }

// question is a Put in a thread-less direct chat.
func question(key, conv, message string) core.Put {
	return core.Put{Pending: core.Pending{
		Conv: core.ConvKey(conv), App: "support", At: core.Place{Room: "R"},
		Event: core.Event{
			Key: key, Bot: "b", Platform: "slack", Kind: core.KindMessage, Room: core.Room{ID: "R"}, MessageID: message,
			Sender: core.User{ID: "U", Key: "slack:T:U"}, Text: "text of " + message,
		},
	}}
}

func put(tb testing.TB, s core.Store, p core.Put) core.Pending {
	tb.Helper()
	q, isFresh, err := s.Put(tb.Context(), p)
	if err != nil || !isFresh {
		tb.Fatalf("Put(%s) = fresh %v, %v", p.Event.Key, isFresh, err)
	}
	return q
}

func closeStore(tb testing.TB, s *store.Store) {
	tb.Helper()
	if err := s.Close(); err != nil {
		tb.Errorf("close store: %v", err)
	}
}
