package acpi

import (
	"testing"

	build "pdac/kernel/numa/acpi/acpitest"
)

func TestHMAT(t *testing.T) {
	h := parse(t, ParseHMAT, build.HMAT(2,
		build.Bytes(uint16(0), uint16(0), uint32(40), uint16(1), uint16(0), uint32(3), uint32(1<<31), make([]byte, 20)),
		build.Bytes(uint16(0), uint16(0), uint32(40), uint16(0), uint16(0), uint32(3), uint32(4), make([]byte, 20)),
		build.Locality(0x20, uint8(ReadLatency), 1000, []uint32{7}, []uint32{8, 9}, 5, 0xffff),
		build.Locality(2, uint8(WriteBandwidth), 1<<60, []uint32{7, 1 << 30}, []uint32{8}, 0, 17),
		build.Bytes(uint16(2), uint16(0), uint32(34), uint32(6), uint32(0), uint64(1<<34), uint32(0x00400021), uint16(0), uint16(1), uint16(5)),
		build.Locality(0, 6, 1, []uint32{0}, []uint32{0}, 1),     // a type of a later edition
		build.Bytes(uint16(9), uint16(0), uint32(12), uint32(0)), // a structure of a later edition
	), nil)
	if h.NAttributes != 2 || h.Attributes[0] != (Attributes{1 << 31, 3, true}) || h.Attributes[1] != (Attributes{4, 3, false}) {
		t.Errorf("attributes %v", h.Attributes[:3])
	}
	if h.NCaches != 1 || h.Caches[0] != (SideCache{Size: 1 << 34, Memory: 6, Level: 2, Levels: 1, LineSize: 64}) {
		t.Errorf("caches %v", h.Caches[:2])
	}
	if h.NLocalities != 2 {
		t.Fatalf("%d localities", h.NLocalities)
	}
	l := &h.Localities[0]
	if l.Type != ReadLatency || l.Type.Bandwidth() || l.Hierarchy != 0 || !l.Special || l.Initiators != 1 || l.Targets != 2 ||
		l.Initiator(0) != 7 || l.Target(0) != 8 || l.Target(1) != 9 {
		t.Errorf("%+v", l)
	}
	if v, ok := l.Value(0, 0); v != 5000 || !ok {
		t.Errorf("latency %d %v", v, ok)
	}
	if v, ok := l.Value(0, 1); ok {
		t.Errorf("latency %d without a path", v)
	}
	l = &h.Localities[1]
	if l.Type != WriteBandwidth || !l.Type.Bandwidth() || l.Hierarchy != 2 || l.Special || l.Initiator(1) != 1<<30 || l.Target(0) != 8 {
		t.Errorf("%+v", l)
	}
	if v, ok := l.Value(0, 0); ok {
		t.Errorf("bandwidth %d where none is given", v)
	}
	if v, ok := l.Value(1, 0); ok {
		t.Errorf("bandwidth %d beyond 64 bits", v)
	}
}

func TestHMATFaults(t *testing.T) {
	good := build.Locality(0, 0, 1, []uint32{0}, []uint32{0}, 10)
	counts := func(i, t uint32) []byte {
		return build.Bytes(uint16(1), uint16(0), uint32(32), uint32(0), i, t, uint32(0), uint64(1))
	}
	shortened := func(e []byte) []byte { return append([]byte{1, 0, 0, 0, byte(len(e) - 1)}, e[5:len(e)-1]...) }
	wrapping := append(counts(3033497983, 3040507057), make([]byte, 700)...)
	copy(wrapping[4:], build.Bytes(uint32(len(wrapping))))
	var many [][]byte
	for range MaxLocalities + 1 {
		many = append(many, good)
	}
	for name, c := range map[string]struct {
		b    []byte
		n    int
		want string
	}{
		"revision 1":         {build.HMAT(1, good), 0, "HMAT: revision is 1, expected 2, whose units are defined: table left out"},
		"structure length 0": {build.HMAT(2, good, make([]byte, 8), good), 1, "HMAT: structure at 0x52 has length 0, expected 8 to the 50 left: rest of the table ignored"},
		"structure length 7": {build.HMAT(2, []byte{0, 0, 0, 0, 7, 0, 0, 0}, good), 0, "HMAT: structure at 0x28 has length 7, expected 8 to the 50 left: rest of the table ignored"},
		"past the end":       {build.HMAT(2, good, good[:40]), 1, "HMAT: structure at 0x52 has length 42, expected 8 to the 40 left: rest of the table ignored"},
		"tail":               {build.HMAT(2, good, good[:7]), 1, "HMAT: structure at 0x52 has length 0, expected 8 to the 7 left: rest of the table ignored"},
		"short locality":     {build.HMAT(2, []byte{1, 0, 0, 0, 8, 0, 0, 0}, good), 1, "HMAT: entry at 0x28 of type 1 has length 8, expected 32 or more: entry ignored"},
		"short attributes":   {build.HMAT(2, []byte{0, 0, 0, 0, 8, 0, 0, 0}, good), 1, "HMAT: entry at 0x28 of type 0 has length 8, expected 40 or more: entry ignored"},
		"short cache":        {build.HMAT(2, []byte{2, 0, 0, 0, 8, 0, 0, 0}, good), 1, "HMAT: entry at 0x28 of type 2 has length 8, expected 32 or more: entry ignored"},
		"too small":          {build.HMAT(2, counts(1, 0), good), 1, "HMAT: structure at 0x28 has length 32, too small for 1 x 0 domains: structure ignored"},
		"counts overflow":    {build.HMAT(2, counts(1<<31, 1<<31), good), 1, "HMAT: structure at 0x28 has length 32, too small for 2147483648 x 2147483648 domains: structure ignored"},
		"a byte short":       {build.HMAT(2, shortened(good), good), 1, "HMAT: structure at 0x28 has length 41, too small for 1 x 1 domains: structure ignored"},
		// The size of these, modulo 2^64, is 606.
		"size overflows": {build.HMAT(2, wrapping, good), 1, "HMAT: structure at 0x28 has length 732, too small for 3033497983 x 3040507057 domains: structure ignored"},
		"unit 0":         {build.HMAT(2, build.Locality(0, 0, 0, nil, nil), good), 1, "HMAT: structure at 0x28 has base unit 0, expected 1 or more: structure ignored"},
		"too many":       {build.HMAT(2, many...), MaxLocalities, "HMAT: entry at 0xaa8 of type 1 exceeds the limit of 64 of its kind: entry ignored"},
	} {
		t.Run(name, func(t *testing.T) {
			if h := parse(t, ParseHMAT, c.b, []string{c.want}); h.NLocalities != c.n {
				t.Errorf("%d localities, expected %d", h.NLocalities, c.n)
			}
		})
	}
}
