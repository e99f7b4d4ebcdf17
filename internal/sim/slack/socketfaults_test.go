package slack_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	slackgo "github.com/slack-go/slack"
	"github.com/slack-go/slack/socketmode"

	"github.com/clickai/bridge/internal/sim"
	"github.com/clickai/bridge/internal/sim/slack"
)

// texts are those of the messages that the app got, in order.
func texts(t *testing.T, a *app) []string {
	t.Helper()
	var found []string
	for _, e := range a.events(socketmode.EventTypeEventsAPI) {
		if text, ok := read(t, e).Event["text"].(string); ok {
			found = append(found, text)
		}
	}
	return found
}

func TestReorder(t *testing.T) {
	s := start(t, slack.Options{})
	a := connect(t, s, nil)
	await(t, s, "a socket", s.Connected)
	s.Reorder(3)
	for _, text := range []string{"one", "two", "three", "four"} {
		say(t, s, sim.Say{Text: text})
	}
	a.await(t, socketmode.EventTypeEventsAPI, 4)
	if got, want := texts(t, a), []string{"three", "two", "one", "four"}; !slices.Equal(got, want) {
		t.Errorf("messages %q, want %q", got, want)
	}
	wantClean(t, s)
}

func TestDouble(t *testing.T) {
	s := start(t, slack.Options{})
	a, b := connect(t, s, nil), connect(t, s, nil)
	await(t, s, "two sockets", func() bool { return s.Sockets() == 2 })
	s.Double(true)
	say(t, s, sim.Say{Text: "twice"})
	one, two := a.await(t, socketmode.EventTypeEventsAPI, 1)[0], b.await(t, socketmode.EventTypeEventsAPI, 1)[0]
	if one.Request.EnvelopeID != two.Request.EnvelopeID || read(t, one).EventID != read(t, two).EventID {
		t.Errorf("envelopes %+v and %+v, want the same twice", one.Request, two.Request)
	}
	await(t, s, "an acknowledgement", func() bool { return s.Unacked() == 0 })
	s.Double(false)
	say(t, s, sim.Say{Text: "once"})
	await(t, s, "another", func() bool { return len(s.Acked()) == 2 })
	if all := append(texts(t, a), texts(t, b)...); len(all) != 3 {
		t.Errorf("messages %q, want one of them once", all)
	}
	wantClean(t, s)
}

// TestStall holds that a half-open socket takes events and gives nothing, until it is found to be dead; then the app opens
// another one.
func TestStall(t *testing.T) {
	virtual(t, slack.Options{AckDeadline: 3 * time.Second, Retries: []time.Duration{0, time.Minute / 2}}, func(t *testing.T, s *slack.Server, connect func(func(socketmode.Event) bool) *app) {
		a := connect(nil)
		await(t, s, "a socket", s.Connected)
		s.StallSockets()
		say(t, s, sim.Say{Text: "into the void"})
		if n := s.Sockets(); n != 1 {
			t.Errorf("%d sockets, want one that seems open", n)
		}
		if got := a.await(t, socketmode.EventTypeEventsAPI, 1)[0]; got.Request.RetryAttempt == 0 {
			t.Errorf("arrived as %+v, want a retry", got.Request)
		}
	})
}

// TestRefreshOne: of two sockets one is closed, and its client opens another.
func TestRefreshOne(t *testing.T) {
	virtual(t, slack.Options{}, func(t *testing.T, s *slack.Server, connect func(func(socketmode.Event) bool) *app) {
		a, b := connect(nil), connect(nil)
		await(t, s, "two sockets", func() bool { return s.Sockets() == 2 })
		s.Faults().Add(sim.Fault{Match: "apps.connections.open", Delay: 5 * time.Second, Times: 1}) // else it is back at once
		s.RefreshOne()
		<-time.After(time.Second)
		if n := s.Sockets(); n != 1 {
			t.Errorf("%d sockets, want one", n)
		}
		<-time.After(time.Minute / 2)
		if n := s.Sockets(); n != 2 {
			t.Errorf("%d sockets, want two again", n)
		}
		if n := len(a.events(socketmode.EventTypeConnected)) + len(b.events(socketmode.EventTypeConnected)); n != 3 {
			t.Errorf("connected %d times, want one of two anew", n)
		}
		wantClean(t, s)
	})
}

func TestSession(t *testing.T) {
	s := start(t, slack.Options{})
	_, ts := stream(t, s, slackgo.MsgOptionMarkdownText("begun"))
	ch := slack.General
	m := find(t, s, ch, ts)
	want := func(state string) {
		t.Helper()
		if got := s.Session(ch, m.Thread); got != state {
			t.Errorf("session %q, want %q", got, state)
		}
	}
	want("processing")
	if err := s.Halt(t.Context(), m.Ref, slack.Minh); err != nil {
		t.Fatal(err)
	}
	want("processing")
	set := func(status string) error {
		_, err := client(s).SetAgentSessionStatusContext(t.Context(), slackgo.AgentSessionSetStatusParameters{
			Status: status, ChannelID: ch, ThreadTS: m.Thread,
		})
		return err
	}
	if err := set(slackgo.AgentSessionStatusActive); err != nil {
		t.Fatal(err)
	}
	want("active")
	wantClean(t, s)
	if err := set("asleep"); err == nil || !strings.Contains(err.Error(), "invalid_arguments") {
		t.Errorf("an unknown status: %v", err)
	}
}
