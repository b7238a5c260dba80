package gate

import (
	"errors"
	"testing"

	"pdac/kernel/space"
)

// TestUnmappedIsNotReused: an address that was given up doesn't come back soon.
func TestUnmappedIsNotReused(t *testing.T) {
	b := openGate(t)
	seen := map[uintptr]bool{}
	for range 1000 {
		area := must(MemoryMap(b.root.Memory, 1))
		if seen[addressOf(area)] {
			t.Fatalf("%#x came back", addressOf(area))
		}
		seen[addressOf(area)] = true
		ok(t, MemoryUnmap(b.root.Memory, area))
	}
}

// TestAddressesOfOthers: a space that maps and unmaps more than there are addresses gets none that another
// had, alive or ended.
func TestAddressesOfOthers(t *testing.T) {
	b := openGate(t)
	const large = 4 << 30
	var theirs []Range
	kept := must(MemoryMap(b.root.Memory, large))
	theirs = append(theirs, RangeOf(kept))
	ok(t, MemoryUnmap(b.root.Memory, kept))
	former := must(NewSpace(b.root.Spaces, Authority{}))
	in(t, former, func() { theirs = append(theirs, RangeOf(must(MemoryMap(b.root.Memory, large)))) })
	ok(t, CapDelete(former))

	other := must(NewSpace(b.root.Spaces, Authority{}))
	in(t, other, func() {
		first, again := uintptr(0), false
		for range reserved/large + 10 {
			r := RangeOf(must(MemoryMap(b.root.Memory, large)))
			for _, x := range theirs {
				if r.At < x.At+x.Len && x.At < r.At+r.Len {
					t.Fatalf("%#x of another space came again", r.At)
				}
			}
			again = again || r.At == first
			if first == 0 {
				first = r.At
			}
			ok(t, MemoryUnmap(b.root.Memory, memory(r.At, r.Len)))
		}
		if !again {
			t.Error("its own didn't come again: the test doesn't wrap")
		}
	})
	faults(t, func() { sink = kept[0] })
	quiet(t)
}

// TestMovesComeRound: pages that go to and fro are never where another space had memory, also after more
// moves than there are addresses for.
func TestMovesComeRound(t *testing.T) {
	b := openGate(t)
	e := must(EndpointCreate(b.root.Endpoints, EndpointOptions{}))
	spaces := [2]ID{must(NewSpace(b.root.Spaces, Authority{})), must(NewSpace(b.root.Spaces, Authority{}))}
	owner := map[uintptr]int{}
	page := make([]Range, 1)
	in(t, spaces[0], func() { page[0] = RangeOf(must(MemoryMap(b.root.Memory, 1))) })
	owner[page[0].At] = 0
	again := 0
	for i := range 4 * leastRange / hugeSize {
		ok(t, Run(spaces[i%2], func() { ok(t, EndpointTrySend(e, &Message{Ranges: 1, Range: [4]Range{page[0]}})) }))
		ok(t, Run(spaces[1-i%2], func() {
			var got Message
			ok(t, EndpointTryRecv(e, &got))
			must(MemoryBytes(b.root.Memory, got.Range[0]))[0]++
			page[0] = got.Range[0]
		}))
		switch who, had := owner[page[0].At]; {
		case had && who != 1-i%2:
			t.Fatalf("move %d: %#x was the sender's", i, page[0].At)
		case had:
			again++
		}
		owner[page[0].At] = 1 - i%2
	}
	if again == 0 {
		t.Error("no address came again: the test doesn't wrap")
	}
	for at := range owner {
		if at == page[0].At {
			if n := memory(at, 1)[0]; n != 4*leastRange/hugeSize%256 {
				t.Errorf("the page counted %d moves", n)
			}
		} else {
			faults(t, func() { sink = memory(at, 1)[0] })
		}
	}
	quiet(t)
}

// TestAddressesRunOut: a space gets its share and no more, and the others still get theirs.
func TestAddressesRunOut(t *testing.T) {
	b := openGate(t)
	addresses.Lock()
	_, err := addresses.place(space.Root, share, 0, pageSize) // and the alignment
	if !errors.Is(err, ErrMemory) {
		t.Errorf("more than a share: %v", err)
	}
	for range share / leastRange {
		var at uintptr
		if at, err = addresses.place(space.Root, leastRange/2, 0, pageSize); err != nil {
			break
		}
		addresses.insert(area{at, at + leastRange/2, space.Root})
	}
	mine := addresses.regions[space.Root]
	left := share - mine.size
	_, err = addresses.place(space.Root, left+hugeSize, 0, hugeSize)
	addresses.areas = nil
	addresses.Unlock()
	want(t, err, ErrMemory)
	other := must(NewSpace(b.root.Spaces, Authority{}))
	in(t, other, func() { must(MemoryMap(b.root.Memory, 1)) })
	quiet(t)
}
