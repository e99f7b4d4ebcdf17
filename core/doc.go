// Package core is the middle of the bridge: it decides what is answered, keeps one queue for each conversation, asks the
// app, writes the reply by editing it in place, and turns reactions into ratings.
//
// core knows no platform, no wire format of ClickAI and no database. It owns the interfaces that those implement:
// [Platform] with its optional capabilities (adapters), [App] (internal/agent), [Store] (store).
//
// # Guarantees
//
//   - [Sink.Accept] returns nil only once the event is durable, known, or of no concern. A platform acknowledges after that.
//   - One conversation has one turn at a time, in the order of arrival. Conversations never wait for each other.
//   - An event that is seen twice is answered once: its [Event.Key] is remembered.
//   - No platform call stands between a question and its request to the app, but for what the question needs: its
//     attachments and, in a thread that people had begun, the earlier messages.
//   - A person always gets an end: the answer, what there was of it with one line, or one line that says what happened.
//
// # Concurrency
//
// [Bridge.Run] owns every goroutine and returns when all have ended. One supervisor for each bot runs [Platform.Run]; one
// worker runs for each conversation that has something to do; a turn has one more goroutine, which writes the reply.
package core
