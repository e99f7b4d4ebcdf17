package clickai_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"
	"time"

	"github.com/clickai/bridge/clickai"
)

// exampleServer stands for ClickAI in the examples.
func exampleServer() *httptest.Server {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /v1/chat-messages", func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		switch {
		case err != nil:
			w.WriteHeader(http.StatusBadRequest)
		case strings.Contains(string(body), `"conversation_id":"gone"`):
			w.WriteHeader(http.StatusNotFound)
			_, _ = fmt.Fprint(w, `{"code":"not_found","message":"Conversation Not Exists.","status":404}`)
		case strings.Contains(string(body), `"streaming"`):
			w.Header().Set("Content-Type", "text/event-stream")
			for _, piece := range []string{"Two ", "years."} {
				_, _ = fmt.Fprintf(w, `data: {"event":"message","conversation_id":"conv-1","message_id":"msg-1","task_id":"task-1","answer":%q}`+"\n\n", piece)
			}
			_, _ = fmt.Fprint(w, `data: {"event":"message_end","conversation_id":"conv-1","message_id":"msg-1","metadata":{"usage":{"total_tokens":145}}}`+"\n\n")
		default:
			_, _ = fmt.Fprint(w, `{"id":"msg-1","conversation_id":"conv-1","answer":"Two years."}`)
		}
	})
	mux.HandleFunc("POST /v1/files/upload", func(w http.ResponseWriter, r *http.Request) {
		_, header, err := r.FormFile("file")
		if err != nil {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		w.WriteHeader(http.StatusCreated)
		_, _ = fmt.Fprintf(w, `{"id":"file-1","name":%q,"size":%d}`, header.Filename, header.Size)
	})
	mux.HandleFunc("POST /v1/workflows/run", func(w http.ResponseWriter, _ *http.Request) {
		_, _ = fmt.Fprint(w, `{"workflow_run_id":"run-1","task_id":"task-1","data":{"id":"run-1","status":"succeeded","outputs":{"result":"done"}}}`)
	})
	mux.HandleFunc("GET /assistant/api/assistant/my-assistants", func(w http.ResponseWriter, _ *http.Request) {
		_, _ = fmt.Fprint(w, `{"page":1,"page_size":10,"total":1,"data":[{"id":"app-1","name":"Support","mode":"agent-chat"}]}`)
	})
	mux.HandleFunc("POST /v1/messages/{id}/feedbacks", func(w http.ResponseWriter, _ *http.Request) {
		_, _ = fmt.Fprint(w, `{"result":"success"}`)
	})
	return httptest.NewServer(mux)
}

func Example() {
	server := exampleServer() // in real use leave BaseURL empty
	defer server.Close()

	client, err := clickai.New(clickai.Config{BaseURL: server.URL, APIKey: "app-secret"})
	if err != nil {
		log.Fatal(err)
	}
	answer, err := client.Chat(context.Background(), clickai.ChatRequest{
		Query: "How long is the warranty?",
		User:  "user-1",
	})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(answer.ConversationID, answer.Text)
	// Output: conv-1 Two years.
}

func ExampleClient_ChatStream() {
	server := exampleServer()
	defer server.Close()
	client, err := clickai.New(clickai.Config{BaseURL: server.URL, APIKey: "app-secret"})
	if err != nil {
		log.Fatal(err)
	}

	stream, err := client.ChatStream(context.Background(), clickai.ChatRequest{
		Query:  "How long is the warranty?",
		User:   "user-1",
		Inputs: clickai.Inputs{"language": "en"},
	})
	if err != nil {
		log.Fatal(err)
	}
	defer stream.Close()
	for event, err := range stream.Events() {
		if err != nil {
			log.Fatal(err)
		}
		switch event := event.(type) {
		case *clickai.Message:
			fmt.Print(event.Answer)
		case *clickai.MessageReplace:
			fmt.Print("\r", event.Answer)
		case *clickai.MessageEnd:
			fmt.Println()
			fmt.Println(event.ConversationID, event.Metadata.Usage.TotalTokens)
			stream.EndWithin(3 * time.Second)
		case *clickai.ErrorEvent:
			fmt.Println("failed:", event.Message)
		}
	}
	// Output:
	// Two years.
	// conv-1 145
}

func ExampleClient_Upload() {
	server := exampleServer()
	defer server.Close()
	client, err := clickai.New(clickai.Config{BaseURL: server.URL, APIKey: "app-secret"})
	if err != nil {
		log.Fatal(err)
	}

	content := strings.NewReader("Warranty: two years.")
	file, err := client.Upload(context.Background(), clickai.UploadRequest{
		User: "user-1", Filename: "warranty.txt", MIMEType: "text/plain", Size: content.Size(), Content: content,
	})
	if err != nil {
		log.Fatal(err)
	}
	answer, err := client.Chat(context.Background(), clickai.ChatRequest{
		Query: "How long is the warranty?", User: "user-1",
		Files: []clickai.InputFile{clickai.UploadedInput("document", file.ID)},
	})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(file.Name, file.Size, answer.Text)
	// Output: warranty.txt 20 Two years.
}

func ExampleClient_RunWorkflow() {
	server := exampleServer()
	defer server.Close()
	client, err := clickai.New(clickai.Config{BaseURL: server.URL, APIKey: "app-secret"})
	if err != nil {
		log.Fatal(err)
	}

	result, err := client.RunWorkflow(context.Background(), clickai.WorkflowRequest{
		User: "user-1", Inputs: clickai.Inputs{"input_text": "hello"},
	})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(result.Run.Status, string(result.Run.Outputs))
	// Output: succeeded {"result":"done"}
}

func ExampleClient_Feedback() {
	server := exampleServer()
	defer server.Close()
	client, err := clickai.New(clickai.Config{BaseURL: server.URL, APIKey: "app-secret"})
	if err != nil {
		log.Fatal(err)
	}

	for _, rating := range []clickai.Rating{clickai.RatingLike, clickai.RatingNone} {
		err := client.Feedback(context.Background(), clickai.FeedbackRequest{MessageID: "msg-1", User: "user-1", Rating: rating})
		fmt.Printf("%q %v\n", rating, err)
	}
	// Output:
	// "like" <nil>
	// "" <nil>
}

func ExampleError() {
	server := exampleServer()
	defer server.Close()
	client, err := clickai.New(clickai.Config{BaseURL: server.URL, APIKey: "app-secret"})
	if err != nil {
		log.Fatal(err)
	}

	_, err = client.ChatStream(context.Background(), clickai.ChatRequest{Query: "Hi", User: "user-1", ConversationID: "gone"})
	if e, ok := errors.AsType[*clickai.Error](err); ok {
		fmt.Println(e.Kind, e.Status, e.Code, e.MayHaveArrived())
	}
	// Output: status 404 not_found false
}

func ExampleLimits() {
	server := exampleServer()
	defer server.Close()

	plan, _ := clickai.PlanByName("professional")
	limits := clickai.NewLimits(plan) // one for the whole process
	const key = "app-secret"
	client, err := clickai.New(clickai.Config{BaseURL: server.URL, APIKey: key, Limiter: limits.For(key)})
	if err != nil {
		log.Fatal(err)
	}
	_, err = client.Chat(context.Background(), clickai.ChatRequest{Query: "Hi", User: "user-1"})
	if quota, ok := errors.AsType[*clickai.QuotaError](err); ok {
		fmt.Println("no more requests until", quota.Until)
	}
	fmt.Println(plan.PerMinute, plan.PerDay)
	// Output: 500 100000
}

func ExampleConsole_AllAssistants() {
	server := exampleServer()
	defer server.Close()
	console, err := clickai.NewConsole(clickai.ConsoleConfig{BaseURL: server.URL, AccessToken: "access-token"})
	if err != nil {
		log.Fatal(err)
	}

	for assistant, err := range console.AllAssistants(context.Background(), clickai.AssistantsRequest{}) {
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(assistant.ID, assistant.Name, assistant.Mode)
	}
	// Output: app-1 Support agent-chat
}
