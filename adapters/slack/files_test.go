package slack_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"net/http"
	"strings"
	"testing"

	"github.com/clickai/bridge/adapters/slack"
	"github.com/clickai/bridge/core"
	sim "github.com/clickai/bridge/internal/sim"
	simslack "github.com/clickai/bridge/internal/sim/slack"
)

// noise is n bytes that no two files share.
func noise(n int) []byte {
	src := rand.NewChaCha8([32]byte{byte(n)})
	b := make([]byte, n)
	_, _ = src.Read(b)
	return b
}

func read(t *testing.T, p *slack.Platform, a core.Attachment) []byte {
	t.Helper()
	r, err := p.OpenAttachment(t.Context(), a)
	if err != nil {
		t.Fatalf("open %s: %v", a.Name, err)
	}
	data, err := io.ReadAll(r)
	if err := errors.Join(err, r.Close()); err != nil {
		t.Fatalf("read %s: %v", a.Name, err)
	}
	return data
}

func TestFilesIn(t *testing.T) {
	t.Parallel()
	s, p, h := running(t, simslack.Options{})
	clean(t, s)
	big, text := noise(3<<20), []byte(strings.Repeat("a long snippet\n", 100))
	say(t, s, sim.Say{Room: simslack.General, User: simslack.Minh, Mention: true, Text: "look", Files: []sim.File{
		{Name: "a picture.png", MIME: "image/png", Data: big}, {Name: "log.txt", MIME: "text/plain", Data: text},
	}})
	ev := h.event(t, core.KindMessage, 1)
	if len(ev.Attachments) != 2 || ev.Attachments[0].Name != "a picture.png" || ev.Attachments[0].MIME != "image/png" || ev.Attachments[0].Size != int64(len(big)) {
		t.Fatalf("attachments %+v", ev.Attachments)
	}
	if got := read(t, p, ev.Attachments[0]); !bytes.Equal(got, big) {
		t.Errorf("%d bytes came, not the %d that were sent", len(got), len(big))
	}
	// After a restart the bot knows no more than what was stored.
	if got := read(t, newBot(t, config(s)), ev.Attachments[1]); !bytes.Equal(got, text) {
		t.Errorf("%d bytes came, not the %d that were sent", len(got), len(text))
	}
}

func TestFileRefused(t *testing.T) {
	t.Parallel()
	file := func(fields string) sim.Fault {
		return sim.Fault{Match: "/api/files.info", Status: http.StatusOK, Body: `{"ok":true,"file":{"id":"F1","name":"a",` + fields + `}}`}
	}
	tests := []struct {
		name  string
		fault sim.Fault
		class core.Class
	}{
		{"unknown", sim.Fault{Match: "nothing"}, core.NotFound},
		{"external", file(`"is_external":true,"mode":"external","url_private":"https://files.slack.com/x"`), core.Unsupported},
		{"another host", file(`"mode":"hosted","url_private":"https://evil.example/x"`), core.Unsupported},
		{"plain http", file(`"mode":"hosted","url_private":"http://files.slack.com/x"`), core.Unsupported},
		{"deleted", file(`"mode":"tombstone"`), core.NotFound},
		{"over the plan", file(`"mode":"hidden_by_limit"`), core.NotFound},
		{"no address", file(`"mode":"hosted"`), core.NotFound},
		{"no scope", sim.Fault{Match: "/api/files.info", Status: http.StatusOK, Body: `{"ok":false,"error":"missing_scope","needed":"files:read"}`}, core.Denied},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s, p := idle(t, simslack.Options{})
			s.Faults().Add(tt.fault)
			if _, err := p.OpenAttachment(t.Context(), core.Attachment{Ref: "F1"}); core.ClassOf(err) != tt.class {
				t.Errorf("OpenAttachment = %v, want class %s", err, tt.class)
			}
		})
	}
}

// TestSignInPage holds that Slack's sign-in page is not taken for the file.
func TestSignInPage(t *testing.T) {
	t.Parallel()
	var scopes []string
	for _, scope := range simslack.DefaultScopes() {
		if scope != "files:read" {
			scopes = append(scopes, scope)
		}
	}
	s, p, h := running(t, simslack.Options{Scopes: scopes})
	say(t, s, sim.Say{Room: simslack.DM(simslack.Minh), User: simslack.Minh, Text: "look", Files: []sim.File{{Name: "a.txt", Data: []byte("x")}}})
	ev := h.event(t, core.KindMessage, 1)
	_, err := p.OpenAttachment(t.Context(), ev.Attachments[0])
	if core.ClassOf(err) != core.Denied || !strings.Contains(err.Error(), "files:read") {
		t.Errorf("OpenAttachment = %v, want class denied and the scope's name", err)
	}
}

// TestConnectFile holds that a file of another workspace, of which the message tells no more than the id, is asked for.
func TestConnectFile(t *testing.T) {
	t.Parallel()
	s, _, h := running(t, simslack.Options{})
	clean(t, s)
	dm := simslack.DM(simslack.Minh)
	data := noise(1000)
	say(t, s, sim.Say{Room: dm, User: simslack.Minh, Text: "look", Files: []sim.File{{Name: "a.bin", Data: data}}})
	id := h.event(t, core.KindMessage, 1).Attachments[0].Ref
	event := `{"type":"message","subtype":"file_share","channel":"` + dm + `","channel_type":"im","user":"` + simslack.Minh +
		`","ts":"1700000000.000001","text":"","files":[{"id":"` + id + `","mode":"file_access","file_access":"check_file_info"}]}`
	if err := s.Raise(sim.Ref{Room: dm}, []byte(event)); err != nil {
		t.Fatal(err)
	}
	a := h.event(t, core.KindMessage, 2).Attachments
	if len(a) != 1 || a[0].Size != -1 {
		t.Fatalf("attachments %+v", a)
	}
	if got := read(t, newBot(t, config(s)), a[0]); !bytes.Equal(got, data) {
		t.Errorf("%d bytes came, not the %d that were sent", len(got), len(data))
	}
}

func upload(name string, data []byte, size int64) core.File {
	return core.File{Name: name, MIME: "application/octet-stream", Size: size, Open: func(context.Context) (io.ReadCloser, error) {
		return io.NopCloser(bytes.NewReader(data)), nil
	}}
}

func TestUpload(t *testing.T) {
	t.Parallel()
	s, p := idle(t, simslack.Options{})
	clean(t, s)
	question := say(t, s, sim.Say{Room: simslack.General, User: simslack.Minh, Text: "draw"})
	at := core.Place{Room: simslack.General, Thread: question.ID}
	data := noise(2 << 20)
	for _, size := range []int64{int64(len(data)), -1} {
		ref, err := p.Upload(t.Context(), at, "", upload(`..\x/chart.png`, data, size))
		if err != nil {
			t.Fatalf("upload with size %d: %v", size, err)
		}
		m := find(t, s, ref)
		if m.Thread != question.ID || len(m.Files) != 1 || m.Files[0].Name != "chart.png" || !bytes.Equal(m.Files[0].Data, data) {
			t.Errorf("with size %d the message %s in %s has %d files", size, m.ID, m.Thread, len(m.Files))
		}
	}
}

func TestUploadFails(t *testing.T) {
	t.Parallel()
	broken := core.File{Name: "a", Size: 10, Open: func(context.Context) (io.ReadCloser, error) {
		return io.NopCloser(io.MultiReader(strings.NewReader("abc"), errReader{})), nil
	}}
	gone := core.File{Name: "a", Size: 10, Open: func(context.Context) (io.ReadCloser, error) {
		return nil, &core.Error{Op: "fetch", Class: core.NotFound}
	}}
	tests := []struct {
		name  string
		fault sim.Fault
		file  core.File
		class core.Class
	}{
		{"too large", sim.Fault{Match: "nothing"}, upload("a", nil, 2<<30), core.TooLarge},
		{"refused as too large", sim.Fault{Match: "getUploadURLExternal", Status: 200, Body: `{"ok":false,"error":"file_upload_size_restricted"}`}, upload("a", noise(10), 10), core.TooLarge},
		{"empty", sim.Fault{Match: "nothing"}, upload("a", nil, 0), core.Invalid},
		{"empty after all", sim.Fault{Match: "nothing"}, upload("a", nil, -1), core.Invalid},
		{"shorter than said", sim.Fault{Match: "nothing"}, upload("a", noise(5), 10), core.Transient},
		{"source breaks", sim.Fault{Match: "nothing"}, broken, core.Transient},
		{"source gone", sim.Fault{Match: "nothing"}, gone, core.NotFound},
		{"another host", sim.Fault{Match: "getUploadURLExternal", Status: 200, Body: `{"ok":true,"file_id":"F1","upload_url":"https://evil.example/"}`}, upload("a", noise(10), 10), core.Transient},
		{"store fails", sim.Fault{Match: "/upload/", Status: 500}, upload("a", noise(10), 10), core.Transient},
		{"room", sim.Fault{Match: "completeUpload", Status: 200, Body: `{"ok":false,"error":"channel_not_found"}`}, upload("a", noise(10), 10), core.RoomGone},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s, p := idle(t, simslack.Options{})
			s.Faults().Add(tt.fault)
			if _, err := p.Upload(t.Context(), core.Place{Room: simslack.General}, "", tt.file); core.ClassOf(err) != tt.class {
				t.Errorf("Upload = %v, want class %s", err, tt.class)
			}
		})
	}
}

type errReader struct{}

func (errReader) Read([]byte) (int, error) { return 0, errors.New("the line broke") }

func TestFileName(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"a.txt": "a.txt", "../../etc/passwd": "passwd", `C:\x\y.doc`: "y.doc", "": "file", "..": "file", "a\x00b\n.txt": "ab.txt",
		"invoice\u202egpj.exe": "invoicegpj.exe", "báo cáo.pdf": "báo cáo.pdf", strings.Repeat("x", 300) + ".pdf": strings.Repeat("x", 116) + ".pdf",
	} {
		if got := slack.FileName(in, ""); got != want {
			t.Errorf("fileName(%q) = %q, want %q", in, got, want)
		}
	}
}
