package slack_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gorilla/websocket"
	slackgo "github.com/slack-go/slack"
	"github.com/slack-go/slack/socketmode"
	"go.uber.org/goleak"

	"github.com/clickai/bridge/internal/memnet"
	"github.com/clickai/bridge/internal/sim"
	"github.com/clickai/bridge/internal/sim/slack"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const patience = time.Minute

// start runs a workspace whose rate limits and deadlines are out of the way unless the test sets them: a busy machine takes long.
func start(t *testing.T, opt slack.Options) *slack.Server {
	t.Helper()
	if opt.AckDeadline == 0 {
		opt.AckDeadline = time.Hour
	}
	if opt.LimitScale == 0 && opt.Limits == (slack.Limits{}) {
		opt.LimitScale = 1000
	}
	s, err := slack.New(opt)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// virtual runs a test under virtual time, with a workspace that is reached over connections in memory.
func virtual(t *testing.T, opt slack.Options, test func(t *testing.T, s *slack.Server, connect func(ack func(socketmode.Event) bool) *app)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		l := memnet.Listen()
		opt.Listener = l
		s := start(t, opt)
		test(t, s, func(ack func(socketmode.Event) bool) *app { return connectBy(t, s, l.DialContext, ack) })
	})
}

// dialer opens connections; nil is the network's own.
type dialer func(ctx context.Context, network, address string) (net.Conn, error)

func httpClient() *http.Client { return httpClientBy(nil) }

func httpClientBy(dial dialer) *http.Client {
	return &http.Client{Timeout: patience, Transport: &http.Transport{DisableKeepAlives: true, DialContext: dial}}
}

// client is the real library, pointed at the stand-in.
func client(s *slack.Server) *slackgo.Client { return clientBy(s, nil) }

func clientBy(s *slack.Server, dial dialer) *slackgo.Client {
	return slackgo.New(s.BotToken(), slackgo.OptionAPIURL(s.APIURL()+"/"), slackgo.OptionAppLevelToken(s.AppToken()),
		slackgo.OptionHTTPClient(httpClientBy(dial)))
}

// await waits until ok holds, looking again at each change.
func await(t *testing.T, s *slack.Server, what string, ok func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	for {
		changed := s.Changed()
		if ok() {
			return
		}
		select {
		case <-changed:
		case <-ctx.Done():
			t.Fatalf("waited in vain for %s", what)
		}
	}
}

// say is a person's message, or the end of the test.
func say(t *testing.T, s *slack.Server, what sim.Say) sim.Message {
	t.Helper()
	if what.User == "" {
		what.User = slack.Minh
	}
	if what.Room == "" {
		what.Room = slack.General
	}
	m, err := s.Say(t.Context(), what)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func find(t *testing.T, s *slack.Server, room, ts string) sim.Message {
	t.Helper()
	m, ok := s.Find(sim.Ref{Room: room, ID: ts})
	if !ok {
		t.Fatalf("no message %s in %s", ts, room)
	}
	return m
}

// app is a Socket Mode app on the real library.
type app struct {
	mu   sync.Mutex
	seen []socketmode.Event
	wake chan struct{}
}

// connect runs a Socket Mode client until the test ends. ack says what is acknowledged; nil means everything.
func connect(t *testing.T, s *slack.Server, ack func(socketmode.Event) bool) *app {
	t.Helper()
	return connectBy(t, s, nil, ack)
}

func connectBy(t *testing.T, s *slack.Server, dial dialer, ack func(socketmode.Event) bool) *app {
	t.Helper()
	a := &app{wake: make(chan struct{}, 1)}
	sm := socketmode.New(clientBy(s, dial), socketmode.OptionDialer(&websocket.Dialer{NetDialContext: dial}))
	ctx, cancel := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	wg.Go(func() {
		if err := sm.RunContext(ctx); err != nil && !errors.Is(err, context.Canceled) {
			t.Errorf("socket mode: %v", err)
		}
	})
	wg.Go(func() {
		for {
			select {
			case <-ctx.Done():
				return
			case ev := <-sm.Events:
				// What was seen is noted first: who waits for the acknowledgement may look at it right then.
				a.mu.Lock()
				a.seen = append(a.seen, ev)
				a.mu.Unlock()
				if ev.Request != nil && ev.Request.EnvelopeID != "" && (ack == nil || ack(ev)) {
					if err := sm.AckCtx(ctx, ev.Request.EnvelopeID, nil); err != nil && ctx.Err() == nil {
						t.Errorf("ack: %v", err)
					}
				}
				select {
				case a.wake <- struct{}{}:
				default:
				}
			}
		}
	})
	t.Cleanup(func() { cancel(); wg.Wait() })
	return a
}

// events are the envelopes of one kind so far.
func (a *app) events(kind socketmode.EventType) []socketmode.Event {
	a.mu.Lock()
	defer a.mu.Unlock()
	var out []socketmode.Event
	for _, e := range a.seen {
		if e.Type == kind {
			out = append(out, e)
		}
	}
	return out
}

// await waits until the app has seen n envelopes of a kind.
func (a *app) await(t *testing.T, kind socketmode.EventType, n int) []socketmode.Event {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	for {
		if got := a.events(kind); len(got) >= n {
			return got
		}
		select {
		case <-a.wake:
		case <-ctx.Done():
			t.Fatalf("saw %d envelopes of kind %s, want %d", len(a.events(kind)), kind, n)
		}
	}
}

type reply struct {
	status int
	header http.Header
	body   map[string]any
}

// call posts a form to a method with the bot token.
func call(t *testing.T, s *slack.Server, method string, args ...string) reply {
	t.Helper()
	form := url.Values{"token": {s.BotToken()}}
	for i := 0; i < len(args); i += 2 {
		form.Set(args[i], args[i+1])
	}
	return send(t, s, method, "application/x-www-form-urlencoded", "", form.Encode())
}

// send makes one raw request.
func send(t *testing.T, s *slack.Server, method, kind, token, body string) reply {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.APIURL()+"/"+method, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if kind != "" {
		r.Header.Set("Content-Type", kind)
	}
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	resp, err := httpClient().Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	raw, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	out := reply{status: resp.StatusCode, header: resp.Header}
	if err := json.NewDecoder(bytes.NewReader(raw)).Decode(&out.body); err != nil {
		t.Fatalf("%s answered %q: %v", method, raw, err)
	}
	return out
}

func (r reply) err() string {
	code, _ := r.body["error"].(string)
	return code
}

func (r reply) str(key string) string {
	v, _ := r.body[key].(string)
	return v
}

// wantErr checks a library error's code.
func wantErr(t *testing.T, err error, code string) {
	t.Helper()
	if err == nil || err.Error() != code {
		t.Errorf("error %v, want %s", err, code)
	}
}

func wantClean(t *testing.T, s *slack.Server) {
	t.Helper()
	if v := s.Violations(); len(v) > 0 {
		t.Errorf("violations: %q", v)
	}
}

// wantViolation checks that a note with this text was made.
func wantViolation(t *testing.T, s *slack.Server, part string) {
	t.Helper()
	if !slices.ContainsFunc(s.Violations(), func(v string) bool { return strings.Contains(v, part) }) {
		t.Errorf("violations %q, want one with %q", s.Violations(), part)
	}
}
