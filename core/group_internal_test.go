package core

import (
	"strconv"
	"testing"
	"time"
)

// TestOldestAlbumGoesFirst takes one album more than are remembered: the oldest is forgotten, and the newest is not.
func TestOldestAlbumGoesFirst(t *testing.T) {
	g := &groups{seen: map[string]groupSeen{}}
	now := time.Now()
	album := func(i int) *Event { return &Event{Group: strconv.Itoa(i), Reach: ReachMention} }
	for i := range maxGroups + 1 {
		g.add(album(i), now.Add(time.Duration(i)*time.Millisecond))
	}
	at := now.Add(2 * time.Second)
	if _, ok := g.find(album(0), at); ok || len(g.seen) != maxGroups {
		t.Errorf("the oldest album is known: %v, %d albums", ok, len(g.seen))
	}
	for _, i := range []int{1, maxGroups} {
		if reach, ok := g.find(album(i), at); !ok || reach != ReachMention {
			t.Errorf("album %d: %q, %v", i, reach, ok)
		}
	}
	g.add(album(-1), now.Add(time.Hour))
	if len(g.seen) != 1 {
		t.Errorf("%d albums, want the one that is not over", len(g.seen))
	}
}
