package clickai

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"net/http"
	"strings"
	"sync"
	"time"
)

// Causes with which a stream is ended on purpose; they never reach the caller.
var (
	errStreamClosed = errors.New("stream closed")
	errStreamEnded  = errors.New("stream ended by EndWithin")
)

// Stream is the answer to a streaming call while it arrives. Range over Events
// once, and Close it in any case. Events belongs to one goroutine; the other
// methods may be called from any.
type Stream struct {
	t      *transport
	res    *response
	dec    *sseDecoder // nil if the server answered with one JSON body
	events eventDecoder
	queue  []Event // decoded and not yet delivered

	mu    sync.Mutex
	stats StreamStats
	ids   IDs
	begun bool
	timer *time.Timer // of EndWithin
}

// IDs are the identifiers that a stream has carried so far: of each the newest
// that isn't empty.
type IDs struct {
	Conversation string
	Message      string
	Task         string
	WorkflowRun  string
}

// StreamStats says what a stream has brought so far.
type StreamStats struct {
	Bytes     int64  // read from the connection
	Events    int    // delivered, pings and skipped ones included
	Skipped   int    // delivered as *Skipped
	LastEvent string // kind of the last one that is neither Ping nor Skipped
	// Blocking is set when the server answered the streaming request with one
	// JSON body, which was delivered as events.
	Blocking bool
}

// openStream sends r and returns its response as a Stream. A JSON body is read
// here, so that an error in it is returned as one.
func (t *transport) openStream(ctx context.Context, r *request) (*Stream, error) {
	r.headers = http.Header{
		"Accept": {"text/event-stream"},
		// Compressed events would wait in the compressor's window.
		"Accept-Encoding": {"identity"},
		"Cache-Control":   {"no-cache"},
	}
	res, err := t.send(ctx, r)
	if err != nil {
		return nil, err
	}
	s := &Stream{t: t, res: res}
	if err := s.open(); err != nil {
		r.late(err)
		s.Close()
		return nil, err
	}
	return s, nil
}

// open looks at what kind of body the server sends.
func (s *Stream) open() error {
	body := io.Reader(&countingReader{r: s.res.Body, s: s})
	switch media := mediaType(s.res.Header.Get("Content-Type")); media {
	case "text/event-stream":
	case "application/json", "text/json", "application/problem+json":
		return s.openJSON(body)
	case "text/html", "application/xhtml+xml":
		return s.refuse(body, "HTML")
	default:
		// No type, or one that a proxy made up: the first character tells.
		peeked := bufio.NewReader(body)
		body = peeked
		first, err := firstByte(peeked)
		switch {
		case err != nil && !errors.Is(err, io.EOF):
			return s.res.life.transportError(s.res.req.method, s.res.path, false, err)
		case first == '{':
			return s.openJSON(body)
		case first == '<':
			return s.refuse(body, "HTML")
		case first != 0 && !startsStream(peeked):
			return s.refuse(body, orDefault(media, "something"))
		}
	}
	s.dec = newSSEDecoder(body, s.t.maxBody)
	return nil
}

// firstByte returns the first byte of r that is not white space or a byte order
// mark, without taking it.
func firstByte(r *bufio.Reader) (byte, error) {
	for i := 1; i <= 64; i++ {
		b, err := r.Peek(i)
		if err != nil {
			return 0, err
		}
		switch c := b[i-1]; c {
		case ' ', '\t', '\r', '\n', 0xEF, 0xBB, 0xBF:
		default:
			return c, nil
		}
	}
	return 0, nil
}

// startsStream tells whether r begins like a stream: with a comment, or a field that
// the SSE standard names. It takes nothing, and waits for no byte more than that needs.
func startsStream(r *bufio.Reader) bool {
	for i := 1; i <= 80; i++ {
		b, err := r.Peek(i)
		if err != nil {
			return false
		}
		line := bytes.TrimLeft(bytes.TrimPrefix(b, utf8BOM), "\r\n")
		if len(line) == 0 || bytes.HasPrefix(utf8BOM, line) {
			continue
		}
		open := line[0] == ':'
		for _, field := range []string{"data", "event", "id", "retry"} {
			switch rest, whole := bytes.CutPrefix(line, []byte(field)); {
			case whole && len(rest) > 0:
				if c := rest[0]; c == ':' || c == '\n' || c == '\r' {
					return true
				}
			case strings.HasPrefix(field, string(line)):
				open = true
			}
		}
		if !open || line[0] == ':' {
			return open
		}
	}
	return false
}

// refuse returns the error for a body that isn't ClickAI's.
func (s *Stream) refuse(body io.Reader, what string) error {
	start, _ := io.ReadAll(io.LimitReader(body, maxErrorBody)) // what has come is all there is to tell
	return s.t.contentError(s.res.req.method, s.res.path, s.res.Response, start,
		fmt.Errorf("%s in place of an event stream", what))
}

// openJSON reads a body that is one JSON object: the answer to a blocking
// request, or an error.
func (s *Stream) openJSON(body io.Reader) error {
	s.mu.Lock()
	s.stats.Blocking = true
	s.mu.Unlock()
	res := *s.res.Response
	res.Body = io.NopCloser(body)
	data, err := s.t.readBody(&response{Response: &res, req: s.res.req, path: s.res.path, life: s.res.life})
	if err != nil {
		return err
	}
	data = bytes.TrimPrefix(data, utf8BOM)
	if e := s.t.wrappedError(s.res.req.method, s.res.path, s.res.Response, data); e != nil {
		return e
	}
	s.queue = blockingEvents(data)
	if s.queue == nil {
		return s.t.contentError(s.res.req.method, s.res.path, s.res.Response, data,
			errors.New("JSON in place of an event stream is no answer"))
	}
	return nil
}

// Events returns the stream's events. The sequence ends when the server closes
// the stream; with an error, an *Error of KindBroken or KindTimeout, as its last
// element when the stream broke, went silent, or the context ended; and without
// one when Close or EndWithin ended it. A stream that ends before its first
// event but pings is broken (ErrEmptyStream). Whether the answer is complete is
// for the caller to see from the events: servers do close streams without a
// MessageEnd or WorkflowFinished.
//
// Leaving the loop closes the stream. A second loop delivers nothing.
func (s *Stream) Events() iter.Seq2[Event, error] {
	return func(yield func(Event, error) bool) {
		defer s.Close()
		for {
			ev, err := s.next()
			if err != nil {
				if !errors.Is(err, io.EOF) {
					yield(nil, err)
				}
				return
			}
			if !yield(ev, nil) {
				return
			}
		}
	}
}

// next returns the next event, io.EOF at a regular end, or an *Error.
func (s *Stream) next() (Event, error) {
	if s.ended() {
		return nil, io.EOF
	}
	for len(s.queue) == 0 {
		if s.dec == nil {
			return nil, io.EOF
		}
		f, err := s.dec.next()
		if err != nil {
			err = s.endError(err)
			if !errors.Is(err, io.EOF) {
				s.res.req.late(err)
			}
			return nil, err
		}
		s.queue = s.decode(s.queue, f)
	}
	ev := s.queue[0]
	s.queue[0] = nil
	if s.queue = s.queue[1:]; len(s.queue) == 0 {
		s.queue = nil
	}
	s.note(ev)
	return ev, nil
}

// decode appends the events of f to queue.
func (s *Stream) decode(queue []Event, f frame) []Event {
	switch {
	case f.dropped > 0:
		return append(queue, skipped(SkippedTooLong, f.dropped, f.data))
	case len(f.data) == 0:
		return append(queue, &Ping{Header{Event: eventPing}})
	}
	ev, err := s.events.decode(f.name, f.data)
	if err == nil {
		return append(queue, ev)
	}
	records := splitRecords(f.data)
	if records == nil {
		return append(queue, skipped(SkippedMalformed, int64(len(f.data)), f.data))
	}
	for _, record := range records {
		if ev, err = s.events.decode(f.name, record); err != nil {
			ev = skipped(SkippedMalformed, int64(len(record)), record)
		}
		queue = append(queue, ev)
	}
	return queue
}

func skipped(reason SkipReason, size int64, data []byte) *Skipped {
	return &Skipped{Reason: reason, Size: size, Excerpt: bytes.Clone(data[:min(len(data), excerptLen)])}
}

// ended reports whether Close or EndWithin ended the stream.
func (s *Stream) ended() bool {
	cause := context.Cause(s.res.life.ctx)
	return cause != nil && (errors.Is(cause, errStreamClosed) || errors.Is(cause, errStreamEnded))
}

// endError turns the decoder's error into next's.
func (s *Stream) endError(err error) error {
	switch {
	case s.ended():
		return io.EOF
	case !errors.Is(err, io.EOF):
		return s.res.life.transportError(s.res.req.method, s.res.path, false, err)
	case !s.Begun():
		return &Error{Kind: KindBroken, Method: s.res.req.method, Path: s.res.path, Err: ErrEmptyStream}
	default:
		return io.EOF
	}
}

// note counts ev and keeps its ids.
func (s *Stream) note(ev Event) {
	h := ev.Head()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.stats.Events++
	switch ev := ev.(type) {
	case *Ping:
		return
	case *Skipped:
		s.stats.Skipped++
		s.begun = s.begun || ev.Reason == SkippedTooLong // no proxy invents such an event
		return
	case *ErrorEvent:
		s.res.req.late(&Error{Kind: KindStatus, Status: ev.Status, Code: ev.Code})
		s.stats.LastEvent = eventError
	default:
		s.stats.LastEvent = h.Event
	}
	s.begun = true
	s.ids.Conversation = orDefault(h.ConversationID, s.ids.Conversation)
	s.ids.Message = orDefault(h.MessageID, s.ids.Message)
	s.ids.Task = orDefault(h.TaskID, s.ids.Task)
	s.ids.WorkflowRun = orDefault(h.WorkflowRunID, s.ids.WorkflowRun)
}

// Begun reports whether an event has been delivered that is neither a Ping nor
// malformed. From then on ClickAI has taken in the question: it must not be asked
// again.
func (s *Stream) Begun() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.begun
}

// IDs returns the identifiers seen so far.
func (s *Stream) IDs() IDs {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.ids
}

// Stats returns what the stream has brought so far.
func (s *Stream) Stats() StreamStats {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.stats
}

// EndWithin lets the stream run for at most d more; then Events ends without an
// error, as if the server had closed the stream. Use it after the event that
// completes the answer: servers may hold the connection for minutes more. Only
// the first call counts.
func (s *Stream) EndWithin(d time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.timer == nil {
		s.timer = time.AfterFunc(d, func() { s.res.life.end(errStreamEnded) })
	}
}

// Close ends the stream and the request. It may be called at any time, more than
// once, and while another goroutine waits in Events. Whether ClickAI stops
// working on the answer is another matter: see the Stop methods.
func (s *Stream) Close() {
	s.res.life.end(errStreamClosed)
	s.mu.Lock()
	if s.timer != nil {
		s.timer.Stop()
	}
	s.mu.Unlock()
	_ = s.res.Body.Close() // the connection is given up in any case
}

// countingReader counts the bytes that a stream reads.
type countingReader struct {
	r io.Reader
	s *Stream
}

func (c *countingReader) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.s.mu.Lock()
	c.s.stats.Bytes += int64(n)
	c.s.mu.Unlock()
	return n, err
}
