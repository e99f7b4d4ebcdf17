package discord

import (
	"encoding/json"
	"slices"
	"strings"
	"time"

	"github.com/clickai/bridge/internal/sim"
)

// Channel types. Source: https://docs.discord.com/developers/resources/channel#channel-object-channel-types
const (
	typeText               = 0
	typeDM                 = 1
	typeAnnouncement       = 5
	typeAnnouncementThread = 10
	typePublicThread       = 11
	typePrivateThread      = 12
	typeForum              = 15
)

var channelKinds = map[string]int{"": typeText, "text": typeText, "announcement": typeAnnouncement, "forum": typeForum}

// Message types. Source: https://docs.discord.com/developers/resources/message#message-object-message-types
const (
	messageDefault       = 0
	messageThreadCreated = 18
	messageReply         = 19
	messageCommand       = 20
	messageStarter       = 21
)

// Message flags. Source: https://docs.discord.com/developers/resources/message#message-object-message-flags
const (
	flagSuppressEmbeds = 1 << 2
	flagHasThread      = 1 << 5
	flagEphemeral      = 1 << 6
	flagLoading        = 1 << 7
	flagSilent         = 1 << 12
	flagComponentsV2   = 1 << 15
	settableFlags      = flagSuppressEmbeds | flagSilent | flagComponentsV2
)

// maxReactions is the most distinct emoji on a message: https://docs.discord.com/developers/topics/opcodes-and-status-codes#json (30010)
const maxReactions = 20

type user struct {
	ID, Name, Username string
	Bot                bool
	dm                 string // direct channel with the bot
	blocked            bool   // takes no direct messages
	joined             time.Time
}

type channel struct {
	id, guild, parent string
	typ               int
	name, topic       string
	position          int
	deny              Permission
	recipient         string // direct channel: the person

	messages []*message // oldest first
	last     string     // id of the newest message ever

	// Threads only.
	owner             string
	archived, locked  bool
	autoArchive       int
	archivedAt, since time.Time
	members           map[string]bool
	count, total      int
	slowmode          int

	typing *typing
}

func (c *channel) isThread() bool {
	return c.typ == typePublicThread || c.typ == typePrivateThread || c.typ == typeAnnouncementThread
}

// find is the index of a message, or false.
func (c *channel) find(id string) (int, bool) {
	return slices.BinarySearchFunc(c.messages, id, func(m *message, id string) int {
		switch {
		case m.id == id:
			return 0
		case before(m.id, id):
			return -1
		default:
			return 1
		}
	})
}

func (c *channel) message(id string) *message {
	if i, ok := c.find(id); ok {
		return c.messages[i]
	}
	return nil
}

type message struct {
	id      string
	channel *channel
	author  string
	webhook bool
	typ     int
	content string
	at      time.Time
	edited  time.Time

	everyone     bool
	mentions     []string // user ids
	mentionRoles []string
	attachments  []*attachment
	embeds       json.RawMessage // a list
	components   json.RawMessage // a list
	flags        int
	nonce        json.RawMessage
	ref          *reference
	interaction  *interaction
	reactions    []reaction
	extra        map[string]json.RawMessage // planted raw fields

	versions []*version
	raw      []byte
	oldEdits []time.Time // edits after the message was an hour old
}

type reference struct {
	message, channel, guild string
}

type reaction struct {
	emoji string // Unicode
	users []string
}

type version struct {
	at    time.Time
	text  string
	shown string
	done  bool // shown is rendered
}

type attachment struct {
	id, filename, title, description, contentType string
	channel                                       string
	data                                          []byte // nil when it was dropped for space
	size                                          int
	width, height                                 int
}

// human tells whether a message is one that people write or bots answer with; the rest is the system's.
func (m *message) human() bool {
	return m.typ == messageDefault || m.typ == messageReply || m.typ == messageCommand
}

// ref of a message as people name it: threads are named by parent and thread.
func refOf(c *channel, id string) sim.Ref {
	if c.isThread() {
		return sim.Ref{Room: c.parent, Thread: c.id, ID: id}
	}
	return sim.Ref{Room: c.id, ID: id}
}

// flat is all that a reader of the message can read, in the platform's own markup.
func (m *message) flat() string {
	parts := []string{}
	if m.content != "" {
		parts = append(parts, m.content)
	}
	if m.flags&flagSuppressEmbeds == 0 {
		parts = append(parts, embedTexts(m.embeds)...)
	}
	parts = append(parts, componentTexts(m.components)...)
	return strings.Join(parts, "\n")
}

// keep records the state that a change has led to, in place of the second oldest one when there are most of them.
func (m *message) keep(now time.Time, most int) {
	v := &version{at: now, text: m.flat()}
	if len(m.versions) >= most {
		m.versions = slices.Delete(m.versions, 1, 2)
	}
	m.versions = append(m.versions, v)
}

// tell tells the observer what a message of the bot says now. The caller holds the lock.
func (s *Server) tell(kind sim.SeenKind, m *message) {
	if s.opt.Observe == nil || m.author != s.bot.ID || !m.human() || m.flags&flagEphemeral != 0 {
		return
	}
	text := ""
	if kind != sim.Deleted {
		text = m.flat()
	}
	s.opt.Observe.Tell(kind, refOf(m.channel, m.id), time.Now(), text)
}

func embedTexts(raw json.RawMessage) []string {
	var embeds []embed
	if len(raw) == 0 || json.Unmarshal(raw, &embeds) != nil {
		return nil
	}
	var out []string
	for _, e := range embeds {
		for _, t := range e.texts() {
			if t != "" {
				out = append(out, t)
			}
		}
	}
	return out
}

func componentTexts(raw json.RawMessage) []string {
	var list []component
	if len(raw) == 0 || json.Unmarshal(raw, &list) != nil {
		return nil
	}
	var out []string
	walkComponents(list, func(c *component) {
		if c.Type == componentText {
			out = append(out, c.Content)
		}
	})
	return out
}
