// Package config reads the bridge's configuration: one YAML file, the environment, and a .env file beside it.
//
// # Guarantees
//
//   - Every problem is told, all at once, each with file, line, column, the path of the key and what to do: see [Error].
//     Only a file that is no YAML ends at its first fault.
//   - A configuration with a problem is refused whole. What [Load] returns is complete: defaults are filled in, names that
//     refer to others are known, values are in range.
//   - No secret is in an error. A problem with a value that came from a variable names the variable.
//
// # Variables
//
// ${NAME} is replaced by the environment's value, ${NAME:-default} by the default where that is unset or empty, and
// ${file:/path} by a file's content without the line break at its end; a relative path counts from the configuration's
// folder. $$ is a plain dollar, and so is a dollar that no brace follows. They stand in values, also in the middle of
// one, not in keys. They are replaced after the YAML has been parsed: a value is never taken for YAML and never
// searched for variables again. The result is read as what the key wants; an empty one leaves a number, a switch, a time, a size
// or a choice at its default, as null does. Under `inputs`, which want no type, it is text.
//
// The environment wins over .env, which follows the rules of [github.com/joho/godotenv].
//
// # Why not the YAML library's own decoder
//
// goccy/go-yaml decodes strictly, but stops at the first problem, and expands nothing. So it parses here, and this package walks over
// the syntax tree with the structs' yaml tags. Anchors, aliases and merge keys work; their expansion is bounded.
//
// # Structs
//
// A key is a field's yaml tag. `enum:"a,b"` bounds a text, or each text of a list; `doc:"…"` goes into the JSON Schema, which
// [Schema] makes from the same structs. A platform's own keys come from [core.PlatformKind]: they stand beside the keys that all bots
// have. New types of value need an UnmarshalText method, nothing here.
//
// # Non-goals
//
// Nothing is asked of any service: whether a token is accepted is for `bridge check`. Nothing is written.
package config
