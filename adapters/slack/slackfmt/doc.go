// Package slackfmt writes CommonMark as Slack messages of blocks.
//
// # For the adapter
//
// [Render] returns the messages, and [NewRenderer] what does the same for an answer that grows, faster. Part.Text is
// not what Slack takes as text: it is the JSON of a [Message], made by this package and read by [Decode], and so holds
// both arguments of a post:
//
//	m, err := slackfmt.Decode(part.Text)
//	// chat.postMessage and chat.update with text=m.Text and blocks=m.Blocks
//	// (or json.Unmarshal(m.Blocks, &blocks) with a slack-go Blocks value)
//
// Message.Text is the whole message in mrkdwn, at most [MaxText] bytes, for notifications, screen readers, search and
// servers that know no blocks. Message.Blocks is what people see. A Text that does not come from Render is read by Decode
// as text in mrkdwn without blocks, so that the adapter's own lines take the same way; [Escape] makes them, or a name in
// them, literal.
//
// Part.Plain is the text without markup, ready for the text argument (& < > are escaped) with mrkdwn false and no blocks:
// for when Slack refuses the blocks. On an update send an empty list of blocks with it, so that the old ones go.
//
// Turn link previews off (unfurl_links and unfurl_media false); an answer that grows would load them at each edit.
//
// # What things look like
//
// Text is in rich_text blocks, the form that Slack's own composer makes: styles are properties and not characters, so
// nothing needs escaping and nothing in an answer can become a mention. docs/decisions/0003-slack-markup.md says why not
// markdown blocks or mrkdwn.
//
//	heading 1-2          header block; in lists and quotes, or longer than 150 characters: bold line
//	heading 3-6          bold line
//	bold italic strike   style of the text
//	inline code          style of the text
//	fence                rich_text_preformatted with its language
//	list                 rich_text_list, nested by indent; the numbers are the source's, by offset
//	task list            "☐ " and "☑ " as the item's first characters
//	quote                rich_text_quote; lists and code in it have a border; a quote in a quote has "› " before it;
//	                     "[!NOTE]" and the like are a bold line
//	link                 link element: http, https and mailto; tel: label (number)
//	bare link            link element
//	link of other scheme label (address), as text
//	picture              🖼 and a link with its description
//	table                table block, one a message: another begins a new message. With over 20 columns, or in a list or
//	                     quote: preformatted, with aligned columns; links have numbers then and stand below
//	footnote             [1] in the text, "[1] …" where its text stands; numbers in the order of first use
//	inline math          code
//	math block           preformatted, language latex
//	HTML                 b, i, s, code, a, img, br, tables as what they mean; other tags of HTML are dropped; else text
//	line break           line break, hard or soft
//	rule                 divider block; in lists and quotes a line of dashes
//	<!channel>, <@U1>    text; in mrkdwn < is written &lt;, which Slack does not read as a mention
//
// Blocks are described at https://docs.slack.dev/reference/block-kit/blocks, rich text at
// https://docs.slack.dev/reference/block-kit/blocks/rich-text-block, mrkdwn and its escapes at
// https://docs.slack.dev/messaging/formatting-message-text. The limits: 4,000 characters of text are what
// https://docs.slack.dev/reference/methods/chat.postMessage recommends and what Slack in fact refuses to exceed
// (msg_too_long, https://github.com/seratch/ChatGPT-in-Slack/issues/102); 50 blocks a message; 150 characters a header
// block; 100 rows, 20 columns and one table a message; about 12,000 characters in all blocks together
// (msg_blocks_too_long, https://github.com/slackapi/bolt-js/issues/2509).
package slackfmt
