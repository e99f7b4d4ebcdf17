//go:build soak

package main

import (
	"flag"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/clickai/bridge/internal/crashtest"
)

var soakTime = flag.Duration("soak", time.Hour, "how long TestSoak goes on")

// TestSoak lets people talk with the bridge for long while everything fails that can, and wants every promise kept, and at the
// end no more memory and goroutines than at the beginning. It is built with the tag soak: `make soak`.
func TestSoak(t *testing.T) {
	dir := crashFolder(t, "soak")
	command := buildBridge(t)
	doctor := &crashtest.Doctor{Log: filepath.Join(dir, "scene0", "bridge.log")}
	cfg := crashtest.Config{
		Seed: *crashSeed, Platforms: crashPlatforms, Scenes: crashtest.Scenes()[2:3], Dir: dir,
		Command: func(config string) *exec.Cmd { return command(config, "--pprof", "127.0.0.1:0") },
		Progress: func(line string) {
			t.Log(line)
			if n := len(doctor.Seen); n > 0 {
				t.Log(doctor.Seen[n-1])
			}
		},
	}
	storm := crashtest.Storm{
		For: *soakTime, Troubles: 5, Lull: 10 * time.Second, Late: true, Rest: 4 * time.Second,
		Quiet: func(pid int) error { return doctor.Look(t.Context(), pid) },
	}
	res, err := storm.Play(t.Context(), cfg)
	report(t, res, err)
	for i, h := range doctor.Seen {
		if i%(1+len(doctor.Seen)/20) == 0 {
			t.Log(h)
		}
	}
	first, last := doctor.Ends()
	t.Logf("\nsecond tenth: %v\nlast tenth:   %v", first, last)
	const slack = 4 << 20 // bytes
	if last.Heap > first.Heap+first.Heap/4+slack || last.Resident > first.Resident+first.Resident/4+2*slack {
		t.Errorf("memory has grown from %v to %v", first, last)
	}
	if last.Goroutines > first.Goroutines+10 || last.Files > first.Files+10 {
		t.Errorf("goroutines or files have grown from %v to %v", first, last)
	}
}
