package telegram

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"image"
	_ "image/gif" // decoders for the pictures that people and the bot send
	"image/jpeg"
	_ "image/png" // as above
	"io"
	"mime"
	"net/http"
	"path"
	"strings"
	"time"

	"github.com/clickai/bridge/internal/sim"
)

const (
	maxDownload = 20 << 20 // https://core.telegram.org/bots/api#getfile
	maxURLPhoto = 5 << 20  // https://core.telegram.org/bots/api#sending-files
	fetchTime   = 15 * time.Second
	// maxPixels bounds what is decoded to make smaller sizes of.
	maxPixels = 40_000_000
)

// file is one stored file. Its fields do not change once it is stored, except data, which may be dropped.
type file struct {
	id, unique, path string
	kind             string // photo, document, audio, voice, video, animation
	name, mime       string
	size             int
	data             []byte // nil once dropped for want of room
}

func (f *file) view() sim.File { return sim.File{Name: f.name, MIME: f.mime, Data: f.data} }

func (f *file) wire() wireFile {
	return wireFile{FileID: f.id, FileUniqueID: f.unique, FileSize: f.size}
}

// fileStore keeps files by id within a number of bytes, oldest dropped first. Guarded by Server.mu.
type fileStore struct {
	limit, used int64
	count       int
	byID        map[string]*file
	byPath      map[string]*file
	order       []*file
}

func newFileStore(limit int64) *fileStore {
	return &fileStore{limit: limit, byID: map[string]*file{}, byPath: map[string]*file{}}
}

func (fs *fileStore) add(kind, name, mimeType string, data []byte) *file {
	fs.count++
	sum := sha256.Sum256(data)
	salt := sha256.Sum256(fmt.Appendf(nil, "%d %s", fs.count, kind))
	f := &file{
		kind: kind, name: name, mime: mimeType, size: len(data), data: data,
		id:     "BQACAgIAAxkBAA" + base64.RawURLEncoding.EncodeToString(salt[:30]),
		unique: "AgAD" + base64.RawURLEncoding.EncodeToString(sum[:9]),
	}
	f.path = fmt.Sprintf("%ss/file_%d%s", kind, fs.count, extension(name, mimeType))
	fs.byID[f.id], fs.byPath[f.path] = f, f
	fs.order = append(fs.order, f)
	fs.used += int64(f.size)
	for fs.used > fs.limit && len(fs.order) > 1 {
		old := fs.order[0]
		fs.order = fs.order[1:]
		fs.used -= int64(old.size)
		old.data = nil
		delete(fs.byID, old.id)
		delete(fs.byPath, old.path)
	}
	return f
}

func extension(name, mimeType string) string {
	if ext := path.Ext(name); ext != "" && len(ext) <= 8 {
		return strings.ToLower(ext)
	}
	switch mimeType {
	case "image/jpeg":
		return ".jpg"
	case "audio/ogg":
		return ".oga"
	}
	if exts, _ := mime.ExtensionsByType(mimeType); len(exts) > 0 {
		return exts[0]
	}
	return ""
}

// media is what a message carries: a file, and for photos all its sizes, smallest first.
type media struct {
	kind          string
	file          *file
	sizes         []*file
	dims          [][2]int
	width, height int
}

func (m *media) fill(w *wireMessage) {
	if m.kind == "photo" {
		for i, f := range m.sizes {
			w.Photo = append(w.Photo, wirePhotoSize{wireFile: f.wire(), Width: m.dims[i][0], Height: m.dims[i][1]})
		}
		return
	}
	d := &wireMedia{wireFile: m.file.wire(), FileName: m.file.name, MimeType: m.file.mime}
	seconds := 1 + m.file.size/4000 // about 32 kbit/s; the length is not decoded
	switch m.kind {
	case "audio":
		d.Duration, w.Audio = &seconds, d
	case "voice":
		d.Duration, d.FileName, w.Voice = &seconds, "", d
	case "video":
		d.Duration, d.Width, d.Height, w.Video = &seconds, &m.width, &m.height, d
	case "animation":
		d.Duration, d.Width, d.Height, w.Animation = &seconds, &m.width, &m.height, d
		w.Document = &wireMedia{wireFile: m.file.wire(), FileName: m.file.name, MimeType: m.file.mime} // sent along
	default:
		w.Document = d
	}
}

// photoSides are the longest sides of the smaller sizes that a photo gets.
var photoSides = []int{90, 320}

// storeMedia stores a file as a kind of media. A photo gets smaller sizes of its own; the last one is the file itself.
// Called with mu held.
func (s *Server) storeMedia(kind, name, mimeType string, data []byte, thumbs []thumb, dims [2]int) *media {
	m := &media{kind: kind, width: dims[0], height: dims[1]}
	if kind == "photo" {
		for _, t := range thumbs {
			m.sizes = append(m.sizes, s.files.add("photo", "", "image/jpeg", t.data))
			m.dims = append(m.dims, t.dims)
		}
		name = ""
	}
	m.file = s.files.add(kind, name, mimeType, data)
	m.sizes, m.dims = append(m.sizes, m.file), append(m.dims, dims)
	return m
}

type thumb struct {
	data []byte
	dims [2]int
}

// decodePicture returns a picture's size and smaller versions; false when it is none.
func decodePicture(data []byte) ([2]int, []thumb, bool) {
	cfg, _, err := image.DecodeConfig(bytes.NewReader(data))
	if err != nil || cfg.Width <= 0 || cfg.Height <= 0 {
		return [2]int{}, nil, false
	}
	dims := [2]int{cfg.Width, cfg.Height}
	if int64(cfg.Width)*int64(cfg.Height) > maxPixels {
		return dims, nil, true
	}
	img, _, err := image.Decode(bytes.NewReader(data))
	if err != nil {
		return [2]int{}, nil, false
	}
	var thumbs []thumb
	for _, side := range photoSides {
		if side >= max(cfg.Width, cfg.Height) {
			break
		}
		small := shrink(img, side)
		var b bytes.Buffer
		if jpeg.Encode(&b, small, nil) == nil {
			thumbs = append(thumbs, thumb{data: b.Bytes(), dims: [2]int{small.Bounds().Dx(), small.Bounds().Dy()}})
		}
	}
	return dims, thumbs, true
}

func shrink(img image.Image, side int) image.Image {
	b := img.Bounds()
	long := max(b.Dx(), b.Dy())
	out := image.NewRGBA(image.Rect(0, 0, max(1, b.Dx()*side/long), max(1, b.Dy()*side/long)))
	for y := range out.Bounds().Dy() {
		for x := range out.Bounds().Dx() {
			out.Set(x, y, img.At(b.Min.X+x*long/side, b.Min.Y+y*long/side))
		}
	}
	return out
}

// soundKind tells how Telegram files sound and film: https://core.telegram.org/bots/api#sendvoice takes OGG, MP3 and
// M4A, #sendaudio MP3 and M4A, #sendvideo MPEG-4.
func soundKind(name, mimeType string, data []byte) string {
	ext := strings.ToLower(path.Ext(name))
	switch {
	case bytes.HasPrefix(data, []byte("OggS")) || mimeType == "audio/ogg" || ext == ".ogg" || ext == ".oga" || ext == ".opus":
		return "ogg"
	case ext == ".mp3" || ext == ".m4a" || mimeType == "audio/mpeg" || mimeType == "audio/mp4" || bytes.HasPrefix(data, []byte("ID3")):
		return "audio"
	case ext == ".mp4" || mimeType == "video/mp4":
		return "video"
	case ext == ".gif" || mimeType == "image/gif":
		return "gif"
	}
	return ""
}

func (s *Server) getFile(_ context.Context, p *params) (any, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f := s.files.byID[p.str("file_id")]
	if f == nil {
		return nil, bad("wrong file_id or the file is temporarily unavailable")
	}
	if f.size > maxDownload {
		return nil, bad("file is too big")
	}
	w := f.wire()
	w.FilePath = f.path
	return w, nil
}

// serveFile is the download under /file/bot<token>/<file_path>.
func (s *Server) serveFile(w http.ResponseWriter, r *http.Request, name string) {
	s.mu.Lock()
	f := s.files.byPath[name]
	var data []byte
	if f != nil {
		data = f.data
	}
	s.mu.Unlock()
	if f == nil || f.size > maxDownload {
		s.fail(w, errNotFound)
		return
	}
	w.Header().Set("Content-Type", "application/octet-stream")
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(data))
}

// fetch gets a file that the bot named by URL.
func (s *Server) fetch(ctx context.Context, target string, limit int) (upload, error) {
	ctx, cancel := context.WithTimeout(ctx, fetchTime)
	defer cancel()
	failed := bad("failed to get HTTP URL content")
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, target, nil)
	if err != nil {
		return upload{}, bad("wrong HTTP URL specified")
	}
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	resp, err := client.Do(req)
	if err != nil {
		return upload{}, failed
	}
	defer func() { _ = resp.Body.Close() }()
	data, err := io.ReadAll(io.LimitReader(resp.Body, int64(limit)+1))
	if err != nil || resp.StatusCode != http.StatusOK || len(data) > limit {
		return upload{}, failed
	}
	kind, _, _ := mime.ParseMediaType(resp.Header.Get("Content-Type"))
	return upload{name: path.Base(req.URL.Path), mime: kind, data: data}, nil
}
