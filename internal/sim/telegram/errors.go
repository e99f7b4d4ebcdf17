package telegram

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"unicode"
	"unicode/utf8"

	"github.com/clickai/bridge/internal/sim"
)

// apiError is a refused call: https://core.telegram.org/bots/api#making-requests.
type apiError struct {
	code       int
	text       string // description without its prefix
	retryAfter int    // seconds
	migrateTo  int64
	// against is set when a bot that keeps to the documentation never causes this error.
	against bool
}

func (e *apiError) Error() string { return e.description() }

func (e *apiError) description() string {
	prefix := ""
	switch e.code {
	case http.StatusBadRequest:
		prefix = "Bad Request: "
	case http.StatusForbidden:
		prefix = "Forbidden: "
	case http.StatusConflict:
		prefix = "Conflict: "
	case http.StatusTooManyRequests:
		prefix = "Too Many Requests: "
	}
	return prefix + e.text
}

// bad is a 400 that may happen to any bot: the state of the chat is not what the bot thought.
func bad(format string, args ...any) *apiError {
	return &apiError{code: http.StatusBadRequest, text: fmt.Sprintf(format, args...)}
}

// wrong is a 400 that only a bot against the documentation meets.
func wrong(format string, args ...any) *apiError {
	e := bad(format, args...)
	e.against = true
	return e
}

func forbidden(text string) *apiError { return &apiError{code: http.StatusForbidden, text: text} }

// lowerFirst writes an error text as the server does behind its prefix: small, unless it is an upper-case code.
func lowerFirst(s string) string {
	r, n := utf8.DecodeRuneInString(s)
	if len(s) > n {
		if second, _ := utf8.DecodeRuneInString(s[n:]); second == '_' || unicode.IsUpper(second) {
			return s
		}
	}
	return string(unicode.ToLower(r)) + s[n:]
}

type errorParameters struct {
	MigrateToChatID int64 `json:"migrate_to_chat_id,omitempty"`
	RetryAfter      int   `json:"retry_after,omitempty"`
}

type answer struct {
	OK          bool             `json:"ok"`
	Result      any              `json:"result,omitempty"`
	ErrorCode   int              `json:"error_code,omitempty"`
	Description string           `json:"description,omitempty"`
	Parameters  *errorParameters `json:"parameters,omitempty"`
}

func (e *apiError) answer() answer {
	a := answer{ErrorCode: e.code, Description: e.description()}
	if e.retryAfter != 0 || e.migrateTo != 0 {
		a.Parameters = &errorParameters{MigrateToChatID: e.migrateTo, RetryAfter: e.retryAfter}
	}
	return a
}

func writeJSON(w http.ResponseWriter, status int, v any) {
	body, err := json.Marshal(v)
	if err != nil { // every value comes from this package
		status, body = http.StatusInternalServerError, []byte(`{"ok":false,"error_code":500,"description":"Internal Server Error"}`)
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(status)
	_, _ = w.Write(body)
}

// ErrorFault is a [sim.Fault] that answers in Telegram's form; description is written in full ("Bad Request: …").
func ErrorFault(match string, code int, description string, times int) sim.Fault {
	body, _ := json.Marshal(answer{ErrorCode: code, Description: description})
	return sim.Fault{
		Match: match, Times: times, Status: code, Body: string(body),
		Header: http.Header{"Content-Type": {"application/json"}},
	}
}

// TooManyRequests is a [sim.Fault] that answers 429 with retry_after in whole seconds. It counts as no violation.
func TooManyRequests(match string, seconds, times int) sim.Fault {
	e := flood(seconds)
	body, _ := json.Marshal(e.answer())
	return sim.Fault{
		Match: match, Times: times, Status: e.code, Body: string(body),
		Header: http.Header{"Content-Type": {"application/json"}, "Retry-After": {strconv.Itoa(seconds)}},
	}
}

func flood(seconds int) *apiError {
	return &apiError{
		code: http.StatusTooManyRequests, text: "retry after " + strconv.Itoa(seconds), retryAfter: seconds, against: true,
	}
}
