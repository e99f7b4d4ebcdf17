package agent

import (
	"strings"
	"testing"
)

func TestCleanMessage(t *testing.T) {
	long := "https://a.example/f?" + strings.Repeat("x", maxCleaned-40)
	for in, want := range map[string]string{
		"":                                 "",
		"no\nmore \t than\x00 a\u2028line": "no more than a line",
		"see https://a.example/f?sign=abc&nonce=1 now":      "see https://a.example/f now",
		"Bearer abc.def refused":                            "… refused",
		"Bearer Bearer abc.def refused":                     "… refused",
		"api_key: abcdef123 is wrong":                       "api_key: … is wrong",
		"key sk-abcdef1234567890 is wrong":                  "key … is wrong",
		"app-AbCdEf123456 is not app_unavailable":           "… is not app_unavailable",
		"token AAAAAAAAAAAAAAAAAAAAAAAAAAAAAA1 is long":     "token … is long",
		strings.Repeat("a", 300):                            strings.Repeat("a", maxLine-1) + "…",
		strings.Repeat("é", 300):                            strings.Repeat("é", maxLine-1) + "…",
		long + " end":                                       "https://a.example/f end",
		long + " sk-abcdefghijklmnop1234567890 after":       "https://a.example/f",
		"one " + strings.Repeat("x?y=z;", maxCleaned):       "one",
		strings.Repeat("xy", maxCleaned):                    "",
		"\xff\xfe bytes that are no text":                   "bytes that are no text",
		"the run failed: [openai] Rate limit reached (429)": "the run failed: [openai] Rate limit reached (429)",
	} {
		if got := cleanMessage(in); got != want {
			t.Errorf("cleanMessage(%.60q) = %q, want %q", in, got, want)
		}
	}
}
