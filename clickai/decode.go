package clickai

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"slices"
	"strings"
)

// errNotObject says that an event's data is no JSON object.
var errNotObject = errors.New("event data is not a JSON object")

// eventDecoder turns the data of SSE events into typed events. Text pieces, by
// far the most, are read by scanEvent in one pass; everything else, and
// everything unusual, by encoding/json. Both give the same result.
//
// Within one stream the ids are the same in all events: the decoder keeps the
// last ones and hands out the same strings again.
type eventDecoder struct {
	last     Header
	selector []string // the last one, and its JSON
	selRaw   []byte
}

// decode returns the event in data. name is the SSE event name, used only where
// the JSON names none.
func (d *eventDecoder) decode(name, data []byte) (Event, error) {
	var f flatEvent
	if scanEvent(data, &f) {
		if ev := d.fast(&f); ev != nil {
			return ev, nil
		}
	} else if ev := workflow(&f, data); ev != nil {
		return ev, nil
	}
	return d.slow(name, data)
}

// workflow decodes workflow events, which can be very large, without looking for
// their kind first. It returns nil for all others.
func workflow(f *flatEvent, data []byte) Event {
	if f.event.raw == nil || f.event.escaped {
		return nil
	}
	kind := string(f.event.raw)
	ev := newWorkflowEvent(kind)
	if ev == nil || unmarshal(data, ev) != nil || ev.Head().Event != kind || finish(ev, data) != nil {
		return nil
	}
	return ev
}

// fast builds the events of text pieces. It returns nil for all others.
func (d *eventDecoder) fast(f *flatEvent) Event {
	switch string(f.event.raw) {
	case eventMessage:
		m := &Message{}
		d.header(&m.Header, f, eventMessage)
		m.ID = f.messageID(&m.Header)
		m.Answer = f.answer.text()
		m.Selector = d.selectorOf(f.selector)
		return m
	case eventAgentMessage:
		m := &AgentMessage{}
		d.header(&m.Header, f, eventAgentMessage)
		m.ID = f.messageID(&m.Header)
		m.Answer = f.answer.text()
		m.Selector = d.selectorOf(f.selector)
		return m
	case eventTextChunk:
		var inner flatEvent
		if f.data == nil || !scanEvent(f.data, &inner) {
			return nil
		}
		c := &TextChunk{}
		d.header(&c.Header, f, eventTextChunk)
		c.Text = inner.textField.text()
		c.Selector = d.selectorOf(inner.selector)
		return c
	default:
		return nil
	}
}

// header fills h from f, reusing the strings of the event before.
func (d *eventDecoder) header(h *Header, f *flatEvent, event string) {
	h.Event = event
	h.ConversationID = reuse(&d.last.ConversationID, f.conversation)
	h.MessageID = reuse(&d.last.MessageID, f.message)
	h.TaskID = reuse(&d.last.TaskID, f.task)
	h.WorkflowRunID = reuse(&d.last.WorkflowRunID, f.run)
	h.CreatedAt = Unix(f.createdAt)
}

// messageID returns the field id, completing h.MessageID and it by each other.
func (f *flatEvent) messageID(h *Header) string {
	id := h.MessageID // the usual case: both are the same
	if f.id.escaped || string(f.id.raw) != id {
		id = orDefault(f.id.text(), h.MessageID)
	}
	h.MessageID = orDefault(h.MessageID, id)
	return id
}

// reuse returns t's text, and the string *last itself if it is the same.
func reuse(last *string, t token) string {
	if t.raw == nil {
		return ""
	}
	if !t.escaped && string(t.raw) == *last {
		return *last
	}
	*last = t.text()
	return *last
}

// selectorOf decodes an array of strings, reusing the last one if it is the same.
func (d *eventDecoder) selectorOf(raw []byte) []string {
	if raw == nil {
		return nil
	}
	if d.selRaw == nil || !bytes.Equal(raw, d.selRaw) {
		var s []string
		if json.Unmarshal(raw, &s) != nil {
			return nil // scanEvent has checked it: cannot happen
		}
		d.selRaw, d.selector = bytes.Clone(raw), s
	}
	return d.selector
}

// probe is what decides an event's kind.
type probe struct {
	Header
	ID      string      `json:"id"`
	Code    looseString `json:"code"`
	Message looseString `json:"message"`
	Status  looseInt    `json:"status"`
	URL     string      `json:"url"`
	Answer  string      `json:"answer"`
}

// slow decodes any event with encoding/json.
func (d *eventDecoder) slow(name, data []byte) (Event, error) {
	trimmed := bytes.TrimLeft(data, " \t\r\n")
	if len(trimmed) == 0 || trimmed[0] != '{' {
		if string(name) == eventPing {
			return &Ping{Header{Event: eventPing}}, nil
		}
		return nil, errNotObject
	}
	var p probe
	if err := unmarshal(data, &p); err != nil {
		return nil, err
	}
	kind := p.Event
	if kind == "" {
		// An error body in place of an event, as older and proxied servers send it.
		if (p.Code != "" && p.Message != "") || p.Status >= 400 {
			kind = eventError
		} else {
			kind = string(name)
			p.Event = kind
		}
	}
	return decodeKind(kind, &p, data)
}

// decodeKind decodes data as an event of kind. p is what is already known of it.
func decodeKind(kind string, p *probe, data []byte) (Event, error) {
	var ev Event
	switch kind {
	case eventMessage:
		ev = &Message{}
	case eventAgentMessage:
		ev = &AgentMessage{}
	case eventAgentThought:
		return decodeThought(data)
	case eventMessageFile:
		if p.Answer != "" && p.URL == "" {
			ev = &Message{}
		} else {
			ev = &MessageFile{}
		}
	case eventMessageEnd:
		ev = &MessageEnd{}
	case eventMessageReplace:
		ev = &MessageReplace{}
	case eventTTSMessage:
		return decodeTTS(p.Header, data)
	case eventTTSMessageEnd:
		return &TTSMessageEnd{p.Header}, nil
	case eventError:
		return &ErrorEvent{Header: p.Header, Status: int(p.Status), Code: string(p.Code), Message: string(p.Message)}, nil
	case eventPing:
		return &Ping{p.Header}, nil
	case eventTextChunk, eventTextReplace, eventReasoningChunk:
		return decodeText(kind, p.Header, data)
	default:
		if ev = newWorkflowEvent(kind); ev == nil {
			return &Unknown{Header: p.Header, Raw: bytes.Clone(data)}, nil
		}
	}
	if err := unmarshal(data, ev); err != nil {
		return nil, err
	}
	ev.Head().Event = p.Event
	if err := finish(ev, data); err != nil {
		return nil, err
	}
	return ev, nil
}

// newWorkflowEvent returns an empty event of the kinds whose payload stands in
// "data", and nil for others.
func newWorkflowEvent(kind string) Event {
	switch kind {
	case eventWorkflowStarted:
		return &WorkflowStarted{}
	case eventWorkflowPaused:
		return &WorkflowPaused{}
	case eventWorkflowFinished:
		return &WorkflowFinished{}
	case eventNodeStarted:
		return &NodeStarted{}
	case eventNodeFinished:
		return &NodeFinished{}
	case eventNodeRetry:
		return &NodeRetry{}
	case eventAgentLog:
		return &AgentLog{}
	case eventHumanInputRequired:
		return &HumanInputRequired{}
	case eventHumanInputFilled, eventHumanInputTimeout:
		return &HumanInputDone{}
	}
	for _, family := range []string{"iteration_", "loop_", "parallel_branch_", "datasource_"} {
		if strings.HasPrefix(kind, family) {
			return &Progress{}
		}
	}
	return nil
}

// finish derives what an event says in another place than usual.
func finish(ev Event, data []byte) error {
	switch ev := ev.(type) {
	case *Message:
		ev.ID, ev.MessageID = messageIDs(ev.ID, ev.MessageID, ev.Event != eventMessageFile)
	case *AgentMessage:
		ev.ID, ev.MessageID = messageIDs(ev.ID, ev.MessageID, true)
	case *MessageEnd:
		ev.ID, ev.MessageID = messageIDs(ev.ID, ev.MessageID, true)
	case *WorkflowStarted:
		finishRun(&ev.Run, nil)
		ev.WorkflowRunID = orDefault(ev.WorkflowRunID, ev.Run.ID)
	case *WorkflowFinished:
		if ev.Run.Status == StatusFailed && ev.Run.Error == "" {
			finishRun(&ev.Run, runOf(data))
		} else {
			finishRun(&ev.Run, nil)
		}
		ev.WorkflowRunID = orDefault(ev.WorkflowRunID, ev.Run.ID)
	case *NodeStarted:
		ev.Node.finish()
	case *NodeFinished:
		ev.Node.finish()
	case *NodeRetry:
		ev.Node.finish()
	case *Progress:
		ev.Node.finish()
	case *WorkflowPaused:
		return finishPaused(ev, data)
	case *AgentLog:
		dropNull(&ev.Log.Data, &ev.Log.Metadata)
	case *HumanInputRequired:
		dropNull(&ev.Form.Inputs, &ev.Form.ResolvedDefaultValues)
	case *HumanInputDone:
		dropNull(&ev.Form.Inputs, &ev.Form.ResolvedDefaultValues)
	}
	return nil
}

// messageIDs applies the precedence of the two fields that can hold a message's
// id. With idToo false, id is the id of something else.
func messageIDs(id, messageID string, idToo bool) (newID, newMessageID string) {
	if !idToo {
		return messageID, messageID
	}
	return orDefault(id, messageID), orDefault(messageID, id)
}

func finishPaused(ev *WorkflowPaused, data []byte) error {
	var w struct {
		Data struct {
			WorkflowRunID string            `json:"workflow_run_id"`
			PausedNodes   []json.RawMessage `json:"paused_nodes"`
			Reasons       json.RawMessage   `json:"reasons"`
		} `json:"data"`
	}
	if err := unmarshal(data, &w); err != nil {
		return err
	}
	finishRun(&ev.Run, nil)
	ev.Reasons = w.Data.Reasons
	dropNull(&ev.Reasons)
	for _, raw := range w.Data.PausedNodes {
		var id looseString
		if err := unmarshal(raw, &id); err != nil {
			return err
		}
		ev.PausedNodes = append(ev.PausedNodes, string(id))
	}
	ev.Run.ID = orDefault(ev.Run.ID, w.Data.WorkflowRunID)
	ev.WorkflowRunID = orDefault(ev.WorkflowRunID, ev.Run.ID)
	return nil
}

// decodeThought decodes an agent_thought, whose tool_input is JSON in text or,
// by some servers, JSON itself.
func decodeThought(data []byte) (Event, error) {
	ev := &AgentThought{}
	w := struct {
		*AgentThought
		ToolInput looseString `json:"tool_input"`
	}{AgentThought: ev}
	if err := unmarshal(data, &w); err != nil {
		return nil, err
	}
	ev.Event = eventAgentThought
	ev.ToolInput = string(w.ToolInput)
	dropNull(&ev.ToolLabels)
	return ev, nil
}

// decodeTTS decodes one chunk of audio. Each chunk is base64 of its own.
func decodeTTS(h Header, data []byte) (Event, error) {
	var w struct {
		Audio string `json:"audio"`
	}
	if err := unmarshal(data, &w); err != nil {
		return nil, err
	}
	text := strings.TrimRight(strings.Map(func(r rune) rune {
		if r == '\r' || r == '\n' || r == ' ' {
			return -1
		}
		return r
	}, w.Audio), "=")
	audio, err := base64.RawStdEncoding.DecodeString(text)
	if err != nil {
		return nil, err
	}
	return &TTSMessage{Header: h, Audio: audio}, nil
}

// decodeText decodes the events whose payload is one text under "data".
func decodeText(kind string, h Header, data []byte) (Event, error) {
	var w struct {
		Data struct {
			Text      string   `json:"text"`
			Selector  []string `json:"from_variable_selector"`
			Reasoning string   `json:"reasoning"`
			NodeID    string   `json:"node_id"`
			Final     bool     `json:"is_final"`
			MessageID string   `json:"message_id"`
		} `json:"data"`
	}
	if err := unmarshal(data, &w); err != nil {
		return nil, err
	}
	switch kind {
	case eventTextChunk:
		return &TextChunk{Header: h, Text: w.Data.Text, Selector: w.Data.Selector}, nil
	case eventTextReplace:
		return &TextReplace{Header: h, Text: w.Data.Text}, nil
	default:
		h.MessageID = orDefault(h.MessageID, w.Data.MessageID)
		return &ReasoningChunk{Header: h, Reasoning: w.Data.Reasoning, NodeID: w.Data.NodeID, Final: w.Data.Final}, nil
	}
}

// finishRun completes a decoded run. raw is its JSON, or nil where an error is not
// expected.
func finishRun(run *WorkflowRun, raw json.RawMessage) {
	dropNull(&run.Inputs, &run.Outputs)
	if run.Error != "" || run.Status != StatusFailed {
		return
	}
	var w struct {
		Error looseString `json:"error"` // one that is no string
	}
	if unmarshal(raw, &w) == nil {
		run.Error = string(w.Error)
	}
}

// runOf returns the "data" of an event.
func runOf(data []byte) json.RawMessage {
	var w struct {
		Data json.RawMessage `json:"data"`
	}
	_ = unmarshal(data, &w) // its syntax has been checked
	return w.Data
}

func (n *Node) finish() {
	dropNull(&n.Inputs, &n.ProcessData, &n.Outputs, &n.ExecutionMetadata, &n.Extras)
}

// dropNull makes a JSON null the same as an absent field.
func dropNull(fields ...*json.RawMessage) {
	for _, f := range fields {
		if string(*f) == "null" {
			*f = nil
		}
	}
}

// splitRecords returns the lines of data if there are several and each is a JSON
// object of its own, else nil. Servers that forget the blank line between two
// events send such data.
func splitRecords(data []byte) [][]byte {
	if !bytes.ContainsRune(data, '\n') {
		return nil
	}
	var records [][]byte
	for line := range bytes.SplitSeq(data, []byte{'\n'}) {
		line = bytes.TrimSpace(line)
		if len(line) == 0 {
			continue
		}
		if line[0] != '{' || !json.Valid(line) {
			return nil
		}
		records = append(records, slices.Clone(line))
	}
	return records
}
