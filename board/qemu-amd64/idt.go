package board

// Interrupt vectors. Exceptions are 0 to 31 (SDM 3A, table 7-1).
const (
	vecDivide    = 0
	vecNMI       = 2
	vecDouble    = 8
	vecGP        = 13
	vecPage      = 14
	vecMachine   = 18
	vecTimer     = 32
	vecKick      = 33 // look at your run queue
	vecShootdown = 34 // forget translations
	vecDevice    = 48 // 48 + global system interrupt, up to vecDevice+maxGSI-1
	maxGSI       = 32
	vecSpurious  = 0x5f
	vectors      = 96
)

// Interrupt stack table entries.
const (
	istException = 1
	istInterrupt = 2 // the kernel stack: interrupts come from programs or idle only
	istNMI       = 3
	istDouble    = 4
	istMachine   = 5
)

var idt [vectors][2]uint64

// fillIDT writes the interrupt gates; all CPUs share them.
func fillIDT() {
	stubs, _, _, _, _ := entryAddrs()
	for v := range uint64(vectors) {
		ist := uint64(istException)
		switch {
		case v == vecNMI:
			ist = istNMI
		case v == vecDouble:
			ist = istDouble
		case v == vecMachine:
			ist = istMachine
		case v >= 32:
			ist = istInterrupt
		}
		h := stubs + 16*v
		idt[v][0] = h&0xffff | codeSelector<<16 | ist<<32 | 0x8e<<40 | h>>16&0xffff<<48
		idt[v][1] = h >> 32
	}
}
