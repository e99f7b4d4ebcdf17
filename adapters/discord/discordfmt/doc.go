// Package discordfmt writes CommonMark as Discord messages.
//
// # For the adapter
//
// [Render] returns the messages, and [NewRenderer] what does the same for an answer that grows, faster. Part.Text is
// the message's content as it is to be sent; Part.Plain is the same without markup. Both hold at most [MaxContent]
// UTF-16 units. [Escape] makes a line of the adapter's own, or a name in it, literal. Every send and every edit must
// carry allowed_mentions with an empty parse list: it is what keeps mentions from pinging. That mentions in an answer
// also do not look like mentions is this package's part.
//
// # What things look like
//
//	heading 1-3          # ## ###
//	heading 4-6          bold line
//	bold italic strike   **b** *i* ~~s~~
//	inline code          `code`
//	fence                ``` with its language; ``` inside is broken by a zero-width space
//	list                 "- " and "1. ", nested by indentation; the numbers are the source's
//	task list            "☐ " and "☑ " in lines of text, nested by en spaces
//	quote                "> "; a quote in a quote has "› " after it; "[!NOTE]" and the like are a bold line
//	link                 [label](<url>): no preview; mailto and tel: label (address); with an address for a label, which
//	                     Discord shows as source: label (<url>)
//	bare link            <url>: no preview
//	link of other scheme label (address), as text
//	picture              🖼 [description](<url>)
//	table                fence with aligned columns; wide cells are wrapped; links have numbers and stand below
//	footnote             [1] in the text, "[1] …" where its text stands; numbers in the order of first use
//	inline math          `TeX`
//	math block           fence of language latex
//	HTML                 b, i, s, code, a, img, br, tables as what they mean; other tags of HTML are dropped; else text
//	line break           line break, hard or soft
//	rule                 a line of dashes
//	@everyone, <@id>, …  text with a zero-width space behind the @ or the <; in code as they are
//
// Discord's Markdown is described at https://support.discord.com/hc/en-us/articles/210298617, message formats at
// https://discord.com/developers/docs/reference#message-formatting, the limit of 2,000 characters at
// https://discord.com/developers/docs/resources/message#create-message.
package discordfmt
