package clickai

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// call is one request on its way through a route.
type call struct {
	s   *Server
	w   http.ResponseWriter
	r   *http.Request
	rec *Request
	app *app // nil on routes without a key
}

// route is one endpoint. guide marks the ones that ClickAI's own guide names.
type route struct {
	pattern string
	guide   bool
	open    bool // without a key
	serve   func(*call) error
}

func (s *Server) routes() http.Handler {
	list := []route{
		{pattern: "GET /assistant/api/assistant/my-assistants", guide: true, open: true, serve: s.assistants},
		{pattern: "POST /v1/chat-messages", guide: true, serve: s.chat},
		{pattern: "POST /v1/completion-messages", guide: true, serve: s.completion},
		{pattern: "POST /v1/workflows/run", guide: true, serve: s.workflow},
		{pattern: "POST /v1/files/upload", guide: true, serve: s.upload},
		{pattern: "POST /v1/messages/{message_id}/feedbacks", guide: true, serve: s.feedback},
		{pattern: "GET /v1/conversations", guide: true, serve: s.listConversations},
		{pattern: "GET /v1/messages", guide: true, serve: s.listMessages},
		{pattern: "POST /v1/conversations/{conversation_id}/name", guide: true, serve: s.rename},
		{pattern: "DELETE /v1/conversations/{conversation_id}", guide: true, serve: s.deleteConversation},

		{pattern: "POST /v1/chat-messages/{task_id}/stop", serve: s.stop},
		{pattern: "POST /v1/completion-messages/{task_id}/stop", serve: s.stop},
		{pattern: "POST /v1/workflows/tasks/{task_id}/stop", serve: s.stop},
		{pattern: "GET /v1/workflows/run/{workflow_run_id}", serve: s.workflowRun},
		{pattern: "GET /v1/messages/{message_id}/suggested", serve: s.suggested},
		{pattern: "GET /v1/files/{file_id}/preview", serve: s.preview},
		{pattern: "GET /v1/parameters", serve: s.parameters},
		{pattern: "GET /v1/info", serve: s.info},
		{pattern: "GET /v1/meta", serve: s.meta},
		{pattern: "GET /v1/site", serve: s.site},
		// Files that an answer brought are not part of the API: their URL is all that opens them.
		{pattern: "GET /files/tools/{name}", guide: true, open: true, serve: s.toolFile},
	}
	mux := http.NewServeMux()
	for _, rt := range list {
		if s.opt.GuideOnly && !rt.guide {
			continue
		}
		mux.Handle(rt.pattern, s.handle(rt))
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, pattern := mux.Handler(r)
		missing := slices.ContainsFunc(s.opt.Missing, func(part string) bool {
			return strings.Contains(r.Method+" "+r.URL.Path, part)
		})
		if pattern == "" || missing {
			s.noRoute(w, r, mux, missing)
			return
		}
		mux.ServeHTTP(w, r)
	})
}

// noRoute answers a request that no route takes. Which of the API's optional routes a server has cannot be known
// beforehand, so asking for one is no violation.
func (s *Server) noRoute(w http.ResponseWriter, r *http.Request, mux *http.ServeMux, missing bool) {
	probe := &statusProbe{header: http.Header{}}
	if !missing {
		mux.ServeHTTP(probe, r)
	}
	if !missing && !s.opt.GuideOnly {
		s.violate(r.Method, r.URL.Path, "there is no such route")
	}
	if probe.status == http.StatusMethodNotAllowed {
		e := &apiError{status: http.StatusMethodNotAllowed, code: "method_not_allowed", message: "Method Not Allowed"}
		e.header = http.Header{"Allow": probe.header["Allow"]}
		e.write(w)
		return
	}
	notFound("There is no " + r.URL.Path + " on this server.").write(w)
}

// statusProbe learns what the multiplexer would answer.
type statusProbe struct {
	header http.Header
	status int
}

// Header implements http.ResponseWriter.
func (p *statusProbe) Header() http.Header { return p.header }

// Write implements http.ResponseWriter.
func (p *statusProbe) Write(b []byte) (int, error) { return len(b), nil }

// WriteHeader implements http.ResponseWriter.
func (p *statusProbe) WriteHeader(status int) { p.status = status }

func (s *Server) handle(rt route) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		rec, _ := r.Context().Value(recordKey{}).(*Request)
		c := &call{s: s, w: w, r: r, rec: rec}
		err := error(nil)
		if !rt.open {
			err = c.authenticate()
		}
		if err == nil {
			err = rt.serve(c)
		}
		if err == nil {
			return
		}
		e, ok := errors.AsType[*apiError](err)
		if !ok {
			e = &apiError{status: http.StatusInternalServerError, code: "internal_server_error", message: "Internal Server Error"}
		}
		if e.blame != "" {
			s.violate(r.Method, r.URL.Path, "%s", e.blame)
		}
		e.write(w)
	})
}

// bearer is the secret of the Authorization header.
func (c *call) bearer() (string, *apiError) {
	h := c.r.Header.Get("Authorization")
	scheme, secret, ok := strings.Cut(h, " ")
	if !ok || !strings.EqualFold(scheme, "Bearer") || strings.TrimSpace(secret) == "" {
		const msg = "An Authorization header of the form 'Bearer {key}' is needed."
		return "", unauthorized(msg, "no Authorization header of the form Bearer {key}")
	}
	return strings.TrimSpace(secret), nil
}

func (c *call) authenticate() error {
	key, e := c.bearer()
	if e != nil {
		return e
	}
	s := c.s
	s.mu.Lock()
	defer s.mu.Unlock()
	i := slices.IndexFunc(s.apps, func(a *app) bool { return a.Key == key })
	if i < 0 {
		return unauthorized("The key is not valid.", "")
	}
	c.app = s.apps[i]
	if c.rec != nil {
		c.rec.App = c.app.Name
	}
	if c.app.forbidden {
		return &apiError{status: http.StatusForbidden, code: "forbidden", message: "The app's API is switched off."}
	}
	if e := c.app.meter.take(time.Now(), s.opt.RetryAfter); e != nil {
		return e
	}
	return nil
}

// body decodes the JSON object that the request must carry.
func (c *call) body() (map[string]any, error) {
	media, _, err := mime.ParseMediaType(c.r.Header.Get("Content-Type"))
	if err != nil || media != "application/json" {
		const msg = "The body must be JSON with Content-Type application/json."
		return nil, &apiError{
			status: http.StatusUnsupportedMediaType, code: "unsupported_media_type", message: msg,
			blame: "Content-Type is not application/json",
		}
	}
	raw, err := io.ReadAll(c.r.Body)
	if err != nil {
		return nil, &apiError{status: http.StatusBadRequest, code: "bad_request", message: "The body could not be read."}
	}
	var v any
	dec := json.NewDecoder(bytes.NewReader(raw))
	if err := dec.Decode(&v); err != nil || dec.More() {
		e := refused("bad_request", "The body is not JSON.")
		e.blame = "the body is not JSON"
		return nil, e
	}
	m, ok := v.(map[string]any)
	if !ok {
		e := refused("bad_request", "The body is not a JSON object.")
		e.blame = "the body is not a JSON object"
		return nil, e
	}
	withoutNUL(m)
	return m, nil
}

// userOf is the user that a JSON body must name.
func userOf(body map[string]any) (string, error) {
	u, ok := body["user"].(string)
	if !ok || u == "" {
		return "", invalid("user", "The 'user' field is required")
	}
	return u, nil
}

// queryUser is the user of a GET. Without one the API falls back to a user shared by all who don't say: nothing of
// anybody else is found for it.
func (c *call) queryUser() string {
	u := c.r.URL.Query().Get("user")
	if u == "" {
		c.s.violate(c.r.Method, c.r.URL.Path, "user is missing")
	}
	return u
}

// number reads an integer query parameter within bounds.
func (c *call) number(name string, def, least, most int) (int, error) {
	q := c.r.URL.Query()
	if !q.Has(name) {
		return def, nil
	}
	n, err := strconv.Atoi(q.Get(name))
	if err != nil || n < least || n > most {
		return 0, invalid(name, "%s must be a number from %d to %d", name, least, most)
	}
	return n, nil
}

func (c *call) owner(user string) owner { return owner{app: c.app.Name, user: user} }

func success(c *call) error {
	writeJSON(c.w, http.StatusOK, map[string]string{"result": "success"})
	return nil
}
