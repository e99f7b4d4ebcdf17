package telegram_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/clickai/bridge/internal/sim"
	"github.com/clickai/bridge/internal/sim/telegram"
)

func TestPrivacyMode(t *testing.T) {
	t.Parallel()
	s := start(t, telegram.Options{})
	r := newRaw(t, s)
	var mine message
	r.ok(r.call("sendMessage", obj{"chat_id": telegram.Group, "text": "hi"}), &mine)
	answer := say(t, s, sim.Say{Room: telegram.Group, User: telegram.Tom, Text: "yes?", ReplyTo: itoa(mine.ID)})
	for _, tt := range []struct {
		name string
		say  sim.Say
		seen bool
	}{
		{"plain", sim.Say{Text: "hello"}, false},
		{"mention", sim.Say{Text: "hello", Mention: true}, true},
		{"mention in the middle", sim.Say{Text: "hello @Acme_Support_Bot!"}, true},
		{"mention of someone else", sim.Say{Text: "hello @minh_tran"}, false},
		{"command", sim.Say{Text: "/new"}, true},
		{"command to it", sim.Say{Text: "/new@acme_support_bot"}, true},
		{"command to another", sim.Say{Text: "/new@other_bot"}, false},
		{"reply to it", sim.Say{Text: "thanks", ReplyTo: itoa(mine.ID)}, true},
		{"reply to someone else", sim.Say{Text: "thanks", ReplyTo: answer.ID}, false},
		{"album with a mention", sim.Say{Text: "see", Mention: true, Files: []sim.File{{Name: "a.txt", Data: []byte("a")}, {Name: "b.txt", Data: []byte("b")}}}, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r.updates(obj{"offset": -1})
			us := r.updates(obj{})
			if len(us) > 0 {
				r.updates(obj{"offset": us[len(us)-1].ID + 1})
			}
			tt.say.Room, tt.say.User = telegram.Group, telegram.Minh
			say(t, s, tt.say)
			us = r.updates(obj{})
			if (len(us) > 0) != tt.seen {
				t.Errorf("updates: %+v", us)
			}
			if len(tt.say.Files) > 1 && (len(us) != 2 || us[0].Message.GroupID == "" || us[0].Message.GroupID != us[1].Message.GroupID || us[1].Message.Caption != "") {
				t.Errorf("album: %+v", us)
			}
		})
	}
	if err := s.SetBot(telegram.Group, "administrator"); err != nil {
		t.Fatal(err)
	}
	us := r.updates(obj{"offset": -1})
	if us[0].Member == nil || us[0].Member.New.Status != "administrator" {
		t.Errorf("promotion: %+v", us[0])
	}
	say(t, s, sim.Say{Room: telegram.Group, User: telegram.Minh, Text: "plain"})
	if us := r.updates(obj{"offset": -1}); us[0].Message == nil || us[0].Message.Text != "plain" {
		t.Errorf("an administrator sees all: %+v", us)
	}
}

func TestPeopleInTopics(t *testing.T) {
	t.Parallel()
	s := start(t, telegram.Options{})
	r := newRaw(t, s)
	thread, err := s.CreateTopic(telegram.Forum, "Trips", telegram.Anna)
	if err != nil {
		t.Fatal(err)
	}
	q := say(t, s, sim.Say{Room: telegram.Forum, Thread: thread, User: telegram.Minh, Text: "👍 /new", Mention: true})
	general := say(t, s, sim.Say{Room: telegram.Forum, User: telegram.Minh, Text: "in General"})
	us := r.updates(obj{})
	if us[0].Message.TopicCreated == nil || itoa(us[0].Message.ThreadID) != thread {
		t.Errorf("opening: %+v", us[0].Message)
	}
	m := us[1].Message
	if itoa(m.ThreadID) != thread || !m.IsTopic || m.ReplyTo == nil || itoa(m.ReplyTo.ID) != thread || m.ReplyTo.TopicCreated == nil {
		t.Errorf("in a topic: %+v", m)
	}
	if e := m.Entities; len(e) != 2 || e[0].Type != "mention" || e[0].Length != 17 || e[1].Type != "bot_command" || e[1].Offset != 21 {
		t.Errorf("entities: %+v", e)
	}
	if us[2].Message.IsTopic || us[2].Message.ThreadID != 0 || general.Thread != "" {
		t.Errorf("in General: %+v", us[2].Message)
	}
	// An answer without a thread id goes where its question stands.
	var a message
	r.ok(r.call("sendMessage", obj{"chat_id": telegram.Forum, "text": "x", "reply_parameters": obj{"message_id": m.ID}}), &a)
	if itoa(a.ThreadID) != thread {
		t.Errorf("answer: %+v", a)
	}
	if got := s.Messages(telegram.Forum, thread); len(got) != 2 || got[0].ID != q.ID || got[1].ReplyTo != q.ID {
		t.Errorf("seen in the topic: %+v", got)
	}
	if err := s.DeleteTopic(telegram.Forum, thread); err != nil {
		t.Fatal(err)
	}
	r.want(r.call("sendMessage", obj{"chat_id": telegram.Forum, "text": "x", "message_thread_id": thread}), 400, "Bad Request: message thread not found")
	if got := s.Messages(telegram.Forum, thread); len(got) != 0 {
		t.Errorf("left in a deleted topic: %+v", got)
	}
}

func TestPeopleEditDeleteReact(t *testing.T) {
	t.Parallel()
	s := start(t, telegram.Options{Users: []telegram.User{{ID: 1, FirstName: "A"}, {ID: 2, FirstName: "B", Premium: true}}, Chats: []telegram.Chat{
		{ID: -7, Type: "group", Title: "G"},
	}, PrivacyOff: true})
	r := newRaw(t, s)
	r.updates(obj{"allowed_updates": []string{"message", "edited_message", "message_reaction"}})
	ctx := t.Context()
	m := say(t, s, sim.Say{Room: "1", User: "1", Text: "one"})
	check := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	check(s.Edit(ctx, m.Ref, "1", "two"))
	check(s.React(ctx, m.Ref, "1", "👍"))
	check(s.React(ctx, m.Ref, "1", "👎"))
	check(s.React(ctx, m.Ref, "1", "👎")) // there already
	check(s.Unreact(ctx, m.Ref, "1", "👎"))
	check(s.Unreact(ctx, m.Ref, "1", "👎")) // gone already
	us := r.updates(obj{})
	if len(us) != 5 || us[1].Edited == nil || us[1].Edited.Text != "two" {
		t.Fatalf("updates: %+v", us)
	}
	for i, want := range []struct{ before, after string }{{"", "👍"}, {"👍", "👎"}, {"👎", ""}} {
		got := us[2+i].Reaction
		var before, after string
		for _, e := range got.Old {
			before += e.Emoji
		}
		for _, e := range got.New {
			after += e.Emoji
		}
		if before != want.before || after != want.after {
			t.Errorf("reaction %d: %q to %q", i, before, after)
		}
	}
	// In a group the bot hears of reactions as an administrator only; a premium user has three.
	g := say(t, s, sim.Say{Room: "-7", User: "2", Text: "x"})
	for _, e := range []string{"👍", "🔥", "🎉", "❤️"} {
		check(s.React(ctx, g.Ref, "2", e))
	}
	if us := r.updates(obj{"offset": -1}); us[0].Reaction != nil {
		t.Errorf("reaction without being an administrator: %+v", us[0])
	}
	got, _ := s.Find(g.Ref)
	if len(got.Reactions) != 3 || got.Reactions["❤"] == nil {
		t.Errorf("reactions: %v", got.Reactions)
	}
	check(s.Delete(ctx, g.Ref, "2"))
	if _, ok := s.Find(g.Ref); ok {
		t.Error("still there")
	}
	for name, tt := range map[string]struct{ got, want error }{
		"edit of another's": {s.Edit(ctx, m.Ref, "2", "x"), telegram.ErrNotMember},
		"no such message":   {s.Delete(ctx, g.Ref, "2"), telegram.ErrNoMessage},
		"no such emoji":     {s.React(ctx, m.Ref, "1", "✅"), telegram.ErrEmoji},
		"no such user":      {s.React(ctx, m.Ref, "9", "👍"), telegram.ErrNoUser},
		"no such chat":      {s.Edit(ctx, sim.Ref{Room: "9", ID: "1"}, "1", "x"), telegram.ErrNoChat},
		"too long":          {s.Edit(ctx, m.Ref, "1", strings.Repeat("a", 4097)), telegram.ErrTooLong},
		"no such button":    {second(s.Press(m.Ref, "1", "x")), telegram.ErrNoButton},
		"no such topic":     {s.CloseTopic("-7", "4", true), telegram.ErrNoTopic},
	} {
		if !errors.Is(tt.got, tt.want) {
			t.Errorf("%s: %v, want %v", name, tt.got, tt.want)
		}
	}
	if _, err := s.Say(ctx, sim.Say{Room: "1", User: "2", Text: "x"}); !errors.Is(err, telegram.ErrNotMember) {
		t.Errorf("in another's chat: %v", err)
	}
	check(s.Block("1", true))
	if _, err := s.Say(ctx, sim.Say{Room: "1", User: "1", Text: "x"}); !errors.Is(err, telegram.ErrNotMember) {
		t.Errorf("to a blocked bot: %v", err)
	}
	check(s.Block("1", false))
	say(t, s, sim.Say{Room: "1", User: "1", Text: "x"})
}

func TestPeoplesFiles(t *testing.T) {
	t.Parallel()
	s := start(t, telegram.Options{})
	r := newRaw(t, s)
	png := picture(t, 200, 100)
	m := say(t, s, sim.Say{Room: telegram.Minh, User: telegram.Minh, Text: "look", Files: []sim.File{
		{Name: "a.png", Data: png},
		{Name: "b.pdf", MIME: "application/pdf", Data: []byte("%PDF-1.4")},
		{Name: "c.ogg", MIME: "audio/ogg", Data: []byte("OggS123")},
	}})
	if len(m.Files) != 1 || m.Shown != "look" {
		t.Errorf("first: %+v", m)
	}
	us := r.updates(obj{})
	if len(us) != 3 || len(us[0].Message.Photo) != 2 || us[1].Message.Document == nil || us[2].Message.Voice == nil {
		t.Fatalf("updates: %+v", us)
	}
	if got := download(t, s, r, us[0].Message.Photo[1].FileID); string(got) != string(png) {
		t.Error("photo differs")
	}
	if got := download(t, s, r, us[1].Message.Document.FileID); string(got) != "%PDF-1.4" {
		t.Error("document differs")
	}
	if d := us[1].Message.Document; d.FileName != "b.pdf" || d.MimeType != "application/pdf" {
		t.Errorf("document: %+v", d)
	}
}
