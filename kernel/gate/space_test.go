package gate

import (
	"errors"
	"runtime/debug"
	"sync/atomic"
	"syscall"
	"testing"

	"pdac/kernel/linux"
	"pdac/kernel/space"
)

type flag = atomic.Bool

type writerFunc func(p []byte) (int, error)

func (f writerFunc) Write(p []byte) (int, error) { return f(p) }

// debugSetPanicOnFault makes bad addresses panic on this goroutine, until what it returns is called.
func debugSetPanicOnFault() (undo func()) {
	old := debug.SetPanicOnFault(true)
	return func() { debug.SetPanicOnFault(old) }
}

// sink keeps loads.
var sink byte

// faults fails unless f faults.
func faults(t testing.TB, f func()) {
	t.Helper()
	defer func() {
		if recover() == nil {
			t.Error("no fault")
		}
	}()
	defer debugSetPanicOnFault()()
	f()
}

// asked asks as a Linux call does.
func asked(s uint32, f linux.Family, r linux.Rights) bool {
	switch e := ask(0, s, f, r); e {
	case 0:
		return true
	case -int64(syscall.EACCES):
		return false
	default:
		panic(e)
	}
}

func TestLinuxCallsAsk(t *testing.T) {
	b := openGate(t)
	for _, f := range []linux.Family{linux.FamilyFiles, linux.FamilyConsole, linux.FamilyMachine} {
		if !asked(space.Root, f, linux.RightRead|linux.RightWrite|linux.RightDrive) {
			t.Errorf("the root is refused family %d", f)
		}
		if !asked(space.Kernel, f, linux.RightDrive) {
			t.Errorf("the kernel is refused family %d", f)
		}
		if asked(space.None, f, 0) || asked(77, f, 0) || asked(1<<20|1, f, 0) {
			t.Error("who is in no space may do something")
		}
	}
	if asked(space.Root, 0, 0) || asked(space.Root, 9, 0) {
		t.Error("a family that there isn't")
	}

	files := derive(t, b.root.Files, Read|Delegate)
	id := must(NewSpace(b.root.Spaces, Authority{Files: files}))
	s := uint32(must(SpaceNumber(id)))
	if !asked(s, linux.FamilyFiles, linux.RightRead) {
		t.Error("refused to read")
	}
	if asked(s, linux.FamilyFiles, linux.RightWrite) || asked(s, linux.FamilyConsole, linux.RightRead) {
		t.Error("may do more than its capability")
	}
	ok(t, CapRevoke(b.root.Files, files))
	if asked(s, linux.FamilyFiles, linux.RightRead) {
		t.Error("may read after the revocation")
	}
	quiet(t)
}

func TestLinuxCallsAskFormulas(t *testing.T) {
	b := openGate(t)
	for _, c := range []struct {
		formula Formula
		may     int
	}{
		{Formula{Uses: 3}, 2}, // the derivation is one
		{Formula{ExpiresAt: 1}, 0},
		{Formula{Func: func(Info) bool { return true }}, 0},
		{Formula{ExpiresAt: 1 << 62}, 10},
	} {
		files := must(CapDerive(b.root.Files, 0, Read|Delegate, Options{Formula: &c.formula}))
		id, err := NewSpace(b.root.Spaces, Authority{Files: files})
		if c.formula.ExpiresAt == 1 {
			want(t, err, ErrExpired)
			continue
		}
		ok(t, err)
		n := 0
		for range 10 {
			if asked(uint32(must(SpaceNumber(id))), linux.FamilyFiles, linux.RightRead) {
				n++
			}
		}
		if n != c.may {
			t.Errorf("%+v: %d calls, want %d", c.formula, n, c.may)
		}
	}
}

func TestNewSpaceIsNoMoreThanGiven(t *testing.T) {
	b := openGate(t)
	used := core.table.Stats().Used
	want(t, just(NewSpace(b.root.Spaces, Authority{Files: b.root.Console})), ErrType)
	want(t, just(NewSpace(b.root.Spaces, Authority{Console: b.root.Console, Files: 3})), ErrNoCapability)
	last := derive(t, b.root.Machine, Read|Drive)
	want(t, just(NewSpace(b.root.Spaces, Authority{Files: b.root.Files, Machine: last})), ErrPermission)
	want(t, just(NewSpace(derive(t, b.root.Spaces, Read), Authority{})), ErrPermission)
	quiet(t)
	core.rcu.Barrier()
	if left := core.table.Stats().Used - used - 2; left != 0 {
		t.Errorf("spaces that came to nothing left %d capabilities", left)
	}
}

func TestRunAndGo(t *testing.T) {
	b := openGate(t)
	id := must(NewSpace(b.root.Spaces, Authority{}))
	s := uint32(must(SpaceNumber(id)))
	ok(t, Run(id, func() {
		if space.Get() != s {
			t.Errorf("in space %d, want %d", space.Get(), s)
		}
		done := make(chan uint32)
		go func() { done <- space.Get() }()
		if got := <-done; got != s {
			t.Errorf("a child is in space %d", got)
		}
	}))
	in(t, id, func() {
		if space.Get() != s {
			t.Errorf("in space %d, want %d", space.Get(), s)
		}
	})
	func() {
		defer func() { recover() }()
		Run(id, func() { panic("x") })
	}()
	if space.Get() != space.Root {
		t.Errorf("back in space %d", space.Get())
	}
	if err := Run(id, nil); !errors.As(err, new(*ArgumentError)) {
		t.Error(err)
	}
	want(t, Run(derive(t, id, Read), func() { t.Error("ran") }), ErrPermission)
}

// TestSpacesEnd: with a space ends all that it held, and the spaces that it made.
func TestSpacesEnd(t *testing.T) {
	b := openGate(t)
	used := core.table.Stats().Used
	outer := must(NewSpace(b.root.Spaces, Authority{Files: b.root.Files}))
	spaces := derive(t, b.root.Spaces, Create)
	var inner, clock ID
	var s, o uint32
	in(t, outer, func() {
		inner = must(NewSpace(spaces, Authority{Files: b.root.Files}))
		s, o = uint32(must(SpaceNumber(inner))), space.Get()
		clock = derive(t, b.root.Clock, Read)
	})
	ok(t, Go(inner, func() {}))
	ok(t, CapDelete(outer))
	want(t, just(TimeNow(clock)), ErrRevoked)
	want(t, Go(inner, func() { t.Error("ran") }), ErrRevoked)
	for _, n := range []uint32{s, o} {
		if asked(n, linux.FamilyFiles, linux.RightRead) {
			t.Errorf("space %d may still read", n)
		}
	}
	want(t, just(CapDerive(b.root.Clock, Space(s), Read, Options{})), ErrNoSpace)
	want(t, just(CapTransfer(derive(t, b.root.Clock, Transfer), Space(o))), ErrNoSpace)

	again := must(NewSpace(b.root.Spaces, Authority{Files: b.root.Files}))
	if n := uint32(must(SpaceNumber(again))); n == s || n == o {
		t.Errorf("number %d came back", n)
	}
	quiet(t)
	ok(t, CapDelete(again))
	core.rcu.Barrier()
	if left := core.table.Stats().Used - used - 2; left != 0 {
		t.Errorf("%d capabilities are left", left)
	}
}

func TestSpacesAreMany(t *testing.T) {
	b := openGate(t)
	var ids []ID
	for {
		id, err := NewSpace(b.root.Spaces, Authority{})
		if err != nil {
			want(t, err, ErrFull)
			break
		}
		ids = append(ids, id)
	}
	if len(ids) != maxSpaces-3 {
		t.Errorf("%d spaces", len(ids))
	}
	ok(t, CapDelete(ids[0]))
	must(NewSpace(b.root.Spaces, Authority{}))
}

// The function of a formula has the authority of who derived, not of who uses, also when it panics.
func TestFormulasRunInTheirOwnSpace(t *testing.T) {
	b := openGate(t)
	files := derive(t, b.root.Files, Read|Delegate)
	other := must(NewSpace(b.root.Spaces, Authority{Files: files}))
	var asked []uint32
	function := func(Info) bool {
		asked = append(asked, space.Get())
		if len(asked) > 1 {
			panic("formula")
		}
		return true
	}
	id := must(CapDerive(b.root.Clock, must(SpaceNumber(other)), Read, Options{Formula: &Formula{Func: function}}))
	number := uint32(must(SpaceNumber(other)))
	ok(t, Run(other, func() {
		must(TimeNow(id))
		func() {
			defer func() { recover() }()
			TimeNow(id)
		}()
		if s := space.Get(); s != number {
			t.Errorf("after a formula's function in space %d, was in %d", s, number)
		}
	}))
	if len(asked) != 2 || asked[0] != space.Root || asked[1] != space.Root {
		t.Errorf("asked in the spaces %d, want the root", asked)
	}
	quiet(t)
}
