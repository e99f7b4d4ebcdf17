package clickai_test

import (
	"context"
	"net/http"
	"reflect"
	"testing"

	"github.com/clickai/bridge/clickai"
)

// Each call sends exactly what the API guide says, and reads the guide's answer.
func TestEndpoints(t *testing.T) {
	t.Parallel()
	const guideChat = `{"id":"msg-abc456","conversation_id":"conv-xyz789","answer":"Hi.","created_at":1705395332,
		"metadata":{"usage":{"prompt_tokens":56,"completion_tokens":89,"total_tokens":145}}}`
	guideAnswer := &clickai.Answer{
		MessageID: "msg-abc456", ConversationID: "conv-xyz789", Text: "Hi.", CreatedAt: 1705395332,
		Metadata: clickai.Metadata{Usage: &clickai.Usage{PromptTokens: 56, CompletionTokens: 89, TotalTokens: 145}},
	}
	yes := true
	type obj = map[string]any
	type arr = []any
	tests := []struct {
		name   string
		call   func(context.Context, *clickai.Client) (any, error)
		method string
		path   string
		query  string
		body   obj // nil: none
		status int
		answer string
		want   any
	}{
		{
			"chat, new conversation",
			func(ctx context.Context, c *clickai.Client) (any, error) { return c.Chat(ctx, ask) },
			"POST", "/v1/chat-messages", "",
			obj{"inputs": obj{}, "query": "Hello?", "response_mode": "blocking", "conversation_id": "", "user": "u1"},
			200, guideChat, guideAnswer,
		},
		{
			"chat with everything",
			func(ctx context.Context, c *clickai.Client) (any, error) {
				return c.Chat(ctx, clickai.ChatRequest{
					Query: "<q> & ü", User: "u1", ConversationID: "conv-xyz789", Inputs: clickai.Inputs{"lang": "vi", "n": 5},
					Files:            []clickai.InputFile{clickai.UploadedInput("document", "file-abc123"), clickai.RemoteInput("image", "https://x.example/a.png")},
					AutoGenerateName: &yes,
				})
			},
			"POST", "/v1/chat-messages", "",
			obj{
				"inputs": obj{"lang": "vi", "n": 5.0}, "query": "<q> & ü", "response_mode": "blocking", "conversation_id": "conv-xyz789", "user": "u1",
				"files": arr{
					obj{"type": "document", "transfer_method": "local_file", "upload_file_id": "file-abc123"},
					obj{"type": "image", "transfer_method": "remote_url", "url": "https://x.example/a.png"},
				},
				"auto_generate_name": true,
			},
			200, guideChat, guideAnswer,
		},
		{
			"chat, message_id before id",
			func(ctx context.Context, c *clickai.Client) (any, error) { return c.Chat(ctx, ask) },
			"POST", "/v1/chat-messages", "",
			obj{"inputs": obj{}, "query": "Hello?", "response_mode": "blocking", "conversation_id": "", "user": "u1"},
			200, `{"event":"message","task_id":"t1","id":"x","message_id":"m1","mode":"chat","answer":"","metadata":{}}`,
			&clickai.Answer{MessageID: "m1", TaskID: "t1", Mode: "chat"},
		},
		{
			"completion",
			func(ctx context.Context, c *clickai.Client) (any, error) {
				return c.Complete(ctx, clickai.CompletionRequest{User: "u1", Inputs: clickai.Inputs{"text": "x"}})
			},
			"POST", "/v1/completion-messages", "",
			obj{"inputs": obj{"text": "x"}, "response_mode": "blocking", "user": "u1"},
			200, `{"id":"msg-abc123","answer":"…","created_at":1705395332,"metadata":{"usage":{"prompt_tokens":45,"completion_tokens":128,"total_tokens":173,"total_price":"0.000346","currency":"USD"}}}`,
			&clickai.Answer{
				MessageID: "msg-abc123", Text: "…", CreatedAt: 1705395332,
				Metadata: clickai.Metadata{Usage: &clickai.Usage{PromptTokens: 45, CompletionTokens: 128, TotalTokens: 173, TotalPrice: "0.000346", Currency: "USD"}},
			},
		},
		{
			"workflow",
			func(ctx context.Context, c *clickai.Client) (any, error) {
				return c.RunWorkflow(ctx, clickai.WorkflowRequest{User: "u1", Inputs: clickai.Inputs{"docs": []clickai.InputFile{clickai.UploadedInput("document", "f1")}}})
			},
			"POST", "/v1/workflows/run", "",
			obj{"inputs": obj{"docs": arr{obj{"type": "document", "transfer_method": "local_file", "upload_file_id": "f1"}}}, "response_mode": "blocking", "user": "u1"},
			200, `{"workflow_run_id":"wf-run-abc123","task_id":"task-xyz789","data":{"id":"wf-abc123","workflow_id":"wf-def456","status":"succeeded","outputs":{"result":"…"},"total_tokens":456,"created_at":1705395332,"finished_at":1705395345}}`,
			&clickai.WorkflowResult{
				WorkflowRunID: "wf-run-abc123", TaskID: "task-xyz789",
				Run: clickai.WorkflowRun{ID: "wf-abc123", WorkflowID: "wf-def456", Status: "succeeded", Outputs: []byte(`{"result":"…"}`), TotalTokens: 456, CreatedAt: 1705395332, FinishedAt: 1705395345},
			},
		},
		{
			"workflow failed is no error",
			func(ctx context.Context, c *clickai.Client) (any, error) {
				return c.RunWorkflow(ctx, clickai.WorkflowRequest{User: "u1"})
			},
			"POST", "/v1/workflows/run", "",
			obj{"inputs": obj{}, "response_mode": "blocking", "user": "u1"},
			200, `{"data":{"id":"r1","status":"failed","outputs":null,"error":"boom"}}`,
			&clickai.WorkflowResult{WorkflowRunID: "r1", Run: clickai.WorkflowRun{ID: "r1", Status: "failed", Error: "boom"}},
		},
		{
			"like",
			func(ctx context.Context, c *clickai.Client) (any, error) {
				return nil, c.Feedback(ctx, clickai.FeedbackRequest{MessageID: "m1", User: "u1", Rating: clickai.RatingLike, Content: "by Ann"})
			},
			"POST", "/v1/messages/m1/feedbacks", "",
			obj{"rating": "like", "user": "u1", "content": "by Ann"},
			200, `{"result":"success"}`, nil,
		},
		{
			"dislike, id escaped, no body in answer",
			func(ctx context.Context, c *clickai.Client) (any, error) {
				return nil, c.Feedback(ctx, clickai.FeedbackRequest{MessageID: "a/b ?%ü", User: "u1", Rating: clickai.RatingDislike})
			},
			"POST", "/v1/messages/a%2Fb%20%3F%25%C3%BC/feedbacks", "",
			obj{"rating": "dislike", "user": "u1"},
			204, "", nil,
		},
		{
			"rating withdrawn",
			func(ctx context.Context, c *clickai.Client) (any, error) {
				return nil, c.Feedback(ctx, clickai.FeedbackRequest{MessageID: "m1", User: "u1", Rating: clickai.RatingNone})
			},
			"POST", "/v1/messages/m1/feedbacks", "",
			obj{"rating": nil, "user": "u1"},
			200, ``, nil,
		},
		{
			"rating withdrawn that isn't there",
			func(ctx context.Context, c *clickai.Client) (any, error) {
				return nil, c.Feedback(ctx, clickai.FeedbackRequest{MessageID: "m1", User: "u1", Rating: clickai.RatingNone})
			},
			"POST", "/v1/messages/m1/feedbacks", "",
			obj{"rating": nil, "user": "u1"},
			400, `{"code":"invalid_param","message":"rating","status":400}`, nil,
		},
		{
			"conversations",
			func(ctx context.Context, c *clickai.Client) (any, error) {
				return c.Conversations(ctx, clickai.ConversationsRequest{User: "slack:T1:U2", Limit: 2, LastID: "c0", SortBy: "-created_at"})
			},
			"GET", "/v1/conversations", "last_id=c0&limit=2&sort_by=-created_at&user=slack%3AT1%3AU2", nil, 200,
			`{"limit":2,"has_more":true,"data":[{"id":"c1","name":"A","inputs":null,"status":"normal","created_at":1,"updated_at":2},{"id":"c2","name":"B","inputs":{"a":1}}]}`,
			&clickai.Page[clickai.Conversation]{
				Limit: 2, HasMore: true, Next: "c2",
				Data: []clickai.Conversation{{ID: "c1", Name: "A", Status: "normal", CreatedAt: 1, UpdatedAt: 2}, {ID: "c2", Name: "B", Inputs: []byte(`{"a":1}`)}},
			},
		},
		{
			"conversations, nothing said",
			func(ctx context.Context, c *clickai.Client) (any, error) {
				return c.Conversations(ctx, clickai.ConversationsRequest{User: "u1"})
			},
			"GET", "/v1/conversations", "user=u1", nil, 200, `{}`, &clickai.Page[clickai.Conversation]{},
		},
		{
			"messages come sorted, paging by the server's order",
			func(ctx context.Context, c *clickai.Client) (any, error) {
				return c.Messages(ctx, clickai.MessagesRequest{ConversationID: "c1", User: "u1", Limit: 20, FirstID: "m9"})
			},
			"GET", "/v1/messages", "conversation_id=c1&first_id=m9&limit=20&user=u1", nil, 200,
			`{"limit":20,"has_more":true,"data":[{"id":"m2","query":"q2","answer":"","created_at":20,"feedback":null,"message_files":[{"id":"f1","filename":"a.png","belongs_to":"user","size":3}]},
			  {"id":"m1","query":"q1","answer":"a1","created_at":10,"status":"normal","feedback":{"rating":"like"},"agent_thoughts":[{"id":"th","thought":"t","position":1}]}]}`,
			&clickai.Page[clickai.StoredMessage]{
				Limit: 20, HasMore: true, Next: "m2",
				Data: []clickai.StoredMessage{
					{ID: "m1", Query: "q1", Answer: "a1", CreatedAt: 10, Status: "normal", Feedback: &clickai.StoredFeedback{Rating: clickai.RatingLike}, AgentThoughts: []clickai.StoredThought{{ID: "th", Thought: "t", Position: 1}}},
					{ID: "m2", Query: "q2", CreatedAt: 20, Files: []clickai.File{{ID: "f1", Filename: "a.png", BelongsTo: "user", Size: 3}}},
				},
			},
		},
		{
			"rename",
			func(ctx context.Context, c *clickai.Client) (any, error) {
				return c.RenameConversation(ctx, clickai.RenameRequest{ConversationID: "c/1", User: "u1", Name: "Warranty"})
			},
			"POST", "/v1/conversations/c%2F1/name", "",
			obj{"name": "Warranty", "auto_generate": false, "user": "u1"},
			200,
			`{"id":"c/1","name":"Warranty!","updated_at":7}`, &clickai.Conversation{ID: "c/1", Name: "Warranty!", UpdatedAt: 7},
		},
		{
			"rename by ClickAI, no body in answer",
			func(ctx context.Context, c *clickai.Client) (any, error) {
				return c.RenameConversation(ctx, clickai.RenameRequest{ConversationID: "c1", User: "u1", AutoGenerate: true})
			},
			"POST", "/v1/conversations/c1/name", "",
			obj{"name": "", "auto_generate": true, "user": "u1"},
			200, "", &clickai.Conversation{ID: "c1"},
		},
		{
			"delete",
			func(ctx context.Context, c *clickai.Client) (any, error) {
				return nil, c.DeleteConversation(ctx, "c1", "u1")
			},
			"DELETE", "/v1/conversations/c1", "",
			obj{"user": "u1"},
			204, "", nil,
		},
		{
			"stop chat",
			func(ctx context.Context, c *clickai.Client) (any, error) { return nil, c.StopChat(ctx, "t1", "u1") },
			"POST", "/v1/chat-messages/t1/stop", "",
			obj{"user": "u1"},
			200, `{"result":"success"}`, nil,
		},
		{
			"stop completion",
			func(ctx context.Context, c *clickai.Client) (any, error) {
				return nil, c.StopCompletion(ctx, "t1", "u1")
			},
			"POST", "/v1/completion-messages/t1/stop", "",
			obj{"user": "u1"},
			200, `{"result":"success"}`, nil,
		},
		{
			"stop workflow",
			func(ctx context.Context, c *clickai.Client) (any, error) { return nil, c.StopWorkflow(ctx, "t1", "u1") },
			"POST", "/v1/workflows/tasks/t1/stop", "",
			obj{"user": "u1"},
			200, `{"result":"success"}`, nil,
		},
		{
			"suggested questions",
			func(ctx context.Context, c *clickai.Client) (any, error) {
				return c.SuggestedQuestions(ctx, "m1", "u1")
			},
			"GET", "/v1/messages/m1/suggested", "user=u1", nil, 200, `{"result":"success","data":["a?","b?"]}`,
			[]string{"a?", "b?"},
		},
		{
			"info",
			func(ctx context.Context, c *clickai.Client) (any, error) { return c.Info(ctx) },
			"GET", "/v1/info", "", nil, 200, `{"name":"Support","description":null,"tags":["x"],"mode":"agent-chat","author_name":"Ann"}`,
			&clickai.AppInfo{Name: "Support", Tags: []string{"x"}, Mode: "agent-chat", AuthorName: "Ann"},
		},
		{
			"parameters",
			func(ctx context.Context, c *clickai.Client) (any, error) { return c.Parameters(ctx) },
			"GET", "/v1/parameters", "", nil, 200,
			`{"opening_statement":"Hi","suggested_questions":["a"],"suggested_questions_after_answer":{"enabled":true},"text_to_speech":{"enabled":true,"autoPlay":"enabled"},
			  "user_input_form":[{"select":{"label":"Language","variable":"language","required":true,"default":"vi","options":["vi","en"]}},{"text-input":{"variable":"n","max_length":48,"default":null}}],
			  "file_upload":{"enabled":true,"allowed_file_types":["image"],"number_limits":3,"image":{"enabled":false,"transfer_methods":["local_file"]}},"system_parameters":{"file_size_limit":15}}`,
			&clickai.Parameters{
				OpeningStatement: "Hi", SuggestedQuestions: []string{"a"}, SuggestedQuestionsAfterAnswer: &clickai.Switch{Enabled: true},
				TextToSpeech: &clickai.TextToSpeech{Enabled: true, AutoPlay: "enabled"},
				UserInputForm: []clickai.InputControl{
					{Kind: "select", Label: "Language", Variable: "language", Required: true, Default: []byte(`"vi"`), Options: []string{"vi", "en"}},
					{Kind: "text-input", Variable: "n", MaxLength: 48},
				},
				FileUpload:       &clickai.FileUpload{Enabled: &yes, AllowedFileTypes: []string{"image"}, NumberLimits: 3, Image: &clickai.ImageUpload{TransferMethods: []string{"local_file"}}},
				SystemParameters: &clickai.SystemParameters{FileSizeLimit: 15},
			},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var got seen
			srv := newServer(t, func(w http.ResponseWriter, r *http.Request) {
				got = see(t, r)
				w.Header().Set("Content-Type", "application/json")
				w.WriteHeader(tt.status)
				_, _ = w.Write([]byte(tt.answer))
			})
			answer, err := tt.call(t.Context(), newClient(t, srv.URL))
			if err != nil {
				t.Fatal(err)
			}
			want := seen{Method: tt.method, Path: tt.path, Query: tt.query, Auth: "Bearer " + testKey, Accept: "application/json", Body: tt.body}
			if tt.body != nil {
				want.ContentType = "application/json"
			}
			if !reflect.DeepEqual(got, want) {
				t.Errorf("server saw %+v\nwant %+v", got, want)
			}
			if tt.want != nil && !reflect.DeepEqual(answer, tt.want) {
				t.Errorf("got %+v\nwant %+v", answer, tt.want)
			}
		})
	}
}

// What ClickAI would refuse anyway is refused before it is sent.
func TestInvalidRequests(t *testing.T) {
	t.Parallel()
	srv := newServer(t, func(http.ResponseWriter, *http.Request) { t.Error("request was sent") })
	c := newClient(t, srv.URL)
	ctx := t.Context()
	for name, call := range map[string]func() error{
		"chat without user":       func() error { _, err := c.Chat(ctx, clickai.ChatRequest{Query: "q"}); return err },
		"chat without query":      func() error { _, err := c.ChatStream(ctx, clickai.ChatRequest{User: "u"}); return err },
		"completion without user": func() error { _, err := c.Complete(ctx, clickai.CompletionRequest{}); return err },
		"completion stream":       func() error { _, err := c.CompleteStream(ctx, clickai.CompletionRequest{}); return err },
		"workflow without user":   func() error { _, err := c.RunWorkflow(ctx, clickai.WorkflowRequest{}); return err },
		"workflow stream":         func() error { _, err := c.RunWorkflowStream(ctx, clickai.WorkflowRequest{}); return err },
		"inputs not encodable": func() error {
			_, err := c.Chat(ctx, clickai.ChatRequest{Query: "q", User: "u", Inputs: clickai.Inputs{"f": func() {}}})
			return err
		},
		"feedback without message": func() error { return c.Feedback(ctx, clickai.FeedbackRequest{User: "u"}) },
		"feedback without user":    func() error { return c.Feedback(ctx, clickai.FeedbackRequest{MessageID: "m"}) },
		"feedback unknown": func() error {
			return c.Feedback(ctx, clickai.FeedbackRequest{MessageID: "m", User: "u", Rating: "love"})
		},
		"id that climbs":      func() error { return c.DeleteConversation(ctx, "..", "u") },
		"id of a dot":         func() error { return c.StopChat(ctx, ".", "u") },
		"delete without id":   func() error { return c.DeleteConversation(ctx, "", "u") },
		"delete without user": func() error { return c.DeleteConversation(ctx, "c", "") },
		"rename without name": func() error {
			_, err := c.RenameConversation(ctx, clickai.RenameRequest{ConversationID: "c", User: "u"})
			return err
		},
		"messages of nothing":     func() error { _, err := c.Messages(ctx, clickai.MessagesRequest{User: "u"}); return err },
		"messages of nobody":      func() error { _, err := c.Messages(ctx, clickai.MessagesRequest{ConversationID: "c"}); return err },
		"conversations of nobody": func() error { _, err := c.Conversations(ctx, clickai.ConversationsRequest{}); return err },
		"suggested for nobody":    func() error { _, err := c.SuggestedQuestions(ctx, "m", ""); return err },
		"stop without user":       func() error { return c.StopWorkflow(ctx, "t", "") },
		"upload without user":     func() error { _, err := c.Upload(ctx, clickai.UploadRequest{Content: http.NoBody}); return err },
		"upload without content":  func() error { _, err := c.Upload(ctx, clickai.UploadRequest{User: "u"}); return err },
	} {
		wantKind(t, call(), clickai.KindInvalid)
		if e := wantError(t, call(), clickai.KindInvalid); e.MayHaveArrived() || e.Method == "" || e.Path == "" {
			t.Errorf("%s: %+v", name, e)
		}
	}
}

func TestBlockingAnswerThatIsNone(t *testing.T) {
	t.Parallel()
	for _, body := range []string{`{}`, `[]`, `null`, `{"data":null}`, `<html>`, `{"answer":`, ``} {
		srv := newServer(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(body)) })
		c := newClient(t, srv.URL)
		_, err := c.Chat(t.Context(), ask)
		if e := wantError(t, err, clickai.KindContent); !e.MayHaveArrived() {
			t.Errorf("%q: %v: may have arrived", body, e)
		}
		_, err = c.RunWorkflow(t.Context(), clickai.WorkflowRequest{User: "u"})
		wantKind(t, err, clickai.KindContent)
	}
}
