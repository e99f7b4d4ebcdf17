package main

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/clickai/bridge/core"
	"github.com/clickai/bridge/internal/sim/clickai"
)

// chatCommands is each command, given by someone who may, with what that person sees and what ClickAI got.
var chatCommands = []struct {
	name string
	do   func(s *scene)
}{
	{"help", func(s *scene) {
		s.ask("one")
		want := []string{s.line("help")}
		for _, c := range core.CommandInfos(s.lang) {
			want = append(want, "!"+c.Name, c.Does)
		}
		s.run(s.user, "help", "", want...)
	}},
	{"new", func(s *scene) {
		first := s.ask("one")
		s.run(s.user, "new", "", s.line("new"))
		if t := s.ask("two"); t.ConversationSent != "" || t.ConversationID == first.ConversationID || len(t.Inputs) == 0 {
			s.errorf("the next question was sent with conversation_id %q and inputs %v, want a new conversation", t.ConversationSent, t.Inputs)
		}
	}},
	{"stop", func(s *scene) {
		s.ask("one")
		s.run(s.user, "stop", "", s.line("idle"))
	}},
	{"retry", func(s *scene) {
		first := s.ask("one")
		second := s.next(func() { s.gives(s.user, "retry", "") })
		if second.Question != first.Question || second.ConversationSent != first.ConversationID || second.MessageID == first.MessageID {
			s.errorf("asked %q with conversation_id %q, want %q with %q", second.Question, second.ConversationSent, first.Question, first.ConversationID)
		}
	}},
	{"history", func(s *scene) {
		const odd = `one (two) [x=3] $y$ *4* <5> C:\6`
		first := s.ask(odd)
		answer, _, _ := strings.Cut(first.Answer, "\n")
		s.run(s.user, "history", "", odd, answer)
	}},
	{"conversations", func(s *scene) {
		first := s.ask("one")
		s.run(s.user, "new", "", s.line("new"))
		second := s.ask("two")
		if !s.dm && (!s.own || s.Name() == "telegram") {
			s.run(s.user, "conversations", "", s.line("private"))
		} else {
			list := s.run(s.user, "conversations", "", s.line("list"), "one", "two ✓")
			if all := s.buttons(list.Ref); len(all) != 1 || all[0].label != "one" {
				s.errorf("buttons %+v, want one for the conversation that is not this one", all)
			}
			s.presses(s.user, list.Ref, "one")
			s.sees(s.user, s.line("chosen")+"one")
			if t := s.ask("three"); t.ConversationSent != first.ConversationID {
				s.errorf("after the choice by button conversation_id was %q, want %q", t.ConversationSent, first.ConversationID)
			}
			// The one that was written in last stands first.
			first, second = second, first
		}
		s.run(s.user, "conversations", "2", s.line("chosen"))
		if t := s.ask("four"); t.ConversationSent != first.ConversationID {
			s.errorf("after the choice by number conversation_id was %q, want %q and not %q", t.ConversationSent, first.ConversationID, second.ConversationID)
		}
		s.run(s.user, "conversations", "7", s.line("not found"))
	}},
	{"rename", func(s *scene) {
		first := s.ask("one")
		s.run(s.user, "rename", "Invoices of May", s.line("renamed")+"Invoices of May")
		if c, _ := s.conversation(first.ConversationID); c.Name != "Invoices of May" {
			s.errorf("ClickAI calls it %q", c.Name)
		}
		s.run(s.user, "rename", "", s.line("renamed")+"one")
		if c, _ := s.conversation(first.ConversationID); !strings.HasPrefix(c.Name, "one") {
			s.errorf("ClickAI made the name %q", c.Name)
		}
	}},
	{"delete", func(s *scene) {
		first := s.ask("one")
		if !s.dm {
			s.run(s.other, "delete", "", s.line("not yours"))
			if _, there := s.conversation(first.ConversationID); !there {
				s.errorf("it was deleted by someone who may not")
			}
		}
		s.run(s.user, "delete", "", s.line("deleted"))
		if _, there := s.conversation(first.ConversationID); there {
			s.errorf("it is still there at ClickAI")
		}
		if t := s.ask("two"); t.ConversationSent != "" {
			s.errorf("the next question was sent with conversation_id %q", t.ConversationSent)
		}
	}},
	{"delete by an admin", func(s *scene) {
		if s.dm {
			return
		}
		first := s.ask("one")
		s.run(s.person(theAdmin), "delete", "", s.line("deleted"))
		if _, there := s.conversation(first.ConversationID); there {
			s.errorf("it is still there at ClickAI")
		}
	}},
	{"status", func(s *scene) {
		if s.dm || s.own && !s.threads {
			s.run(s.user, "status", "", s.line("app"), s.line("none"))
		}
		s.ask("one")
		s.run(s.user, "status", "", s.line("app"), s.line("turns")+"1")
	}},
}

// TestCommands gives each command in each form in a direct chat and in a thread or group of each platform. The bot on
// Telegram speaks Vietnamese.
func TestCommands(t *testing.T) {
	t.Parallel()
	const forms = 4
	opt := world(theFirst+2*forms*len(chatCommands), 2*len(chatCommands))
	s := startSet(t, opt)
	path := writeChat(t, s, clickai.ModeChat, func(platform string) string {
		var anyone desk
		for _, d := range desks(s, nil, opt) {
			if d.Name() == platform {
				anyone = *d
			}
		}
		text := fmt.Sprintf("admins: [%q]\nstream: {mode: final}\nlimits: {turns_per_user: 100/1m}\n", anyone.person(theAdmin))
		if platform == "telegram" {
			text += "language: vi\n"
		}
		return text
	})
	log, stop := runHere(t, s, path)
	cast := newCast(t)
	for _, d := range desks(s, log, opt) {
		if d.Name() == "telegram" {
			d.lang = "vi"
		}
		offered(t, d)
		for i, c := range chatCommands {
			for form := range forms {
				own, dm := form%2 == 1, form < 2
				n := theFirst + 2*(i*forms+form)
				sc := &scene{desk: d, own: own, dm: dm, user: d.person(n), other: d.person(n + 1)}
				place := "group"
				switch {
				case dm:
					sc.at, place = d.direct(n), "direct chat"
				case own:
					sc.at = d.room(2 * i)
				default:
					sc.at = d.forum(2*i + 1)
				}
				sc.name = fmt.Sprintf("%s %s in a %s, %s", d.Name(), c.name, place, map[bool]string{true: "own form", false: "as words"}[own])
				do := c.do
				if d.Name() == "slack" && own && !dm {
					do = slashInRoom(c.name)
				}
				cast.play(sc, do)
			}
		}
	}
	cast.wait()
	stop()
	well(t, s, log)
}

// slashInRoom is a command of Slack's in a room: it carries no thread, means the room's own conversation, and says how to ask
// inside a thread.
func slashInRoom(name string) func(*scene) {
	return func(s *scene) {
		first := s.ask("one")
		name, _, _ := strings.Cut(name, " ")
		switch name {
		case "help":
			s.run(s.user, name, "", s.line("help"), "!status")
		case "conversations":
			s.run(s.user, name, "", s.line("list"), "one", s.line("in thread"))
			s.run(s.user, name, "1", s.line("in thread"))
		case "status":
			s.run(s.user, name, "", s.line("app"), s.line("in thread"))
		default:
			s.run(s.user, name, "", s.line("in thread"))
		}
		if _, there := s.conversation(first.ConversationID); !there {
			s.errorf("the thread's conversation is gone")
		}
		if t := s.ask("two"); t.ConversationSent != first.ConversationID {
			s.errorf("the thread went on with conversation_id %q, want %q", t.ConversationSent, first.ConversationID)
		}
	}
}

// offered wants the platform to offer each command, in the language of the person's client.
func offered(t *testing.T, d *desk) {
	t.Helper()
	if d.menu == nil {
		return
	}
	var want []choice
	for _, c := range core.CommandInfos("vi") {
		want = append(want, choice{c.Name, c.Does})
	}
	until(t, d.Name()+" offers the commands", func() bool { return slices.Equal(d.menu("vi"), want) }, d.Changed)
}
