package cap

import (
	"math/bits"
	"math/rand/v2"
	"testing"
)

func TestPermutationInverse(t *testing.T) {
	p := newPermutation([2]uint64{1, 2})
	for range 100_000 {
		slot := rand.Uint32N(MaxSlots)
		g := 1 + rand.Uint64N(lastGeneration)
		tag := p.tag(slot, g)
		if tag == 0 || tag > lastGeneration {
			t.Fatalf("slot %d generation %d: tag %#x", slot, g, tag)
		}
		if back := p.generation(slot, tag); back != g {
			t.Fatalf("slot %d generation %d: tag %#x is of generation %d", slot, g, tag, back)
		}
	}
}

// The generation whose tag would be 0 has another, and that one leads back to it.
func TestPermutationWithoutZero(t *testing.T) {
	for slot := range uint32(100) {
		p := newPermutation([2]uint64{3, uint64(slot)})
		g := p.decrypt(slot, 0)
		if p.encrypt(slot, g) != 0 {
			t.Fatal("not the inverse")
		}
		tag := p.tag(slot, g)
		if tag == 0 || p.generation(slot, tag) != g {
			t.Errorf("slot %d generation %d: tag %#x of generation %d", slot, g, tag, p.generation(slot, tag))
		}
		if p.generation(slot, 0) != 0 {
			t.Error("tag 0 has a generation")
		}
	}
}

// Neighbours in generation, slot and key have tags that differ in about half of their bits, and
// each bit of the tag follows each bit of the generation in about half of the cases.
func TestPermutationDiffuses(t *testing.T) {
	const n, width = 4000, 2 * halfBits
	var flips [width][width]int
	slots, keys := 0, 0
	for i := range uint64(n) {
		p := newPermutation([2]uint64{5, 6})
		q := newPermutation([2]uint64{5 ^ 1<<(i%64), 6})
		g, slot := 1+i, uint32(i*37%MaxSlots)
		tag := p.encrypt(slot, g)
		for b := range width {
			d := tag ^ p.encrypt(slot, g^1<<b)
			for o := range width {
				flips[b][o] += int(d >> o & 1)
			}
		}
		slots += bits.OnesCount64(tag ^ p.encrypt(slot^1<<(i%slotBits), g))
		keys += bits.OnesCount64(tag ^ q.encrypt(slot, g))
	}
	const sigmas = 6 * 32 // of a binomial distribution of n halves, whose sigma is sqrt(n)/2 = 31.6
	for b := range flips {
		for o, f := range flips[b] {
			if f < n/2-sigmas || f > n/2+sigmas {
				t.Errorf("bit %d of the tag follows bit %d of the generation %d times of %d", o, b, f, n)
			}
		}
	}
	for name, sum := range map[string]int{"slot": slots, "key": keys} {
		if mean := float64(sum) / n; mean < width/2-0.5 || mean > width/2+0.5 {
			t.Errorf("a bit of the %s changes %.2f bits of the tag", name, mean)
		}
	}
}

func TestWord(t *testing.T) {
	for range 10_000 {
		slot := rand.Uint32N(MaxSlots)
		id := makeID(slot, 1+rand.Uint64N(lastGeneration))
		s := state(rand.Uint32N(uint32(revoked) + 1))
		gotID, gotState := split(join(id, s), slot)
		if gotID != id || gotState != s {
			t.Fatalf("slot %d: %#x %#x came back as %#x %#x", slot, id, s, gotID, gotState)
		}
	}
	if s := lacking(Read|Delegate, true); s.active() || s&slow == 0 || s.perms() != Read|Delegate || s == revoked {
		t.Errorf("state of a NEW entry: %#x", s)
	}
	if s := lacking(0, true); s == revoked {
		t.Error("a NEW entry without permissions is REVOKED")
	}
}
