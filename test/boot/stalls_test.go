package boot

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"
)

// TestStalls soaks machines whose CPUs stand still at random, some at a time and for as long as a busy hypervisor would take
// them: whoever holds something then, or is about to publish it, holds nobody else up for good. It is one of the machines for 20 s,
// or all for $PDAC_SOAK seconds each.
func TestStalls(t *testing.T) {
	Need(t)
	seconds, seed, long := soakFor(t, 20)
	machines := []soakMachine{
		{cpus: 4, nodes: 2, mib: 1024, model: "max"},
		{cpus: 16, nodes: 4, mib: 1024, model: "max"},
		{cpus: 64, nodes: 4, mib: 2048, model: "max"},
	}
	if !long {
		n := rand.New(rand.NewPCG(seed, 2)).IntN(len(machines))
		machines = machines[n : n+1]
	}
	for _, m := range machines {
		t.Run(fmt.Sprintf("cpus=%d", m.cpus), func(t *testing.T) {
			s := staller{gdb: newGDB(t), cpus: m.cpus, Rand: rand.New(rand.NewPCG(seed, 3))}
			done := make(chan error)
			go func() { done <- s.debug() }()
			m.soak(t, seconds, seed, s.options()...)
			if err := <-done; err != nil {
				t.Error(err)
			}
			if s.stalls == 0 {
				t.Error("no CPU was stalled")
			}
			t.Logf("%d times CPUs stood still", s.stalls)
		})
	}
}

// staller is a debugger that stops CPUs of a guest.
type staller struct {
	*gdb
	*rand.Rand
	cpus   int
	stalls int
}

// debug stalls CPUs until the guest is gone.
func (s *staller) debug() error {
	if err := s.attach(); err != nil {
		return err
	}
	if err := s.conn.SetDeadline(time.Time{}); err != nil {
		return err
	}
	for s.stall() == nil { // it fails when the connection does
		s.stalls++
	}
	return nil
}

// stall lets all CPUs run for a while, and then only some for another.
func (s *staller) stall() error {
	if err := s.resume(); err != nil {
		return err
	}
	time.Sleep(time.Duration(s.IntN(100)) * time.Millisecond)
	if err := s.stop(); err != nil {
		return err
	}
	some := s.Perm(s.cpus)[:s.IntN(s.cpus-1)+1]
	if err := s.resume(some...); err != nil {
		return err
	}
	time.Sleep(time.Duration(s.IntN(50)) * time.Millisecond)
	return s.stop()
}
