package trace_test

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	otlp "go.opentelemetry.io/proto/otlp/trace/v1"

	"github.com/clickai/bridge/core"
	"github.com/clickai/bridge/internal/trace"
)

func env(vars map[string]string) func(string) (string, bool) {
	return func(name string) (string, bool) { v, ok := vars[name]; return v, ok }
}

func newTracer(t *testing.T, vars map[string]string) *trace.Tracer {
	t.Helper()
	tr, err := trace.New(t.Context(), trace.Config{Env: env(vars), Version: "1.2.3", Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	return tr
}

func TestTurn(t *testing.T) {
	s := newStandIn(t, http.StatusOK)
	tr := newTracer(t, map[string]string{"OTEL_EXPORTER_OTLP_ENDPOINT": s.URL + "/prefix/"})
	accepted := time.Now().Add(-3 * time.Second)
	turn := tr.TurnBegan(core.TurnStart{ID: "0a1b2c3d", Bot: "acme", Platform: "slack", App: "support", Accepted: accepted, Messages: 1, Attachments: 2})
	turn.Uploaded(100, 50*time.Millisecond, "")
	turn.Uploaded(-1, 10*time.Millisecond, core.TooLarge)
	turn.Asked()
	turn.Requested(core.AppRequest{Endpoint: "POST /v1/chat-messages", Status: 503, Code: "busy", Took: time.Millisecond})
	turn.Requested(core.AppRequest{Endpoint: "POST /v1/chat-messages", Status: 200, Took: time.Millisecond})
	turn.Answering()
	turn.Called(core.PlatformCall{Kind: core.CallPost, Took: time.Millisecond})
	turn.FirstText()
	for range 500 {
		turn.Called(core.PlatformCall{Kind: core.CallEdit, Class: core.RateLimited, RetryAfter: time.Second})
	}
	turn.Answered()
	turn.Ended(core.TurnEnd{Outcome: core.TurnFailed, Reason: core.NoticeError, Edits: 500, Messages: 1, Bytes: 9, Err: errors.New("a text of a person")})
	if err := tr.Close(); err != nil {
		t.Fatal(err)
	}

	if want := []string{"POST /prefix/v1/traces"}; !slices.Equal(s.paths, want) {
		t.Errorf("requests %v, want %v", s.paths, want)
	}
	if s.service["service.name"] != "clickai-bridge" || s.service["service.version"] != "1.2.3" {
		t.Errorf("resource %v", s.service)
	}
	whole := s.named("turn")
	if len(whole) != 1 {
		t.Fatalf("%d spans of the turn in %v", len(whole), s.spans)
	}
	root := whole[0]
	for key, want := range map[string]string{
		"bridge.turn_id": "0a1b2c3d", "bridge.bot": "acme", "bridge.platform": "slack", "bridge.app": "support", "bridge.outcome": "failed", "bridge.reason": "error",
	} {
		if got := attribute(root, key); got != want {
			t.Errorf("%s = %q, want %q", key, got, want)
		}
	}
	if root.GetStatus().GetCode() != otlp.Status_STATUS_CODE_ERROR || root.GetStartTimeUnixNano() != uint64(accepted.UnixNano()) {
		t.Errorf("status %v, begins at %d, want an error from %d on", root.GetStatus(), root.GetStartTimeUnixNano(), accepted.UnixNano())
	}
	for _, tt := range []struct {
		span   string
		number int
		events []string // of the first
	}{
		{"queue", 1, nil},
		{"upload", 2, nil},
		{"ask", 1, []string{"request", "request", "first text from the app"}},
		{"show", 1, slices.Repeat([]string{"edit"}, 100)}, // the newest are kept
	} {
		found := s.named(tt.span)
		if len(found) != tt.number {
			t.Errorf("%d spans %s, want %d", len(found), tt.span, tt.number)
			continue
		}
		for _, p := range found {
			if !bytes.Equal(p.GetParentSpanId(), root.GetSpanId()) || !bytes.Equal(p.GetTraceId(), root.GetTraceId()) {
				t.Errorf("%s is not within the turn", tt.span)
			}
		}
		if got := events(found[0]); !slices.Equal(got, tt.events) {
			t.Errorf("%s has the events %v, want %v", tt.span, got, tt.events)
		}
	}
	if got := s.named("show")[0].GetDroppedEventsCount(); got != 401 {
		t.Errorf("%d events are said to be dropped, want 401", got)
	}
	if all := fmt.Sprint(s.spans); strings.Contains(all, "a text of a person") {
		t.Errorf("the text of an error is in a span:\n%s", all)
	}
}

func TestOff(t *testing.T) {
	for _, tt := range []struct {
		name string
		vars map[string]string
	}{
		{"no endpoint", nil},
		{"empty", map[string]string{"OTEL_EXPORTER_OTLP_ENDPOINT": " "}},
		{"switched off", map[string]string{"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:1", "OTEL_SDK_DISABLED": "True"}},
		{"no exporter", map[string]string{"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:1", "OTEL_TRACES_EXPORTER": "none"}},
	} {
		if tr := newTracer(t, tt.vars); tr != nil || tr.Close() != nil {
			t.Errorf("%s: traces", tt.name)
		}
	}
}

func TestWrongEndpoint(t *testing.T) {
	for _, v := range []string{"s3cret:4318", "grpc://s3cret@collector:4317", "http://", "http://[::1/s3cret"} {
		_, err := trace.New(t.Context(), trace.Config{Env: env(map[string]string{"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": v}), Log: slog.New(slog.DiscardHandler)})
		if err == nil || !strings.Contains(err.Error(), "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT") || strings.Contains(err.Error(), "s3cret") {
			t.Errorf("%s: %v, want to hear of the variable without its value", v, err)
		}
	}
}

// TestWholeURL names the collector's whole URL, which nothing is added to.
func TestWholeURL(t *testing.T) {
	s := newStandIn(t, http.StatusOK)
	tr := newTracer(t, map[string]string{"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": s.URL + "/here", "OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:1"})
	tr.TurnBegan(core.TurnStart{}).Ended(core.TurnEnd{Outcome: core.TurnAnswered})
	if err := tr.Close(); err != nil || !slices.Equal(s.paths, []string{"POST /here"}) {
		t.Errorf("%v, requests %v", err, s.paths)
	}
}

// TestCollectorRefuses wants one line of the log, and neither the turn nor the end to be held up.
func TestCollectorRefuses(t *testing.T) {
	s := newStandIn(t, http.StatusBadRequest)
	var logged bytes.Buffer
	tr, err := trace.New(t.Context(), trace.Config{
		Env: env(map[string]string{"OTEL_EXPORTER_OTLP_ENDPOINT": s.URL}), Log: slog.New(slog.NewTextHandler(&logged, nil)),
	})
	if err != nil {
		t.Fatal(err)
	}
	tr.TurnBegan(core.TurnStart{}).Ended(core.TurnEnd{Outcome: core.TurnAnswered})
	closed := tr.Close()
	if !strings.Contains(logged.String(), "traces are lost") && closed == nil {
		t.Errorf("nothing is said of it:\n%s", logged.String())
	}
}

// counting notes what it is told.
type counting struct {
	core.NopObserver
	told []string
}

func (c *counting) TurnBegan(core.TurnStart) core.TurnObserver {
	c.note("began")
	return countingTurn{c}
}

func (c *counting) note(what string) { c.told = append(c.told, what) }

type countingTurn struct{ *counting }

func (c countingTurn) Uploaded(int64, time.Duration, core.Class) { c.note("uploaded") }
func (c countingTurn) Asked()                                    { c.note("asked") }
func (c countingTurn) Requested(core.AppRequest)                 { c.note("requested") }
func (c countingTurn) Answering()                                { c.note("answering") }
func (c countingTurn) Called(core.PlatformCall)                  { c.note("called") }
func (c countingTurn) FirstText()                                { c.note("first") }
func (c countingTurn) Answered()                                 { c.note("answered") }
func (c countingTurn) Ended(core.TurnEnd)                        { c.note("ended") }

// TestBeside tells both observers all.
func TestBeside(t *testing.T) {
	s := newStandIn(t, http.StatusOK)
	tr := newTracer(t, map[string]string{"OTEL_EXPORTER_OTLP_ENDPOINT": s.URL})
	c := &counting{}
	turn := trace.Beside(c, tr).TurnBegan(core.TurnStart{})
	turn.Uploaded(1, 0, "")
	turn.Asked()
	turn.Requested(core.AppRequest{})
	turn.Answering()
	turn.Called(core.PlatformCall{Kind: core.CallPost})
	turn.FirstText()
	turn.Answered()
	turn.Ended(core.TurnEnd{})
	if err := tr.Close(); err != nil {
		t.Fatal(err)
	}
	if want := []string{"began", "uploaded", "asked", "requested", "answering", "called", "first", "answered", "ended"}; !slices.Equal(c.told, want) {
		t.Errorf("told %v, want %v", c.told, want)
	}
	if len(s.named("turn")) != 1 || len(s.named("upload")) != 1 || len(s.named("ask")) != 1 {
		t.Errorf("spans: %v", s.spans)
	}
}
