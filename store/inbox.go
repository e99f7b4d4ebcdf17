package store

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"time"

	"github.com/clickai/bridge/core"
)

// seenRecord is the value of the seen bucket.
type seenRecord struct {
	At    int64  `json:"at"`              // Unix milliseconds
	Inbox []byte `json:"inbox,omitempty"` // key of the question; it may be answered and gone
}

// questionRecord is the value of the questions bucket.
type questionRecord struct {
	Inbox []byte `json:"inbox"`
}

// Put stores a question unless its key has been seen; then fresh is false and stored is p's question as given. The key,
// the question and the mark of its thread are written together.
//
// A question is the first of its thread when it stands in one that was neither opened by a question to the bot nor had a
// question to the bot before. A question that stands in a thread marks that thread as answered; with MarksThread the
// thread of At, if it is one, is marked as opened.
//
// MaxWaiting counts the questions of the conversation that [Store.Waiting] would list: those that a running turn has
// taken count until it ends. With [core.ErrQueueFull] not even the key is remembered: a redelivery is judged anew.
func (s *Store) Put(ctx context.Context, p core.Put) (stored core.Pending, isFresh bool, err error) {
	if p.Event.Key == "" || p.Event.Bot == "" || p.Conv == "" {
		return core.Pending{}, false, errors.New("store: put: the event's key, its bot and the conversation must be set")
	}
	r, err := write(ctx, s, "put", func(t *txn) (maybe[core.Pending], error) {
		q := p.Pending
		seen := joinKey(q.Event.Bot, q.Event.Key)
		if t.has(bucketSeen, seen) {
			return maybe[core.Pending]{q, false}, nil
		}
		var err error
		if q.Conv, err = t.now(q.Conv); err != nil {
			return maybe[core.Pending]{}, err
		}
		if q.At, err = t.nowAt(q.Event.Bot, q.At); err != nil {
			return maybe[core.Pending]{}, err
		}
		if p.MaxWaiting > 0 && countWaiting(t, q.Conv, p.MaxWaiting) >= p.MaxWaiting {
			return maybe[core.Pending]{}, core.ErrQueueFull
		}
		if q.Seq, err = t.next(bucketInbox); err != nil {
			return maybe[core.Pending]{}, err
		}
		if q.Event.Kind != core.KindCommand { // a command is no question
			if q.First, err = markThreads(t, &q, p.MarksThread); err != nil {
				return maybe[core.Pending]{}, err
			}
		}
		key := inboxKey(q.Conv, q.Seq)
		return maybe[core.Pending]{q, true}, errors.Join(
			save(t, bucketInbox, key, q),
			save(t, bucketQuestions, messageKey(q.Event.Bot, q.Event.Ref()), questionRecord{Inbox: key}),
			remember(t, seen, key),
		)
	})
	return r.value, r.ok, err
}

// countWaiting counts up to limit.
func countWaiting(t *txn, conv core.ConvKey, limit int) (n int) {
	for range t.scan(bucketInbox, joinKey(string(conv))) {
		if n++; n >= limit {
			break
		}
	}
	return n
}

// markThreads returns whether the question is the first of the thread that it stands in.
func markThreads(t *txn, q *core.Pending, opened bool) (first bool, err error) {
	if q.Event.Thread != "" {
		at, err := t.nowAt(q.Event.Bot, q.Event.Place())
		if err != nil {
			return false, err
		}
		key := threadKey(q.Event.Bot, at)
		m, _, err := load[core.ThreadMark](t, bucketThreads, key)
		if err != nil {
			return false, err
		}
		first = !m.Opened && !m.Answered
		m.Answered = true
		if err := save(t, bucketThreads, key, m); err != nil {
			return false, err
		}
	}
	if opened && q.At.Thread != "" {
		key := threadKey(q.Event.Bot, q.At)
		m, _, err := load[core.ThreadMark](t, bucketThreads, key)
		if err != nil {
			return false, err
		}
		m.Opened = true
		if err := save(t, bucketThreads, key, m); err != nil {
			return false, err
		}
	}
	return first, nil
}

// remember writes a seen key with its time. inbox is nil for an event that is no question.
func remember(t *txn, key, inbox []byte) error {
	now := time.Now()
	if err := save(t, bucketSeen, key, seenRecord{At: now.UnixMilli(), Inbox: inbox}); err != nil {
		return err
	}
	return t.put(bucketSeenAt, timeKey(now, key), mark)
}

// Seen tells whether a key is known.
func (s *Store) Seen(ctx context.Context, bot, key string) (bool, error) {
	return read(ctx, s, "seen", func(t *txn) (bool, error) { return t.has(bucketSeen, joinKey(bot, key)), nil })
}

// See remembers the key of an event that needs no answer; fresh is false if it was known.
func (s *Store) See(ctx context.Context, bot, key string) (isFresh bool, err error) {
	return write(ctx, s, "see", func(t *txn) (bool, error) { return see(t, bot, key) })
}

func see(t *txn, bot, key string) (isFresh bool, err error) {
	if bot == "" || key == "" {
		return false, errors.New("the bot and the key must be set")
	}
	k := joinKey(bot, key)
	if t.has(bucketSeen, k) {
		return false, nil
	}
	return true, remember(t, k, nil)
}

// Waiting lists the questions of a conversation that no ended turn has answered, oldest first, at most limit; 0: all.
// Those that a running turn has taken are among them.
func (s *Store) Waiting(ctx context.Context, conv core.ConvKey, limit int) ([]core.Pending, error) {
	return read(ctx, s, "waiting", func(t *txn) ([]core.Pending, error) {
		conv, err := t.now(conv)
		if err != nil {
			return nil, err
		}
		var found []core.Pending
		for k, raw := range t.scan(bucketInbox, joinKey(string(conv))) {
			if limit > 0 && len(found) == limit {
				break
			}
			q, err := decode[core.Pending](bucketInbox, k, raw)
			if err != nil {
				return nil, err
			}
			found = append(found, q)
		}
		return found, nil
	})
}

// Unfinished lists the conversations with waiting questions or a journalled turn, in order of their oldest question;
// a turn without questions comes before all.
func (s *Store) Unfinished(ctx context.Context) ([]core.ConvKey, error) {
	return read(ctx, s, "unfinished", func(t *txn) ([]core.ConvKey, error) {
		oldest := map[core.ConvKey]uint64{}
		c := t.bucket(bucketInbox).Cursor()
		for k, _ := c.First(); k != nil; {
			conv, seq, err := splitInboxKey(k)
			if err != nil {
				return nil, err
			}
			oldest[conv] = seq
			// On to the next conversation: no question has the last number.
			k, _ = c.Seek(inboxKey(conv, ^uint64(0)))
		}
		for k, raw := range t.scan(bucketTurns, nil) {
			turn, err := decode[core.Turn](bucketTurns, k, raw)
			if err != nil {
				return nil, err
			}
			conv, _, err := cutPart(k)
			if err != nil {
				return nil, damaged(bucketTurns, k, err)
			}
			var first uint64
			if len(turn.Seqs) > 0 {
				first = slices.Min(turn.Seqs)
			}
			if at, ok := oldest[core.ConvKey(conv)]; !ok || first < at {
				oldest[core.ConvKey(conv)] = first
			}
		}
		convs := make([]core.ConvKey, 0, len(oldest))
		for conv := range oldest {
			convs = append(convs, conv)
		}
		slices.SortFunc(convs, func(a, b core.ConvKey) int {
			if c := cmp.Compare(oldest[a], oldest[b]); c != 0 {
				return c
			}
			return cmp.Compare(a, b)
		})
		return convs, nil
	})
}

// Revise changes the text of a waiting question that no turn has taken. ok is false if there is none.
func (s *Store) Revise(ctx context.Context, bot string, m core.MessageRef, text string) (ok bool, err error) {
	return write(ctx, s, "revise", func(t *txn) (bool, error) {
		key, q, ok, err := untaken(t, bot, m)
		if err != nil || !ok {
			return false, err
		}
		q.Event.Text = text
		return true, save(t, bucketInbox, key, q)
	})
}

// Withdraw removes a waiting question that no turn has taken. ok is false if there is none. Its key stays known.
func (s *Store) Withdraw(ctx context.Context, bot string, m core.MessageRef) (ok bool, err error) {
	return write(ctx, s, "withdraw", func(t *txn) (bool, error) {
		key, _, ok, err := untaken(t, bot, m)
		if err != nil || !ok {
			return false, err
		}
		return true, removeQuestion(t, key)
	})
}

// untaken finds a question by its message, unless the turn of its conversation has taken it.
func untaken(t *txn, bot string, m core.MessageRef) (key []byte, q core.Pending, ok bool, err error) {
	at, ok, err := load[questionRecord](t, bucketQuestions, messageKey(bot, m))
	if err != nil || !ok {
		return nil, q, false, err
	}
	q, ok, err = load[core.Pending](t, bucketInbox, at.Inbox)
	if err != nil || !ok {
		return nil, q, false, err
	}
	conv, seq, err := splitInboxKey(at.Inbox)
	if err != nil {
		return nil, q, false, err
	}
	turn, running, err := load[core.Turn](t, bucketTurns, joinKey(string(conv)))
	if err != nil {
		return nil, q, false, err
	}
	if running && slices.Contains(turn.Seqs, seq) {
		return nil, q, false, nil
	}
	return at.Inbox, q, true, nil
}

// removeQuestion removes a question and its index entry. A damaged one is removed as well: it has been dealt with, and
// its index entry leads nowhere then, which readers take for none.
func removeQuestion(t *txn, key []byte) error {
	q, ok, err := load[core.Pending](t, bucketInbox, key)
	if err == nil && ok {
		index := messageKey(q.Event.Bot, q.Event.Ref())
		// The same message may have become another question since.
		if at, found, err := load[questionRecord](t, bucketQuestions, index); err == nil && found && string(at.Inbox) == string(key) {
			if err := t.del(bucketQuestions, index); err != nil {
				return err
			}
		}
	}
	return t.del(bucketInbox, key)
}
