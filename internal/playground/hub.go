package playground

import (
	"bytes"
	"container/list"
	"encoding/json"
	"sync"

	"github.com/clickai/bridge/internal/sim"
)

// maxGone bounds the remembered items that are gone. Who has seen less than the oldest of them is sent everything anew.
const maxGone = 2000

// hub holds the newest state of all that the page shows.
type hub struct {
	notifier sim.Notifier

	mu    sync.Mutex
	seq   uint64
	items map[string]*list.Element // of *item
	order *list.List               // by seq
	gone  int                      // how many items of order are gone
	floor uint64                   // what changed up to here may have been forgotten
}

type item struct {
	key  string
	seq  uint64
	data json.RawMessage // nil: gone
}

func newHub() *hub { return &hub{items: map[string]*list.Element{}, order: list.New()} }

// set stores the state of an item. One that is as it was changes nothing.
func (h *hub) set(key string, v any) {
	data, err := json.Marshal(v)
	if err != nil {
		panic("playground: " + err.Error()) // v is plain data of this package
	}
	h.put(key, data)
}

// drop takes an item away.
func (h *hub) drop(key string) { h.put(key, nil) }

func (h *hub) put(key string, data json.RawMessage) {
	h.mu.Lock()
	defer h.mu.Unlock()
	e := h.items[key]
	switch {
	case e == nil && data == nil:
		return
	case e == nil:
		e = h.order.PushBack(&item{key: key})
		h.items[key] = e
	case bytes.Equal(e.Value.(*item).data, data) && (e.Value.(*item).data == nil) == (data == nil):
		return
	}
	it := e.Value.(*item)
	if it.data != nil && data == nil {
		h.gone++
	} else if it.data == nil && data != nil && it.seq != 0 {
		h.gone--
	}
	h.seq++
	it.seq, it.data = h.seq, data
	h.order.MoveToBack(e)
	for e := h.order.Front(); h.gone > maxGone && e != nil; {
		next := e.Next()
		if old := e.Value.(*item); old.data == nil {
			h.order.Remove(e)
			delete(h.items, old.key)
			h.gone--
			h.floor = old.seq
		}
		e = next
	}
	h.notifier.Notify()
}

// update is what a browser has not seen yet.
type update struct {
	Seq   uint64                     `json:"seq"`
	Reset bool                       `json:"reset,omitempty"` // forget all that was known before
	Set   map[string]json.RawMessage `json:"set,omitempty"`
	Gone  []string                   `json:"gone,omitempty"`
}

// since is what has changed after seq; everything for 0, or when it is not known any more.
func (h *hub) since(seq uint64) update {
	h.mu.Lock()
	defer h.mu.Unlock()
	u := update{Seq: h.seq, Set: map[string]json.RawMessage{}}
	if seq == 0 || seq < h.floor || seq > h.seq {
		u.Reset, seq = true, 0
	}
	for e := h.order.Back(); e != nil && e.Value.(*item).seq > seq; e = e.Prev() {
		it := e.Value.(*item)
		if it.data != nil {
			u.Set[it.key] = it.data
		} else if !u.Reset {
			u.Gone = append(u.Gone, it.key)
		}
	}
	return u
}

func (u update) empty() bool { return !u.Reset && len(u.Set) == 0 && len(u.Gone) == 0 }
