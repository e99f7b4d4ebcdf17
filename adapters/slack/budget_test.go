package slack_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/clickai/bridge/adapters/slack"
	"github.com/clickai/bridge/core"
)

// paced is a bot that is asked for turns only.
func paced(t *testing.T) *slack.Platform {
	t.Helper()
	return newBot(t, slack.Config{BotToken: "xoxb-1", AppToken: "xapp-1", APIURL: "http://127.0.0.1:1/api"})
}

func showPost(room string) core.Show {
	return core.Show{Kind: core.ShowPost, Place: core.Place{Room: room, Thread: "1700000000.000001"}, Urgent: true}
}

// takes is how long n turns take, one after the other.
func takes(t *testing.T, p *slack.Platform, n int, s core.Show) time.Duration {
	t.Helper()
	began := time.Now()
	for range n {
		if err := p.Pace(t.Context(), s); err != nil {
			t.Fatal(err)
		}
	}
	return time.Since(began)
}

func about(t *testing.T, what string, took, want time.Duration) {
	t.Helper()
	if took < want-want/10 || took > want+want/10+10*time.Millisecond {
		t.Errorf("%s took %s, want about %s", what, took, want)
	}
}

// TestRates holds the rates, and that what counts apart does not wait for each other.
func TestRates(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := paced(t)
		place := core.Place{Room: "C1", Thread: "1700000000.000001"}
		about(t, "8 posts to one room", takes(t, p, 8, showPost("C1")), 5*60*time.Second/58)
		about(t, "a post to another room", takes(t, p, 1, showPost("C2")), 0)
		about(t, "34 urgent edits", takes(t, p, 34, core.Show{Kind: core.ShowEdit, Place: place, Urgent: true}), 24*60*time.Second/48)
		about(t, "120 appends", takes(t, p, 120, core.Show{Kind: core.ShowAppend, Place: place, Urgent: true}), 100*60*time.Second/96)
		about(t, "14 streams", takes(t, p, 14, core.Show{Kind: core.ShowStream, Place: place, Urgent: true}), 10*60*time.Second/19)
		about(t, "drafts, which there are none of,", takes(t, p, 1000, core.Show{Kind: core.ShowDraft, Place: place}), 0)
		began := time.Now()
		for i := range 330 {
			if err := p.Pace(t.Context(), showPost(fmt.Sprint("R", i))); err != nil {
				t.Fatal(err)
			}
		}
		about(t, "330 posts to as many rooms", time.Since(began), 46*time.Second)
	})
}

// TestUnpace holds that a turn that is given back is somebody else's.
func TestUnpace(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := paced(t)
		edit := core.Show{Kind: core.ShowEdit, Place: core.Place{Room: "C1"}, Urgent: true}
		takes(t, p, 10, edit)
		p.Unpace(edit)
		about(t, "an edit after a turn was given back", takes(t, p, 1, edit), 0)
		about(t, "the next one", takes(t, p, 1, edit), 60*time.Second/48)
	})
}

// TestTurnOrder holds that first texts go before refreshes, and refreshes by the age of their text.
func TestTurnOrder(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := paced(t)
		edit := core.Show{Kind: core.ShowEdit, Place: core.Place{Room: "C1"}}
		if took := takes(t, p, 8, edit); took != 0 {
			t.Errorf("8 refreshes took %s, want the burst less the two kept for others", took)
		}
		began := time.Now()
		order := make(chan string, 3)
		ask := func(name string, s core.Show) {
			go func() {
				if err := p.Pace(t.Context(), s); err != nil {
					t.Error(err)
				}
				order <- name
			}()
			synctest.Wait()
		}
		younger, older := edit, edit
		younger.Since, older.Since = began.Add(-time.Second), began.Add(-time.Minute)
		ask("younger", younger)
		ask("older", older)
		urgent := edit
		urgent.Urgent = true
		if took := takes(t, p, 2, urgent); took != 0 {
			t.Errorf("the two kept slots took %s", took)
		}
		ask("urgent", urgent)
		for _, want := range []string{"urgent", "older", "younger"} {
			if got := <-order; got != want {
				t.Errorf("%s got a turn, want %s", got, want)
			}
		}
	})
}

func TestWoken(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := paced(t)
		s := showPost("C1")
		wake := make(chan struct{}, 1)
		s.Wake = wake
		wake <- struct{}{}
		if took := takes(t, p, 3, s); took != 0 {
			t.Errorf("turns that are there took %s", took)
		}
		if err := p.Pace(t.Context(), s); !errors.Is(err, core.ErrWoken) {
			t.Errorf("Pace = %v, want ErrWoken", err)
		}
		cause := errors.New("enough")
		ctx, cancel := context.WithCancelCause(t.Context())
		cancel(cause)
		if err := p.Pace(ctx, s); !errors.Is(err, cause) {
			t.Errorf("Pace = %v, want the cause of its context", err)
		}
	})
}

// TestHold holds that a 429 stops what it is about, slows it down afterwards, and stops nothing else.
func TestHold(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := paced(t)
		b := slack.BudgetsOf(p)
		edit := core.Show{Kind: core.ShowEdit, Place: core.Place{Room: "C1"}, Urgent: true}
		b.Limited("C1", 5*time.Second)
		if took := takes(t, p, 1, showPost("C2")) + takes(t, p, 1, edit); took != 0 {
			t.Errorf("another room and another method took %s, want no wait", took)
		}
		about(t, "the post after a 429 of 5 s", takes(t, p, 1, showPost("C1")), 5*time.Second)
		if took := takes(t, p, 2, showPost("C1")); took < 2*1400*time.Millisecond {
			t.Errorf("the two posts after that took %s, want them slower than before", took)
		}
		<-time.After(10 * time.Minute)
		about(t, "8 posts ten minutes later", takes(t, p, 8, showPost("C1")), 5*60*time.Second/58)

		b.UpdateLimited(30 * time.Second)
		about(t, "a post while edits are held", takes(t, p, 1, showPost("C3")), 0)
		about(t, "an edit after a 429 of 30 s", takes(t, p, 1, edit), 30*time.Second)
	})
}

// TestWorkspaceHold holds that a 429 in several rooms at once is taken for the workspace's limit.
func TestWorkspaceHold(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := paced(t)
		b := slack.BudgetsOf(p)
		b.Limited("C1", 10*time.Second)
		b.Limited("C2", 10*time.Second)
		about(t, "a post to a third room", takes(t, p, 1, showPost("C3")), 0)
		b.Limited("C3", 10*time.Second)
		about(t, "a post to a fourth room", takes(t, p, 1, showPost("C4")), 10*time.Second)
	})
}

// TestOwnTurns holds what calls that core does not pace wait for, and for how long.
func TestOwnTurns(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := paced(t)
		b := slack.BudgetsOf(p)
		for range 3 {
			if err := b.Upload(t.Context(), "C1"); err != nil {
				t.Fatal(err)
			}
		}
		about(t, "a post after three files", takes(t, p, 1, showPost("C1")), 60*time.Second/58)

		for range 8 {
			if err := b.History(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		history := make(chan error, 1)
		go func() { history <- b.History(t.Context()) }()
		synctest.Wait()
		began := time.Now()
		for range 2 {
			if err := b.Method(t.Context(), "conversations.replies"); err != nil || time.Since(began) > 0 {
				t.Errorf("a thread is read after %s, %v, want it before what was missed", time.Since(began), err)
			}
		}
		for {
			err := b.Method(t.Context(), "conversations.replies")
			if err != nil {
				t.Errorf("thread not read: %v", err)
			}
			if time.Since(began) > 5*time.Second {
				break
			}
		}
		select {
		case err := <-history:
			t.Errorf("what was missed is read first, %v", err)
		default:
		}
		if err := <-history; err != nil {
			t.Error(err)
		}

		b.UpdateLimited(time.Minute)
		began = time.Now()
		if err := b.Method(t.Context(), "chat.update"); slack.RetryAfter(err) != time.Minute || time.Since(began) > 0 {
			t.Errorf("a call that would wait a minute = %v after %s, want to be told so at once", err, time.Since(began))
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
		defer cancel()
		<-time.After(50 * time.Second)
		if err := b.Method(ctx, "chat.update"); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("a call whose context ends = %v, want its error", err)
		}
	})
}

func TestCeiling(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := paced(t)
		p.SetCallsPerSecond(0.5)
		about(t, "5 posts under a ceiling of one in two seconds", takes(t, p, 5, showPost("C1")), 8*time.Second)
		if err := slack.BudgetsOf(p).Method(t.Context(), "users.info"); err != nil {
			t.Error(err)
		}
		about(t, "an edit after another method's call", takes(t, p, 1, core.Show{Kind: core.ShowEdit, Place: core.Place{Room: "C2"}}), 2*time.Second)
	})
}

// TestStreamsWhenThereIsRoom holds that places offer streams only while one could start soon, and to whoever has a turn.
func TestStreamsWhenThereIsRoom(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := paced(t)
		at := func(n int) core.Place {
			return core.Place{Room: "C1", Thread: fmt.Sprintf("1700000000.%06d", n)}
		}
		offered := 0
		for n := range 10 {
			if !p.Limits(at(n)).Streams {
				continue
			}
			offered++
			if err := p.Pace(t.Context(), core.Show{Kind: core.ShowStream, Place: at(n), Urgent: true}); err != nil {
				t.Fatal(err)
			}
			if !p.Limits(at(n)).Streams {
				t.Error("no stream for who has the turn for one")
			}
		}
		if offered < 3 || offered > 5 {
			t.Errorf("%d streams offered, want the burst of about 4", offered)
		}
		if p.Limits(at(20)).Streams {
			t.Error("a stream is offered that could not start soon")
		}
		p.Unpace(core.Show{Kind: core.ShowStream, Place: at(0)})
		if err := p.Pace(t.Context(), core.Show{Kind: core.ShowStream, Place: at(21), Urgent: true}); err != nil {
			t.Fatal(err)
		}
		if p.Limits(at(0)).Streams {
			t.Error("a turn that was given back still counts")
		}
		<-time.After(10 * time.Second)
		if !p.Limits(at(20)).Streams {
			t.Error("no stream is offered although there is room again")
		}
		if p.Limits(core.Place{Room: "C1"}).Streams {
			t.Error("a stream is offered outside a thread")
		}
	})
}

func TestBudgetsBounded(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := paced(t)
		b := slack.BudgetsOf(p)
		for i := range 5000 {
			room := fmt.Sprint("C", i)
			takes(t, p, 1, showPost(room))
			if i%10 == 0 {
				b.Limited(room, time.Second)
			}
		}
		if n := b.Size(); n > 1000 {
			t.Errorf("%d things are remembered, want few", n)
		}
	})
}
