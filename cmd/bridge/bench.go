package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/clickai/bridge/internal/bench"
)

// benchStop is how long a bridge of the load may take to stop.
const benchStop = 45 * time.Second

const benchHelp = `Put a load on the bridge and measure it: many conversations at once on local stand-ins of Slack, Discord and Telegram,
answered by a stand-in of ClickAI at a set speed. No account and no network is needed.

The bridge is this program, started once more as "bridge run" in a process of its own, so that its processor time and
memory are its own (on Linux). With --in-process it runs in this one. With --attach it is a bridge that you start with the
configuration which is written to --config-out:

  sh -c 'until [ -f load.yaml ]; do sleep 0.1; done; exec bridge run --config load.yaml' &
  bridge bench --attach $! --config-out load.yaml

Rooms: on Slack and Discord questions are asked in up to 20 channels, each in a thread of its own (Discord lets 50 threads
begin in a channel in five minutes and 1,000 be active in a server: what is more is asked in direct chats); on Telegram one
half in groups of their own, the other in private chats. With --rooms there are so many channels or groups, on Telegram
groups alone.

The platforms' rate limits are the documented ones and enforced. They decide how fresh a text can be: "calls of what the
limit allows" tells how much the bridge made of them. An answer is kept under 1 MB, where the bridge cuts.

The exit code is 1 when text was lost, doubled or out of order, an answer did not end, or a limit was not kept.`

type benchFlags struct {
	cfg                  bench.Config
	inProcess            bool
	attach               int
	configOut, log, json string
}

func (p *program) benchCommand() *cobra.Command {
	var f benchFlags
	cmd := &cobra.Command{
		Use:   "bench",
		Short: "Measure how far this machine goes, with a load on stand-ins",
		Long:  benchHelp,
		Args:  noArgs,
		Example: "  bridge bench\n  bridge bench --conversations 1000 --chunks-per-second 20 --duration 1m --json result.json\n" +
			"  bridge bench --platforms telegram --rooms 1 --conversations 200 --duration 2m",
	}
	flags := cmd.Flags()
	c := &f.cfg
	flags.IntVar(&c.Conversations, "conversations", 200, "answers at once, shared evenly by the platforms")
	flags.IntVar(&c.Rooms, "rooms", 0, "rooms on each platform; 0: as fits")
	flags.StringSliceVar(&c.Platforms, "platforms", bench.Platforms(), "platforms to load: `names` with commas between")
	flags.Float64Var(&c.ChunksPerSecond, "chunks-per-second", 20, "speed of each answer")
	flags.IntVar(&c.ChunkBytes, "chunk-bytes", 20, "size of a chunk, about")
	flags.DurationVar(&c.Duration, "duration", 30*time.Second, "how long answers run")
	flags.DurationVar(&c.Answer, "answer", 0, "how long one answer lasts; the next question follows. 0: as long as the load")
	flags.DurationVar(&c.Ramp, "ramp", 0, "time over which the first questions are spread. 0: 10 ms for each, at most a quarter of the load")
	flags.DurationVar(&c.Wait, "wait", 0, "how long the last texts are waited for. 0: as long as the platforms' limits make necessary")
	flags.StringVar(&c.Mode, "mode", "edit", "stream.mode of the bots: edit, native or final")
	flags.BoolVar(&c.WarmUp, "warm-up", true, "ask once in each room before, so that names are known; not counted")
	flags.Uint64Var(&c.Seed, "seed", 1, "of the texts; the same seed gives the same ones")
	flags.BoolVar(&f.inProcess, "in-process", false, "run the bridge in this process")
	flags.IntVar(&f.attach, "attach", -1, "load the bridge whose process has this `pid`, which you start yourself; 0: not known, and not measured")
	flags.StringVar(&f.configOut, "config-out", "", "with --attach: write the configuration for that bridge to a new `file`")
	flags.StringVar(&f.log, "bridge-log", "", "keep the bridge's log in this `file`, which is added to")
	flags.StringVar(&f.json, "json", "", "write the result as JSON to a `file` too; \"-\": to standard output in place of the tables")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if err := f.check(); err != nil {
			return usageError{err}
		}
		return p.bench(cmd.Context(), &f)
	}
	return cmd
}

func (f *benchFlags) check() error {
	switch {
	case f.attach >= 0 && f.inProcess:
		return errors.New("--attach and --in-process exclude each other")
	case f.attach >= 0 && f.configOut == "":
		return errors.New("--attach needs --config-out: the file that the bridge is started with")
	case f.attach < -1:
		return fmt.Errorf("--attach %d: a process id is not negative", f.attach)
	case f.attach < 0 && f.configOut != "":
		return errors.New("--config-out is for --attach")
	case f.attach >= 0 && f.log != "":
		return errors.New("--bridge-log is for a bridge that bench starts")
	}
	return f.cfg.Check()
}

// bench plays the load and tells what came of it.
func (p *program) bench(ctx context.Context, f *benchFlags) (err error) {
	dir, err := os.MkdirTemp("", "bridge-bench-")
	if err != nil {
		return fmt.Errorf("make a folder for the load: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	cfg := f.cfg
	cfg.Progress = func(line string) { fmt.Fprintln(p.err, line) }
	cfg.Tamper = p.tamper
	cfg.ConfigFile, cfg.Store = filepath.Join(dir, "config.yaml"), filepath.Join(dir, "bridge.db")
	log := cmp.Or(f.log, filepath.Join(dir, "bridge.log"))
	switch {
	case f.attach >= 0:
		// The store stands beside the configuration, since that bridge outlives the load.
		if cfg.ConfigFile, err = filepath.Abs(f.configOut); err != nil {
			return fmt.Errorf("--config-out: %w", err)
		}
		cfg.Store = strings.TrimSuffix(cfg.ConfigFile, filepath.Ext(cfg.ConfigFile)) + ".db"
		cfg.Start = func(_ context.Context, config string) (*bench.Bridge, error) {
			fmt.Fprintf(p.err, "waiting for a bridge: bridge run --config %s\n", config)
			return &bench.Bridge{PID: f.attach, Stop: func() error { return nil }}, nil
		}
	case f.inProcess:
		cfg.Shared = true
		cfg.Start = func(ctx context.Context, config string) (*bench.Bridge, error) {
			return p.benchInside(ctx, config, log)
		}
	default:
		cfg.Start = func(_ context.Context, config string) (*bench.Bridge, error) { return p.benchApart(config, log) }
	}
	r, err := bench.Run(ctx, cfg)
	if err != nil {
		tail(p.err, log)
		return err
	}
	if err := p.benchResult(r, f.json); err != nil {
		return err
	}
	if !r.OK() {
		return fmt.Errorf("the load was not carried: %s", strings.Join(r.Problems, "; "))
	}
	return nil
}

// benchResult writes the result to where it is wanted.
func (p *program) benchResult(r *bench.Result, path string) error {
	if path != "-" {
		if err := r.Print(p.out); err != nil {
			return err
		}
	}
	if path == "" {
		return nil
	}
	data, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return fmt.Errorf("encode the result: %w", err)
	}
	data = append(data, '\n')
	if path == "-" {
		_, err = p.out.Write(data)
	} else {
		err = os.WriteFile(path, data, 0o644)
	}
	if err != nil {
		return fmt.Errorf("write the result: %w", err)
	}
	return nil
}

// benchInside runs the bridge in this process.
func (p *program) benchInside(ctx context.Context, config, log string) (*bench.Bridge, error) {
	c, err := p.load(config)
	if err != nil {
		return nil, fmt.Errorf("the load's own configuration: %w", err)
	}
	out, err := os.OpenFile(log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open the bridge's log: %w", err)
	}
	ctx, stop := context.WithCancel(ctx)
	ended := make(chan struct{})
	var runErr error
	inner := program{env: p.env}
	go func() {
		defer close(ended)
		runErr = inner.run(ctx, c, slog.New(slog.NewJSONHandler(out, nil)))
	}()
	return &bench.Bridge{PID: os.Getpid(), Ended: ended, Stop: func() error {
		stop()
		<-ended
		return errors.Join(runErr, out.Close())
	}}, nil
}

// benchApart runs the bridge in a process of its own.
func (p *program) benchApart(config, log string) (*bench.Bridge, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("find this program: %w", err)
	}
	out, err := os.OpenFile(log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open the bridge's log: %w", err)
	}
	// Not of the command's context: at a signal the bridge is stopped in order, by Stop.
	cmd := exec.Command(self, "run", "--config", config) //nolint:noctx // ended by Stop
	cmd.Env = append(os.Environ(), p.childEnv...)
	cmd.Stdout, cmd.Stderr = io.Discard, out
	if err := cmd.Start(); err != nil {
		return nil, errors.Join(fmt.Errorf("start %s: %w", self, err), out.Close())
	}
	ended := make(chan struct{})
	var waitErr error
	go func() {
		defer close(ended)
		waitErr = cmd.Wait()
	}()
	return &bench.Bridge{PID: cmd.Process.Pid, Ended: ended, Stop: func() error {
		stopProcess(cmd.Process, ended)
		if waitErr != nil {
			waitErr = fmt.Errorf("process %s: %w", strconv.Itoa(cmd.Process.Pid), waitErr)
		}
		return errors.Join(waitErr, out.Close())
	}}, nil
}

// stopProcess asks a process to end, and ends it when it takes too long or cannot be asked.
func stopProcess(proc *os.Process, ended <-chan struct{}) {
	if err := proc.Signal(syscall.SIGTERM); err == nil {
		t := time.NewTimer(benchStop)
		defer t.Stop()
		select {
		case <-ended:
			return
		case <-t.C:
		}
	}
	_ = proc.Kill() // fails only for one that has ended
	<-ended
}
