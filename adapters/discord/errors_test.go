package discord_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/clickai/bridge/adapters/discord"
	"github.com/clickai/bridge/core"
)

// TestFailure goes through Discord's codes, row by row.
// Source: https://docs.discord.com/developers/topics/opcodes-and-status-codes#json-json-error-codes
func TestFailure(t *testing.T) {
	t.Parallel()
	tests := []struct {
		status, code int
		room, thread core.Class
	}{
		{401, 0, core.Auth, core.Auth},
		{401, 40001, core.Auth, core.Auth},
		{401, 50014, core.Auth, core.Auth},
		{403, 50001, core.RoomGone, core.ThreadGone},
		{404, 10003, core.RoomGone, core.ThreadGone},
		{404, 10004, core.RoomGone, core.RoomGone},
		{403, 50007, core.RoomGone, core.RoomGone},
		{400, 50008, core.RoomGone, core.RoomGone},
		{400, 50024, core.RoomGone, core.RoomGone},
		{403, 40007, core.RoomGone, core.RoomGone},
		{403, 50013, core.Denied, core.ThreadGone},
		{403, 0, core.Denied, core.Denied},
		{404, 10008, core.MessageGone, core.MessageGone},
		{403, 50005, core.MessageGone, core.MessageGone},
		{403, 50021, core.MessageGone, core.MessageGone},
		{400, 50083, core.ThreadGone, core.ThreadGone},
		{400, 160005, core.ThreadGone, core.ThreadGone},
		{400, 20016, core.RateLimited, core.RateLimited},
		{400, 20028, core.RateLimited, core.RateLimited},
		{400, 30046, core.RateLimited, core.RateLimited},
		{400, 40062, core.RateLimited, core.RateLimited},
		{503, 130000, core.Transient, core.Transient},
		{400, 130000, core.Transient, core.Transient},
		{400, 40004, core.Transient, core.Transient},
		{500, 0, core.Transient, core.Transient},
		{413, 40005, core.TooLarge, core.TooLarge},
		{400, 50045, core.TooLarge, core.TooLarge},
		{413, 0, core.TooLarge, core.TooLarge},
		{404, 10013, core.NotFound, core.NotFound},
		{404, 0, core.Unsupported, core.Unsupported},
		{405, 0, core.Unsupported, core.Unsupported},
		{400, 50006, core.Invalid, core.Invalid},
		{400, 200000, core.Invalid, core.Invalid},
		{400, 50109, core.Invalid, core.Invalid},
	}
	for _, tt := range tests {
		body := fmt.Sprintf(`{"message":"no","code":%d}`, tt.code)
		for inThread, want := range map[bool]core.Class{false: tt.room, true: tt.thread} {
			err := discord.Failure(tt.status, nil, body, inThread)
			if got := core.ClassOf(err); got != want {
				t.Errorf("HTTP %d, code %d, in a thread %t: %s, want %s", tt.status, tt.code, inThread, got, want)
			}
			if (core.RetryAfterOf(err) > 0) != (want == core.RateLimited) {
				t.Errorf("HTTP %d, code %d: retry after %s", tt.status, tt.code, core.RetryAfterOf(err))
			}
		}
	}
}

func TestFailureOfAForm(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, errors string
		want         core.Class
	}{
		{"length", `{"content":{"_errors":[{"code":"BASE_TYPE_MAX_LENGTH","message":"Must be 2000 or fewer in length."}]}}`, core.TooLong},
		{"bad length", `{"content":{"_errors":[{"code":"BASE_TYPE_BAD_LENGTH","message":"x"}]}}`, core.TooLong},
		{"content", `{"content":{"_errors":[{"code":"SOMETHING","message":"x"}]}}`, core.BadMarkup},
		{"another field", `{"flags":{"_errors":[{"code":"BITFIELD_RANGE","message":"x"}]}}`, core.Invalid},
		{"odd", `[1]`, core.Invalid},
		{"none", `null`, core.Invalid},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			err := discord.Failure(400, nil, `{"message":"Invalid Form Body","code":50035,"errors":`+tt.errors+`}`, false)
			if got := core.ClassOf(err); got != tt.want {
				t.Errorf("%s, want %s", got, tt.want)
			}
		})
	}
}

// TestFailureNotOwn: what is not Discord's own says nothing about the bot, whatever its status.
func TestFailureNotOwn(t *testing.T) {
	t.Parallel()
	for _, status := range []int{301, 400, 401, 403, 404, 413, 500, 502, 503, 504, 520} {
		for _, body := range []string{"", "<html><h1>403</h1>", `"text"`, `null`, `[]`, `{"error":"blocked"}`, `{"message":7}`, strings.Repeat("x", 1<<16)} {
			err := discord.Failure(status, nil, body, false)
			if got := core.ClassOf(err); got != core.Transient {
				t.Errorf("HTTP %d with %.20q: %s", status, body, got)
			}
			if len(err.Error()) > 600 {
				t.Errorf("HTTP %d: an error of %d bytes", status, len(err.Error()))
			}
		}
	}
}

func TestFailureIsOneLine(t *testing.T) {
	t.Parallel()
	err := discord.Failure(400, nil, `{"message":"a\nb\u001b[31m`+strings.Repeat("x", 5000)+`","code":1}`, false)
	if s := err.Error(); strings.ContainsAny(s, "\n\x1b") || len(s) > 600 {
		t.Errorf("error = %q", s)
	}
}

func TestRetryAfter(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, header, body string
		want               time.Duration
	}{
		{"body", "9", `{"message":"x","retry_after":1.25}`, 1250 * time.Millisecond},
		{"header", "9", `{"message":"x"}`, 9 * time.Second},
		{"not own", "9", `<html>`, 9 * time.Second},
		{"nothing", "", ``, 5 * time.Second},
		{"a date", "Wed, 21 Oct 2026 07:28:00 GMT", ``, 5 * time.Second},
		{"endless", "1e300", ``, 24 * time.Hour},
		{"negative", "-1", `{"message":"x","retry_after":-4}`, 5 * time.Second},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			h := http.Header{}
			h.Set("Retry-After", tt.header)
			if got := core.RetryAfterOf(discord.Failure(429, h, tt.body, false)); got != tt.want {
				t.Errorf("%s, want %s", got, tt.want)
			}
		})
	}
}
