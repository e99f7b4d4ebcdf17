package playground_test

import (
	"bufio"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/clickai/bridge/internal/playground"
	"github.com/clickai/bridge/internal/sim"
	"github.com/clickai/bridge/internal/sim/telegram"
)

// serve starts a world whose bridge is never started.
func serve(t *testing.T) *playground.World {
	t.Helper()
	w, err := playground.Open(playground.WorldOptions{
		Dir: t.TempDir(), Log: slog.New(slog.DiscardHandler), Command: func(string) *exec.Cmd { return exec.Command("false") },
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := w.Close(); err != nil {
			t.Error(err)
		}
	})
	return w
}

// ask makes a request and returns the status and the body.
func ask(t *testing.T, method, target string, header map[string]string, body string) (int, string, http.Header) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, target, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for k, v := range header {
		if k == "Host" {
			req.Host = v
		}
		req.Header.Set(k, v)
	}
	res, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	data, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res.StatusCode, string(data), res.Header
}

var tokenIn = regexp.MustCompile(`name="token" content="([^"]+)"`)

func TestGuard(t *testing.T) {
	t.Parallel()
	w := serve(t)
	base := w.Server.URL()
	port := base[strings.LastIndexByte(base, ':')+1 : len(base)-1]
	_, page, header := ask(t, "GET", base, nil, "")
	m := tokenIn.FindStringSubmatch(page)
	if m == nil {
		t.Fatal("the page has no token")
	}
	for _, want := range []string{"default-src 'none'", "script-src 'self'", "style-src 'self'", "frame-ancestors 'none'", "connect-src 'self'"} {
		if !strings.Contains(header.Get("Content-Security-Policy"), want) {
			t.Errorf("the policy lacks %q: %s", want, header.Get("Content-Security-Policy"))
		}
	}
	if strings.Contains(header.Get("Content-Security-Policy"), "unsafe") || header.Get("X-Content-Type-Options") != "nosniff" {
		t.Errorf("headers = %v", header)
	}
	say := `{"p":"telegram","room":"` + telegram.Minh + `","user":"` + telegram.Minh + `","text":"hello"}`
	for _, x := range []struct {
		name, method, path string
		header             map[string]string
		want               int
	}{
		{"with its token", "POST", "api/say", map[string]string{"X-Playground-Token": m[1]}, 200},
		{"of its own origin", "POST", "api/say", map[string]string{"X-Playground-Token": m[1], "Origin": "http://127.0.0.1:" + port, "Sec-Fetch-Site": "same-origin"}, 200},
		{"without a token", "POST", "api/say", nil, 403},
		{"with another token", "POST", "api/say", map[string]string{"X-Playground-Token": "AAAA"}, 403},
		{"of another origin", "POST", "api/say", map[string]string{"X-Playground-Token": m[1], "Origin": "https://evil.example"}, 403},
		{"of another port", "POST", "api/say", map[string]string{"X-Playground-Token": m[1], "Origin": "http://127.0.0.1:1"}, 403},
		{"of another site", "POST", "api/say", map[string]string{"X-Playground-Token": m[1], "Sec-Fetch-Site": "cross-site"}, 403},
		{"under a foreign name", "GET", "", map[string]string{"Host": "evil.example:" + port}, 421},
		{"under another port", "GET", "", map[string]string{"Host": "127.0.0.1:1"}, 421},
		{"under a foreign address", "GET", "", map[string]string{"Host": "192.0.2.1:" + port}, 421},
		{"under localhost", "GET", "", map[string]string{"Host": "localhost:" + port}, 200},
		{"what is told, by another site", "GET", "api/events", map[string]string{"Sec-Fetch-Site": "cross-site"}, 403},
		{"a link from elsewhere", "GET", "", map[string]string{"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"}, 200},
		{"an embedded page", "GET", "api/boot", map[string]string{"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"}, 403},
		{"no such page", "GET", "assets/server.go", nil, 404},
		{"nothing outside", "GET", "assets/..%2Fserver.go", nil, 404},
		{"no such file", "GET", "file?p=slack&room=x&id=1&n=0", nil, 404},
		{"reading what is to be written", "GET", "api/say", nil, 405},
	} {
		t.Run(x.name, func(t *testing.T) {
			body := ""
			if x.method == "POST" {
				body = say
			}
			if got, text, _ := ask(t, x.method, base+x.path, x.header, body); got != x.want {
				t.Errorf("status %d, want %d: %s", got, x.want, text)
			}
		})
	}
	if n := len(w.Set.Telegram.Messages(telegram.Minh, "")); n != 2 {
		t.Errorf("%d messages were written, not 2", n)
	}
}

// TestActs does what is refused; each says why.
func TestActs(t *testing.T) {
	t.Parallel()
	w := serve(t)
	base := w.Server.URL()
	_, page, _ := ask(t, "GET", base, nil, "")
	header := map[string]string{"X-Playground-Token": tokenIn.FindStringSubmatch(page)[1]}
	for _, x := range []struct{ name, path, body, says string }{
		{"no JSON", "say", "hello", "JSON"},
		{"no platform", "say", "{}", "platform"},
		{"unknown platform", "say", `{"p":"irc"}`, "irc"},
		{"no such room", "say", `{"p":"slack","room":"C1","user":"U1","text":"x"}`, "C1"},
		{"no such message", "react", `{"p":"discord","room":"1","id":"2","user":"3","emoji":"👍","on":true}`, "react"},
		{"no such button", "press", `{"p":"telegram","room":"` + telegram.Minh + `","id":"1","user":"` + telegram.Minh + `"}`, "button"},
		{"a thread where there is none", "thread", `{"p":"slack"}`, "first message"},
		{"an unknown fault", "fault", `{"p":"slack","kind":"fire"}`, "fire"},
		{"no form", "form", `{"p":"discord","id":"1"}`, "closed"},
		{"no tour", "tour", `{}`, "tour"},
		{"nonsense of the bridge", "bridge", `{"kind":"dance"}`, "dance"},
	} {
		t.Run(x.name, func(t *testing.T) {
			status, text, _ := ask(t, "POST", base+"api/"+x.path, header, x.body)
			var out struct{ Error string }
			if err := json.Unmarshal([]byte(text), &out); err != nil || status != 422 || !strings.Contains(out.Error, x.says) {
				t.Errorf("status %d: %s; want an error about %q", status, text, x.says)
			}
		})
	}
}

// TestEventsGoOn reads the stream, breaks it, and goes on where it was.
func TestEventsGoOn(t *testing.T) {
	t.Parallel()
	w := serve(t)
	read := func(last string, until ...string) (id, data string) {
		req, err := http.NewRequestWithContext(t.Context(), "GET", w.Server.URL()+"api/events", nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Last-Event-ID", last)
		res, err := http.DefaultTransport.RoundTrip(req)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = res.Body.Close() }()
		in := bufio.NewScanner(res.Body)
		in.Buffer(nil, 8<<20)
		for in.Scan() {
			if v, ok := strings.CutPrefix(in.Text(), "id: "); ok {
				id = v
			}
			if v, ok := strings.CutPrefix(in.Text(), "data: "); ok {
				data += v
				if !slices.ContainsFunc(until, func(want string) bool { return !strings.Contains(data, want) }) {
					return id, data
				}
			}
		}
		t.Fatalf("the stream ended without %q: %v", until, in.Err())
		return "", ""
	}
	id, first := read("", `"c|slack"`, `"c|discord"`, `"c|telegram"`)
	if !strings.Contains(first, `"reset":true`) {
		t.Errorf("the first update is no reset: %.200s", first)
	}
	if _, err := w.Set.Telegram.Say(t.Context(), sim.Say{Room: telegram.Minh, User: telegram.Minh, Text: "while you were away"}); err != nil {
		t.Fatal(err)
	}
	if _, next := read(id, "while you were away"); strings.Contains(next, "reset") || strings.Contains(next, `"p|slack|C0SUPPORT1|"`) {
		t.Errorf("what was known is told again: %.300s", next)
	}
	if _, other := read("ABC-5", `"c|telegram"`); !strings.Contains(other, `"reset":true`) {
		t.Error("the number of another run is believed")
	}
}

// TestElsewhere listens on all addresses: the page says so, and is served under any address of this machine but no foreign name.
func TestElsewhere(t *testing.T) {
	t.Parallel()
	w := serve(t)
	if !w.Server.Loopback() {
		t.Error("a page on 127.0.0.1 is said to be reached from elsewhere")
	}
	s, err := playground.New(playground.Options{Listen: "0.0.0.0:0", Set: w.Set, Relay: w.Relay})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}()
	if s.Loopback() || !strings.HasPrefix(s.URL(), "http://127.0.0.1:") {
		t.Errorf("the page at %s is said to be on loopback alone", s.URL())
	}
	port := s.URL()[strings.LastIndexByte(s.URL(), ':')+1 : len(s.URL())-1]
	for host, want := range map[string]int{"192.0.2.1:" + port: 200, "evil.example:" + port: 421, "192.0.2.1:1": 421} {
		if got, _, _ := ask(t, "GET", s.URL(), map[string]string{"Host": host}, ""); got != want {
			t.Errorf("under %s: status %d, want %d", host, got, want)
		}
	}
}

// TestFallback takes a free port where the wanted one is taken.
func TestFallback(t *testing.T) {
	t.Parallel()
	w := serve(t)
	u, err := url.Parse(w.Server.URL())
	if err != nil {
		t.Fatal(err)
	}
	opt := playground.Options{Listen: u.Host, Set: w.Set, Relay: w.Relay}
	if s, err := playground.New(opt); err == nil {
		t.Error("two pages are served under one address", s.Close())
	}
	opt.Fallback = true
	s, err := playground.New(opt)
	if err != nil {
		t.Fatal(err)
	}
	if s.URL() == w.Server.URL() {
		t.Error("two pages have one address")
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
}
