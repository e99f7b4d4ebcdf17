package slack

import (
	"cmp"
	"context"
	"errors"
	"strings"
	"time"

	slackgo "github.com/slack-go/slack"

	"github.com/clickai/bridge/adapters/slack/slackfmt"
	"github.com/clickai/bridge/core"
	"github.com/clickai/bridge/internal/pace"
)

var (
	errNoStream   = errors.New("no stream can be started here")
	errNoReader   = errors.New("a stream outside direct chats names its reader, who is not known")
	errStreamFull = errors.New("the stream is as long as a message may be")
	errStreamOld  = errors.New("the stream is about to be ended by Slack")
)

// codeStreams is the error of an edit of a message that still streams.
const codeStreams = "streaming_state_conflict"

// StreamText is the part of an answer that can be streamed; see [slackfmt.StreamText].
func (p *Platform) StreamText(markdown string, final bool) string {
	return slackfmt.StreamText(markdown, final)
}

// canStream tells whether streams are taken in a place, as far as is known.
func (p *Platform) canStream(at core.Place) bool {
	return at.Thread != "" && !p.noStream.has(at.Room)
}

// StartStream posts a message that streams. Its reader is the person who asked, for whom Slack draws the text as it comes;
// others in a channel see it grow less smoothly. Where Slack refuses streams that is remembered: for the room, or for all of
// them when the method is not known, switched off or not granted. Source:
// https://docs.slack.dev/reference/methods/chat.startStream
func (p *Platform) StartStream(ctx context.Context, post core.Post, text string) (core.MessageRef, error) {
	const op = "slack.StartStream"
	at := post.Place
	p.budgets.grant(at, -1)
	if !isPlace(at) {
		return core.MessageRef{}, invalid(op, errBadRef)
	}
	if !p.canStream(at) || text == "" || len(text) > maxStream {
		return core.MessageRef{}, &core.Error{Op: op, Class: core.Unsupported, Err: errNoStream}
	}
	options := []slackgo.MsgOption{slackgo.MsgOptionTS(at.Thread), slackgo.MsgOptionMarkdownText(text)}
	if !strings.HasPrefix(at.Room, "D") {
		user, team, err := p.reader(ctx, post.For)
		if err != nil {
			return core.MessageRef{}, err
		}
		if user == "" || team == "" {
			return core.MessageRef{}, &core.Error{Op: op, Class: core.Unsupported, Err: errNoReader}
		}
		options = append(options, slackgo.MsgOptionRecipientUserID(user), slackgo.MsgOptionRecipientTeamID(team))
	}
	switch err := p.notes.put(ctx, post.Nonce, ""); {
	case errors.Is(err, errNoNotes):
		return core.MessageRef{}, &core.Error{Op: op, Class: core.Transient, Err: err}
	case err != nil:
		p.log.Warn("stream not noted", logErr(err))
	}
	var out struct {
		TS string `json:"ts"`
	}
	_, err := p.call(ctx, op, posting(methodStart, at.Room).paced(), func(ctx context.Context) error {
		_, _, err := p.api.StartStreamContext(ctx, at.Room, options...)
		return err //nolint:wrapcheck // call classifies it
	}, &out)
	if err != nil {
		return core.MessageRef{}, p.notStarted(op, at, err)
	}
	if !isTS(out.TS) {
		return core.MessageRef{}, &core.Error{Op: op, Class: core.Transient, Maybe: true, Err: errNotOwn}
	}
	ref := core.MessageRef{Place: at, ID: out.TS}
	p.streams.began(ref, post.Nonce, text)
	return ref, nil
}

// reader names the person that a stream is drawn for, and that person's team: guests of a shared channel have another one.
func (p *Platform) reader(ctx context.Context, who core.User) (user, team string, err error) {
	if !isID(who.ID) {
		return "", "", nil
	}
	if rest, ok := strings.CutPrefix(who.Key, "slack:"); ok {
		if team, _, ok := strings.Cut(rest, ":"); ok && isID(team) {
			return who.ID, team, nil
		}
	}
	me, err := p.me(ctx)
	return who.ID, me.team, err
}

// notStarted remembers where streams are refused.
func (p *Platform) notStarted(op string, at core.Place, err error) error {
	switch class := core.ClassOf(err); {
	case everywhere(err):
		p.noStream.addAll()
		p.log.Info("Slack takes no streams from this bot", logErr(err))
	case class == core.RateLimited:
		// Until Slack takes streams again Limits offers none; the answer need not wait for that.
	case !lasting(err), class == core.RoomGone, class == core.ThreadGone:
		return err
	case class == core.TooLong, class == core.BadMarkup, class == core.NotFound:
		// This text, or this reader.
	default:
		p.noStream.add(at.Room)
	}
	return &core.Error{Op: op, Class: core.Unsupported, Err: err}
}

// AppendStream adds text. A stream that is four minutes old, or as long as a message may be, is ended instead. One that a
// person has stopped takes all further text and stays as it is.
// Source: https://docs.slack.dev/reference/methods/chat.appendStream
func (p *Platform) AppendStream(ctx context.Context, s core.Stream, text string) error {
	const op = "slack.AppendStream"
	if !isMessage(s.Message) {
		return invalid(op, errBadRef)
	}
	if p.stays(ctx, s.Message) {
		return nil
	}
	why := error(nil)
	switch {
	case s.Sent+len(text) > maxStream:
		why = errStreamFull
	case time.Since(s.Began) >= streamLife:
		why = errStreamOld
	}
	if why != nil {
		if err := p.endStream(ctx, op, s.Message); err != nil {
			p.log.Debug("stream not ended yet", logErr(err))
		}
		return &core.Error{Op: op, Class: core.StreamOver, Err: why}
	}
	if text == "" {
		return nil
	}
	err := p.add(ctx, op, s.Message, text, method(methodAppend).paced())
	if err != nil && p.stays(ctx, s.Message) {
		return nil
	}
	return err
}

func (p *Platform) add(ctx context.Context, op string, m core.MessageRef, text string, use turn) error {
	_, err := p.call(ctx, op, use, func(ctx context.Context) error {
		_, _, err := p.api.AppendStreamContext(ctx, m.Room, m.ID, slackgo.MsgOptionMarkdownText(text))
		return err //nolint:wrapcheck // call classifies it
	}, nil)
	p.heedStop(m, err)
	err = streamError(op, err)
	p.streams.grew(m, text, err)
	return err
}

// heedStop notes that a person has stopped a stream, where Slack's answer tells so before its event does.
func (p *Platform) heedStop(m core.MessageRef, err error) {
	if codeOf(err) == codeHalted {
		p.halted.put(m.Room, m.ID)
	}
}

// StopStream ends a stream. It then edits the message, unless the stream is known to show the same as whole and to show it
// as well; see [slackfmt.StreamShows], or a person has stopped it. A call that could not be finished can be made again with the same arguments.
// Source: https://docs.slack.dev/reference/methods/chat.stopStream
func (p *Platform) StopStream(ctx context.Context, s core.Stream, text string, whole core.Part) error {
	const op = "slack.StopStream"
	m := s.Message
	if !isMessage(m) {
		return invalid(op, errBadRef)
	}
	if p.stays(ctx, m) {
		return nil
	}
	since := p.streams.stopping(m)
	under, err := p.stop(ctx, op, s, text, whole.Buttons, since)
	if err != nil {
		return err
	}
	if p.stays(ctx, m) {
		return nil
	}
	if whole == (core.Part{}) {
		p.streams.drop(m)
		return nil
	}
	bare := whole
	bare.Buttons = ""
	if sent, ok := p.streams.shown(m); !ok || whole.Buttons != "" && !under || !slackfmt.StreamShows(sent, bare) {
		use := method(methodUpdate)
		use.since = since
		return p.replace(ctx, op, m, whole, use)
	}
	p.streams.drop(m)
	return nil
}

// stop ends a stream with its last text. No error: it is over, and its text is that which is noted, or noted as in doubt. under
// tells whether the buttons stand under it.
func (p *Platform) stop(
	ctx context.Context, op string, s core.Stream, text string, buttons core.Buttons, since time.Time,
) (under bool, err error) {
	m := s.Message
	st := p.streams.get(m)
	if st.over {
		return false, nil
	}
	if len(st.sent) == s.Sent+len(text) && strings.HasSuffix(st.sent, text) {
		text = "" // an earlier call has added it
	}
	if s.Sent+len(text) > maxStream {
		text = ""
		p.streams.doubted(m)
	}
	use := method(methodStop)
	use.since = since
	if text != "" && !st.doubt && p.budgets.Delay(pace.Call{Budgets: use.budgets, Since: since}) > waitStart {
		// Streams end far less often than they grow: people need not wait for the last words.
		add := method(methodAppend)
		add.since = since
		switch err := p.add(ctx, op, m, text, add); core.ClassOf(err) {
		case "":
			text = ""
		case core.StreamOver:
			return false, nil
		default:
			return false, err
		}
	}
	ways := append(p.under(buttons), content{}) // without any, when Slack refuses them all
	for i := range ways {
		under, err = p.end(ctx, op, m, text, st.nonce, ways[i].blocks, use)
		switch core.ClassOf(err) {
		case core.BadMarkup, core.TooLong:
			p.log.Warn("buttons under a stream refused", logErr(err))
			use.given = false
			continue
		case "":
			if under && i == 1 && ways[0].rated {
				p.plainRating.Store(true)
			}
		default:
		}
		break
	}
	return under, err
}

// nonceUnknown stands for the nonce of a stream that an earlier process has begun. The host knows the message, which must not be
// taken for a later one of which only a note is left.
const nonceUnknown = "unknown"

// endStream ends a stream that is not wanted any more.
func (p *Platform) endStream(ctx context.Context, op string, m core.MessageRef) error {
	p.streams.doubted(m)
	_, err := p.end(ctx, op, m, "", p.streams.get(m).nonce, nil, method(methodStop))
	return err
}

// end calls chat.stopStream. Only here a stream takes the metadata by which its message is known again. under tells whether
// the blocks stand under it; with blocks, the classes [core.BadMarkup] and [core.TooLong] are about those.
func (p *Platform) end(
	ctx context.Context, op string, m core.MessageRef, text, nonce string, blocks []slackgo.Block, use turn,
) (under bool, err error) {
	var options []slackgo.MsgOption
	if text != "" {
		options = append(options, slackgo.MsgOptionMarkdownText(text))
	}
	options = append(options, named(cmp.Or(nonce, nonceUnknown)))
	if len(blocks) > 0 {
		options = append(options, slackgo.MsgOptionBlocks(blocks...))
	}
	_, err = p.call(ctx, op, use, func(ctx context.Context) error {
		_, _, err := p.api.StopStreamContext(ctx, m.Room, m.ID, options...)
		return err //nolint:wrapcheck // call classifies it
	}, nil)
	if class := core.ClassOf(err); len(blocks) > 0 && (class == core.BadMarkup || class == core.TooLong) {
		return false, err
	}
	p.heedStop(m, err)
	err = streamError(op, err)
	p.streams.grew(m, text, err)
	switch core.ClassOf(err) {
	case "":
		p.streams.ended(m)
		return len(blocks) > 0, nil
	case core.StreamOver:
		return false, nil
	default:
		return false, err
	}
}

// streamError says of errors of a stream whether an edit can help: the stream is over (Slack ended it, or the person who
// reads it did), or Slack does not take from it what a message may hold.
func streamError(op string, err error) error {
	switch class := core.ClassOf(err); {
	case !lasting(err), class == core.RoomGone:
		return err
	}
	return &core.Error{Op: op, Class: core.StreamOver, Err: err}
}
