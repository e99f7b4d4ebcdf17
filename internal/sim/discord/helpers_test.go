package discord_test

import (
	"bytes"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/bwmarrin/discordgo"
	"go.uber.org/goleak"

	"github.com/clickai/bridge/internal/sim"
	"github.com/clickai/bridge/internal/sim/discord"
)

// leaving are the library's sessions that are being closed: each rests a second in Close, which no test waits for.
var leaving sync.WaitGroup

type tests struct{ *testing.M }

func (t tests) Run() int {
	code := t.M.Run()
	leaving.Wait()
	return code
}

func TestMain(m *testing.M) { goleak.VerifyTestMain(tests{m}) }

const patience = time.Minute

const allIntents = discordgo.IntentGuilds | discordgo.IntentGuildMessages | discordgo.IntentGuildMessageReactions |
	discordgo.IntentGuildMessageTyping | discordgo.IntentDirectMessages | discordgo.IntentDirectMessageReactions |
	discordgo.IntentMessageContent

func start(t *testing.T, o discord.Options) *discord.Server {
	t.Helper()
	if o.Log == nil {
		o.Log = slog.New(slog.NewTextHandler(t.Output(), nil))
	}
	s, err := discord.New(o)
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

// fast has rate-limit windows too short to matter, and lets interactions wait.
func fast() discord.Options {
	return discord.Options{RateScale: 1e-9, InteractionDeadline: time.Hour}
}

// redirect sends the library's requests to a stand-in.
type redirect struct {
	base string
	next *http.Transport
}

func (r redirect) RoundTrip(req *http.Request) (*http.Response, error) {
	base, err := url.Parse(r.base)
	if err != nil {
		return nil, err
	}
	req = req.Clone(req.Context())
	req.URL.Scheme, req.URL.Host, req.Host = base.Scheme, base.Host, base.Host
	return r.next.RoundTrip(req)
}

// client is discordgo over the wire.
type client struct {
	*discordgo.Session
	events chan *discordgo.Event
}

// library is a discordgo session that talks to the stand-in; it is not open.
func library(t *testing.T, s *discord.Server) *client {
	t.Helper()
	d, err := discordgo.New("Bot " + s.Token())
	if err != nil {
		t.Fatal(err)
	}
	tr := &http.Transport{}
	t.Cleanup(tr.CloseIdleConnections)
	d.Client = &http.Client{Timeout: patience, Transport: redirect{base: s.APIURL(), next: tr}}
	d.Identify.Intents = allIntents
	d.ShouldReconnectOnError = false
	d.ShouldRetryOnRateLimit = false
	d.SyncEvents = true
	c := &client{Session: d, events: make(chan *discordgo.Event, 1000)}
	d.AddHandler(func(_ *discordgo.Session, e *discordgo.Event) {
		if e.Type != "" {
			c.events <- e
		}
	})
	return c
}

// connect opens a session and reads past READY and GUILD_CREATE.
func connect(t *testing.T, s *discord.Server) *client {
	t.Helper()
	c := library(t, s)
	c.open(t)
	c.want(t, "READY")
	c.want(t, "GUILD_CREATE")
	return c
}

func (c *client) open(t *testing.T) {
	t.Helper()
	if err := c.Open(); err != nil {
		t.Fatalf("open: %v", err)
	}
	t.Cleanup(func() { leaving.Go(func() { _ = c.Close() }) })
}

// want takes the next event, which must be of that type, and gives its data.
func (c *client) want(t *testing.T, name string) json.RawMessage {
	t.Helper()
	select {
	case e := <-c.events:
		if e.Type != name {
			t.Fatalf("event is %s, want %s: %s", e.Type, name, e.RawData)
		}
		return e.RawData
	case <-time.After(patience):
		t.Fatalf("no %s came", name)
		return nil
	}
}

func (c *client) message(t *testing.T, name string) *discordgo.Message {
	t.Helper()
	m := &discordgo.Message{}
	if err := json.Unmarshal(c.want(t, name), m); err != nil {
		t.Fatal(err)
	}
	return m
}

// until waits for a state of the stand-in.
func until(t *testing.T, s *discord.Server, what string, ok func() bool) {
	t.Helper()
	timeout := time.After(patience)
	for {
		changed := s.Changed()
		if ok() {
			return
		}
		select {
		case <-changed:
		case <-timeout:
			t.Fatalf("never: %s", what)
		}
	}
}

func say(t *testing.T, s *discord.Server, x sim.Say) sim.Message {
	t.Helper()
	m, err := s.Say(t.Context(), x)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func clean(t *testing.T, s *discord.Server) {
	t.Helper()
	for _, v := range s.Violations() {
		t.Errorf("violation: %s", v)
	}
}

// violated checks that exactly one violation came, which has the words.
func violated(t *testing.T, s *discord.Server, words string) {
	t.Helper()
	v := s.Violations()
	if len(v) != 1 || !strings.Contains(v[0], words) {
		t.Errorf("violations %q, want one with %q", v, words)
	}
}

type answer struct {
	status int
	header http.Header
	body   []byte
}

func (a answer) into(t *testing.T, v any) {
	t.Helper()
	if err := json.Unmarshal(a.body, v); err != nil {
		t.Fatalf("%s: %v", a.body, err)
	}
}

type errorBody struct {
	Message string         `json:"message"`
	Code    int            `json:"code"`
	Errors  map[string]any `json:"errors"`
}

// fails checks an error answer.
func (a answer) fails(t *testing.T, status, code int) errorBody {
	t.Helper()
	var e errorBody
	if a.status != status {
		t.Fatalf("status %d, want %d: %s", a.status, status, a.body)
	}
	a.into(t, &e)
	if e.Code != code {
		t.Fatalf("code %d, want %d: %s", e.Code, code, a.body)
	}
	return e
}

func (a answer) ok(t *testing.T) answer {
	t.Helper()
	if a.status/100 != 2 {
		t.Fatalf("status %d: %s", a.status, a.body)
	}
	return a
}

// call makes one raw request; body may be nil, a string, or anything that becomes JSON.
func call(t *testing.T, s *discord.Server, method, path string, body any) answer {
	t.Helper()
	var r io.Reader
	switch b := body.(type) {
	case nil:
	case string:
		r = strings.NewReader(b)
	default:
		j, err := json.Marshal(b)
		if err != nil {
			t.Fatal(err)
		}
		r = bytes.NewReader(j)
	}
	req, err := http.NewRequestWithContext(t.Context(), method, s.APIURL()+path, r)
	if err != nil {
		t.Fatal(err)
	}
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	req.Header.Set("Authorization", "Bot "+s.Token())
	return send(t, req)
}

func send(t *testing.T, req *http.Request) answer {
	t.Helper()
	if req.Header.Get("User-Agent") == "" {
		req.Header.Set("User-Agent", "DiscordBot (https://example.org, 1)")
	}
	tr := &http.Transport{DisableKeepAlives: true}
	resp, err := (&http.Client{Transport: tr, Timeout: patience}).Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer{resp.StatusCode, resp.Header, b}
}

type object = map[string]any

// post makes the bot write and gives the id.
func post(t *testing.T, s *discord.Server, channel string, body object) string {
	t.Helper()
	var m struct {
		ID string `json:"id"`
	}
	call(t, s, "POST", "/channels/"+channel+"/messages", body).ok(t).into(t, &m)
	return m.ID
}
