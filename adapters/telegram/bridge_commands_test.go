package telegram_test

import (
	"strings"
	"testing"

	"github.com/clickai/bridge/core"
	"github.com/clickai/bridge/internal/sim"
	simtelegram "github.com/clickai/bridge/internal/sim/telegram"
)

// TestBridgeCommands: commands work through the whole bridge, and people are offered them in their language.
func TestBridgeCommands(t *testing.T) {
	t.Parallel()
	w := openOffice(t, simtelegram.Options{RateScale: 1e6}, nil)
	clean(t, w.sim)
	await(t, "the list of commands", w.sim.Changed, func() bool { return w.sim.CommandLists() >= 2 })
	minh, anna := w.sim.Menu(simtelegram.Minh, simtelegram.Minh, ""), w.sim.Menu(simtelegram.Anna, simtelegram.Anna, "")
	if len(minh) == 0 || len(minh) != len(anna) || minh[0].Command != anna[0].Command || minh[0].Description == anna[0].Description {
		t.Errorf("menus: %+v and %+v", minh, anna)
	}
	ask(t, w.sim, "one")
	w.shown(t, simtelegram.Minh, "re: one")
	ask(t, w.sim, "/new")
	ask(t, w.sim, "two")
	w.shown(t, simtelegram.Minh, "re: two")
	asked := w.app.asked()
	if len(asked) != 2 || asked[1].Query != "two" || asked[1].Conversation != "" {
		t.Errorf("asked: %+v", asked)
	}
	said := len(w.sim.Messages(simtelegram.Minh, ""))
	ask(t, w.sim, "/start welcome_42")
	await(t, "a greeting", w.sim.Changed, func() bool { return len(w.sim.Messages(simtelegram.Minh, "")) >= said+2 })
	w.idle(t)
	if n := len(w.app.asked()); n != 2 {
		t.Errorf("%d questions: /start is none", n)
	}
}

// TestBridgeButtons: the buttons under an answer rate it, and a reply says why.
func TestBridgeButtons(t *testing.T) {
	t.Parallel()
	w := openOffice(t, simtelegram.Options{RateScale: 1e6}, func(s *core.BotSettings) { s.Feedback.Buttons = true })
	clean(t, w.sim)
	say(t, w.sim, sim.Say{Room: simtelegram.Group, User: simtelegram.Anna, Text: "one", Mention: true})
	m := w.shown(t, simtelegram.Group, "re: one")
	await(t, "the buttons", w.sim.Changed, func() bool { return len(w.sim.Buttons(m.Ref)) > 0 })
	if rows := w.sim.Buttons(m.Ref); len(rows) != 1 || len(rows[0]) != 2 {
		t.Errorf("buttons: %+v", rows)
	}
	w.idle(t)
	id, err := w.sim.Press(m.Ref, simtelegram.Anna, w.sim.Buttons(m.Ref)[0][1].Data)
	if err != nil {
		t.Fatal(err)
	}
	if r := w.app.rated(t, 1); r.Rating != core.RatingDislike || r.MessageID != "m1" {
		t.Errorf("rating: %+v", r)
	}
	await(t, "the answer to the press", w.sim.Changed, func() bool { _, ok := w.sim.Answered(id); return ok })
	var why sim.Message
	await(t, "the question what was wrong", w.sim.Changed, func() bool {
		for _, one := range w.sim.Messages(simtelegram.Group, "") {
			if one.Bot && one.ID != m.ID {
				why = one
				return true
			}
		}
		return false
	})
	if why.ReplyTo != m.ID {
		t.Errorf("question: %+v", why)
	}
	await(t, "the note of what it asks about", tick(t), func() bool {
		noted, err := w.store.Cursor(t.Context(), "acme", "whys")
		return err == nil && strings.Contains(noted, `"id":"`+why.ID+`"`)
	})
	say(t, w.sim, sim.Say{Room: simtelegram.Group, User: simtelegram.Anna, Text: "it was rude", ReplyTo: why.ID})
	if r := w.app.rated(t, 2); r.Rating != core.RatingDislike || !strings.Contains(r.Content, "it was rude") {
		t.Errorf("rating with its reason: %+v", r)
	}
	if n := len(w.app.asked()); n != 1 {
		t.Errorf("%d questions: the reason is none", n)
	}
}
