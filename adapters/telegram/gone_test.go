package telegram_test

import (
	"bytes"
	"io"
	"strings"
	"testing"

	"github.com/clickai/bridge/adapters/telegram"
	"github.com/clickai/bridge/core"
	"github.com/clickai/bridge/internal/sim"
	simtelegram "github.com/clickai/bridge/internal/sim/telegram"
)

// TestClosedTopic: a topic that was closed takes nothing, until it is opened again.
func TestClosedTopic(t *testing.T) {
	t.Parallel()
	s, p := silent(t, simtelegram.Options{})
	telegram.Unlimited(p)
	at := core.Place{Room: simtelegram.Forum, Thread: simtelegram.TopicBilling}
	shut := func(closed bool) {
		t.Helper()
		if err := s.CloseTopic(at.Room, at.Thread, closed); err != nil {
			t.Fatal(err)
		}
	}
	shut(true)
	if _, err := p.Post(t.Context(), core.Post{Place: at, Part: part("x")}); core.ClassOf(err) != core.ThreadGone || isMaybe(err) {
		t.Errorf("post in a closed topic: %v", err)
	}
	if _, err := p.Upload(t.Context(), at, "", fileOf("a.txt", "text/plain", []byte("a"))); core.ClassOf(err) != core.ThreadGone {
		t.Errorf("file for a closed topic: %v", err)
	}
	post(t, p, core.Place{Room: simtelegram.Forum}, "General is open")
	shut(false)
	post(t, p, at, "open again")
}

// TestLeftGroup: a group that has thrown the bot out takes nothing.
func TestLeftGroup(t *testing.T) {
	t.Parallel()
	s, p := silent(t, simtelegram.Options{})
	at := core.Place{Room: simtelegram.Group}
	ref := post(t, p, at, "x")
	if err := s.SetBot(simtelegram.Group, "kicked"); err != nil {
		t.Fatal(err)
	}
	if _, err := p.Post(t.Context(), core.Post{Place: at, Part: part("y")}); core.ClassOf(err) != core.RoomGone {
		t.Errorf("post: %v", err)
	}
	if err := edit(t, p, ref, part("y")); core.ClassOf(err) != core.RoomGone {
		t.Errorf("edit: %v", err)
	}
	if err := p.Typing(t.Context(), at); core.ClassOf(err) != core.RoomGone {
		t.Errorf("typing: %v", err)
	}
}

// TestIDsOfOthers: what is no id of Telegram reaches no server.
func TestIDsOfOthers(t *testing.T) {
	t.Parallel()
	s, p := silent(t, simtelegram.Options{})
	for _, ref := range []core.MessageRef{
		{},
		{Place: private},
		{Place: private, ID: "1699.12"},
		{Place: private, ID: "-1"},
		{Place: private, ID: "0"},
		{Place: core.Place{Room: "C024"}, ID: "1"},
		{Place: core.Place{Room: simtelegram.Forum, Thread: "-2"}, ID: "1"},
	} {
		if err := p.Edit(t.Context(), ref, part("x")); core.ClassOf(err) != core.Invalid {
			t.Errorf("edit of %+v: %v", ref, err)
		}
		if err := p.Delete(t.Context(), ref); core.ClassOf(err) != core.Invalid {
			t.Errorf("delete of %+v: %v", ref, err)
		}
	}
	for _, at := range []core.Place{{}, {Room: "C024"}, {Room: simtelegram.Forum, Thread: "x"}} {
		if err := p.Typing(t.Context(), at); core.ClassOf(err) != core.Invalid {
			t.Errorf("typing in %+v: %v", at, err)
		}
		if _, err := p.Upload(t.Context(), at, "", fileOf("a", "", []byte("a"))); core.ClassOf(err) != core.Invalid {
			t.Errorf("file for %+v: %v", at, err)
		}
	}
	for _, method := range []string{"editMessageText", "deleteMessage", "sendChatAction", "sendDocument"} {
		if n := s.Calls(method); n != 0 {
			t.Errorf("%d calls of %s", n, method)
		}
	}
}

// TestUpgradeIsNoticedByEveryCall: the first call to a group that has become a supergroup may be any.
func TestUpgradeIsNoticedByEveryCall(t *testing.T) {
	t.Parallel()
	group := core.Place{Room: simtelegram.Group}
	tests := []struct {
		name string
		call func(t *testing.T, p *telegram.Platform) error
	}{
		{name: "typing", call: func(t *testing.T, p *telegram.Platform) error { t.Helper(); return p.Typing(t.Context(), group) }},
		{name: "file", call: func(t *testing.T, p *telegram.Platform) error {
			t.Helper()
			_, err := p.Upload(t.Context(), group, "", fileOf("a.txt", "text/plain", []byte("whole")))
			return err
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s, p := silent(t, simtelegram.Options{})
			to, err := s.Upgrade(simtelegram.Group)
			if err != nil {
				t.Fatal(err)
			}
			if err := tt.call(t, p); err != nil {
				t.Fatal(err)
			}
			_, types := s.Typing(to, "")
			sent := s.Messages(to, "")
			if !types && len(sent) == 0 {
				t.Error("nothing has come to the supergroup")
			}
			for _, m := range sent {
				if len(m.Files) != 1 || string(m.Files[0].Data) != "whole" {
					t.Errorf("files = %+v", m.Files)
				}
			}
		})
	}
}

// TestDownloadLimit: the largest file that the Bot API gives out comes whole, and a larger one is told to be too large.
func TestDownloadLimit(t *testing.T) {
	t.Parallel()
	s, p, h := running(t, simtelegram.Options{})
	for i, tt := range []struct {
		size  int
		class core.Class
	}{{size: 20 << 20}, {size: 20<<20 + 1, class: core.TooLarge}} {
		data := bytes.Repeat([]byte("0123456789abcdef"), tt.size/16+1)[:tt.size]
		say(t, s, sim.Say{Room: simtelegram.Minh, User: simtelegram.Minh, Files: []sim.File{{Name: "a.bin", MIME: "application/octet-stream", Data: data}}})
		a := h.event(t, core.KindMessage, i+1).Attachments[0]
		if a.Size != int64(tt.size) {
			t.Errorf("size = %d, want %d", a.Size, tt.size)
		}
		body, err := p.OpenAttachment(t.Context(), a)
		if core.ClassOf(err) != tt.class {
			t.Fatalf("%d bytes: %v, want %q", tt.size, err, tt.class)
		}
		if err != nil {
			if strings.Contains(err.Error(), token) {
				t.Errorf("the token is in the error: %v", err)
			}
			continue
		}
		got, err := io.ReadAll(body)
		if cerr := body.Close(); err != nil || cerr != nil || !bytes.Equal(got, data) {
			t.Errorf("%d of %d bytes, %v, %v", len(got), tt.size, err, cerr)
		}
	}
}
