package slack_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	slackgo "github.com/slack-go/slack"
	"github.com/slack-go/slack/slackevents"

	"github.com/clickai/bridge/internal/sim"
	"github.com/clickai/bridge/internal/sim/slack"
)

// hits is an app behind a request URL, on the real library's verifier.
type hits struct {
	mu     sync.Mutex
	bodies []string
	heads  []http.Header
	status int
	answer string
}

func (h *hits) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	v, err := slackgo.NewSecretsVerifier(r.Header, slack.DefaultSigningSecret)
	if err == nil {
		_, _ = v.Write(body)
		err = v.Ensure()
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusUnauthorized)
		return
	}
	if ev, err := slackevents.ParseEvent(body, slackevents.OptionNoVerifyToken()); err == nil && ev.Type == slackevents.URLVerification {
		c, _ := ev.Data.(*slackevents.EventsAPIURLVerificationEvent)
		_, _ = io.WriteString(w, c.Challenge)
		return
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.bodies, h.heads = append(h.bodies, string(body)), append(h.heads, r.Header.Clone())
	if h.status != 0 {
		w.Header().Set("X-Slack-No-Retry", map[bool]string{true: "1"}[h.status == http.StatusGone])
		w.WriteHeader(h.status)
		if h.status == http.StatusServiceUnavailable {
			h.status = 0 // the next one is taken
		}
		return
	}
	_, _ = io.WriteString(w, h.answer)
}

func (h *hits) set(status int, answer string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.status, h.answer = status, answer
}

func TestRequestURL(t *testing.T) {
	s := start(t, slack.Options{Retries: []time.Duration{0, 0, 0}})
	h := &hits{}
	srv := httptest.NewServer(h)
	defer srv.Close()
	if err := s.SetRequestURL(t.Context(), srv.URL+"/404"); err != nil {
		t.Fatal(err)
	}
	if !s.Connected() {
		t.Error("not connected with a request URL")
	}
	say(t, s, sim.Say{Text: "over http"})
	await(t, s, "an ack", func() bool { return len(s.Acked()) == 1 })

	h.set(http.StatusServiceUnavailable, "")
	say(t, s, sim.Say{Text: "at the second try"})
	await(t, s, "its ack", func() bool { return len(s.Acked()) == 2 })
	h.mu.Lock()
	if n := len(h.heads); n != 3 || h.heads[2].Get("X-Slack-Retry-Num") != "1" || h.heads[2].Get("X-Slack-Retry-Reason") != "http_error" || h.bodies[1] != h.bodies[2] {
		t.Errorf("%d requests, last head %v", n, h.heads[n-1])
	}
	h.mu.Unlock()

	h.set(http.StatusGone, "")
	say(t, s, sim.Say{Text: "no retry wanted"})
	await(t, s, "the end of it", func() bool { return s.Unacked() == 0 && len(s.Deliveries()) == 3 })
	if d := s.Deliveries()[2]; d.Attempts != 1 || !d.Lost {
		t.Errorf("delivery %+v", d)
	}

	h.set(0, `{"text":"answered *here*"}`)
	if err := s.Command(t.Context(), slack.Minh, slack.General, "/clickai", "a & b"); err != nil {
		t.Fatal(err)
	}
	await(t, s, "the answer", func() bool { return len(s.Ephemerals(slack.General, slack.Minh)) == 1 })
	h.mu.Lock()
	form, err := url.ParseQuery(h.bodies[len(h.bodies)-1])
	h.mu.Unlock()
	if err != nil || form.Get("command") != "/clickai" || form.Get("text") != "a &amp; b" || s.Ephemerals(slack.General, slack.Minh)[0].Shown != "answered here" {
		t.Errorf("form %v, %v", form, err)
	}
}

func TestRequestURLMustVerify(t *testing.T) {
	s := start(t, slack.Options{SigningSecret: "another"})
	h := &hits{}
	srv := httptest.NewServer(h)
	defer srv.Close()
	if err := s.SetRequestURL(t.Context(), srv.URL); err == nil || !strings.Contains(err.Error(), "401") {
		t.Errorf("wrong secret: %v", err)
	}
	if s.Connected() {
		t.Error("connected all the same")
	}
}

// TestSign holds the signature against the example in https://docs.slack.dev/authentication/verifying-requests-from-slack.
func TestSign(t *testing.T) {
	body := "token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V&channel_name=foobar" +
		"&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text=&response_url=https%3A%2F%2Fhooks.slack.com" +
		"%2Fcommands%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN&trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c"
	ts, sig := slack.Sign("8f742231b10e8888abcd99yyyzzz85a5", time.Unix(1531420618, 0), []byte(body))
	if ts != "1531420618" || sig != "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503" {
		t.Errorf("%s %s", ts, sig)
	}
}
