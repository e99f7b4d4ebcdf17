package core_test

import (
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/clickai/bridge/core"
)

// pending is a question as it is stored.
func (r *rig) pending(ev core.Event, recv time.Time) core.Put {
	ev.Bot, ev.Platform = r.set.Name, r.set.Platform
	d := core.Decide(&r.set, &ev, core.ThreadMark{})
	return core.Put{Pending: core.Pending{Conv: d.Conv, App: d.App, At: d.At, Event: ev, Recv: recv.UnixMilli()}}
}

// TestClockPutBack has a question that was accepted at a time that is yet to come: it is answered now, an album too, and as
// it may have been asked, its history is looked at.
func TestClockPutBack(t *testing.T) {
	for _, group := range []string{"", "album"} {
		t.Run("group "+group, func(t *testing.T) {
			bubble(t, func(t *testing.T, r *rig) {
				ev := r.message("hello")
				ev.Group = group
				if _, _, err := r.store.Put(t.Context(), r.pending(ev, time.Now().Add(3*time.Hour))); err != nil {
					t.Fatal(err)
				}
				r.start()
				settle(10 * time.Second)
				asked := r.app.asked()
				if got := r.chat.texts(); !slices.Equal(got, []string{"Hello"}) || len(asked) != 1 || !asked[0].Retried {
					t.Errorf("shown %q, asked %+v; want it asked once, by way of the history", got, asked)
				}
			})
		})
	}
}

// TestClockAheadAtTheFirstStart has the bot's first start stored by a clock that was hours ahead.
func TestClockAheadAtTheFirstStart(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig) {
		if _, err := r.store.FirstStart(t.Context(), r.set.Name, time.Now().Add(5*time.Hour)); err != nil {
			t.Fatal(err)
		}
		r.start()
		settle(10 * time.Second)
		r.accept(r.message("hello"))
		old := r.message("from before")
		old.SentAt = time.Now().Add(-time.Minute)
		r.accept(old)
		settle(10 * time.Second)
		if got := r.chat.texts(); len(got) != 1 {
			t.Errorf("shown %q, want an answer to what was said since the start, and to that alone", got)
		}
	})
}

// TestIdleResetNeedsBothClocks has hours go by on one clock and not on the other: nobody was silent for so long.
func TestIdleResetNeedsBothClocks(t *testing.T) {
	tests := []struct {
		name            string
		ours, platforms time.Duration
		reset           bool
	}{
		{"our clock put forward", 3 * time.Hour, time.Minute, false},
		{"the platform's clock put forward", time.Minute, 3 * time.Hour, false},
		{"silence", 3 * time.Hour, 3 * time.Hour, true},
		{"talk", time.Minute, time.Minute, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			bubble(t, func(t *testing.T, r *rig) {
				r.set.IdleReset, r.set.CatchUp = time.Hour, 24*time.Hour
				r.start()
				first := r.message("one")
				r.accept(first)
				settle(5 * time.Second)
				settle(tt.ours)
				second := r.message("two")
				second.SentAt = first.SentAt.Add(tt.platforms)
				r.accept(second)
				settle(5 * time.Second)
				asked := r.app.asked()
				if len(asked) != 2 || (asked[1].Conversation == "") != tt.reset {
					t.Errorf("asked %+v, want a new conversation: %v", asked, tt.reset)
				}
			})
		})
	}
}

// TestLimitsOfPeopleDoNotGoByTheirClocks has a person whose messages bear times hours off: the limit counts all the same.
func TestLimitsOfPeopleDoNotGoByTheirClocks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		r.set.Limits.TurnsPerUser, r.set.CatchUp = core.PerTime{Count: 2, Per: time.Minute}, 24*time.Hour
		r.start()
		for i := range 4 {
			ev := r.message("hello")
			ev.SentAt = time.Now().Add(time.Duration(i) * 3 * time.Hour)
			r.accept(ev)
			settle(2 * time.Second)
		}
		if n := len(r.app.asked()); n != 2 {
			t.Errorf("asked %d times, want 2", n)
		}
		settle(time.Minute)
		r.accept(r.message("hello"))
		settle(2 * time.Second)
		if n := len(r.app.asked()); n != 3 {
			t.Errorf("asked %d times after the minute, want 3", n)
		}
	})
}
