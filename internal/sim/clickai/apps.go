package clickai

import (
	"math"
	"net/http"
)

// assistants is GET /assistant/api/assistant/my-assistants.
func (s *Server) assistants(c *call) error {
	token, e := c.bearer()
	if e != nil {
		return e
	}
	if token != s.opt.AccessToken {
		return unauthorized("The access token is not valid.", "")
	}
	if c.r.Header.Get("Accept") != "application/json" {
		s.violate(c.r.Method, c.r.URL.Path, "the header accept: application/json is missing")
	}
	page, err := c.number("page", 1, 1, math.MaxInt32)
	if err != nil {
		return err
	}
	size, err := c.number("page_size", 10, 1, 100)
	if err != nil {
		return err
	}
	q := c.r.URL.Query()
	if ws := q.Get("workspace_id"); ws != "" && s.opt.Workspace != "" && ws != s.opt.Workspace {
		return &apiError{status: http.StatusForbidden, code: "forbidden", message: "This workspace is not yours."}
	}
	type entry struct {
		ID          string `json:"id"`
		Name        string `json:"name"`
		Mode        Mode   `json:"mode"`
		Description string `json:"description"`
		CreatedAt   int64  `json:"created_at"`
	}
	all := []entry{}
	mode := Mode(q.Get("mode"))
	add := func(e entry) {
		if mode == "" || mode == e.Mode {
			all = append(all, e)
		}
	}
	s.mu.Lock()
	for _, a := range s.apps {
		add(entry{a.id, a.Name, a.Mode, a.Description, a.created.Unix()})
	}
	s.mu.Unlock()
	for _, a := range s.opt.Assistants {
		add(entry{a.ID, a.Name, a.Mode, a.Description, a.CreatedAt.Unix()})
	}
	total := len(all)
	// page*size can pass an int32 but not an int64, so the comparison is safe.
	from := min(int64(page-1)*int64(size), int64(total))
	to := min(from+int64(size), int64(total))
	writeJSON(c.w, http.StatusOK, map[string]any{"page": page, "page_size": size, "total": total, "data": all[from:to]})
	return nil
}

// info is GET /v1/info.
func (s *Server) info(c *call) error {
	writeJSON(c.w, http.StatusOK, map[string]any{
		"name": c.app.Name, "description": c.app.Description, "tags": []string{}, "mode": c.app.Mode, "author_name": "ClickAI",
	})
	return nil
}

// parameters is GET /v1/parameters.
func (s *Server) parameters(c *call) error {
	form := []any{}
	for _, in := range c.app.inputs() {
		kind, label := in.Kind, in.Label
		if kind == "" {
			kind = "text-input"
		}
		if label == "" {
			label = in.Variable
		}
		field := map[string]any{"label": label, "variable": in.Variable, "required": in.Required, "default": in.Default}
		if in.Options != nil {
			field["options"] = in.Options
		}
		if in.MaxLength > 0 {
			field["max_length"] = in.MaxLength
		}
		form = append(form, map[string]any{kind: field})
	}
	on := func(v bool) map[string]any { return map[string]any{"enabled": v} }
	types := c.app.FileTypes
	if len(types) == 0 {
		types = []FileType{Image, Document, Audio, Video, Custom}
	}
	mb := func(t FileType) int64 { return s.opt.FileLimits[t] >> 20 }
	opening, questions := c.app.Opening, c.app.Questions
	if questions == nil {
		questions = []string{}
	}
	extensions := c.app.Extensions
	if extensions == nil {
		extensions = []string{}
	}
	methods := []string{"local_file", "remote_url"}
	writeJSON(c.w, http.StatusOK, map[string]any{
		"opening_statement": opening, "suggested_questions": questions,
		"suggested_questions_after_answer": on(c.app.Mode.conversational() && !c.app.NoSuggested),
		"speech_to_text":                   on(false),
		"text_to_speech":                   map[string]any{"enabled": true, "voice": "demo", "language": "en-US", "autoPlay": "disabled"},
		"retriever_resource":               on(true), "annotation_reply": on(false), "more_like_this": on(false),
		"sensitive_word_avoidance": on(false),
		"user_input_form":          form,
		"file_upload": map[string]any{
			"enabled": true, "allowed_file_types": types, "allowed_file_extensions": extensions,
			"allowed_file_upload_methods": methods, "number_limits": c.app.maxFiles(),
			"image": map[string]any{
				"enabled": true, "number_limits": c.app.maxFiles(), "detail": "high", "transfer_methods": methods,
			},
		},
		"system_parameters": map[string]any{
			"file_size_limit": mb(Document), "image_file_size_limit": mb(Image), "audio_file_size_limit": mb(Audio),
			"video_file_size_limit": mb(Video), "workflow_file_upload_limit": c.app.maxFiles(),
		},
	})
	return nil
}

// meta is GET /v1/meta.
func (s *Server) meta(c *call) error {
	writeJSON(c.w, http.StatusOK, map[string]any{
		"tool_icons": map[string]any{toolName: map[string]string{"background": "#252525", "content": "🔎"}},
	})
	return nil
}

// site is GET /v1/site.
func (s *Server) site(c *call) error {
	writeJSON(c.w, http.StatusOK, map[string]any{
		"title": c.app.Name, "description": c.app.Description, "default_language": "en-US", "chat_color_theme": nil,
		"chat_color_theme_inverted": false, "icon_type": "emoji", "icon": "🤖", "icon_background": "#FFEAD5",
		"icon_url": nil, "copyright": nil, "privacy_policy": nil, "custom_disclaimer": "", "show_workflow_steps": true,
		"use_icon_as_answer_icon": false,
	})
	return nil
}
