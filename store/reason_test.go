package store_test

import (
	"encoding/binary"
	"fmt"
	"testing"

	"github.com/clickai/bridge/core"
	"github.com/clickai/bridge/store"
)

// TestEarlyReactionsAreBounded has many reactions come to messages of others.
func TestEarlyReactionsAreBounded(t *testing.T) {
	t.Parallel()
	s := open(t)
	err := s.Do(t.Context(), func(x store.Tx) error {
		for i := range 25_000 {
			key := store.JoinKey("b", "R", fmt.Sprint("old", i))
			at := append(binary.BigEndian.AppendUint64(nil, uint64(i)), key...)
			if err := x.Put("early", key, fmt.Appendf(nil, `{"v":1,"d":{"at":%d,"votes":null}}`, i)); err != nil {
				return err
			}
			if err := x.Put("early_at", at, []byte{1}); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for i := range 1100 {
		if _, _, err := s.Vote(t.Context(), fmt.Sprint("k", i), likeOf(fmt.Sprint("new", i), aTime)); err != nil {
			t.Fatal(err)
		}
	}
	kept, err := s.Raw("early")
	if err != nil {
		t.Fatal(err)
	}
	if len(kept) > 21_000 {
		t.Errorf("%d are kept", len(kept))
	}
	if _, ok := kept[string(store.JoinKey("b", "R", "new0"))]; !ok {
		t.Error("a new one is forgotten before older ones")
	}
	if err := s.Check(t.Context()); err != nil {
		t.Error(err)
	}
}

// TestDamagedEarlyReaction does not keep a turn from its end.
func TestDamagedEarlyReaction(t *testing.T) {
	t.Parallel()
	s := open(t)
	if _, _, err := s.Vote(t.Context(), "k", likeOf("p", aTime)); err != nil {
		t.Fatal(err)
	}
	damage(t, s, "early", nil, []byte("{"))
	turn := core.Turn{ID: "t", Conv: "c", Bot: "b", Reply: []core.MessageRef{ref("p")}}
	if err := s.EndTurn(t.Context(), turn, nil, &core.Link{App: "a", Message: "msg", At: aTime}); err != nil {
		t.Error(err)
	}
}
