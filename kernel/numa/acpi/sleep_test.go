package acpi

import (
	"slices"
	"testing"

	build "pdac/kernel/numa/acpi/acpitest"
)

func TestS5(t *testing.T) {
	name := []byte{0x08, '_', 'S', '5', '_'}
	const missing = "DSDT: no \\_S5 object, expected Name (_S5, Package...): sleep type 0 is used"
	const malformed = "DSDT: \\_S5 at 0x25 is no package that begins with an integer: sleep type 0 is used"
	for _, c := range []struct {
		name string
		aml  []byte
		want SleepTypes
		msg  []string
	}{
		{"constants", append(name, 0x12, 6, 4, 0, 0, 0, 0), SleepTypes{0, 0, true}, nil},
		{"bytes", append(name, 0x12, 10, 4, 0x0a, 7, 0x0a, 5, 0, 0), SleepTypes{7, 5, true}, nil},
		{"one op", append(name, 0x12, 6, 4, 1, 0x0a, 5, 0, 0), SleepTypes{1, 5, true}, nil},
		{"word and dword", append(name, 0x12, 12, 2, 0x0b, 5, 0, 0x0c, 6, 0, 0, 0), SleepTypes{5, 6, true}, nil},
		{"a single integer", append(name, 0x12, 6, 1, 0x0b, 5, 3), SleepTypes{5, 3, true}, nil},
		{"long PkgLength", append(name, 0x12, 0x47, 0, 4, 0x0a, 7, 0x0a, 7), SleepTypes{7, 7, true}, nil},
		{"root prefix", append([]byte{0x08, '\\'}, append(name[1:], 0x12, 10, 4, 0x0a, 7, 0x0a, 7)...), SleepTypes{7, 7, true}, nil},
		{"second is no integer", append(name, 0x12, 6, 2, 0x0a, 5, 0x70), SleepTypes{5, 0, true}, nil},
		{"after a reference", slices.Concat([]byte{0x70}, name[1:], name, []byte{0x12, 6, 2, 0x0a, 5, 0}), SleepTypes{5, 0, true}, nil},
		{"after a false start", slices.Concat(name, []byte{0x11}, name, []byte{0x12, 6, 2, 0x0a, 5, 0}), SleepTypes{5, 0, true}, nil},
		{"absent", []byte{1, 2, 3}, SleepTypes{}, []string{missing}},
		{"only a reference", append([]byte{0x70}, name[1:]...), SleepTypes{}, []string{missing}},
		{"empty", nil, SleepTypes{}, []string{missing}},
		{"ends after the name", name, SleepTypes{}, []string{malformed}},
		{"ends in PkgLength", append(name, 0x12, 0xc0), SleepTypes{}, []string{malformed}},
		{"ends in the element", append(name, 0x12, 4, 1, 0x0a), SleepTypes{}, []string{malformed}},
		{"no elements", append(name, 0x12, 2, 0), SleepTypes{}, []string{malformed}},
		{"no elements, then an integer", append(name, 0x12, 2, 0, 0x0a, 5), SleepTypes{}, []string{malformed}},
		{"a method", append(name, 0x14, 6, 4, 0, 0), SleepTypes{}, []string{malformed}},
		{"a string", append(name, 0x12, 6, 1, 0x0d, 'x', 0), SleepTypes{}, []string{malformed}},
	} {
		t.Run(c.name, func(t *testing.T) {
			if s := parse(t, ParseS5, build.Table("DSDT", 2, c.aml), c.msg); *s != c.want {
				t.Errorf("%+v, expected %+v", *s, c.want)
			}
		})
	}
}
