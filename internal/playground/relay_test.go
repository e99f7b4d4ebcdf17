package playground_test

import (
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/clickai/bridge/internal/playground"
)

// TestRelayPassesAll compares what comes through the relay with what ClickAI's side sent, byte for byte.
func TestRelayPassesAll(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", 300<<10)
	var own string
	up := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		switch {
		case strings.HasSuffix(r.URL.Path, "/chat-messages"):
			w.Header().Set("Content-Type", "text/event-stream")
			fmt.Fprintf(w, "event: ping\n\ndata: {\"event\":\"message\",\"answer\":\"%s\"}\n\ndata: {\"event\":\"message_file\",\"url\":\"%s/files/1\"}\n\n: done\n\ndata: no end", long, own)
		case strings.HasSuffix(r.URL.Path, "/messages"):
			w.Header().Set("Content-Type", "application/json")
			fmt.Fprintf(w, `{"url":"%s/files/2"}`, own)
		default:
			w.Header().Set("Content-Type", "text/plain")
			fmt.Fprintf(w, "%s %s %s %s", r.Method, r.URL, r.Header.Get("Authorization"), body)
		}
	}))
	defer up.Close()
	own = up.URL
	r, err := playground.NewRelay(up.URL+"/base", slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := r.Close(); err != nil {
			t.Error(err)
		}
	}()
	status, got, _ := ask(t, "POST", r.URL()+"/v1/chat-messages", nil, `{"query":"q"}`)
	want := "event: ping\n\ndata: {\"event\":\"message\",\"answer\":\"" + long + "\"}\n\ndata: {\"event\":\"message_file\",\"url\":\"" + r.URL() + "/files/1\"}\n\n: done\n\ndata: no end"
	if status != 200 || got != want {
		t.Errorf("status %d, %d bytes, want %d", status, len(got), len(want))
	}
	if _, got, _ := ask(t, "GET", r.URL()+"/v1/messages?x=1", nil, ""); got != `{"url":"`+r.URL()+`/files/2"}` {
		t.Errorf("history = %s", got)
	}
	if _, got, _ := ask(t, "PUT", r.URL()+"/v1/other?a=b", map[string]string{"Authorization": "Bearer k"}, "body"); got != "PUT /base/v1/other?a=b Bearer k body" {
		t.Errorf("other = %s", got)
	}
}

// TestRelayWithoutClickAI answers as a proxy does when nobody is behind it.
func TestRelayWithoutClickAI(t *testing.T) {
	t.Parallel()
	up := httptest.NewServer(http.NotFoundHandler())
	up.Close()
	r, err := playground.NewRelay(up.URL, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	if status, _, _ := ask(t, "POST", r.URL()+"/v1/chat-messages", nil, `{}`); status != http.StatusBadGateway {
		t.Errorf("status %d", status)
	}
	if err := r.Close(); err != nil {
		t.Error(err)
	}
	if _, err := playground.NewRelay("nonsense", nil); err == nil {
		t.Error("an address without a host is taken")
	}
}
