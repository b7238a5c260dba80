package gate

import (
	"context"
	"errors"
	"runtime/debug"
	"slices"
	"testing"
	"time"

	"pdac/kernel/numa"
)

// input is what the calls of the tests are made with.
type input struct {
	board     *board
	id, other ID // the first is the call's capability
	n         int
	perm      Perm
	to        Space
	opt       Options
	d         time.Duration
	p         []byte
	m, reply  *Message
	r         Range
	call      CallID
	ctx       context.Context
	got       []ID // capabilities that were made
}

// take remembers a capability.
func (a *input) take(id ID, err error) error {
	if err == nil {
		a.got = append(a.got, id)
	}
	return err
}

func just[T any](_ T, err error) error { return err }

// callers makes each call of the table.
var callers = [calls]func(a *input) error{
	capDerive:   func(a *input) error { return a.take(CapDerive(a.id, a.to, a.perm, a.opt)) },
	capGrant:    func(a *input) error { return CapGrant(a.id, a.other, a.perm) },
	capNarrow:   func(a *input) error { return CapNarrow(a.id, a.other, a.perm) },
	capRevoke:   func(a *input) error { return CapRevoke(a.id, a.other) },
	capTransfer: func(a *input) error { return a.take(CapTransfer(a.id, a.to)) },
	capDelete:   func(a *input) error { return CapDelete(a.id) },
	capInfo:     func(a *input) error { return just(CapInfo(a.id)) },
	capFund:     func(a *input) error { return a.take(CapFund(a.id, int64(a.n))) },
	spaceCreate: func(a *input) error {
		return a.take(NewSpace(a.id, Authority{Files: a.other}))
	},
	spaceInfo: func(a *input) error { return just(SpaceNumber(a.id)) },
	spaceRun:  func(a *input) error { return Run(a.id, func() {}) },
	spaceGo:   func(a *input) error { return Go(a.id, func() {}) },
	taskYield: func(a *input) error { return TaskYield(a.id) },
	taskSleep: func(a *input) error { return TaskSleep(a.id, a.d) },
	taskInfo:  func(a *input) error { return just(TaskInfo(a.id)) },
	taskSpawn: func(a *input) error {
		return a.take(Spawn(a.id, TaskOptions{Priority: a.n % 7, Tickets: a.n, Quantum: a.d * 100, CPUs: []int{a.n}, Space: a.other}, func() {}))
	},
	taskJoin:  func(a *input) error { return TaskJoin(a.id, a.ctx) },
	taskKill:  func(a *input) error { return TaskKill(a.id) },
	taskTune:  func(a *input) error { return TaskTune(a.id, TaskOptions{Class: Class(a.n), Home: Node(a.n)}) },
	taskState: func(a *input) error { return just(TaskState(a.id)) },
	taskExecutor: func(a *input) error {
		e, err := Executor(a.id, a.n)
		if err == nil {
			err = e.Close()
		}
		return err
	},
	memoryMap:   func(a *input) error { return just(MemoryMap(a.id, a.n)) },
	memoryUnmap: func(a *input) error { return MemoryUnmap(a.id, a.p) },
	memoryBytes: func(a *input) error { return just(MemoryBytes(a.id, a.r)) },
	memoryInfo:  func(a *input) error { return just(MemoryInfo(a.id)) },
	endpointCreate: func(a *input) error {
		return a.take(EndpointCreate(a.id, EndpointOptions{Capacity: a.n}))
	},
	endpointSend:      func(a *input) error { return EndpointSend(a.id, a.ctx, a.m) },
	endpointTrySend:   func(a *input) error { return EndpointTrySend(a.id, a.m) },
	endpointRecv:      func(a *input) error { return EndpointRecv(a.id, a.ctx, a.reply) },
	endpointTryRecv:   func(a *input) error { return EndpointTryRecv(a.id, a.reply) },
	endpointCall:      func(a *input) error { return EndpointCall(a.id, a.ctx, a.m, a.reply) },
	endpointReply:     func(a *input) error { return EndpointReply(a.id, a.call, a.m) },
	endpointReplyRecv: func(a *input) error { return EndpointReplyRecv(a.id, a.ctx, a.call, a.m) },
	endpointClose:     func(a *input) error { return EndpointClose(a.id) },
	consoleRead:       func(a *input) error { return just(ConsoleRead(a.id, a.p)) },
	consoleWrite:      func(a *input) error { return just(ConsoleWrite(a.id, a.p)) },
	timeNow:           func(a *input) error { return just(TimeNow(a.id)) },
	timeSleep: func(a *input) error {
		return TimeSleepUntil(a.id, time.Duration(core.now())+a.d)
	},
	timerCreate: func(a *input) error {
		return a.take(TimerCreate(a.id, time.Duration(core.now())+a.d, a.d))
	},
	timerWait:   func(a *input) error { return just(TimerWait(a.id)) },
	timerStop:   func(a *input) error { return TimerStop(a.id) },
	logAppend:   func(a *input) error { return LogAppend(a.id, Level(a.n), string(a.p)) },
	logRead:     func(a *input) error { return just(LogRead(a.id, uint64(a.n), &LogEntry{})) },
	statsRead:   func(a *input) error { return just(StatsRead(a.id)) },
	powerOff:    func(a *input) error { return PowerOff(a.id, a.n) },
	powerReboot: func(a *input) error { return PowerReboot(a.id) },
	memoryPolicy: func(a *input) error {
		return MemoryPolicy(a.id, a.p, Policy{Mode: numa.Mode(a.n), Nodes: uint64(a.d)}, a.n&1 != 0)
	},
	memoryPlacement: func(a *input) error { return just(MemoryPlacement(a.id, a.p)) },
	// A task's policy would stay on the test's thread.
	taskPolicy: func(a *input) error { return TaskPolicy(a.id, Policy{Mode: PolicyDefault, Nodes: uint64(a.n)}) },
}

func TestEveryCallIsFuzzed(t *testing.T) {
	for c := range calls {
		if callers[c] == nil {
			t.Errorf("%s has no fuzz entry", callTable[c].name)
		}
		if e := callTable[c]; e.name == "" || e.number != c {
			t.Errorf("call %d is not in the table", c)
		}
	}
}

// source deals out the bytes of a fuzz input; zeros when they are used up.
type source struct{ data []byte }

func (s *source) byte() byte {
	if len(s.data) == 0 {
		return 0
	}
	b := s.data[0]
	s.data = s.data[1:]
	return b
}

func (s *source) word() (w uint64) {
	for range 8 {
		w = w<<8 | uint64(s.byte())
	}
	return w
}

// id picks a capability that there is, or was, or one that is a bit off, or any number.
func (s *source) id(known []ID) ID {
	k := s.byte()
	id := known[int(k>>2)%len(known)]
	switch k & 3 {
	case 0, 1:
		return id
	case 2:
		return id ^ 1<<(s.byte()%64)
	default:
		return ID(s.word())
	}
}

// sizes are numbers at which things change.
var sizes = []int{0, 1, 2, 5, 4095, 4096, 4097, 3 * 4096, -1, 1 << 20, 1<<40 + 1, -1 << 63}

// message makes a message that need not be well formed.
func (s *source) message(known []ID, area []byte) *Message {
	k := s.byte()
	if k == 0 {
		return nil
	}
	m := &Message{Len: int(k) - 10, Caps: int(s.byte()%7) - 1, Ranges: int(s.byte()%7) - 1}
	if k > 20 {
		m.Len = int(k % 128)
	}
	for i := range m.Cap {
		m.Cap[i] = Carried{ID: s.id(known), Keep: Perm(s.word()), Mode: ByDerive + 0}
		if s.byte()&1 == 1 {
			m.Cap[i].Mode = ByTransfer
		}
	}
	for i := range m.Range {
		m.Range[i] = RangeOf(area)
		if s.byte()&1 == 1 {
			m.Range[i] = Range{At: uintptr(s.word()), Len: uintptr(s.byte()) << 12}
		}
	}
	return m
}

// FuzzGate makes calls with capabilities and arguments as they come. No call may panic, stay in its
// section, or stay blocked once its capability is revoked; and in the end, when all that the calls
// made is revoked, the table is as it was.
func FuzzGate(f *testing.F) {
	for c := range calls {
		f.Add([]byte{byte(c), 0, 0, 0, 9, 1, 0, 0, 0, 0, 1, 1, byte(c), 4, 8, 1})
		f.Add([]byte{byte(capDerive), 0, 0, 1, 2, 3, byte(endpointCreate), 3 << 2, 0, 1, byte(c), 12 << 2, 0, 77, 3, 4, 5, 6})
	}
	b := openGate(f)
	used := core.table.Stats().Used
	f.Fuzz(func(t *testing.T, data []byte) {
		s := &source{data: data}
		roots := []ID{b.root.Spaces, b.root.Task, b.root.Memory, b.root.Endpoints, b.root.Console, b.root.Clock,
			b.root.Log, b.root.Stats, b.root.Power, b.root.Files, b.root.Machine}
		var known []ID // never a root: the next input needs them
		for _, id := range roots {
			known = append(known, must(CapDerive(id, 0, usual|Create, Options{})))
		}
		home := must(NewSpace(b.root.Spaces, Authority{}))
		known = append(known, must(EndpointCreate(b.root.Endpoints, EndpointOptions{Capacity: 2})), must(CapDerive(home, 0, usual, Options{})))
		area := must(MemoryMap(b.root.Memory, 2*pageSize))
		for range 24 {
			if len(s.data) == 0 {
				break
			}
			c := call(s.byte()) % calls
			a := &input{board: b, id: s.id(known), other: s.id(known), n: sizes[int(s.byte())%len(sizes)], perm: Perm(s.word()),
				to: must(SpaceNumber(home)) * Space(s.byte()&1), d: time.Duration(s.byte()) * 10 * time.Microsecond,
				p: make([]byte, s.byte()), call: CallID(s.word())}
			if s.byte()&1 == 1 {
				a.perm &= All
			}
			if s.byte()&7 == 1 {
				a.opt = Options{Gas: int64(s.byte()) - 2, Formula: &Formula{Uses: int64(s.byte()) - 2}}
			}
			if s.byte()&1 == 1 {
				a.p = area
			}
			a.r = RangeOf(a.p)
			a.m, a.reply = s.message(known, area), s.message(known, area)
			var cancel func()
			a.ctx, cancel = context.WithTimeout(context.Background(), time.Millisecond)
			done := make(chan error)
			go func() { done <- callers[c](a) }()
			var err error
			select {
			case err = <-done:
			case <-time.After(20 * time.Millisecond): // timer.wait and console.read have no end of their own
				if !slices.Contains(roots, a.id) {
					core.table.Kill(a.id)
				}
				select {
				case err = <-done:
				case <-time.After(10 * time.Second):
					debug.SetTraceback("all")
					panic(callTable[c].name + " stays blocked")
				}
			}
			cancel()
			if named := (*CallError)(nil); err != nil && (!errors.As(err, &named) || named.Call != callTable[c].name) {
				t.Errorf("%s: error %v without the call's name", callTable[c].name, err)
			}
			known = append(known, a.got...)
		}
		for _, id := range known {
			core.table.Kill(id)
		}
		core.table.Kill(home)
		MemoryUnmap(b.root.Memory, area[:pageSize])
		MemoryUnmap(b.root.Memory, area[pageSize:])
		quiet(t)
		core.rcu.Barrier() // what callbacks of the first discarded
		if left := core.table.Stats().Used - used; left != 0 {
			t.Errorf("%d capabilities are left", left)
		}
	})
}
