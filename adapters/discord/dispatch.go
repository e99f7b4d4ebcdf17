package discord

import (
	"context"
	"encoding/json"
	"log/slog"
)

// dispatch takes one gateway event. Types that are not listed are of no concern; what cannot be decoded is logged and
// passed over, since it would be the same when it came again.
// Source: https://docs.discord.com/developers/events/gateway-events
func (r *runner) dispatch(ctx context.Context, f frame, s session) error {
	switch f.Type {
	case "READY":
		return r.ready(f, s)
	case "MESSAGE_CREATE":
		return r.message(ctx, f)
	case "MESSAGE_UPDATE":
		return r.edited(ctx, f)
	case "MESSAGE_DELETE", "MESSAGE_DELETE_BULK":
		return r.deleted(ctx, f)
	case "MESSAGE_REACTION_ADD", "MESSAGE_REACTION_REMOVE":
		return r.reaction(ctx, f, s)
	case "MESSAGE_REACTION_REMOVE_ALL", "MESSAGE_REACTION_REMOVE_EMOJI":
		return r.cleared(ctx, f, s)
	case "INTERACTION_CREATE":
		return r.interaction(ctx, f)
	case "GUILD_CREATE":
		return r.guild(f)
	}
	r.directory(f)
	return nil
}

// decode reads an event's data; false, with a line in the log, if it is not what it should be.
func decode[T any](r *runner, f frame) (v T, ok bool) {
	if err := json.Unmarshal(f.Data, &v); err != nil {
		r.log.Warn("event passed over", slog.String("type", clip(f.Type, 60)), slog.Any("err", err))
		return v, false
	}
	return v, true
}

// ready begins a new session: what was missed since the last one is in the history. Servers follow, each as GUILD_CREATE.
func (r *runner) ready(f frame, s session) error {
	r.p.dir.identify(s.Bot, s.App)
	if w, ok := decode[wireReady](r, f); ok {
		r.positions.await(w.Guilds)
	}
	r.positions.soon() // the stored session has become useless
	if r.lookback() > 0 {
		own := r.marks.lately("", r.oldest())
		list := r.positions.direct()
		for i := range list {
			list[i].ownBefore = own[list[i].channel.id]
		}
		r.catchup.add(list)
	}
	return nil
}

// guild takes in a server with its channels and active threads, and catches up what is behind. It comes after READY, when
// the bot joins, and when a server is back from an outage.
func (r *runner) guild(f frame) error {
	w, ok := decode[wireGuild](r, f)
	if !ok || !isID(w.ID) || w.Unavailable {
		return nil
	}
	r.p.dir.putGuild(&w)
	r.p.api.permit()
	found, err := r.positions.open(w.ID, r.p.dir.inGuild(w.ID))
	if err != nil {
		return err
	}
	kept := found[:0]
	for _, b := range found {
		if b.newest > r.oldest() && r.p.dir.canReadHistory(&b.channel) {
			kept = append(kept, b)
		}
	}
	r.catchup.add(r.withOwn(w.ID, kept))
	return nil
}

// withOwn adds the channels of a server in which the bot has written lately: what it wrote may have got reactions, or lost some.
func (r *runner) withOwn(guildID string, found []behind) []behind {
	own := r.marks.lately(guildID, r.oldest())
	for i := range found {
		found[i].ownBefore = own[found[i].channel.id]
		delete(own, found[i].channel.id)
	}
	for id, last := range own {
		ch, known := r.p.dir.channel(id)
		if !known { // archived meanwhile, or gone
			ch = channel{id: id, guild: guildID, kind: unknownKind}
		}
		if known && !r.p.dir.canReadHistory(&ch) {
			continue
		}
		after := r.positions.of(&ch)
		if after == 0 { // handled as far as the server is, and not behind
			after = max(last, ch.last)
		}
		found = append(found, behind{channel: ch, after: after, ownBefore: last})
	}
	return found
}

func (r *runner) message(ctx context.Context, f frame) error {
	m, err := decodeMessage(f.Data)
	if err != nil || !isID(m.ID) || !isID(m.ChannelID) {
		r.log.Warn("message passed over", slog.Any("err", err))
		return nil
	}
	ch, err := r.channel(ctx, m.ChannelID, m.GuildID)
	if err != nil {
		return err
	}
	if m.Author != nil && m.Author.ID == r.p.dir.me() {
		r.marks.wrote(&ch, idOf(m.ID))
	}
	h := heldEvent{id: idOf(m.ID)}
	if ev, ok := r.p.messageEvent(&m, &ch); ok {
		h.ev = &ev
	}
	return r.deliver(ctx, &ch, h)
}

func (r *runner) edited(ctx context.Context, f frame) error {
	m, err := decodeMessage(f.Data)
	if err != nil || !isID(m.ID) || !isID(m.ChannelID) || m.EditedTimestamp == nil {
		return nil
	}
	ch, err := r.channel(ctx, m.ChannelID, m.GuildID)
	if err != nil {
		return err
	}
	ev, ok := r.p.editEvent(&m, &ch)
	if !ok {
		return nil
	}
	return r.deliver(ctx, &ch, heldEvent{ev: &ev})
}

func (r *runner) deleted(ctx context.Context, f frame) error {
	d, ok := decode[wireDelete](r, f)
	if !ok || !isID(d.ChannelID) {
		return nil
	}
	ch, err := r.channel(ctx, d.ChannelID, d.GuildID)
	if err != nil {
		return err
	}
	for _, id := range append(d.IDs, d.ID) {
		ev, ok := r.p.deleteEvent(id, &ch)
		if !ok {
			continue
		}
		if err := r.deliver(ctx, &ch, heldEvent{ev: &ev}); err != nil {
			return err
		}
	}
	return nil
}

func (r *runner) reaction(ctx context.Context, f frame, s session) error {
	w, ok := decode[wireReaction](r, f)
	if !ok || !isID(w.ChannelID) {
		return nil
	}
	added := f.Type == "MESSAGE_REACTION_ADD"
	// Most reactions are to other people's messages: judged before anything is looked up.
	if _, ok := r.p.reactionEvent(&w, &channel{id: w.ChannelID, guild: w.GuildID, kind: unknownKind}, added, s.ID, f.Seq); !ok {
		return nil
	}
	ch, err := r.channel(ctx, w.ChannelID, w.GuildID)
	if err != nil {
		return err
	}
	ev, _ := r.p.reactionEvent(&w, &ch, added, s.ID, f.Seq)
	return r.deliver(ctx, &ch, heldEvent{ev: &ev})
}

// channel resolves a channel, trying again for a while: an event in the wrong place would be worse than a late one.
func (r *runner) channel(ctx context.Context, id, guildID string) (ch channel, err error) {
	if ch, err = r.p.resolve(ctx, id, guildID); err == nil {
		return ch, nil
	}
	err = r.retry(ctx, func() error {
		ch, err = r.p.resolve(ctx, id, guildID)
		return err
	})
	return ch, err
}

// deliver hands an event to the host, unless its channel is being caught up: then it waits there.
func (r *runner) deliver(ctx context.Context, ch *channel, h heldEvent) error {
	if r.catchup.hold(ch.id, h) {
		return nil
	}
	if h.ev != nil {
		if err := r.accept(ctx, *h.ev); err != nil {
			return err
		}
	}
	r.positions.advance(ch, h.id)
	return nil
}

// directory takes in what changes the servers, channels, roles and threads.
func (r *runner) directory(f frame) {
	dir := r.p.dir
	switch f.Type {
	case "CHANNEL_UPDATE", "GUILD_ROLE_CREATE", "GUILD_ROLE_UPDATE", "GUILD_ROLE_DELETE", "GUILD_MEMBER_UPDATE":
		r.p.api.permit() // what was refused may be granted now
	}
	switch f.Type {
	case "GUILD_UPDATE":
		if w, ok := decode[wireGuild](r, f); ok {
			dir.describeGuild(&w)
		}
	case "GUILD_DELETE":
		if w, ok := decode[wireGuild](r, f); ok && !w.Unavailable { // else an outage: what is known stays
			dir.dropGuild(w.ID)
		}
	case "CHANNEL_CREATE", "CHANNEL_UPDATE", "THREAD_CREATE", "THREAD_UPDATE":
		if w, ok := decode[wireChannel](r, f); ok {
			dir.putChannel(&w, "")
		}
	case "CHANNEL_DELETE", "THREAD_DELETE":
		if w, ok := decode[wireChannel](r, f); ok {
			dir.dropChannel(w.ID)
		}
	case "THREAD_LIST_SYNC":
		w, ok := decode[struct {
			GuildID string               `json:"guild_id"`
			Threads lenient[wireChannel] `json:"threads"`
		}](r, f)
		if ok {
			for i := range w.Threads {
				dir.putChannel(&w.Threads[i], w.GuildID)
			}
		}
	case "GUILD_ROLE_CREATE", "GUILD_ROLE_UPDATE":
		w, ok := decode[struct {
			GuildID string   `json:"guild_id"`
			Role    wireRole `json:"role"`
		}](r, f)
		if ok {
			dir.putRole(w.GuildID, w.Role)
		}
	case "GUILD_ROLE_DELETE":
		w, ok := decode[struct {
			GuildID string `json:"guild_id"`
			RoleID  string `json:"role_id"`
		}](r, f)
		if ok {
			dir.dropRole(w.GuildID, w.RoleID)
		}
	case "GUILD_MEMBER_UPDATE": // without the members intent: of the bot itself
		w, ok := decode[struct {
			GuildID string    `json:"guild_id"`
			Roles   []string  `json:"roles"`
			User    *wireUser `json:"user"`
		}](r, f)
		if ok && w.User != nil && w.User.ID == dir.me() {
			dir.putOwnRoles(w.GuildID, w.Roles)
		}
	}
}
