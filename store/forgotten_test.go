package store_test

import (
	"testing"

	"github.com/clickai/bridge/core"
	"github.com/clickai/bridge/store"
	"github.com/clickai/bridge/store/storetest"
)

// TestForgottenStaysForgotten has a turn that runs while its conversation is forgotten.
func TestForgottenStaysForgotten(t *testing.T) {
	t.Parallel()
	conv := convIn("R", "", "")
	old, another := core.Conversation{ID: "old", Bot: "b", At: core.Place{Room: "R"}}, core.Conversation{ID: "another", Bot: "b"}
	turn := core.Turn{ID: "t", Conv: conv, Bot: "b"}
	for _, tt := range []struct {
		name  string
		after func(t *testing.T, s *storetest.Store) error // what happens once it is forgotten
		want  string                                       // the id that is remembered then; "" for none
	}{
		{"the turn goes on", func(t *testing.T, s *storetest.Store) error { return s.PutTurn(t.Context(), turn, &old, nil) }, ""},
		{"the turn ends", func(t *testing.T, s *storetest.Store) error { return s.EndTurn(t.Context(), turn, &old, nil) }, ""},
		{"it goes on and ends", func(t *testing.T, s *storetest.Store) error {
			if err := s.PutTurn(t.Context(), turn, &old, nil); err != nil {
				return err
			}
			s.Reopen()
			return s.EndTurn(t.Context(), turn, &old, nil)
		}, ""},
		{"the room moves, and the turn ends", func(t *testing.T, s *storetest.Store) error {
			if err := s.MoveRoom(t.Context(), "b", "R", "R2"); err != nil {
				return err
			}
			return s.EndTurn(t.Context(), turn, &old, nil)
		}, ""},
		{"another begins", func(t *testing.T, s *storetest.Store) error { return s.EndTurn(t.Context(), turn, &another, nil) }, "another"},
		{"another begins, and is left for the old one", func(t *testing.T, s *storetest.Store) error {
			if err := s.EndTurn(t.Context(), turn, &another, nil); err != nil {
				return err
			}
			return s.EndTurn(t.Context(), turn, &old, nil)
		}, "old"},
		{"it is chosen again", func(t *testing.T, s *storetest.Store) error {
			if err := s.PutConversation(t.Context(), conv, old); err != nil {
				return err
			}
			return s.EndTurn(t.Context(), turn, &old, nil)
		}, "old"},
		{"forgotten twice", func(t *testing.T, s *storetest.Store) error {
			if err := s.DeleteConversation(t.Context(), conv); err != nil {
				return err
			}
			return s.EndTurn(t.Context(), turn, &old, nil)
		}, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := storetest.Open(t, store.Unsynced())
			if err := s.PutTurn(t.Context(), turn, &old, nil); err != nil {
				t.Fatal(err)
			}
			if err := s.DeleteConversation(t.Context(), conv); err != nil {
				t.Fatal(err)
			}
			if err := tt.after(t, s); err != nil {
				t.Fatal(err)
			}
			c, ok, err := s.Conversation(t.Context(), conv)
			if err != nil || c.ID != tt.want || ok != (tt.want != "") {
				t.Errorf("remembered: %q, %v, %v, want %q", c.ID, ok, err, tt.want)
			}
		})
	}
}
