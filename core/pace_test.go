package core_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/clickai/bridge/core"
	"github.com/clickai/bridge/internal/pace"
)

// paced is a chat with one budget for posts and edits together.
type paced struct {
	*chat
	pacer    *pace.Pacer
	renders  atomic.Int64
	returned atomic.Int64
}

func newPaced(c *chat, r pace.Rule) *paced {
	return &paced{chat: c, pacer: pace.New(func(string) pace.Rule { return r })}
}

func (p *paced) Pace(ctx context.Context, s core.Show) error {
	c := pace.Call{Budgets: []string{"all"}, Priority: pace.Refresh, Since: s.Since, Wake: s.Wake}
	if s.Urgent {
		c.Priority = pace.Urgent
	}
	err := p.pacer.Wait(ctx, c)
	if errors.Is(err, pace.ErrWoken) {
		return core.ErrWoken
	}
	return err
}

func (p *paced) Unpace(core.Show) { p.returned.Add(1) }

func (p *paced) Render(markdown string, final bool) []core.Part {
	p.renders.Add(1)
	return p.chat.Render(markdown, final)
}

// every gives one call in d.
func every(d time.Duration) pace.Rule { return pace.Rule{Count: 1, Per: d, Burst: 1} }

// letters answers with n letters, one a hundred milliseconds, and notes when each was sent.
type letters struct {
	n    int
	mu   sync.Mutex
	sent []time.Time
}

func (l *letters) answer(ctx context.Context, _ core.Question) iter.Seq2[core.Delta, error] {
	return func(yield func(core.Delta, error) bool) {
		for range l.n {
			select {
			case <-time.After(100 * time.Millisecond):
			case <-ctx.Done():
				yield(core.Delta{}, ctx.Err())
				return
			}
			l.mu.Lock()
			l.sent = append(l.sent, time.Now())
			l.mu.Unlock()
			if !yield(core.Delta{Kind: core.DeltaText, Text: "x"}, nil) {
				return
			}
		}
		yield(core.Delta{Kind: core.DeltaEnd}, nil)
	}
}

func (l *letters) sentBy(at time.Time) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	n := 0
	for n < len(l.sent) && !l.sent[n].After(at) {
		n++
	}
	return n
}

func TestNewestTextWhenItsTurnComes(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig) {
		r.chat.limits.EditGap = 0
		p := newPaced(r.chat, every(3*time.Second))
		r.platform = p
		l := &letters{n: 205}
		r.app.answer = l.answer
		r.start()
		r.accept(r.message("hi"))
		settle(time.Minute)
		calls := r.chat.callLog()
		for _, c := range calls {
			// What was sent in the very instant of the call may be in it or not.
			if least, most := l.sentBy(c.at.Add(-1)), l.sentBy(c.at); len(c.text) < least || len(c.text) > most {
				t.Errorf("%s shows %d letters when %d to %d had been sent", c.op, len(c.text), least, most)
			}
		}
		if n := len(calls); n < 7 || n > 9 {
			t.Errorf("%d calls for 20.5 s at one in 3 s", n)
		}
		if got := int(p.renders.Load()); got > len(calls) {
			t.Errorf("rendered %d times for %d calls", got, len(calls))
		}
		if got := r.chat.texts(); len(got) != 1 || len(got[0]) != 205 {
			t.Errorf("texts = %q", got)
		}
	})
}

func TestLastEditDoesNotWaitForTheGapOfRefreshes(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig) {
		r.chat.limits.EditGap = 30 * time.Second
		r.platform = newPaced(r.chat, every(time.Second))
		l := &letters{n: 20}
		r.app.answer = l.answer
		r.start()
		r.accept(r.message("hi"))
		settle(10 * time.Second)
		if got := r.chat.texts(); len(got) != 1 || len(got[0]) != 20 {
			t.Errorf("texts = %q 8 s after the end", got)
		}
	})
}

func TestFirstTextsAndLastEditsGoFirst(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig) {
		r.chat.limits.EditGap = 0
		r.platform = newPaced(r.chat, every(time.Second))
		r.set.Limits.TurnsPerUser = core.PerTime{}
		r.app.answer = func(ctx context.Context, q core.Question) iter.Seq2[core.Delta, error] {
			return (&letters{n: 400}).answer(ctx, q)
		}
		r.start()
		for i := range 10 {
			ev := r.message("hi")
			ev.Room.ID = fmt.Sprintf("D%d", i)
			r.accept(ev)
		}
		settle(2 * time.Minute)
		calls := r.chat.callLog()
		posts := 0
		for i, c := range calls {
			if c.op == "post" && i >= 10 {
				t.Errorf("call %d is a first text, after a refresh", i)
			}
			if c.op == "post" {
				posts++
			}
		}
		if posts != 10 {
			t.Fatalf("%d posts, want 10", posts)
		}
		for i, c := range calls[len(calls)-10:] {
			if len(c.text) != 400 {
				t.Errorf("call %d from the end shows %d letters: a last edit came before it", 10-i, len(c.text))
			}
		}
		var last time.Time
		for _, m := range r.chat.all() {
			if v := m.versions[len(m.versions)-1]; len(v) != 400 {
				t.Errorf("a text ends with %d letters", len(v))
			}
		}
		for _, c := range calls {
			if !last.IsZero() && c.at.Sub(last) < time.Second {
				t.Errorf("calls %v apart", c.at.Sub(last))
			}
			last = c.at
		}
	})
}

func TestIDsAreStoredWhileTheFirstTextWaits(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig) {
		p := newPaced(r.chat, every(time.Hour))
		r.platform = p
		r.app.answer = says("c7", "m7", slices.Repeat([]string{"word "}, 20)...)
		r.start()
		if err := p.Pace(t.Context(), core.Show{Kind: core.ShowPost}); err != nil { // the hour's only turn
			t.Fatal(err)
		}
		r.accept(r.message("hi"))
		settle(5 * time.Second)
		turns, err := r.store.Unfinished(t.Context())
		if err != nil || len(turns) != 1 {
			t.Fatalf("unfinished = %v, %v", turns, err)
		}
		turn, ok, err := r.store.Turn(t.Context(), turns[0])
		if err != nil || !ok || turn.ConvID != "c7" || turn.Message != "m7" {
			t.Errorf("journal = %+v, %v, %v, want the ids", turn, ok, err)
		}
		began := time.Now()
		r.stop()
		if took := time.Since(began); took > 2*time.Second {
			t.Errorf("stopping took %v: it waited for a turn", took)
		}
	})
}

// granting has turns for posts at once, and for all else after a while, in which it may have been told of news: as a pacer has
// whose turn comes at that moment.
type granting struct{ *chat }

func (g *granting) Pace(ctx context.Context, s core.Show) error {
	if s.Kind == core.ShowPost {
		return nil
	}
	select {
	case <-time.After(20 * time.Second):
	case <-ctx.Done():
		return ctx.Err()
	}
	select {
	case <-s.Wake:
	default:
	}
	return nil
}

func (g *granting) Unpace(core.Show) {}

// TestTurnThatComesWithTheEnd holds that a turn ends whose last edit is granted at the moment in which it is told that the
// answer is whole.
func TestTurnThatComesWithTheEnd(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig) {
		r.chat.limits.EditGap = 0
		r.platform = &granting{r.chat}
		r.app.answer = script(
			beat{0, core.Delta{Kind: core.DeltaIDs, Conversation: "c1", MessageID: "m1", TaskID: "t1"}},
			beat{time.Second, core.Delta{Kind: core.DeltaText, Text: "first "}},
			beat{5 * time.Second, core.Delta{Kind: core.DeltaText, Text: "last"}},
			beat{5 * time.Second, core.Delta{Kind: core.DeltaEnd}},
		)
		r.start()
		r.accept(r.message("one"))
		settle(time.Minute)
		r.accept(r.message("two")) // waits for the end of the turn before
		settle(time.Minute)
		if got, want := r.chat.texts(), []string{"first last", "first last"}; !slices.Equal(got, want) {
			t.Errorf("shown: %q, want %q", got, want)
		}
	})
}
