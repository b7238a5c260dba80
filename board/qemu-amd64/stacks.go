package board

import "pdac/kernel/vm"

// Stacks of a CPU, each with an unmapped page below it, so that an overflow is a
// fault on another stack and not a corrupted neighbour. Offsets into the CPU's
// stackStep bytes of virtual array stacks.
const (
	stackStep = 128 << 10

	excStackLow  = 4 << 10
	excStackTop  = 20 << 10
	nmiStackLow  = 24 << 10
	nmiStackTop  = 40 << 10
	dblStackLow  = 44 << 10
	dblStackTop  = 52 << 10
	chkStackLow  = 56 << 10
	chkStackTop  = 64 << 10
	mainStackLow = 68 << 10
	mainStackTop = stackStep
)

// stacks is the address of the stacks of CPU 0; the others follow.
var stacks uint64

// stackBase returns the address of the stacks of the CPU with that slot.
func stackBase(slot int) uint64 {
	return stacks + uint64(slot)*stackStep
}

// mapStacks backs the stacks of a CPU.
func mapStacks(slot int) {
	b := stackBase(slot)
	if !vm.Populate(0, b+excStackLow, excStackTop-excStackLow) ||
		!vm.Populate(0, b+nmiStackLow, nmiStackTop-nmiStackLow) ||
		!vm.Populate(0, b+dblStackLow, dblStackTop-dblStackLow) ||
		!vm.Populate(0, b+chkStackLow, chkStackTop-chkStackLow) ||
		!vm.Populate(0, b+mainStackLow, mainStackTop-mainStackLow) {
		die("out of memory for the CPUs' stacks")
	}
}

// onGuard tells whether an address is in the page below one of the CPU's stacks.
func onGuard(c *percpu, va uint64) bool {
	off := va - stackBase(int(c.slot))
	if off >= stackStep {
		return false
	}
	switch off >> 12 << 12 {
	case excStackLow - pageSize, nmiStackLow - pageSize, dblStackLow - pageSize, chkStackLow - pageSize, mainStackLow - pageSize:
		return true
	}
	return false
}
