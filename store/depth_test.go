package store_test

import (
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/clickai/bridge/core"
	"github.com/clickai/bridge/store"
	"github.com/clickai/bridge/store/storetest"
)

func TestDepth(t *testing.T) {
	t.Parallel()
	s := storetest.Open(t, store.Unsynced())
	want := func(questions, conversations int, oldest time.Time) {
		t.Helper()
		d, err := s.Depth(t.Context())
		if err != nil || d.Questions != questions || d.Conversations != conversations || !d.Oldest.Equal(oldest) {
			t.Errorf("depth %+v, %v; want %d questions of %d conversations since %v", d, err, questions, conversations, oldest)
		}
	}
	want(0, 0, time.Time{})
	began := time.UnixMilli(1_800_000_000_000)
	put := func(conv core.ConvKey, key string, at time.Time) core.Pending {
		t.Helper()
		p, fresh, err := s.Put(t.Context(), core.Put{Pending: core.Pending{
			Conv: conv, App: "a", Recv: at.UnixMilli(), Event: core.Event{Key: key, Bot: "b", Room: core.Room{ID: key}, MessageID: key},
		}})
		if err != nil || !fresh {
			t.Fatal(fresh, err)
		}
		return p
	}
	// The first to be accepted is not the first by the order of its conversation's key.
	first := put("b/z", "1", began)
	put("b/a", "2", began.Add(time.Minute))
	put("b/a", "3", began.Add(2*time.Minute))
	want(3, 2, began)
	if err := s.EndTurn(t.Context(), core.Turn{Conv: "b/z", Bot: "b", Seqs: []uint64{first.Seq}}, nil, nil); err != nil {
		t.Fatal(err)
	}
	want(2, 1, began.Add(time.Minute))
}

func TestCommitsAreTold(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	commits, operations := 0, 0
	opts := store.Unsynced()
	opts.OnCommit = func(took time.Duration, n int, err error) {
		mu.Lock()
		defer mu.Unlock()
		if commits, operations = commits+1, operations+n; took <= 0 || err != nil {
			t.Errorf("a commit took %v: %v", took, err)
		}
	}
	s := storetest.Open(t, opts)
	var wg sync.WaitGroup
	for i := range 50 {
		wg.Go(func() {
			if _, err := s.See(t.Context(), "b", string(rune('a'+i))); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	stats := s.Stats()
	mu.Lock()
	defer mu.Unlock()
	if operations != 50 || commits < 1 || uint64(commits) != stats.Commits {
		t.Errorf("told of %d operations in %d commits, want 50 in %d", operations, commits, stats.Commits)
	}
}

// TestFailedCommitIsTold lets the file have no more room.
func TestFailedCommitIsTold(t *testing.T) {
	t.Parallel()
	var failed error
	opts := store.Unsynced()
	opts.MaxSize = 1 << 20
	opts.OnCommit = func(_ time.Duration, _ int, err error) { failed = errors.Join(failed, err) }
	s := storetest.Open(t, opts)
	text := make([]byte, 64<<10)
	for i := range 64 {
		if err := s.SetCursor(t.Context(), "b", string(rune('a'+i)), string(text)); err != nil {
			break
		}
	}
	if err := s.Healthy(); err == nil {
		t.Fatal("the store is not full")
	}
	if err := s.Close(); err != nil { // the writer has ended: what it told may be read
		t.Error(err)
	}
	if failed == nil {
		t.Error("no failed commit was told")
	}
}
