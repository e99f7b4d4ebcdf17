package slack

// StallSockets makes every open socket half-open, as a network does that drops packets: nothing that is sent arrives on
// either side, pings included, and nobody is told. What is sent to such a socket is gone.
func (s *Server) StallSockets() { s.stall(maxSockets) }

// StallOne does so with the socket that has been open longest.
func (s *Server) StallOne() { s.stall(1) }

func (s *Server) stall(most int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, k := range s.sockets {
		if k.retiring {
			continue
		}
		if most--; most < 0 {
			return
		}
		k.stalled.Store(true)
	}
}

// Reorder holds the next n envelopes back until the last of them is there, and then sends them in reverse order. What is
// held waits for as long as it takes.
func (s *Server) Reorder(n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.holding = n
}

// Double has every envelope sent twice from now on, or no more: to two sockets where two are open.
func (s *Server) Double(on bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.doubled = on
}

// sendLocked sends an envelope over a socket.
func (s *Server) sendLocked(d *delivery, envelope string) {
	frames := [][]byte{d.frame(envelope)}
	if s.holding > 0 {
		s.held = append(s.held, frames[0])
		if s.holding--; s.holding > 0 {
			return
		}
		frames, s.held = s.held, nil
	}
	for i := range frames {
		frame := frames[len(frames)-1-i]
		s.frameLocked(frame)
		if s.doubled {
			s.frameLocked(frame)
		}
	}
}
