package core_test

import (
	"context"
	"iter"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/clickai/bridge/core"
)

func TestCommands(t *testing.T) {
	const said = "Hello" // what the app says
	for _, tt := range []struct {
		name    string
		command string
		by      core.User
		want    string // part of what is said
		check   func(t *testing.T, r *rig, l *library)
	}{
		{name: "help", command: "!help", want: "`!rename name`"},
		{name: "history", command: "!history", want: `it of test\:U1 in c1`},
		{name: "status", command: "!STATUS", want: "Answers so far: 1"},
		{name: "conversations", command: "!conversations", want: "1. First ✓\n2. Invoices"},
		{name: "choose", command: "!conversations 2", want: "We go on with: Invoices", check: func(t *testing.T, r *rig, _ *library) {
			if q := r.ask("more"); q.Conversation != "c9" || q.User != minh.Key {
				t.Errorf("asked in %q as %q", q.Conversation, q.User)
			}
		}},
		{name: "choose what is not there", command: "!conversations 7", want: "I do not find"},
		{name: "rename", command: "!rename  My\nthing ", want: "now called: My thing", check: func(t *testing.T, _ *rig, l *library) {
			if l.names["c1"] != "My thing" {
				t.Errorf("named %q", l.names["c1"])
			}
		}},
		{name: "rename by the app", command: "!rename", want: "now called: Made up"},
		{name: "new", command: "!new", want: "new conversation", check: func(t *testing.T, r *rig, _ *library) {
			if q := r.ask("more"); q.Conversation != "" {
				t.Errorf("asked in %q", q.Conversation)
			}
		}},
		{name: "delete", command: "!delete", want: "deleted", check: func(t *testing.T, r *rig, l *library) {
			if want := []string{"test:U1 c1"}; !slices.Equal(l.deleted, want) {
				t.Errorf("deleted %q", l.deleted)
			}
			if q := r.ask("more"); q.Conversation != "" {
				t.Errorf("asked in %q", q.Conversation)
			}
		}},
		{name: "delete by somebody else", command: "!delete", by: anna, want: "Only whoever began", check: func(t *testing.T, _ *rig, l *library) {
			if len(l.deleted) > 0 {
				t.Errorf("deleted %q", l.deleted)
			}
		}},
		{name: "stop with nothing running", command: "!stop", want: "Nothing is being answered"},
		{name: "retry", command: "!retry", want: said, check: func(t *testing.T, r *rig, _ *library) {
			all := r.app.asked()
			if len(all) != 2 || all[1].Query != "one" || all[1].Conversation != "c1" {
				t.Errorf("asked %+v", all)
			}
		}},
		{name: "no command", command: "!important", want: said},
		{name: "not a command alone", command: "say !new", want: said},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r, _, l := newDesk(t)
				r.start()
				r.ask("one")
				ev := r.message(tt.command)
				if tt.by.Key != "" {
					ev.Sender = tt.by
				}
				r.accept(ev)
				r.settle()
				texts := r.chat.texts()
				if len(texts) != 2 || !strings.Contains(texts[1], tt.want) {
					t.Fatalf("shows %q, want %q", texts, tt.want)
				}
				r.accept(ev) // again
				r.settle()
				if again := r.chat.texts(); len(again) != 2 {
					t.Errorf("delivered twice: %q", again)
				}
				if tt.check != nil {
					tt.check(t, r, l)
				}
			})
		})
	}
}

// ask asks and returns the question as the app got it.
func (r *rig) ask(text string) core.Question {
	r.t.Helper()
	r.accept(r.message(text))
	r.settle()
	all := r.app.asked()
	return all[len(all)-1]
}

// settle lets what was begun end.
func (r *rig) settle() {
	<-time.After(3 * time.Second)
	synctest.Wait()
}

func TestCommandWaitsForItsTurn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, _, _ := newDesk(t)
		r.app.answer = says("c1", "m%d", "a", "b", "c", "d", "e", "f", "g", "h", "i", "j")
		r.start()
		for _, text := range []string{"one", "!new", "two", "!status"} {
			r.accept(r.message(text))
		}
		synctest.Wait()
		if texts := r.chat.texts(); !slices.ContainsFunc(texts, func(s string) bool { return strings.Contains(s, "Waiting or being answered: 3") }) {
			t.Errorf("no status beside the answer: %q", texts)
		}
		r.settle()
		r.settle()
		all := r.app.asked()
		if len(all) != 2 || all[0].Query != "one" || all[1].Query != "two" || all[1].Conversation != "" {
			t.Errorf("asked %+v", all)
		}
	})
}

func TestStop(t *testing.T) {
	for _, how := range []string{"text", "slash", "button", "platform"} {
		t.Run(how, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r, d, _ := newDesk(t)
				r.app.answer = says("c1", "m%d", slices.Repeat([]string{"x"}, 200)...)
				r.start()
				r.accept(r.message("one"))
				<-time.After(7 * time.Second)
				shown := r.chat.all()[0]
				if want := core.NewButtons(core.Button{ID: "stop", Label: "⏹️ Stop"}); shown.buttons != want {
					t.Errorf("buttons %q", shown.buttons.All())
				}
				ev := r.message("!stop")
				switch how {
				case "slash":
					ev = r.slash("stop", "")
				case "button":
					ev = r.press(shown.ref, "stop", "")
				case "platform":
					ev = r.press(shown.ref, "", "")
					ev.Kind, ev.Press = core.KindHalt, nil
				}
				r.accept(ev)
				r.accept(ev)
				r.settle()
				texts := r.chat.texts()
				if len(texts) != 1 || !strings.Contains(texts[0], "xxxx") || !strings.HasSuffix(texts[0], "⏹️ Stopped. (ref "+reference(texts[0])+")") {
					t.Errorf("shows %q", texts)
				}
				if want := []string{"task-m1"}; !slices.Equal(r.app.stopped, want) {
					t.Errorf("stopped %q at the app", r.app.stopped)
				}
				if said := d.said(); how == "slash" && (len(said) != 1 || !strings.Contains(said[0], "Stopped")) {
					t.Errorf("answered %q", said)
				}
				if last := r.chat.all()[0]; last.buttons != core.NewButtons(core.Button{ID: "retry", Label: "🔁 Ask again"}) {
					t.Errorf("buttons at the end %q", last.buttons.All())
				}
			})
		})
	}
}

func reference(s string) string {
	_, ref, _ := strings.Cut(s, "(ref ")
	return strings.TrimSuffix(ref, ")")
}

// press is a press of a button under a message.
func (r *rig) press(at core.MessageRef, id, label string) core.Event {
	ev := r.message("")
	ev.Kind, ev.Press, ev.MessageID, ev.Handle = core.KindPress, &core.Press{ID: id, Label: label}, at.ID, "h-"+ev.Key
	return ev
}

func TestRetryButton(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, d, _ := newDesk(t)
		r.app.answer = func(context.Context, core.Question) iter.Seq2[core.Delta, error] {
			return func(yield func(core.Delta, error) bool) {
				yield(core.Delta{}, &core.AppError{Notice: core.Notice{Kind: core.NoticeCut}, Class: core.Transient, Begun: true})
			}
		}
		r.start()
		r.accept(r.message("one"))
		r.settle()
		failed := r.chat.all()[0]
		if got := failed.buttons.All(); len(got) != 1 || got[0].ID != "retry" {
			t.Fatalf("buttons %q", got)
		}
		r.app.answer = says("c1", "m2", "Here it is")
		r.accept(r.press(failed.ref, "retry", ""))
		r.settle()
		if texts := r.chat.texts(); len(texts) != 2 || texts[1] != "Here it is" {
			t.Errorf("shows %q", texts)
		}
		if got := r.chat.all()[1].buttons; got != "" {
			t.Errorf("buttons under a good answer: %q", got.All())
		}
		r.accept(r.press(failed.ref, "retry", ""))
		r.settle()
		if n := len(r.app.asked()); n != 2 {
			t.Errorf("asked %d times", n)
		}
		if texts := strings.Join(append(r.chat.texts(), d.said()...), "\n"); !strings.Contains(texts, "Other questions came after this one") {
			t.Errorf("shows %s", texts)
		}
	})
}

func TestRatingButtons(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, d, _ := newDesk(t)
		r.set.Feedback.Buttons = true
		r.start()
		r.ask("one")
		shown := r.chat.all()[0]
		if got := shown.buttons.All(); len(got) != 2 || got[0].ID != "like" || got[1].ID != "dislike" {
			t.Fatalf("buttons %q", got)
		}
		r.accept(r.press(shown.ref, "dislike", "👎"))
		r.settle()
		if len(d.forms) != 1 || d.forms[0].ID != "why" {
			t.Fatalf("forms %+v", d.forms)
		}
		form := r.press(shown.ref, "why", "")
		form.Press.Text = "wrong\nyear"
		r.accept(form)
		r.settle()
		rated := r.app.rated()
		last := rated[len(rated)-1]
		if last.MessageID != "m1" || last.Rating != core.RatingDislike || last.Content != "👎 Minh (test:U1): wrong year" {
			t.Errorf("rated %+v", rated)
		}
		r.accept(r.press(shown.ref, "like", "👍"))
		r.settle()
		rated = r.app.rated()
		if last := rated[len(rated)-1]; last.Rating != core.RatingLike || last.Content != "👍 Minh (test:U1)" {
			t.Errorf("rated %+v", last)
		}
		r.accept(r.press(shown.ref, "dislike", "👎"))
		r.settle()
		if len(d.forms) != 1 {
			t.Error("asked twice what was wrong")
		}
	})
}

func TestReasonByReply(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		r.chat.limits.Buttons = 2
		r.set.Feedback.Buttons = true
		r.start()
		r.ask("one")
		r.accept(r.press(r.chat.all()[0].ref, "dislike", "👎"))
		r.settle()
		all := r.chat.all()
		if len(all) != 2 || !strings.Contains(all[1].versions[0], "What was wrong") {
			t.Fatalf("shows %q", r.chat.texts())
		}
		why := r.message("it is rude")
		why.ReplyTo = all[1].ref.ID
		r.accept(why)
		r.settle()
		rated := r.app.rated()
		if last := rated[len(rated)-1]; last.Content != "👎 Minh (test:U1): it is rude" {
			t.Errorf("rated %+v", rated)
		}
		if n := len(r.app.asked()); n != 1 {
			t.Errorf("the reason was asked as a question: %d", n)
		}
	})
}

func TestSuggestions(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, _, _ := newDesk(t)
		inner := says("c1", "m%d", "Hello")
		r.app.answer = func(ctx context.Context, q core.Question) iter.Seq2[core.Delta, error] {
			return func(yield func(core.Delta, error) bool) {
				for d, err := range inner(ctx, q) {
					if d.Kind == core.DeltaEnd && !yield(core.Delta{Kind: core.DeltaSuggestions, Suggestions: []string{"And *then*?", strings.Repeat("long ", 30)}}, nil) {
						return
					}
					if !yield(d, err) {
						return
					}
				}
			}
		}
		r.start()
		if q := r.ask("one"); !q.Suggest {
			t.Error("suggestions not wanted")
		}
		shown := r.chat.all()[0]
		if want := core.NewButtons(core.Button{ID: "ask:0", Label: "And *then*?"}); shown.buttons != want {
			t.Fatalf("buttons %q", shown.buttons.All())
		}
		r.accept(r.press(shown.ref, "ask:0", "And *then*?"))
		r.settle()
		all := r.app.asked()
		if len(all) != 2 || all[1].Query != "And *then*?" || all[1].Conversation != "c1" {
			t.Errorf("asked %+v", all)
		}
		if texts := r.chat.texts(); len(texts) != 2 || texts[1] != "> **Minh** asks: And \\*then\\*?\n\nHello" {
			t.Errorf("shows %q", texts)
		}
	})
}

func TestGreeting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, _, l := newDesk(t)
		l.opening = core.Opening{Text: "Welcome to support", Prompts: []string{"Where is my order?"}}
		r.start()
		opened := r.message("")
		opened.Kind = core.KindOpened
		opened.MessageID = ""
		r.accept(opened)
		r.settle()
		opened.Key += "again"
		r.accept(opened)
		r.settle()
		r.ask("one")
		if texts := r.chat.texts(); !slices.Equal(texts, []string{"Welcome to support", "Hello"}) {
			t.Errorf("shows %q", texts)
		}
		if got := r.chat.all()[0].buttons; got != core.NewButtons(core.Button{ID: "ask:0", Label: "Where is my order?"}) {
			t.Errorf("buttons %q", got.All())
		}
		first := r.message("hi")
		first.Room.ID, first.Sender = "D2", anna
		r.accept(first)
		r.settle()
		r.restart()
		r.accept(func() core.Event { ev := r.message("again"); ev.Room.ID, ev.Sender = "D2", anna; return ev }())
		r.settle()
		if texts := r.chat.texts()[2:]; !slices.Equal(texts, []string{"Welcome to support", "Hello", "Hello"}) {
			t.Errorf("shows %q", texts)
		}
	})
}

func TestNativeCommand(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, d, _ := newDesk(t)
		r.start()
		r.ask("one")
		room := func(name, args string) core.Event {
			ev := r.slash(name, args)
			ev.Room = core.Room{ID: "C1", Name: "support"}
			return ev
		}
		for _, tt := range []struct {
			ev   core.Event
			want string
		}{
			{r.slash("status", ""), "Answers so far: 1"},
			{r.slash("", ""), "These commands work here"},
			{r.slash("nonsense", ""), "These commands work here"},
			{room("history", ""), "inside the thread"},
			{room("new", ""), "inside the thread"},
			{room("conversations", ""), "2. Invoices"}, // shown to the person alone
		} {
			before := len(d.said())
			r.accept(tt.ev)
			r.settle()
			if said := d.said(); len(said) != before+1 || !strings.Contains(said[before], tt.want) || !strings.HasPrefix(said[before], tt.ev.Handle) {
				t.Errorf("%+v: answered %q, want %q", tt.ev.Command, said[before:], tt.want)
			}
		}
		if n := len(r.chat.texts()); n != 1 {
			t.Errorf("%d messages", n)
		}
		for _, tt := range []struct{ name, args, want string }{{"retry", "", ""}, {"conversations", "2", "Invoices"}} {
			ev := r.slash(tt.name, tt.args)
			before := len(d.said())
			r.accept(ev)
			r.settle()
			if said := d.said(); len(said) != before+1 || !strings.HasPrefix(said[before], ev.Handle) || !strings.Contains(said[before], tt.want) {
				t.Errorf("%s %s: answered %q", tt.name, tt.args, said[before:])
			}
		}
		d.refuse = true
		r.accept(r.slash("status", ""))
		r.settle()
		if texts := r.chat.texts(); len(texts) != 3 || !strings.Contains(texts[2], "App: support") {
			t.Errorf("an answer that the platform refuses is no message: %q", texts)
		}
		if len(d.menu) != 9 || d.menu[1].Name != "new" || d.menu[1].In["vi"] == "" {
			t.Errorf("menu %+v", d.menu)
		}
	})
}

func TestCommandsOfRooms(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, d, _ := newDesk(t)
		r.set.Deny.Users = []string{anna.ID}
		r.start()
		bare := r.inThread("!status")
		bare.Reach = core.ReachAmbient
		r.accept(bare)
		r.settle()
		if texts := r.chat.texts(); len(texts) > 0 {
			t.Fatalf("answers a command that is not for it: %q", texts)
		}
		r.accept(r.inThread("one"))
		r.settle()
		bare = r.inThread("!status")
		bare.Reach = core.ReachAmbient
		r.accept(bare)
		list := r.inThread("!conversations")
		r.accept(list)
		r.settle()
		texts := r.chat.texts()
		if len(texts) != 3 || !strings.Contains(texts[1], "Answers so far: 1") || !strings.Contains(texts[2], "direct chat with me") {
			t.Errorf("shows %q", texts)
		}
		denied := r.inThread("!delete")
		denied.Sender = anna
		r.accept(denied)
		denied = r.slash("delete", "")
		denied.Sender = anna
		r.accept(denied)
		denied = r.press(r.chat.all()[0].ref, "stop", "")
		denied.Sender = anna
		r.accept(denied)
		r.settle()
		if said := d.said(); len(r.chat.texts()) != 3 || len(said) != 2 || !strings.Contains(said[0], "may not talk") {
			t.Errorf("shows %q, answered %q", r.chat.texts()[3:], said)
		}
	})
}

// TestCommandAfterCrash holds that a command which waits when the process ends is carried out once after the next start.
func TestCommandAfterCrash(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, _, _ := newDesk(t)
		r.grace = 0
		r.app.answer = says("c1", "m%d", slices.Repeat([]string{"x"}, 100)...)
		r.start()
		r.accept(r.message("one"))
		r.accept(r.message("!new"))
		r.accept(r.message("two"))
		<-time.After(time.Second)
		r.app.answer = says("c1", "m%d", "Hello")
		r.restart()
		r.settle()
		all := r.app.asked()
		if last := all[len(all)-1]; last.Query != "two" || last.Conversation != "" {
			t.Errorf("asked %+v", all)
		}
		n := 0
		for _, s := range r.chat.texts() {
			if strings.Contains(s, "new conversation") {
				n++
			}
		}
		if n != 1 {
			t.Errorf("shows %q", r.chat.texts())
		}
	})
}

// pane is a desk where chats have titles and suggestions of the platform's own.
type pane struct {
	*desk
	prompts []string
	titles  []string
}

func (p *pane) Prompt(_ context.Context, at core.Place, _ string, prompts []string) error {
	if at.Thread == "" {
		return &core.Error{Op: "pane.Prompt", Class: core.Unsupported}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.prompts = append(p.prompts, prompts...)
	return nil
}

func (p *pane) SetTitle(_ context.Context, _ core.Place, title string) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.titles = append(p.titles, title)
	return nil
}

func TestPane(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, d, l := newDesk(t)
		l.opening = core.Opening{Prompts: []string{"One?", "Two?", "Three?", "Four?"}}
		p := &pane{desk: d}
		r.platform = p
		r.start()
		opened := r.message("")
		opened.Kind, opened.Thread = core.KindOpened, "t1"
		r.accept(opened)
		r.settle()
		if want := []string{"One?", "Two?", "Three?"}; !slices.Equal(p.prompts, want) || len(r.chat.texts()) != 0 {
			t.Errorf("suggests %q, shows %q", p.prompts, r.chat.texts())
		}
		for _, text := range []string{"where is\nmy order?", "and now?", "!rename Order 7"} {
			ev := r.message(text)
			ev.Thread = "t1"
			r.accept(ev)
			r.settle()
		}
		if want := []string{"where is my order?", "Order 7"}; !slices.Equal(p.titles, want) {
			t.Errorf("titles %q", p.titles)
		}
	})
}
