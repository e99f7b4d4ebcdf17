package core

import (
	"context"
	"errors"
	"iter"
	"strings"
	"time"
)

// App is one ClickAI application. Its methods may be called from many goroutines. Errors are of type *[AppError].
type App interface {
	// Name is the app's name in the configuration.
	Name() string
	// Conversational is false for apps without memory (completion, workflow): they have no conversation id.
	Conversational() bool
	// Ask asks the question and yields what comes back. It retries by itself what may be retried, until ctx ends, and
	// yields DeltaWaiting meanwhile. The sequence ends after an error or after DeltaEnd; breaking out of it closes the
	// request. The app is never asked again once it has begun to answer.
	Ask(ctx context.Context, q Question) iter.Seq2[Delta, error]
	// Stop asks ClickAI to end a running turn, as far as it can.
	Stop(ctx context.Context, user, taskID string) error
	// Recall looks the question up in the conversation's history. found is false if it is not there, or if the app keeps none.
	Recall(ctx context.Context, q Question) (past PastAnswer, found bool, err error)
	// Upload sends one file ahead of a question. It retries what may be retried.
	Upload(ctx context.Context, user string, f File) (FileRef, error)
	// Rate sends a rating once, without retry.
	Rate(ctx context.Context, r RatingOut) error
	// FileRules are what the app takes, as far as it tells; zero values where it does not.
	FileRules(ctx context.Context) FileRules
}

type waitingKey struct{}

// WithWaiting returns a context for which f is called when a call of an App other than Ask has to wait, before it waits,
// with about how long: so that a person can be told. f may be called from any goroutine until the call returns.
func WithWaiting(ctx context.Context, f func(wait time.Duration)) context.Context {
	return context.WithValue(ctx, waitingKey{}, f)
}

// Waiting is how an App says that it is about to wait. It does nothing where nobody listens.
func Waiting(ctx context.Context, wait time.Duration) {
	if f, ok := ctx.Value(waitingKey{}).(func(time.Duration)); ok {
		f(wait)
	}
}

// Question is one question to an app.
type Question struct {
	Conversation string // ClickAI's conversation_id; "" starts a new one
	User         string // the user that ClickAI knows the conversation by
	Query        string
	Files        []FileRef
	Vars         Vars // what the configured inputs may name
	// Retried is true when an earlier process may have asked this already: the history is looked at first.
	Retried bool
	// Begun is true when ClickAI is known to have begun to answer: it must not be asked again.
	Begun bool
	// MessageID is ClickAI's message_id, if it is known from before a restart.
	MessageID string
	// After is the message_id of the turn before in this conversation: what the history has of it and before is not an
	// answer to this question, whatever its words; "" if unknown.
	After string
	// AskedAt is when the question was first accepted; history older than this is not an answer to it.
	AskedAt time.Time
	// Suggest is true where what may be asked next can be shown.
	Suggest bool
}

// Vars are the values that the templates in an app's configured inputs may use.
type Vars struct {
	User     VarsUser
	Platform string
	Room     VarsNamed
	Thread   VarsNamed
	Bot      string
}

// VarsUser and VarsNamed are parts of Vars.
type VarsUser struct{ ID, Name string }

// VarsNamed is something with an id and a name.
type VarsNamed struct{ ID, Name string }

// FileRef is a file that ClickAI has.
type FileRef struct {
	ID   string `json:"id"`
	Type string `json:"type"` // image, document, audio, video, custom
	Name string `json:"name"`
}

// FileRules are an app's limits on attachments.
type FileRules struct {
	Types    []string         // allowed types; empty: all
	MaxCount int              // per question; 0: unknown
	MaxBytes map[string]int64 // by type; absent: unknown
}

// DeltaKind says what a Delta carries.
type DeltaKind int

// The kinds of deltas. Kinds that a consumer does not know are to be skipped.
const (
	DeltaIDs         DeltaKind = iota // Conversation, MessageID, TaskID: those not "" are news. Comes before any text
	DeltaText                         // Text is appended to the answer
	DeltaReplace                      // Text replaces the whole answer
	DeltaThought                      // Thought: what the app is thinking or doing
	DeltaStep                         // Text names the workflow step that runs
	DeltaFile                         // File made by the app
	DeltaAudio                        // Audio is appended to the spoken answer
	DeltaSources                      // Sources of the answer
	DeltaUsage                        // Usage of the turn
	DeltaWaiting                      // the app is busy or out of reach; trying again in Wait
	DeltaNotice                       // Notice: something to tell the person that is no error
	DeltaSuggestions                  // Suggestions: what may be asked next
	DeltaEnd                          // the answer is complete; last
)

// Delta is one thing that an app sends while it answers.
type Delta struct {
	Kind         DeltaKind
	Text         string
	Conversation string
	MessageID    string
	TaskID       string
	Thought      Thought
	File         FileOut
	Audio        []byte
	Sources      []Source
	Usage        Usage
	Wait         time.Duration
	Notice       Notice
	Suggestions  []string
}

// Thought is a snapshot of one step of an agent's reasoning; a later one with the same ID replaces it.
type Thought struct {
	ID    string
	Text  string // "" takes back what an earlier one said
	Tools []Tool
}

// Tool is a tool that an agent uses.
type Tool struct {
	Name   string
	Labels map[string]string // what people call it, by language (en_US, vi_VN, …); may be nil
}

// In is the tool's name for people of a language ("en", "vi"): its label where there is one.
func (t Tool) In(language string) string {
	best := ""
	for tag := range t.Labels {
		main, _, _ := strings.Cut(strings.ReplaceAll(strings.ToLower(tag), "-", "_"), "_")
		if main == language && (best == "" || tag < best) && strings.TrimSpace(t.Labels[tag]) != "" {
			best = tag
		}
	}
	if best == "" {
		return t.Name
	}
	return t.Labels[best]
}

// FileOut is a file made by the app. The bytes come from Open.
type FileOut struct {
	ID   string // the same file may be announced more than once, under the same id
	Type string // image, document, audio, video, custom
	File File
}

// Source is a passage that the answer draws on.
type Source struct {
	Position int    // the number that the answer quotes it by, from 1; 0 if unknown
	ID       string // of the document; "" if unknown
	Document string // its name; "" if unknown
	Dataset  string
	Page     int // from 1; 0 if unknown
	Score    float64
}

// Usage is what a turn cost. Price is decimal text, "" if unknown.
type Usage struct {
	TotalTokens int
	Price       string
	Currency    string
	Latency     time.Duration // that the app took; 0 if unknown
}

// PastAnswer is an answer found in the history.
type PastAnswer struct {
	Conversation string
	MessageID    string
	Text         string // "" while it still runs
	Done         bool   // it will not grow any more
}

// Rating is a judgement of an answer.
type Rating string

// The ratings. RatingNone withdraws.
const (
	RatingLike    Rating = "like"
	RatingDislike Rating = "dislike"
	RatingNone    Rating = ""
)

// RatingOut is a rating to be sent to ClickAI.
type RatingOut struct {
	MessageID string
	User      string // of the conversation
	Rating    Rating
	Content   string
}

// AppError is a failure of a call to an app, as core needs to know it: which line the person sees.
type AppError struct {
	Notice Notice // what the person is told
	Class  Class  // for Rate and Upload: whether to try again
	After  time.Duration
	// Begun is true when the app had begun to answer.
	Begun bool
	Err   error // for the log
}

func (e *AppError) Error() string {
	if e.Err == nil {
		return "app: " + string(e.Notice.Kind)
	}
	return "app: " + e.Err.Error()
}

func (e *AppError) Unwrap() error { return e.Err }

// appClass is the class of an app's error; Transient for errors of another type.
func appClass(err error) Class {
	if e, ok := errors.AsType[*AppError](err); ok {
		return e.Class
	}
	return ClassOf(err)
}

func appRetryAfter(err error) time.Duration {
	if e, ok := errors.AsType[*AppError](err); ok {
		return e.After
	}
	return 0
}
