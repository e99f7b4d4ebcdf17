package control

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"syscall"
)

// maxSocketPath is the longest path of a Unix socket, in bytes, that every system takes: macOS and the BSDs have room for
// 104 with the zero at the end, Linux and Windows for 108 (unix(4), unix(7)).
const maxSocketPath = 103

// birthName is the longest that the name of a socket gets while it is being made, with the directory around it.
const birthName = len("/.s") + 10 + len("/s")

// ErrNobody is returned by [Dial] when no bridge listens beside the store.
var ErrNobody = errors.New("no bridge listens beside the store")

// SocketPath is where the bridge that holds the store at this path listens: beside it, or, where that path would be too
// long for a socket, in a directory for temporary files. It is the same from whatever directory and by whatever links the
// store is named, as far as its own name is the same. The store's directory must exist.
func SocketPath(storePath string) (path string, err error) {
	abs, err := filepath.Abs(storePath)
	if err != nil {
		return "", fmt.Errorf("control socket of %s: %w", storePath, err)
	}
	dir, err := filepath.EvalSymlinks(filepath.Dir(abs))
	if err != nil {
		return "", fmt.Errorf("control socket of %s: %w", storePath, err)
	}
	path = filepath.Join(dir, filepath.Base(abs)) + ".sock"
	if max(len(path), len(dir)+birthName) <= maxSocketPath {
		return path, nil
	}
	sum := sha256.Sum256([]byte(path))
	return filepath.Join(fallbackDir(), hex.EncodeToString(sum[:8])+".sock"), nil
}

// fallbackDir is of this user alone: see checkDir.
func fallbackDir() string {
	return filepath.Join(os.TempDir(), "bridge-"+strconv.Itoa(os.Getuid()))
}

// checkDir refuses a fallback directory that somebody else has made, or could write to: who listens there might be
// anybody. A directory beside the store is as safe as the store.
func checkDir(dir string) error {
	if dir != fallbackDir() {
		return nil
	}
	info, err := os.Lstat(dir)
	if err != nil {
		return err
	}
	if !info.IsDir() || runtime.GOOS != "windows" && info.Mode().Perm() != 0o700 || !ownedByUs(info) {
		return fmt.Errorf("%s is not a directory of this user alone: remove it, or set TMPDIR to another place, for the bridge and for its commands", dir)
	}
	return nil
}

// socket is a listener with the file that it is reached by.
type socket struct {
	net.Listener
	path string
	file fs.FileInfo
}

// listen makes the socket beside the store. The caller must hold the store, so that there is no other bridge of it.
func listen(ctx context.Context, storePath string) (*socket, error) {
	path, err := SocketPath(storePath)
	if err != nil {
		return nil, err
	}
	dir := filepath.Dir(path)
	if dir == fallbackDir() {
		if err := os.Mkdir(dir, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
			return nil, fmt.Errorf("control socket %s: %w", path, err)
		}
	}
	if err := checkDir(dir); err != nil {
		return nil, fmt.Errorf("control socket %s: %w", path, err)
	}
	if err := free(ctx, path); err != nil {
		return nil, fmt.Errorf("control socket %s: %w", path, err)
	}
	s, err := bear(ctx, dir, path)
	if err != nil {
		return nil, fmt.Errorf("control socket %s: %w", path, err)
	}
	return s, nil
}

// free sees to it that path may be taken: nothing is there, or a socket on which nobody listens any more. That one is left
// for the new one to replace.
func free(ctx context.Context, path string) error {
	info, err := os.Lstat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return err
	case info.Mode()&fs.ModeSocket == 0 && runtime.GOOS != "windows": // Windows shows sockets as other things
		return errors.New("something else is there: move it away")
	}
	conn, err := dialSocket(ctx, path)
	if err == nil {
		return errors.Join(errors.New("another process listens there: stop it"), conn.Close())
	}
	if !isNobody(err) {
		return err
	}
	return nil
}

// bear makes the socket inside a directory that only this user can enter, narrows its mode, and only then gives it the
// name by which it can be reached. The process's umask would be shared with all that goes on meanwhile.
func bear(ctx context.Context, dir, path string) (_ *socket, err error) {
	cradle, err := os.MkdirTemp(dir, ".s")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(cradle)) }()
	born := filepath.Join(cradle, "s")
	l, err := new(net.ListenConfig).Listen(ctx, "unix", born)
	if err != nil {
		return nil, err
	}
	l.(*net.UnixListener).SetUnlinkOnClose(false) // it would remove the name that is given up below
	s := &socket{Listener: l, path: path}
	if err := os.Chmod(born, 0o600); err != nil && runtime.GOOS != "windows" {
		return nil, errors.Join(err, l.Close())
	}
	if s.file, err = os.Lstat(born); err != nil {
		return nil, errors.Join(err, l.Close())
	}
	if err := os.Rename(born, path); err != nil {
		return nil, errors.Join(err, l.Close())
	}
	return s, nil
}

// Close ends listening and removes the socket's file, if it still is the same.
func (s *socket) Close() error {
	err := s.Listener.Close()
	if errors.Is(err, net.ErrClosed) {
		err = nil
	}
	if info, serr := os.Lstat(s.path); serr == nil && os.SameFile(info, s.file) {
		err = errors.Join(err, os.Remove(s.path))
	}
	return err
}

// dialSocket connects to the socket at path.
func dialSocket(ctx context.Context, path string) (net.Conn, error) {
	d := net.Dialer{Timeout: dialTimeout}
	return d.DialContext(ctx, "unix", path)
}

// isNobody tells whether an error of dialSocket means that nobody listens.
func isNobody(err error) bool {
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ECONNREFUSED) {
		return true
	}
	// Windows has an error number of its own for it, and none of the others that could come up here.
	op, ok := errors.AsType[*net.OpError](err)
	return ok && runtime.GOOS == "windows" && !op.Timeout()
}
