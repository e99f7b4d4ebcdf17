package core_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/clickai/bridge/core"
)

// group is a message in a room without threads.
func (r *rig) group(from core.User, text string) core.Event {
	ev := r.message(text)
	ev.Room, ev.Reach, ev.Sender = core.Room{ID: "G1", Name: "group"}, core.ReachReply, from
	return ev
}

// asksWhy has Minh dislike an answer in a group, and returns the message that asks what was wrong.
func (r *rig) asksWhy() core.MessageRef {
	r.t.Helper()
	r.accept(r.group(minh, "one"))
	r.settle()
	press := r.press(r.chat.all()[0].ref, "dislike", "👎")
	press.Room = core.Room{ID: "G1", Name: "group"}
	r.accept(press)
	r.accept(press) // delivered twice
	r.settle()
	all := r.chat.all()
	if len(all) != 2 || !strings.Contains(all[1].versions[0], "What was wrong") {
		r.t.Fatalf("shows %q", r.chat.texts())
	}
	return all[1].ref
}

func newGroup(t *testing.T) *rig {
	r := newRig(t)
	r.chat.limits.Buttons = 2
	r.set.Feedback.Buttons = true
	return r
}

// TestReplyToTheQuestionWhy: only the words of whom it asks are a reason; somebody else's are a question like any other.
func TestReplyToTheQuestionWhy(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newGroup(t)
		r.start()
		why := r.asksWhy()
		r.restart()
		other := r.group(anna, "and what about me?")
		other.ReplyTo = why.ID
		r.accept(other)
		r.settle()
		if all := r.app.asked(); len(all) != 2 || !strings.HasSuffix(all[1].Query, "and what about me?") {
			t.Errorf("asked %+v", all)
		}
		reason := r.group(minh, "it is rude")
		reason.ReplyTo = why.ID
		r.accept(reason)
		r.settle()
		rated := r.app.rated()
		if last := rated[len(rated)-1]; last.Content != "👎 Minh (test:U1): it is rude" || len(r.app.asked()) != 2 {
			t.Errorf("rated %+v", rated)
		}
	})
}

// TestReasonOfATakenBackRating: it is not passed over in silence.
func TestReasonOfATakenBackRating(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newGroup(t)
		r.start()
		why := r.asksWhy()
		back := r.group(minh, "")
		back.Kind, back.MessageID = core.KindReaction, r.chat.all()[0].ref.ID
		back.Reaction = &core.Reaction{Emoji: "👎"}
		r.accept(back)
		reason := r.group(minh, "it is rude")
		reason.ReplyTo = why.ID
		r.accept(reason)
		r.settle()
		texts := r.chat.texts()
		if last := texts[len(texts)-1]; !strings.Contains(last, "do not remember") {
			t.Errorf("shows %q", texts)
		}
	})
}

// TestManyWhys: what is remembered of them is bounded.
func TestManyWhys(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newGroup(t)
		r.set.Limits.TurnsPerUser = core.PerTime{}
		r.start()
		r.asksWhy()
		for i := range 300 {
			press := r.press(r.chat.all()[0].ref, "dislike", "👎")
			press.Room.ID = "G1"
			press.Sender.Key = fmt.Sprint("test:many", i)
			r.accept(press)
			synctest.Wait()
		}
		r.settle()
		kept, err := r.store.Cursor(t.Context(), "acme", "whys")
		if n := strings.Count(kept, `"about"`); err != nil || n != 200 {
			t.Errorf("%d are remembered, %v", n, err)
		}
	})
}

// slowWhy is a chat whose call that posts the question what was wrong returns late: people see it before.
type slowWhy struct {
	*chat
	done chan func() error // what becomes of the call
	just bool              // it goes well in the very moment that its context ends
}

func (s *slowWhy) Post(ctx context.Context, p core.Post) (core.MessageRef, error) {
	ref, err := s.chat.Post(ctx, p)
	if err != nil || !strings.Contains(p.Part.Text, "What was wrong") {
		return ref, err
	}
	select {
	case become := <-s.done:
		return ref, become()
	case <-ctx.Done():
		if s.just {
			return ref, nil
		}
		return core.MessageRef{}, ctx.Err()
	}
}

// early has Minh asked what was wrong, and returns the message that asks it, which the bridge does not know of yet.
func early(t *testing.T) (*rig, *slowWhy, core.MessageRef) {
	t.Helper()
	r := newGroup(t)
	slow := &slowWhy{chat: r.chat, done: make(chan func() error)}
	r.platform = slow
	r.start()
	return r, slow, r.asksWhy()
}

// delivers hands an event on and returns what has become of it once that is known.
func (r *rig) delivers(ctx context.Context, ev core.Event) (taken chan error) {
	taken = make(chan error, 1)
	go func() { taken <- r.chat.host.Accept(ctx, ev) }()
	synctest.Wait()
	return taken
}

func (r *rig) reply(from core.User, to, text string) core.Event {
	ev := r.group(from, text)
	ev.ReplyTo = to
	return ev
}

// wantsReason wants the last rating to have Minh's reason, and so many questions to have been asked.
func (r *rig) wantsReason(questions int) {
	r.t.Helper()
	r.settle()
	rated := r.app.rated()
	if len(rated) == 0 || rated[len(rated)-1].Content != "👎 Minh (test:U1): it is rude" {
		r.t.Errorf("rated %+v", rated)
	}
	if all := r.app.asked(); len(all) != questions {
		r.t.Errorf("asked %+v", all)
	}
}

// TestReplyBeforeTheQuestionWhyIsNoted: it waits until that is, or is given up.
func TestReplyBeforeTheQuestionWhyIsNoted(t *testing.T) {
	for _, tt := range []struct {
		name   string
		become func() error // nil: the call never returns
		takes  time.Duration
		reason bool
	}{
		{"noted", func() error { return nil }, 0, true},
		{"post failed", func() error { return &core.Error{Op: "chat.Post", Class: core.Transient} }, 0, false},
		{"panic", func() error { panic("a bug") }, 0, false},
		{"waited too long", nil, 5 * time.Second, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r, slow, why := early(t)
				began := time.Now()
				taken := r.delivers(t.Context(), r.reply(minh, why.ID, "it is rude"))
				if len(taken) != 0 {
					t.Fatal("the reply is judged already")
				}
				if tt.become != nil {
					slow.done <- tt.become
				}
				if err := <-taken; err != nil || time.Since(began) != tt.takes {
					t.Errorf("Accept: %v, after %v", err, time.Since(began))
				}
				if tt.reason {
					r.wantsReason(1)
					return
				}
				r.settle()
				if all := r.app.asked(); len(all) != 2 || !strings.HasSuffix(all[1].Query, "it is rude") {
					t.Errorf("asked %+v", all)
				}
				// Nothing is left that another reply would wait for.
				if taken := r.delivers(t.Context(), r.reply(minh, "unknown", "and now?")); len(taken) != 1 {
					t.Error("another reply waits")
				}
			})
		})
	}
}

// TestReplyBeforeTheQuestionWhyDoesNotOutlastItsContext: it is delivered again, and is the reason then.
// TestReplyWaitsForAllQuestionsTogether holds that somebody who is being asked about two answers holds a platform up no longer
// than for one.
func TestReplyWaitsForAllQuestionsTogether(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, _, why := early(t)
		r.accept(r.group(minh, "two"))
		r.settle()
		all := r.chat.all()
		press := r.press(all[len(all)-1].ref, "dislike", "👎")
		press.Room = core.Room{ID: "G1", Name: "group"}
		r.accept(press)
		r.settle()
		if n := strings.Count(strings.Join(r.chat.texts(), " "), "What was wrong"); n != 2 {
			t.Fatalf("asks what was wrong %d times: %q", n, r.chat.texts())
		}
		began := time.Now()
		if err := <-r.delivers(t.Context(), r.reply(minh, why.ID, "both are rude")); err != nil || time.Since(began) != 5*time.Second {
			t.Errorf("Accept: %v, after %v", err, time.Since(began))
		}
	})
}

func TestReplyBeforeTheQuestionWhyDoesNotOutlastItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, slow, why := early(t)
		reply := r.reply(minh, why.ID, "it is rude")
		ctx, cancel := context.WithCancel(t.Context())
		taken := r.delivers(ctx, reply)
		cancel()
		if err := <-taken; !errors.Is(err, context.Canceled) {
			t.Errorf("Accept: %v", err)
		}
		slow.done <- func() error { return nil }
		r.accept(reply)
		r.wantsReason(1)
	})
}

// TestQuestionWhyIsNotedAtTheEnd: a reply to what was posted as the bridge stopped is a reason for the next one.
func TestQuestionWhyIsNotedAtTheEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, slow, why := early(t)
		slow.just = true
		r.restart()
		r.accept(r.reply(minh, why.ID, "it is rude"))
		r.wantsReason(1)
	})
}

// TestOtherRepliesDoNotWait: while Minh is asked in a group, all else is taken at once.
func TestOtherRepliesDoNotWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, slow, why := early(t)
		elsewhere := r.reply(minh, why.ID, "in another room")
		elsewhere.Room.ID = "G2"
		ambient := r.reply(minh, "h1", "to somebody else")
		ambient.Reach = core.ReachAmbient
		for _, ev := range []core.Event{
			r.reply(anna, why.ID, "somebody else's"), elsewhere, ambient, r.group(minh, "no reply"),
			r.reply(minh, r.chat.all()[0].ref.ID, "to an answer"),
		} {
			if taken := r.delivers(t.Context(), ev); len(taken) != 1 {
				t.Errorf("%q waits", ev.Text)
			}
			r.settle() // or one turn would answer several
		}
		slow.done <- func() error { return nil }
		r.accept(r.reply(minh, why.ID, "it is rude"))
		r.wantsReason(5)
	})
}
