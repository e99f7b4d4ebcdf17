package config

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"time"

	"github.com/clickai/bridge/core"
)

// object is a JSON object of the schema. encoding/json sorts its keys, so the schema is always written the same.
type object = map[string]any

// Schema is the JSON Schema (draft 2020-12) of the configuration, for editors that complete and check YAML. It is made
// from the structs that [Load] reads into. Every value may also be a text with ${…}, or null for the default.
func Schema(kinds []core.PlatformKind) ([]byte, error) {
	c := Default()
	root := structSchema("", fieldsWithTags(reflect.ValueOf(c)))
	properties := root["properties"].(object)
	properties["apps"] = object{
		"type": "object", "minProperties": 1, "description": describe("apps", ""),
		"additionalProperties": appSchema(),
	}
	bots := make([]any, len(kinds))
	for i, k := range kinds {
		bots[i] = botSchema(k)
	}
	properties["bots"] = object{
		"type": "array", "minItems": 1, "description": describe("bots", ""), "items": object{"anyOf": bots},
	}
	root["required"] = []string{"apps", "bots"}
	root["$schema"] = "https://json-schema.org/draft/2020-12/schema"
	root["title"] = "Configuration of the ClickAI bridge"
	root["$defs"] = object{
		"variable": object{"type": "string", "pattern": `\$\{`, "description": "${NAME}, ${NAME:-default} or ${file:/path}"},
	}
	raw, err := json.MarshalIndent(root, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("write schema: %w", err)
	}
	return raw, nil
}

func appSchema() object {
	s := structSchema("apps.*", fieldsWithTags(reflect.ValueOf(DefaultApp())))
	s["type"], s["required"] = "object", []string{"api_key"} // null would leave the key out
	return s
}

func botSchema(k core.PlatformKind) object {
	fields := fieldsWithTags(reflect.ValueOf(core.DefaultBotSettings()))
	if v := reflect.ValueOf(k.NewSettings()); v.Kind() == reflect.Pointer && v.Elem().Kind() == reflect.Struct {
		fields = append(fields, fieldsWithTags(v.Elem())...)
	}
	s := structSchema("bots[]", fields)
	s["title"] = "A bot on " + k.Name
	s["type"], s["required"] = "object", []string{"name", "platform", "app"}
	platform := orVariable(object{"const": k.Name})
	platform["description"] = describe("bots[].platform", "")
	s["properties"].(object)["platform"] = platform
	return s
}

// taggedField is a key of a struct with what its tags say and its default.
type taggedField struct {
	name, doc string
	enum      []string
	v         reflect.Value
}

func fieldsWithTags(v reflect.Value) []taggedField {
	var list []taggedField
	for i := range v.NumField() {
		sf := v.Type().Field(i)
		name, opts, _ := strings.Cut(sf.Tag.Get("yaml"), ",")
		switch {
		case !sf.IsExported():
		case opts == "inline":
			list = append(list, fieldsWithTags(v.Field(i))...)
		case name != "" && name != "-":
			f := taggedField{name: name, doc: sf.Tag.Get("doc"), v: v.Field(i)}
			if enum := sf.Tag.Get("enum"); enum != "" {
				f.enum = strings.Split(enum, ",")
			}
			list = append(list, f)
		}
	}
	return list
}

func structSchema(path string, fields []taggedField) object {
	properties := object{}
	for _, f := range fields {
		at := join(path, f.name)
		s := valueSchema(at, f.v, f.enum)
		if doc := describe(at, f.doc); doc != "" {
			s["description"] = doc
		}
		if def, ok := defaultOf(f.v); ok {
			s["default"] = def
		}
		properties[f.name] = s
	}
	return object{"type": []string{"object", "null"}, "properties": properties, "additionalProperties": false}
}

// orVariable lets a value also be a variable, or null.
func orVariable(s ...any) object {
	return object{"anyOf": append(s, object{"$ref": "#/$defs/variable"}, object{"type": "null"})}
}

const (
	durationPattern = `^-?(\d+w)?(\d+d)?(\d+(\.\d+)?(h|m|s|ms|us|µs|ns))*$`
	sizePattern     = `^\s*\d+(\.\d+)?\s*([KkMmGg][Ii]?)?[Bb]?\s*$`
	ratePattern     = `^\s*(0|\d+\s*/.+)\s*$`
)

func valueSchema(path string, v reflect.Value, enum []string) object {
	switch t := v.Type(); {
	case t == durationType:
		return orVariable(object{"type": "string", "pattern": durationPattern}, object{"const": 0})
	case t == sizeType:
		return orVariable(object{"type": "string", "pattern": sizePattern}, object{"type": "number", "minimum": 0})
	case t == rateType:
		return orVariable(object{"type": "string", "pattern": ratePattern}, object{"const": 0})
	case t == sizesType:
		return object{"anyOf": []any{
			valueSchema(path, reflect.Zero(sizeType), nil),
			structSchema(path, fieldsWithTags(v)),
		}}
	case v.Kind() == reflect.Pointer:
		return valueSchema(path, reflect.Zero(t.Elem()), enum)
	case v.Kind() == reflect.String && len(enum) > 0:
		return orVariable(object{"enum": enum})
	case v.Kind() == reflect.Bool:
		return orVariable(object{"type": "boolean"})
	case v.CanInt(), v.CanUint():
		return orVariable(object{"type": "integer"})
	case v.CanFloat():
		return orVariable(object{"type": "number"})
	case v.Kind() == reflect.Slice:
		item := valueSchema(path+"[]", reflect.Zero(t.Elem()), enum)
		return object{"type": []string{"array", "null"}, "items": item}
	case v.Kind() == reflect.Map && isAny(t.Elem()):
		return object{"type": []string{"object", "null"}}
	case v.Kind() == reflect.Map:
		return object{"type": []string{"object", "null"}, "additionalProperties": valueSchema(path+".*", reflect.Zero(t.Elem()), nil)}
	case v.Kind() == reflect.Struct && len(fieldsWithTags(v)) > 0:
		return structSchema(path, fieldsWithTags(v))
	case isAny(t):
		return object{}
	}
	// Numbers are fine where text is due: ids often are.
	return object{"type": []string{"string", "number", "null"}}
}

// defaultOf is a value as the file would show it. Mappings have none: their keys do.
func defaultOf(v reflect.Value) (any, bool) {
	switch x := v.Interface().(type) {
	case time.Duration:
		return formatDuration(x), true
	case core.Secret:
		return "", x == ""
	case fmt.Stringer:
		return x.String(), true
	case core.SizeByType:
		return nil, false
	}
	switch v.Kind() {
	case reflect.String:
		return v.String(), true
	case reflect.Bool, reflect.Int, reflect.Int64, reflect.Float64:
		return v.Interface(), true
	case reflect.Slice:
		if v.Len() == 0 {
			return []any{}, true
		}
		return v.Interface(), true
	default:
		return nil, false
	}
}

// formatDuration writes 90d rather than 2160h0m0s.
func formatDuration(d time.Duration) string {
	const day = 24 * time.Hour
	switch {
	case d == 0:
		return "0s"
	case d%day == 0:
		return fmt.Sprintf("%dd", d/day)
	case d%time.Hour == 0:
		return fmt.Sprintf("%dh", d/time.Hour)
	case d%time.Minute == 0:
		return fmt.Sprintf("%dm", d/time.Minute)
	}
	return d.String()
}

// describe is a key's description: of its tag, or for the keys of core's structs, which know nothing of this, from here.
func describe(path, doc string) string {
	if doc != "" {
		return doc
	}
	return map[string]string{
		"apps":                                 "The ClickAI applications, under names of your own",
		"bots":                                 "The accounts on Slack, Discord and Telegram that answer",
		"bots[].name":                          "Unique name of the bot; part of every key in the store",
		"bots[].platform":                      "Where the bot is",
		"bots[].app":                           "The app that answers, where no route says otherwise",
		"bots[].respond":                       "direct: direct messages only; mention: also mentions, replies and threads opened by a question; thread: also threads it has answered in; all: everything",
		"bots[].conversation":                  "What shares one memory: a thread, a room, or each person in it",
		"bots[].open_thread":                   "Slack and Discord rooms: answer in a thread of the question",
		"bots[].idle_reset":                    "More than 0: begin a new conversation after that much silence",
		"bots[].thread_context":                "How many earlier messages of a running thread go along with the first question in it",
		"bots[].catch_up":                      "After downtime: answer what was missed, this far back",
		"bots[].language":                      "Language of the bridge's own words",
		"bots[].allow":                         "Who may use the bot, and where; empty: everyone the platform lets in",
		"bots[].deny":                          "Who may not, and where not; wins over allow",
		"bots[].admins":                        "Users who may use the commands that change other people's conversations",
		"bots[].routes":                        "Rooms that another app answers in; the first match wins",
		"bots[].stream.mode":                   "edit: the answer grows by edits; native: the platform's own streaming; final: one message at the end",
		"bots[].stream.interval":               "Least time between two edits of one message; 0s: the platform's own pace",
		"bots[].show.thoughts":                 "What is shown of the app's steps: nothing, a line that goes when the answer comes, or all",
		"bots[].show.sources":                  "Show the documents that the answer draws on",
		"bots[].show.usage":                    "Show tokens and price",
		"bots[].show.voice":                    "Post the spoken answer as a file",
		"bots[].feedback.reactions":            "Reactions on a reply rate it",
		"bots[].feedback.buttons":              "Show 👍 and 👎 under the last message of a reply",
		"bots[].feedback.like":                 "Emoji that count as a like",
		"bots[].feedback.dislike":              "Emoji that count as a dislike",
		"bots[].attachments.max_bytes":         "Largest file by type, or one size for all",
		"bots[].attachments.max_count":         "Most files in one turn",
		"bots[].attachments.types":             "Types of files that are taken; empty: all",
		"bots[].limits.turns_per_user":         "How many questions one person may ask in a time; 0: no limit",
		"bots[].limits.queue_per_conversation": "Most questions that wait in one conversation",
		"bots[].limits.answer_timeout":         "Longest turn",
		"bots[].limits.calls_per_second":       "Calls to the platform over all rooms; 0: its documented limit",
		"bots[].api_url":                       "The base under which the platform's method paths stand",
	}[path]
}
