package standins

import (
	"strings"

	"github.com/clickai/bridge/internal/sim/clickai"
	"github.com/clickai/bridge/internal/sim/discord"
	"github.com/clickai/bridge/internal/sim/slack"
	"github.com/clickai/bridge/internal/sim/telegram"
)

// RatingButtons is YAML that puts 👍 and 👎 under the answers of a bot.
const RatingButtons = "feedback: {buttons: true}\n"

// Tryout is a configuration in which several apps can be tried.
type Tryout struct {
	Apps []NamedApp
	// Extra is YAML that goes into the bot of a platform.
	Extra func(platform string) string
	// Where sends the room as an input of each conversation, so that who sees ClickAI's side alone can tell where it is.
	Where bool
}

// NamedApp is a further app of a configuration, besides "demo".
type NamedApp struct {
	Name string
	AgentConfig
	// QueryInput is the input that takes the question; "" for conversations.
	QueryInput string
}

// Secret is the variable that holds the app's key.
func (a NamedApp) Secret() string { return a.secret() }

func (a NamedApp) secret() string { return "CLICKAI_KEY_" + strings.ToUpper(a.Name) }

func (t Tryout) inputs() string {
	if t.Where {
		return `{language: en, platform: "{{.Platform}}", room: "{{.Room.ID}}"}`
	}
	return `{language: en, platform: "{{.Platform}}"}`
}

// ModeRoom is a room in which an app of a mode answers.
type ModeRoom struct {
	Platform string
	Mode     clickai.Mode
	Room     string
}

// The rooms that TryoutOptions adds.
const (
	slackAgents, slackWorkflows       = "C0AGENTS01", "C0WORKFLW1"
	discordAgents, discordWorkflows   = "1100000000000000014", "1100000000000000015"
	telegramAgents, telegramWorkflows = "-4000000002", "-4000000003"
)

// ModeRooms are the rooms for further apps in a set that was started with [TryoutOptions].
func ModeRooms() []ModeRoom {
	return []ModeRoom{
		{"slack", clickai.ModeAgentChat, slackAgents},
		{"slack", clickai.ModeWorkflow, slackWorkflows},
		{"discord", clickai.ModeAgentChat, discordAgents},
		{"discord", clickai.ModeWorkflow, discordWorkflows},
		{"telegram", clickai.ModeAgentChat, telegramAgents},
		{"telegram", clickai.ModeWorkflow, telegramWorkflows},
	}
}

// TryoutOptions adds a room for agents and one for workflows to the default rooms of each platform.
func TryoutOptions(opt Options) Options {
	opt.Slack.Channels = []slack.Channel{
		{ID: slack.General, Name: "general"},
		{ID: slack.Support, Name: "support"},
		{ID: slackAgents, Name: "agents"},
		{ID: slackWorkflows, Name: "workflows"},
	}
	opt.Discord.Channels = []discord.Channel{
		{ID: discord.General, Name: "general"},
		{ID: discord.Support, Name: "support"},
		{ID: discordAgents, Name: "agents"},
		{ID: discordWorkflows, Name: "workflows"},
		{ID: discord.Help, Name: "help", Kind: "forum"},
	}
	everyone := []int64{5000000002, 5000000001, 5000000003} // Anna is the creator, as in the default world
	opt.Telegram.Chats = []telegram.Chat{
		{ID: -4000000001, Type: "group", Title: "Acme lunch", Members: everyone},
		{ID: -4000000002, Type: "group", Title: "Agents", Members: everyone},
		{ID: -4000000003, Type: "group", Title: "Workflows", Members: everyone},
		{
			ID: -1002000000001, Type: "supergroup", Title: "Acme HQ", Forum: true, BotAdmin: true, Members: everyone,
			Topics: []telegram.Topic{{ID: 2, Name: "Billing"}, {ID: 3, Name: "Releases"}},
		},
	}
	return opt
}
