package store

import (
	"bytes"
	"iter"
)

// MaxPage is the most entries that one page of a list looks at. It bounds how long a page's read transaction lasts.
const MaxPage = 1000

func pageLimit(limit int) int {
	if limit <= 0 || limit > MaxPage {
		return MaxPage
	}
	return limit
}

// from yields the entries behind the key after, in order, at most limit of them; nil stands before the first. Nothing may
// be changed meanwhile.
func (t *txn) from(b bucket, after []byte, limit int) iter.Seq2[[]byte, []byte] {
	return func(yield func(k, v []byte) bool) {
		c := t.bucket(b).Cursor()
		k, v := c.Seek(after)
		if len(after) > 0 && bytes.Equal(k, after) {
			k, v = c.Next()
		}
		for ; k != nil && limit > 0; k, v = c.Next() {
			limit--
			if !yield(k, v) {
				return
			}
		}
	}
}

// page is a part of a list, with where the next part begins.
type page[T any] struct {
	rows []T
	next []byte
}

// readPage makes a page of what visit makes of the entries behind after; an entry for which keep is false is left out.
func readPage[T any](t *txn, b bucket, after []byte, limit int, visit func(k, raw []byte) (row T, keep bool, err error)) (page[T], error) {
	limit = pageLimit(limit)
	var p page[T]
	looked := 0
	for k, raw := range t.from(b, after, limit) {
		row, keep, err := visit(k, raw)
		if err != nil {
			return page[T]{}, err
		}
		if keep {
			p.rows = append(p.rows, row)
		}
		if looked++; looked == limit {
			p.next = bytes.Clone(k)
		}
	}
	return p, nil
}
