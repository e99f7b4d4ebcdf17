package control

import (
	"context"
	"io"
	"time"
)

// Operations are what can be done to the bridge's memory. Methods may be called from many goroutines. What the person who
// asked can mend is an [*Error].
type Operations interface {
	// Conversations is one page of all that are remembered, in no order of time.
	Conversations(ctx context.Context, r ConversationsRequest) (ConversationsPage, error)
	// Find is the conversation of that name: a key, or an id of ClickAI. An id to which conversations of several apps are
	// mapped is KindAmbiguous.
	Find(ctx context.Context, name string) (Conversation, error)
	// History is one page of what was said, as ClickAI has it: the newest first page by page, oldest first in a page.
	History(ctx context.Context, r HistoryRequest) (HistoryPage, error)
	// Rename gives it another name at ClickAI.
	Rename(ctx context.Context, r RenameRequest) (Renamed, error)
	// Reset forgets which conversation of ClickAI belongs to a key; the next message there begins a new one. ClickAI
	// keeps the old one. Where several keys are mapped to an id, it is KindAmbiguous: name the key.
	Reset(ctx context.Context, name string) (Conversation, error)
	// Delete deletes a conversation at ClickAI, and forgets it under all keys that are mapped to it. One that ClickAI
	// does not have is forgotten all the same. After any other failure nothing is forgotten.
	Delete(ctx context.Context, name string) (Deleted, error)
	// Ratings is one page of all ratings that stand, in no order of time.
	Ratings(ctx context.Context, r RatingsRequest) (RatingsPage, error)
	// Backup writes a copy of the store, as of one moment, to the writer that begin returns for its size in bytes.
	Backup(ctx context.Context, begin func(size int64) (io.Writer, error)) error
}

// ConversationsRequest asks for one page.
type ConversationsRequest struct {
	Bot, App string // only of these; "" for all
	After    string // Next of the page before; "" for the first
	Limit    int    // entries looked at; 0: as many as the store allows
}

// ConversationsPage is one page. It may be empty and not be the last.
type ConversationsPage struct {
	Data []Conversation `json:"data"`
	Next string         `json:"next,omitempty"` // "" at the end
}

// Conversation is one conversation of a bot with an app, in a place.
type Conversation struct {
	Key     string    `json:"key"`
	Bot     string    `json:"bot"`
	App     string    `json:"app"`
	Title   string    `json:"title"` // of the room or thread
	Room    string    `json:"room"`  // where it was last spoken in
	Thread  string    `json:"thread,omitempty"`
	ID      string    `json:"conversation_id"` // ClickAI's; "" before the first answer, and with apps that have none
	User    string    `json:"user"`            // the ClickAI user that it belongs to
	Owner   string    `json:"owner"`           // the name of the person who began it
	People  int       `json:"people"`          // 1: only the owner has spoken; 2: others too
	Turns   int       `json:"turns"`           // that have ended
	Started time.Time `json:"started,omitzero"`
	Last    time.Time `json:"last,omitzero"` // end of the last turn
	Busy    bool      `json:"busy"`          // a turn runs, or was left unfinished
}

// HistoryRequest asks for one page of a conversation.
type HistoryRequest struct {
	Name   string
	Before string // Next of the page before; "" for the newest
	Limit  int    // 1 to 100; 0: 20
}

// HistoryPage is one page.
type HistoryPage struct {
	Conversation Conversation `json:"conversation"`
	Messages     []Message    `json:"messages"`
	Next         string       `json:"next,omitempty"` // "" if there are none before
}

// Message is a question with its answer.
type Message struct {
	ID     string    `json:"message_id"`
	At     time.Time `json:"at,omitzero"`
	Query  string    `json:"query"`
	Answer string    `json:"answer"`          // "" while it is being made
	Status string    `json:"status"`          // normal, error, paused
	Error  string    `json:"error,omitempty"` // ClickAI's own words
	Rating string    `json:"rating,omitempty"`
	Files  []File    `json:"files,omitempty"`
}

// File is a file of a message. Its address is left out: such addresses are signed and soon void.
type File struct {
	Name string `json:"name"`
	Type string `json:"type"`
	From string `json:"from"` // user or assistant
}

// RenameRequest gives a conversation another name.
type RenameRequest struct {
	Name  string `json:"name"`  // of the conversation, as for Find
	Title string `json:"title"` // the new name; "": ClickAI makes one from the first message
}

// Renamed is what became of it.
type Renamed struct {
	Conversation Conversation `json:"conversation"`
	Title        string       `json:"title"` // as ClickAI has it now
}

// Deleted is what was deleted.
type Deleted struct {
	Conversation Conversation `json:"conversation"`
	Keys         []string     `json:"keys"` // under which it was forgotten
	Gone         bool         `json:"gone"` // ClickAI did not have it, or never had one
}

// RatingsRequest asks for one page.
type RatingsRequest struct {
	After string // Next of the page before; "" for the first
	Limit int    // votes looked at; 0: as many as the store allows
}

// RatingsPage is one page. It may be empty and not be the last.
type RatingsPage struct {
	Data []Rating `json:"data"`
	Next string   `json:"next,omitempty"` // "" at the end
}

// Rating is what one person makes of one answer.
type Rating struct {
	At      time.Time `json:"time"` // of the reaction, by the platform's clock, UTC
	Bot     string    `json:"bot"`
	Room    string    `json:"room"`
	Thread  string    `json:"thread,omitempty"`
	Title   string    `json:"title,omitempty"` // of the room or thread; "" if its conversation is forgotten
	App     string    `json:"app"`
	Key     string    `json:"key,omitempty"`             // of the conversation
	ConvID  string    `json:"conversation_id,omitempty"` // ClickAI's
	Message string    `json:"message_id"`                // ClickAI's
	Posted  string    `json:"platform_message_id"`       // the message that the reaction stands under
	User    string    `json:"user"`                      // as ClickAI knows people: "slack:<team>:<user>" …
	Name    string    `json:"user_name"`
	Rating  string    `json:"rating"` // like or dislike
	Emoji   string    `json:"emoji"`
	Reason  string    `json:"reason,omitempty"` // what the person wrote about it
}

// Kind is what is wrong with a request.
type Kind string

// The kinds.
const (
	KindNotFound  Kind = "not_found"   // no conversation has that name
	KindAmbiguous Kind = "ambiguous"   // several have it
	KindNoID      Kind = "no_id"       // the conversation has none at ClickAI
	KindNoApp     Kind = "no_app"      // its app is not in the configuration
	KindClickAI   Kind = "clickai"     // ClickAI refused, or is out of reach
	KindInvalid   Kind = "invalid"     // the request makes no sense
	KindBusy      Kind = "busy"        // too many requests at once, or the bridge is stopping
	KindInternal  Kind = "internal"    // all else
	KindVersion   Kind = "version"     // the running bridge is of another version
	KindNoAnswer  Kind = "unreachable" // the running bridge does not answer
)

// Error is what the person who asked can mend. Its text is made for that person.
type Error struct {
	Kind Kind
	Text string
	Err  error // the cause; nil on the other side of a socket
}

// Error returns the text.
func (e *Error) Error() string { return e.Text }

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }
