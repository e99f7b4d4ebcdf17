package clickai_test

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"testing"

	"github.com/clickai/bridge/clickai"
)

const testKey = "app-s3cret-k3y"

func itoa(n int) string { return strconv.Itoa(n) }

// newServer starts a server with one handler for everything.
func newServer(t testing.TB, h http.HandlerFunc) *httptest.Server {
	t.Helper()
	srv := httptest.NewServer(h)
	t.Cleanup(srv.Close)
	return srv
}

// newClient returns a client for url. change may set more fields.
func newClient(t testing.TB, url string, change ...func(*clickai.Config)) *clickai.Client {
	t.Helper()
	cfg := clickai.Config{BaseURL: url, APIKey: testKey}
	for _, f := range change {
		f(&cfg)
	}
	c, err := clickai.New(cfg)
	if err != nil {
		t.Fatalf("New: %v", err)
	}
	t.Cleanup(c.CloseIdleConnections)
	return c
}

// seen is what a server saw of one request.
type seen struct {
	Method, Path, Query, Auth, ContentType, Accept string

	Body map[string]any
}

// see reads a request with its JSON body, if any.
func see(t testing.TB, r *http.Request) seen {
	t.Helper()
	s := seen{
		Method: r.Method, Path: r.URL.EscapedPath(), Query: r.URL.RawQuery, Auth: r.Header.Get("Authorization"),
		ContentType: r.Header.Get("Content-Type"), Accept: r.Header.Get("Accept"),
	}
	b, err := io.ReadAll(r.Body)
	if err != nil {
		t.Errorf("read request: %v", err)
	}
	if len(b) > 0 {
		if err := json.Unmarshal(b, &s.Body); err != nil {
			t.Errorf("request body %q: %v", b, err)
		}
	}
	return s
}

// sse answers with an event stream of text.
func sse(w http.ResponseWriter, text string) {
	w.Header().Set("Content-Type", "text/event-stream; charset=utf-8")
	_, _ = io.WriteString(w, text)
	w.(http.Flusher).Flush()
}

// collect reads a stream to its end.
func collect(t testing.TB, s *clickai.Stream) ([]clickai.Event, error) {
	t.Helper()
	var events []clickai.Event
	for ev, err := range s.Events() {
		if err != nil {
			return events, err
		}
		events = append(events, ev)
	}
	return events, nil
}

// wantError checks that err is an *Error of the kind and returns it.
func wantError(t testing.TB, err error, kind clickai.Kind) *clickai.Error {
	t.Helper()
	e, ok := errors.AsType[*clickai.Error](err)
	if !ok {
		t.Fatalf("got error %v (%T), want *clickai.Error", err, err)
	}
	if e.Kind != kind {
		t.Fatalf("got kind %v (%v), want %v", e.Kind, e, kind)
	}
	return e
}

// wantKind checks that err is an *Error of the kind.
func wantKind(t testing.TB, err error, kind clickai.Kind) {
	t.Helper()
	_ = wantError(t, err, kind)
}

var ask = clickai.ChatRequest{Query: "Hello?", User: "u1"}
