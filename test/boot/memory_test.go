package boot

import (
	"fmt"
	"testing"
	"time"
)

// TestOutOfMemory runs out of memory in all ways. The program ends with the Go
// runtime's own message and a stack: nothing hangs, and nothing else ends it.
func TestOutOfMemory(t *testing.T) {
	Need(t)
	const (
		stack   = "goroutine "
		refused = "out of memory" // the runtime's: the kernel's own line is longer
		noFrame = "linux: out of memory: no frame"
	)
	for _, c := range []struct {
		way    string
		cpus   int
		mem    string
		env    string
		status int
		want   []string
	}{
		{"heap", 1, "64M", "", 2, []string{"fatal error: runtime: out of memory", stack, "main.hoard"}},
		{"heap", 2, "128M", "", 2, []string{"fatal error: runtime: out of memory", stack}},
		{"small", 1, "64M", "", 2, []string{refused, stack}},
		{"heap-all", 4, "128M", "", 2, []string{refused, stack}},
		{"heap-all", 2, "1G", "", 2, []string{refused, stack}},
		{"small-all", 4, "64M", "", 2, []string{refused, stack}},
		{"slice 100", 1, "64M", "", 2, []string{"fatal error: runtime: out of memory", stack, "main.main()"}},
		{"slice 4000", 2, "1G", "", 2, []string{"fatal error: runtime: out of memory", stack, "main.main()"}},
		{"slice 40", 1, "128M", "", 0, []string{"survived"}},
		{"mmap", 2, "64M", "", 0, []string{"refused: cannot allocate memory", "survived"}},
		{"sparse 100", 1, "64M", "", 2, []string{noFrame, "SIGBUS", "unexpected fault address", stack, "main.touch"}},
		{"sparse-all 1000", 4, "128M", "", 2, []string{noFrame, "SIGBUS", stack}},
		{"threads", 1, "64M", "", 2, []string{refused, stack}},
		{"threads", 4, "128M", "", 2, []string{refused, stack}},
		{"churn 64", 2, "64M", "env.GOGC=off", 2, []string{refused, stack}},
		{"churn 64", 2, "64M", "env.GOGC=off env.GOMEMLIMIT=24MiB", 0, []string{"survived"}},
		{"lazy", 2, "64M", "", 0, []string{"large is at", "survived"}},
	} {
		t.Run(fmt.Sprint(c.way, " ", c.cpus, " CPUs ", c.mem, " ", c.env), func(t *testing.T) {
			r := Boot(t, Options{Image: "./test/images/memory", CPUs: c.cpus, Nodes: 1, Mem: c.mem, Append: c.env + " -- " + c.way, Timeout: time.Minute})
			r.Want(t, c.status, c.want...)
		})
	}
}
