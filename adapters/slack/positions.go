package slack

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/clickai/bridge/core"
)

// positions remember up to when everything was handled, and in which threads people were talking. Slack pushes events as
// they happen and does not tell what is new in a room, so one time does for all rooms: it moves with the clock while a
// socket is open, and stands still from when the last one closed, or the store refused an event, until the history has
// been read. It is written now and then; a time that lags costs some messages read again, which are known by their keys.
type positions struct {
	host core.Host

	mu      sync.Mutex
	until   time.Time // everything before has been handled
	up      bool
	gap     int // counts what was missed; 0: nothing
	threads map[core.Place]int64
	dirty   bool // the threads changed
}

// The names of the stored values, and their forms.
const (
	cursorUntil   = "until"   // a timestamp of Slack's
	cursorThreads = "threads" // a list of threadPosition
)

// threadPosition is a thread with the time of its last message that the bot saw, in microseconds since 1970.
type threadPosition struct {
	Room   string `json:"room"`
	Thread string `json:"thread"`
	Last   int64  `json:"last"`
}

func newPositions(host core.Host) *positions {
	return &positions{host: host, threads: map[core.Place]int64{}}
}

// load reads what was stored. fresh is true for a bot that has never been connected: there is nothing to catch up then.
func (p *positions) load() (fresh bool, err error) {
	until, err := p.host.Cursor(cursorUntil)
	if err != nil {
		return false, fmt.Errorf("read the position: %w", err)
	}
	threads, err := p.host.Cursor(cursorThreads)
	if err != nil {
		return false, fmt.Errorf("read the threads: %w", err)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	micro, known := microOf(until)
	p.until, p.gap = time.UnixMicro(micro), 1
	if !known {
		p.until, p.gap, p.up = time.Now(), 0, true
	}
	var list []threadPosition
	if threads != "" && json.Unmarshal([]byte(threads), &list) == nil {
		for _, t := range list {
			p.threads[core.Place{Room: t.Room, Thread: t.Thread}] = t.Last
		}
	}
	return !known, nil
}

// connected and disconnected note when the first socket opened, and the last closed.
func (p *positions) connected() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.up = true
}

func (p *positions) disconnected(now time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.gap == 0 {
		p.until = now
	}
	p.up = false
	p.gap++
}

// missed notes that what was sent at that time has not been handled.
func (p *positions) missed(at time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.gap == 0 {
		p.until = time.Now()
	}
	if at.Before(p.until) {
		p.until = at
	}
	p.gap++
}

// behind tells from when on the history is to be read, and counts the gaps; 0: there is none, or it is still growing: what
// is read while no socket is open lacks what is said until one is.
func (p *positions) behind() (from time.Time, gap int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.up {
		return p.until, 0
	}
	return p.until, p.gap
}

// caughtUp notes that the history has been read since all gaps that behind counted.
func (p *positions) caughtUp(gap int) (done bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.gap != gap {
		return false
	}
	p.gap = 0
	return true
}

// active notes the thread of a message, or the one that is going to hang under a question.
func (p *positions) active(ev *core.Event) {
	at := ev.Place()
	if at.Thread == "" && ev.Reach == core.ReachMention {
		at.Thread = ev.Roots
	}
	if ev.Kind != core.KindMessage || at.Thread == "" {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.threads[at] = max(p.threads[at], ev.SentAt.UnixMicro())
	p.dirty = true
	if len(p.threads) > 2*maxThreads {
		p.trimLocked()
	}
}

// trimLocked keeps the threads that were active last.
func (p *positions) trimLocked() {
	list := p.listLocked()
	for _, t := range list[min(len(list), maxThreads):] {
		delete(p.threads, core.Place{Room: t.Room, Thread: t.Thread})
	}
}

// listLocked is the threads, the latest first.
func (p *positions) listLocked() []threadPosition {
	list := make([]threadPosition, 0, len(p.threads))
	for at, last := range p.threads {
		list = append(list, threadPosition{Room: at.Room, Thread: at.Thread, Last: last})
	}
	slices.SortFunc(list, func(a, b threadPosition) int {
		return cmp.Or(cmp.Compare(b.Last, a.Last), cmp.Compare(a.Room, b.Room), cmp.Compare(a.Thread, b.Thread))
	})
	return list
}

// known lists the threads by room that were active since a time.
func (p *positions) known(since time.Time) map[string][]string {
	p.mu.Lock()
	defer p.mu.Unlock()
	found := map[string][]string{}
	for _, t := range p.listLocked() {
		if t.Last >= since.UnixMicro() {
			found[t.Room] = append(found[t.Room], t.Thread)
		}
	}
	return found
}

// flush writes what has changed. What could not be written is tried again next time.
func (p *positions) flush(ctx context.Context) error {
	p.mu.Lock()
	if p.up && p.gap == 0 {
		p.until = time.Now()
	}
	until := tsOf(p.until)
	var threads []byte
	if p.dirty {
		p.trimLocked()
		threads, _ = json.Marshal(p.listLocked()) // strings and numbers only
		p.dirty = false
	}
	p.mu.Unlock()
	err := p.host.SetCursor(ctx, cursorUntil, until)
	if threads != nil {
		terr := p.host.SetCursor(ctx, cursorThreads, string(threads))
		if terr != nil {
			p.mu.Lock()
			p.dirty = true
			p.mu.Unlock()
		}
		err = errors.Join(err, terr)
	}
	if err != nil {
		return fmt.Errorf("store the position: %w", err)
	}
	return nil
}
