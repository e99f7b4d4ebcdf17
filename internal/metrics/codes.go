package metrics

import "sync"

// maxCodes bounds the codes of errors that become values of a label; further ones count as "other".
const maxCodes = 60

// codes are the values that a server has made up for a label. A server with a fault, or one that is not ClickAI's, could
// make a new one with each answer.
type codes struct {
	mu   sync.Mutex
	seen map[string]struct{}
}

func newCodes() *codes { return &codes{seen: map[string]struct{}{}} }

// bound is code, or "other" if it is none or there are too many.
func (c *codes) bound(code string) string {
	if len(code) > 60 {
		return "other"
	}
	for _, r := range code {
		if (r < 'a' || r > 'z') && (r < '0' || r > '9') && r != '_' && r != '-' && r != '.' {
			return "other"
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if _, ok := c.seen[code]; !ok {
		if len(c.seen) >= maxCodes {
			return "other"
		}
		c.seen[code] = struct{}{}
	}
	return code
}
