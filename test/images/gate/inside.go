package main

import (
	"errors"
	"runtime"
	"runtime/debug"
	"sync"
	"time"

	"pdac/kernel/gate"
)

// calls makes those that reach the machine.
func calls() {
	_, err := gate.ConsoleWrite(root.Console, []byte("through the gate\n"))
	check(err == nil, "console.write: %v", err)
	_, err = gate.ConsoleRead(root.Console, make([]byte, 1))
	check(errors.Is(err, gate.ErrTaken), "console.read beside the kernel's console: %v", err)
	i, err := gate.TaskInfo(root.Task)
	check(err == nil && i.ID > 0 && i.CPU < runtime.NumCPU() && i.Space == 1, "task.info: %+v, %v", i, err)
	for i.Used == 0 { // until the first tick
		i = must(gate.TaskInfo(root.Task))
	}
	err = gate.LogAppend(root.Log, gate.LevelInfo, "a record of the program's")
	check(err == nil, "log.append: %v", err)
	before := must(gate.TimeNow(root.Clock))
	err = gate.TaskSleep(root.Task, 2*time.Millisecond)
	slept := must(gate.TimeNow(root.Clock)) - before
	check(err == nil && slept >= 2*time.Millisecond, "task.sleep: %v, %v", slept, err)
	timer := must(gate.TimerCreate(root.Clock, before, time.Millisecond))
	n, err := gate.TimerWait(timer)
	check(err == nil && n >= 2, "timer.wait: %d, %v", n, err)
	s, err := gate.StatsRead(root.Stats)
	check(err == nil && s.RCU.GracePeriods > 0 && s.Capabilities.Derived > 0, "stats.read: %+v, %v", s, err)
}

// collection: goroutines that are blocked in calls keep no collection and no grace period waiting.
func collection() {
	const n = 1000
	e := must(gate.EndpointCreate(root.Endpoints, gate.EndpointOptions{Waiters: n}))
	var wg sync.WaitGroup
	for range n {
		wg.Go(func() {
			var m gate.Message
			err := gate.EndpointRecv(e, nil, &m)
			check(errors.Is(err, gate.ErrRevoked) || errors.Is(err, gate.ErrDead), "a receiver: %v", err)
		})
	}
	runtime.Gosched()
	runtime.GC()
	err := gate.CapDelete(e)
	check(err == nil, "deleting the endpoint: %v", err)
	wg.Wait()
}

// pages: those that are sent are the receiver's, at another address, and fault at the old one.
func pages() {
	for _, size := range []int{4096, 5 << 20} {
		area := must(gate.MemoryMap(root.Memory, size))
		for i := range area {
			area[i] = byte(i >> 12)
		}
		e := must(gate.EndpointCreate(root.Endpoints, gate.EndpointOptions{}))
		m := gate.Message{Ranges: 1}
		m.Range[0] = gate.RangeOf(area)
		err := gate.EndpointSend(e, nil, &m)
		check(err == nil, "sending %d bytes: %v", size, err)
		for _, at := range []int{0, size / 2, size - 1} {
			check(faults(func() { sink = area[at] }), "byte %d of %d is still there", at, size)
		}
		other := must(gate.NewSpace(root.Spaces, gate.Authority{}))
		in(other, func() {
			err := gate.EndpointRecv(e, nil, &m)
			check(err == nil, "receiving: %v", err)
			moved := must(gate.MemoryBytes(root.Memory, m.Range[0]))
			for i := range moved {
				if moved[i] != byte(i>>12) {
					check(false, "byte %d of %d has changed", i, size)
					break
				}
			}
			area = moved
		})
		err = gate.CapDelete(other)
		check(err == nil, "ending the space: %v", err)
		check(faults(func() { sink = area[0] }), "memory of a space that has ended")
		err = gate.CapDelete(e)
		check(err == nil, "deleting the endpoint: %v", err)
	}
}

var sink byte

func faults(f func()) (yes bool) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() { yes = recover() != nil }()
	f()
	return false
}
