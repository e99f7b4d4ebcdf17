package discord

import (
	"context"
	"syscall"

	"github.com/clickai/bridge/internal/netguard"
)

var errPrivate = netguard.ErrPrivate

// publicOnly refuses connections to addresses that only this machine or its network can reach. It sees the address after
// the name was resolved, also behind a redirect.
func publicOnly(_ context.Context, network, address string, conn syscall.RawConn) error {
	return netguard.Control(network, address, conn)
}
