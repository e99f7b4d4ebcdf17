package store_test

import (
	"context"
	"errors"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/clickai/bridge/core"
	"github.com/clickai/bridge/store"
)

// everything fills a store with something in every bucket, and call calls every method on it.
func everything(tb testing.TB, s *store.Store) {
	tb.Helper()
	ctx := tb.Context()
	must := func(err error) {
		tb.Helper()
		if err != nil {
			tb.Fatal(err)
		}
	}
	_, err := s.FirstStart(ctx, "b", aTime)
	must(err)
	put(tb, s, inThread(question("k", "c", "m"), "T"))
	must(s.PutConversation(ctx, "c", core.Conversation{ID: "x"}))
	link := core.Link{App: "a", User: "u", Message: "msg", At: aTime}
	must(s.PutTurn(ctx, core.Turn{ID: "t", Conv: "c", Bot: "b", Reply: []core.MessageRef{ref("p")}}, nil, &link))
	must(s.SetCursor(ctx, "b", "n", "v"))
	must(s.MoveRoom(ctx, "b", "R", "R2"))
	must(s.PutConversation(ctx, convIn("R3", "", ""), core.Conversation{ID: "y"}))
	must(s.PutConversation(ctx, "gone", core.Conversation{ID: "z"}))
	must(s.DeleteConversation(ctx, "gone"))
	_, _, err = s.Vote(ctx, "vote", likeOf("p", aTime))
	must(err)
}

func likeOf(message string, at time.Time) core.Vote {
	return core.Vote{Bot: "b", Ref: ref(message), Person: core.User{Key: "u"}, Rating: core.RatingLike, Emoji: "👍", Added: true, At: at}
}

// call returns the error of each method by its name.
func call(ctx context.Context, s *store.Store) map[string]error {
	errs := map[string]error{}
	_, errs["FirstStart"] = s.FirstStart(ctx, "b", aTime)
	_, errs["Waiting"] = s.Waiting(ctx, "c", 0)
	_, errs["Unfinished"] = s.Unfinished(ctx)
	_, errs["Thread"] = s.Thread(ctx, "b", core.Place{Room: "R", Thread: "T"})
	errs["MoveRoom"] = s.MoveRoom(ctx, "b", "R3", "R4")
	_, _, errs["Conversation"] = s.Conversation(ctx, "c")
	_, _, errs["Turn"] = s.Turn(ctx, "c")
	_, _, errs["Link"] = s.Link(ctx, "b", ref("p"))
	_, errs["RatingJobs"] = s.RatingJobs(ctx, 0)
	_, errs["Cursor"] = s.Cursor(ctx, "b", "n")
	_, _, errs["Conversations"] = s.Conversations(ctx, nil, 0)
	_, errs["ConversationsByID"] = s.ConversationsByID(ctx, "x")
	_, _, errs["ConversationByKey"] = s.ConversationByKey(ctx, "c")
	_, _, errs["Rated"] = s.Rated(ctx, nil, 0)
	_, errs["Revise"] = s.Revise(ctx, "b", core.MessageRef{Place: core.Place{Room: "R"}, ID: "m"}, "new")
	down := likeOf("p", aTime.Add(time.Hour))
	down.Added = false
	_, _, errs["Vote"] = s.Vote(ctx, "another", down)
	errs["Forgotten"] = s.EndTurn(ctx, core.Turn{Conv: "gone"}, &core.Conversation{ID: "z"}, nil)
	errs["RatingSent"] = s.RatingSent(ctx, "a/msg", 99)
	_, _, errs["Put"] = s.Put(ctx, inThread(question("k2", "c", "m2"), "T"))
	_, errs["See"] = s.See(ctx, "b", "k")
	_, errs["Withdraw"] = s.Withdraw(ctx, "b", core.MessageRef{Place: core.Place{Room: "R"}, ID: "m"})
	errs["EndTurn"] = s.EndTurn(ctx, core.Turn{Conv: "c", Bot: "b", Seqs: []uint64{1}, Reply: []core.MessageRef{ref("p")}}, nil,
		&core.Link{App: "a", Message: "msg", At: aTime})
	errs["Sweep"] = s.Sweep(ctx, time.Now().Add(time.Hour), time.Now().Add(time.Hour))
	return errs
}

// damage overwrites every value of a bucket, or adds a key of its own if there is none.
func damage(tb testing.TB, s *store.Store, bucket string, key, value []byte) {
	tb.Helper()
	raw, err := s.Raw(bucket)
	if err != nil {
		tb.Fatal(err)
	}
	if err := s.Do(tb.Context(), func(x store.Tx) error {
		for k := range raw {
			if bucket == "meta" && strings.Contains(k, "schema") {
				continue
			}
			if err := x.Put(bucket, []byte(k), value); err != nil {
				return err
			}
		}
		if len(key) > 0 {
			return x.Put(bucket, key, value)
		}
		return nil
	}); err != nil {
		tb.Fatal(err)
	}
}

func open(tb testing.TB) *store.Store {
	tb.Helper()
	s, err := store.Open(filepath.Join(tb.TempDir(), "bridge.db"), store.Unsynced())
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { closeStore(tb, s) })
	return s
}

func TestDamagedValues(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		bucket string
		fails  []string // methods that must report it
	}{
		{"meta", []string{"FirstStart"}},
		{"inbox", []string{"Waiting", "Revise"}},
		{"questions", []string{"Revise"}},
		{"conversations", []string{"Conversation", "MoveRoom", "Conversations", "ConversationsByID", "ConversationByKey"}},
		{"turns", []string{"Turn", "Unfinished", "Revise"}},
		{"threads", []string{"Thread", "Put"}},
		{"links", []string{"Link", "Vote", "EndTurn"}},
		{"votes", []string{"Vote", "Rated"}},
		{"ratings", []string{"Vote"}},
		{"rating_jobs", []string{"RatingJobs", "RatingSent", "Vote"}},
		{"rating_jobs_at", []string{"RatingJobs"}},
		{"cursors", []string{"Cursor"}},
		{"forgotten", []string{"Forgotten"}},
		{"moves", []string{"Thread", "Put"}},
	} {
		t.Run(tt.bucket, func(t *testing.T) {
			t.Parallel()
			for _, value := range []string{"", "{", "null", "{}", `{"v":1}`, `{"v":1,"d":null}`, `{"v":1,"d":[1]}`, `{"v":2,"d":{}}`, `{"v":0,"d":{}}`, `{"v":1,"d":{}}x`} {
				s := open(t)
				everything(t, s)
				damage(t, s, tt.bucket, nil, []byte(value))
				if err := s.Check(t.Context()); err == nil {
					t.Errorf("%s: Check finds nothing", value)
				}
				errs := call(t.Context(), s)
				for _, method := range tt.fails {
					if damaged, ok := errors.AsType[*store.DamagedError](errs[method]); !ok || damaged.Bucket != tt.bucket {
						t.Errorf("%s of a damaged value %s: %v", method, value, errs[method])
					}
				}
				for method, err := range errs {
					if errors.Is(err, store.ErrPanic) {
						t.Errorf("%s: %v", method, err)
					}
				}
				// A question that cannot be read can still be ended, so that it does not block its conversation for ever.
				if got, err := s.Waiting(t.Context(), "c", 0); tt.bucket == "inbox" && err != nil {
					t.Errorf("after EndTurn: %v, %v", got, err)
				}
			}
		})
	}
}

func TestCheckFindsLooseEnds(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ bucket, key, value, says string }{
		{"inbox", "x", `{"v":1,"d":{}}`, "expected form"},
		{"questions", "x", `{"v":1,"d":{"inbox":"eA=="}}`, "leads to no question"},
		{"seen", "x", `{"v":1,"d":{"at":5}}`, "not in seen_at"},
		{"seen_at", "12345678x", `{"v":1}`, "nothing in seen"},
		{"seen_at", "x", `{"v":1}`, "expected form"},
		{"links", "x", `{"v":1,"d":{}}`, "not in links_at"},
		{"links_at", "12345678x", `{"v":1}`, "nothing in links"},
		{"ratings", "x", `{"v":1,"d":{"likes":1}}`, "1 likes"},
		{"ratings", "x", `{"v":1,"d":{"rating":"like"}}`, `says "like"`},
		{"ratings", "x", `{"v":1,"d":{}}`, "not in ratings_at"},
		{"ratings_at", "12345678x", `{"v":1}`, "nothing in ratings"},
		{"rating_jobs", "x", `{"v":1,"d":{"due":9}}`, "not in rating_jobs_at"},
		{"rating_jobs_at", "x", `{"v":1,"d":"y"}`, "leads to no job"},
	} {
		t.Run(tt.bucket, func(t *testing.T) {
			t.Parallel()
			s := open(t)
			if err := s.Do(t.Context(), func(x store.Tx) error { return x.Put(tt.bucket, []byte(tt.key), []byte(tt.value)) }); err != nil {
				t.Fatal(err)
			}
			err := s.Check(t.Context())
			if err == nil || !strings.Contains(err.Error(), tt.says) || !strings.Contains(err.Error(), tt.bucket) {
				t.Errorf("Check says %v, want %q", err, tt.says)
			}
		})
	}
}

func FuzzStoredBytes(f *testing.F) {
	for i, value := range []string{
		`{"v":1,"d":{}}`, `{"v":1,"d":"x"}`, `{"v":1,"d":{"inbox":"AWMAAAAAAAAAAQ==","seqs":[1],"marks":[{}],"due":1,"likes":-5,"changed":-1,"at":-1}}`,
		`{"v":1,"d":"2026-08-01T09:30:00Z"}`, `null`, "", "\x00\xff", `{"v":1,"d":{"reply":[{}],"version":18446744073709551615}}`,
	} {
		f.Add(uint8(i), []byte("\x01c\x00\x00\x00\x00\x00\x00\x00\x09"), []byte(value))
		f.Add(uint8(i+8), []byte("\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"), []byte(value))
	}
	names := store.Buckets()
	f.Fuzz(func(t *testing.T, which uint8, key, value []byte) {
		if len(key) > 1000 || strings.Contains(string(key), "schema") {
			return
		}
		s := open(t)
		everything(t, s)
		damage(t, s, names[int(which)%len(names)], key, value)
		for method, err := range call(t.Context(), s) {
			if errors.Is(err, store.ErrPanic) {
				t.Errorf("%s: %v", method, err)
			}
		}
		_ = s.Check(t.Context())
	})
}
