package main

import (
	"errors"
	"log/slog"
	"net/http"
	"testing"
	"time"
)

// TestServerEndsRequests has a request that ends with its context alone.
func TestServerEndsRequests(t *testing.T) {
	t.Parallel()
	var s httpServer
	if s.addr() != "" || s.close() != nil {
		t.Errorf("one that was never started listens at %q, or cannot be closed", s.addr())
	}
	begun := make(chan struct{})
	hang := http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		close(begun)
		<-r.Context().Done()
	})
	if err := s.start(t.Context(), "test server", "127.0.0.1:0", hang, time.Minute, slog.New(slog.DiscardHandler)); err != nil {
		t.Fatal(err)
	}
	s.patience = time.Millisecond
	asked := make(chan error, 1)
	go func() {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+s.addr(), nil)
		if err == nil {
			var res *http.Response
			if res, err = http.DefaultTransport.RoundTrip(req); err == nil {
				err = errors.Join(errors.New("answered"), res.Body.Close())
			}
		}
		asked <- err
	}()
	<-begun
	if err := s.close(); err != nil {
		t.Errorf("close: %v", err)
	}
	if err := <-asked; err == nil || err.Error() == "answered" {
		t.Errorf("the request ended with %v, want a connection that was cut", err)
	}
}
