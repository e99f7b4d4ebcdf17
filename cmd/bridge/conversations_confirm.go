package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
)

// errNotConfirmed is a question that was answered with no.
var errNotConfirmed = errors.New("nothing was changed")

// confirm asks on the terminal whether to do what was asked for. Where there is no terminal it refuses.
func (p *program) confirm(ctx context.Context, what string) error {
	in, ok := p.in.(*os.File)
	if !ok || !isTerminal(in) {
		return fmt.Errorf("this would %s: give --yes to do so, as there is no terminal to ask on", what)
	}
	return askPerson(ctx, in, p.err, what)
}

// askPerson wants y or yes.
func askPerson(ctx context.Context, in io.Reader, out io.Writer, what string) error {
	fmt.Fprintf(out, "%s%s? [y/N] ", strings.ToUpper(what[:1]), what[1:])
	type reply struct {
		line string
		err  error
	}
	// A read from a terminal cannot be ended. When ctx ends first the program does too, and the read with it.
	replies := make(chan reply, 1)
	go func() {
		line, err := bufio.NewReader(io.LimitReader(in, 1024)).ReadString('\n')
		replies <- reply{line, err}
	}()
	select {
	case <-ctx.Done():
		fmt.Fprintln(out)
		return fmt.Errorf("%w: %w", errNotConfirmed, context.Cause(ctx))
	case r := <-replies:
		switch strings.ToLower(strings.TrimSpace(r.line)) {
		case "y", "yes":
			return nil
		}
		if r.err != nil {
			fmt.Fprintln(out)
			return fmt.Errorf("%w: no answer came (%w); --yes does without", errNotConfirmed, r.err)
		}
		return errNotConfirmed
	}
}
