package store

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"strings"
	"time"
	"unicode"

	"github.com/clickai/bridge/core"
)

// maxReason is the longest reason that is kept, in characters.
const maxReason = 1000

// Reason adds what a person wrote to that person's rating of the turn that the message shows, and makes a job of it with a
// higher version. fresh is false where key is known, or the person has not rated the turn; key is remembered in any case.
func (s *Store) Reason(ctx context.Context, key, bot string, m core.MessageRef, who core.User, text string) (isFresh bool, err error) {
	return write(ctx, s, "reason", func(t *txn) (bool, error) {
		if isFresh, err := see(t, bot, key); err != nil || !isFresh {
			return false, err
		}
		link, ok, err := load[core.Link](t, bucketLinks, messageKey(bot, m))
		if err != nil || !ok || link.Message == "" {
			return false, err
		}
		turn := joinKey(link.App, link.Message)
		own := joinKey(link.App, link.Message, cmp.Or(who.Key, who.ID))
		rec, ok, err := load[voteRecord](t, bucketVotes, own)
		if err != nil || !ok || rec.counting() == nil {
			return false, err
		}
		rating, _, err := load[ratingRecord](t, bucketRatings, turn)
		if err != nil {
			return false, err
		}
		rec.Reason = paragraph(text)
		rating.Version++
		if err := errors.Join(save(t, bucketVotes, own, rec), save(t, bucketRatings, turn, rating)); err != nil {
			return false, err
		}
		_, err = putJob(t, turn, link, rating)
		return true, err
	})
}

// paragraph makes a text safe to stand among others in one line.
func paragraph(s string) string {
	runes := []rune(strings.Join(strings.FieldsFunc(s, func(r rune) bool { return unicode.IsSpace(r) || unicode.IsControl(r) }), " "))
	return string(runes[:min(len(runes), maxReason)])
}

const (
	// maxEarly is how many reactions are kept of one message whose turn is not known yet.
	maxEarly = 32
	// maxEarlyMessages is how many such messages there may be; over it the oldest are forgotten. They are counted every
	// earlyCount messages, so there may be so many more.
	maxEarlyMessages = 20_000
	earlyCount       = 1_000
	// earlyFor is how long they are kept. A message is linked within moments of being posted; after a crash, after the restart.
	earlyFor = 24 * time.Hour
)

// earlyVote is a reaction to a message that shows no turn as far as is known: it may have come before the message's link was
// stored, or be on somebody else's message.
type earlyVote struct {
	Person string    `json:"person"`
	Vote   core.Vote `json:"vote"`
}

// earlyRecord are the reactions to one message.
type earlyRecord struct {
	At    int64       `json:"at"` // Unix milliseconds, of the first one
	Votes []earlyVote `json:"votes"`
}

// keepEarly keeps a reaction until its message is linked.
func keepEarly(t *txn, person string, v core.Vote) error {
	key := messageKey(v.Bot, v.Ref)
	rec, ok, err := load[earlyRecord](t, bucketEarly, key)
	if err != nil {
		return err
	}
	if !ok {
		now := time.Now()
		rec.At = now.UnixMilli()
		n, err := t.next(bucketEarly)
		if err != nil {
			return err
		}
		if n%earlyCount == 0 {
			if err := thinEarly(t, maxEarlyMessages); err != nil {
				return err
			}
		}
		if err := t.put(bucketEarlyAt, timeKey(now, key), mark); err != nil {
			return err
		}
	}
	if len(rec.Votes) >= maxEarly {
		return nil
	}
	rec.Votes = append(rec.Votes, earlyVote{Person: person, Vote: v})
	return save(t, bucketEarly, key, rec)
}

// countEarly counts the reactions that came before the message's link.
func countEarly(t *txn, key []byte, link core.Link) error {
	if link.Message == "" {
		return nil // a later link of the message may have one
	}
	rec, ok, err := load[earlyRecord](t, bucketEarly, key)
	if _, bad := errors.AsType[*DamagedError](err); bad {
		return t.del(bucketEarly, key) // a turn must end, whatever became of a reaction; the sweep takes its place in the index
	}
	if err != nil || !ok {
		return err
	}
	for _, e := range rec.Votes {
		if _, _, err := count(t, link, e.Person, e.Vote); err != nil {
			return err
		}
	}
	return dropEarly(t, key, rec)
}

// thinEarly forgets the oldest of these messages, so that no more than most are left.
func thinEarly(t *txn, most int) error {
	var entries [][]byte // oldest first
	for k := range t.scan(bucketEarlyAt, nil) {
		entries = append(entries, bytes.Clone(k))
	}
	for _, entry := range entries[:max(0, len(entries)-most)] {
		if err := errors.Join(t.del(bucketEarly, entry[timeLen:]), t.del(bucketEarlyAt, entry)); err != nil {
			return err
		}
	}
	return nil
}

func dropEarly(t *txn, key []byte, rec earlyRecord) error {
	return errors.Join(t.del(bucketEarly, key), t.del(bucketEarlyAt, timeKey(time.UnixMilli(rec.At), key)))
}
