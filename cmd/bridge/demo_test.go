package main

import (
	"bytes"
	"context"
	"io"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/clickai/bridge/internal/sim/clickai"
	"github.com/clickai/bridge/internal/standins"
)

func TestTour(t *testing.T) {
	t.Parallel()
	code, out, errs := command(t, nil, "demo", "--tour")
	if code != 0 {
		t.Fatalf("exit code %d\n%s\n%s", code, out, errs)
	}
	for _, platform := range []string{"Slack", "Discord", "Telegram"} {
		_, part, ok := strings.Cut(out, "━━ "+platform+" ━━")
		part, _, _ = strings.Cut(part, "━━")
		if !ok || strings.Count(part, "✓") != 6 {
			t.Errorf("%s: %d steps seen, want 6:\n%s", platform, strings.Count(part, "✓"), part)
		}
		for _, want := range []string{`seen at ([3-9]|\d\d) stages`, `conversation_id conv-\S+, inputs {}`, `invoice\.csv, 4523 bytes, upload file-\S+ named by the turn`, `is rated like`, `is rated null`, `conversation of its own: conversation_id conv-`} {
			if !regexp.MustCompile(want).MatchString(part) {
				t.Errorf("%s: the tour does not print %q:\n%s", platform, want, part)
			}
		}
	}
}

// TestTourFailsWhenAStepIsNotSeen takes one thing away and wants exit code 1.
func TestTourFailsWhenAStepIsNotSeen(t *testing.T) {
	t.Parallel()
	s := startSet(t, standins.Options{})
	var out bytes.Buffer
	p := program{out: &out, err: io.Discard, env: noEnv}
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	// No bridge runs: nothing is answered.
	if err := p.tour(ctx, s, s.Agent(clickai.ModeChat)); err == nil || !strings.Contains(out.String(), "steps were not seen") {
		t.Errorf("err = %v, out = %s; want every step missing", err, out.String())
	}
}

// TestDemoTalks writes on each stand-in from the terminal.
func TestDemoTalks(t *testing.T) {
	t.Parallel()
	in, typed := io.Pipe()
	out := &lockedBuffer{changed: make(chan struct{})}
	p := program{in: in, out: out, err: out, env: noEnv}
	done := make(chan int, 1)
	go func() { done <- p.execute(t.Context(), []string{"demo", "--terminal"}) }()
	write := func(line string) {
		if _, err := io.WriteString(typed, line+"\n"); err != nil {
			t.Error(err)
		}
	}
	write("hello from slack")
	out.wait(t, `\[Slack, .*\] bridge: `)
	out.wait(t, "to see more")
	write("/like")
	out.wait(t, "is rated like")
	write("/discord")
	write("hello from discord")
	out.wait(t, `\[Discord, .*\] Bridge: `)
	write("/telegram")
	write("hello from telegram")
	out.wait(t, `\[Telegram, .*\] Acme Support: `)
	write("/menu")
	out.wait(t, "long answer")
	write("/nonsense")
	out.wait(t, "/nonsense is not known")
	write("/quit")
	if code := <-done; code != 0 {
		t.Errorf("exit code %d\n%s", code, out.String())
	}
}

// lockedBuffer collects output and tells when it grows.
type lockedBuffer struct {
	mu      sync.Mutex
	b       bytes.Buffer
	changed chan struct{}
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	close(l.changed)
	l.changed = make(chan struct{})
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

func (l *lockedBuffer) wait(t *testing.T, pattern string) {
	t.Helper()
	re := regexp.MustCompile(pattern)
	until(t, pattern, func() bool { return re.MatchString(l.String()) }, func() <-chan struct{} {
		l.mu.Lock()
		defer l.mu.Unlock()
		return l.changed
	})
}
