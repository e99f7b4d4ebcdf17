package main

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/clickai/bridge/internal/sim"
	"github.com/clickai/bridge/internal/sim/clickai"
	"github.com/clickai/bridge/internal/sim/slack"
)

// The words on buttons.
const (
	onLike, onDislike, onRetry, onStop = "👍", "👎", "🔁 Ask again", "⏹️ Stop"
)

const (
	opening   = "Hello! Ask me anything; long answer, code or table show what I can do."
	suggested = "Show me some code" // one of what the app suggests at its opening
)

// answer is the message with a turn's whole answer, and so with its buttons. It begins with the number of the turn, so that no
// other one is taken for it.
func (s *scene) answer(t clickai.Turn) (at sim.Ref) {
	s.until(fmt.Sprintf("the answer to %q in one message", t.Question), func() bool {
		for _, m := range s.lines(s.user) {
			if shown := letters(m.Shown); strings.Contains(shown, firstLetters(t.Answer, 20)) && strings.Contains(shown, lastLetters(t.Answer, 40)) {
				at = m.Ref
				return true
			}
		}
		return false
	})
	return at
}

// suggestion is the first question that is suggested under an answer.
func (s *scene) suggestion(at sim.Ref) (label string) {
	s.until("a suggestion", func() bool {
		for _, b := range s.buttons(at) {
			if !slices.Contains([]string{onLike, onDislike, onRetry, onStop}, b.label) {
				label = b.label
				return true
			}
		}
		return false
	})
	return label
}

// rated waits for what ClickAI was told last of a message.
func (s *scene) rated(message, rating string, content ...string) {
	s.until(fmt.Sprintf("the rating %q with %q", rating, content), func() bool { return s.isRated(message, rating, content...) })
}

func (s *scene) isRated(message, rating string, content ...string) bool {
	var last clickai.Rating
	for _, r := range s.set.ClickAI.Ratings() {
		if r.MessageID == message {
			last = r
		}
	}
	return last.Rating == rating && last.MessageID == message && !slices.ContainsFunc(content, func(c string) bool { return !strings.Contains(last.Content, c) })
}

// halfway asks what is answered by a half until gate opens, and waits until that is shown.
func (s *scene) halfway() (gate *clickai.Gate, at sim.Ref) {
	gate = clickai.NewGate()
	question := "tell me, " + s.name
	s.set.ClickAI.Script(clickai.ForQuery(question), clickai.Text("Once upon a time "), clickai.Wait(gate), clickai.Text("they lived."))
	s.asks(s.user, question)
	return gate, s.sees(s.user, "Once upon a time").Ref
}

// stopped wants the turn that do ends to be ended at ClickAI too, with what was shown still there.
func (s *scene) stopped(do func()) {
	t := s.next(do)
	s.sees(s.user, "Once upon a time", s.line("stopped"))
	path := "/v1/chat-messages/" + t.TaskID + "/stop"
	s.until("a request to stop", func() bool {
		return slices.ContainsFunc(s.set.ClickAI.Requests(), func(r clickai.Request) bool { return r.Path == path && r.Status == http.StatusOK })
	})
}

// disliked is a turn whose answer the person has rated so.
func (s *scene) disliked() clickai.Turn {
	t := s.ask("one")
	s.presses(s.user, s.answer(t), onDislike)
	s.rated(t.MessageID, "dislike", "👎")
	return t
}

// fillsIn has an answer disliked, says why in the form that opens, and returns the turn that got the reason. Platforms take a form
// for seconds only, which a busy machine may miss: then another answer is rated.
func (s *scene) fillsIn(why string) (t clickai.Turn) {
	var all []clickai.Turn
	for said := false; !said; {
		late := s.log.tooLate()
		all = append(all, s.disliked())
		s.until("a form", func() bool {
			ok, err := s.reason(s.t.Context(), s.at, s.user, why)
			s.must(err)
			said = said || ok
			return said || s.log.tooLate() > late
		})
	}
	// It was perhaps somebody else who was too late, and the first form has opened after all.
	s.until("the reason", func() bool {
		i := slices.IndexFunc(all, func(t clickai.Turn) bool { return s.isRated(t.MessageID, "dislike", why) })
		if i >= 0 {
			t = all[i]
		}
		return i >= 0
	})
	return t
}

// chatButtons is each button, pressed by someone who may, with what that person sees and what ClickAI got.
var chatButtons = []struct {
	name  string
	group bool
	do    func(s *scene)
}{
	{"stop", true, func(s *scene) {
		gate, at := s.halfway()
		defer gate.Open()
		s.stopped(func() { s.presses(s.other, at, onStop) })
	}},
	{"stop as words", true, func(s *scene) {
		gate, _ := s.halfway()
		defer gate.Open()
		s.stopped(func() { s.gives(s.user, "stop", "") })
	}},
	{"stop in the own form", false, func(s *scene) {
		gate, _ := s.halfway()
		defer gate.Open()
		s.own = true
		s.stopped(func() { s.gives(s.user, "stop", "") })
	}},
	{"retry", true, func(s *scene) {
		question := "will it work, " + s.name
		s.set.ClickAI.Script(clickai.ForQuery(question), clickai.Text("So far "), clickai.Fail(500, "internal_server_error", "the model is away"))
		first := s.next(func() { s.asks(s.user, question) })
		at := s.sees(s.user, "So far", "!retry").Ref
		again := s.next(func() { s.presses(s.other, at, onRetry) })
		if again.Question != first.Question || again.Status != clickai.StatusFinished {
			s.errorf("asked again as %q, which ended as %s", again.Question, again.Status)
		}
	}},
	{"like", true, func(s *scene) {
		t := s.ask("one")
		at := s.answer(t)
		s.presses(s.user, at, onLike)
		s.rated(t.MessageID, "like", "👍")
		s.sees(s.user, "Thank you")
		if s.reason != nil {
			s.presses(s.other, at, onDislike)
			s.rated(t.MessageID, "", "👍", "👎") // as many as against it
		}
	}},
	{"dislike and why", true, func(s *scene) {
		const why = "it was rude & long"
		var t clickai.Turn
		if s.reason == nil {
			t = s.disliked()
			asked := s.sees(s.user, "What was wrong with it?")
			_, err := s.Say(s.t.Context(), sim.Say{Room: s.at.Room, Thread: s.at.Thread, User: s.user, Text: why, ReplyTo: asked.ID})
			s.must(err)
			s.rated(t.MessageID, "dislike", why)
			s.end = func() { s.turned(1) } // a reason is no question
		} else {
			t = s.fillsIn(why)
		}
		s.sees(s.user, "Thank you")
		// It is asked once.
		at := s.answer(t)
		s.presses(s.user, at, onLike)
		s.rated(t.MessageID, "like")
		s.sees(s.user, "Thank you")
		s.presses(s.user, at, onDislike)
		s.rated(t.MessageID, "dislike")
		s.sees(s.user, "Thank you")
	}},
	{"suggested question", true, func(s *scene) {
		first := s.ask("one")
		at := s.answer(first)
		label := s.suggestion(at)
		second := s.next(func() { s.presses(s.user, at, label) })
		if second.Question != label || second.ConversationSent != first.ConversationID {
			s.errorf("asked %q with conversation_id %q, want %q with %q", second.Question, second.ConversationSent, label, first.ConversationID)
		}
	}},
	{"greeting", false, func(s *scene) {
		first := s.ask("one")
		all := s.lines(s.user)
		if len(all) == 0 || all[0].Shown != opening {
			s.fatalf("the first message is not the app's opening statement: %+v", all)
		}
		s.mark(s.user)
		second := s.next(func() { s.presses(s.user, all[0].Ref, suggested) })
		if second.Question != suggested || second.ConversationSent != first.ConversationID {
			s.errorf("asked %q with conversation_id %q, want %q with %q", second.Question, second.ConversationSent, suggested, first.ConversationID)
		}
		s.ask("two")
		greetings := 0
		for _, m := range s.lines(s.user) {
			if m.Shown == opening {
				greetings++
			}
		}
		if greetings != 1 {
			s.errorf("greeted %d times", greetings)
		}
	}},
	{"a chat is opened", false, func(s *scene) {
		switch p := s.Platform.(type) {
		case *slack.Server:
			pane, err := p.OpenAssistant(s.t.Context(), s.user)
			s.must(err)
			s.at = pane
			s.sees(s.user, opening)
			s.until("the suggestions", func() bool { return slices.Contains(p.Prompts(pane.Room, pane.Thread), suggested) })
			s.ask("what is on the pane?")
			s.until("the title", func() bool { return p.Title(pane.Room, pane.Thread) == "what is on the pane?" })
		default:
			if s.Name() != "telegram" {
				return // Discord tells bots of no chat that is opened
			}
			s.mark(s.user)
			s.say(s.user, "/start", false)
			greeting := s.sees(s.user, opening)
			if t := s.next(func() { s.presses(s.user, greeting.Ref, suggested) }); t.Question != suggested {
				s.errorf("asked %q", t.Question)
			}
		}
	}},
}

// TestButtons presses each button on each platform.
func TestButtons(t *testing.T) {
	t.Parallel()
	opt := world(theFirst+2*len(chatButtons), len(chatButtons))
	opt.ClickAI.Apps = clickai.DemoApps()
	s := startSet(t, opt)
	path := writeChat(t, s, clickai.ModeChat, func(string) string { return "feedback: {buttons: true}" })
	log, stop := runHere(t, s, path)
	cast := newCast(t)
	for _, d := range desks(s, log, opt) {
		offered(t, d)
		for i, c := range chatButtons {
			n := theFirst + 2*i
			sc := &scene{desk: d, dm: !c.group, at: d.direct(n), user: d.person(n), other: d.person(n + 1), name: d.Name() + " " + c.name}
			if c.group {
				sc.at = d.forum(i)
			}
			cast.play(sc, c.do)
		}
	}
	cast.wait()
	stop()
	cast.end()
	well(t, s, log, "the model is away")
}
