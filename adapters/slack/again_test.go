package slack_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/clickai/bridge/adapters/slack"
	"github.com/clickai/bridge/core"
	sim "github.com/clickai/bridge/internal/sim"
	simslack "github.com/clickai/bridge/internal/sim/slack"
)

// lost has the answer of the next call of a method lost on its way back, or the call itself on its way there.
func lost(s *simslack.Server, method string, taken bool) {
	s.Faults().Add(sim.Fault{Match: "/api/" + method, Times: 1, Cut: true, Handled: taken})
}

// maybe wants an error that tells of the doubt.
func maybe(t *testing.T, err error) {
	t.Helper()
	if e, ok := err.(*core.Error); !ok || e.Class != core.Transient || !e.Maybe { //nolint:errorlint // the contract says this type
		t.Fatalf("error %v, want a transient one that tells of the doubt", err)
	}
}

// ofBot are the bot's messages in a place.
func ofBot(s *simslack.Server, at core.Place) []sim.Message {
	var own []sim.Message
	for _, m := range s.Messages(at.Room, at.Thread) {
		if m.Bot {
			own = append(own, m)
		}
	}
	return own
}

// TestPostAgain holds that a message that Slack took is found, in all kinds of places, and one that it did not take is posted.
func TestPostAgain(t *testing.T) {
	t.Parallel()
	for _, taken := range []bool{true, false} {
		for _, kind := range []string{"thread", "room", "direct", "direct thread"} {
			for _, restart := range []bool{false, true} {
				t.Run(fmt.Sprintf("taken %t, %s, restart %t", taken, kind, restart), func(t *testing.T) {
					t.Parallel()
					s, p := idle(t, simslack.Options{})
					clean(t, s)
					at := core.Place{Room: simslack.General}
					if strings.HasPrefix(kind, "direct") {
						at.Room = simslack.DM(simslack.Minh)
					}
					q := say(t, s, sim.Say{Room: at.Room, User: simslack.Minh, Text: "what?"})
					if strings.HasSuffix(kind, "thread") {
						at.Thread = q.ID
					}
					other := post(t, p, at, "another answer")
					lost(s, "chat.postMessage", taken)
					message := core.Post{Place: at, Part: p.Render("**the** answer", true)[0], Nonce: "n1"}
					_, err := p.Post(t.Context(), message)
					maybe(t, err)
					say(t, s, sim.Say{Room: at.Room, Thread: at.Thread, User: simslack.Minh, Text: "are you there?"})
					if restart {
						p = attached(t, newBot(t, config(s)), newHost())
					}
					message.Again = true
					ref, err := p.Post(t.Context(), message)
					if err != nil {
						t.Fatal(err)
					}
					own := ofBot(s, at)
					if len(own) != 2 || ref.Place != at || ref.ID != own[1].ID || ref.ID == other.ID || own[1].Shown != "the answer" {
						t.Errorf("posted as %+v; the bot's messages: %+v", ref, own)
					}
					if again, err := p.Post(t.Context(), message); err != nil || again != ref {
						t.Errorf("a third time: %+v, %v; want %+v", again, err, ref)
					}
					if err := p.Edit(t.Context(), ref, p.Render("a longer answer", true)[0]); err != nil {
						t.Fatal(err)
					}
					if again, err := p.Post(t.Context(), message); err != nil || again != ref {
						t.Errorf("after an edit: %+v, %v; want %+v", again, err, ref)
					}
				})
			}
		}
	}
}

// TestPostAgainFarBack holds that pages are turned for the message that is looked for.
func TestPostAgainFarBack(t *testing.T) {
	t.Parallel()
	s, p := idle(t, simslack.Options{LimitScale: 100})
	clean(t, s)
	q := say(t, s, sim.Say{Room: simslack.General, User: simslack.Minh, Text: "what?"})
	thread, room := core.Place{Room: simslack.General, Thread: q.ID}, core.Place{Room: simslack.General}
	refs := map[core.Place]core.MessageRef{}
	for i := range 700 {
		for _, at := range []core.Place{thread, room} {
			say(t, s, sim.Say{Room: at.Room, Thread: at.Thread, User: simslack.Minh, Text: "on and on"})
			if i == 350 {
				refs[at] = post(t, p, at, "the answer")
			}
		}
	}
	for at, want := range refs {
		got, err := p.Post(t.Context(), core.Post{Place: at, Part: core.Part{Text: "x"}, Nonce: "abc123", Again: true})
		if err != nil || got != want {
			t.Errorf("Post in %+v = %+v, %v; want %+v", at, got, err, want)
		}
	}
}

// TestPostAgainBlind holds what happens where the bot cannot look.
func TestPostAgainBlind(t *testing.T) {
	t.Parallel()
	said := func(code string) sim.Fault {
		return sim.Fault{Status: http.StatusOK, Body: `{"ok":false,"error":"` + code + `"}`}
	}
	tests := []struct {
		name   string
		fault  sim.Fault
		posted bool
		class  core.Class
	}{
		{name: "scope", fault: said("missing_scope"), posted: true},
		{name: "method", fault: said("unknown_method"), posted: true},
		{name: "429", fault: sim.TooManyRequests("", 7e9, 1), class: core.RateLimited},
		{name: "page", fault: sim.Fault{Status: 502, Body: "<html>"}, class: core.Transient},
		{name: "cut", fault: sim.Fault{Cut: true}, class: core.Transient},
		{name: "token", fault: said("token_revoked"), class: core.Auth},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s, p := idle(t, simslack.Options{})
			at := core.Place{Room: simslack.General}
			tt.fault.Match = "/api/conversations.history"
			s.Faults().Add(tt.fault)
			_, err := p.Post(t.Context(), core.Post{Place: at, Part: core.Part{Text: "x"}, Nonce: "n1", Again: true})
			if posted := len(ofBot(s, at)) == 1; posted != tt.posted || core.ClassOf(err) != tt.class {
				t.Errorf("posted %t, %v; want %t, class %q", posted, err, tt.posted, tt.class)
			}
			if e, ok := err.(*core.Error); ok && e.Maybe { //nolint:errorlint // the contract says this type
				t.Errorf("error %v tells of a doubt: nothing was posted", err)
			}
		})
	}
}

// TestStreamAgain holds that a stream whose start was lost is taken up, also by the next process, and closed.
func TestStreamAgain(t *testing.T) {
	t.Parallel()
	for _, restart := range []bool{false, true} {
		for _, ended := range []bool{false, true} {
			t.Run(fmt.Sprintf("restart %t, ended by Slack %t", restart, ended), func(t *testing.T) {
				t.Parallel()
				s := newSim(t, simslack.Options{})
				clean(t, s)
				p, h := newBot(t, config(s)), newHost()
				stop := start(t, p, h)
				h.waitUp(t, 1)
				at := asked(t, s, simslack.General)
				post(t, p, at, "an earlier answer")
				lost(s, "chat.startStream", true)
				message := core.Post{Place: at, Nonce: "n1", For: core.User{ID: simslack.Minh}}
				_, err := p.StartStream(t.Context(), message, "Half of")
				maybe(t, err)
				left := ofBot(s, at)[1]
				if restart {
					if err := stop(); err != nil {
						t.Fatal(err)
					}
					p = newBot(t, config(s))
					next := h.next()
					start(t, p, next)
					next.waitUp(t, 1)
				}
				if ended {
					if err := s.Halt(t.Context(), left.Ref, simslack.Minh); err != nil {
						t.Fatal(err)
					}
				}
				message.Again, message.Part = true, p.Render("All of it", true)[0]
				ref, err := p.Post(t.Context(), message)
				if err != nil || ref.ID != left.ID {
					t.Fatalf("Post = %+v, %v; want the stream %s", ref, err, left.ID)
				}
				if !ended {
					if err := p.Edit(t.Context(), ref, message.Part); err != nil {
						t.Fatal(err)
					}
					shows(t, s, ref, "All of it")
				}
				if own := ofBot(s, at); len(own) != 2 || s.Streaming(left.Ref) {
					t.Errorf("the bot's messages: %+v; streaming %t", own, s.Streaming(left.Ref))
				}
			})
		}
	}
}

// TestStreamsOfEarlierProcesses holds that a stream that one process began and the next one ended is not mistaken for a later
// stream of which only a note is left.
func TestStreamsOfEarlierProcesses(t *testing.T) {
	t.Parallel()
	for _, taken := range []bool{true, false} {
		t.Run(fmt.Sprintf("taken %t", taken), func(t *testing.T) {
			t.Parallel()
			s := newSim(t, simslack.Options{})
			clean(t, s)
			h := newHost()
			p := attached(t, newBot(t, config(s)), h)
			at := asked(t, s, simslack.General)
			first := streaming(t, p, at, "Half of the first answer")

			h = h.next()
			p = attached(t, newBot(t, config(s)), h)
			if err := p.Edit(t.Context(), first.Message, p.Render("The first answer", true)[0]); err != nil {
				t.Fatal(err)
			}
			lost(s, "chat.startStream", taken)
			message := core.Post{Place: at, Nonce: "n2", For: core.User{ID: simslack.Minh}, Part: p.Render("All of it", true)[0]}
			_, err := p.StartStream(t.Context(), message, "Half of")
			maybe(t, err)

			p = attached(t, newBot(t, config(s)), h.next())
			message.Again = true
			ref, err := p.Post(t.Context(), message)
			if err != nil {
				t.Fatal(err)
			}
			if own := ofBot(s, at); len(own) != 2 || ref.ID != own[1].ID || own[0].Shown != "The first answer" {
				t.Errorf("posted as %+v; the bot's messages: %+v", ref, own)
			}
		})
	}
}

// TestStreamNotTaken holds that no other message is mistaken for a stream that Slack did not start.
func TestStreamNotTaken(t *testing.T) {
	t.Parallel()
	s, p := idle(t, simslack.Options{})
	clean(t, s)
	at := asked(t, s, simslack.General)
	lost(s, "chat.startStream", false)
	message := core.Post{Place: at, Nonce: "n1", For: core.User{ID: simslack.Minh}, Part: p.Render("All of it", true)[0]}
	_, err := p.StartStream(t.Context(), message, "Half of")
	maybe(t, err)
	open := streaming(t, p, at, "another answer, of another person")
	post(t, p, at, "and one more")
	if _, err := p.Upload(t.Context(), at, "", upload("a.txt", noise(10), 10)); err != nil {
		t.Fatal(err)
	}
	message.Again = true
	ref, err := p.Post(t.Context(), message)
	if err != nil || ref.ID == open.Message.ID {
		t.Fatalf("Post = %+v, %v", ref, err)
	}
	if own := ofBot(s, at); len(own) != 4 || own[3].ID != ref.ID || own[3].Shown != "All of it" {
		t.Errorf("the bot's messages: %+v", own)
	}
}

// TestUploadAgain holds that a file is stored once and shown once, whatever was lost, also by the next process.
func TestUploadAgain(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		spoil  func(s *simslack.Server)
		stored int // uploads in all
	}{
		{name: "answer of the share lost", spoil: func(s *simslack.Server) { lost(s, "files.completeUploadExternal", true) }, stored: 1},
		{name: "share lost", spoil: func(s *simslack.Server) { lost(s, "files.completeUploadExternal", false) }, stored: 1},
		{name: "upload lost", spoil: func(s *simslack.Server) { s.Faults().Add(sim.Fault{Match: "/upload/", Times: 1, Cut: true}) }, stored: 2},
		{name: "file forgotten by Slack", spoil: func(s *simslack.Server) {
			lost(s, "files.completeUploadExternal", false)
			s.Faults().Add(sim.Fault{Match: "/api/files.info", Times: 1, Status: 200, Body: `{"ok":false,"error":"file_not_found"}`})
		}, stored: 2},
		{name: "no scope to look", spoil: func(s *simslack.Server) {
			lost(s, "files.completeUploadExternal", false)
			s.Faults().Add(sim.Fault{Match: "/api/files.info", Times: 1, Status: 200, Body: `{"ok":false,"error":"missing_scope"}`})
		}, stored: 2},
	}
	for _, tt := range tests {
		for _, restart := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, restart %t", tt.name, restart), func(t *testing.T) {
				t.Parallel()
				s := newSim(t, simslack.Options{})
				clean(t, s)
				p, h := newBot(t, config(s)), newHost()
				stop := start(t, p, h)
				h.waitUp(t, 1)
				at := core.Place{Room: simslack.General}
				first := upload("chart.png", noise(1000), 1000)
				first.Nonce = "f0"
				if _, err := p.Upload(t.Context(), at, "", first); err != nil {
					t.Fatal(err)
				}
				tt.spoil(s)
				// The same name and size as the first one, which is another file all the same.
				file := upload("chart.png", noise(1000), 1000)
				file.Nonce = "f1"
				opened, open := 0, file.Open
				file.Open = func(ctx context.Context) (r io.ReadCloser, err error) { opened++; return open(ctx) }
				if _, err := p.Upload(t.Context(), at, "", file); core.ClassOf(err) != core.Transient {
					t.Fatalf("Upload = %v, want class transient", err)
				}
				if restart {
					if err := stop(); err != nil {
						t.Fatal(err)
					}
					p = newBot(t, config(s))
					next := h.next()
					start(t, p, next)
					next.waitUp(t, 1)
				}
				file.Again = true
				ref, err := p.Upload(t.Context(), at, "", file)
				if err != nil {
					t.Fatal(err)
				}
				own := ofBot(s, at)
				if len(own) != 2 || ref.ID != own[1].ID || len(own[1].Files) != 1 || own[1].Files[0].Name != "chart.png" {
					t.Errorf("sent as %+v; the bot's messages: %+v", ref, own)
				}
				if opened != tt.stored {
					t.Errorf("the file was read %d times, want %d", opened, tt.stored)
				}
			})
		}
	}
}

// TestNotesAreBounded holds that few notes are kept, the newest, whatever was stored before.
func TestNotesAreBounded(t *testing.T) {
	t.Parallel()
	s := newSim(t, simslack.Options{})
	h := newHost()
	h.cursors["notes"] = `[{"nonce":"old"},{"nonce":7}`
	p := newBot(t, config(s))
	start(t, p, h)
	h.waitUp(t, 1)
	if n := slack.Note(t.Context(), p, 1000); n != 128 {
		t.Errorf("%d notes are kept, want 128", n)
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if stored := h.cursors["notes"]; len(stored) > 16<<10 || !strings.Contains(stored, `"n999"`) {
		t.Errorf("%d bytes are stored: %.200s…", len(stored), stored)
	}
}
