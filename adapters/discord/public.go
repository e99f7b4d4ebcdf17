package discord

import (
	"context"
	"errors"
	"net/netip"
	"syscall"
)

var errPrivate = errors.New("address is not a public one")

// publicOnly refuses connections to addresses that only this machine or its network can reach. It sees the address after
// the name was resolved, also behind a redirect.
func publicOnly(_ context.Context, _, address string, _ syscall.RawConn) error {
	ap, err := netip.ParseAddrPort(address)
	if err != nil {
		return errPrivate
	}
	a := ap.Addr().Unmap()
	if !a.IsGlobalUnicast() || a.IsPrivate() || sharedSpace.Contains(a) {
		return errPrivate
	}
	return nil
}

// sharedSpace is the address space of carriers, RFC 6598; cloud providers keep services in it.
var sharedSpace = netip.PrefixFrom(netip.AddrFrom4([4]byte{100, 64, 0, 0}), 10)
