package agent

import (
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
	"github.com/clickai/bridge/internal/netguard"
)

const (
	fetchDialTimeout   = 10 * time.Second
	fetchHeaderTimeout = 30 * time.Second
	// maxMade bounds a file that an app made, in bytes. No platform takes a larger one from a bot.
	maxMade = 100 << 20
)

// newFetcher makes the client that files of apps are fetched with. It sends no credentials. A file's URL comes from
// outside, so connections to private addresses are refused, after the name has been resolved and for each redirect
// anew; the one exception is the host that ClickAI itself is configured to be at.
func newFetcher(own string) *http.Client {
	guarded := &net.Dialer{Timeout: fetchDialTimeout, Control: netguard.Control}
	plain := &net.Dialer{Timeout: fetchDialTimeout}
	transport := &http.Transport{
		// No proxy: it would resolve names itself and so undo the guard.
		DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
			if strings.EqualFold(address, own) {
				return plain.DialContext(ctx, network, address)
			}
			return guarded.DialContext(ctx, network, address)
		},
		ForceAttemptHTTP2:     true,
		TLSHandshakeTimeout:   fetchDialTimeout,
		ResponseHeaderTimeout: fetchHeaderTimeout,
		MaxIdleConns:          16,
		IdleConnTimeout:       30 * time.Second,
		// A body that unpacks to more than it says would get around the size limit's purpose.
		DisableCompression: true,
	}
	return &http.Client{Transport: transport, CheckRedirect: netguard.CheckRedirect}
}

// open fetches a file. A link that has run out is looked for anew in the message's history, once.
func (a *App) open(ctx context.Context, q core.Question, ids core.Delta, f madeFile) (io.ReadCloser, error) {
	body, err := a.fetch(ctx, f.URL)
	if err == nil || core.ClassOf(err) != core.NotFound || !a.Conversational() {
		return body, err
	}
	fresh, ok := a.freshURL(ctx, q, ids, f)
	if !ok {
		return nil, err
	}
	return a.fetch(ctx, fresh)
}

// fetch is get, with the body alone, which ends in an error where it is larger than maxMade.
func (a *App) fetch(ctx context.Context, ref string) (io.ReadCloser, error) {
	res, err := a.get(ctx, ref) //nolint:bodyclose // the caller closes it, in boundedBody
	if err != nil {
		return nil, err
	}
	return &boundedBody{r: res.Body, left: maxMade}, nil
}

// get asks for what a URL of ClickAI's leads to. Errors are *core.Error and never hold the URL. Without one the status is
// 200, and the body, to be closed, is not said to be larger than maxMade.
func (a *App) get(ctx context.Context, ref string) (*http.Response, error) {
	fail := func(class core.Class, err error) error {
		return &core.Error{Op: "fetch a file of app " + a.name, Class: class, Err: err}
	}
	u, err := a.client.FileURL(ref)
	if err != nil {
		return nil, fail(core.Invalid, err)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		return nil, fail(core.Invalid, errors.New("unusable URL"))
	}
	res, err := a.fetcher.Do(req)
	if err != nil {
		if e, ok := errors.AsType[*url.Error](err); ok {
			err = e.Err // without the URL
		}
		if errors.Is(err, netguard.ErrPrivate) {
			return nil, fail(core.Invalid, fmt.Errorf("%s: %w", u.Host, netguard.ErrPrivate))
		}
		return nil, fail(core.Transient, err)
	}
	if res.StatusCode == http.StatusOK && res.ContentLength <= maxMade {
		return res, nil
	}
	_ = res.Body.Close()
	status := fmt.Errorf("%s answered %s", u.Host, res.Status)
	switch {
	case res.StatusCode == http.StatusOK:
		return nil, fail(core.TooLarge, fmt.Errorf("%d bytes", res.ContentLength))
	case res.StatusCode == http.StatusTooManyRequests || res.StatusCode >= 500:
		return nil, fail(core.Transient, status)
	case res.StatusCode == http.StatusUnauthorized, res.StatusCode == http.StatusForbidden,
		res.StatusCode == http.StatusNotFound, res.StatusCode == http.StatusGone:
		return nil, fail(core.NotFound, status)
	}
	return nil, fail(core.Invalid, status)
}

// boundedBody ends in an error where io.LimitReader would end as if the file were whole.
type boundedBody struct {
	r    io.ReadCloser
	left int64
}

func (b *boundedBody) Read(p []byte) (int, error) {
	n, err := b.r.Read(p)
	if b.left -= int64(n); b.left < 0 {
		return 0, &core.Error{Op: "fetch a file", Class: core.TooLarge, Err: fmt.Errorf("more than %d bytes", maxMade)}
	}
	return n, err
}

func (b *boundedBody) Close() error { return b.r.Close() }

// hostPort is the address that connections to a base URL go to.
func hostPort(u *url.URL) string {
	port := u.Port()
	if port == "" {
		port = "443"
		if u.Scheme == "http" {
			port = "80"
		}
	}
	return net.JoinHostPort(u.Hostname(), port)
}
