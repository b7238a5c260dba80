package board

import (
	"io"
	"os"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/usbarmory/tamago/soc/intel/rtc"
	"github.com/usbarmory/tamago/soc/intel/uart"

	"pdac/asm"
	"pdac/kernel"
	"pdac/kernel/linux"
)

// init starts what runs above the runtime. In a process that did not enter
// through Entry it does nothing.
func init() {
	if startInfo == 0 {
		return
	}
	setWall()
	kernel.Start(&kernel.Board{
		Name:       "qemu-amd64",
		CPUModel:   cpuModel(),
		TSCHz:      tscHz(),
		Line:       openLine(),
		CPUs:       listCPUs,
		CPU:        cpuFunc(),
		Local:      localFunc(),
		SetLocal:   setLocal,
		Topology:   &topology,
		Frames:     &frames,
		ImageBytes: neverFree(),
		Vectors:    vectors,
		IRQs:       func(cpu, v int) uint64 { return atomic.LoadUint64(&records[cpu].irqs[v]) },
		VectorName: vectorName,
		PowerOff:   syscall.Exit,
		Reboot:     reset,
	})
}

// setWall sets the wall clock by the CMOS clock, which is taken to be in UTC. It
// has seconds, and cannot be read while it changes.
func setWall() {
	r := rtc.RTC{Location: time.UTC}
	for range 1000 {
		a, err := r.Now()
		if err != nil {
			continue
		}
		if b, err := r.Now(); err == nil && a.Equal(b) {
			wall := uint64(a.UnixNano()) - now()
			atomic.StoreUint64(&wallclock.wall, wall)
			linux.SetWall(wall)
			return
		}
	}
	os.Stderr.WriteString("clock: the CMOS clock cannot be read; time starts at 1970\n")
}

// line is COM1 for the console. Input comes by interrupt; output goes the way of
// all output of the program.
type line struct{ vector int }

func openLine() io.ReadWriter {
	v, ok := enableISA(com1GSI)
	if !ok {
		os.Stderr.WriteString("console: no interrupt for COM1\n")
	}
	asm.Out8(com1+uart.IER, ierReceive)
	return &line{v}
}

// Read waits for input and returns what is there.
func (l *line) Read(b []byte) (n int, err error) {
	if len(b) == 0 {
		return 0, nil
	}
	for {
		seen := linux.IRQCount(l.vector) // before the look: what comes after it wakes us
		for n < len(b) {
			c, ok := com.Rx()
			if !ok {
				break
			}
			b[n] = c
			n++
		}
		if n > 0 {
			return n, nil
		}
		if _, _, errno := syscall.Syscall(linux.IRQWait, uintptr(l.vector), uintptr(seen), 0); errno != 0 {
			return 0, errno
		}
	}
}

func (l *line) Write(b []byte) (int, error) { return os.Stdout.Write(b) }

// listCPUs lists the CPUs of the tables: those online by number, then the others.
func listCPUs() []kernel.CPU {
	var up, down []kernel.CPU
	for i := range cpus {
		c := &cpus[i]
		if atomic.LoadUint32(&c.online) == cpuUp {
			up = append(up, kernel.CPU{APICID: c.apicID, Node: int(c.node), Online: true})
		} else {
			down = append(down, kernel.CPU{APICID: c.apicID, Node: int(c.node)})
		}
	}
	return append(up, down...)
}

// cpuModel returns the brand string (SDM 2A, CPUID leaves 0x80000002 to 4).
func cpuModel() string {
	if max, _, _, _ := asm.CPUID(0x80000000, 0); max < 0x80000004 {
		return "unknown"
	}
	var b []byte
	for leaf := uint32(0x80000002); leaf <= 0x80000004; leaf++ {
		eax, ebx, ecx, edx := asm.CPUID(leaf, 0)
		for _, r := range [...]uint32{eax, ebx, ecx, edx} {
			b = append(b, byte(r), byte(r>>8), byte(r>>16), byte(r>>24))
		}
	}
	for len(b) > 0 && (b[len(b)-1] == 0 || b[len(b)-1] == ' ') {
		b = b[:len(b)-1]
	}
	for len(b) > 0 && b[0] == ' ' {
		b = b[1:]
	}
	return string(b)
}

// tscHz returns the TSC's rate as it is known now.
func tscHz() uint64 {
	return div32(nsPerSec, atomic.LoadUint64(&wallclock.mult))
}

var exceptionNames = [...]string{0: "divide error", 1: "debug", 2: "NMI", 3: "breakpoint", 4: "overflow", 5: "bound", 6: "invalid opcode",
	7: "no device", 8: "double fault", 10: "invalid TSS", 11: "segment not present", 12: "stack fault", 13: "general protection",
	14: "page fault", 16: "x87 error", 17: "alignment check", 18: "machine check", 19: "SIMD error", 31: ""}

func vectorName(v int) string {
	switch {
	case v < len(exceptionNames):
		return exceptionNames[v]
	case v == vecTimer:
		return "timer"
	case v == vecKick:
		return "kick"
	case v == vecShootdown:
		return "TLB shootdown"
	case v == vecDevice+com1GSI:
		return "COM1"
	case v == vecSpurious:
		return "spurious"
	case v >= vecDevice && v < vecDevice+maxGSI:
		return "device"
	}
	return ""
}
