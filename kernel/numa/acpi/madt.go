package acpi

// Limits of [MADT], far above what the machines in reach have.
const (
	MaxCPUs      = 1024
	MaxIOAPICs   = 64
	MaxOverrides = 16 // one per ISA IRQ
	MaxNMIs      = 64
)

// MADT is the Multiple APIC Description Table (ACPI 5.2.12).
type MADT struct {
	LocalAPIC  uint64 // physical address of the local APICs' registers (5.2.12, or 5.2.12.8 where present)
	PCAT       bool   // there are two 8259s, to be masked (5.2.12, Flags bit 0)
	Hotplug    int    // CPUs that may be plugged in later (Flags bit 1, Online Capable)
	Disabled   int    // CPUs that can never be used
	NCPUs      int
	NIOAPICs   int
	NOverrides int
	NNMIs      int
	NLocalNMIs int
	CPUs       [MaxCPUs]Processor // the enabled ones, in table order
	IOAPICs    [MaxIOAPICs]IOAPIC
	Overrides  [MaxOverrides]Override
	NMIs       [MaxNMIs]NMI
	LocalNMIs  [MaxCPUs]LocalNMI
}

// Processor is an enabled CPU: a Local APIC (ACPI 5.2.12.2) or Local x2APIC structure (5.2.12.12).
type Processor struct {
	APICID uint32
	UID    uint32 // ACPI processor UID, by which [LocalNMI] names it
}

// IOAPIC is an I/O APIC structure (ACPI 5.2.12.3).
type IOAPIC struct {
	ID      uint8
	Addr    uint32 // physical
	GSIBase uint32 // global system interrupt of input 0
}

// Override is an Interrupt Source Override (ACPI 5.2.12.5): where an ISA IRQ arrives that is not on the input of its
// own number.
type Override struct {
	GSI    uint32
	Flags  INTI
	Source uint8 // ISA IRQ
}

// NMI is an input of an I/O APIC that is wired to a non-maskable interrupt (ACPI 5.2.12.6).
type NMI struct {
	GSI   uint32
	Flags INTI
}

// LocalNMI is a local APIC input that is wired to a non-maskable interrupt (ACPI 5.2.12.7 and 5.2.12.13).
type LocalNMI struct {
	UID   uint32 // of the CPU, or AllCPUs
	Flags INTI
	LINT  uint8 // 0 or 1
}

// AllCPUs is the UID of a [LocalNMI] that holds for every CPU.
const AllCPUs = 0xffffffff

// INTI is an input's polarity (bits 0-1) and trigger mode (bits 2-3) (ACPI 5.2.12.5, MPS INTI Flags).
type INTI uint16

// ActiveLow reports whether the input is active low; low is what its bus does where the table says nothing.
func (f INTI) ActiveLow(low bool) bool { return f&3 == 3 || f&3 == 0 && low }

// Level reports whether the input is level triggered; level is what its bus does where the table says nothing.
func (f INTI) Level(level bool) bool { return f>>2&3 == 3 || f>>2&3 == 0 && level }

var sigMADT = Signature{'A', 'P', 'I', 'C'}

// defaultLocalAPIC is where the local APIC is after reset (Intel SDM volume 3A, 11.4.1).
const defaultLocalAPIC = 0xfee00000

// Structure types (ACPI 5.2.12).
const (
	madtLocalAPIC    = 0
	madtIOAPIC       = 1
	madtOverride     = 2
	madtNMI          = 3
	madtLocalNMI     = 4
	madtLocalAddress = 5
	madtX2APIC       = 9
	madtX2APICNMI    = 10
)

// ParseMADT fills out from the table in b and reports whether it is one; what is wrong inside is left out and reported.
func ParseMADT(b []byte, out *MADT, r *Report) bool {
	*out = MADT{}
	b = body(b, sigMADT, 44, r)
	if b == nil {
		return false
	}
	out.LocalAPIC = uint64(le32(b, 36))
	out.PCAT = le32(b, 40)&1 != 0
	w := walker{b: b, off: 44, sig: sigMADT, r: r}
	for {
		e, ok := w.next()
		if !ok {
			break
		}
		out.entry(e, &w)
	}
	if out.LocalAPIC == 0 {
		r.Add(sigMADT, LocalAPICZero, 36, defaultLocalAPIC)
		out.LocalAPIC = defaultLocalAPIC
	}
	return true
}

func (m *MADT) entry(e []byte, w *walker) {
	switch e[0] {
	case madtLocalAPIC:
		if w.fits(e, 8) {
			m.processor(Processor{APICID: uint32(e[3]), UID: uint32(e[2])}, le32(e, 4), 0xff, w)
		}
	case madtX2APIC:
		if w.fits(e, 16) {
			m.processor(Processor{APICID: le32(e, 4), UID: le32(e, 12)}, le32(e, 8), 0xffffffff, w)
		}
	case madtIOAPIC:
		if w.fits(e, 12) && w.room(m.NIOAPICs, MaxIOAPICs) {
			m.IOAPICs[m.NIOAPICs] = IOAPIC{ID: e[2], Addr: le32(e, 4), GSIBase: le32(e, 8)}
			m.NIOAPICs++
		}
	case madtOverride:
		if w.fits(e, 10) {
			m.override(e, w)
		}
	case madtNMI:
		if w.fits(e, 8) && w.room(m.NNMIs, MaxNMIs) {
			m.NMIs[m.NNMIs] = NMI{GSI: le32(e, 4), Flags: INTI(le16(e, 2))}
			m.NNMIs++
		}
	case madtLocalNMI:
		if w.fits(e, 6) {
			uid := uint32(e[2])
			if uid == 0xff {
				uid = AllCPUs
			}
			m.localNMI(LocalNMI{UID: uid, Flags: INTI(le16(e, 3)), LINT: e[5]}, w)
		}
	case madtX2APICNMI:
		if w.fits(e, 12) {
			m.localNMI(LocalNMI{UID: le32(e, 4), Flags: INTI(le16(e, 2)), LINT: e[8]}, w)
		}
	case madtLocalAddress:
		if w.fits(e, 12) {
			m.LocalAPIC = le64(e, 4)
		}
	}
}

// processor takes in a CPU by its flags (ACPI 5.2.12.2, Flags). all is the ID that addresses every CPU, which firmware
// gives to entries that stand for none.
func (m *MADT) processor(p Processor, flags, all uint32, w *walker) {
	switch {
	case flags&1 == 0 && flags&2 != 0:
		m.Hotplug++
	case flags&1 == 0:
		m.Disabled++
	case p.APICID == all:
		w.problem(APICIDReserved, uint64(p.APICID))
	case w.room(m.NCPUs, MaxCPUs):
		m.CPUs[m.NCPUs] = p
		m.NCPUs++
	}
}

func (m *MADT) override(e []byte, w *walker) {
	switch bus, irq := e[2], e[3]; {
	case bus != 0:
		w.problem(OverrideBus, uint64(bus))
	case irq > 15:
		w.problem(OverrideSource, uint64(irq))
	case w.room(m.NOverrides, MaxOverrides):
		m.Overrides[m.NOverrides] = Override{Source: irq, GSI: le32(e, 4), Flags: INTI(le16(e, 8))}
		m.NOverrides++
	}
}

func (m *MADT) localNMI(n LocalNMI, w *walker) {
	if w.room(m.NLocalNMIs, MaxCPUs) {
		m.LocalNMIs[m.NLocalNMIs] = n
		m.NLocalNMIs++
	}
}

// ISA returns the global system interrupt that an ISA IRQ arrives on, and how: the input of its own number, active high
// and edge triggered, unless there is an override.
func (m *MADT) ISA(irq uint8) (gsi uint32, activeLow, level bool) {
	for i := range m.Overrides[:m.NOverrides] {
		if o := &m.Overrides[i]; o.Source == irq {
			return o.GSI, o.Flags.ActiveLow(false), o.Flags.Level(false)
		}
	}
	return uint32(irq), false, false
}
