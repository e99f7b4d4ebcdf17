package slack

import (
	"fmt"
	"strings"
	"sync"
	"unicode/utf8"

	"github.com/clickai/bridge/internal/sim"
)

// emojiNames is a part of Slack's emoji set: the ones that people react with, and the usual ones in text. The first
// name of a character is what Slack's clients send; the others are aliases. It is written out here rather than taken
// from a library, because libraries carry GitHub's names, which differ from Slack's ("slightly_smiling_face",
// "hugging_face"), and because the bridge's own table must not check itself.
const emojiNames = `
👍 +1 thumbsup|👎 -1 thumbsdown|❤ heart|🎉 tada|💯 100|😕 confused|🙏 pray|👏 clap|🔥 fire|🚀 rocket|👀 eyes|✅ white_check_mark
❌ x|⚠ warning|😀 grinning|😃 smiley|😄 smile|😁 grin|😆 laughing satisfied|😅 sweat_smile|😂 joy|🤣 rolling_on_the_floor_laughing
🙂 slightly_smiling_face|🙃 upside_down_face|😉 wink|😊 blush|😇 innocent|😍 heart_eyes|😘 kissing_heart|😋 yum|😜 stuck_out_tongue_winking_eye
🤔 thinking_face|🤨 face_with_raised_eyebrow|😐 neutral_face|😑 expressionless|😶 no_mouth|🙄 face_with_rolling_eyes|😏 smirk|😬 grimacing
😌 relieved|😔 pensive|😪 sleepy|😴 sleeping|😷 mask|🤒 face_with_thermometer|😎 sunglasses|🤓 nerd_face|☹ white_frowning_face
🙁 slightly_frowning_face|😮 open_mouth|😲 astonished|😳 flushed|😦 frowning|😨 fearful|😢 cry|😭 sob|😱 scream|😞 disappointed|😓 sweat
😩 weary|😫 tired_face|😤 triumph|😡 rage|😠 angry|🤬 face_with_symbols_on_mouth|💀 skull|💩 hankey poop|🤖 robot_face|👋 wave
👌 ok_hand|✌ v|🤞 crossed_fingers|👈 point_left|👉 point_right|👆 point_up_2|👇 point_down|☝ point_up|✋ hand raised_hand|💪 muscle
🙌 raised_hands|🤝 handshake|✍ writing_hand|👤 bust_in_silhouette|🧠 brain|💔 broken_heart|💜 purple_heart|💙 blue_heart|💚 green_heart
💛 yellow_heart|🧡 orange_heart|🖤 black_heart|✨ sparkles|⭐ star|🌟 star2|💡 bulb|💥 boom collision|💬 speech_balloon|💭 thought_balloon
🎯 dart|🎁 gift|🎂 birthday|🏆 trophy|🥇 first_place_medal|🐛 bug|🐍 snake|🐳 whale|🦀 crab|🌍 earth_africa|🌏 earth_asia|☀ sunny|☁ cloud
❄ snowflake|⚡ zap|☕ coffee|🍕 pizza|🍜 ramen|🍺 beer|🚗 car red_car|✈ airplane|🏠 house|💻 computer|📱 iphone|⌛ hourglass
⏳ hourglass_flowing_sand|⏰ alarm_clock|🔍 mag|🔑 key|🔒 lock|🔓 unlock|🔔 bell|🔗 link|📎 paperclip|📌 pushpin|📁 file_folder|📄 page_facing_up
📅 date|📈 chart_with_upwards_trend|📉 chart_with_downwards_trend|📊 bar_chart|📝 memo pencil|📚 books|📖 book open_book|📦 package|📧 e-mail
🔧 wrench|🔨 hammer|⚙ gear|🧪 test_tube|❓ question|❗ exclamation heavy_exclamation_mark|ℹ information_source|✔ heavy_check_mark|➕ heavy_plus_sign
➖ heavy_minus_sign|➡ arrow_right|⬅ arrow_left|⬆ arrow_up|⬇ arrow_down|🔄 arrows_counterclockwise|🆗 ok|🆕 new|🔴 red_circle|🟢 large_green_circle
🟡 large_yellow_circle|🔵 large_blue_circle|🛑 octagonal_sign|🚧 construction|🇻🇳 flag-vn|🇩🇪 de flag-de|🇬🇧 gb uk flag-gb|🇺🇸 us flag-us`

// presentation is the selector that asks for the coloured form; Slack's names do not tell it apart.
const presentation = "\ufe0f"

var (
	// emojiTables are the first name of each character, and the character of each name.
	emojiTables = sync.OnceValues(readEmoji)

	emojiShort = sim.Regexp(`:([a-z0-9_+'-]+)(?:::skin-tone-([2-6]))?:`)
	emojiValid = sim.Regexp(`^[a-z0-9_+'-]{1,100}(?:::skin-tone-[2-6])?$`)
)

func readEmoji() (byChar, byName map[string]string) {
	byChar, byName = map[string]string{}, map[string]string{}
	for row := range strings.FieldsFuncSeq(emojiNames, func(r rune) bool { return r == '|' || r == '\n' }) {
		f := strings.Fields(row)
		byChar[f[0]] = f[1]
		for _, name := range f[1:] {
			byName[name] = f[0]
		}
	}
	return byChar, byName
}

// tone is the skin tone modifier that a rune is, 2 to 6, or 0.
func tone(r rune) int {
	if r >= 0x1F3FB && r <= 0x1F3FF {
		return int(r-0x1F3FB) + 2
	}
	return 0
}

// emojiAt reads the emoji that s begins with: its short name and length in bytes, or "".
func emojiAt(s string) (name string, size int) {
	r, n := utf8.DecodeRuneInString(s)
	if r < 0x2100 {
		return "", 0
	}
	if _, m := utf8.DecodeRuneInString(s[n:]); r >= 0x1F1E6 && r <= 0x1F1FF {
		n += m // flags are two letters
	}
	byChar, _ := emojiTables()
	name, ok := byChar[s[:n]]
	if !ok {
		return "", 0
	}
	rest := strings.TrimPrefix(s[n:], presentation)
	n = len(s) - len(rest)
	if r, m := utf8.DecodeRuneInString(rest); tone(r) > 0 {
		return fmt.Sprintf("%s::skin-tone-%d", name, tone(r)), n + m
	}
	return name, n
}

// emojiName is the short name of one Unicode emoji, or of ":name:".
func emojiName(emoji string) (string, error) {
	if name, ok := strings.CutPrefix(emoji, ":"); ok {
		name = strings.TrimSuffix(name, ":")
		if emojiValid().MatchString(name) {
			return name, nil
		}
	}
	if name, size := emojiAt(emoji); size > 0 && strings.TrimPrefix(emoji[size:], presentation) == "" {
		return name, nil
	}
	return "", fmt.Errorf("emoji %q has no known short name; write it as :name: instead", emoji)
}

// emojiChar is the character of a short name, ":name:" for one without.
func emojiChar(name string) string {
	base, skin, toned := strings.Cut(name, "::skin-tone-")
	_, byName := emojiTables()
	char, ok := byName[base]
	if !ok {
		return ":" + name + ":"
	}
	if toned && len(skin) == 1 {
		return char + string(rune(0x1F3FB+int(skin[0]-'2')))
	}
	return char
}

// showEmoji puts characters in place of the short names in a text, where they are known.
func showEmoji(text string) string {
	if strings.Count(text, ":") < 2 {
		return text
	}
	return emojiShort().ReplaceAllStringFunc(text, func(m string) string {
		return emojiChar(strings.Trim(m, ":"))
	})
}
