package clickai_test

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/clickai/bridge/clickai"
)

func TestErrorRows(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name    string
		status  int
		headers string // one "Name: value"
		ctype   string
		body    string
		want    clickai.Error // of the fields that the server decides
		text    string
		arrived bool
	}{
		{
			"guide's example", 400, "", "application/json", `{"code":"invalid_param","message":"The 'query' field is required","status":400}`,
			clickai.Error{Code: "invalid_param", Message: "The 'query' field is required"},
			"clickai: POST /v1/chat-messages: 400 invalid_param: The 'query' field is required", false,
		},
		{
			"params, status missing", 400, "", "application/json", `{"code":"invalid_param","message":"not a uuid","params":"conversation_id"}`,
			clickai.Error{Code: "invalid_param", Message: "not a uuid", Params: "conversation_id"},
			"", false,
		},
		{
			"message an object", 400, "", "application/json", `{"code":"bad_request","message":{"query":"missing"}}`,
			clickai.Error{Code: "bad_request", Message: `{"query":"missing"}`},
			"", false,
		},
		{"no message", 404, "", "application/json", `{"code":"not_found"}`, clickai.Error{Code: "not_found"}, "clickai: POST /v1/chat-messages: 404 not_found", false},
		{"401", 401, "WWW-Authenticate: Bearer", "application/json", `{"code":"unauthorized","message":"no"}`, clickai.Error{Code: "unauthorized", Message: "no"}, "", false},
		{"403", 403, "", "application/json", `{"code":"forbidden","message":"no","status":403}`, clickai.Error{Code: "forbidden", Message: "no"}, "", false},
		{"HTTP status wins over the body's", 502, "", "application/json", `{"code":"x","message":"m","status":400}`, clickai.Error{Code: "x", Message: "m"}, "", true},
		{"413 of HTML", 413, "", "text/html", `<html>too large</html>`, clickai.Error{}, "clickai: POST /v1/chat-messages: 413 Request Entity Too Large", false},
		{"408", 408, "", "", ``, clickai.Error{}, "", true},
		{"415", 415, "", "application/json", `{"code":"unsupported_media_type","message":""}`, clickai.Error{Code: "unsupported_media_type"}, "", false},
		{"429 with seconds", 429, "Retry-After: 7", "application/json", `{"code":"too_many_requests","message":"m"}`, clickai.Error{Code: "too_many_requests", Message: "m", RetryAfter: 7 * time.Second}, "", false},
		{"429 without", 429, "", "text/plain", `slow down`, clickai.Error{}, "", false},
		{"429 negative", 429, "Retry-After: -7", "", ``, clickai.Error{}, "", false},
		{"500", 500, "", "application/json", `{"message":"Internal Server Error","code":"unknown"}`, clickai.Error{Code: "unknown", Message: "Internal Server Error"}, "", true},
		{"503 with Retry-After", 503, "Retry-After: 1.5", "", ``, clickai.Error{RetryAfter: 1500 * time.Millisecond}, "", true},
		{"524, unknown to net/http", 524, "", "text/html", `<html>`, clickai.Error{}, "clickai: POST /v1/chat-messages: 524", true},
		{"JSON without a type", 400, "", "", `{"code":"c","message":"m"}`, clickai.Error{Code: "c", Message: "m"}, "", false},
		{"malformed JSON", 400, "", "application/json", `{"code":"c"`, clickai.Error{}, "", false},
		{"control characters", 400, "", "application/json", `{"code":"c","message":"a\nb\u001b[31m"}`, clickai.Error{Code: "c", Message: "a\nb\x1b[31m"}, "clickai: POST /v1/chat-messages: 400 c: a b [31m", false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			srv := newServer(t, func(w http.ResponseWriter, _ *http.Request) {
				if name, value, ok := strings.Cut(tt.headers, ": "); ok {
					w.Header().Set(name, value)
				}
				w.Header()["Content-Type"] = nil
				if tt.ctype != "" {
					w.Header().Set("Content-Type", tt.ctype)
				}
				w.WriteHeader(tt.status)
				_, _ = w.Write([]byte(tt.body))
			})
			c := newClient(t, srv.URL)
			_, blockingErr := c.Chat(t.Context(), ask)
			_, streamErr := c.ChatStream(t.Context(), ask)
			for _, err := range []error{blockingErr, streamErr} {
				e := wantError(t, err, clickai.KindStatus)
				if e.Status != tt.status || e.Code != tt.want.Code || e.Message != tt.want.Message || e.Params != tt.want.Params ||
					e.RetryAfter != tt.want.RetryAfter || e.ContentType != tt.ctype || string(e.Body) != tt.body {
					t.Errorf("got %#v\nwant %#v", e, tt.want)
				}
				if e.MayHaveArrived() != tt.arrived {
					t.Errorf("MayHaveArrived = %v", e.MayHaveArrived())
				}
				if tt.text != "" && e.Error() != tt.text {
					t.Errorf("Error() = %q, want %q", e.Error(), tt.text)
				}
			}
		})
	}
}

func TestErrorBodyIsBounded(t *testing.T) {
	t.Parallel()
	srv := newServer(t, func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(500)
		for r.Context().Err() == nil { // endless
			if _, err := w.Write(make([]byte, 4096)); err != nil {
				return
			}
		}
	})
	_, err := newClient(t, srv.URL).Chat(t.Context(), ask)
	if e := wantError(t, err, clickai.KindStatus); len(e.Body) != 64<<10 {
		t.Errorf("body of %d bytes", len(e.Body))
	}
}

// An error whose body never ends doesn't hold the caller for ever.
func TestErrorBodyThatStalls(t *testing.T) {
	t.Parallel()
	srv := newServer(t, func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(503)
		_, _ = w.Write([]byte(`{"code":`))
		w.(http.Flusher).Flush()
		<-r.Context().Done()
	})
	c := newClient(t, srv.URL, func(cfg *clickai.Config) { cfg.IdleTimeout = time.Second })
	_, err := c.ChatStream(t.Context(), ask)
	if e := wantError(t, err, clickai.KindStatus); e.Status != 503 || string(e.Body) != `{"code":` {
		t.Errorf("got %#v", e)
	}
}

func TestAnswerIsBounded(t *testing.T) {
	t.Parallel()
	srv := newServer(t, func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write([]byte(`{"answer":"` + strings.Repeat("x", 2000) + `"}`))
	})
	_, err := newClient(t, srv.URL, func(cfg *clickai.Config) { cfg.MaxLine = 1000 }).Chat(t.Context(), ask)
	wantKind(t, err, clickai.KindContent)
	if !errors.Is(err, clickai.ErrTooLong) {
		t.Errorf("err = %v, want it to say what is wrong", err)
	}
}

// A server that echoes the key doesn't get it into an error.
func TestErrorsHoldNoKey(t *testing.T) {
	t.Parallel()
	for _, status := range []int{200, 401} {
		srv := newServer(t, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(status)
			_, _ = fmt.Fprintf(w, `{"code":"unauthorized","message":"bad header %s"}`, r.Header.Get("Authorization"))
		})
		c := newClient(t, srv.URL)
		_, err := c.Chat(t.Context(), ask)
		e := wantError(t, err, clickai.KindStatus)
		if e.Status != http.StatusUnauthorized || !strings.Contains(e.Message, "[redacted]") {
			t.Errorf("got %#v", e)
		}
		_, streamErr := c.ChatStream(t.Context(), ask)
		if text := fmt.Sprintf("%v %+v %#v %s %v", err, err, err, e.Body, streamErr); strings.Contains(text, testKey) {
			t.Errorf("key in %s", text)
		}
	}
}

func TestKeyIsNotPrinted(t *testing.T) {
	t.Parallel()
	cfg := clickai.Config{BaseURL: "http://127.0.0.1:1", APIKey: testKey}
	ccfg := clickai.ConsoleConfig{BaseURL: "http://127.0.0.1:1", AccessToken: testKey}
	c, err := clickai.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	con, err := clickai.NewConsole(ccfg)
	if err != nil {
		t.Fatal(err)
	}
	_, callErr := c.Info(t.Context())
	var b strings.Builder
	for _, h := range []slog.Handler{slog.NewTextHandler(&b, nil), slog.NewJSONHandler(&b, nil)} {
		l := slog.New(h)
		for _, v := range []any{cfg, ccfg, c, con, callErr, &cfg} {
			l.Info("x", slog.Any("v", v))
		}
	}
	for _, v := range []any{cfg, &cfg, ccfg, c, con, callErr} {
		fmt.Fprintf(&b, "%v %+v %#v %s\n", v, v, v, v)
	}
	if strings.Contains(b.String(), testKey) {
		t.Errorf("key in %s", b.String())
	}
}

func TestUnsentErrors(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	closed := "http://" + l.Addr().String()
	_ = l.Close()
	tlsServer := httptest.NewTLSServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("request arrived") }))
	tlsServer.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelInfo)
	t.Cleanup(tlsServer.Close)
	plain := newServer(t, func(http.ResponseWriter, *http.Request) { t.Error("request arrived") })
	for name, url := range map[string]string{
		"connection refused": closed,
		"unknown authority":  tlsServer.URL,
		"TLS to plain HTTP":  strings.Replace(plain.URL, "http:", "https:", 1),
		"no such host":       "http://no-such-host.invalid",
	} {
		c := newClient(t, url, func(cfg *clickai.Config) { cfg.HTTPClient = &http.Client{Transport: &http.Transport{}} })
		_, err := c.ChatStream(t.Context(), ask)
		if e := wantError(t, err, clickai.KindUnsent); e.Err == nil || e.MayHaveArrived() || strings.Contains(e.Error(), "u1") {
			t.Errorf("%s: %v", name, e)
		}
	}
}

func TestBrokenAfterSent(t *testing.T) {
	t.Parallel()
	srv := newServer(t, func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) })
	c := newClient(t, srv.URL)
	_, err := c.ChatStream(t.Context(), ask)
	if e := wantError(t, err, clickai.KindBroken); !e.MayHaveArrived() {
		t.Errorf("%v: may have arrived", e)
	}
	_, err = c.Chat(t.Context(), ask)
	wantKind(t, err, clickai.KindBroken)
}

func TestCloseInMidAnswerIsBroken(t *testing.T) {
	t.Parallel()
	srv := newServer(t, func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write([]byte(`{"answer":"`))
		w.(http.Flusher).Flush()
		panic(http.ErrAbortHandler)
	})
	_, err := newClient(t, srv.URL).Chat(t.Context(), ask)
	wantKind(t, err, clickai.KindBroken)
}

// TestRetryAfterByTheServersClock asks for ten seconds in a date of a clock that is hours off.
func TestRetryAfterByTheServersClock(t *testing.T) {
	t.Parallel()
	for _, off := range []time.Duration{-3 * time.Hour, 0, 3 * time.Hour} {
		srv := newServer(t, func(w http.ResponseWriter, _ *http.Request) {
			now := time.Now().Add(off).UTC()
			w.Header().Set("Date", now.Format(http.TimeFormat))
			w.Header().Set("Retry-After", now.Add(10*time.Second).Format(http.TimeFormat))
			w.WriteHeader(http.StatusServiceUnavailable)
		})
		_, err := newClient(t, srv.URL).Info(t.Context())
		if e := wantError(t, err, clickai.KindStatus); e.RetryAfter != 10*time.Second {
			t.Errorf("clock off by %v: RetryAfter = %v, want 10s", off, e.RetryAfter)
		}
	}
}

func TestRetryAfter(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	year := 365 * 24 * time.Hour
	for in, want := range map[string]time.Duration{
		"": 0, "0": 0, "-5": 0, "5": 5 * time.Second, " 5 ": 5 * time.Second, "0.25": 250 * time.Millisecond,
		"soon": 0, "NaN": 0, "Inf": year, "1e300": year, "99999999999999999999": year, "-1e300": 0,
		"Fri, 02 Jan 2026 03:04:15 GMT":  10 * time.Second,
		"Friday, 02-Jan-26 03:05:05 GMT": time.Minute,
		"Fri, 02 Jan 2026 03:04:00 GMT":  0,
		"Fri, 02 Jan 2096 03:04:00 GMT":  year,
	} {
		if got := clickai.ParseRetryAfter(in, now); got != want {
			t.Errorf("ParseRetryAfter(%q) = %v, want %v", in, got, want)
		}
	}
}

func TestErrorText(t *testing.T) {
	t.Parallel()
	cause := errors.New("cause")
	for _, tt := range []struct {
		err  clickai.Error
		want string
	}{
		{clickai.Error{Kind: clickai.KindBroken, Method: "GET", Path: "/x", Err: cause}, "clickai: GET /x: broken: cause"},
		{clickai.Error{Kind: clickai.KindLimited, Err: cause}, "clickai: limited: cause"},
		{clickai.Error{Kind: 99}, "clickai: kind 99"},
		{clickai.Error{Kind: clickai.KindStatus, Status: 400, Message: strings.Repeat("é", 200)}, "clickai: 400: " + strings.Repeat("é", 150) + "…"},
	} {
		if got := tt.err.Error(); got != tt.want {
			t.Errorf("got %q, want %q", got, tt.want)
		}
	}
}
