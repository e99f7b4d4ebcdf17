// Package markdown turns what a language model writes into a flat list of blocks that chat platforms can show, and divides
// that list into messages.
//
// [Parse] reads CommonMark with GFM tables, strikethrough, task lists and bare links, and also footnotes and TeX math, by
// one goldmark parser that all goroutines share. Its result is not goldmark's tree but a list of [Unit] values: paragraphs,
// headings, code, tables and rules, each with the quote depth and the list item that it stands in, and with its text as
// runs of one style. A flat list is what chat messages are, it can be cut anywhere, and a style that is a set of bits is
// closed at a cut and opened again after it without further thought.
//
// A [Format] is all of that for one platform: how the source is read, what fits a message, and how it is written. Its
// Render is a pure function of the source. A [Renderer] gives the same results for one answer that grows, at the cost of
// what is new.
//
// # Guarantees
//
// Running text. With Options.Final false the source may stop at any byte. What is not decided yet (an unfinished link, a
// formula, a row of a table, a marker at the very end) is held back; what has been opened (emphasis, code, fences) shows as
// if it were closed. Text once shown stays where it is, and what comes later shows behind it. The exceptions:
//
//   - A mark that never finds its end (a lone * or `) shows when its paragraph ends, and what comes behind it is read
//     without it.
//   - The label of a link over 200 bytes, a formula in dollars over 80, and a tag or an address over 500 show as they are
//     written until they are whole. So does what stands behind a mark that is mostly no mark (2*3, ~5), over 40.
//   - The columns of a table are drawn anew with each row, also its head if that began without a pipe. What is listed under
//     it stands behind the rows that come.
//   - The definition of a link turns text into a link that stands before it.
//
// Stable messages. [Layout] decides what goes into a message from text that can no longer change. Its measure of a block
// only grows as the block's source grows, so a message that is followed by another is never changed by later text. Link
// reference definitions are the exception: they come after the links that they complete. A heading, and a short paragraph
// that ends in a colon, go over to the next message with what follows them.
//
// Tables as text. In a font of fixed width the widest columns give way first, and words, numbers and dates that are not
// long stay whole, even if the table gets wider than it should. Links in them are numbered and listed under them.
//
// Long paragraphs. A paragraph longer than Options.Chunk is read in pieces, and a style does not reach over a piece's end.
// Pieces end where no style is open, if there is such a place; this is what makes it possible to send the first half of a
// paragraph without knowing the second.
//
// # Where it differs from CommonMark
//
// A line break in a paragraph stays a line break, as people expect of a chat. Emphasis next to Chinese, Japanese and Korean
// characters needs no spaces around it ("**重要。**请" is bold), since models rely on that. A single ~ strikes text through
// only around whole words, and not before a digit: "~5", "20~30". A footnote's mark and text stay where they stand in the
// source, under numbers in the order in which the labels come. Backslashes and brackets (\[ … \]) are TeX only around what
// looks like a formula. A quote that begins with [!NOTE] or one of its like has a title for it.
//
// Tags of HTML that have a counterpart are read as it (b, i, s, code, a, img, br, …), tags of blocks begin lines, a block
// that begins with a table's tag is a table, other tags of HTML are dropped, and what only looks like a tag
// ("List<String>") is text. An HTML table has the columns of its first row, and a head if all of that are th.
//
// A table whose head has no pipe at its start must begin its paragraph, since
// its head is shown as text until the line under it comes.
//
// # Cost
//
// Reading an answer of 4 KB as a whole costs about 0.3 ms and 900 allocations, of which 690 are goldmark's parse, and no
// use of goldmark makes that much less: it allocates a node for every run of text. So an answer that grows is read by a
// [Renderer], which reads again only from the beginning of the block, or of the list item, that is being written: 20 to
// 30 µs and about 60 allocations a rendering, whatever the answer's length. A single long block costs in proportion to
// its length: at 4 KB a fence takes 0.1 ms, a table or a paragraph up to 0.3 ms. The benchmarks of the formats measure all
// of this.
//
// What the package adds to goldmark's cost is kept small by slicing the source instead of copying it, by reading no text
// twice, and by using no regular expressions. Nesting is bounded, so that the cost of a line is.
//
// # Non-goals
//
// No HTML output, no syntax highlighting, no conversion of TeX to Unicode.
package markdown
