// Package storetest opens stores for tests and looks for damage when a test ends. It is imported by tests only.
package storetest

import (
	"context"
	"errors"
	"path/filepath"
	"testing"

	"github.com/clickai/bridge/store"
)

// Store is a store that can be closed and opened again in the middle of a test, as after a restart.
type Store struct {
	*store.Store
	tb   testing.TB
	opts store.Options
}

// Open opens a store in a directory of its own. When the test ends the store is checked for damage and closed; closing it
// earlier is fine.
func Open(tb testing.TB, opts store.Options) *Store {
	tb.Helper()
	s := &Store{tb: tb, opts: opts}
	s.open(filepath.Join(tb.TempDir(), "bridge.db"))
	tb.Cleanup(s.finish)
	return s
}

func (s *Store) open(path string) {
	s.tb.Helper()
	var err error
	if s.Store, err = store.Open(path, s.opts); err != nil {
		s.tb.Fatalf("open store: %v", err)
	}
}

// Reopen closes the store and opens it again.
func (s *Store) Reopen() {
	s.tb.Helper()
	path := s.Path()
	if err := s.Close(); err != nil {
		s.tb.Fatalf("close store: %v", err)
	}
	s.open(path)
}

func (s *Store) finish() {
	// The test's own context has ended by now.
	if err := s.Check(context.Background()); err != nil && !errors.Is(err, store.ErrClosed) {
		s.tb.Errorf("check store: %v", err)
	}
	if err := s.Close(); err != nil {
		s.tb.Errorf("close store: %v", err)
	}
}
