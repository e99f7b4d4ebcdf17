package main

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/clickai/bridge/internal/sim"
	"github.com/clickai/bridge/internal/sim/clickai"
	"github.com/clickai/bridge/internal/standins"
)

// TestRunAgainstStandInsStartedApart is the same way as the demo's, through a configuration file and a process of its own.
func TestRunAgainstStandInsStartedApart(t *testing.T) {
	t.Parallel()
	s := startSet(t, standins.Options{ChunkInterval: 5 * time.Millisecond})
	p := runBridge(t, writeConfig(t, s, clickai.ModeAgentChat, ""))
	connected(t, s)
	for _, st := range s.Stages() {
		t.Run(st.Title, func(t *testing.T) {
			first := ask(t, s, st, "What does the warranty of "+st.Title+" cover?")
			if first.turn.User == "" || !strings.HasPrefix(first.turn.User, st.Platform.Name()+":") {
				t.Errorf("user = %q, want %s:…", first.turn.User, st.Platform.Name())
			}
			if strings.Contains(first.turn.Question, st.Bot) || strings.Contains(first.turn.Question, "<@") {
				t.Errorf("question = %q: the mention is to be cut out", first.turn.Question)
			}
		})
	}
	if code, body := p.get("/readyz"); code != http.StatusOK || strings.Count(body, `"connected"`) != 3 {
		t.Errorf("/readyz = %d %s, want three connected bots", code, body)
	}
	if code, body := p.get("/healthz"); code != http.StatusOK {
		t.Errorf("/healthz = %d %s", code, body)
	}
	p.stop()
	for _, v := range s.Violations() {
		t.Errorf("against the rules: %s", v)
	}
	secrets(t, p.text(), s)
}

// secrets looks for the tokens of the stand-ins in a text.
func secrets(t *testing.T, text string, s *standins.Set) {
	t.Helper()
	for _, secret := range []string{s.Slack.BotToken(), s.Slack.AppToken(), s.Discord.Token(), s.Telegram.Token(), s.Agent(clickai.ModeChat).Key} {
		if strings.Contains(text, secret) {
			t.Errorf("a secret stands in the output: %.12s…", secret)
		}
	}
}

// TestKilledWithMessagesWaiting kills the bridge while questions wait, and starts it again.
func TestKilledWithMessagesWaiting(t *testing.T) {
	t.Parallel()
	s := startSet(t, standins.Options{})
	path := writeConfig(t, s, clickai.ModeChat, "")
	p := runBridge(t, path)
	connected(t, s)
	gate := clickai.NewGate()
	s.ClickAI.Script(nil, clickai.Silence(gate), clickai.BuiltIn()).Times(0)

	// In each chat one question is being asked when the process dies, and others wait behind it.
	var want []string
	for _, st := range s.Stages() {
		first := "first on " + st.Title
		q, err := st.Platform.Say(t.Context(), sim.Say{Room: st.Room.Room, Thread: st.Room.Thread, Mention: st.Mention, User: st.Person, Text: first})
		if err != nil {
			t.Fatal(err)
		}
		until(t, "the question reaches ClickAI", func() bool { return requested(s, first) }, s.ClickAI.Changed)
		room, thread := st.AnswerPlace(q)
		second := "second on " + st.Title
		if st.Threads {
			until(t, "the thread opens", func() bool { return placeExists(st, room, thread) || st.Platform.Name() == "slack" }, st.Platform.Changed)
		}
		if _, err := st.Platform.Say(t.Context(), sim.Say{Room: room, Thread: thread, User: st.Person, Text: second}); err != nil {
			t.Fatal(err)
		}
		want = append(want, first, second)
	}
	// The platforms have been told that the waiting messages were received: they will not deliver them again.
	until(t, "Slack's messages are acknowledged", func() bool { return s.Slack.Unacked() == 0 }, s.Slack.Changed)
	until(t, "Telegram's are confirmed", func() bool { return s.Telegram.Pending() == 0 }, s.Telegram.Changed)
	p.kill()
	s.ClickAI.ClearScripts()
	gate.Open()

	p = runBridge(t, path)
	for _, q := range want {
		until(t, q+" is answered", func() bool { return answered(s, q) }, s.ClickAI.Changed, s.Slack.Changed, s.Discord.Changed, s.Telegram.Changed)
	}
	p.stop()
}

func placeExists(st standins.Stage, room, thread string) bool {
	for _, x := range st.Platform.Places() {
		if x.Room == room && x.Thread == thread {
			return true
		}
	}
	return false
}

// requested tells whether a question has been sent to ClickAI.
func requested(s *standins.Set, question string) bool {
	for _, r := range s.ClickAI.Requests() {
		if strings.Contains(r.Text("query"), question) {
			return true
		}
	}
	return false
}

// answered tells whether some platform shows the end of ClickAI's answer to a question.
func answered(s *standins.Set, question string) bool {
	for _, t := range s.ClickAI.Turns() {
		if !strings.Contains(t.Question, question) || t.Answer == "" || t.Ended.IsZero() {
			continue
		}
		for _, p := range s.Platforms() {
			for _, place := range p.Places() {
				shown := ""
				for _, m := range p.Messages(place.Room, place.Thread) {
					if m.Bot {
						shown += m.Shown
					}
				}
				if strings.Contains(letters(shown), letters(question)) && strings.Contains(letters(shown), lastLetters(t.Answer, 40)) {
					return true
				}
			}
		}
	}
	return false
}

// TestSecondProcess wants a clear word when another bridge holds the store.
func TestSecondProcess(t *testing.T) {
	t.Parallel()
	s := startSet(t, standins.Options{})
	path := writeConfig(t, s, clickai.ModeChat, "")
	p := runBridge(t, path)
	code, _, errs := command(t, nil, "run", "--config", path)
	if code != 1 || !strings.Contains(errs, "another") {
		t.Errorf("exit %d, %q; want to hear of the other process", code, errs)
	}
	p.stop()
}
