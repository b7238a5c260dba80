package linux

import "unsafe"

// User memory. Program and kernel share an address space, so a copy is a copy; what these routines add is that a bad address
// gives false instead of a kernel fault. The board's page-fault handler first asks vm.Fault (a valid page that is not there yet is
// filled in, and the copy goes on); what vm refuses, and a general protection fault, comes to Fixup, which sends the CPU to the
// routine that returns false for all of them. A copy that failed half way has written what it could.
//
// User memory may be touched under a spin lock of this package (vm.Fault takes no lock and waits for nobody), never under vm's.

// The program's addresses: [userMin, userEnd), the lower half without the first 64 KiB, where nothing is ever mapped (Linux's
// default for vm.mmap_min_addr). The check keeps the kernel's half out of reach of a program's mistake, makes the non-canonical
// hole unreachable, and finds most nil pointers without a fault.
const (
	userMin = 1 << 16
	userEnd = 1 << 47
)

// userRange says whether [a, a+n) are addresses of the program.
func userRange(a, n uint64) bool { return n <= userEnd && a >= userMin && a <= userEnd-n }

// userAddress says whether a is one.
func userAddress(a uint64) bool { return a-userMin < userEnd-userMin }

// copyIn copies n bytes of user memory at src to kernel memory at dst.
func copyIn(dst unsafe.Pointer, src, n uint64) bool {
	return userRange(src, n) && userRead(dst, src, n)
}

// copyOut copies n bytes of kernel memory at src to user memory at dst.
func copyOut(dst uint64, src unsafe.Pointer, n uint64) bool {
	return userRange(dst, n) && userWrite(dst, src, n)
}

func load32(a uint64) (v uint32, ok bool) {
	if userAddress(a) {
		ok, v = userLoad32(a, 0, 0)
	}
	return
}

func load64(a uint64) (v uint64, ok bool) {
	if userAddress(a) {
		ok, v = userLoad64(a, 0, 0)
	}
	return
}

func store32(a uint64, v uint32) bool { return userAddress(a) && userStore32(a, v, 0) }
func store64(a, v uint64) bool        { return userAddress(a) && userStore64(a, v, 0) }

// zeroUser clears n bytes, a multiple of 8, of user memory.
func zeroUser(a, n uint64) bool { return userRange(a, n) && userZero(a, n, 0) }

// kernelPtr makes a pointer of the address of kernel memory that the garbage collector does not manage (an XSAVE area, a queue).
func kernelPtr(a uintptr) unsafe.Pointer { return *(*unsafe.Pointer)(unsafe.Pointer(&a)) }

// The routines of usermem_amd64.s: three words in and ok at the same place behind them in each, so that one landing serves all.

//go:noescape
func userRead(dst unsafe.Pointer, src, n uint64) (ok bool)

//go:noescape
func userWrite(dst uint64, src unsafe.Pointer, n uint64) (ok bool)

func userZero(dst, n, _ uint64) (ok bool)
func userLoad32(a, _, _ uint64) (ok bool, v uint32)
func userLoad64(a, _, _ uint64) (ok bool, v uint64)
func userStore32(a uint64, v uint32, _ uint64) (ok bool)
func userStore64(a, v, _ uint64) (ok bool)
func userFault(_, _, _ uint64) (ok bool)

// userWord is userLoad32 for futexes, called as the compiler calls Go: see userWordAt.
var userWord func(a uint64) (v uint32, ok bool)

func wordFunc() func(a uint64) (v uint32, ok bool)

// wordText gives the first byte of userWordAt, and where it goes on after a fault.
func wordText() (first, landing uintptr)

// userText gives the first byte of the routines and the landing, which is the last of them.
func userText() (first, landing uintptr)

// Fixup says where a fault at rip in the kernel goes on: the routines that touch user memory have no frame, so that the landing
// finds the stack as their caller left it. ok is false for any other address, where a fault is a fault of the kernel.
func Fixup(rip uint64) (newrip uint64, ok bool) {
	if first, landing := userText(); rip >= uint64(first) && rip < uint64(landing) {
		return uint64(landing), true
	}
	if first, landing := wordText(); rip >= uint64(first) && rip < uint64(landing) {
		return uint64(landing), true
	}
	return 0, false
}
