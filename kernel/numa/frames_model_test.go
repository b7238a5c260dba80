package numa

import (
	"math/rand/v2"
	"slices"
	"testing"
)

const (
	modelNodes  = 3
	modelBlocks = 6
)

// model is what Frames must look like to one caller.
type model struct {
	home    [modelBlocks]int
	free    [modelBlocks * BlockFrames]bool // false: in use or no RAM
	freeIn  [modelBlocks]int
	freeNow [modelNodes]int
}

func (m *model) set(fr uint32, free bool) {
	n := 1
	if !free {
		n = -1
	}
	m.free[fr] = free
	m.freeIn[fr/BlockFrames] += n
	m.freeNow[m.home[fr/BlockFrames]] += n
}

func (m *model) freeOn(node int) int {
	return m.freeNow[node]
}

func (m *model) wholeOn(node int) (n int) {
	for b, free := range m.freeIn {
		if m.home[b] == node && free == BlockFrames {
			n++
		}
	}
	return n
}

// firstWith returns the first node in order for which has is not 0, or -1.
func firstWith(order []uint8, has func(int) int) int {
	for _, node := range order {
		if has(int(node)) > 0 {
			return int(node)
		}
	}
	return -1
}

// Random calls, one at a time, give what the model says: success whenever possible, from the first
// node that has what is asked for, and never a frame in use.
func TestFramesAgainstModel(t *testing.T) {
	steps := 3000
	if testing.Short() {
		steps = 500
	}
	for seed := range uint64(4) {
		r := rand.New(rand.NewPCG(seed, 7))
		const cpus, nodes = 5, modelNodes
		spans := []span{{9, 1000, 0}, {1000, 2048, 1}, {2100, 2200, 2}, {2560, 3072, 2}}
		f := newFrames(cpus, nodes, spans...)
		m := model{home: [modelBlocks]int{0, 0, 1, 1, 2, 2}}
		for _, s := range spans {
			for fr := s.first; fr < s.end; fr++ {
				m.set(fr, true)
			}
		}
		var held []uint32
		var huge []uint32
		given := uint64(0)
		grow := true
		for step := range steps {
			cpu := r.IntN(cpus)
			order := []uint8{0, 1, 2}
			r.Shuffle(nodes, func(i, j int) { order[i], order[j] = order[j], order[i] })
			order = order[:1+r.IntN(nodes)]
			if r.IntN(200) == 0 {
				grow = !grow
			}
			switch k := r.IntN(16); {
			case k == 0:
				want := firstWith(order, m.wholeOn)
				fr, ok := f.AllocHuge(cpu, order)
				if ok != (want >= 0) {
					t.Fatalf("step %d: AllocHuge(%v) = %v, want node %d", step, order, ok, want)
				}
				if !ok {
					continue
				}
				if fr%BlockFrames != 0 || m.freeIn[fr/BlockFrames] != BlockFrames || m.home[fr/BlockFrames] != want {
					t.Fatalf("step %d: AllocHuge(%v) = %#x", step, order, fr)
				}
				for i := range uint32(BlockFrames) {
					m.set(fr+i, false)
				}
				huge = append(huge, fr)
				given += BlockFrames
			case k <= 2 && len(huge) > 0:
				i := r.IntN(len(huge))
				fr := huge[i]
				huge = slices.Delete(huge, i, i+1)
				if k == 2 { // in pieces, from now on
					for i := range uint32(BlockFrames) {
						held = append(held, fr+i)
					}
					continue
				}
				f.FreeHuge(cpu, fr)
				for i := range uint32(BlockFrames) {
					m.set(fr+i, true)
				}
			case grow: // a burst, so that nodes do run dry
				for range 1 + r.IntN(60) {
					want := firstWith(order, m.freeOn)
					fr, ok := f.Alloc(cpu, order)
					if ok != (want >= 0) {
						t.Fatalf("step %d: Alloc(%v) = %v, want node %d", step, order, ok, want)
					}
					if !ok {
						break
					}
					if !m.free[fr] || m.home[fr/BlockFrames] != want {
						t.Fatalf("step %d: Alloc(%v) = %#x, free %v", step, order, fr, m.free[fr])
					}
					m.set(fr, false)
					held = append(held, fr)
					given++
				}
			default:
				for range min(len(held), 1+r.IntN(60)) {
					i := r.IntN(len(held))
					f.Free(cpu, held[i])
					m.set(held[i], true)
					held[i] = held[len(held)-1]
					held = held[:len(held)-1]
				}
			}
			checkQuiet(t, f)
			if step%16 != 0 {
				continue
			}
			got := uint64(0)
			for node := range nodes {
				st := f.Stats(node)
				if st.Free != uint64(m.freeOn(node))*FrameSize || st.Huge != uint64(m.wholeOn(node)) {
					t.Fatalf("step %d, node %d: %+v, want %d frames, %d blocks", step, node, st, m.freeOn(node), m.wholeOn(node))
				}
				got += st.Local + st.Remote
			}
			if got != given {
				t.Fatalf("step %d: %d frames counted as given out, want %d", step, got, given)
			}
		}
	}
}

// Any sequence of AddRange makes exactly the named frames available, or panics if it names one
// twice.
func FuzzFramesAddRange(f *testing.F) {
	f.Add([]byte{0, 0, 0, 10, 0})
	f.Add([]byte{1, 0, 0, 0, 8, 0, 8, 0, 0, 4})
	f.Add([]byte{0, 0, 0, 130, 1, 1, 1, 130, 200, 1, 2, 3, 74, 255, 5})
	f.Add([]byte{2, 1, 255, 1, 0, 0, 0, 0, 255, 1, 1, 2, 0, 255, 5})
	f.Fuzz(func(t *testing.T, in []byte) {
		const limit, nodes = 4096, 3
		fr := newFrames(2, nodes, span{limit - 1, limit, 0})
		ram := map[uint32]bool{limit - 1: true}
		for ; len(in) >= 5; in = in[5:] {
			first := (uint32(in[1])<<8 | uint32(in[2])) % limit
			end := min(first+(uint32(in[3])|uint32(in[4])<<8)%2048, limit)
			twice := false
			for i := first; i < end; i++ {
				twice = twice || ram[i]
			}
			add := func() { fr.AddRange(first, end, in[0]%nodes) }
			if twice {
				mustPanic(t, "frames added twice", add)
				return
			}
			add()
			for i := first; i < end; i++ {
				ram[i] = true
			}
		}
		checkQuiet(t, fr)
		total, huge := uint64(0), uint64(0)
		for node := range nodes {
			st := fr.Stats(node)
			if st.Free != st.Total {
				t.Fatalf("node %d: %+v", node, st)
			}
			total += st.Total
			huge += st.Huge
		}
		if total != uint64(len(ram))*FrameSize {
			t.Fatalf("%d bytes in all, want %d frames", total, len(ram))
		}
		wholes := uint64(0)
		for b := range uint32(limit / BlockFrames) {
			n := 0
			for i := range uint32(BlockFrames) {
				if ram[b*BlockFrames+i] {
					n++
				}
			}
			if n == BlockFrames {
				wholes++
			}
		}
		if huge != wholes {
			t.Fatalf("%d whole blocks, want %d", huge, wholes)
		}
		got := drain(t, fr, 0, []uint8{0, 1, 2})
		if len(got) != len(ram) {
			t.Fatalf("%d frames handed out, want %d", len(got), len(ram))
		}
		for _, i := range got {
			if !ram[i] {
				t.Fatalf("frame %#x is not RAM", i)
			}
			fr.Free(1, i)
		}
		checkQuiet(t, fr)
	})
}
