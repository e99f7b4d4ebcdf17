package playground

import (
	"slices"
	"time"
)

// Fault is a way in which ClickAI, or the network before it, misbehaves.
type Fault string

// The faults.
const (
	FaultBusy  Fault = "busy"  // the next question is refused with 429 and Retry-After
	FaultCut   Fault = "cut"   // the connection ends in the middle of an answer
	FaultSlow  Fault = "slow"  // nothing comes for a while
	FaultError Fault = "error" // an error event ends an answer
)

const (
	busySeconds = 5
	slowFor     = 8 * time.Second
	// faultAfter is how many events of an answer come before it is cut or ends in an error: there is something to lose then.
	faultAfter = 12
)

// faultList holds the faults that wait for an answer.
type faultList []Fault

// Break arms a fault: for an answer that runs, else for the next one.
func (r *Relay) Break(f Fault) {
	r.mu.Lock()
	const most = 10
	if len(r.faults) < most {
		r.faults = append(r.faults, f)
	}
	r.mu.Unlock()
	r.notifier.Notify()
}

// takeFault takes a fault if it is there and the turn has come so far.
func (r *Relay) takeFault(t *turn, f Fault) bool {
	r.mu.Lock()
	i := slices.Index(r.faults, f)
	if i < 0 || f != FaultBusy && t.EventCount < faultAfter || t.Status != "running" {
		r.mu.Unlock()
		return false
	}
	r.faults = slices.Delete(r.faults, i, i+1)
	t.Faults = append(t.Faults, string(f))
	r.mu.Unlock()
	r.notifier.Notify()
	return true
}
