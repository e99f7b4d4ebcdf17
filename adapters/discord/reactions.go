package discord

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"

	"github.com/bwmarrin/discordgo"

	"github.com/clickai/bridge/core"
)

// ownMessage is a message of the bot's as a history shows it.
type ownMessage struct {
	id        string
	reactions []wireReactionCount
}

// remember keeps the bot's own messages of a page, whose reactions are compared when the channel has been read.
func (job *backlog) remember(me string, m *wireMessage) {
	if m.Author == nil || m.Author.ID != me || me == "" {
		return
	}
	if i := slices.IndexFunc(job.own, func(o ownMessage) bool { return o.id == m.ID }); i >= 0 {
		job.own[i].reactions = m.Reactions
		return
	}
	job.own = append(job.own, ownMessage{id: m.ID, reactions: m.Reactions})
	if len(job.own) > 2*pageSize { // the newest are kept
		slices.SortFunc(job.own, func(a, b ownMessage) int { return cmp.Compare(idOf(b.id), idOf(a.id)) })
		job.own = job.own[:pageSize]
	}
}

// reacted is one emoji under one message, as a history tells it and as the host knows it.
type reacted struct {
	message string
	emoji   string   // as in core.Reaction
	ids     []string // as requests name it: an emoji may have several forms, of skin tones
	burst   bool     // some are super reactions, which are listed apart
	count   int      // by others than the bot
	known   []mark
}

// reactions compares the reactions to the bot's messages with those that the host knows of, and hands on the difference: in
// the pages that were read, and in the last page before the gap. The messages are those of the time that is caught up. Who has
// reacted is asked for at most maxReactionLists times, first where the numbers differ.
func (c *catchup) reactions(ctx context.Context, job *backlog) error {
	me, oldest := c.r.p.dir.me(), c.r.oldest()
	if job.ownBefore > oldest {
		page, _, err := c.r.p.page(ctx, "discord.CatchUp", job.channel.id, "before", (job.start + 1).String(), true)
		if err != nil {
			return err
		}
		for i := range page {
			job.remember(me, &page[i])
		}
	}
	var differ, same []reacted
	slices.SortFunc(job.own, func(a, b ownMessage) int { return cmp.Compare(idOf(b.id), idOf(a.id)) })
	for i := range job.own {
		if idOf(job.own[i].id) < oldest {
			break
		}
		for _, one := range c.compare(job.channel.id, &job.own[i]) {
			if one.count != len(one.known) {
				differ = append(differ, one)
			} else {
				same = append(same, one)
			}
		}
	}
	lists := 0
	for _, one := range append(differ, same...) {
		if one.count > 0 {
			if lists++; lists > maxReactionLists {
				c.r.log.Warn("reactions not caught up: too many", slog.String("channel", job.channel.id))
				break
			}
		}
		if err := c.settle(ctx, job, &one); err != nil {
			return err
		}
	}
	return nil
}

// compare lists the emoji under a message, and those that the host knows of and that are there no more.
func (c *catchup) compare(channelID string, m *ownMessage) []reacted {
	var found []reacted
	at := func(emoji string) *reacted {
		i := slices.IndexFunc(found, func(r reacted) bool { return r.emoji == emoji })
		if i < 0 {
			found = append(found, reacted{message: m.id, emoji: emoji})
			i = len(found) - 1
		}
		return &found[i]
	}
	for _, n := range m.reactions {
		emoji := emojiOf(&n.Emoji)
		if emoji == "" {
			continue
		}
		one := at(emoji)
		id := n.Emoji.Name
		if n.Emoji.ID != "" {
			id += ":" + n.Emoji.ID
		}
		one.ids = append(one.ids, id)
		one.burst = one.burst || n.Details.Burst > 0
		one.count += max(0, n.Count)
		for _, own := range []bool{n.Me, n.MeBurst} {
			if own {
				one.count--
			}
		}
	}
	for _, k := range c.r.marks.under(channelID, m.id) {
		one := at(k.Emoji)
		one.known = append(one.known, k)
	}
	return found
}

// settle hands on how the reactions with one emoji differ from those that the host knows of. Nobody tells when they were put or
// taken back: it is taken to be when the gap was found, so that what comes by the gateway afterwards counts more.
func (c *catchup) settle(ctx context.Context, job *backlog, one *reacted) error {
	there, whole := map[string]wireUser{}, true
	var order []string
	if one.count > 0 {
		for _, id := range one.ids {
			for _, burst := range []bool{false, true} {
				if burst && !one.burst {
					continue
				}
				users, all, err := c.r.p.reactors(ctx, job.channel.id, one.message, id, burst)
				if lasting(err) { // the message has gone meanwhile, or is not for the bot
					c.r.log.Warn("reactions not caught up", slog.String("message_id", one.message), slog.Any("err", err))
					return nil
				}
				if err != nil {
					return err
				}
				whole = whole && all
				for _, u := range users {
					if _, twice := there[u.ID]; !twice {
						there[u.ID] = u
						order = append(order, u.ID)
					}
				}
			}
		}
	}
	hand := func(u core.User, added bool) error {
		what := "del"
		if added {
			what = "add"
		}
		ev := c.r.p.event(core.KindReaction, fmt.Sprintf("r:%s:%s:%s:%s:%d", one.message, u.ID, clip(one.emoji, 60), what, job.since.UnixMilli()),
			one.message, &job.channel)
		ev.Sender, ev.SentAt = u, job.since
		ev.Reaction = &core.Reaction{Emoji: one.emoji, Added: added}
		return c.r.accept(ctx, ev)
	}
	for _, id := range order {
		u := there[id]
		if !isID(id) || u.Bot || id == c.r.p.dir.me() || slices.ContainsFunc(one.known, func(m mark) bool { return m.User == id }) {
			continue
		}
		if err := hand(person(&u, nil), true); err != nil {
			return err
		}
	}
	for _, m := range one.known {
		if _, still := there[m.User]; still || !whole {
			continue
		}
		if err := hand(core.User{ID: m.User, Key: userKey(m.User)}, false); err != nil {
			return err
		}
	}
	return nil
}

// reactors lists who has reacted to a message with an emoji; all says that nobody is missing.
// Source: https://docs.discord.com/developers/resources/message#get-reactions
func (p *Platform) reactors(ctx context.Context, channelID, messageID, emoji string, burst bool) (users []wireUser, all bool, err error) {
	q := url.Values{"limit": {strconv.Itoa(pageSize)}}
	if burst {
		q.Set("type", "1")
	}
	for range maxReactorPages {
		var page lenient[wireUser]
		err := p.api.do(ctx, call{
			op: "discord.CatchUp", method: http.MethodGet, route: "reactions", major: channelID, aside: true, wait: waitRead,
			url: discordgo.EndpointMessageReactions(channelID, messageID, url.PathEscape(emoji)) + "?" + q.Encode(),
		}, &page)
		if err != nil {
			return nil, false, err
		}
		users = append(users, page...)
		if len(page) < pageSize {
			return users, true, nil
		}
		q.Set("after", page[len(page)-1].ID)
	}
	return users, false, nil
}

// emojiOf is an emoji as in [core.Reaction].
func emojiOf(e *wireEmoji) string {
	if e.ID != "" && e.Name != "" {
		return ":" + e.Name + ":"
	}
	return core.BaseEmoji(e.Name)
}

// cleared tells that all reactions to a message, or all with one emoji, were removed: whose they were, Discord does not say, but
// the host knows of some.
// Source: https://docs.discord.com/developers/events/gateway-events#message-reaction-remove-all
func (r *runner) cleared(ctx context.Context, f frame, s session) error {
	w, ok := decode[wireReaction](r, f)
	if !ok || !isID(w.ChannelID) || !isID(w.MessageID) {
		return nil
	}
	known := r.marks.under(w.ChannelID, w.MessageID)
	if f.Type == "MESSAGE_REACTION_REMOVE_EMOJI" {
		emoji := emojiOf(&w.Emoji)
		known = slices.DeleteFunc(known, func(m mark) bool { return m.Emoji != emoji })
	}
	if len(known) == 0 {
		return nil
	}
	ch, err := r.channel(ctx, w.ChannelID, w.GuildID)
	if err != nil {
		return err
	}
	for _, m := range known {
		key := fmt.Sprintf("r:%s:%d:%s:%s", clip(s.ID, 80), f.Seq, m.User, clip(m.Emoji, 60))
		ev := r.p.event(core.KindReaction, key, m.Message, &ch)
		ev.Sender = core.User{ID: m.User, Key: userKey(m.User)}
		ev.Reaction = &core.Reaction{Emoji: m.Emoji}
		ev.SentAt = time.Now().UTC()
		if err := r.deliver(ctx, &ch, heldEvent{ev: &ev}); err != nil {
			return err
		}
	}
	return nil
}
