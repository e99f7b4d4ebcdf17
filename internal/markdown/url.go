package markdown

import "strings"

// maxURL is the longest address that becomes a link, in bytes.
const maxURL = 1500

// SafeURL returns the address if a link may lead there, else "". Allowed are http, https, mailto, tel and, for messages to
// people of the same platform, nothing else: javascript, data, file and the platforms' own schemes (tg, slack, discord)
// could run, read or mention something. An address without a scheme leads nowhere outside its page; only "www." gets one.
func SafeURL(url string) string {
	url = strings.TrimSpace(url)
	if len(url) > maxURL {
		return ""
	}
	for i := range len(url) {
		if c := url[i]; c <= ' ' || c == 0x7f {
			url = escapeURL(url)
			break
		}
	}
	scheme, rest, found := strings.Cut(url, ":")
	if len(url) > 4 && strings.EqualFold(url[:4], "www.") {
		return "https://" + url
	}
	if !found || rest == "" {
		return ""
	}
	switch strings.ToLower(scheme) {
	case "http", "https":
		if strings.HasPrefix(rest, "//") && namesHost(rest[2:]) {
			return url
		}
	case "mailto", "tel":
		if !strings.HasPrefix(rest, "/") {
			return url
		}
	}
	return ""
}

// WebURL reports whether an address that [SafeURL] allows is one of http or https.
func WebURL(url string) bool { return hasFold(url, "http") }

// withoutScheme is the address of a mailto or tel link as people write it.
func withoutScheme(url string) string {
	for _, scheme := range [...]string{"mailto:", "tel:"} {
		if hasFold(url, scheme) {
			return url[len(scheme):]
		}
	}
	return url
}

// namesHost reports whether s begins with a host, with or without a port. An address that a platform cannot read would
// make it refuse the whole message, so names with other characters, and user names before the host, are not taken.
func namesHost(s string) bool {
	end := strings.IndexAny(s, "/?#")
	if end < 0 {
		end = len(s)
	}
	host, port, hasPort := strings.Cut(s[:end], ":")
	if hasPort && (len(port) > 5 || strings.Trim(port, "0123456789") != "") {
		return false
	}
	for i := range len(host) {
		switch c := host[i]; {
		case c >= 0x80, c == '-', c == '_', c == '.' && i > 0 && host[i-1] != '.', isDigit(c), c|0x20 >= 'a' && c|0x20 <= 'z':
		default:
			return false
		}
	}
	return host != ""
}

// escapeURL writes the control characters and spaces of an address as %XX.
func escapeURL(url string) string {
	const hex = "0123456789ABCDEF"
	var b strings.Builder
	for i := range len(url) {
		if c := url[i]; c <= ' ' || c == 0x7f {
			b.WriteByte('%')
			b.WriteByte(hex[c>>4])
			b.WriteByte(hex[c&15])
		} else {
			b.WriteByte(c)
		}
	}
	return b.String()
}
