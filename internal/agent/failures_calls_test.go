package agent_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/clickai/bridge/clickai"
	"github.com/clickai/bridge/core"
	faults "github.com/clickai/bridge/internal/sim"
	sim "github.com/clickai/bridge/internal/sim/clickai"
)

// fault answers the next requests that match with a status; all of them if times is 0.
func fault(match string, times, status int, body string) []faults.Fault {
	return []faults.Fault{{Match: match, Times: times, Status: status, Header: asJSON, Body: body}}
}

// otherCalls are the failures of all calls but the question itself.
func otherCalls() []failure {
	const upload, rate, tools = "POST /v1/files/upload", "/feedbacks", "GET /files/tools"
	two := []string{"a.txt", "b.txt"}
	picture := play(sim.Picture(faults.File{Name: "cat.png", MIME: "image/png", Data: []byte("\x89PNG\r\n\x1a\ncat")}, false), sim.Text("a cat"))
	ids := func(o *sim.Options) { o.NewID = stableIDs() }
	line := func(what string) string { return "fine\n\n📎 a.txt " + what }
	return []failure{
		{name: "upload 413", files: two[:1], faults: fault(upload, 1, 413, `{"code":"file_too_large","message":""}`), asked: 1, sees: line("is too large"), conv: "new", log: []string{"WARN again=false"}, check: tries(upload, 1)},
		{name: "upload 413 of a proxy", files: two[:1], faults: []faults.Fault{{Match: upload, Times: 1, Status: 413, Header: asHTML, Body: "<h1>no</h1>"}}, asked: 1, sees: line("is too large"), conv: "new", log: []string{"WARN attachment not sent"}},
		{name: "upload 413 of all", files: two, faults: fault(upload, 0, 413, ""), asked: 1, sees: line("is too large") + "\n\n📎 b.txt is too large", conv: "new", log: []string{"WARN attachment not sent"}},
		{name: "upload 415", files: two[:1], faults: fault(upload, 1, 415, `{"code":"unsupported_file_type","message":"no"}`), asked: 1, sees: line("is of a kind that I do not take"), conv: "new", log: []string{"WARN attachment not sent"}, check: tries(upload, 1)},
		{name: "upload 400", files: two[:1], faults: fault(upload, 1, 400, `{"code":"invalid_param","message":"no"}`), asked: 1, sees: line("is of a kind that I do not take"), conv: "new", log: []string{"WARN attachment not sent"}, check: tries(upload, 1)},
		{name: "upload 429 twice", files: two[:1], faults: fault(upload, 2, 429, ""), asked: 1, sees: "fine", conv: "new", log: []string{"WARN upload failed"}, check: uploaded("a.txt")},
		{name: "upload 429 with a long Retry-After", files: two[:1], faults: []faults.Fault{faults.TooManyRequests(upload, 30*time.Second, 1)}, asked: 1, sees: "fine", busy: true, took: 30 * time.Second, conv: "new", log: []string{"WARN upload failed"}, check: uploaded("a.txt")},
		{name: "upload 429 with Retry-After over its bound", files: two[:1], faults: []faults.Fault{faults.TooManyRequests(upload, time.Hour, 1)}, asked: 1, sees: line("could not be sent"), within: 2 * time.Second, conv: "new", log: []string{"WARN again=false"}},
		{name: "upload 500 twice", files: two[:1], faults: fault(upload, 2, 500, ""), asked: 1, sees: "fine", conv: "new", log: []string{"WARN upload failed"}, check: uploaded("a.txt")},
		{name: "upload 500 for good", files: two[:1], faults: fault(upload, 0, 503, ""), asked: 1, sees: line("could not be sent"), conv: "new", log: []string{"WARN attachment not sent"}, check: tries(upload, 3)},
		{name: "upload broken", files: two[:1], faults: []faults.Fault{{Match: upload, Times: 2, Cut: true}}, asked: 1, sees: "fine", conv: "new", log: []string{"WARN upload failed"}, check: uploaded("a.txt")},
		{name: "upload 401", files: two[:1], faults: fault(upload, 0, 401, `{"code":"unauthorized","message":"no"}`), sees: setupText, conv: "kept", log: []string{"ERROR upload refused"}, check: tries(upload, 1)},
		{name: "upload 403", files: two[:1], faults: fault(upload, 0, 403, `{"code":"forbidden","message":"no"}`), sees: setupText, conv: "kept", log: []string{"ERROR upload refused"}},
		{
			name: "upload waits for the plan", files: two[:1], first: true, client: func(c *clickai.Config) { c.Limiter = clickai.NewLimiter(clickai.Plan{PerMinute: 2}) },
			asked: 1, sees: "fine", busy: true, took: time.Minute, conv: "kept", check: uploaded("a.txt"),
		},

		{name: "file is gone, fresh link", real: true, options: ids, plays: picture, faults: fault(tools, 2, 404, ""), asked: 1, looked: 1, sees: "a cat", also: []string{"tool.png"}, conv: "new"},
		{name: "file is refused, fresh link", real: true, options: ids, plays: picture, faults: fault(tools, 2, 403, ""), asked: 1, looked: 1, sees: "a cat", also: []string{"tool.png"}, conv: "new"},
		{name: "file is gone for good", real: true, options: ids, plays: picture, faults: fault(tools, 0, 404, ""), asked: 1, looked: 1, sees: "a cat\n\n📎 tool.png could not be fetched", conv: "new", log: []string{"WARN file of the answer not sent"}, check: noLink},
		{name: "file is too large for the platform", real: true, options: ids, most: 5, plays: picture, asked: 1, sees: "a cat\n\n📎 tool.png is too large (11B)", conv: "new", log: []string{"WARN file of the answer not sent"}},
		{
			name: "file at a private address", real: true, options: ids, plays: play(sim.Send("message_file", map[string]any{"id": "f1", "type": "image", "belongs_to": "assistant", "url": "http://127.0.0.1:9/cat.png?sign=s"}), sim.Text("a cat")),
			asked: 1, sees: "a cat\n\n📎 cat.png could not be sent", conv: "new", log: []string{"WARN 127.0.0.1:9: address is private, loopback or link-local"}, check: noLink,
		},

		{name: "feedback 404", faults: fault(rate, 0, 404, `{"code":"not_found","message":"Message Not Exists."}`), asked: 1, sees: "fine", conv: "new", log: []string{"INFO ClickAI does not know the message"}, check: rated("rating dropped", 1)},
		{name: "feedback 400 on null", asked: 1, sees: "fine", conv: "new", check: func(t *testing.T, w *whole) {
			w.react("👍", true)
			w.log.wait(t, "rating sent", 1)
			for _, r := range w.server.Ratings() {
				if err := w.client.Feedback(t.Context(), clickai.FeedbackRequest{MessageID: r.MessageID, User: r.User}); err != nil {
					t.Error(err) // taken back behind the bridge's back
				}
			}
			w.react("👍", false)
			w.log.wait(t, "rating sent", 2)
		}},
		{name: "feedback 429", faults: []faults.Fault{faults.TooManyRequests(rate, 30*time.Second, 1)}, asked: 1, sees: "fine", conv: "new", log: []string{"WARN trying again later"}, check: rated("rating sent", 2)},
		{name: "feedback 500", faults: fault(rate, 3, 500, ""), asked: 1, sees: "fine", conv: "new", log: []string{"WARN trying again later"}, check: rated("rating sent", 4)},
		{name: "feedback broken", faults: []faults.Fault{{Match: rate, Times: 2, Cut: true}}, asked: 1, sees: "fine", conv: "new", log: []string{"WARN trying again later"}, check: rated("rating sent", 3)},
		{name: "feedback 500, the last word wins", faults: fault(rate, 1, 500, ""), asked: 1, sees: "fine", conv: "new", log: []string{"WARN trying again later"}, check: func(t *testing.T, w *whole) {
			w.react("👍", true)
			w.log.wait(t, "trying again later", 1)
			w.react("👍", false)
			w.react("👎", true)
			w.log.wait(t, "rating sent", 1)
			synctest.Wait()
			if got := w.server.Ratings(); len(got) != 1 || got[0].Rating != "dislike" {
				t.Errorf("ratings %+v, want one dislike", got)
			}
		}},
		{name: "feedback 401", faults: fault(rate, 0, 401, ""), asked: 1, sees: "fine", conv: "new", log: []string{"ERROR rating dropped"}, check: rated("rating dropped", 1)},
		{name: "feedback 403", faults: fault(rate, 0, 403, ""), asked: 1, sees: "fine", conv: "new", log: []string{"ERROR rating dropped"}, check: rated("rating dropped", 1)},

		{name: "history 404", asked: 1, sees: "fine", conv: "new", check: func(t *testing.T, w *whole) {
			_, err := w.client.Messages(t.Context(), clickai.MessagesRequest{ConversationID: "conv-unknown", User: "test:U1"})
			wantStatus(t, err, 404)
			if _, found, err := w.app.Recall(t.Context(), core.Question{Conversation: "conv-unknown", User: "test:U1", Query: "x"}); found || err != nil {
				t.Errorf("found %v, %v; want nothing, and no error", found, err)
			}
			if w.conversation() == "" {
				t.Error("the stored conversation is gone")
			}
		}},
		{name: "delete", asked: 1, sees: "fine", conv: "new", check: func(t *testing.T, w *whole) {
			id := w.conversation()
			for range 2 {
				err := w.client.DeleteConversation(t.Context(), id, "test:U1") // 204, then 404
				if e, ok := errors.AsType[*clickai.Error](err); err != nil && (!ok || e.Status != http.StatusNotFound) {
					t.Errorf("delete: %v", err)
				}
			}
		}},
		{name: "delete 500", asked: 1, sees: "fine", conv: "new", faults: fault("DELETE /v1/conversations", 0, 500, ""), check: func(t *testing.T, w *whole) {
			wantStatus(t, w.client.DeleteConversation(t.Context(), w.conversation(), "test:U1"), 500)
		}},
		{name: "rename 400", asked: 1, sees: "fine", conv: "new", faults: fault("/name", 0, 400, `{"code":"invalid_param","message":"too long"}`), check: func(t *testing.T, w *whole) {
			_, err := w.client.RenameConversation(t.Context(), clickai.RenameRequest{ConversationID: w.conversation(), User: "test:U1", Name: "x"})
			wantStatus(t, err, 400)
			if e, ok := errors.AsType[*clickai.Error](err); ok && e.Message != "too long" {
				t.Errorf("message %q", e.Message)
			}
		}},
		{
			name: "stop 404", plays: play(sim.Text("half"), sim.Pause(15*time.Minute)), faults: fault("/stop", 0, 404, ""), asked: 1, took: 10 * time.Minute, conv: "new",
			sees: "half\n\n⚠️ That took too long. `!retry` asks again. (ref …)", log: []string{"INFO /stop: 404", "WARN answer took too long"},
		},
		{
			name: "stop broken", plays: play(sim.Text("half"), sim.Pause(15*time.Minute)), faults: []faults.Fault{{Match: "/stop", Cut: true}}, asked: 1, took: 10 * time.Minute, conv: "new",
			sees: "half\n\n⚠️ That took too long. `!retry` asks again. (ref …)", log: []string{"INFO msg=stop", "WARN answer took too long"},
		},
		{name: "parameters 404", files: two[:1], faults: fault("GET /v1/parameters", 0, 404, ""), asked: 1, sees: "fine", conv: "new", log: []string{"DEBUG parameters not told"}, check: parametersAsked(1)},
		{name: "parameters 403", files: two[:1], faults: fault("GET /v1/parameters", 0, 403, ""), asked: 1, sees: "fine", conv: "new", log: []string{"DEBUG parameters not told"}, check: parametersAsked(1)},
		{name: "parameters 500", files: two[:1], faults: fault("GET /v1/parameters", 1, 500, ""), asked: 1, sees: "fine", conv: "new", log: []string{"DEBUG parameters not told"}, check: parametersAsked(2)},
		{name: "suggested questions 403", asked: 1, sees: "fine", conv: "new", faults: fault("/suggested", 0, 403, ""), check: func(t *testing.T, w *whole) {
			_, err := w.client.SuggestedQuestions(t.Context(), "m1", "test:U1")
			wantStatus(t, err, 403)
		}},
		{name: "assistants 401", asked: 1, sees: "fine", conv: "new", check: func(t *testing.T, w *whole) {
			console, err := clickai.NewConsole(clickai.ConsoleConfig{BaseURL: w.server.URL(), AccessToken: "app-a-secret-key", HTTPClient: w.http})
			if err != nil {
				t.Fatal(err)
			}
			_, err = console.Assistants(t.Context(), clickai.AssistantsRequest{})
			wantStatus(t, err, 401)
			console.CloseIdleConnections()
		}},
	}
}

func wantStatus(t *testing.T, err error, status int) {
	t.Helper()
	if e, ok := errors.AsType[*clickai.Error](err); !ok || e.Status != status {
		t.Fatalf("err = %v, want status %d", err, status)
	}
}

// tries checks how many requests of a kind there were.
func tries(match string, n int) func(*testing.T, *whole) {
	return func(t *testing.T, w *whole) {
		if got := w.requests(match); got != n {
			t.Errorf("%d requests of %s, want %d", got, match, n)
		}
	}
}

// uploaded checks that the file went along in the end, whole.
func uploaded(name string) func(*testing.T, *whole) {
	return func(t *testing.T, w *whole) {
		turns := w.server.Turns()
		files := turns[len(turns)-1].Files
		if len(files) != 1 || files[0].Name != name || string(files[0].Data) != "content of "+name {
			t.Errorf("files of the question: %+v", files)
		}
	}
}

// noLink checks that nobody was shown an address.
func noLink(t *testing.T, w *whole) {
	for i := range w.room.count() {
		if all := strings.Join(w.room.versions(i), "\n"); strings.Contains(all, "://") || strings.Contains(all, "sign=") {
			t.Errorf("a link is shown: %q", all)
		}
	}
}

// rated has the answer rated, waits for what is said of that, and counts the requests.
func rated(said string, requests int) func(*testing.T, *whole) {
	return func(t *testing.T, w *whole) {
		w.react("👍", true)
		w.log.wait(t, said, 1)
		synctest.Wait()
		if got := w.requests("/feedbacks"); got != requests {
			t.Errorf("%d requests, want %d", got, requests)
		}
		jobs, err := w.store.RatingJobs(context.WithoutCancel(t.Context()), 0)
		if err != nil || len(jobs) != 0 {
			t.Errorf("still to be sent: %+v, %v", jobs, err)
		}
	}
}

// parametersAsked asks with another file two minutes later, and counts how often the app's parameters were asked for.
func parametersAsked(n int) func(*testing.T, *whole) {
	return func(t *testing.T, w *whole) {
		<-time.After(2 * time.Minute)
		w.say("another", "b.txt")
		if got := w.requests("GET /v1/parameters"); got != n {
			t.Errorf("asked %d times, want %d", got, n)
		}
	}
}
