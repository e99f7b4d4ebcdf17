package store_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/clickai/bridge/core"
	"github.com/clickai/bridge/store"
)

func TestReadThread(t *testing.T) {
	path := filepath.Join(t.TempDir(), "bridge.db")
	at := core.Place{Room: "C1", Thread: "T1"}
	if _, err := store.ReadThread(t.Context(), path, "acme", at); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("without a file: %v", err)
	}
	if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("reading has made a file: %v", err)
	}
	s, err := store.Open(path, store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	_, _, err = s.Put(t.Context(), core.Put{MarksThread: true, Pending: core.Pending{
		Conv: core.NewConvKey("acme", "support", at, ""), App: "support", At: at,
		Event: core.Event{
			Key: "k", Bot: "acme", Kind: core.KindMessage, Room: core.Room{ID: "C1"}, Thread: "T1", MessageID: "T1",
			Sender: core.User{ID: "U1", Key: "test:U1"}, SentAt: time.Now(),
		},
	}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := store.ReadThread(t.Context(), path, "acme", at); !errors.Is(err, store.ErrInUse) {
		t.Errorf("while another holds it: %v", err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	before, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name, bot string
		at        core.Place
		want      bool
	}{
		{"the thread", "acme", at, true},
		{"another thread", "acme", core.Place{Room: "C1", Thread: "T2"}, false},
		{"another bot", "other", at, false},
		{"no thread", "acme", core.Place{Room: "C1"}, false},
	}
	for _, tt := range tests {
		if m, err := store.ReadThread(t.Context(), path, tt.bot, tt.at); err != nil || m.Opened != tt.want {
			t.Errorf("%s: %+v, %v", tt.name, m, err)
		}
	}
	if after, err := os.ReadFile(path); err != nil || string(after) != string(before) {
		t.Errorf("reading has changed the file: %v", err)
	}
	if err := os.WriteFile(path, []byte("no store at all, but long enough to be looked at"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := store.ReadThread(t.Context(), path, "acme", at); err == nil {
		t.Error("a file that is no store: no error")
	}
}
