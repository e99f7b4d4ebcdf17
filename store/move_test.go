package store_test

import (
	"context"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/clickai/bridge/core"
	"github.com/clickai/bridge/store"
	"github.com/clickai/bridge/store/storetest"
)

const (
	oldRoom = "-4001"
	newRoom = "-1004001"
)

func convIn(room, thread, user string) core.ConvKey {
	return core.NewConvKey("b", "support", core.Place{Room: room, Thread: thread}, user)
}

// asked is a question in a room, to be answered there.
func asked(key, room, thread, message string) core.Put {
	p := question(key, string(convIn(room, thread, "")), message)
	p.Event.Room.ID, p.Event.Thread = room, thread
	p.At = core.Place{Room: room, Thread: thread}
	return p
}

func moveRoom(tb testing.TB, s *storetest.Store, from, to string) {
	tb.Helper()
	if err := s.MoveRoom(tb.Context(), "b", from, to); err != nil {
		tb.Fatalf("move %s to %s: %v", from, to, err)
	}
}

// TestMoveRoom: each kind of thing that belongs to a room is found under its new id, by the old keys and by the new ones,
// also after a restart. What belongs to another bot or room stays.
func TestMoveRoom(t *testing.T) {
	t.Parallel()
	place := func(room, thread string) core.Place { return core.Place{Room: room, Thread: thread} }
	tests := []struct {
		name  string
		fill  func(ctx context.Context, s *storetest.Store) error
		check func(t *testing.T, s *storetest.Store, from, to string)
	}{
		{
			name: "conversations of the room, of a thread and of a person",
			fill: func(ctx context.Context, s *storetest.Store) error {
				var errs []error
				for _, conv := range []core.ConvKey{convIn(oldRoom, "", ""), convIn(oldRoom, "7", ""), convIn(oldRoom, "7", "u/1")} {
					errs = append(errs, s.PutConversation(ctx, conv, core.Conversation{ID: "id of " + string(conv), At: place(oldRoom, "7")}))
				}
				return errors.Join(errs...)
			},
			check: func(t *testing.T, s *storetest.Store, from, to string) {
				t.Helper()
				for _, in := range []string{from, to} {
					for _, conv := range []core.ConvKey{convIn(in, "", ""), convIn(in, "7", ""), convIn(in, "7", "u/1")} {
						c, ok, err := s.Conversation(t.Context(), conv)
						if want := "id of " + string(conv.Moved("b", to, oldRoom)); err != nil || !ok || c.ID != want || c.At != place(to, "7") {
							t.Errorf("%s: %+v, %v, %v", conv, c, ok, err)
						}
					}
				}
			},
		},
		{
			name: "a waiting question, which can still be revised and withdrawn by its message",
			fill: func(ctx context.Context, s *storetest.Store) error {
				_, _, err := s.Put(ctx, asked("k", oldRoom, "", "57"))
				return err
			},
			check: func(t *testing.T, s *storetest.Store, from, to string) {
				t.Helper()
				m := core.MessageRef{Place: place(oldRoom, ""), ID: "57"}
				if ok, err := s.Revise(t.Context(), "b", core.MessageRef{Place: place(to, ""), ID: "57"}, "not mine"); err != nil || ok {
					t.Errorf("another message of the same number was taken for it: %v, %v", ok, err)
				}
				if ok, err := s.Revise(t.Context(), "b", m, "revised"); err != nil || !ok {
					t.Errorf("revise: %v, %v", ok, err)
				}
				for _, in := range []string{from, to} {
					got, err := s.Waiting(t.Context(), convIn(in, "", ""), 0)
					if err != nil || len(got) != 1 || got[0].Conv != convIn(to, "", "") || got[0].At != place(to, "") ||
						got[0].Event.Ref() != m || got[0].Event.Text != "revised" {
						t.Errorf("waiting in %s: %+v, %v", in, got, err)
					}
				}
				if all, err := s.Unfinished(t.Context()); err != nil || len(all) != 1 || all[0] != convIn(to, "", "") {
					t.Errorf("unfinished: %v, %v", all, err)
				}
				if _, isFresh, err := s.Put(t.Context(), asked("k", oldRoom, "", "57")); err != nil || isFresh {
					t.Errorf("delivered again it is news: %v, %v", isFresh, err)
				}
				if ok, err := s.Withdraw(t.Context(), "b", m); err != nil || !ok {
					t.Errorf("withdraw: %v, %v", ok, err)
				}
			},
		},
		{
			name: "a running turn, which ends by the key that it began with",
			fill: func(ctx context.Context, s *storetest.Store) error {
				q, _, err := s.Put(ctx, asked("k", oldRoom, "", "57"))
				return errors.Join(err, s.PutTurn(ctx, core.Turn{
					ID: "t", Conv: q.Conv, Bot: "b", Seqs: []uint64{q.Seq}, At: q.At,
					Reply: []core.MessageRef{{Place: q.At, ID: "58"}},
				}, nil, nil))
			},
			check: func(t *testing.T, s *storetest.Store, from, to string) {
				t.Helper()
				turn, ok, err := s.Turn(t.Context(), convIn(from, "", ""))
				if err != nil || !ok || turn.Conv != convIn(to, "", "") || turn.At != place(to, "") || turn.Reply[0].Room != oldRoom {
					t.Fatalf("turn: %+v, %v, %v", turn, ok, err)
				}
				// The process that runs it knows the old key and place alone.
				turn.Conv, turn.At = convIn(oldRoom, "", ""), place(oldRoom, "")
				turn.Reply = append(turn.Reply, core.MessageRef{Place: place(to, ""), ID: "3"})
				c := core.Conversation{ID: "conv-1", At: place(oldRoom, "")}
				link := core.Link{App: "support", Message: "m1", Conv: turn.Conv, At: aTime}
				if err := s.PutTurn(t.Context(), turn, nil, nil); err != nil {
					t.Fatal(err)
				}
				if err := s.EndTurn(t.Context(), turn, &c, &link); err != nil {
					t.Fatal(err)
				}
				if c.At.Room != oldRoom || link.Conv != turn.Conv {
					t.Error("what the caller holds was changed")
				}
				if all, err := s.Unfinished(t.Context()); err != nil || len(all) != 0 {
					t.Errorf("unfinished after its end: %v, %v", all, err)
				}
				if got, _, err := s.Conversation(t.Context(), convIn(to, "", "")); err != nil || got.ID != "conv-1" || got.At != place(to, "") {
					t.Errorf("conversation: %+v, %v", got, err)
				}
				if l, ok, err := s.Link(t.Context(), "b", core.MessageRef{Place: place(to, ""), ID: "3"}); err != nil || !ok || l.Conv != convIn(to, "", "") {
					t.Errorf("link of what was posted in the new room: %+v, %v, %v", l, ok, err)
				}
			},
		},
		{
			name: "a question put by the old key afterwards",
			fill: func(context.Context, *storetest.Store) error { return nil },
			check: func(t *testing.T, s *storetest.Store, _, to string) {
				t.Helper()
				q, isFresh, err := s.Put(t.Context(), asked("late", oldRoom, "", "60"))
				if err != nil || !isFresh || q.Conv != convIn(to, "", "") || q.At != place(to, "") {
					t.Errorf("put: %+v, %v, %v", q, isFresh, err)
				}
			},
		},
		{
			name: "thread marks, brought together",
			fill: func(ctx context.Context, s *storetest.Store) error {
				p := asked("k", oldRoom, "7", "57")
				p.MarksThread = true
				_, _, err := s.Put(ctx, p)
				_, _, err2 := s.Put(ctx, asked("k2", newRoom, "7", "1"))
				return errors.Join(err, err2)
			},
			check: func(t *testing.T, s *storetest.Store, from, to string) {
				t.Helper()
				for _, in := range []string{from, to} {
					if m, err := s.Thread(t.Context(), "b", place(in, "7")); err != nil || m != (core.ThreadMark{Opened: true, Answered: true}) {
						t.Errorf("mark in %s: %+v, %v", in, m, err)
					}
				}
				if q, _, err := s.Put(t.Context(), asked("k3", from, "7", "61")); err != nil || q.First {
					t.Errorf("the thread is unknown: %+v, %v", q, err)
				}
			},
		},
		{
			name: "links and votes, by the ids under which the messages are",
			fill: func(ctx context.Context, s *storetest.Store) error {
				link := core.Link{App: "support", User: "u", Message: "m1", ConvID: "conv-1", Conv: convIn(oldRoom, "", ""), At: aTime}
				turn := core.Turn{Conv: link.Conv, Bot: "b", Reply: []core.MessageRef{{Place: place(oldRoom, ""), ID: "58"}}}
				return s.EndTurn(ctx, turn, nil, &link)
			},
			check: func(t *testing.T, s *storetest.Store, _, to string) {
				t.Helper()
				old := core.MessageRef{Place: place(oldRoom, ""), ID: "58"}
				if l, ok, err := s.Link(t.Context(), "b", old); err != nil || !ok || l.Message != "m1" || l.Conv != convIn(to, "", "") {
					t.Errorf("link: %+v, %v, %v", l, ok, err)
				}
				v := likeOf("58", aTime)
				v.Ref = core.MessageRef{Place: place(to, ""), ID: "58"}
				if _, changed, err := s.Vote(t.Context(), "v1", v); err != nil || changed {
					t.Errorf("a reaction to another message of the same number counts: %v, %v", changed, err)
				}
				v.Ref = old
				if job, changed, err := s.Vote(t.Context(), "v2", v); err != nil || !changed || job.Message != "m1" {
					t.Errorf("a reaction to the old message does not count: %+v, %v, %v", job, changed, err)
				}
			},
		},
		{
			name: "the new room's own conversation stays",
			fill: func(ctx context.Context, s *storetest.Store) error {
				return errors.Join(
					s.PutConversation(ctx, convIn(oldRoom, "", ""), core.Conversation{ID: "old"}),
					s.PutConversation(ctx, convIn(newRoom, "", ""), core.Conversation{ID: "new"}),
				)
			},
			check: func(t *testing.T, s *storetest.Store, from, to string) {
				t.Helper()
				for _, in := range []string{from, to} {
					if c, ok, err := s.Conversation(t.Context(), convIn(in, "", "")); err != nil || !ok || c.ID != "new" {
						t.Errorf("%s: %+v, %v, %v", in, c, ok, err)
					}
				}
			},
		},
		{
			name: "deleted by the old key",
			fill: func(ctx context.Context, s *storetest.Store) error {
				return s.PutConversation(ctx, convIn(oldRoom, "", ""), core.Conversation{ID: "old"})
			},
			check: func(t *testing.T, s *storetest.Store, from, to string) {
				t.Helper()
				if err := s.PutConversation(t.Context(), convIn(from, "", ""), core.Conversation{ID: "replaced"}); err != nil {
					t.Fatal(err)
				}
				if c, _, err := s.Conversation(t.Context(), convIn(to, "", "")); err != nil || c.ID != "replaced" {
					t.Errorf("replaced by the old key: %+v, %v", c, err)
				}
				if err := s.DeleteConversation(t.Context(), convIn(from, "", "")); err != nil {
					t.Fatal(err)
				}
				if _, ok, err := s.Conversation(t.Context(), convIn(to, "", "")); err != nil || ok {
					t.Errorf("it is there: %v", err)
				}
			},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := storetest.Open(t, store.Unsynced())
			if err := tt.fill(t.Context(), s); err != nil {
				t.Fatal(err)
			}
			others := map[core.ConvKey]core.Conversation{
				core.NewConvKey("b2", "support", place(oldRoom, ""), ""): {ID: "another bot", At: place(oldRoom, "")},
				convIn("-400", "", ""): {ID: "another room", At: place("-400", "")},
				"c":                    {ID: "no key of ours", At: place(oldRoom, "")},
			}
			for conv, c := range others {
				if err := s.PutConversation(t.Context(), conv, c); err != nil {
					t.Fatal(err)
				}
			}
			moveRoom(t, s, oldRoom, newRoom)
			before := s.Stats().Commits
			moveRoom(t, s, oldRoom, newRoom)
			if n := s.Stats().Commits - before; n != 0 {
				t.Errorf("moving it again costs %d commits", n)
			}
			s.Reopen()
			for conv, want := range others {
				if got, ok, err := s.Conversation(t.Context(), conv); err != nil || !ok || !cmp.Equal(got, want) {
					t.Errorf("%s: %+v, %v, %v", conv, got, ok, err)
				}
			}
			tt.check(t, s, oldRoom, newRoom)
		})
	}
}

// TestMoveRoomRefused: what is wrong, or would lose a running turn, writes nothing.
func TestMoveRoomRefused(t *testing.T) {
	t.Parallel()
	s := storetest.Open(t, store.Unsynced())
	for _, args := range [][3]string{{"", "a", "b"}, {"b", "", "b"}, {"b", "a", ""}, {"b", "a", "a"}} {
		if err := s.MoveRoom(t.Context(), args[0], args[1], args[2]); err == nil {
			t.Errorf("moved %q", args)
		}
	}
	for _, room := range []string{oldRoom, newRoom} {
		if err := s.PutTurn(t.Context(), core.Turn{ID: room, Conv: convIn(room, "", ""), Bot: "b"}, nil, nil); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.MoveRoom(t.Context(), "b", oldRoom, newRoom); err == nil {
		t.Fatal("two running turns became one")
	}
	for _, room := range []string{oldRoom, newRoom} {
		if turn, ok, err := s.Turn(t.Context(), convIn(room, "", "")); err != nil || !ok || turn.ID != room {
			t.Errorf("turn in %s: %+v, %v, %v", room, turn, ok, err)
		}
	}
}

// TestMoveRoomOn: a room that moves twice, and one that moves back.
func TestMoveRoomOn(t *testing.T) {
	t.Parallel()
	s := storetest.Open(t, store.Unsynced())
	if err := s.PutConversation(t.Context(), convIn("A", "", ""), core.Conversation{ID: "x"}); err != nil {
		t.Fatal(err)
	}
	for _, step := range [][2]string{{"A", "B"}, {"B", "C"}, {"C", "A"}, {"A", "C"}} {
		moveRoom(t, s, step[0], step[1])
		for _, room := range step {
			if c, ok, err := s.Conversation(t.Context(), convIn(room, "", "")); err != nil || !ok || c.ID != "x" || c.At.Room != "" {
				t.Errorf("after %s → %s, in %s: %+v, %v, %v", step[0], step[1], room, c, ok, err)
			}
		}
	}
}
