package core

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// BotSettings are the keys of one bot in the configuration that hold on every platform. The yaml tags are the keys.
type BotSettings struct {
	Name          string             `yaml:"name"`
	Platform      string             `yaml:"platform"`
	App           string             `yaml:"app"`
	Respond       string             `yaml:"respond" enum:"direct,mention,thread,all"`
	Conversation  string             `yaml:"conversation" enum:"thread,room,user"`
	OpenThread    bool               `yaml:"open_thread"`
	IdleReset     time.Duration      `yaml:"idle_reset"`
	ThreadContext int                `yaml:"thread_context"`
	CatchUp       time.Duration      `yaml:"catch_up"`
	Language      string             `yaml:"language" enum:"en,vi"`
	Allow         AccessList         `yaml:"allow"`
	Deny          AccessList         `yaml:"deny"`
	Admins        []string           `yaml:"admins"`
	Routes        []Route            `yaml:"routes"`
	Stream        StreamSettings     `yaml:"stream"`
	Show          ShowSettings       `yaml:"show"`
	Feedback      FeedbackSettings   `yaml:"feedback"`
	Attachments   AttachmentSettings `yaml:"attachments"`
	Limits        TurnLimits         `yaml:"limits"`
}

// AccessList names rooms and people, by id or by name, with or without # and @. A server's or workspace's id stands for its rooms.
type AccessList struct {
	Rooms []string `yaml:"rooms"`
	Users []string `yaml:"users"`
}

// Route sends the questions of some rooms to another app.
type Route struct {
	Rooms []string `yaml:"rooms"`
	App   string   `yaml:"app"`
}

// StreamSettings say how an answer grows.
type StreamSettings struct {
	Mode     string        `yaml:"mode" enum:"edit,native,final"`
	Interval time.Duration `yaml:"interval"` // least time between two edits of one message; 0: the platform's own pace
}

// ShowSettings say what is shown besides the answer.
type ShowSettings struct {
	Thoughts string `yaml:"thoughts" enum:"off,status,full"`
	Sources  bool   `yaml:"sources"`
	Usage    bool   `yaml:"usage"`
	Voice    bool   `yaml:"voice"`
}

// FeedbackSettings say how people rate.
type FeedbackSettings struct {
	Reactions bool     `yaml:"reactions"`
	Buttons   bool     `yaml:"buttons"`
	Like      []string `yaml:"like"`
	Dislike   []string `yaml:"dislike"`
}

// AttachmentSettings bound the files of a question.
type AttachmentSettings struct {
	MaxBytes SizeByType `yaml:"max_bytes"`
	MaxCount int        `yaml:"max_count"`
	Types    []string   `yaml:"types" enum:"document,image,audio,video,custom"`
}

// SizeByType is a size for each type of file. In the configuration one size may stand for all.
type SizeByType struct {
	Image    ByteSize `yaml:"image"`
	Document ByteSize `yaml:"document"`
	Audio    ByteSize `yaml:"audio"`
	Video    ByteSize `yaml:"video"`
	Custom   ByteSize `yaml:"custom"`
}

// Of is the size for a type; Custom's for an unknown one.
func (s SizeByType) Of(kind string) int64 {
	switch kind {
	case "image":
		return int64(s.Image)
	case "document":
		return int64(s.Document)
	case "audio":
		return int64(s.Audio)
	case "video":
		return int64(s.Video)
	}
	return int64(s.Custom)
}

// UnmarshalText reads one size for all types.
func (s *SizeByType) UnmarshalText(text []byte) error {
	var b ByteSize
	if err := b.UnmarshalText(text); err != nil {
		return err
	}
	*s = SizeByType{b, b, b, b, b}
	return nil
}

// TurnLimits bound what people can make the bot do.
type TurnLimits struct {
	TurnsPerUser         PerTime       `yaml:"turns_per_user"`
	QueuePerConversation int           `yaml:"queue_per_conversation"`
	AnswerTimeout        time.Duration `yaml:"answer_timeout"`
	CallsPerSecond       float64       `yaml:"calls_per_second"`
}

// ByteSize is a number of bytes, written as "15MB" (1 MB = 1,000,000 bytes, 1 MiB = 1,048,576) or as a plain number.
type ByteSize int64

// UnmarshalText reads the written form.
func (b *ByteSize) UnmarshalText(text []byte) error {
	s := strings.TrimSpace(string(text))
	units := []struct {
		suffix string
		bytes  float64
	}{
		{"KIB", 1 << 10},
		{"MIB", 1 << 20},
		{"GIB", 1 << 30},
		{"KB", 1e3},
		{"MB", 1e6},
		{"GB", 1e9},
		{"B", 1},
		{"", 1},
	}
	up := strings.ToUpper(s)
	for _, u := range units {
		num, ok := strings.CutSuffix(up, u.suffix)
		if !ok {
			continue
		}
		v, err := strconv.ParseFloat(strings.TrimSpace(num), 64)
		if err != nil || !(v >= 0 && v*u.bytes <= 1<<53) { // NaN is neither
			break
		}
		*b = ByteSize(v * u.bytes)
		return nil
	}
	return fmt.Errorf("%q is not a size: write it as 15MB or 1GiB", s)
}

// String is the shortest exact decimal form.
func (b ByteSize) String() string {
	for _, u := range []struct {
		name string
		n    int64
	}{{"GB", 1e9}, {"MB", 1e6}, {"kB", 1e3}} {
		if b != 0 && int64(b)%u.n == 0 {
			return strconv.FormatInt(int64(b)/u.n, 10) + u.name
		}
	}
	return strconv.FormatInt(int64(b), 10) + "B"
}

// Round is the size with two digits, for people.
func (b ByteSize) Round() ByteSize {
	unit := ByteSize(1)
	for b/unit >= 100 {
		unit *= 10
	}
	return (b + unit/2) / unit * unit
}

// PerTime is so many things in a time, written as "20/1m". A Count of 0 means no limit.
type PerTime struct {
	Count int
	Per   time.Duration
}

// UnmarshalText reads the written form; "0" is no limit.
func (p *PerTime) UnmarshalText(text []byte) error {
	s := strings.TrimSpace(string(text))
	if s == "0" {
		*p = PerTime{}
		return nil
	}
	n, per, ok := strings.Cut(s, "/")
	count, err := strconv.Atoi(strings.TrimSpace(n))
	if !ok || err != nil || count < 0 {
		return fmt.Errorf("%q is not a rate: write it as 20/1m", s)
	}
	per = strings.TrimSpace(per)
	if per != "" && (per[0] < '0' || per[0] > '9') {
		per = "1" + per // 20/m
	}
	d, err := time.ParseDuration(per)
	if err != nil || d <= 0 {
		return fmt.Errorf("%q is not a rate: write it as 20/1m", s)
	}
	*p = PerTime{Count: count, Per: d}
	return nil
}

// String is the written form.
func (p PerTime) String() string {
	if p.Count == 0 {
		return "0"
	}
	per := p.Per.String() // "1h0m0s"
	for _, zero := range []string{"m0s", "h0m"} {
		if short, ok := strings.CutSuffix(per, zero); ok {
			per = short + zero[:1]
		}
	}
	return fmt.Sprintf("%d/%s", p.Count, per)
}

// DefaultBotSettings are the values of the keys that a configuration leaves out.
func DefaultBotSettings() BotSettings {
	return BotSettings{
		Respond:       "mention",
		Conversation:  "thread",
		OpenThread:    true,
		ThreadContext: 20,
		CatchUp:       time.Hour,
		Language:      "en",
		Stream:        StreamSettings{Mode: "edit"},
		Show:          ShowSettings{Thoughts: "status", Sources: true, Voice: true},
		Feedback: FeedbackSettings{
			Reactions: true,
			Like:      []string{"👍", "❤️", "🎉", "💯"},
			Dislike:   []string{"👎", "😕"},
		},
		Attachments: AttachmentSettings{
			MaxBytes: SizeByType{Image: 10e6, Document: 15e6, Audio: 50e6, Video: 100e6, Custom: 15e6},
			MaxCount: 10,
		},
		Limits: TurnLimits{
			TurnsPerUser:         PerTime{Count: 20, Per: time.Minute},
			QueuePerConversation: 20,
			AnswerTimeout:        10 * time.Minute,
		},
	}
}

// Validate returns what is wrong with the values; keys are relative to the bot.
func (s *BotSettings) Validate() []Problem {
	var found []Problem
	bad := func(wrong bool, key, what, mend string) {
		if wrong {
			found = append(found, Problem{Key: key, What: what, Mend: mend})
		}
	}
	bad(s.ThreadContext < 0 || s.ThreadContext > 200, "thread_context", fmt.Sprintf("%d is out of range", s.ThreadContext), "use 0 to 200")
	bad(s.IdleReset < 0, "idle_reset", "is negative", "use 0s for never")
	bad(s.CatchUp < 0, "catch_up", "is negative", "use 0s for nothing")
	// What is caught up is known again by its key alone.
	bad(s.CatchUp > seenFor, "catch_up", fmt.Sprintf("%s is too long", s.CatchUp), fmt.Sprintf("use at most %dd", seenFor/(24*time.Hour)))
	bad(s.Attachments.MaxCount < 0, "attachments.max_count", "is negative", "use 0 for no files")
	bad(s.Limits.QueuePerConversation < 1, "limits.queue_per_conversation", "is too small", "use at least 1")
	bad(s.Limits.AnswerTimeout < time.Second, "limits.answer_timeout", fmt.Sprintf("%s is too short", s.Limits.AnswerTimeout), "use at least 1s")
	bad(s.Limits.CallsPerSecond < 0, "limits.calls_per_second", "is negative", "use 0 for the platform's own limit")
	bad(s.Stream.Interval < 0, "stream.interval", "is negative", "use 0s for the platform's own pace")
	for _, e := range s.Feedback.Like {
		both := slices.ContainsFunc(s.Feedback.Dislike, func(d string) bool { return BaseEmoji(d) == BaseEmoji(e) })
		bad(both, "feedback.dislike", e+" is in like and in dislike", "keep one of them")
	}
	return found
}

// BaseEmoji is an emoji without skin tone and variation selector, so that 👍🏽 counts as 👍 and ❤️ as ❤.
func BaseEmoji(s string) string {
	return strings.Map(func(r rune) rune {
		if r >= 0x1F3FB && r <= 0x1F3FF || r == 0xFE0F || r == 0xFE0E {
			return -1
		}
		return r
	}, s)
}
