package core_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/clickai/bridge/core"
)

func TestConvKeyMoved(t *testing.T) {
	t.Parallel()
	key := func(bot, room, thread, user string) core.ConvKey {
		return core.NewConvKey(bot, "support", core.Place{Room: room, Thread: thread}, user)
	}
	for _, tt := range []struct {
		name      string
		key, want core.ConvKey
		room      string
	}{
		{name: "room", key: key("b", "old/1", "", ""), want: key("b", "new", "", ""), room: "old/1"},
		{name: "thread", key: key("b", "old/1", "old/1", ""), want: key("b", "new", "old/1", ""), room: "old/1"},
		{name: "person", key: key("b", "old/1", "7", "old/1"), want: key("b", "new", "7", "old/1"), room: "old/1"},
		{name: "another bot", key: key("b2", "old/1", "", ""), want: key("b2", "old/1", "", ""), room: "old/1"},
		{name: "another room", key: key("b", "old", "", ""), want: key("b", "old", "", ""), room: "old"},
		{name: "no key", key: "c", want: "c"},
		{name: "odd escape", key: "b/support/%zz", want: "b/support/%zz"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if got := tt.key.Moved("b", "old/1", "new"); got != tt.want {
				t.Errorf("moved = %q, want %q", got, tt.want)
			}
			if got := tt.key.Room(); got != tt.room {
				t.Errorf("room = %q", got)
			}
		})
	}
}

// TestMoveRoomWhileItRuns: a turn that runs when its room moves stays the only one of its conversation: what is asked in the
// new room, or late by the old id, waits for it and goes on in its conversation.
func TestMoveRoomWhileItRuns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		r.app.answer = says("c1", "m%d", "one ", "two ", "three")
		r.start()
		mover, ok := r.chat.host.(core.Mover)
		if !ok {
			t.Fatal("the host takes no moves")
		}
		in := func(room, text string) core.Event {
			ev := r.message(text)
			ev.Room.ID = room
			return ev
		}
		r.accept(in("old", "first"))
		<-time.After(150 * time.Millisecond)
		if err := mover.MoveRoom(t.Context(), "old", "new"); err != nil {
			t.Fatal(err)
		}
		r.accept(in("new", "second"))
		r.accept(in("old", "third"))
		<-time.After(time.Minute)
		if n := r.app.mostAtOnce(); n != 1 {
			t.Errorf("%d turns of the conversation ran at once", n)
		}
		asked := r.app.asked()
		if len(asked) != 2 || asked[0].Conversation != "" || asked[1].Conversation != "c1" || asked[1].Query != "second\nthird" {
			t.Errorf("asked %+v", asked)
		}
		if got := r.chat.texts(); len(got) != 2 {
			t.Errorf("shows %q", got)
		}
		left, err := r.store.Unfinished(t.Context())
		if err != nil || len(left) != 0 {
			t.Errorf("unfinished: %v, %v", left, err)
		}
		for _, wrong := range [][2]string{{"", "x"}, {"x", ""}, {"x", "x"}} {
			if err := mover.MoveRoom(t.Context(), wrong[0], wrong[1]); core.ClassOf(err) != core.Invalid {
				t.Errorf("move of %q: %v", wrong, err)
			}
		}
	})
}

// TestMoveRoomRefused: while both ids have a turn that runs, and while the store takes nothing, nothing is moved, and a later
// try succeeds.
func TestMoveRoomRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		r.start()
		mover := r.chat.host.(core.Mover)
		for _, room := range []string{"old", "new"} {
			ev := r.message("in " + room)
			ev.Room.ID = room
			r.accept(ev)
		}
		<-time.After(10 * time.Millisecond)
		if err := mover.MoveRoom(t.Context(), "old", "new"); err == nil {
			t.Error("two running turns became one")
		}
		<-time.After(time.Minute)
		ended, cancel := context.WithCancel(t.Context())
		cancel()
		if err := mover.MoveRoom(ended, "old", "new"); !errors.Is(err, context.Canceled) {
			t.Errorf("a store that takes nothing: %v", err)
		}
		ev := r.message("after")
		ev.Room.ID = "old"
		r.accept(ev)
		<-time.After(time.Minute)
		if err := mover.MoveRoom(t.Context(), "old", "new"); err != nil {
			t.Fatal(err)
		}
		if n := len(r.app.asked()); n != 3 {
			t.Errorf("%d questions were asked of 3", n)
		}
		if n := len(r.chat.texts()); n != 3 {
			t.Errorf("%d answers", n)
		}
	})
}

// mostAtOnce is how many questions were answered at once, at most.
func (a *app) mostAtOnce() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.most
}
