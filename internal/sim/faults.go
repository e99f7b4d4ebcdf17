package sim

import (
	"maps"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// Fault is one rule of misbehaviour for the requests it matches.
type Fault struct {
	// Match is a part of "METHOD /path" ("POST /api/chat.update"); "" matches every request.
	Match string
	// After lets that many matching requests pass first.
	After int
	// Times is how many requests it then hits; 0 means every one from then on.
	Times int
	// For bounds it in time from its first hit; 0 means no bound.
	For time.Duration

	// Delay holds the request back before anything else happens.
	Delay time.Duration
	// Status, Header and Body are answered in place of the real answer when Status is not 0.
	Status int
	Header http.Header
	Body   string
	// Cut closes the connection without an answer. With Handled the request takes effect first, as when the
	// answer is lost on its way back.
	Cut     bool
	Handled bool

	seen, hits int
	first      time.Time
}

// TooManyRequests is a 429 with Retry-After in whole seconds, for the next requests that match.
func TooManyRequests(match string, after time.Duration, times int) Fault {
	h := http.Header{"Retry-After": {strconv.Itoa(int(after.Round(time.Second) / time.Second))}}
	return Fault{Match: match, Times: times, Status: http.StatusTooManyRequests, Header: h}
}

// Faults is an ordered script; the first rule that matches a request decides. The zero value has no faults.
type Faults struct {
	tap   atomic.Pointer[Tap]
	mu    sync.Mutex
	rules []*Fault
	hits  int
}

// Add appends a rule.
func (f *Faults) Add(rule Fault) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.rules = append(f.rules, &rule)
}

// Clear removes all rules.
func (f *Faults) Clear() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.rules = nil
}

// Hits is how many requests a rule has hit so far.
func (f *Faults) Hits() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.hits
}

// Next says which rule hits the request that arrives now, if any, and counts it.
func (f *Faults) Next(method, path string) (Fault, bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, r := range f.rules {
		if !strings.Contains(method+" "+path, r.Match) {
			continue
		}
		r.seen++
		if r.seen <= r.After {
			continue
		}
		if r.Times > 0 && r.hits >= r.Times {
			continue
		}
		if r.For > 0 && r.hits > 0 && time.Since(r.first) > r.For {
			continue
		}
		if r.hits == 0 {
			r.first = time.Now()
		}
		r.hits++
		f.hits++
		return *r, true
	}
	return Fault{}, false
}

// Wrap puts the script in front of a server's handler, and the tap in front of both.
func (f *Faults) Wrap(next http.Handler) http.Handler {
	return f.tapped(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		rule, hit := f.Next(r.Method, r.URL.Path)
		if !hit {
			next.ServeHTTP(w, r)
			return
		}
		if rule.Delay > 0 {
			t := time.NewTimer(rule.Delay)
			defer t.Stop()
			select {
			case <-t.C:
			case <-r.Context().Done():
				return
			}
		}
		switch {
		case rule.Cut:
			if rule.Handled {
				next.ServeHTTP(discard{header: http.Header{}}, r)
			}
			panic(http.ErrAbortHandler) // net/http's documented way to drop a connection
		case rule.Status != 0:
			maps.Copy(w.Header(), rule.Header)
			w.WriteHeader(rule.Status)
			_, _ = w.Write([]byte(rule.Body))
		default:
			next.ServeHTTP(w, r)
		}
	}))
}

// discard takes an answer that never reaches the client.
type discard struct{ header http.Header }

func (d discard) Header() http.Header         { return d.header }
func (d discard) Write(p []byte) (int, error) { return len(p), nil }
func (d discard) WriteHeader(int)             {}
