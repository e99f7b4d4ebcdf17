package core

import (
	"context"
	"errors"
	"time"
)

// Observer is told what the bridge does, for metrics and traces. Its methods may be called from many goroutines at once, on
// the way of what they tell: they return at once and do not call the bridge. What they are given holds no text of people
// and no secret. Embed [NopObserver] for what is not wanted.
type Observer interface {
	// TurnBegan tells of a turn that begins to run. What it returns, never nil, is told of the rest of that turn.
	TurnBegan(t TurnStart) TurnObserver
	// Messaged tells what became of a message that a platform delivered. late: it was written while the bot was cut off.
	Messaged(bot string, o MessageOutcome, late bool)
	// Called tells of a call to a platform that has ended, also of one for no turn.
	Called(bot string, c PlatformCall)
	// Paced tells how long a call waited for its turn with a platform that has turns; 0 where there was room at once.
	Paced(bot string, kind ShowKind, urgent bool, waited time.Duration)
	// Shown tells how old the oldest text of a running answer was that a call has made visible.
	Shown(bot string, age time.Duration)
	// Connection tells of a change of a bot's connection.
	Connection(bot string, connected bool)
	// Noticed tells of a line of the bridge's own that a person is shown.
	Noticed(bot string, kind NoticeKind)
	// Rated tells what became of a try to send a rating to ClickAI.
	Rated(app string, r Rating, o RatingOutcome)
	// Retried tells that a call to an app has failed and is tried again.
	Retried(app string, call AppCall)
	// RatingsWaiting tells how many ratings are still to be sent, each time that the bridge looks; it may be a little less.
	RatingsWaiting(n int)
}

// TurnObserver is told of one turn, by several goroutines. After Ended nothing more comes.
type TurnObserver interface {
	// Uploaded tells of an attachment that was sent ahead of the question, or could not be: class says why. bytes is -1 if
	// unknown.
	Uploaded(bytes int64, took time.Duration, class Class)
	// Asked tells that the question goes out to the app.
	Asked()
	// Answering tells that the first text has come from the app.
	Answering()
	// Answered tells that nothing more comes from the app.
	Answered()
	// Called tells of a call to the platform for this turn that has ended.
	Called(c PlatformCall)
	// FirstText tells that the first text of the answer is visible.
	FirstText()
	// Requested tells of an HTTP request to ClickAI for this turn.
	Requested(r AppRequest)
	// Ended tells that the turn is over in this process.
	Ended(e TurnEnd)
}

// TurnStart is what is known of a turn when it begins.
type TurnStart struct {
	ID          string // the reference that also stands in the log
	Bot         string
	Platform    string
	App         string
	Accepted    time.Time // when its first message was accepted
	Messages    int       // that it answers
	Attachments int
	Resumed     bool // an earlier process may have begun it: times since Accepted hold the pause between the two
}

// TurnEnd is how a turn ended.
type TurnEnd struct {
	Outcome  TurnOutcome
	Reason   NoticeKind // the line under the answer that says how it ended; "" for none
	Edits    int
	Messages int // of the reply, files included
	Bytes    int // of the app's text
	Err      error
}

// TurnOutcome says how a turn ended.
type TurnOutcome string

// The outcomes. Metrics use them as they are.
const (
	TurnAnswered TurnOutcome = "answered"
	TurnStopped  TurnOutcome = "stopped"  // by a person
	TurnFailed   TurnOutcome = "failed"   // the reply ends with a line that says why
	TurnUnshown  TurnOutcome = "unshown"  // the platform did not take the reply
	TurnLeft     TurnOutcome = "left"     // the bridge stops, or the bot has to be mended: the next start goes on with it
	TurnRepeated TurnOutcome = "repeated" // it could not be carried out, mostly for want of the store: it runs again
)

// PlatformCall is a call to a platform.
type PlatformCall struct {
	Kind  CallKind
	Class Class // of its error; "" if it went well
	Began time.Time
	Took  time.Duration
	// RetryAfter is how long the platform asked to wait; 0 if it did not.
	RetryAfter time.Duration
}

// CallKind is what a call to a platform is for.
type CallKind string

// The calls that are observed. Metrics use them as they are.
const (
	CallPost   CallKind = "post"
	CallEdit   CallKind = "edit"
	CallDelete CallKind = "delete"
	CallDraft  CallKind = "draft"
	CallStream CallKind = "stream_start"
	CallAppend CallKind = "stream_append"
	CallStop   CallKind = "stream_stop"
	CallTyping CallKind = "typing"
	CallThread CallKind = "open_thread"
	CallUpload CallKind = "upload"
	CallAnswer CallKind = "answer" // to a command or a press
)

// AppCall is what a call to an app is for.
type AppCall string

// The calls that are tried again.
const (
	AppAsk     AppCall = "ask"
	AppHistory AppCall = "history"
	AppUpload  AppCall = "upload"
	AppRate    AppCall = "rate"
)

// AppRequest is an HTTP request to ClickAI, up to the first bytes of its answer.
type AppRequest struct {
	Endpoint string // method and path, ids left out
	Status   int    // 0 if there was no answer
	Code     string // of ClickAI's error; "" if there is none
	Began    time.Time
	Took     time.Duration
}

// MessageOutcome says what became of a message.
type MessageOutcome string

// The outcomes of messages. Those that are not for the bot are not told.
const (
	MessageAccepted  MessageOutcome = "accepted"
	MessageDuplicate MessageOutcome = "duplicate"  // delivered before
	MessageDenied    MessageOutcome = "denied"     // of someone who is not allowed, in a direct chat
	MessageOverLimit MessageOutcome = "over_limit" // of turns_per_user
	MessageQueueFull MessageOutcome = "queue_full" // too many wait
	MessageUnstored  MessageOutcome = "unstored"   // the store failed: the platform delivers it again
)

// RatingOutcome says what became of a try to send a rating.
type RatingOutcome string

// The outcomes of ratings.
const (
	RatingSent    RatingOutcome = "sent"
	RatingAgain   RatingOutcome = "again" // it is tried again later
	RatingDropped RatingOutcome = "dropped"
)

// NopObserver observes nothing. It is what a Config without an Observer gets.
type NopObserver struct{}

var (
	_ Observer     = NopObserver{}
	_ TurnObserver = NopTurn{}
)

// TurnBegan returns a [NopTurn].
func (NopObserver) TurnBegan(TurnStart) TurnObserver { return NopTurn{} }

// Messaged does nothing.
func (NopObserver) Messaged(string, MessageOutcome, bool) {}

// Called does nothing.
func (NopObserver) Called(string, PlatformCall) {}

// Paced does nothing.
func (NopObserver) Paced(string, ShowKind, bool, time.Duration) {}

// Shown does nothing.
func (NopObserver) Shown(string, time.Duration) {}

// Connection does nothing.
func (NopObserver) Connection(string, bool) {}

// Noticed does nothing.
func (NopObserver) Noticed(string, NoticeKind) {}

// Rated does nothing.
func (NopObserver) Rated(string, Rating, RatingOutcome) {}

// Retried does nothing.
func (NopObserver) Retried(string, AppCall) {}

// RatingsWaiting does nothing.
func (NopObserver) RatingsWaiting(int) {}

// NopTurn is a [TurnObserver] that does nothing.
type NopTurn struct{}

// Uploaded does nothing.
func (NopTurn) Uploaded(int64, time.Duration, Class) {}

// Asked does nothing.
func (NopTurn) Asked() {}

// Answering does nothing.
func (NopTurn) Answering() {}

// Answered does nothing.
func (NopTurn) Answered() {}

// Called does nothing.
func (NopTurn) Called(PlatformCall) {}

// FirstText does nothing.
func (NopTurn) FirstText() {}

// Requested does nothing.
func (NopTurn) Requested(AppRequest) {}

// Ended does nothing.
func (NopTurn) Ended(TurnEnd) {}

// watch is what a running turn tells. Code that runs for the turn finds it in its context.
type watch struct {
	id      string
	bot     string
	all     Observer
	one     TurnObserver
	began   bool // text has come; touched by the goroutine that asks alone
	visible bool // text is visible; touched by the writer alone
	over    bool // Ended has been told; touched by the turn alone
}

type watchKey struct{}

func newWatch(o Observer, j Turn, batch []Pending, resumed bool) *watch {
	first := batch[0]
	s := TurnStart{
		ID: j.ID, Bot: j.Bot, Platform: first.Event.Platform, App: j.App, Accepted: time.UnixMilli(first.Recv), Messages: len(batch), Resumed: resumed,
	}
	for _, p := range batch {
		s.Attachments += len(p.Event.Attachments)
	}
	return &watch{id: j.ID, bot: j.Bot, all: o, one: o.TurnBegan(s)}
}

// in returns a context for work that is done for the turn.
func (w *watch) in(ctx context.Context) context.Context { return context.WithValue(ctx, watchKey{}, w) }

func watchOf(ctx context.Context) *watch {
	w, _ := ctx.Value(watchKey{}).(*watch)
	return w
}

// TellRetry is how an App says that a call for a turn is tried again. It does nothing where no turn is in ctx.
func TellRetry(ctx context.Context, app string, call AppCall) {
	if w := watchOf(ctx); w != nil {
		w.all.Retried(app, call)
	}
}

// TellRequest tells the turn in ctx, if there is one, of a request to ClickAI.
func TellRequest(ctx context.Context, r AppRequest) {
	if w := watchOf(ctx); w != nil {
		w.one.Requested(r)
	}
}

// took is told of each delta.
func (w *watch) took(kind DeltaKind) {
	if !w.began && (kind == DeltaText || kind == DeltaReplace) {
		w.began = true
		w.one.Answering()
	}
}

// shown is told of each call that went well and made the reply show what had been waiting since then; zero: nothing had.
func (w *watch) shown(since time.Time, firstText time.Duration) {
	if !since.IsZero() {
		w.all.Shown(w.bot, time.Since(since))
	}
	if !w.visible && firstText > 0 {
		w.visible = true
		w.one.FirstText()
	}
}

// ended tells how a turn that stands in the store as done came out. outcome is how the asking did.
func (w *watch) ended(end replyResult, outcome error) {
	e := TurnEnd{
		Outcome: TurnOutcome(outcomeName(outcome)), Reason: end.ending, Edits: end.edits, Bytes: end.bytes,
		Messages: len(end.journal.Reply) + len(end.journal.Extra), Err: outcome,
	}
	switch {
	case end.err != nil:
		e.Outcome, e.Reason, e.Err = TurnUnshown, "", end.err // what would have ended it is not seen
	case e.Outcome == TurnAnswered && end.ending != "": // it came to its end without an answer
		e.Outcome = TurnFailed
	}
	if end.ending != "" && end.err == nil {
		w.all.Noticed(w.bot, end.ending)
	}
	w.over = true
	w.one.Ended(e)
}

// left tells that run returns, unless the turn has ended.
func (w *watch) left(err error) {
	switch {
	case w.over:
	case err == nil, errors.Is(err, errParked), errors.Is(err, ErrShutdown):
		w.one.Ended(TurnEnd{Outcome: TurnLeft, Err: err})
	default:
		w.one.Ended(TurnEnd{Outcome: TurnRepeated, Err: err})
	}
	w.over = true
}
