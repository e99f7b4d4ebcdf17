package core_test

import (
	"context"
	"fmt"
	"iter"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/clickai/bridge/core"
)

func deltas(ds ...core.Delta) func(context.Context, core.Question) iter.Seq2[core.Delta, error] {
	return func(context.Context, core.Question) iter.Seq2[core.Delta, error] {
		return func(yield func(core.Delta, error) bool) {
			for _, d := range ds {
				if !yield(d, nil) {
					return
				}
			}
		}
	}
}

func bubble(t *testing.T, f func(t *testing.T, r *rig)) {
	synctest.Test(t, func(t *testing.T) { f(t, newRig(t)) })
}

func TestResumeWithoutHistoryKeepsShown(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig) {
		r.grace = 0
		r.app.answer = says("c1", "m1", slices.Repeat([]string{"word "}, 600)...)
		r.start()
		r.accept(r.message("hi"))
		settle(10 * time.Second)
		before := r.chat.texts()
		r.stop()
		r.app = newApp()
		r.app.answer = func(context.Context, core.Question) iter.Seq2[core.Delta, error] {
			return func(yield func(core.Delta, error) bool) {
				yield(core.Delta{}, &core.AppError{Notice: core.Notice{Kind: core.NoticeCut}, Begun: true, Err: errNet})
			}
		}
		r.restart()
		settle(10 * time.Second)
		after := r.chat.texts()
		if !strings.HasPrefix(strings.Join(after, ""), "word ") {
			t.Errorf("before the restart: %.60q…, after it: %q", before, after)
		}
	})
}

func TestNonceAfterRestart(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig) {
		r.grace = 0
		r.chat.most, r.chat.dedupe = 10, true
		r.app.answer = says("c1", "m1", append([]string{"aaaaa"}, slices.Repeat([]string{""}, 600)...)...)
		r.start()
		r.accept(r.message("hi"))
		settle(5 * time.Second)
		r.stop()
		r.app = newApp()
		r.app.answer = says("c1", "m1", "aaaaaaaaaabbbbbbbbbbccccc")
		r.restart()
		settle(time.Minute)
		if got := r.chat.texts(); !slices.Equal(got, []string{"aaaaaaaaaa", "bbbbbbbbbb", "ccccc"}) {
			t.Errorf("texts %q", got)
		}
	})
}

func TestIDsAtShutdown(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig) {
		r.grace = 0
		r.chat.takes = 5 * time.Second
		r.app.answer = func(ctx context.Context, _ core.Question) iter.Seq2[core.Delta, error] {
			return func(yield func(core.Delta, error) bool) {
				_ = yield(core.Delta{Kind: core.DeltaStep, Text: "Look"}, nil)
				<-time.After(time.Second)
				_ = yield(core.Delta{Kind: core.DeltaIDs, Conversation: "c1", MessageID: "m1"}, nil)
				<-ctx.Done()
				yield(core.Delta{}, ctx.Err())
			}
		}
		r.start()
		r.accept(r.message("hi"))
		settle(3 * time.Second)
		r.stop()
		r.app = newApp()
		r.chat.takes = 0
		r.restart()
		settle(5 * time.Second)
		q := r.app.asked()[0]
		if q.MessageID != "m1" || q.Conversation != "c1" {
			t.Errorf("after an orderly stop the ids that came 2 s before it are gone: %+v", q)
		}
	})
}

func TestOutage(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig) {
		began := time.Now()
		r.chat.failing(func(string, int) error {
			if time.Since(began) < 20*time.Minute {
				return &core.Error{Op: "chat", Class: core.Transient, Err: errNet}
			}
			return nil
		})
		r.start()
		r.accept(r.message("hi"))
		settle(2 * time.Hour)
		r.restart()
		settle(time.Hour)
		if got := r.chat.texts(); len(got) == 0 {
			t.Errorf("accepted, asked %d times, and never answered after an outage of 20 minutes", len(r.app.asked()))
		}
	})
}

func TestBlank(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig) {
		r.app.answer = says("c1", "m1", "\n\n")
		r.start()
		r.accept(r.message("hi"))
		settle(time.Minute)
		if got := r.chat.texts(); len(got) == 0 {
			t.Error("nothing is shown")
		}
	})
}

func TestPaused(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig) {
		r.app.answer = deltas(core.Delta{Kind: core.DeltaNotice, Notice: core.Notice{Kind: core.NoticePaused, Detail: "Approve"}}, core.Delta{Kind: core.DeltaEnd})
		r.start()
		r.accept(r.message("hi"))
		settle(time.Minute)
		if got := r.chat.texts(); strings.Contains(got[0], "gave no answer") {
			t.Errorf("%q", got)
		}
	})
}

func TestAlbumInGroup(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig) {
		r.start()
		for i := range 3 {
			ev := r.message("")
			ev.Room, ev.Reach = core.Room{ID: "G1"}, core.ReachAmbient
			if i == 0 {
				ev.Text, ev.Reach = "look", core.ReachMention
			}
			ev.Group = "album"
			ev.Attachments = []core.Attachment{{Ref: "x", Name: fmt.Sprint(i, ".jpg"), Size: 1}}
			r.accept(ev)
		}
		settle(time.Minute)
		if q := r.app.asked(); len(q) != 1 || len(q[0].Files) != 3 {
			t.Errorf("%d questions, first with %d files, want 3", len(q), len(q[0].Files))
		}
	})
}

func TestAlbumsAgainstLimit(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig) {
		r.start()
		for a := range 3 {
			for i := range 10 {
				ev := r.message("")
				ev.Group = fmt.Sprint("album", a)
				ev.Attachments = []core.Attachment{{Ref: "x", Name: fmt.Sprint(i, ".jpg"), Size: 1}}
				r.accept(ev)
			}
			settle(8 * time.Second)
		}
		settle(time.Minute)
		if q := r.app.asked(); len(q) != 3 {
			t.Errorf("%d of 3 albums asked, limit %v turns: %q", len(q), r.set.Limits.TurnsPerUser, r.chat.texts())
		}
	})
}

func TestThreadGoneOnEdit(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig) {
		r.app.answer = says("c1", "m1", slices.Repeat([]string{"x"}, 40)...)
		r.chat.failing(func(op string, _ int) error {
			if op == "edit" {
				return &core.Error{Op: "chat.Edit", Class: core.ThreadGone}
			}
			return nil
		})
		r.start()
		ev := r.message("hi")
		ev.Room, ev.Thread, ev.Reach = core.Room{ID: "C1"}, "T1", core.ReachMention
		r.accept(ev)
		settle(time.Minute)
		if got := r.chat.texts(); !slices.Contains(got, strings.Repeat("x", 40)) {
			t.Errorf("%q, want the whole answer in the room", got)
		}
	})
}

func TestIntervalBetweenMessages(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig) {
		r.chat.most = 10
		r.set.Stream.Interval = 30 * time.Second
		r.app.answer = says("c1", "m1", strings.Repeat("x", 95))
		r.start()
		began := time.Now()
		r.accept(r.message("hi"))
		settle(10 * time.Minute)
		calls := r.chat.callLog()
		last := calls[len(calls)-1]
		if d := last.at.Sub(began); d > 31*time.Second {
			t.Errorf("%d messages, none of them edited, took %v", len(r.chat.texts()), d)
		}
	})
}

func TestReactionOnFile(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig) {
		f := core.FileOut{ID: "f", File: core.File{Name: "a.txt", Open: nil}}
		_ = f
		r.app.answer = deltas(core.Delta{Kind: core.DeltaIDs, Conversation: "c1", MessageID: "m1"}, core.Delta{Kind: core.DeltaText, Text: "see"},
			core.Delta{Kind: core.DeltaAudio, Audio: []byte("mp3")}, core.Delta{Kind: core.DeltaEnd})
		r.start()
		r.accept(r.message("hi"))
		settle(time.Minute)
		msgs := r.chat.all()
		last := msgs[len(msgs)-1]
		if last.file == nil {
			t.Fatal("no file")
		}
		r.accept(core.Event{
			Key: "r1", Kind: core.KindReaction, Room: core.Room{ID: "D1", Direct: true}, MessageID: last.ref.ID,
			Sender: minh, Reaction: &core.Reaction{Emoji: "👍", Added: true}, SentAt: time.Now(),
		})
		settle(time.Minute)
		if got := r.app.rated(); len(got) != 1 {
			t.Errorf("ratings %v, want the like", got)
		}
	})
}

func TestStaleTextBehindNonce(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig) {
		r.chat.dedupe = true
		r.chat.late = func(n int) error {
			if n == 1 {
				return &core.Error{Op: "chat.Post", Class: core.Transient, Maybe: true, Err: errNet}
			}
			return nil
		}
		r.app.answer = says("c1", "m1", "a", "b", "c")
		r.start()
		r.accept(r.message("hi"))
		settle(time.Minute)
		if got := r.chat.texts(); !slices.Equal(got, []string{"abc"}) {
			t.Errorf("%q, want the whole answer", got)
		}
	})
}

func TestNewTurnsAtShutdown(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig) {
		r.grace = 30 * time.Second
		r.app.answer = says("c1", "m%d", slices.Repeat([]string{"x"}, 100)...)
		r.start()
		for i := range 5 {
			ev := r.message(fmt.Sprint(i))
			ev.Sender.Key = fmt.Sprint("test:", i)
			r.accept(ev)
		}
		settle(time.Second)
		began := time.Now()
		r.stop()
		if n := len(r.app.asked()); n != 1 {
			t.Errorf("%d turns were begun, want only the one that ran at the signal; stop took %v", n, time.Since(began))
		}
	})
}

func TestSlowPlatformAtShutdown(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig) {
		r.grace = time.Second
		r.chat.stopping = time.Minute
		r.app.answer = says("c1", "m%d", slices.Repeat([]string{"x"}, 6000)...)
		r.start()
		r.accept(r.message("hi"))
		settle(time.Second)
		began := time.Now()
		r.stop()
		n := len(r.chat.all()[0].versions[len(r.chat.all()[0].versions)-1])
		if n > 30 {
			t.Errorf("with shutdown_timeout 1s the turn ran on for %v (%d characters)", time.Since(began), n)
		}
	})
}

func TestPostRefused(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig) {
		r.app.answer = says("c1", "m1", slices.Repeat([]string{"x"}, 30)...)
		r.chat.failing(func(op string, n int) error {
			if op == "post" && n == 1 {
				return &core.Error{Op: "chat.Post", Class: core.Invalid}
			}
			return nil
		})
		r.start()
		r.accept(r.message("hi"))
		settle(time.Minute)
		if got := r.chat.texts(); len(got) == 0 {
			t.Error("one refused state of the text, and the person gets nothing at all")
		}
	})
}

func TestCatchUpAfterACut(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig) {
		r.start()
		settle(10 * time.Hour)
		ev := r.message("hi")
		ev.SentAt = time.Now().Add(-6 * time.Hour)
		r.accept(ev)
		settle(time.Minute)
		if n := len(r.app.asked()); n != 0 {
			t.Errorf("a message of 6 hours ago is answered with catch_up %v", r.set.CatchUp)
		}
	})
}

func TestEditedToNothing(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig) {
		r.app.answer = says("c1", "m%d", slices.Repeat([]string{"x"}, 30)...)
		r.start()
		r.accept(r.message("one"))
		synctest.Wait()
		ev := r.message("two")
		r.accept(ev)
		ed := ev
		ed.Key, ed.Kind, ed.Text = "e1", core.KindEdit, ""
		r.accept(ed)
		settle(time.Minute)
		q := r.app.asked()
		if q[1].Query == "Files: " {
			t.Errorf("query %q", q[1].Query)
		}
	})
}

func TestAlbumInterleaved(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig) {
		r.set.Respond = "all"
		r.start()
		for i := range 4 {
			ev := r.message("")
			ev.Room, ev.Reach, ev.Group = core.Room{ID: "G1"}, core.ReachAmbient, "album"
			ev.Attachments = []core.Attachment{{Ref: "x", Name: fmt.Sprint(i, ".jpg"), Size: 1}}
			if i == 2 {
				ev.Sender, ev.Group, ev.Text, ev.Attachments = anna, "", "between", nil
			}
			r.accept(ev)
		}
		settle(time.Minute)
		q := r.app.asked()
		if len(q) != 2 {
			t.Errorf("%d questions, want 2: the album and what was said between", len(q))
		}
	})
}

func TestLostApp(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig) {
		r.set.Routes = []core.Route{{Rooms: []string{"D1"}, App: "sales"}}
		r.start()
		r.accept(r.message("hi"))
		settle(time.Minute)
		if got := r.chat.texts(); len(got) == 0 {
			t.Error("accepted and dropped without a word")
		}
	})
}

func TestLongQueryBound(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig) {
		r.app.answer = says("c1", "m%d", slices.Repeat([]string{"x"}, 20)...)
		r.set.Limits.TurnsPerUser = core.PerTime{}
		r.start()
		r.accept(r.message("one"))
		synctest.Wait()
		for range 20 {
			r.accept(r.message(strings.Repeat("y", 256<<10)))
		}
		settle(time.Minute)
		if n := len(r.app.asked()[1].Query); n > 256<<10 {
			t.Errorf("query of %d bytes", n)
		}
	})
}

// the journal's message that was posted while the stop came
func TestPostTakenAtShutdown(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig) {
		r.grace = 0
		r.chat.most = 1000
		var stop func()
		r.chat.late = func(n int) error {
			if n == 1 {
				go stop()
				<-time.After(time.Second) // the answer of the platform takes a second more; it does come
			}
			return nil
		}
		r.app.answer = says("c1", "m1", slices.Repeat([]string{"x"}, 100)...)
		r.start()
		stop = r.stop
		r.accept(r.message("hi"))
		settle(5 * time.Second)
		r.app = newApp()
		r.app.answer = says("c1", "m1", "whole")
		r.restart()
		settle(time.Minute)
		if got := r.chat.texts(); len(got) != 1 {
			t.Errorf("%q, want the message that was posted to be used", got)
		}
	})
}

func TestUploadsAreNotRepeatedAfterARestart(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig) {
		r.grace = 0
		var mu sync.Mutex
		uploads := map[string]int{}
		r.app.upload = func(ctx context.Context, name string) error {
			mu.Lock()
			uploads[name]++
			first := uploads[name] == 1
			mu.Unlock()
			if name == "slow.txt" && first {
				<-ctx.Done()
				return ctx.Err()
			}
			return nil
		}
		r.start()
		ev := r.message("look at these")
		ev.Attachments = []core.Attachment{{Name: "quick.txt", Size: 5, Ref: "quick"}, {Name: "slow.txt", Size: 4, Ref: "slow"}}
		r.accept(ev)
		settle(5 * time.Second)
		r.restart()
		settle(10 * time.Second)
		if uploads["quick.txt"] != 1 || uploads["slow.txt"] != 2 {
			t.Errorf("uploads = %v, want the one that was there left alone", uploads)
		}
		q := r.app.asked()
		if len(q) != 1 || len(q[0].Files) != 2 || q[0].Files[0].Name != "quick.txt" || q[0].Files[1].Name != "slow.txt" {
			t.Errorf("asked %+v, want both files in their order", q)
		}
	})
}

func TestWaitingQuestionsOfAnEarlierProcessAreAskedAsItWouldHaveAskedThem(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig) {
		conv := core.NewConvKey("acme", "support", core.Place{Room: "D1"}, "")
		for _, text := range []string{"first", "second", "third"} { // the process died before the journal of the first was stored
			ev := r.message(text)
			ev.Bot, ev.Platform = "acme", "test"
			p := core.Pending{Conv: conv, App: "support", At: ev.Place(), Event: ev, Recv: time.Now().UnixMilli()}
			if _, _, err := r.store.Put(t.Context(), core.Put{Pending: p, MaxWaiting: 20}); err != nil {
				t.Fatal(err)
			}
		}
		settle(time.Minute)
		r.app.answer = says("c1", "m%d", "Hello")
		r.start()
		settle(20 * time.Second)
		var got []string
		for _, q := range r.app.asked() {
			got = append(got, q.Query)
		}
		if want := []string{"first", "second", "third"}; !slices.Equal(got, want) {
			t.Fatalf("queries = %q, want %q: one that may be in the history alone is asked alone", got, want)
		}
		if !r.app.asked()[0].Retried {
			t.Error("the first was not looked up")
		}
	})
}

// mistaken is a chat that takes any message that may have been posted for the first one.
type mistaken struct{ *chat }

func (m *mistaken) Post(ctx context.Context, p core.Post) (core.MessageRef, error) {
	if all := m.all(); p.Again && len(all) > 0 {
		return all[0].ref, nil
	}
	return m.chat.Post(ctx, p)
}

func TestMessageIsNotTakenForTwo(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig) {
		r.grace = 0
		r.platform, r.chat.most = &mistaken{r.chat}, 10
		r.app.answer = says("c1", "m1", append([]string{"aaaaa"}, slices.Repeat([]string{""}, 600)...)...)
		r.start()
		r.accept(r.message("hi"))
		settle(5 * time.Second)
		r.app.answer = says("c1", "m1", "aaaaaaaaaabbbbbbbbbbccccc")
		r.restart()
		settle(time.Minute)
		if got := r.chat.texts(); !slices.Equal(got, []string{"aaaaaaaaaa", "bbbbbbbbbb", "ccccc"}) {
			t.Errorf("texts %q", got)
		}
	})
}
