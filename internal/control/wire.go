package control

import (
	"context"
	"errors"
	"net"
	"net/http"
	"time"
)

// protocol changes with every change of what goes over the socket that the other side could misread.
const protocol = 1

// The routes. A name of a conversation goes into the query or the body: it may hold any character.
const (
	routeHello         = "/v1/hello"
	routeConversations = "/v1/conversations"
	routeFind          = "/v1/conversation"
	routeHistory       = "/v1/history"
	routeRename        = "/v1/rename"
	routeReset         = "/v1/reset"
	routeDelete        = "/v1/delete"
	routeRatings       = "/v1/ratings"
	routeBackup        = "/v1/backup"
)

const (
	maxRequest  = 64 << 10 // bytes of a request's body
	maxAnswer   = 64 << 20 // bytes of an answer but a backup
	maxRequests = 16       // at once

	// operationTimeout is for one operation: ClickAI's client gives up after half of it.
	operationTimeout = time.Minute
	// idleTimeout is how long a connection may stand still in either direction.
	idleTimeout = 2 * operationTimeout
	// dialTimeout and helloTimeout are for a bridge on this machine.
	dialTimeout  = 5 * time.Second
	helloTimeout = 10 * time.Second
	closeTimeout = 5 * time.Second
)

// Hello is what a running bridge says of itself.
type Hello struct {
	Protocol int    `json:"protocol"`
	Version  string `json:"version"`
	PID      int    `json:"pid"`
}

// named is the body of operations on one conversation.
type named struct {
	Name string `json:"name"`
}

// problem is the body of an answer that is an error.
type problem struct {
	Kind Kind   `json:"kind"`
	Text string `json:"error"`
}

func problemOf(err error) (status int, p problem) {
	if e, ok := errors.AsType[*Error](err); ok {
		p = problem{Kind: e.Kind, Text: err.Error()}
	} else {
		p = problem{Kind: KindInternal, Text: err.Error()}
		if errors.Is(err, context.DeadlineExceeded) {
			p.Text = "it took too long: " + p.Text
		}
	}
	switch p.Kind {
	case KindNotFound:
		status = http.StatusNotFound
	case KindAmbiguous, KindNoID, KindNoApp:
		status = http.StatusConflict
	case KindClickAI:
		status = http.StatusBadGateway
	case KindInvalid:
		status = http.StatusBadRequest
	case KindBusy:
		status = http.StatusServiceUnavailable
	default:
		status = http.StatusInternalServerError
	}
	return status, p
}

// idleConn ends a connection that stands still.
type idleConn struct{ net.Conn }

func (c idleConn) Read(p []byte) (int, error) {
	if err := c.SetReadDeadline(time.Now().Add(idleTimeout)); err != nil {
		return 0, err
	}
	return c.Conn.Read(p)
}

func (c idleConn) Write(p []byte) (int, error) {
	if err := c.SetWriteDeadline(time.Now().Add(idleTimeout)); err != nil {
		return 0, err
	}
	return c.Conn.Write(p)
}
