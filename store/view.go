package store

import (
	"context"
	"fmt"

	bolt "go.etcd.io/bbolt"

	"github.com/clickai/bridge/core"
)

// ReadThread reads what the store at path knows of a thread of a bot. It makes no file and changes none. Errors: [ErrInUse]
// when another process holds the file for about a second, [ErrNotStore], [ErrNewerSchema], and what [os.Open] returns.
func ReadThread(ctx context.Context, path, bot string, p core.Place) (m core.ThreadMark, err error) {
	if p.Thread == "" {
		return m, nil
	}
	db, err := openShared(path)
	if err != nil {
		return m, fmt.Errorf("open store %s: %w", path, err)
	}
	err = guard(func() error {
		return db.View(func(tx *bolt.Tx) error {
			switch version, err := readSchema(tx); {
			case err != nil:
				return err
			case version > schemaVersion:
				return ErrNewerSchema
			case version < schemaVersion || !hasBuckets(tx):
				return nil // of an older bridge, which the next start brings up to date
			}
			if err := ctx.Err(); err != nil {
				return fmt.Errorf("read the thread: %w", err)
			}
			t := &txn{tx: tx}
			at, err := t.nowAt(bot, p)
			if err != nil {
				return err
			}
			m, _, err = load[core.ThreadMark](t, bucketThreads, threadKey(bot, at))
			return err
		})
	})
	if closeErr := db.Close(); err == nil {
		err = closeErr
	}
	if err != nil {
		return core.ThreadMark{}, fmt.Errorf("read store %s: %w", path, err)
	}
	return m, nil
}
