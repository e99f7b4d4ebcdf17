package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"testing"
	"time"

	"github.com/clickai/bridge/internal/sim/clickai"
	"github.com/clickai/bridge/internal/standins"
)

// TestFootprint starts the binary as it is released, with three bots, and tells how long that took and what it holds. The
// figures are for docs/performance.md; only that it comes up is asserted.
func TestFootprint(t *testing.T) {
	binary := filepath.Join(t.TempDir(), "bridge")
	build := exec.CommandContext(t.Context(), "go", "build", "-trimpath", "-ldflags=-s -w", "-o", binary, ".")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build: %v\n%s", err, out)
	}
	s := startSet(t, standins.Options{})
	path := writeConfig(t, s, clickai.ModeChat, "")
	began := time.Now()
	p := startProcess(t, binary, path)
	started := time.Since(began)
	connected(t, s)
	ready := time.Since(began)
	status, err := os.ReadFile(filepath.Join("/proc", p.pid(), "status"))
	if err != nil {
		t.Logf("footprint: no /proc here: %v", err)
		return
	}
	rss := regexp.MustCompile(`VmRSS:\s+(\d+ kB)`).FindSubmatch(status)
	if rss == nil {
		t.Fatal("no VmRSS")
	}
	t.Logf("footprint: %v to the HTTP server, %v until three bots are connected, %s resident", started.Round(time.Millisecond), ready.Round(time.Millisecond), rss[1])
	p.stop()
}
