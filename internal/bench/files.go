package bench

// filesFor is how many files a process of the load opens at most: a connection for each stream, both of its ends if the
// bridge is in the same process, and some for the platforms, the store and what the system needs.
func filesFor(conversations int, shared bool) uint64 {
	const others = 400
	if shared {
		return 2*uint64(conversations) + 2*others
	}
	return uint64(conversations) + others
}
