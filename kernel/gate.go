package kernel

import (
	"os"
	"runtime"
	"syscall"
	"time"
	"unsafe"

	"pdac/kernel/console"
	"pdac/kernel/gate"
	"pdac/kernel/ipc"
	"pdac/kernel/klog"
	"pdac/kernel/rcu"
	"pdac/kernel/sched"
	"pdac/kernel/vm"
)

// The gate on this machine, and what the console shows of it. Above the runtime.

// openGate opens the gate.
func (b *Board) openGate() *gate.Operator {
	c := gate.Config{
		CPUs:     hardware.NCPU,
		CPU:      b.CPU,
		Local:    b.Local,
		SetLocal: b.SetLocal,
		NodeOf:   func(cpu int) int { return int(hardware.Nodes[cpu]) },
		Nodes:    b.Topology.NNodes,
		NodeOfMemory: func(at uintptr) (int, bool) {
			frame, ok := vm.Frame(uint64(at))
			if !ok {
				return 0, false
			}
			node, ok := b.Topology.NodeOf(uint64(frame) * vm.PageSize)
			return int(node), ok
		},
		Now:     hardware.Now,
		Key:     randomKey(),
		Output:  os.Stdout,
		Task:    thisTask,
		Threads: b.threads(),
		Workers: b.workers,
		Power:   b.PowerOff,
		Reboot:  b.Reboot,
		Track:   options.rcuTrack,
		Stall:   logStall,
	}
	if options.noConsole {
		c.Input = b.Line
	}
	o, err := gate.Open(c)
	if err != nil {
		panic(err)
	}
	return o
}

const sysGetrandom = 318 // Linux arch/x86/entry/syscalls/syscall_64.tbl

// randomKey returns the key of the identifiers, by getrandom(2).
func randomKey() (key [2]uint64) {
	n, _, e := syscall.Syscall(sysGetrandom, uintptr(unsafe.Pointer(&key)), unsafe.Sizeof(key), 0)
	if e != 0 || n != unsafe.Sizeof(key) {
		panic("kernel: no random key")
	}
	return key
}

// thisTask describes the task that the caller runs on.
func thisTask() gate.Task {
	t := sched.ID(syscall.Gettid())
	i := sched.Info(t)
	return gate.Task{ID: int(t), CPU: i.CPU, Node: int(hardware.Nodes[i.CPU]), Used: time.Duration(i.CPUTime)}
}

// logStall reports what holds a grace period up.
func logStall(s rcu.Stall) {
	r := klog.New(klog.Warn).Str("rcu: a read section on CPU ").Dec(uint64(s.CPU)).Str(" holds up a grace period for ").
		Dec(uint64(s.Age / time.Millisecond)).Str(" ms")
	switch f := runtime.FuncForPC(s.PC - 1); { // of the call
	case s.Trap:
		r = r.Str("; it is a system call's")
	case f != nil:
		r = r.Str("; begun for ").Str(f.Name())
	default:
		r = r.Str("; boot with rcu.track to learn whose it is")
	}
	r.End()
}

func caps(o *gate.Operator, f func(console.Capability)) console.Caps {
	active := 0
	o.Capabilities(func(c gate.Capability) bool {
		active++
		t := c.Info.Object.Type()
		f(console.Capability{
			ID:          c.Name(),
			Parent:      c.Info.Parent,
			Depth:       c.Info.Depth,
			Space:       uint32(c.Info.Space),
			Type:        gate.TypeName(t),
			Object:      c.Info.Object.Ref(),
			Permissions: gate.PermNames(t, c.Info.Perms),
			Asks:        c.Info.Slow,
			ExpiresNS:   c.Info.ExpiresAt,
			UsesLeft:    int(c.Info.UsesLeft),
			Gas:         uint64(c.Info.Gas),
		})
		return true
	})
	s := o.Stats()
	k := s.Capabilities
	r := console.Caps{Active: active, Slots: k.Slots,
		Derived: uint64(k.Derived), Granted: uint64(k.Granted), Narrowed: uint64(k.Narrowed), Transferred: uint64(k.Transferred),
		Ended: uint64(k.Revoked), GasMinted: uint64(k.Gas.Minted), GasSpent: uint64(k.Gas.Spent), GasTreasury: uint64(k.Gas.Treasury)}
	for _, c := range s.Calls {
		r.Calls = append(r.Calls, console.GatedCall{Name: c.Name, Count: c.Calls, Refused: c.Refused})
	}
	return r
}

func rcuStats(o *gate.Operator) console.RCU {
	s := o.Stats().RCU
	r := console.RCU{GracePeriods: s.GracePeriods, Stalls: s.Stalls, Readers: s.Readers, Pending: s.Pending, Ran: s.Ran}
	for i, n := range s.Latency {
		if n != 0 {
			r.Latency = append(r.Latency, console.Latency{BelowNS: 1 << i, Count: n})
		}
	}
	return r
}

func endpoints(o *gate.Operator) console.IPC {
	var r console.IPC
	o.Endpoints(func(i ipc.Info) bool {
		e := console.Endpoint{ID: i.Ref, Owner: i.Owner, Capacity: i.Capacity, Depth: i.Depth, Senders: i.Senders, Receivers: i.Receivers,
			Callers: i.Callers, Sent: i.Sent, Received: i.Received, Replied: i.Replied, Dropped: i.Dropped}
		if i.Err != nil {
			e.Error = i.Err.Error()
		}
		r.Endpoints = append(r.Endpoints, e)
		return true
	})
	return r
}
