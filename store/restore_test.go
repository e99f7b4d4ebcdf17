package store_test

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/clickai/bridge/core"
	"github.com/clickai/bridge/store"
	"github.com/clickai/bridge/store/storetest"
)

// storeWith makes a store's file that remembers one conversation, and returns its path.
func storeWith(t *testing.T, id string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "bridge.db")
	s, err := store.Open(path, store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.PutConversation(t.Context(), "c", core.Conversation{ID: id}); err != nil {
		t.Fatal(err)
	}
	closeStore(t, s)
	return path
}

// holds is the id of the conversation that a store's file remembers.
func holds(t *testing.T, path string) string {
	t.Helper()
	s, err := store.Open(path, store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer closeStore(t, s)
	c, _, err := s.Conversation(t.Context(), "c")
	if err != nil {
		t.Fatal(err)
	}
	return c.ID
}

// names are the files in a directory.
func names(t *testing.T, dir string) string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, e := range entries {
		all = append(all, e.Name())
	}
	return strings.Join(all, " ")
}

func TestRestore(t *testing.T) {
	t.Parallel()
	from, to := storeWith(t, "saved"), storeWith(t, "first")
	if err := os.Chmod(from, 0o444); err != nil {
		t.Fatal(err)
	}
	for i, want := range []string{"bridge.db bridge.db.bak", "bridge.db bridge.db.bak bridge.db.bak.2"} {
		var told, total int64
		done, err := store.Restore(t.Context(), from, to, store.RestoreOptions{Replace: true, Progress: func(d, n int64) { told, total = d, n }})
		if err != nil {
			t.Fatal(err)
		}
		if got := names(t, filepath.Dir(to)); got != want {
			t.Errorf("files %s, want %s", got, want)
		}
		if got := holds(t, to); got != "saved" {
			t.Errorf("the store holds %q", got)
		}
		if got, want := holds(t, done.Kept), []string{"first", "saved"}[i]; got != want {
			t.Errorf("%s holds %q, want %q", done.Kept, got, want)
		}
		info, err := os.Stat(to)
		if err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("mode %v, %v, want 600", info.Mode(), err)
		}
		if told != total || told == 0 {
			t.Errorf("progress ends at %d of %d", told, total)
		}
	}
	if got := holds(t, filepath.Join(filepath.Dir(to), "bridge.db.bak")); got != "first" {
		t.Errorf("the first one kept now holds %q", got)
	}
	fresh := filepath.Join(t.TempDir(), "new.db")
	if done, err := store.Restore(t.Context(), from, fresh, store.RestoreOptions{}); err != nil || done.Kept != "" || holds(t, fresh) != "saved" {
		t.Errorf("where nothing was: %+v, %v", done, err)
	}
}

// TestRestoreOverDamage restores what a restore is for: a store that cannot be opened any more.
func TestRestoreOverDamage(t *testing.T) {
	t.Parallel()
	from := storeWith(t, "saved")
	for _, data := range []string{"", "garbage", strings.Repeat("garbage", 10_000)} {
		to := filepath.Join(t.TempDir(), "bridge.db")
		if err := os.WriteFile(to, []byte(data), 0o600); err != nil {
			t.Fatal(err)
		}
		done, err := store.Restore(t.Context(), from, to, store.RestoreOptions{Replace: true})
		if err != nil || holds(t, to) != "saved" {
			t.Fatalf("%+v, %v", done, err)
		}
		if kept, err := os.ReadFile(done.Kept); err != nil || string(kept) != data {
			t.Errorf("what was kept is another thing, %v", err)
		}
	}
}

func TestRestoreRefuses(t *testing.T) {
	t.Parallel()
	garbage := filepath.Join(t.TempDir(), "garbage")
	if err := os.WriteFile(garbage, bytes.Repeat([]byte("x"), 100_000), 0o600); err != nil {
		t.Fatal(err)
	}
	good := storeWith(t, "saved")
	whole, err := os.ReadFile(good)
	if err != nil {
		t.Fatal(err)
	}
	cut := filepath.Join(t.TempDir(), "cut")
	if err := os.WriteFile(cut, whole[:3*os.Getpagesize()], 0o600); err != nil {
		t.Fatal(err)
	}
	live := storetest.Open(t, store.Unsynced())
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	for _, tt := range []struct {
		name    string
		ctx     context.Context
		from    string // "itself" for the store
		hold    bool   // a bridge runs on the store
		replace bool
		is      error
		says    string
	}{
		{name: "garbage", from: garbage, replace: true, is: store.ErrNotStore},
		{name: "cut short", from: cut, replace: true, is: store.ErrNotStore, says: "cut short"},
		{name: "no file", from: filepath.Join(t.TempDir(), "nothing"), replace: true, is: os.ErrNotExist},
		{name: "a directory", from: t.TempDir(), replace: true, is: store.ErrNotStore},
		{name: "not allowed to replace", from: good, is: store.ErrExists},
		{name: "a bridge runs", from: good, hold: true, replace: true, is: store.ErrInUse, says: "stop the bridge"},
		{name: "another bridge's store", from: live.Path(), replace: true, is: store.ErrInUse, says: "bridge backup"},
		{name: "itself", from: "itself", replace: true, says: "same file"},
		{name: "interrupted", ctx: ended, from: good, replace: true, is: context.Canceled},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			to := storeWith(t, "old")
			before, err := os.ReadFile(to)
			if err != nil {
				t.Fatal(err)
			}
			if tt.hold {
				s, err := store.Open(to, store.Options{})
				if err != nil {
					t.Fatal(err)
				}
				t.Cleanup(func() { closeStore(t, s) })
			}
			from, ctx := tt.from, tt.ctx
			if from == "itself" {
				from = to
			}
			if ctx == nil {
				ctx = t.Context()
			}
			_, err = store.Restore(ctx, from, to, store.RestoreOptions{Replace: tt.replace})
			if err == nil || tt.is != nil && !errors.Is(err, tt.is) || !strings.Contains(err.Error(), tt.says) {
				t.Errorf("%v, want %v that says %q", err, tt.is, tt.says)
			}
			if after, err := os.ReadFile(to); err != nil || !bytes.Equal(before, after) {
				t.Errorf("the old store was touched, %v", err)
			}
			if got := names(t, filepath.Dir(to)); got != "bridge.db" {
				t.Errorf("left behind: %s", got)
			}
		})
	}
}
