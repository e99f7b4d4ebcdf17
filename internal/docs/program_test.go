package docs_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

var buildFlags = []string{"-buildvcs=false"}

// binary is the program, built once for all tests.
var binary = sync.OnceValues(func() (string, error) {
	// What the test reads is what its result is kept by: a changed command has to be seen.
	if _, err := os.ReadDir(filepath.Join(root, "cmd", "bridge")); err != nil {
		return "", fmt.Errorf("look at the commands: %w", err)
	}
	path := filepath.Join(workDir, "bridge")
	cmd := exec.Command("go", slices.Concat([]string{"build"}, buildFlags, []string{"-o", path, "./cmd/bridge"})...)
	cmd.Dir = root
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build the program: %w\n%s", err, out)
	}
	return path, nil
})

var workDir string

func TestMain(m *testing.M) {
	var err error
	if workDir, err = os.MkdirTemp("", "bridge-docs-"); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	code := m.Run()
	if err := os.RemoveAll(workDir); err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

// runTime bounds one run of the program; the longest is the demo's tour.
const runTime = 3 * time.Minute

// result is what a run of the program gave.
type result struct {
	code     int
	out, err string
}

// run runs the program in a folder with an environment of its own.
func run(t *testing.T, dir string, env []string, args ...string) result {
	t.Helper()
	path, err := binary()
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), runTime)
	defer cancel()
	var out, errs bytes.Buffer
	cmd := exec.CommandContext(ctx, path, args...)
	cmd.Dir, cmd.Stdout, cmd.Stderr = dir, &out, &errs
	// A program with the race detector waits a second before it exits, unless it is told not to.
	cmd.Env = append([]string{"PATH=" + os.Getenv("PATH"), "HOME=" + dir, "TMPDIR=" + dir, "GORACE=atexit_sleep_ms=0"}, env...)
	err = cmd.Run()
	r := result{out: out.String(), err: errs.String()}
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		r.code = exit.ExitCode()
	} else if err != nil {
		t.Fatalf("bridge %s: %v", strings.Join(args, " "), err)
	}
	return r
}

// helps is what --help says, by command; each is asked for once.
var helps sync.Map

// help is the help of a command, given by its words; "" if there is no such command.
func help(t *testing.T, words ...string) string {
	t.Helper()
	name := strings.Join(append([]string{"bridge"}, words...), " ")
	if _, err := binary(); err != nil {
		t.Fatal(err)
	}
	ask, _ := helps.LoadOrStore(name, sync.OnceValue(func() string {
		// Of an unknown command below a known one, that one's help is shown.
		r := run(t, workDir, nil, append(slices.Clone(words), "--help")...)
		usage := regexp.MustCompile(`(?m)^Usage:\n(?:  .*\n)*?  ` + regexp.QuoteMeta(name) + `( |$)`)
		if r.code != 0 || !usage.MatchString(r.out) {
			return ""
		}
		return r.out
	}))
	return ask.(func() string)()
}

var (
	commandWord = regexp.MustCompile(`^[a-z][a-z-]*$`)
	flagWord    = regexp.MustCompile(`^(--[a-z][a-z0-9-]*|-[a-z])(=.*)?$`)
)

// wrongUse says what of a command line the program does not have; "" if it has all.
func wrongUse(t *testing.T, args []string) string {
	t.Helper()
	var words []string
	text := help(t)
	for _, arg := range args {
		if !commandWord.MatchString(arg) || !strings.Contains(text, "Available Commands:") {
			break
		}
		words = append(words, arg)
		if text = help(t, words...); text == "" {
			return fmt.Sprintf("there is no command %q", strings.Join(words, " "))
		}
	}
	for _, arg := range args[len(words):] {
		m := flagWord.FindStringSubmatch(arg)
		if m == nil {
			continue
		}
		if !regexp.MustCompile(`(?m)^ .*(^|[\s,])` + regexp.QuoteMeta(m[1]) + `([\s,]|$)`).MatchString(text) {
			return fmt.Sprintf("%q has no flag %s", strings.Join(append([]string{"bridge"}, words...), " "), m[1])
		}
	}
	return ""
}

// TestWrongUse tests the test.
func TestWrongUse(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		line string
		ok   bool
	}{
		{"run --config x.yaml", true},
		{"run -c x.yaml", true},
		{"run --config=x.yaml", true},
		{"config schema", true},
		{"completion bash", true},
		{"demo --tour", true},
		{"rum", false},
		{"config scheme", false},
		{"run --tour", false},
		{"run -x", false},
		{"demo --tou", false},
	} {
		if why := wrongUse(t, strings.Fields(tt.line)); (why == "") != tt.ok {
			t.Errorf("bridge %s: %q, want fine: %t", tt.line, why, tt.ok)
		}
	}
}
