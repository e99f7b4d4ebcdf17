package core

// NoticeKind is one of the bridge's own lines.
type NoticeKind string

// The lines that core, or an app through an AppError, may tell a person. docs and code use these names.
const (
	NoticeSetup      NoticeKind = "setup"       // the bot is not set up correctly
	NoticeRetry      NoticeKind = "retry"       // no answer could be had; ask again
	NoticeBusy       NoticeKind = "busy"        // still trying; goes when the answer comes
	NoticeError      NoticeKind = "error"       // the app refused, Detail is its own message
	NoticeErrorRetry NoticeKind = "error_retry" // the same where asking again may help
	NoticeTooLong    NoticeKind = "too_long"    // the question is too long
	NoticeQuota      NoticeKind = "quota"       // the plan's quota is used up
	NoticeStopped    NoticeKind = "stopped"     // ended because a person said stop
	NoticeEndedEarly NoticeKind = "ended_early" // the app ended the run by itself
	NoticeTimeout    NoticeKind = "timeout"     // answer_timeout reached
	NoticeNoAnswer   NoticeKind = "no_answer"   // the app finished without text or file
	NoticePaused     NoticeKind = "paused"      // waits for a person in ClickAI, Detail is the step's title
	NoticeCut        NoticeKind = "cut"         // the answer broke off
	NoticeFile       NoticeKind = "file"        // Detail names a file that could not be sent on, and why
	NoticeQueueFull  NoticeKind = "queue_full"  // too many questions wait in this conversation
	NoticeTooMany    NoticeKind = "too_many"    // this person asks too much in too short a time
	NoticeDenied     NoticeKind = "denied"      // a direct chat with someone who is not allowed

	NoticeFailed      NoticeKind = "failed"          // a command could not be carried out
	NoticeNothingRuns NoticeKind = "nothing_runs"    // stop: there is no answer to be ended
	NoticeNotYours    NoticeKind = "not_yours"       // delete: somebody else began the conversation
	NoticeNew         NoticeKind = "new"             // the next message begins a new conversation
	NoticeNone        NoticeKind = "no_conversation" // there is none here yet
	NoticeNoMemory    NoticeKind = "no_memory"       // the app keeps no conversations
	NoticeNoRetry     NoticeKind = "no_retry"        // there is nothing to be asked again
	NoticeOldRetry    NoticeKind = "old_retry"       // the question has been followed by others
	NoticeDeleted     NoticeKind = "deleted"         // the conversation is gone
	NoticeRenamed     NoticeKind = "renamed"         // Detail is the new name
	NoticeChosen      NoticeKind = "chosen"          // Detail is the name of the conversation to go on with
	NoticeNotFound    NoticeKind = "not_found"       // that conversation is not there
	NoticeInPrivate   NoticeKind = "in_private"      // what was asked for is shown in a direct chat only
	NoticeThanks      NoticeKind = "thanks"          // for a rating
	NoticeWhy         NoticeKind = "why"             // asks what was wrong, to be answered by a reply
	NoticeInThread    NoticeKind = "in_thread"       // how to give a command inside a thread
	NoticeOver        NoticeKind = "over"            // the button is of an answer that the bot has forgotten
)

// Notice is a line with its detail, if any. Detail is one short line without secrets.
type Notice struct {
	Kind   NoticeKind
	Detail string
}
