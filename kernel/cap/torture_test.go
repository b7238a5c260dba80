package cap

import (
	"fmt"
	"math/rand/v2"
	"os"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"
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
