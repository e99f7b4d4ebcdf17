package telegram_test

import (
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/clickai/bridge/adapters/telegram"
	"github.com/clickai/bridge/adapters/telegram/telegramfmt"
	"github.com/clickai/bridge/core"
	"github.com/clickai/bridge/internal/sim"
	simtelegram "github.com/clickai/bridge/internal/sim/telegram"
)

func draft(t testing.TB, p *telegram.Platform, at core.Place, nonce string, to core.Part) error {
	t.Helper()
	turn(t, p, at)
	return p.Draft(t.Context(), core.Draft{Place: at, Nonce: nonce, Part: to})
}

func TestDraft(t *testing.T) {
	t.Parallel()
	for _, thread := range []string{"", "topic"} {
		t.Run(thread, func(t *testing.T) {
			t.Parallel()
			s, p := silent(t, simtelegram.Options{PrivateTopics: true})
			clean(t, s)
			telegram.Unlimited(p)
			at := private
			if thread != "" {
				var topic struct {
					ID int `json:"message_thread_id"`
				}
				err := telegram.Call(t.Context(), p, "createForumTopic", map[string]string{"chat_id": at.Room, "name": "Bills"}, &topic)
				if err != nil {
					t.Fatal(err)
				}
				at.Thread = strconv.Itoa(topic.ID)
			}
			if every := p.Limits(at).DraftEvery; every < 15*time.Second || every > 25*time.Second {
				t.Errorf("repeated every %v, want it well within 30 s", every)
			}
			for i, text := range []string{"**one", "**one** & two", "**one** & two < three"} {
				if err := draft(t, p, at, "nonce1", part(text)); err != nil {
					t.Fatal(err)
				}
				if got := s.Drafts(at.Room, at.Thread); len(got) != i+1 {
					t.Errorf("%d states of the draft, want %d", len(got), i+1)
				}
			}
			if got := s.Draft(at.Room, at.Thread); got != "one & two < three" {
				t.Errorf("draft = %q", got)
			}
			if got := s.Drafts(at.Room, at.Thread); !strings.HasPrefix(got[2].Text, "<b>one</b> &amp; two") {
				t.Errorf("draft = %q", got[2].Text)
			}
			ref := post(t, p, at, "**one** & two < three, done")
			if got := s.Draft(at.Room, at.Thread); got != "" {
				t.Errorf("the draft is still there: %q", got)
			}
			if m := find(t, s, ref); m.Thread != at.Thread {
				t.Errorf("message = %+v", m)
			}
			if err := draft(t, p, at, "nonce2", part("next")); err != nil {
				t.Fatal(err)
			}
			if got := s.Drafts(at.Room, at.Thread); len(got) != 1 {
				t.Errorf("%d states of the next draft", len(got))
			}
		})
	}
}

// TestDraftAsLongAsAMessage: what Render makes fits a draft.
func TestDraftAsLongAsAMessage(t *testing.T) {
	t.Parallel()
	s, p := silent(t, simtelegram.Options{})
	clean(t, s)
	telegram.Unlimited(p)
	for i, text := range []string{strings.Repeat("a", 4096), strings.Repeat("tiếng Việt 👋 & ", 500), strings.Repeat("- **x** `y`\n", 900)} {
		for j, one := range telegramfmt.Render(text, false) {
			if err := draft(t, p, private, fmt.Sprint(i, "x", j), one); err != nil {
				t.Errorf("part %d of text %d: %v", j, i, err)
			}
		}
	}
}

func TestDraftPlainWhereMarkupIsRefused(t *testing.T) {
	t.Parallel()
	s, p := silent(t, simtelegram.Options{})
	if err := draft(t, p, private, "n", core.Part{Text: "<b>never closed", Plain: "never closed"}); err != nil {
		t.Fatal(err)
	}
	if got := s.Draft(private.Room, ""); got != "never closed" {
		t.Errorf("draft = %q", got)
	}
	if p.Limits(private).DraftEvery == 0 {
		t.Error("drafts are given up for that")
	}
}

// TestDraftRefused: what an error says of drafts to come.
func TestDraftRefused(t *testing.T) {
	t.Parallel()
	const (
		goesOn = iota
		here
		everywhere
	)
	page := func(status int) sim.Fault {
		return sim.Fault{Status: status, Header: http.Header{"Content-Type": {"text/html"}}, Body: "<html>no</html>"}
	}
	answer := func(code int, text string) sim.Fault { return simtelegram.ErrorFault("", code, text, 0) }
	tests := []struct {
		name  string
		fault sim.Fault
		class core.Class
		ends  int
	}{
		{name: "404", fault: answer(404, "Not Found"), class: core.Unsupported, ends: everywhere},
		{name: "404 with words", fault: answer(404, "Not Found: method not found"), class: core.Unsupported, ends: everywhere},
		{name: "400 method not found", fault: answer(400, "Bad Request: method not found"), class: core.Unsupported, ends: everywhere},
		{name: "400 unknown method", fault: answer(400, "Unknown method sendMessageDraft"), class: core.Unsupported, ends: everywhere},
		{name: "405", fault: answer(405, "Method Not Allowed"), class: core.Unsupported, ends: everywhere},
		{name: "501", fault: answer(501, "Not Implemented"), class: core.Unsupported, ends: everywhere},
		{name: "bare 404 page", fault: page(404), class: core.Unsupported, ends: everywhere},
		{name: "nothing but 404", fault: sim.Fault{Status: 404}, class: core.Unsupported, ends: everywhere},
		{name: "bare 403 page", fault: page(403), class: core.Unsupported, ends: everywhere},
		{name: "bare 501 page", fault: page(501), class: core.Unsupported, ends: everywhere},

		{name: "peer", fault: answer(400, "Bad Request: TEXTDRAFT_PEER_INVALID"), class: core.Unsupported, ends: here},
		{name: "something new", fault: answer(400, "Bad Request: DRAFT_FORBIDDEN"), class: core.Unsupported, ends: here},
		{name: "topic", fault: answer(400, "Bad Request: message thread not found"), class: core.Unsupported, ends: here},
		{name: "blocked", fault: answer(403, "Forbidden: bot was blocked by the user"), class: core.Unsupported, ends: here},
		{name: "rights", fault: answer(400, "Bad Request: not enough rights"), class: core.Unsupported, ends: here},

		{name: "429", fault: simtelegram.TooManyRequests("", 1, 0), class: core.RateLimited},
		{name: "429 page", fault: page(429), class: core.RateLimited},
		{name: "500", fault: answer(500, "Internal Server Error"), class: core.Transient},
		{name: "502 page", fault: page(502), class: core.Transient},
		{name: "503 page", fault: page(503), class: core.Transient},
		{name: "cut", fault: sim.Fault{Cut: true}, class: core.Transient},
		{name: "token", fault: answer(401, "Unauthorized"), class: core.Auth},
		{name: "too long", fault: answer(400, "Bad Request: message is too long"), class: core.TooLong},
		{name: "empty", fault: answer(400, "Bad Request: message text is empty"), class: core.Invalid},
		{name: "markup", fault: answer(400, "Bad Request: can't parse entities: x"), class: core.BadMarkup},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s, p := silent(t, simtelegram.Options{})
			other := corePlace(simtelegram.Anna)
			s.Faults().Add(tt.fault)
			err := draft(t, p, private, "n", part("x"))
			if core.ClassOf(err) != tt.class || isMaybe(err) || strings.Contains(fmt.Sprint(err), token) {
				t.Errorf("error = %v, want class %s", err, tt.class)
			}
			if got, want := p.Limits(private).DraftEvery > 0, tt.ends == goesOn; got != want {
				t.Errorf("drafts are worth trying in the chat: %t", got)
			}
			if got, want := p.Limits(other).DraftEvery > 0, tt.ends != everywhere; got != want {
				t.Errorf("drafts are worth trying elsewhere: %t", got)
			}
			s.Faults().Clear()
			if tt.ends == goesOn {
				return
			}
			calls := s.Calls("sendMessageDraft")
			if err := p.Draft(t.Context(), core.Draft{Place: private, Nonce: "n", Part: part("y")}); core.ClassOf(err) != core.Unsupported {
				t.Errorf("another draft: %v", err)
			}
			if s.Calls("sendMessageDraft") != calls {
				t.Error("the server was asked again")
			}
			if err := draft(t, p, other, "n", part("y")); (err == nil) != (tt.ends == here) {
				t.Errorf("draft elsewhere: %v", err)
			}
			post(t, p, private, "by a message")
		})
	}
}

// TestNoDraftsInGroups: the server need not be asked.
func TestNoDraftsInGroups(t *testing.T) {
	t.Parallel()
	s, p := silent(t, simtelegram.Options{})
	for _, at := range []core.Place{corePlace(simtelegram.Group), {Room: simtelegram.Forum, Thread: simtelegram.TopicBilling}} {
		if every := p.Limits(at).DraftEvery; every != 0 {
			t.Errorf("repeated every %v", every)
		}
		if err := draft(t, p, at, "n", part("x")); core.ClassOf(err) != core.Unsupported {
			t.Errorf("draft: %v", err)
		}
	}
	if err := draft(t, p, core.Place{Room: "5", Thread: "x"}, "n", part("x")); core.ClassOf(err) != core.Invalid {
		t.Errorf("draft: %v", err)
	}
	if n := s.Calls("sendMessageDraft"); n != 0 {
		t.Errorf("%d calls", n)
	}
	if p.Limits(private).DraftEvery == 0 {
		t.Error("that counts against private chats")
	}
}

func TestDraftOnTheWire(t *testing.T) {
	t.Parallel()
	var ids atomic.Value
	api := fake(t, map[string]http.HandlerFunc{"sendMessageDraft": func(w http.ResponseWriter, r *http.Request) {
		if r.FormValue("chat_id") != simtelegram.Minh || r.FormValue("text") != "<b>x</b>" || r.FormValue("parse_mode") != "HTML" || r.FormValue("message_thread_id") != "" {
			t.Errorf("form = %v", r.Form)
		}
		ids.Store(r.FormValue("draft_id"))
		_, _ = io.WriteString(w, `{"ok":true,"result":true}`)
	}})
	p := newBot(t, api, token)
	if err := draft(t, p, private, "0123456789abcdef01x7", part("**x**")); err != nil {
		t.Fatal(err)
	}
	if got := ids.Load(); got != telegram.DraftID("0123456789abcdef01x7") {
		t.Errorf("draft_id = %v", got)
	}
}

func TestDraftIDs(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for i := range 1000 {
		nonce := fmt.Sprintf("0123456789abcdef01x%d", i)
		id := telegram.DraftID(nonce)
		if n, err := strconv.ParseInt(id, 10, 32); err != nil || n <= 0 {
			t.Fatalf("%s: %q", nonce, id)
		}
		if id != telegram.DraftID(nonce) || seen[id] {
			t.Errorf("%s: %q", nonce, id)
		}
		seen[id] = true
	}
}

func TestDraftlessPlacesAreBounded(t *testing.T) {
	t.Parallel()
	p := newPaced(t)
	for i := range telegram.MaxDraftless + 10 {
		telegram.RefuseDrafts(p, corePlace(fmt.Sprint(i+1)))
	}
	if n, _ := telegram.Remembered(p); n > telegram.MaxDraftless || n == 0 {
		t.Errorf("%d places are remembered", n)
	}
}
