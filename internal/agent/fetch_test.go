package agent_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/clickai/bridge/core"
)

// TestFilesOfOthersNetworks: an app's file is fetched from its own host, and from the open internet; never from an address
// inside, named outright, by a name, or by a redirect. The fetch carries no key.
func TestFilesOfOthersNetworks(t *testing.T) {
	t.Parallel()
	inside := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		t.Errorf("%s inside was reached", r.URL.Path)
	}))
	t.Cleanup(inside.Close)
	byName := strings.Replace(inside.URL, "127.0.0.1", "localhost", 1)
	for _, tt := range []struct {
		name, url, redirect string
		class               core.Class
	}{
		{name: "own host", url: "/files/a.png"},
		{name: "redirect on the own host", url: "/redirect/a.png", redirect: "/files/a.png?signature=x"},
		{name: "inside", url: inside.URL + "/a.png", class: core.Invalid},
		{name: "inside by name", url: byName + "/a.png", class: core.Invalid},
		{name: "inside by mapped address", url: strings.Replace(inside.URL, "127.0.0.1", "[::ffff:127.0.0.1]", 1) + "/a.png", class: core.Invalid},
		{name: "metadata", url: "http://169.254.169.254/latest/meta-data/a.png", class: core.Invalid},
		{name: "redirect inside", url: "/redirect/a.png", redirect: inside.URL + "/a.png", class: core.Invalid},
		{name: "redirect inside by name", url: "/redirect/a.png", redirect: byName + "/a.png", class: core.Invalid},
		{name: "redirect to metadata", url: "/redirect/a.png", redirect: "http://169.254.169.254/a.png", class: core.Invalid},
		{name: "redirect to a file", url: "/redirect/a.png", redirect: "file:///etc/passwd", class: core.Transient},
		{name: "file", url: "file:///etc/passwd", class: core.Invalid},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			picture := onePixel(t)
			var mu sync.Mutex
			var wrong []string
			mux := http.NewServeMux()
			look := func(r *http.Request) {
				if r.Header.Get("Authorization") != "" || r.Header.Get("Referer") != "" || r.Header.Get("Cookie") != "" {
					mu.Lock()
					wrong = append(wrong, fmt.Sprint(r.URL.Path, r.Header))
					mu.Unlock()
				}
			}
			mux.HandleFunc("POST /v1/chat-messages", func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Type", "text/event-stream")
				_, _ = fmt.Fprintf(w, "data: {\"event\":\"message_file\",\"id\":\"f1\",\"type\":\"image\",\"belongs_to\":\"assistant\",\"url\":%q,\"conversation_id\":\"c\"}\n\n", tt.url)
				_, _ = fmt.Fprint(w, "data: {\"event\":\"message_end\",\"message_id\":\"m\",\"conversation_id\":\"c\",\"metadata\":{}}\n\n")
			})
			mux.HandleFunc("GET /files/a.png", func(w http.ResponseWriter, r *http.Request) {
				look(r)
				w.Header().Set("Content-Type", "image/png")
				_, _ = w.Write(picture)
			})
			mux.HandleFunc("GET /redirect/a.png", func(w http.ResponseWriter, r *http.Request) {
				look(r)
				http.Redirect(w, r, tt.redirect, http.StatusFound)
			})
			server := httptest.NewServer(mux)
			t.Cleanup(server.Close)
			h := ask(t, plainApp(t, server.URL), core.Question{})
			if h.err != nil || len(h.files) != 1 {
				t.Fatalf("%d files, %v", len(h.files), h.err)
			}
			f, err := h.files[0].File.Open(t.Context())
			if err == nil {
				_ = f.Close()
			}
			if tt.class == "" && err != nil || tt.class != "" && (err == nil || core.ClassOf(err) != tt.class) {
				t.Errorf("Open = %v, want class %v", err, tt.class)
			}
			if err != nil && strings.Contains(err.Error(), "signature") {
				t.Errorf("the address is shown: %v", err)
			}
			if len(wrong) > 0 {
				t.Errorf("requests for files say too much: %q", wrong)
			}
		})
	}
}
