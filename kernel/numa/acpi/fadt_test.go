package acpi

import (
	"testing"

	build "pdac/kernel/numa/acpi/acpitest"
)

func TestFADTExtendedFieldsPreferred(t *testing.T) {
	b := build.FADT(0x1000, 0x2_0000_0000)
	copy(b[46:], []byte{9, 0})                                        // SCI
	copy(b[48:], []byte{0xb2, 0, 0, 0, 0xa0})                         // SMI command port, value that enables ACPI
	copy(b[64:], []byte{4, 6, 0, 0})                                  // PM1a control 0x604
	copy(b[88:], []byte{4, 2, 1, 4})                                  // lengths
	copy(b[109:], []byte{0x13, 0x00})                                 // boot flags
	copy(b[112:], []byte{0, 5, 0, 0})                                 // timer of 32 bits, reset register
	copy(b[116:], []byte{1, 8, 0, 1, 0xf9, 0x0c, 8: 0, 11: 0, 12: 6}) // reset register 0xcf9, value 6
	copy(b[172:], []byte{1, 16, 0, 2, 4, 6})                          // X PM1a control 0x604
	copy(b[184:], []byte{0, 16, 0, 2, 0, 0, 0, 0xfe, 1})              // X PM1b control in memory at 0x1fe000000
	copy(b[208:], []byte{1, 32, 0, 3, 8, 6})                          // X PM timer 0x608
	f := parse(t, ParseFADT, build.Seal(b), nil)
	want := FADT{Revision: 6, SCI: 9, SMICommand: 0xb2, ACPIEnable: 0xa0, BootFlags: LegacyDevices | Has8042 | NoASPM,
		Flags: 0x500, PM1aControl: GAS{SpaceIO, 16, 0, 2, 0x604}, PM1bControl: GAS{SpaceMemory, 16, 0, 2, 0x1fe000000},
		PMTimer: GAS{SpaceIO, 32, 0, 3, 0x608}, PMTimer32: true, Reset: GAS{SpaceIO, 8, 0, 1, 0xcf9}, ResetValue: 6, DSDT: 0x2_0000_0000}
	if *f != want {
		t.Errorf("got %+v\nexpected %+v", *f, want)
	}
}

func TestFADTRevision1(t *testing.T) {
	b := build.FADT(0x1000, 0)[:116]
	b[8] = 1
	copy(b[64:], []byte{4, 6, 0, 0, 6, 6, 0, 0, 0, 0, 0, 0, 8, 6})
	copy(b[88:], []byte{4, 2, 1, 4})
	f := parse(t, ParseFADT, build.Seal(b), nil)
	want := FADT{Revision: 1, BootFlags: LegacyDevices | Has8042, DSDT: 0x1000, PM1aControl: GAS{SpaceIO, 16, 0, 0, 0x604},
		PM1bControl: GAS{SpaceIO, 16, 0, 0, 0x606}, PMTimer: GAS{SpaceIO, 32, 0, 0, 0x608}}
	if *f != want || f.Reset.Valid() {
		t.Errorf("got %+v\nexpected %+v", *f, want)
	}
}

func TestFADTHardwareReduced(t *testing.T) {
	b := build.FADT(0x1000, 0)
	b[114] = 0x10 // Flags bit 20
	copy(b[64:], []byte{4, 6})
	copy(b[244:], []byte{0, 8, 0, 1, 0, 0, 0xd0, 0xfe})
	f := parse(t, ParseFADT, build.Seal(b), nil)
	if !f.HardwareReduced || f.PM1aControl.Valid() || f.SleepControl != (GAS{SpaceMemory, 8, 0, 1, 0xfed00000}) {
		t.Errorf("%+v", *f)
	}
}

func TestFADTFaults(t *testing.T) {
	b := build.FADT(0x1000, 0)
	at := func(off int, v ...byte) []byte { return with(b, off, v...) }
	for name, c := range map[string]struct {
		b    []byte
		pm1a GAS
		want []string
	}{
		"mismatch":           {with(at(64, 4, 6), 172, 1, 16, 0, 2, 4, 8), GAS{SpaceIO, 16, 0, 2, 0x804}, []string{"FACP: register block at 0x40 is at 0x604, but its 64-bit form is at 0x804: the latter is used"}},
		"space not ours":     {with(with(at(64, 4, 6), 172, 10, 16, 0, 2, 4, 8), 89, 2), GAS{SpaceIO, 16, 0, 0, 0x604}, nil},
		"length 0":           {at(64, 4, 6), GAS{}, []string{"FACP: register block length at 0x59 is 0, expected 2: block not used"}},
		"no DSDT":            {with(b, 40, 0, 0), GAS{}, []string{"FACP: no DSDT address, expected one: sleep types are guessed"}},
		"reset without flag": {at(116, 1, 8, 0, 1, 0xf9), GAS{}, nil},
		"too short":          {cut(b, 276-115), GAS{}, []string{"FACP: table has length 115, expected 116 or more: table left out"}},
		"cut in X PM1a":      {with(cut(at(64, 4, 6), 276-180), 89, 2), GAS{SpaceIO, 16, 0, 0, 0x604}, nil},
		"cut in reset":       {with(cut(b, 276-120), 113, 4), GAS{}, nil},
		"cut in the DSDT":    {cut(b, 276-144), GAS{}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			f := parse(t, ParseFADT, c.b, c.want)
			if f.PM1aControl != c.pm1a || f.Reset.Valid() {
				t.Errorf("PM1a %+v, reset %+v", f.PM1aControl, f.Reset)
			}
		})
	}
}
