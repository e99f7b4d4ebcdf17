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
	"strconv"

	bolt "go.etcd.io/bbolt"
)

// ErrExists is returned by [Restore] when a store is there already and may not be replaced.
var ErrExists = errors.New("a store is there already")

// RestoreOptions say how [Restore] goes about it. The zero value replaces nothing.
type RestoreOptions struct {
	// Replace allows it to take the place of a store that is there.
	Replace bool
	// Progress, if set, is told how many of the total bytes have been copied. It is called in Restore's goroutine.
	Progress func(done, total int64)
}

// Restored is what [Restore] did.
type Restored struct {
	Size int64  // of the new store, in bytes
	Kept string // where the store that was there is now; "" if there was none
}

// maxKept is how many replaced stores may lie beside a store.
const maxKept = 1000

// Restore puts a copy of the backup at from in the place of the store at to. The copy is checked whole, and brought up to
// this version's schema, before anything is replaced; after an error the old store stands as it was. A store that is
// replaced is kept beside the new one, as to + ".bak" or, where that is taken, ".bak.2" and so on. The new file is
// readable by its owner only. The directory of to must exist.
//
// Errors: [ErrInUse] when a bridge holds either file, [ErrExists], and those of [Verify]. A bridge must not be started on
// to while it runs.
func Restore(ctx context.Context, from, to string, opts RestoreOptions) (done Restored, err error) {
	defer func() {
		if err != nil {
			err = fmt.Errorf("restore %s to %s: %w", from, to, err)
		}
	}()
	old, err := hold(to)
	if err != nil {
		return done, err
	}
	defer func() { err = errors.Join(err, old.release()) }()
	if old.info != nil {
		if info, err := os.Stat(from); err == nil && os.SameFile(info, old.info) {
			return done, errors.New("both are the same file")
		}
		if !opts.Replace {
			return done, ErrExists
		}
	}
	tmp, err := os.CreateTemp(filepath.Dir(to), "."+filepath.Base(to)+".restore-*")
	if err != nil {
		return done, err
	}
	defer func() {
		if err != nil {
			if rerr := os.Remove(tmp.Name()); rerr != nil && !errors.Is(rerr, fs.ErrNotExist) {
				err = errors.Join(err, rerr)
			}
		}
	}()
	if err := errors.Join(copyFile(ctx, tmp, from, opts.Progress), tmp.Close()); err != nil {
		return done, err
	}
	if done.Size, err = admit(ctx, tmp.Name()); err != nil {
		return done, err
	}
	done.Kept, err = swap(tmp.Name(), to, old)
	return done, err
}

// held is a file that no bridge can open meanwhile, as far as it is a store at all.
type held struct {
	info fs.FileInfo // nil if there is no file
	db   *bolt.DB
}

// hold keeps bridges from opening the store at path. What is no store, or too damaged to be one, is not held.
func hold(path string) (h held, err error) {
	h.info, err = os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return held{}, nil
	case err != nil:
		return held{}, err
	case !h.info.Mode().IsRegular():
		return held{}, fmt.Errorf("%s is no regular file: change store.path", path)
	case h.info.Size() == 0:
		return h, nil
	}
	err = guard(func() error {
		h.db, err = openShared(path)
		return err
	})
	switch {
	case errors.Is(err, ErrInUse):
		return held{}, fmt.Errorf("%s is %w: stop the bridge first", path, ErrInUse)
	case errors.Is(err, ErrNotStore):
		return h, nil
	}
	return h, err
}

func (h *held) release() error {
	if h.db == nil {
		return nil
	}
	db := h.db
	h.db = nil
	return db.Close()
}

// copyFile copies the backup into tmp and syncs it.
func copyFile(ctx context.Context, tmp *os.File, from string, progress func(done, total int64)) (err error) {
	f, err := os.Open(from)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	if !info.Mode().IsRegular() {
		return fmt.Errorf("%w: %s is no regular file", ErrNotStore, from)
	}
	// While a bridge writes to it, a copy would be of no single moment.
	src, err := hold(from)
	if errors.Is(err, ErrInUse) {
		return fmt.Errorf("%s is %w: it is a bridge's store, not a backup; bridge backup makes one", from, ErrInUse)
	} else if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, src.release()) }()
	w := &progressWriter{w: tmp, total: info.Size(), tell: progress}
	if _, err := io.Copy(&ctxWriter{ctx: ctx, w: w}, f); err != nil {
		return err
	}
	return tmp.Sync()
}

type progressWriter struct {
	w           io.Writer
	done, total int64
	tell        func(done, total int64)
}

func (p *progressWriter) Write(b []byte) (int, error) {
	n, err := p.w.Write(b)
	p.done += int64(n)
	if p.tell != nil {
		p.tell(p.done, p.total)
	}
	return n, err
}

// admit checks a copy, brings it up to date, and returns its size.
func admit(ctx context.Context, path string) (size int64, err error) {
	if err := Verify(ctx, path); err != nil {
		return 0, err
	}
	s, err := Open(path, Options{})
	if err != nil {
		return 0, err
	}
	if err := errors.Join(s.Check(ctx), s.Close()); err != nil {
		return 0, err
	}
	info, err := os.Stat(path)
	if err != nil {
		return 0, err
	}
	return info.Size(), nil
}

// swap puts tmp in the place of to and returns where the file that was there is kept.
func swap(tmp, to string, old held) (kept string, err error) {
	if old.info != nil {
		if runtime.GOOS == "windows" { // open files cannot be renamed there
			if err := old.release(); err != nil {
				return "", err
			}
		}
		if kept, err = keep(to); err != nil {
			return "", fmt.Errorf("keep the old store: %w", err)
		}
	}
	if err := os.Rename(tmp, to); err != nil {
		return "", errors.Join(err, unkeep(kept, to))
	}
	return kept, syncDir(filepath.Dir(to))
}

// keep gives the file at path a second name. Where the file system has no such links it is renamed.
func keep(path string) (string, error) {
	for n := 1; n <= maxKept; n++ {
		name := path + ".bak"
		if n > 1 {
			name += "." + strconv.Itoa(n)
		}
		err := os.Link(path, name)
		if err == nil {
			return name, nil
		}
		if _, serr := os.Lstat(name); serr == nil {
			continue // taken
		}
		return name, os.Rename(path, name)
	}
	return "", fmt.Errorf("%s.bak and %d more are there: remove some", path, maxKept-1)
}

// unkeep undoes keep.
func unkeep(kept, path string) error {
	if kept == "" {
		return nil
	}
	if _, err := os.Lstat(path); err == nil {
		return os.Remove(kept)
	}
	return os.Rename(kept, path)
}
