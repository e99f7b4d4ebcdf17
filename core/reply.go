package core

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Bounds of what one running turn holds in memory.
const (
	maxAnswer  = 1 << 20  // bytes of text; what comes after is dropped and said so
	maxAudio   = 25 << 20 // bytes of speech
	maxNotices = 12       // lines under the answer
	maxFiles   = 20       // made by the app
	maxSteps   = 50       // lines of `thoughts: full`
)

// busyAfter is how long a person waits for an app that is out of reach before being told.
const busyAfter = 3 * time.Second

// reply is one turn's answer: what is to be shown, fed by the turn, and the writer goroutine that shows it. The turn only
// appends and nudges; the writer takes the newest state whenever the platform lets it, so that a slow platform gets fewer
// edits and never a backlog.
type reply struct {
	t     *turn
	nudge chan struct{} // capacity 1
	wg    sync.WaitGroup
	began time.Time

	mu       sync.Mutex
	state    replyState
	task     string
	giveUp   context.CancelCauseFunc
	gaveUp   error // why the reply cannot be shown
	closed   bool  // the answer is complete
	left     bool  // shutting down: show nothing more
	j        Turn
	told     bool // the app said in a line of its own how it ended
	dirty    bool // j has news that is not in the store
	convNew  bool // j.ConvID is news for the conversation
	queue    []FileOut
	queued   map[string]bool // file ids that were taken already
	audio    []byte
	audioCut bool
	sending  bool      // files are being sent
	sent     int       // files that an earlier process has dealt with; the app announces them again, in the same order
	quiet    bool      // nothing is shown before the end
	version  int       // counts what people can see of the state
	unseen   time.Time // since when there is something that markdown has not returned yet; zero if there is nothing
	idle     bool      // the writer waits for news

	out writer // touched by the writer goroutine alone until wait returns
}

// replyState is what a person should see.
type replyState struct {
	answer  strings.Builder
	cut     bool // the answer was longer than maxAnswer
	status  string
	busy    bool
	waiting time.Time // since when the app has been out of reach
	steps   []string  // of `thoughts: full`
	stepIDs []string
	notices []Notice
	unsaid  int    // further notices
	end     Notice // how it ended, if not well
	sources []Source
	usage   Usage
	next    []string // what may be asked next
	head    string   // stands above the answer; Markdown
	files   int      // taken from the app
}

// replyResult is what became of the reply.
type replyResult struct {
	err       error
	journal   Turn
	firstText time.Duration
	edits     int
	bytes     int
	ending    NoticeKind // the line that says how it ended; "" for none
	again     *Again     // the question, to be asked once more
}

func newReply(t *turn, j Turn, resumed bool) *reply {
	// The first text may have been posted by a process that died before it could store that.
	again := resumed || t.bot.askedBefore(t.batch[0])
	r := &reply{t: t, nudge: make(chan struct{}, 1), began: time.Now(), j: j, sent: j.Dealt, queued: map[string]bool{}}
	r.quiet = t.bot.settings.Stream.Mode == "final" || t.bot.editor == nil
	r.out = writer{r: r, t: t, seen: -1, opened: resumed && len(j.Reply) > 0, kept: len(j.Reply), maybe: again, resumed: again}
	if ev := &t.batch[0].Event; ev.Press != nil && ev.Kind == KindMessage {
		// Nobody sees a question that was asked by a button.
		r.state.head = quoteBlock(fill(t.bot.words.asked, "**"+escapeMarkdown(ev.Sender.DisplayName())+"**") + " " + escapeMarkdown(oneLine(ev.Text)))
	}
	for _, ref := range j.Reply {
		r.out.shown = append(r.out.shown, shownPart{ref: ref})
	}
	return r
}

func (r *reply) start(ctx context.Context) {
	r.wg.Go(func() {
		if err := safely(r.t.log, func() { r.out.run(ctx) }); err != nil {
			r.out.err = err
			r.out.stopAsking(err)
		}
	})
}

// wait returns when everything that the reply started has ended.
func (r *reply) wait() {
	r.mu.Lock()
	if !r.closed {
		r.left = true
	}
	r.mu.Unlock()
	r.wake()
	r.wg.Wait()
}

func (r *reply) wake() {
	select {
	case r.nudge <- struct{}{}:
	default:
	}
}

// change runs f with the state locked and wakes the writer, if it waits for news, or should not wait for its turn with
// these. f returns whether a person would see a difference.
func (r *reply) change(f func() (seen bool)) {
	r.mu.Lock()
	dirty, closed, left, queued := r.dirty, r.closed, r.left, len(r.queue)
	if f() {
		r.version++
		if r.unseen.IsZero() {
			r.unseen = time.Now()
		}
	}
	wake := r.idle && !r.quiet || r.dirty != dirty || r.closed != closed || r.left != left || len(r.queue) != queued
	r.mu.Unlock()
	if wake {
		r.wake()
	}
}

// note changes what is to be stored and has the writer store it.
func (r *reply) note(f func(*Turn)) {
	r.mu.Lock()
	f(&r.j)
	r.dirty = true
	r.mu.Unlock()
	r.wake()
}

// view is what the writer knows of the state without its text.
type view struct {
	version   int
	final     bool // nothing more comes
	hasAnswer bool // there is text of the app's
	hasText   bool // there is something to be shown, if only a status
	unseen    time.Time
}

func (r *reply) look() view {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.viewLocked()
}

func (r *reply) viewLocked() view {
	s := &r.state
	return view{
		version: r.version, final: r.closed, hasAnswer: s.answer.Len() > 0, unseen: r.unseen,
		hasText: s.answer.Len() > 0 || s.hasSteps() || s.status != "" || s.busy,
	}
}

// news tells whether there is something to be stored.
func (r *reply) news() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.dirty
}

// hasFiles tells whether files wait to be sent.
func (r *reply) hasFiles() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.queue) > 0
}

// rest tells that there is nothing to do for a writer that has shown the given version; then any news wake it. A reply that is
// closed leaves it the end to do: what told it so may have been received while it waited for its turn.
func (r *reply) rest(seen int) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	sent := len(r.queue) == 0 || r.sending
	r.idle = (r.version == seen || r.quiet) && !r.closed && !r.dirty && !r.left && sent
	return r.idle
}

// changed tells whether the writer's loop has more to do than when it began anew and found these. What woke it may have been
// received while it waited for its turn.
func (r *reply) changed(left, closed bool) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.left != left || r.closed != closed || len(r.queue) > 0 && !r.sending
}

// stir says that the writer does not wait for news any more.
func (r *reply) stir() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.idle = false
}

// onGiveUp names what ends the asking when the reply cannot be shown; at once if that is known already.
func (r *reply) onGiveUp(stop context.CancelCauseFunc) {
	r.mu.Lock()
	r.giveUp = stop
	gaveUp := r.gaveUp
	r.mu.Unlock()
	if gaveUp != nil {
		stop(gaveUp)
	}
}

// asking hands over the journal as it is when the question goes out; the writer stores it meanwhile.
func (r *reply) asking(j Turn) {
	r.change(func() bool {
		at := r.j.At // the writer may have learnt by now where the answer goes
		j.Reply, j.Extra, j.Posts, j.Dealt, j.Spoken, j.Stopped = r.j.Reply, r.j.Extra, r.j.Posts, r.j.Dealt, r.j.Spoken, r.j.Stopped
		r.j = j
		r.j.At = at
		r.dirty = true
		return false
	})
}

func (r *reply) isClosed() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.closed
}

func (r *reply) abandon() {
	r.change(func() bool {
		r.left = true
		return false
	})
}

// close says that nothing more comes, and how it ended.
func (r *reply) close(err error) {
	r.change(func() bool {
		r.closed = true
		r.state.status, r.state.busy = "", false
		r.state.end = r.ending(err)
		return true
	})
}

// ending is the line that a person sees when a turn did not end well.
func (r *reply) ending(err error) Notice {
	app, isApp := errors.AsType[*AppError](err)
	switch {
	case err == nil:
		if strings.TrimSpace(r.state.answer.String()) == "" && r.state.files == 0 && len(r.audio) == 0 && !r.told {
			return Notice{Kind: NoticeNoAnswer}
		}
		return Notice{}
	case errors.Is(err, ErrStopped):
		return Notice{Kind: NoticeStopped}
	case errors.Is(err, errAnswerTimeout):
		return Notice{Kind: NoticeTimeout}
	case isApp && app.Notice.Kind != "":
		return app.Notice
	}
	return Notice{Kind: NoticeRetry}
}

func (r *reply) result() replyResult {
	r.mu.Lock()
	defer r.mu.Unlock()
	return replyResult{err: r.out.err, journal: r.j, firstText: r.out.firstText, edits: r.out.edits, bytes: r.state.answer.Len(), ending: r.state.end.Kind, again: r.againLocked()}
}

func (r *reply) taskID() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.task
}

func (r *reply) notice(n Notice) {
	r.change(func() bool {
		r.state.notice(n)
		return r.closed // before the end they are not shown
	})
}

// take adds what the app sent.
func (r *reply) take(d Delta) {
	r.change(func() bool {
		status, busy := r.state.status, r.state.busy
		r.takeLocked(d)
		switch d.Kind {
		case DeltaText, DeltaReplace:
			return true
		case DeltaThought:
			return r.state.status != status || r.t.bot.settings.Show.Thoughts == "full"
		default: // what is shown at the end only, or was shown before
			return r.state.status != status || r.state.busy != busy
		}
	})
}

func (r *reply) takeLocked(d Delta) {
	s := &r.state
	if d.Kind != DeltaWaiting {
		s.busy, s.waiting = false, time.Time{}
	}
	show := r.t.bot.settings.Show
	switch d.Kind {
	case DeltaIDs:
		r.idsLocked(d)
	case DeltaText, DeltaReplace:
		if d.Kind == DeltaReplace {
			s.answer.Reset()
		}
		if room := maxAnswer - s.answer.Len(); len(d.Text) > room {
			d.Text, s.cut = clip(d.Text, room), true
		}
		s.answer.WriteString(d.Text)
		s.status = ""
	case DeltaThought:
		r.thoughtLocked(d.Thought)
	case DeltaStep:
		if show.Thoughts != "off" {
			s.status = fill(r.t.bot.words.step, escapeMarkdown(oneLine(d.Text)))
		}
	case DeltaFile:
		r.fileLocked(d.File)
	case DeltaAudio:
		if !show.Voice {
			return
		}
		if len(r.audio)+len(d.Audio) > maxAudio {
			r.audioCut = true
			return
		}
		if !r.audioCut {
			r.audio = append(r.audio, d.Audio...)
		}
	case DeltaSources:
		if show.Sources {
			s.sources = d.Sources
		}
	case DeltaUsage:
		if show.Usage {
			s.usage = d.Usage
		}
	case DeltaWaiting:
		if s.waiting.IsZero() {
			s.waiting = time.Now()
		}
		s.busy = d.Wait >= busyAfter || time.Since(s.waiting)+d.Wait >= busyAfter
	case DeltaNotice:
		r.told = true
		s.notice(d.Notice)
	case DeltaSuggestions:
		s.next = d.Suggestions
	case DeltaEnd:
	}
}

func (r *reply) idsLocked(d Delta) {
	if d.TaskID != "" {
		r.task = d.TaskID
	}
	if !r.j.Begun {
		r.j.Begun, r.dirty = true, true
	}
	if d.MessageID != "" && d.MessageID != r.j.Message {
		r.j.Message, r.dirty = d.MessageID, true
	}
	if d.Conversation != "" && d.Conversation != r.j.ConvID {
		r.j.ConvID, r.dirty, r.convNew = d.Conversation, true, true
	}
}

// markdown is the whole reply as it should be shown now. Before the end it closes with the status, if that is wanted. What is
// the app's answer alone, as it is most of the time, is not copied.
func (r *reply) markdown(withStatus bool) (view, string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	v := r.viewLocked()
	r.unseen = time.Time{}
	s, w := &r.state, r.t.bot.words
	answer := s.answer.String()
	var before, after strings.Builder
	if s.head != "" && (v.hasText || r.closed) {
		before.WriteString(s.head)
	}
	for _, step := range s.steps {
		if step != "" {
			paragraph(&before, quoteBlock(step), false)
		}
	}
	add := func(text string) {
		if after.Len() == 0 {
			if fence := openFence(answer); fence != "" {
				after.WriteString("\n" + fence)
			}
		}
		paragraph(&after, text, answer != "" || before.Len() > 0)
	}
	switch {
	case r.closed:
		r.endLocked(add)
	case !withStatus:
	case s.busy:
		add("*" + w.line(Notice{Kind: NoticeBusy}, "") + "*")
	case s.status != "":
		add("*" + s.status + "*")
	}
	if before.Len() == 0 && after.Len() == 0 {
		return v, answer
	}
	if before.Len() > 0 && answer != "" {
		before.WriteString("\n\n")
	}
	return v, before.String() + answer + after.String()
}

// paragraph adds a paragraph, apart from what is there, if there is anything.
func paragraph(b *strings.Builder, text string, more bool) {
	if more || b.Len() > 0 {
		b.WriteString("\n\n")
	}
	b.WriteString(text)
}

// endLocked adds what stands under an answer in the end.
func (r *reply) endLocked(add func(string)) {
	s, w := &r.state, r.t.bot.words
	for _, n := range s.notices {
		add(w.line(n, ""))
	}
	if s.unsaid > 0 {
		add(fill(w.moreNotices, strconv.Itoa(s.unsaid)))
	}
	if s.end.Kind != "" {
		add(w.line(s.end, r.j.ID))
	} else if s.cut {
		add(w.line(Notice{Kind: NoticeEndedEarly}, r.j.ID))
	}
	if text := sourcesBlock(w, s.sources); text != "" {
		add(text)
	}
	if text := usageLine(w, s.usage); text != "" {
		add(text)
	}
}

// journal stores what is known of the turn, if there is news or force is set, together with the links of its messages.
func (r *reply) journal(ctx context.Context, force bool) error {
	r.mu.Lock()
	if !r.dirty && !force {
		r.mu.Unlock()
		return nil
	}
	j := r.j
	j.Reply, j.Extra, j.Uploads = slices.Clone(j.Reply), slices.Clone(j.Extra), slices.Clone(j.Uploads)
	var c *Conversation
	if r.convNew {
		copied := r.t.conv
		copied.ID, copied.At, copied.Started = j.ConvID, j.At, j.Started
		c = &copied
	}
	r.dirty, r.convNew = false, false
	r.mu.Unlock()
	var link *Link
	if len(j.Reply)+len(j.Extra) > 0 {
		l := r.t.link(j)
		link = &l
	}
	ctx, cancel := lastWrite(ctx)
	defer cancel()
	if err := r.t.b.store.PutTurn(ctx, j, c, link); err != nil {
		r.mu.Lock()
		r.dirty, r.convNew = true, r.convNew || c != nil
		r.mu.Unlock()
		r.t.log.Error("journal not stored", slog.Any("err", err))
		return err
	}
	return nil
}
