package sched

import (
	"fmt"
	"testing"
)

// BenchmarkRoundTrip parks a task, switches to another, which wakes the first, and back: two switches and two wakeups on
// one CPU, among CPUs that are all busy. The clock is free here; on a machine it is an RDTSC and a multiplication.
func BenchmarkRoundTrip(b *testing.B) {
	for _, ncpu := range []int{1, 8, 64} {
		b.Run(fmt.Sprintf("cpus=%d", ncpu), func(b *testing.B) {
			boot(b, ncpu, min(ncpu, 8), 128, 0)
			for cpu := range ncpu {
				spawn(b, cpu)
				Leave(cpu)
			}
			x := Current(0)
			y := spawn(b, 0)
			Yield(0, x)
			Leave(0)
			Park(0, y, 0)
			leave(b, 0, x)
			_, seq := Get(y).State()
			for b.Loop() {
				Wake(0, y, seq, 0, false)
				sx := Park(0, x, 0)
				Leave(0)
				Wake(0, x, sx, 0, false)
				seq = Park(0, y, 0)
				Leave(0)
			}
			if Current(0) != x {
				b.Fatal("the round trip took another way")
			}
		})
	}
}

// BenchmarkLeaveNothing is the cost that every system call pays.
func BenchmarkLeaveNothing(b *testing.B) {
	boot(b, 1, 1, 8, 0)
	spawn(b, 0)
	Leave(0)
	for b.Loop() {
		if NeedLeave(0) {
			b.Fatal("nothing happened")
		}
	}
}

// BenchmarkSleep parks with a deadline, is woken before it, and parks again, among n sleepers of the same CPU.
func BenchmarkSleep(b *testing.B) {
	for _, n := range []int{0, 1000} {
		b.Run(fmt.Sprintf("sleepers=%d", n), func(b *testing.B) {
			f := boot(b, 1, 1, 2048, 0)
			for range n {
				spawn(b, 0)
			}
			for i := range n {
				Park(0, Leave(0), 1<<40+uint64(i*7919%n))
			}
			Leave(0)
			x := spawn(b, 0)
			Leave(0)
			for b.Loop() {
				f.clock.Add(100)
				seq := Park(0, x, f.clock.Load()+1_000_000)
				Wake(0, x, seq, 0, false)
				Leave(0)
			}
		})
	}
}

// BenchmarkSearch is a thief's walk past 63 CPUs that have nothing to give.
func BenchmarkSearch(b *testing.B) {
	for s := range Strategies {
		b.Run(s.String(), func(b *testing.B) {
			boot(b, 64, 1, 8, 0)
			SetStrategy(s)
			for b.Loop() {
				if t, _ := on(0).pull(0); t != 0 {
					b.Fatal("found something")
				}
			}
		})
	}
}

// BenchmarkPushPop takes the next task out of a run queue and puts it back at the end: the turns of a CPU without the switch.
func BenchmarkPushPop(b *testing.B) {
	for _, waiting := range []int{1, 8} {
		b.Run(fmt.Sprintf("waiting=%d", waiting), func(b *testing.B) {
			boot(b, 1, 1, 16, 0)
			for range waiting {
				spawn(b, 0)
			}
			c := on(0)
			for b.Loop() {
				t := c.pop()
				c.queue(t, Get(t), fromRunning, false)
			}
		})
	}
}
