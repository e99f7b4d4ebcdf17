package slack_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/clickai/bridge/adapters/slack"
	"github.com/clickai/bridge/core"
	sim "github.com/clickai/bridge/internal/sim"
	simslack "github.com/clickai/bridge/internal/sim/slack"
)

// TestSilentSocket holds that what went into a socket which only seemed open is read from the history when that is found,
// also where the other socket is well all the time, and Slack sends nothing again.
func TestSilentSocket(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name  string
		stall func(*simslack.Server)
	}{
		{"one", (*simslack.Server).StallOne},
		{"both", (*simslack.Server).StallSockets},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := newSim(t, simslack.Options{PingInterval: 500 * time.Millisecond, Retries: []time.Duration{}})
			clean(t, s)
			p, h := newBot(t, config(s)), newHost()
			slack.Ping(p, time.Second)
			start(t, p, h)
			var want []string
			said := func() {
				want = append(want, fmt.Sprintf("message %d", len(want)))
				say(t, s, sim.Say{Room: simslack.DM(simslack.Minh), User: simslack.Minh, Text: want[len(want)-1]})
			}
			h.waitUp(t, 1)
			await(t, "two sockets", s.Changed, func() bool { return s.Sockets() == 2 })
			for n := range 2 { // the sockets take turns: then the bot knows that both are open
				said()
				h.event(t, core.KindMessage, n+1)
			}
			tt.stall(s)
			for range 4 {
				said()
			}
			h.wait(t, "every message", func() bool {
				got := h.texts()
				return !slices.ContainsFunc(want, func(text string) bool { return !slices.Contains(got, text) })
			})
		})
	}
}
