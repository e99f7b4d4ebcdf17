package playground

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"
)

const (
	// maxStreams bounds the pages that are open at once.
	maxStreams = 32
	// streamGap is the least time between two updates of one page: faster than a screen shows is of no use.
	streamGap = 33 * time.Millisecond
	// streamWrite bounds one write; a browser that takes nothing for so long is gone.
	streamWrite = 15 * time.Second
	// streamBeat keeps proxies and the browser from taking silence for the end.
	streamBeat = 15 * time.Second
)

// events streams updates (https://html.spec.whatwg.org/multipage/server-sent-events.html). After a break the browser says
// where it was, and goes on from there while this server runs.
func (s *Server) events(w http.ResponseWriter, r *http.Request) {
	select {
	case s.streams <- struct{}{}:
		defer func() { <-s.streams }()
	default:
		http.Error(w, "too many pages are open", http.StatusServiceUnavailable)
		return
	}
	out := http.NewResponseController(w)
	w.Header().Set("Content-Type", "text/event-stream; charset=utf-8")
	w.Header().Set("X-Accel-Buffering", "no")
	seq := s.resume(r.Header.Get("Last-Event-ID"))
	beat := time.NewTimer(streamBeat)
	defer beat.Stop()
	gap := time.NewTimer(0)
	defer gap.Stop()
	for {
		changed := s.hub.notifier.Changed()
		frame := ":\n\n"
		if u := s.hub.since(seq); !u.empty() {
			data, err := json.Marshal(u)
			if err != nil {
				return
			}
			frame = fmt.Sprintf("id: %s-%d\ndata: %s\n\n", s.epoch, u.Seq, data)
			seq = u.Seq
		}
		if err := out.SetWriteDeadline(time.Now().Add(streamWrite)); err != nil {
			return
		}
		if _, err := w.Write([]byte(frame)); err != nil || out.Flush() != nil {
			return
		}
		beat.Reset(streamBeat)
		gap.Reset(streamGap)
		if !wait(r, s, gap.C, (<-chan struct{})(nil)) || !wait(r, s, changed, beat.C) {
			return
		}
	}
}

// wait returns false when the page is gone or the server closes.
func wait[A, B any](r *http.Request, s *Server, a <-chan A, b <-chan B) bool {
	select {
	case <-a:
	case <-b:
	case <-r.Context().Done():
		return false
	case <-s.ctx.Done():
		return false
	}
	return true
}

// resume reads where a browser was; 0 if that was another run of the program.
func (s *Server) resume(id string) uint64 {
	epoch, n, ok := strings.Cut(id, "-")
	if !ok || epoch != s.epoch {
		return 0
	}
	seq, err := strconv.ParseUint(n, 10, 64)
	if err != nil {
		return 0
	}
	return seq
}
