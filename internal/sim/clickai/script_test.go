package clickai_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/clickai/bridge/internal/sim/clickai"
)

// drain reads records until an error and returns it.
func (s *stream) drain() ([]frame, error) {
	var out []frame
	for {
		f, err := s.next()
		if err != nil {
			return out, err
		}
		out = append(out, f)
	}
}

func (c *client) chat(query string) *stream {
	c.t.Helper()
	return c.open("/v1/chat-messages", keyOf(clickai.ModeChat), chatBody(query, "", "u"))
}

func TestScriptsAreTakenInOrder(t *testing.T) {
	c := start(t, clickai.Options{})
	c.s.Script(clickai.ForQuery("special"), clickai.Text("for special"))
	first := c.s.Script(nil, clickai.Text("first"))
	twice := c.s.Script(clickai.ForApp("support"), clickai.Text("twice")).Times(2)
	for _, tt := range []struct{ query, want string }{
		{"a", "first"}, {"special", "for special"}, {"b", "twice"}, {"c", "twice"},
	} {
		if got := answer(c.chat(tt.query).all()); got != tt.want {
			t.Errorf("%s: %q, want %q", tt.query, got, tt.want)
		}
	}
	if got := answer(c.chat("special").all()); !strings.Contains(got, "> special") {
		t.Errorf("without a script: %q", got)
	}
	if first.Played() != 1 || twice.Played() != 2 {
		t.Errorf("played %d, %d", first.Played(), twice.Played())
	}
	always := c.s.Script(nil, clickai.Text("always")).Times(0)
	for range 3 {
		c.chat("x").all()
	}
	c.s.ClearScripts()
	if got := answer(c.chat("y").all()); got == "always" || always.Played() != 3 {
		t.Errorf("%q, played %d", got, always.Played())
	}
	if status, _, _ := c.do(http.MethodPost, "/v1/chat-messages", keyOf(clickai.ModeChat), chatBody("", "", "u")); status != 400 {
		t.Errorf("an empty query was answered: %d", status)
	}
}

func TestGateHoldsTheAnswer(t *testing.T) {
	c := start(t, clickai.Options{})
	gate := clickai.NewGate()
	c.s.Script(nil, clickai.Text("one "), clickai.Wait(gate), clickai.Text("two"))
	s := c.chat("q")
	if f := s.must(); f.text("answer") != "one " {
		t.Fatalf("got %v", f)
	}
	<-gate.Reached()
	turn := c.s.Turns()[0]
	if turn.Status != clickai.StatusRunning || turn.Answer != "one " || turn.EventCount != 1 || turn.MessageID == "" {
		t.Errorf("turn at the gate: %+v", turn)
	}
	gate.Open()
	if got := answer(s.all()); got != "two" {
		t.Errorf("rest %q", got)
	}
	turn = c.s.Turns()[0]
	if turn.Status != clickai.StatusFinished || turn.Answer != "one two" || turn.EventCount != 3 {
		t.Errorf("turn at the end: %+v", turn)
	}
}

func TestBrokenStreams(t *testing.T) {
	tests := []struct {
		name   string
		steps  []clickai.Step
		want   string // kinds that arrive
		eof    bool   // the stream ends properly
		status clickai.Status
		stored string
	}{
		{
			"no terminal event",
			[]clickai.Step{clickai.Text("a", "b"), clickai.EndStream()},
			"message message", true, clickai.StatusCut, "ab",
		},
		{
			"cut, and the run goes on",
			[]clickai.Step{clickai.Text("a"), clickai.Cut(), clickai.Text("b")},
			"message", false, clickai.StatusCut, "ab",
		},
		{
			"cut after events",
			[]clickai.Step{clickai.CutAfterEvents(2), clickai.Text("a", "b", "c")},
			"message message", false, clickai.StatusCut, "abc",
		},
		{
			"cut after bytes",
			[]clickai.Step{clickai.CutAfterBytes(40), clickai.Text("a", "b")},
			"", false, clickai.StatusCut, "ab",
		},
		{
			"history has more",
			[]clickai.Step{clickai.Text("a"), clickai.Store("a whole answer"), clickai.Cut()},
			"message", false, clickai.StatusCut, "a whole answer",
		},
		{
			"late events",
			[]clickai.Step{clickai.Text("a"), clickai.End(), clickai.Replace("b", "")},
			"message message_end message_replace", true, clickai.StatusFinished, "a",
		},
		{
			"error",
			[]clickai.Step{clickai.Text("a"), clickai.Fail(500, "internal_server_error", "oh")},
			"message error", true, clickai.StatusFailed, "a",
		},
		{
			"unknown event",
			[]clickai.Step{clickai.Send("news", obj{"task_id": clickai.Omitted{}, "x": nil}), clickai.Text("a")},
			"news message message_end", true, clickai.StatusFinished, "a",
		},
		{
			"bare",
			[]clickai.Step{clickai.Bare(), clickai.Raw("data: {\"event\":\"message_end\"}\n\n")},
			"message_end", true, clickai.StatusFinished, "",
		},
	}
	c := start(t, clickai.Options{})
	for i, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c.s.Script(nil, tt.steps...)
			frames, err := c.chat("q").drain()
			if got := strings.Join(kinds(frames), " "); got != tt.want {
				t.Errorf("events %s, want %s", got, tt.want)
			}
			if tt.eof != errors.Is(err, io.EOF) {
				t.Errorf("ends with %v", err)
			}
			turn := c.wait(func(t clickai.Turn) bool { return t.ID == i+1 && !t.Ended.IsZero() })
			if turn.Status != tt.status {
				t.Errorf("status %s, want %s", turn.Status, tt.status)
			}
			if m := c.s.Conversations()[i].Messages[0]; m.Answer != tt.stored || m.Running {
				t.Errorf("stored %+v, want %q", m, tt.stored)
			}
			for _, f := range pick(frames, "news") {
				if _, has := f.json["task_id"]; has || f.json["x"] != nil || f.text("message_id") == "" {
					t.Errorf("event %v", f.json)
				}
			}
		})
	}
}

func TestAnswersThatAreNoStream(t *testing.T) {
	c := start(t, clickai.Options{})
	post := func() (int, obj, http.Header) {
		return c.do(http.MethodPost, "/v1/chat-messages", keyOf(clickai.ModeChat), chatBody("q", "", "u"))
	}
	c.s.Script(nil, clickai.ReplyError(400, "provider_quota_exceeded", "used up"))
	if status, out, _ := post(); status != 400 || out["code"] != "provider_quota_exceeded" || out["status"] != 400.0 {
		t.Errorf("%d %v", status, out)
	}
	c.s.Script(nil, clickai.Reply(502, http.Header{"Content-Type": {"text/html"}}, "<html>"))
	if status, out, _ := post(); status != 502 || out["raw"] != "<html>" {
		t.Errorf("%d %v", status, out)
	}
	if n := len(c.s.Conversations()); n != 0 {
		t.Errorf("%d conversations", n)
	}
	c.s.Script(nil, clickai.AsJSON(), clickai.Text("a", "b"))
	if status, out, h := post(); status != 200 || out["answer"] != "ab" || h.Get("Content-Type") != "application/json" {
		t.Errorf("%d %v", status, out)
	}
	c.s.Script(nil, clickai.Begin(), clickai.Store("there"), clickai.Cut())
	c.fails(c.request(http.MethodPost, "/v1/chat-messages", keyOf(clickai.ModeChat), chatBody("q", "", "u")))
	c.wait(func(t clickai.Turn) bool { return t.ID == 4 && t.Status == clickai.StatusCut && !t.Ended.IsZero() })
	convs := c.s.Conversations()
	if last := convs[len(convs)-1]; last.Messages[0].Answer != "there" {
		t.Errorf("stored %+v", last)
	}
	turns := c.s.Turns()
	if turns[0].Status != clickai.StatusRefused || turns[0].HTTPStatus != 400 || turns[2].Status != clickai.StatusFinished {
		t.Errorf("turns %+v", turns)
	}
}

func TestHugeLine(t *testing.T) {
	c := start(t, clickai.Options{})
	const n = 3 << 20
	c.s.Script(nil, clickai.Huge(n), clickai.Text("a"))
	frames := c.chat("q").all()
	if len(frames) != 3 || len(frames[0].data) < n || frames[0].kind() != "node_finished" {
		t.Fatalf("%d frames, first of %d", len(frames), len(frames[0].data))
	}
}

func TestHangEndsWithTheClient(t *testing.T) {
	c := start(t, clickai.Options{PingInterval: time.Millisecond})
	c.s.Script(nil, clickai.Text("a"), clickai.Hang())
	s := c.chat("q")
	s.must()
	s.stop()
	turn := c.wait(func(t clickai.Turn) bool { return !t.Ended.IsZero() })
	if turn.Status != clickai.StatusCut || turn.Answer != "a" {
		t.Errorf("turn %+v", turn)
	}
}

func TestClientThatLeaves(t *testing.T) {
	c := start(t, clickai.Options{})
	gate := clickai.NewGate()
	c.s.Script(nil, clickai.Text("a"), clickai.Wait(gate), clickai.Text("b"))
	s := c.chat("q")
	s.must()
	s.stop()
	c.wait(func(t clickai.Turn) bool { return t.Status == clickai.StatusCut })
	if m := c.s.Conversations()[0].Messages[0]; !m.Running || m.Answer != "" {
		t.Errorf("while the run goes on: %+v", m)
	}
	gate.Open()
	c.wait(func(t clickai.Turn) bool { return !t.Ended.IsZero() })
	if m := c.s.Conversations()[0].Messages[0]; m.Answer != "ab" {
		t.Errorf("after it: %+v", m)
	}
}

func TestStop(t *testing.T) {
	c := start(t, clickai.Options{Apps: append(clickai.DefaultApps(), clickai.App{Name: "n", Mode: clickai.ModeAgent, Key: keyOf(clickai.ModeAgent)})})
	for _, tt := range []struct {
		mode clickai.Mode
		path string
		last string
	}{
		{clickai.ModeChat, "/v1/chat-messages/", "message_end"},
		{clickai.ModeAgent, "/v1/chat-messages/", "message_end"},
		{clickai.ModeAdvancedChat, "/v1/chat-messages/", "workflow_finished"},
		{clickai.ModeCompletion, "/v1/completion-messages/", "message_end"},
		{clickai.ModeWorkflow, "/v1/workflows/tasks/", "workflow_finished"},
	} {
		t.Run(string(tt.mode), func(t *testing.T) {
			c.s.Script(nil, clickai.Text("a"), clickai.Wait(clickai.NewGate()))
			path, body := call(tt.mode, "q", "streaming")
			s := c.open(path, keyOf(tt.mode), body)
			var f frame
			for f = s.must(); f.kind() != "message" && f.kind() != "agent_message" && f.kind() != "text_chunk"; {
				f = s.must()
			}
			task := f.text("task_id")
			if tt.mode != clickai.ModeWorkflow { // there the user isn't compared
				status, out, _ := c.do(http.MethodPost, tt.path+task+"/stop", keyOf(tt.mode), obj{"user": "other"})
				if status != 200 || out["result"] != "success" {
					t.Errorf("other user: %d %v", status, out)
				}
				if turns := c.s.Turns(); turns[len(turns)-1].Status != clickai.StatusRunning {
					t.Error("another user stopped it")
				}
			}
			if status, _, _ := c.do(http.MethodPost, tt.path+task+"/stop", keyOf(tt.mode), obj{"user": "u"}); status != 200 {
				t.Errorf("%d", status)
			}
			frames := s.all()
			last := frames[len(frames)-1]
			if last.kind() != tt.last {
				t.Errorf("ends with %s", last.kind())
			}
			if tt.last == "workflow_finished" && last.inner()["status"] != "stopped" {
				t.Errorf("%v", last.json)
			}
			turns := c.s.Turns()
			if st := turns[len(turns)-1].Status; st != clickai.StatusStopped {
				t.Errorf("status %s", st)
			}
			if status, _, _ := c.do(http.MethodPost, tt.path+task+"/stop", keyOf(tt.mode), obj{"user": "u"}); status != 200 {
				t.Errorf("a finished task: %d", status)
			}
		})
	}
}

func TestLongestRun(t *testing.T) {
	t.Parallel()
	c := start(t, clickai.Options{MaxRun: 2 * time.Second}) // the first piece is on its way by then
	c.s.Script(nil, clickai.Text("a"), clickai.Wait(clickai.NewGate()))
	if got := kinds(c.chat("q").all()); !slices.Equal(got, []string{"message", "message_end"}) {
		t.Errorf("%v", got)
	}
	if st := c.s.Turns()[0].Status; st != clickai.StatusStopped {
		t.Errorf("status %s", st)
	}
}

func TestOverlap(t *testing.T) {
	c := start(t, clickai.Options{})
	gate := clickai.NewGate()
	c.s.Script(nil, clickai.Text("a"), clickai.Wait(gate))
	s := c.chat("q")
	conv := s.must().text("conversation_id")
	c.ask(keyOf(clickai.ModeChat), "second", conv, "u")
	gate.Open()
	s.all()
	turns := c.s.Turns()
	if turns[0].Overlapped || !turns[1].Overlapped {
		t.Errorf("overlap: %v, %v", turns[0].Overlapped, turns[1].Overlapped)
	}
}

func TestCloseEndsEverything(t *testing.T) {
	s, err := clickai.New(clickai.Options{})
	if err != nil {
		t.Fatal(err)
	}
	c := &client{t: t, s: s, http: &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}}
	s.Script(nil, clickai.Text("a"), clickai.Wait(clickai.NewGate()))
	s.Script(nil, clickai.Text("a"), clickai.Cut(), clickai.Wait(clickai.NewGate()))
	s.Script(nil, clickai.Text("a"), clickai.Hang())
	for range 3 {
		c.chat("q").must()
	}
	for range 2 {
		if err := s.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	}
	for _, turn := range s.Turns() {
		if turn.Status != clickai.StatusCut || turn.Ended.IsZero() {
			t.Errorf("turn %+v", turn)
		}
	}
	c.fails(c.request(http.MethodGet, "/v1/info", "", nil)) // nothing listens
}

func TestWaitTurnGivesUp(t *testing.T) {
	c := start(t, clickai.Options{})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := c.s.WaitTurn(ctx, func(clickai.Turn) bool { return true }); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
}

func TestDoAndBuiltIn(t *testing.T) {
	c := start(t, clickai.Options{})
	var seen clickai.Turn
	c.s.Script(nil, clickai.Text("before "), clickai.Do(func(t clickai.Turn) { seen = t }), clickai.BuiltIn())
	got := answer(c.chat("hi").all())
	if !strings.HasPrefix(got, "before ") || !strings.Contains(got, "> hi") || seen.Answer != "before " {
		t.Errorf("%q, seen %q", got, seen.Answer)
	}
	if turn, ok := c.s.Turn(seen.MessageID); !ok || turn.Status != clickai.StatusFinished {
		t.Errorf("%v %+v", ok, turn)
	}
}
