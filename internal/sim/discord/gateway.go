package discord

import (
	"bytes"
	"compress/zlib"
	"encoding/json"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"time"

	"github.com/gorilla/websocket"
)

// Opcodes. Source: https://docs.discord.com/developers/topics/opcodes-and-status-codes#gateway
const (
	opDispatch       = 0
	opHeartbeat      = 1
	opIdentify       = 2
	opPresence       = 3
	opVoice          = 4
	opResume         = 6
	opReconnect      = 7
	opMembers        = 8
	opInvalidSession = 9
	opHello          = 10
	opHeartbeatAck   = 11
)

// Close codes; same source.
const (
	closeGoingAway     = 1001
	closeUnknown       = 4000
	closeOpcode        = 4001
	closeDecode        = 4002
	closeNotIdentified = 4003
	closeAuthFailed    = 4004
	closeAlready       = 4005
	closeSeq           = 4007
	closeRateLimited   = 4008
	closeShard         = 4010
	closeVersion       = 4012
	closeIntents       = 4013
	closeDisallowed    = 4014
)

// Limits of what a client sends. Source: https://docs.discord.com/developers/events/gateway
const (
	maxPayload     = 4096
	maxSends       = 120
	sendsWindow    = time.Minute
	maxIdentifies  = 1000 // in 24 hours
	identifyWindow = 24 * time.Hour
)

const (
	outQueue      = 4096             // frames waiting for a slow client; more and it is cut off
	writeTimeout  = 10 * time.Second // for one frame
	drainTime     = time.Second      // after a close frame, for the client to close too
	closeTime     = 200 * time.Millisecond
	compressAbove = 512 // bytes; "not all payloads will be compressed"
)

// gateway is the state of all connections; the server's lock guards it.
type gateway struct {
	conns    map[*conn]bool
	sessions map[string]*session

	since        time.Time // begin of the 24 hours that identifies counts
	identifies   int
	lastIdentify time.Time

	withhold       bool // no heartbeat acks
	stalls         int  // next connections that get nothing
	reconnectFirst int  // next identifies and resumes that get Op 7
	hold           int  // events to keep back and reverse
	held           []func()
}

func (g *gateway) init() {
	g.conns = map[*conn]bool{}
	g.sessions = map[string]*session{}
	g.since = time.Now()
}

// session is what survives a connection.
type session struct {
	id            string
	intents       int
	shard, shards int
	compress      bool
	seq           int
	events        []event
	conn          *conn
	left          time.Time // when the connection went
}

// conn is one WebSocket. Its reader is the request's goroutine, which waits for the writer.
type conn struct {
	s       *Server
	ws      *websocket.Conn
	out     chan frame
	quit    chan struct{}
	closing atomic.Bool
	silent  bool // under the server's lock: frames go nowhere
	session *session
	sends   []time.Time
}

type frame struct {
	data   []byte
	binary bool
	code   int // not 0: close with it
	reason string
}

// GatewayURL is the WebSocket address that GET /gateway gives.
func (s *Server) GatewayURL() string { return "ws://" + s.addr + "/gateway" }

var upgrader = websocket.Upgrader{CheckOrigin: func(*http.Request) bool { return true }}

func (s *Server) serveGateway(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	if !websocket.IsWebSocketUpgrade(r) {
		s.refuse(w, r, errNotFound)
		return
	}
	ws, err := upgrader.Upgrade(w, r, nil)
	if err != nil {
		s.log.Debug("gateway upgrade refused", slog.Any("err", err))
		return
	}
	c := &conn{s: s, ws: ws, out: make(chan frame, outQueue), quit: make(chan struct{})}
	defer func() { _ = ws.Close() }()

	s.mu.Lock()
	if s.closed || len(s.gw.conns) >= maxConnections {
		s.mu.Unlock()
		return
	}
	s.gw.conns[c] = true
	if s.gw.stalls > 0 {
		s.gw.stalls--
		c.silent = true
	}
	stalled := c.silent
	c.hello(q.Get("v"), q.Get("encoding"), q.Get("compress"))
	s.mu.Unlock()

	written := make(chan struct{})
	go func() {
		defer close(written)
		c.write()
	}()
	clean := c.read(stalled)
	s.mu.Lock()
	c.leave(clean)
	s.mu.Unlock()
	close(c.quit)
	<-written
}

// hello greets, or refuses what the query asks for.
func (c *conn) hello(version, encoding, compress string) {
	switch {
	case version != "" && version != "9" && version != "10":
		c.s.violate("gateway: version %q", version)
		c.shut(closeVersion, "Invalid API version.")
	case encoding != "" && encoding != "json", compress != "":
		c.s.violate("gateway: encoding %q with compression %q is not spoken here", encoding, compress)
		c.shut(closeDecode, "Error while decoding payload.")
	default:
		c.sendOp(opHello, map[string]any{"heartbeat_interval": c.s.opt.HeartbeatInterval.Milliseconds(), "_trace": []string{"stand-in"}})
	}
}

// send queues a frame; the caller holds the server's lock.
func (c *conn) send(f frame) {
	if c.silent {
		return
	}
	select {
	case c.out <- f:
	default:
		c.s.log.Warn("gateway client is too slow, cut off")
		c.cut()
	}
}

func (c *conn) sendOp(op int, data any) {
	c.send(frame{data: mustJSON(map[string]any{"op": op, "d": data, "s": nil, "t": nil})})
}

// shut asks the writer to close with a code. It also works on a silent connection.
func (c *conn) shut(code int, reason string) {
	if c.closing.Swap(true) {
		return
	}
	select {
	case c.out <- frame{code: code, reason: reason}:
	default:
		c.cut()
	}
}

// cut drops the connection without a word.
func (c *conn) cut() {
	c.closing.Store(true)
	if t, ok := c.ws.NetConn().(*net.TCPConn); ok {
		_ = t.SetLinger(0)
	}
	_ = c.ws.NetConn().Close()
}

// write sends what is queued until the reader has ended.
func (c *conn) write() {
	for {
		select {
		case <-c.quit:
			return
		case f := <-c.out:
			if f.code != 0 {
				c.writeClose(f)
				return
			}
			kind := websocket.TextMessage
			if f.binary {
				kind = websocket.BinaryMessage
			}
			_ = c.ws.SetWriteDeadline(c.deadline(writeTimeout, closeTime))
			if err := c.ws.WriteMessage(kind, f.data); err != nil {
				c.cut()
				return
			}
			c.s.faults.Frame("event")
		}
	}
}

// deadline is shorter while the server closes.
func (c *conn) deadline(usual, closing time.Duration) time.Time {
	if c.s.ctx.Err() != nil {
		usual = closing
	}
	return time.Now().Add(usual)
}

// writeClose sends the close frame and leaves the client some time to read it: to close at once with unread input
// would reset the connection and lose the frame.
func (c *conn) writeClose(f frame) {
	msg := websocket.FormatCloseMessage(f.code, f.reason)
	_ = c.ws.WriteControl(websocket.CloseMessage, msg, c.deadline(writeTimeout, closeTime))
	_ = c.ws.NetConn().SetReadDeadline(c.deadline(drainTime, closeTime))
}

// read handles what the client sends until the connection ends. It reports whether the client ended its session with
// 1000 or 1001.
func (c *conn) read(stalled bool) bool {
	c.ws.SetReadLimit(64 << 10)
	grace := c.s.opt.HeartbeatInterval * 3 / 2
	if !stalled {
		_ = c.ws.SetReadDeadline(time.Now().Add(grace))
	}
	for {
		_, data, err := c.ws.ReadMessage()
		if err != nil {
			return c.ended(err, grace)
		}
		if c.closing.Load() {
			continue
		}
		var p struct {
			Op   int             `json:"op"`
			Data json.RawMessage `json:"d"`
		}
		c.s.mu.Lock()
		switch {
		case len(data) > maxPayload || json.Unmarshal(data, &p) != nil:
			c.s.violate("gateway: payload of %d bytes is too large or no JSON", len(data))
			c.shut(closeDecode, "Error while decoding payload.")
		case !c.countSend():
			c.s.violate("gateway: more than %d payloads in %s", maxSends, sendsWindow)
			c.shut(closeRateLimited, "You are being rate limited.")
		default:
			c.handle(p.Op, p.Data)
		}
		c.s.mu.Unlock()
		if p.Op == opHeartbeat && !c.closing.Load() {
			_ = c.ws.SetReadDeadline(time.Now().Add(grace))
		}
	}
}

func (c *conn) ended(err error, grace time.Duration) bool {
	if closed, ok := errors.AsType[*websocket.CloseError](err); ok {
		return closed.Code == websocket.CloseNormalClosure || closed.Code == websocket.CloseGoingAway
	}
	if late, ok := errors.AsType[net.Error](err); ok && late.Timeout() && !c.closing.Load() {
		c.s.mu.Lock()
		c.s.violate("gateway: no heartbeat for %s", grace)
		c.s.mu.Unlock()
		msg := websocket.FormatCloseMessage(closeUnknown, "No heartbeat.")
		_ = c.ws.WriteControl(websocket.CloseMessage, msg, time.Now().Add(closeTime))
	}
	return false
}

func (c *conn) countSend() bool {
	now := time.Now()
	for len(c.sends) > 0 && now.Sub(c.sends[0]) > sendsWindow {
		c.sends = c.sends[1:]
	}
	c.sends = append(c.sends, now)
	return len(c.sends) <= maxSends
}

// leave parts the connection from its session, which can be resumed unless the client ended it.
func (c *conn) leave(clean bool) {
	delete(c.s.gw.conns, c)
	if x := c.session; x != nil && x.conn == c {
		x.conn, x.left = nil, time.Now()
		if clean {
			delete(c.s.gw.sessions, x.id)
		}
	}
	c.s.notify.Notify()
}

func (c *conn) handle(op int, data json.RawMessage) {
	if op != opHeartbeat && op != opIdentify && op != opResume && c.session == nil {
		c.s.violate("gateway: op %d before identifying", op)
		c.shut(closeNotIdentified, "Not authenticated.")
		return
	}
	switch op {
	case opHeartbeat:
		if !c.s.gw.withhold {
			c.sendOp(opHeartbeatAck, nil)
		}
	case opIdentify:
		c.identify(data)
	case opResume:
		c.resume(data)
	case opPresence, opVoice:
	case opMembers:
		c.members(data)
	default:
		c.s.violate("gateway: unknown op %d", op)
		c.shut(closeOpcode, "Unknown opcode.")
	}
}

// frame is an event as sent to this session.
func (x *session) frame(e event) frame {
	data := mustJSON(map[string]any{"op": opDispatch, "s": e.seq, "t": e.name, "d": e.data})
	if !x.compress || len(data) < compressAbove {
		return frame{data: data}
	}
	var b bytes.Buffer
	z := zlib.NewWriter(&b)
	_, err := z.Write(data)
	if cerr := z.Close(); err != nil || cerr != nil { // a buffer takes everything
		return frame{data: data}
	}
	return frame{data: b.Bytes(), binary: true}
}

func cutBot(token string) string { return strings.TrimPrefix(token, "Bot ") }
