package slack

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/clickai/bridge/internal/sim"
)

// stream is the state of a message that grows by deltas. It is open from startStream until stopStream, or until the
// workspace or the reader ends it.
type stream struct {
	open   bool
	mode   string // "markdown_text" or "chunks": what its first delta was, and all others must be
	parts  []object
	footer []object
	ended  string // the error that later calls get
}

// append adds markdown_text or chunks to the stream, or says why not. Every delta has its own limit; the blocks of
// chunks have theirs.
// Source: https://docs.slack.dev/reference/methods/chat.appendStream
func (st *stream) append(c *call, required bool) *apiError {
	md, chunks := c.str("markdown_text"), c.str("chunks")
	switch {
	case md != "" && chunks != "":
		return refuse("invalid_arguments").broken().because("markdown_text and chunks together")
	case md == "" && chunks == "":
		if required {
			return refuse("no_text").broken()
		}
		return nil
	}
	mode := "markdown_text"
	if chunks != "" {
		mode = "chunks"
	}
	if st.mode != "" && st.mode != mode {
		// Seen by apps, not documented.
		return refuse("streaming_mode_mismatch").broken()
	}
	if md != "" {
		if runes(md) > maxMarkdown {
			return refuse("msg_too_long").broken()
		}
		st.mode = mode
		st.text(md)
		return nil
	}
	var parts []object
	if json.Unmarshal([]byte(chunks), &parts) != nil || len(parts) == 0 {
		return refuse("invalid_chunks").broken()
	}
	next := &stream{parts: append([]object(nil), st.parts...)}
	for i, p := range parts {
		if fail := next.chunk(p); fail != nil {
			return fail.because(fmt.Sprintf("chunk %d", i))
		}
	}
	st.mode, st.parts = mode, next.parts
	return nil
}

func (st *stream) text(delta string) {
	if n := len(st.parts); n > 0 && str(st.parts[n-1], "type") == "markdown" {
		st.parts[n-1] = object{"type": "markdown", "text": str(st.parts[n-1], "text") + delta}
		return
	}
	st.parts = append(st.parts, object{"type": "markdown", "text": delta})
}

func (st *stream) chunk(p object) *apiError {
	switch str(p, "type") {
	case "markdown_text":
		if runes(str(p, "text")) > maxMarkdown {
			return refuse("msg_too_long").broken()
		}
		st.text(str(p, "text"))
	case "task_update":
		if str(p, "id") == "" || str(p, "title") == "" {
			return refuse("invalid_chunks").broken()
		}
		st.task(p)
	case "plan_update":
		if str(p, "title") == "" {
			return refuse("invalid_chunks").broken()
		}
		st.parts = append(st.parts, object{"type": "plan", "title": str(p, "title")})
	case "blocks":
		blocks, fail := checkBlocks(plainJSON(p["blocks"]))
		if fail != nil {
			return fail
		}
		st.parts = append(st.parts, decodeBlocks(blocks)...)
	default:
		return refuse("invalid_chunks").broken()
	}
	return nil
}

// task shows a task, or changes the one with its id.
func (st *stream) task(p object) {
	card := object{"type": "task_card", "task_id": str(p, "id"), "title": str(p, "title"), "status": str(p, "status")}
	for _, field := range []string{"details", "output"} {
		if v := str(p, field); v != "" {
			card[field] = object{"type": "markdown", "text": v}
		}
	}
	for i, b := range st.parts {
		if str(b, "type") == "task_card" && str(b, "task_id") == str(p, "id") {
			st.parts[i] = card
			return
		}
	}
	st.parts = append(st.parts, card)
}

func (st *stream) blocks() json.RawMessage {
	all := append(append([]object(nil), st.parts...), st.footer...)
	if len(all) == 0 {
		return nil
	}
	return plainJSON(all)
}

// startStream opens a streaming message. Outside direct chats the reader must be named; in them a thread must.
// Source: https://docs.slack.dev/reference/methods/chat.startStream
func startStream(c *call) (object, *apiError) {
	s := c.s
	ch, fail := c.target("channel")
	if fail != nil {
		return nil, fail
	}
	thread, fail := c.threadOf(ch)
	switch {
	case fail != nil:
		return nil, fail
	case ch.kind == "im" && c.str("thread_ts") == "":
		return nil, refuse("invalid_thread_ts").broken().because("a stream in a direct chat needs thread_ts")
	case ch.kind != "im" && c.str("recipient_user_id") == "":
		return nil, refuse("missing_recipient_user_id").broken()
	case ch.kind != "im" && c.str("recipient_team_id") == "":
		return nil, refuse("missing_recipient_team_id").broken()
	}
	switch mode := c.str("task_display_mode"); mode {
	case "", "timeline", "plan":
	default:
		return nil, refuse("invalid_arguments").broken().because("task_display_mode " + mode)
	}
	st := &stream{open: true, ended: "message_not_in_streaming_state"}
	if fail := st.append(c, false); fail != nil {
		return nil, fail
	}
	blocks := st.blocks()
	m := s.botMessageLocked(ch, thread, body{blocks: blocks, pings: pingsIn("", blocks, false)})
	m.stream = st
	s.postedLocked(ch, m)
	s.sessionLocked(ch.id, thread, "processing")
	s.clock.after(s.opt.StreamLife, func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.endStreamLocked(ch, m)
	})
	return object{"channel": ch.id, "ts": m.ts}, nil
}

// streaming finds the stream that a call goes on with.
func (c *call) streaming() (*channel, *message, *apiError) {
	ch, m, fail := c.own("message_not_found", "message_not_owned_by_app")
	switch {
	case fail != nil:
		return nil, nil, fail
	case m.stream == nil:
		return nil, nil, refuse("message_not_in_streaming_state").broken().because("it never was")
	case !m.stream.open:
		return nil, nil, refuse(m.stream.ended)
	}
	return ch, m, nil
}

func appendStream(c *call) (object, *apiError) {
	ch, m, fail := c.streaming()
	if fail != nil {
		return nil, fail
	}
	if fail := m.stream.append(c, true); fail != nil {
		return nil, fail
	}
	c.s.grownLocked(ch, m)
	return object{"channel": ch.id, "ts": m.ts}, nil
}

// stopStream ends a streaming message, after a last delta and with blocks under it.
// Source: https://docs.slack.dev/reference/methods/chat.stopStream
func stopStream(c *call) (object, *apiError) {
	s := c.s
	ch, m, fail := c.streaming()
	if fail != nil {
		return nil, fail
	}
	meta, fail := c.metadata()
	if fail != nil {
		return nil, fail
	}
	var footer []object
	if raw := c.str("blocks"); raw != "" {
		blocks, fail := checkBlocks([]byte(raw))
		if fail != nil {
			return nil, fail
		}
		footer = decodeBlocks(blocks)
	}
	st := m.stream
	if fail := st.append(c, false); fail != nil {
		return nil, fail
	}
	st.footer = footer
	if meta != nil {
		m.metadata = meta
	}
	s.grownLocked(ch, m)
	s.endStreamLocked(ch, m)
	s.sessionLocked(ch.id, m.thread, "active")
	return object{"channel": ch.id, "ts": m.ts, "message": s.messageLocked(ch, m, true)}, nil
}

// grownLocked shows what a stream holds now.
func (s *Server) grownLocked(ch *channel, m *message) {
	blocks := m.stream.blocks()
	s.reviseLocked(m, "", blocks)
	s.tellLocked(sim.Appended, ch, m)
	s.notePingsLocked(ch.id, m.ts, pingsIn("", blocks, false))
}

// endStreamLocked closes a stream, if it is still open, and tells the app of the message's final form.
func (s *Server) endStreamLocked(ch *channel, m *message) {
	if !m.stream.open || ch.byTS[m.ts] != m {
		return
	}
	before := s.messageLocked(ch, m, false)
	m.stream.open = false
	s.changedLocked(ch, m, before)
	s.changed.Notify()
}

// Halt presses the stop button of a streaming message: the stream ends, later appends are refused with
// stopped_by_user, and the app is told by agent_session_stopped. The session stays processing until the app says otherwise.
// Source: https://docs.slack.dev/reference/events/agent_session_stopped
func (s *Server) Halt(_ context.Context, at sim.Ref, user string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	ch, m, err := s.findLocked(at)
	if err != nil {
		return err
	}
	if m.stream == nil || !m.stream.open {
		return fmt.Errorf("halt %s in %s: the message does not stream", at.ID, at.Room)
	}
	m.stream.ended = "stopped_by_user"
	s.endStreamLocked(ch, m)
	s.raiseLocked(ch.ref(m), object{
		"type": "agent_session_stopped", "user": user, "channel": ch.id, "thread_ts": m.thread,
		"streaming_message_ts": []string{m.ts}, "event_ts": s.stampLocked(),
	})
	return nil
}
