package discord_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/clickai/bridge/adapters/discord"
	"github.com/clickai/bridge/core"
	"github.com/clickai/bridge/internal/sim"
	simdiscord "github.com/clickai/bridge/internal/sim/discord"
)

func TestThreadName(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ in, want string }{
		{"My printer\n\nis on\tfire", "My printer is on fire"},
		{"", "Question"},
		{" \n\x00 ", "Question"},
		{"<@123> <#4> hello <:party:123456789012345678>", "hello"},
		{strings.Repeat("a", 100), strings.Repeat("a", 100)},
		{strings.Repeat("a", 101), strings.Repeat("a", 99) + "…"},
		{strings.Repeat("word ", 30), strings.TrimSpace(strings.Repeat("word ", 19)) + "…"},
		{strings.Repeat("👩‍👩‍👧‍👦", 20), strings.Repeat("👩‍👩‍👧‍👦", 9) + "…"},
	} {
		if got := discord.ThreadName(tt.in); got != tt.want {
			t.Errorf("threadName(%.30q) = %q, want %q", tt.in, got, tt.want)
		}
	}
}

func FuzzThreadName(f *testing.F) {
	f.Add("hello")
	f.Add(strings.Repeat("👩‍👩‍👧‍👦", 40))
	f.Add("a" + strings.Repeat("\u0301", 500))
	f.Fuzz(func(t *testing.T, s string) {
		got := discord.ThreadName(s)
		if n := len(utf16.Encode([]rune(got))); n < 1 || n > 100 || strings.ContainsAny(got, "\n\r\x00") || strings.TrimSpace(got) == "" {
			t.Errorf("threadName(%q) = %q, %d units", s, got, n)
		}
		if utf8.ValidString(s) && !utf8.ValidString(got) {
			t.Errorf("threadName(%q) = %q is not valid", s, got)
		}
	})
}

// TestArchivedThread: an edit opens an archived thread again, unless it is locked.
func TestArchivedThread(t *testing.T) {
	t.Parallel()
	for _, locked := range []bool{false, true} {
		t.Run(fmt.Sprintf("locked %t", locked), func(t *testing.T) {
			t.Parallel()
			s, p, h := running(t, simdiscord.Options{})
			clean(t, s)
			say(t, s, sim.Say{Room: simdiscord.General, User: simdiscord.Minh, Text: "q", Mention: true})
			ev := h.event(t, core.KindMessage, 1)
			at, err := p.OpenThread(t.Context(), ev.Ref(), "q")
			if err != nil {
				t.Fatal(err)
			}
			ref, err := p.Post(t.Context(), core.Post{Place: at, Part: part("a")})
			if err != nil {
				t.Fatal(err)
			}
			if err := s.Archive(at.Thread, true, locked); err != nil {
				t.Fatal(err)
			}
			want := core.Class("")
			if locked {
				want = core.ThreadGone
			}
			if err := p.Edit(t.Context(), ref, part("b")); core.ClassOf(err) != want {
				t.Errorf("Edit = %v, want class %q", err, want)
			}
			if _, err := p.Post(t.Context(), core.Post{Place: at, Part: part("c")}); core.ClassOf(err) != want {
				t.Errorf("Post = %v, want class %q", err, want)
			}
		})
	}
}

// TestReplyTarget: a reply whose target is gone, or may not be seen, is sent without it.
func TestReplyTarget(t *testing.T) {
	t.Parallel()
	for _, why := range []string{"gone", "no history", "system message"} {
		t.Run(why, func(t *testing.T) {
			t.Parallel()
			s, p, _ := running(t, simdiscord.Options{})
			q := say(t, s, sim.Say{Room: simdiscord.General, User: simdiscord.Minh, Text: "q", Mention: true})
			switch why {
			case "gone":
				if err := s.Delete(t.Context(), q.Ref, simdiscord.Minh); err != nil {
					t.Fatal(err)
				}
			case "no history":
				s.SetPermissions(simdiscord.DefaultPermissions &^ simdiscord.ReadMessageHistory)
			case "system message":
				s.Faults().Add(sim.Fault{
					Match: "POST /api/v9/channels/" + simdiscord.General + "/messages", Times: 1, Status: http.StatusBadRequest,
					Body: `{"message":"Invalid Form Body","code":50035,"errors":{"message_reference":{"_errors":[{"code":"REPLIES_CANNOT_REPLY_TO_SYSTEM_MESSAGE","message":"x"}]}}}`,
				})
			}
			ref, err := p.Post(t.Context(), core.Post{Place: general, ReplyTo: q.ID, Part: part("a")})
			if err != nil {
				t.Fatal(err)
			}
			if m := shown(t, s, ref); m.ReplyTo != "" || m.Shown != "a" {
				t.Errorf("message = %+v", m)
			}
		})
	}
}

// TestDeniedIsRemembered: a refused permission is not asked for again at once, since refusals lead to a ban. When Discord
// tells that permissions have changed, it is.
func TestDeniedIsRemembered(t *testing.T) {
	t.Parallel()
	s, p, h := running(t, simdiscord.Options{Permissions: simdiscord.DefaultPermissions &^ simdiscord.SendMessages})
	post := func(room string) error {
		_, err := p.Post(t.Context(), core.Post{Place: core.Place{Room: room}, Part: part("a")})
		return err
	}
	if err := post(simdiscord.General); core.ClassOf(err) != core.Denied {
		t.Errorf("Post = %v, want %s", err, core.Denied)
	}
	s.Faults().Add(sim.Fault{Match: "POST /api/v9/channels/", Status: http.StatusTeapot}) // to be seen if it is asked
	if err := post(simdiscord.General); core.ClassOf(err) != core.Denied {
		t.Errorf("Post = %v, want the remembered refusal", err)
	}
	if s.Faults().Hits() != 0 {
		t.Error("it was asked for again")
	}
	s.Faults().Clear()
	if err := post(simdiscord.DMMinh); err != nil {
		t.Errorf("another channel: %v", err)
	}
	s.SetPermissions(simdiscord.DefaultPermissions)
	say(t, s, sim.Say{Room: simdiscord.DMMinh, User: simdiscord.Minh, Text: "after the change"})
	h.event(t, core.KindMessage, 1)
	if err := post(simdiscord.General); err != nil {
		t.Errorf("after the permission was granted: %v", err)
	}
}

func TestRoomGone(t *testing.T) {
	t.Parallel()
	s, p, h := running(t, simdiscord.Options{})
	say(t, s, sim.Say{Room: simdiscord.Support, User: simdiscord.Minh, Text: "q", Mention: true})
	ev := h.event(t, core.KindMessage, 1)
	at, err := p.OpenThread(t.Context(), ev.Ref(), "q")
	if err != nil {
		t.Fatal(err)
	}
	if err := s.DeleteChannel(at.Thread); err != nil {
		t.Fatal(err)
	}
	if _, err := p.Post(t.Context(), core.Post{Place: at, Part: part("a")}); core.ClassOf(err) != core.ThreadGone {
		t.Errorf("Post in a deleted thread = %v", err)
	}
	if err := s.DeleteChannel(simdiscord.Support); err != nil {
		t.Fatal(err)
	}
	if _, err := p.Post(t.Context(), core.Post{Place: ev.Place(), Part: part("a")}); core.ClassOf(err) != core.RoomGone {
		t.Errorf("Post in a deleted channel = %v", err)
	}
}

// TestLongThread: as many as asked for, the last ones, oldest first, with the message that the thread was opened from.
func TestLongThread(t *testing.T) {
	t.Parallel()
	s, p, h := running(t, simdiscord.Options{})
	clean(t, s)
	root := say(t, s, sim.Say{Room: simdiscord.General, User: simdiscord.Anna, Text: "root"})
	at, err := s.StartThread(t.Context(), root.Ref, simdiscord.Anna, "a thread")
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"root"}
	for i := range 150 {
		want = append(want, fmt.Sprintf("line %d", i))
		say(t, s, sim.Say{Room: at.Room, Thread: at.Thread, User: simdiscord.Tom, Text: want[len(want)-1]})
	}
	q := say(t, s, sim.Say{Room: at.Room, Thread: at.Thread, User: simdiscord.Minh, Text: "what now?", Mention: true})
	h.wait(t, "the question", func() bool { return slices.Contains(h.texts(), "what now?") })
	ref := core.MessageRef{Place: core.Place{Room: at.Room, Thread: at.Thread}, ID: q.ID}
	for _, limit := range []int{0, 1, 20, 120, 200} {
		past, err := p.ThreadBefore(t.Context(), ref, limit)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, m := range past {
			got = append(got, m.Text)
		}
		if last := want[max(0, len(want)-limit):]; !slices.Equal(got, last) {
			t.Errorf("limit %d: %d messages, want %d: %q", limit, len(got), len(last), got)
		}
	}
}

func TestLimits(t *testing.T) {
	t.Parallel()
	s, p, h := running(t, simdiscord.Options{})
	say(t, s, sim.Say{Room: simdiscord.General, User: simdiscord.Minh, Text: "q", Mention: true})
	h.event(t, core.KindMessage, 1)
	for place, reply := range map[core.Place]bool{
		general: true, {Room: simdiscord.General, Thread: "1"}: false, {Room: simdiscord.DMMinh}: false,
	} {
		l := p.Limits(place)
		if l.ReplyToRoom != reply || l.EditGap <= 0 || l.TypingEvery <= 0 {
			t.Errorf("limits of %+v = %+v", place, l)
		}
	}
}
