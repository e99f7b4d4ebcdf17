package pace

// heap is a priority queue whose items know their place, so that one can be taken out or moved from anywhere. It is written
// here since container/heap wants five methods for each of the four orders in this package, and calls them through an interface.
type heap[T any] struct {
	items  []T
	before func(a, b T) bool
	place  func(item T, index int) // tells an item where it is
}

func (h *heap[T]) empty() bool { return len(h.items) == 0 }
func (h *heap[T]) first() T    { return h.items[0] }

func (h *heap[T]) push(item T) {
	h.items = append(h.items, item)
	h.up(len(h.items) - 1)
}

// remove takes the item at index out.
func (h *heap[T]) remove(index int) {
	last := len(h.items) - 1
	moved := h.items[last]
	clear(h.items[last:])
	h.items = h.items[:last]
	if index < last {
		h.items[index] = moved
		h.fix(index)
	}
}

// fix restores the order after the item at index changed.
func (h *heap[T]) fix(index int) {
	if h.up(index) == index {
		h.down(index)
	}
}

func (h *heap[T]) up(i int) int {
	item := h.items[i]
	for i > 0 {
		parent := (i - 1) / 2
		if !h.before(item, h.items[parent]) {
			break
		}
		h.items[i] = h.items[parent]
		h.place(h.items[i], i)
		i = parent
	}
	h.items[i] = item
	h.place(item, i)
	return i
}

func (h *heap[T]) down(i int) {
	item := h.items[i]
	for {
		child := 2*i + 1
		if child >= len(h.items) {
			break
		}
		if right := child + 1; right < len(h.items) && h.before(h.items[right], h.items[child]) {
			child = right
		}
		if !h.before(h.items[child], item) {
			break
		}
		h.items[i] = h.items[child]
		h.place(h.items[i], i)
		i = child
	}
	h.items[i] = item
	h.place(item, i)
}
