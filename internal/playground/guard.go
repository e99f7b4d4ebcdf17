package playground

import (
	"crypto/subtle"
	"net"
	"net/http"
	"net/netip"
	"net/url"
)

// tokenHeader carries the page's token. A form of another site cannot set a header, and a script there is not allowed to.
const tokenHeader = "X-Playground-Token"

// policy lets the page load what it is made of and nothing else: https://www.w3.org/TR/CSP3/
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; media-src 'self'; connect-src 'self'; " +
	"base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'"

// guard lets in only what this page asks for, and sets the headers that every answer has.
func (s *Server) guard(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", policy)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("Cache-Control", "no-store")
		switch {
		case !s.knownHost(r.Host):
			http.Error(w, "this page is not served under that name", http.StatusMisdirectedRequest)
		case !sameOrigin(r):
			http.Error(w, "this request comes from another site", http.StatusForbidden)
		case r.Method != http.MethodGet && r.Method != http.MethodHead && !s.hasToken(r):
			http.Error(w, "this request does not come from the page; load the page again", http.StatusForbidden)
		default:
			next.ServeHTTP(w, r)
		}
	})
}

// knownHost refuses names that are not this machine's, which is how DNS rebinding shows. Where the page was told to listen on
// other addresses than loopback, any address will do, for it is no name.
func (s *Server) knownHost(host string) bool {
	name, port, err := net.SplitHostPort(host)
	if err != nil || port != s.port {
		return false
	}
	if name == "localhost" {
		return true
	}
	a, err := netip.ParseAddr(name)
	return err == nil && (a.IsLoopback() || !s.loopback)
}

// sameOrigin reads what browsers say about where a request comes from: https://www.w3.org/TR/fetch-metadata/
func sameOrigin(r *http.Request) bool {
	switch r.Header.Get("Sec-Fetch-Site") {
	case "", "same-origin", "none":
	default:
		// A link to the page itself may stand anywhere; what it opens is a document of its own.
		return r.Method == http.MethodGet && r.URL.Path == "/" && r.Header.Get("Sec-Fetch-Mode") == "navigate"
	}
	origin := r.Header.Get("Origin")
	if origin == "" {
		return true
	}
	u, err := url.Parse(origin)
	return err == nil && u.Host == r.Host
}

func (s *Server) hasToken(r *http.Request) bool {
	return subtle.ConstantTimeCompare([]byte(r.Header.Get(tokenHeader)), []byte(s.token)) == 1
}
