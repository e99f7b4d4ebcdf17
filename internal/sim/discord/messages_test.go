package discord_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/bwmarrin/discordgo"

	"github.com/clickai/bridge/internal/sim"
	"github.com/clickai/bridge/internal/sim/discord"
)

func TestLibraryPostsAndEdits(t *testing.T) {
	t.Parallel()
	s := start(t, fast())
	c := connect(t, s)
	question := say(t, s, sim.Say{Room: discord.General, User: "Minh", Text: "hello", Mention: true})
	q := c.message(t, "MESSAGE_CREATE")
	if q.ID != question.ID || len(q.Mentions) != 1 || q.Mentions[0].ID != discord.BotID || q.Content != "<@"+discord.BotID+"> hello" {
		t.Errorf("question arrived as %+v", q)
	}
	none := &discordgo.MessageAllowedMentions{Parse: []discordgo.AllowedMentionType{}, RepliedUser: true}
	sent, err := c.ChannelMessageSendComplex(discord.General, &discordgo.MessageSend{
		Content: "**one**", Reference: q.SoftReference(), AllowedMentions: none,
		Embeds: []*discordgo.MessageEmbed{}, Components: []discordgo.MessageComponent{}, StickerIDs: []string{},
	})
	if err != nil {
		t.Fatal(err)
	}
	if sent.Type != discordgo.MessageTypeReply || sent.ReferencedMessage == nil || sent.ReferencedMessage.ID != q.ID ||
		len(sent.Mentions) != 1 || sent.Mentions[0].ID != discord.Minh {
		t.Errorf("sent %+v", sent)
	}
	if m := c.message(t, "MESSAGE_CREATE"); m.ID != sent.ID || !m.Author.Bot {
		t.Errorf("own message event %+v", m)
	}
	edit := discordgo.NewMessageEdit(discord.General, sent.ID).SetContent("**one** _two_")
	edit.AllowedMentions = none
	edited, err := c.ChannelMessageEditComplex(edit)
	if err != nil {
		t.Fatal(err)
	}
	if edited.EditedTimestamp == nil || edited.Content != "**one** _two_" {
		t.Errorf("edited %+v", edited)
	}
	if m := c.message(t, "MESSAGE_UPDATE"); m.EditedTimestamp == nil {
		t.Error("the edit event has no edited_timestamp")
	}
	seen := s.Messages(discord.General, "")
	if len(seen) != 2 || seen[1].Shown != "one two" || len(seen[1].Versions) != 2 || seen[1].Versions[0].Shown != "one" ||
		!seen[1].Bot || seen[1].ReplyTo != question.ID || seen[0].Shown != "@Bridge hello" {
		t.Errorf("people see %+v", seen)
	}
	clean(t, s)
	if p := s.Pings(); len(p) != 0 {
		t.Errorf("pinged %q", p)
	}
}

func TestLibraryNullsAreViolations(t *testing.T) {
	t.Parallel()
	s := start(t, fast())
	c := library(t, s)
	if _, err := c.ChannelMessageSendComplex(discord.General, &discordgo.MessageSend{Content: "x"}); err != nil {
		t.Fatal(err)
	}
	v := strings.Join(s.Violations(), "\n")
	for _, field := range []string{"embeds", "components", "sticker_ids"} {
		if !strings.Contains(v, field+" is null") {
			t.Errorf("violations lack %s: %s", field, v)
		}
	}
}

func TestRefusedPosts(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		body   any
		status int
		code   int
		path   string // of the field error, with dots
		field  string
	}{
		{"2001 characters", object{"content": strings.Repeat("a", 2001)}, 400, 50035, "content", "BASE_TYPE_MAX_LENGTH"},
		{"1001 emoji are 2002 units", object{"content": strings.Repeat("😀", 1001)}, 400, 50035, "content", "BASE_TYPE_MAX_LENGTH"},
		{"empty", object{"content": "  \n "}, 400, 50006, "", ""},
		{"nothing", object{}, 400, 50006, "", ""},
		{"no JSON", "{", 400, 50109, "", ""},
		{"wrong type", object{"content": 7}, 400, 50035, "content", "BASE_TYPE_BAD_TYPE"},
		{"nonce too long", object{"content": "x", "nonce": strings.Repeat("n", 26)}, 400, 50035, "nonce", "NONCE_TYPE_TOO_LONG"},
		{
			"exclusive mentions",
			object{"content": "x", "allowed_mentions": object{"parse": []string{"users"}, "users": []string{discord.Minh}}},
			400, 50035, "allowed_mentions", "MESSAGE_ALLOWED_MENTIONS_PARSE_EXCLUSIVE",
		},
		{
			"embed description",
			object{"embeds": []object{{"description": strings.Repeat("a", 4097)}}},
			400, 50035, "embeds.0.description", "BASE_TYPE_MAX_LENGTH",
		},
		{
			"embeds together",
			object{"embeds": []object{{"description": strings.Repeat("a", 4000)}, {"description": strings.Repeat("a", 2001)}}},
			400, 50035, "embeds", "MAX_EMBED_SIZE_EXCEEDED",
		},
		{"six rows", object{"content": "x", "components": rows(6, 1)}, 400, 50035, "components", "BASE_TYPE_MAX_LENGTH"},
		{"six buttons", object{"content": "x", "components": rows(1, 6)}, 400, 50035, "components.0.components", "BASE_TYPE_BAD_LENGTH"},
		{
			"custom id",
			object{"content": "x", "components": []object{{"type": 1, "components": []object{
				{"type": 2, "style": 1, "label": "x", "custom_id": strings.Repeat("x", 101)},
			}}}},
			400, 50035, "components.0.components.0.custom_id", "BASE_TYPE_MAX_LENGTH",
		},
		{
			"button without label",
			object{"content": "x", "components": []object{{"type": 1, "components": []object{{"type": 2, "style": 1, "custom_id": "a"}}}}},
			400, 50035, "components.0.components.0", "BUTTON_COMPONENT_LABEL_OR_EMOJI_REQUIRED",
		},
		{
			"link button with a custom id",
			object{"content": "x", "components": []object{{"type": 1, "components": []object{
				{"type": 2, "style": 5, "label": "x", "url": "https://example.org", "custom_id": "a"},
			}}}},
			400, 50035, "components.0.components.0", "BUTTON_COMPONENT_CUSTOM_ID_URL_MUTUALLY_EXCLUSIVE",
		},
		{
			"same custom id twice",
			object{"content": "x", "components": []object{{"type": 1, "components": []object{
				{"type": 2, "style": 1, "label": "x", "custom_id": "a"}, {"type": 2, "style": 1, "label": "y", "custom_id": "a"},
			}}}},
			400, 50035, "components", "COMPONENT_CUSTOM_ID_DUPLICATED",
		},
		{
			"select without options",
			object{"content": "x", "components": []object{{"type": 1, "components": []object{{"type": 3, "custom_id": "a"}}}}},
			400, 50035, "components.0.components.0.options", "BASE_TYPE_BAD_LENGTH",
		},
		{
			"section without accessory",
			object{"flags": 1 << 15, "components": []object{{"type": 9, "components": []object{{"type": 10, "content": "x"}}}}},
			400, 50035, "components.0.accessory", "BASE_TYPE_REQUIRED",
		},
		{
			"text display without the flag",
			object{"components": []object{{"type": 10, "content": "x"}}},
			400, 50035, "components.0.type", "UNION_TYPE_CHOICES",
		},
		{
			"content with the flag",
			object{"content": "x", "flags": 1 << 15, "components": []object{{"type": 10, "content": "x"}}},
			400, 50035, "content", "MESSAGE_CANNOT_USE_LEGACY_FIELDS_WITH_COMPONENTS_V2",
		},
		{
			"4001 characters in text displays",
			object{"flags": 1 << 15, "components": []object{{"type": 10, "content": strings.Repeat("a", 4001)}}},
			400, 50035, "components", "COMPONENT_DISPLAYABLE_TEXT_SIZE_EXCEEDED",
		},
		{
			"reply to nothing",
			object{"content": "x", "message_reference": object{"message_id": "1100000000000000099"}},
			400, 50035, "message_reference", "REPLIES_UNKNOWN_MESSAGE",
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := start(t, discord.Options{})
			e := call(t, s, "POST", "/channels/"+discord.General+"/messages", tt.body).fails(t, tt.status, tt.code)
			if got := nested(e.Errors, tt.path); tt.path != "" && got != tt.field {
				t.Errorf("field error %q at %s, want %q", got, tt.path, tt.field)
			}
			if n := len(s.Violations()); (n == 1) != (tt.field != "REPLIES_UNKNOWN_MESSAGE") {
				t.Errorf("violations: %q", s.Violations())
			}
			if len(s.Messages(discord.General, "")) != 0 {
				t.Error("a message was made all the same")
			}
		})
	}
}

// nested is the first error code at a dotted path.
func nested(errs map[string]any, path string) string {
	for part := range strings.SplitSeq(path, ".") {
		next, ok := errs[part].(map[string]any)
		if !ok {
			return ""
		}
		errs = next
	}
	list, ok := errs["_errors"].([]any)
	if !ok || len(list) == 0 {
		return ""
	}
	first, _ := list[0].(map[string]any)
	code, _ := first["code"].(string)
	return code
}

func rows(n, buttons int) []object {
	out := make([]object, 0, n)
	for i := range n {
		var row []object
		for j := range buttons {
			row = append(row, object{"type": 2, "style": 2, "label": "x", "custom_id": fmt.Sprint(i, "-", j)})
		}
		out = append(out, object{"type": 1, "components": row})
	}
	return out
}

func TestAcceptedAtTheLimits(t *testing.T) {
	t.Parallel()
	s := start(t, fast())
	post(t, s, discord.General, object{"content": strings.Repeat("ế", 2000), "components": rows(5, 5)})
	post(t, s, discord.General, object{"content": strings.Repeat("😀", 1000)})
	post(t, s, discord.General, object{"flags": 1 << 15, "components": []object{
		{"type": 17, "components": []object{{"type": 10, "content": strings.Repeat("a", 3999)}}},
		{
			"type": 9, "components": []object{{"type": 10, "content": "b"}},
			"accessory": object{"type": 2, "style": 5, "label": "x", "url": "https://example.org"},
		},
	}})
	post(t, s, discord.General, object{"content": "c", "embeds": []object{{"title": "t", "description": "**d**"}}})
	got := s.Messages(discord.General, "")
	if len(got) != 4 || got[2].Text != strings.Repeat("a", 3999)+"\nb" || got[3].Shown != "c\nt\nd" {
		t.Errorf("%d messages, the last shows %q", len(got), got[len(got)-1].Shown)
	}
	clean(t, s)
}

func TestNonce(t *testing.T) {
	t.Parallel()
	s := start(t, fast())
	body := object{"content": "once", "nonce": "turn-1", "enforce_nonce": true}
	first := post(t, s, discord.General, body)
	if again := post(t, s, discord.General, body); again != first {
		t.Errorf("an enforced nonce made %s besides %s", again, first)
	}
	delete(body, "enforce_nonce")
	if another := post(t, s, discord.General, body); another == first {
		t.Error("a nonce that is not enforced made no new message")
	}
	var m struct {
		Nonce string `json:"nonce"`
	}
	call(t, s, "GET", "/channels/"+discord.General+"/messages/"+first, nil).ok(t).into(t, &m)
	if m.Nonce != "turn-1" {
		t.Errorf("nonce is %q", m.Nonce)
	}
	if n := len(s.Messages(discord.General, "")); n != 2 {
		t.Errorf("%d messages, want 2", n)
	}
	clean(t, s)
}

func TestHistoryPages(t *testing.T) {
	t.Parallel()
	s := start(t, fast())
	var ids []string
	for i := range 10 {
		ids = append(ids, say(t, s, sim.Say{Room: discord.General, User: "Tom", Text: fmt.Sprint(i)}).ID)
	}
	if !slices.IsSortedFunc(ids, strings.Compare) || len(ids[0]) < 18 || len(ids[0]) > 20 {
		t.Fatalf("ids are not in the order of time: %q", ids)
	}
	tests := []struct{ name, query, want string }{
		{"newest first", "limit=3", "9 8 7"},
		{"before", "limit=3&before=" + ids[5], "4 3 2"},
		{"after takes the oldest after it", "limit=3&after=" + ids[5], "8 7 6"},
		{"after the last", "after=" + ids[9], ""},
		{"after zero", "limit=2&after=0", "1 0"},
		{"around", "limit=3&around=" + ids[5], "6 5 4"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var list []struct{ Content string }
			call(t, s, "GET", "/channels/"+discord.General+"/messages?"+tt.query, nil).ok(t).into(t, &list)
			var got []string
			for _, m := range list {
				got = append(got, m.Content)
			}
			if strings.Join(got, " ") != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
	call(t, s, "GET", "/channels/"+discord.General+"/messages?limit=101", nil).fails(t, 400, 50035)
	call(t, s, "GET", "/channels/"+discord.General+"/messages?limit=1&before=1&after=1", nil).fails(t, 400, 50035)
}

func TestDeletes(t *testing.T) {
	t.Parallel()
	s := start(t, fast())
	c := connect(t, s)
	mine := post(t, s, discord.General, object{"content": "mine"})
	c.want(t, "MESSAGE_CREATE")
	theirs := say(t, s, sim.Say{Room: discord.General, User: "Tom", Text: "theirs"})
	c.want(t, "MESSAGE_CREATE")
	path := "/channels/" + discord.General + "/messages/"
	call(t, s, "DELETE", path+theirs.ID, nil).fails(t, 403, 50013)
	call(t, s, "PATCH", path+theirs.ID, object{"content": "no"}).fails(t, 403, 50005)
	if a := call(t, s, "DELETE", path+mine, nil); a.status != http.StatusNoContent || len(a.body) != 0 {
		t.Errorf("delete gave %d %s", a.status, a.body)
	}
	c.want(t, "MESSAGE_DELETE")
	call(t, s, "PATCH", path+mine, object{"content": "gone"}).fails(t, 404, 10008)
	call(t, s, "GET", "/channels/1100000000000000666/messages", nil).fails(t, 404, 10003)

	s.SetPermissions(discord.DefaultPermissions | discord.ManageMessages)
	c.want(t, "GUILD_ROLE_UPDATE")
	other := say(t, s, sim.Say{Room: discord.General, User: "Tom", Text: "theirs too"})
	c.want(t, "MESSAGE_CREATE")
	bulk := "/channels/" + discord.General + "/messages/bulk-delete"
	if a := call(t, s, "POST", bulk, object{"messages": []string{theirs.ID, other.ID}}); a.status != http.StatusNoContent {
		t.Errorf("bulk delete gave %d %s", a.status, a.body)
	}
	var gone struct{ IDs []string }
	if err := json.Unmarshal(c.want(t, "MESSAGE_DELETE_BULK"), &gone); err != nil || len(gone.IDs) != 2 {
		t.Errorf("bulk event %v %v", gone, err)
	}
	clean(t, s)
	call(t, s, "POST", bulk, object{"messages": []string{theirs.ID}}).fails(t, 400, 50016)
}

func TestPermissions(t *testing.T) {
	t.Parallel()
	s := start(t, fast())
	m := say(t, s, sim.Say{Room: discord.Support, User: "Tom", Text: "x"})
	base := "/channels/" + discord.Support
	one := base + "/messages/" + m.ID
	tests := []struct {
		name         string
		deny         discord.Permission
		method, path string
		body         any
		status, code int
	}{
		{"no view", discord.ViewChannel, "POST", base + "/messages", object{"content": "x"}, 403, 50001},
		{"no view of history", discord.ViewChannel, "GET", base + "/messages", nil, 403, 50001},
		{"no send", discord.SendMessages, "POST", base + "/messages", object{"content": "x"}, 403, 50013},
		{"no send is no typing", discord.SendMessages, "POST", base + "/typing", nil, 403, 50013},
		{"no embeds", discord.EmbedLinks, "POST", base + "/messages", object{"embeds": []object{{"title": "x"}}}, 403, 50013},
		{"no history for one message", discord.ReadMessageHistory, "GET", one, nil, 403, 50013},
		{"no history, no reply", discord.ReadMessageHistory, "POST", base + "/messages", object{"content": "x", "message_reference": object{"message_id": m.ID}}, 400, 160002},
		{"no reactions", discord.AddReactions, "PUT", one + "/reactions/%F0%9F%91%8D/@me", nil, 403, 50013},
		{"no threads", discord.CreatePublicThreads, "POST", one + "/threads", object{"name": "x"}, 403, 50013},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s.Deny(discord.Support, tt.deny)
			call(t, s, tt.method, tt.path, tt.body).fails(t, tt.status, tt.code)
		})
	}
	s.Deny(discord.Support, discord.ReadMessageHistory)
	var list []any
	call(t, s, "GET", base+"/messages", nil).ok(t).into(t, &list)
	if len(list) != 0 {
		t.Errorf("%d messages without the history permission", len(list))
	}
	var ch discordgo.Channel
	call(t, s, "GET", base, nil).ok(t).into(t, &ch)
	if len(ch.PermissionOverwrites) != 1 || ch.PermissionOverwrites[0].Deny != int64(discord.ReadMessageHistory) {
		t.Errorf("overwrites %+v", ch.PermissionOverwrites)
	}
	s.BlockDM(discord.Tom, true)
	call(t, s, "POST", "/channels/"+discord.DMTom+"/messages", object{"content": "x"}).fails(t, 403, 50007)
	clean(t, s)
}

func TestNoEventsWithoutView(t *testing.T) {
	t.Parallel()
	s := start(t, discord.Options{RateScale: 1e-9, Channels: []discord.Channel{
		{ID: discord.General, Name: "general"}, {ID: discord.Support, Name: "secret", Deny: discord.ViewChannel},
	}})
	c := connect(t, s)
	say(t, s, sim.Say{Room: discord.Support, User: "Tom", Text: "hidden"})
	say(t, s, sim.Say{Room: discord.General, User: "Tom", Text: "open"})
	if m := c.message(t, "MESSAGE_CREATE"); m.Content != "open" {
		t.Errorf("the bot got %q", m.Content)
	}
}

func TestPings(t *testing.T) {
	t.Parallel()
	everyone := "@everyone <@" + discord.Minh + "> `<@" + discord.Anna + ">` @here"
	tests := []struct {
		name  string
		perms discord.Permission
		body  object
		edit  object
		want  []string // parts of the pings in order
	}{
		{"nothing allowed", 0, object{"content": everyone, "allowed_mentions": object{"parse": []string{}}}, nil, nil},
		{"no field parses all but code", 0, object{"content": everyone}, nil, []string{"pinged @Minh"}},
		{"with the permission everyone too", discord.MentionEveryone, object{"content": everyone}, nil, []string{"pinged @everyone, @Minh"}},
		{
			"only the listed", 0,
			object{"content": "<@" + discord.Minh + "> <@" + discord.Anna + ">", "allowed_mentions": object{"users": []string{discord.Anna}}},
			nil,
			[]string{"pinged @Anna"},
		},
		{
			"an edit without the field parses anew", 0,
			object{"content": "x", "allowed_mentions": object{"parse": []string{}}},
			object{"content": "<@" + discord.Minh + ">"},
			[]string{"edit of message"},
		},
		{
			"an edit with it does not", 0,
			object{"content": "x"},
			object{"content": "<@" + discord.Minh + ">", "allowed_mentions": object{"parse": []string{}}},
			nil,
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := start(t, discord.Options{RateScale: 1e-9, Permissions: discord.DefaultPermissions | tt.perms})
			id := post(t, s, discord.General, tt.body)
			if tt.edit != nil {
				call(t, s, "PATCH", "/channels/"+discord.General+"/messages/"+id, tt.edit).ok(t)
			}
			got := s.Pings()
			if len(got) != len(tt.want) {
				t.Fatalf("pings %q, want %q", got, tt.want)
			}
			for i, w := range tt.want {
				if !strings.Contains(got[i], w) {
					t.Errorf("ping %q, want %q", got[i], w)
				}
			}
		})
	}
}

func TestOldMessagesHaveATighterLimit(t *testing.T) {
	t.Parallel()
	s := start(t, discord.Options{RateScale: 0.05})
	id := post(t, s, discord.General, object{"content": "x"})
	if err := s.Backdate(sim.Ref{Room: discord.General, ID: id}, 61*time.Minute); err != nil {
		t.Fatal(err)
	}
	path := "/channels/" + discord.General + "/messages/" + id
	for range 5 {
		call(t, s, "PATCH", path, object{"content": "y"}).ok(t)
	}
	until(t, s, "edit bucket is free", func() bool {
		a := call(t, s, "PATCH", path, object{"content": "z"})
		var e errorBody
		a.into(t, &e)
		return a.status == http.StatusTooManyRequests && e.Code == 30046
	})
}

func TestLibraryErrors(t *testing.T) {
	t.Parallel()
	s := start(t, fast())
	c := library(t, s)
	_, err := c.ChannelMessage(discord.General, "1100000000000000099")
	rest, ok := errors.AsType[*discordgo.RESTError](err)
	if !ok || rest.Message == nil || rest.Message.Code != discordgo.ErrCodeUnknownMessage || rest.Response.StatusCode != 404 {
		t.Errorf("unknown message gave %v", err)
	}
	c.Token = "Bot wrong"
	_, err = c.User("@me")
	rest, ok = errors.AsType[*discordgo.RESTError](err)
	if !ok || string(rest.ResponseBody) != `{"code":0,"message":"401: Unauthorized"}` {
		t.Errorf("wrong token gave %v", err)
	}
	clean(t, s)
}

func TestUnknownComponentsBreakTheLibrary(t *testing.T) {
	t.Parallel()
	s := start(t, fast())
	c := connect(t, s)
	_, err := s.SayWith(t.Context(), sim.Say{Room: discord.General, User: "Tom", Text: "odd"}, discord.Extra{
		Components: json.RawMessage(`[{"type":20,"id":1}]`),
	})
	if err != nil {
		t.Fatal(err)
	}
	var raw struct {
		Content    string
		Components []struct{ Type int }
	}
	if err := json.Unmarshal(c.want(t, "MESSAGE_CREATE"), &raw); err != nil {
		t.Fatal(err)
	}
	if raw.Content != "odd" || len(raw.Components) != 1 || raw.Components[0].Type != 20 {
		t.Errorf("on the wire: %+v", raw)
	}
	if _, err := c.ChannelMessages(discord.General, 10, "", "", ""); err == nil {
		t.Error("the library took a component that it does not know")
	}
}

func TestRefusedEditChangesNothing(t *testing.T) {
	t.Parallel()
	s := start(t, fast())
	form(t, s, 1, 10, "").ok(t)
	m := s.Messages(discord.General, "")[0]
	path := "/channels/" + discord.General + "/messages/" + m.ID
	call(t, s, "PATCH", path, object{"attachments": []object{}}).fails(t, 400, 50006)
	call(t, s, "PATCH", path, object{"content": strings.Repeat("x", 2001)}).fails(t, 400, 50035)
	now, _ := s.Find(m.Ref)
	if len(now.Versions) != 1 || len(now.Files) != 1 || len(now.Files[0].Data) != 10 {
		t.Errorf("the message became %+v", now)
	}
}
