package clickai

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"log/slog"
	"net/http"
	"net/url"
	"strconv"
	"time"
)

const pathAssistants = "/assistant/api/assistant/my-assistants"

// ConsoleConfig configures a Console. Only AccessToken is required.
type ConsoleConfig struct {
	// BaseURL is the Studio API's root. Default DefaultConsoleURL.
	BaseURL string
	// AccessToken is a Studio access token; an app's secret key is another thing.
	// It is left out wherever a ConsoleConfig is printed.
	AccessToken string `json:"-"`
	// HTTPClient is as in Config.
	HTTPClient *http.Client
	// Limiter keeps to limits, if any hold for the token; nil means none.
	Limiter *Limiter
	// UserAgent is the User-Agent header. Default "clickai-go".
	UserAgent string
	// CallTimeout bounds each call as a whole. Default DefaultCallTimeout.
	CallTimeout time.Duration
}

// String returns c without its token.
func (c ConsoleConfig) String() string { return "clickai.ConsoleConfig{" + c.BaseURL + "}" }

// GoString returns c without its token.
func (c ConsoleConfig) GoString() string { return c.String() }

// LogValue returns c without its token.
func (c ConsoleConfig) LogValue() slog.Value { return slog.StringValue(c.String()) }

// Console calls the Studio API, which is about a workspace and not about one app.
// It may be used from many goroutines.
type Console struct {
	t       *transport
	timeout time.Duration
}

// NewConsole makes a Console. It sends nothing.
func NewConsole(cfg ConsoleConfig) (*Console, error) {
	t, err := newTransport(transportConfig{
		baseURL:    orDefault(cfg.BaseURL, DefaultConsoleURL),
		key:        cfg.AccessToken,
		httpClient: cfg.HTTPClient,
		limiter:    cfg.Limiter,
		userAgent:  cfg.UserAgent,
		idle:       DefaultIdleTimeout,
		maxBody:    DefaultMaxLine,
	})
	if err != nil {
		return nil, fmt.Errorf("clickai: new console: %w", err)
	}
	if cfg.CallTimeout < 0 {
		return nil, errors.New("clickai: new console: CallTimeout is negative")
	}
	return &Console{t: t, timeout: orDefault(cfg.CallTimeout, DefaultCallTimeout)}, nil
}

// String names the console's host; the token is left out.
func (c *Console) String() string { return "clickai.Console{" + c.t.base.String() + "}" }

// GoString names the console's host; the token is left out.
func (c *Console) GoString() string { return c.String() }

// LogValue names the console's host; the token is left out.
func (c *Console) LogValue() slog.Value { return slog.StringValue(c.String()) }

// CloseIdleConnections is as Client.CloseIdleConnections.
func (c *Console) CloseIdleConnections() { c.t.http.CloseIdleConnections() }

// Assistant is one app of a workspace.
type Assistant struct {
	ID          string `json:"id"`
	Name        string `json:"name"`
	Mode        string `json:"mode"` // workflow, agent-chat, chat, completion
	Description string `json:"description"`
	CreatedAt   Unix   `json:"created_at"`
}

// AssistantsRequest asks for one page of a workspace's assistants. Zero fields are
// left to the server.
type AssistantsRequest struct {
	Page        int // from 1; default 1
	PageSize    int // default 10
	Mode        string
	WorkspaceID string
}

// AssistantsPage is one page of assistants. It can be shorter than PageSize
// although more follow: Total says how many there are.
type AssistantsPage struct {
	Page     int         `json:"page"`
	PageSize int         `json:"page_size"`
	Total    int         `json:"total"`
	Data     []Assistant `json:"data"`
}

// Assistants lists a workspace's assistants, one page of them.
func (c *Console) Assistants(ctx context.Context, r AssistantsRequest) (*AssistantsPage, error) {
	if r.Page < 0 || r.PageSize < 0 {
		return nil, invalid(http.MethodGet, pathAssistants, "page or page size is negative")
	}
	q := url.Values{}
	if r.Page > 0 {
		q.Set("page", strconv.Itoa(r.Page))
	}
	if r.PageSize > 0 {
		q.Set("page_size", strconv.Itoa(r.PageSize))
	}
	setIf(q, "mode", r.Mode)
	setIf(q, "workspace_id", r.WorkspaceID)
	var page AssistantsPage
	err := c.t.callJSON(ctx, &request{
		method: http.MethodGet, path: pathAssistants, query: q, timeout: c.timeout,
	}, &page)
	if err != nil {
		return nil, err
	}
	return &page, nil
}

// AllAssistants returns the assistants of r.Page and of all pages after it. The
// sequence ends after its first error.
func (c *Console) AllAssistants(ctx context.Context, r AssistantsRequest) iter.Seq2[Assistant, error] {
	return func(yield func(Assistant, error) bool) {
		r.Page = max(r.Page, 1)
		previous := ""
		for {
			page, err := c.Assistants(ctx, r)
			if err != nil {
				yield(Assistant{}, err)
				return
			}
			// Without a total, an empty page is the end. A server that knows no
			// pages sends the same one again.
			if len(page.Data) == 0 || page.Data[0].ID == previous && previous != "" {
				return
			}
			previous = page.Data[0].ID
			for _, a := range page.Data {
				if !yield(a, nil) {
					return
				}
			}
			// The server may have cut the page size.
			size := orDefault(page.PageSize, orDefault(r.PageSize, 10))
			if page.Total > 0 && r.Page*max(size, 1) >= page.Total {
				return
			}
			r.Page++
		}
	}
}
