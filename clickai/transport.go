package clickai

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"mime"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// transport sends requests to one host with one key. Client and Console are
// built on it.
type transport struct {
	base    *url.URL
	key     string
	http    *http.Client
	limiter *Limiter
	agent   string
	idle    time.Duration
	maxBody int
	observe func(ctx context.Context, r RequestInfo) // nil: nobody is told
}

type transportConfig struct {
	baseURL    string
	key        string
	httpClient *http.Client
	limiter    *Limiter
	userAgent  string
	idle       time.Duration
	maxBody    int
	observe    func(ctx context.Context, r RequestInfo)
}

func newTransport(cfg transportConfig) (*transport, error) {
	base, err := url.Parse(strings.TrimRight(cfg.baseURL, "/"))
	switch {
	case err != nil:
		return nil, errors.New("base URL is unreadable") // the parse error could repeat a password
	case base.Scheme != "http" && base.Scheme != "https":
		return nil, errors.New("base URL must start with http:// or https://")
	case base.Host == "":
		return nil, errors.New("base URL has no host")
	case base.User != nil:
		return nil, errors.New("base URL must not hold a user or password")
	case base.RawQuery != "" || base.ForceQuery || base.Fragment != "":
		return nil, errors.New("base URL must have no query and no fragment")
	case cfg.key == "":
		return nil, errors.New("key is empty")
	}
	for _, r := range cfg.key {
		if r <= ' ' || r > '~' {
			return nil, errors.New("key holds a space, a line break or a character that is not ASCII")
		}
	}
	client := &http.Client{}
	if cfg.httpClient != nil {
		*client = *cfg.httpClient
	} else {
		client.Transport = newHTTPTransport()
	}
	client.Timeout = 0
	client.CheckRedirect = checkRedirect
	return &transport{
		base:    base,
		key:     cfg.key,
		http:    client,
		limiter: cfg.limiter,
		agent:   orDefault(cfg.userAgent, "clickai-go"),
		idle:    cfg.idle,
		maxBody: cfg.maxBody,
		observe: cfg.observe,
	}, nil
}

// maxRedirects bounds a chain of redirects of one GET.
const maxRedirects = 5

// checkRedirect follows a redirect only for GET and within the same scheme,
// host and port. A refused redirect's response is returned as it is, and
// becomes a KindStatus error.
func checkRedirect(req *http.Request, via []*http.Request) error {
	first := via[0]
	if first.Method != http.MethodGet || len(via) >= maxRedirects ||
		req.URL.Scheme != first.URL.Scheme || req.URL.Host != first.URL.Host {
		return http.ErrUseLastResponse
	}
	return nil
}

// request is one call before it is sent.
type request struct {
	method string
	path   string // escaped, starts with "/"
	query  url.Values
	body   any     // sent as JSON, if not nil
	upload *upload // sent as multipart/form-data, if not nil

	headers http.Header // further headers

	// wait bounds the time until the response's headers, or between two steps
	// of progress of an upload. 0: no bound of its own.
	wait time.Duration
	// timeout bounds the whole call with its body. 0: no bound.
	timeout time.Duration

	tell func(RequestInfo) // set by send; nil: nobody is told
}

// response is a response with a 2xx status. Its body must be closed; that also
// ends the request's context.
type response struct {
	*http.Response
	req  *request
	path string // as sent
	life *lifetime
}

// exchange is send, which it tells when the slot was there.
func (t *transport) exchange(ctx context.Context, r *request, began *time.Time) (*response, error) {
	path := strings.TrimRight(t.base.EscapedPath(), "/") + r.path
	if err := ctx.Err(); err != nil {
		return nil, &Error{Kind: KindUnsent, Method: r.method, Path: path, Err: err}
	}
	if err := t.limiter.wait(ctx); err != nil {
		return nil, &Error{Kind: KindLimited, Method: r.method, Path: path, Err: err}
	}
	*began = time.Now()
	ctx, life := newLifetime(ctx, r.timeout)
	res, err := t.roundTrip(ctx, life, r, path)
	if err != nil {
		life.end(nil)
		return nil, err
	}
	if res.StatusCode < 200 || res.StatusCode > 299 {
		defer life.end(nil)
		defer res.Body.Close() //nolint:errcheck // nothing can be done about it
		// An error body is short: it gets as long as one silence may last.
		life.deadline(t.idle, ErrIdleTimeout)
		return nil, t.statusError(r.method, path, res)
	}
	res.Body = &watchedBody{body: res.Body, life: life, idle: t.idle}
	return &response{Response: res, req: r, path: path, life: life}, nil
}

func (t *transport) roundTrip(ctx context.Context, life *lifetime, r *request, path string) (*http.Response, error) {
	var body io.Reader
	var length int64
	headers := http.Header{}
	maps.Copy(headers, r.headers)
	switch {
	case r.upload != nil:
		body, length = r.upload.body, r.upload.length
		headers.Set("Content-Type", r.upload.contentType)
		if r.upload.expectContinue() {
			headers.Set("Expect", "100-continue")
		}
	case r.body != nil:
		var buf bytes.Buffer
		enc := json.NewEncoder(&buf)
		enc.SetEscapeHTML(false)
		if err := enc.Encode(r.body); err != nil {
			return nil, invalid(r.method, path, "encode request: %w", err)
		}
		body, length = bytes.NewReader(buf.Bytes()), int64(buf.Len())
		headers.Set("Content-Type", "application/json")
	}
	trace := &connTrace{upload: r.upload}
	u := strings.TrimRight(t.base.String(), "/") + r.path
	if len(r.query) > 0 {
		u += "?" + r.query.Encode()
	}
	req, err := http.NewRequestWithContext(trace.withContext(ctx), r.method, u, body)
	if err != nil {
		return nil, invalid(r.method, path, "build request: %w", stripURL(err))
	}
	req.ContentLength = length
	if body == nil {
		req.ContentLength = 0
	}
	maps.Copy(req.Header, headers)
	req.Header.Set("Authorization", "Bearer "+t.key)
	req.Header.Set("User-Agent", t.agent)
	if req.Header.Get("Accept") == "" {
		req.Header.Set("Accept", "application/json")
	}

	stop := life.watch(r.wait, ErrHeaderTimeout)
	if r.upload != nil {
		end := context.AfterFunc(ctx, func() { _ = r.upload.body.Close() })
		defer end()
		r.upload.body.onRead = func() { life.touch(r.wait) }
	}
	res, err := t.http.Do(req)
	if r.upload != nil {
		r.upload.body.finish(ctx)
	}
	stop()
	if err != nil {
		return nil, life.transportError(r.method, path, trace.surelyUnsent(err), err)
	}
	return res, nil
}

// callJSON sends r and decodes the JSON answer into out. Any 2xx status is a
// success; an empty body leaves out as it is.
func (t *transport) callJSON(ctx context.Context, r *request, out any) (err error) {
	res, err := t.send(ctx, r)
	if err != nil {
		return err
	}
	defer func() { r.late(err) }()
	defer res.Body.Close() //nolint:errcheck // the answer has been read
	body, err := t.readBody(res)
	if err != nil {
		return err
	}
	if e := t.wrappedError(r.method, res.path, res.Response, body); e != nil {
		return e
	}
	if out == nil || len(bytes.TrimSpace(body)) == 0 {
		return nil
	}
	if err := unmarshal(body, out); err != nil {
		return t.contentError(r.method, res.path, res.Response, body, fmt.Errorf("answer is not JSON: %w", err))
	}
	return nil
}

// readBody reads the whole body up to the transport's bound.
func (t *transport) readBody(res *response) ([]byte, error) {
	body, err := io.ReadAll(io.LimitReader(res.Body, int64(t.maxBody)+1))
	if err != nil {
		return nil, res.life.transportError(res.req.method, res.path, false, err)
	}
	if len(body) > t.maxBody {
		return nil, t.contentError(res.req.method, res.path, res.Response, body,
			fmt.Errorf("answer is longer than %d bytes: %w", t.maxBody, ErrTooLong))
	}
	return body, nil
}

// stripURL takes the inner error out of a *url.Error: its URL has the user's id
// in its query.
func stripURL(err error) error {
	if ue, ok := errors.AsType[*url.Error](err); ok {
		return ue.Err
	}
	return err
}

// mediaType returns the media type of a Content-Type header in lower case,
// without parameters; "" if there is none.
func mediaType(contentType string) string {
	mt, _, err := mime.ParseMediaType(contentType)
	if err != nil {
		mt, _, _ = strings.Cut(contentType, ";")
	}
	return strings.ToLower(strings.TrimSpace(mt))
}

// segment escapes an identifier for use as one path segment. Identifiers are
// opaque, but "." and ".." would name another path after all.
func segment(what, id string) (string, error) {
	switch id {
	case "":
		return "", fmt.Errorf("%s is empty", what)
	case ".", "..":
		return "", fmt.Errorf("%s %q cannot stand in a path", what, id)
	}
	return url.PathEscape(id), nil
}
