package agent

import (
	"fmt"
	"maps"
	"strings"
	"text/template"

	"github.com/clickai/bridge/core"
)

// inputs are the configured input variables of an app. Texts that hold {{…}} are templates over core.Vars.
type inputs map[string]any

// newInputs parses the templates, so that a wrong one is found when the configuration is read.
func newInputs(configured map[string]any) (inputs, error) {
	in := make(inputs, len(configured))
	for name, v := range configured {
		parsed, err := parseInput(name, v)
		if err != nil {
			return nil, err
		}
		in[name] = parsed
	}
	// One run with empty values finds names that do not exist.
	if _, err := in.render(core.Vars{}); err != nil {
		return nil, err
	}
	return in, nil
}

func parseInput(name string, v any) (any, error) {
	switch v := v.(type) {
	case string:
		if !strings.Contains(v, "{{") {
			return v, nil
		}
		t, err := template.New(name).Option("missingkey=error").Parse(v)
		if err != nil {
			return nil, fmt.Errorf("input %s: %w", name, err)
		}
		return t, nil
	case map[string]any:
		out := make(map[string]any, len(v))
		for k, e := range v {
			parsed, err := parseInput(name+"."+k, e)
			if err != nil {
				return nil, err
			}
			out[k] = parsed
		}
		return out, nil
	case []any:
		out := make([]any, len(v))
		for i, e := range v {
			parsed, err := parseInput(fmt.Sprintf("%s[%d]", name, i), e)
			if err != nil {
				return nil, err
			}
			out[i] = parsed
		}
		return out, nil
	}
	return v, nil
}

// render fills the templates in. The result is the caller's own and never nil.
func (in inputs) render(vars core.Vars) (map[string]any, error) {
	out := make(map[string]any, len(in)+2)
	maps.Copy(out, in)
	for name, v := range out {
		r, err := renderInput(v, vars)
		if err != nil {
			return nil, fmt.Errorf("input %s: %w", name, err)
		}
		out[name] = r
	}
	return out, nil
}

func renderInput(v any, vars core.Vars) (any, error) {
	switch v := v.(type) {
	case *template.Template:
		var b strings.Builder
		if err := v.Execute(&b, vars); err != nil {
			return nil, err
		}
		return b.String(), nil
	case map[string]any:
		out := make(map[string]any, len(v))
		for k, e := range v {
			r, err := renderInput(e, vars)
			if err != nil {
				return nil, err
			}
			out[k] = r
		}
		return out, nil
	case []any:
		out := make([]any, len(v))
		for i, e := range v {
			r, err := renderInput(e, vars)
			if err != nil {
				return nil, err
			}
			out[i] = r
		}
		return out, nil
	}
	return v, nil
}
