package console

import (
	"maps"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// fields maps the path of each field that encoding/json writes of t to its type.
func fields(t reflect.Type, path string, into map[string]string) {
	switch t.Kind() {
	case reflect.Struct:
		for i := range t.NumField() {
			f := t.Field(i)
			if !f.IsExported() {
				continue
			}
			name := f.Tag.Get("json")
			if !regexp.MustCompile(`^([a-z][a-z0-9_]*|traceEvents)$`).MatchString(name) { // one name is Chrome's
				name = "BAD TAG " + f.Name
			}
			if path != "" {
				name = path + "." + name
			}
			fields(f.Type, name, into)
		}
	case reflect.Slice:
		fields(t.Elem(), path+"[]", into)
	case reflect.String:
		into[path] = "string"
	case reflect.Bool:
		into[path] = "boolean"
	case reflect.Int, reflect.Uint32, reflect.Uint64:
		into[path] = "integer"
	case reflect.Float64:
		into[path] = "number"
	default:
		into[path] = t.String()
	}
}

// documented reads docs/CONSOLE.md: the fields of each section, by its heading.
func documented(t *testing.T) map[string]map[string]string {
	b, err := os.ReadFile("../../docs/CONSOLE.md")
	if err != nil {
		t.Fatal(err)
	}
	sections, section := map[string]map[string]string{}, map[string]string(nil)
	for l := range strings.Lines(string(b)) {
		l = strings.TrimSpace(l)
		if h, ok := strings.CutPrefix(l, "## "); ok {
			section = map[string]string{}
			sections[h] = section
		} else if cells := strings.Split(l, "|"); len(cells) == 5 {
			name, kind, meaning := strings.TrimSpace(cells[1]), strings.TrimSpace(cells[2]), strings.TrimSpace(cells[3])
			if name == "field" || strings.HasPrefix(name, "--") {
				continue
			}
			if meaning == "" || section[name] != "" {
				t.Errorf("%s: no meaning, or listed twice", l)
			}
			section[name] = kind
		}
	}
	return sections
}

func TestDocumentationListsEveryField(t *testing.T) {
	doc := documented(t)
	for _, c := range Commands() {
		want := map[string]string{}
		fields(reflect.TypeOf(c.Result), "", want)
		if c.Other != nil {
			fields(reflect.TypeOf(c.Other), "", want)
		}
		got, ok := doc[c.Usage()]
		if !ok {
			t.Errorf("no section %q", c.Usage())
		}
		for _, f := range slices.Sorted(maps.Keys(want)) {
			if got[f] != want[f] {
				t.Errorf("%s: field %s is of type %s, documented as %q", c.Name, f, want[f], got[f])
			}
			delete(got, f)
		}
		for f := range got {
			t.Errorf("%s: no field %s", c.Name, f)
		}
		delete(doc, c.Usage())
	}
	for h := range doc {
		t.Errorf("no command %q", h)
	}
}
