package store_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"testing"

	berrors "go.etcd.io/bbolt/errors"

	"github.com/clickai/bridge/core"
	"github.com/clickai/bridge/store"
	"github.com/clickai/bridge/store/storetest"
)

// hold keeps the writer busy until release is called, which waits until the writer has gone on.
func hold(t *testing.T, s *storetest.Store) (release func()) {
	t.Helper()
	held, open := make(chan struct{}), make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		if err := s.Do(t.Context(), func(store.Tx) error {
			close(held)
			<-open
			return nil
		}); err != nil {
			t.Errorf("holding operation: %v", err)
		}
	})
	<-held
	return func() { close(open); wg.Wait() }
}

// queued waits until n operations wait.
func queued(s *storetest.Store, n int) {
	for s.Queued() < n {
		runtime.Gosched()
	}
}

func TestOneWriteOneCommit(t *testing.T) {
	t.Parallel()
	s := storetest.Open(t, store.Unsynced())
	for i := range 5 {
		put(t, s, question(fmt.Sprint("k", i), "c", fmt.Sprint("m", i)))
	}
	if got := s.Stats(); got != (store.Stats{Commits: 5, Operations: 5}) {
		t.Errorf("five writes, one after the other: %+v", got)
	}
	// What changes nothing is not committed.
	if _, isFresh, err := s.Put(t.Context(), question("k0", "c", "m0")); err != nil || isFresh {
		t.Errorf("known key: fresh %v, %v", isFresh, err)
	}
	if got := s.Stats(); got != (store.Stats{Commits: 5, Operations: 6}) {
		t.Errorf("and a known one: %+v", got)
	}
}

func TestWritesShareCommits(t *testing.T) {
	t.Parallel()
	s := storetest.Open(t, store.Unsynced())
	release := hold(t, s)
	const n = store.MaxGroup + 50
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() {
			if isFresh, err := s.See(t.Context(), "b", fmt.Sprint(i)); err != nil || !isFresh {
				t.Errorf("See %d = %v, %v", i, isFresh, err)
			}
		})
	}
	queued(s, n)
	release()
	wg.Wait()
	// The holding operation changes nothing; a full group and the rest follow.
	if got := s.Stats(); got != (store.Stats{Commits: 2, Operations: n + 1}) {
		t.Errorf("%+v, want 2 commits of %d operations", got, n+1)
	}
}

func TestFailuresAreAlone(t *testing.T) {
	t.Parallel()
	s := storetest.Open(t, store.Unsynced())
	release := hold(t, s)
	boom := errors.New("boom")
	const n = 40
	var wg sync.WaitGroup
	errs := make([]error, n)
	for i := range n {
		wg.Go(func() {
			errs[i] = s.Do(t.Context(), func(x store.Tx) error {
				if i%10 == 5 {
					return boom // before it has written
				}
				if err := x.Put("cursors", store.JoinKey("b", fmt.Sprint(i)), []byte(`{"v":1,"d":"x"}`)); err != nil {
					return err
				}
				switch i % 10 {
				case 6:
					return boom
				case 7:
					panic("in an operation")
				case 8:
					return x.Put("cursors", nil, nil) // refused by bbolt
				}
				return nil
			})
		})
	}
	queued(s, n)
	release()
	wg.Wait()
	for i, err := range errs {
		var want error
		switch i % 10 {
		case 5, 6:
			want = boom
		case 7:
			want = store.ErrPanic
		case 8:
			want = berrors.ErrKeyRequired
		}
		if !errors.Is(err, want) {
			t.Errorf("operation %d: %v, want %v", i, err, want)
		}
		got, err := s.Cursor(t.Context(), "b", fmt.Sprint(i))
		if err != nil {
			t.Fatal(err)
		}
		if (got == "x") != (want == nil) {
			t.Errorf("operation %d left %q", i, got)
		}
	}
	if got := s.Stats(); got.Commits != 1 {
		t.Errorf("%d commits, want 1 for all that went well", got.Commits)
	}
	if err := s.Healthy(); err != nil {
		t.Errorf("an operation's own failure is not the store's: %v", err)
	}
}

func TestContext(t *testing.T) {
	t.Parallel()
	s := storetest.Open(t, store.Unsynced())

	ctx, cancel := context.WithCancel(t.Context())
	release := hold(t, s)
	gaveUp := make(chan error)
	go func() { gaveUp <- s.SetCursor(ctx, "b", "waiting", "x") }()
	queued(s, 1)
	cancel()
	if err := <-gaveUp; !errors.Is(err, context.Canceled) {
		t.Errorf("a waiting write: %v", err)
	}
	release()
	put(t, s, question("later", "c", "m"))
	if got, err := s.Cursor(t.Context(), "b", "waiting"); err != nil || got != "" {
		t.Errorf("a write that was given up has happened: %q, %v", got, err)
	}

	// Once it is in a transaction its result counts, not the context.
	ctx, cancel = context.WithCancel(t.Context())
	if err := s.Do(ctx, func(x store.Tx) error {
		cancel()
		return x.Put("cursors", store.JoinKey("b", "taken"), []byte(`{"v":1,"d":"y"}`))
	}); err != nil {
		t.Errorf("a write that was taken: %v", err)
	}
	if got, err := s.Cursor(t.Context(), "b", "taken"); err != nil || got != "y" {
		t.Errorf("a write that was taken left %q, %v", got, err)
	}

	for name, err := range map[string]error{
		"write": s.SetCursor(ctx, "b", "n", "v"),
		"read":  func() error { _, err := s.Cursor(ctx, "b", "n"); return err }(),
	} {
		if !errors.Is(err, context.Canceled) {
			t.Errorf("%s with an ended context: %v", name, err)
		}
	}
}

func TestQueueIsBounded(t *testing.T) {
	t.Parallel()
	s := storetest.Open(t, store.Unsynced())
	release := hold(t, s)
	var wg sync.WaitGroup
	for i := range store.MaxQueued {
		wg.Go(func() {
			if err := s.SetCursor(t.Context(), "b", fmt.Sprint(i), "v"); err != nil {
				t.Error(err)
			}
		})
	}
	queued(s, store.MaxQueued)
	ctx, cancel := context.WithCancel(t.Context())
	over := make(chan error)
	go func() { over <- s.SetCursor(ctx, "b", "over", "v") }()
	for range 1000 {
		runtime.Gosched()
	}
	if got := s.Queued(); got != store.MaxQueued {
		t.Errorf("%d queued, want at most %d", got, store.MaxQueued)
	}
	cancel()
	if err := <-over; !errors.Is(err, context.Canceled) {
		t.Errorf("the one too many: %v", err)
	}
	release()
	wg.Wait()
}

func TestCloseCommitsWhatIsQueued(t *testing.T) {
	t.Parallel()
	s := storetest.Open(t, store.Unsynced())
	release := hold(t, s)
	var wg sync.WaitGroup
	for i := range 20 {
		wg.Go(func() {
			if err := s.SetCursor(t.Context(), "b", fmt.Sprint(i), "v"); err != nil {
				t.Errorf("queued before Close: %v", err)
			}
		})
	}
	queued(s, 20)
	closed := make(chan struct{})
	path := s.Path()
	go func() {
		defer close(closed)
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}()
	<-s.Closing()
	if err := s.SetCursor(t.Context(), "b", "late", "v"); !errors.Is(err, store.ErrClosed) {
		t.Errorf("a write after Close began: %v", err)
	}
	release()
	<-closed
	wg.Wait()
	again, err := store.Open(path, store.Unsynced())
	if err != nil {
		t.Fatal(err)
	}
	defer closeStore(t, again)
	for i := range 20 {
		if got, err := again.Cursor(t.Context(), "b", fmt.Sprint(i)); err != nil || got != "v" {
			t.Errorf("cursor %d = %q, %v", i, got, err)
		}
	}
}

func TestHealthyFollowsCommits(t *testing.T) {
	t.Parallel()
	s := storetest.Open(t, store.Options{MaxSize: 1 << 20})
	big := question("big", "c", "big")
	big.Event.Text = strings.Repeat("x", 100_000)
	if err := s.Healthy(); err != nil {
		t.Fatal(err)
	}
	var last error
	var stored []uint64
	for i := range 100 {
		big.Event.Key = fmt.Sprint("big", i)
		q, _, err := s.Put(t.Context(), big)
		if err != nil {
			last = err
			break
		}
		stored = append(stored, q.Seq)
	}
	if !errors.Is(last, berrors.ErrMaxSizeReached) {
		t.Fatalf("a full store: %v", last)
	}
	if err := s.Healthy(); !errors.Is(err, berrors.ErrMaxSizeReached) {
		t.Errorf("Healthy after a failed commit: %v", err)
	}
	if got, err := s.Waiting(t.Context(), "c", 0); err != nil || len(got) != len(stored) {
		t.Errorf("%d questions stand, want %d, %v", len(got), len(stored), err)
	}
	if err := s.SetCursor(t.Context(), "b", "small", "v"); err != nil {
		t.Fatalf("a write that fits: %v", err)
	}
	if err := s.Healthy(); err != nil {
		t.Errorf("Healthy after a good commit: %v", err)
	}
	var copied bytes.Buffer
	if _, err := s.WriteTo(t.Context(), &copied); err != nil {
		t.Error(err)
	}
}

func TestManyWriters(t *testing.T) {
	t.Parallel()
	s := storetest.Open(t, store.Unsynced())
	var wg sync.WaitGroup
	const writers, each = 50, 20
	for w := range writers {
		conv := fmt.Sprint("c", w%10)
		wg.Go(func() {
			var last uint64
			for i := range each {
				q := question(fmt.Sprintf("%d-%d", w, i), conv, fmt.Sprintf("%d-%d", w, i))
				stored, isFresh, err := s.Put(t.Context(), q)
				if err != nil || !isFresh || stored.Seq <= last {
					t.Errorf("Put = seq %d after %d, fresh %v, %v", stored.Seq, last, isFresh, err)
					return
				}
				last = stored.Seq
				if _, err := s.Waiting(t.Context(), stored.Conv, 5); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	seqs := map[uint64]bool{}
	for c := range 10 {
		got, err := s.Waiting(t.Context(), core.ConvKey(fmt.Sprint("c", c)), 0)
		if err != nil || len(got) != writers*each/10 {
			t.Fatalf("%d waiting, %v", len(got), err)
		}
		for i, q := range got {
			if i > 0 && q.Seq <= got[i-1].Seq {
				t.Errorf("not in order: %d after %d", q.Seq, got[i-1].Seq)
			}
			seqs[q.Seq] = true
		}
	}
	if len(seqs) != writers*each {
		t.Errorf("%d different numbers, want %d", len(seqs), writers*each)
	}
}
