package telegram

import (
	"cmp"
	"fmt"
	"log/slog"
	"net"
	"strconv"
	"strings"
	"time"

	"github.com/clickai/bridge/internal/sim"
	"github.com/clickai/bridge/internal/sim/telegram/markup"
)

// The people and chats that a server has when [Options] name none.
const (
	Minh  = "5000000001" // Minh Tran, @minh_tran, language vi
	Anna  = "5000000002" // Anna Berg, @anna_berg, language en; creator of the group and the forum
	Tom   = "5000000003" // Tom Reed, @tom_reed, language en
	Group = "-4000000001"
	Forum = "-1002000000001"

	TopicBilling  = "2" // in Forum
	TopicReleases = "3" // in Forum
)

// DefaultToken is the bot's token when [Options] name none. It is worth nothing outside of a stand-in.
const DefaultToken = "7000000001:stand-in-token-of-the-demo" //nolint:gosec // not a credential of any service

// User is a person (https://core.telegram.org/bots/api#user).
type User struct {
	ID        int64
	FirstName string
	LastName  string
	Username  string // without "@"
	Language  string // IETF tag, such as "vi"
	Premium   bool   // may put three reactions on a message instead of one
}

// Chat is a group or supergroup (https://core.telegram.org/bots/api#chat). Private chats come with the users.
type Chat struct {
	ID           int64  // below 0; supergroups below -1000000000000
	Type         string // "group" or "supergroup"
	Title        string
	Username     string // public supergroups only, without "@"
	Forum        bool   // has topics; supergroups only
	Topics       []Topic
	Members      []int64  // the first one is the creator; all users when empty
	BotAdmin     bool     // the bot sees all messages and gets reactions
	ManageTopics bool     // the bot, as an administrator, may create topics and write in closed ones
	Reactions    []string // emoji that the chat allows; all when nil
}

// Topic is a forum topic. Its ID is the id of the service message that opened it, so it must be above 1: General has
// none of its own.
type Topic struct {
	ID     int
	Name   string
	Closed bool
}

// Options configure [New]. The zero value is the world that the package documentation describes.
type Options struct {
	Listen   string       // address; default "127.0.0.1:0"
	Listener net.Listener // in the place of Listen; the server closes it
	Token    string       // default DefaultToken; the bot's id is what stands before ":"
	Username string       // the bot's, without "@"; default "acme_support_bot"
	Name     string       // the bot's first name; default "Acme Support"

	PrivacyOff    bool // privacy mode is on unless this says otherwise, as for every new bot
	PrivateTopics bool // topics in private chats (getMe: has_topics_enabled)
	NoDrafts      bool // sendMessageDraft is an unknown method, as on servers before Bot API 9.3
	RichMessages  bool // sendRichMessage and sendRichMessageDraft are known (Bot API 10.1)

	Users []User
	Chats []Chat

	// RateScale multiplies every permitted rate; bursts stay. Default 1.
	RateScale float64
	// FirstUpdateID is the first update_id; default is the Unix time of the start, so that a server that is started
	// again goes on with higher ids.
	FirstUpdateID int64

	TypingFor     time.Duration // how long a chat action shows; default 5 s, as documented
	DraftFor      time.Duration // how long a draft shows; default 30 s, as documented
	ConflictPause time.Duration // how long repeated 409 answers of getUpdates are held back; default 3 s
	WebhookRetry  time.Duration // first pause after a failed webhook call, doubled up to 64 times; default 1 s

	MaxMessages  int   // kept for each chat, oldest dropped; default 20,000
	MaxVersions  int   // kept for each message, the first and the latest ones; default 1,000
	MaxFileBytes int64 // kept of all files, oldest dropped; default 256 MiB
	MaxUpdates   int   // unconfirmed updates kept, oldest dropped; default 100,000

	// Observe is told what the bot's messages and drafts say, as it changes; default nobody.
	Observe sim.Observer
	// Log gets a line for each refused call; default none.
	Log *slog.Logger
}

func (o Options) withDefaults() Options {
	o.Listen = cmp.Or(o.Listen, "127.0.0.1:0")
	o.Token = cmp.Or(o.Token, DefaultToken)
	o.Username = cmp.Or(o.Username, "acme_support_bot")
	o.Name = cmp.Or(o.Name, "Acme Support")
	o.RateScale = cmp.Or(o.RateScale, 1)
	o.FirstUpdateID = cmp.Or(o.FirstUpdateID, time.Now().Unix())
	o.TypingFor = cmp.Or(o.TypingFor, 5*time.Second)
	o.DraftFor = cmp.Or(o.DraftFor, 30*time.Second)
	o.ConflictPause = cmp.Or(o.ConflictPause, 3*time.Second)
	o.WebhookRetry = cmp.Or(o.WebhookRetry, time.Second)
	o.MaxMessages = cmp.Or(o.MaxMessages, 20_000)
	o.MaxVersions = max(cmp.Or(o.MaxVersions, 1000), 2)
	o.MaxFileBytes = cmp.Or(o.MaxFileBytes, 256<<20)
	o.MaxUpdates = cmp.Or(o.MaxUpdates, 100_000)
	if o.Users == nil {
		o.Users = []User{
			{ID: 5000000001, FirstName: "Minh", LastName: "Tran", Username: "minh_tran", Language: "vi"},
			{ID: 5000000002, FirstName: "Anna", LastName: "Berg", Username: "anna_berg", Language: "en"},
			{ID: 5000000003, FirstName: "Tom", LastName: "Reed", Username: "tom_reed", Language: "en"},
		}
	}
	if o.Chats == nil {
		o.Chats = []Chat{
			{ID: -4000000001, Type: "group", Title: "Acme lunch", Members: defaultMembers(o.Users)},
			{
				ID: -1002000000001, Type: "supergroup", Title: "Acme HQ", Forum: true, BotAdmin: true,
				Members: defaultMembers(o.Users),
				Topics:  []Topic{{ID: 2, Name: "Billing"}, {ID: 3, Name: "Releases"}},
			},
		}
	}
	return o
}

// defaultMembers are all users with the second one first: in the default world that makes Anna the creator.
func defaultMembers(users []User) []int64 {
	ids := make([]int64, 0, len(users))
	for _, u := range users {
		ids = append(ids, u.ID)
	}
	if len(ids) > 1 {
		ids[0], ids[1] = ids[1], ids[0]
	}
	return ids
}

// botID is the number that begins a token.
func botID(token string) (int64, error) {
	head, _, _ := strings.Cut(token, ":")
	id, err := strconv.ParseInt(head, 10, 64)
	if err != nil || id <= 0 {
		return 0, fmt.Errorf("token must begin with the bot's id and a colon")
	}
	return id, nil
}

func (u User) wire() *markup.User {
	return &markup.User{
		ID: u.ID, FirstName: u.FirstName, LastName: u.LastName, Username: u.Username,
		LanguageCode: u.Language, IsPremium: u.Premium,
	}
}
