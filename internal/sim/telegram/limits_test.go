package telegram

import (
	"testing"
	"testing/synctest"
	"time"
)

// The tests of this file are inside of the package because they drive limits and queue without a network, at times of
// their own.

func TestLimits(t *testing.T) {
	t.Parallel()
	type world struct {
		all  *overallLimit
		chat *chatLimit
	}
	start := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	var now time.Time
	pass := func(d time.Duration) { now = now.Add(d) }
	send := func(w world, n int) int {
		retry, _ := take(now, w.all, w.chat, n)
		return retry
	}
	fresh := func(group bool) world { return world{newOverallLimit(1), newChatLimit(1, group)} }

	t.Run("a chat takes a burst of three, then one a second", func(t *testing.T) {
		now = start
		w := fresh(false)
		for i := range ChatBurst {
			if retry := send(w, 1); retry != 0 {
				t.Fatalf("message %d of the burst: retry after %d", i, retry)
			}
		}
		if retry := send(w, 1); retry != 1 {
			t.Errorf("after the burst: retry after %d", retry)
		}
		pass(500 * time.Millisecond)
		if retry := send(w, 1); retry != 1 {
			t.Errorf("before retry_after is over: %d", retry)
		}
		pass(500 * time.Millisecond)
		for i := range 100 {
			if retry := send(w, 1); retry != 0 {
				t.Fatalf("one a second, message %d: retry after %d", i, retry)
			}
			pass(time.Second)
		}
	})
	t.Run("a group takes twenty a minute", func(t *testing.T) {
		now = start
		w := fresh(true)
		for i := range GroupPerMinute {
			if retry := send(w, 1); retry != 0 {
				t.Fatalf("message %d: retry after %d", i, retry)
			}
			pass(time.Second)
		}
		if retry := send(w, 1); retry != 40 {
			t.Errorf("message 21 after 20 s: retry after %d", retry)
		}
		pass(40 * time.Second)
		if retry := send(w, 1); retry != 0 {
			t.Errorf("after a minute: retry after %d", retry)
		}
	})
	t.Run("one every three seconds in a group is for ever fine", func(t *testing.T) {
		now = start
		w := fresh(true)
		for i := range 200 {
			if retry := send(w, 1); retry != 0 {
				t.Fatalf("message %d: retry after %d", i, retry)
			}
			pass(3 * time.Second)
		}
	})
	t.Run("thirty a second in all", func(t *testing.T) {
		now = start
		all := newOverallLimit(1)
		for i := range OverallPerSecond {
			if retry := send(world{all, newChatLimit(1, false)}, 1); retry != 0 {
				t.Fatalf("chat %d: retry after %d", i, retry)
			}
		}
		if retry := send(world{all, newChatLimit(1, false)}, 1); retry != 1 {
			t.Errorf("chat 31: retry after %d", retry)
		}
	})
	t.Run("an album counts each message", func(t *testing.T) {
		now = start
		w := fresh(true)
		if retry := send(w, 10); retry != 0 {
			t.Fatalf("album: retry after %d", retry)
		}
		if retry := send(w, 1); retry != 8 {
			t.Errorf("after an album of ten: retry after %d", retry)
		}
		pass(11 * time.Second)
		if retry := send(w, 10); retry != 0 {
			t.Errorf("second album: retry after %d", retry)
		}
		pass(20 * time.Second)
		if retry := send(w, 1); retry != 29 {
			t.Errorf("message 21 of a minute: retry after %d", retry)
		}
	})
	t.Run("scaled", func(t *testing.T) {
		now = start
		w := world{newOverallLimit(100), newChatLimit(100, true)}
		for i := range 100 {
			if retry := send(w, 1); retry != 0 {
				t.Fatalf("message %d: retry after %d", i, retry)
			}
			pass(30 * time.Millisecond)
		}
	})
}

func TestRetention(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		q := newUpdateQueue(1, 100)
		q.add("message", "1", []byte(`{}`))
		<-time.After(retention - time.Second)
		q.add("message", "1", []byte(`{}`))
		if n := len(q.take(10)); n != 2 {
			t.Errorf("%d updates before 24 hours", n)
		}
		<-time.After(2 * time.Second)
		q.confirm(0)
		if n := len(q.take(10)); n != 1 {
			t.Errorf("%d updates after 24 hours", n)
		}
	})
}

func TestDeadlinesAreBounded(t *testing.T) {
	t.Parallel()
	var d deadlines
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	for i := range 10_000 {
		d.add(at.Add(time.Duration(i) * 100 * time.Microsecond))
	}
	if len(d) != 100 {
		t.Errorf("%d entries for one second", len(d))
	}
	if first := d[0]; !first.After(at) {
		t.Errorf("told at %v, before the end", first)
	}
}
