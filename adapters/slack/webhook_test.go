package slack_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/clickai/bridge/adapters/slack"
	"github.com/clickai/bridge/core"
	sim "github.com/clickai/bridge/internal/sim"
	simslack "github.com/clickai/bridge/internal/sim/slack"
)

// overHTTP is the configuration of a bot without sockets.
func overHTTP(s *simslack.Server) slack.Config {
	c := config(s)
	c.AppToken, c.SigningSecret = "", core.Secret(s.SigningSecret())
	return c
}

// served is the address of a bot's webhook.
func served(t testing.TB, p *slack.Platform) string {
	t.Helper()
	server := httptest.NewServer(p.Webhook())
	t.Cleanup(server.Close)
	return server.URL
}

// listening is a bot without sockets that runs and gets its events by HTTP.
func listening(t testing.TB, o simslack.Options) (*simslack.Server, *slack.Platform, *host) {
	t.Helper()
	s := newSim(t, o)
	p, h := newBot(t, overHTTP(s)), newHost()
	start(t, p, h)
	h.waitUp(t, 1)
	if err := s.SetRequestURL(t.Context(), served(t, p)); err != nil {
		t.Fatal(err)
	}
	return s, p, h
}

// request is a signed request of Slack's; change it before it is sent.
func request(t testing.TB, to string, body []byte) *http.Request {
	t.Helper()
	q, err := http.NewRequestWithContext(t.Context(), http.MethodPost, to, bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	sign(q, simslack.DefaultSigningSecret, time.Now(), body)
	q.Header.Set("Content-Type", "application/json")
	return q
}

func sign(q *http.Request, secret string, at time.Time, body []byte) {
	ts, sig := simslack.Sign(secret, at, body)
	q.Header.Set("X-Slack-Request-Timestamp", ts)
	q.Header.Set("X-Slack-Signature", sig)
}

// send sends a request and returns what was answered.
func send(t testing.TB, q *http.Request) (status int, body string) {
	t.Helper()
	resp, err := http.DefaultTransport.(*http.Transport).Clone().RoundTrip(q) //nolint:forcetypeassert // it is one
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	raw, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(raw)
}

// direct is the payload of a direct message.
func direct(text string) []byte {
	ts := fmt.Sprintf("%d.000100", time.Now().Unix())
	return fmt.Appendf(nil, `{"type":"event_callback","team_id":%q,"event_id":"Ev1","event":{"type":"message","channel":%q,`+
		`"channel_type":"im","user":%q,"ts":%q,"text":%q}}`, simslack.DefaultTeamID, simslack.DM(simslack.Minh), simslack.Minh, ts, text)
}

// TestWebhook holds that without sockets all kinds of events come, as they do with them.
func TestWebhook(t *testing.T) {
	t.Parallel()
	s, p, h := listening(t, simslack.Options{})
	clean(t, s)
	said := say(t, s, sim.Say{Room: simslack.General, User: simslack.Minh, Text: "hello & all", Mention: true})
	allAcked(t, s)
	for _, ev := range h.all(core.KindMessage) { // a mention raises two events
		if ev.Key != "m:"+simslack.DefaultTeamID+":"+simslack.General+":"+said.ID || ev.Text != "hello & all" || ev.Reach != core.ReachMention {
			t.Errorf("event %+v", ev)
		}
	}
	if n := len(h.all(core.KindMessage)); n != 2 {
		t.Errorf("%d events of a mention, want 2", n)
	}
	if err := s.Edit(t.Context(), said.Ref, simslack.Minh, "hello"); err != nil {
		t.Fatal(err)
	}
	if ev := h.event(t, core.KindEdit, 1); ev.Text != "hello" || ev.MessageID != said.ID {
		t.Errorf("edit %+v", ev)
	}
	answer := post(t, p, core.Place{Room: simslack.General, Thread: said.ID}, "an answer")
	if err := s.React(t.Context(), sim.Ref{Room: answer.Room, ID: answer.ID}, simslack.Anna, "👍"); err != nil {
		t.Fatal(err)
	}
	if ev := h.event(t, core.KindReaction, 1); ev.MessageID != answer.ID || ev.Reaction.Emoji != "👍" || !ev.Reaction.Added {
		t.Errorf("reaction %+v", ev)
	}
	if err := s.Delete(t.Context(), said.Ref, simslack.Minh); err != nil {
		t.Fatal(err)
	}
	if ev := h.event(t, core.KindDelete, 1); ev.MessageID != said.ID {
		t.Errorf("deletion %+v", ev)
	}
	if err := s.Raise(sim.Ref{Room: simslack.General}, []byte(`{"type":"entirely_new","channel":{"id":"C1"}}`)); err != nil {
		t.Fatal(err)
	}
	if err := s.Command(t.Context(), simslack.Minh, simslack.General, "/clickai", "help"); err != nil {
		t.Fatal(err)
	}
	if ev := h.event(t, core.KindCommand, 1); ev.Command.Name != "help" {
		t.Errorf("command %+v", ev)
	}
	allAcked(t, s)
	if s.Sockets() != 0 {
		t.Errorf("%d sockets without an app token", s.Sockets())
	}
	for _, d := range s.Deliveries() {
		if d.Lost || d.Attempts != 1 {
			t.Errorf("delivery %s was sent %d times, lost %t", d.Event, d.Attempts, d.Lost)
		}
	}
}

// TestWebhookRefuses holds that nobody but Slack is heard, and who else asks learns nothing.
func TestWebhookRefuses(t *testing.T) {
	t.Parallel()
	s := newSim(t, simslack.Options{})
	p, h := newBot(t, overHTTP(s)), newHost()
	start(t, p, h)
	h.waitUp(t, 1)
	to := served(t, p)
	squeezed := func(body []byte) []byte {
		var out bytes.Buffer
		w := gzip.NewWriter(&out)
		_, _ = w.Write(body)
		_ = w.Close()
		return out.Bytes()
	}
	body := direct("let me in")
	large := append(slices.Clone(body), bytes.Repeat([]byte(" "), 1<<20)...)
	tests := []struct {
		name   string
		body   []byte
		change func(q *http.Request)
		status int
	}{
		{name: "another secret", change: func(q *http.Request) { sign(q, "another", time.Now(), body) }, status: 401},
		{name: "signature of another body", change: func(q *http.Request) { sign(q, simslack.DefaultSigningSecret, time.Now(), direct("x")) }, status: 401},
		{name: "six minutes old", change: func(q *http.Request) { sign(q, simslack.DefaultSigningSecret, time.Now().Add(-6*time.Minute), body) }, status: 401},
		{name: "six minutes early", change: func(q *http.Request) { sign(q, simslack.DefaultSigningSecret, time.Now().Add(6*time.Minute), body) }, status: 401},
		{name: "another time", change: func(q *http.Request) {
			q.Header.Set("X-Slack-Request-Timestamp", fmt.Sprint(time.Now().Unix()-7))
		}, status: 401},
		{name: "no time", change: func(q *http.Request) { q.Header.Del("X-Slack-Request-Timestamp") }, status: 401},
		{name: "no number", change: func(q *http.Request) { q.Header.Set("X-Slack-Request-Timestamp", "now") }, status: 401},
		{name: "no signature", change: func(q *http.Request) { q.Header.Del("X-Slack-Signature") }, status: 401},
		{name: "empty signature", change: func(q *http.Request) { q.Header.Set("X-Slack-Signature", "v0=") }, status: 401},
		{name: "half a signature", change: func(q *http.Request) {
			q.Header.Set("X-Slack-Signature", q.Header.Get("X-Slack-Signature")[:20])
		}, status: 401},
		{name: "no hexadecimals", change: func(q *http.Request) { q.Header.Set("X-Slack-Signature", "v0="+strings.Repeat("z", 64)) }, status: 401},
		{name: "another version", change: func(q *http.Request) {
			q.Header.Set("X-Slack-Signature", "v1"+q.Header.Get("X-Slack-Signature")[2:])
		}, status: 401},
		{name: "challenge without signature", body: []byte(`{"type":"url_verification","challenge":"c"}`), change: func(q *http.Request) { q.Header.Del("X-Slack-Signature") }, status: 401},
		{name: "too large", body: large, status: 413},
		{name: "compressed", body: squeezed(body), change: func(q *http.Request) { q.Header.Set("Content-Encoding", "gzip") }, status: 415},
		{name: "GET", change: func(q *http.Request) { q.Method = http.MethodGet }, status: 405},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if tt.body == nil {
				tt.body = body
			}
			q := request(t, to, tt.body)
			if tt.change != nil {
				tt.change(q)
			}
			status, said := send(t, q)
			if status != tt.status || said != "" {
				t.Errorf("answered %d %q, want %d and nothing more", status, said, tt.status)
			}
		})
	}
	if all := h.all(""); len(all) != 0 {
		t.Errorf("events %+v of nobody", all)
	}
	if status, _ := send(t, request(t, to, body)); status != 200 || len(h.all(core.KindMessage)) != 1 {
		t.Errorf("the right request was answered with %d", status)
	}
}

// TestWebhookTakes holds that what Slack signs is acknowledged, whatever it is.
func TestWebhookTakes(t *testing.T) {
	t.Parallel()
	s := newSim(t, simslack.Options{})
	p, h := newBot(t, overHTTP(s)), newHost()
	start(t, p, h)
	h.waitUp(t, 1)
	to := served(t, p)
	const form = "application/x-www-form-urlencoded"
	tests := []struct {
		name, kind, body, answer string
	}{
		{"challenge", "application/json", `{"type":"url_verification","challenge":"3eZbrw1aB10"}`, `{"challenge":"3eZbrw1aB10"}`},
		{"no JSON", "application/json", `{"type":`, ""},
		{"nothing", "application/json", ``, ""},
		{"unknown callback", "application/json", `{"type":"something_new"}`, ""},
		{"unknown event", "application/json; charset=utf-8", `{"type":"event_callback","event":{"type":"something_new"}}`, ""},
		{"event of an odd shape", "application/json", `{"type":"event_callback","event":[7]}`, ""},
		{"unknown type of body", "text/plain", `hello`, ""},
		{"button", form, url.Values{"payload": {`{"type":"block_actions","actions":[{"action_id":"x"}]}`}}.Encode(), ""},
		{"unknown interaction", form, url.Values{"payload": {`{"type":"hologram"}`}}.Encode(), ""},
		{"command of nobody", form, "command=%2Fclickai&text=help&response_url=https%3A%2F%2Fevil.example", ""},
		{"check of the certificate", form, "ssl_check=1&token=x", ""},
		{"broken form", form, "%zz=%", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			q := request(t, to, []byte(tt.body))
			q.Header.Set("Content-Type", tt.kind)
			status, said := send(t, q)
			if status != http.StatusOK || !strings.Contains(said, tt.answer) || tt.answer == "" && said != "" {
				t.Errorf("answered %d %q, want 200 and %q", status, said, tt.answer)
			}
		})
	}
	if all := h.all(""); len(all) != 0 {
		t.Errorf("events %+v, want none", all)
	}
}

// TestWebhookDurableFirst holds that nothing is acknowledged that the store does not have, and that retries are taken.
func TestWebhookDurableFirst(t *testing.T) {
	t.Parallel()
	s, _, h := listening(t, simslack.Options{Retries: []time.Duration{0, 20 * time.Millisecond, 20 * time.Millisecond}})
	clean(t, s)
	h.setRefuse(func(ev core.Event) error {
		if h.seen[ev.Key] < 3 { // the host is locked
			return errors.New("disk full")
		}
		return nil
	})
	said := say(t, s, sim.Say{Room: simslack.DM(simslack.Minh), User: simslack.Minh, Text: "hi"})
	if ev := h.event(t, core.KindMessage, 1); ev.MessageID != said.ID {
		t.Errorf("event %+v", ev)
	}
	allAcked(t, s)
	if d := s.Deliveries(); len(d) != 1 || !d[0].Acked || d[0].Attempts != 3 {
		t.Errorf("deliveries %+v, want one that is acknowledged at its third try", d)
	}
	if err := s.Redeliver(said.Ref); err != nil {
		t.Fatal(err)
	}
	again := h.event(t, core.KindMessage, 2)
	if first := h.all(core.KindMessage)[0]; again.Key != first.Key {
		t.Errorf("the retry has key %q, want %q", again.Key, first.Key)
	}
	allAcked(t, s)
}

// TestWebhookSlowStore holds that Slack is answered before it gives up, though the store is slow.
func TestWebhookSlowStore(t *testing.T) {
	t.Parallel()
	s := newSim(t, simslack.Options{})
	p, h := newBot(t, overHTTP(s)), newHost()
	slack.WebhookWait(p, 50*time.Millisecond)
	entered, gate := make(chan struct{}), make(chan struct{})
	h.setRefuse(func(core.Event) error {
		close(entered)
		<-gate
		return nil
	})
	start(t, p, h)
	h.waitUp(t, 1)
	status, _ := send(t, request(t, served(t, p), direct("hi")))
	if status != http.StatusServiceUnavailable {
		t.Errorf("answered %d before the event was stored, want 503", status)
	}
	<-entered
	close(gate)
	h.event(t, core.KindMessage, 1)
}

// TestWebhookNotRunning holds that requests come again while the bot does not run, and that its address can be entered.
func TestWebhookNotRunning(t *testing.T) {
	t.Parallel()
	s := newSim(t, simslack.Options{})
	p := newBot(t, overHTTP(s))
	to := served(t, p)
	look := func(when string, want int) {
		t.Helper()
		if status, _ := send(t, request(t, to, direct(when))); status != want {
			t.Errorf("%s: %d, want %d", when, status, want)
		}
		if _, said := send(t, request(t, to, []byte(`{"type":"url_verification","challenge":"abc"}`))); !strings.Contains(said, "abc") {
			t.Errorf("%s: the challenge is answered with %q", when, said)
		}
	}
	look("before", http.StatusServiceUnavailable)
	h := newHost()
	stop := start(t, p, h)
	h.waitUp(t, 1)
	look("meanwhile", http.StatusOK)
	if err := stop(); err != nil {
		t.Fatal(err)
	}
	look("after", http.StatusServiceUnavailable)
	if got := h.texts(); !slices.Equal(got, []string{"meanwhile"}) {
		t.Errorf("messages %q", got)
	}
	if newBot(t, config(s)).Webhook() != nil {
		t.Error("a bot without a signing secret has a webhook")
	}
}

// TestWebhookState holds what the host is told: connected when Slack knows the token, and why not when it does not.
func TestWebhookState(t *testing.T) {
	t.Parallel()
	s := newSim(t, simslack.Options{})
	s.Faults().Add(sim.Fault{Match: "auth.test", Status: http.StatusBadGateway, Body: "<html>", Times: 2})
	h := newHost()
	start(t, newBot(t, overHTTP(s)), h)
	h.waitUp(t, 1)
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(h.errs) == 0 || h.errs[0] == nil {
		t.Errorf("the host was told of %v, want to hear why it was not connected at first", h.errs)
	}
}

// TestWebhookBesideSockets holds that a bot may have both, and that an event is the same either way.
func TestWebhookBesideSockets(t *testing.T) {
	t.Parallel()
	s := newSim(t, simslack.Options{})
	clean(t, s)
	c := config(s)
	c.SigningSecret = core.Secret(s.SigningSecret())
	p, h := newBot(t, c), newHost()
	start(t, p, h)
	h.waitUp(t, 1)
	said := say(t, s, sim.Say{Room: simslack.DM(simslack.Minh), User: simslack.Minh, Text: "hi"})
	first := h.event(t, core.KindMessage, 1)
	allAcked(t, s)
	if err := s.SetRequestURL(t.Context(), served(t, p)); err != nil {
		t.Fatal(err)
	}
	if err := s.Redeliver(said.Ref); err != nil {
		t.Fatal(err)
	}
	if again := h.event(t, core.KindMessage, 2); fmt.Sprintf("%+v", again) != fmt.Sprintf("%+v", first) {
		t.Errorf("over HTTP %+v, over a socket %+v", again, first)
	}
	allAcked(t, s)
}

// TestWebhookCatchUp holds that what was said while the bridge was down is found without sockets too.
func TestWebhookCatchUp(t *testing.T) {
	t.Parallel()
	s := newSim(t, simslack.Options{Retries: []time.Duration{}})
	h := newHost()
	h.cursors["until"] = slack.TSOf(time.Now().Add(-time.Minute))
	said := say(t, s, sim.Say{Room: simslack.DM(simslack.Minh), User: simslack.Minh, Text: "missed"})
	start(t, newBot(t, overHTTP(s)), h)
	if ev := h.event(t, core.KindMessage, 1); ev.MessageID != said.ID {
		t.Errorf("event %+v", ev)
	}
}

// TestWebhookOutage holds that the history is read when a late retry tells that requests did not come through for long.
func TestWebhookOutage(t *testing.T) {
	t.Parallel()
	s := newSim(t, simslack.Options{AckDeadline: time.Second, Retries: []time.Duration{}})
	p, h := newBot(t, overHTTP(s)), newHost()
	start(t, p, h)
	h.waitUp(t, 1)
	to := served(t, p)
	if err := s.SetRequestURL(t.Context(), to); err != nil {
		t.Fatal(err)
	}
	say(t, s, sim.Say{Room: simslack.DM(simslack.Minh), User: simslack.Minh, Text: "before"})
	h.event(t, core.KindMessage, 1)
	if err := s.SetRequestURL(t.Context(), ""); err != nil { // nothing arrives, and Slack gives up
		t.Fatal(err)
	}
	missed := say(t, s, sim.Say{Room: simslack.DM(simslack.Minh), User: simslack.Minh, Text: "missed"})
	await(t, "Slack to give up", s.Changed, func() bool { return s.Unacked() == 0 })
	q := request(t, to, direct("the last retry"))
	q.Header.Set("X-Slack-Retry-Num", "3")
	q.Header.Set("X-Slack-Retry-Reason", "http_timeout")
	if status, _ := send(t, q); status != http.StatusOK {
		t.Errorf("the retry was answered with %d", status)
	}
	h.wait(t, "what was missed", func() bool {
		return slices.ContainsFunc(h.all(core.KindMessage), func(ev core.Event) bool { return ev.MessageID == missed.ID })
	})
	if !slices.Contains(h.texts(), "the last retry") {
		t.Errorf("messages %q", h.texts())
	}
}

// TestWebhookQuiet holds that the history is read when no request comes.
func TestWebhookQuiet(t *testing.T) {
	t.Parallel()
	s := newSim(t, simslack.Options{Retries: []time.Duration{}})
	p, h := newBot(t, overHTTP(s)), newHost()
	slack.Quiet(p, 50*time.Millisecond)
	start(t, p, h)
	h.waitUp(t, 1)
	said := say(t, s, sim.Say{Room: simslack.DM(simslack.Minh), User: simslack.Minh, Text: "does not arrive"})
	if ev := h.event(t, core.KindMessage, 1); ev.MessageID != said.ID {
		t.Errorf("event %+v", ev)
	}
}

// FuzzWebhook holds that whatever comes with a good signature is answered, and what comes of it can be stored.
func FuzzWebhook(f *testing.F) {
	files, err := filepath.Glob("testdata/events/*.json")
	if err != nil {
		f.Fatal(err)
	}
	for _, file := range files {
		payload, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(false, payload)
	}
	f.Add(false, []byte(`{"type":"url_verification","challenge":"abc"}`))
	f.Add(false, []byte(`{"type":"app_rate_limited","minute_rate_limited":1518467820}`))
	f.Add(false, []byte(`{"type":"event_callback","event":{"type":"agent_session_stopped","channel":"C1","streaming_message_ts":["1.000001",7]}}`))
	f.Add(true, []byte(`payload=%7B%22type%22%3A%22block_actions%22%7D`))
	f.Add(true, []byte(`command=%2Fclickai&text=a`))
	f.Add(true, []byte(`command=%2Fclickai&text=new%20x&channel_id=C1&user_id=U1&trigger_id=1.2.a&response_url=https%3A%2F%2Fhooks.slack.com%2Fx`))
	for _, payload := range interactions {
		f.Add(true, []byte(url.Values{"payload": {payload}}.Encode()))
	}
	s := newSim(f, simslack.Options{LimitScale: 1e6})
	p, h := newBot(f, overHTTP(s)), newHost()
	slack.Lookup(p, time.Nanosecond) // names are not looked up
	h.setRefuse(func(ev core.Event) error {
		if !storable(ev) {
			f.Errorf("event %+v cannot be stored", ev)
		}
		if _, err := json.Marshal(ev); err != nil {
			f.Errorf("event %+v: %v", ev, err)
		}
		clear(h.seen) // the host is locked
		h.events = h.events[:0]
		return nil
	})
	start(f, p, h)
	h.waitUp(f, 1)
	f.Fuzz(func(t *testing.T, form bool, body []byte) {
		q := httptest.NewRequestWithContext(context.Background(), http.MethodPost, "/", bytes.NewReader(body))
		sign(q, simslack.DefaultSigningSecret, time.Now(), body)
		q.Header.Set("Content-Type", map[bool]string{true: "application/x-www-form-urlencoded", false: "application/json"}[form])
		w := httptest.NewRecorder()
		p.Webhook().ServeHTTP(w, q)
		if w.Code != http.StatusOK && len(body) <= 1<<20 {
			t.Errorf("answered %d", w.Code)
		}
	})
}
