package store_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/clickai/bridge/core"
	"github.com/clickai/bridge/store"
	"github.com/clickai/bridge/store/storetest"
)

// listAll reads all pages of so many entries each.
func listAll(t *testing.T, s *storetest.Store, limit int) (all []store.Mapped, pages int) {
	t.Helper()
	var after []byte
	for {
		found, next, err := s.Conversations(t.Context(), after, limit)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, found...)
		pages++
		if after = next; after == nil {
			return all, pages
		}
	}
}

func TestConversationsInPages(t *testing.T) {
	t.Parallel()
	s := storetest.Open(t, store.Unsynced())
	if all, _ := listAll(t, s, 0); len(all) != 0 {
		t.Errorf("a new store lists %v", all)
	}
	const n = 7
	for i := range n {
		conv := convIn(fmt.Sprint("R", i), "", "")
		if err := s.PutConversation(t.Context(), conv, core.Conversation{ID: fmt.Sprint("id", i%3), App: "a", Turns: i}); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.PutTurn(t.Context(), core.Turn{ID: "t", Conv: convIn("R3", "", "")}, nil, nil); err != nil {
		t.Fatal(err)
	}
	for _, limit := range []int{0, 1, 2, 3, n, n + 1} {
		all, pages := listAll(t, s, limit)
		seen := map[core.ConvKey]bool{}
		for _, m := range all {
			if seen[m.Key] {
				t.Errorf("limit %d: %s comes twice", limit, m.Key)
			}
			seen[m.Key] = true
			if m.Busy != (m.Key == convIn("R3", "", "")) {
				t.Errorf("%s: busy %v", m.Key, m.Busy)
			}
			if m.ID != fmt.Sprint("id", m.Turns%3) {
				t.Errorf("%s: %+v", m.Key, m.Conversation)
			}
		}
		if len(seen) != n {
			t.Errorf("limit %d: %d conversations, want %d", limit, len(seen), n)
		}
		if limit == 2 && pages != 4 {
			t.Errorf("%d pages of 2, want 4", pages)
		}
	}
	found, err := s.ConversationsByID(t.Context(), "id0")
	var keys []string
	for _, m := range found {
		keys = append(keys, m.Key.Room())
	}
	if got := strings.Join(keys, " "); err != nil || got != "R0 R3 R6" {
		t.Errorf("by id: %s, %v", got, err)
	}
}

func TestConversationByKey(t *testing.T) {
	t.Parallel()
	s := storetest.Open(t, store.Unsynced())
	if err := s.PutConversation(t.Context(), convIn("old", "", ""), core.Conversation{ID: "x", Bot: "b"}); err != nil {
		t.Fatal(err)
	}
	if err := s.MoveRoom(t.Context(), "b", "old", "new"); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name string
		key  core.ConvKey
		want core.ConvKey
	}{
		{"its key", convIn("new", "", ""), convIn("new", "", "")},
		{"its key from before the room moved", convIn("old", "", ""), convIn("new", "", "")},
		{"another", convIn("other", "", ""), ""},
		{"no key at all", "x", ""},
		{"empty", "", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			m, ok, err := s.ConversationByKey(t.Context(), tt.key)
			if err != nil || ok != (tt.want != "") || m.Key != tt.want {
				t.Errorf("%q, %v, %v, want %q", m.Key, ok, err, tt.want)
			}
		})
	}
}
