package store

import (
	"errors"
	"fmt"
	"slices"

	bolt "go.etcd.io/bbolt"
)

// schemaVersion is the layout that this code reads and writes. Adding a field to a value does not change it; renaming or
// moving data does, and then needs a step in migrations.
const schemaVersion = 1

// bucket is the name of a top-level bucket. The names are stored: their spelling never changes.
type bucket string

// The buckets. A key "a, b" is made of the parts a and b, see [joinKey]; "n" and "time" are 8 bytes, big-endian.
const (
	bucketMeta          bucket = "meta"           // "schema" → version; "first_start", bot → time
	bucketInbox         bucket = "inbox"          // conv, n of acceptance → core.Pending
	bucketQuestions     bucket = "questions"      // bot, room, message → key in inbox
	bucketSeen          bucket = "seen"           // bot, event key → when, and the key in inbox if it was a question
	bucketSeenAt        bucket = "seen_at"        // time, key in seen
	bucketConversations bucket = "conversations"  // conv → core.Conversation
	bucketForgotten     bucket = "forgotten"      // conv → the conversation_id that no turn may bring back
	bucketTurns         bucket = "turns"          // conv → core.Turn
	bucketThreads       bucket = "threads"        // bot, room, thread → core.ThreadMark
	bucketMoves         bucket = "moves"          // bot, room → the id that it has now; one for each that has moved
	bucketLinks         bucket = "links"          // bot, room, message → core.Link
	bucketLinksAt       bucket = "links_at"       // time, key in links
	bucketVotes         bucket = "votes"          // app, ClickAI message, person → voteRecord
	bucketRatings       bucket = "ratings"        // app, ClickAI message → ratingRecord
	bucketRatingsAt     bucket = "ratings_at"     // time, key in ratings
	bucketRatingJobs    bucket = "rating_jobs"    // job id → jobRecord
	bucketRatingJobsDue bucket = "rating_jobs_at" // n of last change → job id
	bucketEarly         bucket = "early"          // bot, room, message → earlyRecord
	bucketEarlyAt       bucket = "early_at"       // time, key in early
	bucketCursors       bucket = "cursors"        // bot, name → text
)

var buckets = []bucket{
	bucketMeta, bucketInbox, bucketQuestions, bucketSeen, bucketSeenAt, bucketConversations, bucketTurns, bucketThreads,
	bucketLinks, bucketLinksAt, bucketVotes, bucketRatings, bucketRatingsAt, bucketRatingJobs, bucketRatingJobsDue,
	bucketCursors, bucketMoves, bucketEarly, bucketEarlyAt, bucketForgotten,
}

// migration takes a file from one version to the next. It runs in a transaction of its own with the new version number.
type migration func(tx *bolt.Tx) error

// migrations[i] leads from version i+1 to i+2; there is one for each version but the newest.
var migrations = []migration{}

// ErrNewerSchema is returned by [Open] for a file that a newer bridge wrote.
var ErrNewerSchema = errors.New("written by a newer version of the bridge")

// ErrNotStore is returned by [Open] for a file that is no store.
var ErrNotStore = errors.New("not a bridge store")

var keySchema = joinKey("schema")

// prepare brings the file to version target, or refuses it. A new file is laid out; one that is right is not written to.
func prepare(db *bolt.DB, target int, steps []migration) error {
	for done := false; !done; {
		err := db.Update(func(tx *bolt.Tx) (err error) {
			done, err = prepareStep(tx, target, steps)
			return err
		})
		if err != nil && !errors.Is(err, errNothing) {
			return err
		}
	}
	return nil
}

// prepareStep goes one version further. done is true once the file is right.
func prepareStep(tx *bolt.Tx, target int, steps []migration) (done bool, err error) {
	version, err := readSchema(tx)
	switch {
	case err != nil:
		return false, err
	case version > target:
		return false, fmt.Errorf("%w (schema %d, this one knows up to %d): run the newer bridge, or restore a backup from before", ErrNewerSchema, version, target)
	case version == target && hasBuckets(tx):
		return true, errNothing
	case version == target:
		return true, createBuckets(tx)
	case version == 0:
		return true, errors.Join(createBuckets(tx), writeSchema(tx, target))
	case version > len(steps):
		return false, fmt.Errorf("no migration from schema %d to %d is known", version, version+1)
	}
	if err := steps[version-1](tx); err != nil {
		return false, fmt.Errorf("migrate schema %d to %d: %w", version, version+1, err)
	}
	return false, writeSchema(tx, version+1)
}

// readSchema returns 0 for an empty file.
func readSchema(tx *bolt.Tx) (int, error) {
	meta := tx.Bucket([]byte(bucketMeta))
	if meta == nil {
		if name, _ := tx.Cursor().First(); name != nil {
			return 0, fmt.Errorf("%w: it holds other data; point store.path to another file", ErrNotStore)
		}
		return 0, nil
	}
	raw := meta.Get(keySchema)
	if raw == nil {
		return 0, fmt.Errorf("%w: it holds no schema version; point store.path to another file", ErrNotStore)
	}
	version, err := decode[int](bucketMeta, keySchema, raw)
	if err != nil {
		return 0, err
	}
	if version < 1 {
		return 0, fmt.Errorf("%w: its schema version is %d", ErrNotStore, version)
	}
	return version, nil
}

func writeSchema(tx *bolt.Tx, version int) error {
	raw, err := encode(version)
	if err != nil {
		return err
	}
	return tx.Bucket([]byte(bucketMeta)).Put(keySchema, raw)
}

func hasBuckets(tx *bolt.Tx) bool {
	return !slices.ContainsFunc(buckets, func(b bucket) bool { return tx.Bucket([]byte(b)) == nil })
}

func createBuckets(tx *bolt.Tx) error {
	for _, b := range buckets {
		if _, err := tx.CreateBucketIfNotExists([]byte(b)); err != nil {
			return fmt.Errorf("create bucket %s: %w", b, err)
		}
	}
	return nil
}
