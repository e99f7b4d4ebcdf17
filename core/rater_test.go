package core_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/clickai/bridge/core"
)

// judged is an app that counts what it is told of each message, and refuses as it is told to.
type judged struct {
	*app
	refuse func(message string) error

	mu    sync.Mutex
	tried map[string]int
	sent  map[string]core.Rating
}

func (j *judged) Rate(_ context.Context, r core.RatingOut) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.tried[r.MessageID]++
	if err := j.refuse(r.MessageID); err != nil {
		return err
	}
	j.sent[r.MessageID] = r.Rating
	return nil
}

func (j *judged) calls() (n int) {
	j.mu.Lock()
	defer j.mu.Unlock()
	for _, c := range j.tried {
		n += c
	}
	return n
}

func (j *judged) has(message string) bool {
	j.mu.Lock()
	defer j.mu.Unlock()
	_, ok := j.sent[message]
	return ok
}

// vote stores a turn of an app with one message, and a like for it.
func (r *rig) vote(app, message string) {
	r.t.Helper()
	ref := core.MessageRef{Place: core.Place{Room: "D1"}, ID: "b-" + message}
	conv := core.NewConvKey("acme", app, core.Place{Room: message}, "")
	turn := core.Turn{ID: message, Conv: conv, Bot: "acme", App: app, User: "test:U1", Message: message, Reply: []core.MessageRef{ref}}
	link := core.Link{App: app, User: "test:U1", Message: message, Conv: conv, At: time.Now()}
	if err := r.store.EndTurn(r.t.Context(), turn, nil, &link); err != nil {
		r.t.Error(err)
	}
	v := core.Vote{Bot: "acme", Ref: ref, Person: minh, Rating: core.RatingLike, Emoji: "👍", Added: true, At: time.Now()}
	if _, changed, err := r.store.Vote(r.t.Context(), "r:"+message, v); err != nil || !changed {
		r.t.Errorf("vote: %v, %v", changed, err)
	}
}

// votes stores n of them, m0 … .
func (r *rig) votes(app, prefix string, n int) {
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() { r.vote(app, fmt.Sprint(prefix, i)) })
	}
	wg.Wait()
}

func (r *rig) jobs() int {
	r.t.Helper()
	jobs, err := r.store.RatingJobs(context.Background(), 0)
	if err != nil {
		r.t.Fatal(err)
	}
	return len(jobs)
}

func judge(a *app, refuse func(string) error) *judged {
	return &judged{app: a, refuse: refuse, tried: map[string]int{}, sent: map[string]core.Rating{}}
}

var errBusy = &core.AppError{Class: core.Transient, Err: errors.New("busy")}

// TestRatingsThatFailBlockNoOthers has more ratings fail than are looked at in one round; those of another app, which came
// later, are sent at once, and the app that fails is not hammered.
func TestRatingsThatFailBlockNoOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		r.votes("support", "m", 270)
		r.vote("other", "late")
		fails := judge(r.app, func(string) error { return errBusy })
		other := newApp()
		other.name = "other"
		well := judge(other, func(string) error { return nil })
		r.run(func(c *core.Config) { c.Apps = map[string]core.App{"support": fails, "other": well} })
		settle(10 * time.Second)
		if !well.has("late") {
			t.Error("a rating of another app waits behind those that fail")
		}
		if n := fails.calls(); n > 60 {
			t.Errorf("the app that fails was called %d times in ten seconds", n)
		}
		settle(5 * time.Minute)
		fails.mu.Lock()
		fails.refuse = func(string) error { return nil }
		fails.mu.Unlock()
		settle(30 * time.Minute)
		if n := r.jobs(); n != 0 {
			t.Errorf("%d ratings were not sent although the app works again", n)
		}
	})
}

// TestRatingsThatAlwaysFailBlockNoOthersOfTheirApp has ratings of some messages fail for ever, before all the others.
func TestRatingsThatAlwaysFailBlockNoOthersOfTheirApp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		r.votes("support", "bad", 20)
		r.votes("support", "good", 20)
		app := judge(r.app, func(message string) error {
			if message[:3] == "bad" {
				return errBusy
			}
			return nil
		})
		r.run(func(c *core.Config) { c.Apps["support"] = app })
		settle(time.Minute)
		for i := range 20 {
			if m := fmt.Sprint("good", i); !app.has(m) {
				t.Errorf("%s was not sent", m)
			}
		}
		if n := r.jobs(); n != 20 {
			t.Errorf("%d ratings are still to be sent, want the 20 that fail", n)
		}
	})
}

// TestRatingIsGivenUp has one fail for days.
func TestRatingIsGivenUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		r.vote("support", "m")
		app := judge(r.app, func(string) error { return errBusy })
		r.run(func(c *core.Config) { c.Apps["support"] = app })
		settle(71 * time.Hour)
		if r.jobs() != 1 {
			t.Fatal("given up too early")
		}
		tries := app.calls()
		settle(2 * time.Hour)
		if r.jobs() != 0 {
			t.Error("not given up after three days")
		}
		if tries > 800 || tries < 400 {
			t.Errorf("tried %d times in three days", tries)
		}
	})
}
