//go:build crash

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
	crashSeed  = flag.Uint64("seed", 1, "what the crash test asks, and where it kills")
	crashKills = flag.Int("kills", 30, "how often the crash test kills; from 100 on in all scenes")
	crashDir   = flag.String("crashdir", "", "where the crash test leaves stores and logs; empty: nowhere")
)

// crashCommand runs this binary as the bridge.
func crashCommand(config string) *exec.Cmd {
	cmd := exec.Command(os.Args[0], "run", "--config", config)
	cmd.Env = append(os.Environ(), runMain+"=1")
	return cmd
}

// TestCrash kills the bridge at named points and at random times and wants every promise kept. It is built with the tag crash: `make crash`.
func TestCrash(t *testing.T) {
	t.Parallel()
	dir := *crashDir
	if dir == "" {
		dir = t.TempDir()
	}
	scenes, round := crashtest.Scenes(), 15
	if *crashKills < 100 { // the scene with the most kinds of requests
		scenes, round = scenes[2:3], *crashKills
	}
	res, err := crashtest.Run(t.Context(), crashtest.Config{
		Seed: *crashSeed, Kills: *crashKills, Round: round, Platforms: []string{"slack", "discord", "telegram"}, Scenes: scenes, Dir: dir,
		Command: crashCommand, Progress: func(line string) { t.Log(line) },
	})
	t.Logf("\n%v", res)
	if err != nil {
		t.Error(err)
	}
	for _, f := range res.Failures {
		t.Error(f)
	}
	for _, p := range res.Platforms {
		if p.Hit == 0 || p.Questions < *crashKills/3 {
			t.Errorf("%s: kills hit %d open answers of %d questions", p.Name, p.Hit, p.Questions)
		}
	}
}

// TestCrashFindsLoss runs a bridge that loses its store with each start, which must not go unnoticed.
func TestCrashFindsLoss(t *testing.T) {
	t.Parallel()
	res, err := crashtest.Run(t.Context(), crashtest.Config{
		Seed: 1, Kills: 8, Round: 8, Platforms: []string{"discord"}, Scenes: crashtest.Scenes()[:1], Dir: t.TempDir(), Settle: 5 * time.Second,
		Command: func(config string) *exec.Cmd {
			_ = os.Remove(filepath.Join(filepath.Dir(config), "bridge.db")) // there is none yet at the first start
			return crashCommand(config)
		},
	})
	if err != nil {
		t.Error(err)
	}
	if len(res.Failures) == 0 {
		t.Errorf("nothing was found:\n%v", res)
	}
}
