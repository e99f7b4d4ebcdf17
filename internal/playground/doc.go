// Package playground is the page of `bridge demo`: the three chat platforms side by side, and ClickAI's side beside them, in a
// browser, for a person who has no account yet.
//
// # How it hangs together
//
//	browser ── POST, SSE ──▶ Server ── sim.Say, React, Press … ──▶ stand-ins of Slack, Discord, Telegram
//	                                                                  ▲ real wire
//	                                                               the bridge, a process of its own
//	                                                                  ▼ real wire
//	                         Relay, which records what passes ──▶ ClickAI, or its stand-in
//
// The page talks to the stand-ins alone, as people do, and shows what the platforms were really sent. It asks nothing of the
// bridge, so what it shows is evidence. [Process] runs the bridge, so that it can be killed in the middle of an answer.
//
// # Guarantees
//
//   - All that is shown is a set of small items, each with the number of its last change. A browser is sent the newest state of
//     what it has not seen; nothing is queued for it. A slow browser skips states and costs no memory.
//   - Items are bounded: messages of a room, rooms, turns, events of a turn.
//   - Text of messages reaches the page as JSON and the document as text nodes. The content security policy allows no inline
//     script, no inline style and no address but the page's own.
//   - Requests are answered only under the name that the page was opened with (against DNS rebinding); what changes anything
//     needs a token that only the page knows (against forged requests from other sites).
//   - Close waits for every goroutine.
//
// # Non-goals
//
// It is no chat client, keeps nothing after the program ends, has no accounts, and is not for the open internet.
//
// The events' framing (https://html.spec.whatwg.org/multipage/server-sent-events.html) is written by hand: it is one line.
package playground
