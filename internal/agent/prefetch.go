package agent

import (
	"bytes"
	"context"
	"io"
	"runtime"
	"sync"
	"time"

	"github.com/clickai/bridge/core"
)

const (
	// maxPrefetch is the largest file that is fetched when it is announced, in bytes. Larger ones are looked at and fetched
	// when they are sent.
	maxPrefetch = 4 << 20
	// maxHeld bounds what all answers of one app hold in memory of such files, in bytes.
	maxHeld = 64 << 20
	// headSize is what the type of a file is told by, in bytes.
	headSize = 3072
	// prefetchTime bounds one such fetch.
	prefetchTime = 15 * time.Second
	// headStart is how long an answer waits for a file that is announced, so that it is sent at its place.
	headStart = 250 * time.Millisecond
	// maxFetching is how many files of one answer are fetched at once.
	maxFetching = 4
	// maxMadeFiles bounds the files of one answer; more are not looked at.
	maxMadeFiles = 64
)

// spool fetches the files of one answer when they are announced: their links live for minutes alone, and their names and
// types have to be right before they are sent.
type spool struct {
	app     *App
	q       core.Question
	ids     func() core.Delta
	ctx     context.Context
	cancel  context.CancelFunc
	wg      sync.WaitGroup
	slots   chan struct{}
	pending []*fetched
}

// fetched is a file that is being fetched. It is complete when done is closed.
type fetched struct {
	file madeFile
	data *blob // nil: to be fetched when it is sent
	done chan struct{}
}

// blob is the content of a file in memory.
type blob struct{ data []byte }

func newSpool(ctx context.Context, a *App, q core.Question, ids func() core.Delta) *spool {
	s := &spool{app: a, q: q, ids: ids, slots: make(chan struct{}, maxFetching)}
	s.ctx, s.cancel = context.WithCancel(ctx)
	return s
}

// close ends what is still being fetched.
func (s *spool) close() {
	s.cancel()
	s.wg.Wait()
}

// add begins to fetch a file.
func (s *spool) add(f madeFile) {
	p := &fetched{file: f, done: make(chan struct{})}
	s.pending = append(s.pending, p)
	s.wg.Go(func() {
		defer close(p.done)
		select {
		case s.slots <- struct{}{}:
			defer func() { <-s.slots }()
			p.fetch(s.ctx, s.app)
		case <-s.ctx.Done():
		}
	})
	if len(s.pending) == 1 {
		timer := time.NewTimer(headStart)
		defer timer.Stop()
		select {
		case <-p.done:
		case <-timer.C:
		}
	}
}

// drain passes on the files that are there, in order; with wait, all of them.
func (s *spool) drain(wait bool, emit func(core.Delta) bool) bool {
	for len(s.pending) > 0 {
		p := s.pending[0]
		if wait {
			<-p.done
		}
		select {
		case <-p.done:
		default:
			return true
		}
		s.pending = s.pending[1:]
		if !emit(core.Delta{Kind: core.DeltaFile, File: s.app.fileOut(s.q, s.ids(), p)}) {
			return false
		}
	}
	return true
}

// fetch gets the file, or its beginning if it is large. Where that fails, the file is fetched when it is sent, and what is
// wrong shows then.
func (p *fetched) fetch(ctx context.Context, a *App) {
	ctx, cancel := context.WithTimeout(ctx, prefetchTime)
	defer cancel()
	res, err := a.get(ctx, p.file.URL)
	if err != nil {
		p.file = p.file.described(nil, nil)
		return
	}
	defer func() { _ = res.Body.Close() }()
	head, err := io.ReadAll(io.LimitReader(res.Body, headSize))
	p.file = p.file.described(res.Header, head)
	if res.ContentLength > 0 {
		p.file.Size = res.ContentLength
	}
	if err != nil || res.ContentLength > maxPrefetch || !a.reserve(maxPrefetch) {
		return
	}
	data := head
	if len(head) == headSize {
		var rest []byte
		rest, err = io.ReadAll(io.LimitReader(res.Body, maxPrefetch-headSize+1))
		data = append(head, rest...)
	}
	if err != nil || len(data) > maxPrefetch || res.ContentLength >= 0 && int64(len(data)) != res.ContentLength {
		a.held.Add(-maxPrefetch)
		return
	}
	a.held.Add(int64(len(data)) - maxPrefetch)
	p.data = &blob{data: bytes.Clone(data)}
	p.file.Size = int64(len(data))
	runtime.AddCleanup(p.data, func(n int64) { a.held.Add(-n) }, int64(len(data)))
}

// reserve takes n bytes of what may be held in memory, if there are so many.
func (a *App) reserve(n int64) bool {
	if a.held.Add(n) > maxHeld {
		a.held.Add(-n)
		return false
	}
	return true
}

// fileOut is the file as core sends it on.
func (a *App) fileOut(q core.Question, ids core.Delta, p *fetched) core.FileOut {
	f, data := p.file, p.data
	size := f.Size
	if size <= 0 {
		size = -1
	}
	open := func(ctx context.Context) (io.ReadCloser, error) { return a.open(ctx, q, ids, f) }
	if data != nil {
		open = func(context.Context) (io.ReadCloser, error) { return &blobReader{of: data}, nil }
	}
	return core.FileOut{ID: first(f.keys()), Type: f.Type, File: core.File{Name: f.Name, MIME: f.MIME, Size: size, Open: open}}
}

// blobReader reads a blob, which stays counted meanwhile.
type blobReader struct {
	of *blob
	at int
}

func (r *blobReader) Read(p []byte) (int, error) {
	if r.at == len(r.of.data) {
		return 0, io.EOF
	}
	n := copy(p, r.of.data[r.at:])
	r.at += n
	return n, nil
}

func (r *blobReader) Close() error { return nil }
