package clickai

import (
	"fmt"
	"io"
)

// Format prints c without its key under every verb of fmt. With String alone a
// verb that is not for text (%d) would print the fields.
func (c Config) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, c.String()) }

// Format prints c without its token under every verb of fmt.
func (c ConsoleConfig) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, c.String()) }

// Format prints c as String does, without its key, under every verb of fmt.
func (c *Client) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, c.String()) }

// Format prints c as String does, without its token, under every verb of fmt.
func (c *Console) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, c.String()) }
