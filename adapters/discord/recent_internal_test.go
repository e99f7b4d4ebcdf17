package discord

import (
	"fmt"
	"math/rand/v2"
	"testing"
)

// TestRecent compares it with a list of the newest keys.
func TestRecent(t *testing.T) {
	t.Parallel()
	const most = 8
	rnd := rand.New(rand.NewPCG(1, 2))
	r := newRecent[int](most)
	var model []string // oldest first
	values := map[string]int{}
	remove := func(key string) {
		for i, k := range model {
			if k == key {
				model = append(model[:i:i], model[i+1:]...)
				return
			}
		}
	}
	for n := range 20_000 {
		key := fmt.Sprint(rnd.IntN(20))
		if rnd.IntN(4) == 0 {
			r.drop(key)
			remove(key)
			continue
		}
		r.put(key, n)
		remove(key)
		values[key] = n
		if model = append(model, key); len(model) > most {
			model = model[1:]
		}
		if len(r.all) != len(model) || len(r.order) > 2*most+1 {
			t.Fatalf("%d entries, %d expected; %d in order", len(r.all), len(model), len(r.order))
		}
		for _, k := range model {
			if v, ok := r.get(k); !ok || v != values[k] {
				t.Fatalf("%s: %d %t, want %d", k, v, ok, values[k])
			}
		}
	}
}
