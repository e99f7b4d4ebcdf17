package playground_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"github.com/clickai/bridge/internal/playground"
	"github.com/clickai/bridge/internal/standins"
)

// patience is how long a test waits for anything: machines that run other things at the same time are slow.
const patience = 2 * time.Minute

// What all tests of this package share: the bridge, built once, and a browser.
var (
	bridgeProgram string
	browser       context.Context
	errBrowser    error
)

func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) int {
	dir, err := os.MkdirTemp("", "playground-test-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer func() { _ = os.RemoveAll(dir) }()
	if err := moreAtOnce(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	var browserUp sync.WaitGroup
	var stop func()
	browserUp.Go(func() { stop = startBrowser(dir) })
	out, err := build(dir)
	browserUp.Wait()
	defer stop()
	if err != nil {
		fmt.Fprintf(os.Stderr, "build the bridge: %v\n%s", err, out)
		return 1
	}
	return m.Run()
}

// moreAtOnce runs more tests at once than there are processors, unless it was told how many: they wait far more than they
// compute.
func moreAtOnce() error {
	flag.Parse()
	told := false
	flag.Visit(func(f *flag.Flag) { told = told || f.Name == "test.parallel" })
	if told {
		return nil
	}
	return flag.Set("test.parallel", strconv.Itoa(3*runtime.GOMAXPROCS(0)))
}

// build makes the bridge without the race detector: what its process does is tested elsewhere. With these flags, what other
// tests compile is used again.
func build(dir string) (out []byte, err error) {
	bridgeProgram = filepath.Join(dir, "bridge")
	return exec.Command("go", "build", "-trimpath", "-ldflags=-s -w", "-o", bridgeProgram, "github.com/clickai/bridge/cmd/bridge").CombinedOutput()
}

var errNoBrowser = errors.New("there is no Chromium: install Debian's package chromium, or set CHROME to the program")

// startBrowser starts the browser that all tests open their pages in.
func startBrowser(dir string) (stop func()) {
	program := os.Getenv("CHROME")
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome", "google-chrome-stable"} {
		if path, err := exec.LookPath(name); program == "" && err == nil {
			program = path
		}
	}
	if program == "" {
		errBrowser = errNoBrowser
		return func() {}
	}
	opts := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(program), chromedp.UserDataDir(filepath.Join(dir, "profile")),
		chromedp.NoSandbox, // as root, in a container, there is none
		chromedp.Flag("disable-dev-shm-usage", true), chromedp.Flag("lang", "en"), chromedp.WindowSize(1600, 1000),
		chromedp.WSURLReadTimeout(patience))
	allocator, cancel := chromedp.NewExecAllocator(context.Background(), opts...)
	ctx, cancelBrowser := chromedp.NewContext(allocator)
	browser = ctx
	errBrowser = chromedp.Do(ctx)
	return func() {
		cancelBrowser()
		cancel()
	}
}

// world is a running playground.
type world struct {
	*playground.World
	t *testing.T
}

// open starts a world and waits until the bridge is connected.
func open(t *testing.T, change func(*playground.WorldOptions)) *world {
	t.Helper()
	dir := t.TempDir()
	logFile, err := os.Create(filepath.Join(dir, "bridge.log"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if t.Failed() {
			if data, err := os.ReadFile(logFile.Name()); err == nil {
				t.Logf("the end of the bridge's log:\n%s", data[max(0, len(data)-4000):])
			}
		}
		if err := logFile.Close(); err != nil {
			t.Error(err)
		}
	})
	opt := playground.WorldOptions{
		Dir: dir, Standins: standins.Options{ChunkInterval: 8 * time.Millisecond}, Log: slog.New(slog.NewTextHandler(logFile, nil)),
		Command: func(config string) *exec.Cmd {
			cmd := exec.Command(bridgeProgram, "run", "--config", config)
			cmd.Stderr = logFile
			return cmd
		},
	}
	if change != nil {
		change(&opt)
	}
	w, err := playground.Open(opt)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := w.Close(); err != nil {
			t.Error(err)
		}
	})
	if err := w.Bridge.Start(); err != nil {
		t.Fatal(err)
	}
	if err := w.WaitConnected(t.Context(), patience); err != nil {
		t.Fatal(err)
	}
	return &world{World: w, t: t}
}
