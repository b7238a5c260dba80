package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestChoose(t *testing.T) {
	all := []suite{{name: "a"}, {name: "b", long: true}, {name: "c"}}
	for _, c := range []struct {
		names []string
		long  bool
		want  string
	}{{nil, false, "a c"}, {nil, true, "a b c"}, {[]string{"b"}, false, "b"}, {[]string{"c", "a"}, false, "a c"}} {
		chosen, err := choose(all, c.names, c.long)
		var got []string
		for _, s := range chosen {
			got = append(got, s.name)
		}
		if err != nil || strings.Join(got, " ") != c.want {
			t.Errorf("choose(%v, %v) = %v, %v; want %s", c.names, c.long, got, err, c.want)
		}
	}
	if _, err := choose(all, []string{"d"}, false); err == nil {
		t.Error("an unknown suite is accepted")
	}
}

func TestRunCommand(t *testing.T) {
	for _, c := range []struct {
		script string
		want   tally
	}{
		{"echo fine", tally{passed: 1}},
		{"echo bad; exit 3", tally{failed: 1}},
		{"echo one; echo 5 passed, 0 failed", tally{passed: 5}},
		{"echo 5 passed, 2 failed; exit 1", tally{passed: 5, failed: 2}},
		{"echo 5 passed, 0 failed; exit 1", tally{passed: 5, failed: 1}},
		{"echo 5 passed, 0 failed; echo later", tally{passed: 1}},
	} {
		var out strings.Builder
		s := suite{argv: []string{"sh", "-c", c.script}}
		if got := s.run(&out); got != c.want {
			t.Errorf("%s: %+v, want %+v", c.script, got, c.want)
		}
	}
	if got := (suite{argv: []string{"./no-such-command"}}).run(new(strings.Builder)); got.failed != 1 {
		t.Errorf("a command that is not there: %+v", got)
	}
}

// TestRunGoTest counts a module with each way to end.
func TestRunGoTest(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{
		"go.mod":       "module m\n\ngo 1.26\n",
		"a/a_test.go":  "package a\n\nimport \"testing\"\n\nfunc TestGood(t *testing.T) { println(\"note: told\"); t.Log(\"quiet\") }\nfunc TestSkip(t *testing.T) { t.Skip() }\nfunc TestBad(t *testing.T) { t.Run(\"sub\", func(t *testing.T) { t.Error(\"loud\") }) }\n",
		"b/b_test.go":  "package b\n\nfunc f() { undefined() }\n",
		"c/c_test.go":  "package c\n\nimport (\n\t\"os\"\n\t\"testing\"\n)\n\nfunc TestMain(m *testing.M) { println(\"early\"); os.Exit(3) }\n",
		"d/nothing.go": "package d\n",
	} {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	var out strings.Builder
	s := suite{argv: []string{"go", "-C", dir, "test", "-json", "-vet=off", "./..."}}
	got := s.run(&out)
	// Failed: TestBad and its subtest, b that does not build, c that exits.
	if want := (tally{passed: 1, failed: 4, skipped: 1}); got != want {
		t.Errorf("%+v, want %+v\n%s", got, want, out.String())
	}
	for _, want := range []string{"loud", "undefined: undefined", "early", "\nnote: told\n"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("output lacks %q:\n%s", want, out.String())
		}
	}
	for _, not := range []string{"quiet", "no test files", "=== RUN   TestGood"} {
		if strings.Contains(out.String(), not) {
			t.Errorf("output has %q:\n%s", not, out.String())
		}
	}
}
