package core

import (
	"context"
	"time"
)

// The interfaces below are what an [App] may offer besides. Their errors are of type *[AppError].

// Archive is an app that keeps its conversations. A conversation is found by the user that began it.
type Archive interface {
	// History returns the newest turns of a conversation, oldest first, at most limit.
	History(ctx context.Context, user, conversation string, limit int) ([]PastTurn, error)
	// Conversations lists the conversations of a user, the one spoken in last first, at most limit.
	Conversations(ctx context.Context, user string, limit int) ([]PastConversation, error)
	// Rename gives a conversation another name and returns it. With name "" the app makes one.
	Rename(ctx context.Context, user, conversation, name string) (string, error)
	// Delete removes a conversation. One that is gone is an error of class [NotFound].
	Delete(ctx context.Context, user, conversation string) error
}

// PastTurn is a question with its answer.
type PastTurn struct {
	Query  string
	Answer string
	At     time.Time
}

// PastConversation is a conversation that can be gone on with.
type PastConversation struct {
	ID   string
	Name string // may be ""
	Last time.Time
}

// Greeter is an app that may have something to say before it is asked.
type Greeter interface {
	// Opening returns what it says; the zero value if nothing.
	Opening(ctx context.Context) (Opening, error)
}

// Opening is how an app opens a conversation.
type Opening struct {
	Text    string // Markdown
	Prompts []string
}
