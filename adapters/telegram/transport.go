package telegram

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/clickai/bridge/core"
)

// newHTTP returns the connection pool of one bot. Nothing has a timeout of the client's own, which would cut polls or
// files: each call has a deadline in its context.
func newHTTP() (*http.Client, *http.Transport) {
	pool := &http.Transport{
		Proxy:                 http.ProxyFromEnvironment,
		DialContext:           (&net.Dialer{Timeout: 15 * time.Second, KeepAlive: 30 * time.Second}).DialContext,
		ForceAttemptHTTP2:     true,
		MaxIdleConns:          64,
		MaxIdleConnsPerHost:   32,
		IdleConnTimeout:       90 * time.Second,
		TLSHandshakeTimeout:   15 * time.Second,
		ExpectContinueTimeout: time.Second,
		DisableCompression:    true, // files as they are, and nothing that claims to be small
		// A poll holds its connection in silence for pollTimeout; HTTP/2 shares it with every other call. Pings find out
		// that it is dead.
		HTTP2: &http.HTTP2Config{SendPingTimeout: 20 * time.Second, PingTimeout: 15 * time.Second},
	}
	return &http.Client{Transport: pool, CheckRedirect: func(*http.Request, []*http.Request) error {
		return http.ErrUseLastResponse // the address holds the token: it goes nowhere else
	}}, pool
}

// client makes the library's requests. It stands between the library and the network because the library
//   - sends every body from a pipe, chunked: a stale connection then ends a call instead of being replaced, and some
//     servers refuse bodies of unknown length. All but files are sent from memory here.
//   - reads an answer without a bound, and puts the whole of one that is not JSON into its error.
//   - decodes the whole message that Telegram returns, with the message replied to in it. One variant that it does not
//     know makes a call fail that has been carried out, and the message would be sent again. It gets the ids alone.
type client struct{ http *http.Client }

type streamedKey struct{}

// streamed marks a call whose body is too large for memory.
func streamed(ctx context.Context) context.Context {
	return context.WithValue(ctx, streamedKey{}, true)
}

// Do implements the library's HttpClient.
func (c *client) Do(req *http.Request) (*http.Response, error) {
	if req.Context().Value(streamedKey{}) == nil {
		body, err := io.ReadAll(io.LimitReader(req.Body, maxRequest+1))
		_ = req.Body.Close()
		if err != nil {
			return nil, fmt.Errorf("encode the request: %w", err)
		}
		if len(body) > maxRequest {
			return nil, fmt.Errorf("request is larger than %d bytes", maxRequest)
		}
		req = req.Clone(req.Context())
		req.ContentLength = int64(len(body))
		req.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(body)), nil }
		req.Body, _ = req.GetBody()
	}
	result, err := c.send(req)
	if err != nil {
		return nil, err
	}
	data, err := json.Marshal(struct {
		OK     bool            `json:"ok"`
		Result json.RawMessage `json:"result"`
	}{true, onlyIDs(result)})
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errNoResult, err)
	}
	return &http.Response{StatusCode: http.StatusOK, Header: http.Header{}, Body: io.NopCloser(bytes.NewReader(data)), Request: req}, nil
}

// onlyIDs leaves of a message what names it. Other results are as they were.
func onlyIDs(result json.RawMessage) json.RawMessage {
	var m struct {
		ID   int64 `json:"message_id"`
		Chat struct {
			ID int64 `json:"id"`
		} `json:"chat"`
	}
	if json.Unmarshal(result, &m) != nil || m.ID == 0 {
		return result
	}
	out, err := json.Marshal(m)
	if err != nil {
		return result
	}
	return out
}

// send makes one request and returns the result in its answer, or an *apiError, *foreignError or *netError.
func (c *client) send(req *http.Request) (json.RawMessage, error) {
	resp, err := c.do(req)
	if err != nil {
		return nil, err
	}
	defer func() { _ = resp.Body.Close() }()
	data, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer+1))
	if err != nil {
		return nil, &netError{sent: true, err: fmt.Errorf("read the answer: %w", err)}
	}
	if len(data) > maxAnswer {
		return nil, fmt.Errorf("%w: %w", errNoResult, errHuge)
	}
	return answer(resp, data)
}

// do makes a request. An error never holds the address, which holds the token.
func (c *client) do(req *http.Request) (*http.Response, error) {
	var connected atomic.Bool
	trace := &httptrace.ClientTrace{GotConn: func(httptrace.GotConnInfo) { connected.Store(true) }}
	resp, err := c.http.Do(req.WithContext(httptrace.WithClientTrace(req.Context(), trace)))
	if err == nil {
		return resp, nil
	}
	if u, ok := errors.AsType[*url.Error](err); ok {
		err = u.Err
	}
	return nil, &netError{sent: connected.Load(), err: err}
}

// answer takes an answer apart.
// Source: https://core.telegram.org/bots/api#making-requests
func answer(resp *http.Response, data []byte) (json.RawMessage, error) {
	var a struct {
		OK          *bool           `json:"ok"`
		Result      json.RawMessage `json:"result"`
		ErrorCode   int             `json:"error_code"`
		Description string          `json:"description"`
		Parameters  struct {
			RetryAfter float64 `json:"retry_after"`
			MigrateTo  int64   `json:"migrate_to_chat_id"`
		} `json:"parameters"`
	}
	if json.Unmarshal(data, &a) != nil || a.OK == nil {
		return nil, &foreignError{status: resp.StatusCode, retryAfter: retryAfter(resp, 0)}
	}
	if *a.OK {
		return a.Result, nil
	}
	e := &apiError{Code: a.ErrorCode, Description: a.Description, MigrateTo: a.Parameters.MigrateTo}
	if e.Code == 0 {
		e.Code = resp.StatusCode
	}
	if e.Code == http.StatusTooManyRequests {
		e.RetryAfter = retryAfter(resp, a.Parameters.RetryAfter)
	}
	return nil, e
}

// retryAfter is how long a 429 asks to wait: as the answer says, else as its header does; a second if neither does.
func retryAfter(resp *http.Response, seconds float64) time.Duration {
	if seconds <= 0 {
		if n, err := strconv.Atoi(resp.Header.Get("Retry-After")); err == nil && n > 0 {
			seconds = float64(n)
		}
	}
	if seconds <= 0 {
		return time.Second
	}
	return time.Duration(min(seconds, maxRetryAfter.Seconds()) * float64(time.Second))
}

// method is the address of a method of the Bot API.
func (p *Platform) method(name string) string {
	return p.base + "/bot" + p.token.Reveal() + "/" + name
}

// call makes a call that the library does not export, or whose result it decodes as a whole. params is sent as JSON.
func (p *Platform) call(ctx context.Context, method string, params, out any) error {
	body, err := json.Marshal(params)
	if err != nil {
		return invalid(method, err)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, p.method(method), bytes.NewReader(body))
	if err != nil {
		return invalid(method, p.mask(err))
	}
	req.Header.Set("Content-Type", "application/json")
	result, err := p.client.send(req)
	if err != nil || out == nil {
		return err
	}
	if err := json.Unmarshal(result, out); err != nil {
		return &core.Error{Op: "telegram." + method, Class: core.Transient, Err: fmt.Errorf("%w: %w", errNoResult, err)}
	}
	return nil
}
