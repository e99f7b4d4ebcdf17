package netguard

import (
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"syscall"
)

// ErrPrivate is why a connection is not made.
var ErrPrivate = errors.New("address is private, loopback or link-local, or reserved")

// MaxRedirects is how many redirects [CheckRedirect] follows.
const MaxRedirects = 3

// Public tells whether an address is one of the open internet's. An IPv4 address in IPv6's clothes counts as the IPv4 address.
// Source: the special-purpose blocks of https://www.rfc-editor.org/rfc/rfc6890 and the registries that it founded,
// https://www.iana.org/assignments/iana-ipv4-special-registry and https://www.iana.org/assignments/iana-ipv6-special-registry
func Public(a netip.Addr) bool {
	a = a.Unmap().WithZone("")
	if !a.IsGlobalUnicast() || a.IsPrivate() {
		return false
	}
	for _, block := range special {
		if block.Contains(a) {
			return false
		}
	}
	return true
}

var special = []netip.Prefix{
	netip.MustParsePrefix("0.0.0.0/8"),
	netip.MustParsePrefix("100.64.0.0/10"),    // shared address space, RFC 6598; clouds keep services in it
	netip.MustParsePrefix("168.63.129.16/32"), // Azure's host, reachable from its machines only
	netip.MustParsePrefix("192.0.0.0/24"),
	netip.MustParsePrefix("192.0.2.0/24"),
	netip.MustParsePrefix("192.88.99.0/24"), // 6to4 relays
	netip.MustParsePrefix("198.18.0.0/15"),
	netip.MustParsePrefix("198.51.100.0/24"),
	netip.MustParsePrefix("203.0.113.0/24"),
	netip.MustParsePrefix("240.0.0.0/4"),
	netip.MustParsePrefix("::/96"),           // IPv4-compatible, deprecated
	netip.MustParsePrefix("::ffff:0:0:0/96"), // IPv4-translated
	netip.MustParsePrefix("64:ff9b::/96"),    // NAT64 leads to IPv4 addresses that are not looked at here
	netip.MustParsePrefix("64:ff9b:1::/48"),
	netip.MustParsePrefix("100::/64"),
	netip.MustParsePrefix("2001::/23"), // Teredo and others; it leads to IPv4 addresses too
	netip.MustParsePrefix("2001:db8::/32"),
	netip.MustParsePrefix("2002::/16"), // 6to4, likewise
	netip.MustParsePrefix("3fff::/20"),
	netip.MustParsePrefix("5f00::/16"),
	netip.MustParsePrefix("fec0::/10"), // site-local, deprecated
}

// Control is for [net.Dialer.Control]: it refuses an address that is not [Public] with [ErrPrivate].
func Control(_, address string, _ syscall.RawConn) error {
	ap, err := netip.ParseAddrPort(address)
	if err != nil {
		return fmt.Errorf("%w: %s", ErrPrivate, address) // a socket of this machine, or nothing that is known here
	}
	if !Public(ap.Addr()) {
		return ErrPrivate
	}
	return nil
}

var errRedirects = errors.New("too many redirects")

// CheckRedirect is for [http.Client.CheckRedirect]. It follows [MaxRedirects], and takes out the Referer that net/http adds:
// the URL before may be signed, and whoever holds it holds the file.
func CheckRedirect(r *http.Request, via []*http.Request) error {
	r.Header.Del("Referer")
	if len(via) > MaxRedirects {
		return errRedirects
	}
	return nil
}
