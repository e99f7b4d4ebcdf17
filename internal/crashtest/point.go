package crashtest

import (
	"math/rand/v2"
	"slices"
	"time"
)

// Moment says when at a point the process is killed.
type Moment string

// The moments.
const (
	Arrived  Moment = "arrived"  // the request is here; it never takes effect
	Handled  Moment = "handled"  // it has taken effect; the answer is never sent
	Answered Moment = "answered" // the answer is on its way
	Sent     Moment = "sent"     // the event, or the acknowledgement, has passed
)

// Point is where a process can be killed: a moment of one kind of request or frame at one stand-in.
type Point struct {
	Service string // "clickai", "slack", "discord" or "telegram"
	What    string
	Moment  Moment
}

// String is the point in words.
func (p Point) String() string { return p.Service + " " + p.What + " " + string(p.Moment) }

// requests are the kinds of requests that occur in a turn, by service.
var requests = map[string][]string{
	"clickai":  {"files/upload", "chat-messages", "messages", "feedbacks", "file fetch"},
	"slack":    {"chat.postMessage", "chat.update", "files.getUploadURLExternal", "upload", "files.completeUploadExternal", "assistant.threads.setStatus", "file download"},
	"discord":  {"thread start", "message post", "message edit", "file post", "typing", "file download"},
	"telegram": {"getUpdates", "sendMessage", "editMessageText", "sendDocument", "sendChatAction", "file download"},
}

// native are those that occur only where answers are streamed or drafted.
var native = map[string][]string{
	"slack":    {"chat.startStream", "chat.appendStream", "chat.stopStream"},
	"telegram": {"sendMessageDraft"},
}

// frames are what passes in longer exchanges, and how many of them come before the first that matters.
var frames = []struct {
	service, what string
	greeting      int
}{
	{"clickai", "event", 0},
	{"clickai", "message_end", 0},
	{"slack", "event", 1},   // hello
	{"slack", "ack", 0},     //
	{"discord", "event", 3}, // hello, READY, GUILD_CREATE
}

func greeting(service, what string) int {
	for _, f := range frames {
		if f.service == service && f.what == what {
			return f.greeting
		}
	}
	return 0
}

// Points are all points for these platforms, in a stream mode.
func Points(platforms []string, mode string) []Point {
	var all []Point
	for _, service := range append([]string{"clickai"}, platforms...) {
		list := requests[service]
		if mode == "native" {
			list = append(append([]string(nil), list...), native[service]...)
		}
		for _, what := range list {
			for _, m := range []Moment{Arrived, Handled, Answered} {
				all = append(all, Point{service, what, m})
			}
		}
		for _, f := range frames {
			if f.service == service {
				all = append(all, Point{service, f.what, Sent})
			}
		}
	}
	return all
}

// plan is how one process is to end.
type plan struct {
	point Point         // zero: at a time
	nth   int           // occurrence of the point, from 1
	after time.Duration // zero point: when it dies; else at the latest
}

const (
	// patience is how long a point is waited for, times how often that was in vain; then it is left for another time.
	patience = 2 * time.Second
	// lifetime is the longest life of a process that is killed at a random time.
	lifetime = 1200 * time.Millisecond
)

// planner picks plans: each point for its first and for a later occurrence before any comes again, with random times between.
type planner struct {
	r     *rand.Rand
	all   []plan
	queue []plan
	last  plan // as it stood in the queue

	missed map[plan]int
}

// newPlanner plans for these points. Those that were hit least so far come first.
func newPlanner(r *rand.Rand, points []Point, hit map[Point][2]int) *planner {
	p := &planner{r: r, missed: map[plan]int{}}
	for _, pt := range points {
		p.all = append(p.all, plan{point: pt, nth: 1}, plan{point: pt, nth: 2})
	}
	p.fill()
	slices.SortStableFunc(p.queue, func(a, b plan) int { return hit[a.point][a.nth-1] - hit[b.point][b.nth-1] })
	return p
}

func (p *planner) fill() {
	p.queue = append(p.queue, p.all...)
	p.r.Shuffle(len(p.queue), func(i, j int) { p.queue[i], p.queue[j] = p.queue[j], p.queue[i] })
}

// A point that did not come is tried again after so many others, and so often.
const tryAfter, tryAgain = 5, 4

// again puts the last plan back: its point did not come.
func (p *planner) again() {
	if p.last == (plan{}) || p.missed[p.last] == tryAgain {
		return
	}
	p.missed[p.last]++
	p.queue = slices.Insert(p.queue, min(tryAfter, len(p.queue)), p.last)
}

func (p *planner) next() plan {
	p.last = plan{}
	if p.r.IntN(3) == 0 {
		d := time.Duration(p.r.Int64N(int64(lifetime)))
		if p.r.IntN(4) == 0 {
			d /= 8 // while it starts
		}
		return plan{after: d}
	}
	if len(p.queue) == 0 {
		p.fill()
	}
	next := p.queue[0]
	p.queue = p.queue[1:]
	p.last = next
	next.after = patience * time.Duration(1+p.missed[next])
	switch {
	case next.nth == 1:
	case next.point.What == "event" && next.point.Service == "clickai":
		next.nth += p.r.IntN(60) // in the middle of answers
	default:
		next.nth += p.r.IntN(3)
	}
	next.nth += greeting(next.point.Service, next.point.What)
	return next
}
