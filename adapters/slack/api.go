package slack

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/clickai/bridge/core"
)

// answer is what every answer of the Web API has.
// Source: https://docs.slack.dev/apis/web-api/#evaluating-responses
type answer struct {
	OK       *bool  `json:"ok"`
	Error    string `json:"error"`
	Needed   string `json:"needed"`
	Provided string `json:"provided"`
	Metadata struct {
		NextCursor string   `json:"next_cursor"`
		Messages   []string `json:"messages"`
	} `json:"response_metadata"`
}

// call makes one request through slack-go when its turn has come. do makes it, with the context that it is given. What the
// answer says goes into out, as far as it can be read; the error is a *core.Error.
func (p *Platform) call(ctx context.Context, op string, use turn, do func(context.Context) error, out any) (http.Header, error) {
	if err := p.budgets.wait(ctx, use); err != nil {
		return nil, notSent(op, err)
	}
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	ex := &exchange{}
	err := do(context.WithValue(ctx, exchangeKey{}, ex))
	fail := ex.judge(op, err)
	if fail != nil {
		if fail.Class == core.RateLimited {
			p.budgets.hold(use, fail.RetryAfter)
		}
		if fail.Class == core.Auth {
			select {
			case p.doubt <- struct{}{}:
			default:
			}
		}
		return ex.header, fail
	}
	if out != nil {
		if err := lenient(ex.body, out); err != nil {
			return ex.header, &core.Error{Op: op, Class: core.Transient, Maybe: true, Err: fmt.Errorf("decode the answer: %w", err)}
		}
	}
	return ex.header, nil
}

// lenient decodes JSON and leaves out what is of another type than expected. encoding/json goes on after such a mismatch.
func lenient(data []byte, out any) error {
	err := json.Unmarshal(data, out)
	if _, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		return nil
	}
	return err //nolint:wrapcheck // the callers do
}

// judge turns what a request brought back into the error that core decides by; nil if it went well. err is what slack-go said.
func (ex *exchange) judge(op string, err error) *core.Error {
	e := &core.Error{Op: op, Class: core.Transient}
	switch {
	case !ex.sent && err != nil:
		// slack-go or this package refused to build the request.
		e.Err = err
		if !ended(err) {
			e.Class = core.Invalid
		}
		return e
	case ex.status == 0:
		e.Maybe, e.Err = true, err // it was handed to the network, and may have arrived
		if dial, ok := errors.AsType[*net.OpError](err); ok && dial.Op == "dial" {
			e.Maybe = false
		}
		return e
	}
	var a answer
	own := ex.err == nil && lenient(ex.body, &a) == nil && a.OK != nil
	wait := retryAfter(ex.header)
	switch {
	case ex.status == http.StatusTooManyRequests || own && a.Error == "ratelimited":
		e.Class, e.RetryAfter = core.RateLimited, wait
		e.Err = &apiError{Status: ex.status, Code: "ratelimited"}
	case !own || !*a.OK && strings.TrimSpace(a.Error) == "":
		// A proxy's page, or half an answer. slack-go takes ok:false with an empty error for success.
		e.Maybe = ex.status < 300 || ex.status >= 500
		e.Err = fmt.Errorf("HTTP %d: %w", ex.status, errNotOwn)
		if ex.err != nil {
			e.Err = fmt.Errorf("HTTP %d: %w", ex.status, ex.err)
		}
		if ex.status == http.StatusNotFound {
			e.Err = errors.Join(errBare404, e.Err)
		}
	case !*a.OK:
		fail := &apiError{Status: ex.status, Code: a.Error, Needed: a.Needed, Provided: a.Provided, Messages: a.Metadata.Messages}
		e.Class, e.Err = fail.class(), fail
		if e.Class == core.Transient {
			e.Maybe, e.RetryAfter = true, wait
		}
	default:
		return nil
	}
	return e
}

// retryAfter reads the header, in whole seconds; 0 if there is none. slack-go fails on anything but an integer.
// Source: https://docs.slack.dev/apis/web-api/rate-limits/#responding
func retryAfter(h http.Header) time.Duration {
	s, err := strconv.ParseFloat(strings.TrimSpace(h.Get("Retry-After")), 64)
	if err != nil || !(s > 0) { // NaN is neither
		return 0
	}
	return time.Duration(min(s, 3600) * float64(time.Second))
}
