package agent

import (
	"net/url"
	"strings"
)

const (
	// maxLink bounds a Markdown link with its label and address, in bytes; what is longer is left as it is.
	maxLink = 8 << 10
	// maxLabel bounds the label alone.
	maxLabel = 200
	// fileSign stands before the name of a file in place of its link.
	fileSign = "📎 "
)

// linkSplitter takes the links to files of the app out of its answer: signed ones stop working within minutes, and relative
// ones lead nowhere from a chat. take is told of each and says what stands in its place. Links may be split over any number
// of pieces; in code they are text.
type linkSplitter struct {
	code codeScanner
	held string // the start of what may become a link
	mine func(address string) bool
	take func(address, label string) (text string)
}

// add takes the text that follows text[:at] of the answer and returns what is to be shown of it.
func (l *linkSplitter) add(text string, at int) string {
	piece := text[at:]
	if l.held == "" && linkStart(piece) == len(piece) {
		return piece // the usual case
	}
	buf, base := l.held+piece, at-len(l.held)
	shown, held := l.scan(buf, text, base, false)
	l.held = held
	return shown
}

// end returns what has been held back of the answer, whose text this is.
func (l *linkSplitter) end(text string) string {
	if l.held == "" {
		return ""
	}
	// With a character behind it that no link goes on with, nothing is undecided any more.
	shown, _ := l.scan(l.held+"\n", text, len(text)-len(l.held), true)
	l.held = ""
	return strings.TrimSuffix(shown, "\n")
}

// scan replaces the links in buf, which stands at text[base:], and returns what is undecided apart, unless it is the last.
func (l *linkSplitter) scan(buf, text string, base int, last bool) (shown, held string) {
	var out strings.Builder
	for i := 0; i < len(buf); {
		j := i + linkStart(buf[i:])
		out.WriteString(buf[i:j])
		if j == len(buf) {
			break
		}
		n, found, more := readLink(buf[j:])
		switch {
		case more && !last && len(buf)-j < maxLink:
			return out.String(), buf[j:]
		case n == 0:
			n = 1
			out.WriteByte(buf[j])
		case l.code.inside(text, min(max(base+j, 0), len(text))):
			out.WriteString(buf[j : j+n])
		default:
			out.WriteString(l.replaced(buf[j:j+n], found))
		}
		i = j + n
	}
	return out.String(), ""
}

// replaced is what stands in place of a link.
func (l *linkSplitter) replaced(source string, k link) string {
	if l.mine(k.address) {
		return l.take(k.address, k.label)
	}
	if inner := strings.Index(k.label, "]("); inner < 0 || k.bare {
		return source
	}
	// A picture that is a link: the picture may be one of the app's all the same.
	nested := linkSplitter{mine: l.mine, take: l.take}
	label := nested.add(k.label, 0)
	label += nested.end(k.label)
	if label == k.label {
		return source
	}
	return strings.Replace(source, k.label, label, 1)
}

// linkStart is where the next link may begin in s, or, at its end, half of its beginning; len(s) if nowhere.
func linkStart(s string) int {
	for i := range len(s) {
		switch s[i] {
		case '[':
			return i
		case '!':
			if i+1 == len(s) || s[i+1] == '[' {
				return i
			}
		case 'h':
			if (i == 0 || !letter(s[i-1])) && (scheme(s[i:]) > 0 || strings.HasPrefix("https://", s[i:]) || strings.HasPrefix("http://", s[i:])) {
				return i
			}
		}
	}
	return len(s)
}

func letter(c byte) bool { return c|0x20 >= 'a' && c|0x20 <= 'z' || c >= '0' && c <= '9' || c >= 0x80 }

// scheme is the length of http:// or https:// at the start of s.
func scheme(s string) int {
	for _, p := range []string{"https://", "http://"} {
		if strings.HasPrefix(s, p) {
			return len(p)
		}
	}
	return 0
}

// link is one link of a text.
type link struct {
	address, label string
	bare           bool
}

// readLink reads the link at the start of s and returns its length; 0 if there is none. more is true if that cannot be told
// yet.
func readLink(s string) (n int, k link, more bool) {
	if s[0] == 'h' {
		return readBare(s)
	}
	at := 0
	if s[0] == '!' {
		if at++; len(s) == 1 {
			return 0, link{}, true
		}
	}
	if s[at] != '[' {
		return 0, link{}, false
	}
	end, more := closing(s, at, '[', ']', maxLabel)
	if end < 0 {
		return 0, link{}, more
	}
	k.label = s[at+1 : end]
	if end+1 == len(s) {
		return 0, link{}, true
	}
	if s[end+1] != '(' {
		return 0, link{}, false
	}
	at = end + 1
	if end, more = closing(s, at, '(', ')', maxLink); end < 0 {
		return 0, link{}, more
	}
	k.address = strings.TrimSpace(s[at+1 : end])
	if strings.HasPrefix(k.address, "<") {
		if i := strings.IndexByte(k.address, '>'); i > 0 {
			k.address = k.address[1:i]
		}
	} else if i := strings.IndexAny(k.address, " \t\n"); i > 0 {
		k.address = k.address[:i] // a title follows
	}
	return end + 1, k, false
}

// closing finds the bracket that closes the one at s[at].
func closing(s string, at int, open, shut byte, most int) (end int, more bool) {
	depth := 0
	for i := at; i < len(s); i++ {
		if i-at > most {
			return -1, false
		}
		switch s[i] {
		case '\\':
			i++
		case '\n':
			if i+1 < len(s) && s[i+1] == '\n' {
				return -1, false
			}
		case open:
			depth++
		case shut:
			if depth--; depth == 0 {
				return i, false
			}
		}
	}
	return -1, true
}

// readBare reads an address that stands in the text as it is.
func readBare(s string) (n int, k link, more bool) {
	start := scheme(s)
	if start == 0 {
		return 0, link{}, len(s) < len("https://")
	}
	end := strings.IndexFunc(s[start:], func(r rune) bool { return r <= ' ' || strings.ContainsRune("<>\"'`|\\^{}[]()*，。）】」", r) })
	if end < 0 {
		return 0, link{}, true
	}
	address := strings.TrimRight(s[:start+end], ".,;:!?")
	return len(address), link{address: address, bare: true}, false
}

// signatures are queries that sign an address for a while: Dify's own, and those of the object stores that servers keep
// files in (https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-query-string-auth.html,
// https://cloud.google.com/storage/docs/access-control/signed-urls,
// https://learn.microsoft.com/rest/api/storageservices/create-service-sas). All of a line are there.
var signatures = [][]string{
	{"timestamp", "nonce", "sign"},
	{"X-Amz-Signature"},
	{"X-Goog-Signature"},
	{"Signature", "Expires"},
	{"sig", "se"},
}

// signed tells whether a query signs its address.
func signed(q url.Values) bool {
	for _, names := range signatures {
		all := true
		for _, name := range names {
			all = all && q.Has(name)
		}
		if all {
			return true
		}
	}
	return false
}

// ownFile tells whether an address in an answer leads to a file that is to be fetched at once: one under ClickAI's own
// /files/, or a signed one.
func (a *App) ownFile(address string) bool {
	u, err := url.Parse(address)
	if err != nil {
		return false
	}
	under := strings.Contains("/"+u.Path, "/files/")
	switch {
	case u.Scheme == "" && u.Host == "":
		return under && strings.HasPrefix("/"+strings.TrimLeft(u.Path, "/"), "/files/")
	case u.Scheme != "http" && u.Scheme != "https":
		return false
	}
	return signed(u.Query()) || under && strings.EqualFold(u.Host, a.host)
}
