package agent_test

import (
	"strings"
	"testing"
	"time"

	"github.com/clickai/bridge/clickai"
	"github.com/clickai/bridge/internal/agent"
	sim "github.com/clickai/bridge/internal/sim/clickai"
)

// play is what ClickAI does with the question, the first time.
func play(steps ...sim.Step) [][]sim.Step { return [][]sim.Step{steps} }

// bare is a data line of a chat, with nothing else around it.
func bare(data string) sim.Step { return sim.Raw("data: " + data + "\n\n") }

// afterItHasBegun are the failures of a question that ClickAI had begun to answer: it is never asked again.
func afterItHasBegun() []failure {
	const timeoutText = "⚠️ That took too long. `!retry` asks again. (ref …)"
	fails := func(steps ...sim.Step) [][]sim.Step { return play(append(steps, sim.EndStream())...) }
	return []failure{
		{name: "error event, nothing shown", plays: play(sim.Fail(400, "completion_request_error", "[openai] Rate limit reached")), asked: 1, sees: cannot("[openai] Rate limit reached"), conv: "new", log: []string{"ERROR code=completion_request_error status=400"}},
		{name: "error event of the server, nothing shown", plays: play(sim.Fail(500, "internal_server_error", "boom")), asked: 1, sees: retryText, conv: "new", log: []string{"ERROR status=500"}},
		{name: "error event of no kind, nothing shown", plays: play(sim.Bare(), sim.Text(""), bare(`{"event":"error","code":"mystery","message":"boom"}`), sim.EndStream()), asked: 1, sees: retryText, conv: "new", log: []string{"ERROR code=mystery"}},
		{name: "error event of an own 401", plays: play(sim.Fail(401, "unauthorized", "no")), asked: 1, sees: cannot("no"), conv: "new", log: []string{"ERROR status=401"}},
		{
			name: "error event with a message of a megabyte", plays: play(sim.Fail(400, "completion_request_error", strings.Repeat("again and ", 100_000))), asked: 1,
			sees: cannot(strings.Repeat("again and ", 20)[:199] + "…"), conv: "new", log: []string{"ERROR code=completion_request_error"},
		},
		{name: "error event after text", first: true, plays: play(sim.Text("half"), sim.Fail(400, "invalid_param", "Run failed: no")), asked: 1, sees: "half\n\n" + cannot("Run failed: no"), conv: "kept", log: []string{"ERROR message_id=msg-"}},
		{name: "error event of the server after text", plays: play(sim.Text("half"), sim.Fail(500, "internal_server_error", "boom")), asked: 1, sees: "half\n\n" + retryText, conv: "new", log: []string{"ERROR status=500"}},
		{name: "data line without event", plays: play(sim.Bare(), sim.Text("half"), bare(`{"code":"x","message":"no","status":400}`), sim.EndStream()), asked: 1, sees: "half\n\n" + cannot("no"), conv: "new", log: []string{"ERROR code=x"}},
		{name: "workflow fails", mode: agent.ModeWorkflow, plays: fails(sim.Text("half"), event("workflow_finished", `{"id":"r1","status":"failed","error":"node LLM failed"}`)), asked: 1, sees: "half\n\n" + cannot("node LLM failed"), conv: "kept", log: []string{"ERROR node LLM failed"}},
		{name: "workflow fails without a word", mode: agent.ModeWorkflow, plays: fails(event("workflow_finished", `{"id":"r1","status":"failed"}`)), asked: 1, sees: "⚠️ I could not answer (ref …)", conv: "kept", log: []string{"ERROR workflow failed"}},
		{
			name: "chatflow fails, told once", asked: 1, sees: "half\n\n" + cannot("Run failed: node LLM failed"), conv: "new", log: []string{"ERROR node LLM failed"},
			plays: fails(sim.Text("half"), event("workflow_finished", `{"id":"r1","status":"failed","error":"node LLM failed"}`), sim.Send("error", map[string]any{"status": 400, "code": "invalid_param", "message": "Run failed: node LLM failed"})),
		},
		{name: "run stopped by others", mode: agent.ModeWorkflow, plays: fails(sim.Text("half"), event("workflow_finished", `{"id":"r1","status":"stopped","outputs":null}`)), asked: 1, sees: "half\n\n⚠️ The answer ended early.", conv: "kept", log: []string{"WARN workflow was stopped"}},
		{name: "succeeded in part", mode: agent.ModeWorkflow, plays: fails(event("workflow_finished", `{"id":"r1","status":"partial-succeeded","outputs":{"result":"most of it"},"exceptions_count":2}`)), asked: 1, sees: "most of it", conv: "kept", log: []string{"WARN exceptions=2"}},
		{
			name: "run waits for a person", mode: agent.ModeWorkflow, plays: play(sim.AwaitPerson("Manager approves", "token-of-the-form")), asked: 1, conv: "kept",
			sees: "> Please approve.\n> \n> *Approve*\n\n⏸️ This waits for a person in ClickAI: Manager approves", log: []string{"INFO form_ids="},
			check: func(t *testing.T, w *whole) {
				if strings.Contains(strings.Join(w.log.lines(), "\n"), "token-of-the-form") {
					t.Error("the form's token is in the log")
				}
			},
		},

		{name: "cut, history has it whole", plays: play(sim.Text("one "), sim.Store("one two three"), sim.Cut()), asked: 1, looked: 1, soon: true, sees: "one two three", conv: "new", log: []string{"WARN events=1 last_event=message"}},
		{name: "cut, history has it whole later", plays: play(sim.Text("one "), sim.Cut(), sim.Pause(20*time.Second), sim.Text("two")), asked: 1, looked: 6, sees: "one two", busy: true, took: 20 * time.Second, conv: "new", log: []string{"WARN answer broke off"}},
		{name: "cut, history has no more", plays: play(sim.Text("one "), sim.Store("one "), sim.Cut()), asked: 1, looked: 1, soon: true, sees: "one ", conv: "new", log: []string{"WARN answer broke off"}},
		{name: "cut, history has another", plays: play(sim.Text("one "), sim.Store("zero"), sim.Cut()), asked: 1, looked: 1, soon: true, sees: "one \n\n" + cutText, conv: "new", log: []string{"WARN answer broke off"}},
		{name: "cut, history has nothing", first: true, plays: play(sim.Text("one "), sim.Cut(), sim.Pause(9*time.Minute)), asked: 1, looked: 9, sees: "one \n\n" + cutText, busy: true, took: time.Minute, within: 2 * time.Minute, conv: "kept", log: []string{"WARN answer broke off"}},
		{name: "ended without an end", plays: play(sim.Text("one "), sim.Store("one two three"), sim.EndStream()), asked: 1, looked: 1, sees: "one two three", conv: "new", log: []string{"WARN without a terminal event"}},
		{name: "cut before any text", plays: play(event("agent_thought", `{"id":"t1"}`), sim.Store("all of it"), sim.Cut()), asked: 1, looked: 1, soon: true, sees: "all of it", conv: "new", log: []string{"WARN answer broke off"}},
		{name: "cut before any text, history has nothing", plays: play(event("agent_thought", `{"id":"t1"}`), sim.Cut(), sim.Pause(9*time.Minute)), asked: 1, looked: 9, sees: retryText, busy: true, conv: "new", log: []string{"WARN answer broke off"}},
		{name: "workflow cut", mode: agent.ModeWorkflow, plays: play(sim.Text("half"), sim.Cut()), asked: 1, sees: "half\n\n" + cutText, conv: "kept", log: []string{"WARN answer broke off"}},
		{name: "succeeded without message_end", plays: fails(sim.Text("whole"), event("workflow_finished", `{"id":"r1","status":"succeeded"}`)), asked: 1, sees: "whole", conv: "new", log: []string{"DEBUG without message_end"}},
		{name: "silent in the middle", plays: play(sim.Text("one "), sim.Store("one two"), sim.Hang()), asked: 1, looked: 1, sees: "one two", took: time.Minute, conv: "new", log: []string{"WARN response went silent"}},
		{
			name: "over the answer's deadline", plays: play(sim.Text("half"), sim.Pause(15*time.Minute)), asked: 1, sees: "half\n\n" + timeoutText, took: 10 * time.Minute, within: 11 * time.Minute, conv: "new", log: []string{"WARN answer took too long"},
			check: func(t *testing.T, w *whole) {
				if w.requests("/stop") != 1 {
					t.Error("ClickAI was not told to stop")
				}
			},
		},

		{name: "no text and no file", plays: play(sim.End()), asked: 1, sees: "⚠️ The app gave no answer. (ref …)", conv: "new", log: []string{"WARN the app gave no answer"}},
		{name: "malformed lines", plays: play(sim.Text("a"), bare(`{"event":`), bare(`{"event":"mess`), sim.Text("b")), asked: 1, sees: "ab", conv: "new", log: []string{"WARN event skipped"}, check: once("event skipped")},
		{name: "malformed lines and no end", plays: play(sim.Text("a"), bare(`{"event":`), sim.Store("abc"), sim.EndStream()), asked: 1, looked: 1, sees: "abc", conv: "new", log: []string{"WARN skipped=1"}},
		{name: "malformed lines alone", plays: play(sim.Bare(), bare(`{"event":`), sim.EndStream()), asked: 2, sees: "fine", conv: "new", log: []string{"WARN event skipped", "WARN connection to ClickAI broke"}},
		{name: "unknown events", plays: play(sim.Send("news", nil), sim.Text("a"), sim.Send("news", nil), sim.Text("b")), asked: 1, sees: "ab", conv: "new", log: []string{"DEBUG event of an unknown kind"}, check: once("event of an unknown kind")},
		{name: "line over the bound", client: func(c *clickai.Config) { c.MaxLine = 100_000 }, plays: play(sim.Text("a"), sim.Huge(200_000), sim.Text("b")), asked: 1, sees: "ab", conv: "new", log: []string{"WARN event skipped"}},
		{
			name: "line over the bound and nothing else", client: func(c *clickai.Config) { c.MaxLine = 100_000 }, plays: play(sim.Bare(), sim.Huge(200_000), sim.EndStream()), asked: 1, sees: retryText, conv: "kept",
			log: []string{"WARN event skipped", "WARN answer broke off"},
		},
		{
			name: "another conversation than asked", first: true, plays: play(sim.Bare(), bare(`{"event":"message","conversation_id":"conv-other","message_id":"m9","answer":"a"}`), bare(`{"event":"message_end","conversation_id":"conv-other","message_id":"m9"}`)),
			asked: 1, sees: "a", conv: "new", log: []string{"WARN new_conversation_id=conv-other"},
		},
		{
			name: "no conversation named", first: true, plays: play(sim.Bare(), bare(`{"event":"message","conversation_id":null,"message_id":"m9","answer":"a"}`), bare(`{"event":"message_end","conversation_id":"","message_id":"m9"}`)),
			asked: 1, sees: "a", conv: "kept", log: []string{"DEBUG the answer names no conversation"},
		},
		{name: "moderation replaces", plays: play(sim.Text("bad word"), sim.Replace("removed", "output_moderation"), sim.Text(" and on")), asked: 1, sees: "removed and on", conv: "new"},
	}
}

// once checks that a line was logged one time.
func once(said string) func(*testing.T, *whole) {
	return func(t *testing.T, w *whole) {
		if n := strings.Count(strings.Join(w.log.lines(), "\n"), said); n != 1 {
			t.Errorf("logged %q %d times, want once", said, n)
		}
	}
}

// inputsSentAnew checks that the request which began a new conversation carried the configured inputs.
func inputsSentAnew(t *testing.T, w *whole) {
	turns := w.server.Turns()
	if last := turns[len(turns)-1]; last.ConversationSent != "" || last.Inputs["language"] != "en" {
		t.Errorf("asked anew with conversation %q and inputs %v, want none and the configured ones", last.ConversationSent, last.Inputs)
	}
}

// streamsFromNowOn checks that what the app has refused once is not tried again.
func streamsFromNowOn(t *testing.T, w *whole) {
	before := w.generations()
	w.say("and again")
	turns := w.server.Turns()
	if n := w.generations() - before; n != 1 || !turns[len(turns)-1].Streaming {
		t.Errorf("asked %d times, streaming: %v; want one request, streaming", n, turns[len(turns)-1].Streaming)
	}
}
