package slack_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/clickai/bridge/adapters/slack"
	"github.com/clickai/bridge/core"
	sim "github.com/clickai/bridge/internal/sim"
	simslack "github.com/clickai/bridge/internal/sim/slack"
)

// firsts are the texts of messages in the order in which the host heard of them first.
func firsts(h *host) []string {
	var texts []string
	seen := map[string]bool{}
	for _, ev := range h.all(core.KindMessage) {
		if !seen[ev.Key] {
			seen[ev.Key] = true
			texts = append(texts, ev.Text)
		}
	}
	return texts
}

// away is a host of a bot that was last connected a minute ago.
func away() *host {
	h := newHost()
	h.cursors["until"] = slack.TSOf(time.Now().Add(-time.Minute))
	return h
}

// TestMissedComesFirst holds that what was said while no socket was open is handed over before what is said now, in the
// same room, after a restart and after a cut, and that what waits for that is not acknowledged before it is stored.
func TestMissedComesFirst(t *testing.T) {
	t.Parallel()
	for _, cut := range []bool{false, true} {
		t.Run(fmt.Sprintf("cut %t", cut), func(t *testing.T) {
			t.Parallel()
			retries := slices.Repeat([]time.Duration{200 * time.Millisecond}, 200)
			s := newSim(t, simslack.Options{AckDeadline: 100 * time.Millisecond, Retries: retries})
			h := away()
			if cut {
				h = newHost()
				start(t, newBot(t, config(s)), h)
				h.waitUp(t, 1)
				await(t, "two sockets", s.Changed, func() bool { return s.Sockets() == 2 })
				s.Faults().Add(sim.Fault{Match: "apps.connections.open", Status: http.StatusServiceUnavailable, Times: 6})
				s.CutSockets()
				await(t, "no socket", s.Changed, func() bool { return s.Sockets() == 0 })
			}
			var want []string
			tell := func(text string) {
				t.Helper()
				say(t, s, sim.Say{Room: simslack.DM(simslack.Minh), User: simslack.Minh, Text: text})
				want = append(want, text)
			}
			tell("missed 1")
			tell("missed 2")
			s.Faults().Add(sim.Fault{Match: "conversations.history", Delay: 500 * time.Millisecond})
			ups := 1
			if cut {
				ups = 2
			} else {
				start(t, newBot(t, config(s)), h)
			}
			h.waitUp(t, ups)
			h.setRefuse(func(ev core.Event) error {
				for _, d := range s.Deliveries() {
					if d.Ref.ID == ev.MessageID && d.Acked && h.seen[ev.Key] == 1 {
						t.Errorf("%q was acknowledged before it was stored", ev.Text)
					}
				}
				return nil
			})
			tell("now 1")
			tell("now 2")
			h.wait(t, "all messages", func() bool { return len(firsts(h)) == len(want) })
			if got := firsts(h); !slices.Equal(got, want) {
				t.Errorf("messages %q, want %q", got, want)
			}
			allAcked(t, s)
			tell("later")
			h.wait(t, "what is said later", func() bool { return slices.Contains(firsts(h), "later") })
		})
	}
}

// tellTale is a log that says when a line was written.
type tellTale struct {
	slog.Handler
	line    string
	mu      sync.Mutex
	told    bool
	changed sim.Notifier
}

func (h *tellTale) Handle(ctx context.Context, r slog.Record) error {
	if r.Message == h.line {
		h.mu.Lock()
		h.told = true
		h.mu.Unlock()
		h.changed.Notify()
	}
	return h.Handler.Handle(ctx, r) //nolint:wrapcheck // a test's
}

func (h *tellTale) has() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.told
}

// TestManyWait holds that no more events wait than may, and that those beyond are found in the history, in order.
func TestManyWait(t *testing.T) {
	t.Parallel()
	s := newSim(t, simslack.Options{AckDeadline: 1, Retries: []time.Duration{}, LimitScale: 100})
	h, gate := away(), make(chan struct{})
	h.setRefuse(func(core.Event) error { <-gate; return nil })
	log := &tellTale{Handler: logTo(t.Output()).Handler(), line: "event not held, Slack will send it again"}
	p, err := slack.New("acme", config(s), slog.New(log))
	if err != nil {
		t.Fatal(err)
	}
	dm := simslack.DM(simslack.Minh)
	say(t, s, sim.Say{Room: dm, User: simslack.Minh, Text: "missed"})
	start(t, slack.Hurry(p), h)
	await(t, "a socket", s.Changed, func() bool { return s.Sockets() > 0 })
	want := []string{"missed"}
	for i := range slack.MaxHeld + 50 {
		want = append(want, fmt.Sprintf("message %d", i))
		say(t, s, sim.Say{Room: dm, User: simslack.Minh, Text: want[i+1]})
	}
	await(t, "more events than wait", log.changed.Changed, log.has)
	close(gate)
	h.wait(t, "all messages", func() bool { return len(firsts(h)) == len(want) })
	if got := firsts(h); !slices.Equal(got, want) {
		t.Errorf("messages %q, want %q", got, want)
	}
}

// TestWaitIsBounded holds that nobody waits for all threads of a room to be read: their own is read first, and does.
func TestWaitIsBounded(t *testing.T) {
	t.Parallel()
	s := newSim(t, simslack.Options{AckDeadline: 1, Retries: []time.Duration{}, LimitScale: 100})
	var threads []string
	for i := range 6 {
		root := say(t, s, sim.Say{Room: simslack.General, User: simslack.Anna, Text: fmt.Sprintf("root %d", i)})
		say(t, s, sim.Say{Room: simslack.General, Thread: root.ID, User: simslack.Anna, Text: fmt.Sprintf("missed %d", i)})
		threads = append(threads, root.ID)
	}
	h := away()
	s.Faults().Add(sim.Fault{Match: "conversations.history", Delay: 500 * time.Millisecond})
	s.Faults().Add(sim.Fault{Match: "conversations.replies", Delay: 50 * time.Millisecond})
	p := newBot(t, config(s))
	slack.Hold(p, time.Nanosecond)
	start(t, p, h)
	h.waitUp(t, 1)
	say(t, s, sim.Say{Room: simslack.General, Thread: threads[3], User: simslack.Anna, Text: "now"})
	h.wait(t, "all messages", func() bool { return len(firsts(h)) == 13 })
	got := firsts(h)
	own, now, other := slices.Index(got, "missed 3"), slices.Index(got, "now"), slices.Index(got, "missed 0")
	if own > now || now > other {
		t.Errorf("messages %q, want those of the thread first", got)
	}
}

// TestHeldWhileRefused holds that what waits is neither lost nor acknowledged while the store refuses it.
func TestHeldWhileRefused(t *testing.T) {
	t.Parallel()
	s := newSim(t, simslack.Options{AckDeadline: time.Hour})
	h := away()
	refused := 0
	h.setRefuse(func(core.Event) error {
		if refused++; refused <= 3 {
			return errors.New("disk full")
		}
		return nil
	})
	say(t, s, sim.Say{Room: simslack.DM(simslack.Minh), User: simslack.Minh, Text: "missed"})
	s.Faults().Add(sim.Fault{Match: "conversations.history", Delay: 200 * time.Millisecond})
	start(t, newBot(t, config(s)), h)
	h.waitUp(t, 1)
	now := say(t, s, sim.Say{Room: simslack.DM(simslack.Minh), User: simslack.Minh, Text: "now"})
	h.wait(t, "both messages", func() bool { return len(firsts(h)) == 2 })
	if got := firsts(h); !slices.Equal(got, []string{"missed", "now"}) {
		t.Errorf("messages %q", got)
	}
	await(t, "the acknowledgement", s.Changed, func() bool {
		return slices.ContainsFunc(s.Deliveries(), func(d simslack.Delivery) bool { return d.Ref.ID == now.ID && d.Acked })
	})
}
