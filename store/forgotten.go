package store

import (
	"errors"

	"github.com/clickai/bridge/core"
)

// A turn that runs while its conversation is forgotten holds the old conversation_id and would write it back. So what was
// forgotten is noted until the conversation has another id, or is put there on purpose.

// forget drops a conversation and notes its id.
func forget(t *txn, key []byte) error {
	c, ok, err := load[core.Conversation](t, bucketConversations, key)
	if err != nil {
		// It cannot be read, and need not be: what is damaged can be forgotten too.
		return t.del(bucketConversations, key)
	}
	if !ok {
		return nil
	}
	if err := t.del(bucketConversations, key); err != nil || c.ID == "" {
		return err
	}
	return save(t, bucketForgotten, key, c.ID)
}

// saveMemory writes what a turn makes of its conversation, unless that would bring a forgotten one back.
func saveMemory(t *txn, key []byte, c core.Conversation) error {
	id, ok, err := load[string](t, bucketForgotten, key)
	if err != nil || ok && id == c.ID {
		return err
	}
	if ok && c.ID != "" {
		// One conversation's turns come one after the other: that which held the old id is over.
		if err := t.del(bucketForgotten, key); err != nil {
			return err
		}
	}
	return save(t, bucketConversations, key, c)
}

// forgotten takes the notes along when a room moves.
func (m *mover) forgotten() error {
	for _, e := range m.entries(bucketForgotten, nil, m.ofRoom) {
		conv, _, err := cutPart(e.key)
		if err != nil {
			return damaged(bucketForgotten, e.key, err)
		}
		if err := errors.Join(m.t.del(bucketForgotten, e.key), m.t.put(bucketForgotten, joinKey(string(m.conv(core.ConvKey(conv)))), e.raw)); err != nil {
			return err
		}
	}
	return nil
}
