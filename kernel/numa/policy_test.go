package numa

import (
	"math/bits"
	"math/rand/v2"
	"slices"
	"testing"
)

func TestNewPolicyAsLinux(t *testing.T) {
	const memory = 0b1101 // node 1 has none
	for _, c := range []struct {
		name  string
		mode  Mode
		nodes uint64
		want  Policy
		in    uint64
		ok    bool
	}{
		{"default", Default, 0, Policy{}, 0, true},
		{"default, static", Default | Static, 0, Policy{}, 0, true},
		{"default of nodes", Default, 1, Policy{}, 0, false},
		{"preferred", Preferred, 0b1100, Policy{Preferred, 0b0100}, 0b0100, true},
		{"preferred, none", Preferred, 0, Policy{Mode: Local}, 0, true},
		{"preferred, none, static", Preferred | Static, 0, Policy{}, 0, false},
		{"preferred without memory", Preferred, 0b0010, Policy{}, 0, false},
		{"preferred, first without memory", Preferred, 0b0110, Policy{Preferred, 0b0100}, 0b0100, true},
		{"bind", Bind, 0b0111, Policy{Bind, 0b0101}, 0b0101, true},
		{"bind, static", Bind | Static, 0b0111, Policy{Bind | Static, 0b0111}, 0b0101, true},
		{"bind, relative", Bind | Relative, 0b0110, Policy{Bind | Relative, 0b0110}, 0b1100, true},
		{"bind, relative, folded", Bind | Relative, 1 << 63, Policy{Bind | Relative, 1 << 63}, 1, true},
		{"bind to none", Bind, 0, Policy{}, 0, false},
		{"bind beyond", Bind, 0b10000, Policy{}, 0, false},
		{"interleave", Interleave, 0b1111, Policy{Interleave, memory}, memory, true},
		{"interleave none", Interleave, 0, Policy{}, 0, false},
		{"both flags", Bind | Static | Relative, 1, Policy{}, 0, false},
		{"local", Local, 0, Policy{Mode: Local}, 0, true},
		{"local of nodes", Local, 1, Policy{}, 0, false},
		{"local, relative", Local | Relative, 0, Policy{}, 0, false},
		{"preferred many", PreferredMany, 0b1001, Policy{PreferredMany, 0b1001}, 0b1001, true},
		{"no such mode", modes, 1, Policy{}, 0, false},
	} {
		p, ok := NewPolicy(c.mode, c.nodes, memory)
		if ok != c.ok || ok && (p != c.want || p.In(memory) != c.in) {
			t.Errorf("%s: %+v, nodes %b, %v; want %+v, nodes %b, %v", c.name, p, p.In(memory), ok, c.want, c.in, c.ok)
		}
	}
	if Static >= 1<<ModeBits || Relative >= 1<<ModeBits {
		t.Error("ModeBits is too small")
	}
}

// sparse returns four nodes at different distances, of which node 1 has no RAM.
func sparse() *Topology {
	top := &Topology{NNodes: 4}
	for n := range 4 {
		if n != 1 {
			top.Nodes[n].Bytes = gib
			top.memory |= 1 << n
			top.nMemory++
		}
		for m := range 4 {
			top.Distance[n][m] = 10 + uint8(10*(n^m))
		}
	}
	top.buildOrders()
	return top
}

func TestPlace(t *testing.T) {
	top := sparse()
	for _, c := range []struct {
		mode  Mode
		nodes uint64
		node  int
		page  uint64
		want  []uint8
	}{
		{Default, 0, 2, 0, []uint8{2, 3, 0}},
		{Local, 0, 3, 0, []uint8{3, 2, 0}},
		{Local, 0, 1, 0, []uint8{0, 3, 2}}, // nothing of its own
		{Preferred, 0b1001, 2, 5, []uint8{0, 2, 3}},
		{Preferred | Static, 0b1010, 0, 5, []uint8{3, 2, 0}},
		{Bind, 0b1101, 3, 5, []uint8{3, 2, 0}},
		{Bind, 0b0101, 3, 5, []uint8{2, 0}},
		{Bind, 0b0001, 3, 5, []uint8{0}},
		{Bind | Relative, 0b0110, 0, 5, []uint8{2, 3}},
		{PreferredMany, 0b0101, 3, 5, []uint8{2, 0, 3}},
		{Interleave, 0b1101, 3, 0, []uint8{0, 2, 3}},
		{Interleave, 0b1101, 3, 1, []uint8{2, 3, 0}},
		{Interleave, 0b1101, 3, 2, []uint8{3, 2, 0}},
		{Interleave, 0b1101, 3, 3, []uint8{0, 2, 3}},
	} {
		p, ok := NewPolicy(c.mode, c.nodes, top.Memory())
		if !ok {
			t.Fatalf("mode %d of %b refused", c.mode, c.nodes)
		}
		var buf [MaxNodes]uint8
		if got := top.Place(p, c.node, c.page, &buf); !slices.Equal(got, c.want) {
			t.Errorf("%+v on node %d, page %d: %v, want %v", p, c.node, c.page, got, c.want)
		}
	}
}

// TestPlaceProperties holds any policy on 64 nodes to what it promises.
func TestPlaceProperties(t *testing.T) {
	r := rand.New(rand.NewPCG(4, 6))
	for range 2000 {
		top := &Topology{NNodes: 1 + r.IntN(MaxNodes)}
		for n := range top.NNodes {
			if r.IntN(4) != 0 || n == 0 {
				top.Nodes[n].Bytes = gib
				top.memory |= 1 << n
				top.nMemory++
			}
			for m := range top.NNodes {
				top.Distance[n][m] = 10 + uint8(r.IntN(20))
			}
			top.Distance[n][n] = 10
		}
		top.buildOrders()
		mode := Mode(r.IntN(1 << ModeBits))
		p, ok := NewPolicy(mode, r.Uint64()>>r.IntN(64), top.Memory())
		if !ok {
			continue
		}
		node, page := r.IntN(top.NNodes), r.Uint64()
		in := p.In(top.Memory())
		var buf [MaxNodes]uint8
		order := top.Place(p, node, page, &buf)
		seen := uint64(0)
		for _, n := range order {
			if seen>>n&1 != 0 || top.memory>>n&1 == 0 {
				t.Fatalf("%+v: node %d twice, or without memory, in %v", p, n, order)
			}
			seen |= 1 << n
		}
		want := top.Memory()
		if p.Mode.Base() == Bind {
			want = in
		}
		if seen != want {
			t.Fatalf("%+v: nodes %b, want %b", p, seen, want)
		}
		if in != 0 && in>>order[0]&1 == 0 {
			t.Fatalf("%+v: first node %d is not of %b", p, order[0], in)
		}
		if p.Mode.Base() == Interleave {
			n := uint64(bits.OnesCount64(in))
			got := uint64(0)
			for i := range n {
				got |= 1 << top.Place(p, node, page%(1<<60)+i, &buf)[0]
			}
			if got != in {
				t.Fatalf("%+v: %d pages in a row came from %b", p, n, got)
			}
		}
	}
}

// TestFreedFramesGoHome frees frames on a CPU of another node: bound memory that was
// exhausted is there again, and only that.
func TestFreedFramesGoHome(t *testing.T) {
	f := newFrames(2, 2, span{0, 512, 0}, span{512, 1024, 1})
	top := &Topology{NNodes: 2, memory: 0b11, nMemory: 2}
	for n := range 2 {
		top.Nodes[n].Bytes = 2 * mib
	}
	top.buildOrders()
	var buf [MaxNodes]uint8
	bound := top.Place(Policy{Bind, 0b10}, 0, 0, &buf)
	var got []uint32
	for {
		fr, ok := f.Alloc(0, bound)
		if !ok {
			break
		}
		if fr < 512 {
			t.Fatalf("frame %d is of node 0", fr)
		}
		got = append(got, fr)
	}
	if len(got) != 512 || f.Stats(1).Free != 0 || f.Stats(0).Free != 512*FrameSize {
		t.Fatalf("%d frames; free %d and %d", len(got), f.Stats(0).Free, f.Stats(1).Free)
	}
	for _, fr := range got[:100] {
		f.Free(0, fr)
	}
	if f.Stats(1).Free != 100*FrameSize || f.Stats(0).Free != 512*FrameSize {
		t.Fatalf("after 100 frees: free %d and %d", f.Stats(0).Free, f.Stats(1).Free)
	}
	if fr, ok := f.Alloc(0, bound); !ok || fr < 512 {
		t.Errorf("frame %d, %v", fr, ok)
	}
	checkQuiet(t, f)
}
