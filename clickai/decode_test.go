package clickai_test

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"

	"github.com/clickai/bridge/clickai"
)

func head(event string) clickai.Header {
	return clickai.Header{Event: event, ConversationID: "c1", MessageID: "m1", TaskID: "t1", CreatedAt: 1705395332}
}

func runHead(event string) clickai.Header {
	return clickai.Header{Event: event, TaskID: "t1", WorkflowRunID: "r1"}
}

// env is the envelope of chat events, without its closing brace.
func env(event, rest string) string {
	return `{"event":"` + event + `","conversation_id":"c1","message_id":"m1","created_at":1705395332,"task_id":"t1",` + rest + `}`
}

func runEnv(event, data string) string {
	return `{"event":"` + event + `","task_id":"t1","workflow_run_id":"r1","data":` + data + `}`
}

func TestDecodeEvent(t *testing.T) {
	t.Parallel()
	raw := func(s string) json.RawMessage { return json.RawMessage(s) }
	errHead := head("error")
	errHead.TaskID = ""
	tests := []struct {
		name string
		sse  string
		in   string
		want clickai.Event
	}{
		{
			"message", "", env("message", `"id":"m1","answer":"Xin ","from_variable_selector":null`),
			&clickai.Message{Header: head("message"), ID: "m1", Answer: "Xin "},
		},
		{
			"message with selector", "", env("message", `"id":"m1","answer":"","from_variable_selector":["llm","text"]`),
			&clickai.Message{Header: head("message"), ID: "m1", Selector: []string{"llm", "text"}},
		},
		{
			"message with unknown fields", "", env("message", `"id":"m1","answer":"a","x":{"y":[1,2.5e3,true,null,"z"]},"b":[]`),
			&clickai.Message{Header: head("message"), ID: "m1", Answer: "a"},
		},
		{
			"message id in id alone", "", `{"event":"message","id":"m9","answer":"a"}`,
			&clickai.Message{Header: clickai.Header{Event: "message", MessageID: "m9"}, ID: "m9", Answer: "a"},
		},
		{
			"message_id before id", "", `{"event":"message","id":"x","message_id":"m9","answer":"a"}`,
			&clickai.Message{Header: clickai.Header{Event: "message", MessageID: "m9"}, ID: "x", Answer: "a"},
		},
		{
			"empty message_id, null conversation", "", `{"event":"agent_message","id":"m9","message_id":"","conversation_id":null,"answer":"a"}`,
			&clickai.AgentMessage{Header: clickai.Header{Event: "agent_message", MessageID: "m9"}, ID: "m9", Answer: "a"},
		},
		{
			"escapes", "", env("message", `"id":"m1","answer":"a\n\"\\\/\b\f\r\t\u00e9\u1EBF\ud83d\ude00\ud800x\u0000"`),
			&clickai.Message{Header: head("message"), ID: "m1", Answer: "a\n\"\\/\b\f\r\té\u1ebf😀\ufffdx\x00"},
		},
		{
			"line separators", "", env("message", "\"id\":\"m1\",\"answer\":\"a\u2028b\u0085\""),
			&clickai.Message{Header: head("message"), ID: "m1", Answer: "a\u2028b\u0085"},
		},
		{
			"answer of another type", "", env("message", `"id":"m1","answer":5`),
			&clickai.Message{Header: head("message"), ID: "m1"},
		},
		{
			"broken created_at", "", `{"event":"message","message_id":"m1","created_at":"1705395332.5","answer":"a"}`,
			&clickai.Message{Header: clickai.Header{Event: "message", MessageID: "m1", CreatedAt: 1705395332}, ID: "m1", Answer: "a"},
		},
		{
			"agent_message", "", env("agent_message", `"id":"m1","answer":"a"`),
			&clickai.AgentMessage{Header: head("agent_message"), ID: "m1", Answer: "a"},
		},
		{
			"agent_thought", "", env("agent_thought", `"id":"th1","position":1,"thought":"Let me look.","observation":null,"tool":"search;sum","tool_labels":{"search":{"en_US":"Search"}},"tool_input":"{\"q\":1}","message_files":["f1"]`),
			&clickai.AgentThought{
				Header: head("agent_thought"), ID: "th1", Position: 1, Thought: "Let me look.", Tool: "search;sum",
				ToolLabels: raw(`{"search":{"en_US":"Search"}}`), ToolInput: `{"q":1}`, MessageFiles: []string{"f1"},
			},
		},
		{
			"agent_thought of nulls, input as object", "", env("agent_thought", `"id":"th1","position":2,"thought":null,"tool":null,"tool_labels":null,"tool_input":{"q":1},"message_files":null`),
			&clickai.AgentThought{Header: head("agent_thought"), ID: "th1", Position: 2, ToolInput: `{"q":1}`},
		},
		{
			"message_file", "", env("message_file", `"id":"f1","type":"image","belongs_to":"assistant","url":"/files/tools/ab.png?sign=3"`),
			&clickai.MessageFile{Header: head("message_file"), ID: "f1", Type: "image", BelongsTo: "assistant", URL: "/files/tools/ab.png?sign=3"},
		},
		{
			"text under message_file", "", env("message_file", `"id":"x","answer":"piece"`),
			&clickai.Message{Header: head("message_file"), ID: "m1", Answer: "piece"},
		},
		{
			"message_end", "", env("message_end", `"id":"m1","metadata":{"annotation_reply":{"id":"an1","account":{"id":"ac","name":"Ann"}},"retriever_resources":[{"position":1,"dataset_name":"Docs","document_name":"w.md","segment_id":"s1","score":0.98,"content":"…","page":null}],"usage":{"prompt_tokens":56,"completion_tokens":89,"total_tokens":145,"total_price":"0.0012","prompt_price":0.001,"currency":"USD","latency":1.5}},"files":[{"related_id":"f1","type":"document","filename":"a.pdf","extension":".pdf","size":7,"transfer_method":"local_file","upload_file_id":"u1"}]`),
			&clickai.MessageEnd{
				Header: head("message_end"), ID: "m1",
				Metadata: clickai.Metadata{
					Usage:              &clickai.Usage{PromptTokens: 56, CompletionTokens: 89, TotalTokens: 145, TotalPrice: "0.0012", PromptPrice: "0.001", Currency: "USD", Latency: 1.5},
					RetrieverResources: []clickai.RetrieverResource{{Position: 1, DatasetName: "Docs", DocumentName: "w.md", SegmentID: "s1", Score: 0.98, Content: "…"}},
					AnnotationReply: &clickai.AnnotationReply{ID: "an1", Account: struct {
						ID   string `json:"id"`
						Name string `json:"name"`
					}{"ac", "Ann"}},
				},
				Files: []clickai.File{{RelatedID: "f1", Type: "document", Filename: "a.pdf", Extension: ".pdf", Size: 7, TransferMethod: "local_file", UploadFileID: "u1"}},
			},
		},
		{
			"message_end without anything", "", `{"event":"message_end","id":"m1","metadata":null,"files":null}`,
			&clickai.MessageEnd{Header: clickai.Header{Event: "message_end", MessageID: "m1"}, ID: "m1"},
		},
		{
			"message_replace", "", env("message_replace", `"answer":"No.","reason":"output_moderation"`),
			&clickai.MessageReplace{Header: head("message_replace"), Answer: "No.", Reason: "output_moderation"},
		},
		{
			"tts_message", "", env("tts_message", `"audio":"SGVsbG8="`),
			&clickai.TTSMessage{Header: head("tts_message"), Audio: []byte("Hello")},
		},
		{"tts_message_end", "", env("tts_message_end", `"audio":""`), &clickai.TTSMessageEnd{Header: head("tts_message_end")}},
		{
			"error", "", `{"event":"error","conversation_id":"c1","message_id":"m1","created_at":1705395332,"code":"completion_request_error","status":400,"message":"[openai] Rate limit reached"}`,
			&clickai.ErrorEvent{Header: errHead, Status: 400, Code: "completion_request_error", Message: "[openai] Rate limit reached"},
		},
		{
			"error without event", "", `{"code":"unknown","message":"Internal Server Error"}`,
			&clickai.ErrorEvent{Code: "unknown", Message: "Internal Server Error"},
		},
		{
			"error by status, message an object", "", `{"message":{"query":"missing"},"status":"400"}`,
			&clickai.ErrorEvent{Status: 400, Message: `{"query":"missing"}`},
		},
		{
			"error by SSE name", "error", `{"message":"bad"}`,
			&clickai.ErrorEvent{Header: clickai.Header{Event: "error"}, Message: "bad"},
		},
		{"kind by SSE name", "message", `{"answer":"a","id":"m1"}`, &clickai.Message{Header: clickai.Header{Event: "message", MessageID: "m1"}, ID: "m1", Answer: "a"}},
		{"JSON kind wins over SSE name", "ping", `{"event":"message","answer":"a"}`, &clickai.Message{Header: clickai.Header{Event: "message"}, Answer: "a"}},
		{"ping as JSON", "", `{"event":"ping","x":1}`, &clickai.Ping{Header: clickai.Header{Event: "ping"}}},
		{"ping by SSE name, data no JSON", "ping", `now`, &clickai.Ping{Header: clickai.Header{Event: "ping"}}},
		{
			"workflow_started", "", runEnv("workflow_started", `{"id":"r1","workflow_id":"w1","inputs":{"sys.user_id":"u"},"created_at":5,"reason":"initial"}`),
			&clickai.WorkflowStarted{Header: runHead("workflow_started"), Run: clickai.WorkflowRun{ID: "r1", WorkflowID: "w1", Inputs: raw(`{"sys.user_id":"u"}`), CreatedAt: 5, Reason: "initial"}},
		},
		{
			"workflow_finished, run id in data alone", "", `{"event":"workflow_finished","task_id":"t1","workflow_run_id":null,"data":{"id":"r1","status":"failed","outputs":null,"error":"no model","elapsed_time":1.5,"total_tokens":4,"total_steps":2,"exceptions_count":1,"finished_at":9,"files":[]}}`,
			&clickai.WorkflowFinished{Header: runHead("workflow_finished"), Run: clickai.WorkflowRun{ID: "r1", Status: clickai.StatusFailed, Error: "no model", ElapsedTime: 1.5, TotalTokens: 4, TotalSteps: 2, ExceptionsCount: 1, FinishedAt: 9, Files: []clickai.File{}}},
		},
		{
			"workflow_finished, error an object", "", runEnv("workflow_finished", `{"id":"r1","status":"failed","error":{"k":1}}`),
			&clickai.WorkflowFinished{Header: runHead("workflow_finished"), Run: clickai.WorkflowRun{ID: "r1", Status: clickai.StatusFailed, Error: `{"k":1}`}},
		},
		{
			"workflow_paused", "", `{"event":"workflow_paused","task_id":"t1","data":{"workflow_run_id":"r1","paused_nodes":["n1",{"id":"n2"}],"outputs":{},"reasons":[{"a":1}],"status":"paused"}}`,
			&clickai.WorkflowPaused{Header: runHead("workflow_paused"), Run: clickai.WorkflowRun{ID: "r1", Status: "paused", Outputs: raw(`{}`)}, PausedNodes: []string{"n1", `{"id":"n2"}`}, Reasons: raw(`[{"a":1}]`)},
		},
		{
			"node_started", "", runEnv("node_started", `{"id":"e1","node_id":"n1","node_type":"llm","title":"LLM","index":2,"inputs":null}`),
			&clickai.NodeStarted{Header: runHead("node_started"), Node: clickai.Node{ID: "e1", NodeID: "n1", NodeType: "llm", Title: "LLM", Index: 2}},
		},
		{
			"node_finished", "", runEnv("node_finished", `{"id":"e1","node_id":"n1","status":"exception","error":"e","outputs":{"text":"x"},"elapsed_time":0.5}`),
			&clickai.NodeFinished{Header: runHead("node_finished"), Node: clickai.Node{ID: "e1", NodeID: "n1", Status: clickai.StatusException, Error: "e", Outputs: raw(`{"text":"x"}`), ElapsedTime: 0.5}},
		},
		{"node_retry", "", runEnv("node_retry", `{"id":"e1","retry_index":2}`), &clickai.NodeRetry{Header: runHead("node_retry"), Node: clickai.Node{ID: "e1", RetryIndex: 2}}},
		{"iteration_next", "", runEnv("iteration_next", `{"id":"e1","index":3}`), &clickai.Progress{Header: runHead("iteration_next"), Node: clickai.Node{ID: "e1", Index: 3}}},
		{"loop_completed", "", runEnv("loop_completed", `{"steps":3}`), &clickai.Progress{Header: runHead("loop_completed"), Node: clickai.Node{Steps: 3}}},
		{"parallel_branch_started", "", runEnv("parallel_branch_started", `{}`), &clickai.Progress{Header: runHead("parallel_branch_started")}},
		{"datasource_error", "", runEnv("datasource_error", `{"error":"e"}`), &clickai.Progress{Header: runHead("datasource_error"), Node: clickai.Node{Error: "e"}}},
		{"text_chunk", "", runEnv("text_chunk", `{"text":"a\u00e9","from_variable_selector":["n","t"]}`), &clickai.TextChunk{Header: runHead("text_chunk"), Text: "aé", Selector: []string{"n", "t"}}},
		{"text_chunk without data", "", `{"event":"text_chunk","task_id":"t1","workflow_run_id":"r1"}`, &clickai.TextChunk{Header: runHead("text_chunk")}},
		{"text_replace", "", runEnv("text_replace", `{"text":"a"}`), &clickai.TextReplace{Header: runHead("text_replace"), Text: "a"}},
		{
			"reasoning_chunk", "", runEnv("reasoning_chunk", `{"reasoning":"hm","node_id":"n1","is_final":true,"message_id":null}`),
			&clickai.ReasoningChunk{Header: runHead("reasoning_chunk"), Reasoning: "hm", NodeID: "n1", Final: true},
		},
		{
			"agent_log", "", `{"event":"agent_log","task_id":"t1","data":{"id":"l1","label":"CALL","status":"start","error":null,"data":{"a":1},"metadata":null,"node_id":"n1"}}`,
			&clickai.AgentLog{Header: clickai.Header{Event: "agent_log", TaskID: "t1"}, Log: clickai.LogEntry{ID: "l1", Label: "CALL", Status: "start", Data: raw(`{"a":1}`), NodeID: "n1"}},
		},
		{
			"human_input_required", "", runEnv("human_input_required", `{"form_id":"f1","form_token":null,"node_id":"n1","node_title":"Ask","form_content":"ok?","inputs":[],"expiration_time":77}`),
			&clickai.HumanInputRequired{Header: runHead("human_input_required"), Form: clickai.HumanInputForm{FormID: "f1", NodeID: "n1", NodeTitle: "Ask", Content: "ok?", Inputs: raw(`[]`), ExpirationTime: 77}},
		},
		{"human_input_form_filled", "", runEnv("human_input_form_filled", `{"node_id":"n1"}`), &clickai.HumanInputDone{Header: runHead("human_input_form_filled"), Form: clickai.HumanInputForm{NodeID: "n1"}}},
		{"human_input_form_timeout", "", runEnv("human_input_form_timeout", `null`), &clickai.HumanInputDone{Header: runHead("human_input_form_timeout")}},
		{"unknown", "", `{"event":"future","message_id":"m1","x":[1]}`, &clickai.Unknown{Header: clickai.Header{Event: "future", MessageID: "m1"}, Raw: raw(`{"event":"future","message_id":"m1","x":[1]}`)}},
		{"no kind at all", "", `{}`, &clickai.Unknown{Raw: raw(`{}`)}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var d clickai.EventDecoder
			for i := range 2 { // the second one reuses what the first left
				got, err := d.Decode([]byte(tt.sse), []byte(tt.in))
				if err != nil {
					t.Fatalf("Decode: %v", err)
				}
				if !reflect.DeepEqual(got, tt.want) {
					t.Errorf("round %d: got %#v\nwant %#v", i, got, tt.want)
				}
			}
		})
	}
}

func TestDecodeMalformed(t *testing.T) {
	t.Parallel()
	for _, in := range []string{
		"", " ", "null", "5", `"x"`, "[]", "[DONE]", "{", `{"event":"message"`, `{"event":"message"}}`, `{"event":"message",}`,
		`{"event":"message","answer":"a` + "\n" + `"}`, `{"event":"tts_message","audio":"%%"}`, "<html>",
	} {
		var d clickai.EventDecoder
		if ev, err := d.Decode(nil, []byte(in)); err == nil {
			t.Errorf("Decode(%q) = %#v, want an error", in, ev)
		}
	}
}

// The events that make up nearly all of a stream don't go through encoding/json.
func TestDecodeFastPathIsTaken(t *testing.T) {
	t.Parallel()
	for _, in := range []string{
		env("message", `"id":"m1","answer":"Xin \n\u00e9 chào","from_variable_selector":null`),
		env("agent_message", `"id":"m1","answer":"Xin "`),
		runEnv("text_chunk", `{"text":"a","from_variable_selector":["n","t"]}`),
		`{ "event" : "message" , "answer" : "a" }`,
	} {
		var d clickai.EventDecoder
		if !d.Fast([]byte(in)) {
			t.Errorf("slow: %s", in)
		}
	}
	for _, in := range []string{
		`{"event":"message","Answer":"a"}`, `{"event":"message","answer":"a","answer":"b"}`, `{"event":"message","answer":5}`,
		"{\"event\":\"message\",\"answer\":\"\xff\"}", `{"event":"message","an\u0073wer":"a"}`, `{"event":"message","\u212aey":1}`,
		env("message_end", `"id":"m1"`),
	} {
		var d clickai.EventDecoder
		if d.Fast([]byte(in)) {
			t.Errorf("fast: %s", in)
		}
	}
}

// FuzzDecodeEvent checks that the fast path gives what encoding/json gives.
func FuzzDecodeEvent(f *testing.F) {
	for _, in := range []string{
		env("message", `"id":"m1","answer":"Xin ","from_variable_selector":["a","b"]`),
		env("agent_message", `"id":"m\u0031","answer":"\ud83d\ude00\ud800\udc"`),
		runEnv("text_chunk", `{"text":"\ud800\ud800\udc00","from_variable_selector":null,"x":[{"y":-1.5e+3}]}`),
		`{"event":"message","id":"a\\b","message_id":"a\\\\b","answer":null,"created_at":-0}`,
		`{"EVENT":"error","code":"x","message":{"a":1}}`,
		`{"event":"workflow_paused","data":{"paused_nodes":[1,null]}}`,
		`{"event":"message","created_at":1e3,"Answer":"x","answer":"y"}`,
		"{\"event\":\"message\",\"answer\":\"\xc3\x28\xed\xa0\x80\u2028\"}",
	} {
		f.Add([]byte(in))
	}
	warm := []byte(env("message", `"id":"m1","answer":"Xin ","from_variable_selector":["a","b"]`))
	f.Fuzz(func(t *testing.T, in []byte) {
		var fast, slow clickai.EventDecoder
		if _, err := fast.Decode(nil, warm); err != nil { // fill what it remembers
			t.Fatal(err)
		}
		got, gotErr := fast.Decode(nil, in)
		want, wantErr := slow.DecodeSlow(nil, in)
		if (gotErr == nil) != (wantErr == nil) {
			t.Fatalf("fast %v, slow %v", gotErr, wantErr)
		}
		if !reflect.DeepEqual(got, want) {
			t.Fatalf("fast %#v\nslow %#v", got, want)
		}
		if gotErr == nil && got.Head() == nil {
			t.Fatal("no header")
		}
	})
}

func BenchmarkEvent(b *testing.B) {
	message := "data: " + env("message", `"id":"m1","answer":"một đoạn văn ngắn ","from_variable_selector":["llm","text"]`) + "\n\n"
	escaped := "data: " + env("agent_message", `"id":"m1","answer":"m\u1ed9t \u0111o\u1ea1n\n"`) + "\n\n"
	chunk := "data: " + runEnv("text_chunk", `{"text":"một đoạn văn ngắn ","from_variable_selector":["llm","text"]}`) + "\n\n"
	end := "data: " + env("message_end", `"id":"m1","metadata":{"usage":{"prompt_tokens":56,"completion_tokens":89,"total_tokens":145,"total_price":"0.0012","currency":"USD","latency":1.2},"retriever_resources":[]},"files":null`) + "\n\n"
	node := "data: " + runEnv("node_finished", `{"id":"e1","node_id":"n1","title":"LLM","status":"succeeded","outputs":{"text":"`+strings.Repeat("x", 1<<20)+`"}}`) + "\n\n"
	for _, bb := range []struct{ name, in string }{
		{"message", message}, {"message-escaped", escaped}, {"text-chunk", chunk}, {"message-end", end}, {"node-1MB", node},
	} {
		b.Run(bb.name, func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(len(bb.in)))
			s := clickai.NewEventReader(&repeatReader{text: bb.in})
			for b.Loop() {
				if _, err := s.Next(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// repeatReader gives the same text for ever.
type repeatReader struct {
	text string
	off  int
}

func (r *repeatReader) Read(p []byte) (int, error) {
	n := 0
	for n < len(p) {
		c := copy(p[n:], r.text[r.off:])
		n += c
		r.off = (r.off + c) % len(r.text)
	}
	return n, nil
}
