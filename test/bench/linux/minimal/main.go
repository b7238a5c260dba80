// Minimal says when main.main is reached: RDTSC starts at reset, so under
// run-qemu.sh --icount it counts firmware and kernel.
package main

import (
	"os"
	"strconv"
	"syscall"
)

func rdtsc() uint64

func main() {
	t := rdtsc()
	os.Stdout.WriteString("MAIN reached tsc=" + strconv.FormatUint(t, 10) + "\n")
	if os.Getpid() == 1 {
		syscall.Reboot(syscall.LINUX_REBOOT_CMD_RESTART)
	}
}
