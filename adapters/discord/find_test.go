package discord_test

import (
	"testing"

	"github.com/clickai/bridge/core"
	sim "github.com/clickai/bridge/internal/sim"
	simdiscord "github.com/clickai/bridge/internal/sim/discord"
)

// TestDirectory looks up the same with a connection and without one.
func TestDirectory(t *testing.T) {
	t.Parallel()
	for _, connected := range []bool{true, false} {
		name := "connected"
		if !connected {
			name = "not connected"
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSim(t, quick())
			clean(t, s)
			p := newBot(t, s.APIURL(), simdiscord.DefaultToken)
			const noID = "1100000000000000777"
			if _, err := s.CreateChannel(simdiscord.Channel{Name: noID}); err != nil {
				t.Fatal(err)
			}
			m := say(t, s, sim.Say{Room: simdiscord.General, User: "Minh", Text: "hello"})
			thread, err := s.StartThread(t.Context(), m.Ref, "Minh", "a thread")
			if err != nil {
				t.Fatal(err)
			}
			if connected {
				h := newHost()
				start(t, p, h)
				h.waitUp(t, 1)
				say(t, s, sim.Say{Room: simdiscord.DMMinh, User: "Minh", Text: "hello"})
				h.event(t, core.KindMessage, 1) // GUILD_CREATE came before it
			}
			general := core.Room{ID: simdiscord.General, Name: "general", Space: simdiscord.GuildAcme}
			for _, tt := range []struct {
				name string
				want core.Room
			}{
				{"general", general},
				{"#General", general},
				{simdiscord.General, general},
				{"help", core.Room{ID: simdiscord.Help, Name: "help", Space: simdiscord.GuildAcme}},
				{simdiscord.GuildAcme, core.Room{ID: simdiscord.GuildAcme, Name: "Acme", Space: simdiscord.GuildAcme}},
				{simdiscord.DMMinh, core.Room{ID: simdiscord.DMMinh, Direct: true}},
				{"nowhere", core.Room{}},
				{noID, core.Room{}},
				{thread.Thread, core.Room{}},
				{"a thread", core.Room{}},
				{"", core.Room{}},
				{"../@me", core.Room{}},
			} {
				room, ok, err := p.FindRoom(t.Context(), tt.name)
				if err != nil || room != tt.want || ok != (tt.want.ID != "") {
					t.Errorf("room %q: %+v %t %v", tt.name, room, ok, err)
				}
			}
			anna := core.User{ID: simdiscord.Anna, Name: "Anna", Handle: "anna", Key: "discord:" + simdiscord.Anna}
			for _, tt := range []struct {
				name string
				want core.User
			}{
				{"anna", anna},
				{"@Anna", anna},
				{simdiscord.Anna, anna},
				{"an", core.User{}},
				{"1100000000000000777", core.User{}},
				{"nobody & all", core.User{}},
				{"@", core.User{}},
			} {
				u, ok, err := p.FindUser(t.Context(), tt.name)
				if err != nil || u != tt.want || ok != (tt.want.ID != "") {
					t.Errorf("user %q: %+v %t %v", tt.name, u, ok, err)
				}
			}
			s.Faults().Add(sim.Fault{Match: "/members/search", Status: 403, Body: `{"message":"Missing Access","code":50001}`})
			if _, ok, err := p.FindUser(t.Context(), "someone"); ok || core.ClassOf(err) != core.Unsupported {
				t.Errorf("where the search is refused: %t %v", ok, err)
			}
		})
	}
}
