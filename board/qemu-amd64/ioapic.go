package board

import (
	"github.com/usbarmory/tamago/soc/intel/ioapic"

	"pdac/asm"
)

// maskPICs silences the two 8259s (Intel 8259A data sheet, OCW1).
func maskPICs() {
	asm.Out8(0x21, 0xff)
	asm.Out8(0xa1, 0xff)
}

// enableISA routes an ISA interrupt to the BSP, and returns its vector; false
// where no I/O APIC has the input.
func enableISA(irq uint8) (vector int, ok bool) {
	gsi, _, _ := madt.ISA(irq)
	return enableGSI(gsi)
}

func enableGSI(gsi uint32) (vector int, ok bool) {
	if gsi >= maxGSI {
		return 0, false
	}
	for _, m := range madt.IOAPICs[:madt.NIOAPICs] {
		io := ioapic.IOAPIC{Index: int(m.ID), Base: m.Addr, GSIBase: int(m.GSIBase)}
		if gsi >= m.GSIBase && int(gsi-m.GSIBase) < io.Entries() {
			io.EnableInterrupt(int(gsi), vecDevice+int(gsi))
			return vecDevice + int(gsi), true
		}
	}
	return 0, false
}
