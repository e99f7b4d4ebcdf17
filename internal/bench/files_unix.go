//go:build unix

package bench

import (
	"fmt"
	"syscall"
)

// checkFiles says when the system lets a process open too few files for so many streams. The limit is the hard one: Go
// raises the soft one to it at the start of a program (https://go.dev/doc/go1.19#os).
func checkFiles(conversations int, shared bool) error {
	var l syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &l); err != nil {
		return fmt.Errorf("read the limit of open files: %w", err)
	}
	need := filesFor(conversations, shared)
	if uint64(l.Cur) >= need { //nolint:unconvert // signed on some systems
		return nil
	}
	mend := "raise it (ulimit -n)"
	if shared {
		mend += ", or leave --in-process out, which needs half as many"
	}
	return fmt.Errorf("%d answers at once need %d open files in this process, and the system allows %d: use fewer --conversations, or %s",
		conversations, need, l.Cur, mend)
}
