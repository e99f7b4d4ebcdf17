package clickai

import (
	"net/http"
	"strconv"
	"time"
)

// flow is the lasting record of a workflow run, guarded by Server.mu.
type flow struct {
	id       string
	workflow string
	owner    owner
	status   string
	inputs   string // JSON
	outputs  map[string]any
	err      string
	steps    int
	tokens   int
	files    []messageFile
	created  time.Time
	finished time.Time
}

// node is a workflow's node that runs now.
type node struct {
	id, kind, title string
	index           int
	started         time.Time
}

func (r *run) openNode(kind, title string) {
	if r.flow == nil {
		return
	}
	r.closeNode("succeeded")
	r.steps++
	r.node = &node{
		id: kind + "-" + strconv.Itoa(r.steps), kind: kind, title: title, index: r.steps, started: time.Now(),
	}
	r.event("node_started", map[string]any{"data": r.node.fields()})
}

func (n *node) fields() map[string]any {
	return map[string]any{
		"id": "exec-" + n.id, "node_id": n.id, "node_type": n.kind, "title": n.title, "index": n.index,
		"predecessor_node_id": nil, "inputs": nil, "created_at": n.started.Unix(), "extras": map[string]any{},
	}
}

func (r *run) closeNode(status string) {
	n := r.node
	if n == nil {
		return
	}
	r.node = nil
	if status != "succeeded" {
		r.exceptions++
	}
	f := n.fields()
	f["process_data"], f["outputs"], f["status"], f["error"] = nil, map[string]any{}, status, nil
	if status != "succeeded" {
		f["error"] = "the node failed"
	}
	f["elapsed_time"], f["execution_metadata"] = time.Since(n.started).Seconds(), map[string]any{}
	f["finished_at"], f["files"] = time.Now().Unix(), []any{}
	r.event("node_finished", map[string]any{"data": f})
}

// endFlow closes the run's record.
func (r *run) endFlow(status, errText string) {
	if r.flow == nil {
		return
	}
	outputs := map[string]any{}
	if r.outputs != nil && (status == "succeeded" || status == "partial-succeeded") {
		outputs = r.outputs
	} else if status == "succeeded" {
		name := r.app.output()
		if r.app.Mode != ModeWorkflow {
			name = "answer"
		}
		outputs[name] = r.fullAnswer()
		if len(r.made) > 0 {
			files := []any{}
			for _, f := range r.made {
				files = append(files, r.s.flowFileJSON(f))
			}
			outputs["files"] = files
		}
	}
	tokens, _ := r.usage()["total_tokens"].(int)
	r.s.mu.Lock()
	defer r.s.mu.Unlock()
	r.flow.status, r.flow.err, r.flow.outputs, r.flow.finished = status, errText, outputs, time.Now()
	r.flow.steps, r.flow.tokens, r.flow.files = r.steps, tokens, r.made
}

// flowData is the data of workflow_finished.
func (r *run) flowData() map[string]any {
	files := []any{}
	for _, f := range r.made {
		files = append(files, r.s.flowFileJSON(f))
	}
	r.s.mu.Lock()
	defer r.s.mu.Unlock()
	f := r.flow
	d := f.fields()
	delete(d, "inputs")
	d["created_by"] = map[string]any{"id": r.s.endUser(f.owner), "user": f.owner.user}
	d["exceptions_count"], d["files"] = r.exceptions, files
	return d
}

// fields are those that the terminal event and the record share. The caller holds mu.
func (f *flow) fields() map[string]any {
	var errText, outputs any
	if f.err != "" {
		errText = f.err
	}
	if len(f.outputs) > 0 {
		outputs = f.outputs
	}
	d := map[string]any{
		"id": f.id, "workflow_id": f.workflow, "status": f.status, "inputs": f.inputs, "outputs": outputs, "error": errText,
		"total_steps": f.steps, "total_tokens": f.tokens, "created_at": f.created.Unix(), "finished_at": nil,
		"elapsed_time": time.Since(f.created).Seconds(),
	}
	if !f.finished.IsZero() {
		d["finished_at"], d["elapsed_time"] = f.finished.Unix(), f.finished.Sub(f.created).Seconds()
	}
	return d
}

// workflowRun is GET /v1/workflows/run/{workflow_run_id}.
func (s *Server) workflowRun(c *call) error {
	if !c.app.Mode.flow() {
		return refused("not_workflow_app", "This route is for workflow apps, and %s is a %s app.", c.app.Name, c.app.Mode)
	}
	s.mu.Lock()
	f, ok := s.flows[c.r.PathValue("workflow_run_id")]
	if !ok || f.owner.app != c.app.Name {
		s.mu.Unlock()
		return notFound("Workflow Run Not Exists.")
	}
	d := f.fields()
	s.mu.Unlock()
	writeJSON(c.w, http.StatusOK, d)
	return nil
}

// stop is the three stop routes. A task that isn't there, or is another user's, is left alone without an error.
func (s *Server) stop(c *call) error {
	body, err := c.body()
	if err != nil {
		return err
	}
	user, err := userOf(body)
	if err != nil {
		return err
	}
	s.mu.Lock()
	r, ok := s.tasks[c.r.PathValue("task_id")]
	s.mu.Unlock()
	// Workflow tasks are stopped whoever asks.
	if ok && r.owner.app == c.app.Name && (r.owner.user == user || r.app.Mode == ModeWorkflow) {
		r.stop()
	} else if ok {
		s.violate(c.r.Method, c.r.URL.Path, "the task belongs to another user or app")
	}
	return success(c)
}
