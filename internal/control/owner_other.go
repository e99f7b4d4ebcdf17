//go:build !unix

package control

import "io/fs"

// ownedByUs is always true: the directory for temporary files is the user's own here.
func ownedByUs(fs.FileInfo) bool { return true }
