package discord_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/clickai/bridge/core"
	"github.com/clickai/bridge/internal/sim"
	simdiscord "github.com/clickai/bridge/internal/sim/discord"
)

// refusal is what Discord answers when it refuses a request.
func refusal(status, code int, more string) sim.Fault {
	return sim.Fault{
		Status: status, Header: http.Header{"Content-Type": {"application/json"}},
		Body: fmt.Sprintf(`{"message":"no","code":%d%s}`, code, more),
	}
}

// outcome is what becomes of a question whose requests fail.
type outcome string

const (
	whole   outcome = "one message, whole" // tried again, or in another form
	anew    outcome = "another message, whole"
	parent  outcome = "in the parent channel, whole"
	givenUp outcome = "given up"
	stops   outcome = "the bot stops"
)

// where a question is asked.
type where string

const (
	inChannel where = "channel"
	inThread  where = "thread"
	inOwn     where = "thread that the bot has opened"
	inDirect  where = "direct chat"
)

// failureRow is one failure, and what is to become of a question that meets it.
type failureRow struct {
	name  string
	call  string // "POST" or "PATCH", of messages
	fault sim.Fault
	times int // 0: for good
	where where
	want  outcome
}

const (
	onPost = "POST"
	onEdit = "PATCH"
)

// failureRows are Discord's failures.
// Source: https://docs.discord.com/developers/topics/opcodes-and-status-codes#json-json-error-codes
func failureRows() []failureRow {
	var rows []failureRow
	add := func(want outcome, times int, at where, name, call string, f sim.Fault) {
		rows = append(rows, failureRow{call + " " + name, call, f, times, at, want})
	}
	form := func(field, code string) string {
		return `,"errors":{"` + field + `":{"_errors":[{"code":"` + code + `","message":"x"}]}}`
	}
	for _, call := range []string{onPost, onEdit} {
		// Tried again.
		for _, status := range []int{500, 502, 503, 504} {
			add(whole, 2, inChannel, fmt.Sprint(status), call, refusal(status, 0, ""))
			add(whole, 2, inChannel, fmt.Sprint(status, " of a proxy"), call, sim.Fault{Status: status, Body: "<html>"})
		}
		for _, status := range []int{200, 401, 403, 404} {
			add(whole, 2, inChannel, fmt.Sprint(status, " of a proxy"), call, sim.Fault{Status: status, Body: "<html>log in</html>"})
		}
		add(whole, 2, inChannel, "cut", call, sim.Fault{Cut: true})
		add(whole, 2, inChannel, "answer lost", call, sim.Fault{Cut: true, Handled: true})
		add(whole, 2, inChannel, "half an answer", call, sim.Fault{Status: 200, Body: `{"id":"11`})
		add(whole, 1, inChannel, "slow", call, sim.Fault{Delay: 25 * time.Second})
		add(whole, 1, inChannel, "too slow", call, sim.Fault{Delay: time.Minute, Cut: true})
		add(whole, 2, inChannel, "130000", call, refusal(503, 130000, ""))
		add(whole, 2, inChannel, "20028", call, refusal(429, 20028, `,"retry_after":3.5,"global":false`))
		add(whole, 2, inChannel, "20016", call, refusal(400, 20016, `,"retry_after":7`))
		add(whole, 2, inChannel, "429", call, simdiscord.RateLimited("", 2*time.Second, 0, "user"))
		add(whole, 2, inChannel, "429 of all", call, simdiscord.RateLimited("", 2*time.Second, 0, "global"))
		// In another form.
		add(whole, 1, inChannel, "50035 length", call, refusal(400, 50035, form("content", "BASE_TYPE_MAX_LENGTH")))
		add(whole, 1, inChannel, "50035 content", call, refusal(400, 50035, form("content", "INVALID")))
		add(whole, 1, inChannel, "50035", call, refusal(400, 50035, form("flags", "BITFIELD_RANGE")))
		add(whole, 1, inChannel, "50006", call, refusal(400, 50006, ""))
		// The thread is closed: it is opened, as its members may.
		add(whole, 1, inOwn, "50083", call, refusal(400, 50083, ""))
	}
	add(parent, 0, inThread, "50083, not a member", onPost, refusal(400, 50083, ""))
	add(whole, 1, inChannel, "160002", onPost, refusal(400, 160002, ""))
	add(whole, 1, inChannel, "50035 reference", onPost, refusal(400, 50035, form("message_reference", "REPLIES_UNKNOWN_MESSAGE")))
	// The message is gone.
	add(anew, 1, inChannel, "10008", onEdit, refusal(404, 10008, ""))
	add(anew, 1, inChannel, "50005", onEdit, refusal(403, 50005, ""))
	add(anew, 1, inChannel, "50021", onEdit, refusal(403, 50021, ""))
	// The thread is closed, or not for the bot.
	for code, status := range map[int]int{160005: 400, 50013: 403, 50001: 403, 10003: 404} {
		add(parent, 0, inThread, fmt.Sprint(code, " in a thread"), onPost, refusal(status, code, ""))
	}
	// The chat is gone, or has shut the bot out.
	for code, status := range map[int]int{50001: 403, 50013: 403, 10003: 404, 10004: 404, 50024: 400} {
		add(givenUp, 0, inChannel, fmt.Sprint(code), onPost, refusal(status, code, ""))
	}
	for _, code := range []int{50007, 40007} {
		add(givenUp, 0, inDirect, fmt.Sprint(code), onPost, refusal(403, code, ""))
	}
	// The token is refused.
	for _, call := range []string{onPost, onEdit} {
		add(stops, 0, inChannel, "401", call, refusal(401, 0, ""))
		add(stops, 0, inChannel, "50014", call, refusal(401, 50014, ""))
	}
	return rows
}

// TestFailures has each failure of Discord's happen to a question and looks what becomes of it, over HTTP from one end to the
// other. The time is virtual.
func TestFailures(t *testing.T) {
	t.Parallel()
	for _, tt := range failureRows() {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			bubble(t, 2, nil, func(t *testing.T, r *rig) {
				c := r.openCase(tt.where)
				tt.fault.Times = tt.times
				tt.fault.Match = tt.call + " /api/v9/channels/" + c.channel + "/messages"
				later := tt.call == onEdit || tt.want == stops
				if !later {
					r.sim.Faults().Add(tt.fault)
				}
				if tt.want == stops { // a new token makes every request be refused
					tt.fault.Match = "/api/v9/"
				}
				r.question(c.at, 0, 0)
				if later {
					<-time.After(2500 * time.Millisecond)
					r.sim.Faults().Add(tt.fault)
				}
				<-time.After(5 * time.Minute)
				if r.sim.Faults().Hits() == 0 {
					t.Fatal("nothing went wrong")
				}
				r.became(c, tt.want)
			})
		})
	}
}

// failureCase is where the question stands, and where its answer belongs.
type failureCase struct {
	at      core.Place
	channel string // the one that requests name
}

func (r *rig) openCase(w where) failureCase {
	r.t.Helper()
	switch w {
	case inDirect:
		return failureCase{at: core.Place{Room: directOf(0)}, channel: directOf(0)}
	case inOwn:
		root := say(r.t, r.sim, sim.Say{Room: simdiscord.General, User: person(1).ID, Text: "a topic"})
		at, err := r.bot.OpenThread(r.t.Context(), core.MessageRef{Place: core.Place{Room: simdiscord.General}, ID: root.ID}, "a topic")
		if err != nil {
			r.t.Fatal(err)
		}
		return failureCase{at: at, channel: at.Thread}
	case inThread:
		root := say(r.t, r.sim, sim.Say{Room: simdiscord.General, User: person(1).ID, Text: "a topic"})
		at, err := r.sim.StartThread(r.t.Context(), root.Ref, person(1).ID, "a topic")
		if err != nil {
			r.t.Fatal(err)
		}
		return failureCase{at: core.Place{Room: simdiscord.General, Thread: at.Thread}, channel: at.Thread}
	case inChannel:
	}
	return failureCase{at: core.Place{Room: simdiscord.General}, channel: simdiscord.General}
}

const caseWords = 10 // one each second

// question has a person ask question n in a place.
func (r *rig) question(at core.Place, n, by int) {
	r.t.Helper()
	say(r.t, r.sim, sim.Say{
		Room: at.Room, Thread: at.Thread, User: person(by).ID, Mention: true, Text: fmt.Sprintf("%s %d 1s", keyOf(n), caseWords),
	})
}

// own are what the bot's messages in a place show.
func (r *rig) own(at core.Place) []string {
	var found []string
	for _, m := range r.sim.Messages(at.Room, at.Thread) {
		if m.Bot {
			found = append(found, strings.TrimSpace(m.Shown))
		}
	}
	return found
}

// became checks what has become of the only question.
func (r *rig) became(c failureCase, want outcome) {
	r.t.Helper()
	hits := r.sim.Faults().Hits()
	<-time.After(5 * time.Minute)
	if more := r.sim.Faults().Hits() - hits; more != 0 {
		r.t.Errorf("%d requests more failed after all was over", more)
	}
	if asks := r.app.asks[keyOf(0)]; asks != 1 {
		r.t.Errorf("asked %d times", asks)
	}
	state := r.core.Status()[0]
	if want == stops {
		if !state.Stopped || core.ClassOf(state.Err) != core.Auth {
			r.t.Errorf("the bot is %+v, want it stopped", state)
		}
		return
	}
	if state.Stopped || !state.Connected {
		r.t.Errorf("the bot is %+v, want it to go on", state)
	}
	var b strings.Builder
	for i := range caseWords {
		b.WriteString(word(keyOf(0), i))
	}
	full := strings.TrimSpace(b.String())
	own := r.own(c.at)
	switch want {
	case stops:
	case whole:
		if len(own) != 1 || own[0] != full {
			r.t.Errorf("shown: %q, want one message, whole", own)
		}
	case anew:
		if len(own) != 2 || own[1] != full {
			r.t.Errorf("shown: %q, want a second message, whole", own)
		}
	case parent:
		room := r.own(core.Place{Room: c.at.Room})
		if len(own) != 0 || len(room) != 1 || room[0] != full {
			r.t.Errorf("shown: %q in the thread, %q in the channel, want it in the channel, whole", own, room)
		}
		if hits > 2 {
			r.t.Errorf("%d requests were made before the thread was given up", hits)
		}
	case givenUp:
		if len(own) != 0 {
			r.t.Errorf("shown: %q, want nothing", own)
		}
		if hits > 2 {
			r.t.Errorf("%d requests were made before it was given up", hits)
		}
		// Others are answered all the same.
		r.sim.Faults().Clear()
		say(r.t, r.sim, sim.Say{Room: simdiscord.Support, User: person(1).ID, Mention: true, Text: keyOf(1) + " 3 1s"})
		<-time.After(time.Minute)
		r.whole(map[int]int{1: 3}, simdiscord.Support)
	}
}

// TestRefusedLater: a gateway that closes with 4004 stops the bot under the bridge, and nothing is asked of Discord any more.
func TestRefusedLater(t *testing.T) {
	t.Parallel()
	bubble(t, 1, nil, func(t *testing.T, r *rig) {
		r.sim.CloseGateway(4004, "Authentication failed.")
		<-time.After(time.Minute)
		if s := r.core.Status()[0]; !s.Stopped || core.ClassOf(s.Err) != core.Auth {
			t.Fatalf("the bot is %+v, want it stopped", s)
		}
		r.sim.Faults().Add(sim.Fault{Status: 500})
		<-time.After(time.Hour)
		if n := r.sim.Faults().Hits(); n != 0 {
			t.Errorf("%d requests of a bot that has stopped", n)
		}
	})
}

// TestOneRefusalStopsNothing: a token that is refused once, and good when it is asked about, does not stop the bot.
func TestOneRefusalStopsNothing(t *testing.T) {
	t.Parallel()
	bubble(t, 1, nil, func(t *testing.T, r *rig) {
		f := refusal(401, 0, "")
		f.Match, f.Times = "POST /api/v9/channels/"+simdiscord.General+"/typing", 1
		r.sim.Faults().Add(f)
		r.ask(simdiscord.General, 0, 20, time.Second)
		<-time.After(5 * time.Minute)
		if s := r.core.Status()[0]; r.sim.Faults().Hits() != 1 || s.Stopped || !s.Connected {
			t.Errorf("after %d refusals the bot is %+v", r.sim.Faults().Hits(), s)
		}
		r.whole(map[int]int{0: 20}, simdiscord.General)
	})
}
