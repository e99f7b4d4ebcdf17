package netguard_test

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"

	"github.com/clickai/bridge/internal/netguard"
)

func TestPublic(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, address string
		want          bool
	}{
		{"public", "1.1.1.1", true},
		{"public IPv6", "2606:4700:4700::1111", true},
		{"beside a block", "100.128.0.1", true},
		{"mapped public", "::ffff:1.1.1.1", true},
		{"loopback", "127.0.0.1", false},
		{"loopback elsewhere", "127.9.9.9", false},
		{"loopback IPv6", "::1", false},
		{"mapped loopback", "::ffff:127.0.0.1", false},
		{"unspecified", "0.0.0.0", false},
		{"this network", "0.1.2.3", false},
		{"unspecified IPv6", "::", false},
		{"private 10", "10.0.0.1", false},
		{"private 172", "172.31.255.255", false},
		{"private 192", "192.168.1.1", false},
		{"unique local", "fd00:ec2::254", false},
		{"metadata", "169.254.169.254", false},
		{"mapped metadata", "::ffff:169.254.169.254", false},
		{"metadata by NAT64", "64:ff9b::a9fe:a9fe", false},
		{"metadata by 6to4", "2002:a9fe:a9fe::1", false},
		{"loopback by Teredo", "2001:0:7f00:1::1", false},
		{"IPv4-compatible", "::169.254.169.254", false},
		{"IPv4-translated", "::ffff:0:169.254.169.254", false},
		{"metadata of Alibaba", "100.100.100.200", false},
		{"metadata of Oracle", "192.0.0.192", false},
		{"host of Azure", "168.63.129.16", false},
		{"link-local IPv6", "fe80::1%eth0", false},
		{"site-local", "fec0::1", false},
		{"multicast", "224.0.0.1", false},
		{"multicast IPv6", "ff02::1", false},
		{"broadcast", "255.255.255.255", false},
		{"documentation", "2001:db8::1", false},
		{"benchmark", "198.19.0.1", false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if got := netguard.Public(netip.MustParseAddr(tt.address)); got != tt.want {
				t.Errorf("Public(%s) = %v", tt.address, got)
			}
			err := netguard.Control("tcp", net.JoinHostPort(tt.address, "80"), nil)
			if (err == nil) != tt.want || err != nil && !errors.Is(err, netguard.ErrPrivate) {
				t.Errorf("Control(%s): %v", tt.address, err)
			}
		})
	}
	if netguard.Public(netip.Addr{}) || netguard.Control("unix", "/run/docker.sock", nil) == nil {
		t.Error("what is no address is taken for a public one")
	}
}

// TestDial: the address is judged after the name was resolved, so a name that leads inside does not help.
func TestDial(t *testing.T) {
	t.Parallel()
	reached := false
	s := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { reached = true }))
	defer s.Close()
	d := &net.Dialer{Control: netguard.Control}
	client := &http.Client{Transport: &http.Transport{DialContext: d.DialContext, DisableKeepAlives: true}}
	for _, host := range []string{"127.0.0.1", "localhost"} {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, strings.Replace(s.URL, "127.0.0.1", host, 1), nil)
		if err != nil {
			t.Fatal(err)
		}
		resp, err := client.Do(req)
		if err == nil {
			_ = resp.Body.Close()
		}
		if !errors.Is(err, netguard.ErrPrivate) {
			t.Errorf("%s: %v", host, err)
		}
	}
	if reached {
		t.Error("a private address was reached")
	}
}

func TestCheckRedirect(t *testing.T) {
	t.Parallel()
	var asked []string
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked = append(asked, r.Header.Get("Referer"))
		http.Redirect(w, r, "/next?signature=abc", http.StatusFound)
	}))
	defer s.Close()
	client := &http.Client{CheckRedirect: netguard.CheckRedirect, Transport: &http.Transport{DisableKeepAlives: true}}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.URL+"/first?signature=abc", nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := client.Do(req)
	if err == nil {
		_ = resp.Body.Close()
		t.Error("redirects without an end were followed")
	}
	if len(asked) != 1+netguard.MaxRedirects {
		t.Errorf("%d requests, want %d", len(asked), 1+netguard.MaxRedirects)
	}
	for _, referer := range asked {
		if referer != "" {
			t.Errorf("the next host is told %q", referer)
		}
	}
}

// FuzzControl looks for an address that embeds a private IPv4 address and is taken for a public one.
func FuzzControl(f *testing.F) {
	for _, s := range []string{"1.1.1.1:80", "[::1]:80", "[::ffff:10.0.0.1]:443", "[64:ff9b::7f00:1]:1", "localhost:80", "0177.0.0.1:80", "[fe80::1%25lo]:80", ""} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, address string) {
		if netguard.Control("tcp", address, nil) != nil {
			return
		}
		ap, err := netip.ParseAddrPort(address)
		if err != nil {
			t.Fatalf("%q is no address and passes", address)
		}
		a := ap.Addr()
		if ip := net.IP(a.AsSlice()); ip.IsLoopback() || ip.IsPrivate() || ip.IsLinkLocalUnicast() || ip.IsUnspecified() || ip.IsMulticast() {
			t.Errorf("%q passes", address)
		}
	})
}
