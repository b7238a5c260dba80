package cap

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
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

// part is what a call did to one entry.
type part struct {
	do   kind
	id   ID
	p    Perm
	made ID
	fail Verdict // OK: it succeeded
	bind bool    // a part of a Narrow that counts also when it comes before the birth
}

// entryState is one entry as the parts see it.
type entryState struct {
	now   ID // 0: not born
	dead  bool
	perms Perm
	bound Perm // not born: what Narrows have taken
}

// entryModel is one entry.
var entryModel = porcupine.Model{
	Init: func() any { return entryState{} },
	Step: func(state, input, _ any) (bool, any) {
		s, in := state.(entryState), input.(part)
		alive := s.now == in.id && !s.dead && s.now != 0
		if in.fail != OK {
			switch in.fail {
			case ErrRevoked:
				return s.now != 0 && !alive, s
			case ErrPermission, ErrExceeds:
				return alive && in.p&^s.perms != 0, s
			case ErrRefused:
				return !alive || in.p&^s.perms != 0, s
			}
			return false, s
		}
		switch in.do {
		case create: // of the entry
			if s.now != 0 {
				return false, s
			}
			s.now, s.perms = in.made, in.p&^s.bound
			return true, s
		case check:
			return alive && in.p&^s.perms == 0, s
		case grant:
			s.perms |= in.p
			return alive, s
		case narrow: // the top by its identifier, what is below whatever it has
			switch {
			case s.now != 0:
				s.perms &= in.p
			case in.bind:
				s.bound |= ^in.p
			}
			return alive || in.id == 0, s
		case transfer:
			s.now = in.made
			return alive, s
		case revoke:
			s.dead = true
			return alive || in.id == 0, s
		}
		return false, s
	},
	DescribeOperation: func(input, _ any) string { return fmt.Sprintf("%+v", input) },
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

// caller makes random calls on the capabilities in shared places, and records them.
type caller struct {
	table   *Table
	client  int
	r       *rand.Rand
	clock   *atomic.Int64
	shared  []atomic.Uint64
	parents *sync.Map // ID of a child -> of its parent when it was derived
	history []call
}

func (c *caller) pick() ID { return ID(c.shared[c.r.IntN(len(c.shared))].Load()) }

func (c *caller) call() {
	const few = Read | Write
	root := ID(c.shared[0].Load())
	o := call{client: c.client, auth: c.pick(), id: c.pick()}
	switch n := c.r.IntN(16); {
	case n < 6:
		o.kind, o.p = check, Perm(c.r.Uint32())&few
	case n < 9:
		o.kind, o.p = derive, AllPerms&^(Perm(c.r.Uint32())&few)
	case n < 11:
		o.kind, o.p = grant, Perm(c.r.Uint32())&few
		if p, ok := c.parents.Load(o.id); ok {
			o.auth = p.(ID)
		}
	case n < 13:
		o.kind, o.p = narrow, AllPerms&^(Perm(c.r.Uint32())&(few|Delegate|Upgrade))
	case n < 14:
		o.kind = transfer
		if o.auth == root {
			return
		}
	default:
		o.kind = revoke
		if o.id == root {
			return
		}
	}
	if (o.kind == narrow || o.kind == revoke) && c.r.IntN(2) == 0 {
		o.auth = o.id
	}
	if o.kind == revoke && o.auth == o.id && c.r.IntN(2) == 0 {
		o.p = Delete
	}
	o.from = c.clock.Add(1)
	switch o.kind {
	case check:
		if c.r.IntN(2) == 0 {
			_, o.err = c.table.Lookup(c.r.IntN(testCPUs), o.id, o.p)
		} else if !c.table.Check(o.id, o.p) {
			o.err = ErrRefused // for a reason that it doesn't tell
		}
	case derive:
		o.made, o.err = c.table.Derive(c.client%testCPUs, o.auth, 1, o.p, Options{})
	case grant:
		o.err = c.table.Grant(o.auth, o.id, o.p)
	case narrow:
		o.err = c.table.Narrow(o.auth, o.id, o.p)
	case transfer:
		o.made, o.err = c.table.Transfer(o.auth, 1)
	case revoke:
		if o.p == Delete {
			o.err = c.table.Delete(o.id)
		} else {
			o.err = c.table.Revoke(o.auth, o.id)
		}
	}
	o.to = c.clock.Add(1)
	if o.err == ErrNotOwner {
		return // who is above whom doesn't change: model_test.go
	}
	c.history = append(c.history, o)
	if o.made != 0 {
		if o.kind == derive {
			c.parents.Store(o.made, o.auth)
		} else if p, ok := c.parents.Load(o.auth); ok {
			c.parents.Store(o.made, p)
		}
		c.shared[1+c.r.IntN(len(c.shared)-1)].Store(uint64(o.made))
	}
}

// recorded returns the history of some callers on a small tree.
func recorded(t *testing.T, table *Table, callers, calls int, seed uint64) []call {
	var clock atomic.Int64
	var parents sync.Map
	shared := make([]atomic.Uint64, 4)
	root := must(t)(table.Create(0, 1, file7, AllPerms, Options{}))
	history := []call{{kind: create, made: root, p: AllPerms, from: clock.Add(1), to: clock.Add(1)}}
	for i := range shared {
		shared[i].Store(uint64(root))
	}
	for i := 1; i < len(shared); i++ {
		from := clock.Add(1)
		id := must(t)(table.Derive(0, ID(shared[i-1].Load()), 1, AllPerms, Options{}))
		history = append(history, call{kind: derive, auth: ID(shared[i-1].Load()), p: AllPerms, made: id, from: from, to: clock.Add(1)})
		parents.Store(id, ID(shared[i-1].Load()))
		shared[i].Store(uint64(id))
	}
	all := make([]caller, callers)
	var fs []func()
	for i := range all {
		c := &all[i]
		*c = caller{table: table, client: i, r: rand.New(rand.NewPCG(seed, uint64(i))), clock: &clock, shared: shared, parents: &parents}
		fs = append(fs, func() {
			for range calls {
				c.call()
			}
		})
	}
	together(fs...)
	for i := range all {
		history = append(history, all[i].history...)
	}
	// What there is in the end.
	for id := range familyOf(history).entry {
		for _, p := range []Perm{0, Read, Write, Delegate} {
			c := call{kind: check, id: id, p: p, from: clock.Add(1)}
			_, c.err = table.Lookup(0, id, p)
			c.to = clock.Add(1)
			history = append(history, c)
		}
	}
	wantErr(t, table.Kill(root), nil)
	return history
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

// The check itself must be able to say no, and to say yes to what overlaps.
func TestEntryModel(t *testing.T) {
	const a, b, c, d ID = 1, 2, 3, 4
	all := []call{
		{kind: create, made: a, p: AllPerms, from: 1, to: 2},
		{kind: derive, auth: a, made: b, p: AllPerms &^ Execute, from: 3, to: 4},
		{kind: derive, auth: b, made: c, p: Read | Write | Upgrade | Delegate, from: 5, to: 6},
	}
	passes := func(id ID, p Perm, from, to int64) call { return call{kind: check, id: id, p: p, from: from, to: to} }
	fails := func(id ID, p Perm, err error, from, to int64) call {
		return call{kind: check, id: id, p: p, err: err, from: from, to: to}
	}
	kills := func(id ID, from, to int64) call { return call{kind: revoke, auth: a, id: id, from: from, to: to} }
	narrows := func(id ID, p Perm, from, to int64) call {
		return call{kind: narrow, auth: a, id: id, p: p, from: from, to: to}
	}
	for name, c := range map[string]struct {
		more []call
		ok   bool
	}{
		"nothing":                             {nil, true},
		"passes for more":                     {[]call{passes(b, Execute, 10, 11)}, false},
		"fails for what it has":               {[]call{fails(b, Read, ErrPermission, 10, 11)}, false},
		"fails without a reason":              {[]call{fails(c, 0, ErrRevoked, 10, 11)}, false},
		"passes beside Revoke":                {[]call{kills(b, 10, 20), passes(c, 0, 12, 13)}, true},
		"fails, then passes beside Revoke":    {[]call{kills(b, 10, 20), fails(c, 0, ErrRevoked, 11, 12), passes(c, 0, 13, 14)}, false},
		"child first, beside Revoke":          {[]call{kills(b, 10, 20), fails(c, 0, ErrRevoked, 11, 12), passes(b, 0, 13, 14)}, true},
		"passes after Revoke":                 {[]call{kills(b, 10, 20), passes(b, 0, 21, 22)}, false},
		"child passes after Revoke":           {[]call{kills(b, 10, 20), passes(c, 0, 21, 22)}, false},
		"parent dies with its child":          {[]call{kills(c, 10, 20), fails(b, 0, ErrRevoked, 21, 22)}, false},
		"revoked twice":                       {[]call{kills(b, 10, 20), kills(b, 11, 21)}, false},
		"derived beside Revoke, passes":       {[]call{kills(b, 10, 20), {kind: derive, auth: b, made: d, p: Read, from: 11, to: 19}, passes(d, Read, 19, 20)}, true},
		"derived beside Revoke, outlives it":  {[]call{kills(b, 10, 20), {kind: derive, auth: b, made: d, p: Read, from: 11, to: 19}, passes(d, Read, 21, 22)}, false},
		"derived after Revoke":                {[]call{kills(b, 10, 20), {kind: derive, auth: b, made: d, p: Read, from: 21, to: 22}}, false},
		"derived more":                        {[]call{{kind: derive, auth: b, made: d, p: Execute, from: 21, to: 22}}, false},
		"derived below a derived one":         {[]call{kills(b, 10, 20), {kind: derive, auth: c, made: d, p: Read, from: 11, to: 19}, passes(d, Read, 21, 22)}, false},
		"narrowed":                            {[]call{narrows(b, Read, 10, 20), passes(c, Read, 21, 22), fails(c, Write, ErrPermission, 21, 22)}, true},
		"passes after Narrow":                 {[]call{narrows(b, Read, 10, 20), passes(c, Write, 21, 22)}, false},
		"narrowed back and forth":             {[]call{narrows(b, Read, 10, 20), fails(c, Write, ErrPermission, 11, 12), passes(c, Write, 13, 14)}, false},
		"derived beside Narrow, outlives it":  {[]call{narrows(b, AllPerms&^Write, 10, 20), {kind: derive, auth: b, made: d, p: Write, from: 11, to: 30}, passes(d, Write, 31, 32)}, false},
		"derived from what was granted again": {[]call{narrows(b, AllPerms&^Write, 10, 20), {kind: grant, auth: a, id: b, p: Write, from: 11, to: 12}, {kind: derive, auth: b, made: d, p: Write, from: 13, to: 30}, passes(d, Write, 31, 32)}, true},
		"granted more than there is":          {[]call{{kind: grant, auth: b, id: c, p: Execute, from: 10, to: 11}}, false},
		"granted beside Narrow":               {[]call{narrows(a, AllPerms&^Write, 10, 20), {kind: grant, auth: b, id: c, p: Write, from: 11, to: 30}, fails(c, Write, ErrPermission, 31, 32)}, true},
		"a grant is lost":                     {[]call{narrows(c, AllPerms&^Write, 10, 11), {kind: grant, auth: b, id: c, p: Write, from: 12, to: 13}, fails(c, Write, ErrPermission, 14, 15)}, false},
		"busy with nothing":                   {[]call{{kind: grant, auth: b, id: c, p: Write, err: ErrBusy, from: 12, to: 13}}, false},
		"transferred":                         {[]call{{kind: transfer, auth: b, made: d, from: 10, to: 20}, fails(b, 0, ErrRevoked, 21, 22), passes(d, Write, 21, 22), passes(c, Write, 21, 22)}, true},
		"old one passes after Transfer":       {[]call{{kind: transfer, auth: b, made: d, from: 10, to: 20}, passes(b, 0, 21, 22)}, false},
		"transferred twice":                   {[]call{{kind: transfer, auth: b, made: d, from: 10, to: 20}, {kind: transfer, auth: b, made: 5, from: 11, to: 21}}, false},
		"child lost by Transfer":              {[]call{{kind: transfer, auth: b, made: d, from: 10, to: 20}, fails(c, 0, ErrRevoked, 21, 22)}, false},
		"more by Transfer":                    {[]call{{kind: transfer, auth: b, made: d, from: 10, to: 20}, passes(d, Execute, 21, 22)}, false},
		"transferred one outlives its parent": {[]call{{kind: transfer, auth: c, made: d, from: 10, to: 20}, kills(b, 11, 19), passes(d, 0, 21, 22)}, false},
		"deleted without Delete":              {[]call{{kind: revoke, auth: c, id: c, p: Delete, from: 10, to: 11}}, false},
	} {
		if got := disorder(append(all[:3:3], c.more...)) == nil; got != c.ok {
			t.Errorf("%s: %v, want %v", name, got, c.ok)
		}
	}
}
