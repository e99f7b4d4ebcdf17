package core

import (
	"context"
	"time"
)

// ConvKey names one conversation: the unit of order, of queueing and of memory. It is stored; see [NewConvKey] for its form.
type ConvKey string

// Pending is a question that has been accepted: the event with what was decided about it.
type Pending struct {
	Seq   uint64  `json:"seq"` // order of acceptance over all; set by the store
	Conv  ConvKey `json:"conv"`
	App   string  `json:"app"`
	At    Place   `json:"at"`             // where the answer goes, once a thread is open
	Opens bool    `json:"opens"`          // the thread of At is to be opened from the question
	First bool    `json:"first"`          // nothing had been answered in this thread before: earlier messages go along
	Event Event   `json:"event"`          //
	Recv  int64   `json:"recv,omitempty"` // when it was accepted, Unix milliseconds
}

// Conversation is the memory of one ConvKey.
type Conversation struct {
	ID      string    `json:"id"`   // ClickAI's conversation_id; "" before the first answer
	User    string    `json:"user"` // the user that began it, for life
	App     string    `json:"app"`
	Owner   User      `json:"owner"`
	People  int       `json:"people"`               // 1: only the owner has spoken; 2: somebody else too
	Turns   int       `json:"turns"`                // turns that ended
	Message string    `json:"message_id,omitempty"` // ClickAI's, of the last turn that had one
	Started time.Time `json:"started"`              // of this conversation_id
	Last    time.Time `json:"last"`                 // end of the last turn
	Asked   time.Time `json:"asked,omitzero"`       // when its question was sent, by the platform's clock
	At      Place     `json:"at"`                   // where it was last spoken in
	Bot     string    `json:"bot"`                  //
	Title   string    `json:"title,omitempty"`      // name of the room or thread
	Again   *Again    `json:"again,omitempty"`      // the last question, for `retry`
}

// Again is a question that can be asked once more.
type Again struct {
	Turn  string    `json:"turn"` // reference of the turn that it had last
	User  string    `json:"user,omitempty"`
	Query string    `json:"query"`
	Files []FileRef `json:"files,omitempty"`
}

// Turn is the journal of a turn that runs: what is needed to take it up after a crash. A conversation has at most one.
type Turn struct {
	ID      string       `json:"id"` // short reference, also in the log and in the line that a person sees on an error
	Conv    ConvKey      `json:"conv"`
	Bot     string       `json:"bot"`
	App     string       `json:"app"`
	User    string       `json:"user"`
	Keys    []string     `json:"keys"` // of the events that it answers
	Seqs    []uint64     `json:"seqs"`
	At      Place        `json:"at"`                        // where the answer stands
	Query   string       `json:"query"`                     // as asked, to know it again in the history
	Files   []FileRef    `json:"files,omitempty"`           // uploaded for it
	Uploads []Uploaded   `json:"uploads,omitempty"`         // what of these was uploaded before the question went out
	ConvID  string       `json:"conversation_id,omitempty"` //
	Message string       `json:"message_id,omitempty"`      // ClickAI's message_id
	Begun   bool         `json:"begun,omitempty"`           // ClickAI has begun to answer
	Reply   []MessageRef `json:"reply,omitempty"`           // platform messages that show its text, in order
	Extra   []MessageRef `json:"extra,omitempty"`           // further messages of the reply: files
	Posts   int          `json:"posts,omitempty"`           // messages posted for its text, also those that are gone: names the next one
	Dealt   int          `json:"dealt,omitempty"`           // files of the answer that were sent or given up
	Spoken  bool         `json:"spoken,omitempty"`          // the spoken answer was sent or given up
	Stopped bool         `json:"stopped,omitempty"`         // a person has ended it
	Started time.Time    `json:"started"`
}

// Uploaded is an attachment that the app has.
type Uploaded struct {
	Attachment string  `json:"attachment"` // the event's key and the attachment's index in it
	File       FileRef `json:"file"`
}

// Link leads from a platform message to the turn that it shows.
type Link struct {
	App     string    `json:"app"`
	User    string    `json:"user"`
	Message string    `json:"message_id"` // ClickAI's; "" if the app gave none
	ConvID  string    `json:"conversation_id"`
	Conv    ConvKey   `json:"conv"`
	Turn    string    `json:"turn,omitempty"` // its reference
	At      time.Time `json:"at"`
}

// Vote is one person's reaction to a reply.
type Vote struct {
	Bot    string
	Ref    MessageRef // the message reacted to
	Person User
	Rating Rating // what the emoji means: RatingLike or RatingDislike
	Emoji  string
	Added  bool
	At     time.Time
}

// RatingJob is a rating that is to be sent to ClickAI.
type RatingJob struct {
	ID      string `json:"id"` // App and message
	App     string `json:"app"`
	User    string `json:"user"`
	Message string `json:"message_id"`
	Rating  Rating `json:"rating"`
	Content string `json:"content"`
	Version uint64 `json:"version"` // grows with each change; see RatingSent
	Tries   int    `json:"tries"`
}

// Put is what [Store.Put] stores for an accepted question.
type Put struct {
	Pending
	// OpenedBy marks the thread as one that a question to the bot opened: all that is said there is for the bot.
	MarksThread bool
	// MaxWaiting refuses the question with ErrQueueFull when so many wait in its conversation; 0: no bound.
	MaxWaiting int
}

// ThreadMark is what is known of a thread.
type ThreadMark struct {
	Opened   bool `json:"opened"`   // a question to the bot opened it
	Answered bool `json:"answered"` // the bot has been asked in it before
}

// Store is the durable memory. A nil error from a method that writes means that it is on disk. What one method writes is
// one transaction. Methods may be called from many goroutines. An error means that nothing was written.
type Store interface {
	// FirstStart returns when the bot was first started: now, if it is the first time.
	FirstStart(ctx context.Context, bot string, now time.Time) (time.Time, error)

	// Put stores a question unless its key has been seen. It sets Seq and First. fresh is false for a known key.
	Put(ctx context.Context, p Put) (stored Pending, fresh bool, err error)
	// See remembers the key of an event that needs no answer; fresh is false if it was known.
	See(ctx context.Context, bot, key string) (fresh bool, err error)
	// Seen tells whether a key is known.
	Seen(ctx context.Context, bot, key string) (bool, error)
	// Waiting lists the questions of a conversation that no ended turn has answered, oldest first, at most limit.
	Waiting(ctx context.Context, conv ConvKey, limit int) ([]Pending, error)
	// Unfinished lists the conversations with waiting questions or a journalled turn, in order of their oldest question.
	Unfinished(ctx context.Context) ([]ConvKey, error)
	// Revise changes the text of a waiting question that no turn has taken. ok is false if there is none.
	Revise(ctx context.Context, bot string, m MessageRef, text string) (ok bool, err error)
	// Withdraw removes a waiting question that no turn has taken. ok is false if there is none.
	Withdraw(ctx context.Context, bot string, m MessageRef) (ok bool, err error)

	// Thread tells what is known of a thread of a bot.
	Thread(ctx context.Context, bot string, p Place) (ThreadMark, error)
	// Conversation reads the memory of a conversation; ok is false if there is none.
	Conversation(ctx context.Context, conv ConvKey) (c Conversation, ok bool, err error)
	// PutConversation replaces it.
	PutConversation(ctx context.Context, conv ConvKey, c Conversation) error
	// DeleteConversation forgets it.
	DeleteConversation(ctx context.Context, conv ConvKey) error

	// Turn reads the journal of the conversation's turn; ok is false if none runs.
	Turn(ctx context.Context, conv ConvKey) (t Turn, ok bool, err error)
	// PutTurn writes the journal; with c it replaces the conversation too; links are added for t.Reply and t.Extra when link is not nil.
	PutTurn(ctx context.Context, t Turn, c *Conversation, link *Link) error
	// EndTurn removes the journal and the questions that it answered, replaces the conversation, and adds the links.
	EndTurn(ctx context.Context, t Turn, c *Conversation, link *Link) error

	// Link finds the turn that a message shows; ok is false if it shows none.
	Link(ctx context.Context, bot string, m MessageRef) (l Link, ok bool, err error)
	// Vote counts a person's reaction, if the message shows a turn that can be rated. Each person counts once, by the
	// reaction added last among those not taken back. It returns the job when the turn's rating has changed.
	// key is remembered as by See in the same transaction; a known one changes nothing.
	Vote(ctx context.Context, key string, v Vote) (job RatingJob, changed bool, err error)
	// Reason adds what a person wrote to that person's rating of the turn that the message shows, and makes a job of it; fresh is
	// false where the key is known, or the person has not rated the turn.
	Reason(ctx context.Context, key, bot string, m MessageRef, person User, text string) (fresh bool, err error)
	// RatingJobs lists what is still to be sent, at most limit.
	RatingJobs(ctx context.Context, limit int) ([]RatingJob, error)
	// RatingSent removes the job if its version is still the given one; a newer one stays to be sent.
	RatingSent(ctx context.Context, id string, version uint64) error

	// MoveRoom gives all that belongs to a room of a bot to another id of it: conversations, what waits and runs there,
	// threads. From then on the methods take keys and places of the old id for those of the new one. Messages stay where
	// they are, with their links and votes: their ids count in the room that they were sent to. Moved already: no error.
	MoveRoom(ctx context.Context, bot, from, to string) error

	// Cursor and SetCursor keep a position for a platform, under names of its own.
	Cursor(ctx context.Context, bot, name string) (string, error)
	SetCursor(ctx context.Context, bot, name, value string) error

	// Sweep forgets seen keys older than seen, and links and votes older than links, in steps that do not hold up
	// other writers for long.
	Sweep(ctx context.Context, seen, links time.Time) error
	// Healthy returns the last write's error, if it failed.
	Healthy() error
	Close() error
}
