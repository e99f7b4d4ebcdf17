package clickai

import (
	"net/http"
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

// request is a checked generation request.
type request struct {
	query     string
	user      string
	inputs    map[string]any
	files     []messageFile
	conv      string
	autoName  bool
	streaming bool
}

// chat is POST /v1/chat-messages.
func (s *Server) chat(c *call) error {
	return s.generate(c, func(body map[string]any, q *request) error {
		if err := chatOnly(c); err != nil {
			return err
		}
		query, ok := body["query"].(string)
		if !ok || strings.TrimSpace(query) == "" {
			return invalid("query", "The 'query' field is required")
		}
		q.query = query
		switch id := body["conversation_id"].(type) {
		case nil:
		case string:
			q.conv = id
		default:
			return invalid("conversation_id", "conversation_id must be a text")
		}
		q.autoName = true
		if v, has := body["auto_generate_name"]; has {
			on, ok := v.(bool)
			if !ok {
				return invalid("auto_generate_name", "auto_generate_name must be true or false")
			}
			q.autoName = on
		}
		if !q.streaming && c.app.Mode == ModeAgentChat && !c.app.AllowBlocking {
			return invalid("response_mode", "Agent Chat App does not support blocking mode")
		}
		return nil
	})
}

// completion is POST /v1/completion-messages.
func (s *Server) completion(c *call) error {
	return s.generate(c, func(_ map[string]any, q *request) error {
		if c.app.Mode != ModeCompletion {
			return refused("app_unavailable", "This route is for completion apps, and %s is a %s app.", c.app.Name, c.app.Mode)
		}
		q.query = inputText(q.inputs)
		return nil
	})
}

// workflow is POST /v1/workflows/run.
func (s *Server) workflow(c *call) error {
	return s.generate(c, func(_ map[string]any, q *request) error {
		if c.app.Mode != ModeWorkflow {
			return refused("not_workflow_app", "This route is for workflow apps, and %s is a %s app.", c.app.Name, c.app.Mode)
		}
		q.query = inputText(q.inputs)
		return nil
	})
}

// generate checks a request, then answers it from a script or by the agent.
func (s *Server) generate(c *call, own func(map[string]any, *request) error) error {
	body, err := c.body()
	if err != nil {
		return err
	}
	q, err := c.common(body)
	if err != nil {
		return err
	}
	if err := own(body, q); err != nil {
		return err
	}
	o := c.owner(q.user)
	var conv *conversation
	if q.conv != "" {
		if conv, err = c.find(q.user, q.conv); err != nil {
			return err
		}
		s.mu.Lock()
		completed := conv.completed
		s.mu.Unlock()
		if completed {
			return refused("conversation_completed", "The conversation has ended; start a new one.")
		}
	} else if err := checkInputs(c.app.App, q.inputs); err != nil {
		return err
	}
	if q.files, err = c.messageFiles(o, body, q.inputs); err != nil {
		return err
	}
	if err := s.enter(c.app); err != nil {
		return err
	}
	defer s.leave(c.app)

	r := &run{
		s: s, call: c, out: http.NewResponseController(c.w), app: c.app, owner: o, body: *q, conv: conv, stopped: make(chan struct{}),
		streaming: q.streaming, left: c.r.Context().Done(), created: time.Now(),
	}
	r.turn = s.newTurn(c, r)
	r.ask = s.askOf(r)
	s.mu.Lock()
	rec := *c.rec
	s.mu.Unlock()
	steps, ok := s.script(rec)
	if !ok {
		steps = []Step{BuiltIn()}
	}
	r.execute(steps)
	return nil
}

// common checks what all generation requests have.
func (c *call) common(body map[string]any) (*request, error) {
	user, err := userOf(body)
	if err != nil {
		return nil, err
	}
	q := &request{user: user}
	inputs, ok := body["inputs"].(map[string]any)
	if !ok {
		return nil, invalid("inputs", "The 'inputs' field is required and must be an object")
	}
	q.inputs = inputs
	switch body["response_mode"] {
	case "streaming":
		q.streaming = true
	case "blocking", nil:
	default:
		return nil, invalid("response_mode", "response_mode must be streaming or blocking")
	}
	return q, nil
}

// checkInputs checks the variables that an app declares.
func checkInputs(a App, inputs map[string]any) error {
	for _, in := range a.inputs() {
		v, has := inputs[in.Variable]
		text, isText := v.(string)
		if !has || v == nil || (isText && text == "") {
			if in.Required {
				e := invalid(in.Variable, "%s is required in input form", in.Variable)
				e.blame = "" // the app's own configuration
				return e
			}
			continue
		}
		switch in.Kind {
		case "number":
			if _, ok := v.(float64); !ok {
				return refused("invalid_param", "%s in input form must be a number", in.Variable)
			}
		case "checkbox":
			if _, ok := v.(bool); !ok {
				return refused("invalid_param", "%s in input form must be true or false", in.Variable)
			}
		case "file", "file-list":
		default:
			if !isText {
				return refused("invalid_param", "%s in input form must be a text", in.Variable)
			}
			if in.Kind == "select" && !slices.Contains(in.Options, text) {
				return refused("invalid_param", "%s in input form must be one of %s", in.Variable, strings.Join(in.Options, ", "))
			}
			if in.MaxLength > 0 && utf8.RuneCountInString(text) > in.MaxLength {
				return refused("invalid_param", "%s in input form must be at most %d characters", in.Variable, in.MaxLength)
			}
		}
	}
	return nil
}

func (s *Server) newTurn(c *call, r *run) *turn {
	t := &turn{t: Turn{
		Request: c.rec.ID, App: c.app.Name, Mode: c.app.Mode, Question: r.body.query, User: r.body.user,
		ConversationSent: r.body.conv, Inputs: r.body.inputs, Streaming: r.body.streaming, Status: StatusRunning,
		Started: time.Now(),
	}}
	s.mu.Lock()
	for _, f := range r.body.files {
		t.t.Files = append(t.t.Files, f.received())
	}
	s.turnSeq++
	t.t.ID = s.turnSeq
	s.turns.add(t, 0)
	s.mu.Unlock()
	s.notifier.Notify()
	return t
}

func (s *Server) askOf(r *run) Ask {
	a := Ask{
		App: r.app.Name, Mode: r.app.Mode, User: r.body.user, Question: r.body.query, Inputs: r.body.inputs, Turn: 1,
		At: r.call.rec.At,
	}
	r.turn.update(func(t *Turn) { a.Files = t.Files })
	inputs := r.body.inputs
	if r.conv != nil {
		s.mu.Lock()
		// What was sent now is ignored by the API once there is a conversation.
		a.Inputs, inputs = r.conv.inputs, r.conv.inputs
		a.Turn = len(r.conv.messages) + 1
		if n := len(r.conv.messages); n > 0 {
			a.Previous = r.conv.messages[n-1].query
		}
		s.mu.Unlock()
	}
	a.Language = language(a.Question, inputs)
	return a
}

// messageFiles checks the files that a request names, at the top or, in a workflow, inside inputs.
func (c *call) messageFiles(o owner, body, inputs map[string]any) ([]messageFile, error) {
	var entries []any
	if v, has := body["files"]; has && v != nil {
		list, ok := v.([]any)
		if !ok {
			return nil, invalid("files", "files must be an array")
		}
		entries = list
	}
	for _, v := range inputs {
		entries = append(entries, filesIn(v)...)
	}
	out := make([]messageFile, 0, len(entries))
	for _, v := range entries {
		f, err := c.messageFile(o, v)
		if err != nil {
			return nil, err
		}
		out = append(out, f)
	}
	if most := c.app.maxFiles(); len(out) > most {
		return nil, refused("invalid_param", "Number of files exceeds the maximum limit %d", most)
	}
	return out, nil
}

// filesIn finds file objects in the value of an input: one object, or an array of them.
func filesIn(v any) []any {
	switch v := v.(type) {
	case map[string]any:
		if _, ok := v["transfer_method"]; ok {
			return []any{v}
		}
	case []any:
		var out []any
		for _, e := range v {
			if m, ok := e.(map[string]any); ok && m["transfer_method"] != nil {
				out = append(out, m)
			}
		}
		return out
	}
	return nil
}

func (c *call) messageFile(o owner, v any) (messageFile, error) {
	m, ok := v.(map[string]any)
	if !ok {
		return messageFile{}, invalid("files", "each of files must be an object")
	}
	kind, _ := m["type"].(string)
	f := messageFile{id: c.s.opt.NewID("messagefile"), kind: FileType(kind)}
	if !slices.Contains([]FileType{Image, Document, Audio, Video, Custom}, f.kind) {
		return f, invalid("files", "type of a file must be document, image, audio, video or custom, not %q", kind)
	}
	f.transfer, _ = m["transfer_method"].(string)
	ext := ""
	switch f.transfer {
	case "local_file":
		id, _ := m["upload_file_id"].(string)
		c.s.mu.Lock()
		up, ok := c.s.fileByID[id]
		c.s.mu.Unlock()
		if !ok || up.tool || (owner{app: up.App, user: up.User}) != o {
			return f, invalid("files", "Invalid upload file")
		}
		f.file, f.name, ext = up, up.Name, up.Extension
		if f.kind != Custom && f.kind != up.Type {
			return f, invalid("files", "The type %s does not fit the file %s", f.kind, f.name)
		}
	case "remote_url":
		f.url, _ = m["url"].(string)
		if !strings.HasPrefix(f.url, "http://") && !strings.HasPrefix(f.url, "https://") {
			return f, invalid("files", "Invalid file url")
		}
		f.name = remoteName(f.url)
		ext = extension(f.name)
	default:
		return f, invalid("files", "transfer_method of a file must be local_file or remote_url, not %q", f.transfer)
	}
	allowed := len(c.app.FileTypes) == 0 || slices.Contains(c.app.FileTypes, f.kind)
	if f.kind == Custom && c.app.Extensions != nil {
		allowed = allowed && slices.ContainsFunc(c.app.Extensions, func(e string) bool { return strings.EqualFold(e, "."+ext) })
	}
	if !allowed {
		return f, refused("invalid_param", "File validation failed for file: %s", f.name)
	}
	return f, nil
}

// remoteName is the file name at the end of a URL.
func remoteName(raw string) string {
	path, _, _ := strings.Cut(raw, "?")
	return path[strings.LastIndexByte(path, '/')+1:]
}
