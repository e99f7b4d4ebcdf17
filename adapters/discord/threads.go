package discord

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"unicode"

	"github.com/bwmarrin/discordgo"

	"github.com/clickai/bridge/core"
)

// OpenThread opens a thread from the question. Where the channel knows no threads, the bot lacks the permission, or the
// question is gone, it returns the question's own place.
// Source: https://docs.discord.com/developers/resources/channel#start-thread-from-message
func (p *Platform) OpenThread(ctx context.Context, question core.MessageRef, name string) (core.Place, error) {
	const op = "discord.OpenThread"
	if question.Thread != "" {
		return question.Place, nil
	}
	if !isID(question.Room) || !isID(question.ID) {
		return core.Place{}, invalid(op, errBadID)
	}
	var thread wireChannel
	err := p.api.do(ctx, call{
		op: op, method: http.MethodPost, url: discordgo.EndpointChannelMessageThread(question.Room, question.ID),
		route: "threads", major: question.Room, wait: waitPost,
		body: struct {
			Name    string `json:"name"`
			Archive int    `json:"auto_archive_duration"`
		}{threadName(name), archiveAfter},
	}, &thread)
	// A thread has the id of the message that it was opened from.
	opened := core.Place{Room: question.Room, Thread: question.ID}
	switch {
	case err == nil:
		if room, ok := p.dir.channel(question.Room); ok && isID(thread.ID) {
			p.dir.putChannel(&thread, room.guild)
		}
		return opened, nil
	case codeOf(err) == discordgo.ErrCodeThreadAlreadyCreatedForThisMessage:
		return opened, nil
	case lasting(err):
		return question.Place, nil
	}
	return core.Place{}, err
}

// threadName makes a name that Discord takes: one line of 1 to 100 characters.
func threadName(s string) string {
	s = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || r == '\u2028' || r == '\u2029' {
			return ' '
		}
		return r
	}, token.ReplaceAllString(s, ""))
	s = strings.Join(strings.Fields(s), " ")
	if s == "" {
		return "Question"
	}
	if utf16Len(s) <= maxThreadName {
		return s
	}
	// Cut at a blank if there is one in the last third.
	out := strings.TrimSuffix(clipUnits(s, maxThreadName), "…")
	if i := strings.LastIndexByte(out, ' '); i > len(out)*2/3 {
		out = out[:i]
	}
	if out == "" { // one single character of more than a hundred code points
		return "Question"
	}
	return out + "…"
}

func utf16Len(s string) int {
	n := 0
	for _, r := range s {
		n++
		if r > 0xFFFF {
			n++
		}
	}
	return n
}

// ThreadBefore returns what was written in a thread ahead of a message. A thread's first message is the one that it was
// opened from; it stands in the room, and a copy leads to it.
func (p *Platform) ThreadBefore(ctx context.Context, m core.MessageRef, limit int) ([]core.PastMessage, error) {
	const op = "discord.ThreadBefore"
	if m.Thread == "" || limit <= 0 {
		return nil, nil
	}
	if !isID(m.Thread) || !isID(m.ID) {
		return nil, invalid(op, errBadID)
	}
	me, err := p.me(ctx)
	if err != nil {
		return nil, err
	}
	ch, known := p.dir.channel(m.Thread)
	if !known {
		room, _ := p.dir.channel(m.Room)
		ch = channel{id: m.Thread, parent: m.Room, guild: room.guild, kind: discordgo.ChannelTypeGuildPublicThread}
	}
	var past []core.PastMessage
	before := m.ID
	for len(past) < limit {
		page, more, err := p.page(ctx, op, m.Thread, "before", before, false)
		if err != nil {
			return nil, err
		}
		for i := range page { // newest first
			if len(past) == limit {
				break
			}
			if one, ok := p.pastMessage(&page[i], &ch, me); ok {
				past = append(past, one)
			}
			before = page[i].ID
		}
		if !more || len(page) == 0 {
			break
		}
	}
	slices.Reverse(past)
	return past, nil
}

func (p *Platform) pastMessage(m *wireMessage, ch *channel, me string) (core.PastMessage, bool) {
	if m.Type == discordgo.MessageTypeThreadStarterMessage && m.Referenced != nil {
		m = m.Referenced
	}
	if m.Author == nil || m.Type != discordgo.MessageTypeDefault && m.Type != discordgo.MessageTypeReply {
		return core.PastMessage{}, false
	}
	text := p.text(m, ch)
	if text == "" {
		return core.PastMessage{}, false
	}
	return core.PastMessage{ID: m.ID, From: person(m.Author, m.Member), Text: text, Bot: m.Author.ID == me}, true
}

// page reads up to pageSize messages of a channel, newest first. which is "before" or "after"; more says that the page was
// full. Each message is decoded by itself, so that an odd one does not cost the page. aside: nobody waits for it.
func (p *Platform) page(ctx context.Context, op, channelID, which, id string, aside bool) (page []wireMessage, more bool, err error) {
	var raw []json.RawMessage
	address := fmt.Sprintf("%s?limit=%d&%s=%s", discordgo.EndpointChannelMessages(channelID), pageSize, which, id)
	err = p.api.do(ctx, call{
		op: op, method: http.MethodGet, url: address, route: "messages", major: channelID, aside: aside, wait: waitRead,
	}, &raw)
	if err != nil {
		return nil, false, err
	}
	page = make([]wireMessage, 0, len(raw))
	for _, r := range raw {
		if m, err := decodeMessage(r); err == nil && isID(m.ID) {
			page = append(page, m)
		}
	}
	slices.SortFunc(page, func(a, b wireMessage) int { return cmp.Compare(idOf(b.ID), idOf(a.ID)) })
	return page, len(raw) >= pageSize, nil
}
