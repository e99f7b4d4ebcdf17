package store

import (
	"bytes"
	"fmt"
	"iter"

	bolt "go.etcd.io/bbolt"
)

// txn is a transaction that knows whether anything was changed in it. Slices that it returns are valid until it ends.
type txn struct {
	tx    *bolt.Tx
	dirty bool
}

// bucket is never nil: [prepare] has made all buckets.
func (t *txn) bucket(b bucket) *bolt.Bucket { return t.tx.Bucket([]byte(b)) }

func (t *txn) get(b bucket, key []byte) []byte { return t.bucket(b).Get(key) }

func (t *txn) has(b bucket, key []byte) bool { return t.get(b, key) != nil }

func (t *txn) put(b bucket, key, value []byte) error {
	t.dirty = true
	if err := t.bucket(b).Put(key, value); err != nil {
		return fmt.Errorf("put into %s: %w", b, err)
	}
	return nil
}

// del removes a key. One that is not there changes nothing.
func (t *txn) del(b bucket, key []byte) error {
	if !t.has(b, key) {
		return nil
	}
	t.dirty = true
	if err := t.bucket(b).Delete(key); err != nil {
		return fmt.Errorf("delete from %s: %w", b, err)
	}
	return nil
}

// next counts upwards from 1, for each bucket by itself.
func (t *txn) next(b bucket) (uint64, error) {
	t.dirty = true
	n, err := t.bucket(b).NextSequence()
	if err != nil {
		return 0, fmt.Errorf("next number of %s: %w", b, err)
	}
	return n, nil
}

// scan yields the keys that begin with prefix, and their values, in order. Nothing may be changed meanwhile.
func (t *txn) scan(b bucket, prefix []byte) iter.Seq2[[]byte, []byte] {
	return func(yield func(k, v []byte) bool) {
		c := t.bucket(b).Cursor()
		for k, v := c.Seek(prefix); k != nil && bytes.HasPrefix(k, prefix); k, v = c.Next() {
			if !yield(k, v) {
				return
			}
		}
	}
}

// maybe is a result that may be missing, or may not be news.
type maybe[T any] struct {
	value T
	ok    bool
}

// load reads a value; ok is false if there is none.
func load[T any](t *txn, b bucket, key []byte) (v T, ok bool, err error) {
	raw := t.get(b, key)
	if raw == nil {
		return v, false, nil
	}
	v, err = decode[T](b, key, raw)
	return v, err == nil, err
}

// save writes a value, unless it is there already.
func save[T any](t *txn, b bucket, key []byte, v T) error {
	raw, err := encode(v)
	if err != nil {
		return err
	}
	if bytes.Equal(t.get(b, key), raw) {
		return nil
	}
	return t.put(b, key, raw)
}

// mark is the value of an index entry, whose key says all.
var mark = []byte(`{"v":1}`)
