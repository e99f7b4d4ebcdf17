package discord_test

import (
	"testing"
	"time"

	"github.com/clickai/bridge/core"
	"github.com/clickai/bridge/internal/sim"
	simdiscord "github.com/clickai/bridge/internal/sim/discord"
)

// TestGatewayFaults: whatever the network does to the gateway, each question that was asked before, meanwhile and afterwards, in
// a channel, a thread and a direct chat, is asked of the app once and answered once. From one end to the other; the time is
// virtual.
func TestGatewayFaults(t *testing.T) {
	t.Parallel()
	gone := func(r *rig, d time.Duration) { // no connection and no address of one for a while
		for _, path := range []string{"GET /gateway", "GET /resume", "GET /api/v9/gateway"} {
			r.sim.Faults().Add(sim.Fault{Match: path, Status: 503, For: d})
		}
	}
	each := func(n int, every time.Duration, do func()) {
		for range n {
			do()
			<-time.After(every)
		}
	}
	tests := []struct {
		name  string
		fault func(r *rig) // begins; what is asked meanwhile follows at once
		over  func(r *rig) // ends it; nil: it ends by itself
		took  time.Duration
	}{
		{name: "cut", fault: func(r *rig) { r.sim.Cut() }},
		{name: "cut again and again", fault: func(r *rig) { each(20, 3*time.Second, r.sim.Cut) }},
		{name: "refused", fault: func(r *rig) { gone(r, time.Minute); r.sim.Cut() }},
		{name: "refused until the session is over", fault: func(r *rig) { gone(r, 8*time.Minute); r.sim.Cut() }, took: 30 * time.Minute},
		{name: "cut at the handshake", fault: func(r *rig) {
			r.sim.Faults().Add(sim.Fault{Match: "GET /resume", Cut: true, Times: 4})
			r.sim.Faults().Add(sim.Fault{Match: "GET /gateway", Cut: true, Times: 4})
			r.sim.Cut()
		}},
		{name: "slow", fault: func(r *rig) {
			r.sim.Faults().Add(sim.Fault{Match: "GET /resume", Delay: 12 * time.Second, Times: 3})
			r.sim.Cut()
		}},
		{name: "too slow", fault: func(r *rig) {
			r.sim.Faults().Add(sim.Fault{Match: "GET /resume", Delay: time.Minute, Times: 2})
			r.sim.Faults().Add(sim.Fault{Match: "GET /gateway", Delay: time.Minute, Times: 2})
			r.sim.Cut()
		}},
		{name: "no Hello", fault: func(r *rig) { r.sim.StallConnects(3); r.sim.Cut() }},
		{name: "half-open", fault: func(r *rig) { r.sim.Silence() }},
		{name: "half-open, and the session forgotten", fault: func(r *rig) { r.sim.Silence(); r.sim.InvalidateSessions(false) }},
		{
			name: "zombie", took: 10 * time.Minute,
			fault: func(r *rig) { r.sim.WithholdAcks(true) }, over: func(r *rig) { r.sim.WithholdAcks(false) },
		},
		{name: "duplicated", fault: func(r *rig) { each(3, time.Second, func() { r.sim.RedeliverEvents(10) }) }},
		{
			name: "duplicated meanwhile", fault: func(r *rig) { r.sim.Cut() },
			over: func(r *rig) { r.sim.RedeliverEvents(50); r.sim.Cut(); r.sim.RedeliverEvents(50) },
		},
		{name: "re-ordered", fault: func(r *rig) { r.sim.Reorder(4) }, over: func(r *rig) { r.sim.Reorder(0) }},
		{
			name: "re-ordered and cut", fault: func(r *rig) { r.sim.Reorder(4) },
			over: func(r *rig) { r.sim.Reorder(0); r.sim.Cut() },
		},
		{name: "op 7", fault: func(r *rig) { r.sim.Reconnect() }},
		{name: "op 7 again and again", fault: func(r *rig) { each(20, 2*time.Second, r.sim.Reconnect) }},
		{name: "op 7 as the first packet", fault: func(r *rig) { r.sim.ReconnectFirst(5); r.sim.Cut() }},
		{name: "op 9 resumable", fault: func(r *rig) { r.sim.InvalidateSessions(true) }},
		{name: "op 9", fault: func(r *rig) { r.sim.InvalidateSessions(false) }},
		{name: "op 9 again and again", fault: func(r *rig) { each(10, 7*time.Second, func() { r.sim.InvalidateSessions(false) }) }},
		{name: "close 1000", fault: func(r *rig) { r.sim.CloseGateway(1000, "") }},
		{name: "close 4000", fault: func(r *rig) { r.sim.CloseGateway(4000, "") }},
		{name: "close 4008", fault: func(r *rig) { r.sim.CloseGateway(4008, "") }},
		{name: "close 4007", fault: func(r *rig) { r.sim.CloseGateway(4007, "") }},
		{name: "close 4009", fault: func(r *rig) { r.sim.CloseGateway(4009, "") }},
		{name: "all of Discord is down", took: 10 * time.Minute, fault: func(r *rig) {
			r.sim.Faults().Add(sim.Fault{Status: 503, Body: "<html>", For: 5 * time.Minute})
			r.sim.InvalidateSessions(false)
		}},
		{name: "histories fail", fault: func(r *rig) {
			r.sim.Faults().Add(sim.Fault{Match: "GET /api/v9/channels/", Status: 500, Times: 9})
			r.sim.InvalidateSessions(false)
		}},
		{name: "histories are limited", fault: func(r *rig) {
			r.sim.Faults().Add(simdiscord.RateLimited("GET /api/v9/channels/", 20*time.Second, 4, "user"))
			r.sim.InvalidateSessions(false)
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			bubble(t, 9, nil, func(t *testing.T, r *rig) {
				root := say(t, r.sim, sim.Say{Room: simdiscord.Support, User: person(8).ID, Text: "a topic"})
				at, err := r.bot.OpenThread(t.Context(), core.MessageRef{Place: core.Place{Room: simdiscord.Support}, ID: root.ID}, "a topic")
				if err != nil {
					t.Fatal(err)
				}
				r.ask(directOf(4), 4, 3, time.Second) // Discord lists no direct chats: this one is known from now on
				<-time.After(time.Minute)
				r.ask(simdiscord.General, 1, 5, time.Second)

				tt.fault(r)
				r.question(at, 0, 8)
				r.ask(simdiscord.General, 2, 5, time.Second)
				r.ask(simdiscord.General, 3, 5, time.Second)
				r.question(core.Place{Room: directOf(4)}, 5, 4)
				<-time.After(tt.took + 30*time.Second)
				if tt.over != nil {
					tt.over(r)
				}
				<-time.After(5 * time.Minute)
				r.ask(simdiscord.General, 6, 5, time.Second)
				<-time.After(5 * time.Minute)

				if s := r.core.Status()[0]; s.Stopped || !s.Connected {
					t.Errorf("the bot is %+v", s)
				}
				r.whole(map[int]int{1: 5, 2: 5, 3: 5, 6: 5}, simdiscord.General)
				r.whole(map[int]int{4: 3, 5: caseWords}, directOf(4))
				r.wholeIn(map[int]int{0: caseWords}, at)
				for _, v := range r.sim.Violations() {
					t.Errorf("violation: %s", v)
				}
			})
		})
	}
}
