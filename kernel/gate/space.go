package gate

import (
	"sync"

	"pdac/kernel/cap"
	"pdac/kernel/linux"
	"pdac/kernel/space"
)

// Spaces. A goroutine is born in the space of the one that started it; Run and Go are how code gets
// into another, and none can get into one whose capability it hasn't got.
//
// A space is an object, and ends with the last capability for it: then all that it held is revoked,
// with what was derived from that, its memory is unmapped, and its Linux calls are refused. Who
// made a space holds its root capability, so spaces end with the one that made them. Goroutines
// that are in it go on, without any authority.
//
// A number is never used twice: low bits of an account, high bits of its generation. So a goroutine
// left in an ended space can't wake up in another one.

// Authority is what a space's Linux calls may reach: copies of the given capabilities, without the
// permissions to hand them on. 0: nothing of that kind. Formulas count for the copies, but functions
// are not run below the runtime: they refuse. Gas is not drawn.
type Authority struct {
	Files   ID // Read: open, read and look at files. Write: change the current directory
	Console ID // Read: input. Output needs nothing
	Machine ID // Drive: map devices, wait for interrupts, end the machine by a crash
}

// numbers are the numbers that are free.
var numbers struct {
	sync.Mutex
	fresh uint32   // accounts from here on were never used
	free  []uint32 // the next number of each of the others
}

// openSpaces makes the root's space and the kernel's.
func openSpaces(r *Roots) {
	root := &accounts[space.Root].caps
	root[linux.FamilyFiles-1].Store(uint64(r.Files))
	root[linux.FamilyConsole-1].Store(uint64(r.Console))
	root[linux.FamilyMachine-1].Store(uint64(r.Machine))
	accounts[space.Root].number.Store(space.Root)
	accounts[space.Kernel].number.Store(space.Kernel)
	numbers.fresh = space.Kernel + 1
}

// takeNumber returns a number that no space ever had.
func takeNumber() (uint32, bool) {
	numbers.Lock()
	defer numbers.Unlock()
	if n := len(numbers.free); n > 0 {
		s := numbers.free[n-1]
		numbers.free = numbers.free[:n-1]
		return s, true
	}
	if numbers.fresh == maxSpaces {
		return 0, false
	}
	numbers.fresh++
	return numbers.fresh - 1, true
}

// giveNumber frees the account of a number, unless it was its last.
func giveNumber(s uint32) {
	next := s + maxSpaces
	if next < s {
		return
	}
	numbers.Lock()
	numbers.free = append(numbers.free, next)
	numbers.Unlock()
}

// NewSpace makes a space, as permitted by a capability for Roots.Spaces with Create, and returns a
// capability for it, which the caller's space holds. Execute is for Run and Go, Read for SpaceNumber.
// The given capabilities need Delegate; what they lack, the space lacks.
//
// Errors: of id, and of the three as CapDerive; ErrNoSpace if the caller is in none; ErrFull.
func NewSpace(id ID, a Authority) (made ID, err error) {
	var o cap.Object
	defer func() {
		if o != 0 { // after the section, since that may be the end of the space
			core.table.Unregister(o)
		}
	}()
	var copied consents
	defer copied.end()
	copied.authority(a)
	t, _, err := enter(spaceCreate, id)
	if err != nil {
		return 0, err
	}
	defer t.Release()
	owner := Space(space.Get())
	if !alive(owner) {
		return 0, spaceCreate.fail(ErrNoSpace)
	}
	number, ok := takeNumber()
	if !ok {
		return 0, spaceCreate.fail(ErrFull)
	}
	var b birth
	b.number = number
	if o, err = b.register(a); err == nil {
		made, err = core.table.Create(core.cpu(), owner, o, usual, Options{})
		b.given = err == nil
	}
	return made, spaceCreate.fail(err)
}

// birth is a space that is being made.
type birth struct {
	number uint32
	copies [len(implicit{})]ID
	given  bool // somebody holds its capability
}

// register makes an account of the space, and an object whose release ends it.
func (b *birth) register(a Authority) (o cap.Object, err error) {
	defer func() {
		if o == 0 {
			b.end()
		}
	}()
	for i, x := range [...]struct {
		typ cap.Type
		id  ID
	}{linux.FamilyFiles - 1: {typeFiles, a.Files}, linux.FamilyConsole - 1: {typeConsole, a.Console}, linux.FamilyMachine - 1: {typeMachine, a.Machine}} {
		if x.id == 0 {
			continue
		}
		if b.copies[i], err = implicitCopy(x.id, x.typ, Space(b.number)); err != nil {
			return 0, err
		}
	}
	if o, err = core.table.Register(typeSpace, Space(b.number), b.end); err != nil {
		return 0, err
	}
	account := &accounts[b.number%maxSpaces]
	for i := range b.copies {
		account.caps[i].Store(uint64(b.copies[i]))
	}
	account.number.Store(b.number)
	return o, nil
}

// end ends a space whose last capability is gone, or that nobody was told of. Only the former waits:
// the latter may be in a section.
func (b *birth) end() {
	accounts[b.number%maxSpaces].number.CompareAndSwap(b.number, 0)
	if b.given {
		core.rcu.Synchronize() // for those who saw it alive, and gave it something
		core.table.EndSpace(Space(b.number))
		addresses.leave(b.number)
	} else {
		for _, id := range b.copies {
			discard(id)
		}
	}
	giveNumber(b.number)
}

// implicitCopy derives what a space's Linux calls are asked by.
func implicitCopy(id ID, typ cap.Type, to Space) (ID, error) {
	i, err := core.table.Info(id)
	if err != nil {
		return 0, err
	}
	if i.Object.Type() != typ {
		return 0, ErrType
	}
	const use = Read | Write | Execute | Drive
	return core.table.DeriveAgreed(core.cpu(), id, to, i.Perms&use, Options{})
}

// SpaceNumber returns the number of a space, for CapDerive and CapTransfer. id has Read.
func SpaceNumber(id ID) (Space, error) {
	t, o, err := enter(spaceInfo, id)
	if err != nil {
		return 0, err
	}
	defer t.Release()
	return value[Space](o), nil
}

// Run runs f in a space on the calling goroutine, which is back in its own when f ends, by a panic
// too. id has Execute. Goroutines that f starts stay in the space.
func Run(id ID, f func()) error {
	s, err := into(spaceRun, id, f)
	if err != nil {
		return err
	}
	defer space.Set(space.Get())
	space.Set(uint32(s))
	f()
	return nil
}

// Go runs f in a space on a goroutine of its own. id has Execute.
func Go(id ID, f func()) error {
	s, err := into(spaceGo, id, f)
	if err != nil {
		return err
	}
	go func() {
		space.Set(uint32(s))
		f()
	}()
	return nil
}

// into admits code to a space.
func into(c call, id ID, f func()) (Space, error) {
	if f == nil {
		return 0, c.bad("f", "a function")
	}
	t, o, err := enter(c, id)
	if err != nil {
		return 0, err
	}
	defer t.Release()
	return value[Space](o), nil
}

// enterKernel moves the caller to the kernel's space.
func enterKernel() { space.Set(space.Kernel) }
