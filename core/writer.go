package core

import (
	"context"
	"errors"
	"hash/maphash"
	"log/slog"
	"strings"
	"sync"
	"time"
)

const (
	callTimeout   = 30 * time.Second // one call to a platform, without files
	fileTimeout   = 5 * time.Minute  // fetching a file that the app made and sending it
	maxThreadName = 90               // characters; adapters cut further where they must
)

// writer shows a reply: it owns the platform messages of one turn. It makes one call after the other, each with the newest
// text at the time when its turn has come, so that a slow platform gets fewer edits and never a backlog.
type writer struct {
	r      *reply
	t      *turn
	opened bool // the thread is there, or none is needed

	resumed bool // an earlier process may have done some of it

	shown     []shownPart
	seen      int       // the version of the reply that stands
	held      time.Time // no call before this: the platform said so, or a call has failed
	last      time.Time // of the last call that showed something
	more      bool      // what the last call showed is not all: the rest goes into another message
	want      ShowKind  // the call that is known to be next; "" if it has to be guessed
	since     time.Time // since when something has been waiting to be shown; zero if nothing has
	wait      *backoff
	kept      int   // messages of an earlier process that people have read: they stand until there is an answer to put there
	maybe     bool  // the next post may have been taken already, with an older text
	refused   sum   // what the platform would not take as a new message
	asPlain   sum   // of the last state, what the platform would not take with its formatting
	err       error // why the reply could not be shown
	firstText time.Duration
	edits     int

	render  func(markdown string, final bool, stands int) (from int, parts []Part) // nil before the first state
	growing bool                                                                   // render is this reply's own
	matched int                                                                    // the first messages that showed what the last plan has for them

	final plan // what is to stand in the end, rendered once

	stopTyping func()

	stream  *openStream // the last message streams
	draft   sum         // what the draft after the last message shows; 0 if there is none
	draftAt time.Time

	nativeFailures int // of drafts and streams, one after the other

	hidden   bool // there is nothing to be shown yet
	offering bool // the newest plan was made when the answer could be stopped
	offered  bool // so was what stands
}

// shownPart is a message of the reply and what it shows.
type shownPart struct {
	ref  MessageRef
	sum  sum  // of what it shows; 0 if that is not known
	size int  // bytes of what it shows
	gone bool // it has to be posted anew

	refused bool // the platform would not take that: an older state stands
}

// sum stands for a Part: keeping the text of each message of each running turn would be the most that a turn needs of memory.
// Two different parts have the same one with a probability of 2⁻⁶⁴.
type sum uint64

var sumSeed = maphash.MakeSeed()

func sumOf(p Part) sum { return sum(max(maphash.Comparable(sumSeed, p), 1)) }

func (w *writer) limits() Limits { return w.t.bot.platform.Limits(w.place()) }

func (w *writer) place() Place {
	w.r.mu.Lock()
	defer w.r.mu.Unlock()
	return w.r.j.At
}

// run shows the newest state whenever it may, until the last state stands.
func (w *writer) run(ctx context.Context) {
	w.wait = newBackoff(time.Second, 30*time.Second)
	var side sync.WaitGroup // what runs beside the text: typing and files
	defer side.Wait()
	defer w.endRender()
	typing, stopTyping := context.WithCancel(ctx)
	defer stopTyping()
	w.stopTyping = stopTyping
	w.openThread(ctx)
	if w.t.bot.typist != nil {
		side.Go(func() { _ = safely(w.t.log, func() { w.keepTyping(typing) }) })
	}
	sideDone := false
	for {
		w.r.mu.Lock()
		left, closed, send := w.r.left, w.r.closed, len(w.r.queue) > 0 && !w.r.sending
		w.r.sending = w.r.sending || send
		w.r.mu.Unlock()
		if left && !closed || ctx.Err() != nil {
			stopTyping()
			w.endStream(ctx)
			side.Wait()
			w.err = ErrShutdown
			_ = w.r.journal(ctx, false) // what is known now is what the next start goes on from
			return
		}
		if send {
			side.Go(func() {
				_ = safely(w.t.log, func() { w.sendFiles(ctx) })
				w.r.mu.Lock()
				w.r.sending = false
				w.r.mu.Unlock()
				w.r.wake()
			})
		}
		done, err := w.step(ctx)
		switch {
		case err != nil && w.hopeless(err):
			w.err = err
			w.stopAsking(err)
			return
		case done && closed && !sideDone:
			// Files come after the text. One that could not be sent is named under the answer: look once more.
			stopTyping()
			side.Wait()
			if sideDone = !w.r.hasFiles(); sideDone {
				w.sendVoice(ctx)
			}
			continue
		case done && closed:
			return
		}
		if done || !w.r.changed(left, closed) {
			w.sleep(ctx, done)
		}
	}
}

// sleep waits for news, or, when there is something to show already, until it may be shown.
func (w *writer) sleep(ctx context.Context, done bool) {
	until := w.due()
	if done {
		if !w.r.rest(w.seen) {
			return // there is news already
		}
		defer w.r.stir()
		until = w.renewAt()
	}
	var timer <-chan time.Time // nil: for ever
	if !done || !until.IsZero() {
		rest := time.Until(until)
		if rest <= 0 {
			return
		}
		t := time.NewTimer(rest)
		defer t.Stop()
		timer = t.C
	}
	select {
	case <-ctx.Done():
	case <-w.r.nudge: // the answer may have ended, or ids may wait to be stored
	case <-timer:
	}
}

// due is the earliest time of the next call.
func (w *writer) due() time.Time {
	if w.last.IsZero() || w.more {
		return w.held
	}
	gap := w.t.bot.settings.Stream.Interval
	if w.t.bot.pacer == nil || !w.r.isClosed() {
		gap = max(gap, w.limits().EditGap)
	}
	if at := w.last.Add(gap); at.After(w.held) {
		return at
	}
	return w.held
}

// step makes at most one call that shows something. done is true when everything is shown as it should be now.
func (w *writer) step(ctx context.Context) (done bool, err error) {
	v := w.r.look()
	early, visible := time.Now().Before(w.due()), w.visible(v)
	w.hidden = !visible
	if early || len(w.shown) > 0 {
		// News for the journal goes first, unless a first text can be shown at once: its own entry then holds both.
		if err := w.r.journal(ctx, false); err != nil {
			return false, w.later(err)
		}
	}
	switch {
	case !visible:
		w.draft = 0 // it goes by itself
		return w.stands(ctx, v)
	case v.version == w.seen && !w.stale():
		return w.stands(ctx, v)
	case early && !v.final, w.stream != nil && time.Now().Before(w.held):
		return false, nil
	case v.final && w.stream != nil:
		return w.finishStream(ctx)
	case w.since.IsZero():
		w.since = v.unseen
	}
	var p plan
	kind := ShowKind("")
	if v.final { // the text does not change any more, and there may be nothing to wait for
		p = w.plan()
		switch {
		case p.kind == "" && !p.longer:
			return w.stands(ctx, p.v)
		case early:
			return false, nil
		case p.longer:
			return false, w.drop(ctx)
		}
		kind = p.kind
	} else {
		kind = w.next(v)
	}
	show := Show{
		Kind: kind, Place: w.place(), Urgent: v.final || v.hasAnswer && w.firstText == 0, Since: w.since, Wake: w.r.nudge,
	}
	if w.r.news() {
		w.r.wake() // what is to be stored does not wait for a turn
	}
	switch err := w.t.bot.pace(ctx, show); {
	case errors.Is(err, ErrWoken):
		if err := w.r.journal(ctx, false); err != nil {
			return false, w.later(err)
		}
		return false, nil // the other reasons to be woken are the loop's
	case err != nil:
		return false, nil //nolint:nilerr // ctx has ended, which run sees
	}
	w.want = ""
	since := w.since
	used, done, err := w.showNewest(ctx, kind, p)
	if used && err == nil {
		w.t.watch.shown(since, w.firstText)
	}
	if !used && w.t.bot.pacer != nil {
		w.t.bot.pacer.Unpace(show)
	}
	return done, err
}

// showNewest makes the call of the given kind, whose turn it is. p is its plan if the text does not change any more.
// used is false if it turned out that there was no such call to be made.
func (w *writer) showNewest(ctx context.Context, kind ShowKind, p plan) (used, done bool, err error) {
	if kind == ShowStream || kind == ShowAppend {
		return w.grow(ctx)
	}
	if p.parts == nil {
		p = w.plan()
	}
	switch {
	case p.kind == kind:
		done, err = w.carryOut(ctx, p)
		return true, done, err
	case p.kind == "" && !p.longer:
		if len(w.shown) > 0 {
			w.last = time.Now() // what is held back is not rendered with every chunk
		}
		done, err = w.stands(ctx, p.v)
		return false, done, err
	default:
		w.want = p.kind // it turned out to be another call
		return false, false, nil
	}
}

// stands ends a step that found everything of v shown.
func (w *writer) stands(ctx context.Context, v view) (done bool, err error) {
	if err := w.r.journal(ctx, false); err != nil {
		return false, w.later(err)
	}
	w.seen, w.since, w.more, w.offered = v.version, time.Time{}, false, w.offered || w.offering
	return true, nil
}

// visible tells whether there is anything to be shown: before the end not if it could not be changed later, and not in the
// stead of what people have read already.
func (w *writer) visible(v view) bool {
	return v.final || v.hasText && !w.r.quiet && (w.kept == 0 || v.hasAnswer)
}

// next is the call that is most likely next. Only rendering tells for sure, and that comes when it is the call's turn.
func (w *writer) next(v view) ShowKind {
	switch {
	case w.want != "":
		return w.want
	case w.stream != nil:
		return ShowAppend
	case w.streams(v):
		return ShowStream
	case w.drafts(v) && (len(w.shown) == 0 || w.draft != 0):
		return ShowDraft
	case len(w.shown) > 0 && !w.shown[len(w.shown)-1].gone:
		return ShowEdit
	default:
		return ShowPost
	}
}

// plan is what is to be done to show the reply as it was when the plan was made.
type plan struct {
	v      view
	kind   ShowKind // "" if every part stands
	parts  []Part
	base   int  // the message of the first part; those before it stand
	beside bool // it goes behind what people have read already
	i      int  // the first part that does not stand
	behind bool // the message before it has to be cut afterwards
	longer bool // the reply has become shorter: there are messages too many
}

// plan renders the reply as it is now, unless its last state has been rendered already.
func (w *writer) plan() plan {
	w.offering = time.Since(w.r.began) >= stopAfter
	if w.r.isClosed() {
		w.retryRefused()
	}
	p := w.final
	if p.parts == nil || w.r.look().version != p.v.version || !p.beside && p.base > w.standing() {
		var text string
		p = plan{}
		if p.v, text = w.r.markdown(true); strings.TrimSpace(text) != "" {
			p.base, p.parts = w.rendered(text, p.v.final, w.standing())
			p.parts = w.withButtons(p.parts)
		}
		if p.beside = w.kept > 0 && !p.v.hasAnswer; p.beside {
			p.base = w.kept
		}
	}
	v := p.v
	if v.final {
		w.final = p
		w.refused = 0 // the last state is tried in any case
	}
	p.i = w.firstNews(p.parts, p.base)
	w.matched = p.base + p.i
	last := p.i == len(p.parts)-1
	switch {
	case p.i == len(p.parts):
		w.draft = 0 // it goes by itself
		p.longer = !p.beside && v.final && len(w.shown) > p.base+len(p.parts)
	case p.base+p.i < len(w.shown) && !w.shown[p.base+p.i].gone:
		p.kind = ShowEdit
		if at := p.base + p.i; at == len(w.shown)-1 && !last && len(p.parts[p.i].Text) < w.shown[at].size {
			// The end of this message goes into the next one. There it is shown first, so that nothing vanishes meanwhile.
			p.i, p.kind, p.behind = p.i+1, ShowPost, true
		}
	case !last || !w.drafts(v):
		p.kind = ShowPost
	case sumOf(p.parts[p.i]) != w.draft || w.stale():
		p.kind = ShowDraft
	}
	return p
}

// rendered renders the reply, which grows. Of the first messages, stands of which need not be given again, from are left out.
func (w *writer) rendered(text string, final bool, stands int) (from int, parts []Part) {
	if w.render == nil {
		w.render = func(text string, final bool, _ int) (int, []Part) { return 0, w.t.bot.platform.Render(text, final) }
		if r := w.t.bot.renderer; r != nil {
			select {
			case w.t.b.renders <- struct{}{}:
				w.render, w.growing = r.NewRender(), true
			default:
			}
		}
	}
	return w.render(text, final, stands)
}

// retryRefused has what was refused tried once more.
func (w *writer) retryRefused() {
	for i := range w.shown {
		if s := &w.shown[i]; s.refused {
			s.sum, s.refused = 0, false
		}
	}
}

// standing is how many of the first messages show what the last plan had for them.
func (w *writer) standing() int {
	if w.kept > 0 { // it may have been another reply's
		return 0
	}
	n := min(w.matched, len(w.shown))
	for i, s := range w.shown[:n] {
		if s.gone || s.sum == 0 {
			return i
		}
	}
	return n
}

// endRender lets another reply have its own Render.
func (w *writer) endRender() {
	if w.growing {
		<-w.t.b.renders
		w.growing = false
	}
}

// carryOut makes the call of a plan.
func (w *writer) carryOut(ctx context.Context, p plan) (done bool, err error) {
	if p.v.hasAnswer || p.v.final {
		w.stopTyping()
	}
	part, at := p.parts[p.i], p.base+p.i
	if p.kind == ShowDraft {
		done, err = w.showDraft(ctx, part)
	} else {
		err = w.put(ctx, at, part, p.v.final)
		done = at < len(w.shown) && w.shown[at].sum == sumOf(part) || w.refused == sumOf(part)
	}
	last := p.i == len(p.parts)-1
	w.more = err == nil && (!last || !done || p.behind || p.v.final && len(w.shown) > p.base+len(p.parts))
	if err != nil || !done {
		return false, err
	}
	if last && p.v.hasAnswer && w.firstText == 0 {
		w.firstText = time.Since(w.r.began)
	}
	if w.more {
		return false, nil
	}
	return w.stands(ctx, p.v)
}

// firstNews is the index of the first part that its message, counted from base, does not show yet.
func (w *writer) firstNews(parts []Part, base int) int {
	for i, p := range parts {
		at := base + i
		switch n := sumOf(p); {
		case at < len(w.shown) && w.shown[at].sum == n:
		case at >= len(w.shown) && w.refused == n:
			return len(parts) // not before it reads otherwise
		default:
			return i
		}
	}
	return len(parts)
}

// paced notes a call that went well.
func (w *writer) paced() {
	w.wait.reset()
	w.last = time.Now()
	w.more = false
}

// later sets the earliest time of the next call after one that failed, and returns the error.
func (w *writer) later(err error) error {
	wait := RetryAfterOf(err)
	if wait == 0 {
		wait = w.wait.next()
	}
	w.held = time.Now().Add(wait)
	level := slog.LevelWarn
	if ClassOf(err) == RateLimited {
		level = slog.LevelDebug // being told to wait is the usual way of things
	}
	w.t.log.Log(context.Background(), level, "reply not shown, trying again", slog.String("class", string(ClassOf(err))),
		slog.Int64("retry_after_ms", wait.Milliseconds()), slog.Any("err", err))
	return err
}

// hopeless tells whether trying again is of no use.
func (w *writer) hopeless(err error) bool {
	switch ClassOf(err) {
	case Transient, RateLimited, "":
		return false
	default:
		return true
	}
}

// stopAsking ends the turn when its reply cannot be shown: an answer that nobody sees only costs.
func (w *writer) stopAsking(err error) {
	if ClassOf(err) == Auth {
		w.err = errors.Join(errParked, err)
	}
	w.r.mu.Lock()
	stop := w.r.giveUp
	w.r.gaveUp = w.err
	w.r.mu.Unlock()
	if stop != nil {
		stop(w.err)
	}
}
