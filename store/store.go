package store

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"time"

	bolt "go.etcd.io/bbolt"
	berrors "go.etcd.io/bbolt/errors"

	"github.com/clickai/bridge/core"
)

// Options tune a store. The zero value is right for production.
type Options struct {
	// LockTimeout is how long to wait for another process to let the file go; 0: one second.
	LockTimeout time.Duration
	// MaxSize bounds the file, in bytes. A write that would need more fails and Healthy says so; what frees space still
	// works. 0: no bound.
	MaxSize int
	// OnCommit, if set, is told how long each commit took, of how many operations, and its error. It must return at once.
	OnCommit func(took time.Duration, operations int, err error)

	noSync bool // for tests that are not about durability
}

// mapAhead is the address space reserved for the file beyond its size. While the file is smaller, a commit that makes
// it grow need not wait for readers, of which a backup to a slow writer is the longest. Only addresses are reserved, no
// memory and no disk; but on Windows bbolt makes the file itself that large, so there none is reserved.
const mapAhead = 256 << 20

// ErrInUse is returned by [Open] when another process holds the file.
var ErrInUse = errors.New("in use by another process")

// Store is a bbolt file that implements [core.Store].
type Store struct {
	db     *bolt.DB
	writer *writer
}

var _ core.Store = (*Store)(nil)

// Open opens the store at path, and makes it if it is not there; its directory must exist. The file is readable by its
// owner only. Errors: [ErrInUse] when another process holds it, [ErrNewerSchema], [ErrNotStore].
func Open(path string, opts Options) (*Store, error) {
	if path == "" {
		return nil, errors.New("open store: the path is empty: set store.path")
	}
	dir := filepath.Dir(path)
	info, err := os.Stat(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, fmt.Errorf("open store %s: directory %s does not exist: create it, or change store.path", path, dir)
	case err != nil:
		return nil, fmt.Errorf("open store %s: %w", path, err)
	case !info.IsDir():
		return nil, fmt.Errorf("open store %s: %s is not a directory: change store.path", path, dir)
	}
	_, err = os.Stat(path)
	isNew := errors.Is(err, fs.ErrNotExist)

	bo := *bolt.DefaultOptions
	bo.Timeout = time.Second
	if opts.LockTimeout > 0 {
		bo.Timeout = opts.LockTimeout
	}
	bo.FreelistType = bolt.FreelistMapType
	bo.MaxSize = opts.MaxSize
	bo.NoSync = opts.noSync
	if runtime.GOOS != "windows" {
		bo.InitialMmapSize = mapAhead
		if opts.MaxSize > 0 {
			bo.InitialMmapSize = min(mapAhead, opts.MaxSize)
		}
	}
	db, err := bolt.Open(path, 0o600, &bo)
	if err != nil {
		return nil, fmt.Errorf("open store %s: %w", path, openError(err))
	}
	s := &Store{db: db}
	if err := s.init(path, isNew); err != nil {
		return nil, errors.Join(fmt.Errorf("open store %s: %w", path, err), db.Close())
	}
	s.writer = startWriter(db, opts.OnCommit)
	return s, nil
}

func (s *Store) init(path string, isNew bool) error {
	if isNew {
		// Without this a power cut could take the file's name away together with all that was accepted.
		if err := syncDir(filepath.Dir(path)); err != nil {
			return fmt.Errorf("sync directory: %w", err)
		}
	} else if info, err := os.Stat(path); err == nil && info.Mode().Perm()&0o077 != 0 {
		// A copied file may be readable by others. Where the file system knows no modes this fails, and may.
		_ = os.Chmod(path, 0o600)
	}
	return prepare(s.db, schemaVersion, migrations)
}

func syncDir(dir string) error {
	if runtime.GOOS == "windows" {
		return nil // directories cannot be opened for that there
	}
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// openError says in our words what bbolt's errors mean.
func openError(err error) error {
	switch {
	case errors.Is(err, berrors.ErrTimeout):
		return fmt.Errorf("%w: stop the other bridge, or give this one another store.path", ErrInUse)
	case errors.Is(err, berrors.ErrInvalid), errors.Is(err, berrors.ErrVersionMismatch), errors.Is(err, berrors.ErrChecksum):
		return fmt.Errorf("%w, or damaged (%w): restore a backup, or change store.path", ErrNotStore, err)
	case errors.Is(err, berrors.ErrDatabaseNotOpen):
		return ErrClosed
	}
	return err
}

// Path is the file's path as given to [Open].
func (s *Store) Path() string { return s.db.Path() }

// Close commits what is queued, waits for readers, and lets the file go. Later calls of any method return [ErrClosed];
// Close itself may be called again.
func (s *Store) Close() error {
	s.writer.close()
	if err := s.db.Close(); err != nil {
		return fmt.Errorf("close store: %w", err)
	}
	return nil
}

// Healthy returns the error of the last commit, nil if it went well. It turns well again with the next that does.
func (s *Store) Healthy() error {
	if err := s.writer.failure.Load(); err != nil {
		return fmt.Errorf("store: %w", *err)
	}
	return nil
}

// Stats count since [Open].
type Stats struct {
	Commits    uint64 // transactions synced to disk
	Operations uint64 // calls that asked to write; one that changes nothing costs no commit of its own
}

// Stats returns the counts so far.
func (s *Store) Stats() Stats {
	return Stats{Commits: s.writer.commits.Load(), Operations: s.writer.operations.Load()}
}

// WriteTo writes a consistent copy of the store, as of one commit, which [Open] can open. Others read and write meanwhile,
// but the file keeps what they free until it is done. It stops with ctx, at the latest when w takes the next bytes.
func (s *Store) WriteTo(ctx context.Context, w io.Writer) (int64, error) {
	return read(ctx, s, "copy", func(t *txn) (int64, error) {
		return t.tx.WriteTo(&ctxWriter{ctx: ctx, w: w})
	})
}

type ctxWriter struct {
	ctx context.Context // lives for one call of WriteTo
	w   io.Writer
}

func (c *ctxWriter) Write(p []byte) (int, error) {
	if err := c.ctx.Err(); err != nil {
		return 0, err
	}
	return c.w.Write(p)
}

// Check looks for damage in the whole file: bbolt's pages, every value, and every index against what it points to. It
// returns all findings joined. It reads everything: use it after a restore or in tests, not while serving.
func (s *Store) Check(ctx context.Context) error {
	_, err := read(ctx, s, "check", func(t *txn) (struct{}, error) { return struct{}{}, check(ctx, t) })
	return err
}
