package core

import (
	"context"
	"errors"
	"log/slog"
	"time"
)

// observe has the bot's calls to its platform told to the observer. Only what the bot has found the platform to be able to
// do is wrapped, each capability by itself, so that none is hidden. It is called once, before the bot is used.
func (t *bot) observe(o Observer) {
	if _, nobody := o.(NopObserver); nobody {
		return
	}
	t.platform = observedPlatform{t.platform, t, o}
	if t.editor != nil {
		t.editor = observedEditor{t.editor, t, o}
	}
	if t.deleter != nil {
		t.deleter = observedDeleter{t.deleter, t, o}
	}
	if t.typist != nil {
		t.typist = observedTypist{t.typist, t, o}
	}
	if t.threads != nil {
		t.threads = observedThreads{t.threads, t, o}
	}
	if t.upload != nil {
		t.upload = observedUploader{t.upload, t, o}
	}
	if t.pacer != nil {
		t.pacer = observedPacer{t.pacer, t, o}
	}
	if t.drafter != nil {
		t.drafter = observedDrafter{t.drafter, t, o}
	}
	if t.answerer != nil {
		t.answerer = observedAnswerer{t.answerer, t, o}
	}
	if t.streamer != nil {
		t.streamer = observedStreamer{t.streamer, t, o}
	}
}

// messaged tells what became of a message. It was written while the bot was cut off when its connection is younger than it;
// platforms date messages to the second.
func (t *bot) messaged(ev *Event, o MessageOutcome) {
	t.mu.Lock()
	late := !t.connected || ev.SentAt.Before(t.since.Truncate(time.Second))
	t.mu.Unlock()
	t.bridge.observer.Messaged(t.settings.Name, o, late)
}

// called tells of a call that has just ended.
func (t *bot) called(ctx context.Context, o Observer, kind CallKind, began time.Time, err error) {
	c := PlatformCall{Kind: kind, Class: ClassOf(err), Began: began, Took: time.Since(began), RetryAfter: RetryAfterOf(err)}
	o.Called(t.settings.Name, c)
	if w := watchOf(ctx); w != nil {
		w.one.Called(c)
	}
}

type observedPlatform struct {
	Platform
	bot *bot
	to  Observer
}

// unobserved is the platform as it was given to the bridge.
func unobserved(p Platform) Platform {
	if o, ok := p.(observedPlatform); ok {
		return o.Platform
	}
	return p
}

func (o observedPlatform) Post(ctx context.Context, p Post) (MessageRef, error) {
	began := time.Now()
	ref, err := o.Platform.Post(ctx, p)
	o.bot.called(ctx, o.to, CallPost, began, err)
	return ref, err
}

type observedEditor struct {
	Editor
	bot *bot
	to  Observer
}

func (o observedEditor) Edit(ctx context.Context, m MessageRef, p Part) error {
	began := time.Now()
	err := o.Editor.Edit(ctx, m, p)
	o.bot.called(ctx, o.to, CallEdit, began, err)
	return err
}

type observedDeleter struct {
	Deleter
	bot *bot
	to  Observer
}

func (o observedDeleter) Delete(ctx context.Context, m MessageRef) error {
	began := time.Now()
	err := o.Deleter.Delete(ctx, m)
	o.bot.called(ctx, o.to, CallDelete, began, err)
	return err
}

type observedTypist struct {
	Typist
	bot *bot
	to  Observer
}

func (o observedTypist) Typing(ctx context.Context, p Place) error {
	began := time.Now()
	err := o.Typist.Typing(ctx, p)
	if err == nil || ctx.Err() == nil { // the sign ends with the first text, in the middle of a call or not
		o.bot.called(ctx, o.to, CallTyping, began, err)
	}
	return err
}

type observedThreads struct {
	ThreadOpener
	bot *bot
	to  Observer
}

func (o observedThreads) OpenThread(ctx context.Context, question MessageRef, name string) (Place, error) {
	began := time.Now()
	at, err := o.ThreadOpener.OpenThread(ctx, question, name)
	o.bot.called(ctx, o.to, CallThread, began, err)
	return at, err
}

type observedUploader struct {
	Uploader
	bot *bot
	to  Observer
}

func (o observedUploader) Upload(ctx context.Context, p Place, replyTo string, f File) (MessageRef, error) {
	began := time.Now()
	ref, err := o.Uploader.Upload(ctx, p, replyTo, f)
	o.bot.called(ctx, o.to, CallUpload, began, err)
	return ref, err
}

type observedDrafter struct {
	Drafter
	bot *bot
	to  Observer
}

func (o observedDrafter) Draft(ctx context.Context, d Draft) error {
	began := time.Now()
	err := o.Drafter.Draft(ctx, d)
	o.bot.called(ctx, o.to, CallDraft, began, err)
	return err
}

type observedAnswerer struct {
	Answerer
	bot *bot
	to  Observer
}

func (o observedAnswerer) Answer(ctx context.Context, handle string, p Part) error {
	began := time.Now()
	err := o.Answerer.Answer(ctx, handle, p)
	o.bot.called(ctx, o.to, CallAnswer, began, err)
	return err
}

type observedStreamer struct {
	Streamer
	bot *bot
	to  Observer
}

func (o observedStreamer) StartStream(ctx context.Context, p Post, text string) (MessageRef, error) {
	began := time.Now()
	ref, err := o.Streamer.StartStream(ctx, p, text)
	o.bot.called(ctx, o.to, CallStream, began, err)
	return ref, err
}

func (o observedStreamer) AppendStream(ctx context.Context, s Stream, text string) error {
	began := time.Now()
	err := o.Streamer.AppendStream(ctx, s, text)
	o.bot.called(ctx, o.to, CallAppend, began, err)
	return err
}

func (o observedStreamer) StopStream(ctx context.Context, s Stream, text string, whole Part) error {
	began := time.Now()
	err := o.Streamer.StopStream(ctx, s, text, whole)
	o.bot.called(ctx, o.to, CallStop, began, err)
	return err
}

// observedPacer tells of waits that ended in a turn.
type observedPacer struct {
	Pacer
	bot *bot
	to  Observer
}

func (o observedPacer) Pace(ctx context.Context, s Show) error {
	began := time.Now()
	err := o.Pacer.Pace(ctx, s)
	if err == nil {
		o.to.Paced(o.bot.settings.Name, s.Kind, s.Urgent, time.Since(began))
	}
	return err
}

// LogHandler adds turn_id to lines that are logged with the context of a turn, so that what apps and platforms log while
// they work for it can be found by the reference that a person was shown.
func LogHandler(next slog.Handler) slog.Handler { return turnHandler{next} }

type turnHandler struct{ slog.Handler }

func (h turnHandler) Handle(ctx context.Context, r slog.Record) error {
	if w := watchOf(ctx); w != nil {
		r.AddAttrs(slog.String("turn_id", w.id))
	}
	return h.Handler.Handle(ctx, r)
}

func (h turnHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	return turnHandler{h.Handler.WithAttrs(attrs)}
}

func (h turnHandler) WithGroup(name string) slog.Handler {
	return turnHandler{h.Handler.WithGroup(name)}
}

// turnError is an error with the turn that it ended.
type turnError struct {
	id string
	error
}

func (e turnError) Unwrap() error { return e.error }

func ofTurn(id string, err error) error {
	if err == nil {
		return nil
	}
	return turnError{id, err}
}

// turnOf is the reference of the turn that an error has ended; "" if it has come before one.
func turnOf(err error) string {
	e, _ := errors.AsType[turnError](err)
	return e.id
}

// reference is what a line in answer to a message that gets no turn names it by, where the log has more about it.
func reference(ev *Event, kind NoticeKind) string {
	if kind != NoticeSetup {
		return ""
	}
	return turnID(ev.Bot + "\x00" + ev.Key)
}
