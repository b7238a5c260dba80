package crash

// Regs is the state of a CPU where something went wrong.
type Regs struct {
	RAX, RBX, RCX, RDX, RSI, RDI, RBP, RSP uint64
	R8, R9, R10, R11, R12, R13, R14, R15   uint64
	RIP, RFLAGS                            uint64
	FS, GS                                 uint64 // base addresses
}

// Capture sets RIP, RSP, RBP and RFLAGS of r to those of its caller, for a crash that no trap led to. The other registers say
// nothing at a call.
//
//go:noescape
func Capture(r *Regs)

func peek64(va uintptr) uint64
func peek8(va uintptr) uint8
