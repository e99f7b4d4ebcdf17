package telegram

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strconv"
	"strings"
	"time"
)

const (
	// retention is how long updates are kept: https://core.telegram.org/bots/api#getting-updates.
	retention = 24 * time.Hour
	// maxUpdateLog bounds what Updates tells and Duplicate can send again.
	maxUpdateLog = 10_000
)

// updateKinds are the update types of https://core.telegram.org/bots/api#update; false marks those that are sent only
// to bots that ask for them by name.
var updateKinds = map[string]bool{
	"message": true, "edited_message": true, "channel_post": true, "edited_channel_post": true,
	"business_connection": true, "business_message": true, "edited_business_message": true,
	"deleted_business_messages": true, "inline_query": true, "chosen_inline_result": true, "callback_query": true,
	"shipping_query": true, "pre_checkout_query": true, "purchased_paid_media": true, "poll": true, "poll_answer": true,
	"my_chat_member": true, "chat_join_request": true, "chat_boost": true, "removed_chat_boost": true,
	"managed_bot": true, "guest_message": true, "subscription": true,
	"chat_member": false, "message_reaction": false, "message_reaction_count": false,
}

// update is one entry of the queue.
type update struct {
	id        int64
	raw       json.RawMessage
	key       string // webhook deliveries of one key are one at a time, in order
	at        time.Time
	delivered int  // how often it was handed to the bot
	again     bool // an extra copy, made by Duplicate or Redeliver
	inFlight  bool // a webhook call with it is under way
	attempts  int
	notBefore time.Time
}

// updateQueue holds what the bot has not confirmed. It is guarded by Server.mu.
type updateQueue struct {
	nextID    int64
	limit     int
	waiting   []*update
	mixed     bool            // batches are handed out in reverse
	log       []*UpdateRecord // oldest first, bounded
	allowed   []string        // remembered from call to call; nil is the default
	allowedOK map[string]bool // the same as a set
}

// UpdateRecord is one update as the server made it.
type UpdateRecord struct {
	ID        int64
	Raw       json.RawMessage // the whole update
	Delivered int             // how often it was handed to the bot; a webhook call counts when it is made
	Confirmed bool            // the bot has confirmed it, or it was dropped
}

func newUpdateQueue(first int64, limit int) updateQueue {
	return updateQueue{nextID: first, limit: limit}
}

func (q *updateQueue) wants(kind string) bool {
	if q.allowedOK == nil {
		return updateKinds[kind]
	}
	return q.allowedOK[kind]
}

// allow remembers allowed_updates; an empty list is the default, a list of nothing known too.
func (q *updateQueue) allow(kinds []string) {
	q.allowed, q.allowedOK = nil, nil
	ok := map[string]bool{}
	for _, k := range kinds {
		k = strings.ToLower(k)
		if _, known := updateKinds[k]; known && !ok[k] {
			ok[k] = true
			q.allowed = append(q.allowed, k)
		}
	}
	if len(ok) > 0 {
		q.allowedOK = ok
	}
}

func (q *updateQueue) add(kind, key string, body json.RawMessage) *update {
	u := &update{id: q.nextID, key: key, at: time.Now()}
	q.nextID++
	var b bytes.Buffer
	fmt.Fprintf(&b, `{"update_id":%d,%q:%s}`, u.id, kind, body)
	u.raw = b.Bytes()
	q.append(u)
	return u
}

func (q *updateQueue) append(u *update) {
	q.log = append(q.log, &UpdateRecord{ID: u.id, Raw: u.raw})
	if over := len(q.log) - maxUpdateLog; over > 0 {
		q.log = slices.Delete(q.log, 0, over)
	}
	q.waiting = append(q.waiting, u)
	if time.Since(q.waiting[0].at) >= retention { // the oldest is the first
		q.drop(func(old *update) bool { return time.Since(old.at) >= retention })
	}
	if over := len(q.waiting) - q.limit; over > 0 {
		n := 0
		q.drop(func(*update) bool { n++; return n <= over })
	}
}

// drop takes updates off the queue.
func (q *updateQueue) drop(gone func(*update) bool) {
	q.waiting = slices.DeleteFunc(q.waiting, func(u *update) bool {
		if !gone(u) {
			return false
		}
		if r := q.record(u.id); r != nil {
			r.Confirmed = true
		}
		return true
	})
}

func (q *updateQueue) record(id int64) *UpdateRecord {
	i, ok := slices.BinarySearchFunc(q.log, id, func(r *UpdateRecord, id int64) int { return int(r.ID - id) })
	if !ok {
		return nil
	}
	return q.log[i]
}

func (q *updateQueue) delivered(u *update) {
	u.delivered++
	if r := q.record(u.id); r != nil {
		r.Delivered++
	}
}

// confirm applies an offset: all below it is forgotten, and a negative one keeps that many from the end. Extra copies
// are forgotten once they were handed out.
func (q *updateQueue) confirm(offset int64) {
	q.drop(func(u *update) bool {
		return time.Since(u.at) >= retention || u.again && u.delivered > 0 || !u.again && u.id < offset
	})
	if offset < 0 {
		n := len(q.waiting) + int(max(offset, -int64(len(q.waiting))))
		q.drop(func(*update) bool { n--; return n >= 0 })
	}
}

// take hands out the first updates.
func (q *updateQueue) take(limit int) []json.RawMessage {
	out := []json.RawMessage{}
	for _, u := range q.waiting[:min(limit, len(q.waiting))] {
		q.delivered(u)
		out = append(out, u.raw)
	}
	if q.mixed {
		slices.Reverse(out)
	}
	return out
}

// push makes an update of v unless the bot does not want its kind. Called with mu held.
func (s *Server) push(kind string, chatID int64, v any) {
	if !s.updates.wants(kind) {
		return
	}
	body, err := json.Marshal(v)
	if err != nil { // plain data of this package
		s.log.Error("encoding an update", slog.Any("error", err))
		return
	}
	s.updates.add(kind, strconv.FormatInt(chatID, 10), body)
	s.queued.Notify()
}

// MixUp has each answer of getUpdates hold its updates in reverse order, as something between a bot and Telegram might.
func (s *Server) MixUp(on bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.updates.mixed = on
}

// RestartIDs has the ids of updates go on from first, above 0, as after a week without any: the next one is then chosen at
// random (https://core.telegram.org/bots/api#update). What is remembered of earlier updates is forgotten; there must be
// none that is unconfirmed.
func (s *Server) RestartIDs(first int64) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if first <= 0 || len(s.updates.waiting) > 0 {
		return fmt.Errorf("restarting the ids of updates at %d while %d wait: %w", first, len(s.updates.waiting), ErrNoUpdate)
	}
	s.updates.nextID, s.updates.log = first, nil
	return nil
}

// InjectUpdate puts an update of any content into the queue, whatever kinds the bot wants: one that no library can
// decode, for instance. raw is a JSON object; its update_id, if any, is replaced. The new id is returned.
func (s *Server) InjectUpdate(raw json.RawMessage) (int64, error) {
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(raw, &fields); err != nil {
		return 0, fmt.Errorf("injecting an update: %w", err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	id := s.updates.nextID
	s.updates.nextID++
	fields["update_id"] = json.RawMessage(strconv.FormatInt(id, 10))
	whole, err := json.Marshal(fields)
	if err != nil {
		return 0, fmt.Errorf("injecting an update: %w", err)
	}
	s.updates.append(&update{id: id, raw: whole, key: "injected", at: time.Now()})
	s.queued.Notify()
	return id, nil
}

// ErrNoUpdate is returned when an update was never made, or too many came after it.
var ErrNoUpdate = errors.New("no such update")

// Duplicate hands the bot an update once more with its old id, confirmed or not.
func (s *Server) Duplicate(id int64) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	r := s.updates.record(id)
	if r == nil {
		return fmt.Errorf("update %d: %w", id, ErrNoUpdate)
	}
	s.updates.waiting = append(s.updates.waiting, &update{id: id, raw: r.Raw, key: "again", at: time.Now(), again: true})
	s.queued.Notify()
	return nil
}

// Redeliver does what Duplicate does for the last n updates that were handed out, and tells how many those were.
func (s *Server) Redeliver(n int) int {
	s.mu.Lock()
	var ids []int64
	for i := len(s.updates.log) - 1; i >= 0 && len(ids) < n; i-- {
		if s.updates.log[i].Delivered > 0 {
			ids = append(ids, s.updates.log[i].ID)
		}
	}
	s.mu.Unlock()
	done := 0
	for _, id := range slices.Backward(ids) {
		if s.Duplicate(id) == nil {
			done++
		}
	}
	return done
}

// Updates are the latest updates, oldest first; at most 10,000.
func (s *Server) Updates() []UpdateRecord {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := make([]UpdateRecord, len(s.updates.log))
	for i, r := range s.updates.log {
		out[i] = *r
	}
	return out
}

// Pending is how many updates the bot has not confirmed.
func (s *Server) Pending() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.updates.waiting)
}
