package cap

import (
	"math"
	"math/rand/v2"
	"sync/atomic"
	"testing"
)

// wantConserved fails unless all gas that was minted is somewhere, and returns what is in accounts.
//
// Preconditions: nothing is under way.
func wantConserved(t testing.TB, table *Table) (balances int64) {
	t.Helper()
	table.Walk(func(i Info) bool {
		if i.Gas < 0 {
			t.Errorf("balance %d in slot %d", i.Gas, i.ID.Slot())
		}
		balances += i.Gas
		return true
	})
	if g := table.Stats().Gas; g.Minted != g.Spent+balances+g.Treasury {
		t.Errorf("minted %d, spent %d + balances %d + treasury %d: %d missing", g.Minted, g.Spent, balances, g.Treasury,
			g.Minted-g.Spent-balances-g.Treasury)
	}
	return balances
}

func gasOf(t testing.TB, table *Table, id ID) int64 {
	t.Helper()
	info, err := table.Info(id)
	if err != nil {
		t.Fatal(err)
	}
	return info.Gas
}

func TestGas(t *testing.T) {
	table := newTable(t, chunk)
	admit := func(id ID, gas int64) error {
		_, err := table.Admit(1, id, typeFile, Read, gas)
		return err
	}
	root := must(t)(table.Create(0, 1, file7, everything, Options{Gas: 100}))
	shares := must(t)(table.Derive(0, root, 2, everything, Options{}))
	funded := must(t)(table.Derive(0, shares, 2, everything, Options{Gas: 30}))
	below := must(t)(table.Derive(0, funded, 2, everything, Options{Formula: &Formula{}}))
	balances := func(inRoot, inFunded int64) {
		t.Helper()
		if a, b := gasOf(t, table, root), gasOf(t, table, funded); a != inRoot || b != inFunded {
			t.Errorf("balances %d and %d, want %d and %d", a, b, inRoot, inFunded)
		}
		if gasOf(t, table, shares) != 0 || gasOf(t, table, below) != 0 {
			t.Error("a balance without an account")
		}
		wantConserved(t, table)
	}
	balances(70, 30)
	wantErr(t, admit(shares, 8), nil) // the nearest account pays: the root's
	balances(62, 30)
	wantErr(t, admit(below, 10), nil)
	balances(62, 20)
	wantErr(t, admit(below, 20), nil)
	balances(62, 0)
	wantErr(t, admit(below, 1), ErrGas) // an empty account is one: it doesn't ask above
	wantErr(t, admit(below, 0), nil)
	wantErr(t, admit(root, 63), ErrGas)
	wantErr(t, admit(root, math.MaxInt64), ErrGas)
	wantErr(t, admit(root, math.MinInt64), ErrGas)
	_, err := table.Derive(0, root, 2, Read, Options{Gas: 63})
	wantErr(t, err, ErrGas)
	_, err = table.Derive(0, root, 2, Read, Options{Gas: math.MaxInt64})
	wantErr(t, err, ErrGas)
	balances(62, 0)
	if got, want := table.Stats().Gas, (GasStats{Minted: 100, Spent: 38}); got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
}

func TestGasWithoutAccount(t *testing.T) {
	table := newTable(t, chunk)
	root := must(t)(table.Create(0, 1, file7, everything, Options{Formula: &Formula{Uses: 10}}))
	if _, err := table.Admit(0, root, typeFile, Read, 1<<40); err != nil {
		t.Errorf("no account, so free, but %v", err)
	}
	_, err := table.Derive(0, root, 1, Read, Options{Gas: 1})
	wantErr(t, err, ErrGas)
	_, err = table.Derive(0, must(t)(table.Create(0, 1, file7, everything, Options{})), 1, Read, Options{Gas: 1})
	wantErr(t, err, ErrGas)
	_, err = table.Admit(0, must(t)(table.Create(0, 1, file7, everything, Options{})), typeFile, Read, -1)
	wantErr(t, err, ErrGas)
	if info, _ := table.Info(root); info.UsesLeft != 9 {
		t.Errorf("%d uses left, want 9", info.UsesLeft)
	}
	if g := table.Stats().Gas; g != (GasStats{}) {
		t.Errorf("%+v, want none", g)
	}
}

func TestGasOverflow(t *testing.T) {
	table := newTable(t, chunk)
	all := must(t)(table.Create(0, 1, file7, everything, Options{Gas: math.MaxInt64}))
	used := table.Stats().Used
	for _, gas := range []int64{1, math.MaxInt64, -1, math.MinInt64} {
		_, err := table.Create(0, 1, file7, everything, Options{Gas: gas})
		wantErr(t, err, ErrGas)
	}
	if s := table.Stats(); s.Used != used || s.Gas.Minted != math.MaxInt64 {
		t.Errorf("errors left something: %+v", s)
	}
	child := must(t)(table.Derive(0, all, 1, everything, Options{Gas: math.MaxInt64}))
	if err := table.Revoke(all, child); err != nil {
		t.Fatal(err)
	}
	if gasOf(t, table, all) != math.MaxInt64 {
		t.Errorf("%d came back", gasOf(t, table, all))
	}
}

func TestGasComesBack(t *testing.T) {
	table := newTable(t, chunk)
	root := must(t)(table.Create(0, 1, file7, everything, Options{Gas: 100}))
	a := must(t)(table.Derive(0, root, 1, everything, Options{Gas: 50}))
	plain := must(t)(table.Derive(0, a, 1, everything, Options{}))
	b := must(t)(table.Derive(0, plain, 1, everything, Options{Gas: 20}))
	c := must(t)(table.Derive(0, b, 1, everything, Options{Gas: 5}))
	if _, err := table.Admit(0, c, typeFile, Read, 2); err != nil {
		t.Fatal(err)
	}
	b = must(t)(table.Transfer(b, 9)) // takes its account along
	if gasOf(t, table, b) != 15 {
		t.Errorf("%d after the transfer, want 15", gasOf(t, table, b))
	}
	if err := table.Revoke(a, b); err != nil { // b's 15 and c's 3 go to a, past plain
		t.Fatal(err)
	}
	if gasOf(t, table, a) != 48 {
		t.Errorf("%d after the first revoke, want 48", gasOf(t, table, a))
	}
	if err := table.Kill(root); err != nil {
		t.Fatal(err)
	}
	if got, want := table.Stats().Gas, (GasStats{Minted: 100, Spent: 2, Treasury: 98}); got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
	wantWhole(t, table)
}

// Between the end of an account and that of what draws on it.
func TestGasOfTheRevoked(t *testing.T) {
	table := newTable(t, chunk)
	root := must(t)(table.Create(0, 1, file7, everything, Options{Gas: 100}))
	child := must(t)(table.Derive(0, root, 1, everything, Options{}))
	table.closeGas(root.Slot())
	_, err := table.Admit(0, child, typeFile, Read, 1)
	wantErr(t, err, ErrRevoked)
	_, err = table.Derive(0, child, 1, Read, Options{Gas: 1})
	wantErr(t, err, ErrRevoked)
	if g := table.Stats().Gas; g.Treasury != 100 || g.Spent != 0 {
		t.Errorf("%+v", g)
	}
}

// Accounts that many draw on, derive from and close at the same time.
func TestGasTorture(t *testing.T) {
	rounds := times(t, 20)
	table := newTable(t, 16*chunk)
	for range rounds {
		root := must(t)(table.Create(0, 1, file7, everything, Options{Gas: 10_000}))
		var tree [64]atomic.Uint64 // identifiers, some of them dead
		for i := range tree {
			tree[i].Store(uint64(root))
		}
		spent := table.Stats().Gas.Spent
		var admitted atomic.Int64
		work := func(cpu int) func() {
			return func() {
				for range 1500 {
					at := rand.IntN(len(tree))
					id := ID(tree[at].Load())
					switch n := rand.IntN(16); {
					case n < 6:
						opt := Options{Gas: int64(rand.IntN(400))}
						if rand.IntN(4) == 0 {
							opt.Formula = &Formula{Uses: 2}
						}
						if child, err := table.Derive(cpu, id, 1, everything, opt); err == nil {
							tree[rand.IntN(len(tree))].Store(uint64(child))
						}
					case n < 14:
						gas := int64(1 + rand.IntN(20))
						section := table.rcu.ReadLock(cpu)
						if _, err := table.Admit(cpu, id, typeFile, Read, gas); err == nil {
							admitted.Add(gas)
						}
						table.rcu.ReadUnlock(section)
					case n == 14 && id != root:
						if id, err := table.Transfer(id, 2); err == nil {
							tree[at].Store(uint64(id))
						}
					case id != root:
						table.Revoke(root, id)
						tree[at].Store(uint64(root))
					}
				}
			}
		}
		together(work(0), work(1), work(2), work(3))
		wantConserved(t, table)
		if got := table.Stats().Gas.Spent - spent; got != admitted.Load() {
			t.Errorf("spent %d, want the %d of the calls that were admitted", got, admitted.Load())
		}
		if err := table.Kill(root); err != nil {
			t.Fatal(err)
		}
		if left := wantConserved(t, table); left != 0 {
			t.Errorf("%d left in accounts of nobody", left)
		}
	}
	wantWhole(t, table)
}
