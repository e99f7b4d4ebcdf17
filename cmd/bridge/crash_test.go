package main

import (
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/clickai/bridge/internal/crashtest"
)

var (
	crashSeed     = flag.Uint64("seed", 1, "what TestReliability asks, and when and how it troubles the bridge")
	crashKills    = flag.Int("kills", 12, "how often TestReliability kills; from 100 on in all scenes")
	crashTroubles = flag.Int("troubles", 3, "how many troubles each service has in a round; from 6 on in all scenes, and also such that are noticed late")
	crashRounds   = flag.Int("rounds", 1, "rounds of trouble in each scene")
	crashDir      = flag.String("crashdir", "", "where TestReliability leaves stores and logs; empty: nowhere")
)

var crashPlatforms = []string{"slack", "discord", "telegram"}

// buildBridge builds the bridge as it is released: without the race detector, whatever the test has.
func buildBridge(t *testing.T) (command func(config string, more ...string) *exec.Cmd) {
	t.Helper()
	binary := filepath.Join(t.TempDir(), "bridge")
	build := exec.CommandContext(t.Context(), "go", "build", "-trimpath", "-ldflags=-s -w", "-o", binary, ".")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build: %v\n%s", err, out)
	}
	return func(config string, more ...string) *exec.Cmd {
		return exec.Command(binary, append([]string{"run", "--config", config}, more...)...)
	}
}

// crashFolder is where a test leaves what it makes.
func crashFolder(t *testing.T, name string) string {
	t.Helper()
	if *crashDir == "" {
		return t.TempDir()
	}
	return filepath.Join(*crashDir, name)
}

// report tells what a run has shown.
func report(t *testing.T, res *crashtest.Result, err error) {
	t.Helper()
	t.Logf("\n%v", res)
	if err != nil {
		t.Error(err)
	}
	if n := len(res.Failures); n > 0 {
		t.Errorf("%d failures, told above", n)
	}
}

// TestReliability has the bridge killed and its network fail, and wants every promise kept. How it is run for long stands in
// docs/reliability.md.
func TestReliability(t *testing.T) {
	t.Parallel()
	command := buildBridge(t)
	config := func(t *testing.T, name string) crashtest.Config {
		t.Helper()
		return crashtest.Config{
			Seed: *crashSeed, Platforms: crashPlatforms, Dir: crashFolder(t, name), Progress: func(line string) { t.Log(line) },
			Command: func(config string) *exec.Cmd { return command(config) },
		}
	}
	native := crashtest.Scenes()[2:3] // the scene with the most kinds of requests
	t.Run("killed", func(t *testing.T) {
		t.Parallel()
		cfg := config(t, "killed")
		cfg.Kills, cfg.Round, cfg.Scenes = *crashKills, 15, crashtest.Scenes()
		if *crashKills < 100 {
			cfg.Round, cfg.Scenes = *crashKills, native
		}
		res, err := crashtest.Run(t.Context(), cfg)
		report(t, res, err)
		if *crashKills >= 500 {
			for _, p := range crashtest.Points(crashPlatforms, "native") {
				if res.Aimed[p] == [2]int{} {
					t.Errorf("never killed at %v", p)
				}
			}
		}
		for _, p := range res.Platforms {
			if p.Hit == 0 || p.Questions < *crashKills/3 {
				t.Errorf("%s: kills hit %d open answers of %d questions", p.Name, p.Hit, p.Questions)
			}
		}
	})
	t.Run("network", func(t *testing.T) {
		t.Parallel()
		cfg := config(t, "network")
		storm := crashtest.Storm{Rest: 3 * time.Second, Rounds: *crashRounds, Troubles: *crashTroubles, Late: *crashTroubles >= 6}
		cfg.Scenes = crashtest.Scenes()
		if !storm.Late {
			cfg.Scenes = native
		}
		res, err := storm.Play(t.Context(), cfg)
		report(t, res, err)
	})
	// A bridge that loses its store with each start must not go unnoticed.
	t.Run("loss is found", func(t *testing.T) {
		t.Parallel()
		cfg := config(t, "loss")
		cfg.Seed, cfg.Kills, cfg.Round, cfg.Platforms, cfg.Settle = 1, 5, 5, []string{"discord"}, 3*time.Second
		cfg.Scenes = crashtest.Scenes()[:1]
		cfg.Command = func(config string) *exec.Cmd {
			_ = os.Remove(filepath.Join(filepath.Dir(config), "bridge.db")) // there is none yet at the first start
			return command(config)
		}
		res, err := crashtest.Run(t.Context(), cfg)
		if err != nil {
			t.Error(err)
		}
		if len(res.Failures) == 0 {
			t.Errorf("nothing was found:\n%v", res)
		}
	})
}
