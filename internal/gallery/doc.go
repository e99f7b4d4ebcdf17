// Package gallery draws how the same ten answers look on Slack, Discord and Telegram, as text that a reader can compare:
// docs/answers.md.
//
// # How a picture comes about
//
// Each answer is Markdown of the kind that language models write. For each platform the real adapter renders it and posts
// it, over HTTP, to the platform's stand-in. The stand-in's own parser then tells how the message looks to a reader
// ([sim.Looker]), and that is drawn. So the pictures are of what was really sent, and read independently of the renderer.
//
// # Guarantees
//
//   - [Document] is the same each time it is made: no clock, id or port of a run is in it.
//   - It fails when a platform refused anything, listed a violation, or somebody was pinged.
//   - A character takes as many columns as a terminal gives it, East Asian and emoji two.
//
// # Non-goals
//
// Pixels: fonts, colours and spaces are the clients' own and differ between them. The frame is open to the right, because
// browsers draw East Asian characters and emoji in fonts that are not exactly two columns wide, which would break its edge.
package gallery
