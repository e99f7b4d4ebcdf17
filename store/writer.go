package store

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	bolt "go.etcd.io/bbolt"
)

const (
	// maxGroup is the most operations in one commit. It bounds how much work is done again when one of them fails, and
	// how long the first of them waits for the last.
	maxGroup = 256
	// maxQueued is the most operations that wait to be taken. Further callers wait for a place.
	maxQueued = 1024
)

// ErrClosed is returned by every method once the store is being closed.
var ErrClosed = errors.New("the store is closed")

// errPanic marks an operation that panicked. It was rolled back.
var errPanic = errors.New("panic in a store operation")

var (
	errAgain   = errors.New("run the group again without the failed operation")
	errNothing = errors.New("nothing was changed")
)

// operation is one caller's write. fn may run several times, each time in a transaction that holds nothing of an earlier run.
type operation struct {
	fn    func(*txn) error
	taken atomic.Bool // by the writer, or by the caller who gave up
	done  chan error  // capacity 1: the writer never waits for the caller
}

// writer owns all commits.
type writer struct {
	db    *bolt.DB
	queue chan *operation
	stop  chan struct{} // closed by close: take nothing new
	gone  chan struct{} // closed when run has ended

	stopOnce sync.Once
	onCommit func(took time.Duration, operations int, err error) // may be nil

	commits    atomic.Uint64
	operations atomic.Uint64
	failure    atomic.Pointer[error] // of the last commit; nil if it went well
}

func startWriter(db *bolt.DB, onCommit func(time.Duration, int, error)) *writer {
	w := &writer{
		db:    db,
		queue: make(chan *operation, maxQueued),
		stop:  make(chan struct{}),
		gone:  make(chan struct{}),

		onCommit: onCommit,
	}
	go w.run()
	return w
}

// close ends the writer when all that is queued has been committed, and waits for that.
func (w *writer) close() {
	w.stopOnce.Do(func() { close(w.stop) })
	<-w.gone
}

// do runs fn in a transaction and returns when that is on disk. ctx counts until the writer has taken fn.
func (w *writer) do(ctx context.Context, fn func(*txn) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	select {
	case <-w.stop:
		return ErrClosed
	default:
	}
	op := &operation{fn: fn, done: make(chan error, 1)}
	select {
	case w.queue <- op:
	case <-ctx.Done():
		return ctx.Err()
	case <-w.stop:
		return ErrClosed
	}
	select {
	case err := <-op.done:
		return err
	case <-ctx.Done():
		if op.taken.CompareAndSwap(false, true) {
			return ctx.Err()
		}
		return <-op.done
	case <-w.gone:
		select {
		case err := <-op.done:
			return err
		default:
			return ErrClosed
		}
	}
}

func (w *writer) run() {
	defer close(w.gone)
	busy := false
	for {
		select {
		case op := <-w.queue:
			group := w.gather(op, busy)
			busy = len(group) > 1
			w.commit(group)
		case <-w.stop:
			if len(w.queue) == 0 {
				return
			}
		}
	}
}

// gather takes what is queued behind first. After a busy round the callers of that round, who are about to write again,
// get a chance to queue up before the next commit begins.
func (w *writer) gather(first *operation, busy bool) []*operation {
	if busy {
		runtime.Gosched()
	}
	group := make([]*operation, 0, min(len(w.queue)+1, maxGroup))
	take := func(op *operation) {
		if op.taken.CompareAndSwap(false, true) {
			group = append(group, op)
		}
	}
	take(first)
	for len(group) < maxGroup {
		select {
		case op := <-w.queue:
			take(op)
			continue
		default:
		}
		break
	}
	return group
}

// commit runs the group in one transaction and tells each caller. An operation that fails before it has changed anything
// is only told so; one that fails later is told so and the others are run again.
func (w *writer) commit(group []*operation) {
	w.operations.Add(uint64(len(group)))
	for len(group) > 0 {
		results := make([]error, len(group))
		failed, began := -1, time.Now()
		err := w.db.Update(func(tx *bolt.Tx) error {
			changed := false
			for i, op := range group {
				t := &txn{tx: tx}
				results[i] = runSafely(op.fn, t)
				if results[i] != nil && t.dirty {
					failed = i
					return errAgain
				}
				changed = changed || t.dirty
			}
			if !changed {
				return errNothing
			}
			return nil
		})
		switch {
		case failed >= 0:
			group[failed].done <- results[failed]
			group = slices.Delete(group, failed, failed+1)
			continue
		case errors.Is(err, errNothing):
		case err != nil:
			err = fmt.Errorf("commit: %w", err)
			w.failure.Store(&err)
			w.told(began, len(group), err)
			for i := range results {
				if results[i] == nil {
					results[i] = err
				}
			}
		default:
			w.commits.Add(1)
			w.failure.Store(nil)
			w.told(began, len(group), nil)
		}
		for i, op := range group {
			op.done <- results[i]
		}
		return
	}
}

func (w *writer) told(began time.Time, operations int, err error) {
	if w.onCommit != nil {
		w.onCommit(time.Since(began), operations, err)
	}
}

// runSafely turns a panic into an error and has the transaction rolled back, so that one bad value cannot end the bridge.
func runSafely(fn func(*txn) error, t *txn) (err error) {
	defer func() {
		if p := recover(); p != nil {
			t.dirty = true
			err = fmt.Errorf("%w: %v", errPanic, p)
		}
	}()
	return fn(t)
}

// write runs fn as one operation of the writer. fn returns its result anew each time that it runs.
func write[T any](ctx context.Context, s *Store, what string, fn func(*txn) (T, error)) (T, error) {
	var result T
	err := s.writer.do(ctx, func(t *txn) (err error) {
		result, err = fn(t)
		return err
	})
	if err != nil {
		var none T
		return none, fmt.Errorf("store: %s: %w", what, err)
	}
	return result, nil
}

// read runs fn on the last committed state.
func read[T any](ctx context.Context, s *Store, what string, fn func(*txn) (T, error)) (result T, err error) {
	if err := ctx.Err(); err != nil {
		return result, fmt.Errorf("store: %s: %w", what, err)
	}
	err = s.db.View(func(tx *bolt.Tx) (err error) {
		result, err = fn(&txn{tx: tx})
		return err
	})
	if err != nil {
		var none T
		return none, fmt.Errorf("store: %s: %w", what, openError(err))
	}
	return result, nil
}
