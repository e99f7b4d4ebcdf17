package markup

import (
	"net/url"
	"strconv"
	"strings"
)

// CheckLink says whether Telegram makes a link of an address, and how it writes it: scheme and host in lower case, a
// path of at least "/", http:// put before a bare host. Hosts need a dot, so http://localhost is none.
func CheckLink(s string) (string, bool) {
	s = strings.TrimSpace(s)
	if s == "" || strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r == 0x7f }) {
		return "", false
	}
	scheme, rest, found := strings.Cut(s, "://")
	if !found {
		if strings.HasPrefix(strings.ToLower(s), "tg:") {
			return s, true
		}
		scheme, rest = "http", s
	}
	scheme = strings.ToLower(scheme)
	switch scheme {
	case "tg", "ton", "tonsite":
		return scheme + "://" + rest, rest != ""
	case "http", "https":
	default:
		return "", false
	}
	cut := strings.IndexAny(rest, "/?#")
	host, tail := rest, ""
	if cut >= 0 {
		host, tail = rest[:cut], rest[cut:]
	}
	host = strings.ToLower(host)
	u, err := url.Parse(scheme + "://" + host)
	if err != nil || u.Hostname() == "" || !strings.ContainsAny(u.Hostname(), ".:") {
		return "", false
	}
	if p := u.Port(); p != "" {
		if n, err := strconv.Atoi(p); err != nil || n < 1 || n > 65535 {
			return "", false
		}
	}
	if !strings.HasPrefix(tail, "/") {
		tail = "/" + tail
	}
	return scheme + "://" + host + tail, true
}

// userLink reads tg://user?id=<number>.
func userLink(s string) (int64, bool) {
	u, err := url.Parse(strings.TrimSpace(s))
	if err != nil || !strings.EqualFold(u.Scheme, "tg") {
		return 0, false
	}
	if !strings.EqualFold(u.Host, "user") && !strings.EqualFold(u.Opaque, "user") {
		return 0, false
	}
	id, err := strconv.ParseInt(u.Query().Get("id"), 10, 64)
	return id, err == nil && id > 0
}

// emojiLink reads tg://emoji?id=<number>.
func emojiLink(s string) (string, bool) {
	u, err := url.Parse(strings.TrimSpace(s))
	if err != nil || !strings.EqualFold(u.Scheme, "tg") || !strings.EqualFold(u.Host, "emoji") {
		return "", false
	}
	id := u.Query().Get("id")
	n, err := strconv.ParseInt(id, 10, 64)
	return id, err == nil && n != 0
}

// timeLink reads tg://time?unix=<seconds>&format=<format>.
func timeLink(s string) (Entity, bool) {
	u, err := url.Parse(strings.TrimSpace(s))
	if err != nil || !strings.EqualFold(u.Scheme, "tg") || !strings.EqualFold(u.Host, "time") {
		return Entity{}, false
	}
	n, err := strconv.ParseInt(u.Query().Get("unix"), 10, 64)
	return Entity{Type: DateTime, UnixTime: n, DateTimeFormat: u.Query().Get("format")}, err == nil && n > 0
}
