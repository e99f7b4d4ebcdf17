package core

import (
	"fmt"
	"io"
	"log/slog"
)

// Secret is a credential. It prints as [redacted] in logs, errors, JSON, YAML and under every verb of fmt, also as an
// exported field, an element or a map's value; "" prints as "". Reveal gives the value to the one place that sends it.
//
// Three ways around it are left, which no type can close: fmt prints unexported fields, and what is wrong about a %w or %p
// (which vet refuses), without asking their type; encoding/json takes a map's key as the string that it is. So no map has
// Secrets for keys, and a struct that holds one in an unexported field has a Format method of its own.
type Secret string

const redacted = "[redacted]"

// Reveal returns the credential itself.
func (s Secret) Reveal() string { return string(s) }

// String keeps the credential out of whatever asks for text.
func (s Secret) String() string {
	if s == "" {
		return ""
	}
	return redacted
}

// Format is String for all verbs of fmt. With String alone a verb that is not for text (%d) would show the value.
func (s Secret) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, s.String()) }

// GoString is String, for what asks for Go syntax without fmt.
func (s Secret) GoString() string { return s.String() }

// LogValue is String, for slog.
func (s Secret) LogValue() slog.Value { return slog.StringValue(s.String()) }

// MarshalText is String, for JSON, YAML and XML. What is encoded cannot be read back: a secret is not stored.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }
