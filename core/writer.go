package core

import (
	"bytes"
	"context"
	"errors"
	"io"
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

// writer shows a reply: it owns the platform messages of one turn.
type writer struct {
	r      *reply
	t      *turn
	opened bool // the thread is there, or none is needed

	shown     []shownPart
	next      time.Time // no call before this
	wait      *backoff
	posts     int
	kept      int   // messages of an earlier process that people have read: they stand until there is an answer to put there
	maybe     bool  // the next post may have been taken already, with an older text
	refused   Part  // what the platform would not take as a new message
	err       error // why the reply could not be shown
	firstText time.Duration
	edits     int
}

// shownPart is a message of the reply and what it shows.
type shownPart struct {
	ref  MessageRef
	part Part
}

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
	typing, stopTyping := context.WithCancel(ctx)
	defer stopTyping()
	w.openThread(ctx)
	if w.t.bot.typist != nil {
		side.Go(func() { _ = safely(w.t.log, func() { w.keepTyping(typing) }) })
	}
	files := make(chan struct{}, 1) // holds a token while files are being sent
	sideDone := false
	for {
		w.r.mu.Lock()
		left, closed, haveFiles := w.r.left, w.r.closed, len(w.r.queue) > 0
		w.r.mu.Unlock()
		if left && !closed || ctx.Err() != nil {
			w.err = ErrShutdown
			_ = w.r.journal(ctx, false) // what is known now is what the next start goes on from
			return
		}
		if haveFiles {
			select {
			case files <- struct{}{}:
				side.Go(func() {
					_ = safely(w.t.log, func() { w.sendFiles(ctx) })
					<-files
					w.r.wake()
				})
			default:
			}
		}
		done, err := w.step(ctx, stopTyping)
		switch {
		case err != nil && w.hopeless(err):
			w.err = err
			w.stopAsking(err)
			return
		case done && closed && !sideDone:
			// Files come after the text. One that could not be sent is named under the answer: look once more.
			stopTyping()
			side.Wait()
			w.sendVoice(ctx)
			sideDone = true
			continue
		case done && closed:
			return
		}
		w.sleep(ctx, done)
	}
}

// sleep waits for news, or, when there is something to show already, until it may be shown.
func (w *writer) sleep(ctx context.Context, done bool) {
	if done {
		select {
		case <-ctx.Done():
		case <-w.r.nudge:
		}
		return
	}
	for {
		rest := time.Until(w.next)
		if rest <= 0 {
			return
		}
		timer := time.NewTimer(rest)
		select {
		case <-ctx.Done():
			timer.Stop()
			return
		case <-w.r.nudge: // the answer may have ended, or ids may wait to be stored
			timer.Stop()
			if w.urgent() {
				return
			}
		case <-timer.C:
			return
		}
	}
}

// urgent tells whether there is something to do that need not wait for the platform.
func (w *writer) urgent() bool {
	w.r.mu.Lock()
	defer w.r.mu.Unlock()
	return w.r.dirty || w.r.left || len(w.r.queue) > 0
}

// step makes at most one call that shows something. done is true when everything is shown as it should be now.
func (w *writer) step(ctx context.Context, stopTyping func()) (done bool, err error) {
	due := !time.Now().Before(w.next)
	if !due || len(w.shown) > 0 {
		// News for the journal goes first, unless a first text can be shown at once: its own entry then holds both.
		if err := w.r.journal(ctx, false); err != nil {
			return false, w.later(err)
		}
	}
	if !due && !w.r.isClosed() {
		return false, nil
	}
	text, final, hasAnswer := w.r.markdown()
	if !final && (w.t.bot.settings.Stream.Mode == "final" || w.t.bot.editor == nil) {
		text = ""
	}
	var parts []Part
	if strings.TrimSpace(text) != "" {
		parts = w.t.bot.platform.Render(text, final)
	}
	base := 0
	if w.kept > 0 && !hasAnswer {
		if !final {
			parts = nil
		}
		base = w.kept
	}
	if final {
		w.refused = Part{} // the last state is tried in any case
	}
	i := w.firstNews(parts, base)
	longer := base == 0 && final && len(w.shown) > len(parts) // the reply has become shorter
	switch {
	case !due && (i < len(parts) || longer):
		return false, nil
	case i < len(parts):
		if i == 0 && hasAnswer && w.firstText == 0 {
			w.firstText = time.Since(w.r.began)
		}
		if hasAnswer || final {
			stopTyping()
		}
		err := w.put(ctx, base+i, parts[i], final)
		if err == nil && i < len(parts)-1 {
			w.next = time.Now() // what follows is another message
		}
		if err != nil || i < len(parts)-1 || len(w.shown) > base+len(parts) {
			return false, err
		}
		return len(w.shown) <= base+i || w.shown[base+i].part == parts[i], nil // refused, or it stands as it should
	case longer:
		return false, w.drop(ctx)
	}
	if err := w.r.journal(ctx, false); err != nil {
		return false, w.later(err)
	}
	return true, nil
}

// firstNews is the index of the first part that its message, counted from base, does not show yet.
func (w *writer) firstNews(parts []Part, base int) int {
	for i, p := range parts {
		at := base + i
		if at >= len(w.shown) && p == w.refused {
			return len(parts) // not before it reads otherwise
		}
		if at >= len(w.shown) || w.shown[at].part != p {
			return i
		}
	}
	return len(parts)
}

// put makes the i-th message show p.
func (w *writer) put(ctx context.Context, i int, p Part, final bool) error {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	if i < len(w.shown) {
		w.edits++
		err := w.t.bot.editor.Edit(ctx, w.shown[i].ref, p)
		if class := ClassOf(err); class != MessageGone && class != ThreadGone {
			if err != nil && !refused(err) {
				return w.later(err)
			}
			if err != nil {
				// The same text would be refused again; a later state may not be.
				w.t.log.Error("edit refused", slog.Any("err", err))
			}
			w.shown[i].part = p
			w.paced()
			return nil
		}
		w.t.log.Info("message of the reply is gone, posting it anew", slog.Any("err", err))
	}
	ref, err := w.post(ctx, p)
	if refused(err) && final && p.Plain != "" && p.Text != p.Plain {
		w.t.log.Error("message refused, sending it without formatting", slog.Any("err", err))
		ref, err = w.post(ctx, Part{Text: p.Plain, Plain: p.Plain})
	}
	if refused(err) && !final {
		w.t.log.Error("message refused", slog.Any("err", err))
		w.refused = p // a later state may be taken
		return nil
	}
	if err != nil {
		w.maybe = w.maybe || isMaybe(err)
		return w.later(err)
	}
	stands := shownPart{ref: ref, part: p}
	if w.maybe {
		stands.part = Part{} // a platform that knows the nonce gives back what it took first: the newest text needs an edit
	}
	w.maybe = false
	if i < len(w.shown) {
		w.shown[i] = stands
	} else {
		w.shown = append(w.shown, stands)
	}
	w.paced()
	refs := make([]MessageRef, 0, len(w.shown))
	for _, s := range w.shown {
		refs = append(refs, s.ref)
	}
	w.r.mu.Lock()
	w.r.j.Reply = refs
	w.r.mu.Unlock()
	if err := w.r.journal(ctx, true); err != nil {
		return w.later(err)
	}
	return nil
}

// post sends a new message of the reply, in the room if the thread is closed.
func (w *writer) post(ctx context.Context, p Part) (MessageRef, error) {
	place := w.place()
	last := w.t.batch[len(w.t.batch)-1].Event
	post := Post{Place: place, Part: p, Nonce: nonce(w.t.batch[0].Event.Bot+w.t.batch[0].Event.Key, w.posts)}
	if w.t.bot.platform.Limits(place).ReplyToRoom && place == last.Place() {
		post.ReplyTo = last.MessageID
	}
	ref, err := w.t.bot.platform.Post(ctx, post)
	if ClassOf(err) == ThreadGone && place.Thread != "" {
		w.t.log.Info("thread is closed, answering in the room", slog.Any("err", err))
		post.Place.Thread, post.ReplyTo = "", ""
		if ref, err = w.t.bot.platform.Post(ctx, post); err == nil {
			w.moved(post.Place)
		}
	}
	if err == nil {
		w.posts++
	}
	return ref, err
}

// moved notes where the answer stands.
func (w *writer) moved(p Place) {
	w.r.mu.Lock()
	defer w.r.mu.Unlock()
	if w.r.j.At != p {
		w.r.j.At, w.r.dirty = p, true
	}
}

// drop removes the last message, when the reply has become shorter.
func (w *writer) drop(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	last := w.shown[len(w.shown)-1]
	var err error
	if w.t.bot.deleter != nil {
		err = w.t.bot.deleter.Delete(ctx, last.ref)
	} else {
		err = w.t.bot.editor.Edit(ctx, last.ref, w.t.bot.platform.Render("…", true)[0])
	}
	switch ClassOf(err) {
	case Transient, RateLimited, Auth:
		return w.later(err)
	default: // gone already, or not to be removed: nothing better can be done
	}
	w.shown = w.shown[:len(w.shown)-1]
	w.paced()
	w.r.mu.Lock()
	w.r.j.Reply = w.r.j.Reply[:min(len(w.r.j.Reply), len(w.shown))]
	w.r.dirty = true
	w.r.mu.Unlock()
	return nil
}

// paced sets the earliest time of the next call after one that went well.
func (w *writer) paced() {
	w.wait.reset()
	w.next = time.Now().Add(max(w.limits().EditGap, w.t.bot.settings.Stream.Interval))
}

// later sets the earliest time of the next call after one that failed, and returns the error.
func (w *writer) later(err error) error {
	wait := RetryAfterOf(err)
	if wait == 0 {
		wait = w.wait.next()
	}
	w.next = time.Now().Add(wait)
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

// refused tells whether the platform did not like what was to be shown, rather than where.
func refused(err error) bool {
	switch ClassOf(err) {
	case TooLong, BadMarkup, Invalid:
		return true
	default:
		return false
	}
}

// isMaybe tells whether a call that failed may have taken effect.
func isMaybe(err error) bool {
	e, ok := errors.AsType[*Error](err)
	return ok && e.Maybe
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

// openThread makes the thread of the question, where the platform needs that. The answer goes to the question's own place
// if there can be none.
func (w *writer) openThread(ctx context.Context) {
	first := w.t.batch[0]
	if w.opened || !first.Opens || w.t.bot.threads == nil {
		return
	}
	w.opened = true
	wait := newBackoff(500*time.Millisecond, 5*time.Second)
	for try := 1; ; try++ {
		one, cancel := context.WithTimeout(ctx, callTimeout)
		at, err := w.t.bot.threads.OpenThread(one, first.Event.Ref(), threadName(first.Event))
		cancel()
		if err == nil {
			w.moved(at)
			return
		}
		class := ClassOf(err)
		if class != Transient && class != RateLimited || try == 4 {
			w.t.log.Warn("thread not opened, answering in the room", slog.Any("err", err))
			w.moved(first.Event.Place())
			return
		}
		if !sleep(ctx, max(wait.next(), RetryAfterOf(err))) {
			return
		}
	}
}

// threadName is the first line of the question, cut at a word.
func threadName(ev Event) string {
	line, _, _ := strings.Cut(strings.TrimSpace(ev.Text), "\n")
	line = strings.Join(strings.Fields(line), " ")
	if line == "" && len(ev.Attachments) > 0 {
		line = attachmentName(ev.Attachments[0])
	}
	runes := []rune(line)
	if len(runes) <= maxThreadName {
		return line
	}
	cut := string(runes[:maxThreadName-1])
	if i := strings.LastIndexByte(cut, ' '); i > len(cut)/2 {
		cut = cut[:i]
	}
	return cut + "…"
}

// keepTyping keeps the typing sign until ctx ends.
func (w *writer) keepTyping(ctx context.Context) {
	for {
		one, cancel := context.WithTimeout(ctx, callTimeout)
		err := w.t.bot.typist.Typing(one, w.place())
		cancel()
		if err != nil && ctx.Err() == nil {
			w.t.log.Debug("typing not shown", slog.Any("err", err))
			if w.hopeless(err) {
				return
			}
		}
		every := w.limits().TypingEvery
		if every == 0 || !sleep(ctx, max(every, RetryAfterOf(err))) {
			return
		}
	}
}

// sendFiles posts the files that the app has made so far, in order.
func (w *writer) sendFiles(ctx context.Context) {
	for {
		w.r.mu.Lock()
		if len(w.r.queue) == 0 {
			w.r.mu.Unlock()
			return
		}
		f := w.r.queue[0]
		w.r.queue = w.r.queue[1:]
		w.r.mu.Unlock()
		w.sendFile(ctx, f.File)
	}
}

func (w *writer) sendFile(ctx context.Context, f File) {
	words := w.t.bot.words
	failed := func(why string, err error) {
		w.t.log.Warn("file of the answer not sent", slog.Any("err", err))
		w.r.notice(Notice{Kind: NoticeFile, Detail: strings.TrimSpace(f.Name + " " + why)})
	}
	if w.t.bot.upload == nil {
		failed(words.notSent, &Error{Op: "upload", Class: Unsupported})
		return
	}
	ctx, cancel := context.WithTimeout(ctx, fileTimeout)
	defer cancel()
	wait := newBackoff(time.Second, 10*time.Second)
	for try := 1; ; try++ {
		ref, err := w.t.bot.upload.Upload(ctx, w.place(), "", f)
		if err == nil {
			if !ref.IsZero() {
				w.r.mu.Lock()
				w.r.j.Extra = append(w.r.j.Extra, ref)
				w.r.dirty = true
				w.r.mu.Unlock()
				w.r.wake()
			}
			return
		}
		class := ClassOf(err)
		again := class == RateLimited || class == Transient && try < 3
		if !again || !sleep(ctx, max(wait.next(), RetryAfterOf(err))) {
			switch class {
			case TooLarge:
				failed(words.tooLarge, err)
			case NotFound:
				failed(words.notFetched, err)
			default:
				failed(words.notSent, err)
			}
			return
		}
	}
}

// sendVoice posts the spoken answer as one file.
func (w *writer) sendVoice(ctx context.Context) {
	w.r.mu.Lock()
	audio := w.r.audio
	w.r.mu.Unlock()
	if len(audio) == 0 || w.t.bot.upload == nil {
		return
	}
	w.sendFile(ctx, File{
		Name: "answer.mp3", MIME: "audio/mpeg", Size: int64(len(audio)),
		Open: func(context.Context) (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(audio)), nil },
	})
}
