package store

import (
	"context"
	"errors"
	"slices"

	"github.com/clickai/bridge/core"
)

func threadKey(bot string, p core.Place) []byte { return joinKey(bot, p.Room, p.Thread) }

// Thread tells what is known of a thread of a bot; the zero mark if nothing is, and for a place outside threads.
func (s *Store) Thread(ctx context.Context, bot string, p core.Place) (core.ThreadMark, error) {
	if p.Thread == "" {
		return core.ThreadMark{}, nil
	}
	return read(ctx, s, "thread", func(t *txn) (core.ThreadMark, error) {
		p, err := t.nowAt(bot, p)
		if err != nil {
			return core.ThreadMark{}, err
		}
		m, _, err := load[core.ThreadMark](t, bucketThreads, threadKey(bot, p))
		return m, err
	})
}

func readOne[T any](ctx context.Context, s *Store, what string, b bucket, key []byte) (T, bool, error) {
	r, err := read(ctx, s, what, func(t *txn) (maybe[T], error) {
		v, ok, err := load[T](t, b, key)
		return maybe[T]{v, ok}, err
	})
	return r.value, r.ok, err
}

// readConv reads what a bucket has of a conversation.
func readConv[T any](ctx context.Context, s *Store, what string, b bucket, conv core.ConvKey) (T, bool, error) {
	r, err := read(ctx, s, what, func(t *txn) (maybe[T], error) {
		conv, err := t.now(conv)
		if err != nil {
			return maybe[T]{}, err
		}
		v, ok, err := load[T](t, b, joinKey(string(conv)))
		return maybe[T]{v, ok}, err
	})
	return r.value, r.ok, err
}

// Conversation reads the memory of a conversation; ok is false if there is none.
func (s *Store) Conversation(ctx context.Context, conv core.ConvKey) (c core.Conversation, ok bool, err error) {
	return readConv[core.Conversation](ctx, s, "conversation", bucketConversations, conv)
}

// PutConversation replaces it.
func (s *Store) PutConversation(ctx context.Context, conv core.ConvKey, c core.Conversation) error {
	_, err := write(ctx, s, "put conversation", func(t *txn) (struct{}, error) {
		conv, err := t.now(conv)
		if err != nil {
			return struct{}{}, err
		}
		key := joinKey(string(conv))
		return struct{}{}, errors.Join(t.del(bucketForgotten, key), save(t, bucketConversations, key, c))
	})
	return err
}

// DeleteConversation forgets it; one that is not there is no error. Waiting questions and a running turn stay. That turn does
// not bring the conversation back: the next one begins anew.
func (s *Store) DeleteConversation(ctx context.Context, conv core.ConvKey) error {
	_, err := write(ctx, s, "delete conversation", func(t *txn) (struct{}, error) {
		conv, err := t.now(conv)
		if err != nil {
			return struct{}{}, err
		}
		return struct{}{}, forget(t, joinKey(string(conv)))
	})
	return err
}

// Turn reads the journal of the conversation's turn; ok is false if none runs.
func (s *Store) Turn(ctx context.Context, conv core.ConvKey) (turn core.Turn, ok bool, err error) {
	return readConv[core.Turn](ctx, s, "turn", bucketTurns, conv)
}

// PutTurn writes the journal of the turn of turn.Conv. In the same transaction c replaces the conversation, if it is not
// nil, and link is added for each message of turn.Reply and turn.Extra, if it is not nil.
func (s *Store) PutTurn(ctx context.Context, turn core.Turn, c *core.Conversation, link *core.Link) error {
	if turn.Conv == "" {
		return errors.New("store: put turn: the turn names no conversation")
	}
	_, err := write(ctx, s, "put turn", func(t *txn) (struct{}, error) {
		turn, c, link, err := t.nowTurn(turn, c, link)
		if err != nil {
			return struct{}{}, err
		}
		return struct{}{}, errors.Join(
			save(t, bucketTurns, joinKey(string(turn.Conv)), turn),
			putMemory(t, turn, c, link),
		)
	})
	return err
}

// EndTurn removes the journal of turn.Conv and the questions turn.Seqs, and writes c and link as [Store.PutTurn] does. What is gone
// already is no error.
func (s *Store) EndTurn(ctx context.Context, turn core.Turn, c *core.Conversation, link *core.Link) error {
	if turn.Conv == "" {
		return errors.New("store: end turn: the turn names no conversation")
	}
	_, err := write(ctx, s, "end turn", func(t *txn) (struct{}, error) {
		turn, c, link, err := t.nowTurn(turn, c, link)
		if err != nil {
			return struct{}{}, err
		}
		for _, seq := range turn.Seqs {
			if err := removeQuestion(t, inboxKey(turn.Conv, seq)); err != nil {
				return struct{}{}, err
			}
		}
		return struct{}{}, errors.Join(
			t.del(bucketTurns, joinKey(string(turn.Conv))),
			putMemory(t, turn, c, link),
		)
	})
	return err
}

func putMemory(t *txn, turn core.Turn, c *core.Conversation, link *core.Link) error {
	if c != nil {
		if err := saveMemory(t, joinKey(string(turn.Conv)), *c); err != nil {
			return err
		}
	}
	if link == nil {
		return nil
	}
	for _, m := range slices.Concat(turn.Reply, turn.Extra) {
		if m.IsZero() {
			continue
		}
		if err := putLink(t, messageKey(turn.Bot, m), *link); err != nil {
			return err
		}
	}
	return nil
}

// putLink writes a link and its place in the index by time.
func putLink(t *txn, key []byte, link core.Link) error {
	old, ok, err := load[core.Link](t, bucketLinks, key)
	if err != nil {
		return err
	}
	if ok {
		if err := t.del(bucketLinksAt, timeKey(old.At, key)); err != nil {
			return err
		}
	}
	return errors.Join(
		save(t, bucketLinks, key, link),
		t.put(bucketLinksAt, timeKey(link.At, key), mark),
		countEarly(t, key, link),
	)
}

// Link finds the turn that a message shows; ok is false if it shows none.
func (s *Store) Link(ctx context.Context, bot string, m core.MessageRef) (l core.Link, ok bool, err error) {
	return readOne[core.Link](ctx, s, "link", bucketLinks, messageKey(bot, m))
}
