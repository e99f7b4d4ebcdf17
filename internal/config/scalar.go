package config

import (
	"errors"
	"fmt"
	"math"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/goccy/go-yaml/ast"

	"github.com/clickai/bridge/core"
)

// scalar is a value that is neither a mapping nor a list.
type scalar struct {
	text   string // as written, without quotes and with variables replaced
	quoted bool   // it is text, whatever it looks like
	isBool bool
	num    any // int64 or uint64 as the parser read it, else nil
	refs   []hidden
	at     place
}

// expanded tells whether a variable has a part in it.
func (s *scalar) expanded() bool { return len(s.refs) > 0 }

// name is how a problem speaks of the value: by its variables if there are any.
func (s *scalar) name() string {
	if !s.expanded() {
		return quote(s.text)
	}
	var names []string
	for _, r := range s.refs {
		if !slices.Contains(names, r.shown) {
			names = append(names, r.shown)
		}
	}
	return "the value of " + strings.Join(names, " and ")
}

// scalar reads a value and replaces its variables.
func (w *walker) scalar(path string, n ast.Node, asText bool) (s scalar, ok bool) {
	s = scalar{at: start(n), quoted: asText}
	switch x := n.(type) {
	case *ast.StringNode:
		s.text = x.Value
		s.quoted = asText || isQuoted(x)
	case *ast.LiteralNode:
		s.quoted = true
		if x.Value != nil {
			s.text = x.Value.Value
		}
	case *ast.IntegerNode:
		s.text, s.num = x.Token.Value, x.Value
	case *ast.BoolNode:
		s.text, s.isBool = x.Token.Value, !asText
	case *ast.FloatNode, *ast.InfinityNode, *ast.NanNode:
		s.text = x.GetToken().Value
	default:
		w.fail(path, s.at, "cannot be read", "write a plain value")
		return s, false
	}
	if !strings.Contains(s.text, "$") {
		return s, true
	}
	e, faults := w.expand(s.text)
	for _, f := range faults {
		w.fail(path, s.at, f.what, f.mend)
	}
	s.text, s.refs = e.text, e.refs
	for _, r := range s.refs {
		if strings.HasPrefix(r.shown, "${file:") {
			w.hide(r.value, r.shown)
		}
	}
	w.values = append(w.values, s.refs...)
	w.seen[path] = seen{at: s.at, refs: s.refs}
	return s, len(faults) == 0
}

// decodeScalar reads a scalar as what the target wants.
func (w *walker) decodeScalar(path string, n ast.Node, asText bool, t target) {
	s, ok := w.scalar(path, n, asText)
	if !ok {
		return
	}
	if isAny(t.v.Type()) {
		t.v.Set(reflect.ValueOf(s.typed()))
		return
	}
	if s.text == "" && s.expanded() && !isText(t) {
		return // an empty variable is no value
	}
	if t.v.Type() == secretType {
		for _, r := range s.refs {
			w.hide(r.value, r.shown)
		}
		w.hide(s.text, "[redacted]")
	}
	what, mend := s.into(t)
	if what != "" {
		w.fail(path, s.at, what, mend)
		return
	}
	if i := slices.IndexFunc(s.refs, func(r hidden) bool { return r.value != "" }); i >= 0 {
		// A check later on may show the value in another form.
		w.seen[path] = seen{at: s.at, refs: append(s.refs, hidden{fmt.Sprint(t.v.Interface()), s.refs[i].shown})}
	}
}

var (
	secretType   = reflect.TypeFor[core.Secret]()
	durationType = reflect.TypeFor[time.Duration]()
	sizeType     = reflect.TypeFor[core.ByteSize]()
	sizesType    = reflect.TypeFor[core.SizeByType]()
	rateType     = reflect.TypeFor[core.PerTime]()
)

func isText(t target) bool {
	return t.v.Kind() == reflect.String && len(t.enum) == 0 && unmarshaler(t.v) == nil
}

// into sets the target, or says what is wrong.
func (s *scalar) into(t target) (what, mend string) {
	v := t.v
	switch {
	case v.Type() == durationType:
		d, err := parseDuration(s.text)
		if err != nil {
			return s.name() + " is not a time", err.Error()
		}
		v.SetInt(int64(d))
	case unmarshaler(v) != nil:
		if err := unmarshaler(v).UnmarshalText([]byte(s.text)); err != nil {
			return s.unreadable(t, err)
		}
	case v.Kind() == reflect.String:
		return s.intoText(t)
	case v.Kind() == reflect.Bool:
		b, ok := map[string]bool{"true": true, "false": false}[strings.ToLower(s.text)]
		if !ok || s.literalText() {
			return s.name() + s.isNot("true or false"), s.unquote("write true or false")
		}
		v.SetBool(b)
	case v.CanInt(), v.CanUint(), v.CanFloat():
		return s.intoNumber(t)
	case v.Kind() == reflect.Slice:
		mend := "write - before each item, or [a, b]"
		if !s.expanded() {
			mend = "write [" + s.text + "]"
			if len(s.text) > 40 || strings.ContainsAny(s.text, "[]{},\n") {
				mend = "write - before it"
			}
		}
		return s.name() + " is one value where a list is due", mend
	default:
		return s.name() + " is one value where " + wants(t) + " is due", "indent its keys under it"
	}
	return "", ""
}

// literalText is true for what the file itself makes text by quotes.
func (s *scalar) literalText() bool { return s.quoted && !s.expanded() }

func (s *scalar) isNot(what string) string {
	if s.literalText() {
		return " is text, not " + what
	}
	return " is not " + what
}

func (s *scalar) unquote(mend string) string {
	if s.literalText() {
		return "remove the quotes: " + mend
	}
	return mend
}

// unreadable is the problem of a type with its own form. Its error may show the value, so it is used for the file's own only.
func (s *scalar) unreadable(t target, err error) (what, mend string) {
	form := map[reflect.Type][2]string{
		sizeType:  {"a size", "write it as 15MB or 1GiB"},
		sizesType: {"a size", "write it as 15MB or 1GiB, or a mapping of sizes by type"},
		rateType:  {"a rate", "write it as 20/1m; 0 for no limit"},
	}
	if f, known := form[t.v.Type()]; known {
		return s.name() + " is not " + f[0], f[1]
	}
	if s.expanded() {
		return s.name() + " cannot be used here", ""
	}
	return quote(s.text) + ": " + err.Error(), ""
}

func (s *scalar) intoText(t target) (what, mend string) {
	switch {
	case len(t.enum) > 0 && !slices.Contains(t.enum, s.text):
		if s.expanded() {
			return s.name() + " is not valid", "valid here: " + strings.Join(t.enum, ", ")
		}
		return s.name() + " is not valid", suggest(s.text, t.enum)
	case s.isBool && len(t.enum) == 0:
		return s.text + " is a switch where text is due", "put it in quotes"
	case strings.ContainsRune(s.text, 0):
		return "contains a zero byte", "remove it"
	}
	t.v.SetString(s.text)
	return "", ""
}

func (s *scalar) intoNumber(t target) (what, mend string) {
	v := t.v
	text := strings.TrimSpace(s.text)
	if s.literalText() {
		return s.name() + s.isNot("a number"), s.unquote("write the number alone")
	}
	if v.CanFloat() {
		f, err := strconv.ParseFloat(text, v.Type().Bits())
		if err != nil || math.IsNaN(f) || math.IsInf(f, 0) {
			return s.name() + " is not a number", "write it as 1.5"
		}
		v.SetFloat(f)
		return "", ""
	}
	if v.CanUint() {
		u, err := strconv.ParseUint(text, 10, v.Type().Bits())
		if err != nil {
			return s.name() + " is not a whole number from 0 up", ""
		}
		v.SetUint(u)
		return "", ""
	}
	i, err := strconv.ParseInt(text, 10, v.Type().Bits())
	switch {
	case err == nil:
	case errors.Is(err, strconv.ErrRange):
		return s.name() + " is too large a number", ""
	default:
		// 0x1f and 1_000 are for the parser to understand.
		n, ok := s.num.(uint64)
		if !ok || n > math.MaxInt64 || v.OverflowInt(int64(n)) {
			return s.name() + " is not a whole number", ""
		}
		i = int64(n)
	}
	v.SetInt(i)
	return "", ""
}

// wants names what a target takes.
func wants(t target) string {
	v := t.v
	switch typ := v.Type(); {
	case typ == durationType:
		return "a time such as 30s"
	case typ == sizeType:
		return "a size such as 15MB"
	case typ == rateType:
		return "a rate such as 20/1m"
	case v.Kind() == reflect.Struct, v.Kind() == reflect.Map:
		return "a mapping"
	case v.Kind() == reflect.Slice:
		return "a list"
	case v.Kind() == reflect.Bool:
		return "true or false"
	case v.CanInt(), v.CanUint():
		return "a whole number"
	case v.CanFloat():
		return "a number"
	}
	return "text"
}

// parseDuration reads "90s", "1h30m", "2w", "90d", "1d12h" and "0". The error is the mend.
func parseDuration(text string) (time.Duration, error) {
	text = strings.TrimSpace(text)
	if text == "0" {
		return 0, nil
	}
	bad := errors.New("write a number with its unit, such as 90s, 10m, 1h30m, 90d or 2w")
	if _, err := strconv.ParseFloat(text, 64); err == nil && len(text) < 20 && strings.Trim(text, "0123456789.") == "" {
		return 0, fmt.Errorf("it has no unit: write it as %ss", text)
	}
	rest, negative := strings.CutPrefix(text, "-")
	var sum time.Duration
	for _, unit := range []struct {
		name string
		is   time.Duration
	}{{"w", 7 * 24 * time.Hour}, {"d", 24 * time.Hour}} {
		num, after, found := strings.Cut(rest, unit.name)
		if !found {
			continue
		}
		n, err := strconv.ParseUint(num, 10, 32)
		if err != nil || n > uint64((math.MaxInt64-sum)/unit.is) {
			return 0, bad
		}
		sum += time.Duration(n) * unit.is
		rest = after
	}
	if rest != "" {
		d, err := time.ParseDuration(rest)
		if err != nil || d < 0 || d > math.MaxInt64-sum || strings.ContainsAny(rest[:1], "+-") {
			return 0, bad
		}
		sum += d
	} else if text == "" || text == "-" {
		return 0, bad
	}
	if negative {
		sum = -sum
	}
	return sum, nil
}

func isQuoted(n *ast.StringNode) bool {
	tk := n.GetToken()
	return tk != nil && strings.HasSuffix(tk.Type.String(), "Quote")
}

// typed is the value by its own looks, for keys that take anything.
func (s *scalar) typed() any {
	switch {
	case s.quoted, s.expanded():
		return s.text
	case s.isBool:
		return strings.EqualFold(s.text, "true")
	}
	if i, err := strconv.ParseInt(s.text, 10, 64); err == nil {
		return i
	}
	if s.num != nil {
		return s.num
	}
	if f, err := strconv.ParseFloat(s.text, 64); err == nil && !math.IsNaN(f) && !math.IsInf(f, 0) {
		return f
	}
	return s.text
}

// any reads a value for a key that takes anything: text, int64, uint64, float64, bool, nil, []any, map[string]any.
func (w *walker) any(path string, n ast.Node) any {
	var v any
	w.decode(path, n, target{v: reflect.ValueOf(&v).Elem()})
	return v
}

func (w *walker) anyMap(path string, n ast.Node) map[string]any {
	m := map[string]any{}
	for _, e := range w.entries(path, n) {
		m[e.key] = w.any(join(path, e.key), e.value)
	}
	return m
}

func (w *walker) anyList(path string, n *ast.SequenceNode) []any {
	list := make([]any, len(n.Values))
	for i, item := range n.Values {
		list[i] = w.any(fmt.Sprintf("%s[%d]", path, i), item)
	}
	return list
}
