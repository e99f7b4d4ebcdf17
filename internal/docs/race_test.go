//go:build race

package docs_test

// The program is built as the tests are, so that what is compiled for them serves for both.
func init() { buildFlags = append(buildFlags, "-race") }
