package playground

import (
	"fmt"
	"mime"
	"net/http"
	"strconv"
	"strings"

	"github.com/clickai/bridge/internal/sim"
)

// showKind is how a file is shown: only as what cannot run anything.
func showKind(f sim.File) string {
	switch f.MIME {
	case "image/png", "image/jpeg", "image/gif", "image/webp":
		return "image"
	case "audio/mpeg", "audio/ogg", "audio/wav", "audio/x-wav", "audio/mp4", "audio/webm":
		return "audio"
	}
	return ""
}

// file serves a file of a message. What is neither picture nor sound is handed over to be kept, as bytes of no type.
func (s *Server) file(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	n, err := strconv.Atoi(q.Get("n"))
	a := &act{Platform: q.Get("p"), Room: q.Get("room"), Thread: q.Get("thread"), ID: q.Get("id")}
	if err != nil || s.find(a) != nil || a.p == nil {
		http.NotFound(w, r)
		return
	}
	m, ok := a.p.Find(a.ref())
	if !ok || n < 0 || n >= len(m.Files) {
		http.NotFound(w, r)
		return
	}
	f := m.Files[n]
	h := w.Header()
	h.Set("Content-Security-Policy", "default-src 'none'; sandbox")
	kind, how := "application/octet-stream", "attachment"
	if showKind(f) != "" && q.Get("save") == "" {
		kind, how = f.MIME, "inline"
	}
	h.Set("Content-Type", kind)
	h.Set("Content-Disposition", disposition(how, f.Name))
	h.Set("Content-Length", strconv.Itoa(len(f.Data)))
	_, _ = w.Write(f.Data) // a browser that left needs none
}

// disposition names a file as https://www.rfc-editor.org/rfc/rfc6266 has it.
func disposition(how, name string) string {
	name = strings.Map(func(c rune) rune {
		if c < ' ' || c == '/' || c == '\\' {
			return '_'
		}
		return c
	}, name)
	if d := mime.FormatMediaType(how, map[string]string{"filename": name}); d != "" {
		return d
	}
	return fmt.Sprintf("%s; filename=%q", how, "file")
}
