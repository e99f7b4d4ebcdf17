package setup

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"golang.org/x/term"
)

// maxAnswer is the most bytes of one answer.
const maxAnswer = 64 << 10

// ErrNoAnswer is returned when the input ends before a question has its answer.
var ErrNoAnswer = errors.New("the input ended before all questions were answered")

// Asker asks one question after the other. It is for one goroutine.
type Asker struct {
	lines *bufio.Scanner
	out   io.Writer
	fd    int // of the terminal; -1 if the input is none
}

// NewAsker reads answers from in, one a line, and writes questions to out.
func NewAsker(in io.Reader, out io.Writer) *Asker {
	a := &Asker{lines: bufio.NewScanner(in), out: out, fd: -1}
	a.lines.Buffer(nil, maxAnswer)
	if f, ok := in.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		a.fd = int(f.Fd())
	}
	return a
}

// Say writes a line.
func (a *Asker) Say(format string, args ...any) { fmt.Fprintf(a.out, format+"\n", args...) }

// Ask returns the answer without blanks around it; def if it is empty. Errors: [ErrNoAnswer], and ctx's cause.
func (a *Asker) Ask(ctx context.Context, question, def string) (string, error) {
	if def != "" {
		question += " [" + def + "]"
	}
	answer, err := a.read(ctx, question, a.line)
	if err != nil {
		return "", err
	}
	if a.fd < 0 {
		fmt.Fprintln(a.out) // what was typed would have ended the line
	}
	if answer == "" {
		return def, nil
	}
	return answer, nil
}

// Secret is Ask for what nobody should see.
func (a *Asker) Secret(ctx context.Context, question string) (string, error) {
	if a.fd < 0 {
		return a.Ask(ctx, question, "")
	}
	before, err := term.GetState(a.fd)
	if err != nil {
		return "", fmt.Errorf("ask for %s: %w", question, err)
	}
	answer, err := a.read(ctx, question+" (it is not shown)", func() (string, error) {
		secret, err := term.ReadPassword(a.fd)
		return string(secret), err
	})
	if err != nil {
		// Where the read was left behind, the terminal would go on hiding what is typed.
		err = errors.Join(err, term.Restore(a.fd, before))
	}
	fmt.Fprintln(a.out)
	return answer, err
}

// Yes asks a question whose answer is yes or no; an empty one is no.
func (a *Asker) Yes(ctx context.Context, question string) (bool, error) {
	for {
		answer, err := a.Ask(ctx, question+" [y/N]", "")
		if err != nil {
			return false, err
		}
		switch strings.ToLower(answer) {
		case "y", "yes":
			return true, nil
		case "", "n", "no":
			return false, nil
		}
		a.Say("Answer y or n.")
	}
}

func (a *Asker) line() (string, error) {
	if a.lines.Scan() {
		return a.lines.Text(), nil
	}
	if err := a.lines.Err(); err != nil {
		return "", err
	}
	return "", ErrNoAnswer
}

// read asks and waits for the answer or the end of ctx. Reading cannot be interrupted: after that the reader is left behind,
// and the Asker is not used again.
func (a *Asker) read(ctx context.Context, question string, from func() (string, error)) (string, error) {
	type result struct {
		text string
		err  error
	}
	fmt.Fprint(a.out, question+": ")
	done := make(chan result, 1)
	go func() {
		text, err := from()
		done <- result{text, err}
	}()
	select {
	case r := <-done:
		if r.err != nil {
			return "", fmt.Errorf("%s: %w", question, r.err)
		}
		return strings.TrimSpace(r.text), nil
	case <-ctx.Done():
		fmt.Fprintln(a.out)
		return "", context.Cause(ctx)
	}
}
