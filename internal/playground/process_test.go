package playground_test

import (
	"errors"
	"os/exec"
	"testing"

	"github.com/clickai/bridge/internal/playground"
)

func TestProcess(t *testing.T) {
	t.Parallel()
	p := playground.NewProcess(func() *exec.Cmd { return exec.Command("sleep", "1000") })
	if err := p.Kill(t.Context()); err != nil {
		t.Errorf("killing what does not run: %v", err)
	}
	for range 2 {
		if err := p.Start(); err != nil {
			t.Fatal(err)
		}
		if err := p.Start(); !errors.Is(err, playground.ErrRunning) {
			t.Errorf("a second start: %v", err)
		}
		ended, why := p.Ended()
		if err := p.Kill(t.Context()); err != nil {
			t.Fatal(err)
		}
		<-ended
		if e, ok := errors.AsType[*exec.ExitError](why()); !ok || e.Success() {
			t.Errorf("it ended with %v", why())
		}
	}
	if err := p.Start(); err != nil {
		t.Fatal(err)
	}
	if err := p.Close(); err != nil {
		t.Error(err)
	}
	if err := p.Start(); err == nil {
		t.Error("it starts after its end")
	}
	none := playground.NewProcess(func() *exec.Cmd { return exec.Command("/nothing/here") })
	if err := none.Start(); err == nil {
		t.Error("what is not there starts")
	}
}
