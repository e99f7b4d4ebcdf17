package discord_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/clickai/bridge/adapters/discord"
)

func headers(bucket string, remaining int, after string) http.Header {
	return http.Header{
		"X-Ratelimit-Bucket": {bucket}, "X-Ratelimit-Remaining": {fmt.Sprint(remaining)}, "X-Ratelimit-Reset-After": {after},
	}
}

// take makes one request that may wait long, and returns how long it waited.
func take(t *testing.T, l discord.Limiter, key string, status int, h http.Header, body string) time.Duration {
	t.Helper()
	began := time.Now()
	done, err := l.Acquire(t.Context(), key, time.Hour)
	if err != nil {
		t.Fatalf("acquire %s: %v", key, err)
	}
	waited := time.Since(began)
	done(status, h, body)
	return waited
}

func TestLimiter(t *testing.T) {
	t.Parallel()
	const post, edit, other = "POST messages 1", "PATCH message 1", "POST messages 2"
	tests := []struct {
		name   string
		status int
		header http.Header
		body   string
		want   map[string]time.Duration // how long a request waits after that one, by route
	}{
		{"some left", 200, headers("a", 3, "4"), "", map[string]time.Duration{post: 0}},
		{"none left", 200, headers("a", 0, "4.5"), "", map[string]time.Duration{post: 4500 * time.Millisecond, edit: 0, other: 0}},
		{"429 of the bucket", 429, nil, `{"message":"slow","retry_after":2.5,"global":false}`, map[string]time.Duration{post: 2500 * time.Millisecond, other: 0}},
		{"shared 429", 429, http.Header{"X-Ratelimit-Scope": {"shared"}, "Retry-After": {"3"}}, `{"message":"slow","retry_after":3}`, map[string]time.Duration{post: 3 * time.Second, other: 0}},
		{"global 429", 429, http.Header{"Retry-After": {"7"}}, `{"message":"slow","retry_after":6.5,"global":true}`, map[string]time.Duration{post: 6500 * time.Millisecond, edit: 6500 * time.Millisecond, other: 6500 * time.Millisecond}},
		{"429 that is not Discord's", 429, http.Header{"Retry-After": {"9"}}, "<html>", map[string]time.Duration{post: 9 * time.Second, other: 9 * time.Second}},
		{"429 that says nothing", 429, nil, "", map[string]time.Duration{other: 5 * time.Second}},
		{"malformed headers", 200, headers("a", 0, "soon"), "", map[string]time.Duration{post: 0}},
		{"NaN", 200, headers("a", 0, "NaN"), "", map[string]time.Duration{post: 0}},
		{"negative", 200, headers("a", 0, "-5"), "", map[string]time.Duration{post: 0}},
		{"endless", 200, headers("a", 0, "1e300"), "", map[string]time.Duration{other: 0}},
	}
	for _, tt := range tests {
		for route, want := range tt.want {
			t.Run(tt.name+", "+route, func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					l := discord.NewLimiter()
					take(t, l, post, tt.status, tt.header, tt.body)
					if got := take(t, l, route, 200, nil, ""); got != want {
						t.Errorf("waited %s, want %s", got, want)
					}
				})
			})
		}
	}
}

// TestLimiterShares: routes that the server puts into one bucket are one, for each channel.
func TestLimiterShares(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := discord.NewLimiter()
		take(t, l, "GET guild 1", 200, headers("read", 5, "8"), "")
		take(t, l, "GET guild channels 1", 200, headers("read", 4, "8"), "")
		take(t, l, "GET guild 1", 200, headers("read", 0, "8"), "")
		if got := take(t, l, "GET guild channels 1", 200, nil, ""); got != 8*time.Second {
			t.Errorf("the same bucket: waited %s, want 8s", got)
		}
		if got := take(t, l, "GET guild channels 2", 200, nil, ""); got != 0 {
			t.Errorf("another server: waited %s", got)
		}
	})
}

func TestLimiterGlobalRate(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := discord.NewLimiter()
		began := time.Now()
		for i := range 45 + 90 {
			take(t, l, fmt.Sprintf("POST messages %d", i), 200, nil, "")
		}
		if got := time.Since(began); got < 1900*time.Millisecond || got > 2100*time.Millisecond {
			t.Errorf("45 at once and 90 more took %s, want 2s", got)
		}
	})
}

// TestLimiterOrder: one request at a time in a bucket, in the order of asking.
func TestLimiterOrder(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := discord.NewLimiter()
		first, err := l.Acquire(t.Context(), "k", time.Hour)
		if err != nil {
			t.Fatal(err)
		}
		order := make(chan int, 3)
		for i := range 3 {
			go func() {
				done, err := l.Acquire(t.Context(), "k", time.Hour)
				if err != nil {
					t.Error(err)
					return
				}
				order <- i
				done(200, nil, "")
			}()
			synctest.Wait() // it stands in line
		}
		if len(order) != 0 {
			t.Error("two requests in one bucket")
		}
		first(200, nil, "")
		for i := range 3 {
			if got := <-order; got != i {
				t.Errorf("place %d went to %d", i, got)
			}
		}
	})
}

// TestLimiterWaits: no wait outlasts the context or its bound; one that would is not begun.
func TestLimiterWaits(t *testing.T) {
	t.Parallel()
	for _, inFlight := range []bool{false, true} {
		t.Run(fmt.Sprintf("in flight %t", inFlight), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				l := discord.NewLimiter()
				done, err := l.Acquire(t.Context(), "k", 0)
				if err != nil {
					t.Fatal(err)
				}
				if !inFlight {
					done(200, headers("b", 0, "30"), "")
				}
				began := time.Now()
				ctx, cancel := context.WithCancel(t.Context())
				time.AfterFunc(3*time.Second, cancel)
				if _, err := l.Acquire(ctx, "k", time.Minute); !errors.Is(err, context.Canceled) || time.Since(began) != 3*time.Second {
					t.Errorf("cancelled: %v after %s", err, time.Since(began))
				}
				began = time.Now()
				if _, err := l.Acquire(t.Context(), "k", 0); err == nil || time.Since(began) != 0 {
					t.Errorf("no wait allowed: %v after %s", err, time.Since(began))
				}
				began = time.Now()
				if _, err := l.Acquire(t.Context(), "k", 2*time.Second); err == nil || time.Since(began) > 2*time.Second {
					t.Errorf("two seconds allowed: %v after %s", err, time.Since(began))
				}
				if inFlight {
					done(200, nil, "")
				}
				if _, err := l.Acquire(t.Context(), "k", time.Hour); err != nil {
					t.Errorf("afterwards: %v", err)
				}
			})
		})
	}
}

func TestLimiterIsBounded(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := discord.NewLimiter()
		for i := range 10_000 {
			take(t, l, fmt.Sprintf("POST messages %d", i+1), 200, headers("h", 3, "1"), "")
		}
		if n := l.Buckets(); n > 4096 {
			t.Errorf("%d buckets are remembered", n)
		}
	})
}
