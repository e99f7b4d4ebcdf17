package core_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"log/slog"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/clickai/bridge/core"
	"github.com/clickai/bridge/store"
	"github.com/clickai/bridge/store/storetest"
)

// atLength answers for 20 seconds.
func atLength(message string) func(context.Context, core.Question) iter.Seq2[core.Delta, error] {
	return says("c1", message, slices.Repeat([]string{"x"}, 200)...)
}

// fails is an app that never begins to answer.
func fails(context.Context, core.Question) iter.Seq2[core.Delta, error] {
	return func(yield func(core.Delta, error) bool) {
		yield(core.Delta{}, &core.AppError{Notice: core.Notice{Kind: core.NoticeRetry}, Class: core.Transient})
	}
}

// TestStopOfAnOldMessage holds that a button under an answer that has ended, or the platform's own stop, ends no later one.
func TestStopOfAnOldMessage(t *testing.T) {
	for _, how := range []string{"button", "platform"} {
		t.Run(how, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r, d, _ := newDesk(t)
				r.start()
				r.ask("one")
				r.app.answer = atLength("n%d")
				r.accept(r.message("two"))
				settle(7 * time.Second)
				ev := r.press(r.chat.all()[0].ref, "stop", "")
				if how == "platform" {
					ev.Kind, ev.Press = core.KindHalt, nil
				}
				r.accept(ev)
				settle(time.Minute)
				if texts := r.chat.texts(); len(texts) != 2 || texts[1] != strings.Repeat("x", 200) {
					t.Errorf("shows %q", texts)
				}
				if said := d.said(); how == "button" && (len(said) != 1 || !strings.Contains(said[0], "Nothing is being answered")) {
					t.Errorf("answered %q", said)
				}
			})
		})
	}
}

// TestStopInARoomThatMoved: the running turn goes by the room's old id.
func TestStopInARoomThatMoved(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, _, _ := newDesk(t)
		r.app.answer = atLength("m%d")
		r.start()
		r.accept(r.message("one"))
		settle(time.Second)
		if err := r.chat.host.(core.Mover).MoveRoom(t.Context(), "D1", "D2"); err != nil {
			t.Fatal(err)
		}
		ev := r.message("!stop")
		ev.Room.ID = "D2"
		r.accept(ev)
		r.settle()
		if texts := r.chat.texts(); len(texts) != 1 || !strings.Contains(texts[0], "Stopped") {
			t.Errorf("shows %q", texts)
		}
	})
}

// TestDeleteDeliveredAgain holds that a command which comes again ends no later turn.
func TestDeleteDeliveredAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, _, l := newDesk(t)
		r.start()
		r.ask("one")
		del := r.message("!delete")
		r.accept(del)
		r.settle()
		r.app.answer = atLength("n%d")
		r.accept(r.message("two"))
		settle(time.Second)
		r.accept(del)
		settle(time.Minute)
		texts := r.chat.texts()
		if last := texts[len(texts)-1]; last != strings.Repeat("x", 200) || len(l.deleted) != 1 {
			t.Errorf("shows %q, deleted %q", texts, l.deleted)
		}
	})
}

// shy is a library that does not tell of conversations before it may.
type shy struct {
	*library
	silent atomic.Bool
}

func (s *shy) Conversations(ctx context.Context, user string, limit int) ([]core.PastConversation, error) {
	if s.silent.Load() {
		<-ctx.Done()
		return nil, ctx.Err()
	}
	return s.library.Conversations(ctx, user, limit)
}

// TestListIsForOnePerson holds that the names of a person's conversations never stand in a room.
func TestListIsForOnePerson(t *testing.T) {
	for _, how := range []string{"refused", "restart"} {
		t.Run(how, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r, d, l := newDesk(t)
				r.grace = 0
				s := &shy{library: l}
				r.asApp = s
				r.start()
				ev := r.slash("conversations", "")
				ev.Room = core.Room{ID: "C1", Name: "support"}
				if how == "refused" {
					d.refuse = true
					r.accept(ev)
				} else {
					s.silent.Store(true)
					r.accept(ev)
					settle(time.Second)
					r.stop()
					s.silent.Store(false)
					r.restart()
				}
				r.settle()
				if texts := r.chat.texts(); len(texts) != 1 || !strings.Contains(texts[0], "direct chat with me") {
					t.Errorf("shows %q", texts)
				}
			})
		})
	}
}

// TestAnswerOfACommandInParts holds that each part is shown once, in order, though the platform fails between them.
func TestAnswerOfACommandInParts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, _, _ := newDesk(t)
		r.chat.dedupe = true
		r.start()
		r.ask("one")
		r.chat.most = 20
		before := len(r.chat.callLog())
		r.chat.failing(func(op string, n int) error {
			if op == "post" && n == 3 {
				return &core.Error{Op: "chat.Post", Class: core.Transient}
			}
			return nil
		})
		r.accept(r.message("!history"))
		settle(10 * time.Second)
		whole := strings.Join(r.chat.texts()[1:], "")
		if want := "> **what \\<\\@x\\> is it?**"; !strings.HasPrefix(whole, want) || !strings.Contains(whole, "in c1") || strings.Count(whole, "what") != 1 {
			t.Errorf("shows %q", r.chat.texts())
		}
		if calls := r.chat.callLog()[before:]; len(calls) != len(r.chat.texts()) {
			t.Errorf("%d calls for %d messages", len(calls), len(r.chat.texts())-1)
		}
	})
}

// TestCommandIsCarriedOutOnce holds that a command is not carried out again because its answer could not be shown.
func TestCommandIsCarriedOutOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, _, _ := newDesk(t)
		r.start()
		r.ask("one")
		r.chat.failing(func(op string, n int) error {
			if op == "post" && n < 5 {
				return &core.Error{Op: "chat.Post", Class: core.Transient}
			}
			return nil
		})
		r.accept(r.message("!delete"))
		settle(time.Minute)
		if texts := r.chat.texts(); len(texts) != 2 || !strings.Contains(texts[1], "is deleted") {
			t.Errorf("shows %q", texts)
		}
	})
}

// TestCommandWhoseMarkupIsRefused: what a command says is shown without formatting and buttons rather than not at all.
func TestCommandWhoseMarkupIsRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, _, _ := newDesk(t)
		r.start()
		r.ask("one")
		r.chat.failing(func(op string, n int) error {
			if op == "post" && n == 2 {
				return &core.Error{Op: "chat.Post", Class: core.Invalid}
			}
			return nil
		})
		r.accept(r.message("!conversations"))
		r.settle()
		if all := r.chat.all(); len(all) != 2 || all[1].buttons != "" || !strings.Contains(all[1].versions[0], "Invoices") {
			t.Errorf("shows %q", r.chat.texts())
		}
	})
}

// TestFailedCommand: the line does not offer to ask a question again.
func TestFailedCommand(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, _, l := newDesk(t)
		r.asApp = &broken{l}
		r.start()
		r.ask("one")
		r.accept(r.message("!rename x"))
		r.settle()
		if texts := r.chat.texts(); len(texts) != 2 || !strings.Contains(texts[1], "did not work") {
			t.Errorf("shows %q", texts)
		}
	})
}

// broken is a library that cannot rename.
type broken struct{ *library }

func (*broken) Rename(context.Context, string, string, string) (string, error) {
	return "", &core.AppError{Notice: core.Notice{Kind: core.NoticeRetry}, Class: core.Transient}
}

// TestUnnamedConversation: a button always has a label, and what was chosen is a conversation before its first question here.
func TestUnnamedConversation(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, _, l := newDesk(t)
		l.names["c9"] = " "
		r.start()
		r.accept(r.message("!conversations"))
		r.settle()
		all := r.chat.all()
		if got := all[0].buttons.All(); len(got) != 2 || got[1].Label != "2" || got[1].ID != "use:c9" {
			t.Errorf("buttons %+v", got)
		}
		r.accept(r.press(all[0].ref, "use:c9", "2"))
		r.settle()
		r.accept(r.message("!status"))
		r.settle()
		if texts := r.chat.texts(); strings.Contains(texts[len(texts)-1], "no conversation") {
			t.Errorf("shows %q", texts)
		}
	})
}

// TestCommandOfAnAppThatIsGone: whoever waits is told.
func TestCommandOfAnAppThatIsGone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, d, _ := newDesk(t)
		for i, name := range []string{"status", "retry"} {
			ev := r.slash(name, "")
			ev.Bot, ev.Sender.Key = "acme", fmt.Sprint("test:", i)
			p := core.Pending{Conv: core.NewConvKey("acme", "gone", core.Place{Room: name}, ""), App: "gone", At: ev.Place(), Event: ev, Recv: time.Now().UnixMilli()}
			if _, _, err := r.store.Put(t.Context(), core.Put{Pending: p}); err != nil {
				t.Fatal(err)
			}
		}
		r.start()
		r.settle()
		texts := r.chat.texts()
		if len(texts) != 2 || !strings.Contains(texts[0], "set up") || !strings.Contains(texts[1], "set up") {
			t.Errorf("shows %q, answered %q", texts, d.said())
		}
	})
}

// TestCommandWhileTheDiskIsFull: what comes again until it can be stored does not use up its person's limit.
func TestCommandWhileTheDiskIsFull(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, d, l := newDesk(t)
		r.set.Feedback.Buttons = true
		full := &disk{Store: storetest.Open(t, store.Options{})}
		b, err := core.New(core.Config{
			Store: full, Apps: map[string]core.App{"support": l}, Bots: []core.BotConfig{{Settings: r.set, Platform: d}}, Log: slog.New(slog.DiscardHandler),
		})
		if err != nil {
			t.Fatal(err)
		}
		ctx, stop := context.WithCancel(context.Background())
		done := make(chan error, 1)
		go func() { done <- b.Run(ctx) }()
		<-r.chat.started
		full.full.Store(true)
		command, press := r.message("!help"), r.press(core.MessageRef{Place: core.Place{Room: "D1"}, ID: "b1"}, "like", "👍")
		for range 30 {
			if err := r.chat.host.Accept(t.Context(), command); !errors.Is(err, errDisk) {
				t.Fatalf("accepted: %v", err)
			}
			_ = r.chat.host.Accept(t.Context(), press)
		}
		full.full.Store(false)
		r.accept(command)
		r.settle()
		if texts := r.chat.texts(); len(texts) != 1 || !strings.Contains(texts[0], "`!help`") {
			t.Errorf("shows %q", texts)
		}
		stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}

// TestAdminByAnotherName: an admin whom the platform finds under the name in the configuration may delete.
func TestAdminByAnotherName(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, d, l := newDesk(t)
		r.platform = &staff{d}
		r.set.Admins = []string{"boss"}
		r.start()
		r.settle()
		r.ask("one")
		ev := r.message("!delete")
		ev.Sender = anna
		r.accept(ev)
		r.settle()
		if len(l.deleted) != 1 {
			t.Errorf("not deleted: %q", r.chat.texts())
		}
	})
}

// staff is a desk that finds anna under another name.
type staff struct{ *desk }

func (*staff) FindRoom(context.Context, string) (core.Room, bool, error) {
	return core.Room{}, false, nil
}

func (*staff) FindUser(_ context.Context, name string) (core.User, bool, error) {
	return anna, name == "boss", nil
}

// TestLookingIsNotTalking: who only opens a chat is not told what they may not do.
func TestLookingIsNotTalking(t *testing.T) {
	for _, why := range []string{"denied", "over the limit"} {
		t.Run(why, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r, _, _ := newDesk(t)
				if why == "denied" {
					r.set.Deny.Users = []string{minh.ID}
				}
				r.start()
				for range 30 {
					ev := r.message("")
					ev.Kind, ev.MessageID = core.KindOpened, ""
					r.accept(ev)
				}
				r.settle()
				texts := r.chat.texts()
				if why != "denied" && len(texts) == 1 && strings.Contains(texts[0], "Hello!") {
					return
				}
				if len(texts) > 0 {
					t.Errorf("shows %q", texts)
				}
			})
		})
	}
}

// ponderous is a library that takes its time to say how it opens.
type ponderous struct{ *library }

func (p *ponderous) Opening(ctx context.Context) (core.Opening, error) {
	<-time.After(time.Second)
	return p.library.Opening(ctx)
}

// TestGreetingAndQuestionAtOnce: one greeting, ahead of the answer.
func TestGreetingAndQuestionAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, _, l := newDesk(t)
		l.opening = core.Opening{Text: "Welcome", Prompts: []string{" ", "One?"}}
		r.asApp = &ponderous{l}
		r.start()
		start := r.message("")
		start.Kind = core.KindOpened
		r.accept(start)
		r.accept(r.message("one"))
		settle(10 * time.Second)
		if texts := r.chat.texts(); !slices.Equal(texts, []string{"Welcome", "Hello"}) {
			t.Errorf("shows %q", texts)
		}
		if got := r.chat.all()[0].buttons.All(); len(got) != 1 || got[0].Label != "One?" {
			t.Errorf("buttons %+v", got)
		}
	})
}

// TestNewWhereNoThreadsOpen: no person is sent to a thread that there cannot be.
func TestNewWhereNoThreadsOpen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		r.chat.limits.ReplyToRoom = true
		r.platform = &flat{r.chat}
		r.start()
		ev := r.message("!new")
		ev.Room, ev.Reach = core.Room{ID: "G1", Name: "group"}, core.ReachMention
		r.accept(ev)
		r.settle()
		if texts := r.chat.texts(); len(texts) != 1 || !strings.Contains(texts[0], "keep no conversation") && !strings.Contains(texts[0], "new conversation") {
			t.Errorf("shows %q", texts)
		}
	})
}

// flat is a platform without threads.
type flat struct{ core.Platform }

// TestRetryOfWhatWasNotAsked: the line that offers it is true also where the question has not gone out.
func TestRetryOfWhatWasNotAsked(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, _, _ := newDesk(t)
		r.set.Limits.AnswerTimeout = 5 * time.Second
		r.app.upload = func(ctx context.Context, _ string) error {
			<-ctx.Done()
			return ctx.Err()
		}
		r.start()
		ev := r.message("one")
		ev.Attachments = []core.Attachment{{Ref: "a", Name: "a.txt", Size: 1}}
		r.accept(ev)
		settle(20 * time.Second)
		if texts := r.chat.texts(); len(texts) != 1 || !strings.Contains(texts[0], "!retry") {
			t.Fatalf("shows %q", texts)
		}
		r.accept(r.message("!retry"))
		r.settle()
		if all := r.app.asked(); len(all) != 1 || all[0].Query != "one" {
			t.Errorf("asked %+v, shows %q", all, r.chat.texts())
		}
	})
}

// TestRetryOfFilesBySomebodyElse: ClickAI knows files by who sent them.
func TestRetryOfFilesBySomebodyElse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, _, _ := newDesk(t)
		r.app.memory = false
		r.app.answer = fails
		r.start()
		ev := r.inThread("one")
		ev.Attachments = []core.Attachment{{Ref: "a", Name: "a.txt", Size: 1}}
		r.accept(ev)
		r.settle()
		again := r.inThread("!retry")
		again.Sender = anna
		r.accept(again)
		r.settle()
		all := r.app.asked()
		if len(all) != 2 || len(all[1].Files) != 1 || all[1].User != minh.Key {
			t.Errorf("asked %+v", all)
		}
	})
}

// TestAfterOutlivesAFailure: the history up to the last answer is no answer to what comes later, whatever failed in between.
func TestAfterOutlivesAFailure(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, _, _ := newDesk(t)
		r.start()
		r.ask("yes")
		good := r.app.answer
		r.app.answer = fails
		r.ask("why?")
		r.app.answer = good
		if q := r.ask("yes"); q.After != "m1" || q.Conversation != "c1" {
			t.Errorf("asked %+v", q)
		}
	})
}

// TestCommandWhoseAnswerWaits holds that what a command says is said once, after a restart too, and as if it had gone well at once.
func TestCommandWhoseAnswerWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, _, l := newDesk(t)
		r.start()
		r.ask("one")
		r.chat.failing(func(op string, _ int) error {
			if op == "post" {
				return &core.Error{Op: "chat.Post", Class: core.Transient}
			}
			return nil
		})
		r.accept(r.message("!delete"))
		r.settle()
		r.stop()
		r.chat.failing(nil)
		r.restart()
		settle(time.Minute)
		if texts := r.chat.texts(); len(texts) != 2 || !strings.Contains(texts[1], "is deleted") || len(l.deleted) != 1 {
			t.Errorf("shows %q, deleted %q", texts, l.deleted)
		}
	})
}

// lag is a store whose answer to Put takes its time.
type lag struct {
	core.Store
	by time.Duration
}

func (l *lag) Put(ctx context.Context, p core.Put) (core.Pending, bool, error) {
	stored, fresh, err := l.Store.Put(ctx, p)
	<-time.After(l.by)
	return stored, fresh, err
}

// TestCommandTakenAtOnce: a worker that takes a command as soon as it is stored answers it in the platform's own way.
func TestCommandTakenAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, d, l := newDesk(t)
		s := &lag{Store: storetest.Open(t, store.Options{}), by: 5 * time.Second}
		b, err := core.New(core.Config{
			Store: s, Apps: map[string]core.App{"support": &sleepy{l}}, Bots: []core.BotConfig{{Settings: r.set, Platform: d}}, Log: slog.New(slog.DiscardHandler),
		})
		if err != nil {
			t.Fatal(err)
		}
		ctx, stop := context.WithCancel(context.Background())
		done := make(chan error, 1)
		go func() { done <- b.Run(ctx) }()
		<-r.chat.started
		r.accept(r.slash("conversations", "")) // takes longer than the next one needs to be stored
		r.accept(r.slash("status", ""))
		settle(time.Minute)
		if said := d.said(); len(said) != 2 || len(r.chat.texts()) != 0 {
			t.Errorf("answered %q, shows %q", said, r.chat.texts())
		}
		stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}

// sleepy is a library that looks for conversations for a while.
type sleepy struct{ *library }

func (s *sleepy) Conversations(ctx context.Context, user string, limit int) ([]core.PastConversation, error) {
	<-time.After(3 * time.Second)
	return s.library.Conversations(ctx, user, limit)
}

// TestRefusalOncePerMinute: what is refused is one line a minute for each person.
func TestRefusalOncePerMinute(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, _, _ := newDesk(t)
		r.start()
		for range 3 {
			r.accept(r.inThread("!conversations"))
			r.settle()
		}
		if texts := r.chat.texts(); len(texts) != 1 {
			t.Errorf("shows %q", texts)
		}
	})
}
