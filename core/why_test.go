package core_test

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"

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
