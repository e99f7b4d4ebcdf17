package config

import (
	"time"

	"github.com/clickai/bridge/core"
)

// Config is the whole configuration.
type Config struct {
	ClickAI         ClickAI        `yaml:"clickai" doc:"ClickAI's servers and the plan that is paid for"`
	Apps            map[string]App `yaml:"apps" doc:"The ClickAI applications, under names of your own"`
	Bots            []Bot          `yaml:"bots" doc:"The accounts on Slack, Discord and Telegram that answer"`
	Store           Store          `yaml:"store" doc:"The bridge's durable memory"`
	HTTP            HTTP           `yaml:"http" doc:"The bridge's own web server"`
	Log             Log            `yaml:"log" doc:"The log, on standard error"`
	ShutdownTimeout time.Duration  `yaml:"shutdown_timeout" doc:"How long running answers may go on when the bridge is stopped"`
}

// ClickAI says where ClickAI is and how much may be asked of it.
type ClickAI struct {
	BaseURL           string      `yaml:"base_url" doc:"App Runtime API; the paths /v1/… stand under it"`
	ConsoleURL        string      `yaml:"console_url" doc:"Studio API, for bridge assistants"`
	AccessToken       core.Secret `yaml:"access_token" doc:"Access token of the Studio API, for bridge assistants"`
	WorkspaceID       string      `yaml:"workspace_id" doc:"Workspace of the Studio API; empty: the token's own"`
	Plan              string      `yaml:"plan" enum:"sandbox,professional,team,enterprise" doc:"Sets how many requests a minute and a day the bridge keeps to"`
	RequestsPerMinute int         `yaml:"requests_per_minute" doc:"More than 0: in place of the plan's figure"`
	RequestsPerDay    int         `yaml:"requests_per_day" doc:"More than 0: in place of the plan's figure"`
}

// App is one ClickAI application.
type App struct {
	Mode         string         `yaml:"mode" enum:"chat,agent-chat,completion,workflow" doc:"The app's kind, as ClickAI's list of assistants names it"`
	APIKey       core.Secret    `yaml:"api_key" doc:"The app's own API key"`
	ResponseMode string         `yaml:"response_mode" enum:"streaming,blocking" doc:"streaming: the answer grows; blocking: it comes whole"`
	Inputs       map[string]any `yaml:"inputs" doc:"Input variables of the app; texts may use {{.User.Name}} {{.User.ID}} {{.Platform}} {{.Room.Name}} {{.Room.ID}} {{.Thread.ID}} {{.Bot}}"`
	QueryInput   string         `yaml:"query_input" doc:"completion, workflow: the input that receives the message's text"`
	FilesInput   string         `yaml:"files_input" doc:"workflow: the input that receives the files; empty: none"`
	Output       string         `yaml:"output" doc:"workflow: the output that is the answer; empty: the only one, or result, text, answer, else all as a list"`
}

// Bot is one account on one platform.
type Bot struct {
	core.BotSettings `yaml:",inline"`
	// Settings are the platform's own keys: what NewSettings of its [core.PlatformKind] made, filled in.
	Settings core.Settings `yaml:"-"`
}

// Store says where the durable memory is.
type Store struct {
	Path string `yaml:"path" doc:"File of the store; its folder must exist"`
	// URL is kept for a database that several bridges share. This version refuses it, so it is always empty.
	URL       core.Secret   `yaml:"url" doc:"Not supported in this version"`
	Retention time.Duration `yaml:"retention" doc:"How long the links between messages and replies, and the ratings, are kept"`
}

// HTTP is the bridge's own web server.
type HTTP struct {
	Listen string `yaml:"listen" doc:"host:port of /healthz, /readyz, /metrics and webhooks; empty: no server"`
}

// Log says what is logged, and how.
type Log struct {
	Level  string `yaml:"level" enum:"debug,info,warn,error" doc:"The least important lines that are written"`
	Format string `yaml:"format" enum:"auto,text,json" doc:"auto: text on a terminal, JSON elsewhere"`
}

// Default is the configuration of an empty file, which lacks apps and bots.
func Default() Config {
	return Config{
		ClickAI: ClickAI{BaseURL: "https://api.clickai.io", ConsoleURL: "https://clickai.io", Plan: "professional"},
		Store:   Store{Path: "bridge.db", Retention: 90 * 24 * time.Hour},
		HTTP:    HTTP{Listen: "127.0.0.1:8080"},
		Log:     Log{Level: "info", Format: "auto"},

		ShutdownTimeout: 30 * time.Second,
	}
}

// DefaultApp is an app of which only the key is given.
func DefaultApp() App {
	return App{Mode: "agent-chat", ResponseMode: "streaming", QueryInput: "text"}
}
