package profile

import "strconv"

// names makes sure that no two entries have one name: apps refuse the whole document otherwise.
type names struct {
	seen map[string]int // how often a name was asked for
}

// reset forgets all names but the reserved ones.
func (n *names) reset(reserved []string) {
	clear(n.seen) // its keys may be parts of a request that is gone
	if n.seen == nil {
		n.seen = make(map[string]int)
	}
	for _, name := range reserved {
		n.seen[name] = 1
	}
}

// take gives out the name, or fallback if it is empty, with a number behind it if it is not the first of its kind.
func (n *names) take(name, fallback string) string {
	if name == "" {
		name = fallback
	}
	free, count := name, n.seen[name]
	for n.seen[free] > 0 {
		count++
		free = name + " " + strconv.Itoa(count)
	}
	n.seen[name] = count
	n.seen[free] = max(n.seen[free], 1)
	return free
}
