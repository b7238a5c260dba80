// Minimal says when main.main is reached: RDTSC starts at reset, so under
// run-qemu.sh --icount it counts firmware and kernel; PDAC says too how much
// of that came after the image's entry.
package main

import (
	"os"
	"strconv"
	"syscall"
	"time"
)

func rdtsc() uint64

// sinceEntry is the board's clock, nil elsewhere: under --icount a nanosecond is an instruction.
var sinceEntry func() time.Duration

func main() {
	t := rdtsc()
	if sinceEntry != nil {
		os.Stdout.WriteString("BENCH entry to main.main " + strconv.FormatInt(int64(sinceEntry()), 10) + " ticks/op\n")
	}
	os.Stdout.WriteString("MAIN reached tsc=" + strconv.FormatUint(t, 10) + "\n")
	if os.Getpid() == 1 {
		syscall.Reboot(syscall.LINUX_REBOOT_CMD_RESTART)
	}
}
