package discord_test

import (
	"net/http"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/clickai/bridge/internal/sim"
	"github.com/clickai/bridge/internal/sim/discord"
)

func TestObserver(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	var seen []string
	o := discord.Options{MaxVersions: 2, Observe: func(s sim.Seen) {
		mu.Lock()
		defer mu.Unlock()
		line := string(s.Kind) + " " + s.Text
		if s.Kind != sim.Limited && (s.Ref.Room != discord.General || s.Ref.ID == "" || s.At.IsZero()) {
			line += " at no place or time"
		}
		seen = append(seen, line)
	}}
	s := start(t, o)
	say(t, s, sim.Say{Room: discord.General, User: "Minh", Text: "people are not observed"})
	id := post(t, s, discord.General, object{"content": "**one**"})
	path := "/channels/" + discord.General + "/messages/" + id
	for _, text := range []string{"two", "three", "four"} {
		call(t, s, http.MethodPatch, path, object{"content": text}).ok(t)
	}
	m, _ := s.Find(sim.Ref{Room: discord.General, ID: id})
	if len(m.Versions) != 2 || m.Versions[0].Shown != "one" || m.Versions[1].Shown != "four" {
		t.Errorf("versions = %+v, want the first and the newest", m.Versions)
	}
	call(t, s, http.MethodDelete, path, nil).ok(t)
	for range 5 {
		call(t, s, http.MethodPost, "/channels/"+discord.General+"/messages", object{"content": "x"})
	}
	mu.Lock()
	defer mu.Unlock()
	want := []string{"posted **one**", "edited two", "edited three", "edited four", "deleted ", "posted x", "posted x", "posted x", "posted x", "limited "}
	if !slices.Equal(seen, want) {
		t.Errorf("observed %q, want %q", seen, want)
	}
	if l := s.Limits(); l.Global != (discord.Allowance{Calls: 50, Window: time.Second}) || l.Edit != (discord.Allowance{Calls: 5, Window: 5 * time.Second}) {
		t.Errorf("limits = %+v", l)
	}
}
