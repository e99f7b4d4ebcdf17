package agent

import (
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"
)

// FuzzCleanMessage plants credentials in what ClickAI may say, and looks for them in what a person is shown of it.
func FuzzCleanMessage(f *testing.F) {
	for _, s := range []string{
		"", "see ", "\xff", "a\x00\u202e", "{\"key\": \"", "(", "<", "x?", "Bearer ", "api_key=", strings.Repeat("a ", 5000), "https://a.example/?", "日本",
	} {
		f.Add(s, " end")
	}
	f.Fuzz(func(t *testing.T, before, after string) {
		const address = "https://files.example/f?sign=planted0815planted0815"
		for _, planted := range []string{address, "Bearer planted0815.planted", "sk-planted0815planted0815"} {
			got := cleanMessage(before + " " + planted + " " + after)
			if !strings.Contains(before+after, "planted") && strings.Contains(got, "planted") {
				t.Errorf("%q shows what was planted: %q", before+" "+planted+" "+after, got)
			}
			if utf8.RuneCountInString(got) > maxLine || !utf8.ValidString(got) || strings.ContainsFunc(got, unicode.IsControl) {
				t.Errorf("no line: %q", got)
			}
		}
	})
}
