package telegram_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/clickai/bridge/adapters/telegram"
	"github.com/clickai/bridge/core"
	"github.com/clickai/bridge/internal/sim"
	simtelegram "github.com/clickai/bridge/internal/sim/telegram"
)

// TestFailures: what becomes of an answer after each failure that Telegram is known for. In each case a question is asked,
// its answer begins to show, and then ends.
// Source: https://core.telegram.org/bots/api#making-requests, and the texts of https://github.com/tdlib/telegram-bot-api
func TestFailures(t *testing.T) {
	t.Parallel()
	html := http.Header{"Content-Type": {"text/html"}}
	const whole = "re: q"
	send := func(code int, text string, times int) sim.Fault {
		return simtelegram.ErrorFault("/sendMessage", code, text, times)
	}
	edit := func(code int, text string, times int) sim.Fault {
		return simtelegram.ErrorFault("/editMessageText", code, text, times)
	}
	tests := []struct {
		name   string
		fault  sim.Fault // from before the question
		later  sim.Fault // from when the answer shows
		shows  []string  // the bot's messages in the end
		says   string    // of the log
		posts  int       // calls of sendMessage, at most
		undone bool      // the question waits for someone to act
	}{
		// Retried.
		{name: "429", fault: simtelegram.TooManyRequests("/sendMessage", 1, 1), shows: []string{whole}, posts: 2},
		{name: "429 to an edit", later: simtelegram.TooManyRequests("/editMessageText", 1, 1), shows: []string{whole}, posts: 1},
		{name: "429 without a time", fault: send(429, "Too Many Requests: retry later", 1), shows: []string{whole}, posts: 2},
		{name: "5xx", fault: send(500, "Internal Server Error", 1), shows: []string{whole}, posts: 2},
		{name: "5xx to an edit", later: edit(502, "Bad Gateway", 1), shows: []string{whole}, posts: 1},
		{name: "page of a proxy", fault: sim.Fault{Match: "/sendMessage", Status: 502, Header: html, Body: "<html>", Times: 1}, shows: []string{whole}, posts: 2},
		{name: "page of a login", fault: sim.Fault{Match: "/sendMessage", Status: 401, Header: html, Body: "<html>", Times: 1}, shows: []string{whole}, posts: 2},
		{name: "cut before it arrived", fault: sim.Fault{Match: "/sendMessage", Cut: true, Times: 1}, shows: []string{whole}, posts: 2},
		{name: "conflict", fault: send(409, "Conflict: …", 1), shows: []string{whole}, posts: 2},
		// Nothing tells a message whose answer was lost from one that was never taken: it stands twice. See the measured window.
		{name: "cut after it arrived", fault: sim.Fault{Match: "/sendMessage", Cut: true, Handled: true, Times: 1}, shows: []string{"re:", whole}, posts: 2},
		// Success.
		{name: "edit whose answer was lost", later: sim.Fault{Match: "/editMessageText", Cut: true, Handled: true, Times: 1}, shows: []string{whole}, posts: 1},
		// Posted anew.
		{name: "message to edit not found", later: edit(400, "Bad Request: message to edit not found", 1), shows: []string{"re:", whole}, posts: 2},
		{name: "message can't be edited", later: edit(400, "Bad Request: message can't be edited", 1), shows: []string{"re:", whole}, posts: 2},
		{name: "MESSAGE_ID_INVALID", later: edit(400, "Bad Request: MESSAGE_ID_INVALID", 1), shows: []string{"re:", whole}, posts: 2},
		// Otherwise: without formatting, with a later text, without the thread.
		{name: "can't parse entities", fault: send(400, "Bad Request: can't parse entities: Unsupported start tag", 1), shows: []string{whole}, posts: 2},
		{name: "message is too long", fault: send(400, "Bad Request: message is too long", 1), shows: []string{whole}, posts: 2},
		{name: "message text is empty", fault: send(400, "Bad Request: message text is empty", 1), shows: []string{whole}, posts: 2},
		{name: "message to be replied not found", fault: send(400, "Bad Request: message to be replied not found", 1), shows: []string{whole}, posts: 2},
		{name: "something new", fault: send(400, "Bad Request: something new", 1), shows: []string{whole}, posts: 2},
		// Given up: one call, and that is all.
		{name: "chat not found", fault: send(400, "Bad Request: chat not found", 0), posts: 1, says: "reply could not be shown"},
		{name: "blocked", fault: send(403, "Forbidden: bot was blocked by the user", 0), posts: 1, says: "reply could not be shown"},
		{name: "kicked", fault: send(403, "Forbidden: bot was kicked from the supergroup chat", 0), posts: 1, says: "reply could not be shown"},
		{name: "deactivated", fault: send(403, "Forbidden: user is deactivated", 0), posts: 1, says: "reply could not be shown"},
		{name: "rights", fault: send(400, "Bad Request: not enough rights to send text messages to the chat", 0), posts: 1, says: "reply could not be shown"},
		{name: "blocked when the answer shows", later: edit(403, "Forbidden: bot was blocked by the user", 0), posts: 1, shows: []string{"re:"}, says: "reply could not be shown"},
		{name: "refused in every form", fault: send(400, "Bad Request: something new", 0), posts: 3, says: "reply could not be shown"},
		// Stopped: it needs someone to act, and is answered then.
		{name: "token refused", fault: simtelegram.ErrorFault("/sendMessage", 401, "Unauthorized", 0), posts: 1, says: "class=auth", undone: true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := openOffice(t, simtelegram.Options{RateScale: 1000}, nil)
			goOn := w.app.pause("q")
			if tt.fault.Match != "" {
				w.sim.Faults().Add(tt.fault)
			}
			if tt.undone { // as when BotFather has made a new token: each call is refused, polls too
				w.sim.Faults().Add(simtelegram.ErrorFault("/getUpdates", 401, "Unauthorized", 0))
			}
			ask(t, w.sim, "q")
			if tt.undone {
				w.undone(t, tt.posts)
				return
			}
			await(t, "the question", w.app.changed.Changed, func() bool { return len(w.app.asked()) == 1 })
			if tt.fault.Match == "" {
				w.shown(t, simtelegram.Minh, "re:")
			} else {
				await(t, "the fault", tick(t), func() bool { return w.sim.Faults().Hits() > 0 })
			}
			if tt.later.Match != "" {
				w.sim.Faults().Add(tt.later)
			}
			goOn()
			w.idle(t)
			var got []string
			for _, m := range w.sim.Messages(simtelegram.Minh, "") {
				if m.Bot {
					got = append(got, m.Shown)
				}
			}
			if fmt.Sprintf("%q", got) != fmt.Sprintf("%q", tt.shows) {
				t.Errorf("shows %q, want %q", got, tt.shows)
			}
			if n := w.sim.Calls("sendMessage") + w.refused("/sendMessage", tt.fault); n > tt.posts {
				t.Errorf("%d posts, want %d at most", n, tt.posts)
			}
			if !strings.Contains(w.log.String(), tt.says) {
				t.Errorf("the log does not say %q", tt.says)
			}
			if n := len(w.app.asked()); n != 1 {
				t.Errorf("asked %d times", n)
			}
			if s := w.at.Status()[0]; s.Stopped || !s.Connected {
				t.Errorf("status = %+v", s)
			}
		})
	}
}

// refused is how many calls a fault kept from the stand-in. All of a test's faults are of one method.
func (w *office) refused(method string, f sim.Fault) int {
	if f.Match != method || f.Handled {
		return 0
	}
	return w.sim.Faults().Hits()
}

// undone checks that a bot whose token is refused stops, keeps the question, and answers it once the token is mended.
func (w *office) undone(t *testing.T, posts int) {
	t.Helper()
	await(t, "the end of the bot", tick(t), func() bool { return w.at.Status()[0].Stopped })
	// A poll, and the one that confirms what was taken, may be refused besides.
	if n := w.sim.Faults().Hits(); n > posts+2 {
		t.Errorf("%d calls after the token was refused", n)
	}
	w.stop()
	if left, err := w.store.Unfinished(t.Context()); err != nil || len(left)+w.sim.Pending() == 0 {
		t.Errorf("the question is gone: %v, %v", left, err)
	}
	w.sim.Faults().Clear()
	w.app.pause("q")()
	w.run(t, nil)
	w.shown(t, simtelegram.Minh, "re: q")
	w.idle(t)
}

// TestTopicGone: an answer whose topic is closed or deleted goes to the group.
func TestTopicGone(t *testing.T) {
	t.Parallel()
	for name, end := range map[string]func(*simtelegram.Server) error{
		"closed": func(s *simtelegram.Server) error {
			return s.CloseTopic(simtelegram.Forum, simtelegram.TopicBilling, true)
		},
		"deleted": func(s *simtelegram.Server) error { return s.DeleteTopic(simtelegram.Forum, simtelegram.TopicBilling) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := openOffice(t, simtelegram.Options{}, nil)
			w.app.answer = func(core.Question) string { // before there is anything to show
				if err := end(w.sim); err != nil {
					t.Error(err)
				}
				return "re: q"
			}
			say(t, w.sim, sim.Say{Room: simtelegram.Forum, Thread: simtelegram.TopicBilling, User: simtelegram.Anna, Text: "q", Mention: true})
			w.shown(t, simtelegram.Forum, "re: q")
			w.idle(t)
			if n := len(w.sim.Messages(simtelegram.Forum, "")); n != 1 {
				t.Errorf("%d messages in General", n)
			}
		})
	}
}

// TestShutOut: a group that throws the bot out stops costing anything. What waited there is given up, each question after
// being asked once at most; what others ask elsewhere is answered; and when the bot is let in again, it answers again.
func TestShutOut(t *testing.T) {
	t.Parallel()
	for _, told := range []bool{true, false} {
		t.Run(fmt.Sprint("told by an update: ", told), func(t *testing.T) {
			t.Parallel()
			w := openOffice(t, simtelegram.Options{RateScale: 1000}, nil)
			w.app.answer = func(q core.Question) string { return "re: " + q.Query[strings.LastIndexByte(q.Query, ' ')+1:] }
			goOn := w.app.pause("q1")
			inGroup(t, w.sim, simtelegram.Group, "q1")
			w.shown(t, simtelegram.Group, "re:")
			for i, user := range []string{simtelegram.Tom, simtelegram.Anna, simtelegram.Minh} {
				say(t, w.sim, sim.Say{Room: simtelegram.Group, User: user, Text: fmt.Sprint("q", i+2), Mention: true})
			}
			await(t, "the questions", w.sim.Changed, func() bool { return w.sim.Pending() == 0 })
			calls := func() int {
				n := w.sim.Faults().Hits()
				for _, method := range []string{"sendMessage", "editMessageText", "sendChatAction", "sendMessageDraft", "deleteMessage"} {
					n += w.sim.Calls(method)
				}
				return n
			}
			most := 0
			if told {
				if err := w.sim.SetBot(simtelegram.Group, "kicked"); err != nil {
					t.Fatal(err)
				}
				await(t, "the news", w.sim.Changed, func() bool { return w.sim.Pending() == 0 })
			} else {
				for _, method := range []string{"/sendMessage", "/editMessageText", "/sendChatAction"} {
					w.sim.Faults().Add(simtelegram.ErrorFault(method, 403, "Forbidden: bot was kicked from the group chat", 0))
				}
				most = 2 // a sign of typing and an edit may be on their way at once
			}
			before := calls()
			goOn()
			w.idle(t)
			if n := calls() - before; n > most {
				t.Errorf("%d calls for a group that the bot is out of", n)
			}
			if n := len(w.app.asked()); n > 4 {
				t.Errorf("%d questions were asked, want each once at most", n)
			}
			at := core.Place{Room: simtelegram.Group}
			before = calls()
			for range 20 {
				if err := w.bot.Typing(t.Context(), at); err != nil && core.ClassOf(err) != core.RoomGone {
					t.Errorf("typing: %v", err)
				}
				if _, err := w.bot.Post(t.Context(), core.Post{Place: at, Part: part("x")}); core.ClassOf(err) != core.RoomGone {
					t.Errorf("post: %v", err)
				}
			}
			if n := calls() - before; n != 0 {
				t.Errorf("%d calls for a group that is known to be closed", n)
			}
			w.sim.Faults().Clear()
			ask(t, w.sim, "elsewhere")
			w.shown(t, simtelegram.Minh, "re: elsewhere")
			if told {
				if err := w.sim.SetBot(simtelegram.Group, "member"); err != nil {
					t.Fatal(err)
				}
			}
			inGroup(t, w.sim, simtelegram.Group, "again")
			w.shown(t, simtelegram.Group, "re: again")
			w.idle(t)
		})
	}
}

// TestBlockedAndBack: a person who has blocked the bot and writes again is answered, whether the bot was told or not.
func TestBlockedAndBack(t *testing.T) {
	t.Parallel()
	s, p, h := running(t, simtelegram.Options{})
	telegram.Unlimited(p)
	for _, blocked := range []bool{true, false, true} {
		if err := s.Block(simtelegram.Minh, blocked); err != nil {
			t.Fatal(err)
		}
		await(t, "the news", s.Changed, func() bool { return s.Pending() == 0 })
		calls := s.Calls("sendMessage")
		_, err := p.Post(t.Context(), core.Post{Place: private, Part: part("x")})
		if blocked != (core.ClassOf(err) == core.RoomGone) || !blocked && err != nil {
			t.Errorf("blocked %t: %v", blocked, err)
		}
		if n := s.Calls("sendMessage") - calls; blocked && n != 0 {
			t.Errorf("%d calls to somebody who has blocked the bot", n)
		}
	}
	s.Faults().Add(simtelegram.ErrorFault("getUpdates", 500, "Internal Server Error", 3))
	if err := s.Block(simtelegram.Minh, false); err != nil {
		t.Fatal(err)
	}
	ask(t, s, "back")
	h.event(t, core.KindMessage, 1)
	post(t, p, private, "welcome")
}
