package main

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/clickai/bridge/internal/bench"
)

// measure runs bench in this process, the bridge wherever the arguments say, and decodes its JSON.
func measure(t *testing.T, tamper func(int, string) string, args ...string) (code int, r bench.Result, stderr string) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "result.json")
	var out bytes.Buffer
	errs := &lockedBuffer{changed: make(chan struct{})}
	p := program{in: strings.NewReader(""), out: &out, err: errs, env: noEnv, tamper: tamper, childEnv: []string{runMain + "=1"}}
	code = p.execute(t.Context(), append([]string{"bench", "--warm-up=false", "--json", file}, args...))
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatalf("exit %d, no result: %v\n%s", code, err, errs.String())
	}
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&r); err != nil {
		t.Fatalf("result: %v\n%s", err, data)
	}
	if !strings.Contains(out.String(), "chunk → visible") {
		t.Errorf("no table:\n%s", out.String())
	}
	return code, r, errs.String()
}

// counter counts the pieces that leave.
type counter struct{ n atomic.Int64 }

func (c *counter) count(_ int, piece string) string { c.n.Add(1); return piece }

// sound checks a result of a load that went well, by what can be told without it.
func sound(t *testing.T, r *bench.Result, conversations int, pieces int64) {
	t.Helper()
	if int64(r.Load.Pieces) != pieces || int64(r.Text.Pieces) != pieces {
		t.Errorf("%d pieces, %d verified; %d left", r.Load.Pieces, r.Text.Pieces, pieces)
	}
	if n := int64(r.All.Lag.Count); n != pieces {
		t.Errorf("%d pieces became visible, of %d", n, pieces)
	}
	if r.Text.Answers != r.Text.Whole || r.Text.Answers < conversations || r.Text.Lost+r.Text.Doubled+r.Text.Disordered+r.Text.Unfinished != 0 {
		t.Errorf("text = %+v", r.Text)
	}
	answers, states := 0, 0
	for name, p := range r.Platforms {
		answers += p.Text.Answers
		states += p.Posts + p.Edits + p.Appends + p.Drafts + p.Deletes
		if p.Request.Count != uint64(p.Text.Answers) || p.FirstText.Count != uint64(p.Text.Answers) || p.Rest.Count != uint64(p.Text.Answers) {
			t.Errorf("%s: %d answers, but %d requests, %d first texts, %d ends", name, p.Text.Answers, p.Request.Count, p.FirstText.Count, p.Rest.Count)
		}
		if p.Posts < p.Text.Answers || p.Use.Calls == 0 && r.Load.Mode != "final" || p.Use.Allowed <= 0 || p.Use.Share > 1 {
			t.Errorf("%s: %d posts, use %+v", name, p.Posts, p.Use)
		}
		if p.Stale.Count > p.Age.Count || p.Stale.Count == 0 || p.Age.P99 < p.Stale.Median {
			t.Errorf("%s: staleness %+v, age %+v", name, p.Stale, p.Age)
		}
	}
	if answers != r.Text.Answers || uint64(states) != r.All.Age.Count {
		t.Errorf("%d answers and %d states by platform, %d and %d in all", answers, states, r.Text.Answers, r.All.Age.Count)
	}
	if r.Limited != 0 || r.Violations != 0 {
		t.Errorf("%d × 429, %d violations: %q", r.Limited, r.Violations, r.Against)
	}
}

func TestBenchInProcess(t *testing.T) {
	t.Parallel()
	var c counter
	code, r, errs := measure(t, c.count, "--in-process", "--conversations", "6", "--rooms", "2", "--duration", "5s", "--answer", "2s", "--ramp", "100ms")
	if code != 0 {
		t.Fatalf("exit %d\n%s", code, errs)
	}
	sound(t, &r, 6, c.n.Load())
	if r.Text.Answers <= 6 {
		t.Errorf("%d answers, want second ones after the first", r.Text.Answers)
	}
	if !r.Load.InProcess || !r.Bridge.Both {
		t.Errorf("in process: %v, %v", r.Load.InProcess, r.Bridge.Both)
	}
}

func TestBenchInAProcessOfItsOwn(t *testing.T) {
	t.Parallel()
	for _, mode := range []string{"edit", "native", "final"} {
		t.Run(mode, func(t *testing.T) {
			t.Parallel()
			var c counter
			code, r, errs := measure(t, c.count, "--conversations", "5", "--chunks-per-second", "50", "--duration", "3s", "--mode", mode)
			if code != 0 {
				t.Fatalf("exit %d\n%s", code, errs)
			}
			sound(t, &r, 5, c.n.Load())
			// 5 answers of 3 s at 50 a second, less their ramp of 50 ms and the time until a busy machine gets to ask.
			if n := c.n.Load(); n < 300 || n > 5*151 {
				t.Errorf("%d pieces, want about 740", n)
			}
			if mode == "final" && (r.All.Edits != 0 || r.All.FirstText.Median < 1500) {
				t.Errorf("final: %d edits, first text after %v ms", r.All.Edits, r.All.FirstText.Median)
			}
			b := r.Bridge
			if runtime.GOOS != "linux" {
				if b.NotMeasured == "" {
					t.Errorf("bridge = %+v, want to hear that nothing is measured", b)
				}
				return
			}
			if b.CPUSeconds <= 0 || b.CPUSeconds > 60 || b.RSSStart < 4<<20 || b.RSSPeak < b.RSSEnd || b.RSSPeak > 4<<30 || b.Turns != 5 || b.PerTurn != (b.RSSPeak-b.RSSStart)/5 {
				t.Errorf("bridge = %+v", b)
			}
			if want := b.CPUSeconds * 1e6 / float64(c.n.Load()); b.PerChunks < want*0.999 || b.PerChunks > want*1.001 {
				t.Errorf("%v ms for 1,000 chunks, want %v", b.PerChunks, want)
			}
		})
	}
}

// TestBenchAttached loads a bridge that was started by hand with the written configuration.
func TestBenchAttached(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "load.yaml")
	errs := &lockedBuffer{changed: make(chan struct{})}
	var out bytes.Buffer
	p := program{in: strings.NewReader(""), out: &out, err: errs, env: noEnv}
	var wg sync.WaitGroup
	code := -1
	wg.Go(func() {
		code = p.execute(t.Context(), []string{
			"bench", "--attach", strconv.Itoa(os.Getpid()), "--config-out", file, "--conversations", "3", "--duration", "2s", "--json", "-",
		})
	})
	errs.wait(t, `bridge run --config `+regexp.QuoteMeta(file))
	b := runBridge(t, file)
	wg.Wait()
	b.stop()
	var r bench.Result
	if err := json.Unmarshal(out.Bytes(), &r); err != nil || code != 0 {
		t.Fatalf("exit %d, %v\n%s\n%s", code, err, out.String(), errs.String())
	}
	if r.Text.Whole != 3 || r.Load.InProcess || r.Bridge.NotMeasured == "" && r.Bridge.RSSStart == 0 {
		t.Errorf("result = %+v", r)
	}
}

// TestBenchFindsLoss damages the text on its way and wants each damage found, and exit code 1.
func TestBenchFindsLoss(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		tamper func(seq int, piece string) string
		check  func(r *bench.Result) bool
	}{
		{"lost", func(seq int, piece string) string {
			if seq == 7 {
				return ""
			}
			return piece
		}, func(r *bench.Result) bool { return r.Text.Lost == r.Text.Answers && r.Text.Doubled == 0 }},
		{"twice", func(seq int, piece string) string {
			if seq == 7 {
				return piece + piece
			}
			return piece
		}, func(r *bench.Result) bool { return r.Text.Doubled == r.Text.Answers && r.Text.Lost == 0 }},
		{"altered", func(seq int, piece string) string {
			if seq == 7 {
				return piece + " never sent"
			}
			return piece
		}, func(r *bench.Result) bool { return r.Text.Altered == r.Text.Answers && r.Text.Lost+r.Text.Doubled == 0 }},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			code, r, errs := measure(t, tt.tamper, "--in-process", "--conversations", "3", "--duration", "2s", "--wait", "3s")
			if code != 1 || r.Text.Answers != 3 || r.Text.Whole != 0 || !tt.check(&r) || len(r.Problems) == 0 || len(r.Text.Examples) == 0 {
				t.Errorf("exit %d, %+v, problems %q\n%s", code, r.Text, r.Problems, errs)
			}
		})
	}
}

func TestBenchUsage(t *testing.T) {
	existing := filepath.Join(t.TempDir(), "there.yaml")
	if err := os.WriteFile(existing, []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name string
		args []string
		code int
		want string
	}{
		{"help", []string{"--help"}, 0, "--chunks-per-second"},
		{"argument", []string{"x"}, 2, "does not take"},
		{"conversations", []string{"--conversations", "0"}, 2, "--conversations"},
		{"no number", []string{"--conversations", "many"}, 2, "--conversations"},
		{"platform", []string{"--platforms", "slack,irc"}, 2, "irc"},
		{"mode", []string{"--mode", "fast"}, 2, "--mode"},
		{"attach without a file", []string{"--attach", "1"}, 2, "--config-out"},
		{"attach and inside", []string{"--attach", "1", "--config-out", "x", "--in-process"}, 2, "exclude"},
		{"file without attach", []string{"--config-out", "x"}, 2, "--attach"},
		{"log of another bridge", []string{"--attach", "0", "--config-out", "x", "--bridge-log", "y"}, 2, "--bridge-log"},
		{"too long an answer", []string{"--duration", "2h"}, 2, "--answer"},
		{"a configuration that is there", []string{"--attach", "0", "--config-out", existing}, 1, "there.yaml"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			code, out, errs := command(t, nil, append([]string{"bench"}, tt.args...)...)
			if code != tt.code || !strings.Contains(out+errs, tt.want) {
				t.Errorf("exit %d, want %d; %q does not hold %q", code, tt.code, out+errs, tt.want)
			}
		})
	}
	if data, err := os.ReadFile(existing); err != nil || string(data) != "x" {
		t.Errorf("the file that was there holds %q, %v", data, err)
	}
}

// TestBenchStops ends with its context, the bridge with it.
func TestBenchStops(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	errs := &lockedBuffer{changed: make(chan struct{})}
	p := program{in: strings.NewReader(""), out: &out, err: errs, env: noEnv}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan int, 1)
	go func() {
		done <- p.execute(ctx, []string{"bench", "--in-process", "--conversations", "3", "--duration", "10m", "--warm-up=false"})
	}()
	errs.wait(t, "is connected")
	cancel()
	select {
	case code := <-done:
		if code != 1 {
			t.Errorf("exit %d, want 1", code)
		}
	case <-time.After(patience):
		t.Fatal("bench does not stop")
	}
}
