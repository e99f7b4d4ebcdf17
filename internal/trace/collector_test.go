package trace_test

import (
	"compress/gzip"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"testing"

	collector "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	otlp "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"
)

// standIn is a collector that takes OTLP over HTTP, as https://opentelemetry.io/docs/specs/otlp/#otlphttp has it.
type standIn struct {
	*httptest.Server
	status int // of its answers

	mu      sync.Mutex
	spans   []*otlp.Span
	service map[string]string // attributes of the resource
	paths   []string
}

func newStandIn(t *testing.T, status int) *standIn {
	t.Helper()
	s := &standIn{status: status, service: map[string]string{}}
	s.Server = httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		body := io.Reader(r.Body)
		if r.Header.Get("Content-Encoding") == "gzip" {
			unzipped, err := gzip.NewReader(r.Body)
			if err != nil {
				t.Error(err)
				return
			}
			body = unzipped
		}
		raw, err := io.ReadAll(body)
		if err != nil {
			t.Error(err)
			return
		}
		var req collector.ExportTraceServiceRequest
		if err := proto.Unmarshal(raw, &req); err != nil {
			t.Errorf("not OTLP: %v", err)
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		s.paths = append(s.paths, r.Method+" "+r.URL.Path)
		if s.status != http.StatusOK {
			rw.WriteHeader(s.status)
			return
		}
		for _, rs := range req.GetResourceSpans() {
			for _, a := range rs.GetResource().GetAttributes() {
				s.service[a.GetKey()] = a.GetValue().GetStringValue()
			}
			for _, ss := range rs.GetScopeSpans() {
				s.spans = append(s.spans, ss.GetSpans()...)
			}
		}
	}))
	t.Cleanup(s.Close)
	return s
}

// named are the spans of that name.
func (s *standIn) named(name string) []*otlp.Span {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(s.spans), func(p *otlp.Span) bool { return p.GetName() != name })
}

func attribute(p *otlp.Span, key string) string {
	for _, a := range p.GetAttributes() {
		if a.GetKey() == key {
			return a.GetValue().GetStringValue()
		}
	}
	return ""
}

func events(p *otlp.Span) []string {
	var names []string
	for _, e := range p.GetEvents() {
		names = append(names, e.GetName())
	}
	return names
}
