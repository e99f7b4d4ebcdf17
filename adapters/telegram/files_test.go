package telegram_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"image"
	"image/png"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/clickai/bridge/adapters/telegram"
	"github.com/clickai/bridge/core"
	"github.com/clickai/bridge/internal/sim"
	simtelegram "github.com/clickai/bridge/internal/sim/telegram"
)

func picture(t testing.TB, w, h int) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := png.Encode(&b, image.NewRGBA(image.Rect(0, 0, w, h))); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func random(n int) []byte {
	b := make([]byte, n)
	_, _ = rand.Read(b) // never fails
	return b
}

func TestAttachments(t *testing.T) {
	t.Parallel()
	s, p, h := running(t, simtelegram.Options{})
	clean(t, s)
	tests := []struct {
		file       sim.File
		name, mime string
	}{
		{file: sim.File{Name: "notes.pdf", MIME: "application/pdf", Data: random(300_000)}, name: "notes.pdf", mime: "application/pdf"},
		{file: sim.File{Name: "cat.png", MIME: "image/png", Data: picture(t, 500, 400)}, name: "photo.jpg", mime: "image/jpeg"},
		{file: sim.File{Name: "note.ogg", MIME: "audio/ogg", Data: append([]byte("OggS"), random(9_000)...)}, name: "voice.ogg", mime: "audio/ogg"},
		{file: sim.File{Name: "song.mp3", MIME: "audio/mpeg", Data: append([]byte("ID3"), random(9_000)...)}, name: "song.mp3", mime: "audio/mpeg"},
		{file: sim.File{Name: "empty.txt", MIME: "text/plain", Data: []byte("x")}, name: "empty.txt", mime: "text/plain"},
	}
	for i, tt := range tests {
		say(t, s, sim.Say{Room: simtelegram.Minh, User: simtelegram.Minh, Text: "look", Files: []sim.File{tt.file}})
		ev := h.event(t, core.KindMessage, i+1)
		if ev.Text != "look" || len(ev.Attachments) != 1 {
			t.Fatalf("event = %s", asJSON(t, ev))
		}
		a := ev.Attachments[0]
		if a.Name != tt.name || a.MIME != tt.mime || a.Size != int64(len(tt.file.Data)) || strings.Contains(a.Ref, token) {
			t.Errorf("%s: %+v", tt.file.Name, a)
		}
		body, err := p.OpenAttachment(t.Context(), a)
		if err != nil {
			t.Fatal(err)
		}
		got, err := io.ReadAll(body)
		if cerr := body.Close(); err != nil || cerr != nil || !bytes.Equal(got, tt.file.Data) {
			t.Errorf("%s: %d bytes, %v, %v", tt.file.Name, len(got), err, cerr)
		}
	}
}

func TestOpenAttachmentFails(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name  string
		fault sim.Fault
		class core.Class
	}{
		{name: "too big", fault: simtelegram.ErrorFault("getFile", 400, "Bad Request: file is too big", 1), class: core.TooLarge},
		{name: "gone", fault: simtelegram.ErrorFault("getFile", 400, "Bad Request: wrong file_id or the file is temporarily unavailable", 1), class: core.NotFound},
		{name: "link expired", fault: sim.Fault{Match: "/file/", Status: http.StatusNotFound, Body: "{}"}, class: core.NotFound},
		{name: "file server down", fault: sim.Fault{Match: "/file/", Status: http.StatusBadGateway, Body: "<html>"}, class: core.Transient},
		{name: "file server busy", fault: sim.TooManyRequests("/file/", 9*time.Second, 1), class: core.RateLimited},
		{name: "cut", fault: sim.Fault{Match: "/file/", Cut: true}, class: core.Transient},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s, p, h := running(t, simtelegram.Options{})
			say(t, s, sim.Say{Room: simtelegram.Minh, User: simtelegram.Minh, Files: []sim.File{{Name: "a.pdf", MIME: "application/pdf", Data: []byte("a")}}})
			s.Faults().Add(tt.fault)
			_, err := p.OpenAttachment(t.Context(), h.event(t, core.KindMessage, 1).Attachments[0])
			if core.ClassOf(err) != tt.class || strings.Contains(err.Error(), token) {
				t.Errorf("error = %v, want %s", err, tt.class)
			}
		})
	}
	t.Run("too big for Telegram's own server", func(t *testing.T) {
		t.Parallel()
		p := newBot(t, telegram.DefaultAPIURL, token)
		telegram.Transport(p, http.NewFileTransport(http.Dir(t.TempDir()))) // nothing goes out
		_, err := p.OpenAttachment(t.Context(), core.Attachment{Ref: "x", Size: 20<<20 + 1})
		if core.ClassOf(err) != core.TooLarge {
			t.Errorf("error = %v", err)
		}
	})
}

// TestLocalServer has a server in local mode, which keeps its files on this machine's disk and answers with their paths.
func TestLocalServer(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	own := filepath.Join(dir, token, "documents")
	if err := os.MkdirAll(own, 0o700); err != nil {
		t.Fatal(err)
	}
	write := func(path string) string {
		if err := os.WriteFile(path, []byte("on disk"), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	inside, outside := write(filepath.Join(own, "file_0.pdf")), write(filepath.Join(dir, "shadow"))
	link := filepath.Join(own, "link.pdf")
	if err := os.Symlink(outside, link); err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name, path string
		want       string // "" if it is refused
	}{
		{name: "its own", path: inside, want: "on disk"},
		{name: "another file", path: outside},
		{name: "another file by a detour", path: filepath.Join(own) + "/../../shadow"},
		{name: "link out of it", path: link},
		{name: "directory", path: own},
		{name: "kept elsewhere, offered over HTTP", path: "/var/lib/telegram-bot-api/" + token + "/documents/file 1.pdf", want: "over HTTP"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			api := fake(t, map[string]http.HandlerFunc{
				"getFile": func(w http.ResponseWriter, _ *http.Request) {
					_, _ = io.WriteString(w, `{"ok":true,"result":{"file_id":"x","file_path":"`+tt.path+`"}}`)
				},
				"file 1.pdf": func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "over HTTP") },
				"shadow":     http.NotFound, "link.pdf": http.NotFound, "documents": http.NotFound,
			})
			p := newBot(t, api, token)
			body, err := p.OpenAttachment(t.Context(), core.Attachment{Ref: "x", Size: 30 << 20})
			if tt.want == "" {
				if core.ClassOf(err) != core.NotFound || strings.Contains(err.Error(), token) {
					t.Errorf("error = %v", err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			got, err := io.ReadAll(body)
			if cerr := body.Close(); err != nil || cerr != nil || string(got) != tt.want {
				t.Errorf("%q, %v, %v", got, err, cerr)
			}
		})
	}
}

func fileOf(name, mime string, data []byte) core.File {
	return core.File{Name: name, MIME: mime, Size: int64(len(data)), Open: func(context.Context) (io.ReadCloser, error) {
		return io.NopCloser(bytes.NewReader(data)), nil
	}}
}

func TestUpload(t *testing.T) {
	t.Parallel()
	s, p := silent(t, simtelegram.Options{RateScale: 1e6})
	telegram.Unlimited(p)
	unsized := fileOf("long.pdf", "application/pdf", random(2_000_000))
	unsized.Size = -1
	question := ask(t, s, "draw me something")
	topic := core.Place{Room: simtelegram.Forum, Thread: simtelegram.TopicReleases}
	tests := []struct {
		name string
		at   core.Place
		file core.File
		kind string
	}{
		{name: "document", file: fileOf("answer.pdf", "application/pdf", random(100_000)), kind: "document"},
		{name: "photo", file: fileOf("chart.png", "image/png", picture(t, 400, 300)), kind: "photo"},
		{name: "photo by its name", file: fileOf("chart.png", "", picture(t, 40, 30)), kind: "photo"},
		{name: "photo that is none", file: fileOf("chart.png", "image/png", []byte("no picture")), kind: "document"},
		{name: "photo too long", file: fileOf("strip.png", "image/png", picture(t, 4000, 2)), kind: "document"},
		{name: "voice", file: fileOf("answer.ogg", "audio/ogg", append([]byte("OggS"), random(4000)...)), kind: "voice"},
		{name: "audio", file: fileOf("answer.mp3", "audio/mpeg", append([]byte("ID3"), random(4000)...)), kind: "audio"},
		{name: "video", file: fileOf("clip.mp4", "video/mp4", random(4000)), kind: "video"},
		{name: "unknown size", file: unsized, kind: "document"},
		{name: "in a topic", at: topic, file: fileOf("a.txt", "text/plain", []byte("a")), kind: "document"},
	}
	for _, tt := range tests {
		at, replyTo := tt.at, ""
		if at.Room == "" {
			at, replyTo = private, question.ID
		}
		ref, err := p.Upload(t.Context(), at, replyTo, tt.file)
		if err != nil {
			t.Errorf("%s: %v", tt.name, err)
			continue
		}
		m := find(t, s, ref)
		src, _ := tt.file.Open(t.Context())
		want, _ := io.ReadAll(src)
		if len(m.Files) != 1 || !bytes.Equal(m.Files[0].Data, want) || m.ReplyTo != replyTo || m.Thread != at.Thread {
			t.Errorf("%s: %d files, reply to %q, thread %q", tt.name, len(m.Files), m.ReplyTo, m.Thread)
		}
		if !strings.Contains(string(m.Raw), `"`+tt.kind+`":`) {
			t.Errorf("%s was not sent as %s: %s", tt.name, tt.kind, m.Raw)
		}
		if tt.kind == "document" && m.Files[0].Name != tt.file.Name {
			t.Errorf("%s: name %q", tt.name, m.Files[0].Name)
		}
	}
}

// brokenReader gives some bytes and then fails.
type brokenReader struct{ left int }

var errDisk = errors.New("disk on fire")

func (b *brokenReader) Read(p []byte) (int, error) {
	if b.left <= 0 {
		return 0, errDisk
	}
	n := min(len(p), b.left)
	b.left -= n
	return n, nil
}

func (b *brokenReader) Close() error { return nil }

// endless gives bytes for ever.
type endless struct{}

func (endless) Read(p []byte) (int, error) { return len(p), nil }
func (endless) Close() error               { return nil }

func TestUploadFails(t *testing.T) {
	t.Parallel()
	s, p := silent(t, simtelegram.Options{RateScale: 1e6})
	telegram.Unlimited(p)
	open := func(r io.ReadCloser, err error) func(context.Context) (io.ReadCloser, error) {
		return func(context.Context) (io.ReadCloser, error) { return r, err }
	}
	gone := &core.Error{Op: "fetch", Class: core.NotFound}
	tests := []struct {
		name  string
		file  core.File
		class core.Class
		is    error
	}{
		{name: "too large", file: core.File{Name: "x", Size: 1 << 40}, class: core.TooLarge},
		{name: "not there", file: core.File{Name: "x", Size: 1, Open: open(nil, gone)}, class: core.NotFound, is: gone},
		{name: "not to be opened", file: core.File{Name: "x", Size: 1, Open: open(nil, errDisk)}, class: core.Transient, is: errDisk},
		{name: "breaks off", file: core.File{Name: "x", Size: 900_000, Open: open(&brokenReader{left: 500_000}, nil)}, class: core.Transient, is: errDisk},
		{name: "shorter than said", file: core.File{Name: "x", Size: 5, Open: open(io.NopCloser(strings.NewReader("abc")), nil)}, class: core.Transient},
		{name: "longer than said", file: core.File{Name: "x", Size: 5, Open: open(endless{}, nil)}, class: core.Transient},
	}
	for _, tt := range tests {
		_, err := p.Upload(t.Context(), private, "", tt.file)
		if core.ClassOf(err) != tt.class || tt.is != nil && !errors.Is(err, tt.is) {
			t.Errorf("%s: %v, want %s", tt.name, err, tt.class)
		}
	}
	if n := len(s.Messages(simtelegram.Minh, "")); n != 0 {
		t.Errorf("%d messages were sent", n)
	}
	s.Faults().Add(simtelegram.ErrorFault("sendPhoto", 400, "Bad Request: not enough rights to send photos to the chat", 1))
	if ref, err := p.Upload(t.Context(), private, "", fileOf("a.png", "image/png", picture(t, 9, 9))); err != nil {
		t.Error(err)
	} else if m := find(t, s, ref); !strings.Contains(string(m.Raw), `"document":`) {
		t.Errorf("sent as %s", m.Raw)
	}
}

// TestUploadOverTheLimit: a file of unknown size ends at Telegram's limit.
func TestUploadOverTheLimit(t *testing.T) {
	t.Parallel()
	p := newBot(t, telegram.DefaultAPIURL, token)
	var took int64
	telegram.Transport(p, roundTrip(func(r *http.Request) (*http.Response, error) {
		n, err := io.Copy(io.Discard, r.Body)
		took = n
		_ = r.Body.Close()
		return nil, err
	}))
	f := core.File{Name: "x", Size: -1, Open: func(context.Context) (io.ReadCloser, error) { return endless{}, nil }}
	_, err := p.Upload(t.Context(), private, "", f)
	if core.ClassOf(err) != core.TooLarge || took > 51<<20 {
		t.Errorf("error = %v after %d bytes", err, took)
	}
}

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// TestUploadEndsWithTheContext: a source that has nothing to give does not hold the upload, and is closed.
func TestUploadEndsWithTheContext(t *testing.T) {
	t.Parallel()
	_, p := silent(t, simtelegram.Options{})
	ctx, cancel := context.WithCancel(t.Context())
	var ends *io.PipeReader
	f := core.File{Name: "x", Size: -1, Open: func(ctx context.Context) (io.ReadCloser, error) {
		r, w := io.Pipe()
		ends = r
		context.AfterFunc(ctx, func() { _ = w.CloseWithError(ctx.Err()) })
		time.AfterFunc(20*time.Millisecond, cancel)
		return r, nil
	}}
	_, err := p.Upload(ctx, private, "", f)
	if !errors.Is(err, context.Canceled) {
		t.Errorf("error = %v", err)
	}
	if _, err := ends.Read(make([]byte, 1)); !errors.Is(err, io.ErrClosedPipe) {
		t.Errorf("the source is not closed: %v", err)
	}
}

// closing notices when it is read after it was closed; the race detector notices when that is not ordered.
type closing struct {
	t      *testing.T
	closed bool
}

func (c *closing) Read(p []byte) (int, error) {
	if c.closed {
		c.t.Error("read after it was closed")
	}
	return len(p), nil
}

func (c *closing) Close() error {
	c.closed = true
	return nil
}

// TestUploadWaitsForItsReader: the library reads the file in a goroutine of its own, which may still do so when the server
// has answered already.
func TestUploadWaitsForItsReader(t *testing.T) {
	t.Parallel()
	p := newBot(t, "http://127.0.0.1:1", token)
	bodies := make(chan io.ReadCloser, 1)
	telegram.Transport(p, roundTrip(func(r *http.Request) (*http.Response, error) {
		_, err := io.CopyN(io.Discard, r.Body, 100_000)
		bodies <- r.Body // a transport may go on sending behind an early answer
		return &http.Response{StatusCode: http.StatusOK, Body: io.NopCloser(strings.NewReader(`{"ok":true,"result":{"message_id":5}}`))}, err
	}))
	f := core.File{Name: "x", Size: -1, Open: func(context.Context) (io.ReadCloser, error) { return &closing{t: t}, nil }}
	if ref, err := p.Upload(t.Context(), private, "", f); err != nil || ref.ID != "5" {
		t.Errorf("ref = %+v, %v", ref, err)
	}
	rest := <-bodies
	if _, err := io.Copy(io.Discard, rest); err == nil {
		t.Error("the body went on as if it were whole")
	}
	_ = rest.Close()
}

func TestKindOf(t *testing.T) {
	t.Parallel()
	tests := []struct {
		f    core.File
		want string
	}{
		{core.File{Name: "a.jpg", MIME: "image/jpeg", Size: 10 << 20}, "photo"},
		{core.File{Name: "a.jpg", MIME: "image/jpeg", Size: 10<<20 + 1}, "document"},
		{core.File{Name: "a.webp", MIME: "image/webp", Size: -1}, "photo"},
		{core.File{Name: "a.svg", MIME: "image/svg+xml"}, "document"},
		{core.File{Name: "a.gif", MIME: "image/gif"}, "animation"},
		{core.File{Name: "a.ogg", MIME: "audio/ogg; codecs=opus"}, "voice"},
		{core.File{Name: "a.ogg", MIME: "audio/ogg"}, "voice"},
		{core.File{Name: "a.ogg", MIME: "audio/ogg; codecs=vorbis"}, "document"},
		{core.File{Name: "answer.mp3", MIME: "audio/mpeg"}, "audio"},
		{core.File{Name: "a.wav", MIME: "audio/wav"}, "document"},
		{core.File{Name: "a.mp4", MIME: `video/mp4; codecs="avc1.42E01E"`}, "video"},
		{core.File{Name: "a.m4a", MIME: "application/octet-stream"}, "audio"},
		{core.File{Name: "a.mp4", MIME: ""}, "video"},
		{core.File{Name: "a.png", MIME: "text/plain"}, "document"},
	}
	for _, tt := range tests {
		if got := telegram.KindOf(tt.f); got != tt.want {
			t.Errorf("KindOf(%s, %s, %d) = %s, want %s", tt.f.Name, tt.f.MIME, tt.f.Size, got, tt.want)
		}
	}
}

func TestFileName(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, mime, want string }{
		{"report.pdf", "application/pdf", "report.pdf"},
		{"../../etc/passwd", "", "passwd"},
		{`C:\tmp\a.txt`, "", "a.txt"},
		{"a\r\nb\".txt", "", "ab.txt"},
		{"invoice\u202egpj.exe", "", "invoicegpj.exe"},
		{"", "application/pdf", "file.pdf"},
		{"...", "", "file"},
		{strings.Repeat("ä", 200) + ".pdf", "", strings.Repeat("ä", 116) + ".pdf"},
	}
	for _, tt := range tests {
		if got := telegram.FileName(tt.name, tt.mime); got != tt.want {
			t.Errorf("FileName(%q, %q) = %q, want %q", tt.name, tt.mime, got, tt.want)
		}
	}
}
