// Command bridge puts ClickAI apps where teams already talk: Slack, Discord and Telegram.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/spf13/cobra"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	p := program{in: os.Stdin, out: os.Stdout, err: os.Stderr, env: os.LookupEnv, stopSignal: stop}
	code := p.execute(ctx, os.Args[1:])
	stop()
	os.Exit(code)
}

// program is the command line with all that it touches of the outside, so that tests run it whole.
type program struct {
	in       io.Reader
	out, err io.Writer
	env      func(string) (string, bool)
	// stopSignal gives signals back their usual effect, so that a second one ends the program at once.
	stopSignal func()
	// reloads, if set, lets run take another configuration while it runs.
	reloads *reloads
	// pprof is the address at which run serves profiles; "": nowhere.
	pprof string
	// ready, if set, is told the address of the HTTP server once everything runs.
	ready func(addr string)
	// tamper, if set, changes what the load of bench sends to the bridge: see bench.Config.Tamper.
	tamper func(seq int, piece string) string
	// childEnv is what a bridge gets into its environment that bench starts in a process of its own.
	childEnv []string
}

// errSilent is a failure that has been told already.
var errSilent = errors.New("")

// usageError is wrong use of a command.
type usageError struct{ error }

// execute runs the command line and returns the exit code: 0, 1 for a failure, 2 for wrong use.
func (p *program) execute(ctx context.Context, args []string) int {
	root := p.root()
	root.SetArgs(args)
	cmd, err := root.ExecuteContextC(ctx)
	if err == nil {
		return 0
	}
	if !errors.Is(err, errSilent) {
		fmt.Fprintln(p.err, "bridge:", err)
	}
	if _, ok := errors.AsType[usageError](err); ok {
		fmt.Fprintf(p.err, "See %q.\n", cmd.CommandPath()+" --help")
		return 2
	}
	return 1
}

func (p *program) root() *cobra.Command {
	root := &cobra.Command{
		Use:           "bridge",
		Short:         "ClickAI in Slack, Discord and Telegram",
		Long:          "bridge answers messages in Slack threads, Discord channels and Telegram chats with ClickAI apps.\nTry it without any account: bridge demo --tour",
		SilenceErrors: true,
		SilenceUsage:  true,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return nil
			}
			err := fmt.Errorf("there is no command %q", args[0])
			if near := cmd.SuggestionsFor(args[0]); len(near) > 0 {
				err = fmt.Errorf("%w; did you mean %s?", err, strings.Join(near, " or "))
			}
			return usageError{err}
		},
		SuggestionsMinimumDistance: 2,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := cmd.Help(); err != nil {
				return err
			}
			return errSilentUsage
		},
	}
	root.SetIn(p.in)
	root.SetOut(p.out) // before the completion command is made: it keeps what it finds
	root.SetErr(p.err)
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return usageError{err} })
	root.AddCommand(p.runCommand(), p.checkCommand(), p.demoCommand(), p.benchCommand(), p.assistantsCommand(), p.configCommand(), p.versionCommand(), p.explainCommand(), p.initCommand(),
		p.conversationsCommand(), p.feedbackCommand(), p.backupCommand(), p.restoreCommand())
	root.InitDefaultCompletionCmd()
	return root
}

// errSilentUsage is wrong use for which the help has been shown.
var errSilentUsage = usageError{errSilent}

func (e usageError) Unwrap() error { return e.error }

// exactly is cobra.ExactArgs with an error that counts as wrong use.
func exactly(n int) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) > n {
			return usageError{fmt.Errorf("%s does not take %q", cmd.CommandPath(), args[n])}
		}
		if err := cobra.ExactArgs(n)(cmd, args); err != nil {
			return usageError{err}
		}
		return nil
	}
}
