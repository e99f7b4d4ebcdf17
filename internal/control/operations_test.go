package control_test

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/clickai/bridge/core"
	"github.com/clickai/bridge/internal/control"
	"github.com/clickai/bridge/internal/sim"
	"github.com/clickai/bridge/store"
)

func TestConversations(t *testing.T) {
	t.Parallel()
	bothWays(t, func(t *testing.T, f *fixture) {
		want := []string{f.remember(t, "R1", appName, "id1"), f.remember(t, "R2", appName, "id2"), f.remember(t, "R3", "sales", "id3")}
		for _, tt := range []struct {
			name string
			req  control.ConversationsRequest
			want []string
		}{
			{"all", control.ConversationsRequest{}, want},
			{"one a page", control.ConversationsRequest{Limit: 1}, want},
			{"of an app", control.ConversationsRequest{App: "sales"}, want[2:]},
			{"of an app, one looked at a page", control.ConversationsRequest{App: "sales", Limit: 1}, want[2:]},
			{"of a bot", control.ConversationsRequest{Bot: "acme"}, want},
			{"of another bot", control.ConversationsRequest{Bot: "other"}, nil},
		} {
			var got []string
			for c, err := range control.AllConversations(t.Context(), f.ops, tt.req) {
				if err != nil {
					t.Fatal(err)
				}
				got = append(got, c.Key)
				if c.Owner != "Minh" || c.Title != "help" || c.Turns != 3 || c.Last.IsZero() || c.User != user || c.Room == "" || c.Busy {
					t.Errorf("%+v", c)
				}
			}
			if slices.Sort(got); !slices.Equal(got, slices.Sorted(slices.Values(tt.want))) {
				t.Errorf("%s: %v, want %v", tt.name, got, tt.want)
			}
		}
		_, err := f.ops.Conversations(t.Context(), control.ConversationsRequest{After: "no cursor!"})
		wantKind(t, "a wrong cursor", err, control.KindInvalid)
	})
}

func TestFind(t *testing.T) {
	t.Parallel()
	bothWays(t, func(t *testing.T, f *fixture) {
		one, two := f.remember(t, "R1", appName, "id/1 ?&"), f.remember(t, "R2", appName, "id2")
		f.remember(t, "R3", "sales", "id2")
		for _, name := range []string{one, "id/1 ?&"} {
			if c, err := f.ops.Find(t.Context(), name); err != nil || c.Key != one || c.ID != "id/1 ?&" {
				t.Errorf("%s: %+v, %v", name, c, err)
			}
		}
		if c, err := f.ops.Find(t.Context(), two); err != nil || c.Key != two {
			t.Errorf("by key, where the id is ambiguous: %+v, %v", c, err)
		}
		_, err := f.ops.Find(t.Context(), "id2")
		wantKind(t, "one id of two apps", err, control.KindAmbiguous)
		_, err = f.ops.Find(t.Context(), "nobody")
		wantKind(t, "unknown", err, control.KindNotFound)
		_, err = f.ops.Find(t.Context(), "")
		wantKind(t, "empty", err, control.KindInvalid)
	})
}

func TestHistory(t *testing.T) {
	t.Parallel()
	bothWays(t, func(t *testing.T, f *fixture) {
		id := f.talk(t, 3)
		key := f.remember(t, "R", appName, id)
		var got []string
		for before := ""; ; {
			p, err := f.ops.History(t.Context(), control.HistoryRequest{Name: key, Limit: 2, Before: before})
			if err != nil {
				t.Fatal(err)
			}
			if p.Conversation.Key != key {
				t.Errorf("%+v", p.Conversation)
			}
			for _, m := range p.Messages {
				if m.Query != "What is covered?" || m.Answer == "" || m.Status != "normal" || m.At.IsZero() {
					t.Errorf("%+v", m)
				}
				got = append(got, m.ID)
			}
			if before = p.Next; before == "" {
				break
			}
		}
		stored := f.sim.Conversations()[0].Messages
		want := []string{stored[1].ID, stored[2].ID, stored[0].ID} // the newest page first
		if !slices.Equal(got, want) {
			t.Errorf("messages %v, want %v", got, want)
		}
		f.sim.Forget(id)
		_, err := f.ops.History(t.Context(), control.HistoryRequest{Name: id})
		wantKind(t, "gone at ClickAI", err, control.KindClickAI)
		if err != nil && !strings.Contains(err.Error(), "reset "+key) {
			t.Errorf("%v does not say what to do", err)
		}
		_, err = f.ops.History(t.Context(), control.HistoryRequest{Name: f.remember(t, "R2", appName, "")})
		wantKind(t, "no id yet", err, control.KindNoID)
		_, err = f.ops.History(t.Context(), control.HistoryRequest{Name: f.remember(t, "R3", "gone", "x")})
		wantKind(t, "app not configured", err, control.KindNoApp)
		_, err = f.ops.History(t.Context(), control.HistoryRequest{Name: key, Limit: 101})
		wantKind(t, "too many", err, control.KindInvalid)
	})
}

func TestRename(t *testing.T) {
	t.Parallel()
	bothWays(t, func(t *testing.T, f *fixture) {
		id := f.talk(t, 1)
		key := f.remember(t, "R", appName, id)
		done, err := f.ops.Rename(t.Context(), control.RenameRequest{Name: key, Title: "Bảo hành"})
		if err != nil || done.Title != "Bảo hành" || f.sim.Conversations()[0].Name != "Bảo hành" {
			t.Errorf("%+v, %v", done, err)
		}
		done, err = f.ops.Rename(t.Context(), control.RenameRequest{Name: id})
		if now := f.sim.Conversations()[0].Name; err != nil || done.Title == "Bảo hành" || done.Title == "" || done.Title != now {
			t.Errorf("without a name: %+v, %v; ClickAI has %q", done, err, now)
		}
	})
}

func TestReset(t *testing.T) {
	t.Parallel()
	bothWays(t, func(t *testing.T, f *fixture) {
		id := f.talk(t, 1)
		key, twin := f.remember(t, "R", appName, id), f.remember(t, "R2", appName, id)
		_, err := f.ops.Reset(t.Context(), id)
		wantKind(t, "an id of two keys", err, control.KindAmbiguous)
		if !f.known(t, key) || !f.known(t, twin) {
			t.Error("forgotten although it was ambiguous")
		}
		if c, err := f.ops.Reset(t.Context(), key); err != nil || c.ID != id {
			t.Errorf("%+v, %v", c, err)
		}
		if f.known(t, key) || !f.known(t, twin) || !f.atClickAI(id) {
			t.Error("want the one key forgotten, and nothing else gone")
		}
		if _, err := f.ops.Reset(t.Context(), id); err != nil || f.known(t, twin) {
			t.Errorf("by an id of one key: %v", err)
		}
		_, err = f.ops.Reset(t.Context(), key)
		wantKind(t, "once more", err, control.KindNotFound)
	})
}

func TestDelete(t *testing.T) {
	t.Parallel()
	bothWays(t, func(t *testing.T, f *fixture) {
		id := f.talk(t, 1)
		key, twin := f.remember(t, "R", appName, id), f.remember(t, "R2", appName, id)
		other := f.remember(t, "R3", "sales", id) // of another app: another conversation
		f.sim.Faults().Add(sim.Fault{Match: "DELETE /v1/conversations", Times: 1, Status: 500})
		_, err := f.ops.Delete(t.Context(), key)
		wantKind(t, "ClickAI fails", err, control.KindClickAI)
		if !f.known(t, key) {
			t.Error("forgotten although ClickAI has it")
		}
		done, err := f.ops.Delete(t.Context(), key)
		if err != nil || done.Gone || len(done.Keys) != 2 || f.known(t, key) || f.known(t, twin) || !f.known(t, other) || f.atClickAI(id) {
			t.Errorf("%+v, %v", done, err)
		}
		gone := f.talk(t, 1)
		key = f.remember(t, "R", appName, gone)
		f.sim.Forget(gone)
		if done, err := f.ops.Delete(t.Context(), gone); err != nil || !done.Gone || f.known(t, key) {
			t.Errorf("gone at ClickAI: %+v, %v", done, err)
		}
		key = f.remember(t, "R", "gone-app", "")
		if done, err := f.ops.Delete(t.Context(), key); err != nil || !done.Gone || f.known(t, key) {
			t.Errorf("never had an id: %+v, %v", done, err)
		}
		_, err = f.ops.Delete(t.Context(), other)
		wantKind(t, "app not configured", err, control.KindNoApp)
		if !f.known(t, other) {
			t.Error("forgotten although ClickAI could not be asked")
		}
		for _, v := range f.sim.Violations() {
			t.Errorf("against ClickAI's documentation: %s", v)
		}
	})
}

// react has a person like or dislike an answer.
func (f *fixture) react(t *testing.T, room, message, name string, rating core.Rating, at time.Time) {
	t.Helper()
	conv := core.NewConvKey("acme", appName, core.Place{Room: room}, "")
	ref := core.MessageRef{Place: core.Place{Room: room}, ID: "p-" + message}
	link := core.Link{App: appName, User: user, Message: message, ConvID: "c-" + room, Conv: conv, At: at}
	if err := f.store.EndTurn(t.Context(), core.Turn{ID: "t", Conv: conv, Bot: "acme", Reply: []core.MessageRef{ref}}, nil, &link); err != nil {
		t.Fatal(err)
	}
	if _, _, err := f.store.Vote(t.Context(), room+message+name, core.Vote{
		Bot: "acme", Ref: ref, Person: core.User{ID: name, Name: name, Key: "slack:T:" + name}, Rating: rating, Emoji: "👍", Added: true, At: at,
	}); err != nil {
		t.Fatal(err)
	}
}

func TestRatingsAndReport(t *testing.T) {
	t.Parallel()
	bothWays(t, func(t *testing.T, f *fixture) {
		newYear := time.Date(2027, 1, 1, 12, 0, 0, 0, time.UTC) // of the last week of 2026
		for i, name := range []string{"Minh", "Lan", "An"} {
			f.react(t, "R1", "m1", name, []core.Rating{core.RatingLike, core.RatingLike, core.RatingDislike}[i], newYear)
		}
		f.react(t, "R2", "m2", "Minh", core.RatingDislike, newYear.AddDate(0, 0, 7))
		f.remember(t, "R1", appName, "c-R1")
		var got []string
		for after := ""; ; {
			p, err := f.ops.Ratings(t.Context(), control.RatingsRequest{After: after, Limit: 1})
			if err != nil {
				t.Fatal(err)
			}
			for _, r := range p.Data {
				got = append(got, fmt.Sprintf("%s %s %s %s %s %s %s %s %s", r.Bot, r.Room, r.App, r.Message, r.Posted, r.User, r.Name, r.Rating, r.ConvID))
			}
			if after = p.Next; after == "" {
				break
			}
		}
		slices.Sort(got)
		if want := []string{
			"acme R1 support m1 p-m1 slack:T:An An dislike c-R1", "acme R1 support m1 p-m1 slack:T:Lan Lan like c-R1",
			"acme R1 support m1 p-m1 slack:T:Minh Minh like c-R1", "acme R2 support m2 p-m2 slack:T:Minh Minh dislike c-R2",
		}; !slices.Equal(got, want) {
			t.Errorf("ratings\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
		counts, err := control.Report(control.AllRatings(t.Context(), f.ops))
		want := []control.Count{
			{Week: "2027-W01", Bot: "acme", Room: "R2", App: appName, Dislikes: 1},
			{Week: "2026-W53", Bot: "acme", Room: "R1", Title: "help", App: appName, Likes: 2, Dislikes: 1},
		}
		if err != nil || !slices.Equal(counts, want) {
			t.Errorf("report %+v, %v, want %+v", counts, err, want)
		}
	})
}

func TestBackup(t *testing.T) {
	t.Parallel()
	bothWays(t, func(t *testing.T, f *fixture) {
		key := f.remember(t, "R", appName, "id")
		var b bytes.Buffer
		size := int64(-1)
		if err := f.ops.Backup(t.Context(), func(n int64) (io.Writer, error) { size = n; return &b, nil }); err != nil {
			t.Fatal(err)
		}
		if int64(b.Len()) != size {
			t.Errorf("%d bytes, %d were announced", b.Len(), size)
		}
		path := filepath.Join(t.TempDir(), "copy.db")
		if err := os.WriteFile(path, b.Bytes(), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := store.Verify(t.Context(), path); err != nil {
			t.Fatal(err)
		}
		c, err := store.Open(path, store.Options{})
		if err != nil {
			t.Fatal(err)
		}
		if _, ok, err := c.Conversation(t.Context(), core.ConvKey(key)); err != nil || !ok {
			t.Errorf("the copy lacks what was stored: %v", err)
		}
		if err := c.Close(); err != nil {
			t.Fatal(err)
		}
	})
}
