package discord

import (
	"cmp"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"slices"
	"time"

	"github.com/clickai/bridge/internal/sim"
)

// Ids of what the stand-in starts with. They are snowflakes of the year 2023.
const (
	GuildAcme = "1100000000000000000"
	General   = "1100000000000000011"
	Support   = "1100000000000000012"
	Help      = "1100000000000000013" // a forum
	Minh      = "1100000000000000101"
	Anna      = "1100000000000000102"
	Tom       = "1100000000000000103"
	DMMinh    = "1100000000000000201"
	DMAnna    = "1100000000000000202"
	DMTom     = "1100000000000000203"
	BotID     = "1100000000000000900"
	AppID     = "1100000000000000901"
)

// DefaultToken is the bot's token unless [Options] says otherwise.
const DefaultToken = "MTEwMDAwMDAwMDAwMDAwMDkwMA.stand.in-for-tests"

// Options shape a stand-in. The zero value is a working guild.
type Options struct {
	// Listen is the address to listen on; "" is a free port of 127.0.0.1.
	Listen string
	// Listener is listened on in place of Listen, and closed by [Server.Close]; nil: Listen. With one that waits on channels
	// only, the stand-in runs under testing/synctest.
	Listener net.Listener
	// Token is what the bot must present; "" is [DefaultToken].
	Token string

	// NoMessageContent switches the message content intent off in the "developer portal": asking for it closes the
	// gateway with 4014, and text arrives empty where Discord hides it.
	NoMessageContent bool
	// GuildMembers and Presences switch the other privileged intents on.
	GuildMembers, Presences bool

	// Guild is the one server the bot is in; its zero value is Acme.
	Guild Guild
	// Channels of the guild; nil: general, support, and the forum help.
	Channels []Channel
	// People of the guild; nil: Minh, Anna and Tom. Each gets a direct channel with the bot.
	People []Person
	// Bot is the bot's own account; its zero value is named Bridge.
	Bot Person
	// Permissions of the bot in the guild; 0 is [DefaultPermissions].
	Permissions Permission

	// HeartbeatInterval is what Hello asks for; 0 is 41.25 s. A connection without a heartbeat for one and a half of
	// it is closed.
	HeartbeatInterval time.Duration
	// SessionTTL is how long a cut session can be resumed; 0 is 2 minutes.
	SessionTTL time.Duration
	// ResumeBuffer is how many events a session keeps for a resume; 0 is 1,000.
	ResumeBuffer int
	// IdentifyEvery is the time between two Identify that Discord asks for (5 s there); an earlier one gets Op 9.
	// 0 does not enforce it, since tests start bots in quick succession.
	IdentifyEvery time.Duration

	// RateScale multiplies the length of every rate-limit window: 0.1 makes them ten times shorter. 0 is 1.
	RateScale float64
	// AttachmentTTL is how long a signed attachment URL works; 0 is 24 h.
	AttachmentTTL time.Duration
	// MaxFile and MaxRequest bound uploads in bytes; 0 is 10 MiB and 25 MiB.
	MaxFile, MaxRequest int64
	// MaxMessages bounds the messages kept in a channel, the oldest go; 0 is 10,000.
	MaxMessages int
	// MaxVersions bounds the states kept of a message, the first and the newest stay; 0 is 1,000, the least 2.
	MaxVersions int
	// MaxStored bounds the bytes of all attachments kept, the oldest go; 0 is 512 MiB.
	MaxStored int64
	// InteractionDeadline is the time for the first answer to an interaction; 0 is 3 s.
	InteractionDeadline time.Duration

	// Observe is told what the bot's messages say, as it changes; nil: nobody.
	Observe sim.Observer
	// Log gets connections and refusals; nil discards.
	Log *slog.Logger
}

// Guild is the bot's server.
type Guild struct{ ID, Name string }

// Channel is a channel of the guild.
type Channel struct {
	ID, Name string
	Kind     string     // "text" (also ""), "forum" or "announcement"
	Topic    string     //
	Deny     Permission // what the bot lacks here
}

// Person is an account.
type Person struct {
	ID       string
	Name     string // as shown
	Username string // unique, lower case; "" is made from Name
	DM       string // id of the direct channel; "" makes one
}

const (
	defaultHeartbeat = 41250 * time.Millisecond // what Discord sends at the time of writing
	defaultTTL       = 2 * time.Minute          // "a few minutes": https://docs.discord.com/developers/events/gateway#initiating-a-disconnect
	defaultBuffer    = 1000
	defaultMaxFile   = 10 << 20 // https://docs.discord.com/developers/reference#uploading-files
	defaultMaxBody   = 25 << 20 // https://docs.discord.com/developers/resources/message#create-message
	defaultMessages  = 10_000
	defaultVersions  = 1000
	defaultStored    = 512 << 20
	defaultAnswer    = 3 * time.Second // https://docs.discord.com/developers/interactions/receiving-and-responding
)

func (o *Options) setDefaults() error {
	o.Listen = cmp.Or(o.Listen, "127.0.0.1:0")
	o.Token = cmp.Or(o.Token, DefaultToken)
	o.Guild.ID = cmp.Or(o.Guild.ID, GuildAcme)
	o.Guild.Name = cmp.Or(o.Guild.Name, "Acme")
	if o.Channels == nil {
		o.Channels = []Channel{
			{ID: General, Name: "general"},
			{ID: Support, Name: "support"},
			{ID: Help, Name: "help", Kind: "forum"},
		}
	}
	if o.People == nil {
		o.People = []Person{
			{ID: Minh, Name: "Minh", DM: DMMinh},
			{ID: Anna, Name: "Anna", DM: DMAnna},
			{ID: Tom, Name: "Tom", DM: DMTom},
		}
	}
	o.Channels, o.People = slices.Clone(o.Channels), slices.Clone(o.People)
	o.Bot.ID = cmp.Or(o.Bot.ID, BotID)
	o.Bot.Name = cmp.Or(o.Bot.Name, "Bridge")
	o.Permissions = cmp.Or(o.Permissions, DefaultPermissions)
	o.HeartbeatInterval = cmp.Or(o.HeartbeatInterval, defaultHeartbeat)
	o.SessionTTL = cmp.Or(o.SessionTTL, defaultTTL)
	o.ResumeBuffer = cmp.Or(o.ResumeBuffer, defaultBuffer)
	o.RateScale = cmp.Or(o.RateScale, 1)
	o.AttachmentTTL = cmp.Or(o.AttachmentTTL, 24*time.Hour)
	o.MaxFile = cmp.Or(o.MaxFile, defaultMaxFile)
	o.MaxRequest = cmp.Or(o.MaxRequest, defaultMaxBody)
	o.MaxMessages = cmp.Or(o.MaxMessages, defaultMessages)
	o.MaxVersions = max(cmp.Or(o.MaxVersions, defaultVersions), 2)
	o.MaxStored = cmp.Or(o.MaxStored, defaultStored)
	o.InteractionDeadline = cmp.Or(o.InteractionDeadline, defaultAnswer)
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	return o.check()
}

func (o *Options) check() error {
	var errs []error
	seen := map[string]string{}
	once := func(what, id string) {
		if id == "" {
			return
		}
		if !isSnowflake(id) {
			errs = append(errs, fmt.Errorf("%s: id %q is no snowflake", what, id))
		} else if other, ok := seen[id]; ok {
			errs = append(errs, fmt.Errorf("%s has the id of %s", what, other))
		}
		seen[id] = what
	}
	once("guild "+o.Guild.Name, o.Guild.ID)
	once("bot "+o.Bot.Name, o.Bot.ID)
	for _, c := range o.Channels {
		once("channel "+c.Name, c.ID)
		if _, ok := channelKinds[c.Kind]; !ok {
			errs = append(errs, fmt.Errorf("channel %s: unknown kind %q", c.Name, c.Kind))
		}
	}
	for _, p := range o.People {
		once("person "+p.Name, p.ID)
		once("direct channel of "+p.Name, p.DM)
	}
	if o.RateScale < 0 || o.ResumeBuffer < 0 || o.MaxMessages < 0 {
		errs = append(errs, errors.New("negative limit"))
	}
	return errors.Join(errs...)
}
