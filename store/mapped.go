package store

import (
	"context"

	"github.com/clickai/bridge/core"
)

// Mapped is a conversation with the key under which it is remembered.
type Mapped struct {
	Key core.ConvKey
	core.Conversation
	// Busy tells that a turn of it runs, or was left unfinished.
	Busy bool
}

// Conversations is one page of all that are remembered, in the order of their keys: those behind the cursor after, nil for
// the first. At most limit entries are looked at; 0: [MaxPage]. next is the cursor of the next page, nil at the end. Each
// page is consistent in itself; one that is remembered throughout is on exactly one page.
func (s *Store) Conversations(ctx context.Context, after []byte, limit int) (found []Mapped, next []byte, err error) {
	p, err := read(ctx, s, "conversations", func(t *txn) (page[Mapped], error) {
		return readPage(t, bucketConversations, after, limit, func(k, raw []byte) (Mapped, bool, error) {
			m, err := t.mapped(k, raw)
			return m, true, err
		})
	})
	return p.rows, p.next, err
}

// ConversationsByID finds those that are mapped to a conversation_id of ClickAI, of whatever app. It reads all, a page at a
// time, and stops with ctx.
func (s *Store) ConversationsByID(ctx context.Context, id string) ([]Mapped, error) {
	var all []Mapped
	var after []byte
	for {
		p, err := read(ctx, s, "conversations by id", func(t *txn) (page[Mapped], error) {
			return readPage(t, bucketConversations, after, MaxPage, func(k, raw []byte) (Mapped, bool, error) {
				m, err := t.mapped(k, raw)
				return m, m.ID == id, err
			})
		})
		if err != nil {
			return nil, err
		}
		all = append(all, p.rows...)
		if after = p.next; after == nil {
			return all, nil
		}
	}
}

// ConversationByKey finds one by its key, also by one from before its room moved; ok is false if there is none.
func (s *Store) ConversationByKey(ctx context.Context, key core.ConvKey) (m Mapped, ok bool, err error) {
	r, err := read(ctx, s, "conversation by key", func(t *txn) (maybe[Mapped], error) {
		conv, err := t.now(key)
		if err != nil {
			return maybe[Mapped]{}, err
		}
		k := joinKey(string(conv))
		raw := t.get(bucketConversations, k)
		if raw == nil {
			return maybe[Mapped]{}, nil
		}
		m, err := t.mapped(k, raw)
		return maybe[Mapped]{m, err == nil}, err
	})
	return r.value, r.ok, err
}

// mapped reads an entry of the conversations.
func (t *txn) mapped(k, raw []byte) (Mapped, error) {
	conv, rest, err := cutPart(k)
	if err != nil || len(rest) > 0 {
		return Mapped{}, damaged(bucketConversations, k, errKeyForm)
	}
	c, err := decode[core.Conversation](bucketConversations, k, raw)
	if err != nil {
		return Mapped{}, err
	}
	return Mapped{Key: core.ConvKey(conv), Conversation: c, Busy: t.has(bucketTurns, k)}, nil
}
