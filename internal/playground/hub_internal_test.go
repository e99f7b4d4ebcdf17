package playground

import (
	"fmt"
	"slices"
	"testing"
)

func TestHub(t *testing.T) {
	t.Parallel()
	h := newHub()
	h.set("a", 1)
	h.set("b", 2)
	first := h.since(0)
	if !first.Reset || len(first.Set) != 2 {
		t.Fatalf("first = %+v, want everything", first)
	}
	h.set("a", 1)
	if u := h.since(first.Seq); !u.empty() {
		t.Errorf("the same state is told again: %+v", u)
	}
	for i := range 1000 { // a slow page is told the newest state alone
		h.set("a", i+10)
	}
	h.drop("b")
	u := h.since(first.Seq)
	if u.Reset || len(u.Set) != 1 || string(u.Set["a"]) != "1009" || !slices.Equal(u.Gone, []string{"b"}) {
		t.Errorf("update = %+v", u)
	}
	h.set("b", 3)
	if u := h.since(u.Seq); len(u.Gone) != 0 || string(u.Set["b"]) != "3" {
		t.Errorf("what came back is told as %+v", u)
	}
	if u := h.since(u.Seq + 1_000_000); !u.Reset {
		t.Error("a number of the future is believed")
	}
}

func TestHubForgets(t *testing.T) {
	t.Parallel()
	h := newHub()
	h.set("kept", 1)
	early := h.since(0).Seq
	for i := range 3 * maxGone {
		key := fmt.Sprint("gone", i)
		h.set(key, i)
		h.drop(key)
	}
	if n := h.order.Len(); n > maxGone+1 || len(h.items) != n {
		t.Errorf("%d items are held, %d by key", n, len(h.items))
	}
	if u := h.since(early); !u.Reset || len(u.Set) != 1 || len(u.Gone) != 0 {
		t.Errorf("who has missed what is forgotten gets reset %v, %d, %d", u.Reset, len(u.Set), len(u.Gone))
	}
}
