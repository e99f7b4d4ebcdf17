package playground

import (
	"context"
	"errors"
	"sync"
)

// Step is a step of the tour that is over.
type Step struct {
	Platform string `json:"platform"` // its title
	Name     string `json:"name"`
	Seen     bool   `json:"seen"`
	Detail   string `json:"detail"` // what was seen, or what was not
}

// tour plays at most one at a time.
type tour struct {
	s  *Server
	wg sync.WaitGroup

	mu    sync.Mutex
	state tourItem
}

// tourItem is how the tour stands.
type tourItem struct {
	Running bool   `json:"running"`
	Done    bool   `json:"done"`
	Failed  bool   `json:"failed"`
	Steps   []Step `json:"steps"`
}

var errTour = errors.New("the tour is playing already")

// change changes the state and tells it.
func (t *tour) change(f func(*tourItem)) {
	t.mu.Lock()
	defer t.mu.Unlock()
	f(&t.state)
	t.s.hub.set("o", t.state)
}

func (s *Server) startTour(context.Context, *act) (any, error) {
	t := s.tour
	if s.opt.Tour == nil {
		return nil, errors.New("there is no tour here")
	}
	free := false
	t.change(func(st *tourItem) {
		if free = !st.Running; free {
			*st = tourItem{Running: true, Steps: []Step{}}
		}
	})
	if !free {
		return nil, errTour
	}
	t.wg.Go(func() {
		err := s.opt.Tour(s.ctx, func(step Step) {
			t.change(func(st *tourItem) { st.Steps = append(st.Steps, step) })
		})
		t.change(func(st *tourItem) { st.Running, st.Done, st.Failed = false, true, err != nil })
	})
	return nil, nil
}
