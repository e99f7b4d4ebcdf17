package discord

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"mime"
	"mime/multipart"
	"net/http"
	"net/url"
	"strings"
)

// route is one endpoint of the REST API.
type route struct {
	method      string
	parts       []string // "{x}" takes one segment
	limit       limit
	major       string // name of the parameter whose value separates the buckets; "" for none
	open        bool   // needs no token
	interaction bool   // answers interactions: no token, no global limit
	handle      func(*call) (int, any, error)
}

// call is one request on its way through a handler. Handlers run with the server's lock held.
type call struct {
	s      *Server
	r      *http.Request
	params map[string]string
	query  url.Values
	body   []byte // JSON, or payload_json of a multipart body
	files  []upload
}

type upload struct {
	field, name, contentType string
	data                     []byte
}

func (c *call) param(name string) string { return c.params[name] }

func (e *apiError) Error() string { return e.String() }

var noContent = struct{}{}

func (s *Server) serve(w http.ResponseWriter, r *http.Request) {
	path := r.URL.EscapedPath()
	switch {
	case strings.HasPrefix(path, "/api/"):
		s.serveAPI(w, r, strings.TrimPrefix(path, "/api/"))
	case path == "/gateway" || path == "/gateway/" || path == "/resume" || path == "/resume/":
		s.serveGateway(w, r)
	case strings.HasPrefix(path, "/attachments/"):
		s.serveAttachment(w, r)
	default:
		s.refuse(w, r, errNotFound)
	}
}

func (s *Server) serveAPI(w http.ResponseWriter, r *http.Request, path string) {
	version, rest, _ := strings.Cut(path, "/")
	if version != "v9" && version != "v10" {
		if strings.HasPrefix(version, "v") {
			s.refuse(w, r, errVersion)
		} else {
			s.refuse(w, r, errNotFound)
		}
		return
	}
	rt, params, err := match(r.Method, rest)
	if err != nil {
		s.refuse(w, r, err)
		return
	}
	s.checkAgent(r)
	if !rt.open && !rt.interaction && !s.authorized(r) {
		s.refuse(w, r, errUnauthorized)
		return
	}
	if !s.tryLimits(w, r, rt, params[rt.major]) {
		_, _ = io.Copy(io.Discard, io.LimitReader(r.Body, s.opt.MaxRequest))
		return
	}
	c := &call{s: s, r: r, params: params, query: r.URL.Query()}
	if err := c.read(w); err != nil {
		s.refuse(w, r, err)
		return
	}
	s.run(w, rt, c)
}

func (s *Server) run(w http.ResponseWriter, rt *route, c *call) {
	s.mu.Lock()
	status, out, err := rt.handle(c)
	if limit, ok := errors.AsType[*rateLimitError](err); ok {
		limit.u.headers(w.Header())
		s.refuse429(w, c.r, limit.u, limit.scope, limit.code)
		s.mu.Unlock()
		return
	}
	s.mu.Unlock()
	if err != nil {
		api, ok := errors.AsType[*apiError](err)
		if !ok {
			s.log.Error("handler failed", slog.String("path", c.r.URL.Path), slog.Any("err", err))
			http.Error(w, `{"message": "500: Internal Server Error", "code": 0}`, http.StatusInternalServerError)
			return
		}
		s.refuse(w, c.r, api)
		return
	}
	if out == noContent {
		w.WriteHeader(http.StatusNoContent)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(mustJSON(out))
}

// refuse answers with an error, and records it when the bot is to blame for it.
func (s *Server) refuse(w http.ResponseWriter, r *http.Request, e *apiError) {
	if e.fault {
		s.mu.Lock()
		s.violate("%s %s: %s", r.Method, r.URL.Path, e)
		s.mu.Unlock()
	}
	s.log.Debug("refused", slog.String("method", r.Method), slog.String("path", r.URL.Path), slog.Int("code", e.code))
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(e.status)
	_, _ = w.Write(e.body())
}

// maxDenied requests with a wrong token are taken for a start; a client must stop after the first.
// Source: https://docs.discord.com/developers/topics/rate-limits#invalid-request-limit-aka-cloudflare-bans
const maxDenied = 10

func (s *Server) authorized(r *http.Request) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if r.Header.Get("Authorization") == "Bot "+s.token {
		s.denied = 0
		return true
	}
	s.denied++
	if s.denied == maxDenied {
		s.violate("%d requests in a row with an invalid token", s.denied)
	}
	return false
}

// checkAgent: https://docs.discord.com/developers/reference#user-agent
func (s *Server) checkAgent(r *http.Request) {
	agent := r.Header.Get("User-Agent")
	if strings.HasPrefix(agent, "DiscordBot (") {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.badAgent {
		s.badAgent = true
		s.violate("User-Agent %q is not of the form DiscordBot ($url, $versionNumber)", agent)
	}
}

// match finds the route of an escaped path.
func match(method, path string) (*route, map[string]string, *apiError) {
	segments := strings.Split(strings.TrimSuffix(path, "/"), "/")
	known := false
	all := routes()
	for i := range all {
		rt := &all[i]
		params, ok := matchParts(rt.parts, segments)
		if !ok {
			continue
		}
		known = true
		if rt.method == method {
			return rt, params, nil
		}
	}
	if known {
		return nil, nil, errMethod
	}
	return nil, nil, errNotFound
}

func matchParts(parts, segments []string) (map[string]string, bool) {
	if len(parts) != len(segments) {
		return nil, false
	}
	for i, p := range parts {
		if p[0] != '{' && p != segments[i] {
			return nil, false
		}
	}
	params := map[string]string{}
	for i, p := range parts {
		if p[0] == '{' {
			v, err := url.PathUnescape(segments[i])
			if err != nil || v == "" {
				return nil, false
			}
			params[p[1:len(p)-1]] = v
		}
	}
	return params, true
}

// read takes the whole body: JSON, or multipart with payload_json and files[n].
// Source: https://docs.discord.com/developers/reference#uploading-files
func (c *call) read(w http.ResponseWriter) *apiError {
	body := http.MaxBytesReader(w, c.r.Body, c.s.opt.MaxRequest)
	kind, params, err := mime.ParseMediaType(c.r.Header.Get("Content-Type"))
	if err == nil && kind == "multipart/form-data" {
		return c.readParts(multipart.NewReader(body, params["boundary"]))
	}
	b, err := io.ReadAll(body)
	if err != nil {
		return readError(err)
	}
	if len(b) == 0 {
		if kind != "" && c.r.Method != http.MethodGet && c.r.Method != http.MethodDelete {
			return errInvalidJSON
		}
		return nil
	}
	if kind != "application/json" {
		return formError("_errors", "CONTENT_TYPE_INVALID", fmt.Sprintf("Expected \"Content-Type\" header to be one of {'application/json'}, got %q.", kind))
	}
	return c.setBody(b)
}

func (c *call) readParts(parts *multipart.Reader) *apiError {
	for {
		p, err := parts.NextPart()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return readError(err)
		}
		b, err := io.ReadAll(p)
		if err != nil {
			return readError(err)
		}
		name := p.FormName()
		switch {
		case name == "payload_json":
			if err := c.setBody(b); err != nil {
				return err
			}
		case p.FileName() != "":
			if int64(len(b)) > c.s.opt.MaxFile {
				return errTooLarge
			}
			c.files = append(c.files, upload{field: name, name: p.FileName(), contentType: p.Header.Get("Content-Type"), data: b})
			if len(c.files) > maxFiles {
				f := form{}
				f.tooLong("files", maxFiles)
				return f.err()
			}
		}
	}
}

func readError(err error) *apiError {
	if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return errTooLarge
	}
	return errInvalidJSON
}

func (c *call) setBody(b []byte) *apiError {
	b = bytes.TrimSpace(b)
	if !json.Valid(b) {
		return errInvalidJSON
	}
	c.body = b
	c.s.noteNulls(c.r, b)
	return nil
}

// decode fills v from the body. A field of a wrong type is a form error.
func (c *call) decode(v any) *apiError {
	if len(c.body) == 0 {
		return nil
	}
	if err := json.Unmarshal(c.body, v); err != nil {
		if typ, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
			field := typ.Field
			if field == "" {
				field = "_errors"
			}
			return formError(field, "BASE_TYPE_BAD_TYPE", fmt.Sprintf("Value is of a wrong type: %s", typ.Value))
		}
		return errInvalidJSON
	}
	return nil
}

// lists are the fields that are lists wherever they stand in a request.
var lists = map[string]bool{
	"embeds": true, "components": true, "attachments": true, "sticker_ids": true, "parse": true, "users": true,
	"roles": true, "options": true, "choices": true, "applied_tags": true, "fields": true, "messages": true,
	"contexts": true, "integration_types": true, "channel_types": true, "permission_overwrites": true,
}

// noteNulls records where null stands in place of a list. Discord takes some of them, compatible servers do not.
func (s *Server) noteNulls(r *http.Request, body []byte) {
	if !bytes.Contains(body, []byte("null")) {
		return
	}
	var v any
	if json.Unmarshal(body, &v) != nil {
		return
	}
	var walk func(path string, v any)
	var found []string
	walk = func(path string, v any) {
		switch v := v.(type) {
		case map[string]any:
			for k, x := range v {
				if x == nil && lists[k] {
					found = append(found, strings.TrimPrefix(path+"."+k, "."))
				}
				walk(path+"."+k, x)
			}
		case []any:
			for i, x := range v {
				walk(fmt.Sprintf("%s.%d", path, i), x)
			}
		}
	}
	walk("", v)
	if len(found) == 0 {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, path := range found {
		s.violate("%s %s: %s is null where a list is expected", r.Method, r.URL.Path, path)
	}
}
