package store

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/clickai/bridge/core"
)

// valueVersion is written with each value. A reader that meets a higher one refuses the value instead of misreading it.
const valueVersion = 1

type envelope[T any] struct {
	V int `json:"v"`
	D *T  `json:"d"`
}

// DamagedError is returned for a stored key or value that cannot be read.
type DamagedError struct {
	Bucket string
	Key    []byte
	Err    error
}

func (e *DamagedError) Error() string {
	return fmt.Sprintf("damaged data in %s at %q: %v", e.Bucket, e.Key, e.Err)
}

func (e *DamagedError) Unwrap() error { return e.Err }

func damaged(b bucket, key []byte, err error) error {
	return &DamagedError{Bucket: string(b), Key: append([]byte(nil), key...), Err: err}
}

func encode[T any](v T) ([]byte, error) {
	raw, err := json.Marshal(envelope[T]{V: valueVersion, D: &v})
	if err != nil {
		return nil, fmt.Errorf("encode %T: %w", v, err)
	}
	return raw, nil
}

// decode reads a value of a bucket. The result shares no memory with raw, which bbolt takes back after the transaction.
func decode[T any](b bucket, key, raw []byte) (v T, err error) {
	var e envelope[T]
	if err := json.Unmarshal(raw, &e); err != nil {
		return v, damaged(b, key, err)
	}
	if e.V < 1 || e.V > valueVersion {
		return v, damaged(b, key, fmt.Errorf("version %d of the value is unknown", e.V))
	}
	if e.D == nil {
		return v, damaged(b, key, errors.New("no data"))
	}
	return *e.D, nil
}

// joinKey makes a key of parts: each is its length as a uvarint and its bytes. The key of some first parts is a prefix of
// exactly those keys that begin with the same parts.
func joinKey(parts ...string) []byte {
	n := 0
	for _, p := range parts {
		n += binary.MaxVarintLen32 + len(p)
	}
	key := make([]byte, 0, n)
	for _, p := range parts {
		key = binary.AppendUvarint(key, uint64(len(p)))
		key = append(key, p...)
	}
	return key
}

var errKeyForm = errors.New("the key has not the expected form")

// cutPart splits the first part off a key made by [joinKey].
func cutPart(key []byte) (part string, rest []byte, err error) {
	n, w := binary.Uvarint(key)
	if w <= 0 || n > uint64(len(key)-w) {
		return "", nil, errKeyForm
	}
	end := w + int(n)
	return string(key[w:end]), key[end:], nil
}

func numKey(n uint64) []byte { return binary.BigEndian.AppendUint64(nil, n) }

func inboxKey(conv core.ConvKey, seq uint64) []byte {
	return binary.BigEndian.AppendUint64(joinKey(string(conv)), seq)
}

// splitInboxKey undoes inboxKey.
func splitInboxKey(key []byte) (core.ConvKey, uint64, error) {
	conv, rest, err := cutPart(key)
	if err != nil || len(rest) != 8 {
		return "", 0, damaged(bucketInbox, key, errKeyForm)
	}
	return core.ConvKey(conv), binary.BigEndian.Uint64(rest), nil
}

// messageKey names a message without its thread: ids are unique in a room on every platform, and an edit or a reaction
// may be told without the thread.
func messageKey(bot string, m core.MessageRef) []byte { return joinKey(bot, m.Room, m.ID) }

// timeLen is the length of the time in the key of an index by time.
const timeLen = 8

// timeKey orders key by time, in milliseconds since 1970; earlier times count as 1970.
func timeKey(at time.Time, key []byte) []byte {
	return append(numKey(uint64(max(at.UnixMilli(), 0))), key...)
}

// splitTimeKey undoes timeKey.
func splitTimeKey(b bucket, key []byte) (at time.Time, rest []byte, err error) {
	if len(key) < timeLen {
		return at, nil, damaged(b, key, errKeyForm)
	}
	return time.UnixMilli(int64(binary.BigEndian.Uint64(key))), key[timeLen:], nil
}
