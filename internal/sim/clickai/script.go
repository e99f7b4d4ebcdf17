package clickai

import "slices"

// Scripted is an answer that waits for its turn.
type Scripted struct {
	s      *Server
	match  func(Request) bool
	steps  []Step
	left   int // negative: for ever
	played int
}

// Script queues an exact answer for the next generation request that match accepts (nil accepts each). Requests that
// the API would refuse are refused without taking a script. Scripts are tried in the order in which they were queued;
// without one the agent answers. After the last step the app's terminal events follow, unless a step ended the answer.
func (s *Server) Script(match func(Request) bool, steps ...Step) *Scripted {
	sc := &Scripted{s: s, match: match, steps: steps, left: 1}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.scripts = append(s.scripts, sc)
	return sc
}

// Times makes the script good for n requests in place of one; 0 means all.
func (sc *Scripted) Times(n int) *Scripted {
	sc.s.mu.Lock()
	defer sc.s.mu.Unlock()
	if sc.left = n; n == 0 {
		sc.left = -1
	}
	return sc
}

// Played is how many requests it has answered or is answering.
func (sc *Scripted) Played() int {
	sc.s.mu.Lock()
	defer sc.s.mu.Unlock()
	return sc.played
}

// ClearScripts forgets all scripts that were not played yet.
func (s *Server) ClearScripts() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.scripts = nil
}

// script takes the first script that accepts the request.
func (s *Server) script(rec Request) ([]Step, bool) {
	s.mu.Lock()
	candidates := slices.Clone(s.scripts)
	s.mu.Unlock()
	for _, sc := range candidates {
		// match is the caller's code and may ask the server, so it runs without the lock.
		if sc.match != nil && !sc.match(rec) {
			continue
		}
		s.mu.Lock()
		if sc.left == 0 || !slices.Contains(s.scripts, sc) {
			s.mu.Unlock()
			continue // another request was faster
		}
		sc.played++
		if sc.left > 0 {
			sc.left--
		}
		if sc.left == 0 {
			s.scripts = slices.DeleteFunc(s.scripts, func(o *Scripted) bool { return o == sc })
		}
		s.mu.Unlock()
		return sc.steps, true
	}
	return nil, false
}

// ForQuery matches requests of exactly that query.
func ForQuery(query string) func(Request) bool {
	return func(r Request) bool { return r.Text("query") == query }
}

// ForApp matches requests with that app's key.
func ForApp(name string) func(Request) bool {
	return func(r Request) bool { return r.App == name }
}
