package discord

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"time"
)

func goodName(name string) bool {
	n := length(strings.TrimSpace(name))
	return n >= 1 && n <= maxThreadName
}

func goodArchive(minutes int) bool { return slices.Contains([]int{60, 1440, 4320, 10080}, minutes) }

type threadStart struct {
	Name        string          `json:"name"`
	AutoArchive *int            `json:"auto_archive_duration"`
	Type        *int            `json:"type"`
	Message     json.RawMessage `json:"message"`
	Slowmode    int             `json:"rate_limit_per_user"`
}

func (c *call) threadStart() (*threadStart, *apiError) {
	in := &threadStart{}
	if err := c.decode(in); err != nil {
		return nil, err
	}
	f := form{}
	if !goodName(in.Name) {
		f.badLength("name", 1, maxThreadName)
	}
	if in.AutoArchive != nil && *in.AutoArchive != 0 && !goodArchive(*in.AutoArchive) {
		f.add("auto_archive_duration", "BASE_TYPE_CHOICES", "Value must be one of (60, 1440, 4320, 10080).")
	}
	if err := f.err(); err != nil {
		return nil, err
	}
	return in, nil
}

// startThreadFromMessage: https://docs.discord.com/developers/resources/channel#start-thread-from-message
func startThreadFromMessage(c *call) (int, any, error) {
	m, err := c.message(ViewChannel)
	if err != nil {
		return 0, nil, err
	}
	ch := m.channel
	if ch.typ != typeText && ch.typ != typeAnnouncement {
		return 0, nil, errChannelType
	}
	if err := c.s.require(ch, CreatePublicThreads); err != nil {
		return 0, nil, err
	}
	in, err := c.threadStart()
	if err != nil {
		return 0, nil, err
	}
	if !m.human() {
		return 0, nil, errSystemMessage
	}
	if m.flags&flagHasThread != 0 || c.s.channels[m.id] != nil {
		return 0, nil, errThreadExists
	}
	t, err := c.s.openThread(m, c.s.bot, in)
	if err != nil {
		return 0, nil, err
	}
	return http.StatusCreated, c.s.channelObject(t), nil
}

var errTooManyThreads = &apiError{status: http.StatusBadRequest, code: 160006, message: "Maximum number of active threads reached"}

// newThread makes a thread's channel and tells it.
func (s *Server) newThread(id string, parent *channel, typ int, owner *user, in *threadStart) (*channel, *apiError) {
	active := 0
	for _, id := range s.threads {
		if t := s.channels[id]; t != nil && !t.archived {
			active++
		}
	}
	if active >= maxThreads {
		return nil, errTooManyThreads
	}
	now := time.Now()
	t := &channel{
		id: id, guild: s.guild.ID, parent: parent.id, typ: typ, name: strings.TrimSpace(in.Name), owner: owner.ID,
		autoArchive: 4320, archivedAt: now, since: now, slowmode: in.Slowmode, members: map[string]bool{owner.ID: true},
	}
	if in.AutoArchive != nil && *in.AutoArchive != 0 {
		t.autoArchive = *in.AutoArchive
	}
	s.channels[id] = t
	s.threads = append(s.threads, id)
	if parent.typ == typeForum {
		parent.last = id
	}
	s.trimThreads()
	o := s.channelObject(t)
	o["newly_created"] = true
	s.dispatchChannel("THREAD_CREATE", t, guildIntents, o)
	return t, nil
}

// maxKeptThreads bounds the threads kept, archived ones included; the oldest archived ones go.
const maxKeptThreads = 10 * maxThreads

func (s *Server) trimThreads() {
	for i := 0; len(s.threads) > maxKeptThreads && i < len(s.threads); i++ {
		if t := s.channels[s.threads[i]]; t == nil || t.archived {
			delete(s.channels, s.threads[i])
			s.threads = slices.Delete(s.threads, i, i+1)
			return
		}
	}
}

// openThread makes the thread of a message. They share one id; the message gets a flag, the thread a first message
// that refers to it.
func (s *Server) openThread(m *message, owner *user, in *threadStart) (*channel, *apiError) {
	typ := typePublicThread
	if m.channel.typ == typeAnnouncement {
		typ = typeAnnouncementThread
	}
	t, err := s.newThread(m.id, m.channel, typ, owner, in)
	if err != nil {
		return nil, err
	}
	m.flags |= flagHasThread
	s.dispatchMessage("MESSAGE_UPDATE", m)
	now := time.Now()
	s.add(t, &message{
		id: s.ids.next(now), channel: t, author: m.author, typ: messageStarter, at: now,
		ref: &reference{message: m.id, channel: m.channel.id, guild: m.channel.guild},
	})
	return t, nil
}

// startThread makes a thread without a message, or a forum post.
// Source: https://docs.discord.com/developers/resources/channel#start-thread-without-message
func startThread(c *call) (int, any, error) {
	ch, err := c.channel(ViewChannel)
	if err != nil {
		return 0, nil, err
	}
	if ch.guild == "" || ch.isThread() {
		return 0, nil, errChannelType
	}
	in, err := c.threadStart()
	if err != nil {
		return 0, nil, err
	}
	if ch.typ == typeForum {
		return c.forumPost(ch, in)
	}
	typ := typePrivateThread // what v9 and v10 take when there is none
	if in.Type != nil {
		typ = *in.Type
	}
	need := CreatePublicThreads
	switch typ {
	case typePrivateThread:
		need = CreatePrivateThreads
	case typePublicThread, typeAnnouncementThread:
	default:
		return 0, nil, formError("type", "BASE_TYPE_CHOICES", "Value must be one of (10, 11, 12).")
	}
	if err := c.s.require(ch, need); err != nil {
		return 0, nil, err
	}
	now := time.Now()
	t, err := c.s.newThread(c.s.ids.next(now), ch, typ, c.s.bot, in)
	if err != nil {
		return 0, nil, err
	}
	if typ != typePrivateThread {
		c.s.add(ch, &message{
			id: c.s.ids.next(now), channel: ch, author: c.s.bot.ID, typ: messageThreadCreated, content: t.name, at: now,
			ref: &reference{channel: t.id, guild: ch.guild},
		})
	}
	return http.StatusCreated, c.s.channelObject(t), nil
}

// forumPost: https://docs.discord.com/developers/resources/channel#start-thread-in-forum-or-media-channel
func (c *call) forumPost(ch *channel, in *threadStart) (int, any, error) {
	if len(in.Message) == 0 || string(in.Message) == "null" {
		return 0, nil, formError("message", "BASE_TYPE_REQUIRED", "This field is required")
	}
	p, err := parsePayload(in.Message)
	if err != nil {
		return 0, nil, err
	}
	if err := c.s.require(ch, p.sendNeeds(ch, len(c.files))); err != nil {
		return 0, nil, err
	}
	if err := p.check(p.Flags&flagComponentsV2 != 0); err != nil {
		return 0, nil, err
	}
	if p.empty() && len(c.files) == 0 {
		return 0, nil, errEmptyMessage
	}
	t, err := c.s.newThread(c.s.ids.next(time.Now()), ch, typePublicThread, c.s.bot, in)
	if err != nil {
		return 0, nil, err
	}
	m, err := c.s.compose(t, p, &call{s: c.s, body: in.Message, files: c.files})
	if err != nil {
		return 0, nil, err
	}
	m.id = t.id // a post's first message shares the post's id
	c.s.add(t, m)
	o := c.s.channelObject(t)
	o["message"] = c.s.restMessage(m)
	return http.StatusCreated, o, nil
}

// unarchive opens a thread that somebody writes in.
func (s *Server) unarchive(ch *channel) {
	if !ch.archived {
		return
	}
	ch.archived = false
	ch.archivedAt = time.Now()
	s.dispatchChannelUpdate(ch)
}

// joinThread makes whoever writes in a thread a member of it.
func (s *Server) joinThread(ch *channel, u *user) {
	if !ch.isThread() || ch.members[u.ID] {
		return
	}
	ch.members[u.ID] = true
	s.dispatchMembers(ch, []any{threadMember(ch, u.ID)}, []string{}, u)
}

// dispatchMembers: without the members intent only what concerns the bot is told.
// Source: https://docs.discord.com/developers/events/gateway-events#thread-members-update
func (s *Server) dispatchMembers(ch *channel, added []any, removed []string, u *user) {
	o := map[string]any{"id": ch.id, "guild_id": ch.guild, "member_count": min(len(ch.members), 50)}
	if len(added) > 0 {
		o["added_members"] = added
	}
	if len(removed) > 0 {
		o["removed_member_ids"] = removed
	}
	intents := intentPair{guild: intentGuildMembers}
	if u == s.bot {
		intents = guildIntents
	}
	s.dispatchChannel("THREAD_MEMBERS_UPDATE", ch, intents, o)
}

func (c *call) thread() (*channel, *apiError) {
	ch, err := c.channel(ViewChannel)
	if err != nil {
		return nil, err
	}
	if !ch.isThread() {
		return nil, errChannelType
	}
	return ch, nil
}

func getThreadMembers(c *call) (int, any, error) {
	ch, err := c.thread()
	if err != nil {
		return 0, nil, err
	}
	if !c.s.opt.GuildMembers {
		return 0, nil, errMissingAccess
	}
	out := []any{}
	for id := range ch.members {
		out = append(out, threadMember(ch, id))
	}
	return http.StatusOK, out, nil
}

func (c *call) threadUser() (*user, *apiError) {
	id := c.param("user")
	if id == "@me" {
		return c.s.bot, nil
	}
	if u := c.s.users[id]; u != nil {
		return u, nil
	}
	return nil, errUnknownUser
}

func putThreadMember(c *call) (int, any, error) {
	ch, err := c.thread()
	if err != nil {
		return 0, nil, err
	}
	u, err := c.threadUser()
	if err != nil {
		return 0, nil, err
	}
	if ch.archived {
		return 0, nil, errArchived
	}
	c.s.joinThread(ch, u)
	c.s.notify.Notify()
	return http.StatusNoContent, noContent, nil
}

func deleteThreadMember(c *call) (int, any, error) {
	ch, err := c.thread()
	if err != nil {
		return 0, nil, err
	}
	u, err := c.threadUser()
	if err != nil {
		return 0, nil, err
	}
	if ch.archived {
		return 0, nil, errArchived
	}
	if u != c.s.bot {
		if err := c.s.require(ch, ManageThreads); err != nil {
			return 0, nil, err
		}
	}
	if ch.members[u.ID] {
		delete(ch.members, u.ID)
		c.s.dispatchMembers(ch, nil, []string{u.ID}, u)
	}
	return http.StatusNoContent, noContent, nil
}

// threadList: https://docs.discord.com/developers/resources/guild#list-active-guild-threads
func (s *Server) threadList(take func(*channel) bool) map[string]any {
	threads, members := []any{}, []any{}
	for _, id := range slices.Backward(s.threads) {
		t := s.channels[id]
		if t == nil || !s.sees(t) || !take(t) {
			continue
		}
		threads = append(threads, s.channelObject(t))
		if t.members[s.bot.ID] {
			members = append(members, threadMember(t, s.bot.ID))
		}
	}
	return map[string]any{"threads": threads, "members": members}
}

func getActiveThreads(c *call) (int, any, error) {
	if err := c.guild(); err != nil {
		return 0, nil, err
	}
	return http.StatusOK, c.s.threadList(func(t *channel) bool { return !t.archived }), nil
}

func getArchivedThreads(c *call) (int, any, error) {
	ch, err := c.channel(ReadMessageHistory)
	if err != nil {
		return 0, nil, err
	}
	out := c.s.threadList(func(t *channel) bool { return t.archived && t.parent == ch.id && t.typ != typePrivateThread })
	out["has_more"] = false
	return http.StatusOK, out, nil
}

// deleteChannel removes a channel or thread, its messages and threads.
func (s *Server) deleteChannel(ch *channel) {
	o := s.channelObject(ch)
	event := "CHANNEL_DELETE"
	if ch.isThread() {
		event = "THREAD_DELETE"
		o = map[string]any{"id": ch.id, "guild_id": ch.guild, "parent_id": ch.parent, "type": ch.typ}
	}
	s.dispatchChannel(event, ch, guildIntents, o)
	s.stopTyping(ch)
	for _, m := range ch.messages {
		for _, a := range m.attachments {
			s.forget(a)
		}
	}
	delete(s.channels, ch.id)
	s.rooms = slices.DeleteFunc(s.rooms, func(id string) bool { return id == ch.id })
	s.threads = slices.DeleteFunc(s.threads, func(id string) bool { return id == ch.id })
	for _, id := range slices.Clone(s.threads) {
		if t := s.channels[id]; t != nil && t.parent == ch.id {
			s.deleteChannel(t)
		}
	}
	s.notify.Notify()
}
