package linux

import "testing"

func TestMapDeviceChecksItsRange(t *testing.T) {
	m := boot(t, 1)
	var got [][2]uint64
	hooks.MapDevice = func(_ int, pa, n uint64) int64 {
		got = append(got, [2]uint64{pa, n})
		return DeviceMapped
	}
	for _, c := range []struct {
		pa, n uint64
		want  int64
	}{
		{0xfe000000, 4096, 0},
		{1<<32 - 1, 1, 0},
		{1 << 32, 1, einval},
		{1<<32 - 1, 2, einval},
		{0xfe000000, 0, einval},
		{0, 1<<32 + 1, einval},
		{^uint64(0), 2, einval},
	} {
		m.want(c.want, MapDevice, c.pa, c.n)
	}
	if len(got) != 2 || got[0] != [2]uint64{0xfe000000, 4096} {
		t.Errorf("the board was asked for %#x", got)
	}
	hooks.MapDevice = nil
	m.want(einval, MapDevice, 0xfe000000, 4096)
}

func TestWriteToRandomIsMixedIn(t *testing.T) {
	m := boot(t, 1)
	before := root.key
	b, at := words(16)
	b[0] = 1
	if r := seedFromUser(at, 128); r != 128 {
		t.Fatalf("a write of 128 bytes gave %d", r)
	}
	if root.key == before {
		t.Error("the root key did not change")
	}
	if r := seedFromUser(8, 8); r != efault {
		t.Errorf("a bad pointer gave %d", r)
	}
	_ = m
}
