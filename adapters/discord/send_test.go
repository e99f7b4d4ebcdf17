package discord_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/clickai/bridge/adapters/discord/discordfmt"
	"github.com/clickai/bridge/core"
	"github.com/clickai/bridge/internal/sim"
	simdiscord "github.com/clickai/bridge/internal/sim/discord"
)

var general = core.Place{Room: simdiscord.General}

func simRef(m core.MessageRef) sim.Ref { return sim.Ref{Room: m.Room, Thread: m.Thread, ID: m.ID} }

// shown is a message as people see it.
func shown(t testing.TB, s *simdiscord.Server, m core.MessageRef) sim.Message {
	t.Helper()
	found, ok := s.Find(simRef(m))
	if !ok {
		t.Fatalf("message %+v is not there", m)
	}
	return found
}

func part(text string) core.Part { return discordfmt.Render(text, true)[0] }

func TestPostEditDelete(t *testing.T) {
	t.Parallel()
	s, p, _ := running(t, simdiscord.Options{})
	clean(t, s)
	q := say(t, s, sim.Say{Room: simdiscord.General, User: simdiscord.Minh, Text: "hi", Mention: true})
	ref, err := p.Post(t.Context(), core.Post{Place: general, ReplyTo: q.ID, Nonce: "n1", Part: part("**bold** @everyone <@" + simdiscord.Minh + ">")})
	if err != nil {
		t.Fatal(err)
	}
	m := shown(t, s, ref)
	if !strings.HasPrefix(m.Text, "**bold**") || !strings.HasPrefix(m.Shown, "bold ") || m.ReplyTo != q.ID {
		t.Errorf("message = %q, shown %q, reply to %q", m.Text, m.Shown, m.ReplyTo)
	}
	if err := p.Edit(t.Context(), ref, part("@everyone `code` <@&1>")); err != nil {
		t.Fatal(err)
	}
	if m := shown(t, s, ref); len(m.Versions) != 2 || !strings.Contains(m.Shown, "code") {
		t.Errorf("after the edit: %+v", m.Versions)
	}
	if pings := s.Pings(); len(pings) != 0 {
		t.Errorf("somebody was pinged: %q", pings)
	}
	for range 2 { // what is gone already is no error
		if err := p.Delete(t.Context(), ref); err != nil {
			t.Errorf("delete: %v", err)
		}
	}
	if err := p.Edit(t.Context(), ref, part("late")); core.ClassOf(err) != core.MessageGone {
		t.Errorf("edit of a deleted message: %v, want %s", err, core.MessageGone)
	}
}

// TestNonce posts the same message again after its answer was lost: it stands once.
func TestNonce(t *testing.T) {
	t.Parallel()
	s, p, _ := running(t, simdiscord.Options{})
	s.Faults().Add(sim.Fault{Match: "POST /api/v9/channels/" + simdiscord.General + "/messages", Times: 1, Cut: true, Handled: true})
	post := core.Post{Place: general, Nonce: "abc0", Part: part("once")}
	_, err := p.Post(t.Context(), post)
	if e, ok := errors.AsType[*core.Error](err); !ok || e.Class != core.Transient || !e.Maybe {
		t.Fatalf("first try: %v, want a transient error that may have taken effect", err)
	}
	ref, err := p.Post(t.Context(), post)
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, m := range s.Messages(simdiscord.General, "") {
		if m.Bot {
			n++
			if m.ID != ref.ID {
				t.Errorf("message %s, want %s", m.ID, ref.ID)
			}
		}
	}
	if n != 1 {
		t.Errorf("%d messages stand, want 1", n)
	}
}

func TestErrors(t *testing.T) {
	t.Parallel()
	body := func(code, message string) string { return `{"code":` + code + `,"message":"` + message + `"}` }
	tests := []struct {
		name   string
		status int
		body   string
		header http.Header
		want   core.Class
		after  time.Duration
	}{
		{"unauthorized", 401, `{"message":"401: Unauthorized","code":0}`, nil, core.Auth, 0},
		{"no access", 403, body("50001", "Missing Access"), nil, core.RoomGone, 0},
		{"unknown channel", 404, body("10003", "Unknown Channel"), nil, core.RoomGone, 0},
		{"unknown message", 404, body("10008", "Unknown Message"), nil, core.MessageGone, 0},
		{"archived", 400, body("50083", "Thread is archived"), nil, core.ThreadGone, 0},
		{"too long", 400, `{"code":50035,"message":"Invalid Form Body","errors":{"content":{"_errors":[{"code":"BASE_TYPE_MAX_LENGTH","message":"Must be 2000 or fewer in length."}]}}}`, nil, core.TooLong, 0},
		{"rate limit", 429, `{"message":"You are being rate limited.","retry_after":7.5,"global":false}`, http.Header{"Retry-After": {"8"}}, core.RateLimited, 7500 * time.Millisecond},
		{"rate limit of a proxy", 429, "<html>slow down</html>", http.Header{"Retry-After": {"3"}}, core.RateLimited, 3 * time.Second},
		{"server error", 500, "<html>oops</html>", nil, core.Transient, 0},
		{"bad gateway", 502, "", nil, core.Transient, 0},
		{"a page with 200", 200, "<html>log in</html>", nil, core.Transient, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s, p, _ := running(t, simdiscord.Options{})
			s.Faults().Add(sim.Fault{Match: "PATCH /api/v9/channels/", Times: 1, Status: tt.status, Header: tt.header, Body: tt.body})
			err := p.Edit(t.Context(), core.MessageRef{Place: general, ID: "1100000000000000999"}, part("x"))
			if core.ClassOf(err) != tt.want {
				t.Errorf("class = %q (%v), want %q", core.ClassOf(err), err, tt.want)
			}
			if got := core.RetryAfterOf(err); got < tt.after || tt.after == 0 && got != 0 {
				t.Errorf("retry after %v, want %v", got, tt.after)
			}
			if err != nil && strings.Contains(err.Error(), simdiscord.DefaultToken) {
				t.Error("the token stands in the error")
			}
		})
	}
}

func TestContextEndsAWait(t *testing.T) {
	t.Parallel()
	s, p, _ := running(t, simdiscord.Options{})
	s.Faults().Add(sim.Fault{Match: "POST /api/v9/channels/", Delay: time.Hour})
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := p.Post(ctx, core.Post{Place: general, Nonce: "c0", Part: part("x")}); err == nil {
		t.Error("Post outlived its context")
	}
}

func TestThreads(t *testing.T) {
	t.Parallel()
	s, p, h := running(t, simdiscord.Options{})
	clean(t, s)
	q := say(t, s, sim.Say{Room: simdiscord.General, User: simdiscord.Minh, Text: "My printer smokes", Mention: true})
	ev := h.event(t, core.KindMessage, 1)
	if ev.Roots != q.ID {
		t.Fatalf("roots = %q, want the message's own id", ev.Roots)
	}
	at, err := p.OpenThread(t.Context(), ev.Ref(), "My printer\nsmokes")
	if want := (core.Place{Room: simdiscord.General, Thread: q.ID}); err != nil || at != want {
		t.Fatalf("OpenThread = %+v, %v; want %+v", at, err, want)
	}
	if again, err := p.OpenThread(t.Context(), ev.Ref(), "x"); err != nil || again != at {
		t.Errorf("OpenThread of one that exists = %+v, %v", again, err)
	}
	ref, err := p.Post(t.Context(), core.Post{Place: at, Nonce: "t0", Part: part("in the thread")})
	if err != nil {
		t.Fatal(err)
	}
	if m := shown(t, s, ref); m.Thread != q.ID {
		t.Errorf("posted at %+v", m.Ref)
	}
	follow := say(t, s, sim.Say{Room: simdiscord.General, Thread: q.ID, User: simdiscord.Anna, Text: "and now?"})
	ev = h.event(t, core.KindMessage, 2)
	if ev.Thread != q.ID || ev.Room.ID != simdiscord.General || ev.Reach != core.ReachAmbient || ev.MessageID != follow.ID {
		t.Errorf("follow-up = %+v", ev)
	}
	past, err := p.ThreadBefore(t.Context(), ev.Ref(), 10)
	if err != nil {
		t.Fatal(err)
	}
	var texts []string
	for _, m := range past {
		texts = append(texts, m.Text)
	}
	if len(past) == 0 || !slices.Contains(texts, "in the thread") || slices.Contains(texts, "and now?") {
		t.Errorf("before the follow-up: %q", texts)
	}
}

// TestNoThreadWithoutPermission answers in the room where none may be opened.
func TestNoThreadWithoutPermission(t *testing.T) {
	t.Parallel()
	s, p, h := running(t, simdiscord.Options{Permissions: simdiscord.DefaultPermissions &^ simdiscord.CreatePublicThreads})
	say(t, s, sim.Say{Room: simdiscord.General, User: simdiscord.Minh, Text: "hi", Mention: true})
	ev := h.event(t, core.KindMessage, 1)
	if ev.Roots != "" {
		t.Errorf("roots = %q although no thread may be opened", ev.Roots)
	}
	at, err := p.OpenThread(t.Context(), ev.Ref(), "hi")
	if err == nil && at != ev.Place() {
		t.Errorf("OpenThread = %+v, want the question's own place", at)
	}
}

func TestFiles(t *testing.T) {
	t.Parallel()
	s, p, h := running(t, simdiscord.Options{})
	clean(t, s)
	data := bytes.Repeat([]byte("0123456789abcdef"), 10_000)
	say(t, s, sim.Say{Room: simdiscord.General, User: simdiscord.Minh, Text: "look", Mention: true, Files: []sim.File{{Name: "notes.txt", MIME: "text/plain", Data: data}}})
	ev := h.event(t, core.KindMessage, 1)
	if len(ev.Attachments) != 1 || ev.Attachments[0].Name != "notes.txt" || ev.Attachments[0].Size != int64(len(data)) {
		t.Fatalf("attachments = %+v", ev.Attachments)
	}
	if strings.Contains(ev.Attachments[0].Ref, "hm=") {
		t.Errorf("ref %q holds a signature", ev.Attachments[0].Ref)
	}
	body, err := p.OpenAttachment(t.Context(), ev.Attachments[0])
	if err != nil {
		t.Fatal(err)
	}
	got, err := io.ReadAll(body)
	if cerr := body.Close(); err != nil || cerr != nil || !bytes.Equal(got, data) {
		t.Errorf("%d bytes, %v, %v; want %d", len(got), err, cerr, len(data))
	}
	ref, err := p.Upload(t.Context(), general, "", core.File{Name: "answer.png", MIME: "image/png", Size: int64(len(data)), Open: func(context.Context) (io.ReadCloser, error) {
		return io.NopCloser(bytes.NewReader(data)), nil
	}})
	if err != nil {
		t.Fatal(err)
	}
	m := shown(t, s, ref)
	if len(m.Files) != 1 || m.Files[0].Name != "answer.png" || !bytes.Equal(m.Files[0].Data, data) {
		t.Errorf("sent files = %d", len(m.Files))
	}
	huge := core.File{Name: "x.bin", Size: 1 << 30, Open: func(context.Context) (io.ReadCloser, error) {
		t.Error("a file that is too large was opened")
		return io.NopCloser(bytes.NewReader(nil)), nil
	}}
	if _, err := p.Upload(t.Context(), general, "", huge); core.ClassOf(err) != core.TooLarge {
		t.Errorf("1 GiB: %v, want %s", err, core.TooLarge)
	}
}

func TestTyping(t *testing.T) {
	t.Parallel()
	s, p, _ := running(t, simdiscord.Options{})
	if err := p.Typing(t.Context(), general); err != nil {
		t.Fatal(err)
	}
	if _, on := s.Typing(simdiscord.General, ""); !on {
		t.Error("typing is not shown")
	}
}

// TestMissedWhileDown writes while no bot runs: the next process finds it in the history, once.
func TestMissedWhileDown(t *testing.T) {
	t.Parallel()
	s := newSim(t, simdiscord.Options{})
	clean(t, s)
	h := newHost()
	stop := start(t, newBot(t, s.APIURL(), simdiscord.DefaultToken), h)
	h.waitUp(t, 1)
	say(t, s, sim.Say{Room: simdiscord.General, User: simdiscord.Minh, Text: "before", Mention: true})
	h.event(t, core.KindMessage, 1)
	if err := stop(); err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{"missed 1", "missed 2"} {
		say(t, s, sim.Say{Room: simdiscord.General, User: simdiscord.Minh, Text: text, Mention: true})
	}
	start(t, newBot(t, s.APIURL(), simdiscord.DefaultToken), h)
	h.wait(t, "what was missed", func() bool { return slices.Contains(h.texts(), "missed 2") })
	if got, want := once(h), []string{"before", "missed 1", "missed 2"}; !slices.Equal(got, want) {
		t.Errorf("messages = %q, want %q", got, want)
	}
}

func TestCheck(t *testing.T) {
	t.Parallel()
	find := func(checks []core.Check, word string) *core.Check {
		for _, c := range checks {
			if !c.OK && strings.Contains(strings.ToLower(c.What+" "+c.Mend), word) {
				return &c
			}
		}
		return nil
	}
	tests := []struct {
		name string
		opt  simdiscord.Options
		bad  string // in the one line that is not ok; "" for none
	}{
		{"all well", simdiscord.Options{}, ""},
		{"intent", simdiscord.Options{NoMessageContent: true}, "message content"},
		{"token", simdiscord.Options{Token: "MTEwMDAwMDAwMDAwMDAwMDkwMA.another.token-of-the-stand-in"}, "token"},
		{"history", simdiscord.Options{Permissions: simdiscord.DefaultPermissions &^ simdiscord.ReadMessageHistory}, "history"},
		{"threads", simdiscord.Options{Permissions: simdiscord.DefaultPermissions &^ simdiscord.CreatePublicThreads}, "thread"},
		{"files", simdiscord.Options{Permissions: simdiscord.DefaultPermissions &^ simdiscord.AttachFiles}, "file"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := newSim(t, tt.opt)
			checks, err := newBot(t, s.APIURL(), simdiscord.DefaultToken).Check(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			for _, c := range checks {
				if !c.OK && (tt.bad == "" || !strings.Contains(strings.ToLower(c.What+" "+c.Mend), tt.bad)) {
					t.Errorf("not ok: %+v", c)
				}
			}
			if c := find(checks, tt.bad); tt.bad != "" && (c == nil || c.Mend == "") {
				t.Errorf("%q is not told with its mend: %+v", tt.bad, checks)
			}
		})
	}
}
