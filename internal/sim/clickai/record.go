package clickai

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"sync"
	"time"

	"github.com/clickai/bridge/internal/sim"
)

// Request is one HTTP request as it arrived, those that a fault answered included.
type Request struct {
	ID     int // counts from 1 in order of arrival
	Method string
	Path   string
	Query  url.Values
	App    string      // name of the app whose key it carried; "" if none
	Header http.Header // the secret behind "Bearer " is blanked out
	Raw    []byte      // body of a JSON request; uploads are told by Uploads
	Body   map[string]any
	At     time.Time
	Status int           // of the answer; 0 while there is none, and when the connection was cut
	Took   time.Duration // until the handler was done; 0 before that
}

// Text is a string field of the body; "" if it isn't there.
func (r Request) Text(field string) string {
	s, _ := r.Body[field].(string)
	return s
}

// Inputs is the body's inputs object; nil if it isn't there.
func (r Request) Inputs() map[string]any {
	m, _ := r.Body["inputs"].(map[string]any)
	return m
}

// Status is how a turn stands from the client's side.
type Status string

// The states of a turn.
const (
	StatusRunning  Status = "running"
	StatusFinished Status = "finished" // terminal event or blocking body sent
	StatusFailed   Status = "failed"   // error event or failed run sent
	StatusStopped  Status = "stopped"  // by a stop request or the longest run time, terminal event sent
	StatusPaused   Status = "paused"   // waits for a person
	StatusCut      Status = "cut"      // the stream ended without a terminal event, whoever ended it
	StatusRefused  Status = "refused"  // a script answered with an HTTP status of its own
)

// Event is one event as sent.
type Event struct {
	At   time.Time
	Kind string // "message", "ping", "raw" …
	Text string // the delta of a text event
	Data []byte // JSON of all others
}

// ReceivedFile is a file that a turn named.
type ReceivedFile struct {
	sim.File        // Data is nil for a remote URL and when the server no longer keeps the bytes
	Type            FileType
	TransferMethod  string
	UploadID        string
	URL             string
	Size            int64
	SHA256          string
	DroppedContents bool
}

// Turn is one generation request with what was sent for it.
type Turn struct {
	ID               int
	Request          int // ID of its Request
	App              string
	Mode             Mode
	Question         string // query; the first text input of a completion or workflow
	User             string
	ConversationSent string // conversation_id as sent; "" for a new one
	ConversationID   string // as returned
	MessageID        string
	TaskID           string
	WorkflowRunID    string
	Inputs           map[string]any // as sent
	Files            []ReceivedFile
	Streaming        bool
	Overlapped       bool // another turn of the same conversation was running when it arrived
	Events           []Event
	EventCount       int // all events sent, kept or not
	Answer           string
	Status           Status
	HTTPStatus       int // of a blocking or refused answer
	Started          time.Time
	Ended            time.Time // of the run; zero while it goes on, also when the client has gone
}

// Upload is a file that a client uploaded.
type Upload struct {
	sim.File
	ID        string
	App       string
	User      string
	Extension string // without the dot
	Type      FileType
	Size      int64
	SHA256    string // hexadecimal
	Dropped   bool   // Data is no longer kept
	At        time.Time
}

// Rating is one accepted feedback request.
type Rating struct {
	MessageID string
	User      string
	Rating    string // "like", "dislike", or "" for null
	Content   string
	At        time.Time
}

// Conversation is a conversation with its messages, oldest first.
type Conversation struct {
	ID        string
	App       string
	User      string
	Name      string
	Inputs    map[string]any
	Completed bool
	Messages  []Message
	CreatedAt time.Time
	UpdatedAt time.Time
}

// Message is one question with its answer as stored.
type Message struct {
	ID, Query, Answer string
	Status            string // "normal" or "error"
	Running           bool
	Rating            string
}

// ring keeps the newest entries within a count and, where sizes are given, within a number of bytes.
type ring[T any] struct {
	items    []T
	sizes    []int64
	total    int64
	max      int
	maxBytes int64 // 0: no bound
	dropped  func(T)
}

func (r *ring[T]) add(v T, size int64) {
	r.items = append(r.items, v)
	r.sizes = append(r.sizes, size)
	r.total += size
	n := 0
	for n < len(r.items) && (len(r.items)-n > r.max || (r.maxBytes > 0 && r.total > r.maxBytes)) {
		r.total -= r.sizes[n]
		if r.dropped != nil {
			r.dropped(r.items[n])
		}
		n++
	}
	if n > 0 {
		// Dropped entries must not be held by the array, so clear before moving on.
		clear(r.items[:n])
		r.items, r.sizes = r.items[n:], r.sizes[n:]
	}
}

// turn is a Turn under construction; mu guards t.
type turn struct {
	mu sync.Mutex
	t  Turn
}

func (t *turn) update(f func(*Turn)) {
	t.mu.Lock()
	defer t.mu.Unlock()
	f(&t.t)
}

func (t *turn) snapshot() Turn {
	t.mu.Lock()
	defer t.mu.Unlock()
	c := t.t
	c.Events = slices.Clone(c.Events)
	c.Inputs = maps.Clone(c.Inputs)
	c.Files = slices.Clone(c.Files)
	return c
}

// Changed returns a channel that is closed at the next change of anything the server tells: read the channel first,
// then look, then wait on it.
func (s *Server) Changed() <-chan struct{} { return s.notifier.Changed() }

// Requests are the kept requests, oldest first.
func (s *Server) Requests() []Request {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := make([]Request, len(s.requests.items))
	for i, r := range s.requests.items {
		out[i] = *r
	}
	return out
}

// Turns are the kept turns in order of arrival.
func (s *Server) Turns() []Turn {
	s.mu.Lock()
	turns := slices.Clone(s.turns.items)
	s.mu.Unlock()
	out := make([]Turn, len(turns))
	for i, t := range turns {
		out[i] = t.snapshot()
	}
	return out
}

// Turn is the kept turn with that message id or, for a workflow, run id.
func (s *Server) Turn(id string) (Turn, bool) {
	s.mu.Lock()
	turns := slices.Clone(s.turns.items)
	s.mu.Unlock()
	for _, t := range slices.Backward(turns) {
		t.mu.Lock()
		hit := id != "" && (t.t.MessageID == id || t.t.WorkflowRunID == id)
		t.mu.Unlock()
		if hit {
			return t.snapshot(), true
		}
	}
	return Turn{}, false
}

// WaitTurn waits for the first turn that match accepts. The error is the context's, with what was waited for.
func (s *Server) WaitTurn(ctx context.Context, match func(Turn) bool) (Turn, error) {
	for {
		changed := s.Changed()
		turns := s.Turns()
		if i := slices.IndexFunc(turns, match); i >= 0 {
			return turns[i], nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return Turn{}, fmt.Errorf("waiting for a turn, %d seen: %w", len(turns), ctx.Err())
		}
	}
}

// Uploads are the kept uploads, oldest first.
func (s *Server) Uploads() []Upload {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []Upload
	for _, f := range s.files.items {
		if !f.tool {
			out = append(out, f.Upload)
		}
	}
	return out
}

// File is an upload or a generated file by its id.
func (s *Server) File(id string) (Upload, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f, ok := s.fileByID[id]
	if !ok {
		return Upload{}, false
	}
	return f.Upload, true
}

// Ratings are the kept accepted ratings, oldest first.
func (s *Server) Ratings() []Rating {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.ratings.items)
}

// Conversations are those that exist, oldest first.
func (s *Server) Conversations() []Conversation {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := make([]Conversation, 0, len(s.convs))
	for _, c := range s.convOrder.items {
		if s.convs[c.id] != c {
			continue // deleted
		}
		out = append(out, c.snapshot())
	}
	return out
}

// Violations lists each thing that a client did against the documentation, as "METHOD /path: what". A well-behaved
// client leaves it empty. Values for a continued conversation's inputs are allowed (they are ignored) and not listed.
func (s *Server) Violations() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.violations.items)
}

func (s *Server) violate(method, path, format string, args ...any) {
	s.mu.Lock()
	s.violations.add(method+" "+path+": "+fmt.Sprintf(format, args...), 0)
	s.mu.Unlock()
	s.notifier.Notify()
}
