package discord_test

import (
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/bwmarrin/discordgo"

	"github.com/clickai/bridge/internal/memnet"
	"github.com/clickai/bridge/internal/sim"
	"github.com/clickai/bridge/internal/sim/discord"
)

// pressed has Minh press the only button of a message of the bot in General.
func pressed(t *testing.T, s *discord.Server, c *client) (id, callback, message string) {
	t.Helper()
	message = post(t, s, discord.General, object{"content": "rate me", "components": rows(1, 1)})
	c.want(t, "MESSAGE_CREATE")
	id, err := s.Press(t.Context(), sim.Ref{Room: discord.General, ID: message}, "Minh", "0-0")
	if err != nil {
		t.Fatal(err)
	}
	i := interaction(t, c)
	return id, "/interactions/" + i.ID + "/" + i.Token + "/callback", message
}

func labelled(input object) []object {
	return []object{{"type": 18, "label": "Why?", "component": input}}
}

func TestForm(t *testing.T) {
	t.Parallel()
	s := start(t, fast())
	c := connect(t, s)
	id, callback, message := pressed(t, s, c)
	input := object{"type": 4, "custom_id": "text", "style": 2, "min_length": 2, "max_length": 10, "placeholder": "here"}
	call(t, s, "POST", callback, object{"type": 9, "data": object{"custom_id": "reason", "title": "Feedback", "components": labelled(input)}}).ok(t)
	got, _ := s.Interaction(id)
	if f := got.Form; f == nil || f.ID != "reason" || f.Title != "Feedback" || len(f.Fields) != 1 || f.Fields[0] != (discord.Field{
		ID: "text", Label: "Why?", Placeholder: "here", Paragraph: true, Required: true, Min: 2, Max: 10,
	}) {
		t.Fatalf("form %+v", got.Form)
	}
	for name, values := range map[string]map[string]string{
		"empty": {}, "short": {"text": "x"}, "long": {"text": strings.Repeat("x", 11)}, "unknown": {"text": "good", "more": "x"},
	} {
		if _, err := s.SendForm(t.Context(), id, values); err == nil {
			t.Errorf("a form with %s values was sent", name)
		}
	}
	sent, err := s.SendForm(t.Context(), id, map[string]string{"text": "too slow"})
	if err != nil {
		t.Fatal(err)
	}
	var i struct {
		ID, Token string
		Type      int
		Message   struct{ ID string }
		Member    struct{ User struct{ ID string } }
		Data      struct {
			CustomID   string `json:"custom_id"`
			Components []struct {
				Component struct {
					CustomID string `json:"custom_id"`
					Value    string
				}
			}
		}
	}
	if err := json.Unmarshal(c.want(t, "INTERACTION_CREATE"), &i); err != nil {
		t.Fatal(err)
	}
	if i.ID != sent || i.Type != 5 || i.Message.ID != message || i.Member.User.ID != discord.Minh || i.Data.CustomID != "reason" ||
		i.Data.Components[0].Component.Value != "too slow" || i.Data.Components[0].Component.CustomID != "text" {
		t.Errorf("sent %+v", i)
	}
	callback = "/interactions/" + i.ID + "/" + i.Token + "/callback"
	call(t, s, "POST", callback, object{"type": 9, "data": object{}}).fails(t, 400, 50035) // no form in answer to a form
	call(t, s, "POST", callback, object{"type": 6}).ok(t)
	if _, err := s.SendForm(t.Context(), id, map[string]string{"text": "again"}); err == nil {
		t.Error("a form was sent twice")
	}
}

func TestFormOfACommandIsClosed(t *testing.T) {
	t.Parallel()
	s := start(t, fast())
	c := connect(t, s)
	register(t, c, "", "help")
	id, err := s.Command(t.Context(), discord.DMTom, "", "Tom", "help", nil)
	if err != nil {
		t.Fatal(err)
	}
	err = c.InteractionRespond(interaction(t, c), &discordgo.InteractionResponse{Type: discordgo.InteractionResponseModal, Data: &discordgo.InteractionResponseData{
		CustomID: "ask", Title: "Ask", Embeds: []*discordgo.MessageEmbed{}, Components: []discordgo.MessageComponent{discordgo.ActionsRow{Components: []discordgo.MessageComponent{
			discordgo.TextInput{CustomID: "text", Label: "What?", Style: discordgo.TextInputShort, Value: "this"},
		}}},
	}})
	if err != nil {
		t.Fatal(err)
	}
	if got, _ := s.Interaction(id); got.Form == nil || got.Form.Fields[0].Label != "What?" || got.Form.Fields[0].Value != "this" {
		t.Errorf("form %+v", got.Form)
	}
	if err := s.CloseForm(id); err != nil {
		t.Error(err)
	}
	if err := s.CloseForm(id); err == nil {
		t.Error("closed twice")
	}
	if got, _ := s.Interaction(id); got.Form != nil {
		t.Error("the form is still open")
	}
	clean(t, s)
}

func TestRefusedForms(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", 101)
	input := func(set object) object {
		o := object{"type": 4, "custom_id": "text", "style": 1}
		maps.Copy(o, set)
		return o
	}
	form := func(components any) object { return object{"custom_id": "a", "title": "A", "components": components} }
	for _, tt := range []struct {
		name, path string
		data       object
	}{
		{"no id", "data.custom_id", object{"title": "A", "components": labelled(input(nil))}},
		{"long title", "data.title", object{"custom_id": "a", "title": long, "components": labelled(input(nil))}},
		{"no fields", "data.components", form([]object{})},
		{"a button", "data.components.0.component.type", form(labelled(object{"type": 2, "custom_id": "b", "style": 1}))},
		{"no label", "data.components.0.label", form([]object{{"type": 18, "component": input(nil)}})},
		{"two labels", "data.components.0.component.label", form(labelled(input(object{"label": "x"})))},
		{"row without label", "data.components.0.components.0.label", form([]object{{"type": 1, "components": []object{input(nil)}}})},
		{"style", "data.components.0.component.style", form(labelled(input(object{"style": 3})))},
		{"max_length", "data.components.0.component", form(labelled(input(object{"max_length": 4001})))},
		{"twice", "data.components.1", form(append(labelled(input(nil)), labelled(input(nil))...))},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := start(t, fast())
			c := connect(t, s)
			_, callback, _ := pressed(t, s, c)
			e := call(t, s, "POST", callback, object{"type": 9, "data": tt.data}).fails(t, 400, 50035)
			if nested(e.Errors, tt.path) == "" {
				t.Errorf("no error at %s: %v", tt.path, e.Errors)
			}
			call(t, s, "POST", callback, object{"type": 6}).ok(t) // what is refused acknowledges nothing
		})
	}
}

// TestPrivateMessages: what one person alone sees can be pressed by them alone.
func TestPrivateMessages(t *testing.T) {
	t.Parallel()
	s := start(t, fast())
	c := connect(t, s)
	id, callback, _ := pressed(t, s, c)
	call(t, s, "POST", callback, object{"type": 4, "data": object{"content": "choose", "flags": 64, "components": rows(1, 2)}}).ok(t)
	private := s.Private(discord.General, "", "Minh")
	if len(private) != 1 || private[0].Text != "choose" || len(s.Private(discord.General, "", "Anna")) != 0 || len(s.Messages(discord.General, "")) != 1 {
		t.Fatalf("private %+v", private)
	}
	if b := s.Buttons(private[0].Ref); len(b) != 2 || b[1].ID != "0-1" || b[1].Label == "" {
		t.Errorf("buttons %+v", b)
	}
	if _, err := s.Press(t.Context(), private[0].Ref, "Anna", "0-1"); err == nil {
		t.Error("somebody else pressed it")
	}
	if _, err := s.Press(t.Context(), private[0].Ref, "Minh", "0-1"); err != nil {
		t.Fatal(err)
	}
	i := interaction(t, c)
	if i.Message.ID != private[0].ID || i.Message.Flags&discordgo.MessageFlagsEphemeral == 0 {
		t.Errorf("pressed %+v", i.Message)
	}
	if all := s.Interactions(discord.General, "", "Minh"); len(all) != 2 || all[0].ID != id || !all[0].Ephemeral || all[1].Answered {
		t.Errorf("interactions %+v", all)
	}
	clean(t, s)
}

func TestOffers(t *testing.T) {
	t.Parallel()
	s := start(t, fast())
	call(t, s, "PUT", "/applications/"+discord.AppID+"/commands", []object{
		{"name": "new", "description": "a new conversation", "description_localizations": object{"vi": "cuộc trò chuyện mới"}, "contexts": []int{0}},
		{"name": "rename", "description": "rename it", "options": []object{{"type": 3, "name": "name", "description": "its name", "max_length": 5}}},
	}).ok(t)
	if o := s.Offers(discord.General, "", "vi"); len(o) != 2 || o[0].Description != "cuộc trò chuyện mới" || o[1].Options[0].Name != "name" {
		t.Errorf("offers %+v", o)
	}
	if o := s.Offers(discord.DMAnna, "", "en-US"); len(o) != 1 || o[0].Name != "rename" {
		t.Errorf("offers in a direct chat %+v", o)
	}
	for _, tt := range []struct {
		name, room, who, command string
		options                  map[string]any
	}{
		{"not offered", discord.DMAnna, "Anna", "new", nil},
		{"too long", discord.General, "Anna", "rename", map[string]any{"name": "abcdef"}},
		{"wrong type", discord.General, "Anna", "rename", map[string]any{"name": 5}},
		{"unknown option", discord.General, "Anna", "rename", map[string]any{"to": "x"}},
		{"another's chat", discord.DMAnna, "Tom", "rename", nil},
	} {
		if _, err := s.Command(t.Context(), tt.room, "", tt.who, tt.command, tt.options); err == nil {
			t.Errorf("%s: was used", tt.name)
		}
	}
	for name, cmd := range map[string]object{
		"locale":      {"name": "a", "description": "x", "description_localizations": object{"en": "x"}},
		"context":     {"name": "a", "description": "x", "contexts": []int{3}},
		"integration": {"name": "a", "description": "x", "integration_types": []int{2}},
		"max_length":  {"name": "a", "description": "x", "options": []object{{"type": 3, "name": "n", "description": "x", "max_length": 0}}},
		"same option": {"name": "a", "description": "x", "options": []object{{"type": 3, "name": "n", "description": "x"}, {"type": 3, "name": "n", "description": "x"}}},
	} {
		if a := call(t, s, "PUT", "/applications/"+discord.AppID+"/commands", []object{cmd}); a.status != 400 {
			t.Errorf("%s: status %d", name, a.status)
		}
	}
}

func TestMemberSearch(t *testing.T) {
	t.Parallel()
	s := start(t, fast())
	c := library(t, s)
	found, err := c.GuildMembersSearch(discord.GuildAcme, "An", 10)
	if err != nil || len(found) != 1 || found[0].User.ID != discord.Anna {
		t.Errorf("found %v %v", found, err)
	}
	call(t, s, "GET", "/guilds/"+discord.GuildAcme+"/members/search", nil).fails(t, 400, 50035)
	call(t, s, "GET", "/guilds/"+discord.GuildAcme+"/members/search?query=a&limit=1001", nil).fails(t, 400, 50035)
}

func TestInteractionsEndpoint(t *testing.T) {
	t.Parallel()
	s := start(t, fast())
	c := connect(t, s)
	register(t, c, "", "help")
	s.SetInteractionsEndpoint("https://example.org/interactions")
	if _, err := s.Command(t.Context(), discord.General, "", "Tom", "help", nil); err != nil {
		t.Fatal(err)
	}
	say(t, s, sim.Say{Room: discord.General, User: "Tom", Text: "hello"})
	c.want(t, "MESSAGE_CREATE") // no INTERACTION_CREATE before it
	var app struct {
		Endpoint string `json:"interactions_endpoint_url"`
	}
	call(t, s, "GET", "/applications/@me", nil).ok(t).into(t, &app)
	if app.Endpoint == "" {
		t.Error("the endpoint is not told")
	}
}

// TestTokenEnds: the first answer is taken for three seconds, later ones for a quarter of an hour.
func TestTokenEnds(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		<-time.After(26 * 365 * 24 * time.Hour) // virtual time begins in 2000, Discord's ids in 2015
		l := memnet.Listen()
		s := start(t, discord.Options{Listener: l})
		dial := dialled(t, l)
		if a := dial("PUT", "/applications/"+discord.AppID+"/commands", `[{"name":"help","description":"x"}]`); a.status != 200 {
			t.Fatalf("%d %s", a.status, a.body)
		}
		use := func() discord.Interaction {
			id, err := s.Command(t.Context(), discord.General, "", "Tom", "help", nil)
			if err != nil {
				t.Fatal(err)
			}
			i, _ := s.Interaction(id)
			return i
		}
		late := use()
		<-time.After(3*time.Second + time.Millisecond)
		dial("POST", "/interactions/"+late.ID+"/"+late.Token+"/callback", `{"type":5}`).fails(t, 404, 10062)
		if got, _ := s.Interaction(late.ID); !got.Failed || got.Answered {
			t.Errorf("late is %+v", got)
		}
		i := use()
		<-time.After(2900 * time.Millisecond)
		dial("POST", "/interactions/"+i.ID+"/"+i.Token+"/callback", `{"type":5,"data":{"flags":64}}`).ok(t)
		hook := "/webhooks/" + discord.AppID + "/" + i.Token
		<-time.After(11 * time.Minute)
		dial("PATCH", hook+"/messages/@original", `{"content":"done"}`).ok(t)
		<-time.After(5 * time.Minute)
		dial("POST", hook, `{"content":"more"}`).fails(t, 401, 50027)
		if got, _ := s.Interaction(i.ID); len(got.Replies) != 1 || got.Replies[0].Text != "done" || got.Failed {
			t.Errorf("answered %+v", got)
		}
	})
}

// dialled makes requests over connections in memory.
func dialled(t *testing.T, l *memnet.Listener) func(method, path, body string) answer {
	tr := &http.Transport{DialContext: l.DialContext}
	t.Cleanup(tr.CloseIdleConnections)
	return func(method, path, body string) answer {
		req, err := http.NewRequestWithContext(t.Context(), method, "http://"+l.Addr().String()+"/api/v9"+path, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Content-Type", "application/json")
		req.Header.Set("Authorization", "Bot "+discord.DefaultToken)
		req.Header.Set("User-Agent", "DiscordBot (https://example.org, 1)")
		resp, err := tr.RoundTrip(req)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = resp.Body.Close() }()
		b, err := io.ReadAll(resp.Body)
		if err != nil {
			t.Fatal(err)
		}
		return answer{resp.StatusCode, resp.Header, b}
	}
}
