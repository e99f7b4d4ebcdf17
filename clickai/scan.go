package clickai

import (
	"unicode/utf16"
	"unicode/utf8"
)

// token is a JSON string's content between its quotes. raw is nil for an absent
// or null value.
type token struct {
	raw     []byte
	escaped bool // raw holds escape sequences
}

// text returns the string that t stands for.
func (t token) text() string {
	if !t.escaped {
		return string(t.raw)
	}
	return unescape(t.raw)
}

// flatEvent holds the fields of an event that scanEvent reads.
type flatEvent struct {
	event, conversation, message, task, run, id, answer, textField token

	createdAt int64
	selector  []byte // from_variable_selector: an array of strings as JSON
	data      []byte // an object as JSON
	seen      uint32
}

// maxScanDepth is how deep scanEvent follows nested values.
const maxScanDepth = 32

// scanEvent reads the JSON object b into f in one pass, without allocating. It
// reports true only if b is valid JSON and encoding/json would read the same
// fields the same way. It gives up, on purpose, at everything unusual: a known
// field of another type or given twice, a field name that encoding/json could
// match by folding its case, text that is not valid UTF-8.
func scanEvent(b []byte, f *flatEvent) bool {
	s := scanner{b: b}
	if !s.take('{') {
		return false
	}
	if s.take('}') {
		return s.atEnd()
	}
	for {
		s.space()
		key, ok := s.str()
		if !ok || key.escaped || !s.take(':') || !s.field(string(key.raw), f) {
			return false
		}
		if s.take(',') {
			continue
		}
		return s.take('}') && s.atEnd()
	}
}

// scanner walks over JSON. Its methods report false where it can't go on.
type scanner struct {
	b []byte
	i int
}

// field reads the value of the field key.
func (s *scanner) field(key string, f *flatEvent) bool {
	s.space()
	var t *token
	var bit uint32
	switch key {
	case "event":
		t, bit = &f.event, 1
	case "conversation_id":
		t, bit = &f.conversation, 2
	case "message_id":
		t, bit = &f.message, 4
	case "task_id":
		t, bit = &f.task, 8
	case "workflow_run_id":
		t, bit = &f.run, 16
	case "id":
		t, bit = &f.id, 32
	case "answer":
		t, bit = &f.answer, 64
	case "text":
		t, bit = &f.textField, 128
	case "created_at":
		return f.first(256) && s.integer(&f.createdAt)
	case "from_variable_selector":
		return f.first(512) && s.strings(&f.selector)
	case "data":
		return f.first(1024) && s.object(&f.data)
	default:
		return plainKey(key) && s.value(0)
	}
	if !f.first(bit) {
		return false
	}
	if s.literal("null") {
		return true
	}
	var ok bool
	if *t, ok = s.str(); !ok {
		return false
	}
	return t != &f.event || isTextEvent(t.raw)
}

// isTextEvent reports whether the kind is one that eventDecoder.fast builds. Of
// others there is no use in scanning on.
func isTextEvent(kind []byte) bool {
	switch string(kind) {
	case eventMessage, eventAgentMessage, eventTextChunk:
		return true
	default:
		return false
	}
}

// first notes a known field and reports whether it came for the first time.
func (f *flatEvent) first(bit uint32) bool {
	again := f.seen&bit != 0
	f.seen |= bit
	return !again
}

// plainKey reports whether key can match no known field by case folding: those
// are all lower-case ASCII.
func plainKey(key string) bool {
	for i := range len(key) {
		c := key[i]
		if (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '_' {
			return false
		}
	}
	return true
}

func (s *scanner) space() {
	for s.i < len(s.b) {
		switch s.b[s.i] {
		case ' ', '\t', '\n', '\r':
			s.i++
		default:
			return
		}
	}
}

// take skips white space and c.
func (s *scanner) take(c byte) bool {
	s.space()
	if s.i < len(s.b) && s.b[s.i] == c {
		s.i++
		return true
	}
	return false
}

func (s *scanner) atEnd() bool {
	s.space()
	return s.i == len(s.b)
}

func (s *scanner) literal(word string) bool {
	if len(s.b)-s.i >= len(word) && string(s.b[s.i:s.i+len(word)]) == word {
		s.i += len(word)
		return true
	}
	return false
}

// str reads a string. Its escapes are checked, not resolved.
func (s *scanner) str() (token, bool) {
	if s.i >= len(s.b) || s.b[s.i] != '"' {
		return token{}, false
	}
	s.i++
	start := s.i
	var t token
	ascii := true
	for s.i < len(s.b) {
		switch c := s.b[s.i]; {
		case c == '"':
			t.raw = s.b[start:s.i:s.i]
			s.i++
			return t, ascii || utf8.Valid(t.raw)
		case c == '\\':
			t.escaped = true
			if !s.escape() {
				return token{}, false
			}
		case c < ' ':
			return token{}, false
		default:
			ascii = ascii && c < utf8.RuneSelf
			s.i++
		}
	}
	return token{}, false
}

// escape skips one escape sequence.
func (s *scanner) escape() bool {
	if s.i+1 >= len(s.b) {
		return false
	}
	switch s.b[s.i+1] {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		s.i += 2
		return true
	case 'u':
		if _, ok := hex4(s.b[s.i+2:]); ok {
			s.i += 6
			return true
		}
	}
	return false
}

// integer reads a whole number of at most 18 digits, or null.
func (s *scanner) integer(out *int64) bool {
	if s.literal("null") {
		return true
	}
	start := s.i
	if !s.number() {
		return false
	}
	digits := s.b[start:s.i]
	neg := digits[0] == '-'
	if neg {
		digits = digits[1:]
	}
	if len(digits) > 18 {
		return false
	}
	var n int64
	for _, c := range digits {
		if c < '0' || c > '9' {
			return false
		}
		n = n*10 + int64(c-'0')
	}
	if neg {
		n = -n
	}
	*out = n
	return true
}

// strings reads an array of strings, or null.
func (s *scanner) strings(out *[]byte) bool {
	if s.literal("null") {
		return true
	}
	start := s.i
	if !s.take('[') {
		return false
	}
	if !s.take(']') {
		for {
			s.space()
			if _, ok := s.str(); !ok {
				return false
			}
			if s.take(',') {
				continue
			}
			if !s.take(']') {
				return false
			}
			break
		}
	}
	*out = s.b[start:s.i:s.i]
	return true
}

// object skips an object and notes where it stands; null is left out.
func (s *scanner) object(out *[]byte) bool {
	if s.literal("null") {
		return true
	}
	start := s.i
	if start >= len(s.b) || s.b[start] != '{' || !s.value(0) {
		return false
	}
	*out = s.b[start:s.i:s.i]
	return true
}

// value skips any value.
func (s *scanner) value(depth int) bool {
	s.space()
	if s.i >= len(s.b) || depth > maxScanDepth {
		return false
	}
	switch c := s.b[s.i]; {
	case c == '"':
		_, ok := s.str()
		return ok
	case c == '{':
		return s.members('}', depth)
	case c == '[':
		return s.members(']', depth)
	case c == '-' || c >= '0' && c <= '9':
		return s.number()
	default:
		return s.literal("null") || s.literal("true") || s.literal("false")
	}
}

// members skips an object's or array's content up to end, its closing bracket.
func (s *scanner) members(end byte, depth int) bool {
	s.i++
	if s.take(end) {
		return true
	}
	for {
		if end == '}' {
			s.space()
			if _, ok := s.str(); !ok || !s.take(':') {
				return false
			}
		}
		if !s.value(depth + 1) {
			return false
		}
		if s.take(',') {
			continue
		}
		return s.take(end)
	}
}

// number skips a number by JSON's grammar.
func (s *scanner) number() bool {
	if s.i < len(s.b) && s.b[s.i] == '-' {
		s.i++
	}
	switch {
	case s.i < len(s.b) && s.b[s.i] == '0':
		s.i++
	case s.digits() == 0:
		return false
	}
	if s.i < len(s.b) && s.b[s.i] == '.' {
		s.i++
		if s.digits() == 0 {
			return false
		}
	}
	if s.i < len(s.b) && (s.b[s.i] == 'e' || s.b[s.i] == 'E') {
		s.i++
		if s.i < len(s.b) && (s.b[s.i] == '+' || s.b[s.i] == '-') {
			s.i++
		}
		if s.digits() == 0 {
			return false
		}
	}
	return true
}

func (s *scanner) digits() int {
	start := s.i
	for s.i < len(s.b) && s.b[s.i] >= '0' && s.b[s.i] <= '9' {
		s.i++
	}
	return s.i - start
}

// hex4 reads the four hexadecimal digits of a \u escape.
func hex4(b []byte) (rune, bool) {
	if len(b) < 4 {
		return 0, false
	}
	var r rune
	for _, c := range b[:4] {
		switch {
		case c >= '0' && c <= '9':
			c -= '0'
		case c >= 'a' && c <= 'f':
			c -= 'a' - 10
		case c >= 'A' && c <= 'F':
			c -= 'A' - 10
		default:
			return 0, false
		}
		r = r<<4 | rune(c)
	}
	return r, true
}

// unescape resolves the escapes in raw, which str has checked. As in
// encoding/json, half a surrogate pair becomes U+FFFD.
func unescape(raw []byte) string {
	out := make([]byte, 0, len(raw))
	for i := 0; i < len(raw); {
		if raw[i] != '\\' {
			out = append(out, raw[i])
			i++
			continue
		}
		if raw[i+1] != 'u' {
			out = append(out, unescapeByte(raw[i+1]))
			i += 2
			continue
		}
		r, _ := hex4(raw[i+2:])
		i += 6
		if utf16.IsSurrogate(r) {
			pair := rune(utf8.RuneError)
			if i+1 < len(raw) && raw[i] == '\\' && raw[i+1] == 'u' {
				low, _ := hex4(raw[i+2:])
				pair = utf16.DecodeRune(r, low)
			}
			if pair != utf8.RuneError {
				i += 6
			}
			r = pair
		}
		out = utf8.AppendRune(out, r)
	}
	return string(out)
}

func unescapeByte(c byte) byte {
	switch c {
	case 'b':
		return '\b'
	case 'f':
		return '\f'
	case 'n':
		return '\n'
	case 'r':
		return '\r'
	case 't':
		return '\t'
	default: // the quote, the backslash and the slash stand for themselves
		return c
	}
}
