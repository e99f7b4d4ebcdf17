package slack

import (
	"errors"
	"sync"
	"time"

	"github.com/clickai/bridge/core"
)

// streams remember the text of open streams: Slack is told only what is new, and when they end one must know whether they
// show all that they should.
type streams struct {
	mu sync.Mutex
	m  map[core.MessageRef]*stream
}

type stream struct {
	nonce string
	sent  string
	doubt bool      // sent may not be what the message shows
	over  bool      // it does not stream any more
	since time.Time // when it was first to be ended
}

func newStreams() *streams { return &streams{m: map[core.MessageRef]*stream{}} }

func (s *streams) began(m core.MessageRef, nonce, text string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	put(s.m, m, &stream{nonce: nonce, sent: text}, maxStreams)
}

// get is what is known of a stream. Of one from before a restart that is nothing.
func (s *streams) get(m core.MessageRef) stream {
	s.mu.Lock()
	defer s.mu.Unlock()
	if st := s.m[m]; st != nil {
		return *st
	}
	return stream{doubt: true}
}

// change applies f to a stream that is known.
func (s *streams) change(m core.MessageRef, f func(*stream)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if st := s.m[m]; st != nil {
		f(st)
	}
}

func (s *streams) doubted(m core.MessageRef) { s.change(m, func(st *stream) { st.doubt = true }) }
func (s *streams) ended(m core.MessageRef)   { s.change(m, func(st *stream) { st.over = true }) }

// grew notes what came of adding text.
func (s *streams) grew(m core.MessageRef, text string, err error) {
	s.change(m, func(st *stream) {
		e, _ := errors.AsType[*core.Error](err)
		switch {
		case e == nil:
			st.sent += text
		case e.Class == core.StreamOver:
			st.over, st.doubt = true, true
		case e.Maybe:
			st.doubt = true
		}
	})
}

// stopping notes that a stream is to be ended, and tells since when.
func (s *streams) stopping(m core.MessageRef) time.Time {
	since := time.Now()
	s.change(m, func(st *stream) {
		if st.since.IsZero() {
			st.since = since
		}
		since = st.since
	})
	return since
}

// shown is the text of a stream, if it is certain.
func (s *streams) shown(m core.MessageRef) (text string, ok bool) {
	st := s.get(m)
	return st.sent, !st.doubt
}

// open tells whether a message is known to stream.
func (s *streams) open(m core.MessageRef) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	st := s.m[m]
	return st != nil && !st.over
}

func (s *streams) drop(m core.MessageRef) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.m, m)
}
