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

func TestStoppedInTheMiddleOfAnAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		r.grace = 2 * time.Second
		r.app.answer = says("c1", "m1", slices.Repeat([]string{"x"}, 600)...)
		r.start()
		r.accept(r.message("hi"))
		settle(3 * time.Second)
		r.stop()
		r.app = newApp()
		r.app.answer = says("c1", "m1", "whole answer")
		r.restart()
		settle(10 * time.Second)
		q := r.app.asked()
		if len(q) != 1 || !q[0].Retried || q[0].MessageID != "m1" || q[0].Conversation != "c1" || q[0].Query != "hi" {
			t.Fatalf("questions after the restart = %+v, want the one that ran, with its ids", q)
		}
		if got := r.chat.texts(); !slices.Equal(got, []string{"whole answer"}) {
			t.Errorf("texts = %q, want the same message completed", got)
		}
	})
}

func TestAnswerTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		r.set.Limits.AnswerTimeout = 5 * time.Second
		r.app.answer = says("c1", "m1", slices.Repeat([]string{"x"}, 600)...)
		r.start()
		r.accept(r.message("hi"))
		settle(20 * time.Second)
		text := r.chat.texts()[0]
		if !strings.HasPrefix(text, "xxxx") || !strings.Contains(text, "took too long") || !strings.Contains(text, "(ref ") {
			t.Errorf("text = %q, want what there was, one line and a reference", text)
		}
		if !slices.Equal(r.app.stopped, []string{"task-m1"}) {
			t.Errorf("stopped = %q, want the task ended at ClickAI too", r.app.stopped)
		}
	})
}

func TestAppFailures(t *testing.T) {
	fails := func(n core.Notice, begun bool) func(context.Context, core.Question) iter.Seq2[core.Delta, error] {
		return func(context.Context, core.Question) iter.Seq2[core.Delta, error] {
			return func(yield func(core.Delta, error) bool) {
				if begun && !yield(core.Delta{Kind: core.DeltaText, Text: "half"}, nil) {
					return
				}
				yield(core.Delta{}, &core.AppError{Notice: n, Begun: begun, Err: errNet})
			}
		}
	}
	tests := []struct {
		name   string
		answer func(context.Context, core.Question) iter.Seq2[core.Delta, error]
		want   string
	}{
		{"setup", fails(core.Notice{Kind: core.NoticeSetup}, false), "⚠️ I am not set up correctly. Please tell whoever runs me. (ref "},
		{"refused", fails(core.Notice{Kind: core.NoticeError, Detail: "no *bold* here"}, false), `⚠️ I could not answer: no \*bold\* here (ref `},
		{"half", fails(core.Notice{Kind: core.NoticeCut}, true), "half\n\n⚠️ The answer broke off. `!retry` asks again. (ref "},
		{"panic", func(context.Context, core.Question) iter.Seq2[core.Delta, error] {
			return func(func(core.Delta, error) bool) { panic("boom") }
		}, "⚠️ I could not get an answer. `!retry` asks again. (ref "},
		{"empty", says("c1", "m1"), "⚠️ The app gave no answer. (ref "},
		{"no end", func(context.Context, core.Question) iter.Seq2[core.Delta, error] {
			return func(yield func(core.Delta, error) bool) { yield(core.Delta{Kind: core.DeltaText, Text: "half"}, nil) }
		}, "half\n\n⚠️ The answer broke off. `!retry` asks again. (ref "},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t)
				r.app.answer = tt.answer
				r.start()
				r.accept(r.message("hi"))
				settle(10 * time.Second)
				got := r.chat.texts()
				if len(got) != 1 || !strings.HasPrefix(got[0], tt.want) {
					t.Errorf("texts = %q, want one that starts %q", got, tt.want)
				}
				if strings.Contains(strings.Join(got, ""), "connection reset") {
					t.Error("the person sees an internal error")
				}
			})
		})
	}
}

func TestBusyLineGoesWhenTheAnswerComes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		r.app.answer = func(context.Context, core.Question) iter.Seq2[core.Delta, error] {
			return func(yield func(core.Delta, error) bool) {
				_ = yield(core.Delta{Kind: core.DeltaWaiting, Wait: 8 * time.Second}, nil)
				<-time.After(8 * time.Second)
				_ = yield(core.Delta{Kind: core.DeltaText, Text: "done"}, nil)
				_ = yield(core.Delta{Kind: core.DeltaEnd}, nil)
			}
		}
		r.start()
		r.accept(r.message("hi"))
		settle(20 * time.Second)
		v := r.chat.all()[0].versions
		if !strings.Contains(v[0], "keep trying") || v[len(v)-1] != "done" {
			t.Errorf("versions = %q, want the busy line and then the answer alone", v)
		}
	})
}

func TestReplaceShortensTheReply(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		r.chat.most = 10
		r.app.answer = func(context.Context, core.Question) iter.Seq2[core.Delta, error] {
			return func(yield func(core.Delta, error) bool) {
				_ = yield(core.Delta{Kind: core.DeltaText, Text: strings.Repeat("x", 35)}, nil)
				<-time.After(10 * time.Second)
				_ = yield(core.Delta{Kind: core.DeltaReplace, Text: "removed"}, nil)
				_ = yield(core.Delta{Kind: core.DeltaEnd}, nil)
			}
		}
		r.start()
		r.accept(r.message("hi"))
		settle(time.Minute)
		if got := r.chat.texts(); !slices.Equal(got, []string{"removed"}) {
			t.Errorf("texts = %q, want the replacement alone", got)
		}
	})
}

func TestNextTurnDoesNotWaitForAPaceThatNothingNeeds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		r.chat.limits.EditGap = 10 * time.Second
		r.start()
		r.accept(r.message("one"))
		settle(time.Second)
		r.accept(r.message("two"))
		settle(time.Second)
		if n := len(r.app.asked()); n != 2 {
			t.Errorf("asked %d times within 2 s, want 2: the first answer stood whole after its post", n)
		}
	})
}

// TestQuestionWaitsForNoPlatformCall has a platform that is slow at everything: the question goes out at once.
func TestQuestionWaitsForNoPlatformCall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		r.chat.takes = 10 * time.Second
		asked := make(chan time.Time, 1)
		answer := r.app.answer
		r.app.answer = func(ctx context.Context, q core.Question) iter.Seq2[core.Delta, error] {
			asked <- time.Now()
			return answer(ctx, q)
		}
		r.start()
		ev := r.message("hi")
		ev.Room, ev.Reach, ev.Roots = core.Room{ID: "C1"}, core.ReachMention, ev.MessageID
		began := time.Now()
		r.accept(ev)
		if waited := (<-asked).Sub(began); waited > 0 {
			t.Errorf("the question waited %v while the thread was opened", waited)
		}
		settle(time.Minute)
		if got := r.chat.texts(); !slices.Equal(got, []string{"Hello"}) {
			t.Errorf("texts = %q", got)
		}
	})
}

// TestPanicOfAnAdapterEndsOneTurn has a renderer that panics on one answer: the turn ends, and the next one is answered.
func TestPanicOfAnAdapterEndsOneTurn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		r.app.answer = says("c1", "m%d", "poison")
		r.start()
		r.accept(r.message("one"))
		settle(5 * time.Second)
		r.app.answer = says("c1", "m%d", "fine")
		r.accept(r.message("two"))
		settle(5 * time.Second)
		if got := r.chat.texts(); !slices.Equal(got, []string{"fine"}) {
			t.Errorf("texts = %q, want the second answer", got)
		}
		r.restart()
		settle(5 * time.Second)
		if n := len(r.app.asked()); n != 2 {
			t.Errorf("asked %d times, want 2: the first turn has ended", n)
		}
	})
}
