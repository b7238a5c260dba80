package acpi

// GAS is a Generic Address Structure: a register and how to reach it (ACPI 5.2.3.2).
type GAS struct {
	Space  uint8 // SpaceMemory, SpaceIO, ...
	Width  uint8 // bits
	Offset uint8 // bits
	Access uint8 // 1 byte, 2 word, 3 dword, 4 qword, 0 not said
	Addr   uint64
}

// Address spaces of a [GAS] (ACPI 5.2.3.2).
const (
	SpaceMemory    = 0
	SpaceIO        = 1
	SpacePCIConfig = 2 // device in bits 32-47, function in 16-31, offset in 0-15 of Addr, on bus 0
)

// Valid reports whether there is such a register. An address of 0 says that there is none.
func (g *GAS) Valid() bool { return g.Addr != 0 }

func gas(b []byte, off int) GAS {
	return GAS{Space: b[off], Width: b[off+1], Offset: b[off+2], Access: b[off+3], Addr: le64(b, off+4)}
}

// FADT is the Fixed ACPI Description Table (ACPI 5.2.9): the registers by which a machine is powered off, is
// reset and tells the time. A register that is not there is not Valid.
type FADT struct {
	Revision        uint8
	SCI             uint16 // interrupt of ACPI events: an ISA IRQ where there are 8259s, else a global system interrupt
	BootFlags       BootFlags
	Flags           FixedFlags
	SMICommand      uint32 // port; 0: there is no legacy mode to leave
	ACPIEnable      uint8  // written to SMICommand to leave legacy mode, whereupon PM1 control has SCI_EN set (ACPI 4.8.2.5)
	PM1aControl     GAS
	PM1bControl     GAS
	PMTimer         GAS // counts at 3.579545 MHz (ACPI 4.8.3.3), with 24 bits or 32
	PMTimer32       bool
	Reset           GAS
	ResetValue      uint8
	SleepControl    GAS    // of hardware-reduced machines (ACPI 4.8.3.7), which have no PM1
	DSDT            uint64 // physical address; 0: none
	HardwareReduced bool   // there are no PM1 and no PM timer (ACPI 4.1)
}

// BootFlags is IAPC_BOOT_ARCH (ACPI 5.2.9.3).
type BootFlags uint16

const (
	LegacyDevices BootFlags = 1 << 0 // there are user-visible devices on the ISA bus
	Has8042       BootFlags = 1 << 1
	NoVGA         BootFlags = 1 << 2
	NoMSI         BootFlags = 1 << 3 // message-signalled interrupts must not be enabled
	NoASPM        BootFlags = 1 << 4
	NoCMOSRTC     BootFlags = 1 << 5
)

// FixedFlags is the table's Flags field (ACPI 5.2.9).
type FixedFlags uint32

const (
	flagTimer32         FixedFlags = 1 << 8  // TMR_VAL_EXT
	flagResetRegister   FixedFlags = 1 << 10 // RESET_REG_SUP
	flagHardwareReduced FixedFlags = 1 << 20 // HW_REDUCED_ACPI
)

var sigFADT = Signature{'F', 'A', 'C', 'P'}

// Offsets (ACPI 5.2.9). Revision 1 ends before the reset register, and firmware's lengths differ by revision
// and by vendor: each field is there if the length says so.
const (
	fadtMinSize      = 116
	fadtDSDT         = 40
	fadtPM1aControl  = 64
	fadtPM1bControl  = 68
	fadtPMTimer      = 76
	fadtPM1Length    = 89 // PM1_CNT_LEN
	fadtTimerLength  = 91 // PM_TMR_LEN
	fadtBootFlags    = 109
	fadtReset        = 116
	fadtResetValue   = 128
	fadtXDSDT        = 140
	fadtXPM1aControl = 172
	fadtXPM1bControl = 184
	fadtXPMTimer     = 208
	fadtSleepControl = 244
)

// ParseFADT fills out from the table in b and reports whether it is one; what is wrong inside is left out and reported.
func ParseFADT(b []byte, out *FADT, r *Report) bool {
	*out = FADT{}
	b = body(b, sigFADT, fadtMinSize, r)
	if b == nil {
		return false
	}
	out.Revision = b[8]
	out.SCI = le16(b, 46)
	out.SMICommand = le32(b, 48)
	out.ACPIEnable = b[52]
	out.Flags = FixedFlags(le32(b, 112))
	out.HardwareReduced = out.Flags&flagHardwareReduced != 0
	// Before revision 2 (ACPI 1.0) these two bytes were reserved and every PC had what they tell of.
	out.BootFlags = LegacyDevices | Has8042
	if out.Revision >= 2 {
		out.BootFlags = BootFlags(le16(b, fadtBootFlags))
	}
	out.DSDT = dsdtAddress(b)
	if out.DSDT == 0 {
		r.Add(sigFADT, FADTNoDSDT, fadtDSDT)
	}
	if !out.HardwareReduced {
		out.PM1aControl = block(b, fadtPM1aControl, fadtXPM1aControl, fadtPM1Length, 2, r)
		out.PM1bControl = block(b, fadtPM1bControl, fadtXPM1bControl, fadtPM1Length, 2, r)
		out.PMTimer = block(b, fadtPMTimer, fadtXPMTimer, fadtTimerLength, 4, r)
		out.PMTimer32 = out.Flags&flagTimer32 != 0
	} else if len(b) >= fadtSleepControl+12 {
		out.SleepControl = gas(b, fadtSleepControl)
	}
	if len(b) > fadtResetValue && out.Flags&flagResetRegister != 0 {
		out.Reset, out.ResetValue = gas(b, fadtReset), b[fadtResetValue]
	}
	return true
}

// dsdtAddress returns the DSDT's physical address. X_DSDT is preferred where it is set (ACPI 5.2.9, DSDT).
func dsdtAddress(b []byte) uint64 {
	if len(b) >= fadtXDSDT+8 {
		if x := le64(b, fadtXDSDT); x != 0 {
			return x
		}
	}
	return uint64(le32(b, fadtDSDT))
}

// block returns a register block that the table has twice: as a port number with a length in bytes apart, and, from
// revision 3 on, as a GAS, which is preferred where it is set (ACPI 5.2.9, X_PM1a_CNT_BLK and others).
func block(b []byte, port, x, length int, want uint8, r *Report) GAS {
	legacy := uint64(le32(b, port))
	if len(b) >= x+12 {
		if g := gas(b, x); g.Valid() && g.Space <= SpaceIO {
			if legacy != 0 && legacy != g.Addr {
				r.Add(sigFADT, FADTMismatch, port, legacy, g.Addr)
			}
			return g
		}
	}
	if legacy == 0 {
		return GAS{}
	}
	if b[length] < want {
		r.Add(sigFADT, BlockLength, length, uint64(b[length]), uint64(want))
		return GAS{}
	}
	return GAS{Space: SpaceIO, Width: 8 * want, Addr: legacy}
}
