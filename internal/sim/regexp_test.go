package sim_test

import (
	"regexp"
	"sync"
	"testing"

	"github.com/clickai/bridge/internal/sim"
)

func TestRegexpIsCompiledOnce(t *testing.T) {
	word := sim.Regexp(`^[a-z]+$`)
	all := make([]*regexp.Regexp, 8)
	var wg sync.WaitGroup
	for i := range all {
		wg.Go(func() { all[i] = word() })
	}
	wg.Wait()
	for i, re := range all {
		if re != all[0] {
			t.Errorf("call %d compiled the expression anew", i)
		}
	}
	if !all[0].MatchString("abc") || all[0].MatchString("ab1") {
		t.Errorf("%s does not read what it was made of", all[0])
	}
}

// A wrong expression must be seen by whoever uses it first, and by nobody who does not.
func TestWrongRegexpPanicsAtUse(t *testing.T) {
	wrong := sim.Regexp(`(`)
	for range 2 {
		func() {
			defer func() {
				if recover() == nil {
					t.Error("a wrong expression was taken")
				}
			}()
			wrong()
		}()
	}
}
