package playground

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"strings"
	"time"
)

// maxLine bounds a line of a stream that is looked at; of a longer one only its first part is.
const maxLine = 256 << 10

var errCut = errors.New("the playground cut this answer")

// tape passes a stream of events on and records it. It misbehaves between two events, when it is told to.
type tape struct {
	r     *Relay
	t     *turn
	ctx   context.Context
	body  io.Closer
	lines *bufio.Reader
	// Addresses of ClickAI's own are made addresses of the relay, so that files are fetched by the way the questions take.
	from, to string

	ready []byte // to be read
	name  string
	data  []byte
	over  error
}

func newLines(r io.Reader) *bufio.Reader { return bufio.NewReaderSize(r, 64<<10) }

// Read implements io.Reader.
func (t *tape) Read(p []byte) (int, error) {
	for len(t.ready) == 0 {
		if t.over != nil {
			return 0, t.over
		}
		t.next()
	}
	n := copy(p, t.ready)
	t.ready = t.ready[n:]
	return n, nil
}

// Close implements io.Closer.
func (t *tape) Close() error { return t.body.Close() }

// next reads a line.
func (t *tape) next() {
	line, err := t.lines.ReadSlice('\n')
	if errors.Is(err, bufio.ErrBufferFull) {
		err = nil
	}
	if err != nil {
		t.over = err
	}
	t.ready = bytes.ReplaceAll(line, []byte(t.from+"/"), []byte(t.to+"/"))
	text := strings.TrimRight(string(line), "\r\n")
	switch value, isData := strings.CutPrefix(text, "data:"); {
	case isData:
		if len(t.data) < maxLine {
			t.data = append(t.data, strings.TrimPrefix(value, " ")...)
		}
	case strings.HasPrefix(text, "event:"):
		t.name = strings.TrimSpace(text[len("event:"):])
	case text == "" && err == nil:
		t.dispatch()
	case len(t.data) > 0 && len(t.data) < maxLine: // the rest of a long line
		t.data = append(t.data, text...)
	}
}

// dispatch is the end of an event.
func (t *tape) dispatch() {
	if len(t.data) == 0 && t.name == "" {
		return
	}
	t.r.note(t.t, t.name, t.data)
	t.data, t.name = t.data[:0], ""
	t.misbehave()
}

// misbehave does what the turn has coming.
func (t *tape) misbehave() {
	if t.r.takeFault(t.t, FaultSlow) {
		timer := time.NewTimer(slowFor)
		defer timer.Stop()
		select {
		case <-timer.C:
		case <-t.ctx.Done():
		}
	}
	if t.r.takeFault(t.t, FaultError) {
		t.r.mu.Lock()
		data, err := json.Marshal(map[string]any{
			"event": "error", "task_id": t.t.TaskID, "message_id": t.t.MessageID, "status": 500, "code": "internal_server_error",
			"message": "The playground made this error.",
		})
		t.r.mu.Unlock()
		if err != nil {
			data = []byte(`{"event":"error"}`)
		}
		t.r.note(t.t, "error", data)
		t.ready = append(append(bytes.Clone(t.ready), "data: "...), append(data, "\n\n"...)...)
		t.over = io.EOF
	}
	if t.r.takeFault(t.t, FaultCut) {
		t.over = errCut
	}
}
