package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"

	"github.com/spf13/cobra"

	"github.com/clickai/bridge/internal/control"
	"github.com/clickai/bridge/store"
)

func (p *program) backupCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "backup FILE",
		Short: "Copy the store, also while the bridge runs",
		Long: "Write a consistent copy of the store, as of one moment, to FILE, and check it. The bridge may go on running. FILE appears\n" +
			"only once the copy is whole, and is readable by you alone: it holds what people wrote.",
		Args: oneFile,
	}
	path := p.configFlag(cmd)
	force := cmd.Flags().Bool("force", false, "overwrite FILE if it is there")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		c, err := p.load(*path)
		if err != nil {
			return err
		}
		ctx := cmd.Context()
		size, err := p.backup(ctx, c.Store.Path, args[0], *force, func(begin copyBegin) error {
			return operate(ctx, c, func(ops control.Operations) error { return ops.Backup(ctx, begin) })
		})
		if err != nil {
			return fmt.Errorf("backup: %w", err)
		}
		_, err = fmt.Fprintf(cmd.OutOrStdout(), "%s: %s of %s, checked\n", args[0], bytesText(size), c.Store.Path)
		return err
	}
	return cmd
}

// oneFile wants one argument.
func oneFile(cmd *cobra.Command, args []string) error {
	switch {
	case len(args) == 0 || args[0] == "":
		return usageError{fmt.Errorf("%s: name a file", cmd.CommandPath())}
	case len(args) > 1:
		return usageError{fmt.Errorf("%s does not take %q", cmd.CommandPath(), args[1])}
	}
	return nil
}

// copyBegin returns where a copy of so many bytes goes to.
type copyBegin = func(size int64) (io.Writer, error)

// backup has file made by what copies the store, and returns the copy's size. After an error file is as it was.
func (p *program) backup(ctx context.Context, storePath, file string, force bool, copyStore func(copyBegin) error) (size int64, err error) {
	if err := mayWrite(file, storePath, force); err != nil {
		return 0, err
	}
	tmp, err := os.CreateTemp(filepath.Dir(file), "."+filepath.Base(file)+".*")
	if err != nil {
		return 0, err
	}
	defer func() {
		if rerr := os.Remove(tmp.Name()); rerr != nil && !errors.Is(rerr, fs.ErrNotExist) {
			err = errors.Join(err, rerr)
		}
	}()
	bar := p.newProgress("copying")
	err = copyStore(func(n int64) (io.Writer, error) {
		size = n
		return io.MultiWriter(&ctxFile{ctx: ctx, f: tmp}, bar.writer(n)), nil
	})
	bar.end()
	if err == nil {
		err = tmp.Sync()
	}
	if err = errors.Join(err, tmp.Close()); err != nil {
		return 0, err
	}
	if err := store.Verify(ctx, tmp.Name()); err != nil {
		return 0, fmt.Errorf("the copy is not sound, so the store may not be either: %w", err)
	}
	return size, publish(tmp.Name(), file, force)
}

// ctxFile writes until ctx ends.
type ctxFile struct {
	ctx context.Context // lives for one backup
	f   *os.File
}

func (c *ctxFile) Write(b []byte) (int, error) {
	if err := c.ctx.Err(); err != nil {
		return 0, err
	}
	return c.f.Write(b)
}

// mayWrite tells why a backup may not be written to file.
func mayWrite(file, storePath string, force bool) error {
	dir := filepath.Dir(file)
	if _, err := os.Stat(dir); errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("the folder %s does not exist: make it first", dir)
	}
	info, err := os.Stat(file)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return err
	case !info.Mode().IsRegular():
		return fmt.Errorf("%s is no regular file: name one", file)
	}
	if s, err := os.Stat(storePath); err == nil && os.SameFile(s, info) {
		return fmt.Errorf("%s is the store itself", file)
	}
	if !force {
		return errTaken(file)
	}
	return nil
}

func errTaken(file string) error {
	return fmt.Errorf("%s is there already: name another file, or give --force to overwrite it", file)
}

// publish gives a finished file its name. Without force it takes the place of nothing, not even of what has appeared
// meanwhile, as far as the file system has hard links.
func publish(tmp, file string, force bool) error {
	if !force {
		err := os.Link(tmp, file)
		if err == nil {
			return syncDir(filepath.Dir(file))
		}
		if _, serr := os.Lstat(file); serr == nil {
			return errTaken(file)
		}
	}
	if err := os.Rename(tmp, file); err != nil {
		return err
	}
	return syncDir(filepath.Dir(file))
}

// syncDir makes a new name in a directory last.
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

// bytesText is a size for people.
func bytesText(n int64) string {
	switch {
	case n >= 1<<30:
		return fmt.Sprintf("%.1f GiB", float64(n)/(1<<30))
	case n >= 1<<20:
		return fmt.Sprintf("%.1f MiB", float64(n)/(1<<20))
	}
	return fmt.Sprintf("%d KiB", (n+1023)/1024)
}
