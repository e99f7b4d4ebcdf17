package sim

import "net/http"

// Tap stands between a stand-in and its bot and is told of all that passes, at the moment when it does. A crash test ends the
// bot from here: each method may block, and what it was told of waits meanwhile. All methods must be safe for concurrent use.
type Tap interface {
	// Request has a request answered: by next, later, or not at all.
	Request(w http.ResponseWriter, r *http.Request, next http.Handler)
	// Frame is told of a part of a longer exchange: "event" when an event was written to a bot's WebSocket, "ack" when an
	// acknowledgement was taken from it, and the name of an event that was written to a stream over HTTP.
	Frame(name string)
}

// SetTap puts a tap in front of the server; nil takes it away. Requests that are under way stay where they are.
func (f *Faults) SetTap(t Tap) {
	if t == nil {
		f.tap.Store(nil)
		return
	}
	f.tap.Store(&t)
}

// Frame tells the tap, if there is one.
func (f *Faults) Frame(name string) {
	if t := f.tap.Load(); t != nil {
		(*t).Frame(name)
	}
}

// tapped puts the tap, if there is one, in front of a handler.
func (f *Faults) tapped(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if t := f.tap.Load(); t != nil {
			(*t).Request(w, r, next)
			return
		}
		next.ServeHTTP(w, r)
	})
}
