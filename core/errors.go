package core

import (
	"errors"
	"fmt"
	"time"
)

// Class says what can be done about a failure at a boundary, so that core need not know whose failure it is.
type Class string

// The classes. The comment says what core does.
const (
	Transient   Class = "transient"    // try again with backoff
	RateLimited Class = "rate_limited" // wait RetryAfter, then try with the newest text
	Auth        Class = "auth"         // the token is refused: stop the bot until someone acts
	Denied      Class = "denied"       // a scope, intent or permission is missing: report it, do not try again
	MessageGone Class = "message_gone" // the message can no longer be edited: post anew
	ThreadGone  Class = "thread_gone"  // the thread is closed or gone: post in the room
	RoomGone    Class = "room_gone"    // the room is gone or has shut the bot out: give up on this reply
	StreamOver  Class = "stream_over"  // the message does not stream any more: edit it
	BadMarkup   Class = "bad_markup"   // send Part.Plain
	TooLong     Class = "too_long"     // split again; give up on this part when it cannot be
	TooLarge    Class = "too_large"    // a file over the limit: say so
	NotFound    Class = "not_found"    // the thing asked for is not there
	Unsupported Class = "unsupported"  // this server or place cannot do it: do without
	Invalid     Class = "invalid"      // the request is wrong; trying again is of no use
)

// Error is a failure at a boundary.
type Error struct {
	Op         string // "slack.Post"
	Class      Class
	RetryAfter time.Duration // for RateLimited; 0 if not said
	// Maybe is true when the request may have taken effect although the answer did not arrive.
	Maybe bool
	Err   error // for the log only; contains no secret
}

func (e *Error) Error() string {
	if e.Err == nil {
		return fmt.Sprintf("%s: %s", e.Op, e.Class)
	}
	return fmt.Sprintf("%s: %s: %v", e.Op, e.Class, e.Err)
}

func (e *Error) Unwrap() error { return e.Err }

// ClassOf is the class of the first *Error in err's tree; Transient for any other error, "" for nil.
func ClassOf(err error) Class {
	if err == nil {
		return ""
	}
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Class
	}
	return Transient
}

// RetryAfterOf is how long the other side asked to wait; 0 if it did not.
func RetryAfterOf(err error) time.Duration {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.RetryAfter
	}
	return 0
}

// ErrShutdown is the cause of a turn's context when the bridge is being stopped.
var ErrShutdown = errors.New("bridge is shutting down")

// ErrStopped is the cause of a turn's context when a person stopped it.
var ErrStopped = errors.New("stopped by a person")

// ErrQueueFull is returned by Store.Put when as many questions wait in the conversation as may.
var ErrQueueFull = errors.New("too many questions wait in this conversation")
