package crash

import (
	"bytes"
	"runtime"
	"strings"
	"testing"
	"unsafe"
)

// printed shortens a generic function's name as runtime.Func.Name does.
func printed(name string) string {
	i, j := strings.IndexByte(name, '['), strings.LastIndexByte(name, ']')
	if i < 0 || j <= i {
		return name
	}
	return name[:i] + "[...]" + name[j+1:]
}

func image(t testing.TB) (Table, []byte, uint64, uint64) {
	p, n, text := tables()
	tab, ok := Symbols()
	if !ok {
		t.Fatal("the test binary has no pc-line table")
	}
	return tab, unsafe.Slice((*byte)(p), n), uint64(text), inlineTrees(uintptr(p), n, text)
}

// TestLookupAgreesWithRuntime compares with runtime.FuncForPC all over the test binary's text.
func TestLookupAgreesWithRuntime(t *testing.T) {
	tab, _, text, inline := image(t)
	if inline == 0 {
		t.Fatal("go:func.* not found: has the runtime's moduledata changed?")
	}
	size := uint64(u32(tab.funcs, 8*tab.n))
	checked, inlined, bad := 0, 0, 0
	for off := uint64(0); off < size && bad < 10; off += 61 {
		pc := text + off
		f := runtime.FuncForPC(uintptr(pc))
		s, ok := tab.Lookup(pc)
		if (f == nil) == ok {
			t.Fatalf("%#x: found %v, the runtime says %v", pc, ok, f)
		}
		if f == nil {
			continue
		}
		file, line := f.FileLine(uintptr(pc))
		if file == "?" {
			file = ""
		}
		name := f.Name()
		if name == "" { // the runtime takes the first name of the table for none
			name = string(s.Func)
		}
		if printed(string(s.Func)) != name || string(s.File) != file || int(s.Line) != line || s.Entry != uint64(f.Entry()) {
			t.Errorf("%#x: %s %s:%d entry %#x, want %s %s:%d %#x", pc, s.Func, s.File, s.Line, s.Entry, name, file, line, f.Entry())
			bad++
		}
		checked++
		if s.Inlined {
			inlined++
		}
	}
	if checked < 5000 || inlined < 500 {
		t.Errorf("only %d PCs checked, %d of them inlined", checked, inlined)
	}
	for _, pc := range []uint64{0, 1, text - 1, text + size, 1 << 63, ^uint64(0)} {
		if s, ok := tab.Lookup(pc); ok {
			t.Errorf("%#x is in %s", pc, s.Func)
		}
	}
}

func TestLookupAllocatesNothing(t *testing.T) {
	pc, _, _, _ := runtime.Caller(0)
	n := testing.AllocsPerRun(100, func() {
		tab, _ := Symbols()
		if s, ok := tab.Lookup(uint64(pc)); !ok || s.Line == 0 {
			t.Error("not found")
		}
	})
	if n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func TestFrameSizeFindsReturnAddress(t *testing.T) {
	tab, _, _, _ := image(t)
	ret, ok := returnAddress(&tab)
	if s, found := tab.Lookup(ret - 1); !ok || !found || !strings.HasSuffix(string(s.Outer), "TestFrameSizeFindsReturnAddress") {
		t.Errorf("the return address %#x is in %q", ret, s.Outer)
	}
}

// returnAddress finds its own return address by its frame's size.
//
//go:noinline
func returnAddress(t *Table) (ret uint64, ok bool) {
	var r Regs
	Capture(&r)
	n, ok := t.FrameSize(r.RIP)
	if !ok {
		return 0, false
	}
	return peek64(uintptr(r.RSP + n)), true
}

// smallTable is two functions of a made-up program, for the fuzzer to start from.
func smallTable() []byte {
	b := make([]byte, 72)
	put := func(i int, v uint32) {
		b[i], b[i+1], b[i+2], b[i+3] = byte(v), byte(v>>8), byte(v>>16), byte(v>>24)
	}
	put(0, magic)
	put(4, 0x08010000)
	put(8, 2)
	part := func(field int, content ...byte) {
		put(field, uint32(len(b)))
		b = append(b, content...)
	}
	part(32, []byte("\x00main.a\x00main.b\x00")...)
	part(40, 0, 0, 0, 0)
	part(48, []byte("a.go\x00")...)
	part(56, 0, 2, 16, 0, 20, 8, 2, 8, 0) // file 0; lines 9 and 10
	at := len(b)
	part(64, make([]byte, 20+2*recordSize)...)
	for i, entry := range []uint32{0, 16} {
		rec := at + 20 + i*recordSize
		put(at+8*i, entry)
		put(at+8*i+4, uint32(20+i*recordSize))
		put(rec, entry)
		put(rec+4, uint32(1+7*i))
		put(rec+20, 1)
		put(rec+24, 4)
	}
	put(at+16, 32)
	return b
}

func TestLookupSmallTable(t *testing.T) {
	tab, ok := Open(smallTable(), 0x1000, 0)
	if !ok {
		t.Fatal("refused")
	}
	for _, c := range []struct {
		pc   uint64
		name string
		line uint32
	}{{0x1000, "main.a", 9}, {0x1007, "main.a", 9}, {0x1008, "main.a", 10}, {0x1010, "main.b", 9}, {0x101f, "main.b", 10}} {
		if s, ok := tab.Lookup(c.pc); !ok || string(s.Func) != c.name || s.Line != c.line || string(s.File) != "a.go" {
			t.Errorf("%#x: %s %s:%d %v", c.pc, s.Func, s.File, s.Line, ok)
		}
	}
	for cut := range smallTable() {
		if tab, ok := Open(smallTable()[:cut], 0x1000, 0); ok {
			tab.Lookup(0x1008)
		}
	}
}

// FuzzLookup is about what must not happen: a panic, or a name from outside the table.
func FuzzLookup(f *testing.F) {
	f.Add(smallTable(), uint64(8), uint64(0))
	f.Add(smallTable(), uint64(16), uint64(72))
	cut := smallTable()
	f.Add(append(cut[:len(cut)-60], 0x80), uint64(24), uint64(0))
	unfinished := smallTable()
	u := len(unfinished) - 20 - 2*recordSize - 2
	unfinished[u], unfinished[u+1] = 0x80, 0x80 // a varint that goes on
	f.Add(unfinished, uint64(9), uint64(0))
	f.Fuzz(func(t *testing.T, b []byte, off, inline uint64) {
		tab, ok := Open(b, 0x1000, inline)
		if !ok {
			return
		}
		for _, pc := range []uint64{off, 0x1000 + off, 0x1000 + off%64} {
			s, _ := tab.Lookup(pc)
			if len(s.Func)+len(s.Outer)+len(s.File) > 3*maxName {
				t.Errorf("names %q %q %q", s.Func, s.Outer, s.File)
			}
			tab.FrameSize(pc)
		}
	})
}

// TestLookupDamagedTable damages the real table, in the header and all over, and looks around in it.
func TestLookupDamagedTable(t *testing.T) {
	_, orig, text, inline := image(t)
	b := bytes.Clone(orig)
	seed := uint64(1)
	rnd := func(n uint64) uint64 {
		seed = seed*6364136223846793005 + 1442695040888963407
		return seed >> 33 % n
	}
	for range 300 {
		type hit struct {
			at  uint64
			old byte
		}
		var hits [64]hit
		for i := range hits {
			at := 8 + rnd(64)
			if i > 2 {
				at = rnd(uint64(len(b)))
			}
			hits[i] = hit{at, b[at]}
			b[at] = byte(rnd(256))
		}
		if tab, ok := Open(b, text, inline); ok {
			for range 200 {
				pc := text + rnd(uint64(len(b)))
				tab.Lookup(pc)
				tab.FrameSize(pc)
			}
		}
		for i := len(hits) - 1; i >= 0; i-- {
			b[hits[i].at] = hits[i].old
		}
	}
}
