package cap

import (
	"math/bits"
	"math/rand/v2"
	"runtime"
	"runtime/debug"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"pdac/kernel/rcu"
)

// Guesses around identifiers that an attacker knows: his own, valid ones and old ones. Key and
// seeds are constant, so that what holds with a probability of 1 - 2^-16 (id.go) holds always.

// guessed is a table for guessers, and what they know of it.
type guessed struct {
	table *Table
	valid []ID
	old   []ID // revoked, deleted, transferred: replayed
	is    map[ID]bool
}

func newGuessed(t *testing.T) *guessed {
	start := time.Now()
	table, err := New(Config{
		Slots: 4 * chunk,
		CPUs:  testCPUs,
		Now:   func() uint64 { return uint64(time.Since(start)) },
		Key:   [2]uint64{0x0123456789abcdef, 0xfedcba9876543210},
		RCU:   rcu.New(rcu.Config{CPUs: testCPUs}),
	})
	if err != nil {
		t.Fatal(err)
	}
	g := &guessed{table: table, is: make(map[ID]bool)}
	root := must(t)(table.Create(0, 0, file7, AllPerms, Options{}))
	for i := range 3000 {
		id := must(t)(table.Derive(i%testCPUs, root, 1, AllPerms, Options{}))
		switch i % 6 {
		case 0:
			g.old = append(g.old, id)
			wantErr(t, table.Revoke(root, id), nil)
		case 1:
			for range 4 {
				g.old = append(g.old, id)
				id = must(t)(table.Transfer(id, 1))
			}
			g.valid = append(g.valid, id)
		case 2: // has a formula, which the guess must not get as far as to ask
			slow := must(t)(table.Derive(0, id, 1, AllPerms, Options{Formula: &Formula{ExpiresAt: 1 << 63}}))
			g.valid = append(g.valid, slow)
		default:
			g.valid = append(g.valid, id)
		}
	}
	table.rcu.Barrier()
	for range 1000 { // slots that had tenants and have others now
		id := must(t)(table.Derive(0, root, 1, AllPerms, Options{}))
		g.old = append(g.old, id)
		wantErr(t, table.Delete(id), nil)
		table.rcu.Barrier()
	}
	table.Walk(func(i Info) bool {
		g.is[i.ID] = true
		return true
	})
	return g
}

// guess returns the next guess of a kind.
func (g *guessed) guess(kind int, r *rand.Rand) ID {
	id := g.valid[r.IntN(len(g.valid))]
	if r.IntN(4) == 0 {
		id = g.old[r.IntN(len(g.old))]
	}
	const tagBits = 2 * halfBits
	switch kind {
	case 0: // a neighbour in slot
		return makeID((id.Slot()+uint32(r.IntN(64))-32)&slotMask, id.tag())
	case 1: // a neighbour in tag
		return makeID(id.Slot(), (id.tag()+r.Uint64N(1<<12)-1<<11)&(1<<tagBits-1))
	case 2: // one to three bits
		for range 1 + r.IntN(3) {
			id ^= 1 << r.IntN(64)
		}
		return id
	case 3: // a replayed one
		return g.old[r.IntN(len(g.old))]
	case 4: // the difference between two that followed each other in a slot, once more
		i := r.IntN(len(g.old) - 1)
		return makeID(id.Slot(), id.tag()^g.old[i].tag()^g.old[i+1].tag())
	case 5: // the tag of another slot
		return makeID(id.Slot(), g.valid[r.IntN(len(g.valid))].tag())
	case 6: // the tag turned, or all its bits
		return makeID(id.Slot(), bits.Reverse64(id.tag())>>(64-tagBits)^-(r.Uint64()&1)&(1<<tagBits-1))
	default: // any
		return makeID(id.Slot(), r.Uint64N(1<<tagBits))
	}
}

const guessKinds = 8

// underRace reports whether the race detector is watching, which makes a guess ten times as dear.
func underRace() bool {
	info, ok := debug.ReadBuildInfo()
	return ok && slices.Contains(info.Settings, debug.BuildSetting{Key: "-race", Value: "true"})
}

func TestGuesses(t *testing.T) {
	guesses := 1 << 24
	if testing.Short() || underRace() {
		guesses = 1 << 19
	}
	g := newGuessed(t)
	before := g.table.Stats()
	var memory [2]runtime.MemStats
	runtime.ReadMemStats(&memory[0])

	const guessers = 2
	var asked, valid [guessKinds]atomic.Int64
	var accepted, wrong atomic.Int64
	var fs []func()
	for n := range guessers {
		fs = append(fs, func() {
			r := rand.New(rand.NewPCG(24, uint64(n)))
			for i := 0; i < guesses/guessers; i++ {
				kind := r.IntN(guessKinds)
				id := g.guess(kind, r)
				switch {
				case !g.table.Check(id, 0):
				case g.is[id]: // no guess: the kind leads back to what is known
					valid[kind].Add(1)
					i--
					continue
				default:
					accepted.Add(1)
				}
				asked[kind].Add(1)
				if i%64 != 0 {
					continue
				}
				if v := g.table.Verdict(id, 0); v != ErrRevoked && (v != ErrNoCapability || kind == 3) {
					wrong.Add(1)
				}
				if o, err := g.table.Lookup(n, id, 0); err == nil || o != 0 {
					accepted.Add(1)
				}
				if o, err := g.table.Admit(n, id, typeFile, 0, 0); err == nil || o != 0 {
					accepted.Add(1)
				}
			}
		})
	}
	together(fs...)

	runtime.ReadMemStats(&memory[1])
	if n := accepted.Load(); n != 0 {
		t.Errorf("%d guesses accepted", n)
	}
	if n := wrong.Load(); n != 0 {
		t.Errorf("%d guesses with a wrong verdict", n)
	}
	for kind := range guessKinds {
		t.Logf("kind %d: %d guesses, and %d that are valid", kind, asked[kind].Load(), valid[kind].Load())
		if asked[kind].Load() < int64(guesses/guessKinds/2) {
			t.Errorf("kind %d: only %d guesses", kind, asked[kind].Load())
		}
	}
	if after := g.table.Stats(); after != before {
		t.Errorf("guessing changed the table: %+v, before %+v", after, before)
	}
	if n := memory[1].Mallocs - memory[0].Mallocs; n > 1000 {
		t.Errorf("guessing allocated %d times", n)
	}
	for id := range g.is {
		if g.table.Verdict(id, 0) != OK {
			t.Fatalf("%#x does not pass any more", id)
		}
	}
}
