package telegram

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"

	tgbot "github.com/go-telegram/bot"
	"github.com/go-telegram/bot/models"

	"github.com/clickai/bridge/core"
)

func errAttr(err error) slog.Attr { return slog.Any("err", err) }

func isNotModified(err error) bool {
	return errors.Is(err, tgbot.ErrorBadRequest) && strings.Contains(err.Error(), "message is not modified")
}

// OpenAttachment is core.AttachmentOpener. The link that Telegram gives holds the token: it is used here and nowhere kept.
func (p *Platform) OpenAttachment(ctx context.Context, a core.Attachment) (io.ReadCloser, error) {
	const op = "OpenAttachment"
	local := p.base != "https://api.telegram.org"
	if a.Size > maxDownload && !local {
		return nil, &core.Error{Op: "telegram." + op, Class: core.TooLarge, Err: fmt.Errorf("%d bytes; the Bot API gives out %d at most", a.Size, maxDownload)}
	}
	one, cancel := context.WithTimeout(ctx, callTimeout)
	var f struct {
		Path string `json:"file_path"`
	}
	err := p.call(one, "getFile", map[string]string{"file_id": a.Ref}, &f)
	cancel()
	if err != nil {
		return nil, p.fail(op, err, false)
	}
	if f.Path == "" {
		return nil, &core.Error{Op: "telegram." + op, Class: core.NotFound, Err: errors.New("no path")}
	}
	if local && filepath.IsAbs(f.Path) {
		// A Bot API server in local mode keeps files on its disk (https://core.telegram.org/bots/api#using-a-local-bot-api-server).
		file, err := os.Open(f.Path)
		if err != nil {
			return nil, &core.Error{Op: "telegram." + op, Class: core.NotFound, Err: fmt.Errorf("open a file of the local Bot API server: %w", err)}
		}
		return file, nil
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, p.base+"/file/bot"+p.token+"/"+f.Path, nil)
	if err != nil {
		return nil, p.fail(op, err, false)
	}
	res, err := p.http.Do(req)
	if err != nil {
		return nil, p.fail(op, err, false)
	}
	if res.StatusCode == http.StatusOK {
		return res.Body, nil
	}
	_ = res.Body.Close()
	class := core.Transient
	if res.StatusCode == http.StatusNotFound || res.StatusCode == http.StatusForbidden || res.StatusCode == http.StatusBadRequest {
		class = core.NotFound
	}
	return nil, &core.Error{Op: "telegram." + op, Class: class, Err: errors.New("file server answered " + res.Status)}
}

// Upload is core.Uploader: pictures become photos, speech voice messages, and so on. A picture that Telegram does not take
// as a photo goes as a document.
func (p *Platform) Upload(ctx context.Context, at core.Place, replyID string, f core.File) (core.MessageRef, error) {
	const op = "Upload"
	if f.Size > maxUpload {
		return core.MessageRef{}, &core.Error{Op: "telegram." + op, Class: core.TooLarge, Err: fmt.Errorf("%d bytes; a bot may send %d", f.Size, maxUpload)}
	}
	_, topic, err := p.target(at)
	if err != nil {
		return core.MessageRef{}, err
	}
	kind := kindOf(f)
	for {
		var sent *models.Message
		var opened error
		err := p.do(ctx, op, at.Room, "", transferTimeout, func(ctx context.Context, chat string) error {
			body, err := f.Open(ctx)
			if err != nil {
				opened = err
				return err
			}
			defer func() { _ = body.Close() }()
			// A pointer, since the library of older versions panics in a goroutine of its own on other readers.
			up := &models.InputFileUpload{Filename: f.Name, Data: &source{r: io.LimitReader(body, maxUpload+1)}}
			sent, err = p.sendFile(ctx, kind, chat, topic, replyTo(replyID), up)
			return err
		})
		if opened != nil {
			return core.MessageRef{}, opened
		}
		if err == nil {
			return ref(at, sent), nil
		}
		if class := core.ClassOf(err); kind != "document" && (class == core.Invalid || class == core.NotFound || class == core.BadMarkup) {
			kind = "document"
			continue
		}
		return core.MessageRef{}, err
	}
}

// source hides what else a reader can do: the library asks.
type source struct{ r io.Reader }

func (s *source) Read(b []byte) (int, error) { return s.r.Read(b) }

// kindOf is the message that shows a file best. Telegram takes OGG, MP3 and M4A as voice
// (https://core.telegram.org/bots/api#sendvoice).
func kindOf(f core.File) string {
	mime, _, _ := strings.Cut(f.MIME, ";")
	switch {
	case mime == "image/gif":
		return "animation"
	case (mime == "image/jpeg" || mime == "image/png" || mime == "image/webp") && f.Size <= maxPhoto:
		return "photo"
	case mime == "audio/ogg":
		return "voice"
	case mime == "audio/mpeg", mime == "audio/mp4", mime == "audio/x-m4a":
		return "audio"
	case mime == "video/mp4":
		return "video"
	}
	return "document"
}

func (p *Platform) sendFile(ctx context.Context, kind, chat string, topic int, reply *models.ReplyParameters, up models.InputFile) (*models.Message, error) {
	switch kind {
	case "photo":
		return p.bot.SendPhoto(ctx, &tgbot.SendPhotoParams{ChatID: chat, MessageThreadID: topic, ReplyParameters: reply, Photo: up})
	case "animation":
		return p.bot.SendAnimation(ctx, &tgbot.SendAnimationParams{ChatID: chat, MessageThreadID: topic, ReplyParameters: reply, Animation: up})
	case "voice":
		return p.bot.SendVoice(ctx, &tgbot.SendVoiceParams{ChatID: chat, MessageThreadID: topic, ReplyParameters: reply, Voice: up})
	case "audio":
		return p.bot.SendAudio(ctx, &tgbot.SendAudioParams{ChatID: chat, MessageThreadID: topic, ReplyParameters: reply, Audio: up})
	case "video":
		return p.bot.SendVideo(ctx, &tgbot.SendVideoParams{ChatID: chat, MessageThreadID: topic, ReplyParameters: reply, Video: up})
	}
	return p.bot.SendDocument(ctx, &tgbot.SendDocumentParams{ChatID: chat, MessageThreadID: topic, ReplyParameters: reply, Document: up})
}
