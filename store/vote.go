package store

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/clickai/bridge/core"
)

const (
	// maxMarks is how many reactions of one person on one turn are kept. A turn has a few messages and the configuration
	// a few emoji; beyond that the oldest is forgotten.
	maxMarks = 64
	// maxNamed is how many people a rating's content names; the others are counted.
	maxNamed = 20
	// maxName is the longest name in a rating's content, in characters.
	maxName = 64
)

// voteRecord is what one person has put under the messages of one turn.
type voteRecord struct {
	Bot    string       `json:"bot"`
	Person core.User    `json:"person"`
	Marks  []voteEmoji  `json:"marks"`
	Conv   core.ConvKey `json:"conv,omitempty"`            // of the turn, as its link says
	ConvID string       `json:"conversation_id,omitempty"` // ClickAI's, as its link says
	Reason string       `json:"reason,omitempty"`          // what the person wrote about the answer; of the reaction that counts
}

// voteEmoji is one emoji under one message. One that was taken back stays, so that an older event which arrives after it
// does not bring it back.
type voteEmoji struct {
	Ref    core.MessageRef `json:"ref"`
	Emoji  string          `json:"emoji"`
	Rating core.Rating     `json:"rating"`
	Added  bool            `json:"added"`
	At     time.Time       `json:"at"`
	Order  uint64          `json:"order"` // of arrival, between those of the same time
}

// ratingRecord is what all people make of one turn.
type ratingRecord struct {
	Rating   core.Rating `json:"rating"` // the last one decided, for which a job was made
	Version  uint64      `json:"version"`
	Likes    int         `json:"likes"`
	Dislikes int         `json:"dislikes"`
	Changed  int64       `json:"changed"` // Unix milliseconds; its place in the index by time
}

// jobRecord is a job with its place in the index by age.
type jobRecord struct {
	Job core.RatingJob `json:"job"`
	Due uint64         `json:"due"`
}

// Vote counts a person's reaction, if the message shows a turn that has a ClickAI message id; else it is kept for a while, and
// counted when the message is found to show one. All messages of a reply
// belong to one turn. Each person counts once, by the reaction added last among those not taken back. More likes than
// dislikes make a like, fewer a dislike, as many or none make [core.RatingNone].
//
// A job is made when that differs from the rating decided last, and only then; it replaces an unsent one of the same turn,
// with a higher version. So at most one job waits for each turn and it carries the newest state. A job is never dropped
// because the rating has come back to what was sent before: the sender may have the earlier one under way at this
// moment, and only a newer job makes sure that it is overwritten. Sending a rating twice does no harm.
//
// Reactions that arrive out of order count by v.At: an adding that is older than the taking back of the same emoji is
// ignored. key is remembered as by [Store.See], whatever else becomes of v; a known one changes nothing.
func (s *Store) Vote(ctx context.Context, key string, v core.Vote) (job core.RatingJob, changed bool, err error) {
	r, err := write(ctx, s, "vote", func(t *txn) (maybe[core.RatingJob], error) {
		none := maybe[core.RatingJob]{}
		isFresh, err := see(t, v.Bot, key)
		if err != nil || !isFresh {
			return none, err
		}
		person := cmp.Or(v.Person.Key, v.Person.ID)
		if person == "" || v.Rating != core.RatingLike && v.Rating != core.RatingDislike {
			return none, nil
		}
		link, ok, err := load[core.Link](t, bucketLinks, messageKey(v.Bot, v.Ref))
		if err != nil {
			return none, err
		}
		if !ok || link.Message == "" {
			return none, keepEarly(t, person, v)
		}
		job, changed, err := count(t, link, person, v)
		return maybe[core.RatingJob]{job, changed}, err
	})
	return r.value, r.ok, err
}

// count enters v into the person's record and the turn's, and makes the job if the turn's rating has changed.
func count(t *txn, link core.Link, person string, v core.Vote) (job core.RatingJob, changed bool, err error) {
	turn := joinKey(link.App, link.Message)
	own := joinKey(link.App, link.Message, person)
	rec, _, err := load[voteRecord](t, bucketVotes, own)
	if err != nil {
		return job, false, err
	}
	rating, rated, err := load[ratingRecord](t, bucketRatings, turn)
	if err != nil {
		return job, false, err
	}
	before := rec.rating()
	order, err := t.next(bucketVotes)
	if err != nil {
		return job, false, err
	}
	if !rec.apply(v, order) {
		return job, false, nil
	}
	if rec.rating() != before {
		rec.Reason = "" // it was about the other rating
	}
	rec.Bot, rec.Person = v.Bot, v.Person
	rec.Conv, rec.ConvID = link.Conv, link.ConvID
	if err := save(t, bucketVotes, own, rec); err != nil {
		return job, false, err
	}
	rating.tally(before, -1)
	rating.tally(rec.rating(), +1)

	if rated {
		if err := t.del(bucketRatingsAt, timeKey(time.UnixMilli(rating.Changed), turn)); err != nil {
			return job, false, err
		}
	}
	now := time.Now()
	rating.Changed = now.UnixMilli()
	if err := t.put(bucketRatingsAt, timeKey(now, turn), mark); err != nil {
		return job, false, err
	}
	if next := rating.decide(); next != rating.Rating {
		rating.Rating = next
		rating.Version++
		if job, err = putJob(t, turn, link, rating); err != nil {
			return job, false, err
		}
		changed = true
	}
	return job, changed, save(t, bucketRatings, turn, rating)
}

// apply enters a reaction; false if a later one on the same emoji is known.
func (r *voteRecord) apply(v core.Vote, order uint64) bool {
	next := voteEmoji{Ref: v.Ref, Emoji: v.Emoji, Rating: v.Rating, Added: v.Added, At: v.At.UTC().Round(0), Order: order}
	i := slices.IndexFunc(r.Marks, func(e voteEmoji) bool {
		return e.Emoji == v.Emoji && e.Ref.ID == v.Ref.ID && e.Ref.Room == v.Ref.Room
	})
	switch {
	case i < 0:
		r.Marks = append(r.Marks, next)
	case v.At.Before(r.Marks[i].At):
		return false
	default:
		r.Marks[i] = next
	}
	if len(r.Marks) > maxMarks {
		slices.SortFunc(r.Marks, compareMarks)
		r.Marks = r.Marks[1:]
	}
	return true
}

func compareMarks(a, b voteEmoji) int {
	return cmp.Or(a.At.Compare(b.At), cmp.Compare(a.Order, b.Order))
}

// counting is the reaction by which the person counts; nil if none stands.
func (r *voteRecord) counting() *voteEmoji {
	var last *voteEmoji
	for i := range r.Marks {
		e := &r.Marks[i]
		if e.Added && (last == nil || compareMarks(*e, *last) > 0) {
			last = e
		}
	}
	return last
}

func (r *voteRecord) rating() core.Rating {
	if e := r.counting(); e != nil {
		return e.Rating
	}
	return core.RatingNone
}

func (r *ratingRecord) tally(of core.Rating, by int) {
	switch of {
	case core.RatingLike:
		r.Likes += by
	case core.RatingDislike:
		r.Dislikes += by
	case core.RatingNone:
	}
}

func (r *ratingRecord) decide() core.Rating {
	switch {
	case r.Likes > r.Dislikes:
		return core.RatingLike
	case r.Likes < r.Dislikes:
		return core.RatingDislike
	}
	return core.RatingNone
}

// putJob replaces the turn's unsent job, if there is one, by the newest state. It goes to the end of the line.
func putJob(t *txn, turn []byte, link core.Link, r ratingRecord) (core.RatingJob, error) {
	content, err := whoRated(t, turn, r)
	if err != nil {
		return core.RatingJob{}, err
	}
	id := jobID(link.App, link.Message)
	old, ok, err := load[jobRecord](t, bucketRatingJobs, []byte(id))
	if err != nil {
		return core.RatingJob{}, err
	}
	if ok {
		if err := t.del(bucketRatingJobsDue, numKey(old.Due)); err != nil {
			return core.RatingJob{}, err
		}
	}
	due, err := t.next(bucketRatingJobsDue)
	if err != nil {
		return core.RatingJob{}, err
	}
	job := core.RatingJob{
		ID: id, App: link.App, User: link.User, Message: link.Message,
		Rating: r.Rating, Content: content, Version: r.Version,
	}
	value, err := encode(id)
	if err != nil {
		return core.RatingJob{}, err
	}
	return job, errors.Join(
		save(t, bucketRatingJobs, []byte(id), jobRecord{Job: job, Due: due}),
		t.put(bucketRatingJobsDue, numKey(due), value),
	)
}

// jobID is unique for app and message, whatever characters they have.
func jobID(app, message string) string { return url.PathEscape(app) + "/" + url.PathEscape(message) }

// whoRated names those whose reactions count, in the order of their reactions: "👍 Minh (slack:T1:U2), 👎 Lan (…)".
func whoRated(t *txn, turn []byte, r ratingRecord) (string, error) {
	type voice struct {
		mark   voteEmoji
		who    string
		reason string
	}
	var voices []voice
	for k, raw := range t.scan(bucketVotes, turn) {
		rec, err := decode[voteRecord](bucketVotes, k, raw)
		if err != nil {
			return "", err
		}
		e := rec.counting()
		if e == nil {
			continue
		}
		who := oneLine(rec.Person.DisplayName())
		if key := rec.Person.Key; key != "" {
			who += " (" + oneLine(key) + ")"
		}
		voices = append(voices, voice{*e, who, rec.Reason})
		if len(voices) > maxNamed {
			// The newest stay: whoever tipped the rating is named.
			slices.SortFunc(voices, func(a, b voice) int { return compareMarks(a.mark, b.mark) })
			voices = voices[1:]
		}
	}
	slices.SortFunc(voices, func(a, b voice) int { return compareMarks(a.mark, b.mark) })
	var out strings.Builder
	for i, v := range voices {
		if i > 0 {
			out.WriteString(", ")
		}
		out.WriteString(v.mark.Emoji + " " + v.who)
		if v.reason != "" {
			out.WriteString(": " + v.reason)
		}
	}
	if more := r.Likes + r.Dislikes - len(voices); more > 0 {
		fmt.Fprintf(&out, ", +%d", more)
	}
	return out.String(), nil
}

// oneLine makes a name safe to stand in a line.
func oneLine(s string) string {
	runes := []rune(strings.Join(strings.FieldsFunc(s, func(r rune) bool {
		return unicode.IsSpace(r) || unicode.IsControl(r)
	}), " "))
	return string(runes[:min(len(runes), maxName)])
}

// RatingJobs lists what is still to be sent, that which changed longest ago first, at most limit; 0: all.
func (s *Store) RatingJobs(ctx context.Context, limit int) ([]core.RatingJob, error) {
	return read(ctx, s, "rating jobs", func(t *txn) ([]core.RatingJob, error) {
		var jobs []core.RatingJob
		for k, raw := range t.scan(bucketRatingJobsDue, nil) {
			if limit > 0 && len(jobs) == limit {
				break
			}
			id, err := decode[string](bucketRatingJobsDue, k, raw)
			if err != nil {
				return nil, err
			}
			rec, ok, err := load[jobRecord](t, bucketRatingJobs, []byte(id))
			if err != nil {
				return nil, err
			}
			if ok {
				jobs = append(jobs, rec.Job)
			}
		}
		return jobs, nil
	})
}

// RatingSent removes the job if its version is still the given one; a newer one stays to be sent.
func (s *Store) RatingSent(ctx context.Context, id string, version uint64) error {
	_, err := write(ctx, s, "rating sent", func(t *txn) (struct{}, error) {
		rec, ok, err := load[jobRecord](t, bucketRatingJobs, []byte(id))
		if err != nil || !ok || rec.Job.Version != version {
			return struct{}{}, err
		}
		return struct{}{}, errors.Join(
			t.del(bucketRatingJobs, []byte(id)),
			t.del(bucketRatingJobsDue, numKey(rec.Due)),
		)
	})
	return err
}
