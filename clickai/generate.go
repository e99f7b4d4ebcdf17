package clickai

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
)

// Inputs are an app's input variables by name. A value is anything that
// encoding/json can encode; a file variable takes an InputFile or a slice of them.
type Inputs map[string]any

// InputFile attaches a file to a question.
type InputFile struct {
	// Type is image, document, audio, video or custom, by the file's extension.
	Type string `json:"type"`
	// TransferMethod is local_file or remote_url.
	TransferMethod string `json:"transfer_method"`
	UploadFileID   string `json:"upload_file_id,omitempty"` // with local_file
	URL            string `json:"url,omitempty"`            // with remote_url
}

// UploadedInput attaches a file that was uploaded with Upload, by the same user.
func UploadedInput(fileType, uploadFileID string) InputFile {
	return InputFile{Type: fileType, TransferMethod: "local_file", UploadFileID: uploadFileID}
}

// RemoteInput attaches a file that ClickAI fetches itself.
func RemoteInput(fileType, url string) InputFile {
	return InputFile{Type: fileType, TransferMethod: "remote_url", URL: url}
}

// ChatRequest asks a chat or agent app.
type ChatRequest struct {
	// Query is the user's message; it must not be empty. With a message of files
	// alone, send some text.
	Query string
	// User identifies the end user, and must not be empty. A conversation and a
	// file belong to the user they were made for.
	User string
	// ConversationID goes on with a conversation; "" begins one.
	ConversationID string
	// Inputs count only when a conversation begins. nil is sent as {}.
	Inputs Inputs
	Files  []InputFile
	// AutoGenerateName says whether ClickAI makes a new conversation's title; nil
	// leaves that to the server (which makes one).
	AutoGenerateName *bool
}

// CompletionRequest asks a text generation app. Each request stands alone.
type CompletionRequest struct {
	User   string // must not be empty
	Inputs Inputs // nil is sent as {}
	Files  []InputFile
}

// WorkflowRequest runs a workflow app. Files go into Inputs.
type WorkflowRequest struct {
	User   string // must not be empty
	Inputs Inputs // nil is sent as {}
}

// Answer is the whole answer of a chat, agent or text generation app.
type Answer struct {
	MessageID      string
	ConversationID string // "" from text generation apps
	TaskID         string
	Mode           string // the app's kind; "" if not said
	Text           string
	Metadata       Metadata
	CreatedAt      Unix
}

// WorkflowResult is the outcome of a workflow. A failed run is no error of the
// call: look at Run.Status.
type WorkflowResult struct {
	WorkflowRunID string
	TaskID        string
	Run           WorkflowRun
}

const (
	pathChat       = "/v1/chat-messages"
	pathCompletion = "/v1/completion-messages"
	pathWorkflow   = "/v1/workflows/run"
)

// Chat asks and waits for the whole answer, at most Config.BlockingTimeout. Apps of
// the kind agent-chat refuse this with status 400: use ChatStream.
func (c *Client) Chat(ctx context.Context, r ChatRequest) (*Answer, error) {
	body, err := r.wire("blocking")
	if err != nil {
		return nil, err
	}
	return c.answer(ctx, pathChat, body)
}

// ChatStream asks and returns the answer while it is made.
func (c *Client) ChatStream(ctx context.Context, r ChatRequest) (*Stream, error) {
	body, err := r.wire("streaming")
	if err != nil {
		return nil, err
	}
	return c.stream(ctx, pathChat, body)
}

// Complete asks and waits for the whole text, at most Config.BlockingTimeout.
func (c *Client) Complete(ctx context.Context, r CompletionRequest) (*Answer, error) {
	body, err := r.wire("blocking")
	if err != nil {
		return nil, err
	}
	return c.answer(ctx, pathCompletion, body)
}

// CompleteStream asks and returns the text while it is made.
func (c *Client) CompleteStream(ctx context.Context, r CompletionRequest) (*Stream, error) {
	body, err := r.wire("streaming")
	if err != nil {
		return nil, err
	}
	return c.stream(ctx, pathCompletion, body)
}

// RunWorkflow runs a workflow and waits for its end, at most
// Config.BlockingTimeout.
func (c *Client) RunWorkflow(ctx context.Context, r WorkflowRequest) (*WorkflowResult, error) {
	body, err := r.wire("blocking")
	if err != nil {
		return nil, err
	}
	var w blockingBody
	if err := c.blocking(ctx, pathWorkflow, body, &w); err != nil {
		return nil, err
	}
	return w.workflow(), nil
}

// RunWorkflowStream runs a workflow and returns its events while it runs.
func (c *Client) RunWorkflowStream(ctx context.Context, r WorkflowRequest) (*Stream, error) {
	body, err := r.wire("streaming")
	if err != nil {
		return nil, err
	}
	return c.stream(ctx, pathWorkflow, body)
}

func (c *Client) stream(ctx context.Context, path string, body any) (*Stream, error) {
	return c.t.openStream(ctx, &request{
		method: http.MethodPost, path: path, body: body, wait: c.headerTimeout,
	})
}

func (c *Client) blocking(ctx context.Context, path string, body any, out *blockingBody) error {
	r := &request{method: http.MethodPost, path: path, body: body, timeout: c.blockingTimeout}
	if err := c.t.callJSON(ctx, r, out); err != nil {
		return err
	}
	if path == pathWorkflow && !out.hasRun() || path != pathWorkflow && out.Answer == nil {
		return &Error{
			Kind: KindContent, Method: r.method, Path: strings.TrimRight(c.t.base.EscapedPath(), "/") + path,
			Status: http.StatusOK, Err: errors.New("body is no answer"),
		}
	}
	return nil
}

func (c *Client) answer(ctx context.Context, path string, body any) (*Answer, error) {
	var w blockingBody
	if err := c.blocking(ctx, path, body, &w); err != nil {
		return nil, err
	}
	return w.answer(), nil
}

// generateBody is the body of all three generating calls.
type generateBody struct {
	Inputs           Inputs      `json:"inputs"`
	Query            *string     `json:"query,omitempty"`
	ResponseMode     string      `json:"response_mode"`
	ConversationID   *string     `json:"conversation_id,omitempty"`
	User             string      `json:"user"`
	Files            []InputFile `json:"files,omitempty"`
	AutoGenerateName *bool       `json:"auto_generate_name,omitempty"`
}

func newGenerateBody(path, mode, user string, inputs Inputs) (generateBody, error) {
	if user == "" {
		return generateBody{}, invalid(http.MethodPost, path, "user is empty")
	}
	if inputs == nil {
		inputs = Inputs{}
	}
	return generateBody{Inputs: inputs, ResponseMode: mode, User: user}, nil
}

func (r *ChatRequest) wire(mode string) (generateBody, error) {
	b, err := newGenerateBody(pathChat, mode, r.User, r.Inputs)
	if err != nil {
		return b, err
	}
	if r.Query == "" {
		return b, invalid(http.MethodPost, pathChat, "query is empty")
	}
	b.Query, b.ConversationID = &r.Query, &r.ConversationID
	b.Files, b.AutoGenerateName = r.Files, r.AutoGenerateName
	return b, nil
}

func (r *CompletionRequest) wire(mode string) (generateBody, error) {
	b, err := newGenerateBody(pathCompletion, mode, r.User, r.Inputs)
	b.Files = r.Files
	return b, err
}

func (r *WorkflowRequest) wire(mode string) (generateBody, error) {
	return newGenerateBody(pathWorkflow, mode, r.User, r.Inputs)
}

// blockingBody is the body of a blocking answer of any app.
type blockingBody struct {
	ID             string          `json:"id"`
	MessageID      string          `json:"message_id"`
	ConversationID string          `json:"conversation_id"`
	TaskID         string          `json:"task_id"`
	Mode           string          `json:"mode"`
	Answer         *string         `json:"answer"`
	CreatedAt      Unix            `json:"created_at"`
	Metadata       Metadata        `json:"metadata"`
	WorkflowRunID  string          `json:"workflow_run_id"`
	Data           json.RawMessage `json:"data"`
}

// isAnswer reports whether the body holds an answer's text or a run.
func (b *blockingBody) isAnswer() bool { return b.Answer != nil || b.hasRun() }

func (b *blockingBody) hasRun() bool { return len(b.Data) > 0 && b.Data[0] == '{' }

func (b *blockingBody) answer() *Answer {
	a := &Answer{
		MessageID:      orDefault(b.MessageID, b.ID),
		ConversationID: b.ConversationID,
		TaskID:         b.TaskID,
		Mode:           b.Mode,
		Metadata:       b.Metadata,
		CreatedAt:      b.CreatedAt,
	}
	if b.Answer != nil {
		a.Text = *b.Answer
	}
	return a
}

func (b *blockingBody) workflow() *WorkflowResult {
	w := &WorkflowResult{WorkflowRunID: b.WorkflowRunID, TaskID: b.TaskID}
	if b.hasRun() {
		_ = unmarshal(b.Data, &w.Run) // its syntax has been checked with the whole body's
		finishRun(&w.Run, b.Data)
	}
	w.WorkflowRunID = orDefault(w.WorkflowRunID, w.Run.ID)
	return w
}

// blockingEvents returns the events that a blocking answer stands for, or nil if
// data is none.
func blockingEvents(data []byte) []Event {
	var b blockingBody
	if unmarshal(data, &b) != nil || !b.isAnswer() {
		return nil
	}
	if b.Answer == nil {
		w := b.workflow()
		return []Event{&WorkflowFinished{
			Header: Header{Event: eventWorkflowFinished, TaskID: w.TaskID, WorkflowRunID: w.WorkflowRunID, CreatedAt: w.Run.CreatedAt},
			Run:    w.Run,
		}}
	}
	a := b.answer()
	h := Header{
		Event: eventMessage, ConversationID: a.ConversationID, MessageID: a.MessageID,
		TaskID: a.TaskID, WorkflowRunID: b.WorkflowRunID, CreatedAt: a.CreatedAt,
	}
	end := h
	end.Event = eventMessageEnd
	return []Event{
		&Message{Header: h, ID: a.MessageID, Answer: a.Text},
		&MessageEnd{Header: end, ID: a.MessageID, Metadata: a.Metadata},
	}
}
