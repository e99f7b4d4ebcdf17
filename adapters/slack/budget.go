package slack

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/clickai/bridge/core"
	"github.com/clickai/bridge/internal/pace"
)

// budgets keep Slack's rate limits for all that this bot does at once. Each method has a budget, posts have one for each
// room besides, and a ceiling, if one is set, is over all of them. Names of budgets are those of the methods.
type budgets struct {
	*pace.Pacer
	ceiling bool // the budget "all" counts too

	mu      sync.Mutex
	granted map[core.Place]int   // turns for the start of a stream that were given and not used yet
	limited map[string]time.Time // rooms that a 429 holds back, and until when
}

// The methods whose calls core asks for, and two budgets that are no methods.
const (
	methodPost   = "chat.postMessage"
	methodUpdate = "chat.update"
	methodStart  = "chat.startStream"
	methodAppend = "chat.appendStream"
	methodStop   = "chat.stopStream"

	inRoom   = methodPost + " " // and the room's id: posts there
	overAll  = "all"
	manyHeld = 3 // rooms held back at once, from which on the limit must be the workspace's
)

// rules are the budgets with figures of their own; see limits.go.
// Source: the page of each method at https://docs.slack.dev/reference/methods.
var rules = map[string]pace.Rule{
	methodPost:   rulePostAll,
	methodUpdate: tier3, "chat.delete": tier3,
	methodStart: tier2, methodAppend: tier4, methodStop: tier2,
	"conversations.history": tier3, "conversations.replies": tier3, "conversations.info": tier3, "conversations.list": tier2,
	"agents.sessions.setStatus": tier3, "views.open": tier4, "chat.postEphemeral": tier4, "users.list": tier2,
	"assistant.threads.setTitle": tier4, "assistant.threads.setSuggestedPrompts": tier4,
	"users.info": tier4, "files.info": tier4, "files.getUploadURLExternal": tier4, "files.completeUploadExternal": tier4,
}

func ruleOf(name string) pace.Rule {
	if strings.HasPrefix(name, inRoom) {
		return rulePost
	}
	if r, ok := rules[name]; ok {
		return r
	}
	return ruleSpecial
}

func newBudgets() *budgets {
	return &budgets{Pacer: pace.New(ruleOf), granted: map[core.Place]int{}, limited: map[string]time.Time{}}
}

// turn is what one request counts against.
type turn struct {
	budgets []string
	blame   string        // the budget that a 429 is about
	wait    time.Duration // how long it may wait; 0: not at all, less: as long as its context
	since   time.Time     // the earliest goes first; zero: now
	refresh bool          // others go first
	given   bool          // the caller has waited for it already
}

// method is the turn of a method that counts for itself.
func method(name string) turn {
	return turn{budgets: []string{name}, blame: name, wait: waitRead}
}

// posting is the turn of a call that makes a message in a room.
func posting(name, room string) turn {
	t := turn{budgets: []string{inRoom + room, methodPost}, blame: inRoom + room, wait: waitPost}
	if name != methodPost {
		t.budgets, t.blame = append(t.budgets, name), name
	}
	return t
}

// patient is the same turn for work that nobody waits for.
func (t turn) patient() turn {
	t.wait, t.refresh = -1, true
	return t
}

// paced is the same turn where the caller has waited for it by [Platform.Pace].
func (t turn) paced() turn {
	t.given = true
	return t
}

// SetCallsPerSecond puts a ceiling over all calls, for servers that take fewer than Slack's own.
func (p *Platform) SetCallsPerSecond(n float64) {
	burst := max(1, int(n))
	p.budgets.ceiling = true
	p.budgets.Set(overAll, pace.Rule{
		Count: 1, Per: time.Duration(float64(time.Second) / n), Burst: burst, Reserve: min(burst-1, reserveAll),
	})
}

// Pace waits for the turn of a call that shows something. A new message counts in its room and in the workspace; an edit,
// a stream's start and what is added to it count by method, in the workspace.
func (p *Platform) Pace(ctx context.Context, s core.Show) error {
	err := p.budgets.Wait(ctx, p.budgets.showing(s))
	switch {
	case err == nil:
		if s.Kind == core.ShowStream {
			p.budgets.grant(s.Place, 1)
		}
		return nil
	case errors.Is(err, pace.ErrWoken):
		return core.ErrWoken
	}
	return &core.Error{Op: "slack.Pace", Class: core.Transient, Err: err}
}

// Unpace gives a turn back.
func (p *Platform) Unpace(s core.Show) {
	p.budgets.Return(p.budgets.showing(s))
	if s.Kind == core.ShowStream {
		p.budgets.grant(s.Place, -1)
	}
}

// showing is the turn of what core shows. There are no drafts.
func (b *budgets) showing(s core.Show) pace.Call {
	var t turn
	switch s.Kind {
	case core.ShowPost:
		t = posting(methodPost, s.Place.Room)
	case core.ShowEdit:
		t = method(methodUpdate)
	case core.ShowStream:
		t = posting(methodStart, s.Place.Room)
	case core.ShowAppend:
		t = method(methodAppend)
	case core.ShowDraft:
	}
	t.since, t.refresh = s.Since, !s.Urgent
	c := b.call(t)
	c.Wake = s.Wake
	return c
}

// call is a turn as package pace wants it.
func (b *budgets) call(t turn) pace.Call {
	c := pace.Call{Budgets: t.budgets, Since: t.since}
	if t.refresh {
		c.Priority = pace.Refresh
	}
	if b.ceiling && len(t.budgets) > 0 {
		c.Budgets = append(slices.Clip(c.Budgets), overAll)
	}
	return c
}

// atOnce is a channel from which something can always be received.
var atOnce = func() chan struct{} {
	c := make(chan struct{})
	close(c)
	return c
}()

// wait waits for a turn. The error is *tooSoonError or that of ctx.
func (b *budgets) wait(ctx context.Context, t turn) error {
	if t.given {
		return nil
	}
	c := b.call(t)
	if t.wait < 0 {
		return b.Wait(ctx, c) //nolint:wrapcheck // it says what was waited for
	}
	if d := b.Delay(c); d > t.wait {
		return &tooSoonError{wait: d}
	}
	if t.wait == 0 {
		c.Wake = atOnce
	}
	bounded, cancel := context.WithTimeout(ctx, t.wait+lateness)
	defer cancel()
	err := b.Wait(bounded, c)
	if err != nil && ctx.Err() == nil {
		return &tooSoonError{wait: max(b.Delay(c), lateness)} // others went first
	}
	return err //nolint:wrapcheck // it says what was waited for
}

// hold stops what a 429 is about until Slack takes it again: the method, and for posts the room, since that is the limit
// that a bot runs into. Slack does not tell which of the two limits on posts it was, so when several rooms are refused at
// once it is taken for the workspace's. Source: https://docs.slack.dev/apis/web-api/rate-limits
func (b *budgets) hold(t turn, wait time.Duration) {
	b.Hold(t.blame, wait)
	room, ok := strings.CutPrefix(t.blame, inRoom)
	if !ok {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	now := time.Now()
	for r, until := range b.limited {
		if !now.Before(until) {
			delete(b.limited, r)
		}
	}
	if _, known := b.limited[room]; known || len(b.limited) < maxLimited {
		b.limited[room] = now.Add(max(wait, time.Second))
	}
	if len(b.limited) >= manyHeld {
		b.Hold(methodPost, wait)
	}
}

// grant counts the turns for a stream's start that are out.
func (b *budgets) grant(at core.Place, n int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.granted[at] += n; b.granted[at] <= 0 {
		delete(b.granted, at)
	}
}

// startable tells whether a stream can start soon enough in a place. Slack allows far fewer streams than posts: an answer
// that would have to wait for its stream is better posted and edited.
func (b *budgets) startable(at core.Place) bool {
	b.mu.Lock()
	has := b.granted[at] > 0
	b.mu.Unlock()
	return has || b.Delay(pace.Call{Budgets: []string{methodStart}}) <= waitStart
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// sleep waits unless ctx ends first.
func sleep(ctx context.Context, d time.Duration) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("wait: %w", err)
	}
	if d <= 0 {
		return nil
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("wait: %w", ctx.Err())
	}
}
