package clickai

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"strconv"
	"strings"
	"time"
	"unicode/utf16"
	"unicode/utf8"
)

// Omitted as a field of an Event step leaves the field out.
type Omitted struct{}

// send records one event and writes its frame.
func (r *run) send(kind, text string, data, frame []byte) {
	if r.gone || !r.streaming {
		return
	}
	keep := r.s.opt.Keep.TurnEvents
	now := time.Now()
	r.turn.mu.Lock()
	r.turn.t.EventCount++
	if len(r.turn.t.Events) < keep {
		r.turn.t.Events = append(r.turn.t.Events, Event{At: now, Kind: kind, Text: text, Data: data})
	}
	if text != "" {
		r.turn.t.Answer = r.answer.String()
	}
	r.turn.mu.Unlock()
	r.s.notifier.Notify()
	r.write(frame)
	r.s.faults.Frame(kind)
	r.sent++
	if r.cutEvents > 0 && r.sent >= r.cutEvents && !r.gone {
		r.cut()
	}
}

// write sends bytes at once. The header goes with the first ones, as with the real server.
func (r *run) write(frame []byte) {
	if r.gone || !r.streaming {
		return
	}
	w := r.call.w
	if !r.headed {
		r.headed = true
		h := w.Header()
		h.Set("Content-Type", "text/event-stream; charset=utf-8")
		h.Set("Cache-Control", "no-cache")
		h.Set("X-Accel-Buffering", "no")
		w.WriteHeader(http.StatusOK)
	}
	cut := r.cutBytes > 0 && r.written+int64(len(frame)) >= r.cutBytes
	if cut {
		frame = frame[:r.cutBytes-r.written]
	}
	n, err := w.Write(frame)
	r.written += int64(n)
	if err == nil {
		err = r.out.Flush()
	}
	switch {
	case err != nil && !errors.Is(err, http.ErrNotSupported):
		r.lose()
	case cut:
		r.cut()
	}
}

// encodeText prepares the text event, the one that comes hundreds of times.
func (r *run) encodeText() {
	q := func(s string) string { return string(appendQuoted(nil, s, r.s.opt.Quirks.ASCII)) }
	if r.app.Mode == ModeWorkflow {
		r.textKind = "text_chunk"
		r.head = []byte(`data: {"event":"text_chunk","workflow_run_id":` + q(r.flow.id) + `,"task_id":` + q(r.task) + `,"data":{"text":`)
		r.tail = []byte(`,"from_variable_selector":["llm","text"]}}` + "\n\n")
		return
	}
	r.textKind = "message"
	tail := `,"from_variable_selector":null}` + "\n\n"
	if r.app.Mode.agent() {
		r.textKind, tail = "agent_message", "}\n\n"
	}
	if r.s.opt.Quirks.TextAsFile {
		r.textKind = "message_file"
	}
	head := `data: {"event":` + q(r.textKind)
	if r.conv != nil {
		head += `,"conversation_id":` + q(r.conv.id)
	}
	head += `,"message_id":` + q(r.msg.id) + `,"created_at":` + strconv.FormatInt(r.created.Unix(), 10) + `,"task_id":` + q(r.task)
	r.head = []byte(head + `,"id":` + q(r.msg.id) + `,"answer":`)
	r.tail = []byte(tail)
}

// delta sends one piece of the answer.
func (r *run) delta(text string) {
	r.answer.WriteString(text)
	if r.gone || !r.streaming {
		return
	}
	r.buf = append(r.buf[:0], r.head...)
	r.buf = appendQuoted(r.buf, text, r.s.opt.Quirks.ASCII)
	r.buf = append(r.buf, r.tail...)
	r.send(r.textKind, text, nil, r.buf)
}

// envelope is what every data event of the app carries.
func (r *run) envelope(kind string) map[string]any {
	m := map[string]any{"event": kind}
	if kind != "error" {
		m["task_id"] = r.task
	}
	if r.msg != nil {
		m["message_id"], m["created_at"] = r.msg.id, r.created.Unix()
	}
	if r.conv != nil {
		m["conversation_id"] = r.conv.id
	}
	if r.flow != nil && (r.msg == nil || flowEvent(kind)) {
		m["workflow_run_id"] = r.flow.id
	}
	return m
}

// flowEvent tells the events that carry the run's id in chatflow streams too.
func flowEvent(kind string) bool {
	for _, p := range []string{"workflow_", "node_", "iteration_", "loop_", "human_input_", "parallel_"} {
		if strings.HasPrefix(kind, p) {
			return true
		}
	}
	return false
}

// event sends one event of any kind but text; fields go over the envelope.
func (r *run) event(kind string, fields map[string]any) {
	if r.gone || !r.streaming {
		return
	}
	m := r.envelope(kind)
	maps.Copy(m, fields)
	maps.DeleteFunc(m, func(_ string, v any) bool { return v == any(Omitted{}) })
	data := encode(m)
	if r.s.opt.Quirks.ASCII {
		data = escapeNonASCII(data)
	}
	frame := make([]byte, 0, len(data)+8)
	frame = append(append(append(frame, "data: "...), data...), "\n\n"...)
	r.send(kind, "", data, frame)
}

// ping sends a keep-alive.
func (r *run) ping() {
	if r.s.opt.PingInterval > 0 {
		r.pingAt = time.Now().Add(r.s.opt.PingInterval)
	}
	frame := "event: ping\n\n"
	if r.s.opt.Quirks.DataPing {
		frame = "data: {\"event\":\"ping\"}\n\n"
	}
	r.send("ping", "", nil, []byte(frame))
}

// speak sends audio in chunks.
func (r *run) speak(chunks [][]byte) {
	r.voice = true
	for _, c := range chunks {
		r.event("tts_message", map[string]any{"audio": base64.StdEncoding.EncodeToString(c)})
	}
}

// appendQuoted appends s as a JSON string: raw UTF-8, U+2028 and its like included, or ASCII only.
func appendQuoted(dst []byte, s string, ascii bool) []byte {
	dst = append(dst, '"')
	for _, c := range s {
		switch {
		case c == '"' || c == '\\':
			dst = append(dst, '\\', byte(c))
		case c == '\n':
			dst = append(dst, '\\', 'n')
		case c == '\r':
			dst = append(dst, '\\', 'r')
		case c == '\t':
			dst = append(dst, '\\', 't')
		case c < 0x20:
			dst = fmt.Appendf(dst, `\u%04x`, c)
		case c >= utf8.RuneSelf && ascii:
			dst = appendEscape(dst, c)
		default:
			dst = utf8.AppendRune(dst, c)
		}
	}
	return append(dst, '"')
}

func appendEscape(dst []byte, c rune) []byte {
	if hi, lo := utf16.EncodeRune(c); hi != utf8.RuneError {
		return fmt.Appendf(dst, `\u%04x\u%04x`, hi, lo)
	}
	return fmt.Appendf(dst, `\u%04x`, c)
}

// escapeNonASCII rewrites JSON, in which only strings hold more than ASCII.
func escapeNonASCII(data []byte) []byte {
	var out []byte
	for _, c := range bytes.Runes(data) {
		if c < utf8.RuneSelf {
			out = append(out, byte(c))
		} else {
			out = appendEscape(out, c)
		}
	}
	return out
}
