//go:build race

package sched

// scale divides the lengths of the longest tests.
const scale = 10
