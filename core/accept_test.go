package core_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/clickai/bridge/core"
	"github.com/clickai/bridge/store"
)

func TestDecide(t *testing.T) {
	settings := func(change func(*core.BotSettings)) core.BotSettings {
		s := core.DefaultBotSettings()
		s.Name, s.App = "acme", "support"
		if change != nil {
			change(&s)
		}
		return s
	}
	inRoom := func(reach core.Reach, change func(*core.Event)) core.Event {
		ev := core.Event{
			Kind: core.KindMessage, Reach: reach, Room: core.Room{ID: "C1", Name: "general", Space: "G1"},
			MessageID: "m1", Roots: "m1", Sender: core.User{ID: "U1", Name: "Minh", Handle: "minh", Key: "x:U1"},
		}
		if change != nil {
			change(&ev)
		}
		return ev
	}
	inThread := func(ev *core.Event) { ev.Thread, ev.Roots = "t1", "" }
	direct := func(ev *core.Event) { ev.Room = core.Room{ID: "D1", Direct: true}; ev.Roots = "" }
	opened, answered := core.ThreadMark{Opened: true, Answered: true}, core.ThreadMark{Answered: true}

	tests := []struct {
		name   string
		s      core.BotSettings
		ev     core.Event
		mark   core.ThreadMark
		answer bool
		denied bool
		conv   core.ConvKey
		at     core.Place
		opens  bool
		app    string
	}{
		{name: "direct", s: settings(nil), ev: inRoom(core.ReachDirect, direct), answer: true, conv: "acme/support/D1", at: core.Place{Room: "D1"}},
		{name: "mention opens a thread", s: settings(nil), ev: inRoom(core.ReachMention, nil), answer: true, conv: "acme/support/C1/m1", at: core.Place{Room: "C1", Thread: "m1"}, opens: true},
		{name: "mention where none can be opened", s: settings(nil), ev: inRoom(core.ReachMention, func(ev *core.Event) { ev.Roots = "" }), answer: true, conv: "acme/support/C1", at: core.Place{Room: "C1"}},
		{name: "open_thread off", s: settings(func(s *core.BotSettings) { s.OpenThread = false }), ev: inRoom(core.ReachMention, nil), answer: true, conv: "acme/support/C1", at: core.Place{Room: "C1"}},
		{name: "reply", s: settings(nil), ev: inRoom(core.ReachReply, nil), answer: true, conv: "acme/support/C1/m1", at: core.Place{Room: "C1", Thread: "m1"}, opens: true},
		{name: "ambient", s: settings(nil), ev: inRoom(core.ReachAmbient, nil)},
		{name: "ambient in a thread of a question", s: settings(nil), ev: inRoom(core.ReachAmbient, inThread), mark: opened, answer: true, conv: "acme/support/C1/t1", at: core.Place{Room: "C1", Thread: "t1"}},
		{name: "ambient in a thread of others", s: settings(nil), ev: inRoom(core.ReachAmbient, inThread), mark: answered},
		{name: "respond thread", s: settings(func(s *core.BotSettings) { s.Respond = "thread" }), ev: inRoom(core.ReachAmbient, inThread), mark: answered, answer: true, conv: "acme/support/C1/t1", at: core.Place{Room: "C1", Thread: "t1"}},
		{name: "respond thread, never asked there", s: settings(func(s *core.BotSettings) { s.Respond = "thread" }), ev: inRoom(core.ReachAmbient, inThread)},
		{name: "respond all", s: settings(func(s *core.BotSettings) { s.Respond = "all" }), ev: inRoom(core.ReachAmbient, nil), answer: true, conv: "acme/support/C1/m1", at: core.Place{Room: "C1", Thread: "m1"}, opens: true},
		{name: "respond direct, mentioned", s: settings(func(s *core.BotSettings) { s.Respond = "direct" }), ev: inRoom(core.ReachMention, nil)},
		{name: "respond direct, direct", s: settings(func(s *core.BotSettings) { s.Respond = "direct" }), ev: inRoom(core.ReachDirect, direct), answer: true, conv: "acme/support/D1", at: core.Place{Room: "D1"}},
		{name: "conversation room", s: settings(func(s *core.BotSettings) { s.Conversation = "room" }), ev: inRoom(core.ReachMention, inThread), answer: true, conv: "acme/support/C1", at: core.Place{Room: "C1", Thread: "t1"}},
		{name: "conversation user", s: settings(func(s *core.BotSettings) { s.Conversation = "user" }), ev: inRoom(core.ReachMention, inThread), answer: true, conv: "acme/support/C1/t1/@U1", at: core.Place{Room: "C1", Thread: "t1"}},
		{name: "route by name", s: settings(func(s *core.BotSettings) {
			s.Routes = []core.Route{{Rooms: []string{"#General"}, App: "sales"}, {Rooms: []string{"C1"}, App: "never"}}
		}), ev: inRoom(core.ReachMention, inThread), answer: true, app: "sales", conv: "acme/sales/C1/t1", at: core.Place{Room: "C1", Thread: "t1"}},
		{name: "deny user by handle", s: settings(func(s *core.BotSettings) { s.Deny.Users = []string{"@minh"} }), ev: inRoom(core.ReachMention, nil), denied: true},
		{name: "a display name lets nobody in", s: settings(func(s *core.BotSettings) { s.Allow.Users = []string{"Minh Nguyen"} }), ev: inRoom(core.ReachMention, func(ev *core.Event) { ev.Sender.Name = "Minh Nguyen" }), denied: true},
		{name: "deny wins over allow", s: settings(func(s *core.BotSettings) { s.Deny.Rooms, s.Allow.Rooms = []string{"C1"}, []string{"C1"} }), ev: inRoom(core.ReachMention, nil), denied: true},
		{name: "allow room by space", s: settings(func(s *core.BotSettings) { s.Allow.Rooms = []string{"G1"} }), ev: inRoom(core.ReachMention, inThread), answer: true, conv: "acme/support/C1/t1", at: core.Place{Room: "C1", Thread: "t1"}},
		{name: "allow other room", s: settings(func(s *core.BotSettings) { s.Allow.Rooms = []string{"#support"} }), ev: inRoom(core.ReachMention, nil), denied: true},
		{name: "a room named after another's id", s: settings(func(s *core.BotSettings) { s.Allow.Rooms = []string{"C024BE91L"} }), ev: inRoom(core.ReachMention, func(ev *core.Event) { ev.Room.Name = "c024be91l" }), denied: true},
		{name: "a room named after a number", s: settings(func(s *core.BotSettings) { s.Allow.Rooms = []string{"613425648685547541"} }), ev: inRoom(core.ReachMention, func(ev *core.Event) { ev.Room.Name = "613425648685547541" }), denied: true},
		{name: "a handle that is another's id", s: settings(func(s *core.BotSettings) { s.Allow.Users = []string{"613425648685547541"} }), ev: inRoom(core.ReachMention, func(ev *core.Event) { ev.Sender.Handle = "613425648685547541" }), denied: true},
		{name: "a person named after a room", s: settings(func(s *core.BotSettings) { s.Allow.Rooms = []string{"#support"} }), ev: inRoom(core.ReachDirect, func(ev *core.Event) { direct(ev); ev.Room.Name = "Support" }), denied: true},
		{name: "a room with a number for a name", s: settings(func(s *core.BotSettings) { s.Deny.Rooms = []string{"#2024"} }), ev: inRoom(core.ReachMention, func(ev *core.Event) { ev.Room.Name = "2024" }), denied: true},
		{name: "allow rooms shuts direct chats out", s: settings(func(s *core.BotSettings) { s.Allow.Rooms = []string{"#support"} }), ev: inRoom(core.ReachDirect, direct), denied: true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			d := core.Decide(&tt.s, &tt.ev, tt.mark)
			if d.Answer != tt.answer || d.Denied != tt.denied || d.Why == "" {
				t.Fatalf("answer %v, denied %v, why %q; want %v, %v", d.Answer, d.Denied, d.Why, tt.answer, tt.denied)
			}
			if !tt.answer {
				return
			}
			app := tt.app
			if app == "" {
				app = "support"
			}
			if d.Conv != tt.conv || d.At != tt.at || d.Opens != tt.opens || d.App != app {
				t.Errorf("decision = %+v, want conv %q, at %+v, opens %v, app %q", d, tt.conv, tt.at, tt.opens, app)
			}
			if d.Conv.Bot() != "acme" {
				t.Errorf("Bot() = %q", d.Conv.Bot())
			}
		})
	}
}

func TestConvKeysDoNotMeet(t *testing.T) {
	a := core.NewConvKey("b", "a", core.Place{Room: "x/y"}, "")
	b := core.NewConvKey("b", "a", core.Place{Room: "x", Thread: "y"}, "")
	c := core.NewConvKey("b", "a", core.Place{Room: "x"}, "y")
	if a == b || b == c || a == c {
		t.Errorf("keys %q, %q, %q are not all different", a, b, c)
	}
}

func TestTooManyQuestionsOfOnePerson(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		r.set.Limits.TurnsPerUser = core.PerTime{Count: 3, Per: time.Minute}
		r.start()
		for i := range 6 {
			ev := r.message(fmt.Sprint(i))
			r.accept(ev)
			r.accept(ev) // delivered twice: counts once
			settle(2 * time.Second)
		}
		if n := len(r.app.asked()); n != 3 {
			t.Errorf("asked %d times, want 3", n)
		}
		told := 0
		for _, text := range r.chat.texts() {
			if strings.Contains(text, "a lot of questions") {
				told++
			}
		}
		if told != 1 {
			t.Errorf("told %d times, want once", told)
		}
		settle(time.Minute)
		r.accept(r.message("later"))
		settle(2 * time.Second)
		if n := len(r.app.asked()); n != 4 {
			t.Errorf("asked %d times, want 4 once the minute is over", n)
		}
	})
}

func TestQueueOfAConversationIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		r.set.Limits.QueuePerConversation = 2
		r.set.Limits.TurnsPerUser = core.PerTime{}
		r.app.answer = says("c1", "m%d", slices.Repeat([]string{"x"}, 100)...)
		r.start()
		for i := range 6 {
			r.accept(r.message(fmt.Sprint(i)))
			synctest.Wait()
		}
		settle(time.Minute)
		var queries []string
		for _, q := range r.app.asked() {
			queries = append(queries, q.Query)
		}
		if want := []string{"0", "1\n2"}; !slices.Equal(queries, want) {
			t.Errorf("queries = %q, want %q: the others were over the bound", queries, want)
		}
		if all := strings.Join(r.chat.texts(), "\n"); strings.Count(all, "Too many questions wait") != 1 {
			t.Errorf("texts = %q, want one notice", all)
		}
	})
}

func TestDeniedPersonGetsOneLineInADirectChat(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		r.set.Deny.Users = []string{"U1"}
		r.start()
		r.accept(r.message("hi"))
		r.accept(r.message("hi?"))
		ev := r.message("here?")
		ev.Room, ev.Reach = core.Room{ID: "C1"}, core.ReachMention
		r.accept(ev)
		settle(5 * time.Second)
		if got := r.chat.texts(); len(got) != 1 || !strings.Contains(got[0], "may not talk") {
			t.Errorf("texts = %q, want one line", got)
		}
		if len(r.app.asked()) != 0 {
			t.Error("a denied person cost a request")
		}
	})
}

func TestEditsAndDeletesOfWaitingQuestions(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		r.app.answer = says("c1", "m%d", slices.Repeat([]string{"x"}, 20)...)
		r.start()
		first := r.message("first")
		r.accept(first)
		synctest.Wait()
		second, third := r.message("second"), r.message("third")
		third.Sender = anna
		r.accept(second)
		r.accept(third)
		edit := second
		edit.Key, edit.Kind, edit.Text = "e:1", core.KindEdit, "second, corrected"
		r.accept(edit)
		late := first
		late.Key, late.Kind, late.Text = "e:2", core.KindEdit, "too late"
		r.accept(late)
		gone := third
		gone.Key, gone.Kind = "d:1", core.KindDelete
		r.accept(gone)
		settle(30 * time.Second)
		var queries []string
		for _, q := range r.app.asked() {
			queries = append(queries, q.Query)
		}
		if want := []string{"first", "second, corrected"}; !slices.Equal(queries, want) {
			t.Errorf("queries = %q, want %q", queries, want)
		}
	})
}

func TestOldMessages(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		r.set.CatchUp = time.Hour
		r.start()
		before := r.message("before the first start")
		before.SentAt = time.Now().Add(-time.Minute)
		r.accept(before)
		settle(3 * time.Hour)
		r.restart()
		missed, ancient := r.message("missed"), r.message("ancient")
		missed.SentAt, ancient.SentAt = time.Now().Add(-30*time.Minute), time.Now().Add(-2*time.Hour)
		r.accept(missed)
		r.accept(ancient)
		settle(5 * time.Second)
		q := r.app.asked()
		if len(q) != 1 || q[0].Query != "missed" {
			t.Errorf("questions = %+v, want the one that catch_up covers", q)
		}
	})
}

func TestReactionsBecomeRatings(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		r.app.answer = says("c1", "m1", "Hello ", "you")
		r.app.rate = func(n int) error {
			if n == 1 {
				return &core.AppError{Class: core.Transient, Err: errNet}
			}
			return nil
		}
		r.start()
		r.accept(r.message("hi"))
		settle(5 * time.Second)
		target := r.chat.all()[0].ref
		n := 0
		react := func(who core.User, emoji string, added bool) {
			n++
			r.accept(core.Event{
				Key: fmt.Sprint("r:", n), Kind: core.KindReaction, Room: core.Room{ID: target.Room}, Thread: target.Thread,
				MessageID: target.ID, Sender: who, Reaction: &core.Reaction{Emoji: emoji, Added: added}, SentAt: time.Now(),
			})
			settle(5 * time.Second)
		}
		react(minh, "👍🏽", true)
		react(anna, "👎", true)
		react(minh, "👍", false)
		react(anna, "👎", false)
		react(anna, "🍕", true)
		var got []core.Rating
		for _, x := range r.app.rated() {
			got = append(got, x.Rating)
			if x.MessageID != "m1" || x.User != minh.Key {
				t.Errorf("rating = %+v, want it for m1 by the conversation's user", x)
			}
		}
		want := []core.Rating{core.RatingLike, core.RatingNone, core.RatingDislike, core.RatingNone}
		if !slices.Equal(got, want) {
			t.Errorf("ratings = %q, want %q", got, want)
		}
		if first := r.app.rated()[0].Content; !strings.Contains(first, "Minh") {
			t.Errorf("content = %q, want who rated", first)
		}
	})
}

func TestRatingSurvivesARestart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		r.app.rate = func(int) error { return &core.AppError{Class: core.Transient, Err: errNet} }
		r.start()
		r.accept(r.message("hi"))
		settle(5 * time.Second)
		target := r.chat.all()[0].ref
		r.accept(core.Event{
			Key: "r:1", Kind: core.KindReaction, Room: core.Room{ID: target.Room}, MessageID: target.ID,
			Sender: minh, Reaction: &core.Reaction{Emoji: "👎", Added: true}, SentAt: time.Now(),
		})
		settle(5 * time.Second)
		r.stop()
		r.app = newApp()
		r.restart()
		settle(5 * time.Second)
		if got := r.app.rated(); len(got) != 1 || got[0].Rating != core.RatingDislike {
			t.Errorf("ratings = %+v, want the dislike once", got)
		}
	})
}

// TestDurableWrites counts what docs/architecture.md says of a turn's commits.
func TestDurableWrites(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		asked := make(chan store.Stats, 1)
		r.app.answer = func(ctx context.Context, q core.Question) iter.Seq2[core.Delta, error] {
			asked <- r.store.Stats()
			return says("c1", "m1", "Hello ", "you")(ctx, q)
		}
		r.start()
		before := r.store.Stats()
		r.accept(r.message("hi"))
		atAsk := <-asked
		settle(10 * time.Second)
		after := r.store.Stats()
		if n := atAsk.Operations - before.Operations; n > 2 {
			t.Errorf("%d writes before the question went out, want the accepted message and at most the journal beside it", n)
		}
		// The ids may come in time to share the write of "asked".
		if n := after.Operations - before.Operations; n < 4 || n > 5 {
			t.Errorf("a turn made %d writes, want 4 or 5: accepted, asked, ids, first message, end", n)
		}
	})
}

func TestAcceptFailsWhenTheStoreDoes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		r.start()
		host := r.chat.host
		r.stop()
		if err := r.store.Close(); err != nil {
			t.Fatal(err)
		}
		if err := host.Accept(t.Context(), r.message("hi")); err == nil {
			t.Error("Accept = nil although nothing could be stored: the platform would not deliver again")
		}
	})
}

func TestClassOf(t *testing.T) {
	wrapped := fmt.Errorf("send: %w", &core.Error{Op: "x", Class: core.RateLimited, RetryAfter: time.Second})
	if core.ClassOf(wrapped) != core.RateLimited || core.RetryAfterOf(wrapped) != time.Second {
		t.Errorf("class %q, retry after %v", core.ClassOf(wrapped), core.RetryAfterOf(wrapped))
	}
	if core.ClassOf(errors.New("x")) != core.Transient || core.ClassOf(nil) != "" {
		t.Error("an unknown error is transient, and no error has no class")
	}
}

func TestSizesAndRates(t *testing.T) {
	var size core.ByteSize
	for in, want := range map[string]core.ByteSize{"15MB": 15e6, "1 KiB": 1024, "0.5mb": 500000, "7": 7, "2GiB": 2 << 30} {
		if err := size.UnmarshalText([]byte(in)); err != nil || size != want {
			t.Errorf("size %q = %d, %v; want %d", in, size, err, want)
		}
	}
	for _, in := range []string{"", "MB", "-1MB", "1TBX", "NaN", "1e300GB"} {
		if err := size.UnmarshalText([]byte(in)); err == nil {
			t.Errorf("size %q was taken as %d", in, size)
		}
	}
	var rate core.PerTime
	for in, want := range map[string]core.PerTime{"20/1m": {Count: 20, Per: time.Minute}, "5/h": {Count: 5, Per: time.Hour}, "0": {}} {
		if err := rate.UnmarshalText([]byte(in)); err != nil || rate != want {
			t.Errorf("rate %q = %v, %v; want %v", in, rate, err, want)
		}
	}
	for _, in := range []string{"", "20", "x/1m", "20/", "20/0s", "-1/1m"} {
		if err := rate.UnmarshalText([]byte(in)); err == nil {
			t.Errorf("rate %q was taken as %v", in, rate)
		}
	}
}

func TestCallsPerSecondReachesThePlatform(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		r.set.Limits.CallsPerSecond = 7
		r.start()
		if r.chat.ceiling != 7 {
			t.Errorf("ceiling = %v, want 7", r.chat.ceiling)
		}
	})
}
