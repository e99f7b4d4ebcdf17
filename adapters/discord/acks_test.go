package discord_test

import (
	"context"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"github.com/clickai/bridge/adapters/discord"
	"github.com/clickai/bridge/core"
	"github.com/clickai/bridge/internal/memnet"
	sim "github.com/clickai/bridge/internal/sim"
	simdiscord "github.com/clickai/bridge/internal/sim/discord"
)

// virtual runs a test under virtual time with a bot that is connected. stop ends the bot.
func virtual(t *testing.T, test func(t *testing.T, s *simdiscord.Server, p *discord.Platform, h *host, stop func())) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		<-time.After(26 * 365 * 24 * time.Hour) // virtual time begins in 2000, Discord's ids in 2015
		l := memnet.Listen()
		s := newSim(t, simdiscord.Options{Listener: l})
		clean(t, s)
		log := slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelDebug}))
		p, err := discord.New("acme", discord.Config{Token: simdiscord.DefaultToken, APIURL: s.APIURL()}, log)
		if err != nil {
			t.Fatal(err)
		}
		discord.Dial(p, l.DialContext)
		h := newHost()
		ctx, cancel := context.WithCancel(context.Background())
		done := make(chan error, 1)
		go func() { done <- p.Run(ctx, h) }()
		stopped := false
		stop := func() {
			if stopped {
				return
			}
			stopped = true
			cancel()
			if err := <-done; err != nil {
				t.Errorf("Run: %v", err)
			}
		}
		t.Cleanup(stop)
		h.waitUp(t, 1)
		offer(t, p)
		test(t, s, p, h, stop)
	})
}

func TestAcknowledgedInTime(t *testing.T) {
	t.Parallel()
	at := core.Place{Room: simdiscord.General}
	t.Run("a command shows the bot as thinking until it is answered", func(t *testing.T) {
		t.Parallel()
		virtual(t, func(t *testing.T, s *simdiscord.Server, p *discord.Platform, h *host, _ func()) {
			id := command(t, s, at.Room, "", "Tom", "history", nil)
			<-time.After(1900 * time.Millisecond)
			if seen(t, s, id).Answered {
				t.Error("acknowledged although there was time")
			}
			<-time.After(300 * time.Millisecond)
			if i := seen(t, s, id); !i.Deferred || !i.Ephemeral || i.Failed {
				t.Errorf("after two seconds %+v", i)
			}
			<-time.After(14 * time.Minute)
			ev := h.event(t, core.KindCommand, 1)
			answer(t, p, ev, core.Part{Text: "here", Buttons: oneButton})
			answer(t, p, ev, core.Part{Text: "and here"})
			private := s.Private(at.Room, "", "Tom")
			if len(private) != 2 || private[0].Text != "here" || private[1].Text != "and here" || len(s.Buttons(private[0].Ref)) != 1 {
				t.Errorf("private %+v", private)
			}
			<-time.After(time.Minute)
			if err := p.Answer(t.Context(), ev.Handle, core.Part{Text: "late"}); core.ClassOf(err) != core.NotFound {
				t.Errorf("after 15 minutes: %v", err)
			}
		})
	})
	t.Run("what shows of a command goes without a text", func(t *testing.T) {
		t.Parallel()
		virtual(t, func(t *testing.T, s *simdiscord.Server, p *discord.Platform, h *host, _ func()) {
			id := command(t, s, at.Room, "", "Tom", "new", nil)
			<-time.After(5 * time.Second)
			answer(t, p, h.event(t, core.KindCommand, 1), core.Part{})
			if i := seen(t, s, id); i.Deferred || len(i.Replies) != 0 {
				t.Errorf("taken %+v", i)
			}
		})
	})
	t.Run("a press shows nothing", func(t *testing.T) {
		t.Parallel()
		virtual(t, func(t *testing.T, s *simdiscord.Server, p *discord.Platform, h *host, _ func()) {
			m := post(t, p, at, core.Part{Text: "hello", Buttons: oneButton})
			id := press(t, s, m, "Anna", "ask:0")
			<-time.After(2200 * time.Millisecond)
			if i := seen(t, s, id); !i.Answered || i.Deferred || len(i.Replies) != 0 || len(s.Buttons(simRef(m))) != 1 {
				t.Errorf("after two seconds %+v", i)
			}
			answer(t, p, h.event(t, core.KindPress, 1), core.Part{Text: "later"})
			if private := s.Private(at.Room, "", "Anna"); len(private) != 1 || private[0].Text != "later" {
				t.Errorf("private %+v", private)
			}
			if err := p.OpenForm(t.Context(), h.event(t, core.KindPress, 1).Handle, core.Form{ID: "x"}); core.ClassOf(err) != core.Invalid {
				t.Errorf("form after two seconds: %v", err)
			}
		})
	})
	t.Run("many at once", func(t *testing.T) {
		t.Parallel()
		virtual(t, func(t *testing.T, s *simdiscord.Server, _ *discord.Platform, _ *host, _ func()) {
			var ids []string
			for range 200 {
				ids = append(ids, command(t, s, at.Room, "", "Tom", "help", nil))
			}
			<-time.After(2900 * time.Millisecond)
			for _, id := range ids {
				if !seen(t, s, id).Answered {
					t.Fatal("one of many is not acknowledged")
				}
			}
		})
	})
	t.Run("when the bot is stopped", func(t *testing.T) {
		t.Parallel()
		virtual(t, func(t *testing.T, s *simdiscord.Server, p *discord.Platform, h *host, stop func()) {
			id := command(t, s, at.Room, "", "Tom", "help", nil)
			ev := h.event(t, core.KindCommand, 1)
			stop()
			if i := seen(t, s, id); !i.Deferred {
				t.Errorf("stopped: %+v", i)
			}
			answer(t, p, ev, core.Part{Text: "still"}) // what runs is finished after the platform has disconnected
			if i := seen(t, s, id); len(i.Replies) != 1 {
				t.Errorf("answered %+v", i)
			}
		})
	})
}

// TestAnswersApart: the global limit, and what holds it, does not concern answers to interactions.
func TestAnswersApart(t *testing.T) {
	t.Parallel()
	virtual(t, func(t *testing.T, s *simdiscord.Server, p *discord.Platform, h *host, _ func()) {
		s.Faults().Add(simdiscord.RateLimited("POST /api/v9/channels", 30*time.Second, 1, "global"))
		if _, err := p.Post(t.Context(), core.Post{Place: core.Place{Room: simdiscord.General}, Part: core.Part{Text: "x"}}); core.ClassOf(err) != core.RateLimited {
			t.Fatalf("post: %v", err)
		}
		command(t, s, simdiscord.General, "", "Tom", "help", nil)
		ev := h.event(t, core.KindCommand, 1)
		began := time.Now()
		for range 3 {
			answer(t, p, ev, core.Part{Text: "help"})
		}
		if d := time.Since(began); d > time.Second {
			t.Errorf("answered after %v", d)
		}
		if err := p.Typing(t.Context(), core.Place{Room: simdiscord.General}); core.ClassOf(err) != core.RateLimited {
			t.Errorf("other requests are not held: %v", err)
		}
	})
}

// TestTooLate: an interaction that reaches the bot late, as after an outage, is answered by none of Discord's own ways.
func TestTooLate(t *testing.T) {
	t.Parallel()
	virtual(t, func(t *testing.T, s *simdiscord.Server, p *discord.Platform, h *host, _ func()) {
		s.Faults().Add(sim.Fault{Match: "/callback", Delay: 4 * time.Second})
		id := command(t, s, simdiscord.General, "", "Tom", "help", nil)
		ev := h.event(t, core.KindCommand, 1)
		if err := p.Answer(t.Context(), ev.Handle, core.Part{Text: "x"}); core.ClassOf(err) != core.NotFound {
			t.Errorf("answer: %v", err)
		}
		if err := p.Answer(t.Context(), ev.Handle, core.Part{Text: "x"}); core.ClassOf(err) != core.NotFound || !seen(t, s, id).Failed {
			t.Errorf("second answer: %v", err)
		}
	})
}
