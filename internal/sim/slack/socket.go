package slack

import (
	"crypto/rand"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gorilla/websocket"
)

// Bounds of Socket Mode. Source: https://docs.slack.dev/apis/events-api/using-socket-mode
const (
	maxSockets = 10
	ticketLife = 30 * time.Second
	// maxAck bounds one frame from the app, in bytes; an acknowledgement's payload may have some 20 kB.
	maxAck       = 64 << 10
	writeTimeout = 10 * time.Second
	// refreshGrace is how long a socket stays after it was told to go.
	refreshGrace = 10 * time.Second
	socketQueue  = 1024
)

// socket is one open WebSocket. Its handler reads, one more goroutine writes.
type socket struct {
	conn     *websocket.Conn
	out      chan []byte
	done     chan struct{}
	once     sync.Once
	retiring bool // told to go; gets nothing new. Guarded by the server's lock.
	stalled  atomic.Bool
}

// cut drops the connection without a close frame.
func (k *socket) cut() {
	k.once.Do(func() {
		close(k.done)
		_ = k.conn.Close()
	})
}

// connectionsOpen gives a WebSocket address that can be used once.
// Source: https://docs.slack.dev/reference/methods/apps.connections.open
func connectionsOpen(c *call) (object, *apiError) {
	s := c.s
	for t, until := range s.tickets {
		if c.now.After(until) {
			delete(s.tickets, t)
		}
	}
	ticket := rand.Text()
	s.tickets[ticket] = c.now.Add(ticketLife)
	q := url.Values{"ticket": {ticket}, "app_id": {s.opt.AppID}}
	return object{"url": "ws://" + s.ln.Addr().String() + "/link/?" + q.Encode()}, nil
}

// serveSocket is the WebSocket end of Socket Mode.
func (s *Server) serveSocket(w http.ResponseWriter, r *http.Request) {
	ticket := r.URL.Query().Get("ticket")
	s.mu.Lock()
	until, ok := s.tickets[ticket]
	delete(s.tickets, ticket)
	if s.closed || !ok || time.Now().After(until) {
		s.mu.Unlock()
		http.Error(w, "ticket unknown, used or too old", http.StatusUnauthorized)
		return
	}
	s.work.Add(1)
	defer s.work.Done()
	s.mu.Unlock()

	up := websocket.Upgrader{
		HandshakeTimeout: writeTimeout,
		CheckOrigin:      func(*http.Request) bool { return true }, // clients send Slack's own origin
	}
	conn, err := up.Upgrade(w, r, nil)
	if err != nil {
		s.log.Debug("slack stand-in refused a socket", slog.Any("err", err))
		return
	}
	k := &socket{conn: conn, out: make(chan []byte, socketQueue), done: make(chan struct{})}
	defer k.cut()
	var writer sync.WaitGroup
	defer writer.Wait()
	defer k.cut()
	writer.Go(func() { s.writeSocket(k) })
	if !s.join(k) {
		t := time.NewTimer(200 * time.Millisecond) // for the frame to leave
		defer t.Stop()
		select {
		case <-t.C:
		case <-k.done:
		}
		return
	}
	defer s.leave(k)
	s.readSocket(k)
}

// join greets a socket and gives it its share of what comes; one too many is sent away.
func (s *Server) join(k *socket) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		k.cut()
		return true
	}
	if s.openLocked() >= maxSockets {
		s.violateLocked("socket mode: more than %d sockets", maxSockets)
		k.out <- disconnectFrame("too_many_websockets")
		return false
	}
	s.sockets = append(s.sockets, k)
	s.opened++
	k.out <- plainJSON(object{
		"type": "hello", "num_connections": s.openLocked(), "connection_info": object{"app_id": s.opt.AppID},
		"debug_info": object{"host": "applink-standin", "build_number": 1, "approximate_connection_time": 18060},
	})
	s.changed.Notify()
	return true
}

func (s *Server) leave(k *socket) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sockets = slices.DeleteFunc(s.sockets, func(o *socket) bool { return o == k })
	s.changed.Notify()
}

func disconnectFrame(reason string) []byte {
	return plainJSON(object{"type": "disconnect", "reason": reason, "debug_info": object{"host": "applink-standin"}})
}

func (s *Server) writeSocket(k *socket) {
	defer k.cut()
	ping := time.NewTicker(s.opt.PingInterval)
	defer ping.Stop()
	for {
		kind, data := websocket.TextMessage, []byte(nil)
		select {
		case data = <-k.out:
		case <-ping.C:
			kind, data = websocket.PingMessage, []byte("Ping from applink-standin")
		case <-k.done:
			return
		}
		if k.stalled.Load() {
			continue
		}
		_ = k.conn.SetWriteDeadline(time.Now().Add(writeTimeout))
		if err := k.conn.WriteMessage(kind, data); err != nil {
			return
		}
		if kind == websocket.TextMessage {
			s.faults.Frame("event")
		}
	}
}

// readSocket takes acknowledgements until the connection ends. A socket that answers no ping for three intervals is
// dead.
func (s *Server) readSocket(k *socket) {
	alive := func() { _ = k.conn.SetReadDeadline(time.Now().Add(3 * s.opt.PingInterval)) }
	alive()
	k.conn.SetReadLimit(maxAck)
	k.conn.SetPongHandler(func(string) error { alive(); return nil })
	for {
		_, data, err := k.conn.ReadMessage()
		if err != nil {
			return
		}
		if k.stalled.Load() {
			continue
		}
		alive()
		var ack struct {
			EnvelopeID string          `json:"envelope_id"`
			Payload    json.RawMessage `json:"payload"`
		}
		err = json.Unmarshal(data, &ack)
		s.mu.Lock()
		switch {
		case err != nil || ack.EnvelopeID == "":
			s.violateLocked("socket mode: a frame that is no acknowledgement: %.100q", data)
		case !s.acknowledgeLocked(ack.EnvelopeID, ack.Payload):
			s.log.Debug("slack stand-in got a second or an unknown acknowledgement", slog.String("envelope", ack.EnvelopeID))
		}
		s.mu.Unlock()
		s.faults.Frame("ack")
	}
}

// frameLocked gives a frame to one of the open sockets, in turn. With none it is gone, and left to the retries.
func (s *Server) frameLocked(frame []byte) {
	for range s.sockets {
		s.nextSocket++
		k := s.sockets[s.nextSocket%len(s.sockets)]
		if k.retiring {
			continue
		}
		select {
		case <-k.done:
			continue
		default:
		}
		select {
		case k.out <- frame:
			return
		default: // the app does not read; another socket may
		}
	}
}

// Sockets counts the sockets that can be sent to.
func (s *Server) Sockets() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.openLocked()
}

// SocketsOpened counts the sockets that were ever greeted.
func (s *Server) SocketsOpened() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.opened
}

func (s *Server) openLocked() int {
	n := 0
	for _, k := range s.sockets {
		if !k.retiring {
			n++
		}
	}
	return n
}

// Connected tells whether events can reach the app now: a socket is open, or a request URL is set.
func (s *Server) Connected() bool {
	s.mu.Lock()
	url := s.requestURL
	s.mu.Unlock()
	return url != "" || s.Sockets() > 0
}

// Refresh tells every open socket to reconnect, as Slack does every few hours: a disconnect frame with reason
// refresh_requested, nothing new on that socket from then on, and its end ten seconds later.
func (s *Server) Refresh() { s.Disconnect("refresh_requested") }

// Disconnect sends a disconnect frame with any reason ("warning", "refresh_requested", "link_disabled") to every open
// socket, and closes them ten seconds later.
func (s *Server) Disconnect(reason string) { s.disconnect(reason, maxSockets) }

// RefreshOne tells the socket that has been open longest to reconnect, as Refresh does with all.
func (s *Server) RefreshOne() { s.disconnect("refresh_requested", 1) }

// disconnect tells so many sockets to go.
func (s *Server) disconnect(reason string, most int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, k := range s.sockets {
		if k.retiring {
			continue
		}
		if most--; most < 0 {
			break
		}
		k.retiring = true
		select {
		case k.out <- disconnectFrame(reason):
		default: // its queue is full, so nobody reads; it is closed below all the same
		}
		s.clock.after(refreshGrace, k.cut)
	}
	s.changed.Notify()
}

// CutSockets drops every socket without a word, as a broken network does.
func (s *Server) CutSockets() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, k := range s.sockets {
		k.retiring = true
		k.cut()
	}
	s.changed.Notify()
}
