package discord_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/bwmarrin/discordgo"

	"github.com/clickai/bridge/internal/sim"
	"github.com/clickai/bridge/internal/sim/discord"
)

func TestThreadFromMessage(t *testing.T) {
	t.Parallel()
	s := start(t, fast())
	c := connect(t, s)
	q := say(t, s, sim.Say{Room: discord.General, User: "Minh", Text: "question", Mention: true})
	c.want(t, "MESSAGE_CREATE")
	th, err := c.MessageThreadStartComplex(discord.General, q.ID, &discordgo.ThreadStart{Name: "question", AutoArchiveDuration: 1440})
	if err != nil {
		t.Fatal(err)
	}
	if th.ID != q.ID || th.ParentID != discord.General || th.Type != discordgo.ChannelTypeGuildPublicThread || th.OwnerID != discord.BotID ||
		th.ThreadMetadata == nil || th.ThreadMetadata.AutoArchiveDuration != 1440 {
		t.Errorf("thread %+v", th)
	}
	c.want(t, "THREAD_CREATE")
	if m := c.message(t, "MESSAGE_UPDATE"); m.Flags&discordgo.MessageFlagsHasThread == 0 || m.EditedTimestamp != nil || m.Thread == nil {
		t.Errorf("the question became %+v", m)
	}
	starter := c.message(t, "MESSAGE_CREATE")
	if starter.Type != discordgo.MessageTypeThreadStarterMessage || starter.ChannelID != th.ID || starter.Content != "" ||
		starter.ReferencedMessage == nil || starter.ReferencedMessage.ID != q.ID {
		t.Errorf("starter %+v", starter)
	}
	path := "/channels/" + discord.General + "/messages/" + q.ID + "/threads"
	call(t, s, "POST", path, object{"name": "again"}).fails(t, 400, 160004)
	clean(t, s)
	for _, name := range []string{"", strings.Repeat("x", 101)} {
		e := call(t, s, "POST", path, object{"name": name}).fails(t, 400, 50035)
		if nested(e.Errors, "name") != "BASE_TYPE_BAD_LENGTH" {
			t.Errorf("name of %d: %v", len(name), e.Errors)
		}
	}

	post(t, s, th.ID, object{"content": "answer"})
	c.want(t, "MESSAGE_CREATE")
	say(t, s, sim.Say{Room: discord.General, Thread: th.ID, User: "Anna", Text: "thanks"})
	m := c.message(t, "MESSAGE_CREATE")
	if m.ChannelID != th.ID || m.Content != "thanks" {
		t.Errorf("in the thread came %+v", m)
	}
	seen := s.Messages(discord.General, th.ID)
	if len(seen) != 2 || seen[0].Ref != (sim.Ref{Room: discord.General, Thread: th.ID, ID: seen[0].ID}) || seen[1].Author != discord.Anna {
		t.Errorf("the thread shows %+v", seen)
	}
	places := s.Places()
	if last := places[len(places)-1]; last != (sim.Place{Room: discord.General, Thread: th.ID, Name: "question", Kind: "thread"}) {
		t.Errorf("places end with %+v", last)
	}
	list, err := c.GuildThreadsActive(discord.GuildAcme)
	if err != nil || len(list.Threads) != 1 || len(list.Members) != 1 {
		t.Errorf("active threads %+v %v", list, err)
	}
}

func TestArchivedAndLocked(t *testing.T) {
	t.Parallel()
	s := start(t, fast())
	q := say(t, s, sim.Say{Room: discord.General, User: "Minh", Text: "x"})
	p, err := s.StartThread(t.Context(), q.Ref, "Minh", "by a person")
	if err != nil {
		t.Fatal(err)
	}
	path := "/channels/" + p.Thread + "/messages"
	id := post(t, s, p.Thread, object{"content": "x"})
	archive := func(archived, locked bool) {
		t.Helper()
		if err := s.Archive(p.Thread, archived, locked); err != nil {
			t.Fatal(err)
		}
	}
	archive(true, false)
	call(t, s, "PATCH", path+"/"+id, object{"content": "y"}).fails(t, 400, 50083)
	call(t, s, "PUT", path+"/"+id+"/reactions/%F0%9F%91%8D/@me", nil).fails(t, 400, 50083)
	call(t, s, "PUT", "/channels/"+p.Thread+"/thread-members/@me", nil).fails(t, 400, 50083)
	post(t, s, p.Thread, object{"content": "opens it"})
	call(t, s, "PATCH", path+"/"+id, object{"content": "y"}).ok(t)
	archive(true, true)
	call(t, s, "POST", path, object{"content": "x"}).fails(t, 400, 160005)
	if _, err := s.Say(t.Context(), sim.Say{Room: discord.General, Thread: p.Thread, User: "Tom", Text: "x"}); err == nil {
		t.Error("a person wrote in a locked thread")
	}
	archive(true, false)
	call(t, s, "PATCH", "/channels/"+p.Thread, object{"archived": false}).ok(t)
	call(t, s, "PATCH", "/channels/"+p.Thread, object{"name": "renamed"}).fails(t, 403, 50013)
	s.SetPermissions(discord.DefaultPermissions | discord.ManageThreads)
	call(t, s, "PATCH", "/channels/"+p.Thread, object{"name": "renamed"}).ok(t)
	if a := call(t, s, "DELETE", "/channels/"+p.Thread, nil); a.status != 200 {
		t.Errorf("delete gave %d", a.status)
	}
	call(t, s, "GET", path, nil).fails(t, 404, 10003)
	clean(t, s)
}

func TestForum(t *testing.T) {
	t.Parallel()
	s := start(t, fast())
	c := connect(t, s)
	first, err := s.ForumPost(t.Context(), discord.Help, "Anna", "How to?", "please", true)
	if err != nil {
		t.Fatal(err)
	}
	if first.Thread != first.ID || first.Room != discord.Help || first.Shown != "@Bridge please" {
		t.Errorf("post %+v", first)
	}
	c.want(t, "THREAD_CREATE")
	if m := c.message(t, "MESSAGE_CREATE"); m.ID != first.ID || m.ChannelID != first.ID || len(m.Mentions) != 1 {
		t.Errorf("first message %+v", m)
	}
	th, err := c.ForumThreadStartComplex(discord.Help, &discordgo.ThreadStart{Name: "by the bot"}, &discordgo.MessageSend{
		Content: "body", Embeds: []*discordgo.MessageEmbed{}, Components: []discordgo.MessageComponent{}, StickerIDs: []string{},
		Files: []*discordgo.File{{Name: "a.txt", Reader: bytes.NewReader([]byte("hello"))}},
	})
	if err != nil || th.ParentID != discord.Help {
		t.Fatalf("forum post: %+v %v", th, err)
	}
	seen := s.Messages(discord.Help, th.ID)
	if len(seen) != 1 || seen[0].Text != "body" || string(seen[0].Files[0].Data) != "hello" {
		t.Errorf("the post shows %+v", seen)
	}
	clean(t, s)
	call(t, s, "POST", "/channels/"+discord.Help+"/messages", object{"content": "x"}).fails(t, 400, 50008)
	call(t, s, "POST", "/channels/"+discord.Help+"/threads", object{"name": "no message"}).fails(t, 400, 50035)
	auto := say(t, s, sim.Say{Room: discord.Help, User: "Tom", Text: "said in the forum"})
	if auto.Thread != auto.ID {
		t.Errorf("said in the forum became %+v", auto.Ref)
	}
}

func TestThreadWithoutMessage(t *testing.T) {
	t.Parallel()
	s := start(t, fast())
	var th discordgo.Channel
	path := "/channels/" + discord.General + "/threads"
	call(t, s, "POST", path, object{"name": "private by default"}).fails(t, 403, 50013)
	call(t, s, "POST", path, object{"name": "public", "type": 11}).ok(t).into(t, &th)
	var list []discordgo.Message
	call(t, s, "GET", "/channels/"+discord.General+"/messages", nil).ok(t).into(t, &list)
	if len(list) != 1 || list[0].Type != discordgo.MessageTypeThreadCreated || list[0].MessageReference.ChannelID != th.ID {
		t.Errorf("the channel shows %+v", list)
	}
	if n := len(s.Messages(discord.General, "")); n != 0 {
		t.Errorf("%d messages of people", n)
	}
	call(t, s, "POST", "/channels/"+discord.DMTom+"/threads", object{"name": "x", "type": 11}).fails(t, 400, 50024)
}

func TestRenameIsLimited(t *testing.T) {
	t.Parallel()
	s := start(t, discord.Options{Permissions: discord.DefaultPermissions | discord.ManageChannels})
	for _, name := range []string{"a", "b"} {
		call(t, s, "PATCH", "/channels/"+discord.General, object{"name": name}).ok(t)
	}
	a := call(t, s, "PATCH", "/channels/"+discord.General, object{"name": "c"})
	if a.status != 429 || a.header.Get("X-RateLimit-Scope") != "shared" {
		t.Errorf("third rename gave %d %v", a.status, a.header)
	}
}

func TestThreadMembers(t *testing.T) {
	t.Parallel()
	s := start(t, discord.Options{RateScale: 1e-9, GuildMembers: true})
	c := connect(t, s)
	q := say(t, s, sim.Say{Room: discord.General, User: "Minh", Text: "x"})
	c.want(t, "MESSAGE_CREATE")
	p, err := s.StartThread(t.Context(), q.Ref, "Minh", "by a person")
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"THREAD_CREATE", "MESSAGE_UPDATE", "MESSAGE_CREATE"} {
		c.want(t, want)
	}
	if err := c.ThreadJoin(p.Thread); err != nil {
		t.Fatal(err)
	}
	c.want(t, "THREAD_MEMBERS_UPDATE")
	var members []discordgo.ThreadMember
	call(t, s, "GET", "/channels/"+p.Thread+"/thread-members", nil).ok(t).into(t, &members)
	if len(members) != 2 {
		t.Errorf("members %+v", members)
	}
	call(t, s, "DELETE", "/channels/"+p.Thread+"/thread-members/"+discord.Minh, nil).fails(t, 403, 50013)
	if err := c.ThreadLeave(p.Thread); err != nil {
		t.Fatal(err)
	}
	c.want(t, "THREAD_MEMBERS_UPDATE")
	call(t, s, "PUT", "/channels/"+p.Thread+"/thread-members/1", nil).fails(t, 404, 10013)
	call(t, s, "PUT", "/channels/"+discord.General+"/thread-members/@me", nil).fails(t, 400, 50024)

	if err := s.Archive(p.Thread, true, false); err != nil {
		t.Fatal(err)
	}
	var list struct{ Threads []discordgo.Channel }
	call(t, s, "GET", "/channels/"+discord.General+"/threads/archived/public", nil).ok(t).into(t, &list)
	if len(list.Threads) != 1 || list.Threads[0].ID != p.Thread {
		t.Errorf("archived threads %+v", list)
	}
	call(t, s, "GET", "/guilds/"+discord.GuildAcme+"/threads/active", nil).ok(t).into(t, &list)
	if len(list.Threads) != 0 {
		t.Errorf("an archived thread is active: %+v", list)
	}
}

func TestPrivateThreadsNeedMembership(t *testing.T) {
	t.Parallel()
	s := start(t, discord.Options{RateScale: 1e-9, Permissions: discord.DefaultPermissions | discord.CreatePrivateThreads})
	var th discordgo.Channel
	call(t, s, "POST", "/channels/"+discord.General+"/threads", object{"name": "private"}).ok(t).into(t, &th)
	post(t, s, th.ID, object{"content": "inside"})
	call(t, s, "DELETE", "/channels/"+th.ID+"/thread-members/@me", nil).ok(t)
	call(t, s, "POST", "/channels/"+th.ID+"/messages", object{"content": "x"}).fails(t, 403, 50001)
	clean(t, s)
}
