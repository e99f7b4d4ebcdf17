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

// bearer is the last message of the bot that bears a button; label "" means any but those that every answer has.
func (s *scene) bearer(label string) (at sim.Ref, found string) {
	s.until("a message with the button "+label, func() bool {
		for _, m := range slices.Backward(s.lines(s.user)) {
			for _, b := range s.buttons(m.Ref) {
				if b.label == label || label == "" && !slices.Contains([]string{onLike, onDislike, onRetry, onStop}, b.label) {
					at, found = m.Ref, b.label
					return true
				}
			}
		}
		return false
	})
	return at, found
}

// pressesLast presses the button under the last message that bears it.
func (s *scene) pressesLast(user, label string) {
	at, label := s.bearer(label)
	s.presses(user, at, label)
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
func (s *scene) halfway() (gate *clickai.Gate) {
	gate = clickai.NewGate()
	question := "tell me, " + s.name
	s.set.ClickAI.Script(clickai.ForQuery(question), clickai.Text("Once upon a time "), clickai.Wait(gate), clickai.Text("they lived."))
	s.asks(s.user, question)
	s.sees(s.user, "Once upon a time")
	return gate
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

// chatButtons is each button, pressed by someone who may, with what that person sees and what ClickAI got.
var chatButtons = []struct {
	name  string
	group bool
	do    func(s *scene)
}{
	{"stop", true, func(s *scene) {
		defer s.halfway().Open()
		s.stopped(func() { s.pressesLast(s.other, onStop) })
	}},
	{"stop as words", true, func(s *scene) {
		defer s.halfway().Open()
		s.stopped(func() { s.gives(s.user, "stop", "") })
	}},
	{"stop in the own form", false, func(s *scene) {
		defer s.halfway().Open()
		s.own = true
		s.stopped(func() { s.gives(s.user, "stop", "") })
	}},
	{"retry", true, func(s *scene) {
		question := "will it work, " + s.name
		s.set.ClickAI.Script(clickai.ForQuery(question), clickai.Text("So far "), clickai.Fail(500, "internal_server_error", "the model is away"))
		first := s.next(func() { s.asks(s.user, question) })
		s.sees(s.user, "So far", "!retry")
		again := s.next(func() { s.pressesLast(s.other, onRetry) })
		if again.Question != first.Question || again.Status != clickai.StatusFinished {
			s.errorf("asked again as %q, which ended as %s", again.Question, again.Status)
		}
	}},
	{"like", true, func(s *scene) {
		t := s.ask("one")
		s.pressesLast(s.user, onLike)
		s.rated(t.MessageID, "like", "👍")
		s.sees(s.user, "Thank you")
		if s.reason != nil {
			s.pressesLast(s.other, onDislike)
			s.rated(t.MessageID, "", "👍", "👎") // as many as against it
		}
	}},
	{"dislike and why", true, func(s *scene) {
		const why = "it was rude & long"
		var t clickai.Turn
		for said := false; !said; {
			t = s.ask("one")
			late := s.log.tooLate()
			s.pressesLast(s.user, onDislike)
			s.rated(t.MessageID, "dislike", "👎")
			if s.reason == nil {
				asked := s.sees(s.user, "What was wrong with it?")
				// Nobody replies before the bridge has noted what it asks about, which this test may: then it is a question.
				for turns := 0; turns != len(s.log.in(s.at.Room)); {
					turns = len(s.log.in(s.at.Room))
					_, err := s.Say(s.t.Context(), sim.Say{Room: s.at.Room, Thread: s.at.Thread, User: s.user, Text: why, ReplyTo: asked.ID})
					s.must(err)
					s.until("the reason, or a turn", func() bool {
						return s.isRated(t.MessageID, "dislike", why) || len(s.log.in(s.at.Room)) > turns
					})
				}
				said = true
				continue
			}
			// Platforms take a form for seconds only, which a busy machine may miss: then another answer is rated.
			s.until("a form", func() bool {
				ok, err := s.reason(s.t.Context(), s.at, s.user, why)
				s.must(err)
				said = said || ok
				return said || s.log.tooLate() > late
			})
		}
		s.rated(t.MessageID, "dislike", why)
		s.sees(s.user, "Thank you")
		// It is asked once.
		s.pressesLast(s.user, onLike)
		s.rated(t.MessageID, "like")
		s.pressesLast(s.user, onDislike)
		s.rated(t.MessageID, "dislike")
		s.sees(s.user, "Thank you")
	}},
	{"suggested question", true, func(s *scene) {
		first := s.ask("one")
		_, label := s.bearer("")
		second := s.next(func() { s.pressesLast(s.user, "") })
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
	well(t, s, log, "the model is away")
}
