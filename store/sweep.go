package store

import (
	"bytes"
	"context"
	"time"
)

// sweepStep is how many entries one operation of the sweep looks at or deletes: a few milliseconds' work.
const sweepStep = 200

// Sweep forgets seen keys older than seen, links and votes older than links, and reactions to messages that nothing is known
// of after a day; the zero time leaves those alone. It
// works in steps, each an operation of its own, so that other writers come in between. Kept are the key of a question
// that still waits and the votes of a turn whose rating is still to be sent. After an error, or when ctx ends, what was
// forgotten so far stays forgotten.
func (s *Store) Sweep(ctx context.Context, seen, links time.Time) error {
	early := seen
	if !seen.IsZero() {
		early = time.Now().Add(-earlyFor)
	}
	for _, job := range []struct {
		index  bucket
		before time.Time
		forget forgetFunc
	}{
		{bucketSeenAt, seen, forgetSeen},
		{bucketLinksAt, links, forgetLink},
		{bucketRatingsAt, links, forgetVotes},
		{bucketEarlyAt, early, forgetEarly},
	} {
		if job.before.IsZero() {
			continue
		}
		var from []byte // entries before it have been looked at
		for more := true; more; {
			next, err := write(ctx, s, "sweep "+string(job.index), func(t *txn) ([]byte, error) {
				return sweepSome(t, job.index, from, job.before, job.forget)
			})
			if err != nil {
				return err
			}
			from, more = next, next != nil
		}
	}
	return nil
}

// forgetFunc deletes what an index entry points to, in at most budget deletions. It returns how many it made and what
// becomes of the entry.
type forgetFunc func(t *txn, key []byte, budget int) (used int, then fate, err error)

// fate is what becomes of an index entry.
type fate int

const (
	entryGone fate = iota // all is deleted, the entry goes too
	entryKept             // it stays for a later sweep
	entryOpen             // the budget ran out: go on with the same one
)

// sweepSome looks at entries of an index by time and has forgotten what they point to. It returns where to go on; nil at
// the end.
func sweepSome(t *txn, index bucket, from []byte, before time.Time, forget forgetFunc) (next []byte, err error) {
	// The keys are taken first: a cursor does not outlive a deletion.
	var due [][]byte
	c := t.bucket(index).Cursor()
	k, _ := c.Seek(from)
	for ; k != nil && len(due) < sweepStep; k, _ = c.Next() {
		at, _, err := splitTimeKey(index, k)
		if err != nil {
			return nil, err
		}
		if !at.Before(before) {
			k = nil
			break
		}
		due = append(due, bytes.Clone(k))
	}
	next = bytes.Clone(k)
	budget := sweepStep
	for _, entry := range due {
		if budget <= 0 {
			return entry, nil
		}
		used, then, err := forget(t, entry[timeLen:], budget)
		if err != nil {
			return nil, err
		}
		switch then {
		case entryGone:
			if err := t.del(index, entry); err != nil {
				return nil, err
			}
		case entryOpen:
			return entry, nil
		case entryKept:
		}
		budget -= used
	}
	return next, nil
}

func forgetSeen(t *txn, key []byte, _ int) (used int, then fate, err error) {
	// A damaged value is forgotten like any other: its time is in the index.
	if rec, ok, err := load[seenRecord](t, bucketSeen, key); err == nil && ok && len(rec.Inbox) > 0 && t.has(bucketInbox, rec.Inbox) {
		return 0, entryKept, nil
	}
	return 1, entryGone, t.del(bucketSeen, key)
}

func forgetLink(t *txn, key []byte, _ int) (used int, then fate, err error) {
	return 1, entryGone, t.del(bucketLinks, key)
}

func forgetEarly(t *txn, key []byte, _ int) (used int, then fate, err error) {
	return 1, entryGone, t.del(bucketEarly, key)
}

func forgetVotes(t *txn, turn []byte, budget int) (used int, then fate, err error) {
	app, rest, err := cutPart(turn)
	if err != nil {
		return 0, entryKept, damaged(bucketRatings, turn, err)
	}
	message, _, err := cutPart(rest)
	if err != nil {
		return 0, entryKept, damaged(bucketRatings, turn, err)
	}
	if t.has(bucketRatingJobs, []byte(jobID(app, message))) {
		return 0, entryKept, nil
	}
	var own [][]byte
	for k := range t.scan(bucketVotes, turn) {
		if len(own) == budget {
			break
		}
		own = append(own, bytes.Clone(k))
	}
	for _, k := range own {
		if err := t.del(bucketVotes, k); err != nil {
			return 0, entryKept, err
		}
	}
	if len(own) == budget {
		return budget, entryOpen, nil
	}
	return len(own) + 1, entryGone, t.del(bucketRatings, turn)
}
