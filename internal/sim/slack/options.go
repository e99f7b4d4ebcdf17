package slack

import (
	"log/slog"
	"net"
	"slices"
	"strings"
	"time"

	"github.com/clickai/bridge/internal/sim"
)

// Options says what workspace to play. The zero value is a good one; every field has a default.
type Options struct {
	// Listen is the TCP address to serve on; the default is a free port of 127.0.0.1.
	Listen string
	// Listener is served on in place of Listen, and closed by Close; nil means Listen. One that waits on channels alone lets
	// the stand-in run under testing/synctest.
	Listener net.Listener

	// BotToken (xoxb-…), AppToken (xapp-…) and SigningSecret are what the app must show, or verify. The defaults
	// are the Default… constants.
	BotToken, AppToken, SigningSecret string
	// Scopes are the bot token's, DefaultScopes if nil. AppScopes are the app token's, connections:write if nil.
	Scopes, AppScopes []string

	// The workspace and the app in it.
	TeamID, TeamName, TeamDomain     string
	AppID, BotID, BotUserID, BotName string

	// Users are the people; DefaultUsers if nil. Each has a direct chat with the bot.
	Users []User
	// Channels are the rooms that exist from the start; DefaultChannels if nil.
	Channels []Channel
	// CustomEmoji are further emoji names that reactions may use.
	CustomEmoji []string

	// Limits are the rate limits; zero fields take DefaultLimits.
	Limits Limits
	// LimitScale multiplies all rates and bursts; 0 means 1. Tests of other things set it high.
	LimitScale float64

	// AckDeadline is how long an app has to acknowledge; 0 means 3 s.
	// Source: https://docs.slack.dev/apis/events-api/#responding
	AckDeadline time.Duration
	// Retries are the pauses before each redelivery; nil means at once, 1 min, 5 min.
	// Source: https://docs.slack.dev/apis/events-api/#retries
	Retries []time.Duration
	// PingInterval is the time between two WebSocket pings; 0 means 10 s.
	PingInterval time.Duration
	// StreamLife is when a streaming message is closed by force; 0 means 5 min, which is what apps observe
	// (https://github.com/slackapi/node-slack-sdk/issues/2702); it is not documented.
	StreamLife time.Duration
	// StatusLife is when an assistant status expires; 0 means 2 min.
	// Source: https://docs.slack.dev/reference/methods/assistant.threads.setStatus
	StatusLife time.Duration

	// MaxMessages bounds the messages kept in one channel, the oldest go first; 0 means 20,000.
	MaxMessages int
	// MaxVersions and MaxVersionBytes bound the states kept of one message, the oldest but the first go; 0 means 500
	// and 1 MiB.
	MaxVersions, MaxVersionBytes int
	// MaxDeliveries and MaxDeliveryBytes bound the log of deliveries, the oldest go; 0 means 20,000 and 64 MiB.
	MaxDeliveries    int
	MaxDeliveryBytes int64
	// MaxFileBytes bounds one file, MaxAllFileBytes all files together (the oldest lose their content); 0 means
	// 128 MiB and 512 MiB.
	MaxFileBytes, MaxAllFileBytes int64

	// Observe is told what the bot's messages say, as it changes; nil: nobody.
	Observe sim.Observer
	// Log receives one Debug line a request; nil means no log.
	Log *slog.Logger
}

// Tokens and ids that New uses where Options says nothing. The tokens have Slack's form and open nothing.
const (
	DefaultBotToken      = "xoxb-1000000000001-2000000000002-standinstandinstandin"
	DefaultAppToken      = "xapp-1-A0BRIDGE001-3000000000003-standinstandinstandin"
	DefaultSigningSecret = "5a1d0f6c3b2e4d7a9c8b7a6f5e4d3c2b"

	DefaultTeamID    = "T0ACME0001"
	DefaultAppID     = "A0BRIDGE001"
	DefaultBotID     = "B0BRIDGE001"
	DefaultBotUserID = "U0BRIDGE001"
	DefaultBotName   = "bridge"
)

// User is a person of the workspace.
type User struct {
	ID      string // "U…"
	Name    string // the handle, lower case
	Real    string // full name
	Display string // display name; what others see
}

// Channel is a room that exists from the start.
type Channel struct {
	ID      string
	Name    string
	Private bool     // a private channel; else public
	Group   bool     // a group direct message
	Members []string // user ids; nil means everyone
	// Absent keeps the bot out of the channel.
	Absent   bool
	Archived bool
}

// Minh, Anna and Tom are the people of DefaultUsers, and General, Support and Sales the rooms of DefaultChannels.
const (
	Minh = "U0MINH0001"
	Anna = "U0ANNA0001"
	Tom  = "U0TOM00001"

	General = "C0GENERAL1"
	Support = "C0SUPPORT1"
	Sales   = "C024BE91L"
)

// DefaultUsers are three people.
func DefaultUsers() []User {
	return []User{
		{ID: Minh, Name: "minh.nguyen", Real: "Nguyễn Minh", Display: "Minh"},
		{ID: Anna, Name: "anna.keller", Real: "Anna Keller", Display: "Anna"},
		{ID: Tom, Name: "tom.baker", Real: "Tom Baker", Display: "Tom"},
	}
}

// DefaultChannels are three public channels with everyone in them.
func DefaultChannels() []Channel {
	return []Channel{
		{ID: General, Name: "general"},
		{ID: Support, Name: "support"},
		{ID: Sales, Name: "sales"},
	}
}

// DM is the id of the direct chat between the bot and a person.
func DM(user string) string { return "D" + strings.TrimPrefix(user, "U") }

// DefaultScopes is what an app of this kind asks for.
func DefaultScopes() []string {
	return []string{
		"app_mentions:read", "assistant:write", "channels:history", "channels:read", "chat:write", "commands",
		"files:read", "files:write", "groups:history", "groups:read", "im:history", "im:read", "im:write",
		"mpim:history", "mpim:read", "mpim:write", "reactions:read", "reactions:write", "team:read", "users:read",
	}
}

func def[T comparable](v *T, d T) {
	var zero T
	if *v == zero {
		*v = d
	}
}

// withDefaults fills in what the caller left open.
func (o Options) withDefaults() Options {
	def(&o.Listen, "127.0.0.1:0")
	def(&o.BotToken, DefaultBotToken)
	def(&o.AppToken, DefaultAppToken)
	def(&o.SigningSecret, DefaultSigningSecret)
	def(&o.TeamID, DefaultTeamID)
	def(&o.TeamName, "Acme")
	def(&o.TeamDomain, "acme")
	def(&o.AppID, DefaultAppID)
	def(&o.BotID, DefaultBotID)
	def(&o.BotUserID, DefaultBotUserID)
	def(&o.BotName, DefaultBotName)
	def(&o.LimitScale, 1)
	def(&o.AckDeadline, 3*time.Second)
	def(&o.PingInterval, 10*time.Second)
	def(&o.StreamLife, 5*time.Minute)
	def(&o.StatusLife, 2*time.Minute)
	def(&o.MaxMessages, 20_000)
	def(&o.MaxVersions, 500)
	def(&o.MaxVersionBytes, 1<<20)
	def(&o.MaxDeliveries, 20_000)
	def(&o.MaxDeliveryBytes, 64<<20)
	def(&o.MaxFileBytes, 128<<20)
	def(&o.MaxAllFileBytes, 512<<20)
	if o.Retries == nil {
		o.Retries = []time.Duration{0, time.Minute, 5 * time.Minute}
	}
	if o.Scopes == nil {
		o.Scopes = DefaultScopes()
	}
	o.Scopes = slices.Sorted(slices.Values(o.Scopes))
	if o.AppScopes == nil {
		o.AppScopes = []string{"connections:write"}
	}
	if o.Users == nil {
		o.Users = DefaultUsers()
	}
	if o.Channels == nil {
		o.Channels = DefaultChannels()
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	o.Limits = o.Limits.withDefaults()
	return o
}
