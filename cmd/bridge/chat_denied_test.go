package main

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/clickai/bridge/core"
	"github.com/clickai/bridge/internal/sim"
	"github.com/clickai/bridge/internal/sim/clickai"
)

// turnedAway presses a button as someone who may not, who is told so.
func (s *scene) turnedAway(at sim.Ref, label string) {
	s.presses(s.other, at, label)
	s.sees(s.other, s.line("denied"))
}

// silence wants nothing to have come of what the denied person did: one answer stands there, and what the bot answers to somebody
// else afterwards.
func (s *scene) silence() {
	s.own = false
	s.mark(s.user)
	s.say(s.user, "!status", false)
	s.sees(s.user, s.line("app"))
	s.end = func() { s.said(2, 2) }
}

// said wants so many messages of the bot in the place.
func (s *scene) said(least, most int) {
	var all []string
	for _, m := range s.Messages(s.at.Room, s.at.Thread) {
		if m.Bot {
			all = append(all, m.Shown)
		}
	}
	if len(all) < least || len(all) > most {
		s.errorf("the bot has said %d things, want %d to %d: %q", len(all), least, most, all)
	}
}

// turned wants so many turns in the place.
func (s *scene) turned(want int) {
	if all := s.log.in(s.at.Room); len(all) != want {
		s.errorf("%d turns, want %d: %+v", len(all), want, all)
	}
}

// chatDenied is what someone on the deny list tries.
var chatDenied = []struct {
	name string
	dm   bool
	do   func(s *scene)
}{
	{"rate and ask", false, func(s *scene) {
		t := s.ask("one")
		at := s.answer(t)
		s.turnedAway(at, onLike)
		s.turnedAway(at, onDislike)
		s.turnedAway(at, s.suggestion(at))
		s.presses(s.user, at, onDislike)
		s.rated(t.MessageID, "dislike", "👎")
		s.end = func() {
			for _, r := range s.set.ClickAI.Ratings() {
				if r.MessageID == t.MessageID && strings.Contains(r.Content, "👍") {
					s.errorf("a denied person's rating reached ClickAI: %+v", r)
				}
			}
			s.turned(1)
		}
	}},
	{"retry", false, func(s *scene) {
		question := "will it work, " + s.name
		s.set.ClickAI.Script(clickai.ForQuery(question), clickai.Text("So far "), clickai.Fail(500, "internal_server_error", "the model is away"))
		s.next(func() { s.asks(s.user, question) })
		at := s.sees(s.user, "So far", "!retry").Ref
		s.turnedAway(at, onRetry)
		s.next(func() { s.presses(s.user, at, onRetry) })
		s.end = func() { s.turned(2) } // the question's, and the one of who may
	}},
	{"stop", false, func(s *scene) {
		gate, at := s.halfway()
		s.turnedAway(at, onStop)
		t := s.next(gate.Open)
		if t.Status != clickai.StatusFinished || !strings.HasSuffix(t.Answer, "they lived.") {
			s.errorf("the answer ended as %s: %q", t.Status, t.Answer)
		}
	}},
	{"commands as words", false, func(s *scene) {
		t := s.ask("one")
		for _, c := range core.CommandInfos(s.lang) {
			s.gives(s.other, c.Name, "")
		}
		s.asks(s.other, "may I?")
		s.silence()
		if _, there := s.conversation(t.ConversationID); !there {
			s.errorf("a denied person deleted a conversation")
		}
	}},
	{"commands in the own form", false, func(s *scene) {
		t := s.ask("one")
		s.own = true
		for _, c := range core.CommandInfos(s.lang) {
			if s.Name() == "telegram" { // a message like any other
				s.gives(s.other, c.Name, "")
				continue
			}
			s.run(s.other, c.Name, "", s.line("denied"))
		}
		s.silence()
		if _, there := s.conversation(t.ConversationID); !there {
			s.errorf("a denied person deleted a conversation")
		}
	}},
	{"in a direct chat", true, func(s *scene) {
		s.user = s.other
		began := time.Now()
		s.asks(s.other, "may I?")
		s.sees(s.other, s.line("denied"))
		s.gives(s.other, "help", "")
		s.asks(s.other, "may I now?")
		s.own = true
		all := core.CommandInfos(s.lang)
		for _, c := range all {
			if s.Name() == "telegram" {
				s.gives(s.other, c.Name, "")
				continue
			}
			s.run(s.other, c.Name, "", s.line("denied"))
		}
		if s.Name() == "telegram" {
			s.until("all is taken", func() bool { return s.set.Telegram.Pending() == 0 })
		}
		most := 1 + int(time.Since(began)/time.Minute) // the line is said once a minute
		s.end = func() { s.said(1, most) }
	}},
}

// TestDenied lets someone on the deny list try each command and button: silence in a room, one line in a direct chat and where the
// platform shows it to that person alone, and no request to ClickAI.
func TestDenied(t *testing.T) {
	t.Parallel()
	opt := world(theFirst+len(chatDenied), len(chatDenied))
	opt.ClickAI.Apps = clickai.DemoApps()
	s := startSet(t, opt)
	path := writeChat(t, s, clickai.ModeChat, func(platform string) string {
		text := "feedback: {buttons: true}\n"
		for _, d := range desks(s, nil, opt) {
			if d.Name() == platform {
				text += fmt.Sprintf("deny: {users: [%q]}\n", d.person(theDenied))
			}
		}
		return text
	})
	log, stop := runHere(t, s, path)
	cast := newCast(t)
	all := desks(s, log, opt)
	for _, d := range all {
		offered(t, d)
		for i, c := range chatDenied {
			sc := &scene{desk: d, dm: c.dm, user: d.person(theFirst + i), other: d.person(theDenied), name: d.Name() + " denied: " + c.name}
			sc.at = d.forum(i)
			if c.dm {
				sc.at = d.direct(theDenied)
			}
			cast.play(sc, c.do)
		}
	}
	cast.wait()
	stop()
	cast.end()
	well(t, s, log, "the model is away")
	for _, r := range s.ClickAI.Requests() {
		for _, d := range all {
			if who := ":" + d.person(theDenied); strings.HasSuffix(r.Text("user"), who) || slices.ContainsFunc(r.Query["user"], func(u string) bool { return strings.HasSuffix(u, who) }) {
				t.Errorf("a denied person on %s cost a request: %s %s", d.Name(), r.Method, r.Path)
			}
		}
	}
}
