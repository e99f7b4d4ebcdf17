package slack_test

import (
	"fmt"
	"net/http"
	"slices"
	"testing"

	"github.com/clickai/bridge/core"
	sim "github.com/clickai/bridge/internal/sim"
	simslack "github.com/clickai/bridge/internal/sim/slack"
)

// TestFind holds that rooms and people are found by id and by name, over pages, and asked for once.
func TestFind(t *testing.T) {
	t.Parallel()
	o := simslack.Options{Users: simslack.DefaultUsers(), Channels: simslack.DefaultChannels()}
	for i := range 450 {
		o.Channels = append(o.Channels, simslack.Channel{ID: fmt.Sprintf("C0MANY%04d", i), Name: fmt.Sprintf("many-%d", i), Members: []string{simslack.Minh}})
		o.Users = append(o.Users, simslack.User{ID: fmt.Sprintf("U0MANY%04d", i), Name: fmt.Sprintf("many.%d", i), Real: "One of many"})
	}
	o.Channels = append(o.Channels, simslack.Channel{ID: "G0SECRET01", Name: "secret", Private: true, Members: []string{simslack.Minh}})
	s, p := idle(t, o)
	clean(t, s)
	rooms := map[string]string{
		simslack.Support: "support", "support": "support", "#support": "support", "Support ": "support", "many-444": "many-444", "#secret": "secret",
		simslack.DefaultTeamID: "Acme", "nowhere": "", "C0NOWHERE1": "", "": "", "@support": "support",
	}
	for name, want := range rooms {
		r, ok, err := p.FindRoom(t.Context(), name)
		if err != nil || ok != (want != "") || r.Name != want || ok && (r.ID == "" || r.Space != simslack.DefaultTeamID) {
			t.Errorf("FindRoom(%q) = %+v, %t, %v; want %q", name, r, ok, err, want)
		}
	}
	if r, ok, err := p.FindRoom(t.Context(), simslack.DM(simslack.Minh)); err != nil || !ok || !r.Direct {
		t.Errorf("FindRoom of a direct chat = %+v, %t, %v", r, ok, err)
	}
	users := map[string]string{
		simslack.Minh: simslack.Minh, "minh.nguyen": simslack.Minh, "@Minh.Nguyen": simslack.Minh, "many.444": "U0MANY0444", "nobody": "", "U0NOBODY01": "", "": "", "Minh": "",
	}
	for name, want := range users {
		u, ok, err := p.FindUser(t.Context(), name)
		if err != nil || ok != (want != "") || u.ID != want {
			t.Errorf("FindUser(%q) = %+v, %t, %v; want %q", name, u, ok, err, want)
		}
	}
	if u, _, _ := p.FindUser(t.Context(), simslack.Minh); u != (core.User{ID: simslack.Minh, Name: "Minh", Handle: "minh.nguyen", Key: minh.Key}) {
		t.Errorf("FindUser = %+v", u)
	}
	s.Faults().Add(sim.Fault{Match: ".list", Status: http.StatusBadGateway})
	if _, ok, err := p.FindRoom(t.Context(), "sales"); !ok || err != nil {
		t.Errorf("FindRoom once more: %t, %v", ok, err)
	}
	if _, ok, err := p.FindUser(t.Context(), "tom.baker"); !ok || err != nil {
		t.Errorf("FindUser once more: %t, %v", ok, err)
	}
}

// TestFindDenied holds what is found without scopes, and when Slack does not answer.
func TestFindDenied(t *testing.T) {
	t.Parallel()
	without := func(names ...string) simslack.Options {
		return simslack.Options{Scopes: slices.DeleteFunc(simslack.DefaultScopes(), func(s string) bool { return slices.Contains(names, s) })}
	}
	_, p := idle(t, without("groups:read", "users:read"))
	if r, ok, err := p.FindRoom(t.Context(), "general"); err != nil || !ok || r.ID != simslack.General {
		t.Errorf("FindRoom without groups:read = %+v, %t, %v", r, ok, err)
	}
	if _, _, err := p.FindUser(t.Context(), "minh.nguyen"); core.ClassOf(err) != core.Unsupported {
		t.Errorf("FindUser without users:read = %v, want class unsupported", err)
	}
	_, p = idle(t, without("groups:read", "channels:read"))
	if _, _, err := p.FindRoom(t.Context(), "general"); core.ClassOf(err) != core.Unsupported {
		t.Errorf("FindRoom without scopes = %v, want class unsupported", err)
	}
	s, p := idle(t, simslack.Options{})
	s.Faults().Add(sim.Fault{Match: ".list", Status: http.StatusBadGateway})
	if _, _, err := p.FindRoom(t.Context(), "general"); core.ClassOf(err) != core.Transient {
		t.Errorf("FindRoom = %v, want class transient", err)
	}
	if _, _, err := p.FindUser(t.Context(), "anna.keller"); core.ClassOf(err) != core.Transient {
		t.Errorf("FindUser = %v, want class transient", err)
	}
}
