package clickai_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/clickai/bridge/clickai"
)

// TestSlotWaitIsTold has more requests ask at once than the plan takes in two minutes: each that waits is told how long.
func TestSlotWaitIsTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := clickai.NewLimiter(clickai.Plan{PerMinute: 2})
		type result struct{ told, took time.Duration }
		results := make(chan result, 7)
		start := time.Now()
		for i := range 7 {
			go func() {
				r := result{}
				ctx := clickai.WithSlotWait(t.Context(), func(wait time.Duration) { r.told = wait })
				if err := l.Wait(ctx); err != nil {
					t.Error(err)
				}
				r.took = time.Since(start) - time.Duration(i)*time.Second
				results <- r
			}()
			synctest.Wait()
			<-time.After(time.Second)
		}
		told := 0
		for range 7 {
			r := <-results
			if r.told != r.took {
				t.Errorf("told %v, waited %v", r.told, r.took)
			}
			if r.told > 0 {
				told++
			}
		}
		if told != 5 {
			t.Errorf("%d were told, want the five that waited", told)
		}
	})
}

// TestSlotWaitOverTheDeadline has a slot lie behind the deadline, because of those who wait before.
func TestSlotWaitOverTheDeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := clickai.NewLimiter(clickai.Plan{PerMinute: 1})
		if err := l.Wait(t.Context()); err != nil {
			t.Fatal(err)
		}
		waited := make(chan error, 1)
		go func() { waited <- l.Wait(t.Context()) }()
		synctest.Wait()
		ctx, cancel := context.WithTimeout(t.Context(), 90*time.Second) // the next slot is free by then, the one after it isn't
		defer cancel()
		began := time.Now()
		err := l.Wait(clickai.WithSlotWait(ctx, func(time.Duration) { t.Error("told of a wait that is none") }))
		if !errors.Is(err, context.DeadlineExceeded) || time.Since(began) != 0 {
			t.Errorf("err = %v after %v, want it at once", err, time.Since(began))
		}
		if err := <-waited; err != nil {
			t.Error(err)
		}
	})
}

// TestSlotWaitEndsTheWait has the one who is told lose interest.
func TestSlotWaitEndsTheWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := clickai.NewLimiter(clickai.Plan{PerMinute: 1})
		var errs []error
		for range 2 {
			ctx, cancel := context.WithCancel(t.Context())
			errs = append(errs, l.Wait(clickai.WithSlotWait(ctx, func(time.Duration) { cancel() })))
			cancel()
		}
		if want := []bool{false, true}; !slices.Equal([]bool{errs[0] != nil, errors.Is(errs[1], context.Canceled)}, want) {
			t.Errorf("errors = %v", errs)
		}
	})
}
