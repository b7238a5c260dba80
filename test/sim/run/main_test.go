package main

import (
	"strings"
	"testing"
)

// TestFailureRepeats: the command that a failed run prints fails in the same way, and shows how it came to that.
func TestFailureRepeats(t *testing.T) {
	var out strings.Builder
	err := run(strings.Fields("-cpus=16 -scenario=server -size=0.2 -stall=2000 -seed=7 -bound=1"), &out)
	if err == nil {
		t.Fatal("no task ever waits for a busy CPU while another is idle, not even for 2 ns")
	}
	_, command, found := strings.Cut(err.Error(), "again: go run ./test/sim/run ")
	if !found {
		t.Fatalf("no command in %v", err)
	}
	out.Reset()
	again := run(strings.Fields(command), &out)
	if again == nil || again.Error() != err.Error() {
		t.Errorf("%v\nthen %v", err, again)
	}
	if !strings.Contains(out.String(), " run ") {
		t.Errorf("no trace:\n%s", out.String())
	}
}

func TestEveryScenarioAtThreeCosts(t *testing.T) {
	var out strings.Builder
	if err := run(strings.Fields("-cpus=4 -size=0.01 -profile"), &out); err != nil {
		t.Fatal(err)
	}
	var list strings.Builder
	if err := run([]string{"-list"}, &list); err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(list.String()) {
		name, _, _ := strings.Cut(line, " ")
		if n := strings.Count(out.String(), "\n"+name+" "); n != 3 {
			t.Errorf("%d results of %s, expected 3", n, name)
		}
	}
}

func TestBadFlags(t *testing.T) {
	for _, args := range []string{"-cpus=0", "-cpus=1025", "-nodes=65", "-scenario=none", "-acpi=none", "-cpus=2 -nodes=3"} {
		if err := run(strings.Fields(args), &strings.Builder{}); err == nil {
			t.Errorf("%s: no error", args)
		}
	}
}
