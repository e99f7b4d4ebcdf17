package slack

import "fmt"

// Format prints a bot as its name, under every verb of fmt, which would print the fields otherwise, and with them the
// credentials.
func (p *Platform) Format(f fmt.State, _ rune) { _, _ = fmt.Fprintf(f, "slack(%s)", p.name) }
