package agent

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"math/rand/v2"
	"time"

	"github.com/clickai/bridge/clickai"
	"github.com/clickai/bridge/core"
)

const (
	uploadTries  = 3
	rulesFor     = time.Hour
	rulesRetry   = time.Minute
	rulesTimeout = 5 * time.Second
	megabyte     = 1 << 20
)

// Upload is core.App.Upload. The file is opened anew for each try.
func (a *App) Upload(ctx context.Context, user string, f core.File) (core.FileRef, error) {
	ctx = clickai.WithSlotWait(ctx, func(wait time.Duration) { core.Waiting(ctx, wait) })
	wait := backoffFirst
	for try := 1; ; try++ {
		ref, err := a.uploadOnce(ctx, user, f)
		if err == nil {
			return ref, nil
		}
		app, ok := errors.AsType[*core.AppError](err)
		if !ok || ctx.Err() != nil {
			return core.FileRef{}, err
		}
		if app.Class == core.Auth {
			a.log.ErrorContext(ctx, "upload refused: the app's API key is refused, or has no right to this app", slog.Any("err", cleaned(err)))
			return core.FileRef{}, err
		}
		pause := max(app.After, wait/2+rand.N(wait/2))
		again := (app.Class == core.Transient || app.Class == core.RateLimited) && try < uploadTries && !endsWithin(ctx, pause)
		a.log.WarnContext(ctx, "upload failed", slog.Int("attempt", try), slog.Bool("again", again), slog.Any("err", cleaned(err)))
		if !again {
			return core.FileRef{}, err
		}
		core.TellRetry(ctx, a.name, core.AppUpload)
		core.Waiting(ctx, pause)
		if !pauseFor(ctx, pause) {
			return core.FileRef{}, err
		}
		wait *= 2
	}
}

func (a *App) uploadOnce(ctx context.Context, user string, f core.File) (core.FileRef, error) {
	body, err := f.Open(ctx)
	if err != nil {
		return core.FileRef{}, err
	}
	defer func() { _ = body.Close() }()
	src := &sourceReader{r: body}
	up, err := a.client.Upload(ctx, clickai.UploadRequest{User: user, Filename: f.Name, MIMEType: f.MIME, Size: max(f.Size, 0), Content: src})
	if src.err != nil {
		return core.FileRef{}, src.err // reading failed, not sending
	}
	if err != nil {
		return core.FileRef{}, callError(err)
	}
	return core.FileRef{ID: up.ID, Type: core.FileType(f.Name, f.MIME), Name: f.Name}, nil
}

// sourceReader remembers that reading failed, so that it is not taken for a failure of ClickAI's.
type sourceReader struct {
	r   io.Reader
	err error
}

func (s *sourceReader) Read(p []byte) (int, error) {
	n, err := s.r.Read(p)
	if err != nil && err != io.EOF {
		s.err = err
	}
	return n, err
}

// FileRules is core.App.FileRules. Servers that do not tell have no rules.
func (a *App) FileRules(ctx context.Context) core.FileRules {
	t, _ := a.parameters(ctx)
	return t.rules
}

// parameters is what the app tells of itself. That is remembered for an hour, also that it tells nothing; a passing failure for
// a minute. Many who ask at once wait for one answer.
func (a *App) parameters(ctx context.Context) (told, error) {
	if t, ok := a.told.get(); ok {
		return t, nil
	}
	asked := a.told.asking.DoChan("", func() (any, error) {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), rulesTimeout)
		defer cancel()
		p, err := a.client.Parameters(ctx)
		keep := rulesFor
		if err != nil {
			a.log.DebugContext(ctx, "parameters not told", slog.Any("err", cleaned(err)))
			if e, ok := errors.AsType[*clickai.Error](err); !ok || e.Kind != clickai.KindStatus || e.Status >= 500 || e.Status == 429 {
				keep = rulesRetry
			}
			p = &clickai.Parameters{}
		}
		t := told{
			rules:    rulesFrom(p),
			opening:  core.Opening{Text: clip(p.OpeningStatement, maxOpening), Prompts: p.SuggestedQuestions[:min(len(p.SuggestedQuestions), maxPrompts)]},
			suggests: p.SuggestedQuestionsAfterAnswer != nil && p.SuggestedQuestionsAfterAnswer.Enabled,
		}
		a.told.set(t, keep)
		return t, nil
	})
	select {
	case r := <-asked:
		t, _ := r.Val.(told)
		return t, nil
	case <-ctx.Done():
		return told{}, context.Cause(ctx)
	}
}

func rulesFrom(p *clickai.Parameters) core.FileRules {
	rules := core.FileRules{MaxBytes: map[string]int64{}}
	if f := p.FileUpload; f != nil && (f.Enabled == nil || *f.Enabled) {
		rules.Types, rules.MaxCount = f.AllowedFileTypes, f.NumberLimits
		if rules.MaxCount == 0 && f.Image != nil && f.Image.Enabled {
			rules.MaxCount = f.Image.NumberLimits
		}
	}
	if s := p.SystemParameters; s != nil {
		for kind, mb := range map[string]int{
			core.FileDocument: s.FileSizeLimit, core.FileCustom: s.FileSizeLimit, core.FileImage: s.ImageFileSizeLimit,
			core.FileAudio: s.AudioFileSizeLimit, core.FileVideo: s.VideoFileSizeLimit,
		} {
			if mb > 0 {
				rules.MaxBytes[kind] = int64(mb) * megabyte
			}
		}
	}
	return rules
}
