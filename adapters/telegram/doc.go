// Package telegram connects a Telegram bot to the bridge: updates in, by polling or by a webhook; messages, edits
// and files out.
//
// # Set-up
//
// The bot needs its token from @BotFather. In groups it sees mentions, replies to it and commands; to see all, privacy mode
// must be off (/setprivacy) or the bot an administrator (https://core.telegram.org/bots/features#privacy-mode). Reactions
// in groups come to administrators alone (https://core.telegram.org/bots/api#messagereactionupdated). [Platform.Check]
// tells what is set.
//
// # Guarantees
//
//   - An update is confirmed to Telegram only once [core.Sink] has taken all that it holds. Where that fails, it is offered
//     again and, where updates are polled, nothing behind it is confirmed. The offset is not stored: what was not confirmed
//     comes again after a restart, for up to 24 hours (https://core.telegram.org/bots/api#getting-updates), and core knows
//     what it has seen. A batch is taken in the order of its ids.
//   - An update that cannot be read, or that makes the host panic, is logged, counted and passed over. It never stalls the
//     others.
//   - A webhook takes calls with its secret alone, which is compared in constant time. It answers 200 once an update is
//     stored. See [Platform.Webhook].
//   - Updates of unknown shape are read as far as they can be.
//   - What shows something keeps to Telegram's limits, see Pace. No other call waits for its turn longer than its context,
//     nor longer than the bound of its kind in limits.go.
//   - A 429 to a message, an edit or a draft stops the chat that it was answered for, and no other, for as long as it says;
//     one to a deletion or a sign of typing stops these.
//   - [Platform.Run] returns after every goroutine that it started.
//   - A group that has become a supergroup is known to the host as such ([core.Mover]) before the news is confirmed.
//   - A chat that is gone, or that has shut the bot out, is called no more until something comes from it.
//   - The token goes to the host of api_url and nowhere else: redirects are not followed. It is in every address, so
//     addresses are in no error and no log.
//
// # What go-telegram/bot does here, and what not
//
// It makes the calls that send, with their parameters and multipart forms, and gives the models for them. In version
// 1.23.0 it has no exported getUpdates and no raw call, and what it does with updates and answers cannot be used:
//
//   - Its poll loop confirms updates when they sit in memory: poll.go has an own one, and what else is wrong with that.
//   - Its types fail as a whole on one unknown variant: wire.go has own ones.
//   - Its webhook handler answers 200 to a wrong secret, and to a body that it then drops: webhook.go has an own one.
//   - It reads answers without a bound, decodes more of them than is safe, and sends bodies that cannot be sent again:
//     transport.go stands between the library and the network.
//   - Its error types leave most reasons in the text: errors.go reads the answer itself.
//   - Its matchers take UTF-16 offsets for bytes, and its EscapeMarkdown leaves backslashes. Neither is used.
//   - It reads files in a goroutine that it does not wait for: upload.go does.
//
// # Messages
//
// Rooms are chats by their id in decimal, threads are topics by theirs; General is the chat itself. Keys are
// "m:<chat>:<message>", "e:<chat>:<message>:<edit date>", "r:<update>:<emoji>:<+ or ->" and "c:<callback query>". A private
// chat has no room name: it would be the person's own choice, and rooms are let in by name.
//
// The text is plain: the bot's mention is cut out, links get their address behind them, code keeps its marks. A message
// replied to stands before it as a quote, unless it is the bot's; of that, only a part that the person marked does.
// Forwarded messages say from whom; places, contacts, polls, checklists and dice are told in words. "/start@bot" in a group
// says nothing, so that core greets.
//
// Part.Text goes out as HTML, as telegramfmt writes it; where Telegram cannot parse it, Part.Plain goes without.
//
// Telegram has no idempotency key, and bots cannot read what they have sent: a message whose answer was lost may be sent
// twice. Errors then say so (Maybe).
//
// An album is several updates, of which one has the caption with the mention. Who is meant by it is stored before that one is
// confirmed (as a cursor of the host), so that the others reach the bot too, in whichever process they come.
//
// # Commands and buttons
//
// A message that begins with a command that the bot knows is that command ([core.KindCommand]): one of those that
// [Platform.SetCommands] was given last, or before that of the usual ones. In a group it counts as a mention. /start in a
// private chat is [core.KindOpened]. A command that names another bot is not looked at, unless it stands in a reply to this
// one; all others stay messages. What a message becomes by being edited is never a command.
//
// Buttons are an inline keyboard. Core has five seconds to answer a press ([Platform.Answer]); then it is acknowledged without
// a word, since the button shows that it is at work until then. When the bot stops, all that is open is acknowledged. Telegram
// does not tell when a button was pressed: the event has the time at which it came.
//
// # Webhook
//
// With webhook_url, Run has Telegram call it, looks every minute whether Telegram can, and tells the host. Another program's
// webhook is replaced. When the bot stops the webhook stays, so that Telegram keeps what comes meanwhile; a bot that polls
// takes it away, and gets what had waited. Telegram delivers one update after the other, in order: some ten a second, by
// the time that a call takes from there. Polling takes a hundred at once.
//
// # Supergroups
//
// A group that becomes a supergroup gets another id, and counts its messages anew. What the bot showed before stays in the
// old group: a reply under way is posted anew in the new one, and answers no message there. [Platform.Post] and
// [Platform.Upload] tell in their result where the message really stands.
// Sources: https://core.telegram.org/bots/api#responseparameters, https://core.telegram.org/api/channel
//
// # Pace
//
// Telegram documents about one message a second in a chat, 20 a minute in a group and 30 a second over all
// (https://core.telegram.org/bots/faq#my-bot-is-hitting-limits-how-do-i-avoid-this). Edits and drafts are counted like
// messages. Each of the three is a budget of package pace, which all answers of the bot share: first texts, last edits and
// files go first, refreshes take what is left in turns. In a group refreshes are spread over the minute, so that a first
// text or a last edit waits for a few seconds at most, unless there are more of these than the minute has calls. core asks
// for the turn of a post, an edit or a draft with [Platform.Pace]; a file takes its own. Deletions and signs of typing have
// no documented limit. All answers in one place share one sign of typing.
//
// # Drafts
//
// With `stream.mode: native` the unfinished end of an answer in a private chat is a draft ([Platform.Draft]). What is
// full, and the end, becomes a message. Where drafts are refused for good, answers are shown by edits, and nobody asks
// again until the next start.
//
// # Goroutines
//
// Run starts one, which acknowledges presses with a few calls at once: the poll, or the look at the webhook, is a loop in Run
// itself. Calls of the webhook are the server's; Run waits for those that it let in. An upload has one inside the library while
// it lasts.
//
// # Non-goals
//
// Business accounts, inline mode, channels. Telegram tells bots nothing of deleted messages, and lets them read no history:
// there is no [core.ThreadReader]. Nor do they find people by their user names, or private groups by their titles
// ([core.Directory]). There are no windows with a form: a person is asked, and replies. Reactions in the name of a chat, and anonymous ones, do not count: nobody stands behind
// them.
package telegram
