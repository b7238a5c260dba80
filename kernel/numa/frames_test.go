package numa

import (
	"math/rand/v2"
	"slices"
	"testing"
	"unsafe"

	"pdac/kernel/lockfree"
)

// span is one AddRange call.
type span struct {
	first, end uint32
	node       uint8
}

// newFrames returns an allocator with the given RAM; CPU i is on node i modulo nodes.
func newFrames(cpus, nodes int, spans ...span) *Frames {
	limit := uint32(0)
	for _, s := range spans {
		limit = max(limit, (s.end+BlockFrames-1)/BlockFrames)
	}
	c := FramesConfig{
		Blocks:      make([]Block, limit),
		NextPartial: make([]uint32, limit),
		NextWhole:   make([]uint32, limit),
		CPUs:        make([]FrameCPU, cpus),
		CPUNode:     make([]uint8, cpus),
	}
	for i := range c.CPUNode {
		c.CPUNode[i] = uint8(i % nodes)
	}
	f := new(Frames)
	f.Init(c)
	for _, s := range spans {
		f.AddRange(s.first, s.end, s.node)
	}
	return f
}

// stackOf lists a stack's blocks, from the top.
func stackOf(f *Frames, node, stack int) (list []uint32) {
	top := &f.nodes[node].stack[stack]
	for b, ok := top.PopAll(); ok; b, ok = lockfree.Next(f.next[stack], b) {
		if list = append(list, b); len(list) > len(f.blocks) {
			panic("a stack has a cycle")
		}
	}
	if n := len(list); n > 0 {
		top.PushList(f.next[stack], list[0], list[n-1])
	}
	return list
}

// checkQuiet checks the invariants of frames.go while no call is under way.
func checkQuiet(t *testing.T, f *Frames) {
	t.Helper()
	places := make([]uint64, len(f.blocks))
	add := func(b uint32, flag uint64, node int, where string) {
		if places[b]&flag != 0 {
			t.Fatalf("block %d is twice in %s", b, where)
		}
		places[b] |= flag
		if home := f.blocks[b].home.Load(); home != uint32(node) {
			t.Fatalf("block %d of node %d is in %s of node %d", b, home, where, node)
		}
	}
	for node := range f.nodes {
		for _, b := range stackOf(f, node, partly) {
			add(b, statePartial, node, "partial stack")
		}
		for _, b := range stackOf(f, node, wholly) {
			add(b, stateWhole, node, "whole stack")
		}
		for cpu := range f.cpus {
			if held := f.cpus[cpu].slot[node].Load(); held != 0 {
				add(held-1, stateReserved, node, "slots")
			}
		}
		if m := f.nodes[node].moves.Load(); uint32(m) != 0 {
			t.Fatalf("node %d: %d moves under way", node, uint32(m))
		}
	}
	for b := range f.blocks {
		blk := &f.blocks[b]
		s := blk.state.Load()
		count := s & stateCount
		set := 0
		for w := range blk.free {
			for v := blk.free[w].Load(); v != 0; v &= v - 1 {
				set++
			}
		}
		switch {
		case s&statePlaces != places[b]:
			t.Fatalf("block %d: flags %#x, places %#x", b, s&statePlaces, places[b])
		case set != int(count):
			t.Fatalf("block %d: count %d, %d bits", b, count, set)
		case count > 0 && places[b] == 0:
			t.Fatalf("block %d is lost with %d frames", b, count)
		case count == BlockFrames && places[b]&stateWhole == 0:
			t.Fatalf("block %d is whole and not in the stack of whole blocks", b)
		case count > 0 && f.nodes[blk.home.Load()].dry.Load()&dryState == dryYes:
			t.Fatalf("node %d is dry with %d frames in block %d", blk.home.Load(), count, b)
		}
	}
}

func mustPanic(t *testing.T, what string, do func()) {
	t.Helper()
	defer func() {
		t.Helper()
		if recover() == nil {
			t.Errorf("%s: no panic", what)
		}
	}()
	do()
}

func TestFramesLayout(t *testing.T) {
	var b Block
	var n frameNode
	for what, size := range map[string]uintptr{
		"Block": unsafe.Sizeof(b), "Block.state": unsafe.Offsetof(b.state), "Block.ram": unsafe.Offsetof(b.ram),
		"FrameCPU": unsafe.Sizeof(FrameCPU{}), "frameNode": unsafe.Sizeof(n), "frameNode.stack": unsafe.Offsetof(n.stack),
	} {
		if size == 0 || size%lockfree.CacheLine != 0 {
			t.Errorf("%s: %d is no multiple of a cache line", what, size)
		}
	}
}

// drain takes every frame there is, each once, and returns them.
func drain(t *testing.T, f *Frames, cpu int, order []uint8) []uint32 {
	t.Helper()
	var got []uint32
	seen := make(map[uint32]bool)
	for {
		fr, ok := f.Alloc(cpu, order)
		if !ok {
			return got
		}
		if seen[fr] {
			t.Fatalf("frame %#x was handed out twice", fr)
		}
		seen[fr] = true
		got = append(got, fr)
	}
}

func count(spans []span) (n int) {
	for _, s := range spans {
		n += int(s.end - s.first)
	}
	return n
}

func contains(spans []span, fr uint32) bool {
	return slices.ContainsFunc(spans, func(s span) bool { return s.first <= fr && fr < s.end })
}

func TestFramesOddRanges(t *testing.T) {
	for name, spans := range map[string][]span{
		"one frame":         {{0, 1, 0}},
		"last of a block":   {{1023, 1024, 0}},
		"one block":         {{512, 1024, 0}},
		"over a border":     {{500, 530, 0}},
		"unaligned":         {{3, 4000, 0}},
		"word borders":      {{64, 128, 0}, {191, 193, 0}, {320, 321, 0}},
		"holes in a block":  {{0, 159, 0}, {256, 400, 0}, {511, 512, 0}},
		"one block in bits": {{100, 512, 0}, {0, 99, 0}, {99, 100, 0}},
		"far apart":         {{1 << 20, 1<<20 + 700, 0}, {5, 6, 0}},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFrames(3, 1, spans...)
			checkQuiet(t, f)
			whole := f.Stats(0).Huge
			got := drain(t, f, 1, []uint8{0})
			if len(got) != count(spans) {
				t.Fatalf("%d frames handed out, want %d", len(got), count(spans))
			}
			for _, fr := range got {
				if !contains(spans, fr) {
					t.Fatalf("frame %#x is not RAM", fr)
				}
			}
			if st := f.Stats(0); st.Free != 0 || st.Total != uint64(len(got))*FrameSize || st.Local != uint64(len(got)) {
				t.Fatalf("dry: %+v", st)
			}
			checkQuiet(t, f)
			for _, i := range rand.Perm(len(got)) {
				f.Free(2, got[i])
			}
			checkQuiet(t, f)
			if st := f.Stats(0); st.Free != st.Total || st.Huge != whole {
				t.Fatalf("all freed: %+v, want %d whole blocks", st, whole)
			}
		})
	}
}

func TestFramesHuge(t *testing.T) {
	f := newFrames(2, 2, span{1, 1024, 0}, span{1024, 2048, 1})
	order := []uint8{0, 1}
	a, ok := f.AllocHuge(0, order)
	if !ok || a != 512 {
		t.Fatalf("AllocHuge = %d, %v, want the only whole block of node 0", a, ok)
	}
	b, ok := f.AllocHuge(0, order)
	if !ok || b < 1024 {
		t.Fatalf("AllocHuge = %d, %v, want a block of node 1", b, ok)
	}
	if st := f.Stats(0); st.Local != 512 || st.Remote != 512 || st.Huge != 0 {
		t.Fatalf("%+v", st)
	}
	f.FreeHuge(1, b)
	for _, i := range rand.Perm(BlockFrames) { // one by one, while others allocate
		f.Free(1, a+uint32(i))
		if i%7 == 0 {
			fr, ok := f.Alloc(0, order)
			if !ok {
				t.Fatal("no frame")
			}
			f.Free(0, fr)
		}
		checkQuiet(t, f)
	}
	if st := f.Stats(0); st.Free != st.Total || st.Huge != 1 {
		t.Fatalf("all freed: %+v", st)
	}
	// 512 frames taken one by one make a block that can be freed as one.
	f = newFrames(1, 1, span{0, 512, 0})
	if got := drain(t, f, 0, order[:1]); len(got) != BlockFrames {
		t.Fatalf("%d frames", len(got))
	}
	f.FreeHuge(0, 0)
	if c, ok := f.AllocHuge(0, order[:1]); !ok || c != 0 {
		t.Fatalf("AllocHuge = %d, %v after coalescing", c, ok)
	}
	checkQuiet(t, f)
}

// Sets of frames come home as their frames one by one would, the block whole again with the last.
func TestFramesFreeSet(t *testing.T) {
	order := []uint8{0}
	f := newFrames(1, 1, span{0, 512, 0}, span{1024, 1100, 0})
	if got := drain(t, f, 0, order); len(got) != 512+76 {
		t.Fatalf("%d frames", len(got))
	}
	f.FreeSet(0, 64, 1<<3|1<<63)
	mustPanic(t, "a set with a free frame", func() { f.FreeSet(0, 64, 1<<3|1<<4) })
	mustPanic(t, "a set with a hole", func() { f.FreeSet(0, 1024+64, 1<<12) })
	f = newFrames(1, 1, span{0, 512, 0})
	drain(t, f, 0, order)
	for first := uint32(0); first < 512; first += FreeSetFrames {
		if _, ok := f.AllocHuge(0, order); ok {
			t.Fatalf("a whole block with frames from %d on in use", first)
		}
		f.FreeSet(0, first, 0x5555_5555_5555_5555)
		f.FreeSet(0, first, 0xaaaa_aaaa_aaaa_aaaa)
	}
	checkQuiet(t, f)
	if b, ok := f.AllocHuge(0, order); !ok || b != 0 {
		t.Fatalf("AllocHuge = %d, %v with all frames free", b, ok)
	}
}

func TestFramesBadFreesPanic(t *testing.T) {
	f := newFrames(1, 1, span{0, 512, 0}, span{1024, 1100, 0}, span{2048, 2560, 0})
	fr, _ := f.Alloc(0, []uint8{0})
	f.Free(0, fr)
	mustPanic(t, "double free", func() { f.Free(0, fr) })
	mustPanic(t, "free of a hole in a block", func() { f.Free(0, 1100) })
	mustPanic(t, "free of a block without RAM", func() { f.Free(0, 600) })
	mustPanic(t, "free beyond the table", func() { f.Free(0, 1<<30) })
	mustPanic(t, "huge free of a free block", func() { f.FreeHuge(0, 0) })
	mustPanic(t, "huge free of a block in part RAM", func() { f.FreeHuge(0, 1024) })
	huge, _ := f.AllocHuge(0, []uint8{0})
	mustPanic(t, "huge free off the border", func() { f.FreeHuge(0, huge+1) })
	mustPanic(t, "frames added twice", func() { f.AddRange(100, 101, 0) })
	mustPanic(t, "part added twice", func() { f.AddRange(1050, 1051, 0) })
	mustPanic(t, "block added twice", func() { f.AddRange(2048, 2560, 0) })
	mustPanic(t, "block added over a part", func() { f.AddRange(1024, 1536, 0) })
	f.FreeHuge(0, huge)
	checkQuiet(t, f)
}

func TestFramesStraddlingBlockGoesToMajority(t *testing.T) {
	for _, c := range []struct {
		border uint32
		home   uint8
	}{{512 + 255, 1}, {512 + 256, 0}, {512 + 257, 0}, {512 + 1, 1}, {512 + 511, 0}} {
		f := newFrames(2, 2, span{0, c.border, 0}, span{c.border, 2048, 1})
		if home := f.blocks[1].home.Load(); home != uint32(c.home) {
			t.Errorf("border at %d: block 1 is on node %d, want %d", c.border, home, c.home)
		}
		checkQuiet(t, f)
		want := uint64(512)
		if c.home == 0 {
			want = 1024
		}
		if st := f.Stats(0); st.Total != want*FrameSize || st.Free != st.Total || st.Huge != want/512 {
			t.Errorf("border at %d: node 0 has %+v", c.border, st)
		}
		if got := drain(t, f, 0, []uint8{0}); len(got) != int(want) {
			t.Errorf("border at %d: %d frames of node 0", c.border, len(got))
		}
	}
	// A block in use stays where it is.
	f := newFrames(1, 1, span{0, 100, 0}, span{1024, 1536, 1})
	if _, ok := f.Alloc(0, []uint8{0}); !ok {
		t.Fatal("no frame")
	}
	f.AddRange(100, 512, 1)
	if home := f.blocks[0].home.Load(); home != 0 {
		t.Fatal("a block in use has moved")
	}
	checkQuiet(t, f)
}
