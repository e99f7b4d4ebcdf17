package store_test

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/clickai/bridge/core"
	"github.com/clickai/bridge/store"
)

// crashPath tells the test binary, run again by TestKill, to write to a store until it is killed.
const crashPath = "STORE_TEST_CRASH_PATH"

func TestMain(m *testing.M) {
	if path := os.Getenv(crashPath); path != "" {
		writeForEver(path)
	}
	os.Exit(m.Run())
}

// writeForEver accepts questions from several goroutines and prints the key of each that is on disk.
func writeForEver(path string) {
	s, err := store.Open(path, store.Options{})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	var mu sync.Mutex
	var wg sync.WaitGroup
	for w := range 8 {
		wg.Go(func() {
			for i := 0; ; i++ {
				key := fmt.Sprintf("%d-%d-%d", os.Getpid(), w, i)
				p := question(key, fmt.Sprint("c", w), key)
				q, _, err := s.Put(context.Background(), p)
				if err != nil {
					fmt.Fprintln(os.Stderr, err)
					os.Exit(1)
				}
				mu.Lock()
				fmt.Println(q.Event.Key)
				mu.Unlock()
			}
		})
	}
	wg.Wait()
}

func TestKill(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "bridge.db")
	acked := map[string]bool{}
	for round := range 5 {
		cmd := exec.Command(os.Args[0])
		cmd.Env = append(os.Environ(), crashPath+"="+path)
		var stderr strings.Builder
		cmd.Stderr = &stderr
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		lines := bufio.NewScanner(out)
		for n := 0; lines.Scan(); n++ {
			acked[lines.Text()] = true
			if n == 20+round*7 {
				if err := cmd.Process.Kill(); err != nil {
					t.Fatal(err)
				}
			}
		}
		if err := cmd.Wait(); err == nil || stderr.Len() > 0 {
			t.Fatalf("the writer ended by itself: %v %s", err, stderr.String())
		}
	}

	s, err := store.Open(path, store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer closeStore(t, s)
	if err := s.Check(t.Context()); err != nil {
		t.Error(err)
	}
	stored := map[string]bool{}
	for w := range 8 {
		list, err := s.Waiting(t.Context(), core.ConvKey(fmt.Sprint("c", w)), 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, q := range list {
			stored[q.Event.Key] = true
		}
	}
	for key := range acked {
		if !stored[key] {
			t.Errorf("%s was said to be on disk and is not", key)
		}
	}
	// What was committed and not yet told is there too: at most one for each goroutine and round.
	if len(acked) < 100 || len(stored) > len(acked)+5*8 {
		t.Errorf("%d told, %d stored", len(acked), len(stored))
	}
}
