package cap

import (
	"math/rand/v2"
	"runtime"
	"syscall"
	"time"
	"unsafe"
)

// wander lets the caller be preempted, or moves it to another thread and CPU.
func wander() {
	switch rand.IntN(16) {
	case 0:
		runtime.Gosched()
	case 1:
		for range rand.IntN(10) {
			runtime.Gosched()
		}
	case 2:
		if rand.IntN(50) == 0 {
			time.Sleep(time.Duration(rand.IntN(int(time.Millisecond))))
		}
	case 3:
		if rand.IntN(50) == 0 {
			migrate()
		}
	}
}

// migrate has the caller go on, for some steps, on a CPU by chance.
func migrate() {
	var all, one [16]uint64
	affinity := func(call uintptr, mask *[16]uint64) bool {
		_, _, e := syscall.RawSyscall(call, 0, unsafe.Sizeof(*mask), uintptr(unsafe.Pointer(mask)))
		return e == 0
	}
	runtime.LockOSThread() // or the runtime would hand the affinity on to others
	defer runtime.UnlockOSThread()
	if !affinity(syscall.SYS_SCHED_GETAFFINITY, &all) {
		return
	}
	cpu := rand.IntN(runtime.NumCPU())
	one[cpu/64] = 1 << (cpu % 64) & all[cpu/64]
	affinity(syscall.SYS_SCHED_SETAFFINITY, &one)
	runtime.Gosched()
	affinity(syscall.SYS_SCHED_SETAFFINITY, &all)
}

// read checks what there is, and what it remembers from before.
func (r *torture) read() {
	var remembered [64]*holding
	for n := 0; !r.stop.Load(); n++ {
		r.rest()
		h := r.places[rand.IntN(len(r.places))].Load()
		if rand.IntN(3) == 0 {
			if old := remembered[rand.IntN(len(remembered))]; old != nil {
				h = old
			}
		} else if h != nil {
			remembered[n%len(remembered)] = h
		}
		if h == nil {
			runtime.Gosched()
			continue
		}
		if rand.IntN(2000) == 0 {
			r.wait(h)
			continue
		}
		need := [...]Perm{0, Read, fading, flicking}[rand.IntN(4)]
		cpu := rand.IntN(testCPUs)
		age := h.age(need)
		var ok bool
		o := h.object
		switch rand.IntN(6) {
		case 0:
			ok = r.table.Check(h.id, need)
		case 1:
			o, ok = r.table.Find(h.id, need)
		case 2, 3:
			var err error
			o, err = r.table.Lookup(cpu, h.id, need)
			ok = err == nil
		default:
			r.call(h, cpu, need)
			continue
		}
		if ok {
			r.passed[min(age, oldest)].Add(1)
			if o != h.object {
				r.wrong.Add(1)
			}
		}
	}
}

// call makes a gated call.
func (r *torture) call(h *holding, cpu int, need Perm) {
	section := r.table.rcu.ReadLock(cpu)
	age := h.age(need)
	o, err := r.table.Admit(cpu, h.id, typeFile, need, 0)
	if err == nil {
		r.passed[min(age, oldest)].Add(1)
		if o != h.object {
			r.wrong.Add(1)
		}
		wander()
		if rand.IntN(8) == 0 { // a call in the call
			inner := r.table.rcu.ReadLock(rand.IntN(testCPUs))
			_, _ = r.table.Lookup(rand.IntN(testCPUs), h.id, need)
			r.table.rcu.ReadUnlock(inner)
		}
		r.ended[min(h.age(need), oldest)].Add(1)
	}
	r.table.rcu.ReadUnlock(section)
}

// wait blocks as a gated call would, until its capability ends.
func (r *torture) wait(h *holding) {
	woken := make(chan struct{}, 1)
	w, err := r.table.Await(h.id, func() {
		select {
		case woken <- struct{}{}:
		default:
		}
	})
	if err != nil {
		return
	}
	defer r.table.Done(w)
	for r.table.Check(h.id, 0) && !r.stop.Load() {
		select {
		case <-woken:
			r.waits.Add(1)
		case <-time.After(time.Duration(rand.IntN(int(5 * time.Millisecond)))):
			if h.age(0) < 2 {
				return // has waited enough
			}
			select {
			case <-woken:
			default:
				r.asleep.Add(1)
				return
			}
		}
	}
}
