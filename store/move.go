package store

import (
	"bytes"
	"context"
	"errors"
	"fmt"

	"github.com/clickai/bridge/core"
)

// errTwoTurns is the refusal to make one conversation of two of which each has a running turn.
var errTwoTurns = errors.New("turns run in the room under both of its ids")

// MoveRoom gives all that belongs to a room of a bot to another id of that room, in one transaction: conversations, waiting
// questions, journals and thread marks. From then on, also after a restart, every method takes the keys and places of the
// old id for those of the new one, so that a turn which runs meanwhile ends where it belongs.
//
// Messages stay where they were sent, with their links and votes, and so does what a waiting question tells of its own
// message: a platform counts message ids for each id of a room, and what is 57 here may be somebody else's 57 there. Only
// the conversation that a link names is brought up to date.
//
// Where the new id has a conversation of its own already, that one stays. While a turn runs in both, the move is refused
// and nothing is written. A room that was moved there already is left alone.
func (s *Store) MoveRoom(ctx context.Context, bot, from, to string) error {
	_, err := write(ctx, s, "move room", func(t *txn) (struct{}, error) {
		if bot == "" || from == "" || to == "" || from == to {
			return struct{}{}, errors.New("the bot and two different ids of the room must be set")
		}
		key := joinKey(bot, from)
		if old, ok, err := load[string](t, bucketMoves, key); err != nil || ok && old == to {
			return struct{}{}, err
		}
		m := mover{t: t, bot: bot, from: from, to: to}
		for _, step := range []func() error{m.conversations, m.forgotten, m.turns, m.inbox, m.threads, m.links} {
			if err := step(); err != nil {
				return struct{}{}, err
			}
		}
		// The new id is where things are now, so that no chain of moves leads in a circle.
		return struct{}{}, errors.Join(t.del(bucketMoves, joinKey(bot, to)), save(t, bucketMoves, key, to))
	})
	return err
}

// mover carries out one move.
type mover struct {
	t             *txn
	bot, from, to string
}

// entry is a key and a value of a bucket, copied: bbolt's own memory changes with every write.
type entry struct{ key, raw []byte }

// entries are those of a bucket whose keys begin with prefix and are wanted.
func (m *mover) entries(b bucket, prefix []byte, want func(key []byte) bool) []entry {
	var found []entry
	for k, raw := range m.t.scan(b, prefix) {
		if want == nil || want(k) {
			found = append(found, entry{bytes.Clone(k), bytes.Clone(raw)})
		}
	}
	return found
}

// ofRoom tells whether a key begins with a conversation of the room.
func (m *mover) ofRoom(key []byte) bool {
	conv, _, err := cutPart(key)
	return err == nil && m.conv(core.ConvKey(conv)) != core.ConvKey(conv)
}

func (m *mover) conv(conv core.ConvKey) core.ConvKey { return conv.Moved(m.bot, m.from, m.to) }

func (m *mover) place(p core.Place) core.Place {
	if p.Room == m.from {
		p.Room = m.to
	}
	return p
}

func (m *mover) conversations() error {
	for _, e := range m.entries(bucketConversations, nil, m.ofRoom) {
		conv, _, err := cutPart(e.key)
		if err != nil {
			return damaged(bucketConversations, e.key, err)
		}
		c, err := decode[core.Conversation](bucketConversations, e.key, e.raw)
		if err != nil {
			return err
		}
		c.At = m.place(c.At)
		next := joinKey(string(m.conv(core.ConvKey(conv))))
		if err := m.t.del(bucketConversations, e.key); err != nil {
			return err
		}
		if m.t.has(bucketConversations, next) {
			continue
		}
		if err := save(m.t, bucketConversations, next, c); err != nil {
			return err
		}
	}
	return nil
}

func (m *mover) turns() error {
	for _, e := range m.entries(bucketTurns, nil, m.ofRoom) {
		turn, err := decode[core.Turn](bucketTurns, e.key, e.raw)
		if err != nil {
			return err
		}
		turn.Conv, turn.At = m.conv(turn.Conv), m.place(turn.At)
		next := joinKey(string(turn.Conv))
		if m.t.has(bucketTurns, next) {
			return fmt.Errorf("%w: %s", errTwoTurns, turn.Conv)
		}
		if err := errors.Join(m.t.del(bucketTurns, e.key), save(m.t, bucketTurns, next, turn)); err != nil {
			return err
		}
	}
	return nil
}

func (m *mover) inbox() error {
	for _, e := range m.entries(bucketInbox, nil, m.ofRoom) {
		q, err := decode[core.Pending](bucketInbox, e.key, e.raw)
		if err != nil {
			return err
		}
		q.Conv, q.At = m.conv(q.Conv), m.place(q.At)
		next := inboxKey(q.Conv, q.Seq)
		if err := errors.Join(m.t.del(bucketInbox, e.key), save(m.t, bucketInbox, next, q)); err != nil {
			return err
		}
		index := messageKey(q.Event.Bot, q.Event.Ref())
		if at, ok, err := load[questionRecord](m.t, bucketQuestions, index); err != nil {
			return err
		} else if ok && bytes.Equal(at.Inbox, e.key) {
			if err := save(m.t, bucketQuestions, index, questionRecord{Inbox: next}); err != nil {
				return err
			}
		}
		seen := joinKey(q.Event.Bot, q.Event.Key)
		if rec, ok, err := load[seenRecord](m.t, bucketSeen, seen); err != nil {
			return err
		} else if ok && bytes.Equal(rec.Inbox, e.key) {
			rec.Inbox = next
			if err := save(m.t, bucketSeen, seen, rec); err != nil {
				return err
			}
		}
	}
	return nil
}

// threads brings marks together where both ids have one.
func (m *mover) threads() error {
	for _, e := range m.entries(bucketThreads, joinKey(m.bot, m.from), nil) {
		mark, err := decode[core.ThreadMark](bucketThreads, e.key, e.raw)
		if err != nil {
			return err
		}
		next := append(joinKey(m.bot, m.to), e.key[len(joinKey(m.bot, m.from)):]...)
		other, _, err := load[core.ThreadMark](m.t, bucketThreads, next)
		if err != nil {
			return err
		}
		mark.Opened, mark.Answered = mark.Opened || other.Opened, mark.Answered || other.Answered
		if err := errors.Join(m.t.del(bucketThreads, e.key), save(m.t, bucketThreads, next, mark)); err != nil {
			return err
		}
	}
	return nil
}

// links stay; only the conversation that they name changes.
func (m *mover) links() error {
	for _, e := range m.entries(bucketLinks, joinKey(m.bot, m.from), nil) {
		link, err := decode[core.Link](bucketLinks, e.key, e.raw)
		if err != nil {
			return err
		}
		link.Conv = m.conv(link.Conv)
		if err := save(m.t, bucketLinks, e.key, link); err != nil {
			return err
		}
	}
	return nil
}

// maxMoves is how many moves of one room are followed. Telegram's groups move once.
const maxMoves = 8

// nowRoom is the id that a room goes by now.
func (t *txn) nowRoom(bot, room string) (string, error) {
	for range maxMoves {
		to, ok, err := load[string](t, bucketMoves, joinKey(bot, room))
		if err != nil || !ok {
			return room, err
		}
		room = to
	}
	return room, nil
}

// now is the key that a conversation goes by now.
func (t *txn) now(conv core.ConvKey) (core.ConvKey, error) {
	from := conv.Room()
	if from == "" {
		return conv, nil
	}
	to, err := t.nowRoom(conv.Bot(), from)
	if err != nil || to == from {
		return conv, err
	}
	return conv.Moved(conv.Bot(), from, to), nil
}

// nowAt is the place as it is now.
func (t *txn) nowAt(bot string, p core.Place) (core.Place, error) {
	var err error
	p.Room, err = t.nowRoom(bot, p.Room)
	return p, err
}

// nowTurn brings what a turn writes to where its conversation is now. What c and link point to stays as it is.
func (t *txn) nowTurn(turn core.Turn, c *core.Conversation, link *core.Link) (core.Turn, *core.Conversation, *core.Link, error) {
	conv, err := t.now(turn.Conv)
	if err != nil || conv == turn.Conv {
		return turn, c, link, err
	}
	bot := conv.Bot()
	turn.Conv = conv
	if turn.At, err = t.nowAt(bot, turn.At); err != nil {
		return turn, c, link, err
	}
	if c != nil {
		next := *c
		if next.At, err = t.nowAt(bot, c.At); err != nil {
			return turn, c, link, err
		}
		c = &next
	}
	if link != nil {
		next := *link
		next.Conv = conv
		link = &next
	}
	return turn, c, link, nil
}
