package slack_test

import (
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/clickai/bridge/core"
	sim "github.com/clickai/bridge/internal/sim"
	simslack "github.com/clickai/bridge/internal/sim/slack"
)

// refusal is what Slack answers when it refuses a call.
func refusal(code string) sim.Fault {
	return sim.Fault{Status: http.StatusOK, Body: `{"ok":false,"error":"` + code + `"}`}
}

// outcome is what becomes of a question whose calls fail.
type outcome string

const (
	once      outcome = "one message, whole" // tried again, or in another form
	anew      outcome = "another message, whole"
	inTheRoom outcome = "outside the thread, whole"
	givenUp   outcome = "given up"
	stops     outcome = "the bot stops"
)

// TestFailures has each failure of Slack's happen to a question and looks what becomes of it, over HTTP from one end to the
// other. The time is virtual.
func TestFailures(t *testing.T) {
	t.Parallel()
	type row struct {
		name   string
		method string
		fault  sim.Fault
		times  int // 0: for good
		mode   string
		want   outcome
	}
	var rows []row
	add := func(want outcome, method string, times int, mode string, codes ...string) {
		for _, code := range codes {
			rows = append(rows, row{method + " " + code, method, refusal(code), times, mode, want})
		}
	}
	broken := map[string]sim.Fault{
		"429":                {Status: 429, Header: http.Header{"Retry-After": {"7"}}},
		"429 without header": {Status: 429, Body: "slow down"},
		"500":                {Status: 500, Body: "<html>"},
		"503":                {Status: 503, Body: `{"ok":false,"error":"service_unavailable"}`},
		"page":               {Status: 200, Body: "<html>log in</html>"},
		"half an answer":     {Status: 200, Body: `{"ok":tr`},
		"no error":           {Status: 200, Body: `{"ok":false,"error":""}`},
		"cut":                {Cut: true},
		"answer lost":        {Cut: true, Handled: true},
	}
	for _, method := range []string{"chat.postMessage", "chat.update"} {
		for name, fault := range broken {
			rows = append(rows, row{method + " " + name, method, fault, 2, "", once})
		}
		add(once, method, 2, "", "ratelimited", "internal_error", "fatal_error", "service_unavailable", "request_timeout")
		// What is too long or not liked goes out as plain text.
		add(once, method, 1, "", "msg_too_long", "msg_blocks_too_long", "invalid_blocks", "no_text")
	}
	for _, method := range []string{"chat.startStream", "chat.appendStream", "chat.stopStream"} {
		for _, name := range []string{"429", "503", "cut", "answer lost"} {
			rows = append(rows, row{method + " " + name, method, broken[name], 1, "native", once})
		}
	}
	add(once, "chat.appendStream", 0, "native", "message_not_in_streaming_state", "streaming_state_conflict")
	add(once, "chat.update", 1, "", "streaming_state_conflict")
	add(anew, "chat.update", 1, "", "message_not_found", "cant_update_message", "edit_window_closed")
	add(inTheRoom, "chat.postMessage", 1, "", "thread_not_found", "invalid_thread_ts")
	for _, code := range []string{"channel_not_found", "not_in_channel", "is_archived", "restricted_action", "cannot_dm_bot", "messages_tab_disabled"} {
		add(givenUp, "chat.postMessage", 0, "", code)
		add(givenUp, "chat.startStream", 0, "native", code)
	}
	add(givenUp, "chat.postMessage", 0, "", "missing_scope", "not_allowed_token_type", "no_permission")
	add(stops, "", 0, "", "invalid_auth", "not_authed", "account_inactive", "token_revoked", "token_expired")

	for _, tt := range rows {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			inWorkshop(t, scene{answers: 1, rooms: 2, words: 10, each: time.Second, mode: tt.mode}, func(t *testing.T, w *workshop) {
				tt.fault.Match, tt.fault.Times = "/api/"+tt.method, tt.times
				if tt.want != stops {
					w.sim.Faults().Add(tt.fault)
				}
				w.ask(0)
				if tt.want == stops {
					pass(3 * time.Second)
					w.sim.Faults().Add(tt.fault)
				}
				pass(3 * time.Minute)
				if w.sim.Faults().Hits() == 0 {
					t.Fatal("nothing went wrong")
				}
				w.became(tt.want)
			})
		})
	}
}

// became checks what has become of the only question.
func (w *workshop) became(want outcome) {
	w.t.Helper()
	hits := w.sim.Faults().Hits()
	pass(3 * time.Minute)
	if more := w.sim.Faults().Hits() - hits; more != 0 && want != stops {
		w.t.Errorf("%d calls more failed after all was over", more)
	}
	state := w.bridge.Status()[0]
	if want == stops {
		if !state.Stopped || core.ClassOf(state.Err) != core.Auth {
			w.t.Errorf("the bot is %+v, want it stopped", state)
		}
		hits = w.sim.Faults().Hits()
		pass(10 * time.Minute)
		if more := w.sim.Faults().Hits() - hits; more != 0 {
			w.t.Errorf("%d calls were made after the bot had stopped", more)
		}
		return
	}
	if state.Stopped || !state.Connected {
		w.t.Errorf("the bot is %+v, want it to go on", state)
	}
	thread := slices.Collect(maps.Keys(w.at))[0]
	own := ofBot(w.sim, core.Place{Room: roomOf(0), Thread: thread})
	whole := strings.TrimSpace(w.whole(0))
	switch want {
	case stops:
	case once:
		w.wholeOnce()
	case anew:
		if len(own) != 2 || own[1].Shown != whole {
			w.t.Errorf("the thread shows %+v, want a second message, whole", own)
		}
	case inTheRoom:
		room := ofBot(w.sim, core.Place{Room: roomOf(0)})
		if len(own) != 0 || len(room) != 1 || room[0].Shown != whole {
			w.t.Errorf("the thread shows %+v, the room %+v; want the answer in the room", own, room)
		}
	case givenUp:
		if room := ofBot(w.sim, core.Place{Room: roomOf(0)}); len(own)+len(room) != 0 {
			w.t.Errorf("the thread shows %+v, the room %+v; want nothing", own, room)
		}
		if hits > 3 {
			w.t.Errorf("%d calls were made before it was given up", hits)
		}
		// Others are answered all the same.
		w.sim.Faults().Clear()
		q := say(w.t, w.sim, sim.Say{Room: roomOf(1), User: simslack.Minh, Text: "q0", Mention: true})
		pass(time.Minute)
		if got := ofBot(w.sim, core.Place{Room: roomOf(1), Thread: q.ID}); len(got) != 1 || got[0].Shown != whole {
			w.t.Errorf("in another room: %+v, want an answer", got)
		}
	}
}

// TestOneRefusalStopsNothing holds that a token which one method alone refuses, once, does not stop the bot.
func TestOneRefusalStopsNothing(t *testing.T) {
	t.Parallel()
	inWorkshop(t, scene{answers: 1, rooms: 1, words: 3, each: time.Second}, func(t *testing.T, w *workshop) {
		fault := refusal("invalid_auth")
		fault.Match, fault.Times = "/api/users.info", 1
		w.sim.Faults().Add(fault)
		w.askAll()
		pass(3 * time.Minute)
		if w.sim.Faults().Hits() != 1 || w.bridge.Status()[0].Stopped {
			t.Errorf("after %d refusals the bot is %+v", w.sim.Faults().Hits(), w.bridge.Status()[0])
		}
		w.wholeOnce()
	})
}

// TestScopeIsNamed holds that the error of a missing scope says which, and what to do.
func TestScopeIsNamed(t *testing.T) {
	t.Parallel()
	s, p := idle(t, simslack.Options{Scopes: []string{"channels:history"}})
	_, err := p.Post(t.Context(), core.Post{Place: core.Place{Room: simslack.General}, Part: core.Part{Text: "x"}})
	if core.ClassOf(err) != core.Denied || !strings.Contains(err.Error(), "chat:write") || !strings.Contains(err.Error(), "OAuth & Permissions") {
		t.Errorf("Post = %v, want to hear of chat:write", err)
	}
	if strings.Contains(err.Error(), s.BotToken()) {
		t.Error("the error holds the token")
	}
}
