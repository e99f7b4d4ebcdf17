package discord_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/clickai/bridge/adapters/discord"
	"github.com/clickai/bridge/core"
	"github.com/clickai/bridge/internal/sim"
	simdiscord "github.com/clickai/bridge/internal/sim/discord"
)

func randomBytes(n int) []byte {
	b := make([]byte, n)
	_, _ = rand.Read(b) // never fails
	return b
}

func fileOf(name, kind string, size int64, r func() io.Reader) core.File {
	return core.File{Name: name, MIME: kind, Size: size, Open: func(context.Context) (io.ReadCloser, error) { return io.NopCloser(r()), nil }}
}

func readAll(t *testing.T, p *discord.Platform, a core.Attachment) ([]byte, error) {
	t.Helper()
	body, err := p.OpenAttachment(t.Context(), a)
	if err != nil {
		return nil, err
	}
	data, err := io.ReadAll(body)
	if cerr := body.Close(); cerr != nil {
		t.Errorf("close: %v", cerr)
	}
	return data, err
}

// TestExpiredAddress: the signed address has expired, or another process saw the message: a fresh one is fetched.
func TestExpiredAddress(t *testing.T) {
	t.Parallel()
	s, p, h := running(t, simdiscord.Options{AttachmentTTL: time.Hour})
	clean(t, s)
	data := randomBytes(100_000)
	q := say(t, s, sim.Say{Room: simdiscord.DMMinh, User: simdiscord.Minh, Files: []sim.File{{Name: "a.bin", Data: data}}})
	ev := h.event(t, core.KindMessage, 1)
	a := ev.Attachments[0]
	s.Faults().Add(sim.Fault{Match: "GET /attachments/", Times: 1, Status: http.StatusNotFound, Body: "This content is no longer available."})
	for _, bot := range []*discord.Platform{p, newBot(t, s.APIURL(), simdiscord.DefaultToken)} {
		if got, err := readAll(t, bot, a); err != nil || !bytes.Equal(got, data) {
			t.Errorf("%d bytes, %v; want %d", len(got), err, len(data))
		}
	}
	if err := s.Delete(t.Context(), q.Ref, simdiscord.Minh); err != nil {
		t.Fatal(err)
	}
	if _, err := readAll(t, newBot(t, s.APIURL(), simdiscord.DefaultToken), a); core.ClassOf(err) != core.NotFound {
		t.Errorf("of a deleted message: %v", err)
	}
}

func TestUploadStreams(t *testing.T) {
	t.Parallel()
	s, p, _ := running(t, simdiscord.Options{})
	data := randomBytes(5 << 20)
	broken := errors.New("the app went away")
	tests := []struct {
		name  string
		file  core.File
		class core.Class // "": it is there, byte for byte
		saved string
	}{
		{name: "known size", file: fileOf("báo-cáo-\"1\".pdf", "application/pdf", int64(len(data)), func() io.Reader { return bytes.NewReader(data) }), saved: "báo-cáo-1.pdf"},
		{name: "unknown size", file: fileOf("../../etc/x.txt", "text/plain", -1, func() io.Reader { return bytes.NewReader(data) }), saved: "x.txt"},
		{name: "longer than said", file: fileOf("a", "", 1000, func() io.Reader { return bytes.NewReader(data) }), class: core.Transient},
		{name: "shorter than said", file: fileOf("a", "", int64(len(data))+1, func() io.Reader { return bytes.NewReader(data) }), class: core.Transient},
		{name: "breaks off", file: fileOf("a", "", int64(len(data)), func() io.Reader {
			return io.MultiReader(bytes.NewReader(data[:1000]), &failing{broken})
		}), class: core.Transient},
		{name: "endless", file: fileOf("a", "", -1, func() io.Reader { return zeros{} }), class: core.TooLarge},
	}
	for i, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			at := core.Place{Room: []string{simdiscord.General, simdiscord.Support, simdiscord.DMMinh, simdiscord.DMAnna, simdiscord.DMTom, simdiscord.General}[i]}
			before := len(s.Messages(at.Room, ""))
			ref, err := p.Upload(t.Context(), at, "", tt.file)
			if got := core.ClassOf(err); got != tt.class {
				t.Fatalf("Upload = %v, want class %q", err, tt.class)
			}
			if err != nil {
				for _, m := range s.Messages(at.Room, "")[before:] {
					if len(m.Files) == 1 && m.Files[0].Name == tt.file.Name {
						t.Error("a message stands all the same")
					}
				}
				return
			}
			m := shown(t, s, ref)
			if len(m.Files) != 1 || !bytes.Equal(m.Files[0].Data, data) || m.Files[0].Name != tt.saved {
				t.Errorf("file %q of %d bytes", m.Files[0].Name, len(m.Files[0].Data))
			}
		})
	}
}

// TestUploadAgain: a file that was taken already, but whose answer was lost, is not shown twice.
func TestUploadAgain(t *testing.T) {
	t.Parallel()
	s, p, _ := running(t, simdiscord.Options{})
	at := core.Place{Room: simdiscord.General}
	f := fileOf("a.txt", "text/plain", 3, func() io.Reader { return strings.NewReader("abc") })
	f.Nonce = "0123456789abcdef01x0"
	first, err := p.Upload(t.Context(), at, "", f)
	if err != nil {
		t.Fatal(err)
	}
	n := len(s.Messages(at.Room, ""))
	f.Again = true
	second, err := p.Upload(t.Context(), at, "", f)
	if err != nil || second != first {
		t.Errorf("Upload = %v, %v, want the message that stands: %v", second, err, first)
	}
	if got := len(s.Messages(at.Room, "")); got != n {
		t.Errorf("%d messages, want the %d of before", got, n)
	}
}

type failing struct{ err error }

func (f *failing) Read([]byte) (int, error) { return 0, f.err }

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { return len(p), nil }

// TestPrivateAddress: a message cannot make the bot read what only its own network can reach, nor by a redirect.
func TestPrivateAddress(t *testing.T) {
	t.Parallel()
	reached := make(chan string, 10)
	inside := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { reached <- r.URL.Path }))
	t.Cleanup(inside.Close)
	var got core.Event
	p := newBot(t, discord.DefaultAPIURL, "token") // the real host: nothing private is its own
	d := discord.NewDecoder(p, self, nil, func(ev core.Event) { got = ev })
	msg := `{"id":"1300000000000000000","channel_id":"1200000000000000000","author":{"id":"1","username":"x"},
		"attachments":[{"id":"5","filename":"a","size":1,"url":"` + inside.URL + `/secret"}]}`
	if err := d.Dispatch(t.Context(), "MESSAGE_CREATE", []byte(msg), 1); err != nil {
		t.Fatal(err)
	}
	if _, err := readAll(t, p, got.Attachments[0]); core.ClassOf(err) != core.Denied {
		t.Errorf("OpenAttachment = %v", err)
	}
	select {
	case path := <-reached:
		t.Errorf("%s was read", path)
	default:
	}
}

func TestPublicOnly(t *testing.T) {
	t.Parallel()
	for address, public := range map[string]bool{
		"1.1.1.1:443": true, "[2606:4700::1111]:443": true, "162.159.130.233:443": true,
		"127.0.0.1:80": false, "[::1]:80": false, "10.1.2.3:80": false, "172.16.0.1:80": false, "192.168.1.1:80": false,
		"169.254.169.254:80": false, "100.64.0.1:80": false, "[fe80::1]:80": false, "[fd00::1]:80": false, "0.0.0.0:80": false,
		"192.0.0.192:80": false, "[64:ff9b::a9fe:a9fe]:80": false, "[2002:7f00:1::]:80": false, "198.18.0.1:80": false, "240.0.0.1:80": false,
		"[::ffff:127.0.0.1]:80": false, "[::ffff:10.0.0.1]:80": false, "224.0.0.1:80": false, "nonsense": false,
	} {
		if got := discord.PublicOnly(address) == nil; got != public {
			t.Errorf("%s: public %t, want %t", address, got, public)
		}
	}
}

func TestFileName(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("ă", 300) + ".pdf"
	for _, tt := range []struct{ name, kind, want string }{
		{"a.txt", "", "a.txt"},
		{"../../etc/passwd", "", "passwd"},
		{`C:\Users\x\b.doc`, "", "b.doc"},
		{"..", "application/pdf", "file.pdf"},
		{"", "application/pdf", "file.pdf"},
		{"", "", "file"},
		{"a\r\nb\".txt", "", "ab.txt"},
		{"invoice\u202egpj.exe", "", "invoicegpj.exe"},
		{"\u2066a\u200f.txt", "", "a.txt"},
		{".env", "", "env"},
		{"/", "no type", "file"},
		{long, "", strings.Repeat("ă", 116) + ".pdf"},
	} {
		if got := discord.FileName(tt.name, tt.kind); got != tt.want {
			t.Errorf("fileName(%.40q, %q) = %q, want %q", tt.name, tt.kind, got, tt.want)
		}
	}
}
