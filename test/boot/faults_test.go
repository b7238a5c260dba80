package boot

import (
	"io"
	"strconv"
	"strings"
	"testing"
	"time"
)

// What a fault prints and exits with is what the same program does on Linux.
func TestFaults(t *testing.T) {
	Need(t)
	for _, c := range []struct {
		fault  string
		status int
		want   []string
	}{
		{"none", 0, []string{"survived"}},
		{"panic", 2, []string{"panic: on purpose", "goroutine 1 [running]", "main.main()"}},
		{"panic-goroutine", 2, []string{"panic: aside", "[running]"}},
		{"nil", 2, []string{"panic: runtime error: invalid memory address or nil pointer dereference", "code=0x1 addr=0x0", "main.load", "main.main()",
			"*** PDAC crash: program ended by SIGSEGV", "vector 14 #PF", "main.load+0x", "CPU "}},
		{"nil-recovered", 0, []string{"recovered: runtime error: invalid memory address", "survived"}},
		{"nil-recovered-often", 0, []string{"recovered 10000 times", "survived"}},
		{"divide", 2, []string{"panic: runtime error: integer divide by zero", "main.divide"}},
		{"divide-recovered", 0, []string{"recovered: runtime error: integer divide by zero", "survived"}},
		{"wild", 2, []string{"unexpected fault address 0xdeadbeef000", "fatal error: fault", "code=0x1 addr=0xdeadbeef000", "main.load"}},
		{"noncanonical", 2, []string{"fatal error: fault", "code=0x80 addr=0x0", "main.load"}},
		{"wild-recovered", 0, []string{"fault at 0xdeadbeef000", "survived"}},
		{"write-rodata", 0, []string{"fault at 0x", "survived"}},
		{"write-text", 0, []string{"fault at 0x", "survived"}},
		{"execute-data", 2, []string{"unexpected fault address 0x", "fatal error: fault", "code=0x2"}},
		{"deadlock", 2, []string{"fatal error: all goroutines are asleep - deadlock!", "goroutine 1 [select (no cases)]"}},
		{"stack-overflow", 2, []string{"goroutine stack exceeds 16777216-byte limit", "fatal error: stack overflow", "main.deep"}},
		{"out-of-memory", 2, []string{"out of memory", "goroutine 1"}},
		{"abort", 2, []string{"SIGABRT: abort"}},
		{"signal", 0, []string{"got user defined signal 1", "survived"}},
	} {
		t.Run(c.fault, func(t *testing.T) {
			// Without the console, whose goroutine is never asleep: see deadlock.
			r := Boot(t, Options{Image: "./test/images/faults", CPUs: 2, Mem: "256M", Append: "console=off -- " + c.fault, Timeout: time.Minute})
			r.Want(t, c.status, c.want...)
			if c.status != 0 && strings.Contains(r.Output, "survived") {
				t.Error("the program survived")
			}
		})
	}
}

func TestExitCodes(t *testing.T) {
	Need(t)
	for _, code := range []int{0, 1, 7, 127, 128, 200} {
		t.Run(strconv.Itoa(code), func(t *testing.T) {
			r := Boot(t, Options{Image: "./test/images/faults", CPUs: 1, Nodes: 1, Append: "-- exit " + strconv.Itoa(code)})
			r.Want(t, code, "PDAC-EXIT "+strconv.Itoa(code))
		})
	}
}

// A panic of the kernel tells what every CPU was doing, down to the program's
// frames, and ends the machine with a status of its own.
func TestKernelCrash(t *testing.T) {
	Need(t)
	for _, cpus := range []int{1, 4} {
		t.Run(strconv.Itoa(cpus), func(t *testing.T) {
			r := Boot(t, Options{CPUs: cpus, Nodes: 1, Exec: "crash"})
			r.Want(t, 254, "*** PDAC crash: nil dereference or Go panic in the kernel ***", "vector 14 #PF",
				"pdac/kernel/linux.lateCall+0x", "pdac/board/qemu-amd64.syscallEntry", "program:", "syscall.Syscall", "*** end of dump ***")
			if n := strings.Count(r.Output, "\nCPU "); n != cpus {
				t.Errorf("the dump tells of %d CPUs, want %d:\n%s", n, cpus, r.Output)
			}
		})
	}
}

// The console tells of a recovered fault, with the instruction.
func TestFaultsCommand(t *testing.T) {
	Need(t)
	keys, type_ := io.Pipe()
	r := Boot(t, Options{Image: "./test/images/faults", CPUs: 2, Append: "-- nil-recovered-stay", Input: keys, Line: func(line string) {
		if strings.Contains(line, "recovered:") {
			go func() {
				io.WriteString(type_, "faults -j\npoweroff 5\n")
				type_.Close()
			}()
		}
	}})
	r.Want(t, 5)
	var all struct {
		Faults []struct {
			Vector                  int
			Address                 uint64
			Func, File, Instruction string
			Line                    int
		}
	}
	r.JSON(t, "faults", &all)
	if len(all.Faults) != 1 {
		t.Fatalf("%d faults, want one:\n%s", len(all.Faults), r.Output)
	}
	f := all.Faults[0]
	if f.Vector != 14 || f.Address != 0 || f.Func != "main.load" || !strings.HasSuffix(f.File, "faults/main.go") || f.Line == 0 || !strings.HasPrefix(f.Instruction, "MOV") {
		t.Errorf("the fault is %+v", f)
	}
}
