package clickai

import (
	"context"
	"errors"
	"strings"
	"time"
)

// RequestInfo is what Config.Observe is told of one HTTP request. It holds no key, no text and no identifier.
type RequestInfo struct {
	Method   string
	Endpoint string // the path with identifiers written as {id}: "/v1/conversations/{id}/name"
	Status   int    // 0 if there was no answer
	Kind     Kind   // how it failed; 0 if it did not
	// Code is the error body's, as the server sent it; "canceled" where the caller gave up; else "".
	Code  string
	Began time.Time     // after the wait for the plan's slot
	Took  time.Duration // until the response's headers; 0 if Late
	// Late says that this is a failure of a request that was told as a success before: its body is or holds an error.
	Late bool
}

// words are the path segments that are not identifiers.
const words = "/v1/info/parameters/messages/feedbacks/suggested/conversations/name/chat-messages/completion-messages/" +
	"workflows/run/tasks/stop/files/upload/assistant/api/my-assistants/"

// endpoint takes the identifiers out of a path.
func endpoint(path string) string {
	segments := strings.Split(path, "/")
	for i, s := range segments {
		if s != "" && !strings.Contains(words, "/"+s+"/") {
			segments[i] = "{id}"
		}
	}
	return strings.Join(segments, "/")
}

// send takes a slot of the limiter, sends r and returns a 2xx response or an *Error.
func (t *transport) send(ctx context.Context, r *request) (*response, error) {
	if t.observe == nil {
		return t.exchange(ctx, r, new(time.Time))
	}
	r.tell = func(i RequestInfo) { t.observe(ctx, i) }
	info := RequestInfo{Method: r.method, Endpoint: endpoint(r.path)}
	res, err := t.exchange(ctx, r, &info.Began)
	if !info.Began.IsZero() {
		info.Took = time.Since(info.Began)
	}
	if res != nil {
		info.Status = res.StatusCode
	}
	info.failed(err)
	r.tell(info)
	return res, err
}

// late tells of a failure within the body of the response to r; nil: there is none.
func (r *request) late(err error) {
	if r.tell == nil || err == nil {
		return
	}
	info := RequestInfo{Method: r.method, Endpoint: endpoint(r.path), Began: time.Now(), Late: true}
	info.failed(err)
	r.tell(info)
}

func (i *RequestInfo) failed(err error) {
	if err == nil {
		return
	}
	i.Kind = KindBroken
	if e, ok := errors.AsType[*Error](err); ok {
		i.Kind, i.Code = e.Kind, e.Code
		if e.Status != 0 {
			i.Status = e.Status
		}
	}
	if i.Code == "" && (errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded)) {
		i.Code = "canceled"
	}
}
