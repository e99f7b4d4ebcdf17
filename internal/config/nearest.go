package config

import (
	"slices"
	"strings"

	"github.com/agext/levenshtein"
)

// nearest returns the valid name that is most like a wrong one, and whether it is like enough to be what was meant.
func nearest(wrong string, valid []string) (name string, near bool) {
	if len(wrong) > 200 {
		return "", false // the comparison's cost grows with both lengths
	}
	best := -1
	fold := strings.ToLower(wrong)
	for _, v := range slices.Sorted(slices.Values(valid)) {
		d := levenshtein.Distance(fold, strings.ToLower(v), nil)
		if best < 0 || d < best {
			best, name = d, v
		}
	}
	return name, best >= 0 && best <= max(1, len([]rune(wrong))*2/5)
}

// suggest is the mend for a wrong name: the nearest valid one, and all of them where that is far off.
func suggest(wrong string, valid []string) string {
	name, near := nearest(wrong, valid)
	switch {
	case name == "":
		return ""
	case near:
		return "did you mean " + name + "?"
	case len(valid) == 1:
		return "only " + name + " is valid here"
	}
	const most = 24
	list := valid
	tail := ""
	if len(list) > most {
		list, tail = list[:most], ", …"
	}
	return "nearest valid name: " + name + "; valid here: " + strings.Join(list, ", ") + tail
}
