// Package sim holds what the stand-ins of ClickAI, Slack, Discord and Telegram have in common.
//
// A stand-in is a real HTTP (and WebSocket) server on loopback. It is written from the service's documentation, never
// from the bridge's own code, enforces the documented limits, and can be told to misbehave. The tests and
// `bridge demo` use the same stand-ins; what they say was seen is the evidence that the bridge works.
//
// The sub-packages import nothing of the bridge but this package.
package sim

import (
	"context"
	"time"
)

// Platform is the side of a chat stand-in that people sit at: it plays the people who write, and tells what a person
// would see. The bot's side is the HTTP API under APIURL. All methods are safe for concurrent use.
type Platform interface {
	// Name is "slack", "discord" or "telegram".
	Name() string
	// APIURL is what a bot's api_url in the configuration must be to talk to this stand-in.
	APIURL() string
	// Places are the rooms and threads that exist, with the rooms the stand-in starts with first.
	Places() []Place
	// Say makes a person write. The returned message is what the platform stored.
	Say(ctx context.Context, s Say) (Message, error)
	// Edit changes the text of a person's message, as the person's client would.
	Edit(ctx context.Context, at Ref, user, text string) error
	// Delete removes a person's message.
	Delete(ctx context.Context, at Ref, user string) error
	// React adds a person's reaction; emoji is Unicode ("👍").
	React(ctx context.Context, at Ref, user, emoji string) error
	// Unreact takes it back.
	Unreact(ctx context.Context, at Ref, user, emoji string) error
	// Messages are the messages of one room (thread "") or thread, oldest first.
	Messages(room, thread string) []Message
	// Find is one message; false if there is none (it may have been deleted).
	Find(at Ref) (Message, bool)
	// Changed returns a channel that is closed at the next change of anything that Messages, Places, Typing or
	// Violations tell: read the channel first, then look, then wait on it.
	Changed() <-chan struct{}
	// Typing tells whether the bot shows as typing (or has a status line) in a place now; the text is the status
	// line where there is one.
	Typing(room, thread string) (string, bool)
	// Connected tells whether the bot's event connection (socket, gateway, poll) is up.
	Connected() bool
	// Violations lists each thing that the bot did against the platform's documentation: a request over a rate
	// limit (answered 429), text over the length limit, markup that the platform refuses, an unknown method …
	// A well-behaved bot leaves it empty.
	Violations() []string
	// Faults is the script of misbehaviour.
	Faults() *Faults
	// Close stops the server and waits for its goroutines.
	Close() error
}

// Place is a room or a thread of a room.
type Place struct {
	Room   string // the platform's own id
	Thread string // "" for the room itself
	Name   string // "general", "Support", the person's name in a direct chat
	Kind   string // "direct", "channel", "group", "thread", "forum", "topic"
}

// Ref names one message.
type Ref struct {
	Room, Thread, ID string
}

// Say is what one person writes.
type Say struct {
	Room, Thread string
	User         string // user id; each stand-in's package documents its people
	Text         string // as a person types it; Mention puts the bot's mention before it in the platform's own form
	Mention      bool
	ReplyTo      string // id of the message replied to (Discord, Telegram); "" for none
	Files        []File
	Group        string // Telegram: album id; the files of one Say always form one album when there are several
}

// File is a file as sent or received.
type File struct {
	Name string
	MIME string
	Data []byte
}

// Message is a message as the platform's people see it now, with all that it looked like before.
type Message struct {
	Ref
	Author    string // user id
	Bot       bool   // written by the bot
	Text      string // what was sent last, in the platform's own markup (blocks flattened to their text)
	Shown     string // the same as a reader sees it: markup resolved to plain text
	ReplyTo   string
	Versions  []Version // every state since it was posted, the current one last
	Files     []File
	Reactions map[string][]string // Unicode emoji → user ids
	Raw       []byte              // the last accepted request or stored object as JSON, for detailed checks
	At        time.Time
}

// Version is one state of a message.
type Version struct {
	At    time.Time
	Text  string
	Shown string
}
