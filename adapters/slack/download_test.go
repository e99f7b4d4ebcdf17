package slack_test

import (
	"compress/gzip"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/clickai/bridge/adapters/slack"
	"github.com/clickai/bridge/core"
)

// TestDownload: a file is fetched as it is, never inflated on the way, and the token follows no address and no redirect away
// from the server.
func TestDownload(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name     string
		address  string // "": on the server
		redirect bool
		class    core.Class
	}{
		{name: "own host"},
		{name: "foreign host", address: "https://files.example/a", class: core.Unsupported},
		{name: "host that looks alike", address: "https://files.slack.com.example/a", class: core.Unsupported},
		{name: "Slack's host in the open", address: "http://files.slack.com/a", class: core.Unsupported},
		{name: "metadata", address: "http://169.254.169.254/a", class: core.Unsupported},
		{name: "redirect to a foreign host", redirect: true, class: core.Unsupported},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			foreign := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
				t.Errorf("%s was asked of a foreign host, token %q", r.URL.Path, r.Header.Get("Authorization"))
			}))
			t.Cleanup(foreign.Close)
			var mu sync.Mutex
			address := tt.address
			mux := http.NewServeMux()
			server := httptest.NewServer(mux)
			t.Cleanup(server.Close)
			mux.HandleFunc("/api/files.info", func(w http.ResponseWriter, _ *http.Request) {
				mu.Lock()
				defer mu.Unlock()
				if address == "" {
					address = server.URL + "/file"
				}
				_, _ = fmt.Fprintf(w, `{"ok":true,"file":{"id":"F0FILE0001","name":"a.txt","url_private_download":%q}}`, address)
			})
			mux.HandleFunc("/file", func(w http.ResponseWriter, r *http.Request) {
				if tt.redirect {
					http.Redirect(w, r, foreign.URL+"/file", http.StatusFound)
					return
				}
				if !strings.Contains(r.Header.Get("Accept-Encoding"), "gzip") {
					_, _ = io.WriteString(w, "plain")
					return
				}
				w.Header().Set("Content-Encoding", "gzip")
				z := gzip.NewWriter(w)
				_, _ = io.WriteString(z, "inflated")
				_ = z.Close()
			})
			p := newBot(t, slack.Config{BotToken: "xoxb-1", AppToken: "xapp-1", APIURL: server.URL + "/api"})
			body, err := p.OpenAttachment(t.Context(), core.Attachment{Ref: "F0FILE0001"})
			if tt.class != "" {
				if err == nil || core.ClassOf(err) != tt.class {
					t.Errorf("OpenAttachment = %v, want %s", err, tt.class)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = body.Close() }()
			if got, err := io.ReadAll(body); err != nil || string(got) != "plain" {
				t.Errorf("the file is %q, %v", got, err)
			}
		})
	}
}
