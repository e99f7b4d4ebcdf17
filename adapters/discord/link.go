package discord

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gorilla/websocket"
)

// Gateway opcodes.
// Source: https://docs.discord.com/developers/topics/opcodes-and-status-codes#gateway-gateway-opcodes
const (
	opDispatch       = 0
	opHeartbeat      = 1
	opIdentify       = 2
	opResume         = 6
	opReconnect      = 7
	opInvalidSession = 9
	opHello          = 10
	opHeartbeatACK   = 11
)

// closeKeep closes a connection so that its session can be resumed; 1000 and 1001 would end it.
// Source: https://docs.discord.com/developers/events/gateway#initiating-a-disconnect
const closeKeep = 4000

var (
	errZombie    = errors.New("heartbeats are not acknowledged")
	errReconnect = errors.New("Discord asked to reconnect") //nolint:staticcheck // a name
	errBinary    = errors.New("a compressed frame came that was not asked for")
)

// frame is what the gateway sends.
type frame struct {
	Op   int             `json:"op"`
	Data json.RawMessage `json:"d"`
	Seq  int64           `json:"s"` // of dispatches
	Type string          `json:"t"`
}

// link is one gateway connection. read is called by one goroutine, the rest by any.
type link struct {
	ws    *websocket.Conn
	write sync.Mutex
	acked atomic.Bool
	busy  atomic.Bool // the reader handles an event: that it does not see acknowledgements is not Discord's fault
	dead  atomic.Bool
}

// dial connects. ctx bounds the handshake; when it ends later, the connection is closed.
func dial(ctx context.Context, d *websocket.Dialer, address string) (*link, error) {
	ws, resp, err := d.DialContext(ctx, address, nil)
	if err != nil {
		if resp != nil {
			_ = resp.Body.Close()
			return nil, fmt.Errorf("connect to the gateway: HTTP %d: %w", resp.StatusCode, err)
		}
		return nil, fmt.Errorf("connect to the gateway: %w", err)
	}
	ws.SetReadLimit(maxFrame)
	// gorilla would answer a close frame with the same code: a 1000 or 1001 sent back ends the session, which 4000 keeps.
	ws.SetCloseHandler(func(int, string) error { return nil })
	l := &link{ws: ws}
	l.acked.Store(true)
	return l, nil
}

// read waits for the next frame until the deadline.
func (l *link) read(deadline time.Time) (frame, error) {
	if err := l.ws.SetReadDeadline(deadline); err != nil {
		return frame{}, fmt.Errorf("read from the gateway: %w", err)
	}
	kind, data, err := l.ws.ReadMessage()
	if err != nil {
		if l.dead.Load() {
			err = errZombie
		}
		return frame{}, fmt.Errorf("read from the gateway: %w", err)
	}
	if kind != websocket.TextMessage {
		return frame{}, errBinary
	}
	var f frame
	if err := json.Unmarshal(data, &f); err != nil {
		return frame{}, fmt.Errorf("decode a frame of the gateway: %w", err)
	}
	return f, nil
}

func (l *link) send(op int, data any) error {
	l.write.Lock()
	defer l.write.Unlock()
	if err := l.ws.SetWriteDeadline(time.Now().Add(10 * time.Second)); err != nil {
		return fmt.Errorf("write to the gateway: %w", err)
	}
	if err := l.ws.WriteJSON(struct {
		Op   int `json:"op"`
		Data any `json:"d"`
	}{op, data}); err != nil {
		return fmt.Errorf("write to the gateway: %w", err)
	}
	return nil
}

// close ends the connection at once. A blocked read or write returns.
func (l *link) close(code int) {
	_ = l.ws.WriteControl(websocket.CloseMessage, websocket.FormatCloseMessage(code, ""), time.Now().Add(time.Second))
	_ = l.ws.Close()
}

// heartbeat tells Discord the last sequence number that is safe.
func (l *link) heartbeat(seq int64) error {
	if seq == 0 {
		return l.send(opHeartbeat, nil)
	}
	return l.send(opHeartbeat, seq)
}

// beat sends heartbeats until ctx ends. A connection that has not acknowledged the last one when the next is due is dead,
// and is closed: discordgo would wait for five.
// Source: https://docs.discord.com/developers/events/gateway#sending-heartbeats
func (l *link) beat(ctx context.Context, every time.Duration, seq func() int64) {
	wait := time.Duration(rand.Float64() * float64(every)) // the first one at a random time, as Discord asks
	for {
		if sleep(ctx, wait) != nil {
			return
		}
		if !l.acked.Load() && !l.busy.Load() {
			l.dead.Store(true)
			l.close(closeKeep)
			return
		}
		l.acked.Store(false)
		if l.heartbeat(seq()) != nil {
			l.close(closeKeep) // the reader sees the error
			return
		}
		wait = every
	}
}
