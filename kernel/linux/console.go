package linux

import (
	"unsafe"

	"pdac/kernel/lockfree"
)

// The console: what programs write to descriptors 1 and 2.

// ConsoleOut writes b to the console. It is called with interrupts off and for
// one chunk at a time, may not block, and does not keep b. Set at boot; nil: what is
// written goes nowhere.
var ConsoleOut func(cpu int, b []byte)

// consoleLock keeps chunks of different CPUs apart: a write of up to consoleChunk
// bytes is never interleaved with another. It is held while ConsoleOut takes one
// chunk: 256 characters are 22 ms on a real line of 115,200 baud, well under
// 1 ms on QEMU. Who spins on it takes part in TLB shootdowns meanwhile.
var consoleLock lockfree.SpinLock

const consoleChunk = 256 // bytes of the program's

// writeConsole writes n bytes of user memory at p, each LF as CR LF.
func writeConsole(cpu int, p, n uint64) int64 {
	buf := &perCPU[cpu].bounce
	done := uint64(0)
	for done < n {
		size := min(n-done, consoleChunk)
		raw := buf[len(buf)-consoleChunk:][:size]
		if !copyIn(unsafe.Pointer(&raw[0]), p+done, size) {
			break
		}
		out := 0
		for _, ch := range raw {
			if ch == '\n' {
				buf[out] = '\r'
				out++
			}
			buf[out] = ch
			out++
		}
		spinOn(cpu, &consoleLock)
		if ConsoleOut != nil {
			ConsoleOut(cpu, buf[:out])
		}
		consoleLock.Unlock()
		done += size
	}
	if done == 0 && n != 0 {
		return efault
	}
	return int64(done)
}

// readConsole reads nothing, since the kernel's own console has the serial line.
func readConsole(cpu int) int64 { return ask(cpu, FamilyConsole, RightRead) }

// termios is struct termios of the kernel (asm-generic/termbits.h), 36 bytes.
type termios struct {
	input, output, control, local uint32
	line                          uint8
	chars                         [19]uint8
}

// What the line is: LF becomes CR LF, 115,200 baud, 8 bits, no modem lines.
const (
	termOutput  = 0x1 | 0x4                    // OPOST, ONLCR
	termControl = 0x1002 | 0x30 | 0x80 | 0x800 // B115200, CS8, CREAD, CLOCAL
)

// consoleIoctl answers that the console is a terminal, of a size that a serial
// line does not tell (0 by 0).
func consoleIoctl(request, arg uint64) int64 {
	tio := termios{output: termOutput, control: termControl}
	var size [4]uint16
	ok := false
	if request == tcgets {
		ok = copyOut(arg, unsafe.Pointer(&tio), uint64(unsafe.Sizeof(tio)))
	} else {
		ok = copyOut(arg, unsafe.Pointer(&size), uint64(unsafe.Sizeof(size)))
	}
	if !ok {
		return efault
	}
	return 0
}
