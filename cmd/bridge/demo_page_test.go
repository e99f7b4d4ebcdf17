package main

import (
	"bufio"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/clickai/bridge/internal/playground"
	"github.com/clickai/bridge/internal/sim/clickai"
	"github.com/clickai/bridge/internal/sim/telegram"
)

// TestDemoPage starts the page with the app of a ClickAI stand-in that was started apart, and asks it something.
func TestDemoPage(t *testing.T) {
	t.Parallel()
	const key = "app-of-somebody"
	apart, err := clickai.New(clickai.Options{Apps: []clickai.App{{Name: "mine", Mode: clickai.ModeChat, Key: key}}})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := apart.Close(); err != nil {
			t.Error(err)
		}
	}()
	env := map[string]string{"CLICKAI_API_KEY": key, "CLICKAI_BASE_URL": apart.URL()}
	out := &lockedBuffer{changed: make(chan struct{})}
	p := program{
		in: strings.NewReader(""), out: out, err: out, childEnv: []string{runMain + "=1"},
		env: func(k string) (string, bool) { v, ok := env[k]; return v, ok },
	}
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	done := make(chan int, 1)
	go func() { done <- p.execute(ctx, []string{"demo", "--no-browser", "--listen", "127.0.0.1:0"}) }()
	out.wait(t, `playground is at http://127\.0\.0\.1:\d+/`)
	base := regexp.MustCompile(`http://127\.0\.0\.1:\d+/`).FindString(out.String())

	page := fetch(t, "GET", base, "", "")
	token := regexp.MustCompile(`name="token" content="([^"]+)"`).FindStringSubmatch(page)
	if token == nil {
		t.Fatalf("no token in the page:\n%s", page)
	}
	if strings.Contains(page, key) || strings.Contains(fetch(t, "GET", base+"api/boot", "", ""), key) {
		t.Error("the page holds the key")
	}
	said := fetch(t, "POST", base+"api/say", token[1], `{"p":"telegram","room":"`+telegram.Minh+`","user":"`+telegram.Minh+`","text":"Who answers?"}`)
	if !strings.Contains(said, telegram.Minh) {
		t.Errorf("said = %s", said)
	}
	turn, err := apart.WaitTurn(t.Context(), func(x clickai.Turn) bool { return x.Status == clickai.StatusFinished })
	if err != nil {
		t.Fatal(err)
	}
	if turn.Question != "Who answers?" || turn.App != "mine" || turn.User != "telegram:"+telegram.Minh {
		t.Errorf("turn = %+v", turn)
	}
	stop()
	if code := <-done; code != 0 {
		t.Errorf("exit code %d\n%s", code, out.String())
	}
}

func TestDemoFlags(t *testing.T) {
	t.Parallel()
	if code, _, errs := command(t, nil, "demo", "--tour", "--terminal"); code != 2 || !strings.Contains(errs, "exclude") {
		t.Errorf("exit code %d, %s", code, errs)
	}
	if code, _, errs := command(t, nil, "demo", "--no-browser", "--listen", "nonsense"); code != 1 || !strings.Contains(errs, "--listen") {
		t.Errorf("exit code %d, %s", code, errs)
	}
}

func fetch(t *testing.T, method, url, token, body string) string {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("X-Playground-Token", token)
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	data, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	if res.StatusCode != http.StatusOK {
		t.Errorf("%s %s: %s: %s", method, url, res.Status, data)
	}
	return string(data)
}

// TestDemoPageTour plays the tour on the page, twice: each step is seen both times.
func TestDemoPageTour(t *testing.T) {
	t.Parallel()
	out := &lockedBuffer{changed: make(chan struct{})}
	p := program{in: strings.NewReader(""), out: out, err: out, childEnv: []string{runMain + "=1"}, env: noEnv}
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	done := make(chan int, 1)
	go func() { done <- p.execute(ctx, []string{"demo", "--no-browser", "--listen", "127.0.0.1:0"}) }()
	out.wait(t, `playground is at http://127\.0\.0\.1:\d+/`)
	base := regexp.MustCompile(`http://127\.0\.0\.1:\d+/`).FindString(out.String())
	token := regexp.MustCompile(`name="token" content="([^"]+)"`).FindStringSubmatch(fetch(t, "GET", base, "", ""))
	if token == nil {
		t.Fatal("no token in the page")
	}
	for range 2 {
		fetch(t, "POST", base+"api/tour", token[1], "{}")
		state := tourState(t, base)
		if state.Failed || len(state.Steps) != 18 {
			t.Errorf("the tour ended as %+v", state)
		}
		for _, s := range state.Steps {
			if !s.Seen {
				t.Errorf("%s: %s: %s", s.Platform, s.Name, s.Detail)
			}
		}
	}
	stop()
	if code := <-done; code != 0 {
		t.Errorf("exit code %d\n%s", code, out.String())
	}
}

// tour is how the page tells the tour.
type tour struct {
	Running, Done, Failed bool
	Steps                 []playground.Step
}

// tourState reads what the page is told until a tour has ended.
func tourState(t *testing.T, base string) tour {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), "GET", base+"api/events", nil)
	if err != nil {
		t.Fatal(err)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	in := bufio.NewScanner(res.Body)
	in.Buffer(nil, 32<<20)
	for in.Scan() {
		data, ok := strings.CutPrefix(in.Text(), "data: ")
		if !ok {
			continue
		}
		var u struct{ Set struct{ O *tour } }
		if err := json.Unmarshal([]byte(data), &u); err != nil {
			t.Fatal(err)
		}
		if o := u.Set.O; o != nil && o.Done && !o.Running {
			return *o
		}
	}
	t.Fatalf("the page is told nothing more: %v", in.Err())
	return tour{}
}
