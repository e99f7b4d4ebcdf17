package telegram

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/clickai/bridge/adapters/telegram/telegramfmt"
	"github.com/clickai/bridge/core"
	"github.com/clickai/bridge/internal/sim"
	simtelegram "github.com/clickai/bridge/internal/sim/telegram"
)

// sink is a Host that remembers.
type sink struct {
	sim.Notifier
	mu     sync.Mutex
	events []core.Event
	refuse error
	up     bool
	errs   []error
}

func (k *sink) Accept(_ context.Context, ev core.Event) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	defer k.Notify()
	if k.refuse != nil {
		return k.refuse
	}
	k.events = append(k.events, ev)
	return nil
}

func (k *sink) State(up bool, err error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.up = up
	if err != nil {
		k.errs = append(k.errs, err)
	}
	k.Notify()
}

func (k *sink) Cursor(string) (string, error)                   { return "", nil }
func (k *sink) SetCursor(context.Context, string, string) error { return nil }

func (k *sink) all() []core.Event {
	k.mu.Lock()
	defer k.mu.Unlock()
	return slices.Clone(k.events)
}

func (k *sink) connected() bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.up
}

func (k *sink) said(part string) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	return slices.ContainsFunc(k.errs, func(err error) bool { return strings.Contains(err.Error(), part) })
}

func (k *sink) set(err error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.refuse = err
}

func await(t *testing.T, what string, changed func() <-chan struct{}, ok func() bool) {
	t.Helper()
	limit := time.NewTimer(20 * time.Second)
	defer limit.Stop()
	for {
		c := changed()
		if ok() {
			return
		}
		select {
		case <-c:
		case <-limit.C:
			t.Fatalf("waited in vain for %s", what)
		}
	}
}

func (k *sink) event(t *testing.T, n int) core.Event {
	t.Helper()
	await(t, fmt.Sprint("event ", n), k.Changed, func() bool { return len(k.all()) >= n })
	return k.all()[n-1]
}

func newBot(t *testing.T, api, token string) (*Platform, *bytes.Buffer) {
	t.Helper()
	var log bytes.Buffer
	p, err := New("acme", Config{Token: core.Secret(token), APIURL: api}, slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug})))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.http.CloseIdleConnections)
	return p, &log
}

func newSim(t *testing.T, o simtelegram.Options) *simtelegram.Server {
	t.Helper()
	s, err := simtelegram.New(o)
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

// running is a bot that polls the stand-in until the test ends.
func running(t *testing.T, o simtelegram.Options) (*simtelegram.Server, *Platform, *sink) {
	t.Helper()
	s := newSim(t, o)
	p, log := newBot(t, s.APIURL(), s.Token())
	k := &sink{}
	run(t, p, k)
	await(t, "the connection", k.Changed, k.connected)
	t.Cleanup(func() {
		if strings.Contains(log.String(), s.Token()) {
			t.Error("the token stands in the log")
		}
	})
	return s, p, k
}

func run(t *testing.T, p *Platform, k *sink) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- p.Run(ctx, k) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("Run: %v", err)
		}
	})
}

func say(t *testing.T, s *simtelegram.Server, m sim.Say) sim.Message {
	t.Helper()
	got, err := s.Say(t.Context(), m)
	if err != nil {
		t.Fatal(err)
	}
	return got
}

var private = core.Place{Room: simtelegram.Minh}

func part(text string) core.Part { return telegramfmt.Render(text, true)[0] }

func TestReach(t *testing.T) {
	s, p, k := running(t, simtelegram.Options{PrivacyOff: true})
	bot, err := p.Post(t.Context(), core.Post{Place: core.Place{Room: simtelegram.Group}, Part: part("hello")})
	if err != nil {
		t.Fatal(err)
	}
	for i, tt := range []struct {
		name   string
		say    sim.Say
		reach  core.Reach
		text   string
		thread string
	}{
		{"private", sim.Say{Room: simtelegram.Minh, User: simtelegram.Minh, Text: "xin chào 👋"}, core.ReachDirect, "xin chào 👋", ""},
		{"mention", sim.Say{Room: simtelegram.Group, User: simtelegram.Anna, Text: "what now?", Mention: true}, core.ReachMention, "what now?", ""},
		{"reply", sim.Say{Room: simtelegram.Group, User: simtelegram.Anna, Text: "and then?", ReplyTo: bot.ID}, core.ReachReply, "and then?", ""},
		{"ambient", sim.Say{Room: simtelegram.Group, User: simtelegram.Anna, Text: "lunch?"}, core.ReachAmbient, "lunch?", ""},
		{"topic", sim.Say{Room: simtelegram.Forum, Thread: simtelegram.TopicBilling, User: simtelegram.Tom, Text: "my bill", Mention: true}, core.ReachMention, "my bill", simtelegram.TopicBilling},
		{"start", sim.Say{Room: simtelegram.Tom, User: simtelegram.Tom, Text: "/start"}, core.ReachDirect, "", ""},
	} {
		m := say(t, s, tt.say)
		ev := k.event(t, i+1)
		if ev.Reach != tt.reach || ev.Text != tt.text || ev.Thread != tt.thread || ev.MessageID != m.ID || ev.Sender.Key != "telegram:"+tt.say.User {
			t.Errorf("%s: %+v", tt.name, ev)
		}
	}
}

func TestPlain(t *testing.T) {
	me := user{ID: 7, Username: "acme_bot"}
	tests := []struct {
		name, text string
		entities   []entity
		want       string
		mentioned  bool
	}{
		{"none", "hi", nil, "hi", false},
		{"mention first", "@acme_bot, hi", []entity{{Type: "mention", Offset: 0, Length: 9}}, "hi", true},
		{"mention after emoji", "👨‍👩‍👧 @ACME_bot hi", []entity{{Type: "mention", Offset: 9, Length: 9}}, "👨‍👩‍👧 hi", true},
		{"another's mention", "@anna hi", []entity{{Type: "mention", Offset: 0, Length: 5}}, "@anna hi", false},
		{"text mention", "Anna hi", []entity{{Type: "text_mention", Offset: 0, Length: 4, User: &user{ID: 9}}}, "@Anna hi", false},
		{"own text mention", "Bot hi", []entity{{Type: "text_mention", Offset: 0, Length: 3, User: &user{ID: 7}}}, "hi", true},
		{"command for us", "/new@acme_bot now", []entity{{Type: "bot_command", Offset: 0, Length: 13}}, "/new now", true},
		{"command for another", "/new@other_bot", []entity{{Type: "bot_command", Offset: 0, Length: 14}}, "/new@other_bot", false},
		{"link", "see docs", []entity{{Type: "text_link", Offset: 4, Length: 4, URL: "https://x.example"}}, "see docs (https://x.example)", false},
		{"code", "run ls", []entity{{Type: "code", Offset: 4, Length: 2}}, "run `ls`", false},
		{"fence", "a = 1", []entity{{Type: "pre", Offset: 0, Length: 5, Language: "go"}}, "```go\na = 1\n```", false},
		{"broken offsets", "hi", []entity{{Type: "code", Offset: 1, Length: 9}, {Type: "code", Offset: -1, Length: 1}, {Type: "code", Offset: 9, Length: 1}}, "hi", false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, mentioned := plain(tt.text, tt.entities, me)
			if strings.TrimSpace(got) != tt.want || mentioned != tt.mentioned {
				t.Errorf("plain = %q, %v; want %q, %v", got, mentioned, tt.want, tt.mentioned)
			}
		})
	}
}

func FuzzDecode(f *testing.F) {
	f.Add([]byte(`{"update_id":1,"message":{"message_id":2,"date":1,"chat":{"id":-5,"type":"group","title":"x"},"from":{"id":3,"first_name":"A"},"text":"👋 @acme_bot","entities":[{"type":"mention","offset":3,"length":9}]}}`))
	f.Add([]byte(`{"update_id":1,"message_reaction":{"chat":{"id":5},"message_id":2,"user":{"id":3},"old_reaction":[],"new_reaction":[{"type":"emoji","emoji":"👍"}]}}`))
	f.Add([]byte(`{"update_id":1,"message":{"chat":7}}`))
	p, err := New("acme", Config{Token: "1:x", APIURL: "http://127.0.0.1:1"}, slog.New(slog.DiscardHandler))
	if err != nil {
		f.Fatal(err)
	}
	p.me = user{ID: 7, Username: "acme_bot"}
	f.Fuzz(func(t *testing.T, raw []byte) {
		_, events, _ := p.decode(raw)
		for _, ev := range events {
			if ev.Key == "" || ev.Room.ID == "" || ev.MessageID == "" || ev.Sender.Key == "" {
				t.Errorf("event without its ids: %+v", ev)
			}
		}
	})
}

func TestConfirmedOnlyOnceAccepted(t *testing.T) {
	s, _, k := running(t, simtelegram.Options{})
	k.set(errors.New("disk full"))
	say(t, s, sim.Say{Room: simtelegram.Minh, User: simtelegram.Minh, Text: "one"})
	await(t, "the refusal", k.Changed, func() bool { return k.said("disk full") })
	if s.Pending() != 1 {
		t.Errorf("%d updates are unconfirmed, want the refused one", s.Pending())
	}
	k.set(nil)
	if ev := k.event(t, 1); ev.Text != "one" {
		t.Errorf("event = %+v", ev)
	}
	await(t, "the confirmation", s.Changed, func() bool { return s.Pending() == 0 })
	if n := len(k.all()); n != 1 {
		t.Errorf("%d events, want 1", n)
	}
}

func TestPoisonStallsNothing(t *testing.T) {
	s, _, k := running(t, simtelegram.Options{})
	for _, raw := range []string{
		`{"message":{"message_id":"not a number","chat":7}}`,
		`{"message":{"message_id":900,"date":1,"chat":{"id":5000000001,"type":"private"},"from":{"id":5000000001,"first_name":"M"},"paid_media":{"paid_media":[{"type":"hologram"}]},"text":"with a new kind of media"}}`,
		`{"unheard_of":{"x":1}}`,
	} {
		if _, err := s.InjectUpdate([]byte(raw)); err != nil {
			t.Fatal(err)
		}
	}
	say(t, s, sim.Say{Room: simtelegram.Minh, User: simtelegram.Minh, Text: "after"})
	if first, second := k.event(t, 1), k.event(t, 2); first.Text != "with a new kind of media" || second.Text != "after" {
		t.Errorf("events = %q, %q", first.Text, second.Text)
	}
}

func TestWrongToken(t *testing.T) {
	s := newSim(t, simtelegram.Options{})
	p, _ := newBot(t, s.APIURL(), "7000000001:another-token-of-the-bot")
	err := p.Run(t.Context(), &sink{})
	if core.ClassOf(err) != core.Auth || !strings.Contains(err.Error(), "@BotFather") || strings.Contains(err.Error(), "another-token") {
		t.Errorf("Run = %v, want it to say what to do", err)
	}
	checks, err := p.Check(t.Context())
	if err != nil || len(checks) != 1 || checks[0].OK || !strings.Contains(checks[0].Mend, "@BotFather") {
		t.Errorf("Check = %+v, %v", checks, err)
	}
}

func TestWebhookIsTakenAway(t *testing.T) {
	s := newSim(t, simtelegram.Options{})
	p, _ := newBot(t, s.APIURL(), s.Token())
	if err := p.call(t.Context(), "setWebhook", map[string]string{"url": "https://bridge.example/hook"}, nil); err != nil {
		t.Fatal(err)
	}
	k := &sink{}
	run(t, p, k)
	await(t, "the connection", k.Changed, k.connected)
}

func TestForeignAnswersAreTransient(t *testing.T) {
	s := newSim(t, simtelegram.Options{})
	s.Faults().Add(sim.Fault{Times: 2, Status: http.StatusBadGateway, Body: "<html>bad gateway</html>"})
	p, _ := newBot(t, s.APIURL(), s.Token())
	k := &sink{}
	run(t, p, k)
	await(t, "the connection", k.Changed, k.connected)
	if !k.said("not the Bot API") {
		t.Errorf("states = %v, want the foreign answer told", k.errs)
	}
}

// TestInstantPolls has a server that does not hold polls.
func TestInstantPolls(t *testing.T) {
	var mu sync.Mutex
	var polls []time.Time
	arrived := make(chan struct{}, 100)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "/getMe") {
			_, _ = io.WriteString(w, `{"ok":true,"result":{"id":1,"username":"b"}}`)
			return
		}
		mu.Lock()
		polls = append(polls, time.Now())
		mu.Unlock()
		_, _ = io.WriteString(w, `{"ok":true,"result":[]}`)
		arrived <- struct{}{}
	}))
	defer server.Close()
	p, _ := newBot(t, server.URL, "1:abcdefghijklmnopqrstuvwxyz")
	run(t, p, &sink{})
	for range 3 {
		<-arrived
	}
	mu.Lock()
	defer mu.Unlock()
	if gap := polls[2].Sub(polls[1]); gap < pollPause/2 {
		t.Errorf("two empty polls within %v", gap)
	}
}

func TestPostAndEdit(t *testing.T) {
	s, p, _ := running(t, simtelegram.Options{})
	ref, err := p.Post(t.Context(), core.Post{Place: private, Part: part("**bold** & 1 < 2")})
	if err != nil {
		t.Fatal(err)
	}
	find := func() sim.Message {
		m, ok := s.Find(sim.Ref{Room: ref.Room, ID: ref.ID})
		if !ok {
			t.Fatal("message is not there")
		}
		return m
	}
	if m := find(); !strings.HasPrefix(m.Text, "<b>bold</b> &amp; 1 &lt; 2") {
		t.Errorf("text = %q", m.Text)
	}
	for range 2 { // the second changes nothing
		if err := p.Edit(t.Context(), ref, part("*other*")); err != nil && core.ClassOf(err) != core.RateLimited {
			t.Errorf("edit: %v", err)
		}
	}
	if m := find(); m.Shown != "other" {
		t.Errorf("shown = %q", m.Shown)
	}
	broken, err := p.Post(t.Context(), core.Post{Place: private, Part: core.Part{Text: "<b>never closed", Plain: "never closed"}})
	if err != nil {
		t.Fatal(err)
	}
	if m, _ := s.Find(sim.Ref{Room: broken.Room, ID: broken.ID}); m.Shown != "never closed" {
		t.Errorf("after refused markup: %q", m.Shown)
	}
}

func TestErrorClasses(t *testing.T) {
	tests := []struct {
		code  int
		text  string
		want  core.Class
		after time.Duration
	}{
		{400, "Bad Request: message to edit not found", core.MessageGone, 0},
		{400, "Bad Request: message can't be edited", core.MessageGone, 0},
		{400, "Bad Request: message is not modified: …", "", 0},
		{400, "Bad Request: message thread not found", core.ThreadGone, 0},
		{400, "Bad Request: TOPIC_CLOSED", core.ThreadGone, 0},
		{400, "Bad Request: message is too long", core.TooLong, 0},
		{400, "Bad Request: chat not found", core.RoomGone, 0},
		{400, "Bad Request: something new", core.Invalid, 0},
		{401, "Unauthorized", core.Auth, 0},
		{403, "Forbidden: bot was blocked by the user", core.RoomGone, 0},
		{429, "Too Many Requests: retry after 7", core.RateLimited, 7 * time.Second},
		{500, "Internal Server Error", core.Transient, 0},
	}
	for _, tt := range tests {
		t.Run(tt.text, func(t *testing.T) {
			s, p, _ := running(t, simtelegram.Options{})
			ref, err := p.Post(t.Context(), core.Post{Place: private, Part: part("x")})
			if err != nil {
				t.Fatal(err)
			}
			if tt.code == 429 {
				s.Faults().Add(simtelegram.TooManyRequests("/editMessageText", 7, 1))
			} else {
				s.Faults().Add(simtelegram.ErrorFault("/editMessageText", tt.code, tt.text, 1))
			}
			err = p.Edit(t.Context(), ref, core.Part{Text: "y"})
			if core.ClassOf(err) != tt.want || core.RetryAfterOf(err) != tt.after {
				t.Errorf("error = %v: class %q, after %v; want %q, %v", err, core.ClassOf(err), core.RetryAfterOf(err), tt.want, tt.after)
			}
			if err != nil && strings.Contains(err.Error(), s.Token()) {
				t.Error("the token stands in the error")
			}
		})
	}
}

// TestBudget edits more than Telegram takes: the server refuses nothing, and what would wait is given back.
func TestBudget(t *testing.T) {
	s, p, _ := running(t, simtelegram.Options{})
	ref, err := p.Post(t.Context(), core.Post{Place: private, Part: part("x")})
	if err != nil {
		t.Fatal(err)
	}
	given := 0
	for i := range 10 {
		err := p.Edit(t.Context(), ref, part(fmt.Sprint("edit ", i)))
		switch core.ClassOf(err) {
		case "":
		case core.RateLimited:
			given++
		default:
			t.Fatal(err)
		}
	}
	if given == 0 {
		t.Error("ten edits at once were all taken")
	}
	for _, v := range s.Violations() {
		t.Errorf("against the rules: %s", v)
	}
}

func TestReactions(t *testing.T) {
	s, p, k := running(t, simtelegram.Options{})
	ref, err := p.Post(t.Context(), core.Post{Place: private, Part: part("rate me")})
	if err != nil {
		t.Fatal(err)
	}
	at := sim.Ref{Room: ref.Room, ID: ref.ID}
	if err := s.React(t.Context(), at, simtelegram.Minh, "👍"); err != nil {
		t.Fatal(err)
	}
	if err := s.Unreact(t.Context(), at, simtelegram.Minh, "👍"); err != nil {
		t.Fatal(err)
	}
	for i, added := range []bool{true, false} {
		ev := k.event(t, i+1)
		if ev.Kind != core.KindReaction || ev.MessageID != ref.ID || ev.Reaction.Emoji != "👍" || ev.Reaction.Added != added {
			t.Errorf("event %d = %+v, %+v", i, ev, ev.Reaction)
		}
	}
	if a, b := k.all()[0].Key, k.all()[1].Key; a == b {
		t.Errorf("both events have the key %q", a)
	}
}

func TestFiles(t *testing.T) {
	s, p, k := running(t, simtelegram.Options{})
	data := bytes.Repeat([]byte("0123456789abcdef"), 5000)
	say(t, s, sim.Say{Room: simtelegram.Minh, User: simtelegram.Minh, Text: "look", Files: []sim.File{{Name: "notes.pdf", MIME: "application/pdf", Data: data}}})
	ev := k.event(t, 1)
	if ev.Text != "look" || len(ev.Attachments) != 1 || ev.Attachments[0].Name != "notes.pdf" || ev.Attachments[0].Size != int64(len(data)) {
		t.Fatalf("event = %+v", ev)
	}
	body, err := p.OpenAttachment(t.Context(), ev.Attachments[0])
	if err != nil {
		t.Fatal(err)
	}
	got, err := io.ReadAll(body)
	if cerr := body.Close(); err != nil || cerr != nil || !bytes.Equal(got, data) {
		t.Errorf("%d bytes, %v, %v", len(got), err, cerr)
	}
	ref, err := p.Upload(t.Context(), private, "", core.File{Name: "answer.pdf", MIME: "application/pdf", Size: int64(len(data)), Open: func(context.Context) (io.ReadCloser, error) {
		return io.NopCloser(bytes.NewReader(data)), nil
	}})
	if err != nil {
		t.Fatal(err)
	}
	if m, _ := s.Find(sim.Ref{Room: ref.Room, ID: ref.ID}); len(m.Files) != 1 || m.Files[0].Name != "answer.pdf" || !bytes.Equal(m.Files[0].Data, data) {
		t.Errorf("sent: %+v", m.Files)
	}
	huge := core.File{Name: "x", Size: 1 << 30}
	if _, err := p.Upload(t.Context(), private, "", huge); core.ClassOf(err) != core.TooLarge {
		t.Errorf("1 GiB: %v", err)
	}
}

func TestAlbumHasOneGroup(t *testing.T) {
	s, _, k := running(t, simtelegram.Options{})
	say(t, s, sim.Say{Room: simtelegram.Minh, User: simtelegram.Minh, Text: "two", Files: []sim.File{{Name: "a.pdf", MIME: "application/pdf", Data: []byte("a")}, {Name: "b.pdf", MIME: "application/pdf", Data: []byte("b")}}})
	first, second := k.event(t, 1), k.event(t, 2)
	if first.Group == "" || first.Group != second.Group || first.Key == second.Key {
		t.Errorf("groups %q, %q; keys %q, %q", first.Group, second.Group, first.Key, second.Key)
	}
}

func TestGroupUpgrade(t *testing.T) {
	s, p, _ := running(t, simtelegram.Options{})
	to, err := s.Upgrade(simtelegram.Group)
	if err != nil {
		t.Fatal(err)
	}
	ref, err := p.Post(t.Context(), core.Post{Place: core.Place{Room: simtelegram.Group}, Part: part("still here")})
	if err != nil {
		t.Fatal(err)
	}
	if _, ok := s.Find(sim.Ref{Room: to, ID: ref.ID}); !ok {
		t.Error("the message is not in the supergroup")
	}
}
