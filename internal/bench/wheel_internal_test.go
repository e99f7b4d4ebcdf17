package bench

import (
	"context"
	"testing"
	"testing/synctest"
	"time"
)

// TestWheelKeepsEveryGrid drives streams that join at odd times and wants each piece at its time, to a tick.
func TestWheelKeepsEveryGrid(t *testing.T) {
	for _, every := range []time.Duration{2 * time.Millisecond, 10 * time.Millisecond, 33333 * time.Microsecond, 333 * time.Millisecond} {
		t.Run(every.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				epoch := time.Now()
				clock := func() time.Duration { return time.Since(epoch) }
				w := newWheel(every, clock)
				ctx, cancel := context.WithCancel(t.Context())
				done := make(chan struct{})
				go func() { defer close(done); w.run(ctx) }()
				const streams, pieces = 5, 40
				sent := make([][]time.Duration, streams)
				joined := make([]time.Duration, streams)
				for i := range streams {
					joined[i] = clock()
					w.join(func(now time.Duration) bool {
						sent[i] = append(sent[i], now)
						return len(sent[i]) < pieces
					})
					pause(3700 * time.Microsecond)
				}
				pause(every*(pieces+2) + 10*time.Millisecond)
				cancel()
				<-done
				for i, times := range sent {
					if len(times) != pieces {
						t.Fatalf("stream %d: %d pieces, want %d", i, len(times), pieces)
					}
					for n, at := range times {
						due := joined[i] + every*time.Duration(n+1)
						if late := at - due; late < 0 || late > tick {
							t.Errorf("stream %d, piece %d: at %v, due %v", i, n, at, due)
						}
					}
				}
				if w.late.Count() != streams*pieces || w.late.Max() > tick {
					t.Errorf("%d pieces counted, the latest %v late", w.late.Count(), w.late.Max())
				}
			})
		})
	}
}

// TestWheelCatchesUp holds the wheel up: what is overdue is sent at once, one piece after the other, and the grid stays.
func TestWheelCatchesUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		epoch := time.Now()
		clock := func() time.Duration { return time.Since(epoch) }
		w := newWheel(10*time.Millisecond, clock)
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() { defer close(done); w.run(ctx) }()
		var times []time.Duration
		w.join(func(now time.Duration) bool {
			times = append(times, now)
			if len(times) == 3 {
				pause(55 * time.Millisecond)
			}
			return len(times) < 12
		})
		pause(500 * time.Millisecond)
		cancel()
		<-done
		if len(times) != 12 {
			t.Fatalf("%d pieces, want 12", len(times))
		}
		for i, at := range times {
			due := 10 * time.Millisecond * time.Duration(i+1)
			want := due
			if i >= 3 && i < 8 {
				want = 85 * time.Millisecond // held up from 30 on
			}
			if at < due || at-want > 2*tick {
				t.Errorf("piece %d at %v, due %v", i, at, due)
			}
		}
		if late := w.late.Max(); late < 40*time.Millisecond {
			t.Errorf("the latest was %v late, want 45ms", late)
		}
	})
}

// pause lets a bubble's time pass.
func pause(d time.Duration) { <-time.After(d) }
