package store

import (
	"context"
	"path/filepath"

	bolt "go.etcd.io/bbolt"
)

// What tests need of the inside.
const (
	SchemaVersion = schemaVersion
	MaxGroup      = maxGroup
	MaxQueued     = maxQueued
	SweepStep     = sweepStep
)

var ErrPanic = errPanic

// Buckets are the names of all buckets.
func Buckets() []string {
	var names []string
	for _, b := range buckets {
		names = append(names, string(b))
	}
	return names
}

// Unsynced are options for tests that are not about durability: nothing waits for the disk.
func Unsynced() Options { return Options{noSync: true} }

// Tx lets a test write what it likes in an operation of the writer.
type Tx struct{ t *txn }

// Put writes a raw value.
func (x Tx) Put(b string, key, value []byte) error { return x.t.put(bucket(b), key, value) }

// Do runs fn as an operation.
func (s *Store) Do(ctx context.Context, fn func(Tx) error) error {
	return s.writer.do(ctx, func(t *txn) error { return fn(Tx{t}) })
}

// Queued is how many operations wait to be taken.
func (s *Store) Queued() int { return len(s.writer.queue) }

// Closing is closed when Close has begun.
func (s *Store) Closing() <-chan struct{} { return s.writer.stop }

// Raw reads a bucket as it is.
func (s *Store) Raw(b string) (map[string]string, error) {
	all := map[string]string{}
	err := s.db.View(func(tx *bolt.Tx) error {
		return tx.Bucket([]byte(b)).ForEach(func(k, v []byte) error {
			all[string(k)] = string(v)
			return nil
		})
	})
	return all, err
}

// JoinKey makes a key.
var JoinKey = joinKey

// OpenWith opens the file as a later version of the code would, with migrations of its own.
func OpenWith(dir string, target int, steps ...func(*bolt.Tx) error) error {
	db, err := bolt.Open(filepath.Join(dir, "bridge.db"), 0o600, nil)
	if err != nil {
		return err
	}
	ms := make([]migration, len(steps))
	for i, s := range steps {
		ms[i] = s
	}
	err = prepare(db, target, ms)
	if cerr := db.Close(); err == nil {
		err = cerr
	}
	return err
}
