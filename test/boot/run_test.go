package boot

import (
	"fmt"
	"strings"
	"testing"
)

// TestSMP has every CPU of a machine compute at once, without the console.
func TestSMP(t *testing.T) {
	Need(t)
	for _, n := range []int{1, 2, 4, 16, 64} {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			r := Boot(t, Options{Image: "./test/images/smp", CPUs: n, Nodes: min(n, 4)})
			r.Want(t, 0)
			var got struct{ NumCPU, GOMAXPROCS, Right int }
			r.JSON(t, "numcpu", &got)
			if got.NumCPU != n || got.GOMAXPROCS != n || got.Right != n {
				t.Errorf("%+v, want %d of each", got, n)
			}
		})
	}
}

// TestIcountRepeats runs the same image twice by the count of instructions.
func TestIcountRepeats(t *testing.T) {
	Need(t)
	o := Options{Image: "./test/images/smp", Icount: true}
	first, second := Boot(t, o), Boot(t, o)
	first.Want(t, 0)
	if first.Output != second.Output {
		t.Errorf("two runs differ: %s", firstDifference(first.Output, second.Output))
	}
}

func firstDifference(a, b string) string {
	as, bs := strings.Split(a, "\n"), strings.Split(b, "\n")
	for i := range min(len(as), len(bs)) {
		if as[i] != bs[i] {
			return fmt.Sprintf("line %d: %q and %q", i+1, as[i], bs[i])
		}
	}
	return fmt.Sprintf("%d and %d lines", len(as), len(bs))
}

// TestCommandLine gives console commands, log level, environment and arguments at once.
func TestCommandLine(t *testing.T) {
	Need(t)
	r := Boot(t, Options{CPUs: 2, Exec: "version; numa -j; poweroff 5", Append: "loglevel=debug env.GOTRACEBACK=all -- one two"})
	r.Want(t, 5)
	r.JSON(t, "nodes", new(numaReport))
}

func TestConsole(t *testing.T) {
	Need(t)
	t.Run("piped input", func(t *testing.T) {
		r := Boot(t, Options{Stdin: "numa -j\npoweroff 3\n"})
		r.Want(t, 3)
		var numa numaReport
		r.JSON(t, "nodes", &numa)
		if len(numa.Nodes) != 2 {
			t.Errorf("%d nodes, want 2", len(numa.Nodes))
		}
	})
	t.Run("every command", func(t *testing.T) {
		commands := []string{"version", "cpu", "mem", "numa", "irq", "ps", "syscalls", "gc", "log", "faults", "caps", "rcu", "ipc", "sched", "sched trace"}
		var input strings.Builder
		input.WriteString("help\n")
		for _, c := range commands {
			fmt.Fprintf(&input, "%s\n%s -j\n", c, c)
		}
		r := Boot(t, Options{Stdin: input.String() + "help -j\npoweroff\n"})
		r.Want(t, 0, commands...)
		r.JSON(t, "cpus", new(cpuReport))
	})
	t.Run("bad input", func(t *testing.T) {
		r := Boot(t, Options{Stdin: "frobnicate\npoweroff many\n\x01\x7f\x1b[A\x00\xff\npoweroff 4\n"})
		r.Want(t, 4, "frobnicate")
	})
	t.Run("a long line", func(t *testing.T) {
		r := Boot(t, Options{Stdin: strings.Repeat("x", 10_000) + "\npoweroff 6\n"})
		r.Want(t, 6)
	})
	t.Run("input ends", func(t *testing.T) {
		// End of input must not stop the guest: the commands of the command line still run.
		r := Boot(t, Options{Exec: "gc; poweroff 8"})
		r.Want(t, 8)
	})
}

func TestReboot(t *testing.T) {
	Need(t)
	// Here QEMU leaves at a reset, without an exit code.
	if r := Boot(t, Options{Exec: "reboot"}); r.Status != StatusDied {
		t.Errorf("status %d, want %d", r.Status, StatusDied)
	}
}
