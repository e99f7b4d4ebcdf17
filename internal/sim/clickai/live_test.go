package clickai_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/clickai/bridge/internal/sim/clickai"
)

func TestHandGivesTheAnswerToAnotherGoroutine(t *testing.T) {
	lives := make(chan *clickai.Live, 1)
	began := time.Now()
	c := start(t, clickai.Options{PingInterval: time.Millisecond, Agent: func(a clickai.Ask) []clickai.Step {
		if a.At.Before(began) || a.At.After(time.Now()) {
			t.Errorf("the request's time is %v, want one between %v and now", a.At, began)
		}
		return []clickai.Step{clickai.Hand(func(l *clickai.Live) { lives <- l })}
	}})
	go func() {
		l := <-lives
		for i := range 3 {
			if !l.Send(fmt.Sprintf("w%d ", i)) {
				t.Errorf("piece %d was not sent", i)
			}
		}
		l.End()
		l.End()
	}()
	frames := c.open("/v1/chat-messages", keyOf(clickai.ModeChat), chatBody("q", "", "u")).all()
	if got := fmt.Sprint(kinds(frames)); got != "[message message message message_end]" {
		t.Errorf("events = %s, want three pieces, each an event of its own, and no ping", got)
	}
	if got := answer(frames); got != "w0 w1 w2 " {
		t.Errorf("answer = %q", got)
	}
	if turn := c.s.Turns()[0]; turn.Status != clickai.StatusFinished || turn.Answer != "w0 w1 w2 " {
		t.Errorf("turn = %s, %q", turn.Status, turn.Answer)
	}
}

func TestHandEndsWithTheClient(t *testing.T) {
	lives := make(chan *clickai.Live, 1)
	c := start(t, clickai.Options{Agent: func(clickai.Ask) []clickai.Step {
		return []clickai.Step{clickai.Hand(func(l *clickai.Live) { lives <- l; l.Send("first ") })}
	}})
	s := c.open("/v1/chat-messages", keyOf(clickai.ModeChat), chatBody("q", "", "u"))
	l := <-lives
	s.must()
	s.stop()
	c.wait(func(x clickai.Turn) bool { return x.Status == clickai.StatusCut && !x.Ended.IsZero() })
	if l.Send("second ") {
		t.Error("a piece was sent to a client that is gone")
	}
}
