package agent

import (
	"context"
	"log/slog"
	"slices"
	"time"

	"github.com/clickai/bridge/clickai"
	"github.com/clickai/bridge/core"
)

const (
	maxOpening     = 4000 // bytes of an opening statement
	maxPrompts     = 10   // suggested questions
	suggestTimeout = 5 * time.Second
)

var (
	_ core.Archive = (*App)(nil)
	_ core.Greeter = (*App)(nil)
)

// History is core.Archive.History.
func (a *App) History(ctx context.Context, user, conversation string, limit int) ([]core.PastTurn, error) {
	page, err := a.client.Messages(ctx, clickai.MessagesRequest{ConversationID: conversation, User: user, Limit: limit})
	if err != nil {
		return nil, callError(err)
	}
	turns := make([]core.PastTurn, 0, len(page.Data))
	for _, m := range page.Data {
		turns = append(turns, core.PastTurn{Query: m.Query, Answer: m.Answer, At: m.CreatedAt.Time()})
	}
	slices.SortStableFunc(turns, func(a, b core.PastTurn) int { return a.At.Compare(b.At) })
	return turns[max(0, len(turns)-limit):], nil
}

// Conversations is core.Archive.Conversations.
func (a *App) Conversations(ctx context.Context, user string, limit int) ([]core.PastConversation, error) {
	page, err := a.client.Conversations(ctx, clickai.ConversationsRequest{User: user, Limit: limit, SortBy: "-updated_at"})
	if err != nil {
		return nil, callError(err)
	}
	all := make([]core.PastConversation, 0, len(page.Data))
	for _, c := range page.Data {
		all = append(all, core.PastConversation{ID: c.ID, Name: c.Name, Last: c.UpdatedAt.Time()})
	}
	return all[:min(len(all), limit)], nil
}

// Rename is core.Archive.Rename.
func (a *App) Rename(ctx context.Context, user, conversation, name string) (string, error) {
	c, err := a.client.RenameConversation(ctx, clickai.RenameRequest{ConversationID: conversation, User: user, Name: name, AutoGenerate: name == ""})
	if err != nil {
		return "", callError(err)
	}
	return c.Name, nil
}

// Delete is core.Archive.Delete.
func (a *App) Delete(ctx context.Context, user, conversation string) error {
	return callError(a.client.DeleteConversation(ctx, conversation, user))
}

// Opening is core.Greeter.Opening.
func (a *App) Opening(ctx context.Context) (core.Opening, error) {
	t, err := a.parameters(ctx)
	if err != nil || !a.Conversational() {
		return core.Opening{}, err
	}
	return t.opening, nil
}

// suggest hands on what may be asked next, where the app makes such suggestions. They are a courtesy: they are left out when
// the plan's next slot would have to be waited for, and their failure is nobody's business.
func (a *App) suggest(ctx context.Context, user, message string, emit func(core.Delta) bool) {
	if message == "" || !a.Conversational() {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, suggestTimeout)
	defer cancel()
	ctx = clickai.WithSlotWait(ctx, func(time.Duration) { cancel() })
	t, err := a.parameters(ctx)
	if err != nil || !t.suggests {
		return
	}
	questions, err := a.client.SuggestedQuestions(ctx, message, user)
	if err != nil {
		a.log.DebugContext(ctx, "no suggestions", slog.Any("err", cleaned(err)))
		return
	}
	if len(questions) > 0 {
		emit(core.Delta{Kind: core.DeltaSuggestions, Suggestions: questions[:min(len(questions), maxPrompts)]})
	}
}
