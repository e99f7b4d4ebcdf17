package crashtest

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
)

// tap stands in front of one stand-in and tells the killer what passes.
type tap struct {
	service string
	k       *killer

	mu     sync.Mutex
	offset string // of Telegram's last getUpdates
}

// maxParams bounds what is read of a getUpdates call.
const maxParams = 64 << 10

// Request implements [sim.Tap].
func (t *tap) Request(w http.ResponseWriter, r *http.Request, next http.Handler) {
	if r.Header.Get("Upgrade") != "" {
		next.ServeHTTP(w, r)
		return
	}
	what := t.name(r)
	if t.k.at(Point{t.service, what, Arrived}) {
		panic(http.ErrAbortHandler) // net/http's documented way to drop a connection
	}
	if what == "chat-messages" && t.k.at(Point{t.service, what, Handled}) {
		// It takes effect after the process has died, which is the same for ClickAI: the answer is made with nobody there.
		next.ServeHTTP(&nowhere{header: http.Header{}}, r.WithContext(context.WithoutCancel(r.Context())))
		panic(http.ErrAbortHandler)
	}
	if what != "chat-messages" {
		if p := t.k.aims(Point{t.service, what, Handled}); p != nil {
			ctx := r.Context()
			if !strings.HasPrefix(what, "getUpdates") { // which may wait for long after the process has died otherwise
				ctx = context.WithoutCancel(ctx)
			}
			next.ServeHTTP(&nowhere{header: http.Header{}}, r.WithContext(ctx))
			t.k.fire(p, Point{t.service, what, Handled})
			panic(http.ErrAbortHandler)
		}
	}
	next.ServeHTTP(w, r)
	if p := t.k.aims(Point{t.service, what, Answered}); p != nil {
		// net/http sends the end of the answer when this returns.
		t.k.fireSoon(p, Point{t.service, what, Answered})
	}
}

// Frame implements [sim.Tap].
func (t *tap) Frame(name string) {
	what := name
	if t.service == "clickai" {
		what = "event"
		if name == "message_end" {
			what = name
		}
	}
	t.k.at(Point{t.service, what, Sent})
}

// name is the kind of a request.
func (t *tap) name(r *http.Request) string {
	path := r.URL.Path
	switch t.service {
	case "clickai":
		return clickaiName(path)
	case "slack":
		switch {
		case strings.HasPrefix(path, "/upload/"):
			return "upload"
		case strings.HasPrefix(path, "/files-pri/"):
			return "file download"
		}
		return strings.TrimPrefix(path, "/api/")
	case "discord":
		return discordName(r)
	}
	return t.telegramName(r)
}

func clickaiName(path string) string {
	switch {
	case strings.HasPrefix(path, "/files/"):
		return "file fetch"
	case strings.HasSuffix(path, "/feedbacks"):
		return "feedbacks"
	}
	return strings.TrimPrefix(path, "/v1/")
}

func discordName(r *http.Request) string {
	path := r.URL.Path
	_, rest, _ := strings.Cut(path, "/channels/")
	parts := strings.Split(rest, "/")
	switch last := parts[len(parts)-1]; {
	case strings.HasPrefix(path, "/attachments/"):
		return "file download"
	case r.Method == http.MethodPost && last == "threads":
		return "thread start"
	case r.Method == http.MethodPost && last == "typing":
		return "typing"
	case r.Method == http.MethodPost && last == "messages":
		if strings.HasPrefix(r.Header.Get("Content-Type"), "multipart/") {
			return "file post"
		}
		return "message post"
	case r.Method == http.MethodPatch:
		return "message edit"
	}
	return r.Method + " " + path
}

// telegramName tells a getUpdates that confirms updates from one that asks for the same again.
func (t *tap) telegramName(r *http.Request) string {
	path := r.URL.Path
	if strings.HasPrefix(path, "/file/") {
		return "file download"
	}
	method := path[strings.LastIndexByte(path, '/')+1:]
	if !strings.EqualFold(method, "getUpdates") {
		return method
	}
	body, err := io.ReadAll(io.LimitReader(r.Body, maxParams))
	r.Body = io.NopCloser(io.MultiReader(bytes.NewReader(body), r.Body))
	if err != nil {
		return "getUpdates unread"
	}
	offset := offsetOf(r.Header.Get("Content-Type"), body)
	t.mu.Lock()
	defer t.mu.Unlock()
	if offset == t.offset {
		return "getUpdates again"
	}
	t.offset = offset
	return "getUpdates"
}

func offsetOf(mediaType string, body []byte) string {
	if strings.HasPrefix(mediaType, "application/json") {
		var p struct {
			Offset json.Number `json:"offset"`
		}
		_ = json.Unmarshal(body, &p) // what cannot be read has no offset
		return p.Offset.String()
	}
	form, _ := url.ParseQuery(string(body)) // the same
	if v := form.Get("offset"); v != "" {
		return v
	}
	_, rest, found := bytes.Cut(body, []byte(`name="offset"`)) // multipart
	if !found {
		return ""
	}
	return strings.TrimSpace(string(rest[:min(len(rest), 24)]))
}

// nowhere takes an answer that is never sent.
type nowhere struct{ header http.Header }

// Header implements http.ResponseWriter.
func (n *nowhere) Header() http.Header { return n.header }

// Write implements http.ResponseWriter.
func (n *nowhere) Write(p []byte) (int, error) { return len(p), nil }

// WriteHeader implements http.ResponseWriter.
func (n *nowhere) WriteHeader(int) {}
