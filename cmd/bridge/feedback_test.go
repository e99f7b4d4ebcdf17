package main

import (
	"encoding/csv"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/clickai/bridge/core"
	"github.com/clickai/bridge/internal/control"
	"github.com/clickai/bridge/store"
)

// react has a person rate an answer in a room.
func react(t *testing.T, s *store.Store, room, message, name, emoji string, rating core.Rating, at time.Time) {
	t.Helper()
	conv := core.NewConvKey("demo-slack", "demo", core.Place{Room: room}, "")
	ref := core.MessageRef{Place: core.Place{Room: room}, ID: "p-" + message}
	link := core.Link{App: "demo", User: "slack:T:owner", Message: message, ConvID: "c-" + room, Conv: conv, At: time.Now()}
	if err := s.EndTurn(t.Context(), core.Turn{ID: "t", Conv: conv, Bot: "demo-slack", Reply: []core.MessageRef{ref}}, nil, &link); err != nil {
		t.Fatal(err)
	}
	if _, _, err := s.Vote(t.Context(), room+message+name, core.Vote{
		Bot: "demo-slack", Ref: ref, Person: core.User{ID: name, Name: name, Key: "slack:T:" + name}, Rating: rating, Emoji: emoji, Added: true, At: at,
	}); err != nil {
		t.Fatal(err)
	}
}

func TestFeedback(t *testing.T) {
	t.Parallel()
	day := time.Date(2026, 8, 3, 9, 30, 0, 0, time.UTC) // a Monday
	bothWays(t, func(_ *memory, s *store.Store) {
		react(t, s, "-100123", "m1", "Minh", "👍", core.RatingLike, day)
		react(t, s, "-100123", "m1", "=HYPERLINK(1)", "👍", core.RatingLike, day.Add(time.Hour))
		react(t, s, "-100123", "m2", "Lan, \"the\" 2nd\nline", "👎", core.RatingDislike, day.AddDate(0, 0, -1))
		react(t, s, "@room", "+m3", "Minh", "👎", core.RatingDislike, day)
	}, func(t *testing.T, m *memory) {
		out := m.wants(0, []string{"feedback", "export"})
		rows, err := csv.NewReader(strings.NewReader(out)).ReadAll()
		if err != nil || len(rows) != 5 {
			t.Fatalf("%d rows, %v\n%s", len(rows), err, out)
		}
		got := map[string]string{}
		for _, row := range rows[1:] {
			one := map[string]string{}
			for i, name := range rows[0] {
				one[name] = row[i]
			}
			got[one["message_id"]+" "+one["user_name"]] = strings.Join([]string{
				one["time"], one["bot"], one["room"], one["app"], one["conversation_id"], one["platform_message_id"], one["user"], one["rating"], one["emoji"],
			}, "|")
		}
		for who, want := range map[string]string{
			"m1 Minh":                   "2026-08-03T09:30:00Z|demo-slack|-100123|demo|c--100123|p-m1|slack:T:Minh|like|👍",
			"m1 '=HYPERLINK(1)":         "2026-08-03T10:30:00Z|demo-slack|-100123|demo|c--100123|p-m1|slack:T:=HYPERLINK(1)|like|👍",
			"m2 Lan, \"the\" 2nd\nline": "2026-08-02T09:30:00Z|demo-slack|-100123|demo|c--100123|p-m2|slack:T:Lan, \"the\" 2nd\nline|dislike|👎",
			"'+m3 Minh":                 "2026-08-03T09:30:00Z|demo-slack|'@room|demo|c-@room|p-+m3|slack:T:Minh|dislike|👎",
		} {
			if got[who] != want {
				t.Errorf("%s: %q, want %q", who, got[who], want)
			}
		}
		var all []control.Rating
		for _, args := range [][]string{{"--format", "json"}, {"--json"}} {
			out = m.wants(0, append([]string{"feedback", "export"}, args...))
			if err := json.Unmarshal([]byte(out), &all); err != nil || len(all) != 4 {
				t.Errorf("%v: %d ratings, %v\n%s", args, len(all), err, out)
			}
		}

		want := "week,bot,room,title,app,likes,dislikes\n" +
			"2026-W32,demo-slack,-100123,,demo,2,0\n2026-W32,demo-slack,'@room,,demo,0,1\n2026-W31,demo-slack,-100123,,demo,0,1\n"
		if out := m.wants(0, []string{"feedback", "report", "--format", "csv"}); out != want {
			t.Errorf("report\n%swant\n%s", out, want)
		}
		m.wants(0, []string{"feedback", "report"}, "WEEK", "2026-W32", "total")
		var report struct{ Data []control.Count }
		out = m.wants(0, []string{"feedback", "report", "--json"})
		if err := json.Unmarshal([]byte(out), &report); err != nil || len(report.Data) != 3 || report.Data[0].Likes != 2 {
			t.Errorf("%+v, %v", report, err)
		}
	})
}

func TestNoFeedback(t *testing.T) {
	t.Parallel()
	m := newMemory(t)
	m.fill(func(*store.Store) {})
	var none []control.Rating
	out := m.wants(0, []string{"feedback", "export", "--json"})
	if err := json.Unmarshal([]byte(out), &none); err != nil || none == nil || len(none) != 0 {
		t.Errorf("%q, %v", out, err)
	}
	if out := m.wants(0, []string{"feedback", "export"}); strings.Count(out, "\n") != 1 {
		t.Errorf("want the header alone: %q", out)
	}
	m.wants(0, []string{"feedback", "report"}, "no ratings")
}

func TestGuardCell(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"": "", "plain": "plain", "=1+1": "'=1+1", "+1": "'+1", "@SUM(A1)": "'@SUM(A1)", "-2+3": "'-2+3", "-": "'-", "-100123": "-100123",
		"\tx": "'\tx", "\r=1": "'\r=1", "＝1": "'＝1", "a=b": "a=b", "-1x": "'-1x",
	} {
		if got := guardCell(in); got != want {
			t.Errorf("%q becomes %q, want %q", in, got, want)
		}
	}
}
