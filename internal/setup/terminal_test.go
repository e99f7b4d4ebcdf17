//go:build linux

package setup_test

import (
	"bufio"
	"context"
	"errors"
	"os"
	"runtime"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
	"golang.org/x/term"

	"github.com/clickai/bridge/internal/setup"
)

// terminal opens a pseudoterminal: what a person types and sees goes over person.
// Source: https://man7.org/linux/man-pages/man4/pts.4.html
func terminal(t *testing.T) (person, program *os.File) {
	t.Helper()
	person, err := os.OpenFile("/dev/ptmx", os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = person.Close() })
	if err := unix.IoctlSetPointerInt(int(person.Fd()), unix.TIOCSPTLCK, 0); err != nil {
		t.Fatal(err)
	}
	n, err := unix.IoctlGetInt(int(person.Fd()), unix.TIOCGPTN)
	if err != nil {
		t.Fatal(err)
	}
	program, err = os.OpenFile("/dev/pts/"+strconv.Itoa(n), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = program.Close() })
	return person, program
}

// screen reads what a person sees up to a text.
func screen(t *testing.T, r *bufio.Reader, until string) string {
	t.Helper()
	var seen strings.Builder
	for !strings.HasSuffix(seen.String(), until) {
		b, err := r.ReadByte()
		if err != nil {
			t.Fatalf("%v after %q", err, seen.String())
		}
		seen.WriteByte(b)
	}
	return seen.String()
}

// echoOff waits until the terminal does not show what is typed. Nothing wakes who waits for that.
func echoOff(t *testing.T, f *os.File) {
	t.Helper()
	for {
		state, err := unix.IoctlGetTermios(int(f.Fd()), unix.TCGETS)
		if err != nil {
			t.Fatal(err)
		}
		if state.Lflag&unix.ECHO == 0 {
			return
		}
		runtime.Gosched()
	}
}

func TestSecretIsNotShown(t *testing.T) {
	person, program := terminal(t)
	a, see := setup.NewAsker(program, program), bufio.NewReader(person)
	type answers struct {
		name, secret string
		err          error
	}
	done := make(chan answers, 1)
	go func() {
		var got answers
		var err1, err2 error
		got.name, err1 = a.Ask(t.Context(), "Name", "")
		got.secret, err2 = a.Secret(t.Context(), "Token")
		got.err = errors.Join(err1, err2)
		a.Say("done")
		done <- got
	}()
	shown := screen(t, see, "Name: ")
	if _, err := person.WriteString("acme\n"); err != nil {
		t.Fatal(err)
	}
	echoOff(t, program)
	if _, err := person.WriteString("s3cr3t\n"); err != nil {
		t.Fatal(err)
	}
	shown += screen(t, see, "done\r\n")
	got := <-done
	if got.err != nil || got.name != "acme" || got.secret != "s3cr3t" {
		t.Errorf("answers %+v", got)
	}
	if strings.Contains(shown, "s3cr3t") || !strings.Contains(shown, "acme") {
		t.Errorf("a person sees %q", shown)
	}
}

// TestInterruptedSecret wants a terminal that shows again what is typed.
func TestInterruptedSecret(t *testing.T) {
	person, program := terminal(t)
	before, err := term.GetState(int(program.Fd()))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	done := make(chan error, 1)
	go func() {
		_, err := setup.NewAsker(program, program).Secret(ctx, "Token")
		done <- err
	}()
	screen(t, bufio.NewReader(person), "(it is not shown): ")
	echoOff(t, program)
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
	after, err := term.GetState(int(program.Fd()))
	if err != nil || *after != *before {
		t.Errorf("the terminal's state is %v, was %v, %v", after, before, err)
	}
}
