package telegram

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"net/url"
	"strconv"
	"strings"
)

// Upload limits of https://core.telegram.org/bots/api#sending-files and of this server.
const (
	maxUpload = 50 << 20
	maxPhoto  = 10 << 20
	maxField  = 1 << 20
	maxBody   = maxUpload + 4<<20
	maxParts  = 200
)

// upload is a file in a multipart request.
type upload struct {
	name, mime string
	data       []byte
}

// params are the parameters of one call, as text; structures are JSON text, as the Bot API has them in forms.
type params struct {
	method string
	values map[string]string
	files  map[string]upload
	// nulls are list parameters that were sent as null.
	nulls []string
}

var errTooLarge = &apiError{code: http.StatusRequestEntityTooLarge, text: "Request Entity Too Large", against: true}

// readParams reads a call in any of the four forms of https://core.telegram.org/bots/api#making-requests.
func readParams(r *http.Request, method string) (*params, error) {
	p := &params{method: method, values: map[string]string{}, files: map[string]upload{}}
	p.addValues(r.URL.Query())
	if r.Body == nil || r.Method == http.MethodGet {
		return p, nil
	}
	body := http.MaxBytesReader(nil, r.Body, maxBody)
	kind, opts, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
	var err error
	switch kind {
	case "multipart/form-data":
		err = p.readMultipart(multipart.NewReader(body, opts["boundary"]))
	case "application/json":
		err = p.readJSON(body)
	default:
		err = p.readForm(body)
	}
	if tooLarge := (*http.MaxBytesError)(nil); errors.As(err, &tooLarge) {
		return nil, errTooLarge
	}
	if errors.Is(err, io.ErrUnexpectedEOF) { // the connection broke, which is nobody's fault
		return nil, bad("the request is incomplete")
	}
	if err != nil {
		if _, ok := errors.AsType[*apiError](err); ok {
			return nil, err
		}
		return nil, wrong("can't parse the request: %v", err)
	}
	return p, nil
}

func (p *params) addValues(v url.Values) {
	for k := range v {
		p.values[k] = v.Get(k)
	}
}

func (p *params) readForm(body io.Reader) error {
	b, err := io.ReadAll(io.LimitReader(body, maxField+1))
	if err != nil {
		return fmt.Errorf("reading the form: %w", err)
	}
	if len(b) > maxField {
		return errTooLarge
	}
	v, err := url.ParseQuery(string(b))
	if err != nil {
		return fmt.Errorf("reading the form: %w", err)
	}
	p.addValues(v)
	return nil
}

func (p *params) readJSON(body io.Reader) error {
	b, err := io.ReadAll(io.LimitReader(body, maxField+1))
	if err != nil {
		return fmt.Errorf("reading the body: %w", err)
	}
	if len(b) > maxField {
		return errTooLarge
	}
	if len(bytes.TrimSpace(b)) == 0 {
		return nil
	}
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(b, &fields); err != nil {
		return fmt.Errorf("reading JSON: %w", err)
	}
	for k, v := range fields {
		var s string
		if len(v) > 0 && v[0] == '"' {
			if err := json.Unmarshal(v, &s); err != nil {
				return fmt.Errorf("reading JSON: %w", err)
			}
		} else {
			s = string(v)
		}
		p.values[k] = s
	}
	return nil
}

func (p *params) readMultipart(r *multipart.Reader) error {
	for range maxParts {
		part, err := r.NextPart()
		if errors.Is(err, io.EOF) { // also a body without any part, as clients send for methods without parameters
			return nil
		}
		if err != nil {
			return fmt.Errorf("reading a part: %w", err)
		}
		if part.FileName() == "" {
			b, err := io.ReadAll(io.LimitReader(part, maxField+1))
			if err != nil {
				return fmt.Errorf("reading a field: %w", err)
			}
			if len(b) > maxField {
				return errTooLarge
			}
			p.values[part.FormName()] = string(b)
			continue
		}
		b, err := io.ReadAll(io.LimitReader(part, maxUpload+1))
		if err != nil {
			return fmt.Errorf("reading a file: %w", err)
		}
		if len(b) > maxUpload {
			return errTooLarge
		}
		p.files[part.FormName()] = upload{name: part.FileName(), mime: part.Header.Get("Content-Type"), data: b}
	}
	return errors.New("too many parts")
}

func (p *params) str(name string) string { return p.values[name] }

func (p *params) has(name string) bool { _, ok := p.values[name]; return ok }

func (p *params) int(name string) int64 {
	n, err := strconv.ParseInt(strings.TrimSpace(p.values[name]), 10, 64)
	if err != nil {
		return 0
	}
	return n
}

// clamp reads a number that has a default and bounds.
func (p *params) clamp(name string, def, low, high int64) int64 {
	n, err := strconv.ParseInt(strings.TrimSpace(p.values[name]), 10, 64)
	if err != nil {
		return def
	}
	return min(max(n, low), high)
}

func (p *params) bool(name string) bool {
	switch strings.ToLower(strings.TrimSpace(p.values[name])) {
	case "true", "yes", "1":
		return true
	}
	return false
}

// list decodes a JSON list into dst; false when the parameter is absent. null is noted: lists are to be sent as lists.
func (p *params) list(name string, dst any) (bool, error) {
	s := strings.TrimSpace(p.values[name])
	if s == "" {
		return false, nil
	}
	if s == "null" {
		p.nulls = append(p.nulls, name)
		return false, nil
	}
	if err := json.Unmarshal([]byte(s), dst); err != nil {
		return false, wrong("can't parse %s JSON object", name)
	}
	return true, nil
}

// object decodes a JSON object into dst; false when the parameter is absent or null.
func (p *params) object(name string, dst any) (bool, error) {
	s := strings.TrimSpace(p.values[name])
	if s == "" || s == "null" {
		return false, nil
	}
	if err := json.Unmarshal([]byte(s), dst); err != nil {
		return false, wrong("can't parse %s: JSON object expected", name)
	}
	return true, nil
}
