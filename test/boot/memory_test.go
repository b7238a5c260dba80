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
		{"heap-all", 4, "128M", "hugepages=always", 2, []string{refused, stack}},
		{"small-all", 4, "64M", "", 2, []string{refused, stack}},
		{"slice 100", 1, "64M", "", 2, []string{"fatal error: runtime: out of memory", stack, "main.main()"}},
		{"slice 4000", 2, "1G", "", 2, []string{"fatal error: runtime: out of memory", stack, "main.main()"}},
		{"slice 40", 1, "128M", "", 0, []string{"survived"}},
		{"mmap", 2, "64M", "", 0, []string{"refused: cannot allocate memory", "survived"}},
		{"sparse 100", 1, "64M", "", 2, []string{noFrame, "SIGBUS", "unexpected fault address", stack, "main.touch"}},
		// Here the kernel's lines may come in the midst of the program's.
		{"sparse-all 1000", 4, "128M", "", 2, []string{stack, "main.touch"}},
		{"threads", 1, "64M", "", 2, []string{refused, stack}},
		{"threads", 4, "128M", "", 2, []string{refused, stack}},
		{"churn 64", 2, "64M", "env.GOGC=off", 2, []string{refused, stack}},
		{"churn 64", 2, "64M", "env.GOGC=off env.GOMEMLIMIT=24MiB", 0, []string{"survived"}},
		{"lazy", 2, "64M", "", 0, []string{"large is at", "survived"}},
	} {
		t.Run(fmt.Sprint(c.way, " ", c.cpus, " CPUs ", c.mem, " ", c.env), func(t *testing.T) {
			t.Parallel()
			r := Boot(t, Options{Image: "./test/images/memory", CPUs: c.cpus, Nodes: 1, Mem: c.mem, Append: "console=off " + c.env + " -- " + c.way, Timeout: time.Minute})
			r.Want(t, c.status, c.want...)
		})
	}
}

// TestMemoryReport adds up what the console says about memory.
func TestMemoryReport(t *testing.T) {
	Need(t)
	r := Boot(t, Options{CPUs: 2, Nodes: 2, Mem: "64M", Exec: "mem -j; poweroff"})
	r.Want(t, 0)
	var m struct {
		Total  int64 `json:"total_bytes"`
		Free   int64 `json:"free_bytes"`
		Image  int64 `json:"image_bytes"`
		Kernel int64 `json:"kernel_bytes"`
		Table  int64 `json:"table_bytes"`
	}
	r.JSON(t, "image_bytes", &m)
	if m.Total < 62*mib || m.Total > 64*mib {
		t.Errorf("total %d", m.Total)
	}
	// The image has its files; crypto's 32 MiB of variables are not in use.
	if m.Image < 4*mib || m.Image > 24*mib || m.Kernel == 0 || m.Kernel > 2*mib || m.Table == 0 || m.Table > mib {
		t.Errorf("image %d, kernel %d, page tables %d", m.Image, m.Kernel, m.Table)
	}
	// What is left is the program's, and the reserve.
	if rest := m.Total - m.Free - m.Image - m.Kernel - m.Table; rest < 0 || rest > 4*mib {
		t.Errorf("%d bytes are nobody's", rest)
	}
}

// TestImageTooLarge boots where the image's end has no RAM behind it.
func TestImageTooLarge(t *testing.T) {
	Need(t)
	r := Boot(t, Options{CPUs: 1, Nodes: NoNodes, Mem: "20M", Exec: "poweroff"})
	r.Want(t, 254, "pdac: the memory is too small for the image")
}
