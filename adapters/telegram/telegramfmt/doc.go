// Package telegramfmt writes CommonMark as Telegram messages in the Bot API's HTML.
//
// # For the adapter
//
// [Render] returns the messages, and [NewRenderer] what does the same for an answer that grows, faster. Part.Text is to
// be sent with parse_mode "HTML"; after Telegram has parsed it, it has at most [MaxText] UTF-16 units. Part.Plain is to
// be sent without a parse mode where Telegram refuses Text ("can't parse entities"); it has at most as many. [Escape]
// makes a line of the adapter's own, or a name in it, literal in HTML; [Plain] makes it harmless where no parse mode is
// set. Link previews are the adapter's decision (link_preview_options).
//
// HTML was chosen over a list of entities because it is one string, which compares, stores and logs as what it is, and
// because its parser forgives order: the few rules that it has (known tags, closed in turn, & < > written as references)
// are kept by construction here. MarkdownV2 refuses a message for a single unescaped dot.
//
// # What things look like
//
//	heading              bold line
//	bold italic strike   <b> <i> <s>
//	inline code          <code>, outside all other styles, since Telegram allows none around it; in the label of a link text
//	fence                <pre><code class="language-…">; tabs are blanks up to every fourth column
//	list                 "• ", "◦ ", "▪ " by depth, or the source's numbers; nested by en spaces
//	task list            "☐ " and "☑ "
//	quote                <blockquote>; a quote in a quote has "› " before it; "[!NOTE]" and the like are a bold line
//	link                 <a href>; mailto and tel: label (address)
//	bare link            as it is; Telegram links it by itself
//	link of other scheme label (address), as text
//	picture              🖼 and a link with its description
//	table                <pre> with aligned columns; wide cells are wrapped; links have numbers and stand below
//	footnote             [1] in the text, "[1] …" where its text stands; numbers in the order of first use
//	inline math          <code>
//	math block           <pre> of language latex
//	HTML                 b, i, s, code, a, img, br, tables as what they mean; other tags of HTML are dropped; else text
//	line break           line break, hard or soft
//	rule                 a line of dashes
//	@name                text with a word joiner (U+2060) behind the @, so that Telegram does not find a mention in it;
//	                     in code, where it looks for none, as it is
//
// Telegram makes links of /commands, #tags and addresses in text by itself; none of them notifies anybody.
// Formatting is described at https://core.telegram.org/bots/api#html-style, the limit of 4,096 characters at
// https://core.telegram.org/bots/api#sendmessage. Telegram clients count 100 entities a message and leave the rest of the
// text unformatted (https://limits.tginfo.me/), so a message gets no more than that.
package telegramfmt
