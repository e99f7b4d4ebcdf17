package control

import (
	"cmp"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/clickai/bridge/clickai"
	"github.com/clickai/bridge/core"
	"github.com/clickai/bridge/store"
)

// Local does the operations on an open store.
type Local struct {
	// Store is where the memory is. It is not closed here.
	Store *store.Store
	// Client returns the client of an app, by its name in the configuration; nil if the app is not there.
	Client func(app string) *clickai.Client
}

var _ Operations = (*Local)(nil)

// Conversations implements [Operations].
func (l *Local) Conversations(ctx context.Context, r ConversationsRequest) (ConversationsPage, error) {
	after, err := cursor(r.After)
	if err != nil {
		return ConversationsPage{}, err
	}
	found, next, err := l.Store.Conversations(ctx, after, r.Limit)
	if err != nil {
		return ConversationsPage{}, err
	}
	p := ConversationsPage{Data: []Conversation{}, Next: base64.RawURLEncoding.EncodeToString(next)}
	for _, m := range found {
		if c := conversation(m); (r.Bot == "" || r.Bot == c.Bot) && (r.App == "" || r.App == c.App) {
			p.Data = append(p.Data, c)
		}
	}
	return p, nil
}

// cursor reads what a page gave as its Next.
func cursor(s string) ([]byte, error) {
	after, err := base64.RawURLEncoding.DecodeString(s)
	if err != nil {
		return nil, &Error{Kind: KindInvalid, Text: "the cursor is not one that a page gave", Err: err}
	}
	return after, nil
}

func conversation(m store.Mapped) Conversation {
	return Conversation{
		Key: string(m.Key), Bot: cmp.Or(m.Bot, m.Key.Bot()), App: m.App, Title: m.Title, Room: m.At.Room, Thread: m.At.Thread,
		ID: m.ID, User: m.User, Owner: m.Owner.DisplayName(), People: m.People, Turns: m.Turns,
		Started: m.Started, Last: m.Last, Busy: m.Busy,
	}
}

// Find implements [Operations].
func (l *Local) Find(ctx context.Context, name string) (Conversation, error) {
	m, _, err := l.find(ctx, name)
	return conversation(m), err
}

// find also returns the others that are mapped to the same conversation of ClickAI.
func (l *Local) find(ctx context.Context, name string) (m store.Mapped, others []store.Mapped, err error) {
	if name == "" {
		return m, nil, &Error{Kind: KindInvalid, Text: "name a conversation by its key or by its ClickAI id"}
	}
	m, isKey, err := l.Store.ConversationByKey(ctx, core.ConvKey(name))
	if err != nil {
		return m, nil, err
	}
	id := name
	if isKey {
		if id = m.ID; id == "" {
			return m, nil, nil
		}
	}
	same, err := l.Store.ConversationsByID(ctx, id)
	if err != nil {
		return m, nil, err
	}
	switch {
	case isKey:
	case len(same) == 0:
		return m, nil, &Error{Kind: KindNotFound, Text: fmt.Sprintf("no conversation has the key or the ClickAI id %q: see `bridge conversations list`", name)}
	default:
		m = same[0]
	}
	for _, o := range same {
		switch {
		case o.Key == m.Key:
		case o.App == m.App:
			others = append(others, o)
		case !isKey: // ids of two apps have nothing to do with each other
			return m, nil, ambiguous(name, same)
		}
	}
	return m, others, nil
}

func ambiguous(id string, all []store.Mapped) error {
	var keys []string
	for _, m := range all {
		keys = append(keys, string(m.Key))
	}
	return &Error{Kind: KindAmbiguous, Text: fmt.Sprintf("the ClickAI id %q belongs to several keys, name one of them: %s", id, strings.Join(keys, ", "))}
}

// History implements [Operations].
func (l *Local) History(ctx context.Context, r HistoryRequest) (HistoryPage, error) {
	if r.Limit < 0 || r.Limit > 100 {
		return HistoryPage{}, &Error{Kind: KindInvalid, Text: "a page of the history has 1 to 100 messages"}
	}
	m, client, err := l.atClickAI(ctx, r.Name)
	if err != nil {
		return HistoryPage{}, err
	}
	page, err := client.Messages(ctx, clickai.MessagesRequest{ConversationID: m.ID, User: m.User, Limit: r.Limit, FirstID: r.Before})
	if err != nil {
		return HistoryPage{}, refused(m, err)
	}
	p := HistoryPage{Conversation: conversation(m), Messages: []Message{}, Next: page.Next}
	for _, s := range page.Data {
		p.Messages = append(p.Messages, message(s))
	}
	return p, nil
}

func message(s clickai.StoredMessage) Message {
	m := Message{ID: s.ID, Query: s.Query, Answer: s.Answer, Status: s.Status, Error: s.Error}
	if s.CreatedAt != 0 {
		m.At = s.CreatedAt.Time().UTC()
	}
	if s.Feedback != nil {
		m.Rating = string(s.Feedback.Rating)
	}
	for _, f := range s.Files {
		m.Files = append(m.Files, File{Name: f.Filename, Type: f.Type, From: f.BelongsTo})
	}
	return m
}

// atClickAI finds a conversation that ClickAI has, with the client of its app.
func (l *Local) atClickAI(ctx context.Context, name string) (store.Mapped, *clickai.Client, error) {
	m, _, err := l.find(ctx, name)
	if err != nil {
		return m, nil, err
	}
	if m.ID == "" {
		return m, nil, &Error{Kind: KindNoID, Text: fmt.Sprintf("%s has no conversation at ClickAI: it has not been answered yet, or its app keeps none", m.Key)}
	}
	client, err := l.client(m)
	return m, client, err
}

func (l *Local) client(m store.Mapped) (*clickai.Client, error) {
	if c := l.Client(m.App); c != nil {
		return c, nil
	}
	return nil, &Error{Kind: KindNoApp, Text: fmt.Sprintf(
		"the app %q of %s is not in the configuration, so ClickAI cannot be asked: add it again, or forget the conversation with `bridge conversations reset`", m.App, m.Key)}
}

// refused says what an error of ClickAI means here.
func refused(m store.Mapped, err error) error {
	e, ok := errors.AsType[*clickai.Error](err)
	if !ok {
		return err
	}
	text := e.Error()
	switch e.Status {
	case http.StatusNotFound:
		text = fmt.Sprintf("ClickAI does not have the conversation %s any more: `bridge conversations reset %s` lets the next message begin a new one", m.ID, m.Key)
	case http.StatusUnauthorized, http.StatusForbidden:
		text = fmt.Sprintf("ClickAI refuses the key of app %q: `bridge check` says more (%v)", m.App, e)
	}
	return &Error{Kind: KindClickAI, Text: text, Err: err}
}

// Rename implements [Operations].
func (l *Local) Rename(ctx context.Context, r RenameRequest) (Renamed, error) {
	m, client, err := l.atClickAI(ctx, r.Name)
	if err != nil {
		return Renamed{}, err
	}
	c, err := client.RenameConversation(ctx, clickai.RenameRequest{ConversationID: m.ID, User: m.User, Name: r.Title, AutoGenerate: r.Title == ""})
	if err != nil {
		return Renamed{}, refused(m, err)
	}
	return Renamed{Conversation: conversation(m), Title: c.Name}, nil
}

// Reset implements [Operations].
func (l *Local) Reset(ctx context.Context, name string) (Conversation, error) {
	m, others, err := l.find(ctx, name)
	if err != nil {
		return Conversation{}, err
	}
	if len(others) > 0 && name == m.ID {
		return Conversation{}, ambiguous(name, append([]store.Mapped{m}, others...))
	}
	return conversation(m), l.Store.DeleteConversation(ctx, m.Key)
}

// Delete implements [Operations].
func (l *Local) Delete(ctx context.Context, name string) (Deleted, error) {
	m, others, err := l.find(ctx, name)
	if err != nil {
		return Deleted{}, err
	}
	d := Deleted{Conversation: conversation(m), Gone: m.ID == ""}
	if m.ID != "" {
		client, err := l.client(m)
		if err != nil {
			return Deleted{}, err
		}
		err = client.DeleteConversation(ctx, m.ID, m.User)
		if e, ok := errors.AsType[*clickai.Error](err); ok && e.Status == http.StatusNotFound {
			d.Gone, err = true, nil
		}
		if err != nil {
			return Deleted{}, refused(m, err)
		}
	}
	for _, one := range append([]store.Mapped{m}, others...) {
		if err := l.Store.DeleteConversation(ctx, one.Key); err != nil {
			return d, fmt.Errorf("ClickAI has deleted conversation %s, but it could not be forgotten here, so ask again: %w", m.ID, err)
		}
		d.Keys = append(d.Keys, string(one.Key))
	}
	return d, nil
}

// Ratings implements [Operations].
func (l *Local) Ratings(ctx context.Context, r RatingsRequest) (RatingsPage, error) {
	after, err := cursor(r.After)
	if err != nil {
		return RatingsPage{}, err
	}
	found, next, err := l.Store.Rated(ctx, after, r.Limit)
	if err != nil {
		return RatingsPage{}, err
	}
	p := RatingsPage{Data: []Rating{}, Next: base64.RawURLEncoding.EncodeToString(next)}
	for _, v := range found {
		p.Data = append(p.Data, Rating{
			At: v.At, Bot: v.Bot, Room: v.Ref.Room, Thread: v.Ref.Thread, Title: v.Title, App: v.App, Key: string(v.Conv),
			ConvID: v.ConvID, Message: v.Message, Posted: v.Ref.ID, User: cmp.Or(v.Person.Key, v.Person.ID),
			Name: v.Person.DisplayName(), Rating: string(v.Rating), Emoji: v.Emoji, Reason: v.Reason,
		})
	}
	return p, nil
}

// Backup implements [Operations].
func (l *Local) Backup(ctx context.Context, begin func(size int64) (io.Writer, error)) error {
	return l.Store.Backup(ctx, begin)
}
