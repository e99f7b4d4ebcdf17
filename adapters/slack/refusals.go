package slack

import (
	"errors"
	"strings"
	"sync"

	"github.com/clickai/bridge/core"
)

// refusals remember where Slack does not take a method, so that it is not asked again: in all rooms, or in some. They last
// as long as the process.
type refusals struct {
	mu    sync.Mutex
	all   bool
	rooms map[string]bool
}

func newRefusals() *refusals { return &refusals{rooms: map[string]bool{}} }

func (r *refusals) has(room string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.all || r.rooms[room]
}

func (r *refusals) add(room string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	put(r.rooms, room, true, maxRefusals)
}

func (r *refusals) addAll() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.all = true
}

// everywhere tells whether an error is about the method or the token, and not about what was asked: the server does not
// know the method, the feature is off, or a scope is missing.
func everywhere(err error) bool {
	if errors.Is(err, errBare404) || core.ClassOf(err) == core.Denied {
		return true
	}
	switch code := codeOf(err); code {
	case "unknown_method", "method_deprecated", "deprecated_endpoint", "feature_not_enabled", "feature_disabled":
		return true
	default:
		return strings.HasPrefix(code, "not_allowed")
	}
}
