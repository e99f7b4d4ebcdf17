package core

import (
	"sync"
	"time"
)

const (
	// maxHandles bounds the commands of a bot that wait to be carried out and can be answered in the platform's own way. Over
	// it the answer to further ones is a message like any other.
	maxHandles = 1000
	// handleFor is how long one is kept. Discord takes an answer for 15 minutes
	// (https://docs.discord.com/developers/interactions/receiving-and-responding#followup-messages), others for about as long.
	handleFor = 15 * time.Minute
)

// handles keeps the Event.Handle of commands that wait, which is not stored.
type handles struct {
	mu  sync.Mutex
	all map[string]heldHandle // by Event.Key
}

type heldHandle struct {
	handle string
	at     time.Time
}

// put is false if there is no room for it.
func (h *handles) put(key, handle string) bool {
	if handle == "" {
		return true
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	now := time.Now()
	if len(h.all) >= maxHandles { // some are of commands that were withdrawn
		for k, one := range h.all {
			if now.Sub(one.at) >= handleFor {
				delete(h.all, k)
			}
		}
	}
	if len(h.all) >= maxHandles {
		return false
	}
	h.all[key] = heldHandle{handle, now}
	return true
}

// take returns the handle and forgets it; "" if there is none.
func (h *handles) take(key string) string {
	h.mu.Lock()
	defer h.mu.Unlock()
	one := h.all[key]
	delete(h.all, key)
	return one.handle
}
