package slack

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"maps"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/clickai/bridge/internal/sim"
)

// maxRequest bounds the body of one Web API request, in bytes.
const maxRequest = 4 << 20

// apiError is an answer with "ok": false.
type apiError struct {
	code      string
	extra     object
	messages  []string
	violation bool // the documentation says not to
	detail    string
}

func refuse(code string) *apiError { return &apiError{code: code} }

// broken marks a refusal that the app should have known to avoid.
func (e *apiError) broken() *apiError { e.violation = true; return e }

// say adds response_metadata.messages.
func (e *apiError) say(messages ...string) *apiError { e.messages = messages; return e }

// because adds what Violations says about it.
func (e *apiError) because(detail string) *apiError { e.detail = detail; return e }

// call is one Web API request.
type call struct {
	s      *Server
	method string
	form   url.Values
	json   map[string]json.RawMessage
	now    time.Time
}

// has tells whether the argument is there at all.
func (c *call) has(name string) bool {
	if c.json != nil {
		raw, ok := c.json[name]
		return ok && string(raw) != "null"
	}
	return c.form.Has(name)
}

// str is an argument as text; an object or list in a JSON body as its JSON.
func (c *call) str(name string) string {
	if c.json == nil {
		return c.form.Get(name)
	}
	raw := c.json[name]
	var s string
	if json.Unmarshal(raw, &s) == nil {
		return s
	}
	return string(raw)
}

func (c *call) bool(name string) bool {
	v := strings.ToLower(c.str(name))
	return v == "true" || v == "1"
}

// int is a number, or d if the argument is missing or none.
func (c *call) int(name string, d int) int {
	if n, err := strconv.Atoi(c.str(name)); err == nil {
		return n
	}
	return d
}

// list is an argument that is a JSON array, or text with commas.
func (c *call) list(name string) []string {
	v := strings.TrimSpace(c.str(name))
	var out []string
	if strings.HasPrefix(v, "[") && json.Unmarshal([]byte(v), &out) == nil {
		return out
	}
	return strings.FieldsFunc(v, func(r rune) bool { return r == ',' })
}

// serveAPI answers https://slack.com/api/METHOD.
// Source: https://docs.slack.dev/apis/web-api
func (s *Server) serveAPI(w http.ResponseWriter, r *http.Request) {
	began := time.Now()
	name := r.PathValue("method")
	m, known := methods[name]
	if !known {
		s.mu.Lock()
		s.violateLocked("%s: unknown method", name)
		s.mu.Unlock()
		s.answer(w, name, "", nil, &apiError{code: "unknown_method", extra: object{"req_method": name}})
		return
	}
	c, token, fail := s.read(w, r, name)
	if fail == nil {
		fail = s.authorize(m, token, r)
	}
	if fail != nil {
		s.mu.Lock()
		s.noteLocked(name, fail)
		s.mu.Unlock()
		s.answer(w, name, token, nil, fail)
		return
	}
	s.mu.Lock()
	if wait, ok := s.takeLocked(c.now, m.demands(c)...); !ok {
		s.violateLocked("%s %s: over the rate limit, 429 for %d s", name, c.str("channel"), retryAfter(wait))
		s.opt.Observe.Tell(sim.Limited, sim.Ref{}, c.now, "")
		s.mu.Unlock()
		w.Header().Set("Retry-After", strconv.Itoa(retryAfter(wait)))
		w.Header().Set("Content-Type", "application/json; charset=utf-8")
		w.WriteHeader(http.StatusTooManyRequests)
		_, _ = w.Write([]byte(`{"ok":false,"error":"ratelimited"}`))
		return
	}
	out, fail := m.run(c)
	if fail != nil {
		s.noteLocked(name, fail)
	} else if m.writes {
		s.changed.Notify()
	}
	s.mu.Unlock()
	s.answer(w, name, token, out, fail)
	code := ""
	if fail != nil {
		code = fail.code
	}
	s.log.Debug("slack stand-in answered", slog.String("method", name), slog.String("error", code),
		slog.Int64("elapsed_us", time.Since(began).Microseconds()))
}

func (s *Server) noteLocked(method string, fail *apiError) {
	if !fail.violation {
		return
	}
	note := method + ": " + fail.code
	if detail := strings.Join(append(slices.Clone(fail.messages), fail.detail), " "); detail != "" {
		note += " " + strings.TrimSpace(detail)
	}
	s.violateLocked("%s", note)
}

// read takes the arguments out of a request, and the token.
func (s *Server) read(w http.ResponseWriter, r *http.Request, method string) (*call, string, *apiError) {
	c := &call{s: s, method: method, now: time.Now()}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxRequest))
	if err != nil {
		if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
			return nil, "", refuse("request_too_large").broken()
		}
		return nil, "", refuse("request_timeout")
	}
	token, bearer := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	switch {
	case r.Method == http.MethodGet:
		c.form = r.URL.Query()
	case r.Method != http.MethodPost:
		return nil, "", refuse("invalid_post_type").broken()
	case err == nil && kind == "application/json":
		if !json.Valid(body) && len(body) > 0 {
			return nil, "", refuse("invalid_json").broken()
		}
		if body = bytes.TrimSpace(body); len(body) == 0 || string(body) == "null" {
			body = []byte("{}")
		}
		if err := json.Unmarshal(body, &c.json); err != nil {
			return nil, "", refuse("json_not_object").broken()
		}
		return c, token, nil // a token in a JSON body does not count
	case err == nil && kind == "multipart/form-data":
		r.Body = io.NopCloser(bytes.NewReader(body))
		if err := r.ParseMultipartForm(maxRequest); err != nil {
			return nil, "", refuse("invalid_form_data").broken()
		}
		c.form = url.Values(r.MultipartForm.Value)
	case err == nil && kind == "application/x-www-form-urlencoded":
		if c.form, err = url.ParseQuery(string(body)); err != nil {
			return nil, "", refuse("invalid_form_data").broken()
		}
	case len(body) == 0:
		c.form = url.Values{}
	case r.Header.Get("Content-Type") == "":
		return nil, "", refuse("missing_post_type").broken()
	default:
		return nil, "", refuse("invalid_post_type").broken()
	}
	if !bearer {
		token = c.form.Get("token")
	}
	c.form.Del("token")
	return c, token, nil
}

// authorize checks the token and its scopes.
func (s *Server) authorize(m method, token string, r *http.Request) *apiError {
	switch {
	case token == "":
		return refuse("not_authed")
	case token != s.opt.BotToken && token != s.opt.AppToken:
		return refuse("invalid_auth")
	case m.app && token != s.opt.AppToken, !m.app && !m.anyToken && token != s.opt.BotToken:
		return refuse("not_allowed_token_type")
	case m.app && !strings.HasPrefix(r.Header.Get("Authorization"), "Bearer "):
		// "passing it as a POST parameter will result in an error":
		// https://docs.slack.dev/reference/methods/apps.connections.open
		return refuse("not_authed").broken()
	}
	have := s.opt.Scopes
	if m.app {
		have = s.opt.AppScopes
	}
	if len(m.scopes) == 0 || slices.ContainsFunc(m.scopes, func(sc string) bool { return slices.Contains(have, sc) }) {
		return nil
	}
	return missingScope(m.scopes, have)
}

func missingScope(needed, have []string) *apiError {
	return &apiError{code: "missing_scope", extra: object{
		"needed": strings.Join(needed, ","), "provided": strings.Join(have, ","),
	}}
}

// answer writes what the Web API answers: always 200, with the token's scopes in headers if it is a known one.
func (s *Server) answer(w http.ResponseWriter, name, token string, out object, fail *apiError) {
	h := w.Header()
	h.Set("Content-Type", "application/json; charset=utf-8")
	if have := map[string][]string{s.opt.BotToken: s.opt.Scopes, s.opt.AppToken: s.opt.AppScopes}[token]; have != nil {
		h.Set("x-oauth-scopes", strings.Join(have, ","))
		h.Set("x-accepted-oauth-scopes", strings.Join(methods[name].scopes, ","))
	}
	if fail != nil {
		out = object{"ok": false, "error": fail.code}
		maps.Copy(out, fail.extra)
		if len(fail.messages) > 0 {
			out["response_metadata"] = object{"messages": fail.messages}
		}
	} else {
		if out == nil {
			out = object{}
		}
		out["ok"] = true
	}
	_, _ = w.Write(plainJSON(out))
}
