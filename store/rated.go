package store

import (
	"context"
	"time"

	"github.com/clickai/bridge/core"
)

// Rated is what one person makes of one turn: the reaction by which they count.
type Rated struct {
	App     string
	Message string // ClickAI's message_id
	ConvID  string // ClickAI's conversation_id; "" for a vote of an earlier version whose link is gone
	Bot     string
	Ref     core.MessageRef // the message reacted to; its room is what the room goes by now
	Conv    core.ConvKey    // "" as ConvID
	Title   string          // of the conversation, as it is remembered now; "" if it is forgotten
	Person  core.User
	Rating  core.Rating // like or dislike
	Emoji   string
	At      time.Time // of the reaction, by the platform's clock
	Reason  string    // what the person wrote about it; "" as a rule
}

// Rated is one page of all ratings that stand, in an order of its own: those behind the cursor after, nil for the first. At
// most limit votes are looked at; 0: [MaxPage]. Taken back ones are left out, so a page may be empty. next is the cursor of
// the next page, nil at the end. Each page is consistent in itself; a rating that stands throughout is on exactly one page.
func (s *Store) Rated(ctx context.Context, after []byte, limit int) (found []Rated, next []byte, err error) {
	p, err := read(ctx, s, "ratings", func(t *txn) (page[Rated], error) {
		return readPage(t, bucketVotes, after, limit, t.rated)
	})
	return p.rows, p.next, err
}

// rated reads a vote; false if the person counts for nothing.
func (t *txn) rated(k, raw []byte) (r Rated, counts bool, err error) {
	app, rest, err := cutPart(k)
	if err != nil {
		return r, false, damaged(bucketVotes, k, err)
	}
	message, _, err := cutPart(rest)
	if err != nil {
		return r, false, damaged(bucketVotes, k, err)
	}
	rec, err := decode[voteRecord](bucketVotes, k, raw)
	if err != nil {
		return r, false, err
	}
	e := rec.counting()
	if e == nil {
		return r, false, nil
	}
	r = Rated{
		App: app, Message: message, ConvID: rec.ConvID, Bot: rec.Bot, Ref: e.Ref, Conv: rec.Conv, Person: rec.Person,
		Rating: e.Rating, Emoji: e.Emoji, At: e.At.UTC(), Reason: rec.Reason,
	}
	if r.Conv == "" {
		link, _, err := load[core.Link](t, bucketLinks, messageKey(rec.Bot, e.Ref))
		if err != nil {
			return r, false, err
		}
		r.Conv, r.ConvID = link.Conv, link.ConvID
	}
	if r.Ref.Place, err = t.nowAt(r.Bot, r.Ref.Place); err != nil {
		return r, false, err
	}
	if r.Conv, err = t.now(r.Conv); err != nil {
		return r, false, err
	}
	if r.Conv != "" {
		c, _, err := load[core.Conversation](t, bucketConversations, joinKey(string(r.Conv)))
		if err != nil {
			return r, false, err
		}
		r.Title = c.Title
	}
	return r, true, nil
}
