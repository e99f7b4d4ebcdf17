package clickai_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/clickai/bridge/internal/sim/clickai"
)

func TestRequestRules(t *testing.T) {
	opt := clickai.Options{Apps: append(clickai.DefaultApps(), clickai.App{
		Name: "form", Mode: clickai.ModeChat, Key: "app-form", RequiredInputs: []string{"name"}, Inputs: []clickai.Input{
			{Variable: "colour", Kind: "select", Options: []string{"red"}},
			{Variable: "short", MaxLength: 3},
			{Variable: "age", Kind: "number"},
		},
	})}
	chat, form := keyOf(clickai.ModeChat), "app-form"
	with := func(field string, v any) obj {
		b := chatBody("q", "", "u")
		if b[field] = v; v == nil {
			delete(b, field)
		}
		return b
	}
	inputs := func(in obj) obj { return with("inputs", in) }
	tests := []struct {
		name   string
		path   string
		key    string
		body   any
		status int
		code   string
		text   string // part of the message
		blame  bool
	}{
		{"no inputs", "/v1/chat-messages", chat, with("inputs", nil), 400, "invalid_param", "inputs", true},
		{"inputs null", "/v1/chat-messages", chat, `{"inputs":null,"query":"q","user":"u","response_mode":"streaming"}`, 400, "invalid_param", "inputs", true},
		{"inputs array", "/v1/chat-messages", chat, with("inputs", []any{}), 400, "invalid_param", "inputs", true},
		{"no query", "/v1/chat-messages", chat, with("query", nil), 400, "invalid_param", "'query' field is required", true},
		{"empty query", "/v1/chat-messages", chat, with("query", ""), 400, "invalid_param", "query", true},
		{"no user", "/v1/chat-messages", chat, with("user", nil), 400, "invalid_param", "user", true},
		{"empty user", "/v1/chat-messages", chat, with("user", ""), 400, "invalid_param", "user", true},
		{"wrong response mode", "/v1/chat-messages", chat, with("response_mode", "stream"), 400, "invalid_param", "response_mode", true},
		{"conversation id of a wrong type", "/v1/chat-messages", chat, with("conversation_id", 7), 400, "invalid_param", "conversation_id", true},
		{"unknown conversation", "/v1/chat-messages", chat, with("conversation_id", "gone"), 404, "not_found", "Conversation Not Exists.", false},
		{"not JSON", "/v1/chat-messages", chat, `{"query":`, 400, "bad_request", "", true},
		{"not an object", "/v1/chat-messages", chat, `[]`, 400, "bad_request", "", true},
		{"agent and blocking", "/v1/chat-messages", keyOf(clickai.ModeAgentChat), with("response_mode", "blocking"), 400, "invalid_param", "blocking mode", true},
		{"agent and the default mode", "/v1/chat-messages", keyOf(clickai.ModeAgentChat), with("response_mode", nil), 400, "invalid_param", "blocking mode", true},
		{"chat with a completion key", "/v1/chat-messages", keyOf(clickai.ModeCompletion), with("", nil), 400, "not_chat_app", "", false},
		{"chat with a workflow key", "/v1/chat-messages", keyOf(clickai.ModeWorkflow), with("", nil), 400, "not_chat_app", "", false},
		{"completion with a chat key", "/v1/completion-messages", chat, with("", nil), 400, "app_unavailable", "", false},
		{"workflow with a chat key", "/v1/workflows/run", chat, with("", nil), 400, "not_workflow_app", "", false},
		{"required input missing", "/v1/chat-messages", form, inputs(obj{}), 400, "invalid_param", "name is required in input form", false},
		{"wrong choice", "/v1/chat-messages", form, inputs(obj{"name": "n", "colour": "blue"}), 400, "invalid_param", "colour", false},
		{"too long", "/v1/chat-messages", form, inputs(obj{"name": "n", "short": "long"}), 400, "invalid_param", "short", false},
		{"not a number", "/v1/chat-messages", form, inputs(obj{"name": "n", "age": "9"}), 400, "invalid_param", "age", false},
		{"files not an array", "/v1/chat-messages", chat, with("files", obj{}), 400, "invalid_param", "files", true},
		{"file of no type", "/v1/chat-messages", chat, with("files", []any{obj{"transfer_method": "local_file"}}), 400, "invalid_param", "type", true},
		{"unknown file", "/v1/chat-messages", chat, with("files", []any{obj{"type": "image", "transfer_method": "local_file", "upload_file_id": "x"}}), 400, "invalid_param", "Invalid upload file", true},
		{"rating of a wrong word", "/v1/messages/m/feedbacks", chat, obj{"rating": "good", "user": "u"}, 400, "invalid_param", "rating", true},
		{"rating empty", "/v1/messages/m/feedbacks", chat, obj{"rating": "", "user": "u"}, 400, "invalid_param", "rating", true},
		{"rating of no message", "/v1/messages/m/feedbacks", chat, obj{"rating": "like", "user": "u"}, 404, "not_found", "Message Not Exists.", false},
		{"stop without user", "/v1/chat-messages/t/stop", chat, obj{}, 400, "invalid_param", "user", true},
		{"no such route", "/v1/chat-message", chat, obj{}, 404, "not_found", "", true},
	}
	c := start(t, opt)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			before := len(c.s.Violations())
			status, out, _ := c.do(http.MethodPost, tt.path, tt.key, tt.body)
			message, _ := out["message"].(string)
			if status != tt.status || out["code"] != tt.code || !strings.Contains(message, tt.text) {
				t.Errorf("%d %v", status, out)
			}
			if out["status"] != float64(tt.status) {
				t.Errorf("status in the body: %v", out["status"])
			}
			if blamed := len(c.s.Violations()) > before; blamed != tt.blame {
				t.Errorf("violation %v: %q", blamed, c.s.Violations()[before:])
			}
		})
	}
	if turns := c.s.Turns(); len(turns) != 0 {
		t.Errorf("%d refused requests became turns", len(turns))
	}
	t.Run("content type", func(t *testing.T) {
		req := c.request(http.MethodPost, "/v1/chat-messages", chat, chatBody("q", "", "u"))
		req.Header.Set("Content-Type", "text/plain")
		if status, out, _ := c.send(req); status != 415 || out["code"] != "unsupported_media_type" {
			t.Errorf("%d %v", status, out)
		}
	})
	t.Run("method", func(t *testing.T) {
		status, _, h := c.do(http.MethodGet, "/v1/chat-messages", chat, nil)
		if status != 405 || h.Get("Allow") != "POST" {
			t.Errorf("%d %v", status, h)
		}
	})
	t.Run("NUL is removed", func(t *testing.T) {
		c.ask(chat, "a\x00b", "", "u")
		if q := c.s.Turns()[0].Question; q != "ab" {
			t.Errorf("%q", q)
		}
	})
}

func TestAuthentication(t *testing.T) {
	c := start(t, clickai.Options{})
	key := keyOf(clickai.ModeChat)
	for _, tt := range []struct {
		name, header string
		status       int
		blame        bool
	}{
		{"none", "", 401, true},
		{"other scheme", "Basic abc", 401, true},
		{"bare key", key, 401, true},
		{"wrong key", "Bearer nope", 401, false},
		{"right", "Bearer " + key, 200, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			before := len(c.s.Violations())
			req := c.request(http.MethodGet, "/v1/info", "", nil)
			if tt.header != "" {
				req.Header.Set("Authorization", tt.header)
			}
			status, out, h := c.send(req)
			if status != tt.status || (status == 401 && (h.Get("WWW-Authenticate") != "Bearer" || out["code"] != "unauthorized")) {
				t.Errorf("%d %v %v", status, out, h)
			}
			if blamed := len(c.s.Violations()) > before; blamed != tt.blame {
				t.Errorf("violation: %v", blamed)
			}
		})
	}
	for _, r := range c.s.Requests() {
		if strings.Contains(r.Header.Get("Authorization"), key) {
			t.Errorf("request %d shows the key", r.ID)
		}
	}
	c.s.Forbid("support", true)
	if status, out, _ := c.do(http.MethodGet, "/v1/info", key, nil); status != 403 || out["code"] != "forbidden" {
		t.Errorf("forbidden: %d %v", status, out)
	}
	c.s.Forbid("support", false)
	c.s.SetKey("support", "app-new")
	if status, _, _ := c.do(http.MethodGet, "/v1/info", key, nil); status != 401 {
		t.Errorf("old key: %d", status)
	}
	if status, _, _ := c.do(http.MethodGet, "/v1/info", "app-new", nil); status != 200 {
		t.Errorf("new key: %d", status)
	}
	if c.s.Forbid("nobody", true) || c.s.SetKey("nobody", "k") {
		t.Error("an unknown app was changed")
	}
}

func TestNewRefuses(t *testing.T) {
	app := clickai.App{Name: "a", Mode: clickai.ModeChat, Key: "k"}
	for _, tt := range []struct {
		name string
		opt  clickai.Options
	}{
		{"no key", clickai.Options{Apps: []clickai.App{{Name: "a", Mode: clickai.ModeChat}}}},
		{"unknown mode", clickai.Options{Apps: []clickai.App{{Name: "a", Mode: "talk", Key: "k"}}}},
		{"two of a name", clickai.Options{Apps: []clickai.App{app, {Name: "a", Mode: clickai.ModeChat, Key: "l"}}}},
		{"two of a key", clickai.Options{Apps: []clickai.App{app, {Name: "b", Mode: clickai.ModeChat, Key: "k"}}}},
		{"bad address", clickai.Options{Listen: "127.0.0.1:99999"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if s, err := clickai.New(tt.opt); err == nil {
				_ = s.Close()
				t.Error("no error")
			}
		})
	}
}
