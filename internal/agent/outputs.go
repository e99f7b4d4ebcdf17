package agent

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

// answerOutputs are the outputs of a workflow that are taken as its answer when none is configured, in this order.
var answerOutputs = []string{"result", "text", "answer"}

// outputs makes the answer of a workflow's outputs, and finds the files among them: the configured output, else the only
// one, else the first of answerOutputs, else all as a list.
func (a *App) outputs(raw json.RawMessage) (answer string, files []madeFile) {
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.UseNumber()
	var all map[string]any
	if len(raw) == 0 || dec.Decode(&all) != nil {
		return "", nil
	}
	names := make([]string, 0, len(all))
	for name, v := range all {
		found := filesIn(v)
		files = append(files, found...)
		if v != nil && len(found) == 0 {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	slices.SortStableFunc(files, func(x, y madeFile) int { return strings.Compare(x.URL, y.URL) })
	if a.output != "" {
		return asText(all[a.output]), files
	}
	if len(names) == 1 {
		return asText(all[names[0]]), files
	}
	for _, name := range answerOutputs {
		if s, ok := all[name].(string); ok {
			return s, files
		}
	}
	var b strings.Builder
	for _, name := range names {
		text := asText(all[name])
		if strings.Contains(text, "\n") {
			fmt.Fprintf(&b, "**%s**\n\n%s\n\n", name, text)
		} else {
			fmt.Fprintf(&b, "**%s**: %s\n\n", name, text)
		}
	}
	return strings.TrimSpace(b.String()), files
}

// asText shows a value to a person: text as it is, anything else as JSON.
func asText(v any) string {
	switch v := v.(type) {
	case nil:
		return ""
	case string:
		return v
	case json.Number, bool:
		return fmt.Sprint(v)
	case []any:
		if len(filesIn(v)) > 0 {
			return ""
		}
		lines := make([]string, 0, len(v))
		for _, e := range v {
			s, ok := e.(string)
			if !ok {
				return asJSON(v)
			}
			lines = append(lines, "- "+s)
		}
		return strings.Join(lines, "\n")
	case map[string]any:
		if len(filesIn(v)) > 0 {
			return ""
		}
	}
	return asJSON(v)
}

func asJSON(v any) string {
	out, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return fmt.Sprint(v)
	}
	return "```json\n" + string(out) + "\n```"
}

// filesIn are the files that an output is: an object with a URL and what files have, or a list of such.
func filesIn(v any) []madeFile {
	switch v := v.(type) {
	case map[string]any:
		if f, ok := fileIn(v); ok {
			return []madeFile{f}
		}
	case []any:
		var files []madeFile
		for _, e := range v {
			m, ok := e.(map[string]any)
			if !ok {
				return nil
			}
			f, ok := fileIn(m)
			if !ok {
				return nil
			}
			files = append(files, f)
		}
		return files
	}
	return nil
}

func fileIn(m map[string]any) (madeFile, bool) {
	text := func(keys ...string) string {
		for _, k := range keys {
			if s, ok := m[k].(string); ok && s != "" {
				return s
			}
		}
		return ""
	}
	url := text("url", "remote_url")
	marked := text("dify_model_identity") == "__dify__file__" || text("filename") != "" && text("mime_type", "type") != ""
	if url == "" || !marked {
		return madeFile{}, false
	}
	f := madeFile{
		ID: text("related_id"), Type: text("type"), Name: text("filename"), MIME: text("mime_type"), URL: url,
		IDs: []string{text("id"), text("upload_file_id")},
	}
	if n, ok := m["size"].(json.Number); ok {
		f.Size, _ = n.Int64()
	}
	return f, true
}
