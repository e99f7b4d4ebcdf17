package core

import (
	"time"
)

// Kind is what a person did.
type Kind string

// The kinds of events. They are stored: their spelling never changes.
const (
	KindMessage  Kind = "message"  // wrote a message
	KindEdit     Kind = "edit"     // changed the text of an earlier message: MessageID names it, Text is the new text
	KindDelete   Kind = "delete"   // removed an earlier message: MessageID names it
	KindReaction Kind = "reaction" // added or removed a reaction: MessageID names the message, Reaction says which
	KindCommand  Kind = "command"  // gave a command in the platform's own way: Command says which. MessageID may be ""
	KindPress    Kind = "press"    // pressed a button or sent a form: MessageID names the message, Press says which
	KindHalt     Kind = "halt"     // ended a running answer in the platform's own way: MessageID names a message of it
	KindOpened   Kind = "opened"   // opened a direct chat with the bot, without writing. MessageID may be ""
)

// Reach is how a message reached the bot, judged by the adapter from the message alone.
type Reach string

// From the weakest to the strongest.
const (
	ReachAmbient Reach = "ambient" // said in a room or thread that the bot can read
	ReachReply   Reach = "reply"   // a reply to a message of the bot
	ReachMention Reach = "mention" // names the bot
	ReachDirect  Reach = "direct"  // in a direct chat with the bot
)

// Place is where messages stand: a room, or a thread of a room. The ids are the platform's; only its adapter reads them.
// They are stored, so an adapter never changes how it spells them.
type Place struct {
	Room   string `json:"room"`
	Thread string `json:"thread,omitempty"` // "" for the room itself
}

// MessageRef names one message of a platform. It can be stored and used after a restart. The zero value names none.
type MessageRef struct {
	Place
	ID string `json:"id"`
}

// IsZero tells whether m names no message.
func (m MessageRef) IsZero() bool { return m.ID == "" }

// Room is what is known of a room. Name and Space may be "".
type Room struct {
	ID     string  `json:"id"`
	Name   string  `json:"name,omitempty"`   // without # or @
	Space  string  `json:"space,omitempty"`  // id of the Slack workspace or Discord server
	Direct bool    `json:"direct,omitempty"` // a chat of one person with the bot
	Also   aliases `json:"-"`                // set by core
}

// User is the person behind an event.
type User struct {
	ID     string  `json:"id"`               // the platform's id
	Name   string  `json:"name,omitempty"`   // as shown to people; may be ""
	Handle string  `json:"handle,omitempty"` // the unique name, without @; may be ""
	Also   aliases `json:"-"`                // set by core
	Key    string  `json:"key"`              // the `user` sent to ClickAI: "slack:<team>:<user>", "discord:<user>", "telegram:<user>"
}

// DisplayName is what others call the person: the name, else the handle, else the id.
func (u User) DisplayName() string {
	switch {
	case u.Name != "":
		return u.Name
	case u.Handle != "":
		return u.Handle
	}
	return u.ID
}

// Attachment describes a file that came with a message, without holding it. An [AttachmentOpener] streams it.
type Attachment struct {
	Ref  string `json:"ref"` // the adapter's handle: survives a restart, never contains a credential
	Name string `json:"name,omitempty"`
	MIME string `json:"mime,omitempty"` // "" if the platform does not say
	Size int64  `json:"size"`           // bytes; -1 if unknown
}

// Reaction is an emoji that a person put under a message or took back.
type Reaction struct {
	Emoji string `json:"emoji"` // Unicode without skin tone and without U+FE0F; ":name:" for a custom one
	Added bool   `json:"added"`
}

// Command is a command in the platform's own form.
type Command struct {
	Name string `json:"name"` // lower case, without slash: "new"
	Args string `json:"args,omitempty"`
	// Private says that the answer is shown to the person alone. core sets it.
	Private bool `json:"private,omitempty"`
}

// Press is a button that was pressed, or a form that was sent.
type Press struct {
	ID    string `json:"id"`              // of the [Button] or [Form]
	Label string `json:"label,omitempty"` // what stands on the button; "" where the platform does not say
	Text  string `json:"text,omitempty"`  // what was written into the form
}

// Event is one thing that a person did, in the words of no platform. It is stored as JSON: fields may be added, never renamed.
type Event struct {
	Key         string       `json:"key"` // the same for every delivery of the same thing; unique within the bot; at most 200 bytes
	Bot         string       `json:"bot"`
	Platform    string       `json:"platform"`
	Kind        Kind         `json:"kind"`
	Reach       Reach        `json:"reach,omitempty"`
	Room        Room         `json:"room"`
	Thread      string       `json:"thread,omitempty"`      // id of the thread it stands in; "" outside
	ThreadName  string       `json:"thread_name,omitempty"` // "" if unknown
	Roots       string       `json:"roots,omitempty"`       // id of the thread that a reply in a thread of this message stands in; "" where the bot cannot open one
	MessageID   string       `json:"message_id"`
	ReplyTo     string       `json:"reply_to,omitempty"` // id of the message replied to, in the same place
	Sender      User         `json:"sender"`
	Text        string       `json:"text,omitempty"` // plain text; mentions as names, the bot's own mention cut out
	Attachments []Attachment `json:"attachments,omitempty"`
	Group       string       `json:"group,omitempty"` // messages of one group that arrive together are one question (a Telegram album)
	Reaction    *Reaction    `json:"reaction,omitempty"`
	Command     *Command     `json:"command,omitempty"`
	Press       *Press       `json:"press,omitempty"`
	SentAt      time.Time    `json:"sent_at"` // the platform's clock, UTC
	// Handle lets an [Answerer] answer this very event, for as long as the platform takes an answer. It may be a credential
	// and is not stored: after a restart the answer is a message like any other. "" where there is no such answer.
	Handle string `json:"-"`
}

// Place is where the event stands.
func (e *Event) Place() Place { return Place{Room: e.Room.ID, Thread: e.Thread} }

// Ref names the event's message.
func (e *Event) Ref() MessageRef { return MessageRef{Place: e.Place(), ID: e.MessageID} }
