package telegram_test

import (
	"errors"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/clickai/bridge/adapters/telegram"
	"github.com/clickai/bridge/core"
	"github.com/clickai/bridge/internal/sim"
	simtelegram "github.com/clickai/bridge/internal/sim/telegram"
)

// offer posts a message with a button "Go", whose id is "go".
func offer(t testing.TB, p *telegram.Platform, at core.Place) core.MessageRef {
	t.Helper()
	turn(t, p, at)
	ref, err := p.Post(t.Context(), core.Post{Place: at, Part: with(part("pick"), core.Button{ID: "go", Label: "Go"})})
	if err != nil {
		t.Fatal(err)
	}
	return ref
}

func press(t testing.TB, s *simtelegram.Server, m core.MessageRef, user string) (id string) {
	t.Helper()
	id, err := s.Press(sim.Ref{Room: m.Room, ID: m.ID}, user, "go")
	if err != nil {
		t.Fatal(err)
	}
	return id
}

// pressed is what the stand-in knows of a press.
func pressed(t testing.TB, s *simtelegram.Server, id string) simtelegram.Press {
	t.Helper()
	all := s.Presses()
	i := slices.IndexFunc(all, func(p simtelegram.Press) bool { return p.ID == id })
	if i < 0 {
		t.Fatalf("no press %s", id)
	}
	return all[i]
}

// acknowledged waits until a press was answered.
func acknowledged(t testing.TB, s *simtelegram.Server, id string) simtelegram.Press {
	t.Helper()
	await(t, "the answer to a press", s.Changed, func() bool { _, ok := s.Answered(id); return ok })
	return pressed(t, s, id)
}

func TestPress(t *testing.T) {
	t.Parallel()
	s, p, h := running(t, simtelegram.Options{RateScale: 1e6})
	clean(t, s)
	tests := []struct {
		name   string
		at     core.Place
		reach  core.Reach
		hidden bool
		want   string // thread
		label  string
	}{
		{name: "private", at: core.Place{Room: simtelegram.Anna}, reach: core.ReachDirect, label: "Go"},
		{name: "group", at: core.Place{Room: simtelegram.Group}, reach: core.ReachReply, label: "Go"},
		{name: "topic", at: core.Place{Room: simtelegram.Forum, Thread: simtelegram.TopicBilling}, reach: core.ReachReply, want: simtelegram.TopicBilling, label: "Go"},
		{name: "under a message that is out of view", at: core.Place{Room: simtelegram.Forum, Thread: simtelegram.TopicBilling}, reach: core.ReachReply, hidden: true},
	}
	for i, tt := range tests { // in turn: they are one stream of updates
		m := offer(t, p, tt.at)
		if tt.hidden {
			if err := s.OutOfView(sim.Ref{Room: m.Room, ID: m.ID}); err != nil {
				t.Fatal(err)
			}
		}
		id := press(t, s, m, simtelegram.Anna)
		ev := h.event(t, core.KindPress, i+1)
		want := core.Event{
			Key: "c:" + id, Kind: core.KindPress, Reach: tt.reach, Room: core.Room{ID: tt.at.Room, Name: ev.Room.Name, Direct: tt.at.Room == simtelegram.Anna},
			Thread: tt.want, MessageID: m.ID, Sender: core.User{ID: simtelegram.Anna, Name: "Anna Berg", Handle: "anna_berg", Key: "telegram:" + simtelegram.Anna},
			Press: &core.Press{ID: "go", Label: tt.label}, SentAt: ev.SentAt,
		}
		if got, wanted := asJSON(t, ev), asJSON(t, want); got != wanted || ev.Handle != id || time.Since(ev.SentAt) > patience {
			t.Errorf("%s: got  %s\nwant %s\nhandle %q, want %q", tt.name, got, wanted, ev.Handle, id)
		}
		if _, ok := s.Answered(id); ok {
			t.Errorf("%s: answered before anybody did", tt.name)
		}
	}
	await(t, "the confirmation", s.Changed, func() bool { return s.Pending() == 0 })
}

// TestPressKept: a press that cannot be stored is not confirmed, and comes again, as all that is behind it.
func TestPressKept(t *testing.T) {
	t.Parallel()
	s, p, h := running(t, simtelegram.Options{})
	clean(t, s)
	m := offer(t, p, private)
	h.setRefuse(func(core.Event) error { return errors.New("disk full") })
	press(t, s, m, simtelegram.Minh)
	_ = h.told(t, "disk full")
	if n := s.Pending(); n != 1 {
		t.Errorf("%d updates unconfirmed", n)
	}
	h.setRefuse(nil)
	if ev := h.event(t, core.KindPress, 1); ev.Press.ID != "go" {
		t.Errorf("event = %s", asJSON(t, ev))
	}
	await(t, "the confirmation", s.Changed, func() bool { return s.Pending() == 0 })
}

// TestPressByWebhook: presses come by the webhook too, and are answered 200 once they are stored.
func TestPressByWebhook(t *testing.T) {
	t.Parallel()
	w, h := withHook(t, simtelegram.Options{}), &host{}
	clean(t, w.sim)
	start(t, w.bot, h)
	h.waitUp(t, 1)
	m := offer(t, w.bot, private)
	h.setRefuse(func(core.Event) error { return errors.New("disk full") })
	id := press(t, w.sim, m, simtelegram.Minh)
	_ = h.told(t, "disk full")
	h.setRefuse(nil)
	ev := h.event(t, core.KindPress, 1)
	if ev.Handle != id || ev.Press.Label != "Go" {
		t.Errorf("event = %s", asJSON(t, ev))
	}
	if err := w.bot.Answer(t.Context(), ev.Handle, part("Stopped.")); err != nil {
		t.Fatal(err)
	}
	if got := pressed(t, w.sim, id); got.Text != "Stopped." {
		t.Errorf("press = %+v", got)
	}
	ask(t, w.sim, "/new")
	if ev := h.event(t, core.KindCommand, 1); ev.Command.Name != "new" {
		t.Errorf("event = %s", asJSON(t, ev))
	}
	await(t, "the confirmation", w.sim.Changed, func() bool { return w.sim.Pending() == 0 })
}

func TestAnswer(t *testing.T) {
	t.Parallel()
	s, p, h := running(t, simtelegram.Options{})
	clean(t, s)
	m := offer(t, p, private)
	long := strings.Repeat("so much to say. ", 20)
	tests := []struct {
		name  string
		part  core.Part
		class core.Class // "": shown
		text  string
		alert bool
	}{
		{name: "blank"},
		{name: "short", part: part("Stopped."), text: "Stopped."},
		{name: "formatted", part: part("**Stopped** & done"), text: part("**Stopped** & done").Plain},
		{name: "longer", part: part(long[:150]), text: strings.TrimSpace(long[:150]), alert: true},
		{name: "lines", part: part("one\n\ntwo"), text: part("one\n\ntwo").Plain, alert: true},
		{name: "as long as may be", part: part(strings.Repeat("👍", 100)), text: strings.Repeat("👍", 100), alert: true},
		{name: "too long", part: part(long), class: core.Unsupported},
		{name: "with buttons", part: with(part("Sure?"), core.Button{ID: "y", Label: "Yes"}), class: core.Unsupported},
		{name: "buttons alone", part: with(core.Part{}, core.Button{ID: "y", Label: "Yes"}), class: core.Unsupported},
	}
	for i, tt := range tests {
		id := press(t, s, m, simtelegram.Minh)
		ev := h.event(t, core.KindPress, i+1)
		if err := p.Answer(t.Context(), ev.Handle, tt.part); core.ClassOf(err) != tt.class {
			t.Errorf("%s: %v", tt.name, err)
		}
		if got := pressed(t, s, id); !got.Answered || got.Text != tt.text || got.Alert != tt.alert {
			t.Errorf("%s: %+v", tt.name, got)
		}
		before := s.Calls("answerCallbackQuery")
		if err := p.Answer(t.Context(), ev.Handle, core.Part{}); err != nil {
			t.Errorf("%s: blank once more: %v", tt.name, err)
		}
		if err := p.Answer(t.Context(), ev.Handle, part("more")); core.ClassOf(err) != core.Unsupported {
			t.Errorf("%s: more: %v", tt.name, err)
		}
		if n := s.Calls("answerCallbackQuery"); n != before {
			t.Errorf("%s: Telegram was told twice", tt.name)
		}
	}
	if err := p.Answer(t.Context(), "", part("x")); core.ClassOf(err) != core.Invalid {
		t.Errorf("no handle: %v", err)
	}
	if err := p.Answer(t.Context(), "unknown", core.Part{}); err != nil {
		t.Errorf("unknown, blank: %v", err)
	}
}

// TestAnswerTooLate: Telegram takes an answer for a while. A blank one is then no error, since nobody waits for it.
func TestAnswerTooLate(t *testing.T) {
	t.Parallel()
	s, p, h := running(t, simtelegram.Options{})
	clean(t, s)
	m := offer(t, p, private)
	press(t, s, m, simtelegram.Minh)
	press(t, s, m, simtelegram.Minh)
	first, second := h.event(t, core.KindPress, 1), h.event(t, core.KindPress, 2)
	s.ExpirePresses()
	if err := p.Answer(t.Context(), first.Handle, core.Part{}); err != nil {
		t.Errorf("blank: %v", err)
	}
	if err := p.Answer(t.Context(), second.Handle, part("x")); core.ClassOf(err) != core.NotFound {
		t.Errorf("with text: %v", err)
	}
	id := press(t, s, m, simtelegram.Minh)
	ev := h.event(t, core.KindPress, 3)
	s.Faults().Add(sim.Fault{Match: "answerCallbackQuery", Times: 1, Status: http.StatusBadGateway, Body: "<html>"})
	if err := p.Answer(t.Context(), ev.Handle, part("x")); core.ClassOf(err) != core.Transient {
		t.Errorf("502: %v", err)
	}
	if _, ok := s.Answered(id); ok {
		t.Error("answered by a gateway")
	}
}

// TestAcknowledged: a press that nobody answers is acknowledged all the same, once, in a way that shows nothing.
func TestAcknowledged(t *testing.T) {
	t.Parallel()
	if d := telegram.AcknowledgeUnhurried(); d < 2*time.Second || d > 10*time.Second {
		t.Errorf("acknowledged after %s", d)
	}
	s, p := silent(t, simtelegram.Options{})
	clean(t, s)
	telegram.AcknowledgeAfter(p, 20*time.Millisecond)
	h := &host{}
	start(t, p, h)
	h.waitUp(t, 1)
	m := offer(t, p, private)
	var ids []string
	for range 20 {
		ids = append(ids, press(t, s, m, simtelegram.Minh))
	}
	for _, id := range ids {
		if got := acknowledged(t, s, id); got.Text != "" || got.Alert {
			t.Errorf("press = %+v", got)
		}
	}
	late := h.event(t, core.KindPress, 20)
	if err := p.Answer(t.Context(), late.Handle, part("Stopped.")); core.ClassOf(err) != core.Unsupported {
		t.Errorf("answer after the acknowledgement: %v", err)
	}
	if n := s.Calls("answerCallbackQuery"); n != 20 {
		t.Errorf("%d calls for 20 presses", n)
	}
}

// TestAcknowledgedAtTheEnd: a bot that stops leaves no button at work.
func TestAcknowledgedAtTheEnd(t *testing.T) {
	t.Parallel()
	s, p := silent(t, simtelegram.Options{})
	clean(t, s)
	h := &host{}
	stop := start(t, p, h)
	h.waitUp(t, 1)
	id := press(t, s, offer(t, p, private), simtelegram.Minh)
	h.event(t, core.KindPress, 1)
	if err := stop(); err != nil {
		t.Fatal(err)
	}
	if got := pressed(t, s, id); !got.Answered || got.Text != "" {
		t.Errorf("press = %+v", got)
	}
}

// TestAcknowledgedInVain: that Telegram does not take it any more, or is out of reach, stops nothing.
func TestAcknowledgedInVain(t *testing.T) {
	t.Parallel()
	s, p := silent(t, simtelegram.Options{})
	clean(t, s)
	telegram.AcknowledgeAfter(p, time.Millisecond)
	h := &host{}
	start(t, p, h)
	h.waitUp(t, 1)
	m := offer(t, p, private)
	s.Faults().Add(sim.Fault{Match: "answerCallbackQuery", Times: 1, Cut: true})
	lost := press(t, s, m, simtelegram.Minh)
	h.event(t, core.KindPress, 1)
	await(t, "the end of its wait", tick(t), func() bool { return s.Faults().Hits() > 0 })
	if got := acknowledged(t, s, press(t, s, m, simtelegram.Minh)); got.Text != "" {
		t.Errorf("press = %+v", got)
	}
	if _, ok := s.Answered(lost); ok {
		t.Error("a call that was cut off counted")
	}
}

// TestPressesAreBounded: presses that are never answered take no more memory than those that are allowed for.
func TestPressesAreBounded(t *testing.T) {
	t.Parallel()
	_, p := silent(t, simtelegram.Options{})
	for i := range telegram.MaxQueries + 500 {
		telegram.Pressed(p, strconv.Itoa(i))
		telegram.Pressed(p, strconv.Itoa(i)) // delivered again
	}
	if open, queued := telegram.Waiting(p); open != telegram.MaxQueries || queued != telegram.MaxQueries {
		t.Errorf("%d open, %d queued", open, queued)
	}
	if err := p.Answer(t.Context(), "0", part("x")); core.ClassOf(err) != core.Unsupported {
		t.Errorf("one that was forgotten: %v", err)
	}
}
