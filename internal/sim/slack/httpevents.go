package slack

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"strconv"
	"time"
)

// attempt is one request to the app's URL.
type attempt struct {
	d        *delivery
	envelope string
	retry    int
	reason   string
}

const (
	requestWorkers = 4
	requestQueue   = 4096
	maxAnswer      = 1 << 20
)

// Sign makes the headers that prove a request to come from Slack: the time in seconds, and the signature over it and
// the body.
// Source: https://docs.slack.dev/authentication/verifying-requests-from-slack
func Sign(secret string, at time.Time, body []byte) (timestamp, signature string) {
	timestamp = strconv.FormatInt(at.Unix(), 10)
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte("v0:" + timestamp + ":"))
	mac.Write(body)
	return timestamp, "v0=" + hex.EncodeToString(mac.Sum(nil))
}

// SetRequestURL makes the workspace deliver events, commands and interactions to a URL, signed, in place of sockets.
// It first sends the url_verification challenge and fails, changing nothing, unless the answer holds it. An empty URL
// goes back to sockets.
// Source: https://docs.slack.dev/reference/events/url_verification
func (s *Server) SetRequestURL(ctx context.Context, to string) error {
	if to != "" {
		challenge := rand.Text()
		body := plainJSON(object{"token": "standin", "challenge": challenge, "type": "url_verification"})
		answer, err := s.request(ctx, to, "application/json", body, nil)
		if err != nil {
			return fmt.Errorf("verify the request URL: %w", err)
		}
		if !bytes.Contains(answer, []byte(challenge)) {
			return fmt.Errorf("verify the request URL: the answer %.100q does not hold the challenge", answer)
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return errors.New("set the request URL: the stand-in is closed")
	}
	s.requestURL = to
	s.changed.Notify()
	return nil
}

// pushLocked queues a request; one that finds the queue full is left to the retries.
func (s *Server) pushLocked(a attempt) {
	select {
	case s.outbox <- a:
	default:
	}
}

func (s *Server) sendRequests() {
	for a := range s.outbox {
		s.mu.Lock()
		to, closed := s.requestURL, s.closed
		s.mu.Unlock()
		if closed || to == "" {
			continue
		}
		s.sendRequest(a, to)
	}
}

func (s *Server) sendRequest(a attempt, to string) {
	ctx, cancel := context.WithTimeout(s.life, s.opt.AckDeadline)
	defer cancel()
	kind, body := "application/json", []byte(a.d.payload)
	if a.d.kind != eventsAPI {
		kind = "application/x-www-form-urlencoded"
		body = []byte(formOf(a.d).Encode())
	}
	head := http.Header{}
	if a.retry > 0 {
		head.Set("X-Slack-Retry-Num", strconv.Itoa(a.retry))
		head.Set("X-Slack-Retry-Reason", a.reason)
	}
	answer, err := s.request(ctx, to, kind, body, head)
	s.mu.Lock()
	defer s.mu.Unlock()
	if err == nil {
		s.acknowledgeLocked(a.envelope, answer)
		return
	}
	s.log.Debug("slack stand-in could not deliver", slog.Any("err", err))
	reason := "connection_failed"
	refused, isStatus := errors.AsType[*statusError](err)
	switch {
	case isStatus && refused.noRetry:
		s.giveUpLocked(a.d)
		return
	case isStatus:
		reason = "http_error"
	case ctx.Err() != nil:
		reason = "http_timeout"
	}
	s.missedLocked(a.d, a.retry+1, reason)
}

// formOf is the form of a command, or an interaction's payload in its one field.
// Source: https://docs.slack.dev/interactivity/handling-user-interaction
func formOf(d *delivery) url.Values {
	if d.kind == interactive {
		return url.Values{"payload": {string(d.payload)}}
	}
	form := url.Values{}
	var fields object
	if json.Unmarshal(d.payload, &fields) == nil {
		for k, v := range fields {
			if text, ok := v.(string); ok {
				form.Set(k, text)
			}
		}
	}
	return form
}

type statusError struct {
	status  int
	noRetry bool
}

func (e *statusError) Error() string { return "the app answered with status " + strconv.Itoa(e.status) }

// request makes one signed request and returns the body of a 2xx answer.
func (s *Server) request(ctx context.Context, to, kind string, body []byte, head http.Header) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, s.opt.AckDeadline)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, to, bytes.NewReader(body))
	if err != nil {
		return nil, fmt.Errorf("make the request: %w", err)
	}
	if head != nil {
		r.Header = head
	}
	ts, sig := Sign(s.opt.SigningSecret, time.Now(), body)
	r.Header.Set("Content-Type", kind)
	r.Header.Set("X-Slack-Request-Timestamp", ts)
	r.Header.Set("X-Slack-Signature", sig)
	r.Header.Set("User-Agent", "Slackbot 1.0 (+https://api.slack.com/robots)")
	r.Close = true // no idle connection outlives Close
	transport := &http.Transport{DisableKeepAlives: true}
	resp, err := transport.RoundTrip(r)
	if err != nil {
		return nil, fmt.Errorf("reach the app: %w", err)
	}
	defer func() { _ = resp.Body.Close() }()
	answer, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	if err != nil {
		return nil, fmt.Errorf("read the app's answer: %w", err)
	}
	if resp.StatusCode/100 != 2 {
		return nil, &statusError{resp.StatusCode, resp.Header.Get("X-Slack-No-Retry") == "1"}
	}
	return answer, nil
}
