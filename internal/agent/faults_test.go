package agent_test

import "github.com/clickai/bridge/internal/sim"

// faultOnce answers the next matching request with a status.
func faultOnce(match string, status int) sim.Fault {
	return sim.Fault{Match: match, Times: 1, Status: status}
}
