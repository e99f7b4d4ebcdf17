// Package clickai is a stand-in of the ClickAI HTTP API: a real HTTP server on loopback for tests and for the demo. It
// is written from ClickAI's API guide (https://clickai.io) and, where the guide is silent, from the public
// documentation of the servers that ClickAI's API is compatible with (https://docs.dify.ai/api-reference). It shares
// no code with any client, so that it can be the judge of one.
//
// # What it guarantees
//
// It serves every endpoint of the guide and the usual further ones: assistants list, chat, completion and workflow
// (streaming and blocking), stop, upload, preview, feedback, conversations, messages, rename, delete, suggested
// questions, parameters, info, meta, site, and the record of a workflow run. One server is both the App Runtime API and
// the Studio API. A key belongs to one app of one mode; conversations, messages and files belong to the pair of app and
// user that made them, and are 404 or 400 for all others.
//
// Requests are checked strictly. What a client does against the documentation is refused as the API does and listed by
// [Server.Violations]; what it cannot know beforehand, such as a conversation deleted elsewhere, is only refused.
//
// A client that goes away does not end its run: the answer grows to its end and is in the history then, as with the
// real API. [Server.Requests], [Server.Turns], [Server.Uploads], [Server.Ratings] and [Server.Conversations] tell what
// was seen, each before the client can know of it; [Server.Changed] wakes who waits for it. All that is kept is bounded
// by [Keep].
//
// # Answers
//
// Without a script the built-in agent answers, with real Markdown, word by word, in English or Vietnamese. The answer
// names the turn's number, the question, the question before and the files, and is the same for the same ones. Words
// in the question choose samples from the menu, see [Menu]:
//
//	long answer   headings, code, lists and tables, more than 4,096 characters
//	error         an error event in the middle
//	moderation    a text that message_replace replaces
//	image         message_file with a PNG at an absolute signed URL
//	picture       the same at a relative one; an agent draws it with a tool
//	download      a text that links to a file at a relative signed URL
//	voice         tts_message chunks of an MP3, tts_message_end last
//	sources       retriever_resources in message_end
//	tools         agent_thought snapshots with a tool's calls (agents)
//	think         <think> tags that span events
//	steps         workflow nodes with titles (workflows and chatflows)
//	approval      a run that waits for a person (workflows and chatflows)
//	empty answer  no text at all
//	slow          a long wait, then slow words
//	table, code   just that
//
// [Server.Script] queues exact answers instead: steps such as [Text], [Raw], [Wait], [Cut] or [Reply], with gates that
// the test opens, so that no test has to sleep. [Server.Faults] misbehaves in front of all routes.
//
// # What it is not
//
// It has no model, makes no outgoing requests (a file given by remote_url is noted, not fetched), keeps nothing on
// disk, does not resume streams, and has no speech recognition and no conversation variables.
package clickai
