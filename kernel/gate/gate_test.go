package gate

import (
	"bytes"
	"errors"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"pdac/kernel/ipc"
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

// blocked counts what waits under a capability.
func blocked(t testing.TB, id ID, make func() error, n int) (errs chan error) {
	errs = newChan(n)
	for range n {
		go func() { errs <- make() }()
	}
	return errs
}

func admitted(c call) uint64 {
	n, _ := c.count()
	return n
}

func newChan(n int) chan error { return make(chan error, n) }

// TestBlockedCalls: each call that blocks is woken by the revocation, and by the narrowing, of its
// capability, while others of the same object go on waiting.
func TestBlockedCalls(t *testing.T) {
	b := openGate(t)
	e := must(EndpointCreate(b.root.Endpoints, EndpointOptions{Capacity: 1}))
	full := must(EndpointCreate(b.root.Endpoints, EndpointOptions{Capacity: 1}))
	ok(t, EndpointTrySend(full, &Message{}))
	timer := must(TimerCreate(b.root.Clock, 1<<62, 0))
	for c, id := range map[call]ID{
		endpointRecv: e, endpointSend: full, endpointCall: full, timerWait: timer, timeSleep: b.root.Clock,
		taskSleep: b.root.Task, consoleRead: b.root.Console,
	} {
		t.Run(callTable[c].name, func(t *testing.T) {
			entry := callTable[c]
			for _, narrow := range []bool{false, true} {
				child := derive(t, id, entry.Need|Revoke)
				other := derive(t, id, entry.Need|Revoke)
				sent := admitted(c)
				make := func(id ID) func() error {
					return func() error {
						a := good(t, b, id)
						a.d = time.Hour
						return callers[c](a)
					}
				}
				const n = 20
				errs := blocked(t, child, make(child), n)
				others := blocked(t, other, make(other), n)
				until(t, "calls to begin", func() bool { return admitted(c) == sent+2*n })
				if narrow {
					ok(t, CapNarrow(id, child, 0))
				} else {
					ok(t, CapRevoke(id, child))
				}
				for range n {
					if err := <-errs; narrow {
						want(t, err, ErrPermission)
					} else {
						want(t, err, ErrRevoked)
					}
				}
				select {
				case err := <-others:
					t.Fatalf("another one's call ended: %v", err)
				default:
				}
				ok(t, CapRevoke(id, other))
				for range n {
					want(t, <-others, ErrRevoked)
				}
				quiet(t)
			}
		})
	}
}

// TestCollectionWhileBlocked: the collector waits for nobody who is blocked in a call.
func TestCollectionWhileBlocked(t *testing.T) {
	b := openGate(t)
	const n = 1000
	e := must(EndpointCreate(b.root.Endpoints, EndpointOptions{Waiters: n}))
	errs := blocked(t, e, func() error { return EndpointRecv(e, nil, &Message{}) }, n)
	until(t, "receivers", func() bool {
		n := 0
		b.op.Endpoints(func(i ipc.Info) bool { n += i.Receivers; return true })
		return n == 1000
	})
	runtime.GC()
	core.rcu.Synchronize() // nor does a grace period
	ok(t, CapDelete(e))
	for range n {
		if err := <-errs; !errors.Is(err, ErrRevoked) && !errors.Is(err, ErrDead) {
			t.Fatal(err)
		}
	}
	quiet(t)
}

func TestMessages(t *testing.T) {
	b := openGate(t)
	e := must(EndpointCreate(b.root.Endpoints, EndpointOptions{}))
	client, server := derive(t, e, Write), derive(t, e, Read)
	var wg sync.WaitGroup
	wg.Go(func() {
		var m Message
		for EndpointRecv(server, nil, &m) == nil {
			m.Put(bytes.ToUpper(m.Payload()))
			EndpointReply(server, m.Call, &m)
		}
	})
	var m Message
	m.Put([]byte("hello"))
	ok(t, EndpointCall(client, nil, &m, &m))
	if string(m.Payload()) != "HELLO" {
		t.Errorf("%q", m.Payload())
	}
	want(t, EndpointReply(server, 77, &m), ErrNoCall)
	want(t, EndpointClose(server), ErrPermission)
	want(t, EndpointTryRecv(client, &m), ErrPermission)

	m = Message{Caps: 5}
	want(t, EndpointTrySend(client, &m), ErrTooManyCaps)
	bad := (*ArgumentError)(nil)
	if err := EndpointTrySend(client, &m); !errors.As(err, &bad) || bad.Argument != "message" {
		t.Errorf("%v names no argument", err)
	}
	m = Message{Caps: 1, Cap: [4]Carried{{ID: derive(t, b.root.Clock, Read), Mode: ByDerive, Keep: Read}}}
	item := (*ItemError)(nil)
	if err := EndpointTrySend(client, &m); !errors.As(err, &item) || !errors.Is(err, ErrPermission) {
		t.Errorf("deriving without delegate in a message: %v", err)
	}
	ok(t, EndpointClose(e))
	want(t, EndpointTrySend(client, &m), ErrDead)
	wg.Wait() // the server is on its way out
	quiet(t)
}

func TestMessagesCarryCapabilities(t *testing.T) {
	b := openGate(t)
	home := must(NewSpace(b.root.Spaces, Authority{}))
	var e ID
	in(t, home, func() { e = must(EndpointCreate(b.root.Endpoints, EndpointOptions{})) })
	clock, log := derive(t, b.root.Clock, Read|Delegate), derive(t, b.root.Log, Write|Transfer)
	m := Message{Caps: 2, Cap: [4]Carried{{ID: clock, Mode: ByDerive, Keep: Read}, {ID: log, Mode: ByTransfer}}}
	ok(t, EndpointSend(e, nil, &m))
	want(t, LogAppend(log, LevelInfo, "sent away"), ErrRevoked)
	must(TimeNow(clock))
	var got Message
	ok(t, EndpointRecv(e, nil, &got))
	for i, id := range []ID{got.Cap[0].ID, got.Cap[1].ID} {
		if info := must(CapInfo(id)); info.Space != must(SpaceNumber(home)) {
			t.Errorf("capability %d is in space %d", i, info.Space)
		}
	}
	must(TimeNow(got.Cap[0].ID))
	ok(t, LogAppend(got.Cap[1].ID, LevelDebug, "received"))
	ok(t, CapRevoke(b.root.Clock, clock))
	want(t, just(TimeNow(got.Cap[0].ID)), ErrRevoked)
	ok(t, CapDelete(home))
	want(t, LogAppend(got.Cap[1].ID, LevelDebug, "the space has ended"), ErrRevoked)
	want(t, EndpointTrySend(e, &m), ErrRevoked)
	quiet(t)
}

func TestMemory(t *testing.T) {
	b := openGate(t)
	area := must(MemoryMap(b.root.Memory, pageSize+1))
	if len(area) != 2*pageSize {
		t.Fatalf("%d bytes", len(area))
	}
	area[0], area[pageSize] = 1, 2
	e := must(EndpointCreate(b.root.Endpoints, EndpointOptions{}))
	m := Message{Ranges: 1, Range: [4]Range{RangeOf(area[pageSize:])}}
	other := must(NewSpace(b.root.Spaces, Authority{}))
	in(t, other, func() {
		item := (*ItemError)(nil)
		if err := EndpointTrySend(e, &m); !errors.As(err, &item) || !item.Pages {
			t.Errorf("sending another space's pages: %v", err)
		}
		if MemoryUnmap(b.root.Memory, area) == nil || just(MemoryBytes(b.root.Memory, RangeOf(area))) == nil {
			t.Error("another space's memory is at hand")
		}
	})
	ok(t, EndpointTrySend(e, &m))
	faults(t, func() { sink = area[pageSize] })
	if MemoryUnmap(b.root.Memory, area) == nil {
		t.Error("unmapped what was sent")
	}
	in(t, other, func() {
		var got Message
		ok(t, EndpointTryRecv(e, &got))
		page := must(MemoryBytes(b.root.Memory, got.Range[0]))
		if page[0] != 2 {
			t.Errorf("page has %d, want 2", page[0])
		}
		page[0] = 3
		if i := must(MemoryInfo(b.root.Memory)); i != (Memory{1, pageSize}) {
			t.Errorf("%+v", i)
		}
		area = page
	})
	if i := must(MemoryInfo(b.root.Memory)); i.Areas != 1 {
		t.Errorf("%+v", i)
	}
	ok(t, CapDelete(other))
	faults(t, func() { sink = area[0] })
	quiet(t)
}

func TestTimer(t *testing.T) {
	b := openGate(t)
	timer := must(TimerCreate(b.root.Clock, must(TimeNow(b.root.Clock)), time.Millisecond))
	for range 3 {
		if n := must(TimerWait(timer)); n < 1 {
			t.Fatal(n)
		}
	}
	once := must(TimerCreate(b.root.Clock, 0, 0))
	if n := must(TimerWait(once)); n != 1 {
		t.Fatal(n)
	}
	want(t, just(TimerWait(once)), ErrStopped)
	never := must(TimerCreate(b.root.Clock, 1<<62, 0))
	before := admitted(timerWait)
	errs := blocked(t, never, func() error { return just(TimerWait(never)) }, 10)
	until(t, "waiters", func() bool { return admitted(timerWait) == before+10 })
	ok(t, TimerStop(never))
	ok(t, TimerStop(never))
	for range 10 {
		want(t, <-errs, ErrStopped)
	}
	at := must(TimeNow(b.root.Clock)) + 2*time.Millisecond
	ok(t, TimeSleepUntil(b.root.Clock, at))
	if now := must(TimeNow(b.root.Clock)); now < at {
		t.Errorf("woke at %v, want %v", now, at)
	}
	quiet(t)
}

func TestConsole(t *testing.T) {
	b := openGate(t)
	must(ConsoleWrite(b.root.Console, []byte("text")))
	if b.out.String() != "text" {
		t.Errorf("%q", &b.out)
	}
	go b.keys.Write([]byte("typed"))
	var got []byte
	for len(got) < 5 {
		p := make([]byte, 2)
		got = append(got, p[:must(ConsoleRead(b.root.Console, p))]...)
	}
	if string(got) != "typed" {
		t.Errorf("%q", got)
	}
	core.console = newLine(&b.out, nil)
	want(t, just(ConsoleRead(b.root.Console, got)), ErrTaken)
}

func TestLogAndStatsAndPower(t *testing.T) {
	b := openGate(t)
	ok(t, LogAppend(b.root.Log, LevelInfo, "a record\nof two lines"))
	var e LogEntry
	found := false
	for from := uint64(0); ; from = e.Seq + 1 {
		if _, err := LogRead(b.root.Log, from, &e); errors.Is(err, ErrWouldBlock) {
			break
		}
		found = found || string(e.Text()) == "space 1: a record?of two lines"
	}
	if !found {
		t.Error("the record isn't there")
	}
	if s := must(StatsRead(b.root.Stats)); len(s.Calls) < 2 || s.Calls[0].Name != "log.append" || s.Calls[0].Calls != 1 {
		t.Errorf("%+v", s.Calls)
	}
	if i := must(TaskInfo(b.root.Task)); i != (Task{Space: 1, ID: 7, CPU: 3}) {
		t.Errorf("%+v", i)
	}
	ok(t, TaskYield(b.root.Task))
	ok(t, PowerReboot(b.root.Power))
	ok(t, PowerOff(b.root.Power, 3))
	if b.off != 3 || b.boots != 1 {
		t.Errorf("power off with %d, %d boots", b.off, b.boots)
	}
	if err := PowerOff(b.root.Power, 256); err == nil || !strings.Contains(err.Error(), "0 to 255") {
		t.Errorf("%v", err)
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
