package discord_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/bwmarrin/discordgo"

	"github.com/clickai/bridge/internal/sim"
	"github.com/clickai/bridge/internal/sim/discord"
)

func TestPlaces(t *testing.T) {
	t.Parallel()
	s := start(t, discord.Options{})
	var got []string
	for _, p := range s.Places() {
		got = append(got, p.Kind+" "+p.Name)
	}
	want := "channel general, channel support, forum help, direct Minh, direct Anna, direct Tom"
	if strings.Join(got, ", ") != want {
		t.Errorf("places %q", got)
	}
	if s.Name() != "discord" || !strings.HasPrefix(s.APIURL(), "http://127.0.0.1:") || !strings.HasSuffix(s.APIURL(), "/api/v9") {
		t.Errorf("%s at %s", s.Name(), s.APIURL())
	}
}

func TestTypedMentions(t *testing.T) {
	t.Parallel()
	s := start(t, fast())
	c := connect(t, s)
	tests := []struct{ name, text, content, shown string }{
		{"person", "ask @Anna, please", "ask <@" + discord.Anna + ">, please", "ask @Anna, please"},
		{"bot", "hey @Bridge", "hey <@" + discord.BotID + ">", "hey @Bridge"},
		{"channel", "see #support", "see <#" + discord.Support + ">", "see #support"},
		{"nobody", "mail a@b.org or #1", "mail a@b.org or #1", "mail a@b.org or #1"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			m := say(t, s, sim.Say{Room: discord.General, User: "Minh", Text: tt.text})
			if m.Text != tt.content || m.Shown != tt.shown {
				t.Errorf("%q shows %q", m.Text, m.Shown)
			}
			if e := c.message(t, "MESSAGE_CREATE"); e.Content != tt.content || (len(e.Mentions) > 0) != strings.Contains(tt.content, "<@") {
				t.Errorf("event %q mentions %v", e.Content, e.Mentions)
			}
		})
	}
}

func TestRepliesPing(t *testing.T) {
	t.Parallel()
	s := start(t, fast())
	c := connect(t, s)
	id := post(t, s, discord.General, object{"content": "answer"})
	c.want(t, "MESSAGE_CREATE")
	m := say(t, s, sim.Say{Room: discord.General, User: "Tom", Text: "and then?", ReplyTo: id})
	e := c.message(t, "MESSAGE_CREATE")
	if m.ReplyTo != id || e.Type != discordgo.MessageTypeReply || e.MessageReference.MessageID != id || e.ReferencedMessage.Content != "answer" ||
		len(e.Mentions) != 1 || e.Mentions[0].ID != discord.BotID {
		t.Errorf("reply %+v", e)
	}
	if _, err := s.SayWith(t.Context(), sim.Say{Room: discord.General, User: "Tom", Text: "quietly", ReplyTo: id}, discord.Extra{NoPing: true}); err != nil {
		t.Fatal(err)
	}
	if e := c.message(t, "MESSAGE_CREATE"); len(e.Mentions) != 0 {
		t.Errorf("a quiet reply mentions %v", e.Mentions)
	}
	call(t, s, "DELETE", "/channels/"+discord.General+"/messages/"+id, nil).ok(t)
	var raw map[string]json.RawMessage
	call(t, s, "GET", "/channels/"+discord.General+"/messages/"+m.ID, nil).ok(t).into(t, &raw)
	if string(raw["referenced_message"]) != "null" {
		t.Errorf("a deleted message is still referenced: %s", raw["referenced_message"])
	}
}

func TestPersonEditsAndDeletes(t *testing.T) {
	t.Parallel()
	s := start(t, fast())
	c := connect(t, s)
	m := say(t, s, sim.Say{Room: discord.General, User: "Minh", Text: "first", Mention: true})
	c.want(t, "MESSAGE_CREATE")
	if err := s.Unfurl(m.Ref, json.RawMessage(`[{"type":"link","title":"a page"}]`)); err != nil {
		t.Fatal(err)
	}
	if e := c.message(t, "MESSAGE_UPDATE"); e.EditedTimestamp != nil || len(e.Embeds) != 1 {
		t.Errorf("unfurl %+v", e)
	}
	if err := s.Edit(t.Context(), m.Ref, "Minh", "second"); err != nil {
		t.Fatal(err)
	}
	e := c.message(t, "MESSAGE_UPDATE")
	if e.EditedTimestamp == nil || e.Content != "<@"+discord.BotID+"> second" || len(e.Mentions) != 1 {
		t.Errorf("edit %+v", e)
	}
	if err := s.Edit(t.Context(), m.Ref, "Tom", "x"); err == nil {
		t.Error("somebody else edited the message")
	}
	if err := s.Delete(t.Context(), m.Ref, "Minh"); err != nil {
		t.Fatal(err)
	}
	c.want(t, "MESSAGE_DELETE")
	if _, ok := s.Find(m.Ref); ok {
		t.Error("a deleted message is found")
	}
	if err := s.Delete(t.Context(), m.Ref, "Minh"); err == nil {
		t.Error("deleted twice")
	}
}

func TestWrongPlaces(t *testing.T) {
	t.Parallel()
	s := start(t, discord.Options{})
	tests := []struct {
		name string
		say  sim.Say
	}{
		{"no channel", sim.Say{Room: "1", User: "Tom", Text: "x"}},
		{"no person", sim.Say{Room: discord.General, User: "Nobody", Text: "x"}},
		{"another's direct channel", sim.Say{Room: discord.DMMinh, User: "Tom", Text: "x"}},
		{"no thread", sim.Say{Room: discord.General, Thread: discord.Support, User: "Tom", Text: "x"}},
		{"empty", sim.Say{Room: discord.General, User: "Tom"}},
		{"too long", sim.Say{Room: discord.General, User: "Tom", Text: strings.Repeat("x", 2001)}},
		{"reply to nothing", sim.Say{Room: discord.General, User: "Tom", Text: "x", ReplyTo: "1"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if _, err := s.Say(t.Context(), tt.say); err == nil {
				t.Error("said all the same")
			}
		})
	}
}

func TestExtra(t *testing.T) {
	t.Parallel()
	s := start(t, fast())
	c := connect(t, s)
	extras := []discord.Extra{
		{Webhook: true},
		{Bot: true},
		{Fields: map[string]json.RawMessage{"message_snapshots": json.RawMessage(`[{"message":{"content":"forwarded"}}]`)}},
	}
	for _, x := range extras {
		if _, err := s.SayWith(t.Context(), sim.Say{Room: discord.General, User: "Tom", Text: "x"}, x); err != nil {
			t.Fatal(err)
		}
	}
	if m := c.message(t, "MESSAGE_CREATE"); m.WebhookID == "" || m.Member != nil {
		t.Errorf("webhook %+v", m)
	}
	if m := c.message(t, "MESSAGE_CREATE"); !m.Author.Bot || m.Author.ID == discord.BotID {
		t.Errorf("other bot %+v", m.Author)
	}
	if m := c.message(t, "MESSAGE_CREATE"); len(m.MessageSnapshots) != 1 || m.MessageSnapshots[0].Message.Content != "forwarded" {
		t.Errorf("forward %+v", m)
	}
	if err := s.PersonTyping(discord.General, "", "Tom"); err != nil {
		t.Fatal(err)
	}
	c.want(t, "TYPING_START")
}

func TestChannelsComeAndGo(t *testing.T) {
	t.Parallel()
	s := start(t, fast())
	c := connect(t, s)
	id, err := s.CreateChannel(discord.Channel{Name: "fresh"})
	if err != nil {
		t.Fatal(err)
	}
	c.want(t, "CHANNEL_CREATE")
	post(t, s, id, object{"content": "x"})
	c.want(t, "MESSAGE_CREATE")
	if err := s.DeleteChannel(id); err != nil {
		t.Fatal(err)
	}
	c.want(t, "CHANNEL_DELETE")
	call(t, s, "POST", "/channels/"+id+"/messages", object{"content": "x"}).fails(t, 404, 10003)
}

func TestMessagesAreBounded(t *testing.T) {
	t.Parallel()
	s := start(t, discord.Options{MaxMessages: 5})
	for range 8 {
		say(t, s, sim.Say{Room: discord.General, User: "Tom", Text: "x"})
	}
	if n := len(s.Messages(discord.General, "")); n != 5 {
		t.Errorf("%d messages are kept", n)
	}
}

func TestBadOptions(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		o    discord.Options
	}{
		{"id", discord.Options{Guild: discord.Guild{ID: "acme"}}},
		{"same id", discord.Options{Channels: []discord.Channel{{ID: discord.General, Name: "a"}, {ID: discord.General, Name: "b"}}}},
		{"kind", discord.Options{Channels: []discord.Channel{{Name: "a", Kind: "cinema"}}}},
		{"address", discord.Options{Listen: "nowhere:1:2"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if s, err := discord.New(tt.o); err == nil {
				_ = s.Close()
				t.Error("started all the same")
			}
		})
	}
}

func TestCloseWithOpenConnections(t *testing.T) {
	t.Parallel()
	s := start(t, discord.Options{})
	w, _ := identified(t, s, 1)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if code := w.closedWith(); code != 1001 {
		t.Errorf("closed with %d", code)
	}
	if err := s.Close(); err != nil {
		t.Errorf("second close: %v", err)
	}
}

func TestPeople(t *testing.T) {
	t.Parallel()
	s := start(t, fast())
	c := connect(t, s)
	people := s.People()
	if len(people) != 3 || people[0] != (discord.Person{ID: discord.Minh, Name: "Minh", Username: "minh", DM: discord.DMMinh}) {
		t.Errorf("people %+v", people)
	}
	if b := s.BotUser(); b.ID != discord.BotID || b.Name != "Bridge" {
		t.Errorf("bot %+v", b)
	}
	a := say(t, s, sim.Say{Room: discord.General, User: "Minh", Text: "a"})
	b := say(t, s, sim.Say{Room: discord.General, User: "Anna", Text: "b"})
	c.want(t, "MESSAGE_CREATE")
	c.want(t, "MESSAGE_CREATE")
	if err := s.DeleteBulk(a.Ref, b.Ref); err != nil {
		t.Fatal(err)
	}
	c.want(t, "MESSAGE_DELETE_BULK")
	if n := len(s.Messages(discord.General, "")); n != 0 {
		t.Errorf("%d messages are left", n)
	}
	if err := s.React(t.Context(), a.Ref, "Anna", "👍"); err == nil {
		t.Error("reacted to a deleted message")
	}
	m := say(t, s, sim.Say{Room: discord.General, User: "Minh", Text: "c"})
	c.want(t, "MESSAGE_CREATE")
	if err := s.React(t.Context(), m.Ref, "Anna", "👍"); err != nil {
		t.Fatal(err)
	}
	c.want(t, "MESSAGE_REACTION_ADD")
	if err := s.ClearReactions(m.Ref, ""); err != nil {
		t.Fatal(err)
	}
	c.want(t, "MESSAGE_REACTION_REMOVE_ALL")
	if err := s.Unreact(t.Context(), m.Ref, "Anna", "👍"); err == nil {
		t.Error("took back a reaction that is not there")
	}
}
