package edgelayer

import (
	"encoding/json"
	"reflect"
	"strings"
)

// shapeOf describes a type as its JSON looks, for error messages:
// {"ids":[integer],"limit":integer}.
func shapeOf(t reflect.Type) string { return shape(t, 4) }

func shape(t reflect.Type, depth int) string {
	if depth == 0 {
		return "…"
	}
	if t.Implements(reflect.TypeFor[json.Marshaler]()) {
		return t.Name()
	}
	switch t.Kind() {
	case reflect.Pointer:
		return shape(t.Elem(), depth)
	case reflect.Bool:
		return "boolean"
	case reflect.String:
		return "string"
	case reflect.Float32, reflect.Float64:
		return "number"
	case reflect.Slice, reflect.Array:
		return "[" + shape(t.Elem(), depth-1) + "]"
	case reflect.Map:
		return "{" + shape(t.Key(), depth-1) + ":" + shape(t.Elem(), depth-1) + "}"
	case reflect.Struct:
		var fields []string
		for f := range t.Fields() {
			name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
			if !f.IsExported() || name == "-" {
				continue
			}
			if name == "" {
				name = f.Name
			}
			fields = append(fields, `"`+name+`":`+shape(f.Type, depth-1))
		}
		return "{" + strings.Join(fields, ",") + "}"
	}
	if t.Kind() >= reflect.Int && t.Kind() <= reflect.Uintptr {
		return "integer"
	}
	return "any"
}
