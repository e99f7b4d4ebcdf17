package discord_test

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/clickai/bridge/core"
	"github.com/clickai/bridge/internal/sim"
	simdiscord "github.com/clickai/bridge/internal/sim/discord"
)

// post waits for a turn and posts.
func (r *rig) post(room, text string) core.MessageRef {
	r.t.Helper()
	at := core.Place{Room: room}
	if err := r.bot.Pace(r.t.Context(), core.Show{Kind: core.ShowPost, Place: at, Urgent: true}); err != nil {
		r.t.Fatal(err)
	}
	ref, err := r.bot.Post(r.t.Context(), core.Post{Place: at, Part: part(text)})
	if err != nil {
		r.t.Fatalf("post %q: %v", text, err)
	}
	return ref
}

// edit waits for a turn and edits.
func (r *rig) edit(m core.MessageRef, text string) error {
	r.t.Helper()
	if err := r.bot.Pace(r.t.Context(), core.Show{Kind: core.ShowEdit, Place: m.Place}); err != nil {
		r.t.Fatal(err)
	}
	return r.bot.Edit(r.t.Context(), m, part(text))
}

// TestPaceKeepsTheLimits makes far more calls than there is room for, in an order that mixes them.
func TestPaceKeepsTheLimits(t *testing.T) {
	bubble(t, 1, nil, func(t *testing.T, r *rig) {
		ref := r.post(simdiscord.General, "0")
		if err := r.edit(ref, "1"); err != nil { // from now on the size of the bucket is known
			t.Fatal(err)
		}
		<-time.After(10 * time.Second)
		began := time.Now()
		for i := range 30 {
			if err := r.edit(ref, strings.Repeat("x", i+1)); err != nil {
				t.Fatal(err)
			}
		}
		if took := time.Since(began); took < 29*time.Second || took > 32*time.Second {
			t.Errorf("30 edits took %v, want one a second", took)
		}
		var last time.Time
		for _, s := range r.history() {
			if gap := s.At.Sub(last); s.Kind == sim.Edited && gap < 900*time.Millisecond {
				t.Errorf("an edit %v after another: they are not spread", gap)
			}
			if s.Kind == sim.Edited {
				last = s.At
			}
		}
		began = time.Now()
		for range 20 {
			if err := r.bot.Delete(t.Context(), r.post(simdiscord.General, "gone soon")); err != nil {
				t.Fatal(err)
			}
		}
		if took := time.Since(began); took > 20*time.Second {
			t.Errorf("20 posts and deletions took %v, want 15 to 20s", took)
		}
		r.clean()
	})
}

// TestUploadsAreCountedAsPosts, wait for their turn by themselves, and go ahead of messages that are not urgent.
func TestUploadsAreCountedAsPosts(t *testing.T) {
	bubble(t, 1, nil, func(t *testing.T, r *rig) {
		for range 5 {
			r.post(simdiscord.General, "x")
		}
		began := time.Now()
		refresh := make(chan time.Time, 1)
		go func() {
			err := r.bot.Pace(t.Context(), core.Show{Kind: core.ShowPost, Place: general, Since: began.Add(-time.Hour)})
			if err != nil {
				t.Error(err)
			}
			refresh <- time.Now()
		}()
		file := core.File{Name: "a.txt", MIME: "text/plain", Size: 3, Open: func(context.Context) (io.ReadCloser, error) {
			return io.NopCloser(bytes.NewReader([]byte("abc"))), nil
		}}
		if _, err := r.bot.Upload(t.Context(), general, "", file); err != nil {
			t.Fatal(err)
		}
		if took := time.Since(began); took < 4*time.Second || took > 6*time.Second {
			t.Errorf("the upload waited %v, want until the next window of 5s", took)
		}
		uploaded := time.Now()
		if at := <-refresh; at.Before(uploaded) {
			t.Errorf("the other message had its turn %v before the upload", uploaded.Sub(at))
		}
		r.clean()
	})
}

// TestTypingNeverWaits: an indicator that is late is of no use.
func TestTypingNeverWaits(t *testing.T) {
	bubble(t, 1, nil, func(t *testing.T, r *rig) {
		began, refused := time.Now(), 0
		for range 20 {
			switch err := r.bot.Typing(t.Context(), general); core.ClassOf(err) {
			case "":
			case core.RateLimited:
				refused++
			default:
				t.Fatal(err)
			}
		}
		if time.Since(began) != 0 || refused < 15 {
			t.Errorf("20 indicators took %v, %d were left out", time.Since(began), refused)
		}
		r.clean()
	})
}

// TestHolds: a 429 stops what it names for as long as it says, and nothing else.
func TestHolds(t *testing.T) {
	const hold = 30 * time.Second
	cloudflare := simdiscord.RateLimited("PATCH /api/v9/channels/"+simdiscord.General+"/", hold, 1, "global")
	cloudflare.Header, cloudflare.Body = http.Header{"Retry-After": {"30"}}, "<html>"
	scoped := func(scope string) sim.Fault {
		return simdiscord.RateLimited("PATCH /api/v9/channels/"+simdiscord.General+"/", hold, 1, scope)
	}
	slow := scoped("user")
	slow.Status, slow.Header, slow.Body = http.StatusBadRequest, nil, `{"message":"slow mode","code":20016,"retry_after":30}`
	tests := []struct {
		name  string
		fault sim.Fault
		all   bool
	}{
		{"bucket", scoped("user"), false},
		{"shared", scoped("shared"), false},
		{"slow mode", slow, false},
		{"global", scoped("global"), true},
		{"not Discord's own", cloudflare, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			bubble(t, 1, nil, func(t *testing.T, r *rig) {
				here, there := r.post(simdiscord.General, "x"), r.post(simdiscord.Support, "x")
				r.sim.Faults().Add(tt.fault)
				held := func(what string, err error, want time.Duration) {
					t.Helper()
					if core.ClassOf(err) != core.RateLimited || core.RetryAfterOf(err) != want {
						t.Errorf("%s: %v, want %s for %v", what, err, core.RateLimited, want)
					}
				}
				free := func(what string, err error) {
					t.Helper()
					if tt.all {
						held(what, err, hold-10*time.Second)
					} else if err != nil {
						t.Errorf("%s: %v", what, err)
					}
				}
				held("the edit that is refused", r.edit(here, "y"), hold)
				began := time.Now()
				<-time.After(10 * time.Second)
				held("an edit after it", r.bot.Edit(t.Context(), here, part("z")), hold-10*time.Second)
				free("an edit in another channel", r.bot.Edit(t.Context(), there, part("y")))
				_, err := r.bot.Post(t.Context(), core.Post{Place: general, Part: part("new")})
				free("a post in the same channel", err)
				ctx, cancel := context.WithTimeout(t.Context(), time.Second)
				err = r.bot.Pace(ctx, core.Show{Kind: core.ShowPost, Place: core.Place{Room: simdiscord.Support}})
				cancel()
				if (err != nil) != tt.all {
					t.Errorf("the turn of a post in another channel: %v", err)
				}
				if err := r.edit(here, "newest"); err != nil {
					t.Errorf("the edit after the refusal: %v", err)
				}
				if took := time.Since(began); took < hold || took > hold+time.Second {
					t.Errorf("its turn came after %v, want %v", took, hold)
				}
				if hits := r.sim.Faults().Hits(); hits != 1 {
					t.Errorf("%d requests were sent to be refused", hits)
				}
				r.clean()
			})
		})
	}
}

// TestEditsOfOldMessages: that a message is too old to be edited often concerns no other message of the channel, but all that
// are as old.
func TestEditsOfOldMessages(t *testing.T) {
	bubble(t, 1, nil, func(t *testing.T, r *rig) {
		old, other := r.post(simdiscord.General, "old"), r.post(simdiscord.General, "old as well")
		<-time.After(time.Hour)
		young := r.post(simdiscord.General, "young")
		var err error
		edits := 0
		for ; err == nil && edits < 100; edits++ {
			err = r.edit(old, strings.Repeat("x", edits+1))
		}
		wait := core.RetryAfterOf(err)
		if core.ClassOf(err) != core.RateLimited || wait < time.Minute {
			t.Fatalf("edit %d of an old message: %v", edits, err)
		}
		if err := r.edit(young, "y"); err != nil {
			t.Errorf("edit of a young message: %v", err)
		}
		if err := r.edit(other, "y"); core.ClassOf(err) != core.RateLimited {
			t.Errorf("edit of another old message: %v, want %s without asking", err, core.RateLimited)
		}
		if n := len(r.sim.Violations()); n != 1 {
			t.Errorf("%d refusals, want 1: %q", n, r.sim.Violations())
		}
		<-time.After(wait)
		if err := r.edit(old, "newest"); err != nil {
			t.Errorf("after the time that was told: %v", err)
		}
	})
}

// TestPaceOfNoPlace: what has no limit gets its turn at once, and the call fails by itself.
func TestPaceOfNoPlace(t *testing.T) {
	bubble(t, 1, nil, func(t *testing.T, r *rig) {
		for _, s := range []core.Show{
			{Kind: core.ShowPost, Place: core.Place{Room: "../users"}}, {Kind: core.ShowDraft, Place: general},
		} {
			for range 100 {
				if err := r.bot.Pace(t.Context(), s); err != nil {
					t.Fatal(err)
				}
				r.bot.Unpace(s)
			}
		}
		began := time.Now()
		for range 100 { // a turn that is given back was never taken
			s := core.Show{Kind: core.ShowPost, Place: general, Urgent: true}
			if err := r.bot.Pace(t.Context(), s); err != nil {
				t.Fatal(err)
			}
			r.bot.Unpace(s)
		}
		if took := time.Since(began); took > 0 {
			t.Errorf("turns that were given back took %v", took)
		}
		woken := make(chan struct{}, 1)
		for range 20 {
			s := core.Show{Kind: core.ShowEdit, Place: general, Wake: woken}
			woken <- struct{}{}
			if err := r.bot.Pace(t.Context(), s); err == core.ErrWoken { //nolint:errorlint // it is returned as it is
				return
			}
			<-woken
		}
		t.Error("nothing woke the call")
	})
}
