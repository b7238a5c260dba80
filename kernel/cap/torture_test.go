package cap

import (
	"fmt"
	"math/rand/v2"
	"os"
	"runtime"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
	"unsafe"
)

// Torture in the way of the Linux kernel's rcutorture (kernel/rcu/rcutorture.c). There an element
// ages by one when it is removed and by one after each grace period. Here it is what an identifier
// stands for: age 1 from when its end begins, 2 when Revoke, Delete or Transfer has returned, more after each
// grace period since. Readers look at the age before a check that passes, and after a gated call
// that was admitted: 0, or 1 when the end was under way. Older means that the table let pass what it
// had said was over.

const oldest = 10

// ages counts passed checks, or ended calls, by age.
type ages [oldest + 1]atomic.Uint64

func (a *ages) tooOld() (n uint64) {
	for i := 2; i < len(a); i++ {
		n += a[i].Load()
	}
	return n
}

func (a *ages) String() string {
	s := ""
	for i := range a {
		s += fmt.Sprintf(" %d", a[i].Load())
	}
	return s
}

// aging is an age, which only grows.
type aging struct{ n atomic.Int32 }

func (a *aging) reach(n int32) {
	for {
		now := a.n.Load()
		if now >= n || a.n.CompareAndSwap(now, n) {
			return
		}
	}
}

// life is a capability, under whatever identifiers.
type life struct {
	above  *life // nil: a root
	depth  int
	object Object
	end    aging
	less   aging // of the permission fading
}

// age returns the age of a life: it ends with one above.
func (l *life) age() (n int32) {
	for ; l != nil; l = l.above {
		n = max(n, l.end.n.Load())
	}
	return n
}

// faded is age for the permission fading.
func (l *life) faded() (n int32) {
	for ; l != nil; l = l.above {
		n = max(n, l.end.n.Load(), l.less.n.Load())
	}
	return n
}

// holding is one identifier of a life.
type holding struct {
	id ID
	*life
	gone aging // transferred
}

func (h *holding) age(need Perm) int32 {
	if need&fading != 0 {
		return max(h.faded(), h.gone.n.Load())
	}
	return max(h.life.age(), h.gone.n.Load())
}

const (
	fading   = Specific      // Narrow takes it, Grant never gives it
	flicking = Specific << 1 // Narrow takes it, Grant gives it
)

// tortured is what is tortured: the calls that end something, which can be made wrong.
type tortured struct {
	revoke   func(t *Table, authority, id ID) error
	transfer func(t *Table, id ID, to Space) (ID, error)
	narrow   func(t *Table, authority, id ID, keep Perm) error
}

var sound = tortured{(*Table).Revoke, (*Table).Transfer, (*Table).Narrow}

// torture is a run.
type torture struct {
	tortured
	table         *Table
	roots         [3]*holding // for different objects, so that a slot's tenants differ
	places        [24]atomic.Pointer[holding]
	passed, ended ages // checks, calls
	updates       [6]atomic.Uint64
	stop, stutter atomic.Bool
	waits         atomic.Uint64
	wrong, asleep atomic.Uint64 // objects; waiters that nobody woke
}

func (r *torture) age() uint64 { return r.passed.tooOld() + r.ended.tooOld() }

func (r *torture) rest() {
	for r.stutter.Load() {
		time.Sleep(time.Millisecond)
	}
}

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

// update makes, changes and ends capabilities.
func (r *torture) update() {
	var pipe []*aging
	for !r.stop.Load() {
		r.rest()
		wander()
		place := &r.places[rand.IntN(len(r.places))]
		h := place.Load()
		switch n := rand.IntN(16); {
		case h == nil || n < 6:
			pipe = r.end(r.derive(place), pipe)
		case n < 9: // what is above h gives what it may have
			if above := r.holder(h.above); above != nil && r.table.Grant(above.id, h.id, flicking) == nil {
				r.updates[1].Add(1)
			}
		case n == 9:
			if r.narrow(r.table, h.root(r), h.id, AllPerms&^flicking) == nil {
				r.updates[2].Add(1)
			}
		case n == 10:
			h.less.reach(1)
			if r.narrow(r.table, h.root(r), h.id, AllPerms&^fading) == nil {
				h.less.reach(2)
				pipe = append(pipe, &h.less)
				r.updates[3].Add(1)
			}
		case n < 13:
			h.gone.reach(1)
			if id, err := r.transfer(r.table, h.id, Space(n)); err == nil {
				h.gone.reach(2)
				pipe = append(pipe, &h.gone)
				r.updates[4].Add(1)
				if now := (&holding{id: id, life: h.life}); !place.CompareAndSwap(h, now) {
					pipe = r.end(now, pipe) // nobody else knows it
				}
			}
		default:
			pipe = r.end(h, pipe)
			place.CompareAndSwap(h, nil)
		}
		if rand.IntN(4) == 0 {
			r.table.rcu.Synchronize()
			still := pipe[:0]
			for _, a := range pipe {
				if a.reach(a.n.Load() + 1); a.n.Load() < oldest {
					still = append(still, a)
				}
			}
			pipe = still
		}
	}
}

// end revokes a holding, if there is one, and lets it age.
func (r *torture) end(h *holding, pipe []*aging) []*aging {
	if h == nil {
		return pipe
	}
	h.life.end.reach(1)
	if r.revoke(r.table, h.root(r), h.id) == nil {
		h.life.end.reach(2)
		pipe = append(pipe, &h.life.end)
		r.updates[5].Add(1)
	}
	return pipe
}

// root returns the identifier of the root that a holding is below.
func (h *holding) root(r *torture) ID {
	l := h.life
	for l.above != nil {
		l = l.above
	}
	return r.holder(l).id
}

// holder returns the holding of a life that there is, if any.
func (r *torture) holder(l *life) *holding {
	for _, h := range r.roots {
		if h.life == l {
			return h
		}
	}
	for i := range r.places {
		if h := r.places[i].Load(); h != nil && h.life == l {
			return h
		}
	}
	return nil
}

// derive puts a new capability into a place, derived from a root or another, and returns what was
// there. Nil: nothing was, or it stays.
func (r *torture) derive(place *atomic.Pointer[holding]) (old *holding) {
	above := r.places[rand.IntN(len(r.places))].Load()
	if above == nil || above.depth == 6 || rand.IntN(4) == 0 {
		above = r.roots[rand.IntN(len(r.roots))]
	}
	l := &life{above: above.life, depth: above.depth + 1, object: above.object}
	p := AllPerms
	if !r.table.Check(above.id, fading) {
		p &^= fading
	}
	if !r.table.Check(above.id, flicking) {
		p &^= flicking
	}
	if id, err := r.table.Derive(rand.IntN(testCPUs), above.id, 1, p, Options{}); err == nil {
		if p&fading == 0 {
			l.less.reach(oldest)
		}
		r.updates[0].Add(1)
		old = place.Swap(&holding{id: id, life: l})
	}
	return old
}

// run tortures until enough says so.
func (s tortured) run(t *testing.T, enough func(*torture) bool) *torture {
	r := &torture{tortured: s, table: newTable(t, 16*chunk)}
	for i := range r.roots {
		l := &life{object: MakeObject(typeFile, uint64(i))}
		r.roots[i] = &holding{id: must(t)(r.table.Create(i, 1, l.object, AllPerms, Options{})), life: l}
	}
	procs := runtime.GOMAXPROCS(0)
	defer runtime.GOMAXPROCS(procs)
	var workers sync.WaitGroup
	for range 5 {
		workers.Go(r.read)
	}
	for range 3 {
		workers.Go(r.update)
	}
	for i := 0; !enough(r); i++ {
		time.Sleep(10 * time.Millisecond)
		r.stutter.Store(i%8 == 7)
		r.table.SetCacheAbove(int64(i / 16 % 2)) // off and on
		if i%5 == 4 {
			runtime.GOMAXPROCS(1 + rand.IntN(2*runtime.NumCPU())) // stops the world, wherever it is
		}
	}
	r.stutter.Store(false)
	r.stop.Store(true)
	workers.Wait()
	return r
}

// duration is for how long to torture.
func duration(t *testing.T) time.Duration {
	if v := os.Getenv("PDAC_TORTURE"); v != "" {
		d, err := time.ParseDuration(v)
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	if testing.Short() {
		return time.Second
	}
	return 3 * time.Second
}

func TestTorture(t *testing.T) {
	end := time.Now().Add(duration(t))
	r := sound.run(t, func(*torture) bool { return time.Now().After(end) })
	t.Logf("passed checks by age:%v", &r.passed)
	t.Logf("ended calls by age:%v", &r.ended)
	var updates []uint64
	for i := range r.updates {
		updates = append(updates, r.updates[i].Load())
		if updates[i] < 10 {
			t.Error("too few updates to show anything")
		}
	}
	t.Logf("updates: %v; %d waits", updates, r.waits.Load())
	if n := r.passed.tooOld(); n != 0 {
		t.Errorf("%d checks passed after the end", n)
	}
	if n := r.ended.tooOld(); n != 0 {
		t.Errorf("%d calls were running after the end of what admitted them", n)
	}
	if n := r.wrong.Load(); n != 0 {
		t.Errorf("%d wrong objects", n)
	}
	if n := r.asleep.Load(); n != 0 {
		t.Errorf("%d waiters were not woken", n)
	}
	if r.waits.Load() == 0 || r.passed[0].Load() == 0 || r.ended[0].Load() == 0 || r.passed[1].Load()+r.ended[1].Load() == 0 {
		t.Error("too little happened to show anything")
	}
	wantTree(t, r.table)
	active := 0
	r.table.Walk(func(Info) bool {
		active++
		return true
	})
	if most := len(r.places) + len(r.roots); active > most {
		t.Errorf("%d capabilities are active, want at most the %d that were not ended", active, most)
	}
	for _, root := range r.roots {
		wantErr(t, r.table.Kill(root.id), nil)
	}
	wantWhole(t, r.table)
}

// TestTortureFindsBrokenTables: a torture that cannot fail proves nothing.
func TestTortureFindsBrokenTables(t *testing.T) {
	agree := func() error { return nil }
	for name, broken := range map[string]func(*tortured){
		"Revoke does not wait": func(s *tortured) {
			s.revoke = func(t *Table, authority, id ID) error {
				var out list
				if err := t.cutDown(0, id, agree, &out); err != nil {
					return err
				}
				t.rcu.Call(func() { t.reclaim(0, id.Slot(), out) })
				return nil
			}
		},
		"Revoke leaves children": func(s *tortured) {
			s.revoke = func(t *Table, authority, id ID) error {
				if !t.kill1(id) {
					return ErrRevoked
				}
				t.rcu.Synchronize()
				return nil
			}
		},
		"Transfer does not wait": func(s *tortured) { s.transfer = (*Table).transfer },
		"Narrow does not wait":   func(s *tortured) { s.narrow = (*Table).narrowAll },
		"Narrow leaves children": func(s *tortured) {
			s.narrow = func(t *Table, authority, id ID, keep Perm) error {
				section := t.rcu.ReadLock(0)
				ok := t.narrow(0, id.Slot(), keep, id)
				t.rcu.ReadUnlock(section)
				if !ok {
					return ErrRevoked
				}
				t.rcu.Synchronize()
				return nil
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := sound
			broken(&s)
			updates := uint64(0)
			r := s.run(t, func(r *torture) bool {
				updates = r.updates[3].Load() + r.updates[4].Load() + r.updates[5].Load()
				return r.age() > 0 || updates > 1_000_000
			})
			t.Logf("passed:%v, ended:%v, %d updates", &r.passed, &r.ended, updates)
			if r.age() == 0 {
				t.Error("the torture did not find it")
			}
		})
	}
}

// kill1 kills one entry and leaves the slot and what is below it as they are.
func (t *Table) kill1(id ID) bool {
	defer t.rcu.ReadUnlock(t.rcu.ReadLock(0))
	w := &t.at(id.Slot()).word
	is, s := split(w.Load(), id.Slot())
	return is == id && s.active() && w.CompareAndSwap(join(id, s), join(id, revoked))
}
