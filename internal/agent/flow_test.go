package agent_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/clickai/bridge/clickai"
	"github.com/clickai/bridge/core"
	"github.com/clickai/bridge/internal/agent"
	sim "github.com/clickai/bridge/internal/sim/clickai"
)

// event sends a workflow's event with its data.
func event(kind, data string) sim.Step {
	return sim.Send(kind, map[string]any{"data": json.RawMessage(data)})
}

func TestStepsOfAWorkflow(t *testing.T) {
	r := newRig(t, sim.Options{})
	r.server.Script(nil,
		event("node_started", `{"id":"e0","node_id":"n0","node_type":"start","title":"START"}`),
		sim.Node("http-request", "Call the  shop"), sim.FailNode(),
		event("node_retry", `{"id":"e1","node_id":"n1","node_type":"llm","title":"Ask again","retry_index":1,"status":"running"}`),
		event("iteration_started", `{"id":"e2","node_id":"n2","node_type":"iteration","title":"Each order"}`),
		event("iteration_next", `{"id":"e2","node_id":"n2","node_type":"iteration","title":"Each order","index":1}`),
		event("iteration_completed", `{"id":"e2","node_id":"n2","node_type":"iteration","title":"Each order","status":"succeeded"}`),
		event("loop_started", `{"id":"e3","node_id":"n3","node_type":"loop","title":"Until it fits"}`),
		event("node_started", `{"id":"e4","node_id":"n4","node_type":"llm","title":null}`),
		sim.Text("Done."))
	h := ask(t, r.app(t, agent.ModeWorkflow, nil), core.Question{})
	want := []string{"Call the shop", "Ask again", "Each order", "Each order", "Until it fits"}
	if h.err != nil || !h.ended || !slices.Equal(h.steps, want) {
		t.Errorf("steps = %q, %v; want %q", h.steps, h.err, want)
	}
	if !strings.Contains(r.log.String(), "workflow succeeded in part") || !strings.Contains(r.log.String(), "a node of the workflow failed") {
		t.Error("the log does not tell of the node that failed")
	}
}

func TestOutputsAreTheAnswer(t *testing.T) {
	tests := []struct {
		name    string
		output  string
		outputs map[string]any
		text    string
	}{
		{name: "the only one", outputs: map[string]any{"poem": "Roses"}, text: "Roses"},
		{name: "result of several", outputs: map[string]any{"result": "Roses", "score": 5}, text: "Roses"},
		{name: "text before answer", outputs: map[string]any{"text": "Roses", "answer": "Violets"}, text: "Roses"},
		{name: "the configured one", output: "poem", outputs: map[string]any{"poem": "Roses", "result": "no"}, text: "Roses"},
		{name: "a number", outputs: map[string]any{"n": json.Number("12345678901234567890")}, text: "12345678901234567890"},
		{name: "a truth", outputs: map[string]any{"ok": true}, text: "true"},
		{name: "a list", outputs: map[string]any{"l": []string{"a", "b"}}, text: "- a\n- b"},
		{name: "an object", outputs: map[string]any{"o": map[string]any{"a": 1}}, text: "```json\n{\n  \"a\": 1\n}\n```"},
		{name: "all as a list", outputs: map[string]any{"a": "x", "b": nil, "c": 2}, text: "**a**: x\n\n**c**: 2"},
		{name: "none", outputs: map[string]any{}, text: ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t, sim.Options{})
			r.server.Script(nil, sim.Outputs(tt.outputs))
			h := ask(t, r.app(t, agent.ModeWorkflow, func(c *agent.Config) { c.Output = tt.output }), core.Question{})
			if h.err != nil || h.text != tt.text {
				t.Errorf("text = %q, %v; want %q", h.text, h.err, tt.text)
			}
		})
	}
}

func TestPausedWorkflow(t *testing.T) {
	form := `{"form_id":"f1","form_token":"sesame","node_id":"n1","node_title":"Manager approves","form_content":"Please **check**:\n\n{{#$output.comment#}}",
		"actions":[{"id":"y","title":"Approve","button_style":"primary"},{"id":"n","title":"Reject"}],"form_url":`
	paused := event("workflow_paused", `{"workflow_run_id":"r1","paused_nodes":["n1"],"status":"paused"}`)
	const text = "Draft.\n\n> Please **check**:\n> \n> …\n> \n> *Approve · Reject*"
	tests := []struct {
		name   string
		steps  []sim.Step
		text   string
		titles []string
	}{
		{name: "with an address", steps: []sim.Step{event("human_input_required", form+`"https://clickai.io/forms/1"}`), paused}, text: text + "\n> \n> <https://clickai.io/forms/1>", titles: []string{"Manager approves"}},
		{name: "with an address that lets anyone in", steps: []sim.Step{event("human_input_required", form+`"https://clickai.io/forms/sesame"}`), paused}, text: text, titles: []string{"Manager approves"}},
		{name: "two forms", steps: []sim.Step{
			event("human_input_required", `{"form_id":"f1","node_title":"One"}`), event("human_input_required", `{"form_id":"f2","node_title":"Two","form_content":"Well?"}`), paused,
		}, text: "Draft.\n\n> Well?", titles: []string{"One", "Two"}},
		{name: "told by the pause alone", steps: []sim.Step{event("workflow_paused", `{"workflow_run_id":"r1","status":"paused","reasons":[{"type":"human_input_required","node_title":"One","form_content":"Well?"}]}`)}, text: "Draft.\n\n> Well?", titles: []string{"One"}},
		{name: "nothing is told", steps: []sim.Step{paused}, text: "Draft.", titles: []string{""}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t, sim.Options{})
			r.server.Script(nil, append([]sim.Step{sim.Text("Draft.")}, append(tt.steps, sim.EndStream())...)...)
			h := ask(t, r.app(t, agent.ModeWorkflow, nil), core.Question{})
			var titles []string
			for _, n := range h.notices {
				if n.Kind != core.NoticePaused {
					t.Errorf("notice %q", n.Kind)
				}
				titles = append(titles, n.Detail)
			}
			if h.err != nil || h.text != tt.text || !slices.Equal(titles, tt.titles) {
				t.Errorf("text = %q, titles %q, %v; want %q, %q", h.text, titles, h.err, tt.text, tt.titles)
			}
			if strings.Contains(r.log.String(), "sesame") {
				t.Error("the form's token stands in the log")
			}
		})
	}
	t.Run("blocking", func(t *testing.T) {
		r := newRig(t, sim.Options{})
		r.server.Script(nil, sim.AwaitPerson("Manager approves", "tok"))
		h := ask(t, r.app(t, agent.ModeWorkflow, func(c *agent.Config) { c.Blocking = true }), core.Question{})
		if h.err != nil || len(h.notices) != 1 || h.notices[0].Kind != core.NoticePaused {
			t.Errorf("notices %v, %v", h.notices, h.err)
		}
	})
}

// TestWorkflowEnds has runs end otherwise than well.
func TestWorkflowEnds(t *testing.T) {
	tests := []struct {
		name   string
		mode   agent.Mode
		steps  []sim.Step
		text   string
		notice core.NoticeKind
		detail string
		said   core.NoticeKind
	}{
		{name: "stopped by ClickAI", mode: agent.ModeWorkflow, steps: []sim.Step{sim.Text("half"), event("workflow_finished", `{"id":"r1","status":"stopped","outputs":null}`), sim.EndStream()}, text: "half", said: core.NoticeEndedEarly},
		{name: "failed without a word", mode: agent.ModeWorkflow, steps: []sim.Step{event("workflow_finished", `{"id":"r1","status":"failed"}`), sim.EndStream()}, notice: core.NoticeError},
		{name: "failed with an object", mode: agent.ModeWorkflow, steps: []sim.Step{event("workflow_finished", `{"id":"r1","status":"failed","error":{"message":"no model"}}`), sim.EndStream()}, notice: core.NoticeError, detail: `{"message":"no model"}`},
		{
			name: "chatflow that failed, told once", mode: agent.ModeChat,
			steps: []sim.Step{sim.Text("half"), event("workflow_finished", `{"id":"r1","status":"failed","error":"node LLM failed"}`), sim.Send("error", map[string]any{"status": 400, "code": "invalid_param", "message": "Run failed: node LLM failed"}), sim.EndStream()},
			text:  "half", notice: core.NoticeError, detail: "Run failed: node LLM failed",
		},
		{
			name: "chatflow that failed, told by the run alone", mode: agent.ModeChat,
			steps: []sim.Step{event("workflow_finished", `{"id":"r1","status":"failed","error":"node LLM failed"}`), sim.EndStream()}, notice: core.NoticeError, detail: "node LLM failed",
		},
		{name: "chatflow that finished without message_end", mode: agent.ModeChat, steps: []sim.Step{sim.Text("whole"), event("workflow_finished", `{"id":"r1","status":"succeeded"}`), sim.EndStream()}, text: "whole"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t, sim.Options{})
			r.server.Script(nil, tt.steps...)
			h := ask(t, r.app(t, tt.mode, nil), core.Question{})
			detail := ""
			if e, ok := errors.AsType[*core.AppError](h.err); ok {
				detail = e.Notice.Detail
			}
			if h.text != tt.text || h.notice() != tt.notice || detail != tt.detail {
				t.Errorf("text %q, notice %q %q; want %q, %q %q", h.text, h.notice(), detail, tt.text, tt.notice, tt.detail)
			}
			if got := len(h.notices) > 0; got != (tt.said != "") || got && h.notices[0].Kind != tt.said {
				t.Errorf("said %v, want %q", h.notices, tt.said)
			}
		})
	}
}

// TestErrorsInTheStream has errors of every shape that servers send.
func TestErrorsInTheStream(t *testing.T) {
	tests := []struct {
		name, data string
		notice     core.NoticeKind
		detail     string
	}{
		{name: "event", data: `{"event":"error","message_id":"m1","status":400,"code":"completion_request_error","message":"[openai] Rate limit reached"}`, notice: core.NoticeError, detail: "[openai] Rate limit reached"},
		{name: "status in text", data: `{"event":"error","status":"400","code":"invalid_param","message":"no"}`, notice: core.NoticeError, detail: "no"},
		{name: "no status, known code", data: `{"event":"error","code":"provider_quota_exceeded","message":"no credit"}`, notice: core.NoticeError, detail: "no credit"},
		{name: "no status, unknown code", data: `{"event":"error","code":"mystery","message":"boom"}`, notice: core.NoticeRetry},
		{name: "server", data: `{"event":"error","status":500,"code":"internal_server_error","message":"Internal Server Error, please contact support."}`, notice: core.NoticeRetry},
		{name: "no message", data: `{"event":"error","status":400,"code":"x","message":null}`, notice: core.NoticeError},
		{name: "body without event", data: `{"code":"invalid_param","message":"no","status":400}`, notice: core.NoticeError, detail: "no"},
		{name: "body without event and status", data: `{"code":"completion_request_error","message":"no"}`, notice: core.NoticeError, detail: "no"},
		{name: "status alone", data: `{"status":502}`, notice: core.NoticeRetry},
		{name: "secrets in it", data: `{"event":"error","status":400,"code":"x","message":"key sk-abcdefghijklmnop1234 at https://a.example/f?sign=secret refused\nand more"}`, notice: core.NoticeError, detail: "key … at https://a.example/f refused and more"},
	}
	for _, tt := range tests {
		for _, text := range []string{"", "half"} {
			t.Run(tt.name+", after "+text, func(t *testing.T) {
				t.Parallel()
				r := newRig(t, sim.Options{})
				steps := []sim.Step{sim.Bare(), sim.Raw("data: " + tt.data + "\n\n"), sim.EndStream()}
				if text != "" {
					steps = slices.Insert(steps, 1, sim.Text(text))
				}
				r.server.Script(nil, steps...)
				h := ask(t, r.app(t, agent.ModeChat, nil), core.Question{})
				e, ok := errors.AsType[*core.AppError](h.err)
				if !ok || h.text != text || e.Notice.Kind != tt.notice || e.Notice.Detail != tt.detail {
					t.Errorf("text %q, %+v; want %q, %q %q", h.text, h.err, text, tt.notice, tt.detail)
				}
			})
		}
	}
}

// limited is a chat app whose plan has one request a minute.
func limited(t *testing.T, plan clickai.Plan) *agent.App {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		_, _ = w.Write([]byte(`data: {"event":"message","conversation_id":"c1","message_id":"m1","answer":"hi"}` + "\n\n" + `data: {"event":"message_end","conversation_id":"c1","message_id":"m1"}` + "\n\n"))
	}))
	t.Cleanup(server.Close)
	client, err := clickai.New(clickai.Config{BaseURL: server.URL, APIKey: "k", Limiter: clickai.NewLimiter(plan)})
	if err != nil {
		t.Fatal(err)
	}
	return appOf(t, client, server.URL)
}

// TestWaitForThePlanIsTold has a question wait for the plan's next slot: the app says so before it waits.
func TestWaitForThePlanIsTold(t *testing.T) {
	a := limited(t, clickai.Plan{PerMinute: 1})
	if h := ask(t, a, core.Question{}); h.err != nil || h.waits != 0 {
		t.Fatalf("first: %v, %d waits", h.err, h.waits)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
	defer cancel()
	began := time.Now()
	for d, err := range a.Ask(ctx, core.Question{User: "u", Query: "hi"}) {
		if err != nil || d.Kind != core.DeltaWaiting || d.Wait < 30*time.Second || d.Wait > 62*time.Second {
			t.Errorf("delta %+v, %v; want the wait of about a minute", d, err)
		}
		break // the person said stop
	}
	if took := time.Since(began); took > 30*time.Second { // it is one of a minute
		t.Errorf("the wait goes on for %v after its consumer has gone", took)
	}
}

// TestWaitOverTheDeadlineEndsAtOnce has no slot free before answer_timeout is over.
func TestWaitOverTheDeadlineEndsAtOnce(t *testing.T) {
	for name, plan := range map[string]clickai.Plan{"minute": {PerMinute: 1}, "day": {PerDay: 1}} {
		t.Run(name, func(t *testing.T) {
			a := limited(t, plan)
			ask(t, a, core.Question{})
			began := time.Now()
			h := ask(t, a, core.Question{}) // within 30 s
			if h.notice() != core.NoticeQuota || h.waits != 0 || time.Since(began) > 25*time.Second {
				t.Errorf("notice %q, %d waits, %v; want the line about the quota at once", h.notice(), h.waits, time.Since(began))
			}
		})
	}
}
