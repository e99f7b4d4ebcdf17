package clickai

import (
	"fmt"
	"net/http"
	"time"
)

// meter counts the requests of one key against its plan: a sliding minute, and days of 24 hours from the first
// request on. Which request counts is not documented; here all do that carry a valid key.
type meter struct {
	plan     Plan
	recent   []time.Time // times of the last PerMinute requests, a circle
	at       int
	day      int
	dayStart time.Time
}

// take counts a request that arrives at now, or says why not.
func (m *meter) take(now time.Time, tell bool) *apiError {
	p := m.plan
	minute := p.Minute
	if minute == 0 {
		minute = time.Minute
	}
	if p.PerDay > 0 {
		if now.Sub(m.dayStart) >= 24*time.Hour {
			m.day, m.dayStart = 0, now
		}
		if m.day >= p.PerDay {
			return overLimit("rate_limit_error", fmt.Sprintf("The plan's %d requests of the day are used up.", p.PerDay), 0,
				false, "over the plan's limit of requests a day")
		}
	}
	if p.PerMinute > 0 {
		if len(m.recent) < p.PerMinute {
			m.recent = append(m.recent, now)
		} else {
			if since := now.Sub(m.recent[m.at]); since < minute {
				return overLimit("too_many_requests", fmt.Sprintf("More than %d requests in a minute.", p.PerMinute),
					minute-since, tell, "over the plan's limit of requests a minute")
			}
			m.recent[m.at] = now
			m.at = (m.at + 1) % p.PerMinute
		}
	}
	m.day++
	return nil
}

// enter counts a generation request against the app's bound of running ones.
func (s *Server) enter(a *app) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.opt.MaxConcurrent > 0 && a.running >= s.opt.MaxConcurrent {
		return &apiError{
			status: http.StatusTooManyRequests, code: "too_many_requests",
			message: fmt.Sprintf("More than %d running requests of this app.", s.opt.MaxConcurrent),
		}
	}
	a.running++
	return nil
}

func (s *Server) leave(a *app) {
	s.mu.Lock()
	defer s.mu.Unlock()
	a.running--
}
