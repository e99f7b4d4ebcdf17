package slack

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/clickai/bridge/core"
)

// note is what the bot was about to show, written down before it did. Slack takes no metadata with files, nor with a stream
// before its end; by its note a message is known again after a restart, or when Slack's answer was lost.
type note struct {
	Nonce string `json:"nonce"`
	File  string `json:"file,omitempty"` // Slack's id of a file that is stored; "" for a stream
	At    int64  `json:"at"`             // microseconds since 1970, by this machine's clock
}

// notes are those of the newest uploads and streams. They are kept by the host, which outlives Run: turns go on when it ends,
// and those of an earlier process may go on before it has begun.
type notes struct {
	writing sync.Mutex // held while host is written to, so that the newest list is written last

	mu    sync.Mutex
	ready chan struct{} // closed once there is a host
	host  core.Host
	list  []note // oldest first
}

const cursorNotes = "notes" // a list of note

var errNoNotes = errors.New("the bot has not begun to run, so what it noted is not known")

func newNotes() *notes { return &notes{ready: make(chan struct{})} }

// attach reads what was stored and lets further notes be stored, by the newest host, from now on.
func (n *notes) attach(host core.Host) error {
	stored, err := host.Cursor(cursorNotes)
	if err != nil {
		return fmt.Errorf("read the notes: %w", err)
	}
	var list []note
	if stored != "" {
		_ = json.Unmarshal([]byte(stored), &list) // what cannot be read is as if it had not been written
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.host == nil {
		close(n.ready)
	}
	n.host = host
	for _, one := range n.list {
		list = add(list, one)
	}
	n.list = list
	return nil
}

// wait waits until there is a host: a turn of an earlier process may be taken up before Run has come that far.
func (n *notes) wait(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, waitNotes)
	defer cancel()
	select {
	case <-n.ready:
		return nil
	case <-ctx.Done():
		return errNoNotes
	}
}

func add(list []note, one note) []note {
	list = slices.DeleteFunc(list, func(o note) bool { return o.Nonce == one.Nonce })
	list = append(list, one)
	return list[max(0, len(list)-maxNotes):]
}

// put writes a note down. An error other than errNoNotes means that the host could not store it; it then holds for as long
// as the process.
func (n *notes) put(ctx context.Context, nonce, file string) error {
	if nonce == "" {
		return nil
	}
	if err := n.wait(ctx); err != nil {
		return err
	}
	n.mu.Lock()
	n.list = add(n.list, note{Nonce: nonce, File: file, At: time.Now().UnixMicro()})
	n.mu.Unlock()

	n.writing.Lock()
	defer n.writing.Unlock()
	n.mu.Lock()
	host := n.host
	raw, _ := json.Marshal(n.list) // strings and numbers only
	n.mu.Unlock()
	if err := host.SetCursor(ctx, cursorNotes, string(raw)); err != nil {
		return fmt.Errorf("store a note: %w", err)
	}
	return nil
}

// get finds a note. The error is errNoNotes.
func (n *notes) get(ctx context.Context, nonce string) (note, bool, error) {
	if err := n.wait(ctx); err != nil {
		return note{}, false, err
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	i := slices.IndexFunc(n.list, func(o note) bool { return o.Nonce == nonce })
	if i < 0 {
		return note{}, false, nil
	}
	return n.list[i], true, nil
}
