package telegram

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"

	tgbot "github.com/go-telegram/bot"

	"github.com/clickai/bridge/core"
)

// Platform is one Telegram bot.
type Platform struct {
	name    string
	token   string
	base    string // api_url without a slash at its end
	log     *slog.Logger
	bot     *tgbot.Bot
	http    *http.Client // short calls and polls; the context bounds each
	budgets *budgets

	mu    sync.Mutex
	me    user
	moved map[string]string // group → the supergroup that it has become; at most maxMoved
}

const maxMoved = 1000

var (
	_ core.Ceiling          = (*Platform)(nil)
	_ core.Platform         = (*Platform)(nil)
	_ core.Editor           = (*Platform)(nil)
	_ core.Deleter          = (*Platform)(nil)
	_ core.Typist           = (*Platform)(nil)
	_ core.AttachmentOpener = (*Platform)(nil)
	_ core.Uploader         = (*Platform)(nil)
	_ core.Checker          = (*Platform)(nil)
)

// New makes a bot. It does no I/O.
func New(name string, c Config, log *slog.Logger) (*Platform, error) {
	transport := &http.Transport{
		Proxy:                 http.ProxyFromEnvironment,
		DialContext:           (&net.Dialer{Timeout: 10 * time.Second, KeepAlive: 30 * time.Second}).DialContext,
		ForceAttemptHTTP2:     true,
		TLSHandshakeTimeout:   10 * time.Second,
		ResponseHeaderTimeout: pollTimeout + 25*time.Second, // the server holds a poll that long before it answers
		MaxIdleConns:          64,
		MaxIdleConnsPerHost:   32,
		IdleConnTimeout:       60 * time.Second,
	}
	p := &Platform{
		name: name, token: c.Token.Reveal(), base: strings.TrimRight(c.APIURL, "/"), log: log,
		budgets: newBudgets(), moved: map[string]string{},
		http: &http.Client{Transport: transport, CheckRedirect: func(*http.Request, []*http.Request) error {
			return http.ErrUseLastResponse // the address holds the token: it goes nowhere else
		}},
	}
	bot, err := tgbot.New(p.token,
		tgbot.WithSkipGetMe(), tgbot.WithServerURL(p.base), tgbot.WithHTTPClient(pollTimeout, boundedClient{p.http}),
		// The library logs to the process's own logger otherwise, addresses with the token included.
		tgbot.WithErrorsHandler(func(err error) { log.Debug("library", slog.Any("err", p.mask(err))) }))
	if err != nil {
		return nil, fmt.Errorf("telegram bot %s: %w", name, err)
	}
	p.bot = bot
	return p, nil
}

// boundedClient bounds what the library reads of an answer: it reads all there is.
type boundedClient struct{ c *http.Client }

func (b boundedClient) Do(req *http.Request) (*http.Response, error) {
	res, err := b.c.Do(req)
	if err != nil {
		return nil, err
	}
	res.Body = struct {
		io.Reader
		io.Closer
	}{io.LimitReader(res.Body, maxResponse), res.Body}
	return res, nil
}

// Name is core.Platform.
func (p *Platform) Name() string { return p.name }

// self is the bot's own account; zero before the first connection.
func (p *Platform) self() user {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.me
}

// call makes a call that the library does not export, or whose answer it decodes as a whole.
func (p *Platform) call(ctx context.Context, method string, params, out any) error {
	body, err := json.Marshal(params)
	if err != nil {
		return fmt.Errorf("encode %s: %w", method, err)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, p.base+"/bot"+p.token+"/"+method, bytes.NewReader(body))
	if err != nil {
		return fmt.Errorf("make request for %s: %w", method, err)
	}
	req.Header.Set("Content-Type", "application/json")
	res, err := p.http.Do(req)
	if err != nil {
		return err
	}
	defer func() { _ = res.Body.Close() }()
	data, err := io.ReadAll(io.LimitReader(res.Body, maxResponse+1))
	if err != nil {
		return fmt.Errorf("read answer of %s: %w", method, err)
	}
	if len(data) > maxResponse {
		return fmt.Errorf("answer of %s is larger than %d bytes", method, maxResponse)
	}
	var answer struct {
		OK          *bool           `json:"ok"`
		Result      json.RawMessage `json:"result"`
		ErrorCode   int             `json:"error_code"`
		Description string          `json:"description"`
		Parameters  struct {
			RetryAfter      int   `json:"retry_after"`
			MigrateToChatID int64 `json:"migrate_to_chat_id"`
		} `json:"parameters"`
	}
	if err := json.Unmarshal(data, &answer); err != nil || answer.OK == nil {
		return &foreignError{status: res.Status}
	}
	if !*answer.OK {
		code := answer.ErrorCode
		if code == 0 {
			code = res.StatusCode
		}
		return &apiError{Code: code, Description: answer.Description, RetryAfter: answer.Parameters.RetryAfter, MigrateTo: answer.Parameters.MigrateToChatID}
	}
	if out == nil {
		return nil
	}
	if err := json.Unmarshal(answer.Result, out); err != nil {
		return fmt.Errorf("decode answer of %s: %w", method, err)
	}
	return nil
}
