package core

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"strconv"
	"sync"
	"time"
)

const (
	uploadsAtOnce = 3
	uploadTimeout = 5 * time.Minute // of one file, from the platform to ClickAI
	fetchTries    = 3               // of one file from the platform
	maxFileLines  = 6               // files that are named because they do not go along; of more, how many
)

// errTooBig is what a capped reader returns when a file turns out to be over its limit.
var errTooBig = errors.New("file is over its size limit")

// sendFiles streams the attachments of the turn to the app. What cannot go along is named to the person and the rest goes
// on; an error is returned only if the turn cannot go on at all. Those of had are there already, and each that is sent is
// stored, so that none is sent again after a crash.
func (t *turn) sendFiles(ctx context.Context, had []Uploaded) ([]FileRef, error) {
	var all []Attachment
	var names []string
	for _, p := range t.batch {
		for i, a := range p.Event.Attachments {
			all = append(all, a)
			names = append(names, p.Event.Key+"#"+strconv.Itoa(i))
		}
	}
	if len(all) == 0 {
		return nil, nil
	}
	rules := t.app.FileRules(ctx)
	most := t.bot.settings.Attachments.MaxCount
	if rules.MaxCount > 0 {
		most = min(most, rules.MaxCount)
	}
	left := 0 // files that do not go along
	leave := func(a Attachment, why string) {
		if left++; left <= maxFileLines {
			t.reply.notice(Notice{Kind: NoticeFile, Detail: oneLine(attachmentName(a)) + " " + why})
		}
	}
	defer func() {
		if left > maxFileLines {
			t.reply.notice(Notice{Kind: NoticeFile, Detail: fill(t.bot.words.moreFiles, strconv.Itoa(left-maxFileLines))})
		}
	}()
	refs := make([]FileRef, len(all))
	errs := make([]error, len(all))
	slots := make(chan struct{}, uploadsAtOnce)
	var wg sync.WaitGroup
	taken := 0
	for i, a := range all {
		limit, why := t.fileLimit(rules, a)
		if why == "" && taken >= most {
			why = fill(t.bot.words.tooManyFiles, strconv.Itoa(most))
		}
		if why != "" {
			leave(a, why)
			continue
		}
		taken++
		if j := slices.IndexFunc(had, func(u Uploaded) bool { return u.Attachment == names[i] }); j >= 0 {
			refs[i] = had[j].File
			continue
		}
		slots <- struct{}{}
		wg.Go(func() {
			defer func() { <-slots }()
			if err := safely(t.log, func() { refs[i], errs[i] = t.sendFile(ctx, a, limit) }); err != nil {
				errs[i] = err
			}
			if errs[i] == nil && refs[i].ID != "" {
				t.reply.note(func(j *Turn) { j.Uploads = append(j.Uploads, Uploaded{Attachment: names[i], File: refs[i]}) })
			}
		})
	}
	wg.Wait()
	var sent []FileRef
	for i, err := range errs {
		var app *AppError
		switch {
		case err == nil:
			if refs[i].ID != "" {
				sent = append(sent, refs[i])
			}
		case ctx.Err() != nil:
			return nil, context.Cause(ctx)
		case errors.As(err, &app) && app.Notice.Kind == NoticeSetup:
			return nil, err
		default:
			t.log.Warn("attachment not sent", slog.Int64("bytes", all[i].Size), slog.Any("err", err))
			leave(all[i], t.whyNotSent(err))
		}
	}
	return sent, nil
}

// fileLimit is the most bytes that a file may have, or why it may not go at all.
func (t *turn) fileLimit(rules FileRules, a Attachment) (limit int64, why string) {
	w, s := t.bot.words, t.bot.settings.Attachments
	kind := FileType(a.Name, a.MIME)
	if len(s.Types) > 0 && !slices.Contains(s.Types, kind) || len(rules.Types) > 0 && !slices.Contains(rules.Types, kind) {
		return 0, w.typeRefused
	}
	limit = s.MaxBytes.Of(kind)
	if n, ok := rules.MaxBytes[kind]; ok {
		limit = min(limit, n)
	}
	if a.Size > limit {
		return 0, fill(w.tooBig, ByteSize(limit).String())
	}
	return limit, ""
}

func (t *turn) whyNotSent(err error) string {
	w := t.bot.words
	if errors.Is(err, errTooBig) {
		return w.tooLarge
	}
	if app, ok := errors.AsType[*AppError](err); ok {
		switch app.Class {
		case TooLarge:
			if app.Notice.Detail == "" {
				return w.tooLarge
			}
			return fill(w.tooBig, app.Notice.Detail)
		case Invalid, Unsupported:
			return w.typeRefused
		default:
		}
		return w.notSent
	}
	if ClassOf(err) == TooLarge {
		return w.tooLarge
	}
	return w.notFetched
}

func (t *turn) sendFile(ctx context.Context, a Attachment, limit int64) (FileRef, error) {
	if t.bot.opener == nil {
		return FileRef{}, &Error{Op: "open attachment", Class: Unsupported}
	}
	ctx, cancel := context.WithTimeout(ctx, uploadTimeout)
	defer cancel()
	ctx = WithWaiting(ctx, func(wait time.Duration) { t.reply.take(Delta{Kind: DeltaWaiting, Wait: wait}) })
	f := File{Name: attachmentName(a), MIME: a.MIME, Size: a.Size, Open: func(ctx context.Context) (io.ReadCloser, error) {
		r, err := t.bot.opener.OpenAttachment(ctx, a)
		if err != nil {
			return nil, fmt.Errorf("open attachment: %w", err)
		}
		return &cappedReader{r: r, left: limit}, nil
	}}
	began := time.Now()
	wait := newBackoff(time.Second, 10*time.Second)
	ref, err := t.app.Upload(ctx, t.user, f)
	for try := 1; try < fetchTries && fetchAgain(err); try++ {
		t.log.Info("attachment not fetched, trying again", slog.Any("err", err))
		if !sleep(ctx, max(wait.next(), RetryAfterOf(err))) {
			break
		}
		ref, err = t.app.Upload(ctx, t.user, f)
	}
	t.watch.one.Uploaded(a.Size, time.Since(began), appClass(err))
	if err != nil {
		return FileRef{}, fmt.Errorf("upload attachment: %w", err)
	}
	return ref, nil
}

// fetchAgain tells whether a file could not be read from the platform, for a reason that may pass. An App tries again by itself
// what it fails at.
func fetchAgain(err error) bool {
	if _, ok := errors.AsType[*AppError](err); ok || err == nil || errors.Is(err, errTooBig) {
		return false
	}
	class := ClassOf(err)
	return class == Transient || class == RateLimited
}

// cappedReader fails with errTooBig where io.LimitReader would end as if the file were whole.
type cappedReader struct {
	r    io.ReadCloser
	left int64
}

func (c *cappedReader) Read(p []byte) (int, error) {
	if int64(len(p)) > c.left+1 {
		p = p[:c.left+1]
	}
	n, err := c.r.Read(p)
	if c.left -= int64(n); c.left < 0 {
		return 0, errTooBig
	}
	return n, err
}

func (c *cappedReader) Close() error { return c.r.Close() }
