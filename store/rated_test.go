package store_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/clickai/bridge/core"
	"github.com/clickai/bridge/store"
	"github.com/clickai/bridge/store/storetest"
)

func allRated(t *testing.T, s *storetest.Store, limit int) map[string]store.Rated {
	t.Helper()
	all := map[string]store.Rated{}
	var after []byte
	for {
		found, next, err := s.Rated(t.Context(), after, limit)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range found {
			key := r.App + " " + r.Message + " " + r.Person.Name
			if _, twice := all[key]; twice {
				t.Errorf("limit %d: %s comes twice", limit, key)
			}
			all[key] = r
		}
		if after = next; after == nil {
			return all
		}
	}
}

func TestRated(t *testing.T) {
	t.Parallel()
	s := storetest.Open(t, store.Unsynced())
	conv := convIn("R", "", "")
	link := core.Link{App: "support", User: "slack:T:owner", Message: "msg/1", ConvID: "conv-1", Conv: conv, At: time.Now().Add(-48 * time.Hour)}
	memory := core.Conversation{ID: "conv-1", App: "support", Bot: "b", Title: "help", At: core.Place{Room: "R"}}
	if err := s.EndTurn(t.Context(), core.Turn{ID: "t", Conv: conv, Bot: "b", Reply: []core.MessageRef{ref("p1"), ref("p2")}}, &memory, &link); err != nil {
		t.Fatal(err)
	}
	for i, line := range []string{"Minh +👍 p1", "Lan +👍 p1", "Lan +👎 p2", "An +👍 p1", "An -👍 p1", "Vy +🎉 p2"} {
		if _, _, err := s.Vote(t.Context(), fmt.Sprint(i), vote(t, i, line)); err != nil {
			t.Fatal(err)
		}
	}
	// From now on nothing but the votes themselves may be needed: the links are swept first.
	if err := s.Sweep(t.Context(), time.Time{}, time.Now().Add(-24*time.Hour)); err != nil {
		t.Fatal(err)
	}
	if err := s.MoveRoom(t.Context(), "b", "R", "R-new"); err != nil {
		t.Fatal(err)
	}
	for _, limit := range []int{0, 1, 3} {
		all := allRated(t, s, limit)
		if len(all) != 3 {
			t.Errorf("limit %d: %d ratings, want those of Minh, Lan and Vy: %v", limit, len(all), all)
		}
		got := all["support msg/1 Lan"]
		want := store.Rated{
			App: "support", Message: "msg/1", ConvID: "conv-1", Bot: "b", Conv: convIn("R-new", "", ""), Title: "help",
			Ref:    core.MessageRef{Place: core.Place{Room: "R-new"}, ID: "p2"},
			Person: core.User{ID: "id-Lan", Name: "Lan", Key: "slack:T:Lan"}, Rating: core.RatingDislike, Emoji: "👎", At: aTime.Add(1002 * time.Second).UTC(),
		}
		if got != want {
			t.Errorf("limit %d: %+v, want %+v", limit, got, want)
		}
	}
	if got := all(t, s, "Vy"); got.Emoji != "🎉" || got.Rating != core.RatingLike {
		t.Errorf("Vy: %+v", got)
	}
}

func all(t *testing.T, s *storetest.Store, name string) store.Rated {
	t.Helper()
	return allRated(t, s, 0)["support msg/1 "+name]
}

// TestRatedOfEarlierVersion reads a vote as it was stored before votes named their conversation.
func TestRatedOfEarlierVersion(t *testing.T) {
	t.Parallel()
	s := storetest.Open(t, store.Unsynced())
	conv := convIn("R", "", "")
	link := core.Link{App: "a", Message: "m", ConvID: "conv-1", Conv: conv, At: time.Now()}
	if err := s.EndTurn(t.Context(), core.Turn{ID: "t", Conv: conv, Bot: "b", Reply: []core.MessageRef{ref("p1")}}, nil, &link); err != nil {
		t.Fatal(err)
	}
	raw := `{"v":1,"d":{"bot":"b","person":{"id":"1","key":"u"},"marks":[{"ref":{"room":"R","id":"%s"},"emoji":"👍","rating":"like","added":true,"at":"2026-08-01T09:30:00Z","order":1}]}}`
	for _, id := range []string{"p1", "gone"} {
		if err := s.Do(t.Context(), func(x store.Tx) error {
			return x.Put("votes", store.JoinKey("a", "m", id), fmt.Appendf(nil, raw, id))
		}); err != nil {
			t.Fatal(err)
		}
	}
	found, _, err := s.Rated(t.Context(), nil, 0)
	if err != nil || len(found) != 2 {
		t.Fatalf("%+v, %v", found, err)
	}
	for _, r := range found {
		wantConv, wantID := conv, "conv-1"
		if r.Ref.ID == "gone" {
			wantConv, wantID = "", ""
		}
		if r.Conv != wantConv || r.ConvID != wantID || r.Rating != core.RatingLike || r.Bot != "b" {
			t.Errorf("%+v", r)
		}
	}
	// What has been put aside would otherwise be found to be loose when the test ends.
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
}
