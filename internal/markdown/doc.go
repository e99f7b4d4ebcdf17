// Package markdown turns what a language model writes into a flat list of blocks that chat platforms can show, and divides
// that list into messages.
//
// [Parse] reads CommonMark with GFM tables, strikethrough, task lists and bare links, and also footnotes and TeX math, by
// one goldmark parser that all goroutines share. Its result is not goldmark's tree but a list of [Unit] values: paragraphs,
// headings, code, tables and rules, each with the quote depth and the list item that it stands in, and with its text as
// runs of one style. A flat list is what chat messages are, it can be cut anywhere, and a style that is a set of bits is
// closed at a cut and opened again after it without further thought.
//
// # Guarantees
//
// Running text. With Options.Final false the source may stop at any byte. What is not decided yet (an unfinished link, a
// row of a table, a marker at the very end) is held back; what has been opened (emphasis, code, fences) shows as if it
// were closed. Text once shown stays where it is.
//
// Stable messages. [Layout] decides what goes into a message from text that can no longer change. Its measure of a block
// only grows as the block's source grows, so a message that is followed by another is never changed by later text. Link
// reference definitions are the exception: they come after the links that they complete.
//
// Long paragraphs. A paragraph longer than Options.Chunk is read in pieces, and a style does not reach over a piece's end.
// Pieces end where no style is open, if there is such a place; this is what makes it possible to send the first half of a
// paragraph without knowing the second.
//
// # Where it differs from CommonMark
//
// A line break in a paragraph stays a line break, as people expect of a chat. Emphasis next to Chinese, Japanese and Korean
// characters needs no spaces around it ("**重要。**请" is bold), since models rely on that. A footnote's mark and text
// stay where they stand in the source. Tags of HTML that have a counterpart are read as it (b, i, s, code, a, img, br, …),
// other tags of HTML are dropped, and what only looks like a tag ("List<String>") is text.
//
// A table whose head has no pipe at its start must begin its paragraph, since
// its head is shown as text until the line under it comes.
//
// # Cost
//
// goldmark's parse is more than half of a rendering: for an answer of 4 KB about 690 of 900 to 1,000 allocations. What
// the package adds is kept small by slicing the source instead of copying it, by reading no text twice but the last
// paragraph of running text, and by using no regular expressions; the benchmarks compare both. Nesting is bounded, so
// that the cost of a line is.
//
// # Non-goals
//
// No HTML output, no syntax highlighting, no conversion of TeX to Unicode.
package markdown
