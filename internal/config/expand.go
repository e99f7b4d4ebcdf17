package config

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"unicode/utf8"

	"github.com/joho/godotenv"
)

const (
	// maxFile is the most bytes of a configuration or a .env file.
	maxFile = 1 << 20
	// maxSecretFile is the most bytes of a ${file:…}.
	maxSecretFile = 64 << 10
)

var variableName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

// variables is where the values of ${…} come from.
type variables struct {
	env    func(string) (string, bool)
	dotenv map[string]string
	dir    string // of the configuration
}

// lookup returns a variable; the environment wins.
func (v *variables) lookup(name string) (string, bool) {
	if value, ok := v.env(name); ok {
		return value, true
	}
	value, ok := v.dotenv[name]
	return value, ok
}

// expansion is a text after its variables have been replaced.
type expansion struct {
	text string
	refs []hidden // what was put in: the value, "" for a default of the file's own, and "${NAME}"
}

// fault is why a text could not be expanded.
type fault struct{ what, mend string }

// expand replaces the variables of a text. All faults are returned.
func (v *variables) expand(text string) (expansion, []fault) {
	var out strings.Builder
	var e expansion
	var faults []fault
	for {
		before, rest, found := strings.Cut(text, "$")
		out.WriteString(before)
		if !found {
			break
		}
		switch {
		case strings.HasPrefix(rest, "$"):
			out.WriteByte('$')
			text = rest[1:]
			continue
		case !strings.HasPrefix(rest, "{"):
			out.WriteByte('$')
			text = rest
			continue
		}
		inner, after, closed := strings.Cut(rest[1:], "}")
		if !closed {
			faults = append(faults, fault{"${ is not closed", "add a }, or write $${ for a plain ${"})
			break
		}
		text = after
		ref, def, f := v.value(inner)
		if f != nil {
			faults = append(faults, *f)
			continue
		}
		out.WriteString(cmp.Or(ref.value, def))
		e.refs = append(e.refs, ref)
	}
	e.text = out.String()
	return e, faults
}

// value is what stands for ${inner}, and how to name it; def is the default where that is to be used.
func (v *variables) value(inner string) (ref hidden, def string, f *fault) {
	if path, ok := strings.CutPrefix(inner, "file:"); ok {
		ref.shown = "${file:" + path + "}"
		var err error
		if ref.value, err = v.file(path); err != nil {
			return ref, "", &fault{ref.shown + ": " + err.Error(), "make the file readable for the bridge, or correct its path"}
		}
		return ref, "", nil
	}
	name, def, hasDefault := strings.Cut(inner, ":-")
	if !variableName.MatchString(name) {
		return ref, "", &fault{
			quote("${"+inner+"}") + " is not a variable",
			"write ${NAME}, ${NAME:-default} or ${file:/path}; $${ for a plain ${",
		}
	}
	ref.shown = "${" + name + "}"
	if strings.Contains(def, "${") {
		return ref, "", &fault{ref.shown + " has a variable in its default", "a default is plain text"}
	}
	var ok bool
	if ref.value, ok = v.lookup(name); !ok && !hasDefault {
		return ref, "", &fault{name + " is not set", v.whereToSet(name)}
	}
	return ref, def, nil
}

func (v *variables) whereToSet(name string) string {
	mend := "set it in the environment or in " + filepath.Join(v.dir, ".env") + ", or write ${" + name + ":-default}"
	if like, near := nearest(name, keysOf(v.dotenv)); near {
		mend = ".env has " + like + "; else " + mend
	}
	return mend
}

// file reads a secret's file. Errors do not show its content.
func (v *variables) file(path string) (string, error) {
	if path == "" {
		return "", errors.New("no path is given")
	}
	if !filepath.IsAbs(path) {
		path = filepath.Join(v.dir, path)
	}
	raw, err := readFile(path, maxSecretFile)
	if err != nil {
		return "", err
	}
	text := strings.TrimSuffix(strings.TrimSuffix(string(raw), "\n"), "\r")
	if !utf8.ValidString(text) || strings.ContainsRune(text, 0) {
		return "", errors.New("it is not text")
	}
	return text, nil
}

// readFile reads a regular file or a pipe of at most limit bytes.
func readFile(path string, limit int64) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, reason(err)
	}
	raw, err := io.ReadAll(io.LimitReader(f, limit+1))
	if err = errors.Join(err, f.Close()); err != nil {
		return nil, reason(err)
	}
	if int64(len(raw)) > limit {
		return nil, fmt.Errorf("it is larger than %d bytes", limit)
	}
	return bytes.TrimPrefix(raw, []byte("\ufeff")), nil
}

// reason is a file's error without its path, which stands in the message already.
func reason(err error) error {
	if e, ok := errors.AsType[*fs.PathError](err); ok {
		return e.Err
	}
	return err
}

// readDotenv reads the .env beside the configuration; none is fine.
func readDotenv(path string) (map[string]string, *Problem) {
	raw, err := readFile(path, maxFile)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, &Problem{File: path, What: err.Error(), Mend: "make it readable for the bridge, or remove it"}
	}
	set, err := godotenv.UnmarshalBytes(raw)
	if err != nil {
		// The library's message repeats the rest of the file, secrets and all.
		return nil, &Problem{File: path, Line: faultyLine(raw), Column: 1, What: "is not NAME=value", Mend: "put values with blanks, # or quotes in single quotes"}
	}
	return set, nil
}

// faultyLine is the first line after which no beginning of the file is right.
func faultyLine(raw []byte) int {
	const most = 1000 // each try reads all again
	lines := bytes.SplitAfter(raw, []byte("\n"))
	for n := min(len(lines), most); n > 0; n-- {
		if _, err := godotenv.UnmarshalBytes(bytes.Join(lines[:n], nil)); err == nil {
			return n + 1
		}
	}
	return 1
}
