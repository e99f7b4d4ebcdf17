package clickai

import (
	"context"
	"errors"
	"net"
	"net/http"
	"syscall"
	"time"
)

// newHTTPTransport is net/http's default transport with as many kept
// connections per host as a busy app has streams.
func newHTTPTransport() http.RoundTripper {
	dialer := &net.Dialer{Timeout: 15 * time.Second, KeepAlive: 30 * time.Second}
	return &http.Transport{
		Proxy: http.ProxyFromEnvironment,
		DialContext: func(ctx context.Context, network, addr string) (net.Conn, error) {
			conn, err := dialer.DialContext(ctx, network, addr)
			if err != nil {
				return nil, err
			}
			return &patientConn{conn}, nil
		},
		WriteBufferSize:       1 << 10, // an answer holds its connection for long, for the sake of one small request
		ForceAttemptHTTP2:     true,
		MaxIdleConns:          100,
		MaxIdleConnsPerHost:   64,
		IdleConnTimeout:       90 * time.Second,
		TLSHandshakeTimeout:   15 * time.Second,
		ExpectContinueTimeout: time.Second,
	}
}

// patientConn leaves it to Read to report a connection that the peer has reset.
//
// A server that refuses an upload answers (413) and closes while the client still
// writes. net/http gives up a request at the first failed write, although the
// answer is there to be read. With the failure held back, its reader finds either
// the answer or the reset.
type patientConn struct{ net.Conn }

func (c *patientConn) Write(p []byte) (int, error) {
	n, err := c.Conn.Write(p)
	if errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE) {
		return len(p), nil
	}
	return n, err
}
