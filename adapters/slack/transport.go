package slack

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/clickai/bridge/core"
)

// exchange is what one request brought back. slack-go keeps the header of no error, takes an answer without "ok" for a good
// one, and fails on a whole answer when one block in it has a type that it does not know.
type exchange struct {
	sent   bool // the request was handed to the network
	status int  // 0: no answer
	header http.Header
	body   []byte
	err    error // why the body could not be read whole
}

type exchangeKey struct{}

// transport is the HTTP client of one bot. slack-go's default client has no timeout and no bound on what it reads.
type transport struct {
	base  *url.URL
	token core.Secret // the bot's
	pool  *http.Transport
	calls *http.Client // Web API and uploads; follows no redirects: the token stands in the form
	files *http.Client // downloads
}

var (
	errTooMuch = errors.New("answer is larger than any that Slack sends")
	errForeign = errors.New("redirected to a host that is not Slack's")
	errSignIn  = errors.New("Slack asks to sign in: the token may not read this file") //nolint:staticcheck // a name
)

func newTransport(base *url.URL, token core.Secret) *transport {
	t := &transport{base: base, token: token}
	t.pool = &http.Transport{
		Proxy:                 http.ProxyFromEnvironment,
		DialContext:           (&net.Dialer{Timeout: 15 * time.Second, KeepAlive: 30 * time.Second}).DialContext,
		ForceAttemptHTTP2:     true,
		MaxIdleConns:          64,
		MaxIdleConnsPerHost:   32,
		IdleConnTimeout:       90 * time.Second,
		TLSHandshakeTimeout:   15 * time.Second,
		ResponseHeaderTimeout: time.Minute,
		ExpectContinueTimeout: time.Second,
	}
	t.calls = &http.Client{
		Transport:     t.pool,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	t.files = &http.Client{
		Transport: t.pool,
		CheckRedirect: func(r *http.Request, via []*http.Request) error {
			switch {
			case r.URL.Query().Has("redir"): // the sign-in page, which would be taken for the file
				return errSignIn
			case !t.own(r.URL):
				return errForeign
			case len(via) >= 5:
				return errors.New("too many redirects")
			}
			return nil
		},
	}
	return t
}

// own tells whether a URL may receive the token: https on a host of Slack's, or the scheme and host of api_url.
func (t *transport) own(u *url.URL) bool {
	return u.Scheme == "https" && isSlackHost(u.Hostname()) ||
		u.Scheme == t.base.Scheme && strings.EqualFold(u.Host, t.base.Host)
}

func (t *transport) closeIdle() { t.pool.CloseIdleConnections() }

// Do sends a request of slack-go's. Where the caller put an exchange into the context, the whole answer is kept there and
// slack-go is told no more than that all is well: what the answer means is read from the exchange.
func (t *transport) Do(r *http.Request) (*http.Response, error) {
	if !t.own(r.URL) {
		return nil, errForeign
	}
	ex, kept := r.Context().Value(exchangeKey{}).(*exchange)
	if !kept {
		// slack-go's socket client asks for its address without a deadline.
		ctx, cancel := context.WithTimeout(r.Context(), callTimeout)
		resp, err := t.calls.Do(r.WithContext(ctx))
		if err != nil {
			cancel()
			return nil, plainError(err)
		}
		resp.Body = &boundedBody{ReadCloser: resp.Body, left: maxAnswer, done: cancel}
		return resp, nil
	}
	ex.sent = true
	resp, err := t.calls.Do(r)
	if err != nil {
		return nil, plainError(err)
	}
	ex.status, ex.header = resp.StatusCode, resp.Header
	ex.body, ex.err = io.ReadAll(io.LimitReader(resp.Body, maxAnswer+1))
	_ = resp.Body.Close()
	if ex.err == nil && len(ex.body) > maxAnswer {
		ex.body, ex.err = nil, errTooMuch
	}
	resp.StatusCode, resp.Body = http.StatusOK, io.NopCloser(bytes.NewReader(okAnswer))
	return resp, nil
}

var okAnswer = []byte(`{"ok":true}`)

// boundedBody fails when more comes than may.
type boundedBody struct {
	io.ReadCloser
	left int64
	done context.CancelFunc
}

func (b *boundedBody) Read(p []byte) (int, error) {
	if int64(len(p)) > b.left+1 {
		p = p[:b.left+1]
	}
	n, err := b.ReadCloser.Read(p)
	if b.left -= int64(n); b.left < 0 {
		return 0, errTooMuch
	}
	return n, err //nolint:wrapcheck // io.EOF must stay what it is
}

func (b *boundedBody) Close() error {
	defer b.done()
	return b.ReadCloser.Close() //nolint:wrapcheck // nothing to add
}

// plainError takes the address out of an error of net/http: it is long, and may hold a signed query.
func plainError(err error) error {
	if u, ok := errors.AsType[*url.Error](err); ok {
		return u.Err
	}
	return err
}

// get asks for a file with the token.
func (t *transport) get(ctx context.Context, u *url.URL) (*http.Response, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		return nil, fmt.Errorf("build the request: %w", plainError(err))
	}
	r.Header.Set("Authorization", "Bearer "+t.token.Reveal())
	r.Header.Set("Accept-Encoding", "identity") // the file's own bytes, and no inflating of what claims to be small
	resp, err := t.files.Do(r)
	if err != nil {
		return nil, plainError(err)
	}
	return resp, nil
}
