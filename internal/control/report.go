package control

import (
	"cmp"
	"context"
	"fmt"
	"iter"
	"slices"
)

// AllRatings yields every rating that stands, a page at a time. It ends after the first error.
func AllRatings(ctx context.Context, ops Operations) iter.Seq2[Rating, error] {
	return func(yield func(Rating, error) bool) {
		for after := ""; ; {
			p, err := ops.Ratings(ctx, RatingsRequest{After: after})
			if err != nil {
				yield(Rating{}, err)
				return
			}
			for _, r := range p.Data {
				if !yield(r, nil) {
					return
				}
			}
			if after = p.Next; after == "" {
				return
			}
		}
	}
}

// AllConversations yields every conversation that r asks for, a page at a time. It ends after the first error.
func AllConversations(ctx context.Context, ops Operations, r ConversationsRequest) iter.Seq2[Conversation, error] {
	return func(yield func(Conversation, error) bool) {
		for {
			p, err := ops.Conversations(ctx, r)
			if err != nil {
				yield(Conversation{}, err)
				return
			}
			for _, c := range p.Data {
				if !yield(c, nil) {
					return
				}
			}
			if r.After = p.Next; r.After == "" {
				return
			}
		}
	}
}

// Count is how often the answers of an app in a room were liked and disliked in a week. Each person counts once for each
// answer.
type Count struct {
	Week     string `json:"week"` // ISO 8601, in UTC: "2026-W31"
	Bot      string `json:"bot"`
	Room     string `json:"room"`
	Title    string `json:"title,omitempty"` // of the room, where all that was rated has the same
	App      string `json:"app"`
	Likes    int    `json:"likes"`
	Dislikes int    `json:"dislikes"`
}

// group is what a Count counts.
type group struct{ week, bot, room, app string }

// Report counts ratings by week, bot, room and app, in this order; the newest week comes first. It holds one Count for each
// group, and no rating.
func Report(ratings iter.Seq2[Rating, error]) ([]Count, error) {
	groups := map[group]*Count{}
	for r, err := range ratings {
		if err != nil {
			return nil, err
		}
		year, week := r.At.UTC().ISOWeek()
		g := group{fmt.Sprintf("%04d-W%02d", year, week), r.Bot, r.Room, r.App}
		c := groups[g]
		if c == nil {
			c = &Count{Week: g.week, Bot: g.bot, Room: g.room, App: g.app, Title: r.Title}
			groups[g] = c
		}
		if c.Title != r.Title {
			c.Title = ""
		}
		switch r.Rating {
		case "like":
			c.Likes++
		case "dislike":
			c.Dislikes++
		}
	}
	all := make([]Count, 0, len(groups))
	for _, c := range groups {
		all = append(all, *c)
	}
	slices.SortFunc(all, func(a, b Count) int {
		return cmp.Or(cmp.Compare(b.Week, a.Week), cmp.Compare(a.Bot, b.Bot), cmp.Compare(a.Room, b.Room), cmp.Compare(a.App, b.App))
	})
	return all, nil
}
