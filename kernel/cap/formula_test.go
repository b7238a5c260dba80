package cap

import (
	"errors"
	"math"
	"slices"
	"sync/atomic"
	"testing"
	"time"
)

// newTimedTable returns a table with a clock that stands unless the test moves it.
func newTimedTable(t testing.TB) (*Table, *atomic.Uint64) {
	t.Helper()
	table, clock := newTable(t, 4*chunk), new(atomic.Uint64)
	clock.Store(1)
	table.now = clock.Load
	return table, clock
}

const everything = AllPerms

func TestExpiry(t *testing.T) {
	table, clock := newTimedTable(t)
	root := must(t)(table.Create(0, 1, file7, everything, Options{Formula: &Formula{ExpiresAt: 100}}))
	child := must(t)(table.Derive(0, root, 2, everything, Options{Formula: &Formula{ExpiresAt: 1000}}))
	plain := must(t)(table.Derive(0, child, 2, Read|Delegate, Options{}))
	leaf := must(t)(table.Derive(0, plain, 3, Read, Options{Formula: &Formula{ExpiresAt: 50}}))
	for _, c := range []struct {
		now                      uint64
		root, child, plain, leaf Verdict
	}{
		{49, OK, OK, OK, OK},
		{50, OK, OK, OK, ErrExpired},
		{99, OK, OK, OK, ErrExpired},
		{100, ErrExpired, ErrExpired, ErrExpired, ErrExpired},
		{1000, ErrExpired, ErrExpired, ErrExpired, ErrExpired},
	} {
		clock.Store(c.now)
		for id, want := range map[ID]Verdict{root: c.root, child: c.child, plain: c.plain, leaf: c.leaf} {
			_, err := table.Lookup(0, id, Read)
			wantErr(t, err, want.Err())
			if got := table.Check(id, Read); got != (want == OK) {
				t.Errorf("at %d Check is %t, want %v", c.now, got, want)
			}
			if _, got := table.Look(id, Read); got != want {
				t.Errorf("at %d Look says %v, want %v", c.now, got, want)
			}
		}
	}
	_, err := table.Derive(0, child, 2, Read, Options{})
	wantErr(t, err, ErrExpired)
	info, err := table.Info(leaf)
	if err != nil || info.ExpiresAt != 50 || info.UsesLeft != -1 {
		t.Errorf("Info: %+v, %v", info, err)
	}
}

func TestUses(t *testing.T) {
	table, _ := newTimedTable(t)
	root := must(t)(table.Create(0, 1, file7, everything, Options{Formula: &Formula{Uses: 4}}))
	child := must(t)(table.Derive(0, root, 2, everything, Options{Formula: &Formula{Uses: 100}})) // one
	for i := range 3 {
		if _, err := table.Lookup(0, child, Read); err != nil {
			t.Fatalf("use %d: %v", i, err)
		}
	}
	for _, id := range []ID{root, child} {
		_, err := table.Lookup(0, id, Read)
		wantErr(t, err, ErrUsedUp)
	}
	_, err := table.Lookup(0, child, Specific<<1|Read)
	wantErr(t, err, ErrUsedUp)
	if info, _ := table.Info(child); info.UsesLeft != 97 {
		t.Errorf("%d uses left of the child, want 97: a refusal costs nothing", info.UsesLeft)
	}
	_, err = table.Derive(0, root, 2, Read, Options{})
	wantErr(t, err, ErrUsedUp)
	if err := table.Revoke(child, child); !errors.Is(err, ErrUsedUp) {
		t.Errorf("revoking by what is used up: %v", err)
	}
	if err := table.Kill(root); err != nil {
		t.Fatal(err)
	}
	wantWhole(t, table)
}

// Of uses that many compete for exactly as many succeed as there are, and each has taken its own
// from every entry above.
func TestUsesUnderCompetition(t *testing.T) {
	const uses = 500
	table, _ := newTimedTable(t)
	root := must(t)(table.Create(0, 1, file7, everything, Options{Formula: &Formula{Uses: uses + testCPUs}}))
	var children [testCPUs]ID
	var passed [testCPUs]int64
	for i := range children {
		children[i] = must(t)(table.Derive(0, root, 2, everything, Options{Formula: &Formula{Uses: 1 << 40}}))
	}
	var calls []func()
	for i := range children {
		calls = append(calls, func() {
			for range 2 * uses { // a refusal may be of a use that comes back: so go on
				if table.Check(children[i], Read) {
					passed[i]++
				}
			}
		})
	}
	together(calls...)
	for table.Check(children[0], Read) {
		passed[0]++
	}
	sum := int64(0)
	for i, id := range children {
		sum += passed[i]
		if info, _ := table.Info(id); info.UsesLeft != 1<<40-passed[i] {
			t.Errorf("child %d passed %d times and has lost %d uses", i, passed[i], 1<<40-info.UsesLeft)
		}
	}
	if sum != uses {
		t.Errorf("%d uses, want %d", sum, uses)
	}
}

// Nothing is consumed unless all agree, whichever part of whichever entry refuses.
func TestNothingConsumedByRefusals(t *testing.T) {
	table, clock := newTimedTable(t)
	agree := true
	root := must(t)(table.Create(0, 1, file7, everything, Options{Gas: 1000, Formula: &Formula{
		Uses: 100, Every: 10, Burst: 100, Func: func(Info) bool { return agree }}}))
	child := must(t)(table.Derive(0, root, 1, everything, Options{Gas: 10, Formula: &Formula{
		ExpiresAt: 5000, Uses: 4, Every: 1000, Burst: 3}}))
	state := func() [6]int64 {
		r, c := &table.records[root.Slot()], &table.records[child.Slot()]
		return [6]int64{r.uses.Load(), int64(r.arrival.Load()), r.gas.Load(), c.uses.Load(), int64(c.arrival.Load()), c.gas.Load()}
	}
	refused := func(want error, f func() error) {
		t.Helper()
		before := state()
		wantErr(t, f(), want)
		if after := state(); after != before {
			t.Errorf("%v: from %d to %d", want, before, after)
		}
	}
	admit := func(typ Type, need Perm, gas int64) func() error {
		return func() error {
			defer table.Agree(child).End()
			_, err := table.Admit(0, child, typ, need, gas)
			return err
		}
	}
	derive := func(opt Options) func() error {
		return func() error {
			_, err := table.Derive(0, child, 1, Read, opt)
			return err
		}
	}
	refused(ErrType, admit(typePort, Read, 1))
	refused(ErrPermission, admit(typeFile, AllPerms+1, 1))
	refused(ErrGas, admit(typeFile, Read, 11))
	refused(ErrGas, admit(typeFile, Read, -1))
	refused(ErrGas, derive(Options{Gas: 11}))
	refused(ErrGas, derive(Options{Gas: -1}))
	refused(ErrFormula, derive(Options{Gas: 1, Formula: &Formula{Uses: -1}}))
	agree = false
	refused(ErrRefused, admit(typeFile, Read, 1))
	agree = true
	for range 3 {
		if err := admit(typeFile, Read, 1)(); err != nil {
			t.Fatal(err)
		}
	}
	refused(ErrOverQuota, admit(typeFile, Read, 1))
	clock.Store(2000)
	if err := admit(typeFile, Read, 1)(); err != nil {
		t.Fatal(err)
	}
	refused(ErrUsedUp, admit(typeFile, Read, 1))
	clock.Store(5000)
	refused(ErrExpired, admit(typeFile, Read, 1))
	if got, want := state(), [6]int64{95, 2010, 990, 0, 4001, 6}; got != want {
		t.Errorf("in the end %d, want %d", got, want)
	}
}

// What was looked at can be gone when it is taken. Then everything that was taken before is given back.
func TestTakenIsGivenBack(t *testing.T) {
	const now = 5000
	for name, c := range map[string]struct {
		spoil func(*record)
		want  Verdict
	}{
		"uses":  {func(r *record) { r.uses.Store(0) }, ErrUsedUp},
		"quota": {func(r *record) { r.arrival.Store(2 * now) }, ErrOverQuota},
	} {
		table, clock := newTimedTable(t)
		f := &Formula{Uses: 7, Every: 10, Burst: 10}
		root := must(t)(table.Create(0, 1, file7, everything, Options{Gas: 100, Formula: f}))
		child := must(t)(table.Derive(0, root, 1, everything, Options{Formula: f}))
		leaf := must(t)(table.Derive(0, child, 1, everything, Options{Formula: f}))
		clock.Store(now)
		first := leaf.Slot()
		_, found, v := table.look(first)
		if v != OK {
			t.Fatal(v)
		}
		c.spoil(&table.records[root.Slot()])
		type numbers struct{ uses, arrival, gas int64 }
		state := func() (all []numbers) {
			for s := first; s != 0; s = table.records[s].next() {
				r := &table.records[s]
				all = append(all, numbers{r.uses.Load(), int64(r.arrival.Load()), r.gas.Load()})
			}
			return all
		}
		before := state()
		if v := table.consume(first, found, now, 30); v != c.want {
			t.Errorf("%s: %v, want %v", name, v, c.want)
		}
		if after := state(); !slices.Equal(before, after) {
			t.Errorf("%s: from %v to %v", name, before, after)
		}
	}
}

func TestFormulaErrors(t *testing.T) {
	table, _ := newTimedTable(t)
	for _, f := range []Formula{
		{Uses: -1}, {Every: -1}, {Every: 1, Burst: -1},
		{Every: math.MaxInt64}, {Every: time.Hour, Burst: math.MaxInt64 / int64(time.Hour)},
	} {
		_, err := table.Create(0, 1, file7, Read, Options{Formula: &f, Gas: 7})
		wantErr(t, err, ErrFormula)
	}
	id := must(t)(table.Create(0, 1, file7, everything, Options{}))
	for i := range maxChain {
		opt := Options{Formula: &Formula{}}
		if i%2 == 0 {
			opt.Formula = &Formula{Uses: 1 << 20}
		}
		id = must(t)(table.Derive(0, id, 1, everything, opt))
		id = must(t)(table.Derive(0, id, 1, everything, Options{}))
	}
	if !table.Check(id, Read) {
		t.Error("a chain of full length is refused")
	}
	_, err := table.Derive(0, id, 1, everything, Options{Formula: &Formula{}})
	wantErr(t, err, ErrFormula)
	if s := table.Stats(); s.Gas.Minted != 0 || s.Used != 1+2*maxChain {
		t.Errorf("errors left something: %+v", s)
	}
}

// The next tenant of a slot has no formula of the last one's, and a Transfer keeps it.
func TestFormulaGoesWithTheCapability(t *testing.T) {
	table, clock := newTimedTable(t)
	root := must(t)(table.Create(0, 1, file7, everything, Options{}))
	seen := map[uint32]bool{}
	for range 3 * chunk { // through all slots
		id := must(t)(table.Derive(0, root, 1, everything, Options{Formula: &Formula{Uses: 1}, Gas: 0}))
		seen[id.Slot()] = true
		if err := table.Revoke(root, id); err != nil {
			t.Fatal(err)
		}
		table.rcu.Barrier()
		id = must(t)(table.Derive(0, root, 1, everything, Options{}))
		if again := seen[id.Slot()]; !table.Check(id, Read) || !table.Check(id, Read) {
			t.Fatalf("refused, in a slot of an earlier one: %t", again)
		}
		if err := table.Revoke(root, id); err != nil {
			t.Fatal(err)
		}
	}
	id := must(t)(table.Create(0, 1, file7, everything, Options{Formula: &Formula{ExpiresAt: 10}}))
	id = must(t)(table.Transfer(id, 2))
	if !table.Check(id, Read) {
		t.Error("transferred and refused")
	}
	clock.Store(10)
	wantErr(t, table.Verdict(id, Read), ErrExpired)
}

func TestFormulaAllocatesNothing(t *testing.T) {
	table, _ := newTimedTable(t)
	root := must(t)(table.Create(0, 1, file7, everything, Options{Gas: 1 << 40, Formula: &Formula{
		ExpiresAt: 1 << 60, Uses: 1 << 40, Every: 1, Burst: 1 << 30}}))
	child := must(t)(table.Derive(0, root, 1, everything, Options{Formula: &Formula{Uses: 1 << 40, Every: 1, Burst: 1 << 30}}))
	if n := testing.AllocsPerRun(100, func() {
		if _, v := table.Look(child, Read); v != OK {
			t.Fatal(v)
		}
		if _, err := table.Admit(0, child, typeFile, Read, 3); err != nil {
			t.Fatal(err)
		}
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func BenchmarkSlowPath(b *testing.B) {
	for name, opt := range map[string]Options{
		"gas":    {Gas: 1 << 60},
		"expiry": {Formula: &Formula{ExpiresAt: 1 << 60}},
		"uses":   {Formula: &Formula{Uses: 1 << 60}},
		"quota":  {Formula: &Formula{Every: 1, Burst: 1 << 60}},
		"func":   {Formula: &Formula{Func: func(Info) bool { return true }}},
	} {
		b.Run(name, func(b *testing.B) {
			table, _ := newTimedTable(b)
			root, err := table.Create(0, 1, file7, everything, opt)
			if err != nil {
				b.Fatal(err)
			}
			for b.Loop() {
				if _, err := table.Admit(0, root, typeFile, Read, 1); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
