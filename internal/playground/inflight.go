package playground

import (
	"net/http"
	"sync"
)

// inflight knows the requests that are being answered, so that Close can wait for them: [http.Server.Close] does not.
type inflight struct {
	mu   sync.Mutex
	over bool
	wg   sync.WaitGroup
}

// wrap makes a handler's requests known.
func (f *inflight) wrap(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		f.mu.Lock()
		if f.over {
			f.mu.Unlock()
			panic(http.ErrAbortHandler) // its connection is being closed
		}
		f.wg.Add(1)
		f.mu.Unlock()
		defer f.wg.Done()
		next.ServeHTTP(w, r)
	})
}

// wait lets no more requests in and waits for those that are; their connections must have been closed.
func (f *inflight) wait() {
	f.mu.Lock()
	f.over = true
	f.mu.Unlock()
	f.wg.Wait()
}
