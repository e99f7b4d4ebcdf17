package discord_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/bwmarrin/discordgo"

	"github.com/clickai/bridge/internal/sim"
	"github.com/clickai/bridge/internal/sim/discord"
)

func register(t *testing.T, c *client, guild string, names ...string) {
	t.Helper()
	var cmds []*discordgo.ApplicationCommand
	for _, n := range names {
		cmd := &discordgo.ApplicationCommand{Name: n, Description: "does " + n, Options: []*discordgo.ApplicationCommandOption{}}
		if n == "rename" {
			cmd.Options = append(cmd.Options, &discordgo.ApplicationCommandOption{
				Type: discordgo.ApplicationCommandOptionString, Name: "name", Description: "the new name", MaxLength: 100,
				Options: []*discordgo.ApplicationCommandOption{}, Choices: []*discordgo.ApplicationCommandOptionChoice{},
				ChannelTypes: []discordgo.ChannelType{},
			})
		}
		cmds = append(cmds, cmd)
	}
	got, err := c.ApplicationCommandBulkOverwrite(discord.AppID, guild, cmds)
	if err != nil || len(got) != len(names) || got[0].ID == "" || got[0].ApplicationID != discord.AppID {
		t.Fatalf("commands %v %v", got, err)
	}
}

func interaction(t *testing.T, c *client) *discordgo.Interaction {
	t.Helper()
	i := &discordgo.InteractionCreate{}
	if err := json.Unmarshal(c.want(t, "INTERACTION_CREATE"), i); err != nil {
		t.Fatal(err)
	}
	return i.Interaction
}

func TestSlashCommand(t *testing.T) {
	t.Parallel()
	s := start(t, fast())
	c := connect(t, s)
	register(t, c, "", "new", "rename")
	register(t, c, discord.GuildAcme, "status")
	if list, err := c.ApplicationCommands(discord.AppID, ""); err != nil || len(list) != 2 {
		t.Errorf("commands %v %v", list, err)
	}
	if _, err := s.Command(t.Context(), discord.General, "", "Minh", "nonsense", nil); err == nil {
		t.Error("an unregistered command was used")
	}
	id, err := s.Command(t.Context(), discord.General, "", "Minh", "rename", map[string]any{"name": "x"})
	if err != nil {
		t.Fatal(err)
	}
	i := interaction(t, c)
	data := i.ApplicationCommandData()
	if i.ID != id || i.Member.User.ID != discord.Minh || i.User != nil || i.ChannelID != discord.General || data.Name != "rename" ||
		data.Options[0].StringValue() != "x" {
		t.Errorf("interaction %+v %+v", i, data)
	}
	err = c.InteractionRespond(i, &discordgo.InteractionResponse{Type: discordgo.InteractionResponseDeferredChannelMessageWithSource})
	if err != nil {
		t.Fatal(err)
	}
	loading := c.message(t, "MESSAGE_CREATE")
	if loading.Type != discordgo.MessageTypeChatInputCommand || loading.Flags&discordgo.MessageFlagsLoading == 0 {
		t.Errorf("deferred shows %+v", loading)
	}
	if got, _ := s.Interaction(id); !got.Answered || !got.Deferred || len(got.Replies) != 0 {
		t.Errorf("deferred is %+v", got)
	}
	text := "renamed"
	if _, err := c.InteractionResponseEdit(i, &discordgo.WebhookEdit{Content: &text}); err != nil {
		t.Fatal(err)
	}
	more, err := c.FollowupMessageCreate(i, true, &discordgo.WebhookParams{Content: "more", Components: []discordgo.MessageComponent{}})
	if err != nil || more.Content != "more" {
		t.Errorf("follow-up %v %v", more, err)
	}
	got, _ := s.Interaction(id)
	if got.Deferred || len(got.Replies) != 2 || got.Replies[0].Text != "renamed" || got.Replies[1].Text != "more" {
		t.Errorf("answered %+v", got)
	}
	if n := len(s.Messages(discord.General, "")); n != 2 {
		t.Errorf("%d messages in the channel", n)
	}
	path := "/interactions/" + i.ID + "/" + i.Token + "/callback"
	call(t, s, "POST", path, object{"type": 4, "data": object{"content": "twice"}}).fails(t, 400, 40060)
	clean(t, s)
}

func TestButtons(t *testing.T) {
	t.Parallel()
	s := start(t, fast())
	c := connect(t, s)
	id := post(t, s, discord.DMAnna, object{"content": "rate me", "components": rows(1, 2)})
	c.want(t, "MESSAGE_CREATE")
	at := sim.Ref{Room: discord.DMAnna, ID: id}
	if _, err := s.Press(t.Context(), at, "Anna", "no such"); err == nil {
		t.Error("a button that is not there was pressed")
	}
	pressed, err := s.Press(t.Context(), at, "Anna", "0-1")
	if err != nil {
		t.Fatal(err)
	}
	i := interaction(t, c)
	if i.User.ID != discord.Anna || i.Member != nil || i.MessageComponentData().CustomID != "0-1" || i.Message.ID != id {
		t.Errorf("interaction %+v", i)
	}
	err = c.InteractionRespond(i, &discordgo.InteractionResponse{
		Type: discordgo.InteractionResponseUpdateMessage,
		Data: &discordgo.InteractionResponseData{Content: "rated", Components: []discordgo.MessageComponent{}, Embeds: []*discordgo.MessageEmbed{}},
	})
	if err != nil {
		t.Fatal(err)
	}
	if m, _ := s.Find(at); m.Text != "rated" || len(m.Versions) != 2 {
		t.Errorf("the message became %+v", m)
	}
	if got, _ := s.Interaction(pressed); !got.Answered {
		t.Error("the press counts as not answered")
	}
	clean(t, s)
}

func TestEphemeralAnswer(t *testing.T) {
	t.Parallel()
	s := start(t, fast())
	c := connect(t, s)
	register(t, c, "", "help")
	id, err := s.Command(t.Context(), discord.Support, "", "Tom", "help", nil)
	if err != nil {
		t.Fatal(err)
	}
	i := interaction(t, c)
	err = c.InteractionRespond(i, &discordgo.InteractionResponse{
		Type: discordgo.InteractionResponseChannelMessageWithSource,
		Data: &discordgo.InteractionResponseData{Content: "for you", Flags: discordgo.MessageFlagsEphemeral},
	})
	if err != nil {
		t.Fatal(err)
	}
	got, _ := s.Interaction(id)
	if !got.Ephemeral || len(got.Replies) != 1 || got.Replies[0].Shown != "for you" || len(s.Messages(discord.Support, "")) != 0 {
		t.Errorf("ephemeral answer %+v, channel %v", got, s.Messages(discord.Support, ""))
	}
}

func TestLateInteraction(t *testing.T) {
	t.Parallel()
	s := start(t, discord.Options{InteractionDeadline: time.Nanosecond})
	c := connect(t, s)
	register(t, c, "", "help")
	if _, err := s.Command(t.Context(), discord.Support, "", "Tom", "help", nil); err != nil {
		t.Fatal(err)
	}
	i := interaction(t, c)
	path := "/interactions/" + i.ID + "/" + i.Token + "/callback"
	call(t, s, "POST", path, object{"type": 5}).fails(t, 404, 10062)
	call(t, s, "POST", "/webhooks/"+discord.AppID+"/"+i.Token, object{"content": "x"}).fails(t, 404, 10015)
}

func TestRefusedCommands(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		body []object
		path string
	}{
		{"upper case", []object{{"name": "Help", "description": "x"}}, "0.name"},
		{"no description", []object{{"name": "help"}}, "0.description"},
		{"twice", []object{{"name": "help", "description": "x"}, {"name": "help", "description": "y"}}, "1"},
		{"option", []object{{"name": "help", "description": "x", "options": []object{{"name": "a b", "description": "x", "type": 3}}}}, "0.options.0.name"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := start(t, discord.Options{})
			e := call(t, s, "PUT", "/applications/"+discord.AppID+"/commands", tt.body).fails(t, 400, 50035)
			if nested(e.Errors, tt.path) == "" {
				t.Errorf("no error at %s: %v", tt.path, e.Errors)
			}
		})
	}
}

func TestFollowups(t *testing.T) {
	t.Parallel()
	s := start(t, fast())
	c := connect(t, s)
	register(t, c, "", "help")
	id, err := s.Command(t.Context(), discord.Support, "", "Tom", "help", nil)
	if err != nil {
		t.Fatal(err)
	}
	i := interaction(t, c)
	hook := "/webhooks/" + discord.AppID + "/" + i.Token
	call(t, s, "POST", hook, object{"content": "too early"}).fails(t, 404, 10015)
	call(t, s, "POST", "/interactions/"+i.ID+"/"+i.Token+"/callback", object{"type": 4, "data": object{"content": "first"}}).ok(t)
	var more struct{ ID, Content string }
	call(t, s, "POST", hook, object{"content": "more"}).ok(t).into(t, &more)
	call(t, s, "PATCH", hook+"/messages/"+more.ID, object{"content": "more still"}).ok(t)
	call(t, s, "GET", hook+"/messages/"+more.ID, nil).ok(t).into(t, &more)
	if more.Content != "more still" {
		t.Errorf("follow-up reads %q", more.Content)
	}
	call(t, s, "DELETE", hook+"/messages/@original", nil).ok(t)
	call(t, s, "GET", hook+"/messages/@original", nil).fails(t, 404, 10008)
	got, _ := s.Interaction(id)
	if len(got.Replies) != 1 || got.Replies[0].Text != "more still" || len(s.Messages(discord.Support, "")) != 1 {
		t.Errorf("left are %+v", got.Replies)
	}
	call(t, s, "POST", "/webhooks/"+discord.AppID+"/nonsense", object{"content": "x"}).fails(t, 401, 50027)
	clean(t, s)
}

func TestSingleCommands(t *testing.T) {
	t.Parallel()
	s := start(t, fast())
	c := library(t, s)
	cmd, err := c.ApplicationCommandCreate(discord.AppID, "", &discordgo.ApplicationCommand{
		Name: "help", Description: "x", Options: []*discordgo.ApplicationCommandOption{},
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := c.ApplicationCommandDelete(discord.AppID, "", cmd.ID); err != nil {
		t.Fatal(err)
	}
	call(t, s, "DELETE", "/applications/"+discord.AppID+"/commands/"+cmd.ID, nil).fails(t, 404, 10063)
	call(t, s, "GET", "/applications/1100000000000000777/commands", nil).fails(t, 403, 20012)
	clean(t, s)
}
