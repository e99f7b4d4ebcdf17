package core

import "sync"

// maxHandles bounds the commands of a bot that wait to be carried out and can be answered in the platform's own way. Over it
// the answer to further ones is a message like any other.
const maxHandles = 1000

// handles keeps the Event.Handle of commands that wait, which is not stored.
type handles struct {
	mu  sync.Mutex
	all map[string]string // by Event.Key
}

// put is false if there is no room for it.
func (h *handles) put(key, handle string) bool {
	if handle == "" {
		return true
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(h.all) >= maxHandles {
		return false
	}
	h.all[key] = handle
	return true
}

// take returns the handle and forgets it; "" if there is none.
func (h *handles) take(key string) string {
	h.mu.Lock()
	defer h.mu.Unlock()
	handle := h.all[key]
	delete(h.all, key)
	return handle
}
