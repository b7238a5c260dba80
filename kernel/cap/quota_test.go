package cap

import (
	"math/rand/v2"
	"sync/atomic"
	"testing"
	"time"
)

// bucket is a token bucket as one would write it down, in parts of a token.
type bucket struct{ interval, burst, level, at uint64 }

func (b *bucket) take(now uint64) bool {
	b.level = min(b.level+now-b.at, b.interval*b.burst)
	b.at = now
	if b.level < b.interval {
		return false
	}
	b.level -= b.interval
	return true
}

func TestQuotaIsATokenBucket(t *testing.T) {
	table, clock := newTimedTable(t)
	for range 100 {
		interval, burst := 1+rand.Uint64N(50), 1+rand.Uint64N(5)
		model := bucket{interval, burst, interval * burst, clock.Load()}
		id := must(t)(table.Create(0, 1, file7, Read, Options{Formula: &Formula{
			Every: time.Duration(interval), Burst: int64(burst)}}))
		for range 300 {
			now := clock.Add(rand.Uint64N(3 * interval))
			if rand.IntN(20) == 0 {
				now = clock.Add(rand.Uint64N(interval * burst * 2))
			}
			want := OK
			if !model.take(now) {
				want = ErrOverQuota
			}
			if got := table.Verdict(id, Read); got != want {
				t.Fatalf("interval %d, burst %d: %v at %d, want %v", interval, burst, got, now, want)
			}
		}
		table.Kill(id)
	}
}

// Whatever happens at the same time, in no stretch of time do more succeed than rate and burst allow.
func TestQuotaUnderCompetition(t *testing.T) {
	const interval, burst, end = 100, 7, 100_000
	table, clock := newTimedTable(t)
	root := must(t)(table.Create(0, 1, file7, everything, Options{Formula: &Formula{Every: interval, Burst: burst}}))
	clock.Add(interval * 10)
	var children [2]ID // both with a quota of their own, a bit tighter, so that some lose halfway
	for i := range children {
		clock.Add(interval * 10)
		children[i] = must(t)(table.Derive(0, root, 2, Read, Options{Formula: &Formula{Every: interval, Burst: burst - 1}}))
	}
	clock.Add(interval * 10)
	start := clock.Load()
	var passed atomic.Int64
	use := func(id ID) func() {
		return func() {
			for clock.Load() < start+end {
				if table.Check(id, Read) {
					passed.Add(1)
				}
				clock.Add(1 + rand.Uint64N(3))
			}
		}
	}
	together(use(children[0]), use(children[1]), use(children[0]), use(children[1]))
	most := int64(burst + (clock.Load()-start)/interval + 1)
	if n := passed.Load(); n > most || n < most/2 {
		t.Errorf("%d uses passed; %d may, and half of them must", n, most)
	}
}

func TestQuotaGivenBack(t *testing.T) {
	const interval = 10
	setup := func(t *testing.T) (*Table, uint32, *record) {
		table, _ := newTimedTable(t)
		id := must(t)(table.Create(0, 1, file7, Read, Options{Formula: &Formula{Every: interval, Burst: 2}}))
		return table, id.Slot(), &table.records[id.Slot()]
	}
	take := func(t *testing.T, table *Table, slot uint32, now uint64) *[maxChain]uint64 {
		found := &[maxChain]uint64{table.records[slot].arrival.Load()}
		if !table.takeQuotas(slot, now) {
			t.Fatalf("no use at %d", now)
		}
		return found
	}
	t.Run("alone", func(t *testing.T) {
		table, slot, r := setup(t)
		found := take(t, table, slot, 100)
		table.undoQuotas(slot, 0, 100, found)
		if r.arrival.Load() != 0 {
			t.Errorf("arrival %d, want 0", r.arrival.Load())
		}
	})
	t.Run("below another", func(t *testing.T) {
		table, slot, r := setup(t)
		a := take(t, table, slot, 100)
		b := take(t, table, slot, 101)
		table.undoQuotas(slot, 0, 100, a) // b lies on top
		if r.arrival.Load() != 100+2*interval {
			t.Errorf("arrival %d, want %d", r.arrival.Load(), 100+2*interval)
		}
		table.undoQuotas(slot, 0, 101, b)
		table.undoQuotas(slot, 0, 100, a)
		if r.arrival.Load() != 0 {
			t.Errorf("arrival %d, want 0", r.arrival.Load())
		}
	})
	t.Run("after the bucket was full", func(t *testing.T) {
		table, slot, _ := setup(t)
		a := take(t, table, slot, 100)
		take(t, table, slot, 1000)
		take(t, table, slot, 1000)
		table.undoQuotas(slot, 0, 100, a)
		if table.takeQuotas(slot, 1000) {
			t.Error("a third use in a burst of two")
		}
	})
}
