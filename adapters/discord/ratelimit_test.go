package discord_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/clickai/bridge/adapters/discord"
	"github.com/clickai/bridge/internal/pace"
)

func headers(bucket string, limit, remaining int, after string) http.Header {
	return http.Header{
		"X-Ratelimit-Bucket": {bucket}, "X-Ratelimit-Limit": {fmt.Sprint(limit)},
		"X-Ratelimit-Remaining": {fmt.Sprint(remaining)}, "X-Ratelimit-Reset-After": {after},
	}
}

// take makes one request that may wait long, and returns how long it waited.
func take(t *testing.T, l discord.Limiter, at string, status int, h http.Header, body string) time.Duration {
	t.Helper()
	began := time.Now()
	done, err := l.Take(t.Context(), at, time.Hour)
	if err != nil {
		t.Fatalf("take %s: %v", at, err)
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
		{"some left", 200, headers("a", 5, 3, "4"), "", map[string]time.Duration{post: 0}},
		{"none left", 200, headers("a", 5, 0, "4.5"), "", map[string]time.Duration{post: 4500 * time.Millisecond, edit: 0, other: 0}},
		{"429 of the bucket", 429, nil, `{"message":"slow","retry_after":2.5,"global":false}`, map[string]time.Duration{post: 2500 * time.Millisecond, edit: 0, other: 0}},
		{"shared 429", 429, http.Header{"X-Ratelimit-Scope": {"shared"}, "Retry-After": {"3"}}, `{"message":"slow","retry_after":3}`, map[string]time.Duration{post: 3 * time.Second, edit: 0, other: 0}},
		{"global 429", 429, http.Header{"Retry-After": {"7"}}, `{"message":"slow","retry_after":6.5,"global":true}`, map[string]time.Duration{post: 6500 * time.Millisecond, edit: 6500 * time.Millisecond, other: 6500 * time.Millisecond}},
		{"429 that is not Discord's", 429, http.Header{"Retry-After": {"9"}}, "<html>", map[string]time.Duration{post: 9 * time.Second, other: 9 * time.Second}},
		{"429 that says nothing", 429, nil, "", map[string]time.Duration{other: 5 * time.Second}},
		{"429 of old edits", 429, headers("b", 5, 0, "60"), `{"message":"old","code":30046,"retry_after":60}`, map[string]time.Duration{post: 0, edit: 0}},
		{"malformed time", 200, headers("a", 5, 0, "soon"), "", map[string]time.Duration{post: 0}},
		{"NaN", 200, headers("a", 5, 0, "NaN"), "", map[string]time.Duration{post: 0}},
		{"negative time", 200, headers("a", 5, 0, "-5"), "", map[string]time.Duration{post: 0}},
		{"negative count", 200, headers("a", 5, -1, "5"), "", map[string]time.Duration{post: 0}},
		{"odd limit", 200, headers("a", -3, 4, "5"), "", map[string]time.Duration{post: 0}},
		{"more left than there are", 200, headers("a", 5, 9, "5"), "", map[string]time.Duration{post: 0}},
		{"endless", 200, headers("a", 5, 0, "1e300"), "", map[string]time.Duration{other: 0}},
	}
	for _, tt := range tests {
		for at, want := range tt.want {
			t.Run(tt.name+", "+at, func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					l := discord.NewLimiter()
					take(t, l, post, tt.status, tt.header, tt.body)
					if got := take(t, l, at, 200, nil, ""); !about(got, want) {
						t.Errorf("waited %s, want %s", got, want)
					}
				})
			})
		}
	}
}

// fixedWindow is a bucket of Discord: it counts requests in windows that begin with the first one in them.
type fixedWindow struct {
	limit   int
	window  time.Duration
	used    int
	reset   time.Time
	refused int
}

// take counts a request that arrives now and returns the answer's status and headers.
func (s *fixedWindow) take(hash string) (int, http.Header) {
	now := time.Now()
	if !now.Before(s.reset) {
		s.used, s.reset = 0, now.Add(s.window)
	}
	if s.used == s.limit {
		s.refused++
		return 429, nil
	}
	s.used++
	return 200, headers(hash, s.limit, s.limit-s.used, fmt.Sprintf("%.3f", s.reset.Sub(now).Seconds()))
}

// TestLimiterFollowsTheHeaders asks for more than there is, with requests that are under way at once and take differently
// long there and back: none is refused, and no time is lost.
func TestLimiterFollowsTheHeaders(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name     string
		limit    int
		window   time.Duration
		way      func(i int) time.Duration // of the i-th request
		back     func(i int) time.Duration
		requests int
		lost     time.Duration // at most, in each window
	}{
		{"as assumed", 5, 5 * time.Second, way(0), way(0), 50, 100 * time.Millisecond},
		{"on a slow way", 5, 5 * time.Second, way(200), way(200), 50, 500 * time.Millisecond},
		{"on an uneven way", 5, 5 * time.Second, way(10, 300, 40), way(400, 20, 90), 50, 800 * time.Millisecond},
		{"less than assumed", 5, 8 * time.Second, way(30), way(40, 5), 30, 200 * time.Millisecond},
		{"fewer than assumed", 2, 8 * time.Second, way(30), way(40, 5), 10, 200 * time.Millisecond},
		{"more than assumed", 20, 2 * time.Second, way(30), way(40, 5), 200, 200 * time.Millisecond},
		{"one at a time", 1, time.Second, way(30), way(40, 5), 10, 200 * time.Millisecond},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				l := discord.NewLimiter()
				s := &fixedWindow{limit: tt.limit, window: tt.window}
				var mu sync.Mutex
				send := func(i int, done discord.Done) {
					<-time.After(tt.way(i))
					mu.Lock()
					status, h := s.take("hash")
					mu.Unlock()
					<-time.After(tt.back(i))
					done(status, h, "{}")
				}
				// The first request alone: what is assumed until then may be too much.
				done, err := l.Take(t.Context(), "POST messages 7", 0)
				if err != nil {
					t.Fatal(err)
				}
				send(0, done)
				began := time.Now()
				var wg sync.WaitGroup
				for i := range tt.requests {
					wg.Go(func() {
						if err := l.Pace(t.Context(), "POST messages 7", pace.Call{}); err != nil {
							t.Error(err)
							return
						}
						done, err := l.Begin("POST messages 7")
						if err != nil {
							t.Error(err)
							return
						}
						send(i, done)
					})
				}
				wg.Wait()
				if s.refused > 0 {
					t.Errorf("%d requests were refused", s.refused)
				}
				// The first window has one request less: that of before. The last one ends with its last request.
				windows := (tt.requests - (tt.limit - 1) + tt.limit - 1) / tt.limit
				if took, most := time.Since(began), time.Duration(windows)*(tt.window+tt.lost); took > most {
					t.Errorf("%d requests took %v, want %v at most", tt.requests, took, most)
				}
			})
		})
	}
}

// about tells whether a wait was as long as it should be, but for the spacing of all requests.
func about(got, want time.Duration) bool {
	return want-got <= 250*time.Millisecond && got-want <= 250*time.Millisecond
}

func way(ms ...int) func(int) time.Duration {
	return func(i int) time.Duration { return time.Duration(ms[i%len(ms)]) * time.Millisecond }
}

// TestLimiterLearnsOfAllChannels: what a route is, is learnt once; who waits in another channel by what was assumed goes by
// that from then on.
func TestLimiterLearnsOfAllChannels(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := discord.NewLimiter()
		for range 5 { // as many as are assumed to be allowed
			take(t, l, "PATCH message 2", 200, nil, "")
		}
		var waited time.Duration
		var wg sync.WaitGroup
		wg.Go(func() { waited = take(t, l, "PATCH message 2", 200, nil, "") })
		<-time.After(time.Second)
		take(t, l, "PATCH message 1", 200, headers("edits", 10, 9, "5"), "")
		wg.Wait()
		if !about(waited, time.Second) {
			t.Errorf("waited %v, want until the size became known after 1s", waited)
		}
		// The same when the size changes.
		<-time.After(5 * time.Second)
		for range 10 {
			take(t, l, "PATCH message 2", 200, nil, "")
		}
		wg.Go(func() { waited = take(t, l, "PATCH message 2", 200, nil, "") })
		<-time.After(time.Second)
		take(t, l, "PATCH message 1", 200, headers("edits", 20, 19, "5"), "")
		wg.Wait()
		if !about(waited, time.Second) {
			t.Errorf("waited %v, want until the size changed after 1s", waited)
		}
		take(t, l, "PATCH message 1", 200, headers("edits", 10, 9, "5"), "")
		for range 9 {
			take(t, l, "PATCH message 3", 200, nil, "")
		}
		if got := take(t, l, "PATCH message 3", 200, nil, ""); !about(got, 0) {
			t.Errorf("the tenth of ten in a new channel waited %v", got)
		}
		if got := take(t, l, "PATCH message 3", 200, nil, ""); !about(got, 5*time.Second) {
			t.Errorf("the eleventh of ten waited %v, want 5s", got)
		}
	})
}

// TestLimiterShares: routes that the server puts into one bucket are one, for each channel.
func TestLimiterShares(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := discord.NewLimiter()
		take(t, l, "GET guild 1", 200, headers("read", 50, 49, "8"), "")
		take(t, l, "GET guild channels 1", 200, headers("read", 50, 48, "8"), "")
		take(t, l, "GET guild 1", 200, headers("read", 50, 0, "8"), "")
		if got := take(t, l, "GET guild channels 1", 200, nil, ""); !about(got, 8*time.Second) {
			t.Errorf("the same bucket: waited %s, want 8s", got)
		}
		if got := take(t, l, "GET guild channels 2", 200, nil, ""); got != 0 {
			t.Errorf("another server: waited %s", got)
		}
	})
}

// TestLimiterJoins: what is under way on a route counts when it turns out to be in the same bucket as another.
func TestLimiterJoins(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := discord.NewLimiter()
		take(t, l, "GET guild 1", 200, headers("read", 5, 4, "60"), "")
		var under []discord.Done
		for range 3 {
			done, err := l.Take(t.Context(), "GET guild channels 1", 0)
			if err != nil {
				t.Fatal(err)
			}
			under = append(under, done)
		}
		under[0](200, headers("read", 5, 3, "60"), "") // the other two have not arrived yet
		<-time.After(time.Second)
		if got := take(t, l, "GET guild 1", 200, nil, ""); got != 0 {
			t.Errorf("the last of five waited %v", got)
		}
		<-time.After(time.Second)
		if _, err := l.Take(t.Context(), "GET guild 1", 0); err == nil {
			t.Error("a sixth of five in a bucket")
		}
		under[1](200, nil, "")
		under[2](200, nil, "")
	})
}

// TestLimiterShorterWindow: a bucket whose window has become shorter gives as much as it can.
func TestLimiterShorterWindow(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := discord.NewLimiter()
		take(t, l, "POST messages 1", 200, headers("h", 5, 4, "60"), "")
		<-time.After(time.Minute)
		take(t, l, "POST messages 1", 200, headers("h", 5, 4, "2"), "")
		for range 4 {
			take(t, l, "POST messages 1", 200, nil, "")
		}
		if got := take(t, l, "POST messages 1", 200, nil, ""); !about(got, 2*time.Second) {
			t.Errorf("waited %v, want 2s", got)
		}
	})
}

// TestLimiterOneRouteInTwoBuckets: a route can be in another bucket in one channel than in others.
func TestLimiterOneRouteInTwoBuckets(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := discord.NewLimiter()
		take(t, l, "POST messages 1", 200, headers("guild", 5, 4, "5"), "")
		take(t, l, "POST messages 2", 200, headers("direct", 2, 1, "9"), "")
		take(t, l, "POST messages 2", 200, headers("direct", 2, 0, "9"), "")
		if got := take(t, l, "POST messages 2", 200, headers("direct", 2, 1, "9"), ""); !about(got, 9*time.Second) {
			t.Errorf("in the second channel: waited %v, want 9s", got)
		}
		for range 4 {
			if got := take(t, l, "POST messages 1", 200, nil, ""); !about(got, 0) {
				t.Errorf("in the first channel: waited %v", got)
			}
		}
	})
}

// TestLimiterKeepsAHold: a bucket that is held stays so when its size becomes known by a request that was under way.
func TestLimiterKeepsAHold(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := discord.NewLimiter()
		slow, err := l.Take(t.Context(), "POST messages 1", 0)
		if err != nil {
			t.Fatal(err)
		}
		take(t, l, "POST messages 1", 429, nil, `{"message":"slow","retry_after":30}`)
		slow(200, headers("h", 10, 9, "1"), "")
		if _, err := l.Begin("POST messages 1"); err == nil {
			t.Error("a request began in a bucket that is held")
		}
		if got := take(t, l, "POST messages 1", 200, nil, ""); got != 30*time.Second {
			t.Errorf("waited %v, want 30s", got)
		}
	})
}

// TestLimiterGlobalRate: in any second there are no more than Discord's 50, and over time it is the 42 of the ceiling.
func TestLimiterGlobalRate(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := discord.NewLimiter()
		began := time.Now()
		var at []time.Time
		for i := range 42 * 4 {
			take(t, l, fmt.Sprintf("POST messages %d", i+1), 200, nil, "")
			at = append(at, time.Now())
		}
		for i := range at {
			if i+50 < len(at) && at[i+50].Sub(at[i]) < time.Second {
				t.Fatalf("51 requests within %v", at[i+50].Sub(at[i]))
			}
		}
		if got := time.Since(began); got < 3800*time.Millisecond || got > 4100*time.Millisecond {
			t.Errorf("168 requests took %s, want 4s", got)
		}
	})
}

// TestLimiterOrder: urgent turns first, then the others by how long they have been wanted.
func TestLimiterOrder(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := discord.NewLimiter()
		for range 5 {
			take(t, l, "PATCH message 1", 200, nil, "")
		}
		now := time.Now()
		var mu sync.Mutex
		var order []string
		var wg sync.WaitGroup
		ask := func(name string, c pace.Call) {
			wg.Go(func() {
				if err := l.Pace(t.Context(), "PATCH message 1", c); err != nil {
					t.Error(err)
				}
				mu.Lock()
				order = append(order, name)
				mu.Unlock()
			})
			synctest.Wait()
			<-time.After(time.Millisecond)
		}
		ask("refresh 2", pace.Call{Priority: pace.Refresh, Since: now.Add(-1)})
		ask("refresh 1", pace.Call{Priority: pace.Refresh, Since: now.Add(-2)})
		var want []string
		for i := range 8 {
			want = append(want, fmt.Sprintf("urgent %d", i+1))
			c := pace.Call{Since: now.Add(time.Duration(-i))}
			if i%2 == 1 {
				c.Since = time.Time{} // from now on
			}
			ask(want[i], c)
		}
		// Another channel's answer makes all of them ask again. They keep their places.
		take(t, l, "PATCH message 2", 200, headers("edits", 1, 0, "1"), "")
		wg.Wait()
		want = []string{
			"urgent 7", "urgent 5", "urgent 3", "urgent 1", // by their Since
			"urgent 2", "urgent 4", "urgent 6", "urgent 8", "refresh 1", "refresh 2",
		}
		if !slices.Equal(order, want) {
			t.Errorf("order = %q, want %q", order, want)
		}
	})
}

// TestLimiterWaits: no wait outlasts the context or its bound; one that would is not begun.
func TestLimiterWaits(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const at = "POST messages 1"
		l := discord.NewLimiter()
		take(t, l, at, 200, headers("b", 5, 0, "30"), "")

		began := time.Now()
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(3*time.Second, cancel)
		if _, err := l.Take(ctx, at, time.Minute); !errors.Is(err, context.Canceled) || time.Since(began) != 3*time.Second {
			t.Errorf("cancelled: %v after %s", err, time.Since(began))
		}
		began = time.Now()
		ctx, cancel = context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		for _, wait := range []time.Duration{0, 2 * time.Second, time.Minute} {
			if _, err := l.Take(ctx, at, wait); err == nil || !strings.Contains(err.Error(), "27.001s") || time.Since(began) != 0 {
				t.Errorf("%v allowed and 5s until the deadline: %v after %s", wait, err, time.Since(began))
			}
		}
		errCause := errors.New("told to stop")
		caused, stop := context.WithCancelCause(t.Context())
		time.AfterFunc(time.Second, func() { stop(errCause) })
		if err := l.Pace(caused, at, pace.Call{}); !errors.Is(err, errCause) {
			t.Errorf("Pace: %v, want the context's cause", err)
		}
		woken := make(chan struct{}, 1)
		woken <- struct{}{}
		if err := l.Pace(t.Context(), at, pace.Call{Wake: woken}); !errors.Is(err, pace.ErrWoken) {
			t.Errorf("Pace: %v, want %v", err, pace.ErrWoken)
		}
		if _, err := l.Take(t.Context(), at, time.Hour); err != nil {
			t.Errorf("afterwards: %v", err)
		}
	})
}

// TestLimiterUnpace: a turn that is given back is there for the next one, and one that is lost does not count for ever.
func TestLimiterUnpace(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const at = "POST messages 1"
		l := discord.NewLimiter()
		take(t, l, at, 200, headers("b", 5, 4, "60"), "")
		for range 100 {
			if err := l.Pace(t.Context(), at, pace.Call{}); err != nil {
				t.Fatal(err)
			}
			l.Unpace(at, pace.Urgent)
		}
		for range 2 {
			if err := l.Pace(t.Context(), at, pace.Call{}); err != nil {
				t.Fatal(err)
			}
		}
		// Two turns are out, and their requests not begun: the answer to a third leaves one, not three.
		take(t, l, at, 200, headers("b", 5, 3, "60"), "")
		take(t, l, at, 200, headers("b", 5, 2, "60"), "")
		<-time.After(time.Second)
		if _, err := l.Take(t.Context(), at, 0); err == nil {
			t.Error("turns that Pace has given are not counted")
		}
		<-time.After(time.Minute)
		take(t, l, at, 200, headers("b", 5, 4, "60"), "")
		for range 4 {
			if _, err := l.Take(t.Context(), at, time.Second); err != nil {
				t.Errorf("a lost turn is still counted: %v", err)
			}
		}
	})
}

func TestLimiterIsBounded(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := discord.NewLimiter()
		for i := range 12_000 {
			at := fmt.Sprintf("POST messages %d", i+1)
			switch i % 4 {
			case 0:
				take(t, l, at, 200, headers("h", 5, 4, "1"), "")
			case 1:
				take(t, l, at, 200, headers(fmt.Sprint("h", i), 5, 4, "1"), "")
			case 2:
				take(t, l, at, 429, nil, `{"message":"old","code":30046,"retry_after":60}`)
			default:
				take(t, l, at, 200, headers("h", 1+i%400/100, 0, "2"), "")
			}
		}
		if buckets, known, budgets := l.Sizes(); buckets > 4096 || known > 3*4096 || budgets > 2*4096 {
			t.Errorf("%d buckets, %d other facts, %d budgets are remembered", buckets, known, budgets)
		}
	})
}

// TestLimiterLeaving: requests that had their turns in time and leave late, all at once, do not come to Discord at once.
func TestLimiterLeaving(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := discord.NewLimiter()
		var mu sync.Mutex
		var left []time.Time
		var wg sync.WaitGroup
		for range 150 {
			wg.Go(func() {
				if err := l.Leave(t.Context()); err != nil {
					t.Error(err)
				}
				mu.Lock()
				defer mu.Unlock()
				left = append(left, time.Now())
			})
		}
		wg.Wait()
		for i := range left {
			if i+50 < len(left) && left[i+50].Sub(left[i]) < time.Second {
				t.Fatalf("51 requests left within %v", left[i+50].Sub(left[i]))
			}
		}
		if took := left[len(left)-1].Sub(left[0]); took > 3*time.Second {
			t.Errorf("150 requests took %v to leave, want no more than 3s", took)
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if l.Leave(ctx) == nil {
			t.Error("left although its context had ended")
		}
	})
}
