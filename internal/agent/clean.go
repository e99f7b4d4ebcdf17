package agent

import (
	"regexp"
	"strings"
	"unicode"
)

const (
	// maxLine is the longest message of ClickAI that a person is shown, in characters.
	maxLine = 200
	// maxCleaned is how much of a message is looked at, in bytes: what ClickAI sends may be megabytes.
	maxCleaned = 8 << 10
)

var (
	// signedURL is a URL with a query: it may carry a signature or a token.
	signedURL = regexp.MustCompile(`(?i)\b(https?://[^\s?#"'<>]+)[?#][^\s"'<>]*`)
	// bearer and keyed are credentials that name themselves.
	bearer = regexp.MustCompile(`(?i)\b(?:bearer\s+)+\S+`)
	keyed  = regexp.MustCompile(`(?i)\b((?:api[_-]?|secret[_-]?|access[_-]?)?(?:key|token|secret|password))(["']?\s*[:=]\s*["']?)[^\s"',;]{6,}`)
	// keyLike is a run as long and as mixed as keys are: prefixed (sk-…, app-…) or long.
	prefixedKey = regexp.MustCompile(`\b(?:sk|pk|rk|app|key|xox[a-z]|ghp|dataset)[-_][A-Za-z0-9_*.-]{8,}`)
	// errorCode is what looks like such a key and is none: app_unavailable.
	errorCode = regexp.MustCompile(`^(?:app|key|dataset)(?:_[a-z]+)+$`)
	longRun   = regexp.MustCompile(`[A-Za-z0-9_+/=-]{28,}`)
)

// cleanError is an error whose text is fit for the log: ClickAI repeats what its providers say, keys included.
type cleanError struct {
	text string
	err  error
}

func (e *cleanError) Error() string { return e.text }
func (e *cleanError) Unwrap() error { return e.err }

func cleaned(err error) error { return &cleanError{text: cleanMessage(err.Error()), err: err} }

// cleanMessage makes one short line of what ClickAI says went wrong, without anything that could be a secret.
func cleanMessage(s string) string { return cleanedTo(s, maxLine) }

// cleanExcerpt is the start of a body, for the log, cleaned likewise.
func cleanExcerpt(body []byte, n int) string { return cleanedTo(string(body), n) }

func cleanedTo(s string, most int) string {
	if len(s) > maxCleaned {
		s = s[:maxCleaned]
		s = s[:max(strings.LastIndexByte(s, ' '), 0)] // half a key would not look like one
	}
	s = strings.Map(func(r rune) rune {
		if r == '\n' || r == '\r' || r == '\t' || r == '\u2028' || r == '\u2029' || r == '\u0085' {
			return ' '
		}
		if unicode.IsControl(r) {
			return -1
		}
		return r
	}, strings.ToValidUTF8(s, ""))
	s = strings.Join(strings.Fields(s), " ")
	s = signedURL.ReplaceAllString(s, "$1")
	s = bearer.ReplaceAllString(s, "…")
	s = keyed.ReplaceAllString(s, "$1$2…")
	s = prefixedKey.ReplaceAllStringFunc(s, func(run string) string {
		if errorCode.MatchString(run) {
			return run
		}
		return "…"
	})
	s = longRun.ReplaceAllStringFunc(s, func(run string) string {
		if strings.ContainsFunc(run, unicode.IsDigit) && strings.ContainsFunc(run, unicode.IsLetter) {
			return "…"
		}
		return run
	})
	if runes := []rune(s); len(runes) > most {
		s = strings.TrimSpace(string(runes[:most-1])) + "…"
	}
	return s
}
