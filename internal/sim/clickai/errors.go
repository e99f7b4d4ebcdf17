package clickai

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"strconv"
	"time"
)

// apiError is an error answer in the API's form: code, message, status, and the field's name for a wrong parameter.
type apiError struct {
	status  int
	code    string
	message string
	params  string
	header  http.Header
	// blame says what the client did against the documentation; "" where a well-behaved client can get the error.
	blame string
	// html is a proxy's answer in place of the JSON body.
	html string
}

func (e *apiError) Error() string { return fmt.Sprintf("%d %s: %s", e.status, e.code, e.message) }

func (e *apiError) body() []byte {
	b := map[string]any{"code": e.code, "message": e.message, "status": e.status}
	if e.params != "" {
		b["params"] = e.params
	}
	return encode(b)
}

// invalid is a parameter against the documentation.
func invalid(param, format string, args ...any) *apiError {
	msg := fmt.Sprintf(format, args...)
	return &apiError{status: http.StatusBadRequest, code: "invalid_param", message: msg, params: param, blame: msg}
}

// refused is a 400 that a well-behaved client can get.
func refused(code, format string, args ...any) *apiError {
	return &apiError{status: http.StatusBadRequest, code: code, message: fmt.Sprintf(format, args...)}
}

func notFound(message string) *apiError {
	return &apiError{status: http.StatusNotFound, code: "not_found", message: message}
}

func unauthorized(message, blame string) *apiError {
	return &apiError{
		status: http.StatusUnauthorized, code: "unauthorized", message: message, blame: blame,
		header: http.Header{"Www-Authenticate": {"Bearer"}},
	}
}

func overLimit(code, message string, retry time.Duration, tell bool, blame string) *apiError {
	e := &apiError{status: http.StatusTooManyRequests, code: code, message: message, blame: blame}
	if tell {
		secs := int64((retry + time.Second - 1) / time.Second)
		e.header = http.Header{"Retry-After": {strconv.FormatInt(secs, 10)}}
	}
	return e
}

// proxyError is the answer of a proxy in front of the API.
func proxyError(status int, blame string) *apiError {
	text := fmt.Sprintf("%d %s", status, http.StatusText(status))
	return &apiError{
		status: status, code: "proxy", message: text, blame: blame,
		html: "<html>\r\n<head><title>" + text + "</title></head>\r\n<body>\r\n<center><h1>" + text +
			"</h1></center>\r\n<hr><center>nginx</center>\r\n</body>\r\n</html>\r\n",
	}
}

func (e *apiError) write(w http.ResponseWriter) {
	maps.Copy(w.Header(), e.header)
	body := []byte(e.html)
	if e.html == "" {
		w.Header().Set("Content-Type", "application/json")
		body = e.body()
	} else {
		w.Header().Set("Content-Type", "text/html")
	}
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(e.status)
	_, _ = w.Write(body) // a client that went away needs no answer
}

func writeJSON(w http.ResponseWriter, status int, v any) {
	body := encode(v)
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(status)
	_, _ = w.Write(body)
}

// encode writes JSON on one line, without the HTML escapes that the API does not use.
func encode(v any) []byte {
	var b buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		// Only values that a script made by hand can fail; say so where it is seen.
		return fmt.Appendf(nil, `{"code":"unencodable","message":%q}`, err.Error())
	}
	return b[:len(b)-1]
}

// buffer is the least io.Writer.
type buffer []byte

func (b *buffer) Write(p []byte) (int, error) {
	*b = append(*b, p...)
	return len(p), nil
}
