// Package clickai is a Go client for the ClickAI API.
//
// # Usage
//
// A [Client] speaks with one app, by that app's secret key:
//
//	client, err := clickai.New(clickai.Config{APIKey: os.Getenv("CLICKAI_API_KEY")})
//	if err != nil {
//		return err
//	}
//	stream, err := client.ChatStream(ctx, clickai.ChatRequest{Query: "Hello", User: "user-1"})
//	if err != nil {
//		return err // nothing has been streamed: see Error.Kind
//	}
//	defer stream.Close()
//	for event, err := range stream.Events() {
//		if err != nil {
//			return err
//		}
//		switch event := event.(type) {
//		case *clickai.Message:
//			fmt.Print(event.Answer)
//		case *clickai.MessageEnd:
//			conversation = event.ConversationID
//		case *clickai.ErrorEvent:
//			return errors.New(event.Message)
//		}
//	}
//
// [Client.Chat], [Client.Complete] and [Client.RunWorkflow] wait for the whole
// answer instead; the methods ending in Stream deliver it as typed events.
// [Client.Upload], [Client.Feedback], [Client.Conversations],
// [Client.Messages], [Client.RenameConversation],
// [Client.DeleteConversation], the Stop methods, [Client.Parameters],
// [Client.Info] and [Client.SuggestedQuestions] are the rest of the App
// Runtime API. [Console] lists a workspace's assistants; it has a host and a
// token of its own.
//
// # Guarantees
//
//   - The secret key goes to the configured host alone. Redirects of POST and
//     DELETE are never followed, those of GET only within the same origin.
//     The key appears in no error and in no printed Config, Client or Console.
//   - Every failure is an *[Error]. Its Kind says whether the request may have
//     reached ClickAI, which decides whether asking again is safe. The package
//     never repeats a request by itself.
//   - No fixed limit cuts a stream that lives: response headers have a
//     timeout, silence has another that any received byte resets, and the
//     caller's context ends everything. [Stream.Begun] tells whether ClickAI
//     has started to work on the question.
//   - Memory is bounded: one line of a stream by Config.MaxLine, an error body
//     by 64 KB, other bodies by Config.MaxLine, an upload by one small buffer
//     whatever the file's size.
//   - Fields that the server leaves out, sends as null or sends with another
//     type than documented leave the zero value; they never fail a call.
//     Identifiers are opaque strings and are escaped in paths.
//   - A [Limiter] shared by all clients of one key keeps to the plan's
//     requests per minute and per day, and never lets more than that many
//     requests start in any such window.
//   - Clients, consoles and limiters may be used from many goroutines. The
//     package starts no goroutine that outlives a call, with one exception that
//     UploadRequest.Content states.
//
// # Streams
//
// The stream decoder is our own. github.com/tmaxmax/go-sse (v0.12.0) was tried
// first. It splits lines correctly (CR, LF, CR LF; U+2028 and U+0085 are left
// alone) and delivers keep-alives that have no data, but four of its properties
// don't suit this API, where one event can be many megabytes on one line: an event
// over its bound ends the stream instead of being skipped; an event that arrives in
// many reads is scanned from its start at each of them (12 MB in reads of 16 KB took
// three seconds); a final event whose blank line is missing is lost; and each event
// costs a copy of its data before any of it is decoded.
//
// Whatever the chunks in which bytes arrive, the events are the same. An event
// that cannot be used, because its JSON is malformed or its line is over the
// bound, becomes a [Skipped] event and the stream goes on. A server that
// answers a streaming request with one JSON body is heard, too: the body is
// delivered as the events that it stands for.
//
// # Non-goals
//
// No retries, no backoff, no caching, no logging, no conversation state: these
// are decisions of the application. Audio and Conversation Variables are left
// out.
//
// # Sources
//
// ClickAI's API guide is the source for endpoints, fields, error statuses and
// plan limits. Its app API has the shape of Dify's, so what the guide leaves
// open follows Dify's published reference
// (https://docs.dify.ai/en/api-reference), and is tolerated but never
// required. The stream format is
// https://html.spec.whatwg.org/multipage/server-sent-events.html.
package clickai
