package clickai

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"
	"unicode"
)

// maxErrorBody bounds how much of an error response is read, in bytes.
const maxErrorBody = 64 << 10

// Kind says how far a failed request came.
type Kind uint8

const (
	// KindInvalid means that the request was refused locally, before anything was sent,
	// because a field that ClickAI needs is missing or unusable.
	KindInvalid Kind = iota + 1
	// KindLimited means that nothing was sent, because the plan's limits left no room. The
	// chain holds a *QuotaError when the day's requests are used up, else the
	// context's error.
	KindLimited
	// KindUnsent means that no connection came about (DNS, dial, proxy, TLS, or the
	// context ended during these). The request surely did not reach ClickAI.
	KindUnsent
	// KindBroken means that the connection broke, or the context ended, after the request
	// may have been sent. ClickAI may be working on it.
	KindBroken
	// KindTimeout means that ClickAI was silent for longer than a configured timeout,
	// after the request may have been sent.
	KindTimeout
	// KindStatus means that ClickAI, or a proxy before it, answered with an HTTP status
	// other than 2xx, or with an error body under status 200.
	KindStatus
	// KindContent means that the response has a 2xx status but a body that is no answer:
	// HTML, malformed JSON, or larger than Config.MaxLine.
	KindContent
)

// String returns the kind's name in lower case.
func (k Kind) String() string {
	names := [...]string{"", "invalid", "limited", "unsent", "broken", "timeout", "status", "content"}
	if int(k) < len(names) && k > 0 {
		return names[k]
	}
	return "kind " + strconv.Itoa(int(k))
}

// Error is what every method of this package returns when it fails. It never
// holds the secret key.
type Error struct {
	Kind   Kind
	Method string // HTTP method
	Path   string // URL path as sent, without host and query

	// Status is the HTTP status of the response; 0 if there was none. Where an
	// error body came under status 200, it is the status that the body names.
	Status int
	// Code and Message are the error body's fields; "" if the body isn't JSON
	// or has none. A message that is not a string is given as its JSON.
	Code, Message string
	// Params names the request field that a parameter error is about, if said.
	Params string
	// RetryAfter is how long the Retry-After header asks to wait, counted from
	// the response's arrival. 0 if absent, negative, past or unreadable.
	RetryAfter time.Duration
	// ContentType is the response's Content-Type header as sent.
	ContentType string
	// Body is the start of the response's body, at most 64 KB. It may hold
	// anything, HTML included: it is for logs, not for people.
	Body []byte

	// Err is the cause where there was no response or an unreadable one.
	Err error
}

// Error returns one line: method, path, and what went wrong.
func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString("clickai: ")
	if e.Method != "" {
		b.WriteString(e.Method + " " + e.Path + ": ")
	}
	if e.Status != 0 {
		b.WriteString(strconv.Itoa(e.Status))
		if e.Code == "" && e.Message == "" {
			if text := http.StatusText(e.Status); text != "" {
				b.WriteString(" " + text)
			}
		}
	} else {
		b.WriteString(e.Kind.String())
	}
	if e.Code != "" {
		b.WriteString(" " + oneLine(e.Code, 100))
	}
	if e.Message != "" {
		b.WriteString(": " + oneLine(e.Message, 300))
	}
	if e.Err != nil {
		b.WriteString(": " + e.Err.Error())
	}
	return b.String()
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// MayHaveArrived reports whether ClickAI may have taken the request in and be
// working on it, or have done so, although the call failed: a broken
// connection, a timeout, an unusable 2xx response, or a status of 408 or 5xx. Before
// a generation is asked for again, look into the message history.
func (e *Error) MayHaveArrived() bool {
	switch e.Kind {
	case KindBroken, KindTimeout, KindContent:
		return true
	case KindStatus:
		return e.Status >= 500 || e.Status == http.StatusRequestTimeout
	default:
		return false
	}
}

// Causes of KindTimeout. They are found in the chain with errors.Is.
var (
	// ErrHeaderTimeout means no response headers within Config.HeaderTimeout, or no
	// progress of an upload.
	ErrHeaderTimeout = errors.New("no response headers in time")
	// ErrIdleTimeout means not one byte of the response within Config.IdleTimeout.
	ErrIdleTimeout = errors.New("response went silent")
	// ErrCallTimeout means that a call that is not a stream was not done within
	// Config.CallTimeout or Config.BlockingTimeout.
	ErrCallTimeout = errors.New("call took too long")
)

// ErrTooLong is the cause of the KindContent error of a body over Config.MaxLine.
// The same call would most likely bring it again.
var ErrTooLong = errors.New("body is over the bound")

// ErrEmptyStream is the cause of the KindBroken error of a stream that ended
// before any event but pings.
var ErrEmptyStream = errors.New("stream ended before its first event")

// errorBody is the shape of ClickAI's error bodies. "message" can be an object
// and "status" can be missing.
type errorBody struct {
	Code    looseString `json:"code"`
	Message looseString `json:"message"`
	Params  looseString `json:"params"`
	Status  looseInt    `json:"status"`
}

// parseErrorBody reads an error body. It reports false if body is no JSON
// object.
func parseErrorBody(body []byte) (errorBody, bool) {
	var eb errorBody
	trimmed := bytes.TrimSpace(body)
	if len(trimmed) == 0 || trimmed[0] != '{' || unmarshal(trimmed, &eb) != nil {
		return errorBody{}, false
	}
	return eb, true
}

// statusError builds the error of a response whose status isn't 2xx. The body
// is read up to maxErrorBody; a body that breaks off is used as far as it came.
func (t *transport) statusError(method, path string, res *http.Response) *Error {
	body, _ := io.ReadAll(io.LimitReader(res.Body, maxErrorBody)) // what has come is all there is to tell
	e := &Error{
		Kind:        KindStatus,
		Method:      method,
		Path:        path,
		Status:      res.StatusCode,
		RetryAfter:  retryAfter(res.Header, time.Now()),
		ContentType: res.Header.Get("Content-Type"),
		Body:        t.redact(body),
	}
	if eb, ok := parseErrorBody(e.Body); ok {
		e.Code, e.Message, e.Params = string(eb.Code), string(eb.Message), string(eb.Params)
	}
	return e
}

// wrappedError builds the error for an error body that came with status 200.
// It returns nil if body is not one.
func (t *transport) wrappedError(method, path string, res *http.Response, body []byte) *Error {
	eb, ok := parseErrorBody(body)
	if !ok || eb.Code == "" || eb.Message == "" {
		return nil
	}
	e := &Error{
		Kind:        KindStatus,
		Method:      method,
		Path:        path,
		Status:      res.StatusCode,
		RetryAfter:  retryAfter(res.Header, time.Now()),
		ContentType: res.Header.Get("Content-Type"),
		Body:        t.redact(body[:min(len(body), maxErrorBody)]),
		Code:        string(t.redact([]byte(eb.Code))),
		Message:     string(t.redact([]byte(eb.Message))),
		Params:      string(t.redact([]byte(eb.Params))),
	}
	if eb.Status >= 400 && eb.Status < 600 {
		e.Status = int(eb.Status)
	} else if s, ok := codeStatus[e.Code]; ok {
		e.Status = s
	}
	return e
}

// codeStatus gives the HTTP status that belongs to a code, for error bodies
// under status 200 that don't name one.
// Source: https://docs.dify.ai/en/api-reference/guides/errors.
var codeStatus = map[string]int{
	"unauthorized":                http.StatusUnauthorized,
	"forbidden":                   http.StatusForbidden,
	"not_found":                   http.StatusNotFound,
	"invalid_param":               http.StatusBadRequest,
	"bad_request":                 http.StatusBadRequest,
	"conversation_completed":      http.StatusBadRequest,
	"app_unavailable":             http.StatusBadRequest,
	"not_chat_app":                http.StatusBadRequest,
	"not_workflow_app":            http.StatusBadRequest,
	"not_completion_app":          http.StatusBadRequest,
	"agent_not_published":         http.StatusBadRequest,
	"provider_not_initialize":     http.StatusBadRequest,
	"provider_quota_exceeded":     http.StatusBadRequest,
	"model_currently_not_support": http.StatusBadRequest,
	"completion_request_error":    http.StatusBadRequest,
	"file_too_large":              http.StatusRequestEntityTooLarge,
	"unsupported_file_type":       http.StatusUnsupportedMediaType,
	"unsupported_media_type":      http.StatusUnsupportedMediaType,
	"too_many_requests":           http.StatusTooManyRequests,
	"rate_limit_error":            http.StatusTooManyRequests,
	"internal_server_error":       http.StatusInternalServerError,
	"unknown":                     http.StatusInternalServerError,
}

// contentError builds a KindContent error.
func (t *transport) contentError(method, path string, res *http.Response, body []byte, err error) *Error {
	return &Error{
		Kind:        KindContent,
		Method:      method,
		Path:        path,
		Status:      res.StatusCode,
		ContentType: res.Header.Get("Content-Type"),
		Body:        t.redact(body[:min(len(body), maxErrorBody)]),
		Err:         err,
	}
}

// redact removes the secret key from text that a server sent, should it echo it.
func (t *transport) redact(b []byte) []byte {
	if !bytes.Contains(b, []byte(t.key)) {
		return bytes.Clone(b)
	}
	return bytes.ReplaceAll(b, []byte(t.key), []byte("[redacted]"))
}

// maxRetryAfter is the longest wait that RetryAfter reports; it keeps absurd
// header values from overflowing.
const maxRetryAfter = 365 * 24 * time.Hour

// retryAfter reads a response's Retry-After header. A date in it is by the server's
// clock: where the response says what that clock showed, ours does not count.
func retryAfter(h http.Header, now time.Time) time.Duration {
	if at, err := http.ParseTime(h.Get("Date")); err == nil {
		now = at
	}
	return parseRetryAfter(h.Get("Retry-After"), now)
}

// parseRetryAfter reads a Retry-After header: seconds or an HTTP date
// (https://www.rfc-editor.org/rfc/rfc9110#field.retry-after). It returns 0 for
// what is absent, negative, past or unreadable.
func parseRetryAfter(v string, now time.Time) time.Duration {
	v = strings.TrimSpace(v)
	if v == "" {
		return 0
	}
	if s, err := strconv.ParseFloat(v, 64); err == nil {
		if !(s > 0) { // NaN included
			return 0
		}
		if s >= maxRetryAfter.Seconds() {
			return maxRetryAfter
		}
		return time.Duration(s * float64(time.Second))
	}
	at, err := http.ParseTime(v)
	if err != nil {
		return 0
	}
	return min(max(at.Sub(now), 0), maxRetryAfter)
}

// oneLine replaces control characters by spaces and cuts s to at most n bytes,
// at a character's border.
func oneLine(s string, n int) string {
	cut := len(s) > n
	if cut {
		s = strings.ToValidUTF8(s[:n], "")
	}
	s = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return ' '
		}
		return r
	}, s)
	if cut {
		s += "…"
	}
	return s
}

// invalid builds a KindInvalid error.
func invalid(method, path, format string, args ...any) *Error {
	return &Error{Kind: KindInvalid, Method: method, Path: path, Err: fmt.Errorf(format, args...)}
}

// unmarshal is json.Unmarshal, but a value of another type than expected
// leaves its field zero instead of failing the whole.
func unmarshal(data []byte, v any) error {
	err := json.Unmarshal(data, v)
	if _, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		return nil
	}
	return err
}
