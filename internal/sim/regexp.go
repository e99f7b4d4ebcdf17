package sim

import (
	"regexp"
	"sync"
)

// Regexp returns a function that compiles the expression at its first call and gives the same one from then on. It is
// safe for concurrent use, and panics at each call if the expression is wrong.
//
// Package-level expressions of the stand-ins are made with it, because the program that holds the stand-ins is the
// bridge itself: compiled at its start they would cost a running bridge, which never uses them, some 1 MB of heap.
func Regexp(expr string) func() *regexp.Regexp {
	return sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(expr) })
}
