package store_test

import (
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/clickai/bridge/core"
	"github.com/clickai/bridge/store"
	"github.com/clickai/bridge/store/storetest"
)

func inThread(p core.Put, thread string) core.Put {
	p.Event.Thread = thread
	p.At.Thread = thread
	return p
}

func TestPut(t *testing.T) {
	t.Parallel()
	s := storetest.Open(t, store.Unsynced())
	want := question("k", "c", "m")
	got := put(t, s, want)
	if got.Seq == 0 {
		t.Error("no number")
	}
	want.Seq = got.Seq
	if diff := cmp.Diff(want.Pending, got); diff != "" {
		t.Errorf("stored differs (-put +stored):\n%s", diff)
	}
	s.Reopen()
	list, err := s.Waiting(t.Context(), "c", 0)
	if diff := cmp.Diff([]core.Pending{got}, list); err != nil || diff != "" {
		t.Errorf("Waiting: %v\n%s", err, diff)
	}
	again, isFresh, err := s.Put(t.Context(), question("k", "other", "m2"))
	if err != nil || isFresh || again.Seq != 0 {
		t.Errorf("a known key: %+v, fresh %v, %v", again, isFresh, err)
	}
	if isFresh, err := s.See(t.Context(), "b", "k"); err != nil || isFresh {
		t.Errorf("See of a question's key: %v, %v", isFresh, err)
	}
	other := question("k", "other", "m")
	other.Event.Bot = "b2"
	if q := put(t, s, other); q.Seq <= got.Seq {
		t.Errorf("numbers do not grow after a restart: %d after %d", q.Seq, got.Seq)
	}

	for name, broken := range map[string]func(*core.Put){
		"key":          func(p *core.Put) { p.Event.Key = "" },
		"bot":          func(p *core.Put) { p.Event.Bot = "" },
		"conversation": func(p *core.Put) { p.Conv = "" },
	} {
		p := question("x", "c", "m")
		broken(&p)
		if _, _, err := s.Put(t.Context(), p); err == nil {
			t.Errorf("Put without %s is taken", name)
		}
	}
}

func TestSee(t *testing.T) {
	t.Parallel()
	s := storetest.Open(t, store.Unsynced())
	for _, tt := range []struct {
		bot, key string
		want     bool
	}{
		{"b", "k", true},
		{"b", "k", false},
		{"b", "k2", true},
		{"b2", "k", true},
		{"bk", "", false},
		{"b", "\x00\xff", true},
		{"b", "\x00\xff", false},
		{"a", "bc", true},
		{"ab", "c", true}, // parts of keys do not run together
	} {
		got, err := s.See(t.Context(), tt.bot, tt.key)
		if got != tt.want || (err != nil) != (tt.key == "") {
			t.Errorf("See(%q, %q) = %v, %v, want %v", tt.bot, tt.key, got, err, tt.want)
		}
		s.Reopen()
	}
}

func TestMaxWaiting(t *testing.T) {
	t.Parallel()
	s := storetest.Open(t, store.Unsynced())
	limited := func(key, conv string) error {
		p := question(key, conv, key)
		p.MaxWaiting = 2
		_, _, err := s.Put(t.Context(), p)
		return err
	}
	first := put(t, s, question("1", "c", "1"))
	if err := s.PutTurn(t.Context(), core.Turn{ID: "t", Conv: "c", Seqs: []uint64{first.Seq}}, nil, nil); err != nil {
		t.Fatal(err)
	}
	if err := limited("2", "c"); err != nil {
		t.Errorf("second: %v", err)
	}
	if err := limited("3", "c"); !errors.Is(err, core.ErrQueueFull) {
		t.Errorf("third: %v; what a running turn has taken counts", err)
	}
	if err := limited("2", "c"); err != nil {
		t.Errorf("a known key in a full conversation: %v", err)
	}
	if err := limited("4", "c\x00"); err != nil {
		t.Errorf("another conversation: %v", err)
	}
	put(t, s, question("5", "c", "5")) // no bound
	if err := s.EndTurn(t.Context(), core.Turn{ID: "t", Conv: "c", Seqs: []uint64{first.Seq, first.Seq + 1}}, nil, nil); err != nil {
		t.Fatal(err)
	}
	if err := limited("3", "c"); err != nil {
		t.Errorf("a refused question that comes again when there is room: %v", err)
	}
}

func TestThreadMarks(t *testing.T) {
	t.Parallel()
	opens := func(key, thread string) core.Put { // stands in the room, its answer in a thread of it
		p := question(key, "c", key)
		p.At.Thread, p.MarksThread = thread, true
		return p
	}
	for _, tt := range []struct {
		name  string
		puts  []core.Put
		first []bool
		want  core.ThreadMark // of thread T
	}{
		{"direct chat", []core.Put{question("1", "c", "1")}, []bool{false}, core.ThreadMark{}},
		{
			"people's thread",
			[]core.Put{inThread(question("1", "c", "1"), "T"), inThread(question("2", "c", "2"), "T")},
			[]bool{true, false},
			core.ThreadMark{Answered: true},
		},
		{"opened", []core.Put{opens("1", "T")}, []bool{false}, core.ThreadMark{Opened: true}},
		{
			"follow-up in an opened one",
			[]core.Put{opens("1", "T"), inThread(question("2", "c", "2"), "T")},
			[]bool{false, false},
			core.ThreadMark{Opened: true, Answered: true},
		},
		{"another thread", []core.Put{inThread(question("1", "c", "1"), "S")}, []bool{true}, core.ThreadMark{}},
		{"marks nothing in a room", []core.Put{opens("1", "")}, []bool{false}, core.ThreadMark{}},
		{
			"forum post that asks the bot",
			func() []core.Put {
				p := inThread(question("1", "c", "1"), "T")
				p.MarksThread = true
				return []core.Put{p}
			}(),
			[]bool{true},
			core.ThreadMark{Opened: true, Answered: true},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := storetest.Open(t, store.Unsynced())
			for i, p := range tt.puts {
				if q := put(t, s, p); q.First != tt.first[i] {
					t.Errorf("question %d: first = %v", i, q.First)
				}
				s.Reopen()
			}
			got, err := s.Thread(t.Context(), "b", core.Place{Room: "R", Thread: "T"})
			if err != nil || got != tt.want {
				t.Errorf("Thread = %+v, %v, want %+v", got, err, tt.want)
			}
			for _, p := range []core.Place{{Room: "R2", Thread: "T"}, {Room: "R"}} {
				if got, err := s.Thread(t.Context(), "b", p); err != nil || got != (core.ThreadMark{}) {
					t.Errorf("Thread(%+v) = %+v, %v", p, got, err)
				}
			}
			if got, err := s.Thread(t.Context(), "b2", core.Place{Room: "R", Thread: "T"}); err != nil || got != (core.ThreadMark{}) {
				t.Errorf("another bot's: %+v, %v", got, err)
			}
		})
	}
}

func TestWaitingAndUnfinished(t *testing.T) {
	t.Parallel()
	s := storetest.Open(t, store.Unsynced())
	seqs := map[string]uint64{}
	for _, kc := range [][2]string{{"1", "zeta"}, {"2", "alpha"}, {"3", "zeta"}, {"4", "zet"}, {"5", "alpha"}, {"6", "\U0010FFFFodd"}, {"7", "z"}} {
		seqs[kc[0]] = put(t, s, question(kc[0], kc[1], kc[0])).Seq
	}
	keys := func(conv core.ConvKey, limit int) []string {
		list, err := s.Waiting(t.Context(), conv, limit)
		if err != nil {
			t.Fatal(err)
		}
		var keys []string
		for _, q := range list {
			keys = append(keys, q.Event.Key)
		}
		return keys
	}
	unfinished := func(want ...core.ConvKey) {
		t.Helper()
		got, err := s.Unfinished(t.Context())
		if err != nil || !slices.Equal(got, want) {
			t.Errorf("Unfinished = %q, %v, want %q", got, err, want)
		}
	}
	for _, tt := range []struct {
		conv  core.ConvKey
		limit int
		want  []string
	}{
		{"zeta", 0, []string{"1", "3"}}, {"zeta", 1, []string{"1"}}, {"zeta", 9, []string{"1", "3"}}, {"zet", 0, []string{"4"}}, {"none", 0, nil},
	} {
		if got := keys(tt.conv, tt.limit); !slices.Equal(got, tt.want) {
			t.Errorf("Waiting(%q, %d) = %q, want %q", tt.conv, tt.limit, got, tt.want)
		}
	}
	unfinished("zeta", "alpha", "zet", "\U0010FFFFodd", "z")

	// zeta's first question is answered: alpha has the oldest now. A turn whose questions are gone still counts.
	end := core.Turn{ID: "t1", Conv: "zeta", Bot: "b", Seqs: []uint64{seqs["1"]}}
	if err := s.PutTurn(t.Context(), end, nil, nil); err != nil {
		t.Fatal(err)
	}
	unfinished("zeta", "alpha", "zet", "\U0010FFFFodd", "z")
	if err := s.EndTurn(t.Context(), end, nil, nil); err != nil {
		t.Fatal(err)
	}
	if err := s.PutTurn(t.Context(), core.Turn{ID: "t2", Conv: "retried", Bot: "b"}, nil, nil); err != nil {
		t.Fatal(err)
	}
	if err := s.PutTurn(t.Context(), core.Turn{ID: "t3", Conv: "gone", Bot: "b", Seqs: []uint64{seqs["3"]}}, nil, nil); err != nil {
		t.Fatal(err)
	}
	s.Reopen()
	unfinished("retried", "alpha", "gone", "zeta", "zet", "\U0010FFFFodd", "z")
	if got := keys("zeta", 0); !slices.Equal(got, []string{"3"}) {
		t.Errorf("Waiting after the end of a turn: %q", got)
	}
}

func TestReviseAndWithdraw(t *testing.T) {
	t.Parallel()
	s := storetest.Open(t, store.Unsynced())
	ref := func(id string) core.MessageRef { return core.MessageRef{Place: core.Place{Room: "R"}, ID: id} }
	text := func(conv core.ConvKey) (texts []string) {
		list, err := s.Waiting(t.Context(), conv, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, q := range list {
			texts = append(texts, q.Event.Text)
		}
		return texts
	}
	expect := func(what string, got bool, err error, want bool) {
		t.Helper()
		if err != nil || got != want {
			t.Errorf("%s = %v, %v, want %v", what, got, err, want)
		}
		s.Reopen()
	}
	taken := put(t, s, question("1", "c", "m1"))
	put(t, s, inThread(question("2", "c", "m2"), "T"))
	put(t, s, question("3", "c", "m3"))
	turn := core.Turn{ID: "t", Conv: "c", Seqs: []uint64{taken.Seq}}
	if err := s.PutTurn(t.Context(), turn, nil, nil); err != nil {
		t.Fatal(err)
	}

	ok, err := s.Revise(t.Context(), "b", ref("m2"), "new 2") // told without its thread
	expect("Revise of a waiting one", ok, err, true)
	ok, err = s.Revise(t.Context(), "b", ref("m1"), "new 1")
	expect("Revise of a taken one", ok, err, false)
	ok, err = s.Withdraw(t.Context(), "b", ref("m1"))
	expect("Withdraw of a taken one", ok, err, false)
	ok, err = s.Revise(t.Context(), "b", ref("m9"), "x")
	expect("Revise of an unknown one", ok, err, false)
	ok, err = s.Revise(t.Context(), "b2", ref("m2"), "x")
	expect("Revise of another bot's", ok, err, false)
	ok, err = s.Withdraw(t.Context(), "b", ref("m3"))
	expect("Withdraw", ok, err, true)
	ok, err = s.Withdraw(t.Context(), "b", ref("m3"))
	expect("Withdraw again", ok, err, false)
	if got := text("c"); !slices.Equal(got, []string{"text of m1", "new 2"}) {
		t.Errorf("texts %q", got)
	}
	if isFresh, err := s.See(t.Context(), "b", "3"); err != nil || isFresh {
		t.Errorf("the key of a withdrawn question is forgotten: %v", err)
	}
	if err := s.EndTurn(t.Context(), turn, nil, nil); err != nil {
		t.Fatal(err)
	}
	ok, err = s.Revise(t.Context(), "b", ref("m1"), "late")
	expect("Revise of an answered one", ok, err, false)

	// A message that became a question twice: the index leads to the newer one, also when the older is answered.
	a := put(t, s, question("a", "d", "twice"))
	put(t, s, question("a2", "d", "twice"))
	if err := s.EndTurn(t.Context(), core.Turn{ID: "t", Conv: "d", Seqs: []uint64{a.Seq}}, nil, nil); err != nil {
		t.Fatal(err)
	}
	ok, err = s.Revise(t.Context(), "b", ref("twice"), "newest")
	expect("Revise of the newer", ok, err, true)
	if got := text("d"); !slices.Equal(got, []string{"newest"}) {
		t.Errorf("texts %q", got)
	}
}

func TestLongKeysAreRefused(t *testing.T) {
	t.Parallel()
	s := storetest.Open(t, store.Unsynced())
	p := question(fmt.Sprintf("%040000d", 1), "c", "m")
	if _, _, err := s.Put(t.Context(), p); err == nil {
		t.Error("a key longer than the store takes is accepted")
	}
	if got, err := s.Waiting(t.Context(), "c", 0); err != nil || len(got) != 0 {
		t.Errorf("something of it was written: %v, %v", got, err)
	}
}
