package clickai_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"reflect"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/clickai/bridge/clickai"
)

const endEvent = `data: {"event":"message_end","conversation_id":"c1","message_id":"m1","task_id":"t1","id":"m1"}` + "\n\n"

func messageEvent(text string) string {
	return "data: " + env("message", `"id":"m1","answer":"`+text+`"`) + "\n\n"
}

// kinds names the events' types.
func kinds(events []clickai.Event) string {
	var names []string
	for _, ev := range events {
		names = append(names, strings.TrimPrefix(fmt.Sprintf("%T", ev), "*clickai."))
	}
	return strings.Join(names, " ")
}

// text joins what an answer's events append.
func text(events []clickai.Event) string {
	var b strings.Builder
	for _, ev := range events {
		switch ev := ev.(type) {
		case *clickai.Message:
			b.WriteString(ev.Answer)
		case *clickai.AgentMessage:
			b.WriteString(ev.Answer)
		case *clickai.TextChunk:
			b.WriteString(ev.Text)
		}
	}
	return b.String()
}

func TestStreamRequests(t *testing.T) {
	t.Parallel()
	type obj = map[string]any
	tests := []struct {
		name string
		call func(context.Context, *clickai.Client) (*clickai.Stream, error)
		path string
		body obj
	}{
		{
			"chat",
			func(ctx context.Context, c *clickai.Client) (*clickai.Stream, error) { return c.ChatStream(ctx, ask) },
			"/v1/chat-messages",
			obj{"inputs": obj{}, "query": "Hello?", "response_mode": "streaming", "conversation_id": "", "user": "u1"},
		},
		{
			"completion",
			func(ctx context.Context, c *clickai.Client) (*clickai.Stream, error) {
				return c.CompleteStream(ctx, clickai.CompletionRequest{User: "u1", Files: []clickai.InputFile{clickai.UploadedInput("image", "f1")}})
			},
			"/v1/completion-messages",
			obj{"inputs": obj{}, "response_mode": "streaming", "user": "u1", "files": []any{obj{"type": "image", "transfer_method": "local_file", "upload_file_id": "f1"}}},
		},
		{
			"workflow",
			func(ctx context.Context, c *clickai.Client) (*clickai.Stream, error) {
				return c.RunWorkflowStream(ctx, clickai.WorkflowRequest{User: "u1", Inputs: clickai.Inputs{"a": 1}})
			},
			"/v1/workflows/run",
			obj{"inputs": obj{"a": 1.0}, "response_mode": "streaming", "user": "u1"},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var got seen
			srv := newServer(t, func(w http.ResponseWriter, r *http.Request) {
				got = see(t, r)
				if enc := r.Header.Get("Accept-Encoding"); enc != "identity" {
					t.Errorf("Accept-Encoding %q", enc)
				}
				sse(w, messageEvent("a")+endEvent)
			})
			s, err := tt.call(t.Context(), newClient(t, srv.URL))
			if err != nil {
				t.Fatal(err)
			}
			events, err := collect(t, s)
			if err != nil || kinds(events) != "Message MessageEnd" {
				t.Errorf("events %s, %v", kinds(events), err)
			}
			want := seen{Method: "POST", Path: tt.path, Auth: "Bearer " + testKey, ContentType: "application/json", Accept: "text/event-stream", Body: tt.body}
			if !reflect.DeepEqual(got, want) {
				t.Errorf("server saw %+v\nwant %+v", got, want)
			}
		})
	}
}

func TestStreamEvents(t *testing.T) {
	t.Parallel()
	big := strings.Repeat("x", 300_000)
	tests := []struct {
		name, in, kinds, text string
	}{
		{"chat", "event: ping\n\n" + messageEvent("Xin ") + ": hi\n\n" + messageEvent("chào") + endEvent, "Ping Message Message MessageEnd", "Xin chào"},
		{"after the end", messageEvent("a") + endEvent + "data: {\"event\":\"message_replace\",\"answer\":\"No\"}\n\n", "Message MessageEnd MessageReplace", "a"},
		{"malformed is skipped", messageEvent("a") + "data: {\"event\":\"mess\n\n" + messageEvent("b"), "Message Skipped Message", "ab"},
		{"DONE is skipped", messageEvent("a") + "data: [DONE]\n\n", "Message Skipped", "a"},
		{"over the bound", messageEvent("a") + messageEvent(big) + messageEvent("b"), "Message Skipped Message", "ab"},
		{"JSON over several lines", "data: {\"event\":\"message\",\ndata: \"answer\":\"a\"}\n\n", "Message", "a"},
		{"blank lines forgotten", strings.ReplaceAll(messageEvent("a")+messageEvent("b"), "\n\n", "\n") + "\n", "Message Message", "ab"},
		{"blank lines forgotten, one of them bad", "data: {\"event\":\"tts_message\",\"audio\":\"%\"}\ndata: {\"event\":\"ping\"}\n\n" + endEvent, "Skipped Ping MessageEnd", ""},
		{"no blank line at the end", messageEvent("a") + strings.TrimRight(endEvent, "\n"), "Message MessageEnd", "a"},
		{"CR", strings.ReplaceAll(messageEvent("a")+endEvent, "\n", "\r"), "Message MessageEnd", "a"},
		{"error body", "data: {\"code\":\"x\",\"message\":\"m\"}\n\n", "ErrorEvent", ""},
		{"unknown", "data: {\"event\":\"new\"}\n\n", "Unknown", ""},
		{"text as file", "data: " + env("message_file", `"answer":"a"`) + "\n\n", "Message", "a"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			srv := newServer(t, func(w http.ResponseWriter, _ *http.Request) { sse(w, tt.in) })
			c := newClient(t, srv.URL, func(cfg *clickai.Config) { cfg.MaxLine = 200_000 })
			s, err := c.ChatStream(t.Context(), ask)
			if err != nil {
				t.Fatal(err)
			}
			events, err := collect(t, s)
			if err != nil || kinds(events) != tt.kinds || text(events) != tt.text {
				t.Errorf("got %s %q, %v; want %s %q", kinds(events), text(events), err, tt.kinds, tt.text)
			}
			stats := s.Stats()
			if stats.Bytes != int64(len(tt.in)) || stats.Events != len(events) || stats.Skipped != strings.Count(tt.kinds, "Skipped") || stats.Blocking {
				t.Errorf("stats %+v of %d bytes", stats, len(tt.in))
			}
		})
	}
}

func TestSkippedEvents(t *testing.T) {
	t.Parallel()
	srv := newServer(t, func(w http.ResponseWriter, _ *http.Request) {
		sse(w, "data: {bad\n\n"+messageEvent(strings.Repeat("x", 5000))+endEvent)
	})
	s, err := newClient(t, srv.URL, func(cfg *clickai.Config) { cfg.MaxLine = 1000 }).ChatStream(t.Context(), ask)
	if err != nil {
		t.Fatal(err)
	}
	events, err := collect(t, s)
	if err != nil || len(events) != 3 {
		t.Fatalf("events %s, %v", kinds(events), err)
	}
	if sk := events[0].(*clickai.Skipped); sk.Reason != clickai.SkippedMalformed || sk.Size != 4 || string(sk.Excerpt) != "{bad" {
		t.Errorf("malformed: %+v", sk)
	}
	if sk := events[1].(*clickai.Skipped); sk.Reason != clickai.SkippedTooLong || sk.Size < 5000 || len(sk.Excerpt) != 200 || !strings.HasPrefix(string(sk.Excerpt), `{"event":"message"`) {
		t.Errorf("too long: %+v", sk)
	}
}

// The state of a stream follows what has been delivered.
func TestStreamState(t *testing.T) {
	t.Parallel()
	srv := newServer(t, func(w http.ResponseWriter, _ *http.Request) {
		sse(w, "event: ping\n\ndata: bad\n\n"+messageEvent("a")+
			`data: {"event":"workflow_started","workflow_run_id":"r1","task_id":"t2"}`+"\n\n"+
			`data: {"event":"error","conversation_id":"c2","code":"x","message":"m"}`+"\n\n")
	})
	s, err := newClient(t, srv.URL).ChatStream(t.Context(), ask)
	if err != nil {
		t.Fatal(err)
	}
	type state struct {
		begun bool
		ids   clickai.IDs
		last  string
	}
	var got []state
	for _, err := range s.Events() {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, state{s.Begun(), s.IDs(), s.Stats().LastEvent})
	}
	want := []state{
		{},
		{},
		{true, clickai.IDs{Conversation: "c1", Message: "m1", Task: "t1"}, "message"},
		{true, clickai.IDs{Conversation: "c1", Message: "m1", Task: "t2", WorkflowRun: "r1"}, "workflow_started"},
		{true, clickai.IDs{Conversation: "c2", Message: "m1", Task: "t2", WorkflowRun: "r1"}, "error"},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v\nwant %+v", got, want)
	}
	for ev, err := range s.Events() {
		t.Errorf("second loop delivered %T, %v", ev, err)
	}
}

func TestOtherBodyThanStream(t *testing.T) {
	t.Parallel()
	chatHead := clickai.Header{Event: "message", ConversationID: "c1", MessageID: "m1", TaskID: "t1", CreatedAt: 5}
	endHead := chatHead
	endHead.Event = "message_end"
	chat := []clickai.Event{
		&clickai.Message{Header: chatHead, ID: "m1", Answer: "Hi."},
		&clickai.MessageEnd{Header: endHead, ID: "m1", Metadata: clickai.Metadata{Usage: &clickai.Usage{TotalTokens: 3}}},
	}
	const chatBody = `{"id":"m1","conversation_id":"c1","task_id":"t1","answer":"Hi.","created_at":5,"metadata":{"usage":{"total_tokens":3}}}`
	tests := []struct {
		name, ctype, body string
		events            []clickai.Event
		kind              clickai.Kind // of the error, if any
		status            int
		code              string
	}{
		{"chat answer", "application/json", chatBody, chat, 0, 0, ""},
		{"chat answer, charset and byte order mark", "Application/JSON; charset=utf-8", "\xEF\xBB\xBF" + chatBody, chat, 0, 0, ""},
		{"chat answer as plain text", "text/plain", " \n" + chatBody, chat, 0, 0, ""},
		{
			"workflow answer", "application/json", `{"workflow_run_id":"r1","task_id":"t1","data":{"id":"w","status":"succeeded","outputs":{"result":"x"}}}`,
			[]clickai.Event{&clickai.WorkflowFinished{
				Header: clickai.Header{Event: "workflow_finished", TaskID: "t1", WorkflowRunID: "r1"},
				Run:    clickai.WorkflowRun{ID: "w", Status: "succeeded", Outputs: []byte(`{"result":"x"}`)},
			}},
			0, 0, "",
		},
		{"error with status", "application/json", `{"code":"conversation_completed","message":"m","status":400}`, nil, clickai.KindStatus, 400, "conversation_completed"},
		{"error without status", "application/json", `{"code":"rate_limit_error","message":"m"}`, nil, clickai.KindStatus, 429, "rate_limit_error"},
		{"error of unknown code", "application/json", `{"code":"odd","message":"m"}`, nil, clickai.KindStatus, 200, "odd"},
		{"JSON that is no answer", "application/json", `{"ok":true}`, nil, clickai.KindContent, 200, ""},
		{"torn JSON", "application/json", `{"answer":"`, nil, clickai.KindContent, 200, ""},
		{"no JSON", "application/json", ``, nil, clickai.KindContent, 200, ""},
		{"HTML", "text/html; charset=utf-8", `<!doctype html><p>log in`, nil, clickai.KindContent, 200, ""},
		{"HTML as plain text", "text/plain", "\n <html>", nil, clickai.KindContent, 200, ""},
		{"text", "text/plain", "upstream is down", nil, clickai.KindContent, 200, ""},
		{"text that begins like a field", "text/plain", "database is down: no", nil, clickai.KindContent, 200, ""},
		{"picture", "image/png", "\x89PNG\r\n", nil, clickai.KindContent, 200, ""},
		{"stream of pings first, as bytes", "application/octet-stream", "\r\nevent: ping\n\n" + messageEvent("a"), []clickai.Event{&clickai.Ping{Header: clickai.Header{Event: "ping"}}, &clickai.Message{Header: head("message"), ID: "m1", Answer: "a"}}, 0, 0, ""},
		{"HTML without type", "", "<html>", nil, clickai.KindContent, 200, ""},
		{"stream as plain text", "text/plain", "\xEF\xBB\xBF" + messageEvent("a"), []clickai.Event{&clickai.Message{Header: head("message"), ID: "m1", Answer: "a"}}, 0, 0, ""},
		{"stream without type", "", ": c\n\n" + messageEvent("a"), []clickai.Event{&clickai.Message{Header: head("message"), ID: "m1", Answer: "a"}}, 0, 0, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			srv := newServer(t, func(w http.ResponseWriter, _ *http.Request) {
				w.Header()["Content-Type"] = nil
				if tt.ctype != "" {
					w.Header().Set("Content-Type", tt.ctype)
				}
				_, _ = io.WriteString(w, tt.body)
			})
			s, err := newClient(t, srv.URL).ChatStream(t.Context(), ask)
			if tt.kind != 0 {
				e := wantError(t, err, tt.kind)
				if e.Status != tt.status || e.Code != tt.code || string(e.Body) != strings.TrimPrefix(tt.body, "\xEF\xBB\xBF") {
					t.Errorf("got %#v", e)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			events, err := collect(t, s)
			if err != nil || !reflect.DeepEqual(events, tt.events) {
				t.Errorf("got %s, %v", kinds(events), err)
			}
			if !s.Begun() {
				t.Error("not begun")
			}
			if isJSON := strings.Contains(tt.body, `"answer":"Hi`) || strings.Contains(tt.body, "outputs"); s.Stats().Blocking != isJSON {
				t.Errorf("Blocking = %v", s.Stats().Blocking)
			}
		})
	}
}

func TestStreamEndsWithoutEvent(t *testing.T) {
	t.Parallel()
	for _, in := range []string{"", "event: ping\n\n", ": c\n\n", "data: bad\n\n"} {
		srv := newServer(t, func(w http.ResponseWriter, _ *http.Request) { sse(w, in) })
		s, err := newClient(t, srv.URL).ChatStream(t.Context(), ask)
		if err != nil {
			t.Fatal(err)
		}
		_, err = collect(t, s)
		if e := wantError(t, err, clickai.KindBroken); !errors.Is(err, clickai.ErrEmptyStream) || s.Begun() || !e.MayHaveArrived() {
			t.Errorf("%q: %v, begun %v", in, err, s.Begun())
		}
	}
}

func TestStreamCut(t *testing.T) {
	t.Parallel()
	srv := newServer(t, func(w http.ResponseWriter, _ *http.Request) {
		sse(w, messageEvent("a")+`data: {"event":"mess`)
		panic(http.ErrAbortHandler)
	})
	s, err := newClient(t, srv.URL).ChatStream(t.Context(), ask)
	if err != nil {
		t.Fatal(err)
	}
	events, err := collect(t, s)
	wantKind(t, err, clickai.KindBroken)
	if kinds(events) != "Message" || !s.Begun() {
		t.Errorf("got %s, begun %v", kinds(events), s.Begun())
	}
}

// hangAfter serves text and then holds the connection. gone is closed when the
// client has hung up.
func hangAfter(t *testing.T, text string) (url string, gone <-chan struct{}) {
	t.Helper()
	ch := make(chan struct{})
	srv := newServer(t, func(w http.ResponseWriter, r *http.Request) {
		see(t, r)
		sse(w, text)
		<-r.Context().Done()
		close(ch)
	})
	return srv.URL, ch
}

func TestStreamIdle(t *testing.T) {
	t.Parallel()
	url, gone := hangAfter(t, messageEvent("a"))
	s, err := newClient(t, url, func(c *clickai.Config) { c.IdleTimeout = time.Second }).ChatStream(t.Context(), ask)
	if err != nil {
		t.Fatal(err)
	}
	events, err := collect(t, s)
	wantKind(t, err, clickai.KindTimeout)
	if !errors.Is(err, clickai.ErrIdleTimeout) || kinds(events) != "Message" {
		t.Errorf("got %s, %v", kinds(events), err)
	}
	<-gone
}

func TestStreamLeft(t *testing.T) {
	t.Parallel()
	t.Run("break", func(t *testing.T) {
		t.Parallel()
		url, gone := hangAfter(t, messageEvent("a"))
		s, err := newClient(t, url).ChatStream(t.Context(), ask)
		if err != nil {
			t.Fatal(err)
		}
		for _, err := range s.Events() {
			if err != nil {
				t.Error(err)
			}
			break
		}
		<-gone
	})
	t.Run("never read", func(t *testing.T) {
		t.Parallel()
		url, gone := hangAfter(t, messageEvent("a"))
		s, err := newClient(t, url).ChatStream(t.Context(), ask)
		if err != nil {
			t.Fatal(err)
		}
		s.Close()
		s.Close()
		<-gone
	})
	t.Run("closed by another goroutine", func(t *testing.T) {
		t.Parallel()
		url, gone := hangAfter(t, messageEvent("a"))
		s, err := newClient(t, url).ChatStream(t.Context(), ask)
		if err != nil {
			t.Fatal(err)
		}
		n := 0
		for _, err := range s.Events() {
			if err != nil {
				t.Errorf("closed stream ended with %v", err)
			}
			n++
			time.AfterFunc(10*time.Millisecond, s.Close)
		}
		<-gone
		if n != 1 {
			t.Errorf("%d events", n)
		}
	})
	t.Run("EndWithin", func(t *testing.T) {
		t.Parallel()
		url, gone := hangAfter(t, messageEvent("a")+endEvent)
		s, err := newClient(t, url).ChatStream(t.Context(), ask)
		if err != nil {
			t.Fatal(err)
		}
		var got []clickai.Event
		for ev, err := range s.Events() {
			if err != nil {
				t.Fatalf("ended with %v", err)
			}
			if got = append(got, ev); len(got) == 2 {
				s.EndWithin(20 * time.Millisecond)
				s.EndWithin(time.Hour)
			}
		}
		<-gone
		if kinds(got) != "Message MessageEnd" {
			t.Errorf("got %s", kinds(got))
		}
	})
	t.Run("context", func(t *testing.T) {
		t.Parallel()
		url, gone := hangAfter(t, messageEvent("a"))
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		s, err := newClient(t, url).ChatStream(ctx, ask)
		if err != nil {
			t.Fatal(err)
		}
		var last error
		for _, err := range s.Events() {
			last = err
			cancel()
		}
		<-gone
		wantKind(t, last, clickai.KindBroken)
		if !errors.Is(last, context.Canceled) {
			t.Errorf("ended with %v", last)
		}
	})
}

// pipeTransport answers every request with an event stream read from body.
type pipeTransport struct{ body io.ReadCloser }

func (p pipeTransport) RoundTrip(r *http.Request) (*http.Response, error) {
	context.AfterFunc(r.Context(), func() { _ = p.body.Close() })
	return &http.Response{
		StatusCode: http.StatusOK, Header: http.Header{"Content-Type": {"text/event-stream"}}, Body: p.body, Request: r,
	}, nil
}

// Any byte restarts the idle timeout, and the consumer's own time doesn't count.
func TestStreamIdleCountsSilenceOnly(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		body, server := io.Pipe()
		c, err := clickai.New(clickai.Config{APIKey: testKey, HTTPClient: &http.Client{Transport: pipeTransport{body}}})
		if err != nil {
			t.Fatal(err)
		}
		started := time.Now()
		go func() {
			for _, piece := range []string{":", " still", " here\n", messageEvent("a"), "event: ping\n\n", messageEvent("b")} {
				<-time.After(59 * time.Second)
				if _, err := io.WriteString(server, piece); err != nil {
					t.Errorf("write %q after %v: %v", piece, time.Since(started), err)
				}
			}
		}()
		s, err := c.ChatStream(t.Context(), ask)
		if err != nil {
			t.Fatal(err)
		}
		var got []clickai.Event
		var last error
		for ev, err := range s.Events() {
			if last = err; err == nil {
				got = append(got, ev)
				<-time.After(10 * time.Minute) // a slow consumer
			}
		}
		wantKind(t, last, clickai.KindTimeout)
		if kinds(got) != "Message Ping Message" || !errors.Is(last, clickai.ErrIdleTimeout) {
			t.Errorf("got %s, %v", kinds(got), last)
		}
		// 6 writes, each after 59 s or as soon as the consumer is back, three pauses
		// of the consumer, and one minute of silence at the end.
		if d := time.Since(started); d < 30*time.Minute || d > 40*time.Minute {
			t.Errorf("took %v", d)
		}
	})
}

// A line of many megabytes comes through whole.
func TestStreamHugeLine(t *testing.T) {
	t.Parallel()
	const size = 12 << 20
	srv := newServer(t, func(w http.ResponseWriter, _ *http.Request) {
		sse(w, messageEvent("a"))
		_, _ = io.WriteString(w, `data: {"event":"node_finished","data":{"id":"e1","outputs":{"t":"`)
		piece := strings.Repeat("é", 1<<19)
		for range size >> 20 {
			_, _ = io.WriteString(w, piece)
		}
		_, _ = io.WriteString(w, "\"}}}\n\n"+endEvent)
	})
	s, err := newClient(t, srv.URL).ChatStream(t.Context(), ask)
	if err != nil {
		t.Fatal(err)
	}
	events, err := collect(t, s)
	if err != nil || kinds(events) != "Message NodeFinished MessageEnd" {
		t.Fatalf("got %s, %v", kinds(events), err)
	}
	if n := len(events[1].(*clickai.NodeFinished).Node.Outputs); n != size+len(`{"t":""}`) {
		t.Errorf("outputs of %d bytes", n)
	}
}

// A whole turn over loopback: 300 pieces of text, each flushed by itself.
func BenchmarkStream300(b *testing.B) {
	piece := messageEvent("một đoạn ")
	srv := newServer(b, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		for range 300 {
			_, _ = io.WriteString(w, piece)
			w.(http.Flusher).Flush()
		}
		_, _ = io.WriteString(w, endEvent)
	})
	c := newClient(b, srv.URL)
	b.ReportAllocs()
	for b.Loop() {
		s, err := c.ChatStream(b.Context(), ask)
		if err != nil {
			b.Fatal(err)
		}
		n := 0
		for _, err := range s.Events() {
			if err != nil {
				b.Fatal(err)
			}
			n++
		}
		if n != 301 {
			b.Fatalf("%d events", n)
		}
	}
}
