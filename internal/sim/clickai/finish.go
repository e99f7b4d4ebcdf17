package clickai

import (
	"cmp"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// fullAnswer is the answer as it is stored: an agent's steps are joined by line breaks.
func (r *run) fullAnswer() string {
	if r.stored != nil {
		return *r.stored
	}
	if len(r.parts) == 0 {
		return r.answer.String()
	}
	parts := slices.Clone(r.parts)
	if rest := r.rest(); rest != "" {
		parts = append(parts, rest)
	}
	return strings.Join(parts, "\n")
}

// rest is the text since the last finished thought.
func (r *run) rest() string {
	n := 0
	for _, p := range r.parts {
		n += len(p)
	}
	return r.answer.String()[min(n, r.answer.Len()):]
}

// settle stores the answer. Only the first call does.
func (r *run) settle(status, errText string) {
	if r.settled || !r.begun {
		return
	}
	r.settled = true
	answer := r.fullAnswer()
	s := r.s
	s.mu.Lock()
	if r.msg != nil {
		r.msg.answer, r.msg.status, r.msg.err, r.msg.running = answer, status, errText, false
		r.msg.sources, r.msg.thoughts, r.msg.usage = r.sources, r.thoughts, r.usage()
		r.msg.files = slices.Concat(r.msg.files, r.made)
	}
	if r.conv != nil {
		if r.conv.autoName {
			r.conv.name, r.conv.autoName = title(r.body.query), false
		}
		s.touchLocked(r.conv)
	}
	s.mu.Unlock()
	r.turn.update(func(t *Turn) { t.Answer = r.answer.String() })
	s.notifier.Notify()
}

// finish sends the terminal events of a run that ended well or was stopped.
func (r *run) finish(st Status) {
	r.closeNode("succeeded")
	r.settle("normal", "")
	flowStatus := "succeeded"
	switch {
	case st == StatusStopped:
		flowStatus = "stopped"
	case r.exceptions > 0:
		flowStatus = "partial-succeeded"
	}
	r.endFlow(flowStatus, "")
	r.ended = true
	if !r.streaming {
		r.mark(st)
		r.answerBlocking(flowStatus, "")
		return
	}
	if r.app.Mode == ModeAgent && st == StatusFinished {
		r.event("message", map[string]any{"id": r.msg.id, "answer": r.fullAnswer()})
	}
	switch {
	case r.flow == nil:
		r.terminal(st, r.sendMessageEnd)
	case r.msg == nil:
		r.terminal(st, r.sendFlowFinished)
	case r.s.opt.Quirks.FinishFirst:
		r.sendFlowFinished()
		r.terminal(st, r.sendMessageEnd)
	default:
		r.sendMessageEnd()
		r.terminal(st, r.sendFlowFinished)
	}
}

// terminal sends the last event, with the turn's status set before the client can see it.
func (r *run) terminal(st Status, send func()) {
	r.mark(st)
	r.ending = true
	send()
	r.ending = false
}

func (r *run) sendMessageEnd() {
	sources := []any{}
	for i, src := range r.sources {
		sources = append(sources, src.json(i+1))
	}
	var files []any
	for _, f := range slices.Concat(r.body.files, r.made) {
		files = append(files, r.s.endFileJSON(f))
	}
	fields := map[string]any{"id": r.msg.id, "files": nil, "metadata": map[string]any{
		"annotation_reply": nil, "retriever_resources": sources, "usage": r.usage(),
	}}
	if files != nil {
		fields["files"] = files
	}
	r.event("message_end", fields)
}

func (r *run) sendFlowFinished() {
	r.event("workflow_finished", map[string]any{"data": r.flowData()})
}

// fail ends the run with an error: an error event, a failed workflow, or an HTTP error for a blocking request.
func (r *run) fail(status int, code, text string) {
	r.closeNode("failed")
	r.settle("error", text)
	r.endFlow("failed", text)
	r.ended = true
	if !r.streaming {
		r.mark(StatusFailed)
		if r.app.Mode == ModeWorkflow {
			r.answerBlocking("failed", text)
			return
		}
		r.reply(&apiError{status: status, code: code, message: text})
		return
	}
	if r.app.Mode == ModeWorkflow {
		r.terminal(StatusFailed, r.sendFlowFinished)
		return
	}
	if r.flow != nil {
		r.sendFlowFinished()
	}
	r.terminal(StatusFailed, func() {
		fields := map[string]any{"code": code, "message": text, "status": status}
		if r.s.opt.Quirks.BareErrors {
			for _, k := range []string{"event", "conversation_id", "message_id", "created_at", "workflow_run_id"} {
				fields[k] = Omitted{}
			}
		}
		r.event("error", fields)
	})
}

// pause ends the stream of a run that waits for a person.
func (r *run) pause(title, token string) {
	if r.flow == nil {
		return
	}
	r.settle("paused", "")
	r.endFlow("paused", "")
	r.ended = true
	nodeID := "human"
	r.event("human_input_required", map[string]any{"data": map[string]any{
		"form_id": "form-" + r.flow.id, "form_token": token, "node_id": nodeID, "node_title": title,
		"form_content": "Please approve.", "inputs": []any{},
		"actions":       []any{map[string]any{"id": "ok", "title": "Approve", "button_style": "primary"}},
		"display_in_ui": true, "resolved_default_values": map[string]any{},
		"expiration_time": r.created.Add(72 * time.Hour).Unix(),
	}})
	r.terminal(StatusPaused, func() {
		r.event("workflow_paused", map[string]any{"data": map[string]any{
			"workflow_run_id": r.flow.id, "paused_nodes": []string{nodeID}, "outputs": map[string]any{},
			"reasons": []any{map[string]any{"type": "human_input_required", "node_id": nodeID}}, "status": "paused",
			"created_at": r.created.Unix(), "elapsed_time": time.Since(r.created).Seconds(), "total_tokens": 0,
			"total_steps": r.steps,
		}})
	})
	if !r.streaming {
		r.mark(StatusPaused)
		r.answerBlocking("paused", "")
	}
}

func (r *run) usage() map[string]any {
	prompt := len(strings.Fields(r.body.query)) + 20
	completion := len(strings.Fields(r.answer.String()))
	price := func(tokens int, unit float64) string {
		return strconv.FormatFloat(float64(tokens)*unit/1000, 'f', 7, 64)
	}
	const promptUnit, completionUnit = 0.001, 0.002
	return map[string]any{
		"prompt_tokens": prompt, "prompt_unit_price": "0.001", "prompt_price_unit": "0.001",
		"prompt_price":      price(prompt, promptUnit),
		"completion_tokens": completion, "completion_unit_price": "0.002", "completion_price_unit": "0.001",
		"completion_price": price(completion, completionUnit), "total_tokens": prompt + completion,
		"total_price": strconv.FormatFloat(float64(prompt)*promptUnit/1000+float64(completion)*completionUnit/1000, 'f', 7, 64),
		"currency":    "USD", "latency": time.Since(r.created).Seconds(),
	}
}

// answerBlocking writes the one body of a blocking request.
func (r *run) answerBlocking(flowStatus, errText string) {
	extra := !r.s.opt.GuideOnly
	if r.app.Mode == ModeWorkflow {
		data := r.flowData()
		out := map[string]any{
			"id": r.flow.id, "workflow_id": r.flow.workflow, "status": flowStatus, "outputs": data["outputs"],
			"total_tokens": data["total_tokens"], "created_at": data["created_at"], "finished_at": data["finished_at"],
		}
		if extra || errText != "" {
			out["error"], out["elapsed_time"], out["total_steps"] = data["error"], data["elapsed_time"], data["total_steps"]
		}
		r.json(map[string]any{"workflow_run_id": r.flow.id, "task_id": r.task, "data": out})
		return
	}
	metadata := map[string]any{"usage": r.usage()}
	body := map[string]any{
		"id": r.msg.id, "answer": r.fullAnswer(), "created_at": r.created.Unix(), "metadata": metadata,
	}
	if r.conv != nil {
		body["conversation_id"] = r.conv.id
	}
	if extra {
		sources := []any{}
		for i, src := range r.sources {
			sources = append(sources, src.json(i+1))
		}
		metadata["retriever_resources"] = sources
		body["event"], body["task_id"], body["message_id"], body["mode"] = "message", r.task, r.msg.id, r.app.Mode
	}
	r.json(body)
}

func (r *run) json(v any) {
	if r.gone {
		return
	}
	r.turn.update(func(t *Turn) { t.HTTPStatus = cmp.Or(t.HTTPStatus, http.StatusOK) })
	r.s.notifier.Notify()
	writeJSON(r.call.w, http.StatusOK, v)
}

// reply answers with an HTTP status in place of the answer.
func (r *run) reply(e *apiError) {
	if r.gone || r.headed {
		return
	}
	r.headed = true
	r.turn.update(func(t *Turn) { t.HTTPStatus = e.status })
	r.s.notifier.Notify()
	e.write(r.call.w)
}
