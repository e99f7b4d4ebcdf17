package store_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/clickai/bridge/core"
	"github.com/clickai/bridge/store"
	"github.com/clickai/bridge/store/storetest"
)

var aTime = time.Date(2026, 8, 1, 9, 30, 0, 123456789, time.UTC)

func TestConversation(t *testing.T) {
	t.Parallel()
	s := storetest.Open(t, store.Unsynced())
	want := core.Conversation{
		ID: "conv-1", User: "slack:T:U", App: "support", Owner: core.User{ID: "U", Name: "Minh", Key: "slack:T:U"},
		People: 2, Turns: 3, Started: aTime, Last: aTime.Add(time.Hour), At: core.Place{Room: "R", Thread: "T"}, Bot: "b", Title: "help",
	}
	if _, ok, err := s.Conversation(t.Context(), "c"); ok || err != nil {
		t.Errorf("before: %v, %v", ok, err)
	}
	if err := s.PutConversation(t.Context(), "c", want); err != nil {
		t.Fatal(err)
	}
	s.Reopen()
	got, ok, err := s.Conversation(t.Context(), "c")
	if diff := cmp.Diff(want, got); err != nil || !ok || diff != "" {
		t.Errorf("read back %v, %v:\n%s", ok, err, diff)
	}
	for range 2 {
		if err := s.DeleteConversation(t.Context(), "c"); err != nil {
			t.Fatal(err)
		}
		s.Reopen()
	}
	if _, ok, err := s.Conversation(t.Context(), "c"); ok || err != nil {
		t.Errorf("after: %v, %v", ok, err)
	}
}

func TestTurn(t *testing.T) {
	t.Parallel()
	s := storetest.Open(t, store.Unsynced())
	q := put(t, s, question("k", "c", "m"))
	later := put(t, s, question("k2", "c", "m2"))
	r1 := core.MessageRef{Place: core.Place{Room: "R", Thread: "T"}, ID: "reply-1"}
	r2 := core.MessageRef{Place: core.Place{Room: "R", Thread: "T"}, ID: "reply-2"}
	turn := core.Turn{
		ID: "t1", Conv: "c", Bot: "b", App: "support", User: "u", Keys: []string{"k"}, Seqs: []uint64{q.Seq}, At: r1.Place,
		Query: "hello", Files: []core.FileRef{{ID: "f", Type: "image", Name: "a.png"}}, Started: aTime,
	}
	if err := s.PutTurn(t.Context(), turn, nil, nil); err != nil {
		t.Fatal(err)
	}
	expect := func(want core.Turn) {
		t.Helper()
		s.Reopen()
		got, ok, err := s.Turn(t.Context(), "c")
		if diff := cmp.Diff(want, got); err != nil || !ok || diff != "" {
			t.Errorf("Turn: %v, %v\n%s", ok, err, diff)
		}
	}
	expect(turn)

	turn.ConvID, turn.Message, turn.Reply = "conv-1", "msg-1", []core.MessageRef{r1}
	c := core.Conversation{ID: "conv-1", User: "u"}
	link := core.Link{App: "support", User: "u", Message: "msg-1", ConvID: "conv-1", Conv: "c", At: aTime}
	if err := s.PutTurn(t.Context(), turn, &c, &link); err != nil {
		t.Fatal(err)
	}
	expect(turn)
	if got, ok, err := s.Conversation(t.Context(), "c"); err != nil || !ok || got.ID != "conv-1" {
		t.Errorf("the conversation was not written with it: %+v, %v", got, err)
	}
	expectLink := func(m core.MessageRef, want core.Link, wantOK bool) {
		t.Helper()
		got, ok, err := s.Link(t.Context(), "b", m)
		if diff := cmp.Diff(want, got); err != nil || ok != wantOK || diff != "" {
			t.Errorf("Link(%s) = %v, %v\n%s", m.ID, ok, err, diff)
		}
	}
	expectLink(r1, link, true)
	expectLink(core.MessageRef{Place: core.Place{Room: "R"}, ID: "reply-1"}, link, true) // a reaction may come without the thread
	expectLink(r2, core.Link{}, false)
	if _, ok, err := s.Link(t.Context(), "b2", r1); ok || err != nil {
		t.Errorf("another bot's link: %v, %v", ok, err)
	}

	c.Turns = 1
	turn.Reply = append(turn.Reply, core.MessageRef{}, r2)
	link.At = link.At.Add(time.Minute)
	if err := s.EndTurn(t.Context(), turn, &c, &link); err != nil {
		t.Fatal(err)
	}
	s.Reopen()
	if _, ok, err := s.Turn(t.Context(), "c"); ok || err != nil {
		t.Errorf("the journal stays: %v", err)
	}
	if got, _, err := s.Conversation(t.Context(), "c"); err != nil || got.Turns != 1 {
		t.Errorf("the conversation was not written at the end: %+v, %v", got, err)
	}
	expectLink(r1, link, true)
	expectLink(r2, link, true)
	if got, err := s.Waiting(t.Context(), "c", 0); err != nil || len(got) != 1 || got[0].Seq != later.Seq {
		t.Errorf("waiting after the end: %v, %v", got, err)
	}
	before := s.Stats()
	if err := s.EndTurn(t.Context(), turn, nil, nil); err != nil {
		t.Errorf("ended twice: %v", err)
	}
	if got := s.Stats(); got.Commits != before.Commits {
		t.Errorf("ending an ended turn costs %d commits", got.Commits-before.Commits)
	}
	if s.PutTurn(t.Context(), core.Turn{}, nil, nil) == nil || s.EndTurn(t.Context(), core.Turn{}, nil, nil) == nil {
		t.Error("a turn of no conversation is taken")
	}
}

// A turn costs three commits: accepting, journal with the first reply message, end. Each write of the journal more is one more.
func TestTurnCost(t *testing.T) {
	t.Parallel()
	s := storetest.Open(t, store.Unsynced())
	q := put(t, s, question("k", "c", "m"))
	turn := core.Turn{ID: "t", Conv: "c", Bot: "b", Seqs: []uint64{q.Seq}}
	turn.Reply = []core.MessageRef{{Place: core.Place{Room: "R"}, ID: "r"}}
	link := core.Link{App: "a", Message: "m", At: aTime}
	if err := s.PutTurn(t.Context(), turn, &core.Conversation{ID: "x"}, &link); err != nil {
		t.Fatal(err)
	}
	if err := s.EndTurn(t.Context(), turn, &core.Conversation{ID: "x", Turns: 1}, &link); err != nil {
		t.Fatal(err)
	}
	if got := s.Stats(); got.Commits != 3 {
		t.Errorf("%d commits, want 3", got.Commits)
	}
}

func TestFirstStartAndCursor(t *testing.T) {
	t.Parallel()
	s := storetest.Open(t, store.Unsynced())
	for i, now := range []time.Time{aTime.In(time.FixedZone("ICT", 7*3600)), aTime.Add(time.Hour)} {
		got, err := s.FirstStart(t.Context(), "b", now)
		if err != nil || got != aTime {
			t.Errorf("start %d: %v, %v, want %v", i, got, err, aTime)
		}
		s.Reopen()
	}
	if got, err := s.FirstStart(t.Context(), "b2", aTime.Add(time.Hour)); err != nil || got != aTime.Add(time.Hour) {
		t.Errorf("another bot: %v, %v", got, err)
	}

	for _, v := range []string{"", "1", "2", "2", ""} {
		if err := s.SetCursor(t.Context(), "b", "C1", v); err != nil {
			t.Fatal(err)
		}
		s.Reopen()
		if got, err := s.Cursor(t.Context(), "b", "C1"); err != nil || got != v {
			t.Errorf("Cursor = %q, %v, want %q", got, err, v)
		}
	}
	if got, err := s.Cursor(t.Context(), "b", "C2"); err != nil || got != "" {
		t.Errorf("a cursor that was never set: %q, %v", got, err)
	}
	if s.SetCursor(t.Context(), "", "n", "v") == nil || s.SetCursor(t.Context(), "b", "", "v") == nil {
		t.Error("a cursor of no name is taken")
	}
}
