package slack_test

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/clickai/bridge/adapters/slack"
	"github.com/clickai/bridge/core"
	sim "github.com/clickai/bridge/internal/sim"
	simslack "github.com/clickai/bridge/internal/sim/slack"
)

// TestSocketFaults holds that whatever happens to the sockets each message arrives, and is known again if it arrives twice.
// Slack's periods are a hundredth of the documented ones, and so is the time after which a silent socket is given up.
func TestSocketFaults(t *testing.T) {
	t.Parallel()
	refuse := func(s *simslack.Server, match string, times int) {
		s.Faults().Add(sim.Fault{Match: match, Status: http.StatusServiceUnavailable, Body: "no", Times: times})
	}
	tests := []struct {
		name  string
		opt   simslack.Options
		spoil func(s *simslack.Server, n int) // before the n-th message
	}{
		{name: "nothing", spoil: func(*simslack.Server, int) {}},
		{name: "cut", spoil: func(s *simslack.Server, n int) {
			if n%4 == 1 {
				s.CutSockets()
			}
		}},
		{name: "refused", spoil: func(s *simslack.Server, n int) {
			if n%6 == 1 {
				refuse(s, "apps.connections.open", 3)
				refuse(s, "/link/", 3)
				s.CutSockets()
			}
		}},
		{name: "slow", spoil: func(s *simslack.Server, n int) {
			if n%6 == 1 {
				s.Faults().Add(sim.Fault{Match: "/link/", Delay: 100 * time.Millisecond, Times: 2})
				s.Faults().Add(sim.Fault{Match: "apps.connections.open", Delay: 100 * time.Millisecond, Times: 2})
				s.CutSockets()
			}
		}},
		{name: "half-open", opt: simslack.Options{PingInterval: 20 * time.Millisecond}, spoil: func(s *simslack.Server, n int) {
			if n == 3 || n == 9 {
				s.StallSockets()
			}
		}},
		{name: "refreshed", spoil: func(s *simslack.Server, n int) {
			switch n % 6 {
			case 1:
				s.Refresh()
			case 4:
				s.Disconnect("warning")
			}
		}},
		{name: "doubled", spoil: func(s *simslack.Server, _ int) { s.Double(true) }},
		{name: "in another order", spoil: func(s *simslack.Server, n int) {
			if n%4 == 0 {
				s.Reorder(4)
			}
		}},
		{name: "all at once", opt: simslack.Options{PingInterval: 20 * time.Millisecond}, spoil: func(s *simslack.Server, n int) {
			switch n {
			case 0:
				s.Double(true)
			case 2:
				s.Reorder(3)
			case 5:
				s.StallSockets()
			case 7:
				refuse(s, "/link/", 2)
				s.CutSockets()
			case 9:
				s.Refresh()
			}
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			tt.opt.AckDeadline, tt.opt.Retries = 30*time.Millisecond, []time.Duration{0, 600 * time.Millisecond, 3 * time.Second}
			s := newSim(t, tt.opt)
			clean(t, s)
			p, h := newBot(t, config(s)), newHost()
			if tt.opt.PingInterval > 0 {
				slack.Ping(p, 300*time.Millisecond)
			}
			start(t, p, h)
			h.waitUp(t, 1)
			await(t, "two sockets", s.Changed, func() bool { return s.Sockets() == 2 })
			want := map[string]string{} // text by key
			for n := range 12 {
				tt.spoil(s, n)
				room := []string{simslack.DM(simslack.Minh), simslack.DM(simslack.Anna)}[n%2]
				who := map[string]string{simslack.DM(simslack.Minh): simslack.Minh, simslack.DM(simslack.Anna): simslack.Anna}[room]
				said := say(t, s, sim.Say{Room: room, User: who, Text: fmt.Sprintf("message %d", n)})
				want["m:"+simslack.DefaultTeamID+":"+room+":"+said.ID] = fmt.Sprintf("message %d", n)
			}
			got := map[string]string{}
			h.wait(t, "every message", func() bool {
				for _, ev := range h.all(core.KindMessage) {
					got[ev.Key] = ev.Text
				}
				return len(got) >= len(want)
			})
			if !maps.Equal(got, want) {
				t.Errorf("messages %v, want %v", slices.Sorted(maps.Values(got)), slices.Sorted(maps.Values(want)))
			}
			h.wait(t, "the connection", func() bool { h.mu.Lock(); defer h.mu.Unlock(); return h.up })
		})
	}
}

// TestRefreshLeavesNoGap holds that the refresh of one socket leaves the other one open: nothing has to be sent twice or read
// from the history.
func TestRefreshLeavesNoGap(t *testing.T) {
	t.Parallel()
	s := newSim(t, simslack.Options{Retries: []time.Duration{}})
	clean(t, s)
	p, h := newBot(t, config(s)), newHost()
	slack.Ping(p, 10*time.Minute) // no socket is silent for long, however slow the machine is
	start(t, p, h)
	h.waitUp(t, 1)
	await(t, "two sockets", s.Changed, func() bool { return s.Sockets() == 2 })
	h.wait(t, "the rooms", func() bool { h.mu.Lock(); defer h.mu.Unlock(); return h.cursors["until"] != "" })
	s.Faults().Add(sim.Fault{Match: "conversations.history", Status: http.StatusServiceUnavailable})
	var want []string
	said := func() {
		text := fmt.Sprintf("message %d", len(want))
		want = append(want, text)
		say(t, s, sim.Say{Room: simslack.DM(simslack.Minh), User: simslack.Minh, Text: text})
		h.event(t, core.KindMessage, len(want))
		allAcked(t, s) // a socket that is refreshed with its acknowledgement unsent would have the event sent again
	}
	for range 10 {
		said() // the sockets take turns: after two messages the bot knows that both are open
		said()
		s.RefreshOne()
		said()
		await(t, "two sockets", s.Changed, func() bool { return s.Sockets() == 2 })
	}
	h.mu.Lock()
	if h.ups != 1 || len(h.errs) != 0 {
		t.Errorf("the host was told of %d connections and %v, want one and nothing more", h.ups, h.errs)
	}
	h.mu.Unlock()
	allAcked(t, s)
	if got := h.texts(); !slices.Equal(got, want) {
		t.Errorf("messages %q, want %q", got, want)
	}
	for _, d := range s.Deliveries() {
		if d.Attempts != 1 || !d.Acked {
			t.Errorf("delivery %+v, want it acknowledged at once", d)
		}
	}
	if n := s.Faults().Hits(); n != 0 {
		t.Errorf("%d looks at a history, want none", n)
	}
}
