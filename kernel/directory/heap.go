package directory

// arity is the number of children in the heap: with four it is half as deep as with two, and the children of an item
// share a cache line.
const arity = 4

// heap keeps its first item before all others. It tells each item where it is, so that any can be moved or removed.
type heap[T any] struct {
	items  []T
	before func(a, b T) bool
	moved  func(item T, at int)
}

func (h *heap[T]) push(item T) {
	h.items = append(h.items, item)
	h.up(len(h.items) - 1)
}

// remove takes out the item at the place. It is not told.
func (h *heap[T]) remove(at int) {
	last := len(h.items) - 1
	item := h.items[last]
	h.items = h.items[:last]
	if at < last {
		h.items[at] = item
		h.fix(at)
	}
}

// fix moves the item at the place to where it belongs.
func (h *heap[T]) fix(at int) {
	if at > 0 && h.before(h.items[at], h.items[(at-1)/arity]) {
		h.up(at)
		return
	}
	h.down(at)
}

func (h *heap[T]) up(at int) {
	item := h.items[at]
	for at > 0 {
		parent := (at - 1) / arity
		if !h.before(item, h.items[parent]) {
			break
		}
		h.place(h.items[parent], at)
		at = parent
	}
	h.place(item, at)
}

func (h *heap[T]) down(at int) {
	item := h.items[at]
	for {
		from, to := h.children(at)
		if from == to {
			break
		}
		first := from
		for child := from + 1; child < to; child++ {
			if h.before(h.items[child], h.items[first]) {
				first = child
			}
		}
		if !h.before(h.items[first], item) {
			break
		}
		h.place(h.items[first], at)
		at = first
	}
	h.place(item, at)
}

// children are the places from, up to but without to.
func (h *heap[T]) children(at int) (from, to int) {
	n := len(h.items)
	return min(at*arity+1, n), min(at*arity+arity+1, n)
}

func (h *heap[T]) place(item T, at int) {
	h.items[at] = item
	h.moved(item, at)
}
