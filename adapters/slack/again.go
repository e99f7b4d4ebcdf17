package slack

import (
	"context"
	"errors"
	"time"

	slackgo "github.com/slack-go/slack"

	"github.com/clickai/bridge/core"
)

// taken looks for a message that an earlier try has posted already: by the nonce in its metadata; or, where the try was a
// stream, which bears none before it ends, as the only message of the bot's in the thread since then that bears none. A
// room that cannot be read keeps nothing from being posted: better an answer twice than none.
func (p *Platform) taken(ctx context.Context, op string, post core.Post) (found core.MessageRef, ok bool, err error) {
	me, err := p.me(ctx)
	if err != nil {
		return core.MessageRef{}, false, unposted(err)
	}
	since := time.Now().Add(-againBack)
	noted, streamed, err := p.notes.get(ctx, post.Nonce)
	if err != nil {
		return core.MessageRef{}, false, &core.Error{Op: op, Class: core.Transient, Err: err}
	}
	streamed = streamed && noted.File == "" && post.Place.Thread != ""
	if streamed {
		since = later(since, time.UnixMicro(noted.At).Add(-skew))
	}
	floor, cursor := tsOf(since), ""
	var bare []string // messages of the bot's without metadata
	for range maxAgain {
		got, err := p.withMetadata(ctx, op, post.Place, floor, cursor)
		switch {
		case err != nil && lasting(err):
			p.log.Warn("cannot look whether the message was posted already, posting it", logErr(err))
			return core.MessageRef{}, false, nil
		case err != nil:
			return core.MessageRef{}, false, unposted(err)
		}
		past := false
		for _, m := range got.decode(post.Place.Room) {
			switch {
			case m.TS == post.Place.Thread: // comes with every page of a thread
			case !before(floor, m.TS):
				past = true
			case !m.by(me):
			case m.Metadata.Type == ReplyEvent && m.Metadata.Payload.Nonce == post.Nonce:
				return core.MessageRef{Place: post.Place, ID: m.TS}, true, nil
			case streamed && m.Metadata.Type == "" && len(m.Files) == 0 && subtypes[m.Subtype]:
				if !p.streams.open(core.MessageRef{Place: post.Place, ID: m.TS}) {
					bare = append(bare, m.TS)
				}
			}
		}
		if cursor = got.next(); cursor == "" || past && post.Place.Thread == "" {
			break
		}
	}
	if len(bare) == 1 {
		return core.MessageRef{Place: post.Place, ID: bare[0]}, true, nil
	}
	return core.MessageRef{}, false, nil
}

// unposted is the error of a look: whatever became of it, nothing was posted.
func unposted(err error) error {
	if e, ok := errors.AsType[*core.Error](err); ok && e.Maybe {
		sure := *e
		sure.Maybe = false
		return &sure
	}
	return err
}

// by tells whether the bot has written a message.
func (m *message) by(me identity) bool {
	return m.User != "" && m.User == me.user || m.BotID != "" && m.BotID == me.bot
}

// withMetadata reads one page of a thread, oldest first, or of a room, newest first, with the metadata of the messages.
// Source: https://docs.slack.dev/messaging/message-metadata
func (p *Platform) withMetadata(ctx context.Context, op string, at core.Place, oldest, cursor string) (out page, err error) {
	if at.Thread != "" {
		_, err = p.call(ctx, op, method("conversations.replies"), func(ctx context.Context) error {
			_, _, _, err := p.api.GetConversationRepliesContext(ctx, &slackgo.GetConversationRepliesParameters{
				ChannelID: at.Room, Timestamp: at.Thread, Oldest: oldest, Cursor: cursor, Limit: pageSize, IncludeAllMetadata: true,
			})
			return err //nolint:wrapcheck // call classifies it
		}, &out)
		return out, err
	}
	_, err = p.call(ctx, op, method("conversations.history"), func(ctx context.Context) error {
		_, err := p.api.GetConversationHistoryContext(ctx, &slackgo.GetConversationHistoryParameters{
			ChannelID: at.Room, Cursor: cursor, Limit: pageSize, IncludeAllMetadata: true,
		})
		return err //nolint:wrapcheck // call classifies it
	}, &out)
	return out, err
}

// uploaded takes up an upload whose file Slack has stored already. done is false if there is none, or Slack does not know
// the file any more: then it is to be uploaded. Which message shows a file is known only some time after it was shared.
func (p *Platform) uploaded(ctx context.Context, op string, at core.Place, nonce, name string) (ref core.MessageRef, done bool, err error) {
	noted, ok, err := p.notes.get(ctx, nonce)
	if err != nil {
		return core.MessageRef{}, false, &core.Error{Op: op, Class: core.Transient, Err: err}
	}
	if !ok || noted.File == "" {
		return core.MessageRef{}, false, nil
	}
	for try := range shareTries {
		if try > 0 {
			if err := sleep(ctx, p.times.share); err != nil {
				return core.MessageRef{}, false, &core.Error{Op: op, Class: core.Transient, Err: err}
			}
		}
		info, err := p.fileInfo(ctx, op, noted.File)
		switch {
		case err != nil && lasting(err):
			p.log.Info("cannot look whether the file was sent already, sending it", logErr(err))
			return core.MessageRef{}, false, nil
		case err != nil:
			return core.MessageRef{}, false, err
		}
		if ref, ok := info.shown(at); ok {
			return ref, true, nil
		}
	}
	err = p.complete(ctx, op, at, noted.File, name)
	switch {
	case err == nil:
		return p.showing(ctx, op, at, noted.File), true, nil
	case core.ClassOf(err) == core.NotFound:
		return core.MessageRef{}, false, nil
	}
	return core.MessageRef{}, false, err
}

// shown is the message that shows a file in a room.
func (f *file) shown(at core.Place) (core.MessageRef, bool) {
	for _, shares := range []map[string][]fileShare{f.Shares.Public, f.Shares.Private} {
		for _, s := range shares[at.Room] {
			if isTS(s.TS) {
				return core.MessageRef{Place: at, ID: s.TS}, true
			}
		}
	}
	return core.MessageRef{}, false
}
