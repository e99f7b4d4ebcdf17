package telegram

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"

	"github.com/clickai/bridge/core"
)

const (
	albumsCursor = "albums"
	maxAlbums    = 30 // those that were begun last; the messages of one come within moments, if the bot runs
)

// albums are the albums in groups of which a message was meant for the bot. Its mention stands in the caption of one
// picture and is meant for all; each is an update of its own, which may come to another process than the first. So it is
// stored, before the first picture is confirmed.
type albums struct {
	loaded bool
	list   []album // oldest first
}

type album struct {
	Key   string     `json:"key"`
	Reach core.Reach `json:"reach"`
}

// join gives a message of an album the reach of the album. It is called for one message after the other.
func (a *albums) join(ctx context.Context, host core.Host, ev *core.Event, log *slog.Logger) error {
	if ev.Group == "" || ev.Kind != core.KindMessage || ev.Room.Direct || len(ev.Group) > 100 {
		return nil
	}
	if err := a.load(host, log); err != nil {
		return err
	}
	key := ev.Room.ID + "|" + ev.Sender.ID + "|" + ev.Group
	for _, known := range a.list {
		if known.Key != key {
			continue
		}
		if ev.Reach == core.ReachAmbient {
			ev.Reach = known.Reach
		}
		return nil
	}
	if ev.Reach == core.ReachAmbient {
		return nil
	}
	next := append(a.list[max(0, len(a.list)-maxAlbums+1):len(a.list):len(a.list)], album{key, ev.Reach})
	text, err := json.Marshal(next)
	if err != nil {
		return fmt.Errorf("encode the albums: %w", err)
	}
	if err := host.SetCursor(ctx, albumsCursor, string(text)); err != nil {
		return fmt.Errorf("store the albums: %w", err)
	}
	a.list = next
	return nil
}

// load reads, once, what an earlier process has stored.
func (a *albums) load(host core.Host, log *slog.Logger) error {
	if a.loaded {
		return nil
	}
	text, err := host.Cursor(albumsCursor)
	if err != nil {
		return fmt.Errorf("read the albums: %w", err)
	}
	if text != "" {
		if err := json.Unmarshal([]byte(text), &a.list); err != nil {
			a.list = nil
			log.Warn("stored albums cannot be read", slog.Any("err", err))
		}
	}
	a.loaded = true
	return nil
}
