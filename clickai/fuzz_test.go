package clickai_test

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/clickai/bridge/clickai"
)

// FuzzErrorBody: any answer becomes an error with a bounded body, and none shows the key that a server may echo.
func FuzzErrorBody(f *testing.F) {
	const key = "app-planted0815"
	for _, s := range []string{
		`{"code":"invalid_param","message":"bad app-planted0815","status":400}`, `{"code":"app-planted0815","message":"x","params":"app-planted0815"}`,
		`{"code":1,"message":{"a":[]},"status":"400"}`, `<html>502</html>`, "", "{", `{"message":null}`, `{"code":"x","message":"y","status":99999999999999999999}`,
	} {
		f.Add(400, "application/json", []byte(s))
	}
	f.Add(200, "text/html; charset=\xff", []byte("app-planted0815"))
	f.Fuzz(func(t *testing.T, status int, contentType string, body []byte) {
		if strings.Contains(contentType, key) {
			return
		}
		bad, wrapped := clickai.ErrorOf(key, status, contentType, body)
		for _, e := range []*clickai.Error{bad, wrapped} {
			if e == nil {
				continue
			}
			if len(e.Body) > 64<<10 {
				t.Errorf("%d bytes of the body are kept", len(e.Body))
			}
			if said := e.Error() + e.Code + e.Message + e.Params + string(e.Body); strings.Contains(said, key) {
				t.Errorf("the key is shown: %q", said)
			}
		}
	})
}

// FuzzFileURL: an address from an answer leads over HTTP or is refused, and an error does not repeat it.
func FuzzFileURL(f *testing.F) {
	client, err := clickai.New(clickai.Config{BaseURL: "https://api.example/prefix", APIKey: "k"})
	if err != nil {
		f.Fatal(err)
	}
	for _, s := range []string{
		"/files/a.png?sign=planted0815", "files/../../x", "//other.example/x", "file:///etc/passwd", "javascript:alert(1)", "http://u:planted0815@[::1", "", "%zz", "gopher://x", "https:opaque", "?a", "\\\\x\\y",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, ref string) {
		u, err := client.FileURL(ref)
		if err != nil {
			if strings.Contains(err.Error(), "planted0815") {
				t.Errorf("the address is shown: %v", err)
			}
			return
		}
		if u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
			t.Errorf("FileURL(%q) = %q", ref, u)
		}
		if !strings.Contains(ref, "//") && !strings.Contains(ref, ":") && utf8.ValidString(ref) && u.Host != "api.example" {
			t.Errorf("FileURL(%q) leaves the host: %q", ref, u)
		}
	})
}
