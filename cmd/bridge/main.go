// Command bridge puts ClickAI apps where teams already talk: Slack, Discord and Telegram.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime"
	"slices"
	"strings"
	"syscall"

	"github.com/spf13/cobra"
)

func main() {
	if !slices.ContainsFunc(os.Args, func(arg string) bool { return strings.HasPrefix(arg, "--pprof") }) {
		runtime.MemProfileRate = 0 // nobody could read what is noted of allocations, some 2 MB; it must be said at the start
	}
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
	root.SetArgs(append([]string{}, args...)) // nil would stand for those of the process
	cmd, err := root.ExecuteContextC(ctx)
	if err == nil {
		return 0
	}
	told := errors.Is(err, errSilent)
	if !told {
		fmt.Fprintln(p.err, "bridge:", cleanText(err.Error())) // it may hold what a service has said
	}
	if _, ok := errors.AsType[usageError](err); ok {
		if !told {
			fmt.Fprintf(p.err, "See %q.\n", cmd.CommandPath()+" --help")
		}
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
		RunE:                       needsSubcommand,
	}
	root.SetIn(p.in)
	root.SetOut(p.out) // before the completion command is made: it keeps what it finds
	root.SetErr(p.err)
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return usageError{err} })
	root.AddCommand(p.runCommand(), p.checkCommand(), p.demoCommand(), p.benchCommand(), p.assistantsCommand(), p.configCommand(), p.versionCommand(), p.explainCommand(), p.initCommand(),
		p.conversationsCommand(), p.feedbackCommand(), p.backupCommand(), p.restoreCommand())
	root.InitDefaultCompletionCmd()
	root.InitDefaultHelpCmd()
	for _, cmd := range root.Commands() {
		switch cmd.Name() {
		case "completion":
			cmd.Args, cmd.RunE = noArgs, needsSubcommand
		case "help":
			cmd.Args = knownCommand
		}
	}
	return root
}

// needsSubcommand is a command that does nothing by itself.
func needsSubcommand(cmd *cobra.Command, _ []string) error {
	if err := cmd.Help(); err != nil {
		return err
	}
	return usageError{errSilent}
}

func (e usageError) Unwrap() error { return e.error }

// noArgs is cobra.NoArgs with an error that counts as wrong use.
func noArgs(cmd *cobra.Command, args []string) error {
	if len(args) > 0 {
		return usageError{fmt.Errorf("%s does not take %q", cmd.CommandPath(), args[0])}
	}
	return nil
}

// knownCommand wants the words of a command after "help".
func knownCommand(cmd *cobra.Command, args []string) error {
	if found, rest, err := cmd.Root().Find(args); err != nil || len(rest) > 0 || found == nil {
		return usageError{fmt.Errorf("there is no command %q", strings.Join(args, " "))}
	}
	return nil
}
