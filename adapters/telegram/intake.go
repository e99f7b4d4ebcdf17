package telegram

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"runtime/debug"
	"time"

	"github.com/clickai/bridge/core"
)

// intake hands updates to the host, whichever way they come.
type intake struct {
	p      *Platform
	host   core.Host
	log    *slog.Logger
	albums albums
}

// task is one thing that an update asks for. Doing it again does no harm: the host knows what it has seen.
type task func(ctx context.Context) error

// decode reads an update. What cannot be read is logged, without its content, counted and passed over: it would be the same
// when it came again, and nothing would come after it.
func (in *intake) decode(raw json.RawMessage) (id int64, from, to string, events []core.Event) {
	defer func() {
		if v := recover(); v != nil {
			from, to, events = "", "", nil
			in.log.Error("panic while an update was read; it is passed over", slog.Int64("update_id", id),
				slog.Uint64("unreadable", in.p.unreadable.Add(1)), slog.Any("panic", v), slog.String("stack", string(debug.Stack())))
		}
	}()
	u, err := readUpdate(raw)
	id = u.ID
	if err != nil {
		in.log.Warn("update cannot be read whole", slog.Int64("update_id", id), slog.Int("bytes", len(raw)),
			slog.Uint64("unreadable", in.p.unreadable.Add(1)), slog.Any("err", err))
	}
	in.p.heard(&u)
	if u.Query != nil && u.Query.ID != "" && len(u.Query.ID) <= maxQueryID {
		in.p.answers.add(u.Query.ID, time.Now().Add(in.p.times.acknowledge))
	}
	if from, to = u.Message.moves(); from != "" {
		return id, from, to, nil
	}
	return id, "", "", in.p.events(&u)
}

// tasks is what an update asks for, in order.
func (in *intake) tasks(raw json.RawMessage) (id int64, todo []task) {
	id, from, to, events := in.decode(raw)
	if from != "" {
		todo = append(todo, in.guarded(fmt.Sprintf("move of %s to %s", from, to), func(ctx context.Context) error {
			return in.p.migrated(ctx, from, to)
		}))
	}
	for _, ev := range events {
		todo = append(todo, in.guarded(ev.Key, func(ctx context.Context) error {
			if err := in.albums.join(ctx, in.host, &ev, in.log); err != nil {
				return err
			}
			return in.host.Accept(ctx, ev)
		}))
	}
	return id, todo
}

// guarded passes over what makes the host panic: it would do so again after a restart.
func (in *intake) guarded(what string, do task) task {
	return func(ctx context.Context) (err error) {
		defer func() {
			if v := recover(); v != nil {
				in.log.Error("panic while an update was taken; it is passed over", slog.String("event_key", what),
					slog.Any("panic", v), slog.String("stack", string(debug.Stack())))
			}
		}()
		return do(ctx)
	}
}

// notStored is what the host is told while it takes nothing.
func notStored(op string, err error) *core.Error {
	return &core.Error{Op: "telegram." + op, Class: core.Transient, Err: fmt.Errorf("events cannot be stored: %w", err)}
}

// hello learns who the bot is.
func (in *intake) hello(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	var me user
	if err := in.p.call(ctx, "getMe", struct{}{}, &me); err != nil {
		return err
	}
	if me.ID == 0 {
		return errNoResult
	}
	in.p.setSelf(me)
	in.log.Info("account", slog.String("user_id", me.key()), slog.String("username", me.Username),
		slog.Bool("reads_all_group_messages", me.ReadsAll))
	return nil
}

// refusedToken is the error that ends a bot, if err says that its token is refused; else nil. A token that never was one of
// the server's gives 404 on every method.
func (p *Platform) refusedToken(op string, err error) *core.Error {
	api, ok := errors.AsType[*apiError](err)
	if ok && (api.Code == http.StatusUnauthorized || api.Code == http.StatusNotFound && op == "getMe") {
		return &core.Error{Op: "telegram." + op, Class: core.Auth, Err: p.mask(fmt.Errorf("%w (%w)", errToken, api))}
	}
	return nil
}
