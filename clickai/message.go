package clickai

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
)

const pathMessages = "/v1/messages"

// StoredMessage is one question with its answer, as kept in a conversation.
type StoredMessage struct {
	ID              string          `json:"id"`
	ConversationID  string          `json:"conversation_id"`
	ParentMessageID string          `json:"parent_message_id"`
	Inputs          json.RawMessage `json:"inputs"` // nil if absent
	Query           string          `json:"query"`
	// Answer is "" while the answer is being made.
	Answer string `json:"answer"`
	Status string `json:"status"` // normal, error, paused
	Error  string `json:"error"`
	// Files are the user's (BelongsTo user) and the app's (assistant).
	Files              []File              `json:"message_files"`
	Feedback           *StoredFeedback     `json:"feedback"` // nil if not rated
	RetrieverResources []RetrieverResource `json:"retriever_resources"`
	AgentThoughts      []StoredThought     `json:"agent_thoughts"`
	CreatedAt          Unix                `json:"created_at"`
}

// StoredFeedback is the rating that a message has.
type StoredFeedback struct {
	Rating Rating `json:"rating"`
}

// StoredThought is one step of an agent, as kept with its message.
type StoredThought struct {
	ID          string `json:"id"`
	ChainID     string `json:"chain_id"`
	MessageID   string `json:"message_id"`
	Position    int    `json:"position"`
	Thought     string `json:"thought"`
	Tool        string `json:"tool"`
	ToolInput   string `json:"tool_input"`
	Observation string `json:"observation"`
	CreatedAt   Unix   `json:"created_at"`
}

// MessagesRequest asks for one page of a conversation's messages.
type MessagesRequest struct {
	ConversationID string // must not be empty
	User           string // the one that the conversation belongs to
	// Limit is the page's length, 1 to 100; 0 leaves it to the server (20).
	Limit int
	// FirstID is the Next of the page before; "" for the newest messages.
	FirstID string
}

// Messages returns a page of a conversation's messages, the newest ones first
// page by page; within a page they stand from the oldest to the newest.
func (c *Client) Messages(ctx context.Context, r MessagesRequest) (*Page[StoredMessage], error) {
	if r.ConversationID == "" {
		return nil, invalid(http.MethodGet, pathMessages, "conversation id is empty")
	}
	if r.User == "" {
		return nil, invalid(http.MethodGet, pathMessages, "user is empty")
	}
	q := url.Values{"conversation_id": {r.ConversationID}, "user": {r.User}}
	setLimit(q, r.Limit)
	setIf(q, "first_id", r.FirstID)
	var w pageBody[StoredMessage]
	if err := c.call(ctx, http.MethodGet, pathMessages, q, nil, &w); err != nil {
		return nil, err
	}
	page := w.page()
	for i := range page.Data {
		dropNull(&page.Data[i].Inputs)
	}
	if w.HasMore && len(w.Data) > 0 {
		page.Next = w.Data[0].ID // by the server's order, which paging goes by
	}
	sortByTime(page.Data)
	return page, nil
}

// Rating is what a user thinks of an answer.
type Rating string

// The ratings.
const (
	RatingLike    Rating = "like"
	RatingDislike Rating = "dislike"
	RatingNone    Rating = "" // withdraws a rating; sent as JSON null
)

// FeedbackRequest rates a message.
type FeedbackRequest struct {
	MessageID string
	User      string // the one that asked the question
	Rating    Rating
	Content   string // a comment; left out if empty
}

// Feedback sets, changes or withdraws the rating of a message. A message has one
// rating for each user; the last one stands. Withdrawing a rating that isn't
// there is a success, although servers answer it with status 400.
func (c *Client) Feedback(ctx context.Context, r FeedbackRequest) error {
	path, err := messagePath(http.MethodPost, r.MessageID, r.User, "/feedbacks")
	if err != nil {
		return err
	}
	body := struct {
		Rating  *Rating `json:"rating"`
		User    string  `json:"user"`
		Content string  `json:"content,omitempty"`
	}{User: r.User, Content: r.Content}
	switch r.Rating {
	case RatingLike, RatingDislike:
		body.Rating = &r.Rating
	case RatingNone:
	default:
		return invalid(http.MethodPost, path, "rating %q is neither like nor dislike nor empty", r.Rating)
	}
	err = c.call(ctx, http.MethodPost, path, nil, body, nil)
	if e, ok := errors.AsType[*Error](err); ok && r.Rating == RatingNone &&
		e.Status == http.StatusBadRequest && e.Code == "invalid_param" {
		return nil
	}
	return err
}

// SuggestedQuestions returns questions that the user could ask next; making them
// takes seconds. Apps with the feature switched off answer with status 400 or 403.
func (c *Client) SuggestedQuestions(ctx context.Context, messageID, user string) ([]string, error) {
	path, err := messagePath(http.MethodGet, messageID, user, "/suggested")
	if err != nil {
		return nil, err
	}
	var w struct {
		Data []string `json:"data"`
	}
	if err := c.call(ctx, http.MethodGet, path, url.Values{"user": {user}}, nil, &w); err != nil {
		return nil, err
	}
	return w.Data, nil
}

func messagePath(method, id, user, rest string) (string, error) {
	seg, err := segment("message id", id)
	if err != nil {
		return "", invalid(method, pathMessages, "%w", err)
	}
	path := pathMessages + "/" + seg + rest
	if user == "" {
		return "", invalid(method, path, "user is empty")
	}
	return path, nil
}

// StopChat asks ClickAI to stop the answer of a chat or agent app. user must be
// the one that asked. The stream goes on to its regular end. A task that is
// unknown or done is no error. Servers without this call answer with status 404
// or 405.
func (c *Client) StopChat(ctx context.Context, taskID, user string) error {
	return c.stop(ctx, "/v1/chat-messages/", taskID, user)
}

// StopCompletion is StopChat for text generation apps.
func (c *Client) StopCompletion(ctx context.Context, taskID, user string) error {
	return c.stop(ctx, "/v1/completion-messages/", taskID, user)
}

// StopWorkflow is StopChat for workflow apps: the stream ends with a
// WorkflowFinished whose status is StatusStopped.
func (c *Client) StopWorkflow(ctx context.Context, taskID, user string) error {
	return c.stop(ctx, "/v1/workflows/tasks/", taskID, user)
}

func (c *Client) stop(ctx context.Context, prefix, taskID, user string) error {
	seg, err := segment("task id", taskID)
	if err != nil {
		return invalid(http.MethodPost, prefix, "%w", err)
	}
	path := prefix + seg + "/stop"
	if user == "" {
		return invalid(http.MethodPost, path, "user is empty")
	}
	return c.call(ctx, http.MethodPost, path, nil, userBody{user}, nil)
}
