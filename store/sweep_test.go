package store_test

import (
	"context"
	"fmt"
	"path/filepath"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/clickai/bridge/core"
	"github.com/clickai/bridge/store"
	"github.com/clickai/bridge/store/storetest"
)

func TestSweepByAge(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "bridge.db")
	synctest.Test(t, func(t *testing.T) {
		s, err := store.Open(path, store.Unsynced())
		if err != nil {
			t.Fatal(err)
		}
		defer func() {
			if err := s.Check(context.Background()); err != nil {
				t.Error(err)
			}
			closeStore(t, s)
		}()
		ctx := t.Context()
		for day := range 4 {
			id := fmt.Sprint(day)
			if _, err := s.See(ctx, "b", "seen"+id); err != nil {
				t.Fatal(err)
			}
			turn := core.Turn{Conv: "c", Bot: "b", Reply: []core.MessageRef{ref(id)}}
			link := core.Link{App: "a", Message: id, At: time.Now()}
			if err := s.EndTurn(ctx, turn, nil, &link); err != nil {
				t.Fatal(err)
			}
			job, _, err := s.Vote(ctx, "vote"+id, vote(t, day, "Minh +👍 "+id))
			if err != nil {
				t.Fatal(err)
			}
			if day != 1 { // that of day 1 is still to be sent
				if err := s.RatingSent(ctx, job.ID, job.Version); err != nil {
					t.Fatal(err)
				}
			}
			if day == 0 {
				put(t, s, question("waits", "q", "m"))
			}
			<-time.After(24 * time.Hour)
		}
		count := func(want map[string]int) {
			t.Helper()
			for b, n := range want {
				raw, err := s.Raw(b)
				if err != nil {
					t.Fatal(err)
				}
				if len(raw) != n {
					t.Errorf("%d in %s, want %d", len(raw), b, n)
				}
			}
		}
		all := map[string]int{"seen": 9, "seen_at": 9, "links": 4, "links_at": 4, "votes": 4, "ratings": 4, "ratings_at": 4}
		if err := s.Sweep(ctx, time.Time{}, time.Time{}); err != nil {
			t.Fatal(err)
		}
		count(all)
		if err := s.Sweep(ctx, time.Now().Add(-5*24*time.Hour), time.Now().Add(-5*24*time.Hour)); err != nil {
			t.Fatal(err)
		}
		count(all)
		// Days 0 and 1 go, but for the key of what waits and the votes of what is to be sent.
		cut := time.Now().Add(-2*24*time.Hour - time.Hour)
		if err := s.Sweep(ctx, cut, cut); err != nil {
			t.Fatal(err)
		}
		count(map[string]int{"seen": 5, "seen_at": 5, "links": 2, "links_at": 2, "votes": 3, "ratings": 3, "ratings_at": 3, "rating_jobs": 1})
		for day := range 4 {
			if isFresh, err := s.See(ctx, "b", fmt.Sprint("seen", day)); err != nil || isFresh != (day < 2) {
				t.Errorf("key of day %d: fresh %v, %v", day, isFresh, err)
			}
			if _, ok, err := s.Link(ctx, "b", ref(fmt.Sprint(day))); err != nil || ok != (day >= 2) {
				t.Errorf("link of day %d: %v, %v", day, ok, err)
			}
		}
		if _, isFresh, err := s.Put(ctx, question("waits", "q", "m")); err != nil || isFresh {
			t.Errorf("a question that still waits was forgotten: %v", err)
		}
		// Once it is sent and answered they go as well.
		jobs, err := s.RatingJobs(ctx, 0)
		if err != nil || len(jobs) != 1 {
			t.Fatalf("%v, %v", jobs, err)
		}
		if err := s.RatingSent(ctx, jobs[0].ID, jobs[0].Version); err != nil {
			t.Fatal(err)
		}
		if err := s.EndTurn(ctx, core.Turn{Conv: "q", Seqs: []uint64{1}}, nil, nil); err != nil {
			t.Fatal(err)
		}
		if err := s.Sweep(ctx, cut, cut); err != nil {
			t.Fatal(err)
		}
		count(map[string]int{"seen": 6, "votes": 2, "ratings": 2, "ratings_at": 2})
	})
}

func TestSweepInSteps(t *testing.T) {
	t.Parallel()
	s := storetest.Open(t, store.Unsynced())
	rating := rated(t)
	const n = 3*store.SweepStep + 7
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() {
			if i%3 == 0 { // its key is kept in the way of the others
				put(t, s, question(fmt.Sprint(i), "c", fmt.Sprint(i)))
			} else if _, err := s.See(t.Context(), "b", fmt.Sprint(i)); err != nil {
				t.Error(err)
			}
			if _, _, err := rating.Vote(t.Context(), fmt.Sprint(i), vote(t, i, fmt.Sprintf("p%d +👍 p1", i))); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	jobs, err := rating.RatingJobs(t.Context(), 0)
	if err != nil || len(jobs) != 1 {
		t.Fatal(jobs, err)
	}
	if err := rating.RatingSent(t.Context(), jobs[0].ID, jobs[0].Version); err != nil {
		t.Fatal(err)
	}

	future := time.Now().Add(time.Hour)
	for _, tt := range []struct {
		s                   *storetest.Store
		wantSeen, wantVotes int
		steps               uint64
	}{{s, n / 3, 0, 3}, {rating, 0, 0, 6}} {
		before := tt.s.Stats()
		if err := tt.s.Sweep(t.Context(), future, future); err != nil {
			t.Fatal(err)
		}
		seen, err := tt.s.Raw("seen")
		if err != nil {
			t.Fatal(err)
		}
		votes, err := tt.s.Raw("votes")
		if err != nil {
			t.Fatal(err)
		}
		if len(seen) < tt.wantSeen || len(seen) > tt.wantSeen+1 || len(votes) != 0 {
			t.Errorf("%d keys and %d votes are left", len(seen), len(votes))
		}
		if steps := tt.s.Stats().Operations - before.Operations; steps < tt.steps {
			t.Errorf("swept in %d steps", steps)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if s.Sweep(ctx, future, future) == nil {
		t.Error("an ended context does not stop the sweep")
	}
}
