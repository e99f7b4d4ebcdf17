package core_test

import (
	"context"
	"fmt"
	"iter"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/clickai/bridge/core"
)

// settle lets everything go on until nothing more happens for a while.
func settle(d time.Duration) {
	<-time.After(d) // the clock is the bubble's
	synctest.Wait()
}

func TestAnswerGrowsInPlace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		pieces := make([]string, 50)
		for i := range pieces {
			pieces[i] = fmt.Sprintf("word%d ", i)
		}
		r.app.answer = says("c1", "m1", pieces...)
		r.start()
		r.accept(r.message("hi"))
		settle(20 * time.Second)

		msgs := r.chat.all()
		if len(msgs) != 1 {
			t.Fatalf("%d messages, want 1", len(msgs))
		}
		v := msgs[0].versions
		if want := strings.Join(pieces, ""); v[len(v)-1] != want {
			t.Errorf("last text = %q, want %q", v[len(v)-1], want)
		}
		if v[0] != "word0 " {
			t.Errorf("first text = %q, want the first piece at once", v[0])
		}
		// 5 s of answer at one edit a second: the post, four or five edits, the last one.
		if len(v) < 5 || len(v) > 7 {
			t.Errorf("%d versions, want 5 to 7: %q", len(v), v)
		}
		for i := 1; i < len(v); i++ {
			if !strings.HasPrefix(v[i], v[i-1]) {
				t.Errorf("version %d does not grow from the one before", i)
			}
		}
		calls := r.chat.callLog()
		for i := 1; i < len(calls); i++ {
			if gap := calls[i].at.Sub(calls[i-1].at); gap < time.Second {
				t.Errorf("calls %d and %d are %v apart, want at least 1s", i-1, i, gap)
			}
		}
	})
}

func TestSlowPlatformGetsNewestText(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		r.chat.takes = 3 * time.Second
		pieces := slices.Repeat([]string{"x"}, 100)
		r.app.answer = says("c1", "m1", pieces...)
		r.start()
		r.accept(r.message("hi"))
		settle(time.Minute)
		v := r.chat.all()[0].versions
		if v[len(v)-1] != strings.Repeat("x", 100) {
			t.Errorf("last text has %d characters, want 100", len(v[len(v)-1]))
		}
		if len(v) > 5 {
			t.Errorf("%d versions in 10 s at 4 s each, want no backlog", len(v))
		}
		if r.chat.overlaps > 0 {
			t.Errorf("%d calls overlapped on one message", r.chat.overlaps)
		}
	})
}

func TestSecondTurnContinuesConversation(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		r.start()
		r.accept(r.message("one"))
		settle(5 * time.Second)
		second := r.message("two")
		second.Sender = anna
		r.accept(second)
		settle(5 * time.Second)
		q := r.app.asked()
		if len(q) != 2 {
			t.Fatalf("asked %d times, want 2", len(q))
		}
		if q[0].Conversation != "" || q[1].Conversation != "c1" {
			t.Errorf("conversations = %q, %q, want \"\", c1", q[0].Conversation, q[1].Conversation)
		}
		if q[1].User != minh.Key {
			t.Errorf("user of the second turn = %q, want the one that began the conversation", q[1].User)
		}
		if q[1].Query != "Anna: two" {
			t.Errorf("query = %q, want the name of the second person before it", q[1].Query)
		}
		third := r.message("three")
		r.accept(third)
		settle(5 * time.Second)
		if got := r.app.asked()[2].Query; got != "Minh: three" {
			t.Errorf("query = %q: once two people speak, everyone is named", got)
		}
	})
}

func TestWaitingMessagesOfOnePersonAreOneQuestion(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		r.app.answer = says("c1", "m%d", "a", "b", "c", "d", "e")
		r.start()
		r.accept(r.message("first"))
		synctest.Wait()
		r.accept(r.message("second"))
		r.accept(r.message("third"))
		other := r.message("fourth")
		other.Sender = anna
		r.accept(other)
		r.accept(r.message("fifth"))
		settle(30 * time.Second)
		var got []string
		for _, q := range r.app.asked() {
			got = append(got, q.Query)
		}
		want := []string{"first", "second\nthird", "Anna: fourth", "Minh: fifth"}
		if !slices.Equal(got, want) {
			t.Errorf("queries = %q, want %q", got, want)
		}
		if r.app.most != 1 {
			t.Errorf("%d turns of one conversation ran at once", r.app.most)
		}
	})
}

func TestConversationsRunSideBySide(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		r.app.answer = says("", "m%d", slices.Repeat([]string{"x"}, 50)...)
		r.start()
		for i := range 20 {
			ev := r.message("hi")
			ev.Room.ID = fmt.Sprint("D", i)
			ev.Sender.Key = fmt.Sprint("test:", i)
			r.accept(ev)
		}
		settle(8 * time.Second)
		if got := len(r.chat.texts()); got != 20 {
			t.Errorf("%d answers after 8 s, want 20", got)
		}
		if r.app.most != 20 {
			t.Errorf("%d turns at once, want 20", r.app.most)
		}
	})
}

func TestDuplicateIsAnsweredOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		r.start()
		ev := r.message("hi")
		r.accept(ev)
		r.accept(ev)
		settle(5 * time.Second)
		r.accept(ev)
		settle(5 * time.Second)
		r.restart()
		r.accept(ev)
		settle(5 * time.Second)
		if n := len(r.app.asked()); n != 1 {
			t.Errorf("asked %d times, want 1", n)
		}
	})
}

func TestAlbumIsOneQuestion(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		r.start()
		for i := range 3 {
			ev := r.message("")
			if i == 0 {
				ev.Text = "look"
			}
			ev.Group = "album"
			ev.Attachments = []core.Attachment{{Ref: fmt.Sprint("photo", i), Name: fmt.Sprint(i, ".jpg"), Size: 6}}
			r.accept(ev)
			<-time.After(400 * time.Millisecond)
		}
		settle(10 * time.Second)
		q := r.app.asked()
		if len(q) != 1 || len(q[0].Files) != 3 || q[0].Query != "look" {
			t.Errorf("questions = %+v, want one with three files", q)
		}
	})
}

func TestRateLimitOfAnEdit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		r.app.answer = says("c1", "m1", slices.Repeat([]string{"x"}, 60)...)
		r.chat.failing(func(op string, n int) error {
			if op == "edit" && n == 2 {
				return &core.Error{Op: "chat.Edit", Class: core.RateLimited, RetryAfter: 10 * time.Second}
			}
			return nil
		})
		r.start()
		r.accept(r.message("hi"))
		settle(time.Minute)
		calls := r.chat.callLog()
		if gap := calls[3].at.Sub(calls[2].at); gap < 10*time.Second {
			t.Errorf("next call %v after the 429, want at least 10s", gap)
		}
		v := r.chat.all()[0].versions
		if v[len(v)-1] != strings.Repeat("x", 60) {
			t.Errorf("last text has %d characters, want all 60", len(v[len(v)-1]))
		}
	})
}

func TestLastEditIsTriedUntilItStands(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		r.app.answer = says("c1", "m1", "a", "b")
		r.chat.failing(func(op string, n int) error {
			if op == "edit" && n < 8 {
				return &core.Error{Op: "chat.Edit", Class: core.Transient, Err: errNet}
			}
			return nil
		})
		r.start()
		r.accept(r.message("hi"))
		settle(5 * time.Minute)
		if got := r.chat.texts(); !slices.Equal(got, []string{"ab"}) {
			t.Errorf("texts = %q, want the whole answer", got)
		}
	})
}

func TestMessageGoneIsPostedAnew(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		r.app.answer = says("c1", "m1", slices.Repeat([]string{"x"}, 30)...)
		r.chat.failing(func(op string, n int) error {
			if op == "edit" && n == 1 {
				return &core.Error{Op: "chat.Edit", Class: core.MessageGone}
			}
			return nil
		})
		r.start()
		r.accept(r.message("hi"))
		settle(time.Minute)
		msgs := r.chat.all()
		last := msgs[len(msgs)-1]
		if len(msgs) != 2 || last.versions[len(last.versions)-1] != strings.Repeat("x", 30) {
			t.Errorf("messages = %+v, want a second one with the whole answer", msgs)
		}
		if msgs[0].nonce == last.nonce {
			t.Error("the new message has the nonce of the one that is gone: a platform would give that one back")
		}
	})
}

func TestRoomGoneEndsTheTurn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		r.app.answer = says("c1", "m%d", slices.Repeat([]string{"x"}, 3000)...)
		r.chat.failing(func(string, int) error {
			return &core.Error{Op: "chat", Class: core.RoomGone}
		})
		r.start()
		r.accept(r.message("hi"))
		settle(5 * time.Second)
		if r.app.running != 0 {
			t.Error("the app goes on answering into a room that is gone")
		}
		r.chat.failing(nil)
		r.accept(r.message("again"))
		settle(5 * time.Second)
		if n := len(r.app.asked()); n != 2 {
			t.Errorf("asked %d times, want 2: the conversation goes on", n)
		}
	})
}

func TestRefusedTokenKeepsTheQuestion(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		r.chat.failing(func(string, int) error { return &core.Error{Op: "chat", Class: core.Auth} })
		r.start()
		r.accept(r.message("hi"))
		settle(10 * time.Second)
		r.chat.failing(nil)
		r.restart()
		settle(10 * time.Second)
		if got := r.chat.texts(); len(got) != 1 || got[0] != "Hello" {
			t.Errorf("texts = %q, want the answer after the token was mended", got)
		}
	})
}

func TestThreadGoneAnswersInTheRoom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		r.chat.failing(func(op string, n int) error {
			if op == "post" && n == 1 {
				return &core.Error{Op: "chat.Post", Class: core.ThreadGone}
			}
			return nil
		})
		r.start()
		ev := r.message("hi")
		ev.Room, ev.Thread, ev.Reach = core.Room{ID: "C1"}, "T1", core.ReachMention
		r.accept(ev)
		settle(5 * time.Second)
		msgs := r.chat.all()
		if len(msgs) != 1 || msgs[0].ref.Place != (core.Place{Room: "C1"}) {
			t.Errorf("messages = %+v, want one in the room", msgs)
		}
	})
}

func TestOpensThreadOfTheQuestion(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		r.start()
		ev := r.message("My printer smokes.\nWhat now?")
		ev.Room, ev.Reach, ev.Roots = core.Room{ID: "C1"}, core.ReachMention, ev.MessageID
		r.accept(ev)
		settle(5 * time.Second)
		msgs := r.chat.all()
		if len(msgs) != 1 || msgs[0].ref.Place != (core.Place{Room: "C1", Thread: ev.MessageID}) {
			t.Fatalf("messages = %+v, want one in the thread", msgs)
		}
		if !slices.Equal(r.chat.opened, []string{"My printer smokes."}) {
			t.Errorf("threads opened = %q", r.chat.opened)
		}
		// In the thread that the question opened, no mention is needed; elsewhere it is.
		follow := r.message("and then?")
		follow.Room, follow.Thread, follow.Reach = ev.Room, ev.MessageID, core.ReachAmbient
		r.accept(follow)
		stranger := r.message("lunch?")
		stranger.Room, stranger.Thread, stranger.Reach = ev.Room, "T9", core.ReachAmbient
		r.accept(stranger)
		settle(5 * time.Second)
		q := r.app.asked()
		if len(q) != 2 || q[1].Query != "and then?" || q[1].Conversation != "c1" {
			t.Errorf("questions = %+v, want the follow-up in the same conversation and nothing else", q)
		}
	})
}

func TestThreadContextGoesAlongOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		r.start()
		for _, text := range []string{"help", "more"} {
			ev := r.message(text)
			ev.Room, ev.Thread, ev.Reach = core.Room{ID: "C1"}, "T1", core.ReachMention
			r.accept(ev)
			settle(5 * time.Second)
		}
		q := r.app.asked()
		if want := "Tom: the printer smokes\nAnna: again?\n"; !strings.Contains(q[0].Query, want) || !strings.HasSuffix(q[0].Query, "\nhelp") {
			t.Errorf("query = %q, want the earlier messages ahead of the question", q[0].Query)
		}
		if q[1].Query != "more" {
			t.Errorf("second query = %q, want it without context", q[1].Query)
		}
	})
}

func TestAttachments(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		r.set.Attachments.MaxBytes.Document = 10
		r.set.Attachments.MaxCount = 3
		r.start()
		ev := r.message("")
		ev.Attachments = []core.Attachment{
			{Ref: "first", Name: "a.txt", Size: 5},
			{Ref: "more than ten bytes", Name: "big.txt", Size: 19},
			{Ref: "lies about its size", Name: "liar.txt", Size: -1},
			{Ref: "lost", Name: "lost.txt", Size: 4},
			{Ref: "late", Name: "late.txt", Size: 4},
		}
		r.accept(ev)
		settle(10 * time.Second)
		q := r.app.asked()[0]
		if len(q.Files) != 1 || q.Files[0].Name != "a.txt" || r.app.uploads["a.txt"] != "first" {
			t.Errorf("files = %+v, want a.txt alone", q.Files)
		}
		if q.Query != "Files: a.txt, big.txt, liar.txt, lost.txt, late.txt" {
			t.Errorf("query = %q, want it to name the files", q.Query)
		}
		text := r.chat.texts()[0]
		for _, want := range []string{`big\.txt is too large (at most 10B)`, `liar\.txt is too large`, `lost\.txt could not be fetched`, `late\.txt was left out\: at most 3 files`} {
			if !strings.Contains(text, want) {
				t.Errorf("reply %q does not say %q", text, want)
			}
		}
	})
}

// TestAttachmentFetchedAgain holds that a file goes along although the platform could not give it at first.
func TestAttachmentFetchedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		r.chat.flaky = map[string]int{"twice": 2, "for long": 3}
		r.start()
		ev := r.message("")
		ev.Attachments = []core.Attachment{{Ref: "twice", Name: "a.txt", Size: 5}, {Ref: "for long", Name: "b.txt", Size: 8}}
		r.accept(ev)
		settle(20 * time.Second)
		if q := r.app.asked()[0]; len(q.Files) != 1 || q.Files[0].Name != "a.txt" || r.app.uploads["a.txt"] != "twice" {
			t.Errorf("files = %+v, want a.txt alone", q.Files)
		}
		if text := r.chat.texts()[0]; !strings.Contains(text, `b\.txt could not be fetched`) {
			t.Errorf("reply %q does not tell of b.txt", text)
		}
	})
}

func TestQuestionsWaitingAreAnsweredAfterARestart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		r.grace = 0
		block := make(chan struct{})
		r.app.answer = func(ctx context.Context, _ core.Question) iter.Seq2[core.Delta, error] {
			return func(yield func(core.Delta, error) bool) {
				select {
				case <-block:
				case <-ctx.Done():
				}
				yield(core.Delta{}, ctx.Err())
			}
		}
		r.start()
		for i := range 5 {
			ev := r.message(fmt.Sprint("question ", i))
			ev.Room.ID = fmt.Sprint("D", i)
			ev.Sender.Key = fmt.Sprint("test:", i)
			r.accept(ev)
		}
		settle(time.Second)
		r.stop()
		r.store.Reopen()
		r.app = newApp()
		r.restart()
		settle(10 * time.Second)
		q := r.app.asked()
		if len(q) != 5 {
			t.Fatalf("asked %d, want 5", len(q))
		}
		for _, x := range q {
			if !x.Retried {
				t.Errorf("question %q may have been asked before the restart: it must say so", x.Query)
			}
		}
		if got := r.chat.texts(); !slices.Equal(got, slices.Repeat([]string{"Hello"}, 5)) {
			t.Errorf("texts = %q, want five answers", got)
		}
	})
}
