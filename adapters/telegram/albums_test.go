package telegram_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/clickai/bridge/adapters/telegram"
	"github.com/clickai/bridge/core"
	"github.com/clickai/bridge/internal/sim"
	simtelegram "github.com/clickai/bridge/internal/sim/telegram"
)

// inAlbum is one message of an album in the forum, where the bot sees everything.
func inAlbum(t testing.TB, s *simtelegram.Server, user, album, caption string, mention bool) {
	t.Helper()
	say(t, s, sim.Say{
		Room: simtelegram.Forum, User: user, Text: caption, Mention: mention, Group: album,
		Files: []sim.File{{Name: "a.txt", Data: []byte("a")}},
	})
}

// TestAlbumOverARestart: the mention in the caption of one picture is meant for the whole album, also where the others come
// to the next process, after the first was confirmed.
func TestAlbumOverARestart(t *testing.T) {
	t.Parallel()
	for _, hooked := range []bool{false, true} {
		t.Run(map[bool]string{false: "polled", true: "webhook"}[hooked], func(t *testing.T) {
			t.Parallel()
			var (
				s    *simtelegram.Server
				next func() *telegram.Platform
			)
			if hooked {
				w := withHook(t, simtelegram.Options{})
				s, next = w.sim, func() *telegram.Platform { return w.bot }
			} else {
				s = newSim(t, simtelegram.Options{})
				next = func() *telegram.Platform { return newBot(t, s.APIURL(), s.Token()) }
			}
			clean(t, s)
			h := &host{}
			stop := start(t, next(), h)
			h.waitUp(t, 1)
			inAlbum(t, s, simtelegram.Anna, "77", "what is this?", true)
			h.event(t, core.KindMessage, 1)
			await(t, "the confirmation", s.Changed, func() bool { return s.Pending() == 0 })
			if err := stop(); err != nil {
				t.Fatal(err)
			}
			inAlbum(t, s, simtelegram.Anna, "77", "", false)
			inAlbum(t, s, simtelegram.Tom, "77", "", false)  // ids are unique; should they not be, the person tells
			inAlbum(t, s, simtelegram.Anna, "78", "", false) // an album that does not name the bot
			inAlbum(t, s, simtelegram.Anna, "79", "and this?", true)
			inAlbum(t, s, simtelegram.Anna, "79", "", false)
			start(t, next(), h)
			want := []core.Reach{core.ReachMention, core.ReachMention, core.ReachAmbient, core.ReachAmbient, core.ReachMention, core.ReachMention}
			for i, reach := range want {
				if ev := h.event(t, core.KindMessage, i+1); ev.Reach != reach {
					t.Errorf("message %d: %s", i+1, asJSON(t, ev))
				}
			}
		})
	}
}

// TestAlbumNotStored: the first picture is not confirmed before it is stored that the others belong to it.
func TestAlbumNotStored(t *testing.T) {
	t.Parallel()
	s, p := silent(t, simtelegram.Options{})
	clean(t, s)
	h := &host{noStore: errors.New("disk full")}
	start(t, p, h)
	h.waitUp(t, 1)
	inAlbum(t, s, simtelegram.Anna, "77", "what is this?", true)
	_ = h.told(t, "disk full")
	if n := s.Pending(); n != 1 || len(h.all("")) != 0 {
		t.Errorf("%d unconfirmed, %d taken", n, len(h.all("")))
	}
	h.mu.Lock()
	h.noStore = nil
	h.mu.Unlock()
	if ev := h.event(t, core.KindMessage, 1); ev.Reach != core.ReachMention {
		t.Errorf("event = %s", asJSON(t, ev))
	}
	await(t, "the confirmation", s.Changed, func() bool { return s.Pending() == 0 })
}

// TestAlbumsAreBounded: what is stored of albums does not grow, and what cannot be read of it stops nothing.
func TestAlbumsAreBounded(t *testing.T) {
	t.Parallel()
	s, p := silent(t, simtelegram.Options{})
	clean(t, s)
	h := &host{cursors: map[string]string{"albums": "{no JSON"}}
	start(t, p, h)
	h.waitUp(t, 1)
	n := telegram.MaxAlbums + 10
	for i := range n {
		inAlbum(t, s, simtelegram.Anna, fmt.Sprint(1000+i), "this?", true)
	}
	h.event(t, core.KindMessage, n)
	inAlbum(t, s, simtelegram.Anna, fmt.Sprint(1000+n-1), "", false)
	inAlbum(t, s, simtelegram.Anna, "1000", "", false)
	if ev := h.event(t, core.KindMessage, n+1); ev.Reach != core.ReachMention {
		t.Errorf("the latest album: %s", asJSON(t, ev))
	}
	if ev := h.event(t, core.KindMessage, n+2); ev.Reach != core.ReachAmbient {
		t.Errorf("the first album: %s", asJSON(t, ev))
	}
	if text, err := h.Cursor("albums"); err != nil || len(text) > telegram.MaxAlbums*200 {
		t.Errorf("%d bytes stored, %v", len(text), err)
	}
}
