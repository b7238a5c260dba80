package gate

import (
	"sync/atomic"
	"syscall"

	"pdac/kernel/cap"
	"pdac/kernel/linux"
	"pdac/kernel/space"
)

// What the Linux calls of a goroutine may reach outside, by its space's capabilities.
//
// World: below the runtime.
//
// Words and writers: accounts[i].number by openSpaces, NewSpace and the end of a space; caps before
// the number is stored, and not again until it is gone.
//
// Invariant: a space's number is stored in one account once: it has the account's index and a
// generation, and an account whose generations are used up isn't used again. So caps that were
// loaded between two loads of the same number are that space's.
//
// Linearization: at the load of the capability's word in Look, which Revoke waits for by the trap
// section around it.
//
// Progress: wait-free, as far as the formula is.

// implicit are the capabilities that a space's Linux calls are asked by, by linux.Family.
type implicit [linux.FamilyMachine]atomic.Uint64

const (
	slotBits  = 12
	maxSpaces = 1 << slotBits
)

// account is a space as its Linux calls see it. By the low bits of the space's number.
type account struct {
	number atomic.Uint32 // 0: no space
	caps   implicit
}

var accounts [maxSpaces]account

// answer is linux.SetAsk's.
var answer linux.Ask = ask

func ask(cpu int, s uint32, family linux.Family, rights linux.Rights) int64 {
	if s == space.Kernel { // what the program does with its roots doesn't silence the console
		return 0
	}
	const refused = -int64(syscall.EACCES)
	a := &accounts[s%maxSpaces]
	if a.number.Load() != s || family == 0 || int(family) > len(a.caps) {
		return refused
	}
	id := cap.ID(a.caps[family-1].Load())
	if id == 0 || a.number.Load() != s {
		return refused
	}
	section := &core.traps[cpu].Section
	section.Enter()
	v := core.table.Verdict(id, cap.Perm(rights))
	section.Leave()
	if v != cap.OK {
		return refused
	}
	return 0
}

// alive says whether there is such a space.
func alive(s Space) bool {
	return s != 0 && accounts[s%maxSpaces].number.Load() == uint32(s)
}
