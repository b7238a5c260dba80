package acpi

import (
	"testing"

	build "pdac/kernel/numa/acpi/acpitest"
)

func TestSLIT(t *testing.T) {
	s := parse(t, ParseSLIT, build.SLIT(3, 10, 15, 40, 21, 10, 10, 255, 11, 10), nil)
	for i, want := range []uint8{10, 15, 40, 21, 10, 10, 255, 11, 10} {
		if d, ok := s.Distance(uint32(i/3), uint32(i%3)); !ok || d != want {
			t.Errorf("%d to %d: %d, expected %d", i/3, i%3, d, want)
		}
	}
	for _, out := range [][2]uint32{{3, 0}, {0, 3}, {1 << 31, 0}, {0, 1<<32 - 1}} {
		if d, ok := s.Distance(out[0], out[1]); ok {
			t.Errorf("%v: %d, expected none", out, d)
		}
	}
}

func TestSLITFaults(t *testing.T) {
	for name, c := range map[string]struct {
		b    []byte
		want string
	}{
		"diagonal":       {build.SLIT(2, 10, 20, 20, 11), "SLIT: distance of locality 1 to itself is 11, expected 10: table left out"},
		"under 10":       {build.SLIT(2, 10, 9, 20, 10), "SLIT: distance at 0x2d is 9, expected 10 or more: table left out"},
		"size too small": {build.SLIT(2, 10, 20, 20), "SLIT: 2 localities in a table of length 47, expected 44+n*n: table left out"},
		"size too large": {build.SLIT(2, 10, 20, 20, 10, 10), "SLIT: 2 localities in a table of length 49, expected 44+n*n: table left out"},
		"none":           {build.SLIT(0), "SLIT: 0 localities in a table of length 44, expected 44+n*n: table left out"},
		"square wraps":   {build.SLIT(1 << 32), "SLIT: 4294967296 localities in a table of length 44, expected 44+n*n: table left out"},
		"header only":    {cut(build.SLIT(0), 8), "SLIT: table has length 36, expected 44 or more: table left out"},
	} {
		t.Run(name, func(t *testing.T) {
			s := parse(t, ParseSLIT, c.b, []string{c.want})
			if d, ok := s.Distance(0, 0); ok || s.N != 0 {
				t.Errorf("%d localities, distance %d", s.N, d)
			}
		})
	}
}
