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

// recorder writes down what it is told.
type recorder struct {
	mu   sync.Mutex
	told []string
}

func (r *recorder) note(format string, args ...any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.told = append(r.told, fmt.Sprintf(format, args...))
}

// take returns what was told since the last time, without what starts with one of skip.
func (r *recorder) take(skip ...string) []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	all := slices.DeleteFunc(r.told, func(s string) bool {
		return slices.ContainsFunc(skip, func(p string) bool { return strings.HasPrefix(s, p) })
	})
	r.told = nil
	return all
}

func (r *recorder) TurnBegan(t core.TurnStart) core.TurnObserver {
	r.note("began %s %s %s messages=%d files=%d resumed=%v", t.Bot, t.Platform, t.App, t.Messages, t.Attachments, t.Resumed)
	return recordedTurn{r}
}

func (r *recorder) Messaged(bot string, o core.MessageOutcome, late bool) {
	r.note("message %s %s late=%v", bot, o, late)
}

func (r *recorder) Called(_ string, c core.PlatformCall) { r.note("all: call %s %s", c.Kind, c.Class) }

func (r *recorder) Paced(_ string, kind core.ShowKind, urgent bool, waited time.Duration) {
	r.note("paced %s %v %v", kind, urgent, waited)
}

func (r *recorder) Shown(_ string, age time.Duration)     { r.note("shown %v", age) }
func (r *recorder) Connection(bot string, connected bool) { r.note("connection %s %v", bot, connected) }
func (r *recorder) Noticed(_ string, k core.NoticeKind)   { r.note("notice %s", k) }
func (r *recorder) Retried(app string, c core.AppCall)    { r.note("retried %s %s", app, c) }
func (r *recorder) RatingsWaiting(n int)                  { r.note("ratings %d", n) }

func (r *recorder) Rated(app string, rating core.Rating, o core.RatingOutcome) {
	r.note("rated %s %s %s", app, rating, o)
}

type recordedTurn struct{ *recorder }

func (r recordedTurn) Uploaded(bytes int64, _ time.Duration, class core.Class) {
	r.note("uploaded %d %s", bytes, class)
}
func (r recordedTurn) Asked()     { r.note("asked") }
func (r recordedTurn) Answering() { r.note("answering") }
func (r recordedTurn) Answered()  { r.note("answered") }
func (r recordedTurn) Called(c core.PlatformCall) {
	r.note("call %s %s %v", c.Kind, c.Class, c.RetryAfter)
}
func (r recordedTurn) FirstText()                  { r.note("first text") }
func (r recordedTurn) Requested(q core.AppRequest) { r.note("requested %s", q.Endpoint) }
func (r recordedTurn) Ended(e core.TurnEnd) {
	r.note("ended %s %s edits=%d messages=%d bytes=%d", e.Outcome, e.Reason, e.Edits, e.Messages, e.Bytes)
}

// same compares what was told.
func same(t *testing.T, got []string, want ...string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("told\n  %s\nwant\n  %s", strings.Join(got, "\n  "), strings.Join(want, "\n  "))
	}
}

func TestTurnIsTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, o := newRig(t), &recorder{}
		r.observer = o
		r.app.answer = func(ctx context.Context, q core.Question) iter.Seq2[core.Delta, error] {
			core.TellRequest(ctx, core.AppRequest{Endpoint: "POST /ask"})
			core.TellRetry(ctx, "support", core.AppAsk)
			return says("c1", "m1", "Hello ", "you ", "there", "!", "!", "!", "!", "!", "!", "!", "!", "!")(ctx, q)
		}
		r.chat.failing(func(op string, n int) error {
			if op == "edit" && n == 1 {
				return &core.Error{Op: "chat.Edit", Class: core.RateLimited, RetryAfter: 3 * time.Second}
			}
			return nil
		})
		r.start()
		same(t, o.take("ratings"), "connection acme true")
		ev := r.message("hi")
		ev.Attachments = []core.Attachment{{Ref: "abc", Name: "a.txt", Size: 3}, {Ref: "lost", Name: "b.txt", Size: 4}}
		r.accept(ev)
		settle(time.Minute)
		r.accept(ev)
		got := o.take("ratings", "call typing", "all: call typing")
		slices.Sort(got[2:6]) // uploads run side by side
		same(t, got,
			"message acme accepted late=false", "began acme test support messages=1 files=2 resumed=false",
			"asked", "requested POST /ask", "uploaded 3 ", "uploaded 4 not_found",
			"retried support ask", "answering",
			"all: call post ", "call post  0s", "shown 0s", "first text", // the first piece at once
			"all: call edit rate_limited", "call edit rate_limited 3s", "answered",
			"all: call edit ", "call edit  0s", "shown 3.9s",
			"ended answered  edits=2 messages=1 bytes=24", "message acme duplicate late=false")
	})
}

func TestFailuresAreTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, o := newRig(t), &recorder{}
		r.observer = o
		r.set.Limits.TurnsPerUser = core.PerTime{Count: 2, Per: time.Hour}
		r.app.answer = func(context.Context, core.Question) iter.Seq2[core.Delta, error] {
			return func(yield func(core.Delta, error) bool) {
				yield(core.Delta{}, &core.AppError{Notice: core.Notice{Kind: core.NoticeSetup}, Class: core.Invalid, Err: errNet})
			}
		}
		r.start()
		o.take()
		r.accept(r.message("hi"))
		settle(time.Minute)
		same(t, o.take("ratings", "call", "all:", "shown"), "message acme accepted late=false", "began acme test support messages=1 files=0 resumed=false", "asked", "answered",
			"notice setup", "ended failed setup edits=0 messages=1 bytes=0")

		// A place that cannot be written to.
		r.app.answer = says("c1", "m1", "Hello")
		r.chat.failing(func(op string, _ int) error {
			if op == "post" {
				return &core.Error{Op: "chat.Post", Class: core.RoomGone}
			}
			return nil
		})
		r.chat.host.State(false, nil)
		ev := r.message("hi")
		settle(time.Minute)
		r.chat.host.State(true, nil)
		r.accept(ev) // which was written while the bot was cut off
		settle(time.Minute)
		got := o.take("ratings", "call typing", "all:")
		slices.Sort(got[5:8]) // the app and the platform answer at one moment
		same(t, got, "connection acme false", "connection acme true", "message acme accepted late=true", "began acme test support messages=1 files=0 resumed=false", "asked", "answered", "answering",
			"call post room_gone 0s", "ended unshown  edits=0 messages=0 bytes=5")

		r.chat.failing(nil)
		r.accept(r.message("again"))
		settle(time.Minute)
		same(t, o.take("ratings"), "message acme over_limit late=false", "notice too_many", "all: call post ")
	})
}

// TestTurnsThatAreLeftAreTold stops the bridge in the middle of an answer.
func TestTurnsThatAreLeftAreTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, o := newRig(t), &recorder{}
		r.observer = o
		r.app.answer = says("c1", "m1", slices.Repeat([]string{"word "}, 1000)...)
		r.start()
		r.accept(r.message("hi"))
		settle(5 * time.Second)
		o.take()
		r.stop()
		same(t, o.take("ratings", "call", "all:", "shown"), "connection acme false", "answered", "ended left  edits=0 messages=0 bytes=0")
		r.app.answer = says("c1", "m1", "word")
		r.restart()
		settle(time.Minute)
		got := o.take("ratings", "call", "all:", "shown")
		if len(got) < 2 || !slices.Contains(got, "began acme test support messages=1 files=0 resumed=true") || !strings.HasPrefix(got[len(got)-1], "ended answered") {
			t.Errorf("told %v", got)
		}
	})
}
