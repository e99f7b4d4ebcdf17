package slack

import (
	"context"
	"encoding/json"
	"strings"

	slackgo "github.com/slack-go/slack"

	"github.com/clickai/bridge/core"
)

// page is one page of a history.
type page struct {
	Messages []json.RawMessage `json:"messages"`
	HasMore  bool              `json:"has_more"`
	Metadata struct {
		NextCursor string `json:"next_cursor"`
	} `json:"response_metadata"`
}

func (g *page) next() string {
	if !g.HasMore {
		return ""
	}
	return g.Metadata.NextCursor
}

// decode reads the messages one by one: one that is odd does not spoil the page.
func (g *page) decode(room string) []message {
	all := make([]message, 0, len(g.Messages))
	for _, raw := range g.Messages {
		var m message
		if lenient(raw, &m) == nil && isTS(m.TS) {
			m.Channel = room
			all = append(all, m)
		}
	}
	return all
}

// span is a part of a history, without its ends; "" is open.
type span struct{ oldest, latest string }

// replies reads one page of a thread, oldest first. The first message of the thread comes with every page.
// Source: https://docs.slack.dev/reference/methods/conversations.replies
func (p *Platform) replies(ctx context.Context, op, room, thread string, of span, cursor string, use turn) (page, error) {
	var out page
	_, err := p.call(ctx, op, use, func(ctx context.Context) error {
		_, _, _, err := p.api.GetConversationRepliesContext(ctx, &slackgo.GetConversationRepliesParameters{
			ChannelID: room, Timestamp: thread, Oldest: of.oldest, Latest: of.latest, Cursor: cursor, Limit: pageSize,
		})
		return err //nolint:wrapcheck // call classifies it
	}, &out)
	return out, err
}

// ThreadBefore returns the last messages of a thread before m, oldest first. Slack gives threads from their beginning on,
// so a long one is read through, up to a bound. Joins and the like are left out.
func (p *Platform) ThreadBefore(ctx context.Context, m core.MessageRef, limit int) ([]core.PastMessage, error) {
	const op = "slack.ThreadBefore"
	switch {
	case !isMessage(m):
		return nil, invalid(op, errBadRef)
	case m.Thread == "" || limit <= 0:
		return nil, nil
	}
	me, err := p.me(ctx)
	if err != nil {
		return nil, err
	}
	var last []message
	cursor := ""
	for range maxPages {
		got, err := p.replies(ctx, op, m.Room, m.Thread, span{latest: m.ID}, cursor, method("conversations.replies"))
		if err != nil {
			if len(last) > 0 && core.ClassOf(err) == core.RateLimited {
				break // apps that are sold outside Slack's marketplace may read one page a minute
			}
			return nil, err
		}
		for _, one := range got.decode(m.Room) {
			if before(one.TS, m.ID) && (len(last) == 0 || before(last[len(last)-1].TS, one.TS)) && said(&one) {
				last = append(last, one)
			}
		}
		if extra := len(last) - limit; extra > 0 {
			last = append(last[:0], last[extra:]...)
		}
		if cursor = got.next(); cursor == "" {
			break
		}
	}
	ctx, cancel := context.WithTimeout(ctx, waitRead) // for all names together
	defer cancel()
	names := p.names(ctx, "")
	past := make([]core.PastMessage, 0, len(last))
	for i := range last {
		one := &last[i]
		own := one.User == me.user || one.BotID != "" && one.BotID == me.bot
		from := core.User{ID: one.User, Name: one.Username}
		if one.User != "" {
			from = p.sender(ctx, one.User, one.home(), me.team)
		}
		if from.Name == "" {
			from.Name = one.Username
		}
		text := names.plain(strings.TrimSpace(one.own() + "\n" + one.quoted()))
		if text == "" && len(one.Files) > 0 {
			text = "[" + fileName(one.Files[0].Name, one.Files[0].MIME) + "]"
		}
		if text != "" {
			past = append(past, core.PastMessage{ID: one.TS, From: from, Text: text, Bot: own})
		}
	}
	return past, nil
}

// said tells whether somebody said something in a message.
func said(m *message) bool { return subtypes[m.Subtype] || m.Subtype == "bot_message" }

// before compares timestamps. They are read as numbers: their seconds may grow by a digit.
func before(a, b string) bool {
	x, ok1 := microOf(a)
	y, ok2 := microOf(b)
	return ok1 && ok2 && x < y
}
