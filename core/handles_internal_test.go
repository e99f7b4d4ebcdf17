package core

import (
	"strconv"
	"testing"
	"testing/synctest"
	"time"
)

// TestHandles holds that those of commands that were withdrawn make room again.
func TestHandles(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := handles{all: map[string]heldHandle{}}
		for i := range maxHandles {
			if !h.put(strconv.Itoa(i), "h") {
				t.Fatalf("no room for the %dth", i)
			}
		}
		if h.put("more", "h") {
			t.Error("there is room for more than may be")
		}
		<-time.After(handleFor)
		if !h.put("more", "h") || h.take("more") != "h" || h.take("more") != "" || len(h.all) != 0 {
			t.Errorf("%d are left", len(h.all))
		}
	})
}
