package store

import (
	"context"
	"errors"
	"time"
)

// FirstStart returns when the bot was first started: now, if it is the first time. The time is in UTC.
func (s *Store) FirstStart(ctx context.Context, bot string, now time.Time) (time.Time, error) {
	return write(ctx, s, "first start", func(t *txn) (time.Time, error) {
		key := joinKey("first_start", bot)
		at, ok, err := load[time.Time](t, bucketMeta, key)
		if err != nil || ok {
			return at.UTC(), err
		}
		at = now.UTC().Round(0)
		return at, save(t, bucketMeta, key, at)
	})
}

// Cursor reads a position that [Store.SetCursor] stored; "" if there is none.
func (s *Store) Cursor(ctx context.Context, bot, name string) (string, error) {
	v, _, err := readOne[string](ctx, s, "cursor", bucketCursors, joinKey(bot, name))
	return v, err
}

// SetCursor stores a position for a platform, under a name of its own. One that stands there already costs no commit.
func (s *Store) SetCursor(ctx context.Context, bot, name, value string) error {
	_, err := write(ctx, s, "set cursor", func(t *txn) (struct{}, error) {
		if bot == "" || name == "" {
			return struct{}{}, errors.New("the bot and the name must be set")
		}
		return struct{}{}, save(t, bucketCursors, joinKey(bot, name), value)
	})
	return err
}
