package store

import (
	"errors"
	"fmt"
	"os"
	"runtime/debug"
	"time"

	bolt "go.etcd.io/bbolt"
)

// sharedTimeout is how long a look at a file waits for the process that holds it.
const sharedTimeout = time.Second

// openShared opens a file for reading and keeps writers out. It makes no file, changes none, and reads no more than its
// first two pages.
func openShared(path string) (db *bolt.DB, err error) {
	err = guard(func() error {
		db, err = bolt.Open(path, 0o600, &bolt.Options{ReadOnly: true, Timeout: sharedTimeout})
		return err
	})
	switch {
	case err == nil:
		return db, nil
	case errors.Is(err, ErrNotStore), errors.Is(err, os.ErrNotExist), errors.Is(err, os.ErrPermission):
		return nil, err
	}
	return nil, openError(err)
}

// guard runs fn, which reads a file that may be damaged. bbolt panics on some of what it does not expect, and what it maps
// may be gone; both become errors here, in fn's own goroutine alone.
func guard(fn func() error) (err error) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("%w, or damaged: %v", ErrNotStore, p)
		}
	}()
	return fn()
}
