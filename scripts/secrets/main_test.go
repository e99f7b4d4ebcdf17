package main

import (
	"strings"
	"testing"
)

func TestSearch(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, in string
		found    int
		out      string
	}{
		{"nothing", `{"Action":"output","Package":"p","Test":"T","Output":"fine\n"}` + "\n" + `{"Action":"pass","Package":"p","Test":"T"}`, 0, ""},
		{"in a passing test", `{"Action":"output","Package":"p","Test":"T","Output":"x hunter2 y\n"}` + "\n" + `{"Action":"pass","Package":"p","Test":"T"}`, 1, "CREDENTIAL: the key, in p T: x [it] y\n\n"},
		{"escaped", `{"Action":"output","Package":"p","Test":"T","Output":"\u0068unter2\n"}`, 1, "CREDENTIAL: the key, in p T: [it]\n\n"},
		{"failing test", `{"Action":"output","Package":"p","Test":"T","Output":"why\n"}` + "\n" + `{"Action":"fail","Package":"p","Test":"T"}`, 0, "why\n"},
		{"test cut off", `{"Action":"output","Package":"p","Test":"T","Output":"panic: timed out\n"}` + "\n" + `{"Action":"fail","Package":"p"}`, 0, "panic: timed out\n"},
		{"package", `{"Action":"output","Package":"p","Output":"ok p\n"}`, 0, "ok p\n"},
		{"build", `{"ImportPath":"p","Action":"build-output","Output":"syntax error\n"}`, 0, "syntax error\n"},
		{"no JSON", "panic: hunter2", 1, "CREDENTIAL: the key, in  : panic: [it]\n\npanic: hunter2\n"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var out strings.Builder
			found, err := search(strings.NewReader(tt.in), &out, map[string]string{"the key": "hunter2"})
			if err != nil || found != tt.found || out.String() != tt.out {
				t.Errorf("found %d, %v, printed %q; want %d, %q", found, err, out.String(), tt.found, tt.out)
			}
		})
	}
	for name, secret := range credentials() {
		if len(secret) < 12 {
			t.Errorf("%s is too short to be searched for", name)
		}
	}
}
