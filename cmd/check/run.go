package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"strings"
)

// tally counts tests, subtests included.
type tally struct{ passed, failed, skipped int }

func (t *tally) add(u tally) {
	t.passed += u.passed
	t.failed += u.failed
	t.skipped += u.skipped
}

// run runs the suite, writing to w what a reader wants to see of it.
func (s suite) run(w io.Writer) tally {
	cmd := exec.Command(s.argv[0], s.argv[1:]...)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		fmt.Fprintln(w, err)
		return tally{failed: 1}
	}
	count := countLines
	if slices.Contains(s.argv, "-json") {
		count = countEvents
	}
	t, counted := count(out, w)
	err = cmd.Wait()
	switch {
	case err != nil && t.failed == 0:
		fmt.Fprintf(w, "%s: %v\n", strings.Join(s.argv, " "), err)
		t.failed++
	case err == nil && !counted:
		t.passed++
	}
	return t
}

// countLines passes plain output on. Counted tells that its last line was a sum.
func countLines(r io.Reader, w io.Writer) (t tally, counted bool) {
	lines := bufio.NewReader(r)
	for {
		line, err := lines.ReadString('\n')
		if line != "" {
			fmt.Fprint(w, line)
			t = tally{}
			n, _ := fmt.Sscanf(line, "%d passed, %d failed", &t.passed, &t.failed)
			if counted = n == 2; !counted {
				t = tally{}
			}
		}
		if err != nil {
			return t, counted
		}
	}
}

// event is a line of go test -json (go doc test2json).
type event struct {
	Action, Package, ImportPath, Test, Output string
}

// countEvents reads the events of go test -json. It prints a package's line
// when the package ends, a test's output when the test fails, lines that a test
// begins with "note: ", and what is not an event, such as the go command's own
// errors.
func countEvents(r io.Reader, w io.Writer) (t tally, counted bool) {
	output := make(map[string]*strings.Builder) // of package, or package and test
	failures := make(map[string]bool)           // packages with a failed test
	lines := bufio.NewReader(r)
	for {
		line, err := lines.ReadString('\n')
		if err != nil {
			return t, true
		}
		var e event
		if json.Unmarshal([]byte(line), &e) != nil {
			fmt.Fprint(w, line)
			continue
		}
		key := e.Package + " " + e.Test
		text := output[key]
		if text == nil {
			text = new(strings.Builder)
			output[key] = text
		}
		switch e.Action {
		case "output":
			text.WriteString(e.Output)
			if strings.HasPrefix(e.Output, "note: ") {
				fmt.Fprint(w, e.Output)
			}
			continue
		case "build-output":
			fmt.Fprint(w, e.Output)
			continue
		case "pass", "skip", "fail":
		default:
			continue
		}
		delete(output, key)
		if e.Test == "" {
			fmt.Fprint(w, packageText(text.String(), e.Action == "fail" && !failures[e.Package]))
			if e.Action == "fail" && !failures[e.Package] { // did not build, timed out, or exited
				t.failed++
			}
			continue
		}
		switch e.Action {
		case "pass":
			t.passed++
		case "skip":
			t.skipped++
		case "fail":
			t.failed++
			failures[e.Package] = true
			fmt.Fprint(w, text.String())
		}
	}
}

// packageText returns all that a package printed, or its last line, which says
// how it went. Packages without tests are not worth a line.
func packageText(s string, all bool) string {
	if all {
		return s
	}
	s = strings.TrimSuffix(s, "\n")
	s = s[strings.LastIndexByte(s, '\n')+1:]
	if s == "" || strings.HasSuffix(s, "[no test files]") {
		return ""
	}
	return s + "\n"
}
