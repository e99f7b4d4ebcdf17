package discord_test

import (
	"bytes"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/clickai/bridge/adapters/discord"
	"github.com/clickai/bridge/core"
	sim "github.com/clickai/bridge/internal/sim"
	simdiscord "github.com/clickai/bridge/internal/sim/discord"
)

// quick has no limits of time that a busy machine could break: those are tested under virtual time.
func quick() simdiscord.Options {
	return simdiscord.Options{RateScale: 1e-9, InteractionDeadline: time.Hour}
}

var oneButton = core.NewButtons(core.Button{ID: "ask:0", Label: "What does it cost?"})

func press(t testing.TB, s *simdiscord.Server, at core.MessageRef, who, id string) string {
	t.Helper()
	pressed, err := s.Press(t.Context(), simRef(at), who, id)
	if err != nil {
		t.Fatal(err)
	}
	return pressed
}

// offer registers commands and waits for nothing.
func offer(t testing.TB, p *discord.Platform) {
	t.Helper()
	if err := p.SetCommands(t.Context(), core.CommandInfos("en")); err != nil {
		t.Fatal(err)
	}
}

func command(t testing.TB, s *simdiscord.Server, room, thread, who, name string, options map[string]any) string {
	t.Helper()
	id, err := s.Command(t.Context(), room, thread, who, name, options)
	if err != nil {
		t.Fatal(err)
	}
	return id
}

func seen(t testing.TB, s *simdiscord.Server, id string) simdiscord.Interaction {
	t.Helper()
	i, ok := s.Interaction(id)
	if !ok {
		t.Fatalf("no interaction %s", id)
	}
	return i
}

func answer(t testing.TB, p *discord.Platform, ev core.Event, part core.Part) {
	t.Helper()
	if ev.Handle == "" {
		t.Fatalf("%s has no handle", ev.Key)
	}
	if err := p.Answer(t.Context(), ev.Handle, part); err != nil {
		t.Fatalf("answer: %v", err)
	}
}

func TestPress(t *testing.T) {
	t.Parallel()
	s, p, h := running(t, quick())
	clean(t, s)
	question := say(t, s, sim.Say{Room: simdiscord.General, User: "Minh", Mention: true, Text: "hello"})
	at, err := p.OpenThread(t.Context(), core.MessageRef{Place: core.Place{Room: simdiscord.General}, ID: question.ID}, "hello")
	if err != nil {
		t.Fatal(err)
	}
	m := post(t, p, at, core.Part{Text: "hello", Buttons: oneButton})
	id := press(t, s, m, "Anna", "ask:0")
	ev := h.event(t, core.KindPress, 1)
	if ev.Key != "i:"+id || ev.MessageID != m.ID || ev.Room.ID != simdiscord.General || ev.Room.Name != "general" ||
		ev.Room.Space != simdiscord.GuildAcme || ev.Thread != at.Thread || ev.Room.Direct || ev.Reach != core.ReachMention ||
		ev.Sender.Key != "discord:"+simdiscord.Anna || ev.Sender.Name != "Anna" || *ev.Press != (core.Press{ID: "ask:0", Label: "What does it cost?"}) {
		t.Errorf("event %+v, press %+v", ev, ev.Press)
	}
	answer(t, p, ev, core.Part{Text: "**Wait** for @everyone", Buttons: core.NewButtons(core.Button{ID: "use:1", Label: "Go on"})})
	answer(t, p, ev, core.Part{Text: "more"})
	answer(t, p, ev, core.Part{})
	if i := seen(t, s, id); !i.Answered || !i.Ephemeral || len(i.Replies) != 2 || i.Replies[0].Shown != "Wait for @everyone" {
		t.Errorf("answered %+v", i)
	}
	private := s.Private(at.Room, at.Thread, "Anna")
	if len(private) != 2 || private[1].Text != "more" || len(s.Messages(at.Room, at.Thread)) != 1 || len(s.Pings()) != 0 {
		t.Fatalf("private %+v, pings %q", private, s.Pings())
	}

	id = press(t, s, core.MessageRef{Place: at, ID: private[0].ID}, "Anna", "use:1")
	ev = h.event(t, core.KindPress, 2)
	if ev.MessageID != private[0].ID || ev.Thread != at.Thread || ev.Press.Label != "Go on" {
		t.Errorf("event %+v, press %+v", ev, ev.Press)
	}
	answer(t, p, ev, core.Part{})
	if i := seen(t, s, id); !i.Answered || i.Deferred || len(i.Replies) != 0 {
		t.Errorf("taken %+v", i)
	}
	answer(t, p, ev, core.Part{Text: "later"}) // follows the acknowledgement
	if i := seen(t, s, id); len(i.Replies) != 1 || len(s.Private(at.Room, at.Thread, "Anna")) != 3 {
		t.Errorf("followed %+v", i)
	}
}

func TestCommands(t *testing.T) {
	t.Parallel()
	s, p, h := running(t, quick())
	clean(t, s)
	offer(t, p)
	infos := core.CommandInfos("en")
	offers := s.Offers(simdiscord.DMMinh, "", "vi")
	if len(offers) != len(infos) || len(s.Offers(simdiscord.General, "", "en-US")) != len(infos) {
		t.Fatalf("offers %+v", offers)
	}
	for i, o := range offers {
		if o.Name != infos[i].Name || o.Description != infos[i].In["vi"] || (len(o.Options) == 1) != (infos[i].Arg != "") {
			t.Errorf("offer %+v of %+v", o, infos[i])
		}
	}
	option := ""
	for _, o := range s.Offers(simdiscord.DMMinh, "", "en-GB") {
		if o.Name == "rename" {
			option = o.Options[0].Name
		}
	}

	id := command(t, s, simdiscord.DMMinh, "", "Minh", "rename", map[string]any{option: "Invoices, May"})
	ev := h.event(t, core.KindCommand, 1)
	if ev.Key != "i:"+id || ev.MessageID != "" || ev.Room.ID != simdiscord.DMMinh || !ev.Room.Direct || ev.Reach != core.ReachDirect ||
		ev.Sender.ID != simdiscord.Minh || *ev.Command != (core.Command{Name: "rename", Args: "Invoices, May"}) || ev.SentAt.IsZero() {
		t.Errorf("event %+v, command %+v", ev, ev.Command)
	}
	answer(t, p, ev, core.Part{Text: "renamed"})
	if got := s.Private(simdiscord.DMMinh, "", "Minh"); len(got) != 1 || got[0].Text != "renamed" {
		t.Errorf("private %+v", got)
	}

	id = command(t, s, simdiscord.General, "", "Tom", "stop", nil)
	ev = h.event(t, core.KindCommand, 2)
	answer(t, p, ev, core.Part{})
	if i := seen(t, s, id); !i.Answered || len(i.Replies) != 0 || len(s.Messages(simdiscord.General, "")) != 0 {
		t.Errorf("taken %+v", i)
	}
	answer(t, p, ev, core.Part{Text: "stopped"})
	if got := s.Private(simdiscord.General, "", "Tom"); len(got) != 1 || got[0].Text != "stopped" {
		t.Errorf("private %+v", got)
	}
}

// TestCommandsAnywhere: people use commands where the bot sees nothing, too.
func TestCommandsAnywhere(t *testing.T) {
	t.Parallel()
	s, p, h := running(t, quick())
	offer(t, p)
	s.Deny(simdiscord.Support, simdiscord.ViewChannel)
	command(t, s, simdiscord.Support, "", "Tom", "status", nil)
	if ev := h.event(t, core.KindCommand, 1); ev.Room.ID != simdiscord.Support || ev.Room.Name != "support" || ev.Room.Direct {
		t.Errorf("event %+v", ev)
	}
	m, err := s.ForumPost(t.Context(), simdiscord.Help, "Minh", "A post", "hello", false)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Archive(m.Thread, true, false); err != nil {
		t.Fatal(err)
	}
	command(t, s, simdiscord.Help, m.Thread, "Tom", "status", nil)
	ev := h.event(t, core.KindCommand, 2)
	if ev.Room.ID != simdiscord.Help || ev.Room.Name != "help" || ev.Thread != m.Thread || ev.ThreadName != "A post" {
		t.Errorf("event %+v", ev)
	}
	answer(t, p, ev, core.Part{Text: "fine"})
	if len(s.Private(simdiscord.Help, m.Thread, "Tom")) != 1 {
		t.Error("no answer in the archived post")
	}
}

func TestForm(t *testing.T) {
	t.Parallel()
	s, p, h := running(t, quick())
	clean(t, s)
	at := core.Place{Room: simdiscord.General}
	m := post(t, p, at, core.Part{Text: "hello", Buttons: core.NewButtons(core.Button{ID: "dislike", Label: "👎"})})
	id := press(t, s, m, "Anna", "dislike")
	ev := h.event(t, core.KindPress, 1)
	form := core.Form{ID: "reason:7", Title: "Feedback", Label: "What was wrong?", Submit: "Send", Cancel: "Close"}
	if err := p.OpenForm(t.Context(), ev.Handle, form); err != nil {
		t.Fatal(err)
	}
	f := seen(t, s, id).Form
	if f == nil || f.ID != form.ID || f.Title != form.Title || len(f.Fields) != 1 || f.Fields[0].Label != form.Label ||
		!f.Fields[0].Paragraph || !f.Fields[0].Required || f.Fields[0].Max != 4000 {
		t.Fatalf("form %+v", f)
	}
	if err := p.OpenForm(t.Context(), ev.Handle, form); core.ClassOf(err) != core.Invalid {
		t.Errorf("opened twice: %v", err)
	}
	sent, err := s.SendForm(t.Context(), id, map[string]string{f.Fields[0].ID: " Too slow.\nAnd wrong. "})
	if err != nil {
		t.Fatal(err)
	}
	reason := h.event(t, core.KindPress, 2)
	if reason.Key != "i:"+sent || reason.MessageID != m.ID || *reason.Press != (core.Press{ID: form.ID, Text: "Too slow.\nAnd wrong."}) {
		t.Errorf("event %+v, press %+v", reason, reason.Press)
	}
	if err := p.OpenForm(t.Context(), reason.Handle, form); core.ClassOf(err) != core.Invalid {
		t.Errorf("a form in answer to a form: %v", err)
	}
	answer(t, p, reason, core.Part{})
	if i := seen(t, s, sent); !i.Answered || len(i.Replies) != 0 {
		t.Errorf("taken %+v", i)
	}
	answer(t, p, ev, core.Part{Text: "thanks"}) // the first press can still be answered
	if len(s.Private(at.Room, "", "Anna")) != 1 {
		t.Error("no thanks")
	}

	id = press(t, s, m, "Tom", "dislike")
	if err := p.OpenForm(t.Context(), h.event(t, core.KindPress, 3).Handle, form); err != nil {
		t.Fatal(err)
	}
	if err := s.CloseForm(id); err != nil {
		t.Fatal(err)
	}
	if s.Violations(); len(h.all(core.KindPress)) != 3 {
		t.Error("a closed form was told")
	}
}

// TestFormOfACommand: a form may be opened in answer to a command; nothing shows when it is sent.
func TestFormOfACommand(t *testing.T) {
	t.Parallel()
	s, p, h := running(t, quick())
	offer(t, p)
	id := command(t, s, simdiscord.General, "", "Tom", "rename", nil)
	form := core.Form{ID: "rename", Title: strings.Repeat("long ", 20), Label: ""}
	if err := p.OpenForm(t.Context(), h.event(t, core.KindCommand, 1).Handle, form); err != nil {
		t.Fatal(err)
	}
	sent, err := s.SendForm(t.Context(), id, map[string]string{"text": "Invoices"})
	if err != nil {
		t.Fatal(err)
	}
	ev := h.event(t, core.KindPress, 1)
	if ev.MessageID != "" || ev.Press.Text != "Invoices" {
		t.Errorf("event %+v", ev)
	}
	answer(t, p, ev, core.Part{})
	if i := seen(t, s, sent); !i.Answered || i.Deferred || len(i.Replies) != 0 {
		t.Errorf("taken %+v", i)
	}
}

func TestUnknownHandles(t *testing.T) {
	t.Parallel()
	s := newSim(t, quick())
	p := newBot(t, s.APIURL(), simdiscord.DefaultToken)
	for _, handle := range []string{"", "1", "../x"} {
		if err := p.Answer(t.Context(), handle, core.Part{Text: "x"}); core.ClassOf(err) != core.NotFound {
			t.Errorf("answer to %q: %v", handle, err)
		}
		if err := p.OpenForm(t.Context(), handle, core.Form{}); core.ClassOf(err) != core.NotFound {
			t.Errorf("form for %q: %v", handle, err)
		}
	}
}

// TestLostAnswers: an answer whose acknowledgement is lost is shown once, and counts as shown.
func TestLostAnswers(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name string
		do   func(*discord.Platform, core.Event) error
		want int
	}{
		{"text", func(p *discord.Platform, ev core.Event) error {
			return p.Answer(t.Context(), ev.Handle, core.Part{Text: "x"})
		}, 1},
		{"nothing", func(p *discord.Platform, ev core.Event) error { return p.Answer(t.Context(), ev.Handle, core.Part{}) }, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s, p, h := running(t, quick())
			offer(t, p)
			s.Faults().Add(sim.Fault{Match: "/callback", Times: 1, Cut: true, Handled: true})
			id := command(t, s, simdiscord.General, "", "Tom", "help", nil)
			ev := h.event(t, core.KindCommand, 1)
			if err := tt.do(p, ev); err != nil {
				t.Errorf("answer: %v", err)
			}
			if i := seen(t, s, id); !i.Answered || len(i.Replies) != tt.want || s.Faults().Hits() != 1 {
				t.Errorf("answered %+v", i)
			}
		})
	}
}

// TestInteractionsAgain: one that is delivered again is the same event, and is answered once.
func TestInteractionsAgain(t *testing.T) {
	t.Parallel()
	s, p, h := running(t, quick())
	clean(t, s)
	offer(t, p)
	id := command(t, s, simdiscord.General, "", "Tom", "help", nil)
	first := h.event(t, core.KindCommand, 1)
	answer(t, p, first, core.Part{Text: "one"})
	s.RedeliverEvents(1)
	again := h.event(t, core.KindCommand, 2)
	if again.Key != first.Key {
		t.Errorf("keys %s and %s", first.Key, again.Key)
	}
	answer(t, p, again, core.Part{Text: "two"})
	if i := seen(t, s, id); len(i.Replies) != 2 {
		t.Errorf("answered %+v", i)
	}
}

// TestAcknowledgedElsewhere: another process has acknowledged a command before it went; what this one says takes the place of that.
func TestAcknowledgedElsewhere(t *testing.T) {
	t.Parallel()
	s, p, h := running(t, quick())
	offer(t, p)
	other := newBot(t, s.APIURL(), simdiscord.DefaultToken)
	h2 := newHost()
	start(t, other, h2)
	h2.waitUp(t, 1)
	id := command(t, s, simdiscord.General, "", "Tom", "help", nil)
	answer(t, other, h2.event(t, core.KindCommand, 1), core.Part{Text: "first"})
	answer(t, p, h.event(t, core.KindCommand, 1), core.Part{Text: "second"})
	if i := seen(t, s, id); len(i.Replies) != 1 || i.Replies[0].Text != "second" {
		t.Errorf("answered %+v", i)
	}
}

// TestStoredFirst: what the host refuses is not acknowledged; it comes again.
func TestStoredFirst(t *testing.T) {
	t.Parallel()
	s, p, h := running(t, quick())
	offer(t, p)
	refused := 0
	h.setRefuse(func(ev core.Event) error {
		if ev.Kind != core.KindCommand {
			return nil
		}
		if refused++; refused < 30 {
			return discord.ErrNotStored
		}
		return nil
	})
	id := command(t, s, simdiscord.General, "", "Tom", "help", nil)
	ev := h.event(t, core.KindCommand, 1)
	if seen(t, s, id).Answered {
		t.Error("acknowledged before it was stored")
	}
	answer(t, p, ev, core.Part{Text: "x"})
}

// logBuffer is a log that can be read while it is written.
type logBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *logBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *logBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// TestTokensStayInside: an interaction's token is in no log, no error and no event.
func TestTokensStayInside(t *testing.T) {
	t.Parallel()
	s := newSim(t, quick())
	log := &logBuffer{}
	p, err := discord.New("acme", discord.Config{Token: simdiscord.DefaultToken, APIURL: s.APIURL()}, slog.New(slog.NewTextHandler(log, &slog.HandlerOptions{Level: slog.LevelDebug})))
	if err != nil {
		t.Fatal(err)
	}
	h := newHost()
	start(t, discord.Hurry(p), h)
	h.waitUp(t, 1)
	offer(t, p)
	for i, fault := range []sim.Fault{
		{Status: 500, Body: `{"message":"500","code":0}`},
		{Cut: true},
		{Status: 404, Body: `{"message":"Unknown interaction","code":10062}`},
		{Status: 401, Body: `{"message":"Invalid Webhook Token","code":50027}`},
		{Status: 200, Body: "<html>"},
		{Status: 429, Body: `{"message":"x","retry_after":60}`},
	} {
		fault.Match = "/callback"
		s.Faults().Clear()
		s.Faults().Add(fault)
		id := command(t, s, simdiscord.General, "", "Tom", "help", nil)
		ev := h.event(t, core.KindCommand, i+1)
		err := p.Answer(t.Context(), ev.Handle, core.Part{Text: "x"})
		key := seen(t, s, id).Token
		if err != nil && strings.Contains(err.Error(), key) || strings.Contains(ev.Handle, key) || strings.Contains(log.String(), key) {
			t.Errorf("case %d: the token is in the error %v or the log", i, err)
		}
		if c := core.ClassOf(err); c == core.Auth {
			t.Errorf("case %d: %v is taken for a refused token of the bot", i, err)
		}
	}
	s.Faults().Clear()
	if _, err := p.Post(t.Context(), core.Post{Place: core.Place{Room: simdiscord.General}, Part: core.Part{Text: "still here"}}); err != nil {
		t.Errorf("the bot is shut out: %v", err)
	}
}
