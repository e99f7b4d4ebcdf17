package clickai_test

import (
	"encoding/base64"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/clickai/bridge/internal/sim/clickai"
)

// call is what a mode's generation request looks like.
func call(mode clickai.Mode, query, response string) (path string, body obj) {
	switch mode {
	case clickai.ModeCompletion:
		return "/v1/completion-messages", obj{"inputs": obj{"text": query}, "response_mode": response, "user": "u"}
	case clickai.ModeWorkflow:
		return "/v1/workflows/run", obj{"inputs": obj{"input_text": query}, "response_mode": response, "user": "u"}
	default:
		body := chatBody(query, "", "u")
		body["response_mode"] = response
		return "/v1/chat-messages", body
	}
}

func allModes() clickai.Options {
	apps := clickai.DefaultApps()
	apps = append(apps, clickai.App{Name: "newer", Mode: clickai.ModeAgent, Key: keyOf(clickai.ModeAgent)})
	return clickai.Options{Apps: apps}
}

func TestEventOrder(t *testing.T) {
	tests := []struct {
		name  string
		mode  clickai.Mode
		query string
		want  string // kinds with repetitions joined
	}{
		{"chat", clickai.ModeChat, "hello", "message message_end"},
		{"completion", clickai.ModeCompletion, "hello", "message message_end"},
		{"agent", clickai.ModeAgentChat, "hello", "agent_thought agent_message agent_thought message_end"},
		{
			"agent with tools", clickai.ModeAgentChat, "use tools",
			"agent_thought agent_message agent_thought agent_message agent_thought agent_message agent_thought message_end",
		},
		{
			"agent that draws", clickai.ModeAgentChat, "make a picture",
			"agent_thought agent_message agent_thought message_file agent_thought agent_message agent_thought message_end",
		},
		{"newer agent", clickai.ModeAgent, "hello", "agent_thought agent_message agent_thought message message_end"},
		{
			"chatflow", clickai.ModeAdvancedChat, "hello",
			"ping workflow_started node_started node_finished node_started message node_finished node_started node_finished " +
				"message_end workflow_finished",
		},
		{"chatflow fails", clickai.ModeAdvancedChat, "error", "ping workflow_started node_started node_finished node_started message node_finished workflow_finished error"},
		{"chatflow pauses", clickai.ModeAdvancedChat, "approval", "ping workflow_started node_started node_finished node_started message human_input_required workflow_paused"},
		{
			"workflow", clickai.ModeWorkflow, "hello",
			"ping workflow_started node_started node_finished node_started text_chunk node_finished node_started node_finished " +
				"workflow_finished",
		},
		{"workflow fails", clickai.ModeWorkflow, "error", "ping workflow_started node_started node_finished node_started text_chunk node_finished workflow_finished"},
		{"chat error", clickai.ModeChat, "error", "message error"},
		{"moderation", clickai.ModeChat, "moderation", "message message_replace message_end"},
		{"voice", clickai.ModeChat, "voice", "message tts_message message tts_message message_end tts_message_end"},
		{"picture", clickai.ModeChat, "picture", "message message_file message_end"},
		{"empty", clickai.ModeChat, "empty answer", "message_end"},
	}
	c := start(t, allModes())
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			path, body := call(tt.mode, tt.query, "streaming")
			frames := c.open(path, keyOf(tt.mode), body).all()
			if got := squeezed(frames); got != tt.want {
				t.Errorf("got  %s\nwant %s", got, tt.want)
			}
			checkIDs(t, tt.mode, frames)
		})
	}
	c.noViolations()
}

// checkIDs checks which events carry which ids.
func checkIDs(t *testing.T, mode clickai.Mode, frames []frame) {
	t.Helper()
	same := map[string]string{}
	started := false
	for i, f := range frames {
		if f.event == "ping" {
			if f.data != "" {
				t.Errorf("ping with data %q", f.data)
			}
			continue
		}
		want := map[string]bool{"task_id": f.kind() != "error"}
		switch mode {
		case clickai.ModeWorkflow:
			want["message_id"], want["conversation_id"], want["workflow_run_id"] = false, false, true
		case clickai.ModeCompletion:
			want["message_id"], want["conversation_id"] = true, false
		default:
			want["message_id"], want["conversation_id"] = true, true
		}
		for field, has := range want {
			v := f.text(field)
			if (v != "") != has {
				t.Errorf("event %d %s: %s is %q", i, f.kind(), field, v)
			}
			if v != "" && same[field] != "" && same[field] != v {
				t.Errorf("event %d %s: %s changed", i, f.kind(), field)
			}
			same[field] = v
			if v == "" {
				delete(same, field)
			}
		}
		switch f.kind() {
		case "message", "agent_message", "message_end":
			if f.text("id") != f.text("message_id") {
				t.Errorf("event %d %s: id %q, message_id %q", i, f.kind(), f.text("id"), f.text("message_id"))
			}
		case "agent_thought", "message_file":
			if f.text("id") == "" || f.text("id") == f.text("message_id") {
				t.Errorf("event %d %s: id %q", i, f.kind(), f.text("id"))
			}
		case "message_replace":
			if _, has := f.json["id"]; has {
				t.Errorf("message_replace has an id")
			}
		case "workflow_started":
			started = true
		}
		if started && strings.HasPrefix(f.kind(), "node_") && f.text("workflow_run_id") == "" {
			t.Errorf("event %d %s: no workflow_run_id", i, f.kind())
		}
	}
}

func TestBlocking(t *testing.T) {
	apps := allModes()
	for i := range apps.Apps {
		apps.Apps[i].AllowBlocking = true
	}
	c := start(t, apps)
	for _, mode := range []clickai.Mode{
		clickai.ModeChat, clickai.ModeAgentChat, clickai.ModeAdvancedChat, clickai.ModeCompletion, clickai.ModeWorkflow,
	} {
		t.Run(string(mode), func(t *testing.T) {
			path, body := call(mode, "hello there", "blocking")
			status, out, h := c.do(http.MethodPost, path, keyOf(mode), body)
			if status != 200 || h.Get("Content-Type") != "application/json" {
				t.Fatalf("%d %v", status, out)
			}
			text, _ := out["answer"].(string)
			if mode == clickai.ModeWorkflow {
				data := out["data"].(obj)
				if data["status"] != "succeeded" || out["workflow_run_id"] != data["id"] || out["task_id"] == "" {
					t.Errorf("body %v", out)
				}
				text, _ = data["outputs"].(obj)["result"].(string)
			} else {
				usage := out["metadata"].(obj)["usage"].(obj)
				if _, ok := usage["total_price"].(string); !ok || usage["total_tokens"].(float64) < 1 {
					t.Errorf("usage %v", usage)
				}
				if out["id"] != out["message_id"] || out["id"] == "" {
					t.Errorf("ids %v", out)
				}
				if _, has := out["conversation_id"]; has == (mode == clickai.ModeCompletion) {
					t.Errorf("conversation_id: %v", has)
				}
			}
			if !strings.Contains(text, "> hello there") {
				t.Errorf("answer %q", text)
			}
		})
	}
	for _, turn := range c.s.Turns() {
		if turn.Streaming || turn.Status != clickai.StatusFinished || turn.HTTPStatus != 200 || len(turn.Events) > 0 {
			t.Errorf("turn %+v", turn)
		}
	}
	t.Run("failed", func(t *testing.T) {
		path, body := call(clickai.ModeChat, "error", "blocking")
		if status, out, _ := c.do(http.MethodPost, path, keyOf(clickai.ModeChat), body); status != 400 || out["code"] != "completion_request_error" {
			t.Errorf("%d %v", status, out)
		}
		path, body = call(clickai.ModeWorkflow, "error", "blocking")
		status, out, _ := c.do(http.MethodPost, path, keyOf(clickai.ModeWorkflow), body)
		data, _ := out["data"].(obj)
		if status != 200 || data["status"] != "failed" || data["error"] == nil {
			t.Errorf("%d %v", status, out)
		}
	})
}

func TestBlockingTimeout(t *testing.T) {
	c := start(t, clickai.Options{BlockingTimeout: 30 * time.Millisecond})
	gate := clickai.NewGate()
	c.s.Script(nil, clickai.Wait(gate), clickai.Text("late"))
	_, body := call(clickai.ModeChat, "hello", "blocking")
	status, out, _ := c.do(http.MethodPost, "/v1/chat-messages", keyOf(clickai.ModeChat), body)
	if status != 504 || !strings.Contains(out["raw"].(string), "<html>") {
		t.Fatalf("%d %v", status, out)
	}
	gate.Open()
	turn := c.wait(func(t clickai.Turn) bool { return !t.Ended.IsZero() })
	if turn.Status != clickai.StatusCut || turn.HTTPStatus != 504 || turn.Answer != "late" {
		t.Errorf("turn %+v", turn)
	}
	if convs := c.s.Conversations(); len(convs) != 1 || convs[0].Messages[0].Answer != "late" {
		t.Errorf("the run did not go on: %+v", convs)
	}
}

func TestPayloads(t *testing.T) {
	c := start(t, clickai.Options{})
	chat := keyOf(clickai.ModeChat)

	t.Run("thoughts are snapshots", func(t *testing.T) {
		frames, conv := c.ask(keyOf(clickai.ModeAgentChat), "use tools", "", "u")
		byID := map[string][]frame{}
		var order []string
		for _, f := range pick(frames, "agent_thought") {
			id := f.text("id")
			if byID[id] == nil {
				order = append(order, id)
			}
			byID[id] = append(byID[id], f)
		}
		if len(order) != 3 {
			t.Fatalf("%d thoughts", len(order))
		}
		first := byID[order[0]]
		if len(first) != 3 || first[0].text("thought") != "" || first[1].text("tool") != "web_search" ||
			first[1].text("observation") != "" || first[2].text("observation") == "" || first[2].text("thought") == "" {
			t.Errorf("snapshots %v", first)
		}
		if !strings.HasPrefix(first[1].text("tool_input"), "{") {
			t.Errorf("tool_input %q", first[1].text("tool_input"))
		}
		last := byID[order[2]]
		if !strings.HasSuffix(answer(frames), last[len(last)-1].text("thought")) || last[0].json["position"] != 3.0 {
			t.Errorf("last thought %v", last)
		}
		_, page, _ := c.do(http.MethodGet, "/v1/messages?user=u&conversation_id="+conv, keyOf(clickai.ModeAgentChat), nil)
		msg := page["data"].([]any)[0].(obj)
		if got := len(msg["agent_thoughts"].([]any)); got != 3 {
			t.Errorf("%d thoughts in the history", got)
		}
		plain := func(s string) string { return strings.Join(strings.Fields(s), " ") }
		if msg["answer"] == answer(frames) || plain(msg["answer"].(string)) != plain(answer(frames)) {
			t.Errorf("history has %q, streamed was %q", msg["answer"], answer(frames))
		}
	})
	t.Run("sources", func(t *testing.T) {
		frames, _ := c.ask(chat, "with sources please", "", "u")
		meta := frames[len(frames)-1].json["metadata"].(obj)
		res := meta["retriever_resources"].([]any)
		if len(res) != 2 || res[0].(obj)["document_name"] != "warranty.md" || res[1].(obj)["position"] != 2.0 {
			t.Errorf("%v", res)
		}
	})
	t.Run("voice is one MP3", func(t *testing.T) {
		frames, _ := c.ask(chat, "voice", "", "u")
		var audio []byte
		for _, f := range pick(frames, "tts_message") {
			b, err := base64.StdEncoding.DecodeString(f.text("audio"))
			if err != nil {
				t.Fatal(err)
			}
			audio = append(audio, b...)
		}
		if http.DetectContentType(audio) != "audio/mpeg" {
			t.Errorf("type %s", http.DetectContentType(audio))
		}
		n := 10 + int(audio[6])<<21 + int(audio[7])<<14 + int(audio[8])<<7 + int(audio[9])
		for rest := audio[n:]; len(rest) > 0; rest = rest[104:] {
			if len(rest) < 104 || rest[0] != 0xFF || rest[1] != 0xFB {
				t.Fatalf("no frame at %d of %d", len(audio)-len(rest), len(audio))
			}
		}
		if end := frames[len(frames)-1]; end.text("audio") != "" {
			t.Errorf("end %v", end.json)
		}
	})
	t.Run("think tags span events", func(t *testing.T) {
		frames, _ := c.ask(chat, "think", "", "u")
		if slices.ContainsFunc(frames, func(f frame) bool {
			return strings.Contains(f.text("answer"), "<think>") || strings.Contains(f.text("answer"), "</think>")
		}) {
			t.Error("a tag stands within one event")
		}
		if a := answer(frames); !strings.HasPrefix(a, "<think>") || strings.Count(a, "</think>") != 1 {
			t.Errorf("answer %q", a)
		}
	})
	t.Run("moderation stands in the history", func(t *testing.T) {
		frames, conv := c.ask(chat, "moderation", "", "u")
		stands := pick(frames, "message_replace")[0]
		i := slices.IndexFunc(c.s.Conversations(), func(k clickai.Conversation) bool { return k.ID == conv })
		if got := c.s.Conversations()[i].Messages[0].Answer; got != stands.text("answer") || stands.text("reason") != "output_moderation" {
			t.Errorf("%q %v", got, stands.json)
		}
	})
	t.Run("workflow outputs repeat the text", func(t *testing.T) {
		path, body := call(clickai.ModeWorkflow, "hello", "streaming")
		frames := c.open(path, keyOf(clickai.ModeWorkflow), body).all()
		data := frames[len(frames)-1].inner()
		if data["status"] != "succeeded" || data["outputs"].(obj)["result"] != answer(frames) {
			t.Errorf("%v\n%q", data["outputs"], answer(frames))
		}
		_, rec, _ := c.do(http.MethodGet, "/v1/workflows/run/"+data["id"].(string), keyOf(clickai.ModeWorkflow), nil)
		if rec["status"] != "succeeded" || rec["inputs"] != `{"input_text":"hello"}` {
			t.Errorf("record %v", rec)
		}
	})
}

func TestQuirks(t *testing.T) {
	q := clickai.Quirks{ASCII: true, DataPing: true, FinishFirst: true, BareErrors: true, TextAsFile: true, OldStatus: true}
	c := start(t, clickai.Options{Quirks: q})
	key := keyOf(clickai.ModeAdvancedChat)
	frames, _ := c.ask(key, "Xin chào 👋", "", "ü")
	text := ""
	for _, f := range frames {
		if strings.ContainsFunc(f.data, func(r rune) bool { return r > 126 }) {
			t.Errorf("not ASCII: %s", f.data)
		}
		if f.kind() == "message_file" {
			text += f.text("answer")
		}
	}
	if !strings.Contains(text, "> Xin chào 👋") {
		t.Errorf("text %q", text)
	}
	if got := kinds(frames); got[0] != "ping" || frames[0].event != "" || !slices.Equal(got[len(got)-2:], []string{"workflow_finished", "message_end"}) {
		t.Errorf("%v", got)
	}
	frames = c.open("/v1/chat-messages", key, chatBody("error", "", "u")).all()
	last := frames[len(frames)-1].json
	if _, has := last["event"]; has || last["code"] != "completion_request_error" || len(last) != 3 {
		t.Errorf("error %v", last)
	}
	if status, _, _ := c.send(c.form(key, "u", "a.txt", "text/plain", []byte("x"))); status != 200 {
		t.Errorf("upload %d", status)
	}
}

func TestPings(t *testing.T) {
	c := start(t, clickai.Options{PingInterval: 5 * time.Millisecond})
	gate := clickai.NewGate()
	c.s.Script(nil, clickai.Wait(gate), clickai.Text("hello"))
	s := c.open("/v1/chat-messages", keyOf(clickai.ModeChat), chatBody("q", "", "u"))
	for range 3 {
		if f := s.must(); f.event != "ping" {
			t.Fatalf("got %s", f.kind())
		}
	}
	gate.Open()
	if got := answer(s.all()); got != "hello" {
		t.Errorf("answer %q", got)
	}
}
