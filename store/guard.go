package store

import (
	"context"
	"fmt"
	"hash/crc32"
	"runtime/debug"
	"time"

	bolt "go.etcd.io/bbolt"
)

// sharedTimeout is how long a look at a file waits for the process that holds it.
const sharedTimeout = time.Second

// openShared opens a file for reading and keeps writers out. It makes no file and changes none.
func openShared(path string) (*bolt.DB, error) {
	db, err := bolt.Open(path, 0o600, &bolt.Options{ReadOnly: true, Timeout: sharedTimeout})
	if err != nil {
		return nil, openError(err)
	}
	return db, nil
}

// guard runs fn, which reads a file that may be damaged in any way. bbolt trusts the pages that it maps, so following a
// wrong one may panic or touch memory that is not there; both become errors here. That holds for fn's own goroutine alone.
func guard(fn func() error) (err error) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("%w, or damaged: %v", ErrNotStore, p)
		}
	}()
	return fn()
}

// touch reads every key and value that can be reached, in the caller's goroutine. bbolt's own check runs in another one,
// where [guard] does not help: it comes after.
func touch(ctx context.Context, tx *bolt.Tx) error {
	sum := crc32.NewIEEE()
	var walk func(b *bolt.Bucket, depth int) error
	walk = func(b *bolt.Bucket, depth int) error {
		if depth > maxDepth {
			return fmt.Errorf("%w: its buckets lead in a circle", ErrNotStore)
		}
		return b.ForEach(func(k, v []byte) error {
			if err := ctx.Err(); err != nil {
				return err
			}
			_, _ = sum.Write(k) // a hash never fails
			if v == nil {
				if next := b.Bucket(k); next != nil {
					return walk(next, depth+1)
				}
			}
			_, _ = sum.Write(v)
			return nil
		})
	}
	return tx.ForEach(func(name []byte, b *bolt.Bucket) error {
		_, _ = sum.Write(name)
		return walk(b, 0)
	})
}

// maxDepth is more than our buckets are nested, which they are not.
const maxDepth = 8
