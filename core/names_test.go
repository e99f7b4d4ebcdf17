package core_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"testing/synctest"

	"github.com/clickai/bridge/core"
)

// registry is a chat that finds rooms and people.
type registry struct {
	*chat
	rooms map[string]string // id → name
	err   error
}

func (r *registry) FindRoom(_ context.Context, name string) (core.Room, bool, error) {
	if r.err != nil {
		return core.Room{}, false, r.err
	}
	for id, n := range r.rooms {
		if id == name || n == name {
			return core.Room{ID: id, Name: n}, true, nil
		}
	}
	return core.Room{}, false, nil
}

func (r *registry) FindUser(context.Context, string) (core.User, bool, error) {
	return core.User{}, false, &core.Error{Op: "registry.FindUser", Class: core.Unsupported, Err: errors.New("write the id")}
}

// TestNames holds that a room which the configuration names is found by its id after it was renamed.
func TestNames(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		reg := &registry{chat: r.chat, rooms: map[string]string{"C1": "support", "C2": "sales"}}
		r.platform = reg
		r.set.Allow.Rooms, r.set.Allow.Users = []string{"#support", "nowhere"}, []string{"@minh"}
		r.start()
		r.settle()
		say := func(room, name string) {
			ev := r.message("hi")
			ev.Room, ev.Reach = core.Room{ID: room, Name: name}, core.ReachMention
			r.accept(ev)
			r.settle()
		}
		say("C1", "support")
		say("C2", "sales")
		say("C1", "helpdesk") // renamed while it runs
		if n := len(r.app.asked()); n != 2 {
			t.Fatalf("%d asked", n)
		}
		reg.rooms["C1"] = "helpdesk"
		r.restart()
		r.settle()
		say("C1", "helpdesk") // renamed before it started
		say("C3", "nowhere2")
		if n := len(r.app.asked()); n != 3 {
			t.Errorf("%d asked", n)
		}
		want := []core.Check{
			{What: "allow.rooms #support", Mend: "the bot sees no room of this id or name: was it renamed, or is the bot not in it? An id never changes"},
			{What: "allow.rooms nowhere", Mend: "the bot sees no room of this id or name: was it renamed, or is the bot not in it? An id never changes"},
			{What: "routes[0].rooms C2", OK: true, Mend: "sales (C2)"},
			{What: "allow.users @minh", OK: true, Mend: "the platform cannot look it up: write the id"},
		}
		r.set.Routes = []core.Route{{Rooms: []string{"C2", "#support"}}}
		if got := core.CheckNames(t.Context(), &r.set, reg); !slices.Equal(got, want) {
			t.Errorf("checks %+v", got)
		}
	})
}

// TestDeniedByAFormerName: a room that was renamed while the bridge was down stays shut from the first message on, also while
// names cannot be looked up.
func TestDeniedByAFormerName(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		reg := &registry{chat: r.chat, rooms: map[string]string{"C1": "secret"}}
		r.platform = reg
		r.set.Deny.Rooms = []string{"#secret"}
		r.start()
		r.settle()
		reg.rooms["C1"] = "public"
		reg.err = &core.Error{Op: "registry.FindRoom", Class: core.Transient}
		r.restart()
		for range 2 {
			ev := r.message("hi")
			ev.Room, ev.Reach = core.Room{ID: "C1", Name: "public"}, core.ReachMention
			r.accept(ev)
			r.settle()
		}
		if n := len(r.app.asked()); n != 0 {
			t.Errorf("%d asked in a room that is denied", n)
		}
	})
}
