package discord

// recent is a map that forgets its oldest entries over a bound. It is for one goroutine at a time. Make it with [newRecent].
type recent[V any] struct {
	most  int
	all   map[string]stamped[V]
	order []ordered // oldest first; those whose number is not that of the entry any more are passed over
	next  uint64
}

type stamped[V any] struct {
	value V
	n     uint64
}

type ordered struct {
	key string
	n   uint64
}

func newRecent[V any](most int) *recent[V] {
	return &recent[V]{most: most, all: map[string]stamped[V]{}}
}

func (r *recent[V]) get(key string) (V, bool) {
	e, ok := r.all[key]
	return e.value, ok
}

func (r *recent[V]) put(key string, v V) {
	r.next++
	r.all[key] = stamped[V]{value: v, n: r.next}
	r.order = append(r.order, ordered{key: key, n: r.next})
	if len(r.order) > 2*r.most { // most are of entries that were dropped or put again
		kept := make([]ordered, 0, r.most+1)
		for _, o := range r.order {
			if r.all[o.key].n == o.n {
				kept = append(kept, o)
			}
		}
		r.order = kept
	}
	for len(r.all) > r.most {
		oldest := r.order[0]
		r.order = r.order[1:]
		if r.all[oldest.key].n == oldest.n {
			delete(r.all, oldest.key)
		}
	}
}

func (r *recent[V]) drop(key string) { delete(r.all, key) }
