package core

import (
	"context"
	"log/slog"
	"sync"
	"time"
)

// rater sends ratings to ClickAI. They wait in the store, so none is lost; of several for one answer only the newest is sent.
type rater struct {
	b     *Bridge
	nudge chan struct{} // capacity 1: something is to be sent

	// held is when each job that failed may be tried again. It holds no more jobs than one look at the store returns.
	held map[string]hold
}

type hold struct {
	until time.Time
	wait  *backoff
}

const (
	ratingsAtOnce = 8
	ratingsLook   = 256
	rateTimeout   = 30 * time.Second
)

func newRater(b *Bridge) *rater {
	return &rater{b: b, nudge: make(chan struct{}, 1), held: map[string]hold{}}
}

func (r *rater) wake() {
	select {
	case r.nudge <- struct{}{}:
	default:
	}
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

// round sends what is due and returns how long to wait before looking again without a nudge.
func (r *rater) round(ctx context.Context) time.Duration {
	const rest = 10 * time.Minute
	jobs, err := r.b.store.RatingJobs(ctx, ratingsLook)
	if err != nil {
		if ctx.Err() == nil {
			r.b.log.Error("read ratings to be sent", slog.Any("err", err))
		}
		return time.Minute
	}
	now := time.Now()
	next := rest
	var mu sync.Mutex
	held := make(map[string]hold, len(r.held))
	keep := func(id string, h hold) {
		mu.Lock()
		defer mu.Unlock()
		held[id] = h
		next = min(next, time.Until(h.until))
	}
	slots := make(chan struct{}, ratingsAtOnce)
	var wg sync.WaitGroup
	for _, job := range jobs {
		h := r.held[job.ID]
		if h.until.After(now) {
			keep(job.ID, h)
			continue
		}
		slots <- struct{}{}
		wg.Go(func() {
			defer func() { <-slots }()
			again, wait := true, time.Duration(0)
			_ = safely(r.b.log, func() { again, wait = r.send(ctx, job) })
			if again {
				if h.wait == nil {
					h.wait = newBackoff(time.Second, 10*time.Minute)
				}
				keep(job.ID, hold{until: time.Now().Add(max(h.wait.next(), wait)), wait: h.wait})
			}
		})
	}
	wg.Wait()
	r.held = held
	if len(jobs) == ratingsLook {
		next = min(next, time.Second) // there may be more behind these
	}
	return max(next, 10*time.Millisecond)
}

// send tries one rating once. again is true if it is to be tried later, not before wait.
func (r *rater) send(ctx context.Context, job RatingJob) (again bool, wait time.Duration) {
	log := r.b.log.With(slog.String("app", job.App), slog.String("message_id", job.Message), slog.String("rating", string(job.Rating)))
	app, ok := r.b.apps[job.App]
	if !ok {
		log.Warn("rating dropped: its app is not configured any more")
	} else {
		one, cancel := context.WithTimeout(ctx, rateTimeout)
		err := app.Rate(one, RatingOut{MessageID: job.Message, User: job.User, Rating: job.Rating, Content: job.Content})
		cancel()
		switch class := appClass(err); {
		case err == nil:
			log.Info("rating sent")
		case ctx.Err() != nil:
			return true, 0
		case class == Transient || class == RateLimited:
			log.Warn("rating not sent, trying again later", slog.Any("err", err))
			return true, appRetryAfter(err)
		case class == NotFound:
			log.Info("rating dropped: ClickAI does not know the message", slog.Any("err", err))
		default:
			log.Error("rating dropped", slog.Any("err", err))
		}
	}
	if err := r.b.store.RatingSent(ctx, job.ID, job.Version); err != nil {
		if ctx.Err() == nil {
			log.Error("rating sent but not struck off", slog.Any("err", err))
		}
		return true, time.Second
	}
	return false, 0
}
