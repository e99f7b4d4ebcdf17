package core

import (
	"context"
	"errors"
	"io"
	"net/http"
	"time"
)

// The interfaces below are optional. core finds them by type assertion, once, when a bot is added; where one is missing it
// does without. Like Platform's methods they return *Error.

// Ceiling takes another ceiling for calls to the platform, over all rooms, than the documented one: `calls_per_second`.
// It is called once, before anything else.
type Ceiling interface {
	SetCallsPerSecond(n float64)
}

// Pacer keeps the platform's limits over all that the bot does there. core asks it for the turn of a call right before it
// renders what the call shows, so that what goes out is the newest text, and nothing is rendered that is not sent. Where a
// platform is a Pacer, Post, Edit, Draft, StartStream and AppendStream rely on their caller having asked and do not wait
// themselves; the other calls see to their turns without help.
type Pacer interface {
	// Pace waits until the call may be made, and counts it. It returns nil, ErrWoken, or an error that wraps ctx's cause.
	// It waits as long as it takes.
	Pace(ctx context.Context, s Show) error
	// Unpace gives back a turn for which there turned out to be nothing to send.
	Unpace(s Show)
}

// ErrWoken says that Pace ended because of Show.Wake; nothing was counted.
var ErrWoken = errors.New("woken before the turn came")

// ShowKind says which call a turn is wanted for.
type ShowKind string

// The calls that show something.
const (
	ShowPost   ShowKind = "post"
	ShowEdit   ShowKind = "edit"
	ShowDraft  ShowKind = "draft"
	ShowStream ShowKind = "stream" // StartStream
	ShowAppend ShowKind = "append"
)

// Show is a call to come that shows something to people.
type Show struct {
	Kind  ShowKind
	Place Place
	// Urgent calls go first: the first text of an answer, its last edit, a notice. The others are refreshes, which a later
	// one replaces, and take what is left in fair turns.
	Urgent bool
	// Since is the time from which on it has been wanted; the earliest goes first among its like. Zero: now.
	Since time.Time
	// Wake ends the wait when something can be received from it. nil: never. It is not looked at when there is room at once.
	Wake <-chan struct{}
}

// Renderer renders an answer that grows, with less work than [Platform].Render from its beginning each time.
type Renderer interface {
	// NewRender returns a Render for one reply, for one goroutine at a time. It gives what Platform.Render gives, for any
	// source after any other; it is quick where the source goes on from the one before. stands is how many of the first
	// parts of its last result need not be given again if they are the same; from is how many of them are left out. If any
	// is, there is at least one part. What it keeps goes with it.
	NewRender() func(markdown string, final bool, stands int) (from int, parts []Part)
}

// Editor changes a message that the bot sent.
type Editor interface {
	Edit(ctx context.Context, m MessageRef, p Part) error
}

// Drafter shows the unfinished end of a reply before it is a message: `stream.mode: native`.
type Drafter interface {
	// Draft shows d in a place whose Limits.DraftEvery is set. It goes by itself after a while, and when the message is
	// posted. Class [Unsupported]: drafts cannot be shown here, and Limits says so from now on.
	Draft(ctx context.Context, d Draft) error
}

// Draft is the state of a draft.
type Draft struct {
	Place Place
	Nonce string // of the message that it becomes; all states of one draft have the same
	Part  Part
}

// Streamer lets a message grow by what is new in it, in the platform's own way, rather than by edits: `stream.mode: native`.
// A message that streams is one like any other, but for Edit, which ends its stream.
type Streamer interface {
	// StreamText is what a stream shows of an answer so far. It is pure. As the answer grows, the result grows at its end;
	// with final false some of the end may be held back until it is sure how it reads.
	StreamText(markdown string, final bool) string
	// StartStream posts a message that streams, in a place whose Limits.Streams is set. Class [Unsupported]: there are no
	// streams here, and Limits says so from now on.
	StartStream(ctx context.Context, p Post, text string) (MessageRef, error)
	// AppendStream adds text. Class [StreamOver]: the message does not stream any more, and is to be edited from now on.
	// After an error that says Maybe the text may stand there already: go on with Edit.
	AppendStream(ctx context.Context, s Stream, text string) error
	// StopStream adds text and ends the stream; whole is what the message is to look like then. Where the stream does not
	// look like that, it is edited. With whole zero, only the stream is ended. Errors are as those of AppendStream.
	StopStream(ctx context.Context, s Stream, text string, whole Part) error
}

// Stream is a message that streams.
type Stream struct {
	Message MessageRef
	Began   time.Time
	Sent    int // bytes of text so far
}

// Deleter removes a message that the bot sent. A message that is gone already is no error.
type Deleter interface {
	Delete(ctx context.Context, m MessageRef) error
}

// Typist shows that the bot is at work. What it shows ends by itself, with the bot's next message at the latest.
type Typist interface {
	Typing(ctx context.Context, p Place) error
}

// ThreadOpener makes the thread of a question, on platforms where a first reply does not do so by itself.
type ThreadOpener interface {
	// OpenThread opens the thread that question roots and names it. It returns where to answer: the thread (also when it
	// exists already), or the question's own place when none can be opened there.
	OpenThread(ctx context.Context, question MessageRef, name string) (Place, error)
}

// AttachmentOpener streams a file that came with a message.
type AttachmentOpener interface {
	// OpenAttachment returns the bytes. The caller closes; ctx bounds the whole transfer.
	OpenAttachment(ctx context.Context, a Attachment) (io.ReadCloser, error)
}

// File is a file to be sent. Open may be called again for another try.
type File struct {
	Name string
	MIME string
	Size int64 // bytes; -1 if unknown
	// Nonce and Again are those of the message that the file becomes, as in [Post]; "" where it becomes none.
	Nonce string
	Again bool
	Open  func(ctx context.Context) (io.ReadCloser, error)
}

// Uploader sends a file into a place, as the platform's own kind of message for it.
type Uploader interface {
	Upload(ctx context.Context, p Place, replyTo string, f File) (MessageRef, error)
}

// Receiver takes events by HTTP rather than over a connection of its own. The program serves it at /webhooks/<bot name>.
type Receiver interface {
	// Webhook is the handler; nil if the bot is not configured for it. While the platform does not run it answers 503, so
	// that the events come again.
	Webhook() http.Handler
}

// Answerer answers a command or a press in the platform's own way: to that person alone, where it can.
type Answerer interface {
	// Answer shows p to the person behind an event's Handle. A blank p only says that the press was taken, where the platform
	// wants to be told. After an error core sends what p says as a message. An adapter that gets no Answer in the time that its
	// platform gives acknowledges by itself, in a way that still lets it answer.
	Answer(ctx context.Context, handle string, p Part) error
}

// FormOpener asks a person for a text in a window of the platform's own.
type FormOpener interface {
	// OpenForm answers an event's Handle with a form, at once: platforms take that for about 3 seconds only. What is sent
	// comes back as an event of KindPress with the form's ID and the MessageID of the event that was answered. Nothing comes
	// when the person closes it.
	OpenForm(ctx context.Context, handle string, f Form) error
}

// Form is a form of one field.
type Form struct {
	ID     string // as that of a [Button]
	Title  string // at most 24 characters (Slack's limit for a modal's title)
	Label  string // of the field; at most 45 characters (Discord's limit for a text input's label)
	Submit string // at most 24 characters
	Cancel string // at most 24 characters
}

// Commander tells the platform which commands the bot knows, so that it offers them to people.
type Commander interface {
	// SetCommands replaces the list. core calls it once the bot is connected, when the list has changed.
	SetCommands(ctx context.Context, all []CommandInfo) error
}

// CommandInfo describes a command.
type CommandInfo struct {
	Name string            // lower case letters
	Does string            // one line in the bot's language, at most 100 characters (Discord's limit for a description)
	Arg  string            // what may follow it, one word in the bot's language; "" for nothing
	In   map[string]string // Does in further languages, by their ISO 639-1 codes
}

// Prompter suggests questions to a person who has opened a chat, in a way of the platform's own.
type Prompter interface {
	// Prompt shows suggestions in a place. Class [Unsupported]: not here.
	Prompt(ctx context.Context, p Place, title string, prompts []string) error
}

// Titler names a thread that the platform lists under a name of its own (Slack's agent pane).
type Titler interface {
	// SetTitle names the thread. Class [Unsupported]: it has no title.
	SetTitle(ctx context.Context, p Place, title string) error
}

// Directory finds people and rooms by what the configuration calls them.
type Directory interface {
	// FindRoom returns the room of that id or name (without # or @), FindUser the person of that id or unique name. ok is
	// false if there is none that the bot can see. Class [Unsupported]: the platform cannot tell.
	FindRoom(ctx context.Context, name string) (r Room, ok bool, err error)
	FindUser(ctx context.Context, name string) (u User, ok bool, err error)
}

// PastMessage is a message that stood in a thread before the bot was called.
type PastMessage struct {
	ID   string
	From User
	Text string // as in Event.Text
	Bot  bool   // written by this bot
}

// ThreadReader reads what was said in a thread.
type ThreadReader interface {
	// ThreadBefore returns up to limit messages of the thread before the given one, oldest first.
	ThreadBefore(ctx context.Context, m MessageRef, limit int) ([]PastMessage, error)
}

// Check is one line of `bridge check`.
type Check struct {
	What string // what was looked at: "token", "scope files:read", "intent MESSAGE_CONTENT"
	OK   bool
	Mend string // what to do when not OK; else a detail worth showing ("acme-bot in Acme Inc"), or ""
	// Unheard says that messages in rooms do not reach the bot unless they are meant for it. That is not OK where `respond` has
	// them answered.
	Unheard bool
}

// Checker asks the platform whether everything that the bot needs is granted.
type Checker interface {
	// Check returns a line for each thing looked at. The error is for when the platform could not be asked at all.
	Check(ctx context.Context) ([]Check, error)
}
