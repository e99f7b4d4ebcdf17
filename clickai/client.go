package clickai

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// Defaults of Config and ConsoleConfig.
const (
	// DefaultBaseURL is the host of the App Runtime API. Source: ClickAI API guide.
	DefaultBaseURL = "https://api.clickai.io"
	// DefaultConsoleURL is the host of the Studio API. Source: ClickAI API guide.
	DefaultConsoleURL = "https://clickai.io"
	// DefaultHeaderTimeout is generous because some servers send a stream's
	// headers only with the model's first token.
	DefaultHeaderTimeout = 100 * time.Second
	// DefaultIdleTimeout is six keep-alives: servers send one about every 10 s.
	DefaultIdleTimeout = 60 * time.Second
	// DefaultBlockingTimeout leaves room over the 60 s that ClickAI's guide
	// names as the limit of a blocking answer.
	DefaultBlockingTimeout = 90 * time.Second
	// DefaultCallTimeout bounds calls that generate nothing, or a title at most.
	DefaultCallTimeout = 30 * time.Second
	// DefaultMaxLine is the default bound for one line of a stream, in bytes.
	DefaultMaxLine = 16 << 20
)

// Config configures a Client. Only APIKey is required.
type Config struct {
	// BaseURL is the App Runtime API's root: the paths /v1/… stand under it. A
	// path prefix is kept; a trailing slash, or a trailing /v1, is cut. Default
	// DefaultBaseURL.
	BaseURL string
	// APIKey is the app's secret key, sent as a bearer token. It is left out
	// wherever a Config is printed.
	APIKey string `json:"-"`
	// HTTPClient makes the requests; nil means one of the package's own. It is
	// copied: its Timeout is not used (it would cut streams) and its
	// CheckRedirect is replaced.
	HTTPClient *http.Client
	// Limiter keeps to the plan's limits. Clients with the same key must share
	// one: take it from Limits.For. nil means no limit.
	Limiter *Limiter
	// UserAgent is the User-Agent header. Default "clickai-go".
	UserAgent string

	// HeaderTimeout bounds the wait for the response's headers in streaming
	// calls, and a pause without progress in uploads. Default DefaultHeaderTimeout.
	HeaderTimeout time.Duration
	// IdleTimeout is how long a stream may send nothing at all; every byte
	// starts it anew, keep-alives and comments included. The time that the
	// consumer takes between two events doesn't count. Default DefaultIdleTimeout.
	IdleTimeout time.Duration
	// BlockingTimeout bounds a blocking generation as a whole. Default
	// DefaultBlockingTimeout.
	BlockingTimeout time.Duration
	// CallTimeout bounds every other call as a whole, uploads excepted. Default
	// DefaultCallTimeout.
	CallTimeout time.Duration
	// MaxLine bounds one event of a stream and one JSON body, in bytes. A longer
	// event is skipped and reported as *Skipped; a longer body is a KindContent
	// error. Default DefaultMaxLine.
	MaxLine int
	// Observe, if set, is told of each request when its headers have come or it
	// has failed, and of errors in bodies. It is called on the goroutine that made
	// the call, with its context, and should return at once.
	Observe func(ctx context.Context, r RequestInfo)
}

// String returns c without its key.
func (c Config) String() string { return "clickai.Config{" + c.BaseURL + "}" }

// GoString returns c without its key.
func (c Config) GoString() string { return c.String() }

// LogValue returns c without its key.
func (c Config) LogValue() slog.Value { return slog.StringValue(c.String()) }

// Client calls one app of ClickAI. Make it with New. It may be used from many
// goroutines.
type Client struct {
	t               *transport
	headerTimeout   time.Duration
	blockingTimeout time.Duration
	callTimeout     time.Duration
}

// New makes a Client. It sends nothing. The error says which field of cfg is
// unusable, and never holds the key.
func New(cfg Config) (*Client, error) {
	t, err := newTransport(transportConfig{
		baseURL:    strings.TrimSuffix(strings.TrimRight(orDefault(cfg.BaseURL, DefaultBaseURL), "/"), "/v1"),
		key:        cfg.APIKey,
		httpClient: cfg.HTTPClient,
		limiter:    cfg.Limiter,
		userAgent:  cfg.UserAgent,
		idle:       orDefault(cfg.IdleTimeout, DefaultIdleTimeout),
		maxBody:    orDefault(cfg.MaxLine, DefaultMaxLine),
		observe:    cfg.Observe,
	})
	if err != nil {
		return nil, fmt.Errorf("clickai: new client: %w", err)
	}
	c := &Client{
		t:               t,
		headerTimeout:   orDefault(cfg.HeaderTimeout, DefaultHeaderTimeout),
		blockingTimeout: orDefault(cfg.BlockingTimeout, DefaultBlockingTimeout),
		callTimeout:     orDefault(cfg.CallTimeout, DefaultCallTimeout),
	}
	if c.headerTimeout < 0 || c.blockingTimeout < 0 || c.callTimeout < 0 || t.idle < 0 || t.maxBody < 0 {
		return nil, errors.New("clickai: new client: a timeout or MaxLine is negative")
	}
	return c, nil
}

// String names the client's host; the key is left out.
func (c *Client) String() string { return "clickai.Client{" + c.t.base.String() + "}" }

// GoString names the client's host; the key is left out.
func (c *Client) GoString() string { return c.String() }

// LogValue names the client's host; the key is left out.
func (c *Client) LogValue() slog.Value { return slog.StringValue(c.String()) }

// CloseIdleConnections closes kept-alive connections that are not in use. Call
// it when the client is given up. It also concerns other users of the same
// HTTPClient.
func (c *Client) CloseIdleConnections() { c.t.http.CloseIdleConnections() }

// FileURL resolves the URL of a file that the app made. Servers without a
// configured files host send them relative: then they stand under the client's
// base URL. Such URLs are signed and short-lived; fetch them without the key.
// The error says that ref is no http or https URL.
func (c *Client) FileURL(ref string) (*url.URL, error) {
	u, err := url.Parse(ref)
	if err != nil || ref == "" {
		return nil, errors.New("clickai: file URL is unreadable") // the parse error would repeat a signed URL
	}
	if u.Scheme == "" && u.Host == "" {
		base := *c.t.base
		if !strings.HasSuffix(base.Path, "/") {
			base.Path += "/"
		}
		u.Path = strings.TrimLeft(u.Path, "/")
		u.RawPath = strings.TrimLeft(u.RawPath, "/")
		u = base.ResolveReference(u)
	}
	if u.Scheme == "" {
		u.Scheme = c.t.base.Scheme
	}
	if (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" {
		return nil, errors.New("clickai: file URL is neither http nor https")
	}
	return u, nil
}

// call makes a non-streaming JSON call and decodes its answer into out, which
// may be nil. Any 2xx status is a success, also without a body.
func (c *Client) call(ctx context.Context, method, path string, query url.Values, body, out any) error {
	return c.t.callJSON(ctx, &request{
		method: method, path: path, query: query, body: body, timeout: c.callTimeout,
	}, out)
}

func orDefault[T comparable](v, def T) T {
	var zero T
	if v == zero {
		return def
	}
	return v
}
