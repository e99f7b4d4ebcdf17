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
)

// Notice is a line with its detail, if any. Detail is one short line without secrets.
type Notice struct {
	Kind   NoticeKind
	Detail string
}
