package discord

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/bwmarrin/discordgo"

	"github.com/clickai/bridge/internal/netguard"
)

// exchange is what one request brought back, as rate limits and errors need it. discordgo keeps the status of neither a
// 502 nor of a 429 whose body is not JSON.
type exchange struct {
	sent   bool // the request was handed to the network
	status int  // 0: no answer
	header http.Header
	body   []byte // of an error, at most maxErrorBody
}

type exchangeKey struct{}

// transport sends discordgo's requests to the configured base. discordgo's endpoints are variables of the process; this
// way each bot has its own server. It refuses any other address, so the token cannot go astray.
type transport struct {
	next http.RoundTripper
	base *url.URL
}

var errForeign = errors.New("request to an address outside the API")

// RoundTrip implements http.RoundTripper.
func (t *transport) RoundTrip(r *http.Request) (*http.Response, error) {
	rest, ok := strings.CutPrefix(r.URL.String(), discordgo.EndpointAPI)
	if !ok {
		return nil, errForeign
	}
	u, err := url.Parse(strings.TrimRight(t.base.String(), "/") + "/" + rest)
	if err != nil {
		return nil, fmt.Errorf("build the address: %w", err)
	}
	out := r.Clone(r.Context())
	out.URL, out.Host = u, ""
	ex, _ := r.Context().Value(exchangeKey{}).(*exchange)
	if ex == nil {
		ex = &exchange{}
	}
	ex.sent = true
	resp, err := t.next.RoundTrip(out)
	if err != nil {
		return nil, err //nolint:wrapcheck // http.Client wraps it with method and URL
	}
	ex.status, ex.header = resp.StatusCode, resp.Header.Clone()
	// discordgo's limiter, which sleeps deaf to contexts and fails on malformed values, is left without headers.
	for k := range resp.Header {
		if strings.HasPrefix(k, "X-Ratelimit-") {
			delete(resp.Header, k)
		}
	}
	if resp.StatusCode < 300 {
		resp.Body = &boundedBody{ReadCloser: resp.Body, left: maxAnswer}
		return resp, nil
	}
	ex.body, err = io.ReadAll(io.LimitReader(resp.Body, maxErrorBody))
	_ = resp.Body.Close()
	if err != nil {
		return nil, fmt.Errorf("read the error's body: %w", err)
	}
	resp.Body = io.NopCloser(bytes.NewReader(ex.body))
	return resp, nil
}

var errTooMuch = errors.New("answer is larger than any that Discord sends")

// boundedBody fails when more comes than may.
type boundedBody struct {
	io.ReadCloser
	left int64
}

func (b *boundedBody) Read(p []byte) (int, error) {
	if b.left <= 0 {
		// The end may lie exactly here: ask for one byte more.
		var one [1]byte
		if n, err := b.ReadCloser.Read(one[:]); n == 0 {
			return 0, err
		}
		return 0, errTooMuch
	}
	if int64(len(p)) > b.left {
		p = p[:b.left]
	}
	n, err := b.ReadCloser.Read(p)
	b.left -= int64(n)
	return n, err
}

// newHTTP returns the connection pool of one bot, and a client for attachments. Attachments come from addresses that
// messages name; they carry no token, and lead into a private network only where api_url itself does.
func newHTTP(base *url.URL) (pool *http.Transport, downloads *http.Client, downloadPool *http.Transport) {
	dialer := &net.Dialer{Timeout: 15 * time.Second, KeepAlive: 30 * time.Second}
	pool = &http.Transport{
		Proxy:                 http.ProxyFromEnvironment,
		DialContext:           dialer.DialContext,
		ForceAttemptHTTP2:     true,
		MaxIdleConns:          64,
		MaxIdleConnsPerHost:   32,
		IdleConnTimeout:       90 * time.Second,
		TLSHandshakeTimeout:   15 * time.Second,
		ExpectContinueTimeout: time.Second,
	}
	downloadPool = pool.Clone()
	downloadPool.ResponseHeaderTimeout = callTimeout
	downloadPool.DisableCompression = true // the file's own bytes, and no inflating of what claims to be small
	guarded := &net.Dialer{Timeout: dialer.Timeout, KeepAlive: dialer.KeepAlive, ControlContext: publicOnly}
	own := []string{base.Hostname()}
	// Behind a proxy it is the proxy that is dialled, and that resolves names.
	if u, err := http.ProxyFromEnvironment(&http.Request{URL: &url.URL{Scheme: "https", Host: "cdn.discordapp.com"}}); err == nil && u != nil {
		own = append(own, u.Hostname())
	}
	downloadPool.DialContext = func(ctx context.Context, network, addr string) (net.Conn, error) {
		host, _, err := net.SplitHostPort(addr)
		if err == nil && slices.ContainsFunc(own, func(h string) bool { return strings.EqualFold(h, host) }) {
			return dialer.DialContext(ctx, network, addr)
		}
		return guarded.DialContext(ctx, network, addr)
	}
	return pool, &http.Client{Transport: downloadPool, CheckRedirect: netguard.CheckRedirect}, downloadPool
}

// sleep waits for d or for ctx, whose error it returns.
func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err() //nolint:wrapcheck // the caller adds the operation
	}
}
