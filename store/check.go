package store

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/clickai/bridge/core"
)

// maxFindings is how many findings Check reports; a broken file may have one for each value.
const maxFindings = 100

// checker collects findings.
type checker struct {
	found []error
	more  int
}

func (c *checker) add(err error) {
	switch {
	case err == nil:
	case len(c.found) < maxFindings:
		c.found = append(c.found, err)
	default:
		c.more++
	}
}

func (c *checker) err() error {
	if c.more > 0 {
		return errors.Join(append(c.found, fmt.Errorf("%d more findings", c.more))...)
	}
	return errors.Join(c.found...)
}

// check looks for damage; see [Store.Check].
func check(ctx context.Context, t *txn) error {
	var c checker
	c.add(checkPages(t))
	for _, step := range []func(*txn, *checker){
		checkInbox, checkSeen, checkLinks, checkRatings, checkJobs, checkRest,
	} {
		if err := ctx.Err(); err != nil {
			return errors.Join(c.err(), err)
		}
		step(t, &c)
	}
	return c.err()
}

// checkPages has bbolt look at its own structure.
func checkPages(t *txn) error {
	var c checker
	for err := range t.tx.Check() { // read to its end: its goroutine stops only there
		c.add(err)
	}
	return c.err()
}

// checkValues decodes every value of a bucket and passes on those that can be.
func checkValues[T any](t *txn, c *checker, b bucket, visit func(key []byte, v T) error) {
	for k, raw := range t.scan(b, nil) {
		v, err := decode[T](b, k, raw)
		if err == nil && visit != nil {
			if err = visit(k, v); err != nil {
				err = damaged(b, k, err)
			}
		}
		c.add(err)
	}
}

// checkIndex looks at an index by time: each entry leads to something.
func checkIndex(t *txn, c *checker, index, target bucket) {
	for k := range t.scan(index, nil) {
		_, key, err := splitTimeKey(index, k)
		if err == nil && !t.has(target, key) {
			err = damaged(index, k, fmt.Errorf("it leads to nothing in %s", target))
		}
		c.add(err)
	}
}

func indexed(t *txn, index bucket, at time.Time, key []byte) error {
	if !t.has(index, timeKey(at, key)) {
		return fmt.Errorf("not in %s", index)
	}
	return nil
}

func checkInbox(t *txn, c *checker) {
	checkValues(t, c, bucketInbox, func(k []byte, q core.Pending) error {
		conv, seq, err := splitInboxKey(k)
		if err != nil {
			return err
		}
		if conv != q.Conv || seq != q.Seq {
			return fmt.Errorf("it holds question %d of %q", q.Seq, q.Conv)
		}
		return nil
	})
	checkValues(t, c, bucketQuestions, func(_ []byte, r questionRecord) error {
		if !t.has(bucketInbox, r.Inbox) {
			return errors.New("it leads to no question")
		}
		return nil
	})
}

func checkSeen(t *txn, c *checker) {
	checkValues(t, c, bucketSeen, func(k []byte, r seenRecord) error {
		return indexed(t, bucketSeenAt, time.UnixMilli(r.At), k)
	})
	checkIndex(t, c, bucketSeenAt, bucketSeen)
}

func checkLinks(t *txn, c *checker) {
	checkValues(t, c, bucketLinks, func(k []byte, l core.Link) error { return indexed(t, bucketLinksAt, l.At, k) })
	checkIndex(t, c, bucketLinksAt, bucketLinks)
}

func checkRatings(t *txn, c *checker) {
	checkIndex(t, c, bucketRatingsAt, bucketRatings)
	checkValues[voteRecord](t, c, bucketVotes, nil)
	checkValues(t, c, bucketRatings, func(turn []byte, r ratingRecord) error {
		likes, dislikes := 0, 0
		for k, raw := range t.scan(bucketVotes, turn) {
			rec, err := decode[voteRecord](bucketVotes, k, raw)
			if err != nil {
				return err
			}
			switch rec.rating() {
			case core.RatingLike:
				likes++
			case core.RatingDislike:
				dislikes++
			case core.RatingNone:
			}
		}
		if likes != r.Likes || dislikes != r.Dislikes {
			return fmt.Errorf("it counts %d likes and %d dislikes where %d and %d stand", r.Likes, r.Dislikes, likes, dislikes)
		}
		if next := r.decide(); next != r.Rating {
			return fmt.Errorf("it says %q where the votes say %q", r.Rating, next)
		}
		return indexed(t, bucketRatingsAt, time.UnixMilli(r.Changed), turn)
	})
}

func checkJobs(t *txn, c *checker) {
	checkValues(t, c, bucketRatingJobs, func(k []byte, r jobRecord) error {
		if !t.has(bucketRatingJobsDue, numKey(r.Due)) {
			return errors.New("not in rating_jobs_at")
		}
		if r.Job.ID != string(k) {
			return fmt.Errorf("it holds job %q", r.Job.ID)
		}
		return nil
	})
	checkValues(t, c, bucketRatingJobsDue, func(k []byte, id string) error {
		rec, ok, err := load[jobRecord](t, bucketRatingJobs, []byte(id))
		if err == nil && (!ok || !bytes.Equal(numKey(rec.Due), k)) {
			err = errors.New("it leads to no job")
		}
		return err
	})
}

func checkEarly(t *txn, c *checker) {
	checkValues(t, c, bucketEarly, func(k []byte, r earlyRecord) error { return indexed(t, bucketEarlyAt, time.UnixMilli(r.At), k) })
	checkIndex(t, c, bucketEarlyAt, bucketEarly)
}

func checkRest(t *txn, c *checker) {
	checkEarly(t, c)
	checkValues[core.Conversation](t, c, bucketConversations, nil)
	checkValues[core.Turn](t, c, bucketTurns, nil)
	checkValues[core.ThreadMark](t, c, bucketThreads, nil)
	checkValues[string](t, c, bucketCursors, nil)
	checkValues[string](t, c, bucketForgotten, nil)
	checkValues[string](t, c, bucketMoves, nil)
	for k, raw := range t.scan(bucketMeta, joinKey("first_start")) {
		_, err := decode[time.Time](bucketMeta, k, raw)
		c.add(err)
	}
}
