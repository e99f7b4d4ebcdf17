package core

import (
	"context"
	"log/slog"
	"strings"
	"time"
)

// openStream is a message that grows by what is new in the answer. Its text so far is sent.
type openStream struct {
	Stream
	sent string
}

// maxNativeFailures of one reply, one after the other, are taken for a platform that cannot do it now.
const maxNativeFailures = 3

// streams tells whether the reply should begin as a stream.
func (w *writer) streams(v view) bool {
	return w.t.bot.settings.Stream.Mode == "native" && w.t.bot.streamer != nil && w.stream == nil && v.hasAnswer && !v.final &&
		len(w.shown) == 0 && !w.maybe && w.nativeFailures < maxNativeFailures && w.limits().Streams
}

// drafts tells whether what is not a message yet is shown as a draft.
func (w *writer) drafts(v view) bool {
	return w.t.bot.settings.Stream.Mode == "native" && w.t.bot.drafter != nil && !v.final &&
		w.nativeFailures < maxNativeFailures && w.limits().DraftEvery > 0
}

// showDraft shows the unfinished end of the reply. done is false if it has to be shown as a message instead.
func (w *writer) showDraft(ctx context.Context, p Part) (done bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	err = w.t.bot.drafter.Draft(ctx, Draft{Place: w.place(), Nonce: w.nonce(), Part: p})
	switch class := ClassOf(err); {
	case err == nil:
	case class == Unsupported:
		w.t.log.Info("drafts cannot be shown, showing messages", slog.Any("err", err))
		w.draft = 0
		return false, nil
	case !refused(err):
		return false, w.nativeFailed(err)
	default: // a later state may be taken
		w.t.log.Error("draft refused", slog.Any("err", err))
	}
	w.nativeFailures = 0
	w.draft, w.draftAt = sumOf(p), time.Now()
	w.edits++
	w.paced()
	return true, nil
}

// nativeFailed has the call tried again later, and after some failures another one in its stead: with messages and edits
// nothing is hidden from people for as long as the platform's own way is out of order.
func (w *writer) nativeFailed(err error) error {
	if ClassOf(err) == Transient {
		w.nativeFailures++
	}
	return w.later(err)
}

// redraftAt is when the draft has to be shown again, so that it stays; zero: never.
func (w *writer) redraftAt() time.Time {
	if w.draft == 0 || w.r.isClosed() {
		return time.Time{}
	}
	return w.draftAt.Add(w.limits().DraftEvery)
}

// renewAt is when what stands has to be shown again although the answer has not changed: a draft, so that it stays, or the last
// message, to get its button. Zero: never.
func (w *writer) renewAt() time.Time {
	at, stop := w.redraftAt(), w.stopAt()
	if at.IsZero() || !stop.IsZero() && stop.Before(at) {
		return stop
	}
	return at
}

// stale tells whether what stands has to be shown again although it has not changed.
func (w *writer) stale() bool {
	at := w.renewAt()
	return !at.IsZero() && !time.Now().Before(at)
}

// grow starts the stream, or adds to it what is new. used is false if no call was made.
func (w *writer) grow(ctx context.Context) (used, done bool, err error) {
	one, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	v, markdown := w.r.markdown(false)
	if v.final || w.stream == nil && !w.streams(v) {
		return false, false, nil // it has ended meanwhile, or streams have been found not to work
	}
	defer func() {
		if !used && w.stream != nil {
			w.last = time.Now() // what is held back is not looked at with every chunk
		}
	}()
	text := w.t.bot.streamer.StreamText(markdown, false)
	if w.stream == nil {
		if text == "" {
			return w.nothing(ctx, v)
		}
		w.stopTyping()
		if err := w.startStream(one, text); err != nil || w.stream == nil {
			return true, false, err
		}
		w.seen = v.version
		return true, true, nil
	}
	s := w.stream
	fresh, grown := strings.CutPrefix(text, s.sent)
	switch {
	case !grown: // what was shown has been replaced
		w.overByEdits(w.t.bot.streamer.StopStream(one, s.Stream, "", Part{}))
		return true, false, nil
	case fresh == "":
		return w.nothing(ctx, v)
	}
	if err := w.t.bot.streamer.AppendStream(one, s.Stream, fresh); err != nil {
		return true, false, w.streamFailed(one, err)
	}
	s.sent, s.Sent = text, len(text)
	w.seen = v.version
	w.edits++
	w.paced()
	return true, true, nil
}

func (w *writer) startStream(ctx context.Context, text string) error {
	ref, err := w.t.bot.streamer.StartStream(ctx, w.outgoing(Part{}), text)
	switch ClassOf(err) {
	case "":
	case RateLimited, Transient:
		w.maybe = isMaybe(err)
		return w.nativeFailed(err)
	case Auth, Denied, RoomGone:
		return err
	default:
		w.t.log.Info("answer cannot be streamed here, showing it by edits", slog.Any("err", err))
		w.nativeFailures = maxNativeFailures
		return nil
	}
	if w.firstText == 0 {
		w.firstText = time.Since(w.r.began)
	}
	w.stream = &openStream{Stream: Stream{Message: ref, Began: time.Now(), Sent: len(text)}, sent: text}
	w.shown = append(w.shown, shownPart{ref: ref})
	w.paced()
	return w.noteShown(ctx)
}

// nothing is the result of a step whose call turned out to have nothing to show.
func (w *writer) nothing(ctx context.Context, v view) (used, done bool, err error) {
	done, err = w.stands(ctx, v)
	return false, done, err
}

// finishStream ends the stream with what is still missing.
func (w *writer) finishStream(ctx context.Context) (done bool, err error) {
	w.stopTyping()
	one, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	v, markdown := w.r.markdown(false)
	s, streamer := w.stream, w.t.bot.streamer
	fresh, grown := strings.CutPrefix(streamer.StreamText(markdown, true), s.sent)
	_, parts := w.rendered(markdown, true, 0)
	parts = w.withButtons(parts)
	if !grown || len(parts) != 1 {
		w.overByEdits(streamer.StopStream(one, s.Stream, "", Part{}))
		return false, nil
	}
	if err := streamer.StopStream(one, s.Stream, fresh, parts[0]); err != nil {
		return false, w.streamFailed(one, err)
	}
	w.stream = nil
	w.shown[0].sum = sumOf(parts[0])
	w.seen, w.since = v.version, time.Time{}
	w.paced()
	return true, nil
}

// streamFailed decides whether the stream can go on after an error.
func (w *writer) streamFailed(ctx context.Context, err error) error {
	switch class := ClassOf(err); {
	case class == RateLimited, class == Transient && !isMaybe(err):
		return w.later(err)
	case class == Auth, class == RoomGone, class == Denied:
		w.stream = nil
		return err
	case class != StreamOver:
		// What it shows is in doubt.
		err = w.t.bot.streamer.StopStream(ctx, w.stream.Stream, "", Part{})
	}
	w.overByEdits(err)
	return nil
}

// overByEdits goes on by edits where the stream was.
func (w *writer) overByEdits(err error) {
	if err != nil {
		w.t.log.Info("stream ended, going on by edits", slog.Any("err", err))
	}
	w.stream = nil
	w.shown[len(w.shown)-1].sum = 0
	w.more = true // the gap between edits begins with the first one
}

// endStream leaves no stream open behind a reply that is not complete.
func (w *writer) endStream(ctx context.Context) {
	if w.stream == nil {
		return
	}
	one, cancel := lastWrite(ctx)
	defer cancel()
	if err := w.t.bot.streamer.StopStream(one, w.stream.Stream, "", Part{}); err != nil {
		w.t.log.Info("stream left open", slog.Any("err", err))
	}
	w.stream = nil
}
