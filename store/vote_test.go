package store_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/clickai/bridge/core"
	"github.com/clickai/bridge/store"
	"github.com/clickai/bridge/store/storetest"
)

// rated opens a store with two messages, p1 and p2, that show one turn, and one, bare, of a turn without message id.
func rated(t *testing.T) *storetest.Store {
	t.Helper()
	s := storetest.Open(t, store.Unsynced())
	turn := core.Turn{ID: "t", Conv: "c", Bot: "b", Reply: []core.MessageRef{ref("p1"), ref("p2")}}
	link := core.Link{App: "support", User: "slack:T:owner", Message: "msg/1", ConvID: "conv", Conv: "c", At: time.Now()}
	if err := s.EndTurn(t.Context(), turn, nil, &link); err != nil {
		t.Fatal(err)
	}
	turn.Reply, link.Message = []core.MessageRef{ref("bare")}, ""
	if err := s.EndTurn(t.Context(), turn, nil, &link); err != nil {
		t.Fatal(err)
	}
	return s
}

func ref(id string) core.MessageRef { return core.MessageRef{Place: core.Place{Room: "R"}, ID: id} }

// vote reads "Minh +👍 p1": who, added or taken back, which emoji, on which message; "@7" at second 7, else later than all before.
func vote(t *testing.T, n int, s string) core.Vote {
	t.Helper()
	f := strings.Fields(s)
	if len(f) < 3 {
		t.Fatalf("vote %q", s)
	}
	v := core.Vote{
		Bot: "b", Ref: ref(f[2]), Person: core.User{ID: "id-" + f[0], Name: f[0], Key: "slack:T:" + f[0]},
		Added: f[1][0] == '+', Emoji: f[1][1:], At: aTime.Add(time.Duration(1000+n) * time.Second),
	}
	switch v.Emoji {
	case "👍", "🎉":
		v.Rating = core.RatingLike
	case "👎":
		v.Rating = core.RatingDislike
	}
	if len(f) > 3 {
		var sec int
		if _, err := fmt.Sscanf(f[3], "@%d", &sec); err != nil {
			t.Fatal(err)
		}
		v.At = aTime.Add(time.Duration(sec) * time.Second)
	}
	return v
}

func TestVotes(t *testing.T) {
	t.Parallel()
	const like, dislike, none = "like", "dislike", "null"
	for _, tt := range []struct {
		name  string
		votes []string // what happens, and after "=>" the rating of the job that it makes
	}{
		{"one likes", []string{"Minh +👍 p1 => like"}},
		{"one dislikes", []string{"Minh +👎 p1 => dislike"}},
		{"withdrawn", []string{"Minh +👍 p1 => like", "Minh -👍 p1 => null"}},
		{"the last word", []string{"Minh +👍 p1 => like", "Minh +👎 p1 => dislike"}},
		{"the last word withdrawn: the one before stands", []string{"Minh +👍 p1 => like", "Minh +👎 p1 => dislike", "Minh -👎 p1 => like"}},
		{"an earlier word withdrawn", []string{"Minh +👍 p1 => like", "Minh +👎 p1 => dislike", "Minh -👍 p1"}},
		{"two likes of one person count once", []string{"Minh +👍 p1 => like", "Minh +🎉 p1", "Lan +👎 p1 => null"}},
		{"two likes, one taken back", []string{"Minh +👍 p1 => like", "Minh +🎉 p1", "Minh -👍 p1", "Minh -🎉 p1 => null"}},
		{"messages of one reply are one turn", []string{"Minh +👍 p1 => like", "Minh +👎 p2 => dislike", "Minh -👎 p1", "Minh -👎 p2 => like"}},
		{"same emoji on both messages", []string{"Minh +👍 p1 => like", "Minh +👍 p2", "Minh -👍 p1", "Minh -👍 p2 => null"}},
		{"as many", []string{"Minh +👍 p1 => like", "Lan +👎 p1 => null", "An +👎 p1 => dislike"}},
		{"majority stays", []string{"Minh +👍 p1 => like", "Lan +👍 p1", "An +👎 p1", "An -👎 p1"}},
		{"majority turns", []string{"Minh +👍 p1 => like", "Lan +👎 p1 => null", "Minh +👎 p1 => dislike"}},
		{"taken back without having been seen", []string{"Minh -👍 p1"}},
		{"older adding after the taking back", []string{"Minh -👍 p1 @9", "Minh +👍 p1 @8"}},
		{"older taking back after the adding", []string{"Minh +👍 p1 @9 => like", "Minh -👍 p1 @8"}},
		{"same time: as they arrive", []string{"Minh +👍 p1 @9 => like", "Minh -👍 p1 @9 => null", "Minh +👍 p1 @9 => like", "Minh +👎 p1 @9 => dislike"}},
		{"out of order: the time counts", []string{"Minh +👎 p1 @9 => dislike", "Minh +👍 p1 @8", "Minh -👎 p1 @10 => like"}},
		{"added again is the last word", []string{"Minh +👍 p1 => like", "Minh +👎 p1 => dislike", "Minh -👍 p1", "Minh +👍 p1 => like"}},
		{"no message id", []string{"Minh +👍 bare"}},
		{"not a reply", []string{"Minh +👍 elsewhere"}},
		{"no rating", []string{"Minh +🚀 p1"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := rated(t)
			var version uint64
			for i, line := range tt.votes {
				line, want, wantChanged := strings.Cut(line, " => ")
				key := fmt.Sprint("reaction", i)
				for try := range 2 { // the second is a redelivery
					job, changed, err := s.Vote(t.Context(), key, vote(t, i, line))
					if err != nil {
						t.Fatal(err)
					}
					if try == 1 {
						if changed {
							t.Errorf("%s: counted twice", line)
						}
						continue
					}
					got := string(job.Rating)
					if changed && got == "" {
						got = none
					}
					if changed != wantChanged || got != want {
						t.Errorf("%s: changed %v, %q, want %q", line, changed, got, want)
					}
					if changed {
						if job.Version <= version || job.ID == "" || job.App != "support" || job.User != "slack:T:owner" || job.Message != "msg/1" {
							t.Errorf("%s: job %+v after version %d", line, job, version)
						}
						version = job.Version
					}
				}
				s.Reopen()
			}
			jobs, err := s.RatingJobs(t.Context(), 0)
			if err != nil {
				t.Fatal(err)
			}
			if version == 0 && len(jobs) != 0 || version > 0 && (len(jobs) != 1 || jobs[0].Version != version) {
				t.Errorf("jobs %+v, want one with version %d", jobs, version)
			}
		})
	}
}

func TestVoteContent(t *testing.T) {
	t.Parallel()
	s := rated(t)
	n := 0
	cast := func(line string) (content string) {
		n++
		job, _, err := s.Vote(t.Context(), fmt.Sprint(n), vote(t, n, line))
		if err != nil {
			t.Fatal(err)
		}
		return job.Content
	}
	for _, tt := range []struct{ vote, want string }{
		{"Minh +👍 p1", "👍 Minh (slack:T:Minh)"},
		{"Lan +👎 p2", "👍 Minh (slack:T:Minh), 👎 Lan (slack:T:Lan)"},
		{"An +🎉 p1", "👍 Minh (slack:T:Minh), 👎 Lan (slack:T:Lan), 🎉 An (slack:T:An)"},
		{"Minh -👍 p1", "👎 Lan (slack:T:Lan), 🎉 An (slack:T:An)"},
		{"An -🎉 p1", "👎 Lan (slack:T:Lan)"},
		{"Lan -👎 p2", ""},
	} {
		if got := cast(tt.vote); got != tt.want {
			t.Errorf("%s: content %q, want %q", tt.vote, got, tt.want)
		}
	}

	v := vote(t, 100, "x +👍 p1")
	v.Person.Name = "a\nb\t" + strings.Repeat("é", 200)
	job, _, err := s.Vote(t.Context(), "odd name", v)
	if err != nil || strings.ContainsAny(job.Content, "\n\t") || len([]rune(job.Content)) > 120 {
		t.Errorf("content of an odd name: %q, %v", job.Content, err)
	}
	for i := range 50 {
		cast(fmt.Sprintf("like%d +👍 p1", i))
		cast(fmt.Sprintf("dis%d +👎 p1", i))
	}
	cast("even +👎 p1")
	content := cast("tips +👎 p1")
	if !strings.Contains(content, "👎 tips (") || !strings.HasSuffix(content, ", +83") || strings.Count(content, "slack:T:") != 20 {
		t.Errorf("content of many is %q, want the newest 20 with who tipped it, and the number of the others", content)
	}
}

func TestRatingSent(t *testing.T) {
	t.Parallel()
	s := rated(t)
	first, _, err := s.Vote(t.Context(), "1", vote(t, 1, "Minh +👍 p1"))
	if err != nil {
		t.Fatal(err)
	}
	// Taken back while the first is being sent. The job stays although nothing is what was sent last: the like may arrive yet.
	second, changed, err := s.Vote(t.Context(), "2", vote(t, 2, "Minh -👍 p1"))
	if err != nil || !changed {
		t.Fatalf("taken back: %v, %v", changed, err)
	}
	left := func(want ...uint64) {
		t.Helper()
		s.Reopen()
		jobs, err := s.RatingJobs(t.Context(), 0)
		if err != nil {
			t.Fatal(err)
		}
		var got []uint64
		for _, j := range jobs {
			got = append(got, j.Version)
		}
		if fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("versions to be sent: %v, want %v", got, want)
		}
	}
	left(second.Version)
	if err := s.RatingSent(t.Context(), first.ID, first.Version); err != nil {
		t.Fatal(err)
	}
	left(second.Version)
	for range 2 {
		if err := s.RatingSent(t.Context(), second.ID, second.Version); err != nil {
			t.Fatal(err)
		}
		left()
	}
	third, changed, err := s.Vote(t.Context(), "3", vote(t, 3, "Minh +👍 p1"))
	if err != nil || !changed || third.Version <= second.Version {
		t.Errorf("versions start again: %+v, %v", third, err)
	}
}

func TestRatingJobsOrder(t *testing.T) {
	t.Parallel()
	s := storetest.Open(t, store.Unsynced())
	for _, id := range []string{"z", "m", "a"} {
		link := core.Link{App: "app/" + id, Message: "m", At: time.Now()}
		if err := s.EndTurn(t.Context(), core.Turn{Conv: "c", Bot: "b", Reply: []core.MessageRef{ref(id)}}, nil, &link); err != nil {
			t.Fatal(err)
		}
		if _, _, err := s.Vote(t.Context(), "like"+id, vote(t, 1, "Minh +👍 "+id)); err != nil {
			t.Fatal(err)
		}
	}
	if _, _, err := s.Vote(t.Context(), "again", vote(t, 2, "Minh +👎 z")); err != nil {
		t.Fatal(err)
	}
	for limit, want := range []string{"m a z", "m", "m a"} {
		jobs, err := s.RatingJobs(t.Context(), limit)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, j := range jobs {
			got = append(got, strings.TrimPrefix(j.App, "app/"))
		}
		if strings.Join(got, " ") != want {
			t.Errorf("RatingJobs(%d) = %v, want %s", limit, got, want)
		}
	}
}

func TestVotesAreBounded(t *testing.T) {
	t.Parallel()
	s := rated(t)
	for i := range 100 {
		v := vote(t, i, "Minh +👍 p1")
		v.Emoji = fmt.Sprint(":", i, ":")
		if _, _, err := s.Vote(t.Context(), fmt.Sprint(i), v); err != nil {
			t.Fatal(err)
		}
	}
	raw, err := s.Raw("votes")
	if err != nil || len(raw) != 1 {
		t.Fatalf("%d records, %v", len(raw), err)
	}
	for _, v := range raw {
		if n := strings.Count(v, `"emoji"`); n != 64 || strings.Contains(v, ":35:") || !strings.Contains(v, ":36:") {
			t.Errorf("%d reactions of one person are kept: %s", n, v)
		}
	}
}
