package telegram

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"

	"github.com/clickai/bridge/internal/sim"
)

// hookTimeout bounds one delivery.
const hookTimeout = 10 * time.Second

// webhook is the outgoing webhook: https://core.telegram.org/bots/api#setwebhook. Guarded by Server.mu.
type webhook struct {
	url         string
	secret      string
	max         int
	certificate bool
	client      *http.Client
	active      int
	lastError   string
	lastErrorAt time.Time
}

var secretForm = sim.Regexp(`^[A-Za-z0-9_-]{1,256}$`)

func (s *Server) setWebhook(ctx context.Context, p *params) (any, error) {
	target := p.str("url")
	if target == "" {
		return s.deleteWebhook(ctx, p)
	}
	if secret := p.str("secret_token"); secret != "" && !secretForm().MatchString(secret) {
		return nil, wrong("secret token contains unallowed characters")
	}
	if err := checkHookURL(target); err != nil {
		return nil, err
	}
	var allowed []string
	given, err := p.list("allowed_updates", &allowed)
	if err != nil {
		given = false
	}
	hook := &webhook{
		url: target, secret: p.str("secret_token"), max: int(p.clamp("max_connections", 40, 1, 100)),
		client: &http.Client{
			Timeout:       hookTimeout,
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
	}
	transport := &http.Transport{MaxIdleConnsPerHost: hook.max}
	if cert, ok := p.files["certificate"]; ok {
		pool := x509.NewCertPool()
		if !pool.AppendCertsFromPEM(cert.data) {
			return nil, wrong("bad webhook: certificate is not PEM")
		}
		hook.certificate = true
		transport.TLSClientConfig = &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}
	}
	hook.client.Transport = transport

	s.mu.Lock()
	defer s.mu.Unlock()
	s.dropPending(p)
	if given {
		s.updates.allow(allowed)
	}
	s.endPollLocked(conflictHook)
	s.closeHook()
	s.hook = hook
	s.queued.Notify()
	s.changed.Notify()
	return true, nil
}

// checkHookURL wants HTTPS on one of the documented ports, or plain HTTP on loopback, as a local Bot API server allows.
func checkHookURL(target string) error {
	u, err := url.Parse(target)
	if err != nil || u.Hostname() == "" {
		return wrong("bad webhook: invalid URL specified")
	}
	ip := net.ParseIP(u.Hostname())
	if u.Hostname() == "localhost" || ip != nil && ip.IsLoopback() {
		if u.Scheme == "http" || u.Scheme == "https" {
			return nil
		}
	}
	if u.Scheme != "https" {
		return wrong("bad webhook: An HTTPS URL must be provided for webhook")
	}
	if !slices.Contains([]string{"", "443", "80", "88", "8443"}, u.Port()) {
		return wrong("bad webhook: Webhook can be set up only on ports 80, 88, 443 or 8443")
	}
	return nil
}

func (s *Server) dropPending(p *params) {
	if p.bool("drop_pending_updates") {
		s.updates.drop(func(*update) bool { return true })
	}
}

// closeHook forgets the webhook; calls under way end by themselves.
func (s *Server) closeHook() {
	if s.hook != nil {
		s.hook.client.CloseIdleConnections()
		s.hook = nil
	}
	for _, u := range s.updates.waiting {
		u.attempts, u.notBefore = 0, time.Time{}
	}
}

func (s *Server) deleteWebhook(_ context.Context, p *params) (any, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.dropPending(p)
	s.closeHook()
	s.changed.Notify()
	return true, nil
}

func (s *Server) getWebhookInfo(context.Context, *params) (any, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	info := struct {
		URL          string   `json:"url"`
		Certificate  bool     `json:"has_custom_certificate"`
		Pending      int      `json:"pending_update_count"`
		LastErrorAt  int64    `json:"last_error_date,omitempty"`
		LastError    string   `json:"last_error_message,omitempty"`
		Max          int      `json:"max_connections,omitempty"`
		AllowedKinds []string `json:"allowed_updates,omitempty"`
	}{Pending: len(s.updates.waiting), AllowedKinds: s.updates.allowed}
	if h := s.hook; h != nil {
		info.URL, info.Certificate, info.Max = h.url, h.certificate, h.max
		if h.lastError != "" {
			info.LastError, info.LastErrorAt = h.lastError, h.lastErrorAt.Unix()
		}
	}
	return info, nil
}

// deliverLoop starts the webhook calls that are due. It is one of the server's own goroutines, and so are the calls.
func (s *Server) deliverLoop() {
	for {
		wake := s.queued.Changed()
		next := s.startDue()
		var timer *time.Timer
		var due <-chan time.Time
		if !next.IsZero() {
			timer = time.NewTimer(time.Until(next))
			due = timer.C
		}
		select {
		case <-wake:
		case <-due:
		case <-s.ctx.Done():
			s.mu.Lock()
			s.closeHook()
			s.mu.Unlock()
			if timer != nil {
				timer.Stop()
			}
			return
		}
		if timer != nil {
			timer.Stop()
		}
	}
}

// startDue starts what is due and returns when the next retry is. Updates of one chat go one at a time, in order.
func (s *Server) startDue() (next time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	h := s.hook
	if h == nil {
		return next
	}
	s.updates.drop(func(u *update) bool { return !u.inFlight && time.Since(u.at) >= retention })
	now := time.Now()
	held := map[string]bool{}
	for _, u := range s.updates.waiting {
		if held[u.key] {
			continue
		}
		held[u.key] = true
		if u.inFlight {
			continue
		}
		if u.notBefore.After(now) {
			if next.IsZero() || u.notBefore.Before(next) {
				next = u.notBefore
			}
			continue
		}
		if h.active >= h.max {
			break
		}
		h.active++
		u.inFlight = true
		s.updates.delivered(u)
		s.work.Go(func() { s.deliver(h, u) })
	}
	return next
}

// deliver makes one webhook call; anything but 2xx is tried again later.
func (s *Server) deliver(h *webhook, u *update) {
	err := s.postUpdate(h, u)
	s.mu.Lock()
	defer s.mu.Unlock()
	defer s.queued.Notify()
	defer s.changed.Notify() // watchers of Pending
	h.active--
	u.inFlight = false
	if err == nil {
		s.updates.drop(func(other *update) bool { return other == u })
		return
	}
	u.attempts++
	u.notBefore = time.Now().Add(s.opts.WebhookRetry << min(u.attempts-1, 6))
	h.lastError, h.lastErrorAt = err.Error(), time.Now()
	s.log.Debug("webhook call failed", slog.Int64("update_id", u.id), slog.Any("error", err))
}

func (s *Server) postUpdate(h *webhook, u *update) error {
	ctx, cancel := context.WithTimeout(s.ctx, hookTimeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, h.url, bytes.NewReader(u.raw))
	if err != nil {
		return fmt.Errorf("making the webhook call: %w", err)
	}
	req.Header.Set("Content-Type", "application/json")
	if h.secret != "" {
		req.Header.Set("X-Telegram-Bot-Api-Secret-Token", h.secret)
	}
	resp, err := h.client.Do(req)
	if err != nil {
		return fmt.Errorf("connection to the webhook failed: %w", err)
	}
	defer func() { _ = resp.Body.Close() }()
	_, _ = io.Copy(io.Discard, io.LimitReader(resp.Body, maxField))
	if resp.StatusCode/100 != 2 {
		return fmt.Errorf("Wrong response from the webhook: %s %s", //nolint:staticcheck // the service's own words
			strconv.Itoa(resp.StatusCode), http.StatusText(resp.StatusCode))
	}
	return nil
}
