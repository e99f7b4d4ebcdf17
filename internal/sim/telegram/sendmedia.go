package telegram

import (
	"context"
	"mime"
	"net/http"
	"path"
	"strconv"
	"strings"

	"github.com/clickai/bridge/internal/sim/telegram/markup"
)

// incoming is a file that the bot sends, before it is stored: new bytes, or a file that is already there.
type incoming struct {
	kind   string
	old    *file
	data   upload
	dims   [2]int
	thumbs []thumb
}

// sender makes the method that sends one kind of media: sendPhoto, sendDocument, sendAudio, sendVoice, sendVideo,
// sendAnimation.
func sender(kind string) method {
	return func(s *Server, ctx context.Context, p *params) (any, error) {
		caption, err := s.textOf(p, "caption", "caption_entities", captionRules)
		if err != nil {
			return nil, err
		}
		in, err := s.incomingFile(ctx, p, kind, kind, p.str(kind))
		if err != nil {
			return nil, err
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		d, err := s.destinationOf(p)
		if err != nil {
			return nil, err
		}
		if err := s.spend(d.chat, 1); err != nil {
			return nil, err
		}
		return s.post(d, &message{body: caption, isCaption: true, media: s.storeIncoming(in)}), nil
	}
}

// storeIncoming is called with mu held.
func (s *Server) storeIncoming(in incoming) *media {
	if in.old != nil {
		return &media{
			kind: in.kind, file: in.old, sizes: []*file{in.old}, dims: [][2]int{in.dims}, width: in.dims[0], height: in.dims[1],
		}
	}
	return s.storeMedia(in.kind, in.data.name, in.data.mime, in.data.data, in.thumbs, in.dims)
}

// incomingFile reads a file parameter: an upload under its own name, "attach://<name>", an HTTP URL or a file_id
// (https://core.telegram.org/bots/api#sending-files). It is called without mu.
func (s *Server) incomingFile(ctx context.Context, p *params, kind, field, value string) (incoming, error) {
	up, ok := p.files[field]
	if name, attached := strings.CutPrefix(value, "attach://"); attached {
		if up, ok = p.files[name]; !ok {
			return incoming{}, wrong("wrong file identifier/HTTP URL specified")
		}
	}
	switch {
	case ok:
	case value == "":
		return incoming{}, wrong("there is no %s in the request", kind)
	case strings.HasPrefix(value, "http://") || strings.HasPrefix(value, "https://"):
		limit := maxDownload
		if kind == "photo" {
			limit = maxURLPhoto
		}
		var err error
		if up, err = s.fetch(ctx, value, limit); err != nil {
			return incoming{}, err
		}
	default:
		return s.knownFile(kind, value)
	}
	if len(up.data) == 0 {
		return incoming{}, wrong("file must be non-empty")
	}
	if up.mime == "" || up.mime == "application/octet-stream" {
		if up.mime = mime.TypeByExtension(path.Ext(up.name)); up.mime == "" {
			up.mime = http.DetectContentType(up.data)
		}
	}
	up.mime, _, _ = strings.Cut(up.mime, ";")
	return classify(kind, up)
}

// knownFile is a file_id: it keeps the kind that the file was sent as.
func (s *Server) knownFile(kind, id string) (incoming, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f := s.files.byID[id]
	if f == nil {
		return incoming{}, bad("wrong file identifier/HTTP URL specified")
	}
	if f.kind != kind {
		return incoming{}, wrong("can't use file of type %s as %s", title(f.kind), title(kind))
	}
	in := incoming{kind: kind, old: f}
	if kind == "photo" {
		in.dims, _, _ = decodePicture(f.data)
	}
	return in, nil
}

func title(kind string) string { return strings.ToUpper(kind[:1]) + kind[1:] }

// classify decides as what new bytes are sent: what a method does not take becomes a document, except for photos.
func classify(kind string, up upload) (incoming, error) {
	in := incoming{kind: kind, data: up}
	sound := soundKind(up.name, up.mime, up.data)
	switch kind {
	case "photo":
		if len(up.data) > maxPhoto {
			return in, wrong("file of size %s bytes is too big for a photo; the maximum size is %d bytes",
				strconv.Itoa(len(up.data)), maxPhoto)
		}
		var ok bool
		if in.dims, in.thumbs, ok = decodePicture(up.data); !ok {
			return in, wrong("IMAGE_PROCESS_FAILED")
		}
		w, h := in.dims[0], in.dims[1]
		if w+h > 10000 || max(w, h) > 20*min(w, h) {
			return in, wrong("PHOTO_INVALID_DIMENSIONS")
		}
	case "voice":
		if sound == "audio" || sound == "ogg" {
			break
		}
		in.kind = "document"
	case "audio":
		if sound != "audio" {
			in.kind = "document"
		}
	case "video":
		if sound != "video" {
			in.kind = "document"
		}
	case "animation":
		if sound != "gif" && sound != "video" {
			in.kind = "document"
		}
		in.dims, _, _ = decodePicture(up.data)
	}
	return in, nil
}

type inputMedia struct {
	Type            string          `json:"type"`
	Media           string          `json:"media"`
	Caption         string          `json:"caption"`
	ParseMode       string          `json:"parse_mode"`
	CaptionEntities []markup.Entity `json:"caption_entities"`
}

// sendMediaGroup is https://core.telegram.org/bots/api#sendmediagroup: 2–10 items; documents and audio among their own
// kind only.
func (s *Server) sendMediaGroup(ctx context.Context, p *params) (any, error) {
	var items []inputMedia
	if _, err := p.list("media", &items); err != nil {
		return nil, err
	}
	switch n := len(items); {
	case n == 0:
		return nil, wrong("there are no messages to send")
	case n == 1:
		return nil, wrong("an album must have 2-10 items")
	case n > 10:
		return nil, wrong("too many messages to send as an album")
	}
	var files []incoming
	var captions []markup.Text
	for _, it := range items {
		switch it.Type {
		case "photo", "video", "document", "audio":
		default:
			return nil, wrong("can't use the media of the specified type in the album")
		}
		if own := it.Type == "document" || it.Type == "audio"; it.Type != items[0].Type && (own || items[0].Type == "document" || items[0].Type == "audio") {
			return nil, wrong("can't use the media of the specified type in the album")
		}
		caption, err := s.parseText(it.Caption, it.ParseMode, it.CaptionEntities, captionRules)
		if err != nil {
			return nil, err
		}
		in, err := s.incomingFile(ctx, p, it.Type, "", it.Media)
		if err != nil {
			return nil, err
		}
		files, captions = append(files, in), append(captions, caption)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	d, err := s.destinationOf(p)
	if err != nil {
		return nil, err
	}
	if err := s.spend(d.chat, len(items)); err != nil {
		return nil, err
	}
	group := s.newAlbum()
	out := make([]*wireMessage, 0, len(items))
	for i, in := range files {
		out = append(out, s.post(d, &message{
			body: captions[i], isCaption: true, media: s.storeIncoming(in), group: group,
		}))
	}
	return out, nil
}

// newAlbum makes a media_group_id. Called with mu held.
func (s *Server) newAlbum() string {
	s.albums++
	return strconv.FormatInt(13_000_000_000_000_000+s.albums, 10)
}
