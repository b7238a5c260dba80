package acpi

// Code names a kind of problem; its message, below, explains it.
type Code uint8

const (
	TableTruncated Code = iota
	TableSignature
	TableShort
	TableChecksum
	TableOutside
	TableDuplicate
	OverrideUnknown
	TableNull
	EntryTail
	EntryLength
	EntryOverrun
	EntryShort
	TooMany
	RSDPBad
	RSDPMissing
	RSDPExtended
	RootMissing
	RootTail
	APICIDReserved
	OverrideBus
	OverrideSource
	LocalAPICZero
	MemoryWraps
	SLITSize
	SLITDiagonal
	SLITValue
	HMATRevision
	HMATStructure
	HMATSize
	HMATUnit
	FADTMismatch
	FADTNoDSDT
	BlockLength
	SleepMissing
	SleepMalformed
	HPETSpace
	MCFGBuses
	BSPMissing
	CPUDuplicate
	CPUTwoDomains
	TooManyCPUs
	CPUNoDomain
	TooManyNodes
	RangeOverlap
	RAMUncovered
	RAMLost
	DistanceMissing
)

// messages has one message per code. %o stands for the offset, %d, %x and %s for the next value in decimal, in hexadecimal
// and as four characters.
var messages = [...]string{
	TableTruncated:  "%d bytes are there, expected %d: table left out",
	TableSignature:  "signature is %s, expected %s: table left out",
	TableShort:      "table has length %d, expected %d or more: table left out",
	TableChecksum:   "table at %x has byte sum %d, expected 0: table left out",
	TableOutside:    "table at %x with length %d is not in memory: table left out",
	TableDuplicate:  "a second table at %x, expected one: the first at %x is used",
	OverrideUnknown: "no table of this name, of the file at %x, is in use, expected one that is: file ignored",
	TableNull:       "entry at %o is a null pointer, expected a table: entry ignored",
	EntryTail:       "%d byte left at %o, expected an entry of %d or more: ignored",
	EntryLength:     "entry at %o has length %d, expected %d or more: rest of the table ignored",
	EntryOverrun:    "entry at %o has length %d, expected at most the %d left: rest of the table ignored",
	EntryShort:      "entry at %o of type %d has length %d, expected %d or more: entry ignored",
	TooMany:         "entry at %o of type %d exceeds the limit of %d of its kind: entry ignored",
	RSDPBad:         "no sound root pointer at %x, where the boot loader has it: low memory searched",
	RSDPMissing:     "no root pointer in the EBDA or 0xe0000 to 0xfffff: no table is used",
	RSDPExtended:    "%d bytes of the root pointer have sum %d, expected 36 or more with sum 0: RSDT used instead of XSDT",
	RootMissing:     "no sound XSDT or RSDT under the root pointer at %x: no table is used",
	RootTail:        "%d bytes left after the last whole entry of %d: ignored",
	APICIDReserved:  "entry at %o enables APIC ID %x, which means all CPUs: entry ignored",
	OverrideBus:     "override at %o is for bus %d, expected 0 (ISA): entry ignored",
	OverrideSource:  "override at %o is for IRQ %d, expected 0 to 15: entry ignored",
	LocalAPICZero:   "local APIC address at %o is 0, expected an address: %x used",
	MemoryWraps:     "memory entry at %o has base %x and length %x, expected an end below 2^64: entry ignored",
	SLITSize:        "%d localities in a table of length %d, expected 44+n*n: table left out",
	SLITDiagonal:    "distance of locality %d to itself is %d, expected %d: table left out",
	SLITValue:       "distance at %o is %d, expected 10 or more: table left out",
	HMATRevision:    "revision is %d, expected %d, whose units are defined: table left out",
	HMATStructure:   "structure at %o has length %d, expected 8 to the %d left: rest of the table ignored",
	HMATSize:        "structure at %o has length %d, too small for %d x %d domains: structure ignored",
	HMATUnit:        "structure at %o has base unit 0, expected 1 or more: structure ignored",
	FADTMismatch:    "register block at %o is at %x, but its 64-bit form is at %x: the latter is used",
	FADTNoDSDT:      "no DSDT address, expected one: sleep types are guessed",
	BlockLength:     "register block length at %o is %d, expected %d: block not used",
	SleepMissing:    "no \\_S5 object, expected Name (_S5, Package...): sleep type 0 is used",
	SleepMalformed:  "\\_S5 at %o is no package that begins with an integer: sleep type 0 is used",
	HPETSpace:       "HPET in address space %d at %x, expected memory (0): not used",
	MCFGBuses:       "entry at %o has buses %d to %d, expected a rising range: entry ignored",
	BSPMissing:      "no enabled entry for the boot CPU, APIC ID %x: it is added as CPU 0",
	CPUDuplicate:    "APIC ID %x is enabled more than once: the first entry is used",
	TooManyCPUs:     "APIC ID %x exceeds the limit of %d CPUs: left out",
	CPUTwoDomains:   "APIC ID %x is in domain %d and again in domain %d: the first is used",
	CPUNoDomain:     "%d CPUs have no entry, the first is APIC ID %x: node 0 is assumed",
	TooManyNodes:    "domain %d exceeds the limit of %d nodes: its CPUs go to node 0, its memory to the node below it",
	RangeOverlap:    "memory at %x to %x of domain %d is also another domain's: the earlier entry is used",
	RAMUncovered:    "%d bytes of RAM, the first at %x, have no entry: they go to the node of the range below",
	RAMLost:         "%d bytes of RAM lie beyond the limit of %d ranges: not used",
	DistanceMissing: "domain %d exceeds the %d localities: distance %d is assumed",
}
