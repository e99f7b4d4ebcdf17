package telegram

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path"
	"slices"
	"strconv"
	"strings"
	"sync"

	tgbot "github.com/go-telegram/bot"
	"github.com/go-telegram/bot/models"

	"github.com/clickai/bridge/core"
)

// media is a kind of message that shows a file.
type media string

const (
	photo     media = "photo"
	animation media = "animation"
	voice     media = "voice"
	audio     media = "audio"
	video     media = "video"
	document  media = "document"
)

// Upload sends a file as the kind of message that shows it best. What Telegram does not take so goes as a document. The
// limit is 50 MB, 2,000 MB with an own server; over it the error is [core.TooLarge].
// Source: https://core.telegram.org/bots/api#sending-files
func (p *Platform) Upload(ctx context.Context, at core.Place, replyTo string, f core.File) (core.MessageRef, error) {
	const op = "Upload"
	limit := int64(maxUpload)
	if p.ownServer() {
		limit = maxLocalUpload
	}
	if f.Size > limit {
		return core.MessageRef{}, &core.Error{Op: "telegram." + op, Class: core.TooLarge, Err: fmt.Errorf("%d bytes, limit %d", f.Size, limit)}
	}
	topic, err := target(op, at)
	if err != nil {
		return core.MessageRef{}, err
	}
	ctx, cancel := context.WithTimeout(streamed(ctx), transferTimeout)
	defer cancel()
	out := outFile{topic: topic, reply: reply(replyTo), name: fileName(f.Name, f.MIME), kind: kindOf(f)}
	for {
		sent, err := p.uploadOnce(ctx, op, at, &out, f, limit)
		switch {
		case err == nil:
			p.typed(at)
			return sent, nil
		case out.reply != nil && replyRefused(err):
			out.reply = nil
		case out.kind != document && unfit(err):
			out.kind = document
		default:
			return core.MessageRef{}, err
		}
	}
}

// unfit tells that a file may be taken as a document: it is no picture, too large for one, or this kind is not allowed.
func unfit(err error) bool {
	if _, ok := errors.AsType[*apiError](err); !ok {
		return false
	}
	switch core.ClassOf(err) {
	case core.Invalid, core.NotFound, core.TooLarge, core.Denied:
		return true
	default:
		return false
	}
}

func (p *Platform) uploadOnce(ctx context.Context, op string, at core.Place, out *outFile, f core.File, limit int64) (ref core.MessageRef, err error) {
	var src *source
	room := at.Room
	err = p.do(ctx, order{op: op, room: room, turn: own, wait: waitFile, once: true, timeout: transferTimeout}, func(ctx context.Context, chat string) error {
		ctx, cancel := context.WithCancel(ctx)
		body, err := f.Open(ctx)
		if err != nil {
			cancel()
			if _, ok := errors.AsType[*core.Error](err); ok {
				return err
			}
			return &core.Error{Op: "telegram." + op, Class: core.Transient, Err: fmt.Errorf("open the file: %w", err)}
		}
		src = &source{r: body, size: f.Size, left: limit}
		defer src.end(cancel)
		if at.Room = chat; chat != room {
			out.reply = nil // what it would answer stayed behind, and its id is another message's here
		}
		sent, err := out.send(ctx, p.bot, chat, src)
		if err == nil && sent.ID == 0 {
			err = errNoResult
		}
		if err == nil {
			ref = core.MessageRef{Place: at, ID: strconv.Itoa(sent.ID)}
		}
		return err
	})
	if err == nil || src == nil {
		return ref, err
	}
	switch broken := src.broken(); {
	case errors.Is(broken, errOversize):
		return ref, &core.Error{Op: "telegram." + op, Class: core.TooLarge, Err: broken}
	case broken != nil:
		return ref, &core.Error{Op: "telegram." + op, Class: core.Transient, Err: fmt.Errorf("read the file: %w", broken)}
	}
	return ref, err
}

// outFile is how a file is sent.
type outFile struct {
	topic int
	reply *models.ReplyParameters
	name  string
	kind  media
}

func (o *outFile) send(ctx context.Context, b *tgbot.Bot, chat string, src *source) (*models.Message, error) {
	up := &models.InputFileUpload{Filename: o.name, Data: src}
	switch o.kind {
	case photo:
		return b.SendPhoto(ctx, &tgbot.SendPhotoParams{ChatID: chat, MessageThreadID: o.topic, ReplyParameters: o.reply, Photo: up})
	case animation:
		return b.SendAnimation(ctx, &tgbot.SendAnimationParams{ChatID: chat, MessageThreadID: o.topic, ReplyParameters: o.reply, Animation: up})
	case voice:
		return b.SendVoice(ctx, &tgbot.SendVoiceParams{ChatID: chat, MessageThreadID: o.topic, ReplyParameters: o.reply, Voice: up})
	case audio:
		return b.SendAudio(ctx, &tgbot.SendAudioParams{ChatID: chat, MessageThreadID: o.topic, ReplyParameters: o.reply, Audio: up})
	case video:
		return b.SendVideo(ctx, &tgbot.SendVideoParams{ChatID: chat, MessageThreadID: o.topic, ReplyParameters: o.reply, Video: up, SupportsStreaming: true})
	default:
		return b.SendDocument(ctx, &tgbot.SendDocumentParams{ChatID: chat, MessageThreadID: o.topic, ReplyParameters: o.reply, Document: up})
	}
}

// kindOf is the message that shows a file best, by its type, else by its name.
// Sources: https://core.telegram.org/bots/api#sendphoto, #sendvoice (OGG with Opus), #sendaudio (MP3, M4A), #sendvideo (MPEG-4)
func kindOf(f core.File) media {
	kind, params, _ := strings.Cut(strings.ToLower(f.MIME), ";")
	ext := strings.ToLower(path.Ext(f.Name))
	unknown := kind == "" || kind == "application/octet-stream"
	is := func(kinds []string, exts ...string) bool {
		return slices.Contains(kinds, kind) || unknown && slices.Contains(exts, ext)
	}
	switch {
	case is([]string{"image/gif"}, ".gif"):
		return animation
	case f.Size <= maxPhoto && is([]string{"image/jpeg", "image/png", "image/webp"}, ".jpg", ".jpeg", ".png", ".webp"):
		return photo
	case kind == "audio/ogg" && strings.Contains(params, "codecs") && !strings.Contains(params, "opus"): // Vorbis, FLAC …
		return document
	case is([]string{"audio/ogg", "audio/opus"}, ".ogg", ".oga", ".opus"):
		return voice
	case is([]string{"audio/mpeg", "audio/mp3", "audio/mp4", "audio/m4a", "audio/x-m4a"}, ".mp3", ".m4a"):
		return audio
	case is([]string{"video/mp4"}, ".mp4"):
		return video
	}
	return document
}

var (
	errOversize = errors.New("file is larger than the server takes")
	errSize     = errors.New("file has not the size that it was said to have")
	errEnded    = errors.New("the upload has ended")
)

// source is a file on its way to the library, which reads it in a goroutine that it does not wait for: end does. It gives
// exactly size bytes, or at most left when the size is unknown, and fails otherwise. Passed as a pointer, since the
// library's older versions panic in that goroutine on any other reader.
type source struct {
	size, left int64 // left: the server's limit

	mu    sync.Mutex // held while r is read
	r     io.ReadCloser
	n     int64
	err   error
	ended bool
}

func (s *source) Read(b []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ended {
		return 0, errEnded
	}
	n, err := s.r.Read(b)
	s.n += int64(n)
	switch {
	case s.n > s.left:
		s.err = errOversize
	case s.size >= 0 && s.n > s.size, errors.Is(err, io.EOF) && s.size >= 0 && s.n < s.size:
		s.err = errSize
	case err != nil && !errors.Is(err, io.EOF):
		s.err = err
	}
	if s.err != nil {
		return 0, s.err
	}
	return n, err //nolint:wrapcheck // io.EOF must stay what it is
}

// end closes the file once it is not being read any more. cancel ends a read that waits.
func (s *source) end(cancel context.CancelFunc) {
	cancel()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ended = true
	_ = s.r.Close()
}

// broken is why the file could not be read whole. It is called after end.
func (s *source) broken() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.err
}
