// Package setup is what `bridge init` is made of: it asks a person on a terminal, or reads piped answers, one a line, and
// writes a first configuration from them.
//
// # Guarantees
//
//   - A secret is read without echo where the input is a terminal, and stands in the .env file alone, which only its owner
//     can read.
//   - Nothing is overwritten, and no half of a file is left: both files are written whole beside their places, read back by
//     internal/config, and then linked there.
//
// # Non-goals
//
// It knows no platform: what there is to ask comes from [core.Setup]. It edits no configuration that exists.
package setup
