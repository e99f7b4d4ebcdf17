package agent

import (
	"encoding/json"
	"log/slog"
	"net/url"
	"regexp"
	"strings"

	"github.com/clickai/bridge/clickai"
	"github.com/clickai/bridge/core"
)

const (
	maxStep  = 100  // bytes of a step's title
	maxForms = 5    // that one run waits for
	maxForm  = 2000 // bytes of a form's text
)

// flowEvent takes an event of a workflow.
func (t *translator) flowEvent(ev clickai.Event) bool {
	switch ev := ev.(type) {
	case *clickai.WorkflowStarted:
		t.flowBacked = true
	case *clickai.NodeStarted:
		switch ev.Node.NodeType {
		case "start", "end", "answer": // they do nothing that takes time
			return true
		}
		return t.step(ev.Node.Title)
	case *clickai.NodeRetry:
		return t.step(ev.Node.Title)
	case *clickai.NodeFinished:
		// The workflow may have a way around it: only the run itself can fail.
		if n := ev.Node; n.Status == clickai.StatusFailed || n.Status == clickai.StatusException {
			t.app.log.InfoContext(t.ctx, "a node of the workflow failed", slog.String("node", oneLine(n.Title, maxStep)),
				slog.String("status", n.Status), slog.String("error", cleanMessage(n.Error)))
		}
	case *clickai.Progress:
		switch kind := ev.Head().Event; {
		case strings.HasSuffix(kind, "_started"), strings.HasSuffix(kind, "_next"), strings.HasSuffix(kind, "_processing"):
			return t.step(ev.Node.Title)
		}
	case *clickai.AgentLog:
		return t.agentLog(ev)
	case *clickai.WorkflowFinished:
		return t.workflowFinished(ev)
	case *clickai.HumanInputRequired:
		t.awaits(formOf(ev.Form))
	case *clickai.WorkflowPaused:
		t.paused = true
		if len(t.forms) == 0 {
			for _, form := range formsIn(ev.Reasons) {
				t.awaits(form)
			}
		}
		t.app.log.InfoContext(t.ctx, "workflow waits for a person", slog.String("workflow_run_id", ev.WorkflowRunID), slog.Any("form_ids", formIDs(t.forms)))
		return false
	}
	return true
}

// step says which step runs.
func (t *translator) step(title string) bool {
	title = oneLine(title, maxStep)
	return title == "" || t.emit(core.Delta{Kind: core.DeltaStep, Text: title})
}

// agentLog takes an entry of an agent node's log: a tool's call is worth naming.
func (t *translator) agentLog(ev *clickai.AgentLog) bool {
	tool, ok := strings.CutPrefix(ev.Log.Label, "CALL ")
	if tool = oneLine(tool, maxTool); !ok || tool == "" {
		return true
	}
	return t.thinks(core.Thought{ID: "log-" + ev.Log.ID, Tools: []core.Tool{{Name: tool}}})
}

func (t *translator) workflowFinished(ev *clickai.WorkflowFinished) bool {
	t.finished = true
	run := ev.Run
	workflow := t.app.mode == ModeWorkflow
	switch run.Status {
	case clickai.StatusPaused:
		t.paused = true
		return false
	case clickai.StatusFailed:
		t.flowFailed, t.flowError = true, run.Error
		t.app.log.ErrorContext(t.ctx, "workflow failed", slog.String("workflow_run_id", run.ID), slog.String("error", cleanMessage(run.Error)))
		if workflow {
			t.failure = t.app.runFailed(run.Error)
			return false
		}
		return true // the error event follows, and says it once
	case clickai.StatusStopped:
		t.app.log.WarnContext(t.ctx, "workflow was stopped", slog.String("workflow_run_id", run.ID))
		if !t.emit(core.Delta{Kind: core.DeltaNotice, Notice: core.Notice{Kind: core.NoticeEndedEarly}}) {
			return false
		}
	case clickai.StatusPartiallySucceeded:
		t.app.log.WarnContext(t.ctx, "workflow succeeded in part", slog.String("workflow_run_id", run.ID), slog.Int("exceptions", run.ExceptionsCount))
	}
	t.flowOK = true
	if !t.flush() || !t.listedFiles(run.Files) {
		return false
	}
	if !workflow {
		return !t.done()
	}
	answer, files := t.app.outputs(run.Outputs)
	for _, f := range files {
		if !t.file(f) {
			return false
		}
	}
	if !t.outputAnswer(answer) || !t.flush() || !t.settle() {
		return false
	}
	usage := core.Usage{TotalTokens: run.TotalTokens, Latency: seconds(run.ElapsedTime)}
	if usage != (core.Usage{}) && !t.emit(core.Delta{Kind: core.DeltaUsage, Usage: usage}) {
		return false
	}
	return false // a workflow's stream has nothing more to say
}

// outputAnswer makes the outputs the answer, unless they say what has been streamed.
func (t *translator) outputAnswer(answer string) bool {
	if answer == "" || strings.TrimSpace(withoutThoughts(answer)) == strings.TrimSpace(t.think.text.String()) {
		return true
	}
	return t.replace(answer)
}

// waitingForm is what a paused run waits for.
type waitingForm struct {
	id, title, content, address string
	actions                     []string
}

func (t *translator) awaits(f waitingForm) {
	if len(t.forms) < maxForms {
		t.forms = append(t.forms, f)
	}
}

func formOf(f clickai.HumanInputForm) waitingForm {
	w := waitingForm{id: f.FormID, title: f.NodeTitle, content: f.Content}
	for _, a := range f.Actions {
		w.actions = append(w.actions, a.Title)
	}
	// The token lets anyone answer: an address that holds it is not for everyone who reads the chat.
	if u, err := url.Parse(f.URL); err == nil && u.Host != "" && (u.Scheme == "https" || u.Scheme == "http") &&
		(f.FormToken == "" || !strings.Contains(f.URL, f.FormToken)) && !signed(u.Query()) {
		w.address = u.String()
	}
	return w
}

// formIDs name the forms, for the log.
func formIDs(forms []waitingForm) []string {
	ids := make([]string, 0, len(forms))
	for _, f := range forms {
		ids = append(ids, oneLine(f.id, maxStep))
	}
	return ids
}

// formsIn are the forms that a paused run names as its reasons.
func formsIn(raw json.RawMessage) []waitingForm {
	var reasons []json.RawMessage
	if json.Unmarshal(raw, &reasons) != nil {
		return nil
	}
	var forms []waitingForm
	for _, r := range reasons {
		var f clickai.HumanInputForm
		if json.Unmarshal(r, &f) == nil && (f.NodeTitle != "" || f.Content != "") {
			forms = append(forms, formOf(f))
		}
	}
	return forms
}

// field is where a form's text has an input.
var field = regexp.MustCompile(`\{\{#\$?[^{}#]*#\}\}`)

// text is the form as a quote.
func (f waitingForm) text() string {
	var parts []string
	if content := strings.TrimSpace(field.ReplaceAllString(f.content, "…")); content != "" {
		if len(content) > maxForm {
			content = clip(content, maxForm) + " …"
		}
		parts = append(parts, content)
	}
	var actions []string
	for _, a := range f.actions {
		if a = oneLine(a, maxTool); a != "" && len(actions) < maxTools {
			actions = append(actions, escaped(a))
		}
	}
	if len(actions) > 0 {
		parts = append(parts, "*"+strings.Join(actions, " · ")+"*")
	}
	if f.address != "" {
		parts = append(parts, "<"+f.address+">")
	}
	if len(parts) == 0 {
		return ""
	}
	return "> " + strings.ReplaceAll(strings.Join(parts, "\n\n"), "\n", "\n> ")
}

// pausedOutcome ends a turn whose run waits for a person.
func (t *translator) pausedOutcome() error {
	if !t.flush() {
		return errClosed
	}
	for _, f := range t.forms {
		text := f.text()
		if text == "" {
			continue
		}
		if t.shown {
			text = "\n\n" + text
		}
		if !t.append(text) || !t.flush() {
			return errClosed
		}
	}
	notices := []core.Notice{{Kind: core.NoticePaused}}
	for i, f := range t.forms {
		n := core.Notice{Kind: core.NoticePaused, Detail: cleanMessage(f.title)}
		if i == 0 {
			notices[0] = n
		} else {
			notices = append(notices, n)
		}
	}
	for _, n := range notices {
		if !t.emit(core.Delta{Kind: core.DeltaNotice, Notice: n}) {
			return errClosed
		}
	}
	if !t.files.drain(true, t.emit) {
		return errClosed
	}
	return nil
}
