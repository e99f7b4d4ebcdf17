package clickai_test

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"reflect"
	"runtime"
	"strings"
	"testing"
	"testing/iotest"
	"time"
	"unicode/utf8"

	"github.com/clickai/bridge/clickai"
)

// received is what a server got in one upload.
type received struct {
	User, Filename, ContentType string
	Content                     []byte
	Length                      int64
	Fields                      []string
}

func receive(t testing.TB, r *http.Request) received {
	t.Helper()
	got := received{Length: r.ContentLength}
	if r.Method != http.MethodPost || r.URL.Path != "/v1/files/upload" || r.Header.Get("Authorization") != "Bearer "+testKey {
		t.Errorf("got %s %s, %q", r.Method, r.URL.Path, r.Header.Get("Authorization"))
	}
	parts, err := r.MultipartReader()
	if err != nil {
		t.Errorf("multipart: %v", err)
		return got
	}
	for {
		part, err := parts.NextPart()
		if errors.Is(err, io.EOF) {
			return got
		}
		if err != nil {
			t.Errorf("multipart: %v", err)
			return got
		}
		b, err := io.ReadAll(part)
		if err != nil {
			t.Errorf("multipart: %v", err)
		}
		got.Fields = append(got.Fields, part.FormName())
		if part.FormName() == "user" {
			got.User = string(b)
			continue
		}
		got.Filename, got.ContentType, got.Content = part.FileName(), part.Header.Get("Content-Type"), b
	}
}

func TestUpload(t *testing.T) {
	t.Parallel()
	content := make([]byte, 3<<20)
	_, _ = rand.NewChaCha8([32]byte{1}).Read(content)
	for _, tt := range []struct {
		name  string
		req   clickai.UploadRequest
		want  received
		sized bool
	}{
		{
			"size known",
			clickai.UploadRequest{User: "slack:T1:U2", Filename: "Báo cáo.pdf", MIMEType: "application/pdf", Size: int64(len(content))},
			received{User: "slack:T1:U2", Filename: "Báo cáo.pdf", ContentType: "application/pdf", Content: content},
			true,
		},
		{
			"size unknown",
			clickai.UploadRequest{User: "u1", Filename: "a.png"},
			received{User: "u1", Filename: "a.png", ContentType: "image/png", Content: content},
			false,
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var got received
			srv := newServer(t, func(w http.ResponseWriter, r *http.Request) {
				got = receive(t, r)
				w.WriteHeader(http.StatusCreated)
				_, _ = io.WriteString(w, `{"id":"file-abc123","name":"document.pdf","size":1024000,"extension":"pdf","mime_type":"application/pdf","created_by":"user-abc-123","created_at":1705395332,"preview_url":null}`)
			})
			tt.req.Content = bytes.NewReader(content)
			file, err := newClient(t, srv.URL).Upload(t.Context(), tt.req)
			if err != nil {
				t.Fatal(err)
			}
			want := &clickai.UploadedFile{ID: "file-abc123", Name: "document.pdf", Size: 1024000, Extension: "pdf", MIMEType: "application/pdf", CreatedBy: "user-abc-123", CreatedAt: 1705395332}
			if !reflect.DeepEqual(file, want) {
				t.Errorf("got %+v, want %+v", file, want)
			}
			if (got.Length > int64(len(content))) != tt.sized {
				t.Errorf("Content-Length %d", got.Length)
			}
			got.Length, tt.want.Fields = 0, []string{"user", "file"}
			if !reflect.DeepEqual(got, tt.want) {
				t.Errorf("server got %q %q %q %v, %d bytes", got.User, got.Filename, got.ContentType, got.Fields, len(got.Content))
			}
		})
	}
}

// hashingServer hashes what is uploaded without keeping it.
func hashingServer(t testing.TB) (url string, sums chan []byte) {
	sums = make(chan []byte, 1)
	srv := newServer(t, func(w http.ResponseWriter, r *http.Request) {
		parts, err := r.MultipartReader()
		if err != nil {
			t.Errorf("multipart: %v", err)
			return
		}
		for {
			part, err := parts.NextPart()
			if err != nil {
				break
			}
			if part.FormName() == "file" {
				h := sha256.New()
				if _, err := io.Copy(h, part); err != nil {
					t.Errorf("read part: %v", err)
				}
				sums <- h.Sum(nil)
			}
		}
		_, _ = io.WriteString(w, `{"id":"f1"}`)
	})
	return srv.URL, sums
}

// A file of 100 MB passes through without being held: all that client and server
// allocate together, freed or not, is a small part of it.
func TestUploadCostsNoMemory(t *testing.T) { // not parallel: it measures the process
	const size = 100 << 20
	url, sums := hashingServer(t)
	c := newClient(t, url)
	for _, known := range []int64{size, 0} {
		want := sha256.New()
		src := rand.NewChaCha8([32]byte{2})
		content := io.LimitReader(readerFunc(func(p []byte) (int, error) {
			n, err := src.Read(p)
			want.Write(p[:n])
			return n, err
		}), size)
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		if _, err := c.Upload(t.Context(), clickai.UploadRequest{User: "u1", Filename: "big.bin", Size: known, Content: content}); err != nil {
			t.Fatal(err)
		}
		runtime.ReadMemStats(&after)
		if sum := <-sums; !bytes.Equal(sum, want.Sum(nil)) {
			t.Error("content changed on its way")
		}
		if alloc := after.TotalAlloc - before.TotalAlloc; alloc > 4<<20 {
			t.Errorf("size %d: %d bytes allocated in all", known, alloc)
		}
	}
}

func BenchmarkUpload100MB(b *testing.B) {
	const size = 100 << 20
	url, sums := hashingServer(b)
	c := newClient(b, url)
	b.SetBytes(size)
	b.ReportAllocs()
	for b.Loop() {
		content := io.LimitReader(zeros{}, size)
		if _, err := c.Upload(b.Context(), clickai.UploadRequest{User: "u1", Filename: "big.bin", Size: size, Content: content}); err != nil {
			b.Fatal(err)
		}
		<-sums
	}
}

type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

// A server, or a proxy before it, that refuses a file by its headers answers 413
// and resets the connection while the client still sends.
func TestUploadRefusedEarly(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name string
		size int64
	}{{"asked first", 8 << 20}, {"sent at once", 1000_000}} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			l, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			done := make(chan struct{})
			t.Cleanup(func() { _ = l.Close(); <-done })
			go func() {
				defer close(done)
				for {
					conn, err := l.Accept()
					if err != nil {
						return
					}
					if _, err := http.ReadRequest(bufio.NewReader(conn)); err != nil {
						t.Errorf("read request: %v", err)
					}
					const body = "<html>413 Request Entity Too Large</html>"
					_, _ = io.WriteString(conn, "HTTP/1.1 413 Too Large\r\nContent-Type: text/html\r\nContent-Length: "+itoa(len(body))+"\r\nConnection: close\r\n\r\n"+body)
					_ = conn.Close() // with bytes unread: the kernel resets the connection
				}
			}()
			c := newClient(t, "http://"+l.Addr().String())
			for range 30 {
				content := io.LimitReader(zeros{}, tt.size)
				_, err := c.Upload(t.Context(), clickai.UploadRequest{User: "u1", Filename: "a.bin", Size: tt.size, Content: content})
				if e := wantError(t, err, clickai.KindStatus); e.Status != http.StatusRequestEntityTooLarge {
					t.Fatalf("got %v", e)
				}
			}
		})
	}
}

func TestUploadErrors(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		status int
		body   string
		code   string
	}{
		{400, `{"code":"filename_not_exists_error","message":"m"}`, "filename_not_exists_error"},
		{413, `{"code":"file_too_large","message":""}`, "file_too_large"},
		{415, `{"code":"unsupported_file_type","message":"m","status":415}`, "unsupported_file_type"},
		{503, `<html>`, ""},
	} {
		srv := newServer(t, func(w http.ResponseWriter, r *http.Request) {
			receive(t, r)
			w.WriteHeader(tt.status)
			_, _ = io.WriteString(w, tt.body)
		})
		_, err := newClient(t, srv.URL).Upload(t.Context(), clickai.UploadRequest{User: "u1", Filename: "a.txt", Content: strings.NewReader("x"), Size: 1})
		if e := wantError(t, err, clickai.KindStatus); e.Status != tt.status || e.Code != tt.code {
			t.Errorf("got %v", e)
		}
	}
	srv := newServer(t, func(w http.ResponseWriter, r *http.Request) {
		receive(t, r)
		_, _ = io.WriteString(w, `{}`)
	})
	_, err := newClient(t, srv.URL).Upload(t.Context(), clickai.UploadRequest{User: "u1", Content: strings.NewReader("x")})
	wantKind(t, err, clickai.KindContent)
}

func TestUploadContentFails(t *testing.T) {
	t.Parallel()
	srv := newServer(t, func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
	})
	c := newClient(t, srv.URL)
	broken := errors.New("download broke")
	for name, req := range map[string]clickai.UploadRequest{
		"too short":         {Size: 10, Content: strings.NewReader("short")},
		"too long":          {Size: 3, Content: strings.NewReader("longer")},
		"breaks":            {Size: 10, Content: io.MultiReader(strings.NewReader("abc"), iotest.ErrReader(broken))},
		"breaks, unsized":   {Content: io.MultiReader(strings.NewReader("abc"), iotest.ErrReader(broken))},
		"makes no progress": {Size: 2, Content: io.MultiReader(strings.NewReader("ab"), stuck{})},
	} {
		req.User = "u1"
		_, err := c.Upload(t.Context(), req)
		wantKind(t, err, clickai.KindBroken)
		if strings.HasPrefix(name, "breaks") && !errors.Is(err, broken) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// An upload without progress ends, whichever side pauses.
func TestUploadStalls(t *testing.T) {
	t.Parallel()
	testOver := make(chan struct{}) // with its body unread, the server doesn't see the client go
	srv := newServer(t, func(http.ResponseWriter, *http.Request) { <-testOver })
	t.Cleanup(func() { close(testOver) })
	c := newClient(t, srv.URL, func(cfg *clickai.Config) { cfg.HeaderTimeout = 500 * time.Millisecond })
	pr, pw := io.Pipe()
	defer func() { _ = pw.Close() }()
	for name, content := range map[string]io.Reader{"server": io.LimitReader(zeros{}, 50<<20), "content": pr} {
		_, err := c.Upload(t.Context(), clickai.UploadRequest{User: "u1", Content: content, Size: 50 << 20})
		wantKind(t, err, clickai.KindTimeout)
		if !errors.Is(err, clickai.ErrHeaderTimeout) {
			t.Errorf("%s: %v", name, err)
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Second) // the request is under way by then
	defer cancel()
	_, err := newClient(t, srv.URL).Upload(ctx, clickai.UploadRequest{User: "u1", Content: pr, Size: 5})
	wantKind(t, err, clickai.KindBroken)
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("context: %v", err)
	}
}

// The caller may use Content again as soon as Upload has returned; the race
// detector sees it if the client still reads.
func TestUploadLeavesContentAlone(t *testing.T) {
	t.Parallel()
	srv := newServer(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusServiceUnavailable) })
	c := newClient(t, srv.URL)
	content := bytes.NewReader(make([]byte, 1000_000))
	for range 20 {
		_, err := content.Seek(0, io.SeekStart)
		if err != nil {
			t.Fatal(err)
		}
		_, err = c.Upload(t.Context(), clickai.UploadRequest{User: "u1", Content: content, Size: content.Size()})
		wantKind(t, err, clickai.KindStatus)
	}
}

func TestCleanFilename(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("ü", 300)
	for _, tt := range []struct{ in, mime, want string }{
		{"a.pdf", "", "a.pdf"},
		{"../../etc/passwd", "", ".._.._etc_passwd"},
		{`C:\x\y.doc`, "", "C:_x_y.doc"},
		{"a\r\nb\x00.txt", "", "a__b_.txt"},
		{"bad\xffbyte.txt", "", "bad_byte.txt"},
		{"invoice\u202egpj.exe", "", "invoice_gpj.exe"},
		{" a b.txt ", "", "a b.txt"},
		{"", "application/pdf", "file.pdf"},
		{"", "", "file"},
		{"..", "no type", "file"},
		{long + ".pdf", "", strings.Repeat("ü", 196) + ".pdf"},
		{long, "", strings.Repeat("ü", 200)},
		{"a." + long, "", "a." + strings.Repeat("ü", 198)},
		{"Báo cáo \"quý\" 4.docx", "", "Báo cáo \"quý\" 4.docx"},
	} {
		if got := clickai.CleanFilename(tt.in, tt.mime); got != tt.want {
			t.Errorf("CleanFilename(%q, %q) = %q, want %q", tt.in, tt.mime, got, tt.want)
		}
	}
}

func TestPartType(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, mime, want string }{
		{"a.png", "image/webp", "image/webp"},
		{"a.png", "", "image/png"},
		{"a.png", "image/png\r\nX-Evil: 1", "image/png"},
		{"a.png", "nonsense", "image/png"},
		{"a.odd-extension", "", "application/octet-stream"},
		{"a.txt", "text/plain; charset=utf-8", "text/plain; charset=utf-8"},
	} {
		if got := clickai.PartType(tt.name, tt.mime); got != tt.want {
			t.Errorf("PartType(%q, %q) = %q, want %q", tt.name, tt.mime, got, tt.want)
		}
	}
}

func FuzzCleanFilename(f *testing.F) {
	f.Add("a/b\\c.pdf", "application/pdf")
	f.Add(strings.Repeat("x", 250)+"."+strings.Repeat("y", 30), "")
	f.Add("\xff\x00\r\n", "x")
	f.Fuzz(func(t *testing.T, name, mime string) {
		got := clickai.CleanFilename(name, mime)
		if got == "" || utf8.RuneCountInString(got) > 200 || strings.ContainsAny(got, "/\\\r\n\x00") || !utf8.ValidString(got) {
			t.Errorf("CleanFilename(%q, %q) = %q", name, mime, got)
		}
	})
}

// Quotes in a file name don't break the header.
func TestUploadFilenameWithQuotes(t *testing.T) {
	t.Parallel()
	var got received
	srv := newServer(t, func(w http.ResponseWriter, r *http.Request) {
		got = receive(t, r)
		_, _ = io.WriteString(w, `{"id":"f1"}`)
	})
	f, err := os.Open(os.DevNull)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	if _, err := newClient(t, srv.URL).Upload(t.Context(), clickai.UploadRequest{User: "u1", Filename: `a"; name="user.txt`, Content: f}); err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(got.Filename, "a") || !strings.HasSuffix(got.Filename, "user.txt") || !reflect.DeepEqual(got.Fields, []string{"user", "file"}) {
		t.Errorf("server got %+v", got)
	}
}
