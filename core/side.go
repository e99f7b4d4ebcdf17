package core

import (
	"context"
	"log/slog"
	"strings"
	"time"
)

// openThread makes the thread of the question, where the platform needs that. The answer goes to the question's own place
// if there can be none.
func (w *writer) openThread(ctx context.Context) {
	first := w.t.batch[0]
	if w.opened || !first.Opens || w.t.bot.threads == nil {
		return
	}
	w.opened = true
	wait := newBackoff(500*time.Millisecond, 5*time.Second)
	for try := 1; ; try++ {
		one, cancel := context.WithTimeout(ctx, callTimeout)
		at, err := w.t.bot.threads.OpenThread(one, first.Event.Ref(), threadName(first.Event))
		cancel()
		if err == nil {
			w.moved(at)
			return
		}
		class := ClassOf(err)
		if class != Transient && class != RateLimited || try == 4 {
			w.t.log.Warn("thread not opened, answering in the room", slog.Any("err", err))
			w.moved(first.Event.Place())
			return
		}
		if !sleep(ctx, max(wait.next(), RetryAfterOf(err))) {
			return
		}
	}
}

// threadName is the first line of the question, cut at a word.
func threadName(ev Event) string {
	line, _, _ := strings.Cut(strings.TrimSpace(ev.Text), "\n")
	line = strings.Join(strings.Fields(line), " ")
	if line == "" && len(ev.Attachments) > 0 {
		line = attachmentName(ev.Attachments[0])
	}
	runes := []rune(line)
	if len(runes) <= maxThreadName {
		return line
	}
	cut := string(runes[:maxThreadName-1])
	if i := strings.LastIndexByte(cut, ' '); i > len(cut)/2 {
		cut = cut[:i]
	}
	return cut + "…"
}

// keepTyping keeps the typing sign until ctx ends.
func (w *writer) keepTyping(ctx context.Context) {
	refused := 0
	for {
		one, cancel := context.WithTimeout(ctx, callTimeout)
		err := w.t.bot.typist.Typing(one, w.place())
		cancel()
		if err != nil && ctx.Err() == nil {
			w.t.log.Debug("typing not shown", slog.Any("err", err))
			if w.hopeless(err) {
				return
			}
		}
		every := w.limits().TypingEvery
		if ClassOf(err) == RateLimited {
			refused = min(refused+1, 3)
			every <<= refused // there are more answers at once than there is room for signs
		} else {
			refused = 0
		}
		if every == 0 || !sleep(ctx, max(every, RetryAfterOf(err))) {
			return
		}
	}
}

// sendFiles posts the files that the app has made so far, in order.
func (w *writer) sendFiles(ctx context.Context) {
	for {
		w.r.mu.Lock()
		if len(w.r.queue) == 0 {
			w.r.mu.Unlock()
			return
		}
		f := w.r.queue[0].File
		w.r.queue = w.r.queue[1:]
		f.Nonce, f.Again = w.fileNonce(w.r.j.Dealt), w.resumed
		w.r.mu.Unlock()
		if w.sendFile(ctx, f) {
			w.r.note(func(j *Turn) { j.Dealt++ })
		}
	}
}

// voiceIndex is the index of the spoken answer, which is no file of the app's.
const voiceIndex = maxFiles

// fileNonce names the message of the reply's i-th file, or of its spoken answer.
func (w *writer) fileNonce(i int) string {
	return nonce(w.t.batch[0].Event.Bot+w.t.batch[0].Event.Key+" file", i)
}

// sendFile sends one file. dealt is false if the work ended before it was sent or given up.
func (w *writer) sendFile(ctx context.Context, f File) (dealt bool) {
	words := w.t.bot.words
	failed := func(why string, err error) {
		w.t.log.Warn("file of the answer not sent", slog.Any("err", err))
		w.r.notice(Notice{Kind: NoticeFile, Detail: strings.TrimSpace(f.Name + " " + why)})
	}
	if w.t.bot.upload == nil {
		failed(words.notSent, &Error{Op: "upload", Class: Unsupported})
		return true
	}
	work := ctx
	ctx, cancel := context.WithTimeout(ctx, fileTimeout)
	defer cancel()
	wait := newBackoff(time.Second, 10*time.Second)
	for try := 1; ; try++ {
		ref, err := w.t.bot.upload.Upload(ctx, w.place(), "", f)
		if err == nil {
			if !ref.IsZero() {
				w.r.note(func(j *Turn) { j.Extra = append(j.Extra, ref) })
			}
			return true
		}
		if work.Err() != nil {
			return false // the next process sends it
		}
		f.Again = f.Again || isMaybe(err)
		class := ClassOf(err)
		again := class == RateLimited || class == Transient && try < 3
		if !again || !sleep(ctx, max(wait.next(), RetryAfterOf(err))) {
			switch class {
			case TooLarge:
				failed(tooLargeLine(words, f.Size), err)
			case NotFound:
				failed(words.notFetched, err)
			default:
				failed(words.notSent, err)
			}
			return true
		}
	}
}

// sendVoice posts the spoken answer as one file.
func (w *writer) sendVoice(ctx context.Context) {
	w.r.mu.Lock()
	audio, spoken := w.r.audio, w.r.j.Spoken
	w.r.mu.Unlock()
	if len(audio) == 0 || spoken || w.t.bot.upload == nil {
		return
	}
	f := voiceFile(audio)
	f.Nonce, f.Again = w.fileNonce(voiceIndex), w.resumed
	if w.sendFile(ctx, f) {
		w.r.note(func(j *Turn) { j.Spoken = true })
	}
}

// tooLargeLine says that a file is too large for the platform, and how large it is where that is known.
func tooLargeLine(w *words, size int64) string {
	if size <= 0 {
		return w.tooLarge
	}
	return w.tooLarge + " (" + ByteSize(size).Round().String() + ")"
}
