package telegram

import (
	"context"
	"errors"
	"hash/fnv"
	"log/slog"
	"net/http"
	"strconv"
	"sync"

	tgbot "github.com/go-telegram/bot"
	"github.com/go-telegram/bot/models"

	"github.com/clickai/bridge/core"
)

var errNoDrafts = errors.New("drafts are not shown here")

// Draft shows the unfinished end of an answer in a private chat, for about 30 s or until the bot's next message there; its
// text is as long as a message's at most. Where it is refused for good, the error is [core.Unsupported] and Limits tells so
// from then on: for the whole bot where the server does not know the method (it came with Bot API 9.3, and with 9.5 for
// bots without topics), else for the place.
// Source: https://core.telegram.org/bots/api#sendmessagedraft
func (p *Platform) Draft(ctx context.Context, d core.Draft) error {
	const op = "Draft"
	topic, err := target(op, d.Place)
	if err != nil {
		return err
	}
	if isGroup(d.Place.Room) || !p.drafts.shown(d.Place) {
		return &core.Error{Op: "telegram." + op, Class: core.Unsupported, Err: errNoDrafts}
	}
	params := &tgbot.SendMessageDraftParams{
		MessageThreadID: topic, DraftID: draftID(d.Nonce), Text: d.Part.Text, ParseMode: models.ParseModeHTML,
	}
	verdict := draftTaken
	err = p.do(ctx, order{op: op, room: d.Place.Room, preview: true, timeout: callTimeout}, func(ctx context.Context, chat string) error {
		params.ChatID = chat
		err := p.orPlain(op, d.Part, &params.Text, &params.ParseMode, func() error {
			_, err := p.bot.SendMessageDraft(ctx, params)
			return err
		})
		verdict = judgeDraft(err)
		return err
	})
	if verdict == draftTaken {
		return err
	}
	p.drafts.refuse(d.Place, verdict)
	p.log.Info("drafts are refused, answers are shown by edits", slog.Bool("everywhere", verdict == draftUnknown), slog.Any("err", err))
	return &core.Error{Op: "telegram." + op, Class: core.Unsupported, Err: err}
}

// draftID is the number of a draft: the same for all its states, and not 0. An Integer of the Bot API has 32 bits with its
// sign, where nothing else is said.
func draftID(nonce string) string {
	h := fnv.New32a()
	_, _ = h.Write([]byte(nonce)) // it never fails
	return strconv.FormatUint(max(1, uint64(h.Sum32()>>1)), 10)
}

// draftVerdict is what an answer to a draft says of drafts to come.
type draftVerdict int

const (
	draftTaken   draftVerdict = iota // nothing against them, though this one may have failed
	draftHere                        // there are none in this place
	draftUnknown                     // the server has none
)

// judgeDraft tells whether an error is about drafts as such. What ends more than drafts does too: the message that core
// sends then finds out by itself.
func judgeDraft(err error) draftVerdict {
	if page, ok := errors.AsType[*foreignError](err); ok {
		switch page.status {
		case http.StatusBadRequest, http.StatusForbidden, http.StatusNotFound, http.StatusMethodNotAllowed, http.StatusGone, http.StatusNotImplemented:
			return draftUnknown // some gateways and older servers know methods by name, and answer pages for others
		}
		return draftTaken
	}
	api, ok := errors.AsType[*apiError](err)
	if !ok {
		return draftTaken
	}
	switch api.Code {
	case http.StatusNotFound, http.StatusMethodNotAllowed, http.StatusNotImplemented:
		return draftUnknown
	}
	if api.says("method not found", "method is not found", "unknown method", "no such method", "method is not supported",
		"method not supported", "unsupported method", "method not allowed", "not implemented") {
		return draftUnknown
	}
	switch api.class() {
	case core.Transient, core.RateLimited, core.Auth, core.BadMarkup, core.TooLong:
		return draftTaken
	default:
		if api.says("text is empty", "text must be non-empty") {
			return draftTaken
		}
		return draftHere // TEXTDRAFT_PEER_INVALID, a topic that is closed, …
	}
}

// drafts are what is known of where drafts are refused. The zero value knows nothing.
type drafts struct {
	mu      sync.Mutex
	none    bool                    // the server does not know them
	refused map[core.Place]struct{} // at most maxDraftless
}

// shown tells whether drafts are worth trying in a place.
func (d *drafts) shown(at core.Place) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	_, no := d.refused[at]
	return !no && !d.none
}

func (d *drafts) refuse(at core.Place, v draftVerdict) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if v == draftUnknown {
		d.none, d.refused = true, nil
		return
	}
	if d.refused == nil || len(d.refused) >= maxDraftless {
		d.refused = map[core.Place]struct{}{} // those forgotten refuse again
	}
	d.refused[at] = struct{}{}
}
