package clickai_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/clickai/bridge/clickai"
)

func TestNewRefuses(t *testing.T) {
	t.Parallel()
	for name, cfg := range map[string]clickai.Config{
		"no key":            {},
		"key with newline":  {APIKey: "app-x\n"},
		"key with space":    {APIKey: "app x"},
		"key not ASCII":     {APIKey: "app-é"},
		"scheme":            {APIKey: testKey, BaseURL: "ftp://x.example"},
		"no scheme":         {APIKey: testKey, BaseURL: "api.clickai.io"},
		"no host":           {APIKey: testKey, BaseURL: "https:///v1"},
		"unreadable":        {APIKey: testKey, BaseURL: "http://user:secret@x.example:port"},
		"with a password":   {APIKey: testKey, BaseURL: "https://user:secret@x.example"},
		"with a query":      {APIKey: testKey, BaseURL: "https://x.example?a=secret"},
		"negative idle":     {APIKey: testKey, IdleTimeout: -1},
		"negative header":   {APIKey: testKey, HeaderTimeout: -1},
		"negative blocking": {APIKey: testKey, BlockingTimeout: -1},
		"negative call":     {APIKey: testKey, CallTimeout: -1},
		"negative bound":    {APIKey: testKey, MaxLine: -1},
	} {
		_, err := clickai.New(cfg)
		if err == nil {
			t.Errorf("%s: no error", name)
		} else if strings.Contains(err.Error(), "secret") || cfg.APIKey != "" && strings.Contains(err.Error(), cfg.APIKey) {
			t.Errorf("%s: secret in %v", name, err)
		}
	}
}

func TestBaseURLForms(t *testing.T) {
	t.Parallel()
	var path string
	srv := newServer(t, func(w http.ResponseWriter, r *http.Request) {
		path = r.URL.EscapedPath()
		_, _ = w.Write([]byte(`{}`))
	})
	for suffix, want := range map[string]string{
		"": "/v1/info", "/": "/v1/info", "/v1": "/v1/info", "/v1/": "/v1/info", "/my%20proxy/x/": "/my%20proxy/x/v1/info", "/a/v1": "/a/v1/info",
	} {
		if _, err := newClient(t, srv.URL+suffix).Info(t.Context()); err != nil {
			t.Fatal(err)
		}
		if path != want {
			t.Errorf("base %q: path %q, want %q", suffix, path, want)
		}
	}
}

func TestFileURL(t *testing.T) {
	t.Parallel()
	c := newClient(t, "https://api.example/pre")
	for in, want := range map[string]string{
		"/files/tools/ab.png?timestamp=1&sign=a%2Fb": "https://api.example/pre/files/tools/ab.png?timestamp=1&sign=a%2Fb",
		"files/x%2Fy":                    "https://api.example/pre/files/x%2Fy",
		"https://files.example/a?sign=3": "https://files.example/a?sign=3",
		"//files.example/a":              "https://files.example/a",
	} {
		u, err := c.FileURL(in)
		if err != nil || u.String() != want {
			t.Errorf("FileURL(%q) = %v, %v; want %s", in, u, err, want)
		}
	}
	for _, in := range []string{"", "file:///etc/passwd", "data:text/plain,x", "http:///x", "ht tp://x", "%zz"} {
		if u, err := c.FileURL(in); err == nil {
			t.Errorf("FileURL(%q) = %v, want an error", in, u)
		}
	}
}

// The key never follows a redirect to another origin, and a POST or DELETE is
// never repeated elsewhere.
func TestRedirects(t *testing.T) {
	t.Parallel()
	var elsewhere atomic.Int32
	other := newServer(t, func(w http.ResponseWriter, _ *http.Request) {
		elsewhere.Add(1)
		_, _ = w.Write([]byte(`{}`))
	})
	var srvURL string
	var posts atomic.Int32
	srv := newServer(t, func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/moved/v1/info":
			http.Redirect(w, r, srvURL+"/v1/info", http.StatusFound)
		case "/loop/v1/info":
			http.Redirect(w, r, srvURL+"/loop/v1/info", http.StatusFound)
		case "/away/v1/info":
			http.Redirect(w, r, other.URL+"/v1/info", http.StatusMovedPermanently)
		case "/v1/info":
			if r.Header.Get("Authorization") != "Bearer "+testKey {
				t.Error("key lost within the origin")
			}
			_, _ = w.Write([]byte(`{"name":"A"}`))
		default:
			posts.Add(1)
			http.Redirect(w, r, srvURL+"/v1/info", http.StatusTemporaryRedirect)
		}
	})
	srvURL = srv.URL

	info, err := newClient(t, srv.URL+"/moved").Info(t.Context())
	if err != nil || info.Name != "A" {
		t.Errorf("within the origin: %v, %v", info, err)
	}
	_, err = newClient(t, srv.URL+"/away").Info(t.Context())
	if e := wantError(t, err, clickai.KindStatus); e.Status != http.StatusMovedPermanently {
		t.Errorf("to another origin: %v", e)
	}
	_, err = newClient(t, srv.URL+"/loop").Info(t.Context())
	if e := wantError(t, err, clickai.KindStatus); e.Status != http.StatusFound {
		t.Errorf("loop: %v", e)
	}
	c := newClient(t, srv.URL)
	_, err = c.ChatStream(t.Context(), ask)
	if e := wantError(t, err, clickai.KindStatus); e.Status != http.StatusTemporaryRedirect {
		t.Errorf("POST: %v", e)
	}
	err = c.DeleteConversation(t.Context(), "c1", "u1")
	if e := wantError(t, err, clickai.KindStatus); e.Status != http.StatusTemporaryRedirect {
		t.Errorf("DELETE: %v", e)
	}
	if posts.Load() != 2 || elsewhere.Load() != 0 {
		t.Errorf("%d posts, %d requests elsewhere", posts.Load(), elsewhere.Load())
	}
}

func TestTimeouts(t *testing.T) {
	t.Parallel()
	arrived := make(chan struct{}, 10)
	hang := newServer(t, func(_ http.ResponseWriter, r *http.Request) {
		see(t, r)
		arrived <- struct{}{}
		<-r.Context().Done()
	})
	short := time.Second // a busy machine is to have sent the request by then
	c := newClient(t, hang.URL, func(cfg *clickai.Config) {
		// The caller's own client has a timeout that must not count for streams.
		cfg.HTTPClient = &http.Client{Transport: &http.Transport{}, Timeout: time.Millisecond}
		cfg.HeaderTimeout, cfg.BlockingTimeout, cfg.CallTimeout = short, short, short
	})
	var wg sync.WaitGroup
	for name, tt := range map[string]struct {
		call  func() error
		cause error
	}{
		"stream":   {func() error { _, err := c.ChatStream(t.Context(), ask); return err }, clickai.ErrHeaderTimeout},
		"blocking": {func() error { _, err := c.Chat(t.Context(), ask); return err }, clickai.ErrCallTimeout},
		"info":     {func() error { _, err := c.Info(t.Context()); return err }, clickai.ErrCallTimeout},
	} {
		wg.Go(func() {
			err := tt.call()
			if e, ok := errors.AsType[*clickai.Error](err); !ok || e.Kind != clickai.KindTimeout || !errors.Is(err, tt.cause) || !e.MayHaveArrived() {
				t.Errorf("%s: %v, want %v", name, err, tt.cause)
			}
			<-arrived
		})
	}
	wg.Wait()

	// The caller's own end is told apart from the client's timeouts.
	because := errors.New("user said stop")
	ctx, cancel := context.WithCancelCause(t.Context())
	over := make(chan struct{})
	wg.Go(func() {
		select {
		case <-arrived:
			cancel(because)
		case <-over:
		}
	})
	defer wg.Wait()
	defer close(over)
	slow := newClient(t, hang.URL)
	_, err := slow.ChatStream(ctx, ask)
	wantKind(t, err, clickai.KindBroken)
	if !errors.Is(err, context.Canceled) || !errors.Is(err, because) {
		t.Errorf("cancelled: %v", err)
	}
	// A context that has ended before sends nothing.
	_, err = slow.ChatStream(ctx, ask)
	wantKind(t, err, clickai.KindUnsent)
	if !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled before: %v", err)
	}
}

func TestUserAgent(t *testing.T) {
	t.Parallel()
	var got string
	srv := newServer(t, func(w http.ResponseWriter, r *http.Request) {
		got = r.UserAgent()
		_, _ = w.Write([]byte(`{}`))
	})
	if _, err := newClient(t, srv.URL).Info(t.Context()); err != nil || got != "clickai-go" {
		t.Errorf("got %q, %v", got, err)
	}
	c := newClient(t, srv.URL, func(cfg *clickai.Config) { cfg.UserAgent = "bridge/1" })
	if _, err := c.Info(t.Context()); err != nil || got != "bridge/1" {
		t.Errorf("got %q, %v", got, err)
	}
}
