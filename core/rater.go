package core

import (
	"cmp"
	"context"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// rater sends ratings to ClickAI. They wait in the store, so none is lost; of several for one answer only the newest is sent.
type rater struct {
	b     *Bridge
	nudge chan struct{} // capacity 1: something is to be sent
	again atomic.Bool   // what is held is to be tried at once: the apps have changed

	held   map[string]hold   // jobs that are not to be tried now, by their ids; at most maxRatingsHeld
	brakes map[string]*brake // by app; of those that have failed
}

// hold is a job that waits for another try.
type hold struct {
	until time.Time
	since time.Time // of its first failure; zero if it waits for its app alone
	tries int       // that failed
	wait  *backoff
}

// brake keeps an app from being called for each of many ratings while it fails.
type brake struct {
	fails int // since the last call that was answered
	until time.Time
	wait  *backoff
}

const (
	ratingsAtOnce  = 8
	ratingsLook    = 256                    // jobs that are looked at in one round, besides those that are held
	maxRatingsHeld = 10_000                 // over it, jobs behind these wait until some of them are done
	ratingFor      = 72 * time.Hour         // after so long without success a rating is given up
	ratingFails    = ratingsAtOnce          // failures in a row after which all ratings of an app wait
	ratingWait     = 10 * time.Minute       // longest pause before another try
	ratingsGap     = 250 * time.Millisecond // between two rounds while some are held
	rateTimeout    = 30 * time.Second
)

func newRater(b *Bridge) *rater {
	return &rater{b: b, nudge: make(chan struct{}, 1), held: map[string]hold{}, brakes: map[string]*brake{}}
}

func (r *rater) wake() {
	select {
	case r.nudge <- struct{}{}:
	default:
	}
}

// renew tries at once what waits for an app that failed: it may be another one now.
func (r *rater) renew() {
	r.again.Store(true)
	r.wake()
}

func (r *rater) run(ctx context.Context) {
	for {
		next := r.round(ctx)
		timer := time.NewTimer(next)
		select {
		case <-ctx.Done():
			timer.Stop()
			return
		case <-r.nudge:
			timer.Stop()
		case <-timer.C:
		}
	}
}

// round sends what is due and returns how long to wait before looking again without a nudge. Ratings that fail are held, and
// do not stand in the way of others.
func (r *rater) round(ctx context.Context) time.Duration {
	const rest = ratingWait
	if r.again.CompareAndSwap(true, false) {
		clear(r.brakes)
		for id, h := range r.held {
			h.until = time.Time{}
			r.held[id] = h
		}
	}
	limit := ratingsLook + len(r.held)
	jobs, err := r.b.store.RatingJobs(ctx, limit)
	if err != nil {
		if ctx.Err() == nil {
			r.b.log.Error("read ratings to be sent", slog.Any("err", err))
		}
		return time.Minute
	}
	r.b.observer.RatingsWaiting(len(jobs))
	now := time.Now()
	next, held, done := rest, make(map[string]hold, len(r.held)), 0
	keep := func(id string, h hold) {
		if _, ok := held[id]; !ok && len(held) >= maxRatingsHeld {
			return
		}
		held[id] = h
		next = min(next, time.Until(h.until))
	}
	var due []RatingJob
	for _, job := range jobs {
		if h := r.held[job.ID]; h.until.After(now) {
			keep(job.ID, h)
			continue
		}
		due = append(due, job)
	}
	// Those that have failed before come last, so that they cannot use up their app's patience for the others.
	slices.SortStableFunc(due, func(a, b RatingJob) int { return cmp.Compare(r.held[a.ID].tries, r.held[b.ID].tries) })
	var mu sync.Mutex // of what the calls change
	slots := make(chan struct{}, ratingsAtOnce)
	var wg sync.WaitGroup
	for _, job := range due {
		slots <- struct{}{}
		mu.Lock()
		h := r.held[job.ID]
		if b := r.brakes[job.App]; b != nil && b.until.After(now) {
			h.until = b.until
			keep(job.ID, h)
			mu.Unlock()
			<-slots
			continue
		}
		mu.Unlock()
		wg.Go(func() {
			defer func() { <-slots }()
			res := rated{again: true}
			_ = safely(r.b.log, func() { res = r.send(ctx, job, h) })
			mu.Lock()
			defer mu.Unlock()
			r.noteLocked(job.App, res)
			if !res.again {
				done++
				return
			}
			if h.wait == nil {
				h.wait, h.since = newBackoff(time.Second, ratingWait), now
			}
			h.tries++
			h.until = time.Now().Add(max(h.wait.next(), res.after))
			keep(job.ID, h)
		})
	}
	wg.Wait()
	if progress := done > 0 || len(held) > len(r.held); len(jobs) == limit && progress {
		next = min(next, time.Second) // there may be more behind these
	}
	r.held = held
	if len(held) > 0 {
		return max(next, ratingsGap) // each round reads all that are held
	}
	return max(next, 10*time.Millisecond)
}

// noteLocked puts an app's brake on or off after a call.
func (r *rater) noteLocked(app string, res rated) {
	if !res.again || res.ours {
		delete(r.brakes, app)
		return
	}
	b := r.brakes[app]
	if b == nil {
		b = &brake{wait: newBackoff(time.Second, ratingWait)}
		r.brakes[app] = b
	}
	if b.fails++; b.fails >= ratingFails || res.limited {
		b.fails, b.until = 0, time.Now().Add(max(b.wait.next(), res.after))
	}
}

// rated is what came of sending a rating.
type rated struct {
	again   bool // it is to be tried later, not before after
	after   time.Duration
	limited bool // ClickAI takes no rating at all for now
	ours    bool // the store failed, and not ClickAI
}

// send tries one rating once.
func (r *rater) send(ctx context.Context, job RatingJob, h hold) rated {
	log := r.b.log.With(slog.String("app", job.App), slog.String("message_id", job.Message), slog.String("rating", string(job.Rating)))
	app, ok := r.b.app(job.App)
	if !ok {
		log.Warn("rating dropped: its app is not configured any more")
		r.b.observer.Rated(job.App, job.Rating, RatingDropped)
	} else {
		one, cancel := context.WithTimeout(ctx, rateTimeout)
		err := app.Rate(one, RatingOut{MessageID: job.Message, User: job.User, Rating: job.Rating, Content: job.Content})
		cancel()
		switch class := appClass(err); {
		case err == nil:
			r.b.observer.Rated(job.App, job.Rating, RatingSent)
			log.Info("rating sent")
		case ctx.Err() != nil:
			return rated{again: true}
		case (class == Transient || class == RateLimited) && !h.since.IsZero() && time.Since(h.since) > ratingFor:
			log.Error("rating given up: it could not be sent for too long", slog.Int("tries", h.tries+1), slog.Any("err", err))
			r.b.observer.Rated(job.App, job.Rating, RatingDropped)
		case class == Transient || class == RateLimited:
			log.Warn("rating not sent, trying again later", slog.Any("err", err))
			r.b.observer.Rated(job.App, job.Rating, RatingAgain)
			return rated{again: true, after: appRetryAfter(err), limited: class == RateLimited}
		case class == NotFound:
			log.Info("rating dropped: ClickAI does not know the message", slog.Any("err", err))
			r.b.observer.Rated(job.App, job.Rating, RatingDropped)
		default:
			log.Error("rating dropped", slog.Any("err", err))
			r.b.observer.Rated(job.App, job.Rating, RatingDropped)
		}
	}
	if err := r.b.store.RatingSent(ctx, job.ID, job.Version); err != nil {
		if ctx.Err() == nil {
			log.Error("rating sent but not struck off", slog.Any("err", err))
		}
		return rated{again: true, after: time.Second, ours: true}
	}
	return rated{}
}
