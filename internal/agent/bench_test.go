package agent_test

import (
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/clickai/bridge/clickai"
	"github.com/clickai/bridge/core"
	"github.com/clickai/bridge/internal/agent"
)

// BenchmarkEventToDelta is the cost of one event from the bytes of the connection to the delta that core gets.
func BenchmarkEventToDelta(b *testing.B) {
	var body strings.Builder
	const events = 1000
	for i := range events {
		fmt.Fprintf(&body, `data: {"event":"agent_message","conversation_id":"c1","message_id":"m1","created_at":1705395332,"task_id":"t1","id":"m1","answer":"word%d "}`+"\n\n", i)
	}
	body.WriteString(`data: {"event":"message_end","conversation_id":"c1","message_id":"m1","task_id":"t1","id":"m1","metadata":{}}` + "\n\n")
	stream := []byte(body.String())
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		w.Header().Set("Content-Type", "text/event-stream")
		_, _ = w.Write(stream)
	}))
	defer server.Close()
	client, err := clickai.New(clickai.Config{BaseURL: server.URL, APIKey: "k"})
	if err != nil {
		b.Fatal(err)
	}
	app, err := agent.New(agent.Config{Name: "x", Mode: agent.ModeAgentChat, Client: client, BaseURL: server.URL, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		b.Fatal(err)
	}
	b.SetBytes(int64(len(stream) / events))
	b.ReportAllocs()
	n, text := 0, 0
	for n < b.N {
		for d, err := range app.Ask(b.Context(), core.Question{Query: "q", User: "u"}) {
			if err != nil {
				b.Fatal(err)
			}
			if d.Kind == core.DeltaText {
				n++
				text += len(d.Text)
			}
		}
	}
	b.StopTimer()
	if text == 0 {
		b.Fatal("no text came")
	}
}
