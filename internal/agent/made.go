package agent

import (
	"mime"
	"net/url"
	"path"
	"slices"
	"strings"

	"github.com/gabriel-vasile/mimetype"

	"github.com/clickai/bridge/core"
)

// maxName bounds the name of a file, in bytes.
const maxName = 100

// madeFile is a file that the app made, as ClickAI names it. The URL is signed: it is for fetching alone.
type madeFile struct {
	ID, Type, Name, MIME string
	Size                 int64 // bytes; 0 if not said
	URL                  string
	IDs                  []string // other names of the same file
}

// keys are what the file may be known by: its ids, and its address without its signature, which is new each time.
func (f madeFile) keys() []string {
	var keys []string
	for _, id := range append([]string{f.ID}, f.IDs...) {
		if id != "" {
			keys = append(keys, "id:"+id)
		}
	}
	if key := addressKey(f.URL); key != "" {
		keys = append(keys, key)
	}
	return keys
}

// addressKey is the same for all addresses of one file. ClickAI's own files stand under several hosts, inside and outside;
// a signed address is told by its path; for any other the query may say which file it is.
func addressKey(address string) string {
	u, err := url.Parse(address)
	if err != nil || u.Path == "" {
		return ""
	}
	p := "/" + strings.TrimLeft(u.Path, "/")
	switch {
	case u.Host == "", strings.HasPrefix(p, "/files/"):
		return "at:" + p[max(strings.Index(p, "/files/"), 0):]
	case signed(u.Query()):
		return "at:" + u.Host + p
	}
	return "at:" + u.Host + p + "?" + u.RawQuery
}

// name is the file's name as far as it is known before it is fetched.
func (f madeFile) name() string {
	if n := baseName(f.Name); n != "" {
		return n
	}
	if u, err := url.Parse(f.URL); err == nil && path.Ext(u.Path) != "" {
		if n := baseName(u.Path); n != "" {
			return n
		}
	}
	return "file"
}

// baseName is the last part of a path, if it can be a file's name.
func baseName(s string) string {
	n := path.Base(strings.ReplaceAll(strings.TrimSpace(s), `\`, "/"))
	if n == "." || n == "/" || n == ".." || len(n) > maxName || strings.ContainsFunc(n, func(r rune) bool { return r < ' ' || r == 0x7f }) {
		return ""
	}
	return n
}

// described completes a file's name, MIME type and type by what came with it: the answer's header and its first bytes.
// What the bytes show wins where what was said cannot be true, so that a picture is shown as one, and what is none is not.
func (f madeFile) described(header map[string][]string, head []byte) madeFile {
	said := func(s string) string {
		s, _, _ = strings.Cut(strings.ToLower(strings.TrimSpace(s)), ";")
		if !strings.Contains(s, "/") || s == "application/octet-stream" || s == "binary/octet-stream" {
			return ""
		}
		return strings.TrimSpace(s)
	}
	if f.Name == "" || baseName(f.Name) == "" {
		_, params, err := mime.ParseMediaType(first(header["Content-Disposition"]))
		if n := baseName(params["filename"]); err == nil && n != "" {
			f.Name = n
		}
	}
	name := f.name()
	kind := said(f.MIME)
	if kind == "" {
		kind = said(first(header["Content-Type"]))
	}
	if kind == "" {
		kind = said(typeOfName(name))
	}
	if len(head) > 0 {
		kind = settled(kind, mimetype.Detect(head))
	}
	f.MIME, f.Name = kind, withExtension(name, kind)
	if byContent := core.FileType(f.Name, kind); f.Type == "" || byContent != core.FileCustom {
		f.Type = byContent
	}
	return f
}

func first(list []string) string {
	if len(list) == 0 {
		return ""
	}
	return list[0]
}

// settled is the MIME type of a file that is said to be of one type and looks like another.
func settled(said string, found *mimetype.MIME) string {
	looks, _, _ := strings.Cut(found.String(), ";")
	switch {
	case said == "", found.Is(said):
		if looks == "application/octet-stream" {
			return said
		}
		return looks
	case looks == "application/octet-stream", said == "image/svg+xml" && found.Is("text/xml"):
		return said // nothing is known that speaks against it
	case container(said) != "" && container(said) == container(looks):
		return said // a sound or a moving picture: the container alone does not tell
	case isMedia(looks), isMedia(said):
		return looks
	}
	return said // kinds of text and of archives, which their bytes do not tell apart
}

// container is what audio and video types of one format share.
func container(kind string) string {
	for name, kinds := range map[string][]string{
		"mp4":  {"audio/mp4", "audio/x-m4a", "audio/m4a", "video/mp4", "video/quicktime"},
		"webm": {"audio/webm", "video/webm"},
		"ogg":  {"audio/ogg", "audio/opus", "application/ogg", "video/ogg"},
	} {
		if slices.Contains(kinds, kind) {
			return name
		}
	}
	return ""
}

// isMedia tells whether platforms show a type in a way of its own, so that it has to be right.
func isMedia(kind string) bool {
	major, _, _ := strings.Cut(kind, "/")
	return major == "image" || major == "audio" || major == "video" || kind == "application/pdf"
}

// extensions are those of the types that platforms go by; the first is the usual one.
var extensions = map[string][]string{
	"image/png": {".png"}, "image/jpeg": {".jpg", ".jpeg"}, "image/gif": {".gif"}, "image/webp": {".webp"},
	"image/svg+xml": {".svg"}, "image/bmp": {".bmp"}, "image/tiff": {".tiff", ".tif"},
	"audio/mpeg": {".mp3", ".mpga"}, "audio/wav": {".wav"}, "audio/ogg": {".ogg", ".oga", ".opus"}, "audio/flac": {".flac"},
	"audio/mp4": {".m4a", ".mp4"}, "audio/x-m4a": {".m4a"}, "audio/aac": {".aac"}, "audio/amr": {".amr"}, "audio/webm": {".webm", ".weba"},
	"video/mp4": {".mp4", ".m4v"}, "video/webm": {".webm"}, "video/quicktime": {".mov"}, "video/mpeg": {".mpeg", ".mpg"},
	"application/pdf": {".pdf"}, "text/html": {".html", ".htm"}, "text/plain": {".txt"}, "application/json": {".json"},
	"text/csv": {".csv"}, "text/markdown": {".md", ".markdown"},
}

// typeOfName is the MIME type that a name's extension stands for; "" if it is not known.
func typeOfName(name string) string {
	ext := strings.ToLower(path.Ext(name))
	for kind, exts := range extensions {
		if exts[0] == ext {
			return kind
		}
	}
	for kind, exts := range extensions {
		if slices.Contains(exts, ext) {
			return kind
		}
	}
	return mime.TypeByExtension(ext)
}

// withExtension is a name with the extension that its type needs: people's programs go by it.
func withExtension(name, kind string) string {
	ext := path.Ext(name)
	want := extensions[kind]
	if want == nil {
		if m := mimetype.Lookup(kind); m != nil && m.Extension() != "" {
			want = []string{m.Extension()}
		}
	}
	switch {
	case len(want) == 0, slices.Contains(want, strings.ToLower(ext)):
		return name
	case ext == "":
		return name + want[0]
	case !isMedia(kind) && !isMedia(typeOfName(name)):
		return name // many names go with a text or an archive
	case isMedia(typeOfName(name)):
		return strings.TrimSuffix(name, ext) + want[0] // the extension is wrong
	}
	return name + want[0]
}
