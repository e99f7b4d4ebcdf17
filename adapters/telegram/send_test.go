package telegram_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/clickai/bridge/adapters/telegram"
	"github.com/clickai/bridge/core"
	"github.com/clickai/bridge/internal/sim"
	simtelegram "github.com/clickai/bridge/internal/sim/telegram"
)

func TestPostAndEdit(t *testing.T) {
	t.Parallel()
	s, p := silent(t, simtelegram.Options{})
	clean(t, s)
	ref := post(t, p, private, "**bold** & 1 < 2 of @minh_tran, see [docs](https://example.com)")
	if ref.Place != private {
		t.Errorf("ref = %+v", ref)
	}
	m := find(t, s, ref)
	if !strings.HasPrefix(m.Text, "<b>bold</b> &amp; 1 &lt; 2") || !strings.Contains(string(m.Raw), `"is_disabled":true`) {
		t.Errorf("text = %q of %s", m.Text, m.Raw)
	}
	for _, text := range []string{"*other*", "*other*"} { // the second changes nothing
		if err := edit(t, p, ref, part(text)); err != nil {
			t.Errorf("edit: %v", err)
		}
	}
	if m := find(t, s, ref); m.Shown != "other" || len(m.Versions) != 2 {
		t.Errorf("shown = %q, %d versions", m.Shown, len(m.Versions))
	}
	if pings := s.Pings(); len(pings) != 0 {
		t.Errorf("pinged %+v", pings)
	}
	if err := p.Delete(t.Context(), ref); err != nil {
		t.Error(err)
	}
	if err := p.Delete(t.Context(), ref); err != nil {
		t.Errorf("deleted again: %v", err)
	}
	if err := edit(t, p, ref, part("gone")); core.ClassOf(err) != core.MessageGone {
		t.Errorf("edit of a deleted message: %v", err)
	}
}

func TestPlaces(t *testing.T) {
	t.Parallel()
	s, p := silent(t, simtelegram.Options{})
	clean(t, s)
	question := say(t, s, sim.Say{Room: simtelegram.Forum, Thread: simtelegram.TopicBilling, User: simtelegram.Tom, Text: "my bill", Mention: true})
	topic := core.Place{Room: simtelegram.Forum, Thread: simtelegram.TopicBilling}
	ref, err := p.Post(t.Context(), core.Post{Place: topic, ReplyTo: question.ID, Part: part("here")})
	if err != nil {
		t.Fatal(err)
	}
	if m := find(t, s, ref); m.Thread != simtelegram.TopicBilling || m.ReplyTo != question.ID {
		t.Errorf("message = %+v", m)
	}
	// The question is gone.
	ref, err = p.Post(t.Context(), core.Post{Place: topic, ReplyTo: "999999", Part: part("still here")})
	if err != nil {
		t.Fatal(err)
	}
	if m := find(t, s, ref); m.ReplyTo != "" {
		t.Errorf("message = %+v", m)
	}
	for _, at := range []core.Place{topic, private} {
		if err := p.Typing(t.Context(), at); err != nil {
			t.Errorf("typing: %v", err)
		}
		if _, ok := s.Typing(at.Room, at.Thread); !ok {
			t.Errorf("nothing shows in %+v", at)
		}
	}
	if err := s.DeleteTopic(simtelegram.Forum, simtelegram.TopicBilling); err != nil {
		t.Fatal(err)
	}
	if _, err := p.Post(t.Context(), core.Post{Place: topic, Part: part("x")}); core.ClassOf(err) != core.ThreadGone {
		t.Errorf("post in a deleted topic: %v", err)
	}
	if err := s.Block(simtelegram.Minh, true); err != nil {
		t.Fatal(err)
	}
	if _, err := p.Post(t.Context(), core.Post{Place: private, Part: part("x")}); core.ClassOf(err) != core.RoomGone {
		t.Errorf("post to one who has blocked the bot: %v", err)
	}
	for _, at := range []core.Place{{Room: "general"}, {Room: simtelegram.Forum, Thread: "x"}, {}} {
		if _, err := p.Post(t.Context(), core.Post{Place: at, Part: part("x")}); core.ClassOf(err) != core.Invalid {
			t.Errorf("post in %+v: %v", at, err)
		}
	}
}

func TestPlainWhereMarkupIsRefused(t *testing.T) {
	t.Parallel()
	s, p := silent(t, simtelegram.Options{})
	broken := core.Part{Text: "<b>never closed", Plain: "never closed"}
	ref, err := p.Post(t.Context(), core.Post{Place: private, Part: broken})
	if err != nil {
		t.Fatal(err)
	}
	if m := find(t, s, ref); m.Shown != "never closed" {
		t.Errorf("shown = %q", m.Shown)
	}
	other := post(t, p, private, "fine")
	if err := edit(t, p, other, broken); err != nil {
		t.Error(err)
	}
	if m := find(t, s, other); m.Shown != "never closed" {
		t.Errorf("shown after the edit = %q", m.Shown)
	}
	if _, err := p.Post(t.Context(), core.Post{Place: private, Part: core.Part{Text: "<b>x"}}); core.ClassOf(err) != core.BadMarkup {
		t.Errorf("without plain text: %v", err)
	}
}

func TestErrors(t *testing.T) {
	t.Parallel()
	tests := []struct {
		code  int
		text  string
		want  core.Class
		maybe bool
	}{
		{code: 400, text: "Bad Request: message is not modified: specified new message content and reply markup are exactly the same"},
		{code: 400, text: "Bad Request: message to edit not found", want: core.MessageGone},
		{code: 400, text: "Bad Request: message can't be edited", want: core.MessageGone},
		{code: 400, text: "Bad Request: MESSAGE_ID_INVALID", want: core.MessageGone},
		{code: 400, text: "Bad Request: message thread not found", want: core.ThreadGone},
		{code: 400, text: "Bad Request: TOPIC_CLOSED", want: core.ThreadGone},
		{code: 400, text: "Bad Request: TOPIC_DELETED", want: core.ThreadGone},
		{code: 400, text: "Bad Request: message is too long", want: core.TooLong},
		{code: 400, text: "Bad Request: chat not found", want: core.RoomGone},
		{code: 400, text: "Bad Request: not enough rights to send text messages to the chat", want: core.RoomGone},
		{code: 400, text: "Bad Request: not enough rights to send photos to the chat", want: core.Denied},
		{code: 400, text: "Bad Request: can't parse entities: Unsupported start tag \"x\" at byte offset 0", want: core.BadMarkup},
		{code: 400, text: "Bad Request: message text is empty", want: core.Invalid},
		{code: 400, text: "Bad Request: something new", want: core.Invalid},
		{code: 401, text: "Unauthorized", want: core.Auth},
		{code: 403, text: "Forbidden: bot was blocked by the user", want: core.RoomGone},
		{code: 403, text: "Forbidden: bot was kicked from the supergroup chat", want: core.RoomGone},
		{code: 403, text: "Forbidden: user is deactivated", want: core.RoomGone},
		{code: 404, text: "Not Found: method not found", want: core.Unsupported},
		{code: 409, text: "Conflict: …", want: core.Transient},
		{code: 413, text: "Request Entity Too Large", want: core.TooLarge},
		{code: 500, text: "Internal Server Error", want: core.Transient, maybe: true},
		{code: 502, text: "Bad Gateway", want: core.Transient, maybe: true},
	}
	s, p := silent(t, simtelegram.Options{RateScale: 1e6})
	telegram.Unlimited(p)
	ref := post(t, p, private, "x")
	for _, tt := range tests { // in turn: they script one server
		s.Faults().Clear()
		s.Faults().Add(simtelegram.ErrorFault("", tt.code, tt.text, 0))
		telegram.Open(p, private.Room)
		err := p.Edit(t.Context(), ref, core.Part{Text: "y"})
		if core.ClassOf(err) != tt.want || isMaybe(err) {
			t.Errorf("edit: %s: %v, want %q", tt.text, err, tt.want)
		}
		if tt.want == "" {
			continue
		}
		_, err = p.Post(t.Context(), core.Post{Place: private, Part: core.Part{Text: "y"}})
		if core.ClassOf(err) != tt.want || isMaybe(err) != tt.maybe {
			t.Errorf("post: %s: %v, want %q, maybe %t", tt.text, err, tt.want, tt.maybe)
		}
	}
}

func isMaybe(err error) bool {
	e, ok := errors.AsType[*core.Error](err)
	return ok && e.Maybe
}

// TestAnswerLost: whether a message may stand there already.
func TestAnswerLost(t *testing.T) {
	t.Parallel()
	page := http.Header{"Content-Type": {"text/html"}}
	tests := []struct {
		name  string
		fault sim.Fault
		class core.Class
		maybe bool
	}{
		{name: "cut", fault: sim.Fault{Cut: true, Handled: true}, class: core.Transient, maybe: true},
		{name: "page of a gateway", fault: sim.Fault{Status: http.StatusBadGateway, Header: page, Body: "<html>" + token}, class: core.Transient, maybe: true},
		{name: "page of a proxy", fault: sim.Fault{Status: http.StatusForbidden, Header: page, Body: "<html>" + token}, class: core.Transient},
		{name: "page with a pause", fault: sim.Fault{Status: http.StatusTooManyRequests, Header: http.Header{"Retry-After": {"7"}}, Body: "slow down"}, class: core.RateLimited},
		{name: "too large for a proxy", fault: sim.Fault{Status: http.StatusRequestEntityTooLarge, Header: page, Body: "<html>"}, class: core.TooLarge},
		{name: "nothing in it", fault: sim.Fault{Status: http.StatusOK, Body: `{"ok":true}`}, class: core.Transient, maybe: true},
		{name: "no message in it", fault: sim.Fault{Status: http.StatusOK, Body: `{"ok":true,"result":{"message_id":0}}`}, class: core.Transient, maybe: true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s, p := silent(t, simtelegram.Options{})
			s.Faults().Add(tt.fault)
			_, err := p.Post(t.Context(), core.Post{Place: private, Part: part("x")})
			if core.ClassOf(err) != tt.class || isMaybe(err) != tt.maybe {
				t.Errorf("error = %v, maybe %t; want %s, %t", err, isMaybe(err), tt.class, tt.maybe)
			}
			if err != nil && (strings.Contains(err.Error(), token) || strings.Contains(err.Error(), "<html>")) {
				t.Errorf("the error repeats the page: %v", err)
			}
		})
	}
	t.Run("no server", func(t *testing.T) {
		t.Parallel()
		p := newBot(t, "http://127.0.0.1:1", token)
		_, err := p.Post(t.Context(), core.Post{Place: private, Part: part("x")})
		if core.ClassOf(err) != core.Transient || isMaybe(err) || strings.Contains(err.Error(), token) {
			t.Errorf("error = %v, maybe %t", err, isMaybe(err))
		}
	})
}

// TestSentIsSent: the message that Telegram returns may hold what the library cannot read, in the message replied to. It has
// been sent nevertheless.
func TestSentIsSent(t *testing.T) {
	t.Parallel()
	var calls atomic.Int32
	api := fake(t, map[string]http.HandlerFunc{"sendMessage": func(w http.ResponseWriter, r *http.Request) {
		calls.Add(1)
		if r.ContentLength <= 0 {
			t.Errorf("length %d: some servers take no bodies of unknown length", r.ContentLength)
		}
		_, _ = io.WriteString(w, `{"ok":true,"result":{"message_id":77,"date":1,"chat":{"id":5000000001,"type":"private"},"text":"x",
			"reply_to_message":{"message_id":3,"date":1,"chat":{"id":5000000001,"type":"private"},
			"paid_media":{"star_count":1,"paid_media":[{"type":"hologram"}]}}}}`)
	}})
	p := newBot(t, api, token)
	ref, err := p.Post(t.Context(), core.Post{Place: private, ReplyTo: "3", Part: part("x")})
	if err != nil || ref.ID != "77" || calls.Load() != 1 {
		t.Errorf("ref %+v, %v, after %d calls", ref, err, calls.Load())
	}
}

// TestReplyTargetRefused has a server that does not know allow_sending_without_reply.
func TestReplyTargetRefused(t *testing.T) {
	t.Parallel()
	s, p := silent(t, simtelegram.Options{})
	s.Faults().Add(simtelegram.ErrorFault("sendMessage", 400, "Bad Request: message to be replied not found", 1))
	if _, err := p.Post(t.Context(), core.Post{Place: private, ReplyTo: "3", Part: part("x")}); err != nil {
		t.Error(err)
	}
}

// TestFloodHoldsOneChat: a 429 stops the chat that it names, for all calls and for as long as it says.
func TestFloodHoldsOneChat(t *testing.T) {
	t.Parallel()
	inMemory(t, func(t *testing.T, s *simtelegram.Server, p *telegram.Platform) {
		clean(t, s)
		ref := post(t, p, private, "x")
		s.Faults().Add(simtelegram.TooManyRequests("editMessageText", 30, 1))
		if err := p.Edit(t.Context(), ref, part("y")); core.ClassOf(err) != core.RateLimited || core.RetryAfterOf(err) != 30*time.Second {
			t.Fatalf("edit: %v", err)
		}
		calls := s.Faults().Hits()
		within := func(op string, err error) {
			t.Helper()
			if wait := core.RetryAfterOf(err); core.ClassOf(err) != core.RateLimited || wait < 25*time.Second || wait > 30*time.Second {
				t.Errorf("%s: %v, to be tried again after %v", op, err, wait)
			}
		}
		within("edit", p.Edit(t.Context(), ref, part("z")))
		within("typing", p.Typing(t.Context(), private))
		within("delete", p.Delete(t.Context(), ref))
		began := time.Now()
		_, err := p.Post(t.Context(), core.Post{Place: private, Part: part("z")})
		within("post", err)
		if d := time.Since(began); d > time.Second {
			t.Errorf("it waited %v for what takes 30 s", d)
		}
		if s.Faults().Hits() != calls {
			t.Error("the chat was called meanwhile")
		}
		post(t, p, core.Place{Room: simtelegram.Anna}, "another chat")
	})
}

// TestWaitsEndWithTheContext: so do the calls that see to their own turn.
func TestWaitsEndWithTheContext(t *testing.T) {
	t.Parallel()
	inMemory(t, func(t *testing.T, s *simtelegram.Server, p *telegram.Platform) {
		turn(t, p, private)
		turn(t, p, private) // that is what a chat takes at once
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(50*time.Millisecond, cancel)
		err := p.Pace(ctx, core.Show{Kind: core.ShowPost, Place: private, Urgent: true})
		if !errors.Is(err, context.Canceled) {
			t.Errorf("pace = %v", err)
		}
		_, err = p.Post(ctx, core.Post{Place: private, Part: part("three")})
		if !errors.Is(err, context.Canceled) || isMaybe(err) {
			t.Errorf("post = %v", err)
		}
		ctx, cancel = context.WithTimeout(t.Context(), 100*time.Millisecond) // ends before its turn comes
		defer cancel()
		began := time.Now()
		_, err = p.Upload(ctx, private, "", fileOf("a.txt", "text/plain", []byte("a")))
		if core.ClassOf(err) != core.RateLimited || core.RetryAfterOf(err) <= 0 || time.Since(began) != 0 {
			t.Errorf("upload = %v after %v, want it given back at once", err, time.Since(began))
		}
		if n := s.Calls("sendMessage") + s.Calls("sendDocument"); n != 0 {
			t.Errorf("%d calls", n)
		}
	})
}

func TestGroupUpgrade(t *testing.T) {
	t.Parallel()
	for _, told := range []bool{true, false} {
		t.Run(fmt.Sprint("told by an update: ", told), func(t *testing.T) {
			t.Parallel()
			s, p := silent(t, simtelegram.Options{})
			group := core.Place{Room: simtelegram.Group}
			to, err := s.Upgrade(simtelegram.Group)
			if err != nil {
				t.Fatal(err)
			}
			if told {
				h := &host{}
				start(t, p, h)
				await(t, "the update", s.Changed, func() bool { return s.Pending() == 0 })
			}
			calls := s.Calls("sendMessage")
			ref := post(t, p, group, "still here")
			if _, ok := s.Find(sim.Ref{Room: to, ID: ref.ID}); !ok || ref.Room != to {
				t.Errorf("ref = %+v", ref)
			}
			if err := edit(t, p, ref, part("and here")); err != nil {
				t.Error(err)
			}
			if err := p.Typing(t.Context(), group); err != nil {
				t.Error(err)
			}
			want := 2 // refused once, with the new id
			if told {
				want = 1
			}
			if n := s.Calls("sendMessage") - calls; n != want {
				t.Errorf("%d calls, want %d", n, want)
			}
		})
	}
}

func TestReactions(t *testing.T) {
	t.Parallel()
	s, p, h := running(t, simtelegram.Options{})
	ref := post(t, p, private, "rate me")
	at := sim.Ref{Room: ref.Room, ID: ref.ID}
	for _, act := range []func() error{
		func() error { return s.React(t.Context(), at, simtelegram.Minh, "👍") },
		func() error { return s.React(t.Context(), at, simtelegram.Minh, "❤") }, // in the place of the first
		func() error { return s.Unreact(t.Context(), at, simtelegram.Minh, "❤") },
		func() error { return s.React(t.Context(), at, simtelegram.Minh, "👍") },
	} {
		if err := act(); err != nil {
			t.Fatal(err)
		}
	}
	want := []core.Reaction{{Emoji: "👍", Added: true}, {Emoji: "👍"}, {Emoji: "❤", Added: true}, {Emoji: "❤"}, {Emoji: "👍", Added: true}}
	keys := map[string]bool{}
	for i, w := range want {
		ev := h.event(t, core.KindReaction, i+1)
		if *ev.Reaction != w || ev.MessageID != ref.ID || ev.Room.ID != ref.Room || ev.Sender.Key != "telegram:"+simtelegram.Minh {
			t.Errorf("event %d = %s", i, asJSON(t, ev))
		}
		keys[ev.Key] = true
	}
	if len(keys) != len(want) {
		t.Errorf("keys are not unique: %v", keys)
	}
}

func TestEditsOfQuestions(t *testing.T) {
	t.Parallel()
	s, _, h := running(t, simtelegram.Options{})
	q := ask(t, s, "frist")
	if err := s.Edit(t.Context(), q.Ref, simtelegram.Minh, "first"); err != nil {
		t.Fatal(err)
	}
	ev := h.event(t, core.KindEdit, 1)
	if ev.MessageID != q.ID || ev.Text != "first" || ev.Key == h.all(core.KindMessage)[0].Key {
		t.Errorf("edit = %s", asJSON(t, ev))
	}
}

func TestLimits(t *testing.T) {
	t.Parallel()
	p := newBot(t, telegram.DefaultAPIURL, token)
	group, direct := p.Limits(core.Place{Room: simtelegram.Group}), p.Limits(private)
	if !group.ReplyToRoom || direct.ReplyToRoom {
		t.Errorf("replies: %t in groups, %t in private chats", group.ReplyToRoom, direct.ReplyToRoom)
	}
	if group.EditGap < 3*time.Second || direct.EditGap < time.Second || group.TypingEvery >= 5*time.Second {
		t.Errorf("group %+v, private %+v", group, direct)
	}
}

func TestAlbum(t *testing.T) {
	t.Parallel()
	s, _, h := running(t, simtelegram.Options{})
	say(t, s, sim.Say{Room: simtelegram.Minh, User: simtelegram.Minh, Text: "two", Files: []sim.File{
		{Name: "a.pdf", MIME: "application/pdf", Data: []byte("a")}, {Name: "b.pdf", MIME: "application/pdf", Data: []byte("b")},
	}})
	first, second := h.event(t, core.KindMessage, 1), h.event(t, core.KindMessage, 2)
	if first.Group == "" || first.Group != second.Group || first.Key == second.Key {
		t.Errorf("groups %q, %q; keys %q, %q", first.Group, second.Group, first.Key, second.Key)
	}
	if got := []string{first.Attachments[0].Name, second.Attachments[0].Name}; !slices.Equal(got, []string{"a.pdf", "b.pdf"}) {
		t.Errorf("files = %q", got)
	}
}
