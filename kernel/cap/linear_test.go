package cap

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/anishathalye/porcupine"
)

// Linearizability of recorded concurrent histories, by porcupine.
//
// The table promises it entry by entry: Revoke and Narrow change each entry of a subtree at a time of
// its own between call and return, and Derive and Grant look at one entry and change another. So a
// call is taken apart into what it did to each entry, all with the interval of the call, and each
// entry has to have an order of its own. What holds between entries is put into the parts: a part of
// a Revoke kills also what is not born yet, since the Derive that is under way must fail or be found
// (after the return nothing in the subtree passes), and a part of a Narrow binds what is not born yet,
// unless a Grant above it overlaps, on which the Derive can be based.

// call is one call of the table and what came of it.
type call struct {
	kind     kind
	auth, id ID   // auth: the parent of a Derive, the authority of others
	p        Perm // asked, given, or kept
	made     ID   // by Create, Derive, Transfer
	err      error
	from, to int64
	client   int
}

type kind byte

const (
	create kind = iota
	check       // Check and Lookup
	derive
	grant
	narrow
	transfer
	revoke // Delete too: auth is id, and need Delete
)

func (k kind) String() string {
	return [...]string{"create", "check", "derive", "grant", "narrow", "transfer", "revoke"}[k]
}

// family tells for each identifier which entry it is of, and for each entry the one above and the
// call that made it.
type family struct {
	entry  map[ID]int
	parent []int // -1: a root
	birth  []call
}

func familyOf(history []call) family {
	f := family{entry: map[ID]int{}}
	for left := history; len(left) > 0; {
		var later []call
		for _, c := range left {
			above, known := f.entry[c.auth]
			switch {
			case c.made == 0:
			case c.kind == create:
				f.entry[c.made] = len(f.parent)
				f.parent, f.birth = append(f.parent, -1), append(f.birth, c)
			case !known:
				later = append(later, c)
			case c.kind == derive:
				f.entry[c.made] = len(f.parent)
				f.parent, f.birth = append(f.parent, above), append(f.birth, c)
			default:
				f.entry[c.made] = above
			}
		}
		if len(later) == len(left) {
			panic("an identifier that nobody made")
		}
		left = later
	}
	return f
}

// below reports whether entry e is top or below it.
func (f *family) below(e, top int) bool {
	for ; e >= 0; e = f.parent[e] {
		if e == top {
			return true
		}
	}
	return false
}

// verdictOf is the error without its details.
func verdictOf(err error) Verdict {
	for _, v := range []Verdict{ErrPermission, ErrExceeds} {
		if errors.Is(err, v) {
			return v
		}
	}
	v, _ := err.(Verdict)
	return v
}

// missing reports whether the error is for the lack of just this permission.
func missing(err error, p Perm) bool {
	var e *PermissionError
	return errors.As(err, &e) && e.Missing == p
}

// takeApart gives the parts of all calls, by entry.
func takeApart(history []call) [][]porcupine.Operation {
	f := familyOf(history)
	parts := make([][]porcupine.Operation, len(f.parent))
	overlaps := func(c call, k kind, above int) bool { // with a k at above or above that
		for _, o := range history {
			if o.kind == k && o.err == nil && o.from < c.to && c.from < o.to && f.below(above, f.entry[o.id]) {
				return true
			}
		}
		return false
	}
	for _, c := range history {
		add := func(e int, p part) {
			parts[e] = append(parts[e], porcupine.Operation{ClientId: c.client, Input: p, Call: c.from, Return: c.to})
		}
		does := func(id ID, p part) {
			p.id = id
			add(f.entry[id], p)
		}
		v := verdictOf(c.err)
		switch c.kind {
		case create:
			does(c.made, part{do: create, made: c.made, p: c.p})
		case check:
			does(c.id, part{do: check, p: c.p, fail: v})
		case derive:
			switch v {
			case OK:
				does(c.auth, part{do: check, p: c.p | Delegate})
				does(c.made, part{do: create, made: c.made, p: c.p})
			case ErrPermission:
				does(c.auth, part{p: Delegate, fail: v})
			case ErrExceeds:
				// Or a Narrow that passed the parent before the call found the child.
				if !overlaps(c, narrow, f.entry[c.auth]) {
					does(c.auth, part{p: c.p, fail: v})
				}
			default:
				does(c.auth, part{fail: v})
			}
		case grant:
			switch {
			case v == OK:
				does(c.auth, part{do: check, p: c.p | Delegate})
				does(c.id, part{do: check, p: Upgrade})
				does(c.id, part{do: grant, p: c.p})
			case v == ErrExceeds:
				does(c.auth, part{p: c.p, fail: v})
			case missing(c.err, Upgrade):
				does(c.id, part{p: Upgrade, fail: v})
			case missing(c.err, Delegate):
				does(c.auth, part{p: Delegate, fail: v})
			case v == ErrBusy && !overlaps(c, grant, f.entry[c.id]) && !failsBeside(history, c):
				does(c.id, part{fail: v}) // which no state allows
			}
		case transfer:
			switch v {
			case OK:
				does(c.auth, part{do: check, p: Transfer})
				does(c.auth, part{do: transfer, made: c.made})
			default:
				does(c.auth, part{p: Transfer, fail: v})
			}
		case narrow, revoke:
			need := Revoke
			if c.kind == revoke && c.p != 0 {
				need = c.p
			}
			switch {
			case v == OK:
				does(c.auth, part{do: check, p: need})
				does(c.id, part{do: c.kind, p: c.p})
			case v == ErrPermission:
				does(c.auth, part{p: need, fail: v})
				continue
			case c.auth == c.id:
				does(c.id, part{fail: v})
				continue
			default: // one of the two is dead
				continue
			}
			top := f.entry[c.id]
			for e, birth := range f.birth {
				if e == top || !f.below(e, top) {
					continue
				}
				both := c // the time of the call and of the birth
				both.from, both.to = min(c.from, birth.from), max(c.to, birth.to)
				bind := birth.from < c.to && c.from < birth.to && !overlaps(both, grant, f.parent[e])
				add(e, part{do: c.kind, p: c.p, bind: bind})
			}
		}
	}
	return parts
}

// failsBeside reports whether another Grant to the same capability was under way, which failed.
func failsBeside(history []call, c call) bool {
	for _, o := range history {
		if o.kind == grant && o.id == c.id && o.from < c.to && c.from < o.to && o.from != c.from {
			return true
		}
	}
	return false
}

// disorder returns the parts of an entry that have no order; nil: each entry has one.
func disorder(history []call) []porcupine.Operation {
	for _, parts := range takeApart(history) {
		if !porcupine.CheckOperations(entryModel, parts) {
			return parts
		}
	}
	return nil
}

func TestTableLinearizable(t *testing.T) {
	table := newTable(t, 4*chunk)
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	kinds := map[string]int{}
	for round := range times(t, 2000) {
		history := recorded(t, table, 4, 10, seed+uint64(round))
		for _, c := range history {
			kinds[fmt.Sprint(c.kind, " ", verdictOf(c.err))]++
		}
		if parts := disorder(history); parts != nil {
			for _, c := range history {
				t.Logf("%+v", c)
			}
			t.Fatalf("round %d: no order for %+v", round, parts)
		}
	}
	t.Log(len(kinds), "kinds of calls and errors:", kinds)
	wantWhole(t, table)
}
