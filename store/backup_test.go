package store_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	bolt "go.etcd.io/bbolt"

	"github.com/clickai/bridge/store"
	"github.com/clickai/bridge/store/storetest"
)

// backup writes a backup of s into a new file.
func backup(t *testing.T, s *store.Store) string {
	t.Helper()
	var b bytes.Buffer
	var size int64
	if err := s.Backup(t.Context(), func(n int64) (io.Writer, error) { size = n; return &b, nil }); err != nil {
		t.Fatal(err)
	}
	if int64(b.Len()) != size {
		t.Errorf("%d bytes, %d were announced", b.Len(), size)
	}
	path := filepath.Join(t.TempDir(), "backup.db")
	if err := os.WriteFile(path, b.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestBackup(t *testing.T) {
	t.Parallel()
	s := storetest.Open(t, store.Unsynced())
	put(t, s, question("k1", "c", "m1"))
	path := backup(t, s.Store)
	if err := store.Verify(t.Context(), path); err != nil {
		t.Error(err)
	}
	full := errors.New("the disk is full")
	if err := s.Backup(t.Context(), func(int64) (io.Writer, error) { return nil, full }); !errors.Is(err, full) {
		t.Errorf("begin fails: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	err := s.Backup(ctx, func(int64) (io.Writer, error) {
		return writerFunc(func(p []byte) (int, error) { cancel(); return len(p), nil }), nil
	})
	if err == nil {
		t.Error("a context that ends midway does not stop the backup")
	}
}

func TestVerifyRefuses(t *testing.T) {
	t.Parallel()
	s := storetest.Open(t, store.Unsynced())
	for i := range 50 {
		put(t, s, question(strings.Repeat("k", i+1), "c", strings.Repeat("m", i+1)))
	}
	good, err := os.ReadFile(backup(t, s.Store))
	if err != nil {
		t.Fatal(err)
	}
	empty := func(t *testing.T, path string) {
		t.Helper()
		db, err := bolt.Open(path, 0o600, nil)
		if err != nil {
			t.Fatal(err)
		}
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}
	}
	for _, tt := range []struct {
		name  string
		data  []byte
		write func(t *testing.T, path string)
		is    error
		says  string
	}{
		{name: "empty", is: store.ErrNotStore, says: "empty"},
		{name: "garbage", data: bytes.Repeat([]byte("no database "), 5000), is: store.ErrNotStore},
		{name: "short garbage", data: []byte("x"), is: store.ErrNotStore},
		{name: "cut short", data: good[:len(good)/2], is: store.ErrNotStore, says: "cut short"},
		{name: "a page is missing", data: good[:len(good)-os.Getpagesize()], is: store.ErrNotStore, says: "cut short"},
		{name: "a database that holds nothing", write: empty, is: store.ErrNotStore, says: "holds nothing"},
		{name: "newer", is: store.ErrNewerSchema, write: func(t *testing.T, path string) {
			t.Helper()
			if err := store.OpenWith(filepath.Dir(path), store.SchemaVersion+1); err != nil {
				t.Fatal(err)
			}
		}},
		{name: "held", is: store.ErrInUse, write: func(t *testing.T, path string) {
			t.Helper()
			h, err := store.Open(path, store.Options{})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { closeStore(t, h) })
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), "bridge.db")
			if tt.write != nil {
				tt.write(t, path)
			} else if err := os.WriteFile(path, tt.data, 0o600); err != nil {
				t.Fatal(err)
			}
			before, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			err = store.Verify(t.Context(), path)
			if !errors.Is(err, tt.is) || !strings.Contains(err.Error(), tt.says) || !strings.Contains(err.Error(), path) {
				t.Errorf("%v, want %v that says %q", err, tt.is, tt.says)
			}
			if after, err := os.ReadFile(path); err != nil || !bytes.Equal(before, after) {
				t.Errorf("the file was changed, %v", err)
			}
		})
	}
	if err := store.Verify(t.Context(), filepath.Join(t.TempDir(), "nothing")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("no file: %v", err)
	}
	if err := store.Verify(t.Context(), t.TempDir()); !errors.Is(err, store.ErrNotStore) {
		t.Errorf("a directory: %v", err)
	}
}

// TestVerifyDamaged flips bytes anywhere: the process must survive each.
func TestVerifyDamaged(t *testing.T) {
	t.Parallel()
	s := storetest.Open(t, store.Unsynced())
	everything(t, s.Store)
	for i := range 60 {
		put(t, s, question(strings.Repeat("k", i%90+1)+string(rune('a'+i/90)), "c"+string(rune('a'+i%20)), strings.Repeat("m", i+1)))
	}
	good, err := os.ReadFile(backup(t, s.Store))
	if err != nil {
		t.Fatal(err)
	}
	r := rand.New(rand.NewPCG(1, 2))
	path := filepath.Join(t.TempDir(), "bridge.db")
	found := 0
	const tries = 50
	for range tries {
		bad := bytes.Clone(good)
		for range 1 + r.IntN(4) {
			// The beginnings of pages, where their structure is, are met more often than chance would have it.
			at := r.IntN(len(bad))
			if r.IntN(2) == 0 {
				at = at/os.Getpagesize()*os.Getpagesize() + r.IntN(64)
			}
			bad[at] = byte(r.Uint32())
		}
		if err := os.WriteFile(path, bad, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := store.Verify(t.Context(), path); err != nil {
			found++
		}
	}
	if found < tries/4 {
		t.Errorf("only %d of %d damaged files were found to be so", found, tries)
	}
}

func FuzzVerify(f *testing.F) {
	s, err := store.Open(filepath.Join(f.TempDir(), "bridge.db"), store.Unsynced())
	if err != nil {
		f.Fatal(err)
	}
	everything(f, s)
	var b bytes.Buffer
	if err := s.Backup(f.Context(), func(int64) (io.Writer, error) { return &b, nil }); err != nil {
		f.Fatal(err)
	}
	closeStore(f, s)
	f.Add(uint32(0), []byte{0})
	f.Add(uint32(os.Getpagesize()*2+8), []byte{0xff, 0xff})
	f.Fuzz(func(t *testing.T, at uint32, with []byte) {
		data := bytes.Clone(b.Bytes())
		copy(data[int(at)%len(data):], with)
		path := filepath.Join(t.TempDir(), "bridge.db")
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		_ = store.Verify(t.Context(), path) // it returns
	})
}
