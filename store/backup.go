package store

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	bolt "go.etcd.io/bbolt"
)

// Backup writes a consistent copy of the store, as of one commit, to the writer that begin returns for the size of the
// whole, in bytes. It ends with ctx, at the latest when the writer takes the next bytes; see [Store.WriteTo].
func (s *Store) Backup(ctx context.Context, begin func(size int64) (io.Writer, error)) error {
	_, err := read(ctx, s, "backup", func(t *txn) (struct{}, error) {
		size := t.tx.Size()
		w, err := begin(size)
		if err != nil {
			return struct{}{}, err
		}
		n, err := t.tx.WriteTo(&ctxWriter{ctx: ctx, w: w})
		if err == nil && n != size {
			err = fmt.Errorf("%d bytes of %d were written", n, size)
		}
		return struct{}{}, err
	})
	return err
}

// Verify looks for damage in a store's file that nobody writes to, a backup as a rule, and changes nothing in it. It reads
// everything. Errors: [ErrNotStore] for what is no store, or cut short or damaged; [ErrNewerSchema]; [ErrInUse] when a
// bridge holds the file.
func Verify(ctx context.Context, path string) error {
	info, err := os.Stat(path)
	if err != nil {
		return fmt.Errorf("check store: %w", err)
	}
	if !info.Mode().IsRegular() {
		return fmt.Errorf("check store %s: %w: it is no regular file", path, ErrNotStore)
	}
	if err := guard(func() error { return verify(ctx, path, info.Size()) }); err != nil {
		return fmt.Errorf("check store %s: %w", path, err)
	}
	return nil
}

func verify(ctx context.Context, path string, size int64) (err error) {
	if size == 0 {
		return fmt.Errorf("%w: the file is empty", ErrNotStore)
	}
	db, err := openShared(path)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	err = errors.Join(walk(ctx, f, size), f.Close())
	if ctx.Err() != nil {
		return err
	}
	if err != nil {
		return fmt.Errorf("%w, or damaged: %w", ErrNotStore, err)
	}
	return db.View(func(tx *bolt.Tx) error {
		version, err := readSchema(tx)
		switch {
		case err != nil:
			return err
		case version == 0:
			return fmt.Errorf("%w: it holds nothing", ErrNotStore)
		case version > schemaVersion:
			return fmt.Errorf("%w (schema %d, this one knows up to %d)", ErrNewerSchema, version, schemaVersion)
		}
		t := &txn{tx: tx}
		if version == schemaVersion && hasBuckets(tx) {
			err = check(ctx, t)
		} else {
			err = checkPages(t) // of an older layout: the rest is checked once it has been brought up to date
		}
		if err != nil {
			return fmt.Errorf("%w, or damaged: %w", ErrNotStore, err)
		}
		return nil
	})
}
