package core

import (
	"context"
	"io"
)

// The interfaces below are optional. core finds them by type assertion, once, when a bot is added; where one is missing it
// does without. Like Platform's methods they return *Error.

// Ceiling takes another ceiling for calls to the platform, over all rooms, than the documented one: `calls_per_second`.
// It is called once, before anything else.
type Ceiling interface {
	SetCallsPerSecond(n float64)
}

// Editor changes a message that the bot sent.
type Editor interface {
	Edit(ctx context.Context, m MessageRef, p Part) error
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
	Open func(ctx context.Context) (io.ReadCloser, error)
}

// Uploader sends a file into a place, as the platform's own kind of message for it.
type Uploader interface {
	Upload(ctx context.Context, p Place, replyTo string, f File) (MessageRef, error)
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
}

// Checker asks the platform whether everything that the bot needs is granted.
type Checker interface {
	// Check returns a line for each thing looked at. The error is for when the platform could not be asked at all.
	Check(ctx context.Context) ([]Check, error)
}
