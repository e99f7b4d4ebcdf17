package clickai

import (
	"bytes"
	"io"
	"net/http"
)

// Frame is one SSE event as the decoder delivers it.
type Frame struct {
	Name    string
	Data    string
	Dropped int64
}

// DecodeFrames runs the SSE decoder over r until its end.
func DecodeFrames(r io.Reader, maxLen int, yield func(Frame)) error {
	d := newSSEDecoder(r, maxLen)
	for {
		f, err := d.next()
		if err != nil {
			return err
		}
		yield(Frame{string(f.name), string(f.data), f.dropped})
	}
}

// EventDecoder decodes the data of events.
type EventDecoder struct{ d eventDecoder }

// Decode decodes as a stream does.
func (e *EventDecoder) Decode(name, data []byte) (Event, error) { return e.d.decode(name, data) }

// DecodeSlow decodes with encoding/json alone.
func (e *EventDecoder) DecodeSlow(name, data []byte) (Event, error) { return e.d.slow(name, data) }

// Fast reports whether data takes the fast path.
func (e *EventDecoder) Fast(data []byte) bool {
	var f flatEvent
	return scanEvent(data, &f) && e.d.fast(&f) != nil
}

// ErrorOf is the error of an answer with a status and a body, to a client whose key is key.
func ErrorOf(key string, status int, contentType string, body []byte) (bad, wrapped *Error) {
	t := &transport{key: key}
	res := &http.Response{StatusCode: status, Header: http.Header{"Content-Type": {contentType}}, Body: io.NopCloser(bytes.NewReader(body))}
	return t.statusError(http.MethodPost, "/v1/x", res), t.wrappedError(http.MethodPost, "/v1/x", res, body)
}

var (
	CleanFilename   = cleanFilename
	PartType        = partType
	ParseRetryAfter = parseRetryAfter
)

// EventReader reads typed events from bytes, without HTTP.
type EventReader struct {
	d sseDecoder
	e eventDecoder
}

// NewEventReader returns an EventReader with the default bound.
func NewEventReader(r io.Reader) *EventReader {
	return &EventReader{d: *newSSEDecoder(r, DefaultMaxLine)}
}

// Next returns the next event.
func (r *EventReader) Next() (Event, error) {
	f, err := r.d.next()
	if err != nil {
		return nil, err
	}
	return r.e.decode(f.name, f.data)
}
