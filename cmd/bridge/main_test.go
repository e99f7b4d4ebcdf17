package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/clickai/bridge/internal/sim"
	"github.com/clickai/bridge/internal/sim/clickai"
	"github.com/clickai/bridge/internal/standins"
)

// runMain in the environment makes the test binary behave as the bridge itself, so that tests have it in a process of its
// own without building it again.
const runMain = "BRIDGE_TEST_RUN_MAIN"

func TestMain(m *testing.M) {
	if os.Getenv(runMain) != "" {
		main()
		return
	}
	os.Exit(m.Run())
}

// patience is how long a test waits for what must happen: a machine that runs other things at the same time is slow.
const patience = 2 * time.Minute

// noEnv is an environment without variables.
func noEnv(string) (string, bool) { return "", false }

// command runs a command line in this process.
func command(t *testing.T, env map[string]string, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, errs bytes.Buffer
	p := program{in: strings.NewReader(""), out: &out, err: &errs, env: func(k string) (string, bool) { v, ok := env[k]; return v, ok }}
	code = p.execute(t.Context(), args)
	return code, out.String(), errs.String()
}

// process is a bridge in a process of its own.
type process struct {
	t    *testing.T
	cmd  *exec.Cmd
	addr string // of its HTTP server

	mu     sync.Mutex
	log    bytes.Buffer
	logged chan struct{} // closed with the next line
	eof    chan struct{}
}

// runBridge starts `bridge run` and waits until it says where its HTTP server is.
func runBridge(t *testing.T, config string) *process {
	t.Helper()
	return startProcess(t, os.Args[0], config)
}

func startProcess(t *testing.T, binary, config string, more ...string) *process {
	t.Helper()
	p := &process{t: t, cmd: exec.Command(binary, append([]string{"run", "--config", config}, more...)...), logged: make(chan struct{}), eof: make(chan struct{})}
	p.cmd.Env = append(os.Environ(), runMain+"=1")
	stderr, err := p.cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	started := make(chan string, 1)
	go func() {
		defer close(p.eof)
		in := bufio.NewScanner(stderr)
		in.Buffer(nil, 1<<20)
		for in.Scan() {
			p.mu.Lock()
			p.log.Write(append(in.Bytes(), '\n'))
			close(p.logged)
			p.logged = make(chan struct{})
			p.mu.Unlock()
			var line struct{ Msg, HTTP string }
			if json.Unmarshal(in.Bytes(), &line) == nil && line.Msg == "started" {
				started <- line.HTTP
			}
		}
	}()
	t.Cleanup(func() {
		_ = p.cmd.Process.Kill()
		<-p.eof
		_ = p.cmd.Wait()
		if t.Failed() {
			t.Logf("log of the bridge:\n%s", p.text())
		}
	})
	select {
	case p.addr = <-started:
	case <-p.eof:
		t.Fatalf("the bridge ended at once:\n%s", p.text())
	case <-time.After(patience):
		t.Fatalf("the bridge did not start:\n%s", p.text())
	}
	return p
}

func (p *process) pid() string { return strconv.Itoa(p.cmd.Process.Pid) }

func (p *process) text() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.log.String()
}

// changed is closed when the log has another line.
func (p *process) changed() <-chan struct{} {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.logged
}

// kill ends the process as kill -9 does.
func (p *process) kill() {
	p.t.Helper()
	if err := p.cmd.Process.Signal(syscall.SIGKILL); err != nil {
		p.t.Fatal(err)
	}
	<-p.eof
	_ = p.cmd.Wait()
}

// stop ends the process by SIGTERM and wants exit code 0.
func (p *process) stop() {
	p.t.Helper()
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		p.t.Fatal(err)
	}
	<-p.eof
	if err := p.cmd.Wait(); err != nil {
		p.t.Errorf("after SIGTERM: %v", err)
	}
}

// get reads a path of the bridge's HTTP server.
func (p *process) get(path string) (int, string) {
	p.t.Helper()
	res, err := http.Get("http://" + p.addr + path)
	if err != nil {
		p.t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		p.t.Fatal(err)
	}
	return res.StatusCode, string(body)
}

// startSet starts the stand-ins.
func startSet(t *testing.T, opt standins.Options) *standins.Set {
	t.Helper()
	s, err := standins.Start(opt)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func writeConfig(t *testing.T, s *standins.Set, mode clickai.Mode, extra string) string {
	t.Helper()
	path, err := s.WriteConfig(t.TempDir(), s.Agent(mode), extra)
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// until waits for a condition that changes when one of the channels is closed.
func until(t *testing.T, what string, cond func() bool, changed ...func() <-chan struct{}) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	for {
		woken := make(chan struct{}, len(changed))
		var wg sync.WaitGroup
		round, stop := context.WithCancel(ctx)
		for _, c := range changed {
			ch := c()
			wg.Go(func() {
				select {
				case <-ch:
					woken <- struct{}{}
				case <-round.Done():
				}
			})
		}
		ok := cond()
		if !ok {
			select {
			case <-woken:
			case <-ctx.Done():
			}
		}
		stop()
		wg.Wait()
		if ok {
			return
		}
		if ctx.Err() != nil {
			t.Fatalf("not seen: %s", what)
		}
	}
}

func connected(t *testing.T, s *standins.Set) {
	t.Helper()
	for _, p := range s.Platforms() {
		until(t, "the bot on "+p.Name()+" connects", p.Connected, p.Changed)
	}
}

// ask writes a question as the stage's person and returns its answer once ClickAI has finished it and the platform shows
// its end.
func ask(t *testing.T, s *standins.Set, st standins.Stage, text string) exchange {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	pl := play{Stage: st, set: s}
	var ex exchange
	if err := pl.ask(ctx, &ex, sim.Say{Room: st.Room.Room, Thread: st.Room.Thread, Mention: st.Mention, Text: text}); err != nil {
		t.Fatalf("%s: %v", st.Title, err)
	}
	return ex
}
