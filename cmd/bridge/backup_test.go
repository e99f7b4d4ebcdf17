package main

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/clickai/bridge/core"
	"github.com/clickai/bridge/store"
)

func filesIn(t *testing.T, dir string) string {
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

func TestBackup(t *testing.T) {
	t.Parallel()
	bothWays(t, func(_ *memory, s *store.Store) { remember(t, s, "R", "x", "id-1") }, func(t *testing.T, m *memory) {
		dir := t.TempDir()
		file := filepath.Join(dir, "copy.db")
		m.wants(0, []string{"backup", file}, "copy.db", "checked")
		info, err := os.Stat(file)
		if err != nil || info.Mode().Perm() != 0o600 {
			t.Fatalf("%v, %v, want mode 600", info, err)
		}
		c, err := store.Open(file, store.Options{})
		if err != nil {
			t.Fatal(err)
		}
		conv, ok, err := c.Conversation(t.Context(), core.NewConvKey("demo-slack", "demo", core.Place{Room: "R"}, ""))
		if err != nil || !ok || conv.ID != "id-1" {
			t.Errorf("the copy holds %+v, %v, %v", conv, ok, err)
		}
		if err := c.Close(); err != nil {
			t.Fatal(err)
		}

		if err := os.WriteFile(file, []byte("precious"), 0o644); err != nil {
			t.Fatal(err)
		}
		m.wants(1, []string{"backup", file}, "--force", file)
		if data, err := os.ReadFile(file); err != nil || string(data) != "precious" {
			t.Errorf("overwritten without --force: %q, %v", data, err)
		}
		m.wants(0, []string{"backup", file, "--force"}, "checked")
		if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o600 || info.Size() < 1000 {
			t.Errorf("%v, %v", info, err)
		}
		m.wants(1, []string{"backup", m.store, "--force"}, "the store itself")
		m.wants(1, []string{"backup", dir, "--force"}, "no regular file")
		m.wants(1, []string{"backup", filepath.Join(dir, "missing", "x")}, filepath.Join(dir, "missing")+" does not exist: make it first")
		if got := filesIn(t, dir); got != "copy.db" {
			t.Errorf("left behind: %s", got)
		}
	})
}

// TestInterruptedBackup leaves no half file, and what was there as it was.
func TestInterruptedBackup(t *testing.T) {
	t.Parallel()
	m := newMemory(t)
	m.fill(func(*store.Store) {})
	whole, err := os.ReadFile(m.store)
	if err != nil {
		t.Fatal(err)
	}
	half := 3 * os.Getpagesize() // the file is larger than what is in use of it
	broken := errors.New("the line is cut")
	for _, tt := range []struct {
		name string
		copy func(cancel context.CancelFunc, w io.Writer) error
		is   error
		says string
	}{
		{name: "by the person", is: context.Canceled, copy: func(cancel context.CancelFunc, w io.Writer) error {
			cancel()
			_, err := w.Write(whole[half:])
			return err
		}},
		{name: "by the bridge", is: broken, copy: func(context.CancelFunc, io.Writer) error { return broken }},
		{name: "half, and nobody noticed", is: store.ErrNotStore, says: "not sound", copy: func(context.CancelFunc, io.Writer) error { return nil }},
	} {
		for _, there := range []bool{false, true} {
			t.Run(tt.name, func(t *testing.T) {
				dir := t.TempDir()
				file, want := filepath.Join(dir, "copy.db"), ""
				if there {
					want = "copy.db"
					if err := os.WriteFile(file, []byte("precious"), 0o600); err != nil {
						t.Fatal(err)
					}
				}
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				p := program{err: io.Discard}
				_, err := p.backup(ctx, m.store, file, true, func(begin copyBegin) error {
					w, err := begin(int64(len(whole)))
					if err != nil {
						return err
					}
					if _, err := w.Write(whole[:half]); err != nil {
						return err
					}
					if got := filesIn(t, dir); !strings.Contains(got, ".copy.db.") {
						t.Errorf("while copying: %s", got)
					}
					return tt.copy(cancel, w)
				})
				if !errors.Is(err, tt.is) || !strings.Contains(err.Error(), tt.says) {
					t.Errorf("%v, want %v that says %q", err, tt.is, tt.says)
				}
				if got := filesIn(t, dir); got != want {
					t.Errorf("left behind: %s", got)
				}
				if data, err := os.ReadFile(file); there && (err != nil || string(data) != "precious") {
					t.Errorf("what was there is %q, %v", data, err)
				}
			})
		}
	}
}

func TestRestore(t *testing.T) {
	t.Parallel()
	m := newMemory(t)
	m.fill(func(s *store.Store) { remember(t, s, "R", "x", "saved") })
	dir := t.TempDir()
	file := filepath.Join(dir, "copy.db")
	m.wants(0, []string{"backup", file})
	m.fill(func(s *store.Store) { remember(t, s, "R", "x", "newer") })
	before, err := os.ReadFile(m.store)
	if err != nil {
		t.Fatal(err)
	}
	garbage := filepath.Join(dir, "garbage")
	if err := os.WriteFile(garbage, bytes.Repeat([]byte("garbage"), 10_000), 0o600); err != nil {
		t.Fatal(err)
	}
	m.wants(1, []string{"restore", file}, "--force")
	m.wants(1, []string{"restore", garbage, "--force"}, "not a bridge store", "bridge backup", garbage)
	m.wants(1, []string{"restore", filepath.Join(dir, "nothing"), "--force"}, "nothing")
	if after, err := os.ReadFile(m.store); err != nil || !bytes.Equal(before, after) {
		t.Errorf("the old store was touched, %v", err)
	}

	p := m.run()
	m.wants(1, []string{"restore", file, "--force"}, "stop it first", m.store, p.pid())
	p.stop()
	m.wants(0, []string{"conversations", "list"}, "newer")

	m.wants(0, []string{"restore", file, "--force"}, "restored from "+file, m.store+".bak")
	m.wants(0, []string{"conversations", "list"}, "saved")
	if got := filesIn(t, filepath.Dir(m.store)); strings.Contains(got, "restore-") || !strings.Contains(got, "bridge.db.bak") {
		t.Errorf("beside the store: %s", got)
	}
	for _, path := range []string{m.store, m.store + ".bak"} {
		if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v, %v", path, info, err)
		}
	}
	p = m.run() // a bridge takes it
	p.stop()
}

func TestBytesText(t *testing.T) {
	t.Parallel()
	for n, want := range map[int64]string{0: "0 KiB", 1: "1 KiB", 32 << 10: "32 KiB", 3 << 19: "1.5 MiB", 5 << 30: "5.0 GiB"} {
		if got := bytesText(n); got != want {
			t.Errorf("%d is %s, want %s", n, got, want)
		}
	}
}

// TestProgress draws a copy on a terminal.
func TestProgress(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	b := progress{w: &out, what: "copying", shown: -1}
	w := b.writer(2000)
	for range 4 {
		if _, err := w.Write(make([]byte, 500)); err != nil {
			t.Fatal(err)
		}
	}
	b.end()
	if got := out.String(); !strings.HasPrefix(got, "\rcopying  25% of 2 KiB\rcopying  50%") || !strings.HasSuffix(got, "100% of 2 KiB\n") {
		t.Errorf("%q", got)
	}
	none := (&program{err: &bytes.Buffer{}}).newProgress("x")
	none.show(1, 2)
	none.end()
	if none.w != nil {
		t.Error("progress outside a terminal")
	}
}
