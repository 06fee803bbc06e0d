package cli

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/rs/zerolog"
)

// console writes log lines for people.
func console(w io.Writer) io.Writer {
	return zerolog.ConsoleWriter{
		Out: w, TimeFormat: "15:04:05", NoColor: !isTerminal(w) || os.Getenv("NO_COLOR") != "",
		FormatPrepare: readable,
	}
}

func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	if !ok {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}

// readable makes a sentence of the line of a device request:
//
//	GET /tv@^1/home 200 in 13.1 ms adapter=tv@1.3.0 calls="profiles.current 5.5, …"
func readable(line map[string]any) error {
	calls, ok := line["calls"].([]any)
	if !ok {
		return nil
	}
	line["message"] = fmt.Sprintf("%v %v %v in %s ms", line["method"], line["path"], line["status"], millis(line["took"]))
	for _, said := range []string{"method", "path", "status", "took", "tier", "calls"} {
		delete(line, said)
	}
	if conversations, ok := line["conversations"].([]any); ok {
		line["conversations"] = figures(conversations)
	}
	if len(calls) == 0 {
		return nil
	}
	texts := make([]string, len(calls))
	for i, c := range calls {
		if c, ok := c.(map[string]any); ok {
			texts[i] = fmt.Sprintf("%v %s", c["call"], millis(c["took"]))
			if code := c["code"]; code != nil {
				texts[i] += fmt.Sprintf(" %v!", code)
			}
		}
	}
	line["calls"] = strings.Join(texts, ", ")
	return nil
}

// figures are those of conversations: "5 calls, 2 references; 1 calls".
func figures(conversations []any) string {
	texts := make([]string, len(conversations))
	for i, c := range conversations {
		c, _ := c.(map[string]any)
		var parts []string
		for _, name := range []string{"calls", "references", "view_hits", "moves"} {
			if n := c[name]; n != nil {
				parts = append(parts, fmt.Sprintf("%v %s", n, strings.ReplaceAll(name, "_", " ")))
			}
		}
		texts[i] = strings.Join(parts, ", ")
	}
	return strings.Join(texts, "; ")
}

// millis rounds what zerolog wrote as milliseconds.
func millis(v any) string {
	if n, ok := v.(json.Number); ok {
		if f, err := n.Float64(); err == nil {
			return fmt.Sprintf("%.1f", f)
		}
	}
	return fmt.Sprint(v)
}
