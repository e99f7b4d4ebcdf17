package clickai

import (
	"cmp"
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strconv"
)

const pathConversations = "/v1/conversations"

// Page is one page of a list.
type Page[T any] struct {
	Data    []T
	HasMore bool // more follow: ask again from Next
	Limit   int  // of the page, as the server says; 0 if it doesn't
	// Next is what to ask the next page from; "" if there is none.
	Next string
}

// Conversation is a conversation of one user with one app.
type Conversation struct {
	ID           string          `json:"id"`
	Name         string          `json:"name"`   // its title, a placeholder while it is made
	Inputs       json.RawMessage `json:"inputs"` // as it began with; nil if absent
	Status       string          `json:"status"`
	Introduction string          `json:"introduction"`
	CreatedAt    Unix            `json:"created_at"`
	UpdatedAt    Unix            `json:"updated_at"`
}

// ConversationsRequest asks for one page of a user's conversations.
type ConversationsRequest struct {
	User string // must not be empty
	// Limit is the page's length, 1 to 100; 0 leaves it to the server (20).
	Limit int
	// LastID is the Next of the page before; "" for the first page.
	LastID string
	// SortBy is created_at, updated_at, -created_at or -updated_at (newest
	// first); "" leaves it to the server (-updated_at).
	SortBy string
}

// Conversations lists a user's conversations with the app, one page of them.
func (c *Client) Conversations(ctx context.Context, r ConversationsRequest) (*Page[Conversation], error) {
	if r.User == "" {
		return nil, invalid(http.MethodGet, pathConversations, "user is empty")
	}
	q := url.Values{"user": {r.User}}
	setLimit(q, r.Limit)
	setIf(q, "last_id", r.LastID)
	setIf(q, "sort_by", r.SortBy)
	var w pageBody[Conversation]
	if err := c.call(ctx, http.MethodGet, pathConversations, q, nil, &w); err != nil {
		return nil, err
	}
	page := w.page()
	if n := len(w.Data); w.HasMore && n > 0 {
		page.Next = w.Data[n-1].ID
	}
	for i := range page.Data {
		dropNull(&page.Data[i].Inputs)
	}
	return page, nil
}

// RenameRequest gives a conversation a title.
type RenameRequest struct {
	ConversationID string
	User           string
	Name           string // the title; not used with AutoGenerate
	// AutoGenerate lets ClickAI make the title from the first message, which takes
	// seconds.
	AutoGenerate bool
}

// RenameConversation changes a conversation's title and returns the conversation
// as the server has it then.
func (c *Client) RenameConversation(ctx context.Context, r RenameRequest) (*Conversation, error) {
	path, err := conversationPath(http.MethodPost, r.ConversationID, r.User)
	if err != nil {
		return nil, err
	}
	path += "/name"
	if r.Name == "" && !r.AutoGenerate {
		return nil, invalid(http.MethodPost, path, "name is empty")
	}
	body := struct {
		Name         string `json:"name"`
		AutoGenerate bool   `json:"auto_generate"`
		User         string `json:"user"`
	}{r.Name, r.AutoGenerate, r.User}
	conv := &Conversation{ID: r.ConversationID}
	if !r.AutoGenerate {
		conv.Name = r.Name // stands if the server answers without a body
	}
	if err := c.call(ctx, http.MethodPost, path, nil, body, conv); err != nil {
		return nil, err
	}
	conv.ID = orDefault(conv.ID, r.ConversationID)
	dropNull(&conv.Inputs)
	return conv, nil
}

// DeleteConversation deletes a conversation. Status 404 means that it is gone
// already, or that it belongs to another user.
func (c *Client) DeleteConversation(ctx context.Context, conversationID, user string) error {
	path, err := conversationPath(http.MethodDelete, conversationID, user)
	if err != nil {
		return err
	}
	return c.call(ctx, http.MethodDelete, path, nil, userBody{user}, nil)
}

func conversationPath(method, id, user string) (string, error) {
	seg, err := segment("conversation id", id)
	if err != nil {
		return "", invalid(method, pathConversations, "%w", err)
	}
	path := pathConversations + "/" + seg
	if user == "" {
		return "", invalid(method, path, "user is empty")
	}
	return path, nil
}

// userBody is the body of calls that name the user alone.
type userBody struct {
	User string `json:"user"`
}

// pageBody is the shape of list answers.
type pageBody[T any] struct {
	Limit   int  `json:"limit"`
	HasMore bool `json:"has_more"`
	Data    []T  `json:"data"`
}

func (b *pageBody[T]) page() *Page[T] {
	return &Page[T]{Data: b.Data, HasMore: b.HasMore, Limit: b.Limit}
}

func setLimit(q url.Values, limit int) {
	if limit > 0 {
		q.Set("limit", strconv.Itoa(limit))
	}
}

func setIf(q url.Values, key, value string) {
	if value != "" {
		q.Set(key, value)
	}
}

// sortByTime orders messages from the oldest to the newest. Those of the same
// second keep the server's order.
func sortByTime(messages []StoredMessage) {
	slices.SortStableFunc(messages, func(a, b StoredMessage) int { return cmp.Compare(a.CreatedAt, b.CreatedAt) })
}
