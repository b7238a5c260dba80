package gate

import (
	"errors"
	"runtime"
	"sync"
	"testing"
	"time"

	"pdac/kernel/space"
)

// objects returns a capability with everything for an object of each type, by type.
func objects(t testing.TB, b *board) [types]ID {
	return [types]ID{
		typeSpaces: b.root.Spaces, typeTask: b.root.Task, typeMemory: b.root.Memory, typeEndpoints: b.root.Endpoints,
		typeConsole: b.root.Console, typeClock: b.root.Clock, typeLog: b.root.Log, typeStats: b.root.Stats,
		typePower: b.root.Power, typeFiles: b.root.Files, typeMachine: b.root.Machine,
		typeSpace:    must(NewSpace(b.root.Spaces, Authority{})),
		typeEndpoint: must(EndpointCreate(b.root.Endpoints, EndpointOptions{})),
		typeTimer:    must(TimerCreate(b.root.Clock, 0, time.Hour)),
		typeThread:   must(Spawn(b.root.Task, TaskOptions{}, func() {})),
	}
}

// good returns arguments with which a call works.
func good(t testing.TB, b *board, id ID) *input {
	area := must(MemoryMap(b.root.Memory, pageSize))
	return &input{board: b, id: id, other: 0, n: 1, p: area, r: RangeOf(area), m: &Message{Len: 1}, reply: &Message{}}
}

// TestRefusals makes each call with capabilities that are no good, each for one reason, and fails if the
// error is another one, or something happened all the same.
func TestRefusals(t *testing.T) {
	for _, track := range []bool{false, true} {
		refusals(t, openTracked(t, track))
	}
}

func refusals(t *testing.T, b *board) {
	all := objects(t, b)
	for c := range calls {
		entry := callTable[c]
		if entry.Type == anyType {
			continue
		}
		t.Run(entry.name, func(t *testing.T) {
			full := all[entry.Type]
			made := func(p Perm, o Options) ID { return must(CapDerive(full, 0, p, o)) }
			try := func(id ID, target error) error {
				t.Helper()
				err := callers[c](good(t, b, id))
				want(t, err, target)
				if named := (*CallError)(nil); !errors.As(err, &named) || named.Call != entry.name {
					t.Errorf("error %v doesn't name the call", err)
				}
				quiet(t)
				return err
			}
			try(0, ErrNoCapability)
			try(full^1<<40, ErrNoCapability)
			try(1<<24-1, ErrNoCapability)

			dead := made(All&must(CapInfo(full)).Perms, Options{})
			ok(t, CapRevoke(full, dead))
			try(dead, ErrRevoked)

			foreign := all[typeLog]
			if entry.Type == typeLog {
				foreign = all[typeStats]
			}
			if entry.Need&^must(CapInfo(foreign)).Perms == 0 {
				try(foreign, ErrType)
			}

			missing := (*PermissionError)(nil)
			err := try(made(must(CapInfo(full)).Perms&^entry.Need, Options{}), ErrPermission)
			if !errors.As(err, &missing) || missing.Missing != entry.Need {
				t.Errorf("%v; want that %v is missing", err, entry.Need)
			}

			try(made(entry.Need, Options{Formula: &Formula{ExpiresAt: 1}}), ErrExpired)
			once := made(entry.Need|Delegate, Options{Formula: &Formula{Uses: 1}})
			core.table.Check(once, 0)
			try(once, ErrUsedUp)
			try(made(entry.Need, Options{Formula: &Formula{Func: func(Info) bool { return false }}}), ErrRefused)

			if parent := must(CapInfo(full)).Parent; parent == 0 {
				purse := must(CapFund(full, entry.gas))
				if entry.gas > 1 {
					poor := must(CapDerive(purse, 0, entry.Need, Options{Gas: entry.gas - 1}))
					try(poor, ErrGas)
					if i := must(CapInfo(poor)); i.Gas != entry.gas-1 {
						t.Errorf("%d of gas are left after a call that didn't happen, want %d", i.Gas, entry.gas-1)
					}
				}
				ok(t, CapDelete(purse))
			}
		})
	}
	if b.off != -1 || b.boots != 0 || b.out.Len() != 0 {
		t.Errorf("a refused call did something: %d, %d, %q", b.off, b.boots, &b.out)
	}
}

// TestPanicLeavesSection: a function of a formula that panics takes nothing along.
func TestPanicLeavesSection(t *testing.T) {
	b := openGate(t)
	id := must(CapDerive(b.root.Clock, 0, Read, Options{Formula: &Formula{Func: func(Info) bool { panic("formula") }}}))
	func() {
		defer func() {
			if r := recover(); r != "formula" {
				t.Errorf("recovered %v", r)
			}
		}()
		TimeNow(id)
	}()
	quiet(t)
}

// TestPanicInCallerMemory: memory that was unmapped faults in the call, which leaves its section.
func TestArgumentThatFaults(t *testing.T) {
	b := openGate(t)
	area := must(MemoryMap(b.root.Memory, 1))
	ok(t, MemoryUnmap(b.root.Memory, area))
	func() {
		defer func() {
			if recover() == nil {
				t.Error("no fault")
			}
		}()
		defer debugSetPanicOnFault()()
		ConsoleWrite(b.root.Console, area)
	}()
	quiet(t)
}

func TestGasIsDrawn(t *testing.T) {
	b := openGate(t)
	purse := must(CapFund(b.root.Clock, 10))
	child := must(CapDerive(purse, 0, Read, Options{Gas: 3}))
	for range 3 {
		must(TimeNow(child))
	}
	want(t, just(TimeNow(child)), ErrGas)
	ok(t, CapDelete(child_(t, purse)))
	if i := must(CapInfo(purse)); i.Gas != 7 {
		t.Errorf("%d left in the purse, want 7", i.Gas)
	}
	s := must(StatsRead(b.root.Stats)).Capabilities.Gas
	if s.Minted != 10 || s.Spent != 3 {
		t.Errorf("%+v", s)
	}
}

// child_ returns one more child of a purse, without gas of its own.
func child_(t testing.TB, purse ID) ID { return derive(t, purse, Read|Delete) }

func TestFundWantsTheRoot(t *testing.T) {
	b := openGate(t)
	want(t, just(CapFund(derive(t, b.root.Clock, usual), 5)), ErrNotOwner)
	want(t, just(CapFund(derive(t, b.root.Clock, Read), 5)), ErrPermission)
	want(t, just(CapFund(b.root.Clock, 0)), ErrGas)
	want(t, just(CapFund(0, 1)), ErrNoCapability)
}

func TestRootIsForTheRootSpace(t *testing.T) {
	b := openGate(t)
	if b.root.Clock == 0 || Root() != b.root {
		t.Fatal("no roots")
	}
	id := must(NewSpace(b.root.Spaces, Authority{}))
	in(t, id, func() {
		if r := Root(); r != (Roots{}) {
			t.Errorf("another space got %v", r)
		}
	})
	done := make(chan Roots)
	time.AfterFunc(0, func() { done <- Root() })
	if r := <-done; r != (Roots{}) {
		t.Errorf("AfterFunc got %v", r)
	}
}

func TestOpenTwice(t *testing.T) {
	opened.Store(true)
	defer opened.Store(false)
	if _, err := Open(Config{}); err == nil {
		t.Error("a program opened the gate a second time")
	}
}

func TestOperator(t *testing.T) {
	b := openGate(t)
	id := derive(t, b.root.Clock, Read)
	var slot uint32
	var generation uint64
	b.op.Capabilities(func(c Capability) bool {
		if c.Info.ID != 0 {
			t.Error("the operator sees a whole identifier")
		}
		if c.Slot == id.Slot() {
			slot, generation = c.Slot, c.Generation
		}
		return true
	})
	want(t, b.op.Revoke(slot, generation+1), ErrNoCapability)
	must(TimeNow(id))
	ok(t, b.op.Revoke(slot, generation))
	want(t, just(TimeNow(id)), ErrRevoked)
}

// TestWorkerHasNoSpace: what RCU calls runs in no space, whoever was the first to need it.
func TestWorkerHasNoSpace(t *testing.T) {
	openGate(t)
	got := make(chan uint32)
	core.rcu.Call(func() { got <- space.Get() })
	if s := <-got; s != space.None {
		t.Errorf("in space %d", s)
	}
}

// TestRevokeWaitsForCalls: no call is under way any more when a revocation returns.
func TestRevokeWaitsForCalls(t *testing.T) {
	b := openGate(t)
	for range 50 {
		id := derive(t, b.root.Console, Write)
		var revoked flag
		var wg sync.WaitGroup
		core.console.out = writerFunc(func(p []byte) (int, error) {
			runtime.Gosched()
			if revoked.Load() {
				t.Error("a call is under way after the revocation")
			}
			return len(p), nil
		})
		for range 4 {
			wg.Go(func() {
				for just(ConsoleWrite(id, nil)) == nil {
				}
			})
		}
		runtime.Gosched()
		ok(t, CapRevoke(b.root.Console, id))
		revoked.Store(true)
		wg.Wait()
	}
}

func TestPermissionNames(t *testing.T) {
	if s := PermNames(typeMachine, Read|Drive); s != "read|drive" {
		t.Error(s)
	}
	if s := PermNames(typeSpaces, Create); s != "create" {
		t.Error(s)
	}
	if TypeName(typeClock) != "clock" || TypeName(99) != "unknown" {
		t.Error("names of types")
	}
	for i := range types {
		if typeNames[i] == "" {
			t.Errorf("type %d has no name", i)
		}
	}
}
