package core

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
)

// TestDispatcherMove: whoever wakes a conversation by a key from before its room moved, wakes it by the one that it has now;
// one that runs meanwhile is not run beside itself; and a move that fails changes nothing.
func TestDispatcherMove(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		key := func(room string) ConvKey { return NewConvKey("b", "support", Place{Room: room}, "") }
		var worked []ConvKey
		hold := make(chan struct{})
		d := newDispatcher(1, 10, func(_ context.Context, conv ConvKey) {
			worked = append(worked, conv)
			<-hold
		})
		d.start(t.Context())
		d.wake(key("a"))
		d.wake(key("waits"))
		synctest.Wait()
		full := errors.New("disk full")
		if err := d.move(room{"b", "a"}, "A", func() error { return full }); !errors.Is(err, full) {
			t.Errorf("move = %v", err)
		}
		d.wake(key("a")) // by itself still
		for from, to := range map[string]string{"a": "A", "waits": "W"} {
			if err := d.move(room{"b", from}, to, func() error { return nil }); err != nil {
				t.Fatal(err)
			}
		}
		d.wake(key("A"))
		d.wake(key("W"))
		if running, ready := d.counts(); running != 1 || ready != 1 {
			t.Errorf("%d run and %d wait", running, ready)
		}
		close(hold)
		synctest.Wait()
		want := []ConvKey{key("a"), key("A"), key("W"), key("W"), key("A")} // W was woken while it waited
		d.wake(key("a"))
		synctest.Wait()
		d.stop()
		if len(worked) != len(want) {
			t.Fatalf("worked on %q, want %q", worked, want)
		}
		for i := range want {
			if worked[i] != want[i] {
				t.Errorf("worked on %q, want %q", worked, want)
			}
		}
		if len(d.active) != 0 {
			t.Errorf("left: %v", d.active)
		}
		// Back and forth leads in no circle.
		for _, step := range [][2]string{{"A", "a"}, {"a", "A"}} {
			if err := d.move(room{"b", step[0]}, step[1], func() error { return nil }); err != nil {
				t.Fatal(err)
			}
			d.mu.Lock()
			if got := d.nowLocked(key(step[0])); got != key(step[1]) {
				t.Errorf("%s → %s", key(step[0]), got)
			}
			d.mu.Unlock()
		}
	})
}
