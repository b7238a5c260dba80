package main

import (
	"fmt"
	"strings"
)

// tally counts tests, subtests included.
type tally struct{ passed, failed, skipped int }

func (t *tally) add(u tally) {
	t.passed += u.passed
	t.failed += u.failed
	t.skipped += u.skipped
}

// result is what became of a package.
type result struct {
	tally
	verdict string // ok, FAIL or skip
	reason  string // of a skip or a failure that no test told
	said    string // by failed tests, or by a guest that died
}

// marker precedes what the testing package itself says under -test.v=test2json,
// so that output of tests, which may lack a newline, is not taken for that.
const marker = "\x16"

// tailLines are shown of a guest that did not end by itself.
const tailLines = 60

// read makes the result of a test binary's console and exit status.
func read(console string, status int) result {
	r := result{verdict: "FAIL"}
	said := make(map[string]*strings.Builder) // by test, until it ends
	running := make(map[string]bool)
	test, ended := "", ""
	say := func(text string) {
		if said[test] == nil {
			said[test] = new(strings.Builder)
		}
		said[test].WriteString(text)
	}
	for line := range strings.Lines(console) {
		before, event, ok := strings.Cut(line, marker)
		if before != "" {
			say(before)
		}
		if !ok {
			continue
		}
		if event == "PASS\n" || event == "FAIL\n" {
			ended = strings.TrimSpace(event)
			continue
		}
		f := strings.Fields(event) // === RUN Test, --- PASS: Test (0.00s)
		if len(f) < 3 {
			continue
		}
		test = f[2]
		switch f[0] + " " + f[1] {
		case "=== RUN":
			running[test] = true
			continue
		case "--- PASS:":
			r.passed++
		case "--- SKIP:":
			r.skipped++
		case "--- FAIL:":
			r.failed++
			say(event)
			r.said += said[test].String()
		default:
			continue
		}
		delete(running, test)
		delete(said, test)
		test, _, _ = cutLast(test, "/")
	}
	switch {
	case ended == "PASS" && status == 0 && r.failed == 0:
		r.verdict = "ok"
	case ended == "" || r.failed == 0:
		r.failed++
		r.reason = fmt.Sprintf("status %d, unfinished:", status)
		for name := range running {
			r.reason += " " + name
		}
		r.said += tail(console)
	}
	return r
}

// cutLast is strings.Cut at the last separator.
func cutLast(s, sep string) (before, after string, found bool) {
	if i := strings.LastIndex(s, sep); i >= 0 {
		return s[:i], s[i+len(sep):], true
	}
	return s, "", false
}

// tail returns the last lines.
func tail(s string) string {
	lines := strings.SplitAfter(s, "\n")
	return strings.Join(lines[max(0, len(lines)-tailLines):], "")
}
