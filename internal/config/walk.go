package config

import (
	"encoding"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/goccy/go-yaml/ast"
)

// walker reads a tree into structs and notes every problem on the way.
type walker struct {
	problems
	variables
	file    string
	lines   []string
	anchors map[string]ast.Node
	kinds   platforms

	nodes    int // visited
	depth    int // of the visit
	tooLarge bool

	values []hidden        // of all variables
	seen   map[string]seen // what stands at each path
	failed map[string]bool // paths with a problem: what follows from that is not told as well
}

// seen is a value that the file gives.
type seen struct {
	at   place
	refs []hidden // the variables in it; the value is "" where it need not be hidden
}

func (w *walker) fail(path string, at place, what, mend string) {
	w.failed[path] = true
	if at.line <= len(w.lines) {
		// The library counts on past the end of the line where a value is left out.
		at.col = min(at.col, utf8.RuneCountInString(w.lines[at.line-1])+1)
	}
	w.add(problemAt(w.file, at, path, what, mend))
}

// resolve follows anchors, aliases and tags. text is true for a value that a tag makes text.
func (w *walker) resolve(path string, n ast.Node) (_ ast.Node, text, ok bool) {
	for range maxDepth {
		switch x := n.(type) {
		case *ast.AnchorNode:
			n = x.Value
		case *ast.AliasNode:
			name := ""
			if x.Value != nil {
				name = x.Value.String()
			}
			target, known := w.anchors[name]
			if !known {
				w.fail(path, start(x), "*"+name+" is not defined", suggest(name, keysOf(w.anchors)))
				return nil, false, false
			}
			n = target
		case *ast.TagNode:
			switch tag := position(x.Start); x.Start.Value {
			case "!!str":
				text = true
			case "!!int", "!!float", "!!bool", "!!null", "!!map", "!!seq":
			default:
				w.fail(path, tag, "the tag "+quote(x.Start.Value)+" means nothing here", "leave it out")
				return nil, false, false
			}
			n = x.Value
		default:
			return n, text, true
		}
	}
	w.fail(path, start(n), "its aliases lead nowhere", "write the value out")
	return nil, false, false
}

// enter counts a visit; false when there have been too many or too deep ones. leave follows it.
func (w *walker) enter(path string, n ast.Node) bool {
	w.depth++
	w.nodes++
	if w.nodes <= maxNodes && w.depth <= maxDepth {
		return true
	}
	if !w.tooLarge {
		w.tooLarge = true
		w.fail(path, start(n), "the file's aliases make it too large", "write values out")
	}
	return false
}

func (w *walker) leave() { w.depth-- }

// target is where a value goes: a field, an element or an entry.
type target struct {
	v    reflect.Value
	enum []string
}

// decode reads a value. null leaves the target as it is.
func (w *walker) decode(path string, n ast.Node, t target) {
	defer w.leave()
	if !w.enter(path, n) {
		return
	}
	at := start(n)
	n, asText, ok := w.resolve(path, n)
	if !ok {
		return
	}
	if _, known := w.seen[path]; !known {
		w.seen[path] = seen{at: at}
	}
	if isNil(n) {
		return
	}
	if t.v.Kind() == reflect.Pointer {
		if t.v.IsNil() {
			t.v.Set(reflect.New(t.v.Type().Elem()))
		}
		t.v = t.v.Elem()
	}
	switch n.(type) {
	case *ast.MappingNode, *ast.MappingValueNode:
		w.decodeMapping(path, n, t)
	case *ast.SequenceNode:
		w.decodeList(path, n, t)
	default:
		w.decodeScalar(path, n, asText, t)
	}
}

func (w *walker) decodeMapping(path string, n ast.Node, t target) {
	switch kind := t.v.Kind(); {
	case isAny(t.v.Type()):
		t.v.Set(reflect.ValueOf(w.anyMap(path, n)))
	case kind == reflect.Struct && len(fieldsOf(t.v)) > 0:
		w.decodeStruct(path, n, fieldsOf(t.v))
	case kind == reflect.Map:
		w.decodeMap(path, n, t.v)
	default:
		w.fail(path, start(n), "is a mapping where "+wants(t)+" is due", "")
	}
}

// decodeStruct reads a mapping into fields, which may be those of several structs.
func (w *walker) decodeStruct(path string, n ast.Node, fields []field) {
	names := make([]string, len(fields))
	for i, f := range fields {
		names[i] = f.name
	}
	for _, e := range w.entries(path, n) {
		i := slices.Index(names, e.key)
		if i < 0 {
			w.fail(join(path, e.key), e.at, "unknown key", suggest(e.key, names))
			continue
		}
		w.decode(join(path, e.key), e.value, fields[i].target)
	}
}

func (w *walker) decodeMap(path string, n ast.Node, v reflect.Value) {
	out := reflect.MakeMap(v.Type())
	for _, e := range w.entries(path, n) {
		elem := reflect.New(v.Type().Elem()).Elem()
		if app, ok := reflect.TypeAssert[*App](elem.Addr()); ok {
			*app = DefaultApp()
		}
		w.decode(join(path, e.key), e.value, target{v: elem})
		out.SetMapIndex(reflect.ValueOf(e.key).Convert(v.Type().Key()), elem)
	}
	v.Set(out)
}

func (w *walker) decodeList(path string, n ast.Node, t target) {
	seq, ok := n.(*ast.SequenceNode)
	switch {
	case !ok:
		return
	case t.v.Type() == reflect.TypeFor[[]Bot]():
		t.v.Set(reflect.ValueOf(w.bots(path, seq)))
	case isAny(t.v.Type()):
		t.v.Set(reflect.ValueOf(w.anyList(path, seq)))
	case t.v.Kind() == reflect.Slice:
		out := reflect.MakeSlice(t.v.Type(), len(seq.Values), len(seq.Values))
		for i, item := range seq.Values {
			at := fmt.Sprintf("%s[%d]", path, i)
			before := len(w.failed)
			w.decode(at, item, target{v: out.Index(i), enum: t.enum})
			if isNil(item) && len(w.failed) == before {
				w.fail(at, start(item), "is empty", "remove the item, or give it a value")
			}
		}
		t.v.Set(out)
	default:
		w.fail(path, start(n), "is a list where "+wants(t)+" is due", "")
	}
}

// entry is one key of a mapping with its value.
type entry struct {
	key   string
	at    place // of the key
	value ast.Node
}

// entries lists the keys of a mapping, those merged into it last. A key that stands twice counts the first time.
func (w *walker) entries(path string, n ast.Node) []entry {
	var list, merged []entry
	first := map[string]place{}
	var pairs []*ast.MappingValueNode
	switch x := n.(type) {
	case *ast.MappingNode:
		pairs = x.Values
	case *ast.MappingValueNode:
		pairs = []*ast.MappingValueNode{x}
	}
	if w.nodes += len(pairs); w.nodes > maxNodes {
		pairs = nil // told when the next one is entered
	}
	for _, p := range pairs {
		if _, ok := p.Key.(*ast.MergeKeyNode); ok {
			merged = append(merged, w.merge(path, p.Value)...)
			continue
		}
		key, ok := keyText(p.Key)
		if !ok {
			w.fail(path, start(p), "a key must be plain text", "")
			continue
		}
		at := start(p.Key)
		if before, twice := first[key]; twice {
			w.fail(join(path, key), at, fmt.Sprintf("duplicate key, first on line %d", before.line), "keep one of them")
			continue
		}
		first[key] = at
		list = append(list, entry{key, at, p.Value})
	}
	for _, e := range merged {
		if _, own := first[e.key]; !own {
			first[e.key] = e.at
			list = append(list, e)
		}
	}
	return list
}

// merge lists the keys that a << brings: of one mapping, or of several of which the first wins.
func (w *walker) merge(path string, n ast.Node) []entry {
	defer w.leave()
	if !w.enter(path, n) {
		return nil
	}
	at := start(n)
	n, _, ok := w.resolve(path, n)
	if !ok {
		return nil
	}
	switch x := n.(type) {
	case *ast.MappingNode, *ast.MappingValueNode:
		return w.entries(path, x)
	case *ast.SequenceNode:
		var list []entry
		for _, item := range x.Values {
			list = append(list, w.merge(path, item)...)
		}
		return list
	}
	w.fail(path, at, "<< merges mappings", "name one with *anchor")
	return nil
}

func keyText(n ast.Node) (string, bool) {
	switch x := n.(type) {
	case *ast.StringNode:
		return x.Value, true
	case *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode, *ast.NullNode:
		return x.GetToken().Value, true
	}
	return "", false
}

func join(path, key string) string {
	if strings.ContainsAny(key, ".[]\" \n") || key == "" {
		key = quote(key)
	}
	if path == "" {
		return key
	}
	return path + "." + key
}

// field is one key of a struct.
type field struct {
	name string
	target
}

// fieldsOf lists the fields of a struct that have a yaml tag, those of inlined structs among them.
func fieldsOf(v reflect.Value) []field {
	var list []field
	for i := range v.NumField() {
		sf := v.Type().Field(i)
		if !sf.IsExported() {
			continue
		}
		name, opts, _ := strings.Cut(sf.Tag.Get("yaml"), ",")
		switch {
		case opts == "inline":
			list = append(list, fieldsOf(v.Field(i))...)
		case name != "" && name != "-":
			f := field{name: name, target: target{v: v.Field(i)}}
			if enum := sf.Tag.Get("enum"); enum != "" {
				f.enum = strings.Split(enum, ",")
			}
			list = append(list, f)
		}
	}
	return list
}

func isAny(t reflect.Type) bool { return t.Kind() == reflect.Interface && t.NumMethod() == 0 }

// unmarshaler returns the target's own way of reading text; nil if it has none.
func unmarshaler(v reflect.Value) encoding.TextUnmarshaler {
	if !v.CanAddr() {
		return nil
	}
	u, _ := reflect.TypeAssert[encoding.TextUnmarshaler](v.Addr())
	return u
}

func keysOf[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}
