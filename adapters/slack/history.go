package slack

import (
	"context"
	"slices"

	slackgo "github.com/slack-go/slack"

	"github.com/clickai/bridge/core"
)

// decode is what happened to a message since the gap began: that it was written, edited, or deleted where that has left a
// mark, and how people reacted to it if it is the bot's.
func (c *catchup) decode(ctx context.Context, m *message, g gap) (found []core.Event) {
	ctx, cancel := context.WithTimeout(ctx, c.r.p.times.lookup)
	defer cancel()
	d, oldest := c.r.decoder, tsOf(g.from)
	add := func(ev core.Event, ok bool) {
		if ok {
			found = append(found, ev)
		}
	}
	switch {
	case m.Subtype == "tombstone":
		add(d.deleted(m.TS, m, ""))
		return found
	case m.by(d.me):
		return c.reactions(ctx, m, g)
	case before(oldest, m.TS):
		add(d.posted(ctx, m, ""))
	}
	if m.Edited != nil && before(oldest, m.Edited.TS) {
		add(d.edited(ctx, m, m, ""))
	}
	return found
}

// reactions is how the reactions to a message of the bot's differ from those that the host knows of. A history does not
// tell when they were put: it is taken to be the beginning of the gap, so that what was seen after it counts more.
func (c *catchup) reactions(ctx context.Context, m *message, g gap) (found []core.Event) {
	known, at := c.r.marks.under(m.Channel, m.TS), tsOf(g.since)
	there, whole := map[mark]bool{}, true
	for _, r := range m.Reactions {
		whole = whole && r.Count <= len(r.Users)
		for _, user := range r.Users {
			one := mark{m.Channel, m.TS, user, emojiOf(r.Name)}
			if !isID(user) || user == c.r.decoder.me.user || r.Name == "" || there[one] {
				continue
			}
			there[one] = true
			if !slices.Contains(known, one) {
				found = append(found, c.r.decoder.reacted(ctx, one, true, at, ""))
			}
		}
	}
	for _, one := range known {
		if whole && !there[one] {
			found = append(found, c.r.decoder.reacted(ctx, one, false, at, ""))
		}
	}
	return found
}

// turn is that of a call that reads a room. It goes ahead of other work when somebody waits there.
func (c *catchup) turn(room, name string) turn {
	t := method(name).patient()
	_, since := c.r.held.threads(room)
	t.refresh = since.IsZero()
	return t
}

// history reads a room back to oldest, by whole pages. active are the threads with later replies, among those that the pages
// show.
// Source: https://docs.slack.dev/reference/methods/conversations.history
func (c *catchup) history(ctx context.Context, room, oldest string) (found []message, active []string, err error) {
	cursor := ""
	for range maxPages {
		var got page
		err := c.patiently(ctx, func() error {
			use := c.turn(room, "conversations.history")
			got = page{}
			_, err := c.r.p.call(ctx, "slack.CatchUp", use, func(ctx context.Context) error {
				_, err := c.r.p.api.GetConversationHistoryContext(ctx, &slackgo.GetConversationHistoryParameters{
					ChannelID: room, Cursor: cursor, Limit: pageSize,
				})
				return err //nolint:wrapcheck // call classifies it
			}, &got)
			return err
		})
		if err != nil {
			return nil, nil, err
		}
		past := false
		for _, m := range got.decode(room) { // newest first
			found = append(found, m)
			past = past || !before(oldest, m.TS)
			if before(oldest, m.LatestReply) {
				active = append(active, m.TS)
			}
		}
		if cursor = got.next(); cursor == "" || past {
			break
		}
	}
	return found, active, nil
}

// thread reads the replies of a thread since oldest, and its first message.
func (c *catchup) thread(ctx context.Context, room, thread, oldest string) (found []message, err error) {
	cursor := ""
	for range maxPages {
		var got page
		err := c.patiently(ctx, func() (err error) {
			got, err = c.r.p.replies(ctx, "slack.CatchUp", room, thread, span{oldest: oldest}, cursor, c.turn(room, "conversations.replies"))
			return err
		})
		if err != nil {
			return nil, err
		}
		found = append(found, got.decode(room)...)
		if cursor = got.next(); cursor == "" {
			break
		}
	}
	return found, nil
}
